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
pub enum Acquire<J> {
    /// The job holds a slot.
    Granted,
    /// The job waits; a later [`Pool::release`] grants it a slot.
    Queued,
    /// The job waits in place of this one, which the pool has forgotten after the time that it has waited: the newest of the
    /// lowest rank, below the job's own.
    Displaced(J, SimDuration),
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
///
/// Jobs have ranks, 0 first: a slot passes to a waiter of the first rank of which anybody waits. A pool whose jobs are all of
/// rank 0 has one queue.
#[derive(Debug)]
pub struct Pool<J> {
    capacity: u32,
    queue_limit: u32,
    order: Order,
    in_use: u32,
    /// Number of jobs that hold several slots at once, or one beside such jobs: see [`Pool::acquire_wide`].
    wide: u32,
    /// Those of rank 0, in order of arrival, whichever end is served first.
    queue: Queue<J>,
    /// Those of ranks 1, 2, ...
    lower: Vec<Queue<J>>,
}

/// The waiters of one rank, each with the moment at which it came.
type Queue<J> = VecDeque<(J, SimTime)>;

impl<J: Copy> Pool<J> {
    /// A pool of `capacity` free slots, at least one. At most `queue_limit` jobs wait.
    ///
    /// # Panics
    /// When `capacity` is zero.
    pub fn new(capacity: u32, queue_limit: u32, order: Order) -> Pool<J> {
        assert!(capacity > 0, "a pool has at least one slot");
        Pool { capacity, queue_limit, order, in_use: 0, wide: 0, queue: VecDeque::new(), lower: Vec::new() }
    }

    /// Asks for a slot for a job of rank 0.
    #[must_use]
    #[inline]
    pub fn acquire(&mut self, now: SimTime, job: J) -> Acquire<J> {
        self.acquire_as(now, job, || 0)
    }

    /// Asks for a slot for `job`; its rank is asked for only if it has to wait.
    #[must_use]
    #[inline]
    pub fn acquire_as(&mut self, now: SimTime, job: J, rank: impl FnOnce() -> u8) -> Acquire<J> {
        if self.try_take() { Acquire::Granted } else { self.wait(now, job, usize::from(rank())) }
    }

    /// Takes a free slot, if there is one.
    #[must_use]
    #[inline(always)]
    pub fn try_take(&mut self) -> bool {
        let is_free = self.in_use < self.capacity;
        self.in_use += u32::from(is_free);
        is_free
    }

    /// Lets a job wait for a slot, if there is a place for it.
    fn wait(&mut self, now: SimTime, job: J, rank: usize) -> Acquire<J> {
        let mut answer = Acquire::Queued;
        if self.waiting() >= self.queue_limit as usize {
            match self.displace(rank) {
                Some((displaced, since)) => answer = Acquire::Displaced(displaced, now.since(since)),
                None => return Acquire::Full,
            }
        }
        self.line(rank).push_back((job, now));
        answer
    }

    /// Takes the newest waiter of the lowest rank out of the queue, if that is below `rank`.
    #[cold]
    fn displace(&mut self, rank: usize) -> Option<(J, SimTime)> {
        let below = self.lower.get_mut(rank..)?;
        below.iter_mut().rev().find_map(VecDeque::pop_back)
    }

    /// The waiters of a rank.
    #[inline]
    fn line(&mut self, rank: usize) -> &mut Queue<J> {
        let Some(at) = rank.checked_sub(1) else { return &mut self.queue };
        if at >= self.lower.len() {
            self.lower.resize_with(rank, VecDeque::new);
        }
        &mut self.lower[at]
    }

    /// Asks for several slots at once. The job waits until as many are free; nobody of its rank or below passes it. A pool of
    /// which this is asked once is asked for all slots in this way.
    #[must_use]
    pub fn acquire_wide(&mut self, now: SimTime, job: J, rank: u8, slots: u32) -> Acquire<J> {
        let rank = usize::from(rank);
        let in_line = !self.queue.is_empty() || self.lower.iter().take(rank).any(|queue| !queue.is_empty());
        if in_line || slots > self.capacity - self.in_use {
            return self.wait(now, job, rank);
        }
        self.hold_wide(slots);
        Acquire::Granted
    }

    fn hold_wide(&mut self, slots: u32) {
        self.in_use += slots;
        self.wide += 1;
    }

    /// Gives several slots back, which one job has held. [`Pool::next_wide`] tells who gets them.
    ///
    /// # Panics
    /// When fewer are held.
    pub fn release_wide(&mut self, slots: u32) {
        assert!(self.in_use >= slots && self.wide > 0, "only slots that are held can be given back");
        self.in_use -= slots;
        self.wide -= 1;
    }

    /// The next waiter, if as many slots are free as it asks for. To be called until `None` when slots have been given back, and
    /// when a waiter has left.
    #[must_use]
    pub fn next_wide(&mut self, now: SimTime, slots: impl Fn(&J) -> u32) -> Option<Granted<J>> {
        let free = self.capacity - self.in_use;
        let newest_first = self.newest_first();
        let queue =
            std::iter::once(&mut self.queue).chain(&mut self.lower).find(|queue| !queue.is_empty())?;
        let next = if newest_first { queue.back() } else { queue.front() };
        let slots = next.map(|(job, _)| slots(job)).filter(|slots| *slots <= free)?;
        let (job, since) = if newest_first { queue.pop_back() } else { queue.pop_front() }?;
        self.hold_wide(slots);
        Some(Granted { job, waited: now.since(since) })
    }

    /// Whether the waiter that came last gets the next slot.
    fn newest_first(&self) -> bool {
        match self.order {
            Order::Fifo => false,
            Order::Lifo => true,
            Order::Adaptive => self.waiting() > self.capacity as usize,
        }
    }

    /// Gives a slot back. Returns the waiter to whom the slot passes, if anybody waits.
    ///
    /// # Panics
    /// When no slot is held.
    #[must_use]
    #[inline(always)]
    pub fn release(&mut self, now: SimTime) -> Option<Granted<J>> {
        assert!(self.in_use > 0, "only a slot that is held can be given back");
        if self.queue.is_empty() && self.lower.is_empty() {
            self.in_use -= 1;
            return None;
        }
        self.pass_on(now)
    }

    /// A slot passes to the next waiter; it is free if nobody waits.
    fn pass_on(&mut self, now: SimTime) -> Option<Granted<J>> {
        let newest_first = self.newest_first();
        let take = |queue: &mut Queue<J>| if newest_first { queue.pop_back() } else { queue.pop_front() };
        let next = take(&mut self.queue).or_else(|| self.lower.iter_mut().find_map(take));
        if next.is_none() {
            self.in_use -= 1;
        }
        next.map(|(job, since)| Granted { job, waited: now.since(since) })
    }

    /// Takes out a waiter that has waited for `limit`, if anybody has: one that has waited longest in its rank. To be called
    /// until `None`.
    pub fn expire(&mut self, now: SimTime, limit: SimDuration) -> Option<J> {
        let late = |queue: &&mut Queue<J>| queue.front().is_some_and(|(_, since)| now.since(*since) >= limit);
        let queue = std::iter::once(&mut self.queue).chain(&mut self.lower).find(late)?;
        queue.pop_front().map(|(job, _)| job)
    }

    /// Takes out the first waiter for whom this holds. Returns whether there was one. Those who have waited long are looked at
    /// first, because they are the ones that give up.
    pub fn withdraw(&mut self, is_it: impl Fn(&J) -> bool) -> bool {
        std::iter::once(&mut self.queue).chain(&mut self.lower).any(|queue| {
            let found = queue.iter().position(|(job, _)| is_it(job));
            found.is_some_and(|at| queue.remove(at).is_some())
        })
    }

    /// A crash: all slots are free and nobody waits.
    pub fn clear(&mut self) {
        (self.in_use, self.wide) = (0, 0);
        self.queue.clear();
        self.lower.clear();
    }

    /// Number of slots that jobs hold.
    pub fn held(&self) -> u32 {
        self.in_use
    }

    /// Number of jobs that hold slots.
    pub fn holders(&self) -> u32 {
        if self.wide > 0 { self.wide } else { self.in_use }
    }

    /// Number of jobs that wait for a slot.
    #[inline]
    pub fn waiting(&self) -> usize {
        self.queue.len() + self.lower.iter().map(VecDeque::len).sum::<usize>()
    }

    /// The longest time that anybody in the queue has waited; zero when nobody waits.
    pub fn oldest_wait(&self, now: SimTime) -> SimDuration {
        let first = |queue: &Queue<J>| queue.front().map(|(_, since)| now.since(*since));
        let oldest = std::iter::once(&self.queue).chain(&self.lower).filter_map(first).max();
        oldest.unwrap_or(SimDuration::ZERO)
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
    fn who_withdraws_leaves_the_queue_and_nobody_else_does() {
        let mut pool = crowded(Order::Fifo);
        assert_eq!([2, 2, 7].map(|job| pool.withdraw(|other| *other == job)), [true, false, false]);
        let next = [5, 6].map(|second| pool.release(at(second)).map(|granted| granted.job));
        assert_eq!(next, [Some(1), Some(3)]);
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
    fn the_first_rank_goes_first_and_the_newest_of_the_last_rank_makes_room() {
        let mut pool = Pool::new(1, 3, Order::Fifo);
        let mut ask = |job: u64, rank| pool.acquire_as(at(job), job, || rank);
        use Acquire::{Displaced, Full, Granted, Queued};
        assert_eq!([ask(0, 2), ask(1, 2), ask(2, 1), ask(3, 2)], [Granted, Queued, Queued, Queued]);
        let displaced = |job, secs| Displaced(job, SimDuration::from_secs(secs));
        assert_eq!([ask(4, 2), ask(5, 0), ask(6, 1)], [Full, displaced(3, 2), displaced(1, 5)]);
        assert_eq!([ask(7, 1), ask(8, 0), ask(9, 0)], [Full, displaced(6, 2), displaced(2, 7)]);
        assert_eq!((ask(10, 0), pool.waiting()), (Full, 3));
        let mut next = || pool.release(at(20)).map(|granted| granted.job);
        assert_eq!([next(), next(), next(), next()], [Some(5), Some(8), Some(9), None]);
    }

    #[test]
    fn several_slots_are_taken_at_once_and_nobody_behind_passes() {
        let mut pool = Pool::new(4, 9, Order::Fifo);
        use Acquire::{Granted, Queued};
        // A job says how many slots it takes: its last digit.
        let slots = |job: &u64| (job % 10) as u32;
        let mut ask = |job: u64, rank| pool.acquire_wide(at(0), job, rank, slots(&job));
        assert_eq!([ask(11, 1), ask(21, 1), ask(33, 1), ask(41, 1)], [Granted, Granted, Queued, Queued]);
        // Two are free: one of a higher rank passes, one of its own or below does not.
        assert_eq!([ask(51, 0), ask(61, 2)], [Granted, Queued]);
        let next = |pool: &mut Pool<u64>| pool.next_wide(at(0), slots).map(|granted| granted.job);
        assert_eq!((next(&mut pool), pool.holders(), pool.held()), (None, 3, 3));
        pool.release_wide(1);
        pool.release_wide(1);
        assert_eq!((next(&mut pool), next(&mut pool)), (Some(33), None));
        pool.release_wide(3);
        assert_eq!([next(&mut pool), next(&mut pool), next(&mut pool)], [Some(41), Some(61), None]);
        pool.clear();
        assert_eq!((pool.holders(), pool.held()), (0, 0));
    }

    #[test]
    fn who_waits_too_long_leaves_whatever_the_rank() {
        let mut pool = Pool::new(1, 9, Order::Lifo);
        for (job, rank) in [(0, 0), (1, 2), (2, 1), (3, 0)] {
            let _ = pool.acquire_as(at(job), job, || rank);
        }
        let limit = SimDuration::from_secs(5);
        assert_eq!((pool.oldest_wait(at(7)), pool.waiting()), (SimDuration::from_secs(6), 3));
        assert_eq!([(); 3].map(|()| pool.expire(at(7), limit)), [Some(2), Some(1), None]);
        assert_eq!(pool.oldest_wait(at(7)), SimDuration::from_secs(4));
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
