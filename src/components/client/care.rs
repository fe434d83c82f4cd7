//! `Care`: what users do besides trying again: a circuit breaker, a throttle, and second calls for answers that take long.

use std::collections::BTreeMap;

use crate::kernel::random::unit_open;
use crate::kernel::time::SimTime;
use crate::model::call::{Parent, Request};
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId, RequestId};
use crate::parts::calling::{Calling, Denial};
use crate::parts::failure::Failure;
use crate::parts::hand::Try;
use crate::parts::legs::{Leg, Legs};
use crate::queueing::circuit_breaker::{Change, Pass};

use super::{Client, Target, draws, gauges, purpose, timer};

/// One try that is under way.
#[derive(Clone, Copy, Debug)]
struct Out {
    began: SimTime,
    /// Number of calls that were sent for it.
    sent: u16,
    /// The call that is made next, which has its pass already.
    next: Leg,
    legs: Legs,
}

/// The care of the users of one client, who count as one caller.
#[derive(Debug)]
pub(super) struct Care {
    calling: Calling,
    /// The tries that are under way.
    outs: BTreeMap<RequestId, Out>,
}

impl Care {
    pub(super) fn new(calling: Calling) -> Care {
        Care { calling, outs: BTreeMap::new() }
    }

    /// A call has ended.
    fn tried(&mut self, pass: Pass, failure: Option<Failure>, cx: &mut Cx<'_>) {
        match self.calling.tried(false, pass, failure, cx.now()) {
            Some(Change::Opened) => {
                cx.count(gauges::BREAKER_OPENED);
                cx.note(cx.me(), "breaker opened");
            }
            Some(Change::Closed) => cx.note(cx.me(), "breaker closed"),
            None => {}
        }
    }
}

impl Client {
    /// Whether a try may be sent. If not, its request has ended.
    #[cold]
    pub(super) fn lets_pass(&mut self, limit: Try, key: u64, cx: &mut Cx<'_>) -> bool {
        let Some(care) = &mut self.care else { return true };
        let Try { request, attempt } = limit;
        let draw = || unit_open(&mut draws(key, purpose::THROTTLE << 16 | u64::from(attempt)));
        match care.calling.allow(cx.now(), draw) {
            Ok(pass) => {
                let next = Leg { call: CallId::NONE, pass, is_paid: attempt > 1, is_hedge: false };
                care.outs.insert(request, Out { began: cx.now(), sent: 0, next, legs: Legs::default() });
                true
            }
            Err(denial) => {
                count(denial, cx);
                cx.annotate_request(request, |_| denial.told().to_owned());
                self.hand.given_up(attempt > 1);
                self.finish(request, denial.outcome(), cx);
                false
            }
        }
    }

    /// The call of a try has been made.
    #[cold]
    pub(super) fn called(&mut self, request: RequestId, call: CallId, cx: &mut Cx<'_>) {
        let is_write = self.writes[usize::from(cx.request(request).class)];
        let Some(care) = &mut self.care else { return };
        let Some(out) = care.outs.get_mut(&request) else { return };
        out.legs.add(Leg { call, ..out.next });
        out.sent = out.sent.max(1);
        let hedge = care.calling.hedge.as_ref().filter(|hedge| out.sent < hedge.attempts(is_write));
        if let Some(delay) = hedge.and_then(|hedge| hedge.delay()) {
            cx.alarm(delay, timer::HEDGE, About::Call(call));
        }
    }

    /// A call has waited for long: another one follows it.
    #[cold]
    pub(super) fn hedge(&mut self, slow: CallId, cx: &mut Cx<'_>) {
        let Parent::Request(request) = cx.get(slow).parent else { return };
        let (callee, deadline) = (cx.get(slow).callee, cx.deadline(slow));
        let &mut Request { class, key, attempt, .. } = cx.request(request);
        let is_write = self.writes[usize::from(class)];
        let Some(care) = &mut self.care else { return };
        let Some(out) = care.outs.get_mut(&request) else { return };
        let has_room = care.calling.hedge.as_ref().is_some_and(|hedge| out.sent < hedge.attempts(is_write));
        if !has_room || !out.legs.iter().any(|leg| leg.call == slow) {
            return;
        }
        let budget = &mut self.hand.retries.budget;
        if !budget.as_mut().is_none_or(|budget| budget.try_retry(cx.now())) {
            return;
        }
        let copy = u64::from(out.sent);
        let draw = || unit_open(&mut draws(key, purpose::THROTTLE << 16 | copy << 32 | u64::from(attempt)));
        let pass = match care.calling.allow(cx.now(), draw) {
            Ok(pass) => pass,
            Err(denial) => {
                self.hand.given_up(true);
                return count(denial, cx);
            }
        };
        out.sent += 1;
        out.next = Leg { call: CallId::NONE, pass, is_paid: true, is_hedge: true };
        let address = self.other_address(request, callee, cx);
        cx.count(gauges::HEDGES);
        cx.annotate_request(request, |_| "asks once more: the answer takes long".to_owned());
        let call = self.call(request, address, copy, cx);
        if deadline < SimTime::MAX {
            cx.set_deadline(call, deadline);
        }
        self.called(request, call, cx);
    }

    /// Where a second call goes: to the next member in turn, or to the next address of a name if there is one.
    fn other_address(&mut self, request: RequestId, first: ComponentId, cx: &mut Cx<'_>) -> ComponentId {
        match &mut self.target {
            Target::Boxes(members) => members.turn(),
            Target::Name(..) => {
                let &mut Request { list, asked, .. } = cx.request(request);
                cx.listed(list, usize::from(asked)).unwrap_or(first)
            }
        }
    }

    /// A try has a good answer: nobody waits for its other calls any more.
    #[cold]
    pub(super) fn won(&mut self, request: RequestId, call: CallId, cx: &mut Cx<'_>) {
        let Some(care) = &mut self.care else { return };
        let Some(mut out) = care.outs.remove(&request) else { return };
        let Some(leg) = out.legs.take(call) else { return };
        care.tried(leg.pass, None, cx);
        self.hand.tried(leg.is_paid, true);
        if leg.is_hedge {
            cx.count(gauges::HEDGES_WON);
        }
        let revokes = care.calling.hedge.as_ref().is_some_and(|hedge| hedge.cancels);
        if let Some(hedge) = &mut care.calling.hedge {
            hedge.answered(cx.now().since(out.began));
        }
        for leg in out.legs.iter() {
            care.calling.given_up(false, leg.pass);
            self.hand.given_up(leg.is_paid);
            if revokes {
                cx.revoke(leg.call);
            } else {
                give_up(leg.call, self.cancels, cx);
            }
        }
    }

    /// A call of a try has failed; `goes_on` tells whether it goes on to another address. Returns whether another call is out, so
    /// that the try has not failed yet.
    #[cold]
    pub(super) fn lost(
        &mut self,
        request: RequestId,
        call: CallId,
        failure: Failure,
        goes_on: bool,
        cx: &mut Cx<'_>,
    ) -> bool {
        let Some(care) = &mut self.care else { return false };
        let Some(out) = care.outs.get_mut(&request) else { return false };
        let Some(leg) = out.legs.take(call) else { return false };
        out.next = leg;
        let other = out.legs.iter().next();
        if goes_on && other.is_none() {
            return false;
        }
        care.tried(leg.pass, Some(failure), cx);
        if let Some(other) = other {
            self.hand.tried(leg.is_paid, false);
            cx.request(request).call = other.call;
        }
        other.is_some()
    }

    /// A try has failed. Nobody waits for the calls that are still out. Returns whether the budget has paid for its last call.
    #[cold]
    pub(super) fn give_up_try(&mut self, request: RequestId, failure: Failure, cx: &mut Cx<'_>) -> bool {
        let Some(care) = &mut self.care else { return false };
        let Some(out) = care.outs.remove(&request) else { return false };
        if out.sent == 0 {
            // It has not come to a call, so that its end says nothing of the callee.
            care.calling.given_up(false, out.next.pass);
        }
        let mut last = out.next.is_paid;
        for (place, leg) in out.legs.iter().enumerate() {
            care.tried(leg.pass, Some(failure), cx);
            if place > 0 {
                self.hand.tried(last, false);
            }
            last = leg.is_paid;
            give_up(leg.call, self.cancels, cx);
        }
        last
    }
}

fn count(denial: Denial, cx: &mut Cx<'_>) {
    cx.count(match denial {
        Denial::Open => gauges::BREAKER_DENIED,
        Denial::Throttled => gauges::THROTTLED_LOCALLY,
    });
}

/// Nobody waits for a call any more.
pub(super) fn give_up(call: CallId, cancels: bool, cx: &mut Cx<'_>) {
    if cancels {
        cx.cancel(call);
    } else {
        cx.abandon(call);
    }
}
