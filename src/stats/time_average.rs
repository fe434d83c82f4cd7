//! The average over time of a level: jobs in a queue, busy cores, live machines.

/// The exact integral of an integer level over time in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeAverage {
    level: u64,
    max: u64,
    start: u64,
    last: u64,
    integral: u128,
}

impl TimeAverage {
    /// Sets the level from `now` (nanoseconds) on.
    ///
    /// # Panics
    /// When `now` is before an earlier call: the clock has gone back, which is a defect.
    #[inline]
    pub fn set(&mut self, now: u64, level: u64) {
        self.integral = self.integral(now);
        self.last = now;
        self.level = level;
        self.max = self.max.max(level);
    }

    /// Forgets everything before `now`: called at the end of the warm-up. The level stays, and is the new maximum.
    ///
    /// # Panics
    /// When `now` is before an earlier call.
    pub fn reset(&mut self, now: u64) {
        self.set(now, self.level);
        self.max = self.level;
        self.start = now;
        self.integral = 0;
    }

    /// The present level.
    #[must_use]
    pub const fn level(&self) -> u64 {
        self.level
    }

    /// The greatest level since the last reset.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// Level times nanoseconds, from the last reset to `now`.
    ///
    /// # Panics
    /// When `now` is before the last change.
    #[must_use]
    #[inline]
    pub fn integral(&self, now: u64) -> u128 {
        let elapsed = now.checked_sub(self.last).expect("the clock never goes back");
        self.integral + u128::from(self.level) * u128::from(elapsed)
    }

    /// The average level from the last reset to `now`; the present level if no time has passed.
    ///
    /// # Panics
    /// When `now` is before the last change.
    #[must_use]
    pub fn mean(&self, now: u64) -> f64 {
        let integral = self.integral(now);
        if now == self.start { self.level as f64 } else { integral as f64 / (now - self.start) as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_weighs_by_time_and_not_by_change() {
        let mut queue = TimeAverage::default();
        queue.set(0, 1);
        queue.set(10, 5);
        queue.set(12, 0);
        assert_eq!((queue.level(), queue.max(), queue.integral(20)), (0, 5, 20));
        assert_eq!(queue.mean(20), 1.0);
    }

    #[test]
    fn a_reset_keeps_the_level_and_forgets_the_rest() {
        let mut queue = TimeAverage::default();
        queue.set(0, 9);
        queue.set(50, 2);
        queue.reset(100);
        assert_eq!((queue.max(), queue.mean(100)), (2, 2.0));
        queue.set(103, 6);
        assert_eq!((queue.integral(104), queue.mean(104)), (12, 3.0));
    }

    #[test]
    fn the_longest_times_do_not_overflow() {
        let mut queue = TimeAverage::default();
        queue.set(0, u64::MAX);
        assert_eq!(queue.mean(u64::MAX), u64::MAX as f64);
    }

    #[test]
    #[should_panic(expected = "the clock never goes back")]
    fn the_clock_never_goes_back() {
        let mut queue = TimeAverage::default();
        queue.set(5, 1);
        queue.set(4, 1);
    }
}
