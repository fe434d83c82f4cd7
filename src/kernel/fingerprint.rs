//! The fingerprint of a trial: a rolling hash of all its events, in order. Two runs with the same fingerprint have
//! had the same events.

use std::fmt;

use super::random::mix;
use super::time::SimTime;

/// A 64-bit hash that changes with every event. It detects accidental differences; it does not resist forgery.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// The fingerprint of a trial in which nothing has happened.
    #[must_use]
    pub const fn new() -> Fingerprint {
        Fingerprint(0)
    }

    /// Adds one event: its time, the component (a hash of the name), the kind of event, and the number of the
    /// request.
    #[inline]
    pub fn add(&mut self, time: SimTime, who: u64, what: u64, number: u64) {
        let event = mix(self.0 ^ time.as_nanos(), who);
        // The old value enters both products, so that a zero factor in one does not erase the history.
        self.0 = mix(event ^ number, self.0.rotate_left(32) ^ what);
    }

    /// The hash so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint::new()
    }
}

impl fmt::Display for Fingerprint {
    /// Sixteen hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Event = (u64, u64, u64, u64);

    fn of(events: &[Event]) -> Fingerprint {
        let mut fingerprint = Fingerprint::new();
        for &(time, who, what, number) in events {
            fingerprint.add(SimTime::from_nanos(time), who, what, number);
        }
        fingerprint
    }

    #[test]
    fn every_field_counts_and_so_does_the_order() {
        let events: [Event; 7] = [
            (0, 0, 0, 0),
            (1, 0, 0, 0),
            (0, 1, 0, 0),
            (0, 0, 1, 0),
            (0, 0, 0, 1),
            (1, 1, 0, 0),
            (0, 0, 1, 1),
        ];
        let mut seen: Vec<u64> = Vec::new();
        for a in events {
            seen.push(of(&[a]).value());
            seen.extend(events.map(|b| of(&[a, b]).value()));
        }
        seen.sort_unstable();
        assert!(seen.is_sorted_by(|a, b| a < b), "two trajectories share a fingerprint");
    }

    #[test]
    fn a_long_trial_forgets_nothing() {
        let trial = |first: u64| {
            let events: Vec<Event> = (0..10_000).map(|i| (i * 100, i % 7, i % 3, i)).collect();
            let mut all = vec![(0, 0, 0, first)];
            all.extend(events);
            of(&all)
        };
        assert_ne!(trial(0), trial(1));
    }

    #[test]
    fn the_bits_never_change() {
        assert_eq!(of(&[(1, 2, 3, 4), (5, 6, 7, 8)]).to_string(), "129ff7bc218ad5ff");
        assert_eq!(Fingerprint::new().to_string(), "0000000000000000");
    }
}
