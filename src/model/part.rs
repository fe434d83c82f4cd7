//! `Part`: a part of the simulated time that is measured separately, such as "all but the minute of the crash".

use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::histogram::Histogram;

/// A part of the simulated time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Only times from the first, up to and without the second, belong to the part.
    pub during: Option<(SimDuration, SimDuration)>,
    /// Times from the first, up to and without the second, do not belong to the part.
    pub except: Option<(SimDuration, SimDuration)>,
}

impl Part {
    /// Whether a time belongs to the part.
    #[must_use]
    pub fn contains(&self, at: SimTime) -> bool {
        let at = at.since(SimTime::ZERO);
        let within = |span: (SimDuration, SimDuration)| span.0 <= at && at < span.1;
        self.during.is_none_or(within) && !self.except.is_some_and(within)
    }

    /// Length of the part between two times, in seconds.
    #[must_use]
    pub fn seconds(&self, from: SimTime, to: SimTime) -> f64 {
        let whole = (from.as_secs_f64(), to.as_secs_f64());
        let ends = |span: (SimDuration, SimDuration)| (span.0.as_secs_f64(), span.1.as_secs_f64());
        let counted = self.during.map_or(whole, |span| overlap(whole, ends(span)));
        let left_out = self.except.map_or(0.0, |span| length(overlap(counted, ends(span))));
        length(counted) - left_out
    }
}

fn overlap(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    (a.0.max(b.0), a.1.min(b.1))
}

fn length(span: (f64, f64)) -> f64 {
    (span.1 - span.0).max(0.0)
}

/// Requests that ended in a part of the measured time.
#[derive(Clone, Debug, Default)]
pub struct PartRecord {
    /// The part.
    pub part: Part,
    /// Its measured length in seconds.
    pub seconds: f64,
    /// The counts of each class, in the order of the scenario.
    pub classes: Vec<PartClass>,
}

/// Requests of one class that ended in a part of the time.
#[derive(Clone, Debug, Default)]
pub struct PartClass {
    /// Number of requests that ended.
    pub ended: u64,
    /// Number of requests that ended ok within the deadline of the class.
    pub good: u64,
    /// Response times of requests that ended ok, in nanoseconds.
    pub ok: Histogram,
}

impl PartRecord {
    pub(super) fn new(part: Part, classes: usize) -> PartRecord {
        PartRecord { part, seconds: 0.0, classes: vec![PartClass::default(); classes] }
    }

    /// Counts a request that ends.
    pub(super) fn end(&mut self, now: SimTime, class: usize, response: Option<SimDuration>, good: bool) {
        if !self.part.contains(now) {
            return;
        }
        let class = &mut self.classes[class];
        class.ended += 1;
        class.good += u64::from(good);
        if let Some(response) = response {
            class.ok.record(response.as_nanos());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> SimDuration = SimDuration::from_secs;

    #[test]
    fn a_part_is_what_is_during_and_not_except() {
        let part = Part { during: Some((S(10), S(20))), except: Some((S(12), S(14))) };
        let inside: Vec<u64> = (0..30).filter(|s| part.contains(SimTime::ZERO + S(*s))).collect();
        assert_eq!(inside, [10, 11, 14, 15, 16, 17, 18, 19]);
        let seconds = |from, to| part.seconds(SimTime::ZERO + S(from), SimTime::ZERO + S(to));
        assert_eq!((seconds(0, 30), seconds(13, 18), seconds(25, 30)), (8.0, 4.0, 0.0));
    }
}
