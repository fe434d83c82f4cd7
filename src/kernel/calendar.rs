//! The calendar: pending events in the exact order of their times, and of their scheduling where times are equal.
//!
//! Three parts, by nearness. Events at this very moment wait in a FIFO. Soon events stand in `front`, sorted.
//! All others lie unsorted in the `wheel`, from which the front is refilled. Scheduling far ahead, the
//! common case, costs a few instructions whatever the number of pending events.

use std::collections::VecDeque;

use super::time::SimTime;
use super::wheel::{Key, Wheel, last_key_at, time_of};

/// Bits of a key that say in which slot the event lies.
const SLOT_BITS: u32 = 24;
/// How many events may be pending beyond the present moment.
pub const PENDING_MAX: usize = 1 << SLOT_BITS;
/// How many events may be scheduled in a trial.
pub const SEQ_MAX: u64 = 1 << (u64::BITS - SLOT_BITS);
/// Events scheduled at one instant; beyond it a loop without delay is at work, which would never end.
pub const INSTANT_EVENTS_MAX: u64 = 20_000_000;
/// A front that grows beyond this gives its later part back to the wheel.
const FRONT_MAX: usize = 128;
/// So many places of the front are counted rather than halved.
const COUNTED_MAX: usize = 16;
/// What such a front keeps.
const FRONT_KEPT: usize = 32;

/// An event whose time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fired<E> {
    /// When it happens: the new now.
    pub at: SimTime,
    /// The number that [`Calendar::schedule`] returned for it.
    pub seq: u64,
    /// What was scheduled.
    pub event: E,
}

/// The pending events of a trial, and its clock.
///
/// There is no cancelling: an owner remembers the sequence number of the event that it still wants, and ignores all
/// others when they fire. That costs one store instead of a search.
pub struct Calendar<E> {
    now: u64,
    next_seq: u64,
    /// The number of the first event that was scheduled at this moment.
    first_seq: u64,
    /// Events scheduled at `now`. They come after all others of this moment, because their numbers are larger.
    at_now: Present<E>,
    /// Whether an event of this moment may lie in the front or in the wheel, which was scheduled before it began.
    may_have_older: bool,
    /// Events up to `edge`, the earliest last.
    front: Vec<Near<E>>,
    /// Keys up to here belong to the front, all later ones to the wheel.
    edge: Key,
    wheel: Wheel,
    /// The events that the keys of the wheel point to, and what is vacant among them.
    events: Vec<E>,
    vacant: Vec<u32>,
    /// What has just come out of the wheel, on its way to the front.
    batch: Vec<Key>,
}

/// An event of the front, with its key. Those of the wheel stand apart from their keys, which are moved more than once; a
/// batch of them is fetched at a time, so that with a million pending the memory answers to many questions at once.
#[derive(Clone, Copy)]
struct Near<E> {
    key: Key,
    event: E,
}

impl<E: Copy> Calendar<E> {
    /// An empty calendar at time zero.
    #[must_use]
    pub fn new() -> Calendar<E> {
        Calendar {
            now: 0,
            next_seq: 0,
            first_seq: 0,
            at_now: Present::new(),
            may_have_older: true,
            front: Vec::with_capacity(FRONT_MAX + 1),
            edge: 0,
            wheel: Wheel::new(),
            events: Vec::new(),
            vacant: Vec::new(),
            batch: Vec::new(),
        }
    }

    /// The time of the last event that fired.
    #[inline]
    #[must_use]
    pub fn now(&self) -> SimTime {
        SimTime::from_nanos(self.now)
    }

    /// How many events have fired: all that were scheduled and are not pending.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.next_seq - self.len() as u64
    }

    /// How many events are pending.
    #[must_use]
    pub fn len(&self) -> usize {
        self.at_now.len() + self.front.len() + self.events.len() - self.vacant.len()
    }

    /// Whether nothing is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an event and returns its sequence number, which no other event of the trial has. It serves as the event's
    /// generation: an owner that re-arms a timer remembers the number of the valid one.
    ///
    /// # Panics
    /// When `at` is before now or is [`SimTime::MAX`] (which is "never"), or when a limit is exceeded:
    /// [`PENDING_MAX`], [`SEQ_MAX`], [`INSTANT_EVENTS_MAX`].
    #[inline(always)]
    pub fn schedule(&mut self, at: SimTime, event: E) -> u64 {
        // Both bounds by one comparison: a moment before now is far beyond the end.
        let ahead = at.as_nanos().wrapping_sub(self.now);
        if ahead >= SimTime::MAX.as_nanos() - self.now {
            refuse(at, self.now());
        }
        if ahead == 0 {
            return self.schedule_now(event);
        }
        let seq = self.number();
        assert!(seq < SEQ_MAX, "more than 2^40 events in a trial: shorten the trial or lower its load");
        self.schedule_later(at, seq, event);
        seq
    }

    /// The same for an event of this very moment, whose number never has to fit into a key.
    ///
    /// # Panics
    /// When [`INSTANT_EVENTS_MAX`] is exceeded.
    #[inline(always)]
    pub fn schedule_now(&mut self, event: E) -> u64 {
        let seq = self.number();
        assert!(
            seq - self.first_seq < INSTANT_EVENTS_MAX,
            "more than {INSTANT_EVENTS_MAX} events at {}: a loop without delay",
            self.now()
        );
        self.at_now.push(seq, event);
        seq
    }

    /// The number of the next event.
    #[inline(always)]
    fn number(&mut self) -> u64 {
        let seq = self.next_seq;
        self.next_seq += 1;
        seq
    }

    /// Adds an event that is not of this very moment.
    #[inline(never)]
    fn schedule_later(&mut self, at: SimTime, seq: u64, event: E) {
        let key = (Key::from(at.as_nanos()) << 64) | Key::from(seq << SLOT_BITS);
        // Handed on in parts, which stay in registers. Whole, it would be written in words and read at once in a vector, for
        // which the processor would have to wait.
        if key > self.edge {
            return self.push_in_wheel(key, event);
        }
        if let [.., second, first] = self.front[..]
            && time_of(second.key) > at.as_nanos()
            && self.front.len() < FRONT_MAX
            && self.front.len() < self.front.capacity()
        {
            // Before or right after the first one, as when a queue waits for an arrival and a departure. Which of the two is
            // first is a toss of a coin, and settled without a branch. There is room, so that nothing has to be called.
            let place = self.front.len() - usize::from(time_of(first.key) <= at.as_nanos());
            self.front.push(first);
            self.front[place] = Near { key, event };
        } else if self.front.len() <= COUNTED_MAX {
            self.insert_in_short_front(key, event);
        } else {
            self.insert_in_long_front(key, event);
        }
    }

    /// Puts an event in its place in a front of a few.
    #[inline(never)]
    fn insert_in_short_front(&mut self, key: Key, event: E) {
        let place = later(&self.front, time_of(key));
        self.front.insert(place, Near { key, event });
    }

    /// The next event that is not after `end`. The clock moves to its time. `None` if there is no such event; then the
    /// clock stays.
    #[inline]
    pub fn pop_until(&mut self, end: SimTime) -> Option<Fired<E>> {
        if !self.at_now.is_empty() {
            if self.now > end.as_nanos() {
                return None;
            }
            // Unless something older is pending for this very moment, it is the FIFO's turn.
            if !self.may_have_older || !self.has_older() {
                let (seq, event) = self.at_now.pop()?;
                return Some(Fired { at: self.now(), seq, event });
            }
        } else if self.front.is_empty() && !self.refill(end.as_nanos()) {
            return None;
        }
        self.pop_front(end.as_nanos())
    }

    /// Whether the front has an event of this very moment, which is older than those in the FIFO. It says no more than
    /// that, since an event that it returned would have to go through memory.
    #[cold]
    fn has_older(&mut self) -> bool {
        // With many ties at this moment, some of the older ones may still be in the wheel.
        if self.front.is_empty() && time_of(self.edge) <= self.now {
            self.refill(self.now);
        }
        self.front.last().is_some_and(|near| time_of(near.key) <= self.now)
    }

    /// Takes the first event of the front, if it is not after `end`.
    #[inline]
    fn pop_front(&mut self, end: u64) -> Option<Fired<E>> {
        let &Near { key, event } = self.front.last()?;
        let at = time_of(key);
        if at > end {
            return None;
        }
        self.front.pop();
        assert!(at >= self.now, "an event fired before now: the clock never goes back");
        self.now = at;
        self.first_seq = self.next_seq;
        // What is scheduled from now on for this moment goes to the FIFO, so that it need not be asked again.
        self.may_have_older = time_of(self.front.last().map_or(self.edge, |near| near.key)) <= at;
        Some(Fired { at: SimTime::from_nanos(at), seq: key as u64 >> SLOT_BITS, event })
    }

    /// Fills the empty front with the next events of the wheel and says whether one is at or before `end`.
    fn refill(&mut self, end: u64) -> bool {
        let Some(last) = self.wheel.pop_batch(end, &mut self.batch) else {
            // Noted, so that the same question need not be asked of the wheel again.
            self.edge = self.edge.max(last_key_at(end));
            return false;
        };
        for key in self.batch.drain(..) {
            let slot = key % PENDING_MAX as Key;
            self.vacant.push(slot as u32);
            self.front.push(Near { key: key - slot, event: self.events[slot as usize] });
        }
        // With nothing left behind, the front may take all that comes: best for a handful of events.
        self.edge = if self.wheel.is_empty() { Key::MAX } else { last_key_at(last) };
        true
    }

    /// Puts an event in its place in a front of more than a few.
    #[inline(never)]
    fn insert_in_long_front(&mut self, key: Key, event: E) {
        let at = time_of(key);
        let (mut first, mut len) = (0, self.front.len());
        while len > COUNTED_MAX {
            let half = len / 2;
            first += half * usize::from(time_of(self.front[first + half - 1].key) > at);
            len -= half;
        }
        let place = first + later(&self.front[first..first + len], at);
        self.front.insert(place, Near { key, event });
        if self.front.len() > FRONT_MAX {
            self.shrink_front();
        }
    }

    /// Gives all but the earliest events of the front to the wheel. The bound between the two is a key, not only a time,
    /// so that ties can be divided as well.
    #[cold]
    fn shrink_front(&mut self) {
        let later = self.front.len() - FRONT_KEPT;
        self.edge = self.front[later].key;
        for at in 0..later {
            let Near { key, event } = self.front[at];
            self.push_in_wheel(key, event);
        }
        self.front.drain(..later);
    }

    /// Gives an event to the wheel, which keeps its key, and where it stands.
    #[inline(never)]
    fn push_in_wheel(&mut self, key: Key, event: E) {
        let slot = self.store(event);
        self.wheel.push(key | Key::from(slot));
    }

    /// Keeps an event while its key is in the wheel, and returns where.
    #[inline]
    fn store(&mut self, event: E) -> u64 {
        if let Some(slot) = self.vacant.pop() {
            self.events[slot as usize] = event;
            return u64::from(slot);
        }
        let slot = self.events.len();
        assert!(
            slot < PENDING_MAX,
            "more than 2^24 events are pending: lower the load, or limit queues and clients"
        );
        self.events.push(event);
        slot as u64
    }
}

/// How many of these are after `at`: the place of an event of then, which is the youngest, so that of those of its time it
/// is the last. Where it belongs is as good as random, and a processor that had guessed would have to begin anew; so they
/// are counted, without a branch.
#[inline]
fn later<E>(nears: &[Near<E>], at: u64) -> usize {
    nears.iter().map(|near| usize::from(time_of(near.key) > at)).sum()
}

/// Says what is wrong with the moment of an event.
#[cold]
fn refuse(at: SimTime, now: SimTime) -> ! {
    assert!(at >= now, "an event was scheduled before now: the clock never goes back");
    panic!("an event was scheduled at \"never\": do not schedule it");
}

/// A FIFO that is mostly one event long and empties before the clock moves on.
struct Present<E> {
    /// The first, which is in a place of its own, because mostly no other comes before it leaves.
    first: Option<(u64, E)>,
    rest: VecDeque<(u64, E)>,
}

impl<E: Copy> Present<E> {
    fn new() -> Present<E> {
        Present { first: None, rest: VecDeque::new() }
    }

    fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    #[inline]
    fn push(&mut self, seq: u64, event: E) {
        if self.first.is_none() {
            self.first = Some((seq, event));
        } else {
            self.rest.push_back((seq, event));
        }
    }

    /// The first of those that are there.
    #[inline]
    fn pop(&mut self) -> Option<(u64, E)> {
        let first = self.first.take();
        if !self.rest.is_empty() {
            self.first = self.rest.pop_front();
        }
        first
    }
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Calendar::new()
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use super::*;
    use crate::kernel::random::{KeyedRng, below};

    /// Operations of the differential test; the full ten million take their time without optimisation.
    const OPERATIONS: u64 = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };

    fn at(nanos: u64) -> SimTime {
        SimTime::from_nanos(nanos)
    }

    /// The calendar beside a binary heap on (at, seq). Every event carries its own sequence number.
    struct Pair {
        calendar: Calendar<u64>,
        oracle: BinaryHeap<Reverse<(u64, u64)>>,
        scheduled: u64,
    }

    impl Pair {
        fn new() -> Pair {
            Pair { calendar: Calendar::new(), oracle: BinaryHeap::new(), scheduled: 0 }
        }

        fn now(&self) -> u64 {
            self.calendar.now().as_nanos()
        }

        fn schedule(&mut self, delay: u64) {
            let time = self.now().saturating_add(delay).min(u64::MAX - 1);
            assert_eq!(self.calendar.schedule(at(time), self.scheduled), self.scheduled);
            self.oracle.push(Reverse((time, self.scheduled)));
            self.scheduled += 1;
        }

        fn pop_until(&mut self, end: u64) -> bool {
            let before = self.now();
            let expected = self.oracle.peek().map(|&Reverse(next)| next).filter(|&(time, _)| time <= end);
            let fired = self.calendar.pop_until(at(end));
            assert_eq!(fired.map(|f| (f.at.as_nanos(), f.seq)), expected);
            assert!(fired.is_none_or(|f| f.event == f.seq), "the event belongs to its number");
            assert_eq!(self.now(), expected.map_or(before, |(time, _)| time));
            if expected.is_some() {
                self.oracle.pop();
            }
            assert_eq!(self.calendar.len(), self.oracle.len());
            assert_eq!(self.calendar.fired(), self.scheduled - self.oracle.len() as u64);
            expected.is_some()
        }
    }

    /// A delay of a random kind: none, ties on a coarse grid, near, middling, heavy-tailed over all magnitudes.
    fn delay(rng: &mut KeyedRng) -> u64 {
        match below(rng, 10) {
            0 => 0,
            1 | 2 => below(rng, 4) * 1000,
            3 | 4 => below(rng, 200),
            5..9 => below(rng, 1_000_000),
            _ => {
                let magnitude = below(rng, 46);
                below(rng, 1 << magnitude)
            }
        }
    }

    /// One round of a kind drawn at random.
    fn round(pair: &mut Pair, rng: &mut KeyedRng) {
        let size = below(rng, 300) as usize;
        let now = pair.now();
        match below(rng, 8) {
            // A burst, of ties or of many delays.
            0 => (0..size).for_each(|_| pair.schedule(5_000)),
            1 => (0..size).for_each(|_| pair.schedule(delay(rng))),
            // A drain, to the end or to a moment.
            2 if below(rng, 20) == 0 => while pair.pop_until(u64::MAX) {},
            2 | 3 => {
                let end = now.saturating_add(delay(rng));
                while pair.pop_until(end) {}
            }
            // An end in the past finds nothing, whatever is pending.
            4 => assert!(now == 0 || !pair.pop_until(now - 1)),
            // Holds.
            _ => {
                for _ in 0..size {
                    pair.pop_until(u64::MAX);
                    pair.schedule(delay(rng));
                }
            }
        }
    }

    #[test]
    fn it_agrees_with_a_binary_heap() {
        let mut rng = KeyedRng::new(2026);
        let mut done = 0;
        while done < OPERATIONS {
            let mut pair = Pair::new();
            // Some trials begin close to the end of time.
            if below(&mut rng, 4) == 0 {
                pair.schedule(u64::MAX - 2 - below(&mut rng, 1 << 40));
                pair.pop_until(u64::MAX);
            }
            (0..400).for_each(|_| round(&mut pair, &mut rng));
            while pair.pop_until(u64::MAX) {}
            // Every event was scheduled and fired.
            done += 2 * pair.scheduled;
        }
    }

    #[test]
    #[should_panic(expected = "a loop without delay")]
    fn a_loop_without_delay_is_named() {
        let mut calendar = Calendar::new();
        calendar.schedule(at(5), ());
        while let Some(fired) = calendar.pop_until(at(10)) {
            calendar.schedule(fired.at, ());
        }
    }

    #[test]
    fn a_hundred_thousand_ties_with_zero_delays_stay_cheap_and_in_order() {
        const TIES: u64 = 100_000;
        let mut calendar = Calendar::new();
        (0..TIES).for_each(|i| assert_eq!(calendar.schedule(at(1000), i), i));
        // Looking ahead must not make the front of ties dear to extend.
        assert_eq!(calendar.pop_until(at(999)), None);
        (TIES..2 * TIES).for_each(|i| assert_eq!(calendar.schedule(at(1000), i), i));
        for seq in 0..4 * TIES {
            let fired = calendar.pop_until(at(1000)).expect("ties are pending");
            assert_eq!((fired.at, fired.seq), (at(1000), seq));
            if seq < 2 * TIES {
                calendar.schedule(at(1000), 0);
            }
        }
        assert!(calendar.is_empty());
    }

    #[test]
    fn ties_that_were_divided_come_before_those_of_now() {
        let mut pair = Pair::new();
        pair.schedule(10);
        pair.pop_until(u64::MAX);
        // A front with room takes these one by one and has to give part of the ties back.
        (0..500).for_each(|i| pair.schedule(if i % 2 == 0 { 50 } else { 40 }));
        for _ in 0..600 {
            pair.pop_until(u64::MAX);
            pair.schedule(0);
        }
        while pair.pop_until(u64::MAX) {}
    }

    #[test]
    fn the_clock_stays_when_nothing_fires() {
        let mut calendar = Calendar::new();
        calendar.schedule(at(100), ());
        assert_eq!(calendar.pop_until(at(99)), None);
        assert_eq!(calendar.now(), SimTime::ZERO);
        calendar.schedule(at(50), ());
        assert_eq!(calendar.pop_until(at(100)).map(|f| (f.at, f.seq)), Some((at(50), 1)));
        assert_eq!(calendar.len(), 1);
    }

    #[test]
    #[should_panic(expected = "the clock never goes back")]
    fn the_past_is_closed() {
        let mut calendar = Calendar::new();
        calendar.schedule(at(2), ());
        calendar.pop_until(at(2));
        calendar.schedule(at(1), ());
    }

    #[test]
    #[should_panic(expected = "do not schedule it")]
    fn never_is_not_a_time() {
        Calendar::new().schedule(SimTime::MAX, ());
    }
}
