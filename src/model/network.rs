//! Latency between the places of components.

use crate::kernel::random::mix;
use crate::kernel::time::{SimDuration, SimTime};

/// Number of steps in the table of the jitter's distribution; finer than any reported figure.
const JITTER_STEPS: usize = 1024;

/// Index of a place: the public internet, a zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(pub u16);

impl Place {
    /// The place of clients.
    pub const INTERNET: Place = Place(0);
    /// The zone of all boxes that name no other.
    pub const ZONE: Place = Place(1);
    /// Inside the caller, as a driver or a library is. Messages to it and from it take no time.
    pub const DRIVER: Place = Place(u16::MAX);
}

/// Round-trip times of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
    /// Between clients and public boxes.
    pub client: SimDuration,
    /// Between machines of one zone.
    pub same_zone: SimDuration,
    /// Between zones of one region.
    pub other_zone: SimDuration,
    /// Coefficient of variation of every one-way delay; 0 makes delays constant.
    pub jitter: f64,
}

/// The connection of two places.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Round-trip time; each way takes half of it.
    pub round_trip: SimDuration,
    /// Bandwidth in bytes a second; `None` if the size of a message does not matter.
    pub bandwidth: Option<f64>,
}

/// One-way delays between places.
#[derive(Debug)]
pub struct Network {
    places: usize,
    one_way: Vec<SimDuration>,
    /// Nanoseconds per byte between places; empty if no link has a bandwidth.
    ns_a_byte: Vec<f64>,
    /// When each link has sent all that it was given; as long as `ns_a_byte`.
    free_at: Vec<SimTime>,
    /// Quantiles of the jitter factor, a log-normal with mean one; empty if delays are constant.
    jitter: Vec<f64>,
    /// Whether all delays are zero.
    is_instant: bool,
}

impl Network {
    /// A network of clients and one zone with these delays, half a round trip each way.
    #[must_use]
    pub fn new(settings: &NetworkSettings) -> Network {
        let places = 2;
        let mut one_way = vec![settings.client.half(); places * places];
        one_way[places + 1] = settings.same_zone.half();
        let is_instant = one_way.iter().all(|delay| delay.is_zero());
        Network {
            places,
            one_way,
            ns_a_byte: Vec::new(),
            free_at: Vec::new(),
            jitter: jitter_table(settings.jitter),
            is_instant,
        }
    }

    /// Adds a place, with its links to each earlier place and to itself.
    pub(super) fn add_place(&mut self, links: &[Link]) -> Place {
        let old = self.places;
        assert_eq!(links.len(), old + 1, "a place has a link to every other one, and to itself");
        self.one_way = grown(&self.one_way, old, |to| links[to].round_trip.half());
        self.is_instant = self.one_way.iter().all(|delay| delay.is_zero());
        let ns_a_byte = |to: usize| links[to].bandwidth.map_or(0.0, |bandwidth| 1e9 / bandwidth);
        if self.has_bandwidths() || links.iter().any(|link| link.bandwidth.is_some()) {
            self.ns_a_byte.resize(old * old, 0.0);
            self.ns_a_byte = grown(&self.ns_a_byte, old, ns_a_byte);
            self.free_at = vec![SimTime::ZERO; self.ns_a_byte.len()];
        }
        self.places = old + 1;
        Place(u16::try_from(old).expect("a scenario has fewer places than 65536"))
    }

    /// Whether all delays are zero. Sizes of messages may still take time.
    #[inline]
    pub(super) fn is_instant(&self) -> bool {
        self.is_instant
    }

    /// Whether any link has a bandwidth, so that the size of an answer matters.
    #[inline]
    pub(super) fn has_bandwidths(&self) -> bool {
        !self.ns_a_byte.is_empty()
    }

    /// Gives a message of `bytes` bytes to the link from one place to another at `now`. Returns the time until the last byte
    /// is sent, which comes in addition to the delay: a link sends one message after the other at its bandwidth.
    pub fn transmission(&mut self, from: Place, to: Place, bytes: u64, now: SimTime) -> SimDuration {
        let index = usize::from(from.0) * self.places + usize::from(to.0);
        let ns_a_byte = self.ns_a_byte.get(index).copied().unwrap_or(0.0);
        if ns_a_byte == 0.0 {
            return SimDuration::ZERO;
        }
        let sending = SimDuration::from_nanos((ns_a_byte * bytes as f64).round() as u64);
        let free_at = &mut self.free_at[index];
        *free_at = (*free_at).max(now) + sending;
        free_at.since(now)
    }

    /// Delay of a message from one place to another, without jitter; not for [`Place::DRIVER`].
    #[inline]
    pub fn base(&self, from: Place, to: Place) -> SimDuration {
        let index = usize::from(from.0) * self.places + usize::from(to.0);
        self.one_way.get(index).copied().unwrap_or(SimDuration::ZERO)
    }

    /// The delay `base` with the jitter that `key` draws.
    #[inline]
    pub fn jittered(&self, base: SimDuration, key: u64) -> SimDuration {
        if base.is_zero() || self.jitter.is_empty() {
            return base;
        }
        let step = (mix(key, JITTER_SALT) >> (64 - JITTER_STEPS.ilog2())) as usize;
        base.mul_f64(self.jitter[step])
    }
}

/// A square table with one row and one column more, which are equal.
fn grown<T: Copy>(cells: &[T], old: usize, new: impl Fn(usize) -> T) -> Vec<T> {
    let cell = |a: usize, b: usize| if a < old && b < old { cells[a * old + b] } else { new(a.min(b)) };
    (0..=old).flat_map(|a| (0..=old).map(move |b| (a, b))).map(|(a, b)| cell(a, b)).collect()
}

/// Separates the draws of the network from all others.
const JITTER_SALT: u64 = 0x6a09_e667_f3bc_c909;

/// Quantiles of the jitter factor at the midpoints of equally likely steps, scaled to mean one.
fn jitter_table(cv: f64) -> Vec<f64> {
    if cv == 0.0 {
        return Vec::new();
    }
    let sigma = libm::log1p(cv * cv).sqrt();
    let values: Vec<f64> = normal_quantiles().iter().map(|z| libm::exp(sigma * z)).collect();
    let mean = values.iter().sum::<f64>() / JITTER_STEPS as f64;
    values.iter().map(|value| value / mean).collect()
}

/// Quantiles of the standard normal distribution at the midpoints of equally likely steps. Newton's method, each
/// started from the one before. The distribution is symmetric, so only half of them are computed.
fn normal_quantiles() -> Vec<f64> {
    const NEWTON_STEPS: usize = 6;
    let mut z = 0.0;
    let mut upper = Vec::with_capacity(JITTER_STEPS / 2);
    for step in 0..JITTER_STEPS / 2 {
        let above = 0.5 - (step as f64 + 0.5) / JITTER_STEPS as f64;
        for _ in 0..NEWTON_STEPS {
            let density = libm::exp(-z * z / 2.0) / std::f64::consts::TAU.sqrt();
            z += (0.5 * libm::erfc(z / std::f64::consts::SQRT_2) - above) / density;
        }
        upper.push(z);
    }
    upper.iter().rev().map(|z| -z).chain(upper.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(jitter: f64) -> Network {
        Network::new(&NetworkSettings {
            client: SimDuration::from_millis(40),
            same_zone: SimDuration::from_nanos(100_000),
            other_zone: SimDuration::from_millis(1),
            jitter,
        })
    }

    #[test]
    fn half_a_round_trip_each_way() {
        let network = network(0.0);
        assert_eq!(
            network.jittered(network.base(Place::INTERNET, Place::ZONE), 7),
            SimDuration::from_millis(20)
        );
        assert_eq!(
            network.jittered(network.base(Place::ZONE, Place::INTERNET), 7),
            SimDuration::from_millis(20)
        );
        assert_eq!(
            network.jittered(network.base(Place::ZONE, Place::ZONE), 7),
            SimDuration::from_nanos(50_000)
        );
    }

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        let quantiles = normal_quantiles();
        // The upper tail of 0.5/1024 begins at 3.29719, as in any table of the normal distribution.
        assert!((quantiles[JITTER_STEPS - 1] - 3.297_193).abs() < 1e-6, "{}", quantiles[JITTER_STEPS - 1]);
        assert!(quantiles.is_sorted());
    }

    #[test]
    fn a_place_more_has_its_links_both_ways() {
        let mut network = network(0.0);
        let link = |ms, bandwidth| Link { round_trip: SimDuration::from_millis(ms), bandwidth };
        let seoul = network.add_place(&[link(40, None), link(2, Some(1e6)), link(4, None)]);
        let tokyo = network.add_place(&[link(60, None), link(2, None), link(33, Some(2e6)), link(6, None)]);
        let ms = |a, b| network.base(a, b).as_millis_f64();
        assert_eq!(
            (ms(seoul, tokyo), ms(tokyo, seoul), ms(seoul, seoul), ms(tokyo, tokyo)),
            (16.5, 16.5, 2.0, 3.0)
        );
        assert_eq!(
            (ms(Place::INTERNET, seoul), ms(Place::ZONE, tokyo), ms(Place::ZONE, Place::ZONE)),
            (20.0, 1.0, 0.05)
        );
        let now = SimTime::from_nanos(7);
        assert_eq!(network.transmission(tokyo, seoul, 1_000_000, now), SimDuration::from_millis(500));
        assert_eq!(network.transmission(Place::ZONE, seoul, 1000, now), SimDuration::from_millis(1));
        assert_eq!(network.transmission(tokyo, tokyo, 1000, now), SimDuration::ZERO);
        // The next message waits until the first is sent; the other way is another queue.
        let later = now + SimDuration::from_millis(100);
        assert_eq!(network.transmission(tokyo, seoul, 1_000_000, later), SimDuration::from_millis(900));
        assert_eq!(network.transmission(seoul, tokyo, 1_000_000, later), SimDuration::from_millis(500));
    }

    #[test]
    fn jitter_has_its_mean_and_its_variation() {
        let network = network(0.1);
        let n = 100_000;
        let delays: Vec<f64> = (0..n)
            .map(|key| network.jittered(network.base(Place::INTERNET, Place::ZONE), key).as_secs_f64())
            .collect();
        let mean = delays.iter().sum::<f64>() / n as f64;
        let variance = delays.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((mean / 0.020 - 1.0).abs() < 0.002, "{mean}");
        assert!((variance.sqrt() / mean / 0.1 - 1.0).abs() < 0.02, "{}", variance.sqrt() / mean);
    }
}
