//! Connections that are opened for a call, and those that the callee has closed before it comes.

use super::World;
use crate::model::call::{Awaited, Call, Connection, Stage};
use crate::model::event::Event;
use crate::model::line::Opening;
use crate::model::signal::{CallId, ComponentId, Outcome};

impl World {
    /// The first message of a connection has come to a process that works, or a call over a connection that this process has
    /// closed. Neither is a call that the process sees.
    #[cold]
    pub(in crate::model) fn meet_connection(&mut self, to: ComponentId, id: CallId) {
        let awaited = self.calls.get(id.0).expect("what has arrived is alive").awaited;
        let opening = self.luggage.opening(id);
        match opening {
            _ if awaited != Awaited::Yes && opening != Opening::Closed => {
                self.calls.remove(id.0);
            }
            Opening::Closed => self.reset(to, id),
            _ => self.shake_hands(id, opening.trips()),
        }
    }

    /// The callee has taken the first message of a connection: the call is sent when all round trips are over.
    fn shake_hands(&mut self, id: CallId, trips: u8) {
        let &Call { caller, callee, key, .. } = self.calls.get(id.0).expect("it is alive");
        let at = self.asker_of(caller, id);
        let (Some(there), Some(back)) = (self.delay(at, callee, key), self.delay(callee, at, key)) else {
            return self.knock_in_vain(id);
        };
        let call = self.calls.get_mut(id.0).expect("it is alive");
        call.stage = Stage::Outside;
        call.connection = Connection::Refused;
        self.luggage.set_opening(id, Opening::Shaking);
        let at = self.now() + back + (there + back).saturating_mul(u64::from(trips) - 1);
        self.schedule(at, Event::Knock { to: caller, id, gives_up: false });
    }

    /// The kernel of the callee knows nothing of the connection: the caller sees it break.
    fn reset(&mut self, component: ComponentId, id: CallId) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("it is alive");
        (call.stage, call.arrived, call.connection) = (Stage::Inside, now, Connection::Broken);
        let is_check = call.ask.is_check();
        self.recorder.meters[component.index()].enter(now, is_check);
        self.reply(component, id, Outcome::Unavailable);
    }
}
