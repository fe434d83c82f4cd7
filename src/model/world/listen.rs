//! Listen queues: the connections that a kernel keeps for a process which has not taken them.

use super::{Status, World};
use crate::model::call::{Call, Stage};
use crate::model::line::Opening;
use crate::model::listen::Listen;
use crate::model::signal::{CallId, ComponentId};
use crate::model::trace::What;

/// The listen queue of a component that says nothing about it: 4096 connections, Linux's greatest by default [V:
/// `net.core.somaxconn`, since 5.4]. They never wait while the process runs.
pub(in crate::model) const LISTEN: Listen = Listen { behind: u64::MAX, length: 4096, refuses: false };

impl World {
    /// The process of a component hangs: from now on it takes no connection out of its listen queue.
    pub(super) fn stop_taking(&mut self, component: ComponentId) {
        let waiting = self.recorder.meters[component.index()].lined_up.level();
        let info = &mut self.infos[component.index()];
        info.room = info.listen.length.saturating_sub(waiting.saturating_sub(info.listen.behind));
    }

    /// Whether a connection finds the listen queue of a component full. Then the kernel has dropped or refused it. Otherwise it has
    /// taken a place at a process that hangs: also a check, which is closed at once, stays there until the process takes it.
    #[cold]
    pub(in crate::model) fn overflows(&mut self, component: ComponentId, id: CallId) -> bool {
        if self.luggage.opening(id) == Opening::Kept {
            // Its connection was taken before.
            return false;
        }
        let waiting = self.recorder.meters[component.index()].lined_up.level();
        let info = &mut self.infos[component.index()];
        let Listen { behind, length, refuses } = info.listen;
        let is_full = match info.status {
            Status::Hung => info.room == 0,
            Status::Up => waiting >= behind.saturating_add(length),
            _ => return false,
        };
        if !is_full {
            info.room = info.room.saturating_sub(1);
        } else if refuses {
            self.turn_away(component, id);
        } else {
            self.knock_in_vain(id);
        }
        is_full
    }

    /// The kernel refuses a connection.
    fn turn_away(&mut self, component: ComponentId, id: CallId) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("what has arrived is alive");
        debug_assert!(call.stage == Stage::Inside && call.arrived == now, "it has just arrived");
        let is_check = call.ask.is_check();
        self.recorder.meters[component.index()].enter(now, is_check);
        self.refuse(component, id);
    }

    /// A call has been accepted by the kernel of a process that hangs: it waits for a worker.
    pub(in crate::model) fn line_up(&mut self, component: ComponentId) {
        let meter = &self.recorder.meters[component.index()];
        let (for_slots, all) = (meter.lined_up.level(), meter.queue.level());
        self.set_waiting(component, for_slots + 1, all - for_slots);
    }

    /// The kernel of a component drops the attempt to connect of a call that has just arrived.
    #[cold]
    pub(in crate::model) fn drop_attempt(&mut self, component: ComponentId, id: CallId) {
        let now = self.now();
        let &Call { arrived, callee, stage, ask, .. } =
            self.calls.get(id.0).expect("what has arrived is alive");
        assert!(
            stage == Stage::Inside && callee == component && arrived == now,
            "an attempt is dropped when it arrives"
        );
        self.luggage.pass_on(id);
        self.mark(component, id, What::Leave(None));
        self.recorder.meters[component.index()].turn_back(now, ask.is_check());
        self.knock_in_vain(id);
    }
}
