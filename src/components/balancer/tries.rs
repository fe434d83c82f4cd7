//! `Balancer`: what follows when a target has answered a call, has failed it, or is too slow.

use super::ejection::Judged;
use super::relays::{Relay, Sent};
use super::spec;
use super::targets::Change;
use super::{Balancer, CANCELLED, gauges, timer};
use crate::kernel::time::SimDuration;
use crate::model::call::{Call, Connection, Notes, Parent};
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, Outcome};
use crate::parts::failure::Failure;
use crate::parts::hand::Again;

/// Purpose of the draw of the pause before another try, apart from those of the choices.
const PAUSE: u64 = 1 << 32;

impl Balancer {
    /// Handles the answer to a call that was sent to a target.
    pub(super) fn answered(&mut self, child: CallId, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let &Call { connection, answer, .. } = cx.get(child);
        cx.get_mut(call).answer = answer;
        if self.care.is_some() {
            self.turn_to(cx.get(call).notes.mark as u32, child);
        }
        if let Some(upstream) = &mut self.upstream
            && connection == Connection::Held
        {
            let place = cx.get(call).notes.mark as u32;
            upstream.answered(child, usize::from(self.relays.get_mut(place).sent.target), cx);
        }
        self.judge(call, outcome, connection != Connection::Held, Failure::of(connection, outcome), cx);
    }

    /// Gives up calls whose targets have not answered in time. The targets do not hear of it.
    pub(super) fn time_out(&mut self, cx: &mut Cx<'_>) {
        while let Some(child) = self.hand.late(cx) {
            cx.count(gauges::TIMEOUTS);
            let &Call { parent: Parent::Call(call), connection, .. } = cx.get(child) else { continue };
            cx.abandon(child);
            if self.care.is_some() {
                self.turn_to(cx.get(call).notes.mark as u32, child);
            }
            self.judge(call, Outcome::TimedOut, true, Some(Failure::late(connection)), cx);
        }
    }

    /// The caller of a call waits for it no longer: its target is told.
    #[cold]
    pub(super) fn cancelled(&mut self, call: CallId, cx: &mut Cx<'_>) {
        cx.count(gauges::CANCELLED);
        if self.door.withdraw(call, cx) {
            return cx.reply(call, Outcome::TimedOut);
        }
        if self.leave_line(call, cx) {
            return;
        }
        let place = cx.get(call).notes.mark as u32;
        let Some(&Relay { sent: Sent { child, .. }, .. }) =
            self.relays.find(place).filter(|relay| relay.call == call)
        else {
            // It has no target yet: the balancer's own work for it comes first.
            cx.get_mut(call).notes.flags |= CANCELLED;
            return;
        };
        let &mut Relay { tries, sent, .. } = self.relays.get_mut(place);
        self.hand.given_up(tries > 0 || sent.is_hedge);
        if self.care.is_some() {
            self.drop_sides(place, false, cx);
        }
        if child != CallId::NONE {
            cx.pass_on(call, child);
            self.leave_target(place, cx);
        }
        self.finish(place, Outcome::TimedOut, cx);
    }

    /// Waits no longer for a target that drains, and answers its call as unavailable.
    pub(super) fn cut(&mut self, child: CallId, cx: &mut Cx<'_>) {
        let Parent::Call(call) = cx.get(child).parent else { return };
        let place = cx.get(call).notes.mark as u32;
        cx.abandon(child);
        self.release_target(place, Outcome::Unavailable, false, Some(Failure::Reset), cx);
        if self.care.is_some() && self.falls_back(place) {
            return;
        }
        self.finish(place, Outcome::Unavailable, cx);
    }

    /// A call has left its target, whose answer may be `lost`. It is tried again if it may be, and ends otherwise.
    fn judge(
        &mut self,
        call: CallId,
        outcome: Outcome,
        lost: bool,
        failure: Option<Failure>,
        cx: &mut Cx<'_>,
    ) {
        let &Call { notes: Notes { mark, .. }, class, key, .. } = cx.get(call);
        let place = mark as u32;
        self.release_target(place, outcome, lost, failure, cx);
        if self.care.is_some() {
            if failure.is_some() && self.falls_back(place) {
                return;
            }
            self.drop_sides(place, failure.is_none(), cx);
        }
        let Some(failure) = failure else { return self.finish(place, outcome, cx) };
        let tries = self.relays.get_mut(place).tries;
        let is_write = self.writes[usize::from(class)];
        let mut rng = cx.rng_of(key, PAUSE + u64::from(tries) + 1);
        match self.hand.retries.again(tries + 1, failure, is_write, cx.now(), &mut rng) {
            Again::Yes => {
                self.relays.get_mut(place).give_up_target(outcome);
                self.pause(call, place, cx);
            }
            again => {
                if again == Again::Refused {
                    cx.count(gauges::RETRIES_REFUSED);
                }
                self.finish(place, outcome, cx);
            }
        }
    }

    /// Tries a call again, after a pause if there is one.
    #[cold]
    fn pause(&mut self, call: CallId, place: u32, cx: &mut Cx<'_>) {
        let tries = self.relays.get_mut(place).tries;
        let mut rng = cx.rng_of(cx.get(call).key, PAUSE + u64::from(tries));
        let pause = self.hand.retries.pause(tries, SimDuration::ZERO, &mut rng);
        if pause.is_zero() {
            self.try_again(call, cx);
        } else {
            cx.alarm(pause, timer::AGAIN, About::Call(call));
        }
    }

    /// Sends a call again. Where no target is left, it ends with the outcome of its last try.
    #[cold]
    pub(super) fn try_again(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let place = cx.get(call).notes.mark as u32;
        let relay = *self.relays.get_mut(place);
        let target = match self.settings.again {
            spec::Again::Same => {
                let same = usize::from(relay.sent.target);
                let may = !self.is_kept_away(cx.now(), same);
                if self.targets.is_full(same) {
                    self.choose(call, &[], cx)
                } else {
                    Some(same).filter(|_| may)
                }
            }
            spec::Again::Others => self.choose(call, relay.tried(), cx),
        };
        let Some(target) = target else {
            let tried = if self.settings.again == spec::Again::Same { &[][..] } else { relay.tried() };
            if self.line.is_some() && self.stand_in_line(call, tried, cx) {
                return;
            }
            self.hand.given_up(relay.tries > 0);
            self.finish(place, relay.outcome, cx);
            return;
        };
        self.send_again(call, place, target, cx);
    }

    /// Sends a call to another target.
    pub(super) fn send_again(&mut self, call: CallId, place: u32, target: usize, cx: &mut Cx<'_>) {
        cx.count(gauges::RETRIES);
        let sent = self.send(call, target, 0, cx);
        let relay = self.relays.get_mut(place);
        (relay.sent, relay.began) = (sent, sent.at);
    }

    /// A call has left its target.
    #[inline]
    fn leave_target(&mut self, place: u32, cx: &mut Cx<'_>) {
        let Sent { target, at, .. } = self.relays.get_mut(place).sent;
        let (now, target) = (cx.now(), usize::from(target));
        self.targets.left(now, target, now.since(at));
        self.tell_if_drained(target, cx);
    }

    /// A call has left its target. The outcome counts for or against the target.
    fn release_target(
        &mut self,
        place: u32,
        outcome: Outcome,
        lost: bool,
        failure: Option<Failure>,
        cx: &mut Cx<'_>,
    ) {
        let now = cx.now();
        let Relay { sent, tries, .. } = *self.relays.get_mut(place);
        self.hand.tried(tries > 0 || sent.is_hedge, outcome == Outcome::Ok);
        if self.care.is_some() {
            self.heed(sent, failure, cx);
        }
        let target = usize::from(sent.target);
        self.leave_target(place, cx);
        let Some(ejection) = self.settings.ejection else { return };
        // What a client may ask less or ask again is no fault of the target: HTTP 429 and 409.
        let error = !matches!(outcome, Outcome::Ok | Outcome::Throttled | Outcome::Conflict);
        let failed = lost || (error && !ejection.connections_only);
        match self.targets.observed(now, target, sent.at, failed) {
            Judged::Nothing => {}
            Judged::Ejected(until) => {
                cx.alarm_at(until, timer::READMIT, About::Number(target as u32));
                cx.count(gauges::EJECTIONS);
                cx.note(self.targets.all[target].id, "ejected");
            }
            Judged::StaysOut(until) => cx.alarm_at(until, timer::READMIT, About::Number(target as u32)),
            Judged::Passed => self.tell(target, Change::Back, cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CHOICE, spec::RETRIES_MAX};
    use super::*;

    #[test]
    fn a_pause_draws_another_number_than_any_choice_of_a_target() {
        assert!(PAUSE > CHOICE + u64::from(RETRIES_MAX));
    }
}
