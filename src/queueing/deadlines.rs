//! `Deadlines`: many time limits of one length behind a single timer.
//!
//! Most limits are never reached, so that each of them must not cost an event. Limits of one length expire in the order in
//! which they were set: a queue holds them, and one timer stands for the oldest that still matters.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};

/// Time limits of one length, oldest first.
#[derive(Debug)]
pub struct Deadlines<K> {
    length: SimDuration,
    entries: VecDeque<(SimTime, K)>,
    /// Number of entries at which those that no longer matter are dropped.
    full: usize,
    armed: bool,
}

/// Number of entries below which nothing is dropped.
const KEPT: usize = 16;

/// Number of entries, a megabyte or two, from which memory matters more than a few nanoseconds.
const LONG: usize = 1 << 16;

impl<K: Copy> Deadlines<K> {
    /// No limits yet; each will have the given length.
    #[must_use]
    pub fn new(length: SimDuration) -> Deadlines<K> {
        Deadlines { length, entries: VecDeque::new(), full: KEPT, armed: false }
    }

    /// Sets a limit for `key`. Returns the moment for which the owner must set its timer, or `None` when the timer is set
    /// already. Drops limits that no longer matter, as `live` tells, some at a time: the queue stays about twice as long as
    /// what was set since the oldest limit that matters, or, in a long queue, as what is under way.
    #[inline(always)]
    pub fn push(&mut self, now: SimTime, key: K, live: impl Fn(&K) -> bool) -> Option<SimTime> {
        if self.entries.len() >= self.full {
            self.sift(live);
        }
        let at = now + self.length;
        self.entries.push_back((at, key));
        if self.armed {
            return None;
        }
        self.armed = true;
        Some(at)
    }

    /// The timer has fired: returns one key whose limit is reached. To be called until `None`.
    pub fn expired(&mut self, now: SimTime, live: impl Fn(&K) -> bool) -> Option<K> {
        self.prune(live);
        match self.entries.front() {
            Some(&(at, key)) if at <= now => {
                self.entries.pop_front();
                Some(key)
            }
            _ => None,
        }
    }

    /// Returns the moment for which the owner must set its timer again, if any. To be called after the last expired limit.
    pub fn rearm(&mut self) -> Option<SimTime> {
        let next = self.entries.front().map(|&(at, _)| at);
        self.armed = next.is_some();
        next
    }

    /// Forgets all limits and the timer: the owner has crashed.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.armed = false;
    }

    /// Drops limits that no longer matter. In a long queue it drops those behind a limit that matters too, because one slow
    /// answer would keep all that were set after it; in a short queue that costs more than it frees.
    #[inline(never)]
    fn sift(&mut self, live: impl Fn(&K) -> bool) {
        self.prune(&live);
        if self.entries.len() > LONG {
            self.entries.retain(|(_, key)| live(key));
        }
        self.full = KEPT + 2 * self.entries.len();
    }

    /// Drops the limits before the oldest that still matters.
    #[inline(never)]
    fn prune(&mut self, live: impl Fn(&K) -> bool) {
        while self.entries.front().is_some_and(|(_, key)| !live(key)) {
            self.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> SimTime = |s| SimTime::from_nanos(s * 1_000_000_000);

    #[test]
    fn one_timer_serves_all() {
        let mut deadlines = Deadlines::new(SimDuration::from_secs(10));
        assert_eq!(deadlines.push(S(0), 'a', |_| true), Some(S(10)));
        assert_eq!(deadlines.push(S(1), 'b', |_| true), None);
        assert_eq!(deadlines.expired(S(10), |_| true), Some('a'));
        assert_eq!(deadlines.expired(S(10), |_| true), None);
        assert_eq!(deadlines.rearm(), Some(S(11)));
    }

    #[test]
    fn a_crash_forgets_the_limits_and_the_timer() {
        let mut deadlines = Deadlines::new(SimDuration::from_secs(10));
        deadlines.push(S(0), 'a', |_| true);
        deadlines.clear();
        assert_eq!(deadlines.expired(S(20), |_| true), None);
        assert_eq!(deadlines.push(S(3), 'b', |_| true), Some(S(13)), "the timer is set anew");
    }

    #[test]
    fn what_no_longer_matters_is_forgotten() {
        let mut deadlines = Deadlines::new(SimDuration::from_secs(10));
        for n in 0..1000 {
            deadlines.push(S(n), n, |key| key + 100 >= n);
            assert!(deadlines.entries.len() <= KEPT + 2 * 101);
        }
        assert_eq!(deadlines.expired(S(2000), |_| false), None);
        assert_eq!(deadlines.rearm(), None);
    }

    #[test]
    fn one_slow_answer_keeps_no_others() {
        let mut deadlines = Deadlines::new(SimDuration::from_secs(2000));
        for n in 0..10 * LONG as u64 {
            deadlines.push(S(n / 1000), n, |&key| key == 0 || key + 100 >= n);
            assert!(deadlines.entries.len() <= KEPT + 2 * LONG);
        }
        assert_eq!(deadlines.expired(S(2000), |&key| key == 0), Some(0));
        assert_eq!(deadlines.expired(S(2000), |_| false), None);
    }
}
