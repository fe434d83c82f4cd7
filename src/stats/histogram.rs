//! The distribution of times: a log-linear histogram that costs about a nanosecond a record and merges by addition.

use std::ops::RangeInclusive;

use super::tally::Tally;

/// Bits of a value that are kept after its leading one. A bucket's width is at most 1/128 of its values, less than
/// 0.8 %.
const MANTISSA_BITS: u32 = 7;
/// Buckets of one power of two.
const BUCKETS_PER_OCTAVE: usize = 1 << MANTISSA_BITS;
/// Number of buckets for every `u64`. The first octave counts twice, because the values below 128 have buckets of
/// their own.
const BUCKETS: usize = (64 - MANTISSA_BITS as usize + 1) * BUCKETS_PER_OCTAVE;

/// Counts of `u64` values, usually nanoseconds. Values below 256 are exact; others share a bucket with values less
/// than 0.8 % away. Count, moments, least and greatest are exact. A histogram takes 15 KiB from its first value on, and 44 KiB once
/// a bucket has more than 65,535.
///
/// Inside a bucket the values count as spread evenly over its whole numbers. [`Histogram::quantile`] and
/// [`Histogram::share_at_most`] both follow from that, and are each other's inverse.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// The counts of the buckets modulo 2^16; none before the first value. A record touches only these. They are small, so that
    /// those of a dozen components fit into the cache together.
    low: Box<[u16]>,
    /// How often each count of `low` has overflowed; none before the first time.
    high: Box<[u32]>,
    tally: Tally,
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Histogram) -> bool {
        let alike = |bucket| self.inside(bucket) == other.inside(bucket);
        self.tally == other.tally && self.touched().is_none_or(|mut touched| touched.all(alike))
    }
}

impl Eq for Histogram {}

/// The bucket of `value`: the shift that leaves eight significant bits, and those bits.
#[inline]
fn bucket_of(value: u64) -> usize {
    let shift = 63 - MANTISSA_BITS - (value | BUCKETS_PER_OCTAVE as u64).leading_zeros();
    shift as usize * BUCKETS_PER_OCTAVE + (value >> shift) as usize
}

/// Counts of all buckets, each 0.
#[cold]
fn buckets<T: Clone + Default>() -> Box<[T]> {
    vec![T::default(); BUCKETS].into_boxed_slice()
}

/// The least and the greatest value of a bucket.
fn range_of(bucket: usize) -> (u64, u64) {
    let shift = (bucket / BUCKETS_PER_OCTAVE).saturating_sub(1);
    let low = ((bucket - shift * BUCKETS_PER_OCTAVE) as u64) << shift;
    (low, low + ((1 << shift) - 1))
}

impl Histogram {
    /// Adds one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let bucket = bucket_of(value);
        let Some(low) = self.low.get_mut(bucket) else { return self.record_first(value) };
        *low = low.wrapping_add(1);
        if *low == 0 {
            self.carry(bucket);
        }
        self.tally.record(value);
    }

    #[cold]
    fn record_first(&mut self, value: u64) {
        self.low = buckets();
        self.record(value);
    }

    #[cold]
    fn carry(&mut self, bucket: usize) {
        if self.high.is_empty() {
            self.high = buckets();
        }
        self.high[bucket] += 1;
    }

    /// Number of records in a bucket.
    fn inside(&self, bucket: usize) -> u64 {
        let high = self.high.get(bucket).copied().unwrap_or(0);
        let low = self.low.get(bucket).copied().unwrap_or(0);
        u64::from(high) << u16::BITS | u64::from(low)
    }

    /// Adds all values of `other`.
    pub fn merge(&mut self, other: &Histogram) {
        let Some(touched) = other.touched() else { return };
        if self.low.is_empty() {
            self.low = buckets();
        }
        let mut carries = false;
        let mine = self.low[touched.clone()].iter_mut();
        for (low, their_low) in mine.zip(&other.low[touched.clone()]) {
            let sum = low.wrapping_add(*their_low);
            carries |= sum < *low;
            *low = sum;
        }
        if carries || !other.high.is_empty() {
            self.merge_high(other, touched);
        }
        self.tally.merge(&other.tally);
    }

    /// Adds what has overflowed in `other`, and in `low` when that of `other` was added.
    fn merge_high(&mut self, other: &Histogram, touched: RangeInclusive<usize>) {
        if self.high.is_empty() {
            self.high = buckets();
        }
        for bucket in touched {
            // What overflowed is less than what was added.
            let carried = u32::from(self.low[bucket] < other.low[bucket]);
            self.high[bucket] += carried + other.high.get(bucket).copied().unwrap_or(0);
        }
    }

    /// Removes all values. This touches only the buckets between the least and the greatest value, so that clearing
    /// after a window of little traffic costs little.
    pub fn clear(&mut self) {
        if let Some(touched) = self.touched() {
            self.low[touched.clone()].fill(0);
            if !self.high.is_empty() {
                self.high[touched].fill(0);
            }
        }
        self.tally = Tally::default();
    }

    /// The buckets from that of the least value to that of the greatest; `None` when empty.
    fn touched(&self) -> Option<RangeInclusive<usize>> {
        self.range().map(|(min, max)| bucket_of(min)..=bucket_of(max))
    }

    /// The least and the greatest value; `None` when empty.
    fn range(&self) -> Option<(u64, u64)> {
        self.min().zip(self.max())
    }

    /// Exact count, moments, least and greatest of the values.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether nothing has been recorded.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Number of values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.tally.count()
    }

    /// The exact sum of the values.
    #[must_use]
    pub const fn sum(&self) -> u128 {
        self.tally.sum()
    }

    /// The exact mean; NaN when empty.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.tally.mean()
    }

    /// The exact least value, `None` when empty.
    #[must_use]
    pub fn min(&self) -> Option<u64> {
        self.tally.min()
    }

    /// The exact greatest value, `None` when empty.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        self.tally.max()
    }

    /// The least value that at least the share `q` of the records does not exceed, within 0.8 %. It is the exact
    /// least value for `q` = 0 and the exact greatest for `q` = 1.
    ///
    /// # Panics
    /// When the histogram is empty or `q` lies outside 0 to 1.
    #[must_use]
    pub fn quantile(&self, q: f64) -> u64 {
        let (min, max) = self.range().expect("an empty histogram has no quantiles");
        assert!((0.0..=1.0).contains(&q), "a quantile lies between 0 and 1");
        // The factor undoes the rounding of products such as 0.07 * 100, which would otherwise reach the next record.
        let rank = q * self.count() as f64 * (1.0 - 4.0 * f64::EPSILON);
        let mut below = 0;
        for bucket in bucket_of(min)..BUCKETS {
            let inside = self.inside(bucket);
            if inside > 0 && (below + inside) as f64 >= rank {
                let (low, high) = self.occupied(bucket);
                let share = ((rank - below as f64) / inside as f64).clamp(0.0, 1.0);
                let steps = ((high - low) as f64 + 1.0) * share;
                return low.saturating_add((steps.ceil() as u64).saturating_sub(1)).min(high);
            }
            below += inside;
        }
        max
    }

    /// The share of the records that are `value` or less, 0 to 1. It never falls as `value` grows.
    ///
    /// # Panics
    /// When the histogram is empty.
    #[must_use]
    pub fn share_at_most(&self, value: u64) -> f64 {
        let (min, max) = self.range().expect("an empty histogram has no shares");
        if value < min {
            return 0.0;
        }
        if value >= max {
            return 1.0;
        }
        let bucket = bucket_of(value);
        let below: u64 = (bucket_of(min)..bucket).map(|bucket| self.inside(bucket)).sum();
        let (low, high) = self.occupied(bucket);
        // The bucket of the least value starts there, that of the greatest ends there, and `value` may lie in an
        // empty bucket.
        let steps = (value.min(high) - low.min(value)) as f64 + 1.0;
        let inside = self.inside(bucket) as f64 * (steps / ((high - low) as f64 + 1.0));
        (below as f64 + inside) / self.count() as f64
    }

    /// The first and last value of a bucket, without those below the least or above the greatest record.
    fn occupied(&self, bucket: usize) -> (u64, u64) {
        let (low, high) = range_of(bucket);
        match self.range() {
            Some((min, max)) => (low.max(min), high.min(max)),
            None => (low, high),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(values: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        values.into_iter().for_each(|value| histogram.record(value));
        histogram
    }

    #[test]
    fn buckets_tile_all_values() {
        let mut next = Some(0);
        for bucket in 0..BUCKETS {
            let (low, high) = range_of(bucket);
            assert_eq!(Some(low), next, "bucket {bucket} starts where the last one ends");
            assert_eq!((bucket_of(low), bucket_of(high)), (bucket, bucket));
            assert!((high - low) as f64 <= 0.0079 * low as f64);
            next = high.checked_add(1);
        }
        assert_eq!(next, None, "the last bucket ends with u64");
    }

    #[test]
    fn small_values_are_exact() {
        let dice = histogram(1..=100);
        for percent in 1..=100 {
            assert_eq!(dice.quantile(percent as f64 / 100.0), percent);
            assert_eq!(dice.share_at_most(percent), percent as f64 / 100.0);
        }
        assert_eq!((dice.quantile(0.0), dice.mean(), dice.sum()), (1, 50.5, 5050));
        assert_eq!(dice.share_at_most(0), 0.0);
    }

    #[test]
    fn exponential_quantiles_are_within_a_hundredth() {
        let count = 100_000;
        let mean = 5e6;
        let exact = |q: f64| -libm::log(1.0 - q) * mean;
        let all = histogram((0..count).map(|i| exact((i as f64 + 0.5) / count as f64) as u64));
        for q in [0.01, 0.5, 0.9, 0.95, 0.99, 0.999] {
            assert!((all.quantile(q) as f64 / exact(q) - 1.0).abs() < 0.001, "{q}");
            assert!((all.share_at_most(exact(q) as u64) - q).abs() < 0.0002, "{q}");
        }
    }

    #[test]
    fn one_value_far_out_is_itself() {
        for value in [0, 255, 256, 1_234_567_891, u64::MAX] {
            let lone = histogram([value; 3]);
            assert_eq!((lone.quantile(0.0), lone.quantile(0.5), lone.quantile(1.0)), (value, value, value));
            assert_eq!(lone.share_at_most(value), 1.0);
        }
    }

    #[test]
    fn shares_are_monotone_and_undo_quantiles() {
        let all = histogram((0..2000u64).map(|i| i * i * 37 % 1_000_003));
        let mut last = 0.0;
        for value in (0..1_000_100).step_by(97) {
            let share = all.share_at_most(value);
            assert!(share >= last);
            last = share;
        }
        for step in 0..=1000 {
            let q = f64::from(step) / 1000.0;
            let value = all.quantile(q);
            assert!(all.share_at_most(value) >= q - 1e-12);
            assert!(Some(value) == all.min() || all.share_at_most(value - 1) < q + 1e-12);
        }
    }

    #[test]
    fn more_than_two_bytes_of_the_same_value_are_counted() {
        let many = 200_000;
        let mut all = histogram(std::iter::repeat_n(7, many).chain([9]));
        assert_eq!((all.inside(7), all.share_at_most(8)), (many as u64, many as f64 / (many + 1) as f64));
        all.merge(&all.clone());
        assert_eq!((all.inside(7), all.inside(9), all.count()), (2 * many as u64, 2, 2 * many as u64 + 2));
        assert_eq!((all.quantile(0.99), all.quantile(1.0)), (7, 9));
        all.clear();
        assert_eq!(all, Histogram::default());
    }

    #[test]
    fn merging_is_recording_all_and_clearing_is_new() {
        let mut left = histogram(0..500);
        left.merge(&histogram(300..90_000));
        assert_eq!(left, histogram((0..500).chain(300..90_000)));
        left.clear();
        assert_eq!(left, Histogram::default());
        assert!(left.is_empty() && left.min().is_none() && left.max().is_none());
    }

    #[test]
    fn counts_carry_whether_recorded_or_merged_and_an_empty_one_takes_nothing() {
        let (few, many) =
            (histogram(std::iter::repeat_n(5, 40_000)), histogram(std::iter::repeat_n(5, 70_000)));
        assert!(few.high.is_empty() && !many.high.is_empty());
        let mut all = Histogram::default();
        assert!(all.low.is_empty() && all == Histogram::default());
        for (other, count) in [(&few, 40_000), (&few, 80_000), (&many, 150_000), (&few, 190_000)] {
            all.merge(other);
            assert_eq!((all.inside(5), all.count()), (count, count));
        }
        assert_eq!(all, histogram(std::iter::repeat_n(5, 190_000)));
        all.clear();
        assert_eq!(all, Histogram::default(), "what is cleared is empty");
        assert_ne!(few, histogram(std::iter::repeat_n(6, 40_000)));
    }
}
