//! `Track`: what one member has told a monitor about one figure, as far back as the window of an alert; and how the tracks of all
//! members become one value.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::gauge::Sort;
use crate::model::rule::Figure;
use crate::model::sample::Sample;
use crate::stats::coarse::{BUCKETS, quantile};

/// The samples of one member, the oldest first.
#[derive(Debug)]
pub(super) struct Track {
    samples: VecDeque<Sample>,
    /// Samples that are not in use, made at the start.
    spare: Vec<Sample>,
}

impl Track {
    /// A track that keeps this number of samples, at least 2.
    pub(super) fn new(most: usize, figure: Figure) -> Track {
        let spare = (0..most.max(2)).map(|_| Sample::blank(figure.needs_times())).collect();
        Track { samples: VecDeque::with_capacity(most.max(2)), spare }
    }

    /// Adds a sample, which `fill` writes unless it returns false. The oldest makes room.
    pub(super) fn add(&mut self, fill: impl FnOnce(&mut Sample) -> bool) -> bool {
        let Some(mut sample) = self.spare.pop().or_else(|| self.samples.pop_front()) else { return false };
        let is_filled = fill(&mut sample);
        if is_filled {
            self.samples.push_back(sample);
        } else {
            self.spare.push(sample);
        }
        is_filled
    }

    /// Forgets what was told before `since`, but for the last sample before it if that is not older than `before`: what happened
    /// since then counts.
    fn trim(&mut self, since: SimTime, before: SimTime) {
        let next_is_old = |samples: &VecDeque<Sample>| samples.get(1).is_some_and(|next| next.at <= since);
        while next_is_old(&self.samples) || self.samples.front().is_some_and(|first| first.at < before) {
            self.spare.extend(self.samples.pop_front());
        }
        // Without a sample inside the window, nothing is known.
        if self.samples.back().is_some_and(|last| last.at < since) && self.samples.len() == 1 {
            self.spare.extend(self.samples.pop_front());
        }
    }

    pub(super) fn clear(&mut self) {
        self.spare.extend(self.samples.drain(..));
    }

    /// What the two counters have grown by, and over which time in seconds; `None` with fewer than two samples. Counters of a new
    /// process begin at zero.
    fn growth(&self) -> Option<(f64, f64, f64)> {
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let seconds = last.at.since(first.at).as_secs_f64();
        let (mut part, mut whole) = (0.0, 0.0);
        for (before, after) in self.pairs() {
            let is_same = before.process == after.process;
            part += after.part - if is_same { before.part } else { 0.0 };
            whole += after.whole - if is_same { before.whole } else { 0.0 };
        }
        (seconds > 0.0).then_some((part, whole, seconds))
    }

    /// Adds what the buckets have grown by.
    fn add_times(&self, counts: &mut [u64]) {
        for (before, after) in self.pairs() {
            let is_same = before.process == after.process;
            for ((sum, after), before) in counts.iter_mut().zip(&after.times).zip(&before.times) {
                *sum += after - if is_same { *before } else { 0 };
            }
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&Sample, &Sample)> {
        self.samples.iter().zip(self.samples.iter().skip(1))
    }
}

/// How percentiles of several members become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Merge {
    /// The buckets of all are added, and the percentile is that of all answers.
    #[default]
    Buckets,
    /// The percentile of each is taken, and then their mean, which is the percentile of nobody.
    Average,
}

/// How the samples of a window become a value.
#[derive(Debug)]
pub(super) struct Fold {
    pub(super) figure: Figure,
    pub(super) merge: Merge,
    pub(super) window: SimDuration,
    pub(super) scrape: SimDuration,
    /// The buckets of the response times, made once.
    pub(super) counts: Box<[u64]>,
}

impl Fold {
    pub(super) fn new(figure: Figure, merge: Merge, window: SimDuration, scrape: SimDuration) -> Fold {
        let counts = vec![0; if figure.needs_times() { BUCKETS } else { 0 }].into_boxed_slice();
        Fold { figure, merge, window, scrape, counts }
    }

    /// The value over the window that ends now, in the base unit of the figure; `None` if the samples tell none.
    pub(super) fn value(&mut self, now: SimTime, tracks: &mut [Track]) -> Option<f64> {
        let since = SimTime::from_nanos(now.as_nanos().saturating_sub(self.window.as_nanos()));
        let is_level = match self.figure {
            Figure::QueueLen => true,
            Figure::Gauge(gauge, _) => gauge.sort == Sort::Level,
            _ => false,
        };
        // A level is what it is when it is asked for; a counter tells what happened since the sample before.
        let reach = if is_level { 0 } else { self.scrape.as_nanos() };
        let before = SimTime::from_nanos(since.as_nanos().saturating_sub(reach));
        tracks.iter_mut().for_each(|track| track.trim(since, before));
        if is_level {
            return level(tracks, matches!(self.figure, Figure::Gauge(_, true)));
        }
        let value = match self.figure {
            Figure::Percentile(share, _) => self.percentile(share, tracks)?,
            Figure::Throughput => {
                let rates = tracks.iter().filter_map(Track::growth).map(|(part, _, seconds)| part / seconds);
                sum(rates)?
            }
            Figure::Gauge(gauge, _) if gauge.sort == Sort::Count => {
                sum(tracks.iter().filter_map(Track::growth).map(|(part, ..)| part))?
            }
            _ => {
                let grown = tracks.iter().filter_map(Track::growth);
                let (part, whole) =
                    grown.fold((0.0, 0.0), |sum, (part, whole, _)| (sum.0 + part, sum.1 + whole));
                part / whole
            }
        };
        value.is_finite().then_some(value)
    }

    fn percentile(&mut self, share: f64, tracks: &[Track]) -> Option<f64> {
        self.counts.fill(0);
        if self.merge == Merge::Buckets {
            tracks.iter().for_each(|track| track.add_times(&mut self.counts));
            return quantile(&self.counts, share).map(|nanos| nanos / 1e9);
        }
        let (mut total, mut members) = (0.0, 0);
        for track in tracks {
            self.counts.fill(0);
            track.add_times(&mut self.counts);
            if let Some(nanos) = quantile(&self.counts, share) {
                (total, members) = (total + nanos / 1e9, members + 1);
            }
        }
        (members > 0).then(|| total / f64::from(members))
    }
}

/// The sum; `None` of nothing.
fn sum(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

/// The mean of the samples of each member, added up; or the highest sample of all.
fn level(tracks: &[Track], is_highest: bool) -> Option<f64> {
    let known = tracks.iter().filter(|track| !track.samples.is_empty());
    if is_highest {
        return known.flat_map(|track| track.samples.iter().map(|sample| sample.part)).reduce(f64::max);
    }
    let mean = |track: &Track| {
        track.samples.iter().map(|sample| sample.part).sum::<f64>() / track.samples.len() as f64
    };
    sum(known.map(mean))
}
