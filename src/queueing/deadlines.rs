//! `Deadlines`: many time limits of one length behind a single timer.
//!
//! A limit that will almost never be reached must not sit in the calendar. All limits of one length expire in the order
//! in which they were set, so that a queue holds them and one timer stands for the oldest that still matters.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};

/// Time limits of one length, oldest first.
#[derive(Debug)]
pub struct Deadlines<K> {
    length: SimDuration,
    entries: VecDeque<(SimTime, K)>,
    /// With so many entries, those that no longer matter are dropped.
    full: usize,
    armed: bool,
}

/// So many entries are always kept.
const KEPT: usize = 16;

/// From so many entries on, a megabyte or two, memory matters more than a few nanoseconds.
const LONG: usize = 1 << 16;

impl<K: Copy> Deadlines<K> {
    /// Limits of the given length.
    #[must_use]
    pub fn new(length: SimDuration) -> Deadlines<K> {
        Deadlines { length, entries: VecDeque::new(), full: KEPT, armed: false }
    }

    /// Sets a limit for `key`. Limits that no longer matter, as `live` tells, are dropped some at a time, so that the queue
    /// stays at most about twice as long as what was set since the oldest that still matters, or, where that is much, as what
    /// is under way. Returns the moment for which the owner must set its timer, if it has none.
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

    /// The timer has fired: one key whose limit is reached; call until `None`.
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

    /// After the expired ones have been taken: the moment for which the owner must set its timer again, if any.
    pub fn rearm(&mut self) -> Option<SimTime> {
        let next = self.entries.front().map(|&(at, _)| at);
        self.armed = next.is_some();
        next
    }

    /// Forgets all limits, and the timer with them: its owner has crashed.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.armed = false;
    }

    /// Drops those that no longer matter. In a long queue also those behind one that still does, since a single slow answer
    /// would keep whatever was set after it; in a short one that costs more than it frees.
    #[inline(never)]
    fn sift(&mut self, live: impl Fn(&K) -> bool) {
        self.prune(&live);
        if self.entries.len() > LONG {
            self.entries.retain(|(_, key)| live(key));
        }
        self.full = KEPT + 2 * self.entries.len();
    }

    /// Drops those before the oldest that still matters.
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
