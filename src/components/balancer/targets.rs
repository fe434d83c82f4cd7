//! `Targets`: which targets may get calls, by the checks, by failures of calls, and by orders of the operators.

use rand::Rng;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::signal::ComponentId;
use crate::parts::checks::{Checks, Health};
use crate::queueing::balance::{Balance, Policy};

/// Number of steps in which a target comes to its full weight, as HAProxy's `slowstart` [V: `server_warmup`].
pub(super) const RAMP_STEPS: u64 = 20;

/// Time in service after which one ejection is forgiven, as Envoy's sweep `interval` [V].
const FORGIVEN_AFTER: SimDuration = SimDuration::from_secs(10);

/// When a target is ejected because it fails calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ejection {
    /// Number of failures in a row that eject a target.
    pub failures: u32,
    /// Time of the first ejection; the n-th takes n times as long.
    pub base: SimDuration,
    /// Time of the longest ejection.
    pub longest: SimDuration,
    /// Share of the targets that may be ejected; beyond it no more are.
    pub max_share: f64,
    /// Whether only failed connections and missing answers count, not errors that a target answers.
    pub connections_only: bool,
}

/// What the balancer knows of one target.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub id: ComponentId,
    weight: f64,
    health: Health,
    /// Moment at which operators began to drain it.
    draining: Option<SimTime>,
    ejected: bool,
    failures: u32,
    ejections: u32,
    /// When the last ejection ended.
    returned: SimTime,
    /// While its weight grows: the moment at which it came back into service, and that of the next step.
    ramp: Option<(SimTime, SimTime)>,
}

impl Target {
    fn new(id: ComponentId, weight: f64) -> Target {
        Target {
            id,
            weight,
            health: Health::Up,
            draining: None,
            ejected: false,
            failures: 0,
            ejections: 0,
            returned: SimTime::ZERO,
            ramp: None,
        }
    }

    fn in_service(&self) -> bool {
        self.health.is_up() && !self.ejected && self.draining.is_none()
    }
}

/// The effect of a change on a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// It is out of service.
    Out,
    /// It is back in service.
    Back,
}

/// The targets of a balancer, and its policy.
#[derive(Debug)]
pub(super) struct Targets {
    pub all: Vec<Target>,
    pub balance: Balance,
    policy: Policy,
    names: Vec<u64>,
    /// Share in service below which all get calls; at 0, all get calls when none is in service.
    panic: Option<f64>,
    slow_start: Option<SimDuration>,
    /// Whether each target may get calls. It changes rarely, so that it is kept rather than computed.
    eligible: Vec<bool>,
    /// Whether all get calls because too few are in service.
    pub is_open: bool,
}

impl Targets {
    /// Targets with their weights and the hashes of their names. All are up.
    pub(super) fn new(
        policy: Policy,
        members: &[(ComponentId, f64)],
        names: Vec<u64>,
        panic: Option<f64>,
        slow_start: Option<SimDuration>,
    ) -> Targets {
        let all: Vec<Target> = members.iter().map(|&(id, weight)| Target::new(id, weight)).collect();
        let weights: Vec<f64> = members.iter().map(|&(_, weight)| weight).collect();
        let balance = Balance::new(policy, &weights, &names);
        let eligible = vec![true; all.len()];
        Targets { all, balance, policy, names, panic, slow_start, eligible, is_open: false }
    }

    /// Forgets everything: the process starts.
    pub(super) fn reset(&mut self) {
        let members: Vec<(ComponentId, f64)> = self.all.iter().map(|t| (t.id, t.weight)).collect();
        let names = std::mem::take(&mut self.names);
        *self = Targets::new(self.policy, &members, names, self.panic, self.slow_start);
    }

    /// Returns the index of a target.
    pub(super) fn find(&self, id: ComponentId) -> Option<usize> {
        self.all.iter().position(|target| target.id == id)
    }

    pub(super) fn any_eligible(&self) -> bool {
        self.eligible.contains(&true)
    }

    /// Returns whether a user's own target may have the call. It may while it drains too, so that sessions can end.
    pub(super) fn keeps(&self, i: usize) -> bool {
        let target = &self.all[i];
        self.eligible[i] || (target.draining.is_some() && target.health.is_up() && !target.ejected)
    }

    /// Chooses a target for a call, none of those that it has `tried`.
    pub(super) fn pick(
        &mut self,
        now: SimTime,
        key: u64,
        tried: &[u16],
        rng: &mut impl Rng,
    ) -> Option<usize> {
        let eligible = &self.eligible;
        if tried.is_empty() {
            return self.balance.pick_of(now, eligible, key, rng);
        }
        self.balance.pick(now, |i| eligible[i] && !tried.contains(&(i as u16)), key, rng)
    }

    // What changes a target -----------------------------------------------------------------------------------------

    /// A check has had its answer, or has failed.
    pub(super) fn checked(&mut self, now: SimTime, i: usize, good: bool, checks: &Checks) -> Change {
        self.change(now, i, |target| target.health = target.health.after(good, checks))
    }

    /// A call has been answered, or has failed. Returns the time for which its target is ejected, if it is.
    pub(super) fn observed(
        &mut self,
        now: SimTime,
        i: usize,
        failed: bool,
        ejection: &Ejection,
    ) -> Option<SimDuration> {
        if !failed {
            self.all[i].failures = 0;
            return None;
        }
        let out = self.all.iter().filter(|target| target.ejected).count();
        let may_eject = (out as f64) < ejection.max_share * self.all.len() as f64;
        let target = &mut self.all[i];
        target.failures += 1;
        if target.ejected || target.failures < ejection.failures || !may_eject {
            return None;
        }
        let forgiven = now.since(target.returned).as_nanos() / FORGIVEN_AFTER.as_nanos();
        let ejections = 1 + target.ejections.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX));
        self.change(now, i, |target| {
            target.ejected = true;
            target.ejections = ejections;
            target.failures = 0;
        });
        Some(ejection.base.saturating_mul(u64::from(ejections)).min(ejection.longest))
    }

    /// Ends an ejection.
    pub(super) fn readmit(&mut self, now: SimTime, i: usize) -> Change {
        self.change(now, i, |target| {
            target.ejected = false;
            target.returned = now;
        })
    }

    /// Operators drain a target, or put it back.
    pub(super) fn set_draining(&mut self, now: SimTime, i: usize, draining: bool) -> Change {
        self.change(now, i, |target| target.draining = draining.then_some(now))
    }

    /// Returns the moment at which operators began to drain a target, if they have.
    pub(super) fn draining_since(&self, i: usize) -> Option<SimTime> {
        self.all[i].draining
    }

    /// Changes a target, and all that follows from it.
    fn change(&mut self, now: SimTime, i: usize, change: impl FnOnce(&mut Target)) -> Change {
        let target = &mut self.all[i];
        let was = target.in_service();
        change(target);
        let result = match (was, target.in_service()) {
            (true, false) => Change::Out,
            (false, true) => Change::Back,
            _ => return Change::None,
        };
        match (result, self.slow_start) {
            (Change::Back, Some(_)) => {
                target.ramp = Some((now, now));
                self.grow(now, i);
            }
            // Were all to get calls, it would get its share.
            _ if target.ramp.take().is_some() => self.balance.set_weight(i, self.all[i].weight),
            _ => {}
        }
        self.refresh();
        result
    }

    fn refresh(&mut self) {
        let in_service = self.all.iter().filter(|target| target.in_service()).count();
        self.is_open = self
            .panic
            .is_some_and(|share| in_service == 0 || (in_service as f64) < share * self.all.len() as f64);
        for (eligible, target) in self.eligible.iter_mut().zip(&self.all) {
            *eligible = if self.is_open { target.draining.is_none() } else { target.in_service() };
        }
    }

    // Slow start ----------------------------------------------------------------------------------------------------

    /// Gives a target in slow start its weight by now. Returns the moment of the next step, if there is one.
    pub(super) fn grow(&mut self, now: SimTime, i: usize) -> Option<SimTime> {
        let (start, due) = self.all[i].ramp?;
        let length = self.slow_start?;
        if now < due {
            return None;
        }
        let share = now.since(start).as_secs_f64() / length.as_secs_f64();
        if share >= 1.0 {
            self.all[i].ramp = None;
            self.balance.set_weight(i, self.all[i].weight);
            return None;
        }
        self.balance.set_weight(i, self.all[i].weight * share.max(1.0 / RAMP_STEPS as f64));
        let step = SimDuration::from_nanos(length.as_nanos().div_ceil(RAMP_STEPS));
        let next = now + step;
        self.all[i].ramp = Some((start, next));
        Some(next)
    }

    /// Returns the moment at which the weight of a target in slow start grows next.
    pub(super) fn grows_at(&self, i: usize) -> Option<SimTime> {
        self.all[i].ramp.map(|(_, next)| next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ask::Ask;
    use crate::parts::checks::Pace;

    const EJECTION: Ejection = Ejection {
        failures: 2,
        base: SimDuration::from_secs(30),
        longest: SimDuration::from_secs(70),
        max_share: 0.5,
        connections_only: false,
    };

    fn at(secs: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(secs)
    }

    fn targets(count: usize, panic: Option<f64>, slow_start: Option<SimDuration>) -> Targets {
        let members: Vec<_> = (0..count).map(|i| (ComponentId::new(i), 1.0)).collect();
        Targets::new(Policy::Weighted, &members, (0..count as u64).collect(), panic, slow_start)
    }

    fn eject(targets: &mut Targets, now: SimTime, i: usize) -> Option<SimDuration> {
        assert_eq!(targets.observed(now, i, true, &EJECTION), None);
        targets.observed(now, i, true, &EJECTION)
    }

    #[test]
    fn each_ejection_takes_longer_and_time_forgives() {
        let mut targets = targets(4, None, None);
        for (now, seconds) in [(0, 30), (30, 60), (90, 70), (200, 30)] {
            assert_eq!(eject(&mut targets, at(now), 0), Some(SimDuration::from_secs(seconds)));
            targets.readmit(at(now + seconds), 0);
        }
    }

    #[test]
    fn a_success_clears_the_count_and_at_most_a_share_is_ejected() {
        let mut targets = targets(4, None, None);
        targets.observed(at(0), 0, true, &EJECTION);
        targets.observed(at(0), 0, false, &EJECTION);
        assert!(eject(&mut targets, at(0), 0).is_some());
        assert!(eject(&mut targets, at(0), 1).is_some());
        assert!(eject(&mut targets, at(0), 2).is_none());
        assert_eq!(targets.eligible, [false, false, true, true]);
    }

    #[test]
    fn panic_opens_below_its_share_and_at_zero_with_none_left() {
        let second = SimDuration::from_secs(1);
        let pace = Pace::AfterEnd;
        let checks = Checks { interval: second, pace, timeout: second, fall: 1, rise: 1, ask: Ask::CONNECT };
        for (panic, open_after) in [(None, 9), (Some(0.0), 4), (Some(0.5), 3), (Some(0.75), 2)] {
            let mut targets = targets(4, panic, None);
            for out in 1..=4 {
                targets.checked(at(0), out - 1, false, &checks);
                assert_eq!(targets.is_open, out >= open_after, "{panic:?} {out}");
                let eligible = targets.eligible.iter().filter(|&&eligible| eligible).count();
                assert_eq!(eligible, if targets.is_open { 4 } else { 4 - out });
            }
        }
    }

    #[test]
    fn a_slow_start_is_linear_in_twenty_steps() {
        let mut targets = targets(2, None, Some(SimDuration::from_secs(20)));
        targets.set_draining(at(0), 0, true);
        targets.set_draining(at(100), 0, false);
        let mut steps = 0;
        while let Some(next) = targets.grows_at(0) {
            assert_eq!(targets.grow(at(100 + steps), 0), None, "too early");
            assert_eq!(next, at(101 + steps));
            targets.grow(next, 0);
            steps += 1;
        }
        assert_eq!(steps, 20);
    }
}
