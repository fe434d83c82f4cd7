//! The number of customers inside a place: now, at most, and on average over time.

/// Counts of customers that entered and left, with the sums of the times at which they did, in nanoseconds.
///
/// The integral of the number inside needs no update at each change. It is the sum of the times of leaving, plus now
/// for each customer still inside, minus the sum of the times of entering. In integers this is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Occupancy {
    entered: u64,
    left: u64,
    max: u64,
    entered_sum: u128,
    left_sum: u128,
    /// The time of the last reset.
    start: u64,
    /// The integral up to the last reset.
    before: u128,
}

impl Occupancy {
    /// One customer enters at `now` (nanoseconds).
    #[inline]
    pub fn enter(&mut self, now: u64) {
        self.entered += 1;
        self.entered_sum += u128::from(now);
        if self.level() > self.max {
            self.max = self.level();
        }
    }

    /// One customer leaves at `now` (nanoseconds).
    ///
    /// # Panics
    /// When no customer is inside.
    #[inline]
    pub fn leave(&mut self, now: u64) {
        assert!(self.left < self.entered, "more have left than have come");
        self.left += 1;
        self.left_sum += u128::from(now);
    }

    /// Forgets everything before `now`: called at the end of the warm-up. The number inside stays, and is the new
    /// maximum.
    pub fn reset(&mut self, now: u64) {
        self.max = self.level();
        self.start = now;
        self.before = self.whole(now);
    }

    /// Number inside.
    #[inline]
    #[must_use]
    pub const fn level(&self) -> u64 {
        self.entered - self.left
    }

    /// Greatest number inside since the last reset.
    #[must_use]
    pub const fn max(&self) -> u64 {
        self.max
    }

    /// The number inside times nanoseconds, from the last reset to `now`. `now` must not be before the last change.
    #[must_use]
    pub fn integral(&self, now: u64) -> u128 {
        self.whole(now) - self.before
    }

    /// The number inside times nanoseconds, from time zero to `now`.
    #[must_use]
    pub fn whole(&self, now: u64) -> u128 {
        self.left_sum + u128::from(self.level()) * u128::from(now) - self.entered_sum
    }

    /// The average number inside from the last reset to `now`; the present number if no time has passed.
    #[must_use]
    pub fn mean(&self, now: u64) -> f64 {
        if now == self.start {
            self.level() as f64
        } else {
            self.integral(now) as f64 / (now - self.start) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::time_average::TimeAverage;
    use super::*;

    #[test]
    fn it_is_the_time_average_of_its_level() {
        let (mut occupancy, mut average) = (Occupancy::default(), TimeAverage::default());
        let mut now = 0;
        for step in 0..1000_u64 {
            now += step * step % 7;
            if step % 5 < 3 || occupancy.level() == 0 {
                occupancy.enter(now);
            } else {
                occupancy.leave(now);
            }
            average.set(now, occupancy.level());
            if step == 400 {
                occupancy.reset(now);
                average.reset(now);
            }
            let later = now + 3;
            assert_eq!((occupancy.level(), occupancy.max()), (average.level(), average.max()));
            assert_eq!(occupancy.integral(later), average.integral(later));
            assert_eq!(occupancy.mean(later), average.mean(later));
        }
    }

    #[test]
    fn without_time_the_mean_is_the_level() {
        let mut occupancy = Occupancy::default();
        occupancy.enter(5);
        occupancy.reset(5);
        assert_eq!(occupancy.mean(5), 1.0);
        assert_eq!(occupancy.whole(7), 2);
    }

    #[test]
    #[should_panic(expected = "more have left")]
    fn nobody_leaves_twice() {
        let mut occupancy = Occupancy::default();
        occupancy.enter(1);
        occupancy.leave(2);
        occupancy.leave(3);
    }
}
