//! `Codel`: which calls to drop so that no queue stands: controlled delay for requests, as in Facebook's folly.
//!
//! Nichols and Jacobson, "Controlling Queue Delay", ACM Queue 10(5), 2012, tell a standing queue by its shortest delay: a queue
//! that is empty now and then has a short one. For requests folly (`Codel.h`) drops those that have waited more than twice
//! the target while the shortest delay of the last interval was above the target.

use crate::kernel::time::{SimDuration, SimTime};

/// The state of a queue.
#[derive(Clone, Debug)]
pub struct Codel {
    target: SimDuration,
    interval: SimDuration,
    /// End of the present interval.
    until: SimTime,
    /// The shortest delay in the present interval.
    least: SimDuration,
    /// Whether a queue stood during the last interval.
    stands: bool,
}

impl Codel {
    /// A queue through which nobody has come. Delays up to `target` are fine; whether they are is looked at each `interval`.
    #[must_use]
    pub fn new(target: SimDuration, interval: SimDuration) -> Codel {
        Codel { target, interval, until: SimTime::ZERO, least: SimDuration::MAX, stands: false }
    }

    /// A call comes out of the queue at `now` after a delay. Returns whether it is to be dropped.
    pub fn drops(&mut self, now: SimTime, delay: SimDuration) -> bool {
        if now >= self.until {
            // An interval in which nobody came out says nothing.
            self.stands = self.least > self.target && self.least < SimDuration::MAX;
            self.until = now + self.interval;
            self.least = delay;
            // The first of each interval is taken, so that there is a delay to look at.
            return false;
        }
        self.least = self.least.min(delay);
        self.stands && delay > self.target.mul_f64(2.0)
    }

    /// The process has crashed: nothing is known of its queue.
    pub fn clear(&mut self) {
        *self = Codel::new(self.target, self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> SimDuration {
        SimDuration::from_millis(ms)
    }

    #[test]
    fn calls_are_dropped_only_after_an_interval_with_a_standing_queue() {
        let mut codel = Codel::new(ms(5), ms(100));
        let mut at = |now: u64, delay: u64| codel.drops(SimTime::ZERO + ms(now), ms(delay));
        assert!(!at(0, 50) && !at(50, 50), "nothing is known yet");
        assert!(!at(100, 50), "the first of an interval is taken");
        assert!(at(110, 50) && !at(120, 10) && at(130, 11), "beyond twice the target they are dropped");
        assert!(!at(140, 1), "the queue was short once");
        assert!(!at(200, 50) && !at(210, 50), "so that it does not stand");
    }

    #[test]
    fn a_crash_forgets_that_a_queue_stood() {
        let mut codel = Codel::new(ms(5), ms(100));
        let at = |now: u64| SimTime::ZERO + ms(now);
        assert!(!codel.drops(at(0), ms(50)) && !codel.drops(at(100), ms(50)) && codel.drops(at(110), ms(50)));
        codel.clear();
        assert!(!codel.drops(at(120), ms(50)) && !codel.drops(at(130), ms(50)));
        // Its own target and interval it keeps.
        assert!(
            !codel.drops(at(220), ms(50)) && codel.drops(at(230), ms(11)) && !codel.drops(at(240), ms(10))
        );
    }

    #[test]
    fn an_interval_without_calls_says_nothing() {
        let mut codel = Codel::new(ms(5), ms(100));
        let mut at = |now: u64, delay: u64| codel.drops(SimTime::ZERO + ms(now), ms(delay));
        assert!(!at(0, 50) && !at(100, 50) && at(110, 50));
        assert!(!at(900, 1) && !at(1000, 50) && !at(1010, 50));
    }
}
