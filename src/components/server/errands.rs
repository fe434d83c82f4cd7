//! Errands: what a server's step with tries, a breaker or a second call asks another box for. An errand begins with its
//! first call and ends with an answer that counts, whatever number of calls that takes.

use crate::kernel::random::unit_open;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::ask::{Ask, Found, Verb};
use crate::model::call::{Call, Connection, copy_of};
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId, Outcome};
use crate::parts::calling::Denial;
use crate::parts::failure::Failure;
use crate::parts::hand::Again;
use crate::parts::hedge::HEDGES_MAX;
use crate::parts::legs::{Leg, Legs};
use crate::queueing::circuit_breaker::Change;

use super::{Action, ENDED, Server, gauges};

/// The pause before another try is over.
pub(super) const AGAIN: u16 = 4;

/// A call has waited for long: another one follows it.
pub(super) const HEDGE: u16 = 5;

/// Purpose of the draws for another try, apart from those of the steps.
const RETRY_DRAWS: u64 = 1 << 62;

/// Purpose of the draws of a throttle.
const THROTTLE_DRAWS: u64 = 1 << 63;

/// One thing that a call asks another box for.
#[derive(Clone, Copy, Debug)]
struct Errand {
    call: CallId,
    /// The step.
    at: u16,
    /// What tells the errands of one call apart, as the ordinal of its first call.
    ordinal: u64,
    ask: Ask,
    /// Number of the try, from 1, and of the calls in it.
    attempt: u16,
    sent: u16,
    /// When the try began.
    began: SimTime,
    /// The last pause.
    pause: SimDuration,
    /// Its calls that have had no answer yet.
    out: Legs,
    /// The errands of the same call before and after it.
    before: Option<u32>,
    after: Option<u32>,
}

/// The errands of a machine, each in a place whose number its calls hold as their tag.
#[derive(Debug, Default)]
pub(super) struct Errands {
    places: Vec<Option<Errand>>,
    free: Vec<u32>,
}

impl Errands {
    fn insert(&mut self, errand: Errand) -> u32 {
        if let Some(place) = self.free.pop() {
            self.places[place as usize] = Some(errand);
            return place;
        }
        self.places.push(Some(errand));
        self.places.len() as u32 - 1
    }

    fn get_mut(&mut self, place: u32) -> Option<&mut Errand> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    /// Takes an errand out of its place and of the list of its call. Returns what follows it, if it was the first there.
    fn remove(&mut self, place: u32) -> Option<Option<u32>> {
        let Errand { before, after, .. } = self.places[place as usize].take()?;
        self.free.push(place);
        if let Some(next) = after.and_then(|next| self.get_mut(next)) {
            next.before = before;
        }
        let Some(last) = before else { return Some(after) };
        if let Some(last) = self.get_mut(last) {
            last.after = after;
        }
        None
    }

    /// A crash: nothing is left.
    pub(super) fn clear(&mut self) {
        self.places.clear();
        self.free.clear();
    }
}

/// The place of the first errand of a call.
fn first_of(call: CallId, cx: &Cx<'_>) -> Option<u32> {
    let mark = cx.get(call).notes.mark;
    mark.checked_sub(1).map(|place| place as u32)
}

/// Whether a call has asked for something as an errand that has not ended.
pub(super) fn has_errands(call: CallId, cx: &Cx<'_>) -> bool {
    first_of(call, cx).is_some()
}

impl Server {
    /// Whether the breaker of the call's step lets nothing pass now. The call has failed then.
    pub(super) fn is_denied(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let at = usize::from(cx.get(call).notes.step);
        let is_open = self.stages[at].calling.as_ref().is_some_and(|calling| calling.is_open(cx.now()));
        if is_open {
            self.deny(call, Denial::Open, cx);
            self.fail(call, Outcome::Unavailable, cx);
        }
        is_open
    }

    fn deny(&mut self, call: CallId, denial: Denial, cx: &mut Cx<'_>) {
        cx.count(match denial {
            Denial::Open => gauges::BREAKER_DENIED,
            Denial::Throttled => gauges::THROTTLED_LOCALLY,
        });
        cx.annotate(call, || denial.told().into());
    }

    /// Begins an errand of a call. Returns false if the call has failed, because nothing may be sent.
    pub(super) fn run_errand(&mut self, call: CallId, ordinal: u64, ask: Ask, cx: &mut Cx<'_>) -> bool {
        let at = cx.get(call).notes.step;
        let errand = Errand {
            call,
            at,
            ordinal,
            ask,
            attempt: 1,
            sent: 0,
            began: cx.now(),
            pause: SimDuration::ZERO,
            out: Legs::default(),
            before: None,
            after: first_of(call, cx),
        };
        let place = self.errands.insert(errand);
        if let Some(next) = errand.after.and_then(|next| self.errands.get_mut(next)) {
            next.before = Some(place);
        }
        cx.get_mut(call).notes.mark = u64::from(place) + 1;
        if let Some(calling) = &mut self.stages[usize::from(at)].calling {
            calling.begin(cx.now());
        }
        self.send_errand(place, cx)
    }

    /// Sends one more call of an errand. Returns false if nothing may be sent: the errand and its call have failed, unless another
    /// call is out.
    fn send_errand(&mut self, place: u32, cx: &mut Cx<'_>) -> bool {
        let now = cx.now();
        let Some(&mut Errand { call, at, ordinal, ask, attempt, sent, .. }) = self.errands.get_mut(place)
        else {
            return false;
        };
        let is_write = self.is_write(ask, cx.get(call).class);
        let Some(calling) = &mut self.stages[usize::from(at)].calling else { return false };
        // The second call of an optimistic write is no second try.
        let is_second = matches!(ask.verb, Verb::Swap { .. });
        let is_paid = attempt > 1 || (sent > 0 && !is_second);
        let key = cx.get(call).key;
        // Each call of an errand has draws of its own.
        let calls = u64::from(attempt - 1) * u64::from(HEDGES_MAX) + u64::from(sent);
        let draw = || unit_open(&mut cx.rng_of(key, THROTTLE_DRAWS | copy_of(ordinal, calls)));
        let pass = match calling.allow(now, draw) {
            Ok(pass) => pass,
            Err(denial) => {
                if is_paid {
                    calling.not_sent();
                }
                self.deny(call, denial, cx);
                if sent == 0 || is_second {
                    self.end_errand(place, cx);
                    self.resolve(call, denial.outcome(), Found::default(), cx);
                }
                return false;
            }
        };
        let hedge = calling.hedge.as_ref().filter(|hedge| sent + 1 < hedge.attempts(is_write));
        let delay = hedge.and_then(|hedge| hedge.delay());
        let to = self.target_of(usize::from(at));
        let child = self.send(call, to, copy_of(ordinal, calls), ask, cx);
        cx.set_tag(child, place);
        if let Some(errand) = self.errands.get_mut(place) {
            errand.out.add(Leg { call: child, pass, is_paid, is_hedge: sent > 0 && !is_second });
            errand.sent += 1;
            if sent == 0 {
                errand.began = now;
            }
        }
        if let Some(delay) = delay {
            cx.alarm(delay, HEDGE, About::Call(child));
        }
        true
    }

    /// A call of an errand has waited for long: another one follows it.
    pub(super) fn hedge(&mut self, child: CallId, cx: &mut Cx<'_>) {
        let Some(tag) = cx.tag(child) else { return };
        let is_waiting = |errand: &Errand| errand.out.iter().any(|leg| leg.call == child);
        let Some(&mut Errand { call, at, .. }) =
            self.errands.get_mut(tag).filter(|errand| is_waiting(errand))
        else {
            return;
        };
        let now = cx.now();
        let at = usize::from(at);
        let pays = self.is_going_on(call, cx)
            && self.stages[at].calling.as_mut().is_some_and(|calling| calling.pays_hedge(now));
        if pays && self.send_errand(tag, cx) {
            cx.count(gauges::HEDGES);
            cx.annotate(call, || "asks once more: the answer takes long".into());
        }
    }

    /// Whether a call still waits for its step.
    fn is_going_on(&self, call: CallId, cx: &Cx<'_>) -> bool {
        cx.find(call).is_some_and(|call| call.notes.flags & ENDED == 0)
    }

    /// A call of an errand has been answered, or has waited too long.
    pub(super) fn errand_answered(
        &mut self,
        child: CallId,
        outcome: Outcome,
        failure: Option<Failure>,
        cx: &mut Cx<'_>,
    ) {
        let answer = cx.get(child).answer;
        let now = cx.now();
        let Some(tag) = cx.tag(child) else { return };
        let Some(errand) = self.errands.get_mut(tag) else { return };
        let Some(leg) = errand.out.take(child) else { return };
        let &mut Errand { call, at, began, ask, .. } = errand;
        let others_are_out = !errand.out.is_empty();
        let Some(calling) = &mut self.stages[usize::from(at)].calling else { return };
        // A row that is read to be written is half of a try: the write that follows ends it.
        let goes_on = failure.is_none() && ask.verb == Verb::Look;
        match calling.tried(leg.is_paid && !goes_on, leg.pass, failure, now) {
            Some(Change::Opened) => {
                cx.count(gauges::BREAKER_OPENED);
                cx.note(cx.me(), "breaker opened");
            }
            Some(Change::Closed) => cx.note(cx.me(), "breaker closed"),
            None => {}
        }
        if goes_on {
            errand.ask = Ask::swap(ask.key, Found::decode(answer).position as u32);
            cx.annotate(call, || format!("has read version {} of the row", Found::decode(answer).position));
            self.send_errand(tag, cx);
        } else if failure.is_none() {
            if let Some(hedge) = &mut calling.hedge {
                // From the first call on: below the delay these are the times without a second call, so that the percentile
                // of both is the same.
                hedge.answered(now.since(began));
            }
            if leg.is_hedge {
                cx.count(gauges::HEDGES_WON);
            }
            self.stop_errand(tag, cx);
            self.resolve(call, outcome, Found::decode(answer), cx);
        } else if !others_are_out {
            self.errand_failed(tag, outcome, failure.unwrap_or(Failure::Rejected), cx);
        }
    }

    /// All calls of a try have failed: another try follows, or the errand fails.
    fn errand_failed(&mut self, place: u32, outcome: Outcome, failure: Failure, cx: &mut Cx<'_>) {
        let now = cx.now();
        let Some(&mut Errand { call, at, ordinal, ask, attempt, pause, .. }) = self.errands.get_mut(place)
        else {
            return;
        };
        if !self.is_going_on(call, cx) {
            return self.end_errand(place, cx);
        }
        let &Call { key, class, .. } = cx.get(call);
        let mut rng = cx.rng_of(key, RETRY_DRAWS | copy_of(ordinal, u64::from(attempt)));
        let is_write = self.is_write(ask, class);
        let swaps = self.stages[usize::from(at)].swaps;
        let Some(calling) = &mut self.stages[usize::from(at)].calling else { return };
        match calling.retries.again(attempt, failure, is_write, now, &mut rng) {
            Again::Yes => {
                let pause = calling.retries.pause(attempt, pause, &mut rng);
                if let Some(errand) = self.errands.get_mut(place) {
                    (errand.attempt, errand.sent, errand.pause) = (attempt + 1, 0, pause);
                    if swaps {
                        errand.ask = Ask::look(ask.key);
                    }
                }
                cx.count(gauges::RETRIES);
                cx.annotate(call, || format!("asks again after {pause}"));
                if pause.is_zero() {
                    self.send_errand(place, cx);
                } else {
                    cx.alarm(pause, AGAIN, About::Number(place));
                }
            }
            again => {
                if again == Again::Refused {
                    cx.count(gauges::RETRIES_REFUSED);
                }
                self.end_errand(place, cx);
                self.resolve(call, outcome, Found::default(), cx);
            }
        }
    }

    /// Whether an ask of an errand writes.
    fn is_write(&self, ask: Ask, class: u16) -> bool {
        match ask.verb {
            Verb::Look => false,
            Verb::Swap { .. } => true,
            _ => self.writes[usize::from(class)],
        }
    }

    /// The pause before another try is over.
    pub(super) fn try_again(&mut self, place: u32, cx: &mut Cx<'_>) {
        let Some(&mut Errand { call, at, .. }) = self.errands.get_mut(place) else { return };
        if self.is_going_on(call, cx) {
            self.send_errand(place, cx);
            return;
        }
        if let Some(calling) = &mut self.stages[usize::from(at)].calling {
            calling.not_sent();
        }
        self.end_errand(place, cx);
    }

    /// An errand ends, and nobody waits for its calls any more.
    fn stop_errand(&mut self, place: u32, cx: &mut Cx<'_>) {
        let Some(&mut Errand { call, at, out, .. }) = self.errands.get_mut(place) else { return };
        for leg in out.iter() {
            let Some(calling) = &mut self.stages[usize::from(at)].calling else { continue };
            calling.given_up(leg.is_paid, leg.pass);
            if calling.hedge.as_ref().is_some_and(|hedge| hedge.cancels) {
                cx.revoke(leg.call);
            } else if self.cancels {
                cx.pass_on(call, leg.call);
            } else {
                cx.abandon(leg.call);
            }
        }
        self.end_errand(place, cx);
    }

    /// A call ends: its errands end too, and the boxes that work on them are told. One that is in a pause ends with it.
    pub(super) fn stop_errands(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let mut place = first_of(call, cx);
        while let Some(at) = place {
            let Some(errand) = self.errands.get_mut(at) else { return };
            place = errand.after;
            if !errand.out.is_empty() {
                self.stop_errand(at, cx);
            }
        }
    }

    fn end_errand(&mut self, place: u32, cx: &mut Cx<'_>) {
        let Some(&mut Errand { call, at, .. }) = self.errands.get_mut(place) else { return };
        if let Some(calling) = &mut self.stages[usize::from(at)].calling {
            calling.end();
        }
        if let Some(first) = self.errands.remove(place)
            && cx.find(call).is_some()
        {
            cx.get_mut(call).notes.mark = first.map_or(0, |first| u64::from(first) + 1);
        }
    }

    /// Returns how a call has failed whose answer is late.
    pub(super) fn lateness(child: CallId, cx: &Cx<'_>) -> Failure {
        Failure::late(cx.find(child).map_or(Connection::Refused, |call| call.connection))
    }

    /// Returns the member that the next call of a step goes to.
    fn target_of(&mut self, at: usize) -> ComponentId {
        match self.stages[at].action {
            Action::Query(database, ..) => self.databases[database].targets.turn(),
            Action::Call(other, ..) => self.others[other].turn(),
            _ => unreachable!("only queries and calls are errands"),
        }
    }
}
