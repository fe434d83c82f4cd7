//! `Backoff`: how long a caller waits before it tries again.

use rand::Rng;

use super::draw::unit;
use crate::kernel::time::SimDuration;

/// How chance spreads the retries of many callers; d is the delay without jitter. Names and formulas: Brooker,
/// "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jitter {
    /// d itself.
    None,
    /// Uniform between zero and d.
    Full,
    /// Uniform between d/2 and d.
    Equal,
    /// Uniform between the base and three times the delay before, whatever the factor.
    Decorrelated,
}

/// Exponential backoff: before retry k, d = min(max, base * factor^(k-1)).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Backoff {
    /// The delay before the first retry.
    pub base: SimDuration,
    /// Growth of the delay from retry to retry; 1 keeps it constant.
    pub factor: f64,
    /// Longest delay.
    pub max: SimDuration,
    /// How chance spreads it.
    pub jitter: Jitter,
}

impl Backoff {
    /// No delay at all.
    pub const NONE: Backoff =
        Backoff { base: SimDuration::ZERO, factor: 1.0, max: SimDuration::ZERO, jitter: Jitter::None };

    /// Returns the delay before retry number `retry`, which counts from 1. `previous` is the delay before the retry before
    /// it, or zero. Draws once; without jitter it draws nothing.
    ///
    /// # Panics
    /// When `retry` is zero.
    pub fn delay(&self, retry: u32, previous: SimDuration, rng: &mut (impl Rng + ?Sized)) -> SimDuration {
        assert!(retry > 0, "the first retry is number 1");
        let (base, max) = (self.base.as_secs_f64(), self.max.as_secs_f64());
        let plain = (base * libm::pow(self.factor, f64::from(retry - 1))).min(max);
        let secs = match self.jitter {
            Jitter::None => plain,
            Jitter::Full => plain * unit(rng),
            Jitter::Equal => plain * (0.5 + 0.5 * unit(rng)),
            Jitter::Decorrelated => {
                let top = 3.0 * previous.max(self.base).as_secs_f64();
                (base + (top - base) * unit(rng)).min(max)
            }
        };
        SimDuration::from_sample_secs(secs)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn backoff(jitter: Jitter) -> Backoff {
        Backoff { base: SimDuration::from_millis(100), factor: 2.0, max: SimDuration::from_secs(1), jitter }
    }

    /// The mean of the total delay of a request with up to four retries, each attempt failing with probability 0.3.
    fn mean_total(jitter: Jitter) -> f64 {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let requests = 200_000;
        let mut total = 0.0;
        for _ in 0..requests {
            let mut previous = SimDuration::ZERO;
            for retry in 1..=4 {
                if unit(&mut rng) >= 0.3 {
                    break;
                }
                previous = backoff(jitter).delay(retry, previous, &mut rng);
                total += previous.as_secs_f64();
            }
        }
        total / f64::from(requests)
    }

    #[test]
    fn mean_totals_match_the_closed_forms() {
        // The sum over k of p^k d_k is 0.3 * 0.1 + 0.09 * 0.2 + 0.027 * 0.4 + 0.0081 * 0.8 s.
        for (jitter, mean) in [(Jitter::None, 0.06528), (Jitter::Full, 0.03264), (Jitter::Equal, 0.04896)] {
            let measured = mean_total(jitter);
            assert!((measured / mean - 1.0).abs() < 0.02, "{jitter:?}: {measured}");
        }
    }

    #[test]
    fn delays_double_up_to_the_maximum() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut delay = |retry| backoff(Jitter::None).delay(retry, SimDuration::ZERO, &mut rng);
        let millis = [1, 2, 3, 4, 5, 1000].map(|retry| delay(retry).as_millis_f64());
        assert_eq!(millis, [100.0, 200.0, 400.0, 800.0, 1000.0, 1000.0]);
    }

    #[test]
    fn decorrelated_delays_grow_from_the_one_before() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut mean_ms = |previous_ms| {
            let previous = SimDuration::from_millis(previous_ms);
            let delay = |_| backoff(Jitter::Decorrelated).delay(1, previous, &mut rng).as_millis_f64();
            (0..100_000).map(delay).sum::<f64>() / 1e5
        };
        // Uniform on 100..300 and on 100..900; then on 100..1900, cut at 1000: (900 * 550 + 900 * 1000) / 1800.
        for (previous, mean) in [(0, 200.0), (300, 500.0), (1900 / 3, 775.0)] {
            let measured = mean_ms(previous);
            assert!((measured / mean - 1.0).abs() < 0.01, "{previous}: {measured}");
        }
    }
}
