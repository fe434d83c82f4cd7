//! `Targets`: which targets may get calls, by the checks, by failures of calls, and by orders of the operators.

use rand::Rng;

use super::ejection::{Ejection, Judged, Standing};
use super::spec::Settings;
use crate::kernel::random::below;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;
use crate::model::signal::ComponentId;
use crate::parts::checks::{Checks, Health};
use crate::queueing::balance::{Balance, Policy};

/// Number of steps in which a target comes to its full weight, as HAProxy's `slowstart` [V: `server_warmup`].
pub(super) const RAMP_STEPS: u64 = 20;

/// What the balancer knows of one target.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub id: ComponentId,
    weight: f64,
    health: Health,
    /// Moment at which operators began to drain it.
    draining: Option<SimTime>,
    /// Whether it takes no calls any more, not even those of users who belong to it.
    gone: bool,
    standing: Standing,
    /// Whether it is no target now: a member of a fleet that is off, boots or goes.
    absent: bool,
    /// How often it has come, so that a check of an earlier time is known. It wraps around.
    pub times: u16,
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
            gone: false,
            standing: Standing::NEW,
            absent: false,
            times: 0,
            ramp: None,
        }
    }

    fn in_service(&self) -> bool {
        self.health.is_up() && self.standing.is_in() && self.draining.is_none() && !self.absent
    }

    /// Whether it may get a call: it is in service, or the call is its test.
    fn may_get(&self) -> bool {
        let may = self.standing.is_in() || self.standing.is_open();
        self.health.is_up() && may && self.draining.is_none() && !self.absent
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
    /// Number of calls that a target may have.
    most: u32,
    /// Whether each target has as many; empty without such a limit.
    full: Vec<bool>,
    /// Share in service below which all get calls; at 0, all get calls when none is in service.
    panic: Option<f64>,
    slow_start: Option<SimDuration>,
    ejection: Option<Ejection>,
    /// When the clock of the ejections ticks first.
    phase: SimDuration,
    /// Whether each target may get calls. It changes rarely, so that it is kept rather than computed.
    eligible: Vec<bool>,
    /// Whether all get calls because too few are in service.
    pub is_open: bool,
}

impl Targets {
    /// Targets with their weights and the hashes of their names. All are up.
    pub(super) fn new(settings: &Settings, members: &[(ComponentId, f64)], names: Vec<u64>) -> Targets {
        let &Settings { policy, panic, slow_start, ejection, .. } = settings;
        let all: Vec<Target> = members.iter().map(|&(id, weight)| Target::new(id, weight)).collect();
        let weights: Vec<f64> = members.iter().map(|&(_, weight)| weight).collect();
        let balance = Balance::new(policy, &weights, &names);
        let eligible = vec![true; all.len()];
        Targets {
            all,
            balance,
            policy,
            names,
            most: settings.target_connections,
            full: vec![false; if settings.target_connections < u32::MAX { eligible.len() } else { 0 }],
            panic,
            slow_start,
            ejection,
            phase: SimDuration::ZERO,
            eligible,
            is_open: false,
        }
    }

    /// Forgets everything: the process starts.
    pub(super) fn reset(&mut self) {
        let weights: Vec<f64> = self.all.iter().map(|target| target.weight).collect();
        self.all.iter_mut().for_each(|target| {
            *target = Target { absent: target.absent, ..Target::new(target.id, target.weight) };
        });
        self.balance = Balance::new(self.policy, &weights, &self.names);
        self.full.fill(false);
        self.refresh();
    }

    /// The clock of the ejections starts at a random moment, the same for all targets.
    pub(super) fn wind(&mut self, cx: &Cx<'_>) {
        if let Some(tick) = self.ejection.and_then(|ejection| ejection.tick()) {
            self.phase = SimDuration::from_nanos(below(&mut cx.stream("ejections"), tick.as_nanos()));
        }
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
        let stays = target.draining.is_some() && !target.gone;
        self.eligible[i] || (stays && target.health.is_up() && target.standing.is_in())
    }

    /// Whether a target has as many calls as it may have.
    pub(super) fn is_full(&self, i: usize) -> bool {
        self.full.get(i).is_some_and(|full| *full)
    }

    /// Whether a target that may get calls has room for one.
    pub(super) fn has_room(&self) -> bool {
        (0..self.all.len()).any(|i| self.eligible[i] && !self.is_full(i))
    }

    /// Whether a target that may get calls is full, apart from those `tried`.
    pub(super) fn any_full(&self, tried: &[u16]) -> bool {
        let may_be = |i: usize| self.eligible[i] && !tried.contains(&(i as u16));
        (0..self.all.len()).any(|i| may_be(i) && self.is_full(i))
    }

    /// Chooses a target for a call, none of those that it has `tried`.
    pub(super) fn pick(
        &mut self,
        now: SimTime,
        key: u64,
        tried: &[u16],
        rng: &mut impl Rng,
    ) -> Option<usize> {
        if !self.full.is_empty() {
            return self.pick_but(now, key, |i| tried.contains(&(i as u16)), rng);
        }
        if tried.is_empty() {
            return self.balance.pick_of(now, &self.eligible, key, rng);
        }
        self.pick_but(now, key, |i| tried.contains(&(i as u16)), rng)
    }

    /// Chooses a target for a call, none of those that are `out` of the question.
    pub(super) fn pick_but(
        &mut self,
        now: SimTime,
        key: u64,
        out: impl Fn(usize) -> bool,
        rng: &mut impl Rng,
    ) -> Option<usize> {
        let (eligible, full) = (&self.eligible, &self.full);
        let has_room = |i: usize| full.is_empty() || !full[i];
        self.balance.pick(now, |i| eligible[i] && has_room(i) && !out(i), key, rng)
    }

    // What changes a target -----------------------------------------------------------------------------------------

    /// A check has had its answer, or has failed.
    pub(super) fn checked(&mut self, now: SimTime, i: usize, good: bool, checks: &Checks) -> Change {
        self.change(now, i, |target| target.health = target.health.after(good, checks))
    }

    /// A call that was `sent` to a target has been answered, or has failed.
    pub(super) fn observed(&mut self, now: SimTime, i: usize, sent: SimTime, failed: bool) -> Judged {
        let Some(rule) = self.ejection else { return Judged::Nothing };
        let may_eject = failed && {
            let out = self.present().filter(|target| !target.standing.is_in()).count();
            rule.allows(out, self.present().count())
        };
        let phase = self.phase;
        let mut judged = Judged::Nothing;
        self.change(now, i, |target| {
            judged = target.standing.observed(now, (sent, failed), may_eject, (&rule, phase));
        });
        judged
    }

    /// The ejection of a target, or its test, may be over.
    pub(super) fn readmit(&mut self, now: SimTime, i: usize) -> Change {
        let Some(rule) = self.ejection.filter(|_| self.all[i].standing.is_over(now)) else {
            return Change::None;
        };
        let change = self.change(now, i, |target| target.standing.readmit(now, &rule));
        self.refresh();
        change
    }

    /// Notes that a call is being sent to a target. If it is the target's test, returns the moment at which another one may
    /// follow; until then the target gets no others.
    #[inline]
    pub(super) fn sent(&mut self, now: SimTime, i: usize) -> Option<SimTime> {
        self.balance.sent(i);
        self.count(i);
        let rule = self.ejection.filter(|_| self.all[i].standing.is_open())?;
        let until = self.all[i].standing.test(now, &rule, self.phase);
        self.refresh();
        Some(until)
    }

    /// Notes that a call has left a target, `response` after it was sent.
    #[inline]
    pub(super) fn left(&mut self, now: SimTime, i: usize, response: SimDuration) {
        self.balance.answered(now, i, response);
        self.count(i);
    }

    #[inline(always)]
    fn count(&mut self, i: usize) {
        if let Some(full) = self.full.get_mut(i) {
            *full = self.balance.outstanding(i) >= self.most;
        }
    }

    /// Operators drain a target, or put it back.
    pub(super) fn set_draining(&mut self, now: SimTime, i: usize, draining: bool) -> Change {
        if self.all[i].absent {
            return Change::None;
        }
        self.all[i].gone = false;
        self.change(now, i, |target| target.draining = draining.then_some(now))
    }

    /// A target that drains takes no calls any more.
    pub(super) fn let_go(&mut self, i: usize) {
        self.all[i].gone = true;
    }

    /// Returns the moment at which operators began to drain a target, if they have.
    pub(super) fn draining_since(&self, i: usize) -> Option<SimTime> {
        self.all[i].draining
    }

    /// Changes a target, and all that follows from it.
    #[inline]
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
        let all = self.present().count() as f64;
        self.is_open = self.panic.is_some_and(|share| in_service == 0 || (in_service as f64) < share * all);
        for (eligible, target) in self.eligible.iter_mut().zip(&self.all) {
            let opens = target.draining.is_none() && !target.absent;
            *eligible = if self.is_open { opens } else { target.may_get() };
        }
    }

    /// The targets that are there.
    fn present(&self) -> impl Iterator<Item = &Target> {
        self.all.iter().filter(|target| !target.absent)
    }

    // Members that come and go --------------------------------------------------------------------------------------

    /// A target is off when the trial begins.
    pub(super) fn begin_without(&mut self, i: usize) {
        self.all[i].absent = true;
        self.refresh();
    }

    /// Whether a target is there.
    pub(super) fn is_present(&self, i: usize) -> bool {
        !self.all[i].absent
    }

    /// A member has come. It gets calls once a check has succeeded, or at once without `checks`.
    pub(super) fn join(&mut self, now: SimTime, i: usize, checks: Option<&Checks>) -> Change {
        let target = &mut self.all[i];
        let times = target.times.wrapping_add(1);
        let health = checks.map_or(Health::Up, |checks| Health::GoingUp(checks.rise.saturating_sub(1)));
        *target = Target { times, health, absent: true, ..Target::new(target.id, target.weight) };
        let change = self.change(now, i, |target| target.absent = false);
        self.refresh();
        change
    }

    /// A member goes: it gets no new calls, and drains for the last time.
    pub(super) fn leave(&mut self, now: SimTime, i: usize) {
        self.all[i].draining = Some(now);
        self.change(now, i, |target| target.absent = true);
        self.refresh();
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
    use super::super::spec::BalancerSpec;
    use super::*;
    use crate::model::ask::Ask;
    use crate::parts::checks::Pace;

    fn at(secs: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(secs)
    }

    fn targets(count: usize, keys: &str) -> Targets {
        let members: Vec<_> = (0..count).map(|i| (ComponentId::new(i), 1.0)).collect();
        let spec: BalancerSpec = toml::from_str(&format!("targets = ['web']\n{keys}")).expect("it is sound");
        Targets::new(&spec.settings(), &members, (0..count as u64).collect())
    }

    #[test]
    fn at_most_a_share_is_ejected_and_a_success_clears_the_count() {
        let mut targets = targets(4, "ejection = { failures = 2, max_share = 0.5 }");
        let mut fate = |i, failed| targets.observed(at(0), i, at(0), failed);
        fate(0, true);
        fate(0, false);
        assert_eq!(fate(0, true), Judged::Nothing);
        for i in [0, 1, 1, 2, 2, 2] {
            fate(i, true);
        }
        assert_eq!(targets.eligible, [false, false, true, true]);
    }

    #[test]
    fn panic_opens_below_its_share_and_at_zero_with_none_left() {
        let second = SimDuration::from_secs(1);
        let pace = Pace::AfterEnd;
        let checks = Checks { interval: second, pace, timeout: second, fall: 1, rise: 1, ask: Ask::CONNECT };
        for (panic, open_after) in [(None, 9), (Some(0.0), 4), (Some(0.5), 3), (Some(0.75), 2)] {
            let keys = panic.map_or_else(String::new, |share| format!("panic = {share:?}"));
            let mut targets = targets(4, &keys);
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
        let mut targets = targets(2, "slow_start = '20s'");
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
