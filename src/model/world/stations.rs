//! Work in the world: it enters the stations of machines, whose next completions are armed.

use super::World;
use crate::kernel::random::below;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::event::Event;
use crate::model::hardware::MachineSpec;
use crate::model::machine::{Device, Halt, Job, Machine, MachineId, Task, Throttle};
use crate::model::signal::{CallId, ComponentId};
use crate::model::trace::What;
use crate::queueing::quota::Budget;
use crate::queueing::station::Entered;

impl World {
    #[inline(always)]
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
                let has_quota = machine.throttle.is_some();
                self.arm(id, device, next);
                if has_quota {
                    self.wake_quota(id);
                }
            }
            Entered::Waits if machine.ranks.is_empty() => machine.note_queue(),
            Entered::Waits => self.prefer(id, device),
            Entered::Full => unreachable!("the queue of a station has no limit: calls alive are bounded"),
        }
    }

    /// Work that has just begun to wait takes a core from work of a lower priority, if there is some.
    #[cold]
    fn prefer(&mut self, id: MachineId, device: Device) {
        let now = self.now();
        let machine = &mut self.machines[id.index()];
        if device == Device::Disk {
            return machine.note_queue();
        }
        let (ranks, calls) = (&machine.ranks, &self.calls);
        // What a box does for itself goes before all calls.
        let rank = |job: &Job| match job.task() {
            Task::Call(call) => calls.get(call.0).map_or(0, |call| ranks[usize::from(call.class)]),
            Task::Own(_) => 0,
        };
        let gives_way = machine.cpu.station.prefer(now, rank);
        machine.note_queue();
        let Some(job) = gives_way else { return };
        self.rearm(id, device);
        if let Task::Call(call) = job.task()
            && let Some(call) = self.calls.get(call.0).copied()
        {
            let words = "gives its core to a request of a higher priority, and waits for another";
            self.tell(job.owner(), call.client, call.number, |_| words.to_owned());
        }
    }

    #[inline(always)]
    pub(in crate::model) fn reserve_memory(&mut self, component: ComponentId, bytes: u64) -> bool {
        let machine = self.machine_of(component);
        let fits = machine.memory.reserve(bytes);
        if machine.swaps.is_some() {
            self.swap(component);
        }
        fits
    }

    #[inline(always)]
    pub(in crate::model) fn release_memory(&mut self, component: ComponentId, bytes: u64) {
        let machine = self.machine_of(component);
        machine.memory.release(bytes);
        if machine.swaps.is_some() {
            self.swap(component);
        }
    }

    /// The memory of a machine that swaps has changed, and so has the speed of its cores.
    #[cold]
    fn swap(&mut self, component: ComponentId) {
        let now = self.now();
        let Some(id) = self.infos[component.index()].machine else { return };
        self.machines[id.index()].turn_cores(now);
        self.rearm(id, Device::Cpu);
    }

    /// The host of a machine stops its cores, or lets them go on.
    pub(in crate::model) fn halt_cores(&mut self, host: ComponentId, stops: bool) {
        let now = self.now();
        let Some(id) = self.infos[host.index()].machine else { return };
        self.machines[id.index()].halt(now, Halt::Host, stops);
        self.rearm(id, Device::Cpu);
    }

    /// Gives a machine that has just joined the ranks of its spec, and its quota, whose periods begin at a random moment.
    pub(in crate::model) fn grant(&mut self, id: MachineId, spec: &MachineSpec, host: &str) {
        if spec.preempts {
            self.machines[id.index()].ranks = self.ranks.clone();
        }
        let Some(quota) = spec.quota else { return };
        let phase = below(&mut self.seed.stream(host, "quota"), quota.period.as_nanos());
        let budget = Budget::new(quota, SimDuration::from_nanos(phase));
        self.machines[id.index()].throttle = Some(Box::new(Throttle::new(budget)));
    }

    /// More cores of a machine with a quota are busy: it looks at the quota at once.
    #[cold]
    fn wake_quota(&mut self, id: MachineId) {
        let now = self.now();
        self.plan_quota(id, now);
    }

    /// A machine is to look at its quota at this time, if it does not so before.
    fn plan_quota(&mut self, id: MachineId, at: SimTime) {
        let Some(throttle) = &mut self.machines[id.index()].throttle else { return };
        if at < throttle.at {
            throttle.at = at;
            throttle.seq = self.calendar.schedule(at, Event::Quota(id).into());
        }
    }

    /// A machine looks at its quota. Returns whether its cores stand still from now on, if that has changed. A look that was replaced by
    /// an earlier one does nothing.
    #[cold]
    pub(in crate::model) fn look_at_quota(&mut self, id: MachineId, seq: u64) -> Option<bool> {
        let now = self.now();
        let machine = &mut self.machines[id.index()];
        let throttle = machine.throttle.as_mut().filter(|throttle| throttle.seq == seq)?;
        throttle.at = SimTime::MAX;
        let (next, change) = machine.look_at_quota(now);
        if let Some(next) = next {
            self.plan_quota(id, next);
        }
        if change.is_some() {
            self.rearm(id, Device::Cpu);
        }
        change
    }

    /// Ends the work of a component for a call on its cores.
    #[cold]
    pub(in crate::model) fn stop_task(&mut self, owner: ComponentId, call: CallId) {
        let now = self.now();
        let Some(id) = self.infos[owner.index()].machine else { return };
        let of_call = |job: &Job| job.owner() == owner && job.task() == Task::Call(call);
        self.machines[id.index()].armed(Device::Cpu).station.remove_if(now, of_call);
        self.rearm(id, Device::Cpu);
    }

    #[cold]
    fn tell_work(&mut self, owner: ComponentId, task: Task, device: Device, demand: SimDuration) {
        let Task::Call(id) = task else { return };
        let Some(call) = self.calls.get(id.0).copied() else { return };
        let on = match device {
            Device::Cpu => "the cores",
            Device::Disk => "the disk",
        };
        let machine = self.infos[owner.index()].machine.map(|id| &self.machines[id.index()]);
        let waits = device == Device::Cpu && machine.is_some_and(Machine::is_halted);
        let until = if waits { ", which stand still now" } else { "" };
        self.tell(owner, call.client, call.number, |_| format!("has {demand} of work for {on}{until}"));
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
