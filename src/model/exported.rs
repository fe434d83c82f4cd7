//! `Exported`: the counters that a process keeps for those who monitor it. They are lost with the process.

use crate::kernel::time::SimDuration;
use crate::stats::coarse::{BUCKETS, bucket_of};

use super::signal::Outcome;

/// The counters of the calls of one class.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// Number of answers.
    pub all: u64,
    /// Number of those that are `ok`.
    pub ok: u64,
    /// Sum of the times from arrival to an answer `ok`, in nanoseconds.
    pub time: u128,
    /// The number of these times in each bucket; empty if nobody asks for them.
    pub times: Box<[u64]>,
}

/// The counters of a process, by class.
#[derive(Debug, Default)]
pub(super) struct Exported(Vec<Answers>);

impl Exported {
    /// Counters at zero for this number of classes.
    pub(super) fn new(classes: usize) -> Exported {
        Exported(vec![Answers::default(); classes])
    }

    /// Keeps response times in buckets from now on.
    pub(super) fn keep_times(&mut self) {
        for answers in self.0.iter_mut().filter(|answers| answers.times.is_empty()) {
            answers.times = vec![0; BUCKETS].into_boxed_slice();
        }
    }

    /// Counts an answer.
    pub(super) fn count(&mut self, class: u16, outcome: Outcome, residence: SimDuration) {
        let Some(answers) = self.0.get_mut(usize::from(class)) else { return };
        answers.all += 1;
        if outcome != Outcome::Ok {
            return;
        }
        let nanos = residence.as_nanos();
        answers.ok += 1;
        answers.time += u128::from(nanos);
        if let Some(count) = answers.times.get_mut(bucket_of(nanos)) {
            *count += 1;
        }
    }

    /// The process is gone, and its counters with it.
    pub(super) fn clear(&mut self) {
        for answers in &mut self.0 {
            (answers.all, answers.ok, answers.time) = (0, 0, 0);
            answers.times.fill(0);
        }
    }

    /// The counters of a class, or of each.
    pub(super) fn of(&self, class: Option<u16>) -> &[Answers] {
        match class {
            None => &self.0,
            Some(class) => self.0.get(usize::from(class)..=usize::from(class)).unwrap_or(&[]),
        }
    }
}
