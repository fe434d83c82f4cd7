//! Durations in coarse buckets, as a program counts them for its monitoring: few enough to be sent and kept again and again.

/// Bits of a value that are kept after its leading one: 16 buckets each power of two, each at most 1/16 of its values wide.
const MANTISSA_BITS: u32 = 4;
/// Buckets of one power of two.
const EACH: usize = 1 << MANTISSA_BITS;
/// The first power of two with buckets of its own: about a microsecond in nanoseconds. Everything below is in one bucket.
const FIRST: u32 = 10;
/// The first power of two without: more than an hour. Everything from there on is in one bucket.
const LAST: u32 = 42;
/// Number of buckets.
pub const BUCKETS: usize = (LAST - FIRST) as usize * EACH + 2;

/// The bucket of a duration in nanoseconds.
#[must_use]
pub fn bucket_of(nanos: u64) -> usize {
    if nanos < 1 << FIRST {
        return 0;
    }
    let power = 63 - nanos.leading_zeros();
    if power >= LAST {
        return BUCKETS - 1;
    }
    let place = (nanos >> (power - MANTISSA_BITS)) as usize - EACH;
    1 + (power - FIRST) as usize * EACH + place
}

/// The least value of a bucket, in nanoseconds.
fn least(bucket: usize) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let (power, place) = (FIRST + ((bucket - 1) / EACH) as u32, (bucket - 1) % EACH);
    (((EACH + place) as u64) << (power - MANTISSA_BITS)) as f64
}

/// The duration in nanoseconds that the share `q` of the counted ones does not exceed, where those of a bucket lie evenly in it;
/// `None` if nothing is counted.
#[must_use]
pub fn quantile(counts: &[u64], q: f64) -> Option<f64> {
    let all: u64 = counts.iter().sum();
    if all == 0 {
        return None;
    }
    let rank = q * all as f64;
    let mut below = 0.0;
    for (bucket, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let count = count as f64;
        if below + count >= rank {
            let (low, high) = (least(bucket), least(bucket + 1));
            return Some(low + (high - low) * ((rank - below) / count).clamp(0.0, 1.0));
        }
        below += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_follow_each_other_without_gaps() {
        for bucket in 1..BUCKETS - 1 {
            let (low, next) = (least(bucket), least(bucket + 1));
            assert_eq!((bucket_of(low as u64), bucket_of(next as u64 - 1)), (bucket, bucket));
            assert!(next > low && next <= low * 17.0 / 16.0);
        }
        assert_eq!((bucket_of(0), bucket_of(1023), bucket_of(u64::MAX)), (0, 0, BUCKETS - 1));
        assert_eq!([(1 << LAST) - 1, 1 << LAST].map(bucket_of), [BUCKETS - 2, BUCKETS - 1]);
    }

    /// Counts of `count` exponential durations of this mean in seconds, at their own quantiles.
    fn exponential(mean_s: f64, count: u32) -> Vec<u64> {
        let mut counts = vec![0; BUCKETS];
        for at in 0..count {
            let share = (f64::from(at) + 0.5) / f64::from(count);
            counts[bucket_of((-mean_s * libm::log1p(-share) * 1e9) as u64)] += 1;
        }
        counts
    }

    #[test]
    fn buckets_that_are_merged_tell_the_percentile_of_all() {
        // Nine servers of mean 10 ms and one of 100 ms. The p99 of all solves .9 exp(-t/10) + .1 exp(-t/100) = .01: 230.3 ms.
        let (fast, slow) = (exponential(0.01, 100_000), exponential(0.1, 100_000));
        let all: Vec<u64> = fast.iter().zip(&slow).map(|(fast, slow)| 9 * fast + slow).collect();
        let p99 = quantile(&all, 0.99).expect("there are some") / 1e6;
        assert!((p99 / 230.3 - 1.0).abs() < 0.005, "{p99}");
        // Each has a p99 of its own, ln 100 = 4.605 of its mean, and the mean of these ten is nobody's.
        let of = |counts: &[u64]| quantile(counts, 0.99).expect("there are some") / 1e6;
        let mean = (9.0 * of(&fast) + of(&slow)) / 10.0;
        assert!((mean / 87.5 - 1.0).abs() < 0.005, "{mean}");
        assert_eq!(quantile(&[0; BUCKETS], 0.99), None);
    }
}
