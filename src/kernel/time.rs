//! Simulated time in whole nanoseconds. Only here do floating-point seconds become nanoseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Nanoseconds in a second.
const NANOS_PER_SECOND: f64 = 1e9;

/// A moment: nanoseconds since the start of the trial. The range, 584 years, is far beyond any trial.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SimTime(u64);

/// A length of simulated time in nanoseconds, never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct SimDuration(u64);

impl SimTime {
    /// The start of the trial.
    pub const ZERO: SimTime = SimTime(0);
    /// Later than every event: "never".
    pub const MAX: SimTime = SimTime(u64::MAX);

    /// The moment `nanos` nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> SimTime {
        SimTime(nanos)
    }

    /// Nanoseconds since the start.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for output only.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// Time from `earlier` to `self`.
    ///
    /// # Panics
    /// When `earlier` is later than `self`: the clock has gone back, which is a defect.
    #[must_use]
    pub fn since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.checked_sub(earlier.0).expect("the clock never goes back"))
    }

    /// Time from `earlier` to `self`; zero if `earlier` is later.
    #[must_use]
    pub const fn saturating_since(self, earlier: SimTime) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
}

impl SimDuration {
    /// Zero.
    pub const ZERO: SimDuration = SimDuration(0);
    /// The longest representable time, about 584 years.
    pub const MAX: SimDuration = SimDuration(u64::MAX);
    /// The longest time that a sampler may return: a hundred years. Sums of two never overflow.
    pub const SAMPLE_MAX: SimDuration = SimDuration(100 * 365 * 86_400 * 1_000_000_000);

    /// `nanos` nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> SimDuration {
        SimDuration(nanos)
    }

    /// `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u64) -> SimDuration {
        SimDuration(millis * 1_000_000)
    }

    /// `secs` seconds.
    #[must_use]
    pub const fn from_secs(secs: u64) -> SimDuration {
        SimDuration(secs * 1_000_000_000)
    }

    /// Seconds to nanoseconds, rounded to the nearest; `None` when `secs` is not a number, negative or too long.
    #[must_use]
    pub fn try_from_secs_f64(secs: f64) -> Option<SimDuration> {
        let nanos = (secs * NANOS_PER_SECOND).round_ties_even();
        // The comparison is false for NaN, so that NaN ends as `None`.
        (nanos >= 0.0 && nanos < u64::MAX as f64).then_some(SimDuration(nanos as u64))
    }

    /// A sampled time: rounded to the nearest nanosecond, kept between zero and [`SimDuration::SAMPLE_MAX`].
    /// This is the one rounding point of the trajectory.
    #[must_use]
    #[inline]
    pub fn from_sample_secs(secs: f64) -> SimDuration {
        // Adding half a nanosecond and truncating rounds to the nearest, without a call of the platform's library.
        // The cast from f64 saturates: negative values and NaN become zero.
        let nanos = secs * NANOS_PER_SECOND + 0.5;
        SimDuration((nanos as u64).min(SimDuration::SAMPLE_MAX.0))
    }

    /// Nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SECOND
    }

    /// Milliseconds.
    #[must_use]
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Whether this is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Half of it, rounded down. Of a round trip this is the way out; the rest is the way back.
    #[must_use]
    pub const fn half(self) -> SimDuration {
        SimDuration(self.0 / 2)
    }

    /// `self` times a whole number, at most [`SimDuration::MAX`].
    #[must_use]
    pub const fn saturating_mul(self, times: u64) -> SimDuration {
        SimDuration(self.0.saturating_mul(times))
    }

    /// `self` times `factor`, rounded and bounded as by [`SimDuration::from_sample_secs`].
    #[must_use]
    #[inline]
    pub fn mul_f64(self, factor: f64) -> SimDuration {
        SimDuration::from_sample_secs(self.as_secs_f64() * factor)
    }
}

impl Add<SimDuration> for SimTime {
    type Output = SimTime;
    /// The end of time absorbs: [`SimTime::MAX`] plus anything stays "never".
    #[inline]
    fn add(self, rhs: SimDuration) -> SimTime {
        SimTime(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, rhs: SimDuration) {
        *self = *self + rhs;
    }
}

impl Add for SimDuration {
    type Output = SimDuration;
    #[inline]
    fn add(self, rhs: SimDuration) -> SimDuration {
        SimDuration(self.0.saturating_add(rhs.0))
    }
}

impl AddAssign for SimDuration {
    fn add_assign(&mut self, rhs: SimDuration) {
        *self = *self + rhs;
    }
}

impl Sub for SimDuration {
    type Output = SimDuration;
    fn sub(self, rhs: SimDuration) -> SimDuration {
        SimDuration(self.0.checked_sub(rhs.0).expect("a duration is never negative"))
    }
}

impl fmt::Display for SimDuration {
    /// Writes the value in the largest of ns, µs, ms and s in which it is at least one: "1.5 ms", "120 s".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (value, unit) = match self.0 {
            0 => return f.write_str("0 s"),
            n if n < 1_000 => (n as f64, "ns"),
            n if n < 1_000_000 => (n as f64 / 1e3, "µs"),
            n if n < 1_000_000_000 => (n as f64 / 1e6, "ms"),
            n => (n as f64 / 1e9, "s"),
        };
        let rounded = (value * 1000.0).round() / 1000.0;
        write!(f, "{rounded} {unit}")
    }
}

impl fmt::Display for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}s", self.as_secs_f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_convert_only_when_they_fit() {
        assert_eq!(SimDuration::try_from_secs_f64(1.5), Some(SimDuration::from_nanos(1_500_000_000)));
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e30] {
            assert_eq!(SimDuration::try_from_secs_f64(bad), None, "{bad}");
        }
    }

    #[test]
    fn samples_are_clamped() {
        assert_eq!(SimDuration::from_sample_secs(-1.0), SimDuration::ZERO);
        assert_eq!(SimDuration::from_sample_secs(f64::NAN), SimDuration::ZERO);
        assert_eq!(SimDuration::from_sample_secs(1e300), SimDuration::SAMPLE_MAX);
        assert_eq!(SimDuration::from_sample_secs(2.4e-9), SimDuration::from_nanos(2));
    }

    #[test]
    fn durations_print_in_the_unit_people_use() {
        assert_eq!(SimDuration::from_nanos(1_500_000).to_string(), "1.5 ms");
        assert_eq!(SimDuration::from_secs(120).to_string(), "120 s");
        assert_eq!(SimDuration::ZERO.to_string(), "0 s");
    }

    #[test]
    fn never_absorbs() {
        assert_eq!(SimTime::MAX + SimDuration::from_secs(1), SimTime::MAX);
    }

    #[test]
    #[should_panic(expected = "the clock never goes back")]
    fn a_clock_that_goes_back_is_a_defect() {
        let _ = SimTime::ZERO.since(SimTime::from_nanos(1));
    }
}
