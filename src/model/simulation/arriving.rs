//! `Simulation`: calls come to their callees.

use super::Simulation;
use crate::model::ask::Verb;
use crate::model::call::Stage;
use crate::model::event::Event;
use crate::model::network::Place;
use crate::model::signal::{CallId, ComponentId, Outcome, Signal};
use crate::model::trace::What;
use crate::model::world::Status;

impl Simulation {
    /// Delivers a call to its callee.
    #[inline]
    pub(super) fn arrive(&mut self, to: ComponentId, id: CallId) {
        if self.world.infos[to.index()].status == Status::Paused {
            self.world.hold(Event::Call { to, id });
        } else if let Some(number) = self.admit(to, id) {
            self.deliver(to, Signal::Call(id), number);
        }
    }

    /// Delivers a forwarded call that comes back to its router.
    #[inline(never)]
    pub(super) fn come_back(&mut self, to: ComponentId, id: CallId, from: ComponentId) {
        if self.world.infos[to.index()].status == Status::Paused {
            self.world.hold(Event::Returned { to, id, from });
        } else if let Some(number) = self.admit(to, id) {
            self.deliver(to, Signal::Returned(id, from), number);
        }
    }

    /// Lets a call into a component. Returns the number that stands for it in the fingerprint; `None` if the component
    /// does not get it, because it does not work.
    #[inline(always)]
    fn admit(&mut self, to: ComponentId, id: CallId) -> Option<u64> {
        let now = self.world.now();
        let status = self.world.infos[to.index()].status;
        if status == Status::Silent {
            self.world.knock_in_vain(id);
            return None;
        }
        if self.world.luggage.opening(id).is_first_message()
            && status == Status::Up
            && self.world.infos[to.index()].place != Place::DRIVER
        {
            self.world.meet_connection(to, id);
            return None;
        }
        let call = self.world.calls.get_mut(id.0).expect("a call under way is alive");
        call.stage = Stage::Inside;
        call.arrived = now;
        let (ask, number) = (call.ask, call.number);
        if (status == Status::Hung || ask.verb == Verb::Connect) && self.world.overflows(to, id) {
            return None;
        }
        if !self.world.infos[to.index()].answers.has(ask.verb) {
            self.world.check_ask(to, id);
        }
        if self.world.trace.is_some() {
            self.world.mark(to, id, What::Arrive);
        }
        self.world.recorder.meters[to.index()].enter(now, ask.is_check());
        match status {
            // The kernel accepts the connection if there is a process, even one that hangs.
            Status::Up | Status::Hung if ask.verb == Verb::Connect => self.world.reply(to, id, Outcome::Ok),
            Status::Up => return Some(number),
            Status::Hung => self.world.line_up(to),
            Status::Silent | Status::Paused => {}
            Status::Down | Status::Closing => self.world.refuse(to, id),
        }
        None
    }
}
