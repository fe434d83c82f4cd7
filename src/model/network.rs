//! Latency between the places where components stand.

use crate::kernel::random::mix;
use crate::kernel::time::SimDuration;

/// Steps of the table that holds the jitter's distribution: finer than any figure that is reported.
const JITTER_STEPS: usize = 1024;

/// Index of a place: the public internet, a zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place(pub u16);

impl Place {
    /// Where clients are.
    pub const INTERNET: Place = Place(0);
    /// The zone where boxes stand unless they say otherwise.
    pub const ZONE: Place = Place(1);
}

/// Round-trip times of a scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSettings {
    /// Clients to public boxes.
    pub client: SimDuration,
    /// Between machines of one zone.
    pub same_zone: SimDuration,
    /// Between zones of one region.
    pub other_zone: SimDuration,
    /// Coefficient of variation of every one-way delay; zero is a constant.
    pub jitter: f64,
}

/// One-way delays between places.
#[derive(Debug)]
pub struct Network {
    places: usize,
    one_way: Vec<SimDuration>,
    /// Quantiles of the jitter factor, a log-normal of mean one; empty when delays are constant.
    jitter: Vec<f64>,
}

impl Network {
    /// The delays of `settings`: half a round trip each way.
    #[must_use]
    pub fn new(settings: &NetworkSettings) -> Network {
        let places = 2;
        let mut one_way = vec![settings.client.half(); places * places];
        one_way[places + 1] = settings.same_zone.half();
        Network { places, one_way, jitter: jitter_table(settings.jitter) }
    }

    /// The time that a message takes from one place to another without jitter.
    pub fn base(&self, from: Place, to: Place) -> SimDuration {
        self.one_way[usize::from(from.0) * self.places + usize::from(to.0)]
    }

    /// The time that a message takes from one place to another. `key` draws the jitter.
    #[inline]
    pub fn delay(&self, from: Place, to: Place, key: u64) -> SimDuration {
        let base = self.base(from, to);
        if base.is_zero() || self.jitter.is_empty() {
            return base;
        }
        let step = (mix(key, JITTER_SALT) >> (64 - JITTER_STEPS.ilog2())) as usize;
        base.mul_f64(self.jitter[step])
    }
}

/// Keeps the draws of the network apart from all others.
const JITTER_SALT: u64 = 0x6a09_e667_f3bc_c909;

/// Quantiles of the jitter factor in the middle of equally likely steps, scaled to mean one.
fn jitter_table(cv: f64) -> Vec<f64> {
    if cv == 0.0 {
        return Vec::new();
    }
    let sigma = libm::log1p(cv * cv).sqrt();
    let values: Vec<f64> = normal_quantiles().iter().map(|z| libm::exp(sigma * z)).collect();
    let mean = values.iter().sum::<f64>() / JITTER_STEPS as f64;
    values.iter().map(|value| value / mean).collect()
}

/// Quantiles of the standard normal distribution in the middle of equally likely steps. Newton's method, each from the
/// one before; the distribution is symmetric, so that half of them is enough.
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
        assert_eq!(network.delay(Place::INTERNET, Place::ZONE, 7), SimDuration::from_millis(20));
        assert_eq!(network.delay(Place::ZONE, Place::INTERNET, 7), SimDuration::from_millis(20));
        assert_eq!(network.delay(Place::ZONE, Place::ZONE, 7), SimDuration::from_nanos(50_000));
    }

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        let quantiles = normal_quantiles();
        // The upper tail of 0.5/1024 begins at 3.29719, as in any table of the normal distribution.
        assert!((quantiles[JITTER_STEPS - 1] - 3.297_193).abs() < 1e-6, "{}", quantiles[JITTER_STEPS - 1]);
        assert!(quantiles.is_sorted());
    }

    #[test]
    fn jitter_has_its_mean_and_its_variation() {
        let network = network(0.1);
        let n = 100_000;
        let delays: Vec<f64> =
            (0..n).map(|key| network.delay(Place::INTERNET, Place::ZONE, key).as_secs_f64()).collect();
        let mean = delays.iter().sum::<f64>() / n as f64;
        let variance = delays.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / n as f64;
        assert!((mean / 0.020 - 1.0).abs() < 0.002, "{mean}");
        assert!((variance.sqrt() / mean / 0.1 - 1.0).abs() < 0.02, "{}", variance.sqrt() / mean);
    }
}
