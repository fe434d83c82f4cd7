//! `TokenBucket`: a rate limit that lets bursts pass.

use crate::kernel::time::SimTime;

/// Parts of a nanosecond: the unit of the bucket's times, so that a rate such as three a second loses nothing.
const NANO_PARTS: f64 = (1_u64 << 32) as f64;

/// A bucket of `burst` tokens into which `rate` tokens a second flow until it is full. Each call takes one.
///
/// The bucket is stored as the moment at which it is full again (the generic cell rate algorithm, ITU-T I.371). That is an
/// integer, so that a call that comes together with its token is never lost to rounding.
#[derive(Clone, Debug)]
pub struct TokenBucket {
    /// Parts of a nanosecond between two tokens.
    interval: u128,
    burst: u32,
    /// When the bucket is full, in parts of a nanosecond.
    full_at: u128,
}

impl TokenBucket {
    /// A full bucket. `rate` in tokens a second, above zero; `burst` at least one.
    ///
    /// # Panics
    /// When a figure is out of its range.
    pub fn new(rate: f64, burst: u32) -> TokenBucket {
        assert!(rate > 0.0 && rate.is_finite(), "the rate of a token bucket is above zero");
        assert!(burst > 0, "a token bucket holds at least one token");
        TokenBucket { interval: (1e9 / rate * NANO_PARTS).round() as u128, burst, full_at: 0 }
    }

    /// A full bucket that holds what flows into it within a second, at least one token.
    pub fn of_a_second(rate: f64) -> TokenBucket {
        TokenBucket::new(rate, rate.ceil().max(1.0) as u32)
    }

    /// Fills it.
    pub fn fill(&mut self) {
        self.full_at = 0;
    }

    /// Takes a token. Returns false when there is none.
    #[must_use]
    pub fn try_take(&mut self, now: SimTime) -> bool {
        let now = u128::from(now.as_nanos()) << 32;
        let full_at = self.full_at.max(now);
        let taken = full_at - now <= self.interval.saturating_mul(u128::from(self.burst - 1));
        if taken {
            self.full_at = full_at.saturating_add(self.interval);
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bucket: &mut TokenBucket, nanos: u64, calls: u32) -> usize {
        (0..calls).filter(|_| bucket.try_take(SimTime::from_nanos(nanos))).count()
    }

    #[test]
    fn a_burst_passes_and_then_the_rate() {
        let mut bucket = TokenBucket::new(10.0, 5);
        assert_eq!(taken(&mut bucket, 0, 9), 5);
        assert_eq!(taken(&mut bucket, 99_999_999, 9), 0);
        for tick in 1..1000 {
            assert_eq!(taken(&mut bucket, tick * 100_000_000, 9), 1, "tick {tick}");
        }
        assert_eq!(taken(&mut bucket, 1_000_000_000_000, 9), 5, "it never holds more than the burst");
        bucket.fill();
        assert_eq!(taken(&mut bucket, 1_000_000_000_000, 9), 5, "filled by hand");
        assert_eq!(
            taken(&mut TokenBucket::of_a_second(2.5), 0, 9),
            3,
            "what flows in within a second, in whole tokens"
        );
        assert_eq!(taken(&mut TokenBucket::of_a_second(0.1), 0, 9), 1);
    }

    #[test]
    fn a_rate_without_a_whole_interval_loses_nothing() {
        let mut bucket = TokenBucket::new(3.0, 2);
        // Just under 3000 s at three a second, asked every 7 ms: a full bucket first, then each token in its turn.
        let passed: usize = (0..3_000_000).step_by(7).map(|ms| taken(&mut bucket, ms * 1_000_000, 1)).sum();
        assert_eq!(passed, 2 + 8999);
    }
}
