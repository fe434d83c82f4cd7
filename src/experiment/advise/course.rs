//! `Course`: what happened in each window of the measured time, averaged over the trials.

use std::ops::Range;

use crate::components::database::DataRecord;
use crate::model::record::{ComponentWindow, TrialRecord, Window};
use crate::model::simulation::Length;
use crate::stats::series::mean;

use super::super::series::whole;

/// One window.
#[derive(Clone, Debug)]
pub(super) struct Slice {
    pub(super) start_s: f64,
    pub(super) length_s: f64,
    /// Number of requests issued in it.
    pub(super) issued: f64,
    /// Median over the trials of the 99th percentile of the response times, in ms; `None` if there are none.
    pub(super) p99_ms: Option<f64>,
    /// Lag of the replica that is furthest behind, in seconds; 0 without replicas.
    pub(super) lag_s: f64,
    /// The requests of each class.
    pub(super) classes: Vec<Requests>,
    /// Each component, on average over the trials.
    pub(super) components: Vec<ComponentWindow>,
}

/// Numbers of requests.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Requests {
    pub(super) ok: f64,
    pub(super) failed: f64,
    /// Number of tries.
    pub(super) attempts: f64,
}

impl Requests {
    fn plus(self, other: Requests) -> Requests {
        Requests {
            ok: self.ok + other.ok,
            failed: self.failed + other.failed,
            attempts: self.attempts + other.attempts,
        }
    }

    /// Share of them that failed; 0 without any.
    pub(super) fn failed_share(self) -> f64 {
        if self.failed > 0.0 { self.failed / (self.ok + self.failed) } else { 0.0 }
    }

    /// Mean number of tries of each; 1 without any.
    pub(super) fn tries(self) -> f64 {
        let ended = self.ok + self.failed;
        if ended > 0.0 { self.attempts / ended } else { 1.0 }
    }
}

/// The windows of the measured time.
#[derive(Debug)]
pub(super) struct Course {
    pub(super) slices: Vec<Slice>,
    /// When the trial ends, in seconds.
    pub(super) end_s: f64,
}

impl Course {
    /// The course of these trials: of those that ran to their end, or of all if none did.
    pub(super) fn of(records: &[TrialRecord], length: Length) -> Course {
        let trials = whole(records);
        let data: Vec<DataRecord> = trials.iter().filter_map(|trial| DataRecord::of(trial)).collect();
        let windows = trials.iter().map(|trial| trial.windows.len()).min().unwrap_or(0);
        let first =
            trials[0].windows.iter().position(|one| one.start_s >= length.warmup.as_secs_f64() - 1e-9);
        let slice = |at: usize| {
            let same: Vec<&Window> = trials.iter().map(|trial| &trial.windows[at]).collect();
            let lags: Vec<f64> = data.iter().filter_map(|data| data.lag_series_s.get(at).copied()).collect();
            slice(&same, mean(lags.into_iter()))
        };
        let slices: Vec<Slice> = (first.unwrap_or(windows)..windows).map(slice).collect();
        let end_s = slices.last().map_or(0.0, |last| last.start_s + last.length_s);
        Course { slices, end_s }
    }

    /// The requests in some windows, all classes together.
    pub(super) fn requests(&self, rows: Range<usize>) -> Requests {
        let all = self.slices[rows].iter().flat_map(|slice| &slice.classes);
        all.fold(Requests::default(), |sum, one| sum.plus(*one))
    }

    /// The requests of one class in some windows.
    pub(super) fn of_class(&self, class: usize, rows: Range<usize>) -> Requests {
        self.slices[rows].iter().fold(Requests::default(), |sum, slice| sum.plus(slice.classes[class]))
    }

    /// Requests issued a second in some windows.
    pub(super) fn offered(&self, rows: Range<usize>) -> f64 {
        let slices = &self.slices[rows];
        let seconds: f64 = slices.iter().map(|slice| slice.length_s).sum();
        if seconds > 0.0 { slices.iter().map(|slice| slice.issued).sum::<f64>() / seconds } else { 0.0 }
    }

    /// The windows that lie in a stretch of time.
    pub(super) fn rows(&self, from_s: f64, until_s: f64) -> Range<usize> {
        let from = self.slices.partition_point(|slice| slice.start_s + slice.length_s <= from_s);
        let until = self.slices.partition_point(|slice| slice.start_s < until_s);
        from.min(until)..until
    }

    /// The end of a run of windows, in seconds; `None` if that is the end of the trial.
    pub(super) fn until(&self, rows: &Range<usize>) -> Option<f64> {
        self.slices.get(rows.end).map(|slice| slice.start_s)
    }
}

fn slice(same: &[&Window], lag_s: f64) -> Slice {
    let over = |of: &dyn Fn(&Window) -> f64| mean(same.iter().map(|window| of(window)));
    let component = |at: usize| {
        let of = |figure: fn(&ComponentWindow) -> f64| over(&|window| figure(&window.components[at]));
        ComponentWindow {
            inside: of(|one| one.inside),
            backlog: of(|one| one.backlog),
            busy: of(|one| one.busy),
            held: of(|one| one.held),
            lacking: of(|one| one.lacking),
        }
    };
    let mut p99: Vec<u64> = same.iter().filter_map(|window| window.p99).collect();
    p99.sort_unstable();
    let class = |at: usize| Requests {
        ok: over(&|window| window.classes[at].ok as f64),
        failed: over(&|window| window.classes[at].failed as f64),
        attempts: over(&|window| window.classes[at].attempts as f64),
    };
    Slice {
        start_s: same[0].start_s,
        length_s: same[0].length_s,
        issued: over(&|window| window.issued as f64),
        p99_ms: p99.get(p99.len() / 2).map(|nanos| *nanos as f64 / 1e6),
        lag_s: if lag_s.is_finite() { lag_s } else { 0.0 },
        classes: (0..same[0].classes.len()).map(class).collect(),
        components: (0..same[0].components.len()).map(component).collect(),
    }
}
