//! Counts, means and variances: [`Tally`] of whole nanoseconds, exact, and [`Moments`] of floating-point values.

/// Exact count, sum, sum of squares, least and greatest of `u64` values, usually nanoseconds.
///
/// The sum cannot overflow. The sum of squares has room for 2 · 10^13 values of an hour or 10^10 of two days; beyond
/// that it stays at its limit, and the variance is NaN instead of wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    count: u64,
    sum: u128,
    squares: u128,
    min: u64,
    max: u64,
    // Not next to `count`: the compiler would put both into one vector, at four times the instructions.
    zeros: u64,
}

impl Default for Tally {
    fn default() -> Tally {
        Tally { count: 0, zeros: 0, sum: 0, squares: 0, min: u64::MAX, max: 0 }
    }
}

impl Tally {
    /// Adds one value.
    #[inline]
    pub fn record(&mut self, value: u64) {
        let wide = u128::from(value);
        self.count += 1;
        self.sum += wide;
        match self.squares.checked_add(wide * wide) {
            Some(squares) => self.squares = squares,
            None => self.squares = u128::MAX,
        }
        // New extremes become rare, and a branch that is not taken writes nothing.
        if value < self.min {
            self.min = value;
        }
        if value > self.max {
            self.max = value;
        }
        self.zeros += u64::from(value == 0);
    }

    /// Adds all values of `other`. The order of merging does not matter, because the sums are integers.
    pub fn merge(&mut self, other: &Tally) {
        self.count += other.count;
        self.zeros += other.zeros;
        self.sum += other.sum;
        self.squares = self.squares.saturating_add(other.squares);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Number of values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Number of values that are 0, such as the waits of customers that did not wait.
    #[must_use]
    pub const fn zeros(&self) -> u64 {
        self.zeros
    }

    /// The sum of the values.
    #[must_use]
    pub const fn sum(&self) -> u128 {
        self.sum
    }

    /// The least value; `None` before the first.
    #[must_use]
    pub fn min(&self) -> Option<u64> {
        (self.count > 0).then_some(self.min)
    }

    /// The greatest value; `None` before the first.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        (self.count > 0).then_some(self.max)
    }

    /// The mean, in the unit of the values. NaN before the first.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count as f64
    }

    /// The sample variance (divisor n - 1), in squared units; 0 for fewer than two values. NaN when the sum of squares
    /// has reached its limit.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.count < 2 {
            return 0.0;
        }
        if self.squares == u128::MAX {
            return f64::NAN;
        }
        // Let q be the integer part of the mean and r = sum - n q. Then the squares about q are squares - q (sum +
        // r). In integers nothing cancels: equal values have a variance of exactly 0.
        let count = u128::from(self.count);
        let (q, r) = (self.sum / count, self.sum % count);
        let about_q = self.squares.saturating_sub(q.saturating_mul(self.sum + r));
        let r = r as f64;
        (about_q as f64 - r * r / self.count as f64).max(0.0) / (self.count - 1) as f64
    }

    /// The standard deviation, in the unit of the values.
    #[must_use]
    pub fn sd(&self) -> f64 {
        self.variance().sqrt()
    }
}

/// Count, mean and variance of `f64` values by Welford's recursion (Technometrics 4, 1962), in which nothing cancels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    count: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds one value.
    pub fn record(&mut self, value: f64) {
        self.count += 1;
        let before = value - self.mean;
        self.mean += before / self.count as f64;
        self.squares += before * (value - self.mean);
    }

    /// Number of values.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The mean; NaN before the first value.
    #[must_use]
    pub fn mean(&self) -> f64 {
        if self.count == 0 { f64::NAN } else { self.mean }
    }

    /// The sample variance (divisor n - 1); 0 for fewer than two values.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.squares / (self.count - 1) as f64 }
    }

    /// The standard deviation.
    #[must_use]
    pub fn sd(&self) -> f64 {
        self.variance().sqrt()
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Moments {
        let mut moments = Moments::default();
        values.into_iter().for_each(|value| moments.record(value));
        moments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(values: &[u64]) -> Tally {
        let mut tally = Tally::default();
        values.iter().for_each(|&value| tally.record(value));
        tally
    }

    #[test]
    fn small_values_by_hand() {
        let tally = tally(&[0, 2, 4, 4, 5, 5, 7, 9, 0]);
        assert_eq!((tally.count(), tally.zeros(), tally.sum()), (9, 2, 36));
        assert_eq!((tally.min(), tally.max(), tally.mean()), (Some(0), Some(9), 4.0));
        assert!((tally.variance() - 72.0 / 8.0).abs() < 1e-12);
        assert_eq!((Tally::default().min(), Tally::default().max()), (None, None));
    }

    #[test]
    fn equal_and_nearly_equal_large_values_keep_their_spread() {
        let hour = 3_600_000_000_007;
        assert_eq!(tally(&[hour; 1000]).variance(), 0.0);
        // Spread of 1 ns on an hour: sums of squares in f64 would have lost it.
        assert_eq!(tally(&[hour, hour + 1, hour + 2]).variance(), 1.0);
        assert!((tally(&[hour, hour + 1]).variance() - 0.5).abs() < 1e-12);
    }

    #[test]
    fn ten_billion_hours_fit() {
        let mut all = tally(&[3_600_000_000_000 - 1, 3_600_000_000_000 + 1]);
        for _ in 0..33 {
            let copy = all;
            all.merge(&copy);
        }
        assert_eq!(all.count(), 1 << 34);
        assert!((all.sd() - 1.0).abs() < 1e-9);
        let mut full = tally(&[u64::MAX, u64::MAX, 1]);
        assert!(full.variance().is_nan());
        full.merge(&full.clone());
        assert_eq!(full.sum(), 4 * u128::from(u64::MAX) + 2);
    }

    #[test]
    fn merging_is_recording_all() {
        let mut left = tally(&[5, 0, 3]);
        left.merge(&tally(&[9, 1]));
        left.merge(&Tally::default());
        assert_eq!(left, tally(&[9, 1, 3, 0, 5]));
    }

    #[test]
    fn moments_agree_with_the_definition() {
        let moments: Moments = [1e9 + 4.0, 1e9 + 7.0, 1e9 + 13.0, 1e9 + 16.0].into_iter().collect();
        assert_eq!((moments.count(), moments.mean()), (4, 1e9 + 10.0));
        assert!((moments.variance() - 30.0).abs() < 1e-9);
        assert_eq!([0.1; 7].into_iter().collect::<Moments>().variance(), 0.0);
    }
}
