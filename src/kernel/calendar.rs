//! The calendar: pending events, ordered by time, and by order of scheduling where times are equal.
//!
//! It has three parts. A FIFO holds the events of the present moment. `front` holds the next events, sorted. The
//! `wheel` holds all others, unsorted, and refills the front. Most events are scheduled far ahead; the wheel stores
//! one of them in a few instructions, whatever the number of pending events.

use std::collections::VecDeque;

use super::time::SimTime;
use super::wheel::{Key, Wheel, last_key_at, time_of};

/// Bits of a key that hold the event's slot in `Calendar::events`.
const SLOT_BITS: u32 = 24;
/// Greatest number of events that may be pending beyond the present moment.
pub const PENDING_MAX: usize = 1 << SLOT_BITS;
/// Greatest number of events that may be scheduled in a trial.
pub const SEQ_MAX: u64 = 1 << (u64::BITS - SLOT_BITS);
/// Greatest number of events that happen at one instant. More of them come from a loop without delay, which would never
/// end: the calendar then [stands still](Calendar::stands_still).
pub const INSTANT_EVENTS_MAX: u64 = if cfg!(test) { 200_000 } else { 20_000_000 };
/// Greatest number of events of one instant that may be pending, so that a single event cannot fill the memory.
const INSTANT_PENDING_MAX: u64 = 4 * INSTANT_EVENTS_MAX;
/// Length of the front above which its later events go back to the wheel.
const FRONT_MAX: usize = 128;
/// Greatest number of front entries that are searched by counting; more are first narrowed by bisection.
const COUNTED_MAX: usize = 16;
/// Events that the front keeps when its later events go back to the wheel.
const FRONT_KEPT: usize = 32;

/// An event whose time has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fired<E> {
    /// When it happens. The clock stands here from now on.
    pub at: SimTime,
    /// The number that [`Calendar::schedule`] returned for it.
    pub seq: u64,
    /// What was scheduled.
    pub event: E,
}

/// The pending events of a trial, and its clock.
///
/// An event cannot be cancelled. Instead an owner remembers the sequence number of the event that it still wants, and
/// ignores all others when they fire. That costs one store instead of a search.
pub struct Calendar<E> {
    now: u64,
    next_seq: u64,
    /// The sequence number of the first event that was scheduled at the present moment.
    first_seq: u64,
    /// Events scheduled at `now` for `now`. They fire after all others of this moment, because their numbers are
    /// larger.
    at_now: Present<E>,
    /// Whether the front or the wheel may hold an event of this moment, scheduled before the moment began.
    may_have_older: bool,
    /// Events with keys up to `edge`, sorted, the earliest last.
    front: Vec<Near<E>>,
    /// The greatest key that belongs to the front; later keys belong to the wheel.
    edge: Key,
    wheel: Wheel,
    /// The events whose keys lie in the wheel, by slot.
    events: Vec<E>,
    /// Slots of `events` that are free.
    vacant: Vec<u32>,
    /// Scratch space: the keys that have just left the wheel, on their way to the front.
    batch: Vec<Key>,
}

/// An event of the front, with its key. Events of the wheel lie apart from their keys, because keys move more than
/// once. They are fetched a batch at a time, so that with a million pending events the cache misses of a batch
/// overlap.
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

    /// Number of events that have fired.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.next_seq - self.len() as u64
    }

    /// Number of pending events.
    #[must_use]
    pub fn len(&self) -> usize {
        self.at_now.len() + self.front.len() + self.events.len() - self.vacant.len()
    }

    /// Whether no event is pending.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds an event. Returns its sequence number, which no other event of the trial has. An owner that re-arms a
    /// timer remembers the number of the timer that is valid.
    ///
    /// # Panics
    /// When `at` is before now or is [`SimTime::MAX`] (which is "never"), or when a limit is exceeded:
    /// [`PENDING_MAX`], [`SEQ_MAX`], or the number of events of one instant.
    #[inline(always)]
    pub fn schedule(&mut self, at: SimTime, event: E) -> u64 {
        // One comparison checks both bounds: the subtraction wraps, so that a moment before now lies far beyond the
        // end.
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

    /// Adds an event of the present moment. Returns its sequence number, which need not fit into a key.
    ///
    /// # Panics
    /// When one event schedules tens of millions of others for its own moment.
    #[inline(always)]
    pub fn schedule_now(&mut self, event: E) -> u64 {
        let seq = self.number();
        assert!(
            seq - self.first_seq < INSTANT_PENDING_MAX,
            "more than {INSTANT_PENDING_MAX} events at {}",
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

    /// Adds an event that is later than the present moment.
    #[inline(never)]
    fn schedule_later(&mut self, at: SimTime, seq: u64, event: E) {
        let key = (Key::from(at.as_nanos()) << 64) | Key::from(seq << SLOT_BITS);
        // Pass the key and the event on as separate arguments, which stay in registers. One struct would be written
        // to memory word by word and read back at once as a vector, and the processor would stall on that.
        if key > self.edge {
            return self.push_in_wheel(key, event);
        }
        if let [.., second, first] = self.front[..]
            && time_of(second.key) > at.as_nanos()
            && self.front.len() < FRONT_MAX
            && self.front.len() < self.front.capacity()
        {
            // The event belongs right before or right after the first one. This is common: a queue waits for one
            // arrival and one departure. Their order is unpredictable, so compute the place instead of branching. The
            // capacity is checked above, so that `push` never has to allocate.
            let place = self.front.len() - usize::from(time_of(first.key) <= at.as_nanos());
            self.front.push(first);
            self.front[place] = Near { key, event };
        } else if self.front.len() <= COUNTED_MAX {
            self.insert_in_short_front(key, event);
        } else {
            self.insert_in_long_front(key, event);
        }
    }

    /// Inserts an event into a front of at most [`COUNTED_MAX`] entries.
    #[inline(never)]
    fn insert_in_short_front(&mut self, key: Key, event: E) {
        let place = later(&self.front, time_of(key));
        self.front.insert(place, Near { key, event });
    }

    /// Takes the next event that is not after `end`, and moves the clock to its time. Returns `None` if there is no
    /// such event; then the clock stays.
    #[inline]
    pub fn pop_until(&mut self, end: SimTime) -> Option<Fired<E>> {
        if !self.at_now.is_empty() {
            if self.now > end.as_nanos() {
                return None;
            }
            if self.next_seq - self.first_seq > INSTANT_EVENTS_MAX {
                return None;
            }
            // The FIFO comes next, unless an older event of this moment is pending.
            if !self.may_have_older || !self.has_older() {
                let (seq, event) = self.at_now.pop()?;
                return Some(Fired { at: self.now(), seq, event });
            }
        } else if self.front.is_empty() && !self.refill(end.as_nanos()) {
            return None;
        }
        self.pop_front(end.as_nanos())
    }

    /// Whether more than [`INSTANT_EVENTS_MAX`] events have been scheduled for the present moment. [`Calendar::pop_until`] then
    /// returns nothing more: what goes on without any delay would go on at this moment for ever.
    #[must_use]
    pub fn stands_still(&self) -> bool {
        !self.at_now.is_empty() && self.next_seq - self.first_seq > INSTANT_EVENTS_MAX
    }

    /// Whether the front holds an event of the present moment. Such an event is older than those of the FIFO. This
    /// returns only a `bool`: returning the event would send it through memory.
    #[cold]
    fn has_older(&mut self) -> bool {
        // With many ties at this moment, some of the older events may still be in the wheel.
        if self.front.is_empty() && time_of(self.edge) <= self.now {
            self.refill(self.now);
        }
        self.front.last().is_some_and(|near| time_of(near.key) <= self.now)
    }

    /// Takes the first event of the front, if it is not after `end`, and moves the clock to its time.
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
        // Events scheduled from now on for this moment go to the FIFO, so that this value stays valid until the clock
        // moves.
        self.may_have_older = time_of(self.front.last().map_or(self.edge, |near| near.key)) <= at;
        Some(Fired { at: SimTime::from_nanos(at), seq: key as u64 >> SLOT_BITS, event })
    }

    /// Fills the empty front with the next events of the wheel. Returns whether one is at or before `end`.
    fn refill(&mut self, end: u64) -> bool {
        let Some(last) = self.wheel.pop_batch(end, &mut self.batch) else {
            // The wheel has nothing up to `end`. Raise the edge, so that the wheel is not asked for this range again.
            self.edge = self.edge.max(last_key_at(end));
            return false;
        };
        for key in self.batch.drain(..) {
            let slot = key % PENDING_MAX as Key;
            self.vacant.push(slot as u32);
            self.front.push(Near { key: key - slot, event: self.events[slot as usize] });
        }
        // An empty wheel lets the front take every event: that is fastest for a handful of pending events.
        self.edge = if self.wheel.is_empty() { Key::MAX } else { last_key_at(last) };
        true
    }

    /// Inserts an event into a front of more than [`COUNTED_MAX`] entries: bisection, then counting.
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

    /// Moves all but the earliest [`FRONT_KEPT`] events of the front to the wheel. The bound between the two is a
    /// key, not only a time, so that it can divide ties.
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

    /// Stores an event, and its key with its slot in the wheel.
    #[inline(never)]
    fn push_in_wheel(&mut self, key: Key, event: E) {
        let slot = self.store(event);
        self.wheel.push(key | Key::from(slot));
    }

    /// Stores an event while its key is in the wheel. Returns its slot.
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

/// Number of entries that are after `at`. That is where an event of time `at` belongs: it is the youngest, so it
/// fires last of its time. The position is unpredictable, so a branch would be mispredicted half the time. Count
/// instead.
#[inline]
fn later<E>(nears: &[Near<E>], at: u64) -> usize {
    nears.iter().map(|near| usize::from(time_of(near.key) > at)).sum()
}

/// Panics with what is wrong with the time of an event.
#[cold]
fn refuse(at: SimTime, now: SimTime) -> ! {
    assert!(at >= now, "an event was scheduled before now: the clock never goes back");
    panic!("an event was scheduled at \"never\": do not schedule it");
}

/// A FIFO that rarely holds more than one event, and that is empty before the clock moves on.
struct Present<E> {
    /// The first event. It has a field of its own, because it mostly leaves before a second one comes.
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

    /// Takes the first event.
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
mod tests;
