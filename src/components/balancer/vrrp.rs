//! `Pair`: a balancer and its standby behind one address, by the timers of VRRP.

use crate::kernel::time::SimDuration;

/// Time from the last advertisement of the master until the backup takes over, `Master_Down_Interval` of RFC 5798, 6.1
/// [V]: three advertisement intervals of a second, and a skew of (256 - priority) / 256 intervals, at priority 100.
pub(super) const MASTER_DOWN: SimDuration =
    SimDuration::from_nanos(3 * ADVERTISEMENT_NS + (256 - PRIORITY) * ADVERTISEMENT_NS / 256);

/// `Advertisement_Interval`, whose default is a second.
const ADVERTISEMENT_NS: u64 = 1_000_000_000;

/// `Priority` of a backup, whose default is 100.
const PRIORITY: u64 = 100;

/// The state of both halves of the box. Without a standby there is only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// Whether one half has the address and works.
    pub is_active: bool,
    /// Whether the other half works and stands by.
    pub has_spare: bool,
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
        Pair { is_active: true, has_spare: standby }
    }

    /// The active half has crashed. Returns the time until the other one takes over, if there is one.
    pub(super) fn crash(&mut self) -> Option<SimDuration> {
        self.is_active = false;
        self.has_spare.then_some(MASTER_DOWN)
    }

    /// The other half takes the address. Returns false when the crashed half was back before.
    pub(super) fn take_over(&mut self) -> bool {
        if self.is_active || !self.has_spare {
            return false;
        }
        *self = Pair { is_active: true, has_spare: false };
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

    #[test]
    fn a_backup_of_priority_100_waits_3_6_seconds() {
        assert_eq!(MASTER_DOWN.as_nanos(), 3_609_375_000);
    }

    #[test]
    fn each_half_can_fail_and_be_repaired() {
        let mut pair = Pair::new(true);
        assert_eq!(pair.crash(), Some(MASTER_DOWN));
        assert!(pair.take_over());
        // The second crash finds no spare until the first half is repaired.
        assert_eq!(pair.crash(), None);
        assert!(!pair.take_over());
        assert_eq!(pair.repair(false), Repair::Active);
        assert_eq!(pair.repair(false), Repair::Spare);
        assert_eq!(pair.crash(), Some(MASTER_DOWN));
    }

    #[test]
    fn a_repair_before_the_takeover_makes_it_needless() {
        let mut pair = Pair::new(true);
        pair.crash();
        assert_eq!(pair.repair(false), Repair::Active);
        assert!(!pair.take_over());
        assert!(pair.has_spare);
    }
}
