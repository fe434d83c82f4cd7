//! `Troubles`: disturbances between components now: partitions, lost packets, longer delays.

use std::sync::Arc;

use crate::kernel::random::{KeyedRng, mix, unit_open};
use crate::kernel::time::SimDuration;

use super::signal::ComponentId;

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trouble {
    /// It never arrives.
    Partition,
    /// It is lost with this probability, between 0 and 1, and sent again; each further attempt is lost with the same
    /// probability.
    Loss(f64),
    /// The round trip takes this much longer, half of it each way.
    Latency(SimDuration),
}

impl Trouble {
    /// The texts for timelines, when the trouble begins and when it ends.
    pub(super) const fn events(self) -> (&'static str, &'static str) {
        match self {
            Trouble::Partition => ("partition", "partition heals"),
            Trouble::Loss(_) => ("packet loss", "no packet loss"),
            Trouble::Latency(_) => ("latency", "normal latency"),
        }
    }
}

/// A trouble of the messages between two sides.
#[derive(Clone, Debug)]
pub struct Links {
    /// The components on each side.
    pub sides: [Vec<ComponentId>; 2],
    /// What happens to messages from one side to the other.
    pub trouble: Trouble,
}

/// A trouble that is active, with the side of each component, by id.
#[derive(Debug)]
struct Active {
    links: Arc<Links>,
    sides: [Vec<bool>; 2],
}

impl Active {
    fn lies_between(&self, from: ComponentId, to: ComponentId) -> bool {
        let [left, right] = &self.sides;
        let (from, to) = (from.index(), to.index());
        left[from] && right[to] || right[from] && left[to]
    }
}

/// All troubles that are active.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    active: Vec<Active>,
}

impl Troubles {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// Begins a trouble; `components` is the number of components in the simulation.
    pub(super) fn begin(&mut self, links: &Arc<Links>, components: usize) {
        let side = |members: &Vec<ComponentId>| {
            let mut on = vec![false; components];
            members.iter().for_each(|id| on[id.index()] = true);
            on
        };
        let sides = [side(&links.sides[0]), side(&links.sides[1])];
        self.active.push(Active { links: Arc::clone(links), sides });
    }

    /// Ends a trouble.
    pub(super) fn end(&mut self, links: &Arc<Links>) {
        self.active.retain(|active| !Arc::ptr_eq(&active.links, links));
    }

    /// Whether no partition separates two components.
    pub(super) fn connect(&self, from: ComponentId, to: ComponentId) -> bool {
        let parts = |active: &&Active| matches!(active.links.trouble, Trouble::Partition);
        !self.active.iter().filter(parts).any(|active| active.lies_between(from, to))
    }

    /// The time that a message with this `delay` takes; `None` if it never arrives. `key` draws the losses.
    pub(super) fn pass(
        &self,
        from: ComponentId,
        to: ComponentId,
        key: u64,
        delay: SimDuration,
    ) -> Option<SimDuration> {
        let mut total = delay;
        for (index, active) in
            self.active.iter().enumerate().filter(|(_, active)| active.lies_between(from, to))
        {
            match active.links.trouble {
                Trouble::Partition => return None,
                Trouble::Loss(share) => {
                    total += resent(share, delay.saturating_mul(2), mix(key, LOSS_SALT ^ index as u64));
                }
                Trouble::Latency(add) => total += add.half(),
            }
        }
        Some(total)
    }
}

/// Separates the draws of lost packets from all others.
const LOSS_SALT: u64 = 0x3c6e_f372_fe94_f82b;

/// The time in addition to a round trip after which what has not been acknowledged is sent again: Linux's lower bound `TCP_RTO_MIN`,
/// which applies to every link with a short round trip [V: Linux include/net/tcp.h]; RFC 6298 itself asks for 1 s.
const RETRANSMISSION: SimDuration = SimDuration::from_millis(200);

/// Largest pause between two retransmissions, up to which it doubles: Linux's `TCP_RTO_MAX` [V: the same].
const RETRANSMISSION_MAX: SimDuration = SimDuration::from_secs(120);

/// Number of retransmissions after which a connection is given up: Linux's `tcp_retries2` of 15 [V: ip-sysctl], after one probe.
pub(super) const RETRANSMISSIONS_MAX: u8 = 16;

/// Pause before a message is sent again for the `n`-th time, from 1, where a round trip takes some time. The first time it is a probe,
/// after which the pause is the same once more; then it doubles with each [V: RFC 8985, 7; RFC 6298, 5.5; measured with Linux 6.18].
pub(super) fn pause_before(n: u8, round_trip: SimDuration) -> SimDuration {
    let doubled = u32::from(n).saturating_sub(2);
    (RETRANSMISSION + round_trip).saturating_mul(1 << doubled.min(32)).min(RETRANSMISSION_MAX)
}

/// Waiting time until a message arrives that is lost with probability `share` each time it is sent.
fn resent(share: f64, round_trip: SimDuration, key: u64) -> SimDuration {
    let mut rng = KeyedRng::new(key);
    let lost = (1..=RETRANSMISSIONS_MAX).take_while(|_| unit_open(&mut rng) < share);
    lost.fold(SimDuration::ZERO, |waited, n| waited + pause_before(n, round_trip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lost_waits_as_the_doubling_says() {
        let share = 0.2;
        let n = 200_000;
        let none = SimDuration::ZERO;
        let waits: Vec<f64> = (0..n).map(|key| resent(share, none, mix(key, 1)).as_secs_f64()).collect();
        let first = waits.iter().filter(|wait| **wait == 0.0).count() as f64 / n as f64;
        assert!((first - 0.8).abs() < 0.005, "{first}");
        // 0.2 s x share for the probe, and the sum of 0.2 s x 2^k x share^(k+2) over k: 0.04 s + 0.008 s / (1 - 0.4).
        let mean = waits.iter().sum::<f64>() / n as f64;
        assert!((mean / (0.04 + 0.008 / 0.6) - 1.0).abs() < 0.02, "{mean}");
        let twice = waits.iter().filter(|wait| (**wait - 0.4).abs() < 1e-9).count() as f64 / n as f64;
        assert!((twice - 0.2 * 0.2 * 0.8).abs() < 0.002, "{twice}");
    }
}
