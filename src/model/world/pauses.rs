//! Machines that stand still: nothing leaves them, and what comes to them waits until they go on.

use super::{Status, World};
use crate::model::call::{Awaited, Connection, Stage};
use crate::model::event::{Event, Packed, tag};
use crate::model::machine::Device;
use crate::model::signal::{CallId, ComponentId};

impl World {
    /// The machine of a component stands still. Its work keeps what is left of it.
    pub(in crate::model) fn pause(&mut self, component: ComponentId) {
        let info = &mut self.infos[component.index()];
        info.pauses += 1;
        if info.pauses == 1 {
            info.asleep = Some(info.status);
            info.status = Status::Paused;
            self.stand_still(component, true, "pause");
        }
    }

    /// A pause of the machine of a component is over. After the last one everything that has come meanwhile arrives, in its order.
    pub(in crate::model) fn go_on(&mut self, component: ComponentId) {
        let info = &mut self.infos[component.index()];
        info.pauses -= 1;
        if info.pauses > 0 {
            return;
        }
        info.status = info.asleep.take().expect("what goes on has stood still");
        self.stand_still(component, false, "goes on");
        let (come, held) =
            std::mem::take(&mut self.held).into_iter().partition(|event| event.to() == component);
        self.held = held;
        let come: Vec<Packed> = come;
        for event in come {
            if self.is_due(event) {
                self.calendar.schedule_now(event);
            }
        }
    }

    /// Stops the stations of the machine of which a component is the host, or lets them go on.
    fn stand_still(&mut self, component: ComponentId, stands: bool, event: &'static str) {
        let now = self.now();
        let Some(id) = self.infos[component.index()].machine else { return self.note(component, event) };
        if self.machines[id.index()].host != component {
            return;
        }
        self.note(component, event);
        self.machines[id.index()].stand_still(now, stands);
        self.rearm(id, Device::Cpu);
        if self.machines[id.index()].disk.is_some() {
            self.rearm(id, Device::Disk);
        }
    }

    /// Whether an event that has waited still has a subject: callers may have given up meanwhile.
    fn is_due(&mut self, event: Packed) -> bool {
        if event.tag() != tag::CALL {
            return true;
        }
        let call = self.calls.get_mut(event.call().0).filter(|call| call.stage == Stage::Outside);
        call.is_some_and(|call| {
            (call.stage, call.connection) = (Stage::Travelling, Connection::Held);
            true
        })
    }

    /// An event has come for a component whose machine stands still.
    #[cold]
    pub(in crate::model) fn hold(&mut self, event: Event) {
        if let Event::Call { id, .. } = event {
            self.wait_outside(id);
        }
        self.held.push(event.into());
    }

    /// A call has come to a machine that stands still. It waits there, unless its caller gives up.
    fn wait_outside(&mut self, id: CallId) {
        let (limit, is_over_open) = (self.limit_of_connecting(id), self.is_over_open(id));
        let call = self.calls.get_mut(id.0).expect("what has arrived is alive");
        if call.awaited != Awaited::Yes {
            self.calls.remove(id.0);
            return;
        }
        call.stage = Stage::Outside;
        if !is_over_open {
            call.connection = Connection::Refused;
        }
        let caller = call.caller;
        self.schedule(limit, Event::Knock { to: caller, id, gives_up: true });
    }
}
