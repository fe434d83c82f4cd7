//! `Throttle`: a caller that is refused often sends less by itself.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};

/// Number of slots of the window: what is counted leaves it in steps of a 24th.
const SLOTS: u64 = 24;

/// What one slot of the window has seen.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    number: u64,
    wanted: u64,
    accepted: u64,
}

/// The client-side throttling of Google's "Site Reliability Engineering", chapter 21: of `n` calls that were wanted in the window
/// `a` were accepted, and the next one is refused here with the chance `max(0, (n - k a) / (n + 1))`, to the power of
/// `1 / aggression` as in Envoy's admission control. The callee gets at most `k` times what it accepts, in the long run.
#[derive(Clone, Debug)]
pub struct Throttle {
    k: f64,
    exponent: f64,
    slot: SimDuration,
    /// The slots of the window in which something has happened, oldest first.
    slots: VecDeque<Slot>,
    wanted: u64,
    accepted: u64,
}

impl Throttle {
    /// A throttle that has seen nothing.
    ///
    /// # Panics
    /// When `k` is below 1, `aggression` not above 0, or the window shorter than 24 ns.
    #[must_use]
    pub fn new(k: f64, window: SimDuration, aggression: f64) -> Throttle {
        assert!(k >= 1.0 && aggression > 0.0, "a throttle lets pass what is accepted");
        let slot = SimDuration::from_nanos(window.as_nanos() / SLOTS);
        assert!(!slot.is_zero(), "the window of a throttle has {SLOTS} slots");
        let exponent = 1.0 / aggression;
        Throttle { k, exponent, slot, slots: VecDeque::new(), wanted: 0, accepted: 0 }
    }

    /// Forgets what has left the window.
    fn slide(&mut self, now: SimTime) -> u64 {
        let number = now.as_nanos() / self.slot.as_nanos();
        while let Some(oldest) = self.slots.front().filter(|oldest| oldest.number + SLOTS <= number) {
            self.wanted -= oldest.wanted;
            self.accepted -= oldest.accepted;
            self.slots.pop_front();
        }
        number
    }

    fn slot(&mut self, now: SimTime) -> &mut Slot {
        let number = self.slide(now);
        if self.slots.back().is_none_or(|last| last.number < number) {
            self.slots.push_back(Slot { number, ..Slot::default() });
        }
        self.slots.back_mut().expect("a slot was added")
    }

    /// Returns the chance, from 0 to 1, that a call which is wanted now is refused here.
    fn chance(&mut self, now: SimTime) -> f64 {
        self.slide(now);
        let over = self.wanted as f64 - self.k * self.accepted as f64;
        if over <= 0.0 { 0.0 } else { libm::pow(over / (self.wanted as f64 + 1.0), self.exponent) }
    }

    /// A call is wanted now: whether it is refused here. `draw` is a uniform number between 0 and 1.
    pub fn refuses(&mut self, now: SimTime, draw: impl FnOnce() -> f64) -> bool {
        let chance = self.chance(now);
        self.want(now);
        chance > 0.0 && draw() < chance
    }

    /// A call is wanted, whether it is sent or not.
    fn want(&mut self, now: SimTime) {
        self.slot(now).wanted += 1;
        self.wanted += 1;
    }

    /// The callee has accepted a call.
    pub fn accepted(&mut self, now: SimTime) {
        self.slot(now).accepted += 1;
        self.accepted += 1;
    }

    /// The caller has crashed: a new one has seen nothing.
    pub fn clear(&mut self) {
        self.slots.clear();
        (self.wanted, self.accepted) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_millis(ms)
    }

    #[test]
    fn nothing_is_refused_while_enough_is_accepted() {
        let mut throttle = Throttle::new(2.0, SimDuration::from_secs(120), 1.0);
        for call in 0..1000 {
            assert_eq!(throttle.chance(at(call)), 0.0);
            throttle.want(at(call));
            if call % 2 == 0 {
                throttle.accepted(at(call));
            }
        }
    }

    #[test]
    fn the_chance_is_that_of_the_formula() {
        let mut throttle = Throttle::new(2.0, SimDuration::from_secs(24), 1.0);
        for call in 0..300 {
            throttle.want(at(call));
            if call % 3 == 0 {
                throttle.accepted(at(call));
            }
        }
        assert!((throttle.chance(at(300)) - 100.0 / 301.0).abs() < 1e-12);
        // Everything has left the window 24 s later, and nothing before 23 s.
        assert!(throttle.chance(at(22_999)) > 0.3);
        assert_eq!(throttle.chance(at(24_000)), 0.0);
        let mut meek = Throttle::new(2.0, SimDuration::from_secs(24), 0.5);
        (0..3).for_each(|call| meek.want(at(call)));
        assert!((meek.chance(at(3)) - 0.75_f64 * 0.75).abs() < 1e-12);
        meek.clear();
        assert_eq!(meek.chance(at(3)), 0.0);
    }
}
