//! `Pair`: a balancer and its standby behind one address, by the timers of VRRP.

use crate::kernel::random::below;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;

/// Time from the last advertisement of the master until the backup takes over, `Master_Down_Interval` of RFC 5798, 6.1
/// [V]: three advertisement intervals and the skew time. keepalived 2.2.7 took over 2.75 to 3.62 s after a crash (n = 12).
const MASTER_DOWN: SimDuration = SimDuration::from_nanos(3 * ADVERTISEMENT.as_nanos() + SKEW.as_nanos());

/// Time until the backup takes over from a master that says goodbye with an advertisement of priority 0, `Skew_Time` of RFC
/// 5798, 6.1 and 6.4.2 [V]: (256 - priority) / 256 intervals, at priority 100. keepalived 2.2.7 took 0.64 s (n = 4).
const SKEW: SimDuration = SimDuration::from_nanos((256 - PRIORITY) * ADVERTISEMENT.as_nanos() / 256);

/// `Advertisement_Interval`, whose default is a second.
const ADVERTISEMENT: SimDuration = SimDuration::from_secs(1);

/// `Priority` of a backup, whose default is 100.
const PRIORITY: u64 = 100;

/// The state of both halves of the box. Without a standby there is only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Whether one half has the address and works.
    pub is_active: bool,
    /// Whether the other half works and stands by.
    pub has_spare: bool,
    /// A moment at which the active half advertises; it does so each second.
    advertises: SimTime,
    /// Whether the active half has said goodbye.
    leaves: bool,
}

/// The effect of a repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// The box works again, with empty state.
    Active,
    /// The box has worked all the time, and the repaired half stands by from now on.
    Spare,
}

impl Pair {
    pub(super) fn new(standby: bool) -> Pair {
        Pair { is_active: true, has_spare: standby, advertises: SimTime::ZERO, leaves: false }
    }

    /// The trial starts: the active half has advertised for long, so that the phase of its clock is random.
    pub(super) fn start(&mut self, cx: &Cx<'_>) {
        if self.has_spare {
            let phase = below(&mut cx.stream("advertisements"), ADVERTISEMENT.as_nanos());
            self.advertises = SimTime::from_nanos(phase);
        }
    }

    /// The active half is about to stop, as planned: it says goodbye.
    pub(super) fn leave(&mut self) {
        self.leaves = self.is_active;
    }

    /// The active half is gone. Returns the time until the other one takes over, if there is one.
    pub(super) fn crash(&mut self, now: SimTime) -> Option<SimDuration> {
        self.is_active = false;
        let wait = if std::mem::take(&mut self.leaves) { SKEW } else { MASTER_DOWN - self.silent_for(now) };
        self.has_spare.then_some(wait)
    }

    /// Time since the last advertisement.
    fn silent_for(&self, now: SimTime) -> SimDuration {
        let interval = ADVERTISEMENT.as_nanos();
        let phase = self.advertises.as_nanos() % interval;
        SimDuration::from_nanos((now.as_nanos() + interval - phase) % interval)
    }

    /// The other half takes the address, and advertises from now on. Returns false when the crashed half was back before.
    pub(super) fn take_over(&mut self, now: SimTime) -> bool {
        if self.is_active || !self.has_spare {
            return false;
        }
        *self = Pair { is_active: true, has_spare: false, advertises: now, leaves: false };
        true
    }

    /// Handles the repair of a half, or its restart after a hang.
    pub(super) fn repair(&mut self, hung: bool) -> Repair {
        if self.is_active && !hung {
            self.has_spare = true;
            return Repair::Spare;
        }
        self.is_active = true;
        Repair::Active
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_millis(ms)
    }

    #[test]
    fn a_backup_of_priority_100_waits_3_6_seconds_from_the_last_advertisement() {
        assert_eq!((MASTER_DOWN.as_nanos(), SKEW.as_nanos()), (3_609_375_000, 609_375_000));
        let pair = Pair { advertises: at(700), ..Pair::new(true) };
        for (crash, wait) in [(700, 3_609_375), (1_000, 3_309_375), (1_600, 2_709_375), (500, 2_809_375)] {
            let wait = SimDuration::from_nanos(1_000 * wait);
            assert_eq!(pair.clone().crash(at(crash)), Some(wait), "{crash}");
        }
    }

    #[test]
    fn a_planned_stop_is_announced() {
        let mut pair = Pair::new(true);
        pair.leave();
        assert_eq!(pair.crash(at(2_500)), Some(SKEW));
    }

    #[test]
    fn each_half_can_fail_and_be_repaired() {
        let mut pair = Pair::new(true);
        assert_eq!(pair.crash(at(0)), Some(MASTER_DOWN));
        assert!(pair.take_over(at(3_609)));
        // The second crash finds no spare until the first half is repaired.
        assert_eq!(pair.crash(at(5_000)), None);
        assert!(!pair.take_over(at(9_000)));
        assert_eq!(pair.repair(false), Repair::Active);
        assert_eq!(pair.repair(false), Repair::Spare);
        assert_eq!(pair.crash(at(9_609)), Some(MASTER_DOWN));
    }

    #[test]
    fn a_repair_before_the_takeover_makes_it_needless() {
        let mut pair = Pair::new(true);
        pair.crash(at(0));
        assert_eq!(pair.repair(false), Repair::Active);
        assert!(!pair.take_over(at(3_609)));
        assert!(pair.has_spare);
    }
}
