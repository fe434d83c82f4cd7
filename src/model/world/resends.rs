//! Messages over connections that are open, while nothing comes through: the kernel of the sender sends them again.

use super::{Status, World};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::ask::Verb;
use crate::model::call::{Call, Connection, Stage};
use crate::model::event::Event;
use crate::model::line::Opening;
use crate::model::signal::{CallId, ComponentId, Outcome};
use crate::model::troubles::{RETRANSMISSIONS_MAX, pause_before};

/// Time after which Linux gives up a connection on which nothing is acknowledged, where the round trip is short: 924.6 s [V: ip-sysctl,
/// `tcp_retries2` of 15].
pub(super) const CONNECTION_GIVEN_UP: SimDuration = SimDuration::from_millis(924_600);

impl World {
    /// A call goes over a connection that its caller has had open, though its callee may have closed it.
    pub(in crate::model) fn keep_to_connection(&mut self, id: CallId, opening: Opening) {
        self.luggage.set_opening(id, opening);
        let call = self.calls.get(id.0).expect("a call that has just been made is alive");
        if call.stage == Stage::Outside {
            // It was taken for an attempt to connect when it was lost.
            self.keep_call(id, SimDuration::ZERO);
        }
    }

    /// Whether a call goes over a connection that is open, as far as its caller knows.
    pub(super) fn is_over_open(&self, id: CallId) -> bool {
        matches!(self.luggage.opening(id), Opening::Kept | Opening::Closed)
    }

    /// A call over an open connection, sent `late` ago, has not been acknowledged. If its callee has no power, it knows nothing of the
    /// connection when it is back.
    #[cold]
    pub(super) fn keep_call(&mut self, id: CallId, late: SimDuration) {
        let call = self.calls.get_mut(id.0).expect("a message is about a call that is alive");
        (call.stage, call.connection) = (Stage::Unacknowledged, Connection::Held);
        let (caller, callee) = (call.caller, call.callee);
        if self.infos[callee.index()].process() == Status::Silent {
            self.luggage.set_opening(id, Opening::Closed);
        }
        self.wait_to_resend(caller, id, late, Outcome::Ok);
    }

    /// An answer does not come through. Neither side is notified: the caller waits until its own time limit, or until the answer, which
    /// is sent again, comes through.
    #[cold]
    pub(super) fn keep_answer(&mut self, id: CallId, outcome: Outcome) {
        let call = self.calls.get_mut(id.0).expect("a message is about a call that is alive");
        let callee = call.callee;
        match (call.connection, call.ask.verb) {
            // The kernel of the caller has heard nothing of the refusal of its attempt.
            (Connection::Refused, _) => self.knock_later(id, SimDuration::ZERO),
            // Answers of name servers are single packets, and members of a box care for their messages themselves.
            (_, Verb::Resolve | Verb::Own { .. }) => self.lose(id),
            _ => {
                (call.stage, call.knocks) = (Stage::AnswerUnacknowledged, 0);
                self.wait_to_resend(callee, id, SimDuration::ZERO, outcome);
            }
        }
    }

    /// The kernel of a sender waits until it sends a message again, the last time of which was `late` ago.
    fn wait_to_resend(&mut self, to: ComponentId, id: CallId, late: SimDuration, outcome: Outcome) {
        let now = self.now();
        let round_trip = self.round_trip_of(id);
        let call = self.calls.get_mut(id.0).expect("a message is about a call that is alive");
        let ago = late + after(call.knocks, round_trip);
        let first = SimTime::from_nanos(now.as_nanos().saturating_sub(ago.as_nanos()));
        while call.knocks < RETRANSMISSIONS_MAX && first + after(call.knocks + 1, round_trip) <= now {
            call.knocks += 1;
        }
        let at = first + after(call.knocks + 1, round_trip);
        self.schedule(at.max(now), Event::Resend { to, id, outcome });
    }

    /// Mean time of a round trip between the two ends of a call.
    fn round_trip_of(&self, id: CallId) -> SimDuration {
        let &Call { caller, callee, .. } =
            self.calls.get(id.0).expect("a message is about a call that is alive");
        self.distance(self.asker_of(caller, id), callee).saturating_mul(2)
    }

    /// The kernel of `to` sends a message again, unless the caller has given up, or gives up the connection.
    #[cold]
    pub(in crate::model) fn resend(&mut self, to: ComponentId, id: CallId, outcome: Outcome) {
        let Some(call) = self.calls.get_mut(id.0) else { return };
        let (is_answer, &mut Call { caller, callee, key, client, number, class, .. }) = match call.stage {
            Stage::Unacknowledged => (false, call),
            Stage::AnswerUnacknowledged => (true, call),
            _ => return,
        };
        if self.infos[to.index()].status == Status::Paused {
            return self.hold(Event::Resend { to, id, outcome });
        }
        if is_answer && self.infos[to.index()].process() == Status::Silent {
            // Its machine has been given back meanwhile.
            return self.lose(id);
        }
        let at = self.asker_of(caller, id);
        let delay = if is_answer { self.delay(callee, at, key) } else { self.delay(at, callee, key) };
        let call = self.calls.get_mut(id.0).expect("it has just been there");
        call.knocks += 1;
        if call.knocks > RETRANSMISSIONS_MAX {
            return self.give_up_connection(id);
        }
        let Some(mut delay) = delay else {
            return self.wait_to_resend(to, id, SimDuration::ZERO, outcome);
        };
        call.stage = if is_answer { Stage::Answered } else { Stage::Travelling };
        self.tell(to, client, number, |_| {
            format!("sends its {} again, {delay} away", if is_answer { "answer" } else { "call" })
        });
        if is_answer {
            delay += self.transmission_of_answer(callee, at, class, number, outcome);
            self.schedule(self.now() + delay, Event::Reply { to: caller, id, outcome });
        } else {
            self.schedule(self.now() + delay, Event::Call { to: callee, id });
        }
    }

    /// The kernel of a sender has sent a message in vain for as long as it does: both ends see the connection break.
    fn give_up_connection(&mut self, id: CallId) {
        let call = self.calls.get_mut(id.0).expect("a message is about a call that is alive");
        (call.stage, call.connection) = (Stage::Answered, Connection::Broken);
        let &mut Call { caller, callee, ask, .. } = call;
        self.fail_unheard(callee, ask.is_check());
        self.schedule(self.now(), Event::Reply { to: caller, id, outcome: Outcome::Unavailable });
    }

    /// The answer to a call is lost for good: the caller hears no more of it, until its operating system gives up the connection.
    #[cold]
    pub(super) fn lose(&mut self, id: CallId) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("a message is about a call that is alive");
        (call.stage, call.connection) = (Stage::Lost, Connection::Broken);
        let (caller, callee, is_check) = (call.caller, call.callee, call.ask.is_check());
        self.fail_unheard(callee, is_check);
        let answer = Event::Reply { to: caller, id, outcome: Outcome::Unavailable };
        self.schedule(now + CONNECTION_GIVEN_UP, answer);
    }

    /// An answer of a component is never heard, which its caller takes for its failure.
    pub(super) fn fail_unheard(&mut self, component: ComponentId, is_check: bool) {
        self.recorder.meters[component.index()].own[Outcome::Unavailable as usize] += u64::from(!is_check);
    }
}

/// Time from the first sending of a message to the n-th one after it, where a round trip takes some time.
fn after(n: u8, round_trip: SimDuration) -> SimDuration {
    (1..=n).fold(SimDuration::ZERO, |total, n| total + pause_before(n, round_trip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_sent_again_as_linux_does() {
        let ms: Vec<u64> = (0..=7).map(|n| after(n, SimDuration::ZERO).as_nanos() / 1_000_000).collect();
        assert_eq!(ms, [0, 200, 400, 800, 1600, 3200, 6400, 12800]);
        assert_eq!(after(3, SimDuration::from_millis(100)), SimDuration::from_millis(1200));
        // The probe, and then `tcp_retries2`, whose time is told in the documentation of Linux.
        let probe = SimDuration::from_millis(200);
        assert_eq!(after(RETRANSMISSIONS_MAX + 1, SimDuration::ZERO), probe + CONNECTION_GIVEN_UP);
    }
}
