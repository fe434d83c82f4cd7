//! Machines that come and go: a member of a fleet that is off does nothing and costs nothing.

use super::{Status, World};
use crate::model::event::{Event, fleet_turn};
use crate::model::fleet::{Backlog, Sight, State};
use crate::model::purge::{Due, Purge};
use crate::model::signal::ComponentId;

impl World {
    /// The fleet of a component, and its number there.
    pub(in crate::model) fn fleet_of(&self, component: ComponentId) -> Option<(usize, usize)> {
        self.fleets.iter().enumerate().find_map(|(fleet, running)| {
            let place = running.places.iter().position(|place| place.of == component)?;
            Some((fleet, place))
        })
    }

    /// A keeper orders a number of members. The fleet turns once everything else of this moment has happened.
    pub(in crate::model) fn want_members(&mut self, member: ComponentId, wanted: u32) {
        let Some((fleet, _)) = self.fleet_of(member) else { return };
        self.fleets[fleet].wanted = wanted;
        self.schedule(self.now(), Event::Fault(fleet_turn::size(fleet)));
    }

    /// The fleet of an operation for which the operators are called, and its place there.
    pub(in crate::model) fn on_call(&self, operation: u32) -> Option<(usize, usize)> {
        self.fleets.iter().enumerate().find_map(|(fleet, running)| {
            let place = running.plan.on_call.iter().position(|one| one.operation == operation)?;
            Some((fleet, place))
        })
    }

    /// Calls the operators for an operation, which they do after its time. Who has been called already does it once.
    pub(in crate::model) fn call_operators(&mut self, operation: u32) {
        let Some((fleet, place)) = self.on_call(operation) else { return self.call_for_purge(operation) };
        let order = &mut self.fleets[fleet].plan.on_call[place];
        if !std::mem::replace(&mut order.is_called, true) {
            let at = self.now() + self.fleets[fleet].plan.on_call[place].scale.at;
            self.schedule(at, Event::Fault(fleet_turn::operation(operation)));
        }
    }

    fn call_for_purge(&mut self, operation: u32) {
        let purge = self.purges.iter_mut().find(|purge| purge.operation == operation);
        let Some(Purge { due: Due::OnCall { after, is_called }, .. }) = purge else { return };
        let after = *after;
        if !std::mem::replace(is_called, true) {
            self.schedule(self.now() + after, Event::Fault(fleet_turn::operation(operation)));
        }
    }

    /// What the operators see of a member that is up and works.
    pub(in crate::model) fn look_at(&self, member: ComponentId) -> Option<Sight> {
        let (fleet, place) = self.fleet_of(member)?;
        let info = &self.infos[member.index()];
        if self.fleets[fleet].places[place].state != State::Up || self.is_dead(member) {
            return None;
        }
        let machine = &self.machines[info.machine?.index()];
        let inside = self.recorder.meters[member.index()].inside.whole(self.now().as_nanos());
        Some(Sight { busy: machine.used(self.now()), cores: machine.cores, inside })
    }

    /// What waits for the members of the fleet of a member in queues.
    pub(in crate::model) fn backlog_for(&self, member: ComponentId) -> Backlog {
        let Some((fleet, _)) = self.fleet_of(member) else { return Backlog::default() };
        let queues = self.fleets[fleet].plan.routers.iter().filter(|router| router.is_queue);
        queues.map(|queue| self.infos[queue.id.index()].backlog).fold(Backlog::default(), |all, one| {
            Backlog {
                waiting: all.waiting + one.waiting,
                oldest: all.oldest.into_iter().chain(one.oldest).min(),
            }
        })
    }

    /// Whether the process of a component is dead.
    pub(in crate::model) fn is_dead(&self, component: ComponentId) -> bool {
        matches!(self.infos[component.index()].process(), Status::Down | Status::Silent)
    }

    /// Whether the place of a component has no power, so that no machine can be ordered there.
    pub(in crate::model) fn is_dark(&self, component: ComponentId) -> bool {
        self.infos[component.index()].dark > 0
    }

    /// The machine of a component is given back. Faults that keep it from working go on, but for a machine that is `replaced`:
    /// its own faults are gone with it.
    pub(in crate::model) fn switch_off(&mut self, component: ComponentId, replaced: bool) {
        if !self.is_dead(component) {
            // It is stopped in order: its callers see their connections break.
            self.lose_process(component, Status::Down);
        }
        let info = &mut self.infos[component.index()];
        info.set_process(Status::Silent);
        info.is_off = true;
        if replaced && info.dark == 0 {
            info.replaced += std::mem::take(&mut info.causes);
        }
    }

    /// A machine is ordered, or given back: it costs something from now on, or nothing any more.
    pub(in crate::model) fn rent(&mut self, component: ComponentId, rents: bool) {
        let now = self.now();
        if let Some(id) = self.infos[component.index()].machine {
            self.machines[id.index()].rent(now, rents);
        }
    }

    /// The process of a component starts on a machine that was off. Returns whether it works: a fault may keep it from that.
    pub(in crate::model) fn switch_on(&mut self, component: ComponentId) -> bool {
        let info = &mut self.infos[component.index()];
        info.is_off = false;
        let works = info.causes == 0;
        info.set_process(match works {
            true => Status::Up,
            false if info.dark > 0 => Status::Silent,
            false => Status::Down,
        });
        works
    }
}
