//! `Budget`: core time that may be used in each period, as the bandwidth control of Linux's scheduler grants it to a container.

use crate::kernel::time::{SimDuration, SimTime};

/// A quota of core time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Core time that each period grants, above zero.
    pub quota: SimDuration,
    /// Length of a period, above zero.
    pub period: SimDuration,
    /// Core time that periods which have not used all of theirs can save up.
    pub burst: SimDuration,
}

impl Quota {
    /// Number of cores that it is worth in the long run.
    #[must_use]
    pub fn cores(&self) -> f64 {
        self.quota.as_secs_f64() / self.period.as_secs_f64()
    }
}

/// What a look at a budget has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether all core time of the period is used up, so that the cores stand still.
    pub is_used_up: bool,
    /// When to look again; `None` once something has begun to use core time.
    pub next: Option<SimTime>,
}

/// The core time that is left in the current period.
#[derive(Debug)]
pub struct Budget {
    quota: Quota,
    period_ends: SimTime,
    /// Core time used up to the beginning of the period, in nanoseconds.
    used_before: u128,
    /// Core time that the period has, in nanoseconds.
    has: u128,
    is_used_up: bool,
}

impl Budget {
    /// A full budget, whose first period ends `phase` after the start of the trial.
    #[must_use]
    pub fn new(quota: Quota, phase: SimDuration) -> Budget {
        let has = u128::from((quota.quota + quota.burst).as_nanos());
        Budget { quota, period_ends: SimTime::ZERO + phase, used_before: 0, has, is_used_up: false }
    }

    /// Looks at the budget when `busy` cores have used `used` nanoseconds of core time since the start of the trial. To be called at the
    /// time that the last look has told, and whenever more cores have become busy.
    pub fn look(&mut self, now: SimTime, used: u128, busy: u32) -> Look {
        if now >= self.period_ends {
            self.begin_period(now, used);
        }
        let left = self.has.saturating_sub(used - self.used_before);
        self.is_used_up |= left == 0;
        let lasts = u64::try_from(left.div_ceil(u128::from(busy.max(1)))).unwrap_or(u64::MAX);
        let next = if self.is_used_up {
            Some(self.period_ends)
        } else {
            (busy > 0).then(|| self.period_ends.min(now + SimDuration::from_nanos(lasts)))
        };
        Look { is_used_up: self.is_used_up, next }
    }

    /// Some periods are over, in the first of which core time may have been used.
    fn begin_period(&mut self, now: SimTime, used: u128) {
        let period = self.quota.period;
        let later = now.since(self.period_ends).as_nanos() / period.as_nanos();
        self.period_ends += period.saturating_mul(later + 1);
        let unused = self.has.saturating_sub(used - self.used_before);
        let granted = u128::from(self.quota.quota.as_nanos()) * u128::from(later + 1);
        self.has = (unused + granted).min(u128::from((self.quota.quota + self.quota.burst).as_nanos()));
        self.used_before = used;
        self.is_used_up = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When work of `work` ms on one core ends that begins at `start` ms, if a period of 100 ms with 13 ms begins at 0.
    fn ends(work: u64, start: u64, burst: u64) -> u64 {
        let ms = SimDuration::from_millis;
        let mut budget =
            Budget::new(Quota { quota: ms(13), period: ms(100), burst: ms(burst) }, SimDuration::ZERO);
        let (mut now, mut used, all) = (SimTime::ZERO + ms(start), 0, ms(work).as_nanos());
        let mut look = budget.look(now, 0, 1);
        loop {
            let next = look.next.expect("the core is busy");
            let passed = next.since(now).as_nanos();
            if !look.is_used_up && used + passed >= all {
                return (now + SimDuration::from_nanos(all - used)).since(SimTime::ZERO).as_nanos()
                    / 1_000_000;
            }
            used += if look.is_used_up { 0 } else { passed };
            now = next;
            look = budget.look(now, u128::from(used), u32::from(!look.is_used_up));
            if !look.is_used_up {
                look = budget.look(now, u128::from(used), 1);
            }
        }
    }

    #[test]
    fn thirty_milliseconds_take_two_hundred_and_four() {
        // 13, a pause of 87, 13, a pause of 87, 4.
        assert_eq!(ends(30, 0, 0), 204);
        // Begun 5 ms before a period ends: 5 + 13, a pause of 87, 12.
        assert_eq!(ends(30, 95, 0), 212);
        assert_eq!(ends(13, 0, 0), 13);
        // What was saved up: 13 + 17 at once.
        assert_eq!(ends(30, 1000, 17), 1030);
        assert_eq!(ends(30, 1000, 10), 1000 + 107);
    }
}
