//! Begins and ends the faults of a trial. Everything else that happens in the same nanosecond comes before them.

use std::sync::Arc;

use crate::kernel::time::{SimDuration, SimTime};

use super::super::event::{Event, Packed, fleet_turn};
use super::super::faults::{Effect, Fault, Planned, Slowness, Stage, When};
use super::super::machine::MachineId;
use super::super::signal::{ComponentId, Control, Impairment, Order, Signal};
use super::super::troubles::Links;
use super::super::world::Status;
use super::Simulation;

/// The normal speed.
const MILLION: f64 = 1e6;

/// Bit in the number of a fault that has let everything else of its nanosecond happen first.
const DUE: u32 = 1 << 31;

impl Simulation {
    /// Plans a fault. All components must have been added.
    pub fn plan(&mut self, fault: Fault) {
        let stream = self.world.seed.stream(&fault.name, "fault");
        let effect = match fault.effect {
            Effect::PowerOff(components) => Effect::PowerOff(self.neighbours(&components)),
            Effect::Disaster(components) => Effect::Disaster(self.neighbours(&components)),
            Effect::Pause(components) => Effect::Pause(self.neighbours(&components)),
            Effect::Slow { of, speed, slowness } => {
                Effect::Slow { of: self.one_a_machine(of), speed, slowness }
            }
            other => other,
        };
        let effect = Arc::new(effect);
        self.world.has_faults = true;
        self.faults.push(Planned {
            effect,
            when: fault.when,
            stream,
            active: false,
            row: fault.row,
            times: 0,
            member: 0,
            stage: Stage::Next,
            due: None,
        });
    }

    /// These components and all components on their machines, each once.
    fn neighbours(&self, components: &[ComponentId]) -> Vec<ComponentId> {
        let infos = &self.world.infos;
        let machines: Vec<MachineId> = components.iter().filter_map(|id| infos[id.index()].machine).collect();
        let all = (0..infos.len()).map(ComponentId::new);
        let falls = |id: &ComponentId| {
            components.contains(id)
                || infos[id.index()].machine.is_some_and(|machine| machines.contains(&machine))
        };
        all.filter(falls).collect()
    }

    fn one_a_machine(&self, mut components: Vec<ComponentId>) -> Vec<ComponentId> {
        let mut machines = Vec::new();
        components.retain(|id| {
            let machine = self.world.infos[id.index()].machine;
            let new = machine.is_some() && !machines.contains(&machine);
            machines.push(machine);
            new
        });
        components
    }

    /// Schedules the beginning of every fault.
    pub(super) fn schedule_faults(&mut self) {
        for index in 0..self.faults.len() {
            let planned = &mut self.faults[index];
            let after = match &planned.when {
                When::Once { at, .. } => *at,
                When::Again { after, .. } => after.draw(&mut planned.stream),
            };
            self.schedule_turn(index, after);
        }
    }

    pub(super) fn schedule_turn(&mut self, index: usize, after: SimDuration) {
        let at = self.world.now() + after;
        if at < SimTime::MAX {
            self.world.calendar.schedule(at, Event::Fault(index as u32).into());
        }
    }

    /// Begins or ends a fault, once everything that was planned for this nanosecond has happened: work that ends when a fault
    /// begins has ended before it.
    pub(super) fn turn_fault(&mut self, number: u32) {
        if number & DUE == 0 {
            self.world.calendar.schedule_now(Event::Fault(number | DUE).into());
            return;
        }
        if let Some(turn) = fleet_turn::read(number & !DUE) {
            return self.turn_fleet(turn);
        }
        let index = (number & !DUE) as usize;
        if self.turn_deployment(index) {
            return;
        }
        let planned = &mut self.faults[index];
        planned.active = !planned.active;
        let begins = planned.active;
        planned.times += u64::from(begins);
        let next = match (&planned.when, begins) {
            (When::Once { lasts, .. }, true) => *lasts,
            (When::Once { .. }, false) => None,
            (When::Again { lasts, .. }, true) => Some(lasts.draw(&mut planned.stream)),
            (When::Again { after, .. }, false) => Some(after.draw(&mut planned.stream)),
        };
        if let Some(after) = next {
            self.schedule_turn(index, after);
        }
        let effect = Arc::clone(&self.faults[index].effect);
        self.apply(&effect, begins);
        self.world.ledgers.turn_fault(self.world.now(), begins);
    }

    fn apply(&mut self, effect: &Effect, begins: bool) {
        match effect {
            Effect::Crash(components) => {
                self.control_all(components, if begins { Control::Crash } else { Control::Recover });
            }
            Effect::PowerOff(components) => self.power(components, begins),
            Effect::Disaster(components) => {
                self.power(components, begins);
                if begins {
                    components.iter().for_each(|component| self.world.silence(*component));
                }
            }
            Effect::Hang(components) if begins => self.control_all(components, Control::Hang),
            Effect::Hang(components) => {
                for component in components {
                    if self.world.wakes(*component) {
                        self.happen(*component, Control::Recover);
                    }
                }
            }
            Effect::Pause(components) if begins => components.iter().for_each(|id| self.world.pause(*id)),
            Effect::Pause(components) => components.iter().for_each(|id| self.world.go_on(*id)),
            // It takes steps of its own.
            Effect::Deploy(_) => {}
            Effect::Impair(components, impairment) => self.impair(components, *impairment, begins),
            Effect::Errors(components, rule) => {
                self.control_all(components, if begins { Control::Err(*rule) } else { Control::Heal(*rule) });
            }
            Effect::Links(name, links) => self.trouble(name, links, begins),
            Effect::Slow { of, slowness, .. } => {
                for component in of {
                    let speed = (self.speed_left(*component, *slowness) * MILLION).round() as u32;
                    let control = match slowness {
                        Slowness::Cores => Control::Slow(speed),
                        Slowness::NewWork => Control::Burden(speed),
                    };
                    self.happen(*component, control);
                }
            }
        }
    }

    fn impair(&mut self, components: &[ComponentId], impairment: Impairment, begins: bool) {
        for component in components {
            // What is lost comes back by itself, if at all: each loss happens, and no end of one.
            if impairment == Impairment::Emptied {
                if begins {
                    self.happen(*component, Control::Impair(impairment));
                }
                continue;
            }
            let lasting = self.faults.iter().filter(|planned| planned.active).filter(|planned| {
                matches!(&*planned.effect, Effect::Impair(of, other) if *other == impairment && of.contains(component))
            });
            match (lasting.count(), begins) {
                (1, true) => self.happen(*component, Control::Impair(impairment)),
                (0, false) => self.happen(*component, Control::Mend(impairment)),
                // Another fault of the same kind is active, so nothing changes.
                _ => {}
            }
        }
    }

    fn trouble(&mut self, name: &str, links: &Arc<Links>, begins: bool) {
        let world = &mut self.world;
        let (begin, end) = links.trouble.events();
        let now = world.now();
        if begins {
            world.troubles.begin(links, world.infos.len());
            world.recorder.note(now, name, begin);
        } else {
            world.troubles.end(links);
            world.recorder.note(now, name, end);
        }
    }

    /// The share of its speed that all active faults of one sort together leave to the machine of a component.
    fn speed_left(&self, component: ComponentId, sort: Slowness) -> f64 {
        let machine_of = |id: &ComponentId| self.world.infos[id.index()].machine;
        let machine = machine_of(&component);
        let shares =
            self.faults.iter().filter(|planned| planned.active).map(|planned| match &*planned.effect {
                Effect::Slow { of, speed, slowness }
                    if *slowness == sort && of.iter().any(|id| machine_of(id) == machine) =>
                {
                    *speed
                }
                _ => 1.0,
            });
        shares.product()
    }

    /// Machines lose their power, or have it again.
    fn power(&mut self, components: &[ComponentId], begins: bool) {
        for component in components {
            if begins {
                self.happen(*component, Control::PowerOff);
            } else {
                self.world.light(*component);
                self.happen(*component, Control::Recover);
            }
        }
    }

    /// Carries out an operation that a component has planned for itself or for another one.
    #[cold]
    pub(super) fn happen_as_planned(&mut self, event: Packed) {
        let (to, place) = (event.to(), event.place());
        if self.world.infos[to.index()].status == Status::Paused {
            return self.world.hold(Event::Control { to, place });
        }
        let control = self.world.controls.remove(place);
        self.happen(to, control.expect("what was planned happens once"));
    }

    /// The quota of a machine is used up, or a new period has begun: its host hears of it.
    #[cold]
    pub(super) fn turn_quota(&mut self, machine: MachineId, seq: u64) {
        if let Some(stands) = self.world.look_at_quota(machine, seq) {
            let control = Control::Throttle(stands);
            let host = self.world.machines[machine.index()].host;
            self.deliver(host, Signal::Control(control), control.number());
        }
    }

    /// The kernel of a caller tries again to connect, or gives up.
    #[cold]
    pub(super) fn knock(&mut self, event: Packed) {
        let (to, id) = (event.to(), event.call());
        if self.world.infos[to.index()].status == Status::Paused {
            return self.world.hold(Event::Knock { to, id, gives_up: event.gives_up() });
        }
        if !event.gives_up() {
            return self.world.knock(id);
        }
        match self.world.give_up_connecting(id) {
            Some(Event::Reply { to, outcome, .. }) => self.answer(to, id, outcome),
            Some(Event::Returned { to, from, .. }) => self.come_back(to, id, from),
            _ => {}
        }
    }

    /// Carries out an operation on a component. Where its machine stands still, a process starts and hears orders when it goes on.
    #[cold]
    pub(super) fn happen(&mut self, to: ComponentId, control: Control) {
        if matches!(control, Control::Order(Order { code: Order::DRAINED, .. })) {
            return self.drained(to);
        }
        let info = &self.world.infos[to.index()];
        if info.status == Status::Paused && matches!(control, Control::Recover | Control::Order(_)) {
            let place = self.world.controls.insert(control);
            return self.world.hold(Event::Control { to, place });
        }
        let hung = info.process() == Status::Hung;
        if !self.world.operate(to, control) {
            return;
        }
        if hung && control == Control::Recover {
            // Restarting a process that hangs loses its state.
            self.deliver(to, Signal::Control(Control::Crash), Control::Crash.number());
        }
        self.deliver(to, Signal::Control(control), control.number());
    }

    fn control_all(&mut self, components: &[ComponentId], control: Control) {
        for component in components {
            self.happen(*component, control);
        }
    }
}
