//! `Care`: what a balancer does besides trying again: a circuit breaker before each target, a throttle, and second calls for
//! answers that take long.

use std::collections::BTreeMap;

use super::relays::{Relay, Sent};
use super::spec::BalancerSpec;
use super::{Balancer, gauges, spec::RETRIES_MAX};
use crate::kernel::random::unit_open;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::call::{Call, Parent};
use crate::model::component::Cx;
use crate::model::signal::CallId;
use crate::parts::breaker::{Breaker, BreakerSpec};
use crate::parts::calling::is_accepted;
use crate::parts::failure::Failure;
use crate::parts::hedge::{HEDGES_MAX, Hedge, HedgeSpec};
use crate::parts::throttle::ThrottleSpec;
use crate::queueing::circuit_breaker::{Change, Pass};
use crate::queueing::throttle::Throttle;

/// Purpose of the draw of the throttle, apart from those of choices and pauses.
const THROTTLE: u64 = 1 << 33;

/// The care of one balancer.
#[derive(Debug)]
pub(super) struct Care {
    /// One before each target, or none.
    breakers: Vec<Breaker>,
    throttle: Option<Throttle>,
    hedge: Option<Hedge>,
    /// The calls to other targets for the same answer as that of a relay, by its place.
    sides: BTreeMap<u32, Vec<Sent>>,
}

impl Care {
    /// The care of a balancer of this many targets, if it takes any.
    pub(super) fn new(spec: &BalancerSpec, targets: usize) -> Option<Box<Care>> {
        let is_some = spec.breaker.is_some() || spec.throttle.is_some() || spec.hedge.is_some();
        is_some.then(|| {
            Box::new(Care {
                breakers: spec.breaker.iter().map(BreakerSpec::breaker).cycle().take(targets).collect(),
                throttle: spec.throttle.as_ref().map(ThrottleSpec::throttle),
                hedge: spec.hedge.as_ref().map(HedgeSpec::hedge),
                sides: BTreeMap::new(),
            })
        })
    }

    /// Whether the breaker before a target lets nothing pass now.
    pub(super) fn is_open(&self, now: SimTime, target: usize) -> bool {
        self.breakers.get(target).is_some_and(|breaker| breaker.is_open(now))
    }

    /// A call is being sent to a target whose breaker is not open.
    pub(super) fn pass(&mut self, now: SimTime, target: usize) -> Pass {
        self.breakers.get_mut(target).and_then(|breaker| breaker.allow(now)).unwrap_or_default()
    }

    /// Returns how long a call waits before another follows it; `sent` calls have been sent for its answer.
    pub(super) fn delay(&self, sent: u16, is_write: bool) -> Option<SimDuration> {
        self.hedge.as_ref().filter(|hedge| sent < hedge.attempts(is_write))?.delay()
    }

    /// The process is gone.
    pub(super) fn clear(&mut self) {
        self.breakers.iter_mut().for_each(Breaker::clear);
        self.throttle.iter_mut().for_each(Throttle::clear);
        self.hedge.iter_mut().for_each(Hedge::clear);
        self.sides.clear();
    }
}

impl Balancer {
    /// Whether the throttle refuses a call.
    #[cold]
    pub(super) fn is_throttled(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let key = cx.get(call).key;
        let now = cx.now();
        let Some(throttle) = self.care.as_mut().and_then(|care| care.throttle.as_mut()) else { return false };
        let refuses = throttle.refuses(now, || unit_open(&mut cx.rng_of(key, THROTTLE)));
        if refuses {
            cx.count(gauges::THROTTLED_LOCALLY);
            cx.annotate(call, || "is not sent on: too few of the last calls were accepted".into());
        }
        refuses
    }

    /// Whether a breaker keeps a call from a target that it could go to.
    #[cold]
    pub(super) fn is_kept_away(&self, now: SimTime, target: usize) -> bool {
        self.care.as_ref().is_some_and(|care| care.is_open(now, target))
    }

    /// A call has left its target, with this failure if any.
    #[cold]
    pub(super) fn heed(&mut self, sent: Sent, failure: Option<Failure>, cx: &mut Cx<'_>) {
        let now = cx.now();
        let Some(care) = &mut self.care else { return };
        if let Some(throttle) = &mut care.throttle
            && is_accepted(failure)
        {
            throttle.accepted(now);
        }
        let target = usize::from(sent.target);
        let change = care.breakers.get_mut(target).and_then(|breaker| breaker.ended(sent.pass, failure, now));
        match change {
            Some(Change::Opened) => {
                cx.count(gauges::BREAKER_OPENED);
                cx.note(self.targets.all[target].id, "breaker opened");
            }
            Some(Change::Closed) => cx.note(self.targets.all[target].id, "breaker closed"),
            None => {}
        }
    }

    /// A call has waited for long: another one follows it, to another target.
    #[cold]
    pub(super) fn hedge(&mut self, slow: CallId, cx: &mut Cx<'_>) {
        let Parent::Call(call) = cx.get(slow).parent else { return };
        let &Call { class, notes, .. } = cx.get(call);
        let place = notes.mark as u32;
        let Some(&Relay { sent, hedges, .. }) = self.relays.find(place) else { return };
        let is_write = self.writes[usize::from(class)];
        let Some(care) = &self.care else { return };
        let sides = care.sides.get(&place).map_or(&[][..], Vec::as_slice);
        let is_out = sent.child == slow || sides.iter().any(|side| side.child == slow);
        if !is_out || care.delay(hedges + 1, is_write).is_none() {
            return;
        }
        let mut busy = [0; RETRIES_MAX as usize + HEDGES_MAX as usize];
        let relay = self.relays.get_mut(place);
        let tried = relay.tried().iter().copied();
        let all = tried.chain([sent.target]).chain(sides.iter().map(|side| side.target));
        let count = busy.iter_mut().zip(all).map(|(place, target)| *place = target).count();
        let now = cx.now();
        let budget = &mut self.hand.retries.budget;
        if !budget.as_mut().is_none_or(|budget| budget.try_retry(now)) {
            return;
        }
        let Some(target) = self.choose(call, &busy[..count], cx) else { return self.hand.given_up(true) };
        cx.count(gauges::HEDGES);
        cx.annotate(call, || "asks another target too: the answer takes long".into());
        let relay = self.relays.get_mut(place);
        relay.hedges += 1;
        let copy = relay.hedges;
        let next = Sent { is_hedge: true, ..self.send(call, target, copy, cx) };
        let before = std::mem::replace(&mut self.relays.get_mut(place).sent, next);
        if let Some(care) = &mut self.care {
            care.sides.entry(place).or_default().push(before);
        }
    }

    /// The call that has ended comes to stand in its relay; those at other targets stand beside it.
    #[cold]
    pub(super) fn turn_to(&mut self, place: u32, child: CallId) {
        let sides = self.care.as_mut().and_then(|care| care.sides.get_mut(&place));
        let relay = self.relays.get_mut(place);
        if let Some(side) = sides.and_then(|sides| sides.iter_mut().find(|side| side.child == child)) {
            std::mem::swap(side, &mut relay.sent);
        }
    }

    /// The call of a relay has failed and has left its target: one that is out at another target takes its place. Returns false if
    /// there is none.
    #[cold]
    pub(super) fn falls_back(&mut self, place: u32) -> bool {
        let Some(care) = &mut self.care else { return false };
        let Some(sides) = care.sides.get_mut(&place) else { return false };
        let other = sides.pop();
        if sides.is_empty() {
            care.sides.remove(&place);
        }
        if let Some(other) = other {
            self.relays.get_mut(place).sent = other;
        }
        other.is_some()
    }

    /// A relay has its answer, `is_good` or not: nobody waits for its calls at other targets any more.
    #[cold]
    pub(super) fn drop_sides(&mut self, place: u32, is_good: bool, cx: &mut Cx<'_>) {
        let Relay { sent, began, tries, .. } = *self.relays.get_mut(place);
        let Some(care) = &mut self.care else { return };
        let sides = care.sides.remove(&place).unwrap_or_default();
        let revokes = care.hedge.as_ref().is_some_and(|hedge| hedge.cancels);
        if let (Some(hedge), true) = (&mut care.hedge, is_good) {
            hedge.answered(cx.now().since(began));
            if sent.is_hedge {
                cx.count(gauges::HEDGES_WON);
            }
        }
        for side in sides {
            let target = usize::from(side.target);
            if let Some(breaker) = self.care.as_mut().and_then(|care| care.breakers.get_mut(target)) {
                breaker.given_up(side.pass);
            }
            self.hand.given_up(tries > 0 || side.is_hedge);
            self.targets.left(cx.now(), target, cx.now().since(side.at));
            self.tell_if_drained(target, cx);
            if revokes {
                cx.revoke(side.child);
            } else if !is_good {
                cx.cancel(side.child);
            } else {
                cx.abandon(side.child);
            }
        }
    }

    /// Nobody waits any longer for the second calls that a target has, which drains.
    #[cold]
    pub(super) fn cut_sides(&mut self, target: usize, cx: &mut Cx<'_>) {
        let Some(care) = &mut self.care else { return };
        let is_there = |side: &Sent| usize::from(side.target) == target;
        let mut cut = Vec::new();
        for (place, sides) in &mut care.sides {
            cut.extend(sides.iter().filter(|side| is_there(side)).map(|side| (*place, *side)));
            sides.retain(|side| !is_there(side));
        }
        care.sides.retain(|_, sides| !sides.is_empty());
        for (place, side) in cut {
            let tries = self.relays.get_mut(place).tries;
            self.hand.given_up(tries > 0 || side.is_hedge);
            self.heed(side, Some(Failure::Reset), cx);
            self.targets.left(cx.now(), target, cx.now().since(side.at));
            cx.abandon(side.child);
        }
        self.tell_if_drained(target, cx);
    }

    /// Counts a call that has no target, because breakers are open.
    #[cold]
    pub(super) fn tell_denied(&self, call: CallId, cx: &mut Cx<'_>) {
        let now = cx.now();
        if (0..self.targets.all.len()).any(|target| self.is_kept_away(now, target)) {
            cx.count(gauges::BREAKER_DENIED);
            cx.annotate(call, || "has no target: circuit breakers are open".into());
        }
    }
}
