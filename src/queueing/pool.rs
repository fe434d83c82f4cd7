//! `Pool`: a bounded number of slots with waiters: the workers of a server, the connections to a database.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};

/// Which waiter gets a slot first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Order {
    /// The one that has waited longest.
    #[default]
    Fifo,
    /// The one that came last.
    Lifo,
    /// The one that came last while more wait than there are slots, else the one that has waited longest: what Facebook calls
    /// adaptive LIFO (Maurer, "Fail at Scale", ACM Queue 13(8), 2015).
    Adaptive,
}

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
    order: Order,
    in_use: u32,
    /// In order of arrival, whichever end is served first.
    queue: VecDeque<(J, SimTime)>,
}

impl<J: Copy> Pool<J> {
    /// A pool of `capacity` free slots, at least one. At most `queue_limit` jobs wait.
    ///
    /// # Panics
    /// When `capacity` is zero.
    pub fn new(capacity: u32, queue_limit: u32, order: Order) -> Pool<J> {
        assert!(capacity > 0, "a pool has at least one slot");
        Pool { capacity, queue_limit, order, in_use: 0, queue: VecDeque::new() }
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
        let newest_first = match self.order {
            Order::Fifo => false,
            Order::Lifo => true,
            Order::Adaptive => self.queue.len() > self.capacity as usize,
        };
        let next = if newest_first { self.queue.pop_back() } else { self.queue.pop_front() };
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
    fn crowded(order: Order) -> Pool<u64> {
        let mut pool = Pool::new(1, 3, order);
        let answers: Vec<_> = (0..5).map(|job| pool.acquire(at(job), job)).collect();
        use Acquire::{Full, Granted, Queued};
        assert_eq!(answers, [Granted, Queued, Queued, Queued, Full]);
        pool
    }

    #[test]
    fn a_slot_passes_to_the_next_in_line() {
        for (served, order) in
            [(Order::Fifo, [1, 2, 3]), (Order::Lifo, [3, 2, 1]), (Order::Adaptive, [3, 2, 1])]
        {
            let mut pool = crowded(served);
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
    fn an_adaptive_queue_turns_when_it_is_longer_than_the_pool_is_wide() {
        let mut pool = Pool::new(2, 10, Order::Adaptive);
        let taken: Vec<_> = (0..6).map(|job| pool.acquire(at(job), job)).collect();
        assert_eq!(taken[1..3], [Acquire::Granted, Acquire::Queued]);
        let mut next = || pool.release(at(10)).map(|granted| granted.job);
        // Jobs 2 to 5 wait: the last ones go first until two are left, and these in the order of arrival.
        assert_eq!([next(), next(), next(), next(), next()], [Some(5), Some(4), Some(2), Some(3), None]);
    }

    #[test]
    fn a_crash_empties_all() {
        let mut pool = crowded(Order::Fifo);
        assert_eq!(pool.oldest_wait(at(9)), SimDuration::from_secs(8));
        pool.clear();
        assert_eq!((pool.in_use, pool.waiting()), (0, 0));
        assert_eq!(pool.oldest_wait(at(9)), SimDuration::ZERO);
        assert_eq!(pool.acquire(at(9), 9), Acquire::Granted);
    }

    #[test]
    fn who_has_waited_too_long_leaves_first() {
        let mut pool = crowded(Order::Fifo);
        let limit = SimDuration::from_secs(5);
        assert_eq!(pool.expire(at(5), limit), None);
        assert_eq!(pool.expire(at(7), limit), Some(1));
        assert_eq!(pool.expire(at(7), limit), Some(2));
        assert_eq!((pool.expire(at(7), limit), pool.waiting()), (None, 1));
    }

    #[test]
    #[should_panic(expected = "only a slot that is held")]
    fn a_slot_given_back_twice_is_a_defect() {
        let _ = Pool::<u64>::new(1, 0, Order::Fifo).release(SimTime::ZERO);
    }
}
