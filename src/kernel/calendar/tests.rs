//! Tests of the calendar against a binary heap, and of its limits.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::*;
use crate::kernel::random::{KeyedRng, below};

/// Operations of the differential test; fewer without optimisation, where ten million take too long.
const OPERATIONS: u64 = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };

fn at(nanos: u64) -> SimTime {
    SimTime::from_nanos(nanos)
}

/// The calendar and a binary heap on (at, seq), given the same operations. Every event carries its own sequence
/// number.
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

/// A delay in nanoseconds, of a random kind: zero, ties on a coarse grid, short, medium, or heavy-tailed over all
/// magnitudes.
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

/// One round of operations of a random kind.
fn round(pair: &mut Pair, rng: &mut KeyedRng) {
    let size = below(rng, 300) as usize;
    let now = pair.now();
    match below(rng, 8) {
        // A burst, of ties or of many delays.
        0 => (0..size).for_each(|_| pair.schedule(5_000)),
        1 => (0..size).for_each(|_| pair.schedule(delay(rng))),
        // A drain, to the last event or up to a moment.
        2 if below(rng, 20) == 0 => while pair.pop_until(u64::MAX) {},
        2 | 3 => {
            let end = now.saturating_add(delay(rng));
            while pair.pop_until(end) {}
        }
        // An end in the past finds nothing, whatever is pending.
        4 => assert!(now == 0 || !pair.pop_until(now - 1)),
        // Holds: take one event, schedule one event.
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
        // Each event is two operations: scheduled and fired.
        done += 2 * pair.scheduled;
    }
}

#[test]
fn a_loop_without_delay_stands_still() {
    let mut calendar = Calendar::new();
    calendar.schedule(at(5), ());
    while let Some(fired) = calendar.pop_until(at(10)) {
        assert!(!calendar.stands_still());
        calendar.schedule(fired.at, ());
    }
    assert!(calendar.stands_still() && calendar.now() == at(5));
}

#[test]
fn a_hundred_thousand_ties_with_zero_delays_stay_cheap_and_in_order() {
    const TIES: u64 = 100_000;
    let mut calendar = Calendar::new();
    (0..TIES).for_each(|i| assert_eq!(calendar.schedule(at(1000), i), i));
    // Looking ahead must not make it expensive to extend a front of ties.
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
    // The front takes these one by one, until it has to give some of the ties back to the wheel.
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
