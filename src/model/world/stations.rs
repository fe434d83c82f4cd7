//! Work in the world: it enters the stations of machines, whose next completions are armed.

use super::World;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::event::Event;
use crate::model::machine::{Device, Job, Machine, MachineId, Task};
use crate::model::signal::ComponentId;
use crate::model::trace::What;
use crate::queueing::station::Entered;

impl World {
    pub(in crate::model) fn machine_of(&mut self, component: ComponentId) -> &mut Machine {
        let id = self.infos[component.index()].machine.expect("the component runs on a machine");
        &mut self.machines[id.index()]
    }

    #[inline(always)]
    pub(in crate::model) fn work(
        &mut self,
        owner: ComponentId,
        task: Task,
        device: Device,
        demand: SimDuration,
    ) {
        let now = self.now();
        let id = self.infos[owner.index()].machine.expect("the component runs on a machine");
        let burden = self.machines[id.index()].burden;
        let demand = if burden == 1.0 { demand } else { heavier(demand, device, burden) };
        if self.trace.is_some() {
            self.tell_work(owner, task, device, demand);
        }
        let machine = &mut self.machines[id.index()];
        let station = &mut machine.armed(device).station;
        match station.enter(now, Job::new(owner, task), demand) {
            Entered::Started => {
                let next = station.next_completion();
                self.arm(id, device, next);
            }
            Entered::Waits => machine.note_queue(),
            Entered::Full => unreachable!("the queue of a station has no limit: calls alive are bounded"),
        }
    }

    #[cold]
    fn tell_work(&mut self, owner: ComponentId, task: Task, device: Device, demand: SimDuration) {
        let Task::Call(id) = task else { return };
        let Some(call) = self.calls.get(id.0).copied() else { return };
        let on = match device {
            Device::Cpu => "the cores",
            Device::Disk => "the disk",
        };
        self.tell(owner, call.client, call.number, |_| format!("has {demand} of work for {on}"));
        self.mark(owner, id, What::Work { device, demand });
    }

    /// Arms the completion event of a station if its next departure is earlier than the armed one.
    #[inline(always)]
    pub(in crate::model) fn rearm(&mut self, id: MachineId, device: Device) {
        let next = self.machines[id.index()].armed(device).station.next_completion();
        self.arm(id, device, next);
    }

    /// The same, when the next departure is known.
    #[inline(always)]
    pub(in crate::model) fn arm(&mut self, id: MachineId, device: Device, next: Option<SimTime>) {
        let armed = self.machines[id.index()].armed(device);
        if let Some(next) = next
            && next < armed.at
        {
            armed.at = next;
            armed.seq = self.calendar.schedule(next, Event::Departure { machine: id, device }.into());
        }
    }

    /// The queue of a component is what waits inside it and, for the host of a machine, what waits for a core.
    pub(in crate::model) fn set_waiting(&mut self, component: ComponentId, for_slots: u64, with_slots: u64) {
        let now = self.now();
        self.recorder.meters[component.index()].set_waiting(now, for_slots, with_slots);
        if let Some(id) = self.infos[component.index()].machine {
            let machine = &mut self.machines[id.index()];
            if machine.host == component {
                machine.set_beside(for_slots + with_slots);
            }
        }
    }
}

/// The demand of work that comes while everything for the cores is this many times as long.
#[cold]
fn heavier(demand: SimDuration, device: Device, burden: f64) -> SimDuration {
    if device == Device::Cpu { demand.mul_f64(burden) } else { demand }
}
