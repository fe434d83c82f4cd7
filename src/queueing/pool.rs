//! `Pool`: a bounded number of slots with waiters: the workers of a server, the connections to a database.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};

/// What became of a request for a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Acquire {
    /// The job holds a slot.
    Granted,
    /// The job waits; a later [`Pool::release`] grants it a slot.
    Queued,
    /// All slots are held and the queue is full; the pool has forgotten the job.
    Full,
}

/// A waiter that has just got a slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Granted<J> {
    /// The job, as it asked.
    pub job: J,
    /// How long it waited for the slot.
    pub waited: SimDuration,
}

/// A bounded pool. A slot that is given back goes straight to the next waiter, so that no newcomer gets in between: slots
/// are free only while nobody waits.
#[derive(Debug)]
pub struct Pool<J> {
    capacity: u32,
    queue_limit: u32,
    lifo: bool,
    in_use: u32,
    /// In order of arrival, whichever end is served first.
    queue: VecDeque<(J, SimTime)>,
}

impl<J: Copy> Pool<J> {
    /// A pool of `capacity` free slots, at least one. At most `queue_limit` jobs wait, served in order of arrival or, if
    /// `lifo`, in the opposite order.
    ///
    /// # Panics
    /// When `capacity` is zero.
    pub fn new(capacity: u32, queue_limit: u32, lifo: bool) -> Pool<J> {
        assert!(capacity > 0, "a pool has at least one slot");
        Pool { capacity, queue_limit, lifo, in_use: 0, queue: VecDeque::new() }
    }

    /// Asks for a slot for `job`.
    #[must_use]
    #[inline]
    pub fn acquire(&mut self, now: SimTime, job: J) -> Acquire {
        if self.in_use < self.capacity {
            self.in_use += 1;
            return Acquire::Granted;
        }
        if self.queue.len() >= self.queue_limit as usize {
            return Acquire::Full;
        }
        self.queue.push_back((job, now));
        Acquire::Queued
    }

    /// Gives a slot back. Returns the waiter to whom the slot passes, if anybody waits.
    ///
    /// # Panics
    /// When no slot is held.
    #[must_use]
    #[inline]
    pub fn release(&mut self, now: SimTime) -> Option<Granted<J>> {
        assert!(self.in_use > 0, "only a slot that is held can be given back");
        let next = if self.lifo { self.queue.pop_back() } else { self.queue.pop_front() };
        if next.is_none() {
            self.in_use -= 1;
        }
        next.map(|(job, since)| Granted { job, waited: now.since(since) })
    }

    /// Takes out the waiter that has waited longest, if it has waited for `limit`. To be called until `None`.
    pub fn expire(&mut self, now: SimTime, limit: SimDuration) -> Option<J> {
        let &(job, since) = self.queue.front()?;
        if now.since(since) < limit {
            return None;
        }
        self.queue.pop_front();
        Some(job)
    }

    /// A crash: all slots are free and nobody waits.
    pub fn clear(&mut self) {
        self.in_use = 0;
        self.queue.clear();
    }

    /// Number of slots that jobs hold.
    pub fn held(&self) -> u32 {
        self.in_use
    }

    /// Number of jobs that wait for a slot.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Time that the first in the queue has waited; zero when nobody waits.
    pub fn oldest_wait(&self, now: SimTime) -> SimDuration {
        self.queue.front().map_or(SimDuration::ZERO, |(_, since)| now.since(*since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> SimTime {
        SimTime::from_nanos(secs * 1_000_000_000)
    }

    /// A pool of one slot, held since 0 s, with waiters 1, 2, 3 since 1, 2, 3 s.
    fn crowded(lifo: bool) -> Pool<u64> {
        let mut pool = Pool::new(1, 3, lifo);
        let answers: Vec<_> = (0..5).map(|job| pool.acquire(at(job), job)).collect();
        use Acquire::{Full, Granted, Queued};
        assert_eq!(answers, [Granted, Queued, Queued, Queued, Full]);
        pool
    }

    #[test]
    fn a_slot_passes_to_the_next_in_line() {
        for (lifo, order) in [(false, [1, 2, 3]), (true, [3, 2, 1])] {
            let mut pool = crowded(lifo);
            for job in order {
                let waited = SimDuration::from_secs(10 - job);
                assert_eq!(pool.release(at(10)), Some(Granted { job, waited }));
                assert_eq!(pool.in_use, 1);
            }
            assert_eq!(pool.release(at(10)), None);
            assert_eq!((pool.in_use, pool.waiting()), (0, 0));
        }
    }

    #[test]
    fn a_crash_empties_all() {
        let mut pool = crowded(false);
        assert_eq!(pool.oldest_wait(at(9)), SimDuration::from_secs(8));
        pool.clear();
        assert_eq!((pool.in_use, pool.waiting()), (0, 0));
        assert_eq!(pool.oldest_wait(at(9)), SimDuration::ZERO);
        assert_eq!(pool.acquire(at(9), 9), Acquire::Granted);
    }

    #[test]
    fn who_has_waited_too_long_leaves_first() {
        let mut pool = crowded(false);
        let limit = SimDuration::from_secs(5);
        assert_eq!(pool.expire(at(5), limit), None);
        assert_eq!(pool.expire(at(7), limit), Some(1));
        assert_eq!(pool.expire(at(7), limit), Some(2));
        assert_eq!((pool.expire(at(7), limit), pool.waiting()), (None, 1));
    }

    #[test]
    #[should_panic(expected = "only a slot that is held")]
    fn a_slot_given_back_twice_is_a_defect() {
        let _ = Pool::<u64>::new(1, 0, false).release(SimTime::ZERO);
    }
}
