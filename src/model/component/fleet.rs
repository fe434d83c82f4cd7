//! The timeline, and what the operators of a fleet see of its members and order.

use crate::kernel::time::SimTime;
use crate::model::fleet::{Backlog, Sight, Size};
use crate::model::signal::ComponentId;
use crate::model::world::Status;

use super::Cx;

impl Cx<'_> {
    /// Orders the fleet of a member to have this number of members. Members that were dead at the last order already are
    /// replaced.
    pub fn want_members(&mut self, member: ComponentId, wanted: u32) {
        self.world.want_members(member, wanted);
    }

    /// Number of the members of the fleet of a member.
    #[must_use]
    pub fn size_of_fleet(&self, member: ComponentId) -> Size {
        self.world.fleet_of(member).map_or(Size::default(), |(fleet, _)| self.world.fleets[fleet].size())
    }

    /// What the operators see of a member; `None` if it is not up, or does not work.
    #[must_use]
    pub fn look_at(&self, member: ComponentId) -> Option<Sight> {
        self.world.look_at(member)
    }

    /// What waits for the members of the fleet of a member in queues.
    #[must_use]
    pub fn backlog_for(&self, member: ComponentId) -> Backlog {
        self.world.backlog_for(member)
    }

    /// Says what waits in this component, which is a queue.
    #[inline]
    pub fn set_backlog(&mut self, backlog: Backlog) {
        self.world.infos[self.me.index()].backlog = backlog;
    }

    /// Whether people can work with a component: it runs, and its machine does not stand still.
    #[must_use]
    pub fn is_usable(&self, component: ComponentId) -> bool {
        matches!(self.world.infos[component.index()].status, Status::Up | Status::Closing)
    }

    /// When a component ceased to work, for figures only; `None` while it works.
    #[must_use]
    pub fn fell(&self, component: ComponentId) -> Option<SimTime> {
        let info = &self.world.infos[component.index()];
        (!matches!(info.process(), Status::Up | Status::Closing)).then_some(info.fell)
    }

    /// Adds USD for what goes through this component to what its machine costs.
    #[inline]
    pub fn charge(&mut self, usd: f64) {
        if let Some(machine) = self.world.infos[self.me.index()].machine {
            self.world.machines[machine.index()].spent += usd;
        }
    }

    /// Adds an event of a component, as this one sees it, to the timeline.
    pub fn note(&mut self, component: ComponentId, event: &'static str) {
        let now = self.world.now();
        self.world.recorder.note(now, &self.world.infos[component.index()].name, event);
    }

    /// The same, of an event with figures.
    pub fn note_of(&mut self, component: ComponentId, event: String) {
        let now = self.world.now();
        self.world.recorder.note(now, &self.world.infos[component.index()].name, event);
    }

    /// Whether a component, at which workers of this one stand, takes new work now: its process is there, its machine goes, and it is not about to stop.
    pub fn takes_work(&self, component: ComponentId) -> bool {
        self.world.infos[component.index()].status == Status::Up
    }

    /// Which life of its process a component is in: what an earlier one had taken is lost.
    pub fn life_of(&self, component: ComponentId) -> u32 {
        self.world.infos[component.index()].epoch
    }
}
