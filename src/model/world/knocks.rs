//! Attempts to connect: what the kernel of a caller does while nothing answers.

use super::World;
use super::resends::CONNECTION_GIVEN_UP;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::ask::Verb;
use crate::model::call::{Awaited, Call, Connection, Notes, Stage};
use crate::model::event::Event;
use crate::model::line::Opening;
use crate::model::signal::{CallId, ComponentId, Outcome};

/// Time after which a kernel sends its first attempt to connect again [V: Linux, `TCP_TIMEOUT_INIT`; RFC 6298, 2.1].
const FIRST_GAP: SimDuration = SimDuration::from_secs(1);

/// Number of attempts that are sent again at this distance. Then the distance doubles with each attempt, so that they are sent 1, 2,
/// 3, 4, 5, 7, 11, 19, 35 and 67 s after the first one [V: Linux since 6.5, `tcp_syn_linear_timeouts`; measured with 6.18]. Before
/// 6.5 they were sent after 1, 3, 7, 15, 31 and 63 s.
const LINEAR: u8 = 4;

/// Time after which Linux gives up an attempt to connect: 131 s [V: since 6.5, `tcp_syn_retries` of 6 after the linear ones].
pub(in crate::model) const CONNECT_GIVEN_UP: SimDuration = SimDuration::from_secs(131);

impl World {
    /// An attempt to connect that was sent `late` ago has come to nothing, and the kernel of the caller hears nothing. It tries
    /// again until the caller's time limit for connections is reached.
    #[cold]
    pub(super) fn knock_later(&mut self, id: CallId, late: SimDuration) {
        let now = self.now();
        let asker = self.calls.get(id.0).map_or(ComponentId::NONE, |call| self.asker_of(call.caller, id));
        let call = self.calls.get_mut(id.0).expect("an attempt to connect is for a call that is alive");
        if call.awaited != Awaited::Yes {
            self.calls.remove(id.0);
            return;
        }
        if self.is_over_open(id) {
            return self.keep_call(id, late);
        }
        let call = self.calls.get_mut(id.0).expect("it has just been there");
        call.stage = Stage::Outside;
        call.connection = Connection::Refused;
        let &mut Call { caller, ask, mut knocks, .. } = call;
        let ago = late + after(knocks);
        let first = SimTime::from_nanos(now.as_nanos().saturating_sub(ago.as_nanos()));
        let limit = first + self.infos[asker.index()].patience;
        while first + after(knocks + 1) <= now {
            knocks += 1;
        }
        call.knocks = knocks;
        let again = first + after(knocks + 1);
        // A question to a name server is one packet, which no kernel sends again. Members of one box have their connections
        // already, and send again themselves.
        let gives_up = again >= limit || matches!(ask.verb, Verb::Resolve | Verb::Own { .. });
        let at = if gives_up { limit.max(now) } else { again };
        self.schedule(at, Event::Knock { to: caller, id, gives_up });
    }

    /// The same for a call that has come to a machine that does not take it.
    #[cold]
    pub(in crate::model) fn knock_in_vain(&mut self, id: CallId) {
        let &Call { caller, callee, key, .. } = self.calls.get(id.0).expect("what has arrived is alive");
        let late = self.delay(self.asker_of(caller, id), callee, key).unwrap_or(SimDuration::ZERO);
        self.knock_later(id, late);
    }

    /// The moment at which the caller of a call that has just arrived would give up connecting, or a connection that it has.
    pub(super) fn limit_of_connecting(&self, id: CallId) -> SimTime {
        let &Call { caller, callee, key, knocks, .. } =
            self.calls.get(id.0).expect("what has arrived is alive");
        if self.is_over_open(id) {
            return self.now() + CONNECTION_GIVEN_UP;
        }
        let ago =
            self.delay(self.asker_of(caller, id), callee, key).unwrap_or(SimDuration::ZERO) + after(knocks);
        let first = SimTime::from_nanos(self.now().as_nanos().saturating_sub(ago.as_nanos()));
        (first + self.infos[caller.index()].patience).max(self.now())
    }

    /// The kernel of the caller tries again to connect, or sends the call over the connection that it has opened, unless the call has
    /// ended.
    pub(in crate::model) fn knock(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id.0).filter(|call| call.stage == Stage::Outside) else { return };
        if self.luggage.opening(id) == Opening::Shaking {
            self.luggage.set_opening(id, Opening::Made);
        } else {
            call.knocks += 1;
        }
        call.stage = Stage::Travelling;
        call.connection = Connection::Held;
        let &mut Call { caller, callee, key, .. } = call;
        let delay = self.delay(self.asker_of(caller, id), callee, key);
        self.post(id, delay, Event::Call { to: callee, id });
    }

    /// The caller's time limit for connections is reached. Returns what follows: the caller has its answer, or the router that has
    /// handed the call on gets it back. `None` if the connection was made, or the call has ended.
    pub(in crate::model) fn give_up_connecting(&mut self, id: CallId) -> Option<Event> {
        let call = self.calls.get_mut(id.0).filter(|call| call.stage == Stage::Outside)?;
        let (caller, callee, ask) = (call.caller, call.callee, call.ask);
        let router = std::mem::replace(&mut call.via, ComponentId::NONE);
        if router == ComponentId::NONE {
            call.stage = Stage::Answered;
            self.recorder.meters[callee.index()].own[Outcome::TimedOut as usize] +=
                u64::from(!ask.is_check());
            return Some(Event::Reply { to: caller, id, outcome: Outcome::TimedOut });
        }
        (call.stage, call.callee, call.knocks) = (Stage::Travelling, router, 0);
        call.failed_below = true;
        self.recorder.meters[callee.index()].own[Outcome::TimedOut as usize] += 1;
        if self.crosses_boxes(callee, router) {
            self.calls.get_mut(id.0).expect("it is alive still").notes = Notes::BLANK;
        }
        Some(Event::Returned { to: router, id, from: callee })
    }
}

/// Time from the first attempt to connect to the n-th one after it.
fn after(n: u8) -> SimDuration {
    let doubled = n.saturating_sub(LINEAR).min(32);
    FIRST_GAP.saturating_mul(u64::from(n.min(LINEAR)) + (1 << doubled) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_try_again_as_often_as_linux() {
        // Linux 6.18, one attempt at a full listen queue: sent again after 1.0, 2.1, 3.1, 4.1, 5.1, 7.1, 11.4, 19.6 and 35.7 s.
        let sent: Vec<u64> = (0..=10).map(|n| after(n).as_nanos() / 1_000_000_000).collect();
        assert_eq!(sent, [0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67]);
        assert_eq!(after(11), CONNECT_GIVEN_UP);
    }
}
