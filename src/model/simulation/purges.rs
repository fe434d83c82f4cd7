//! Purges: caches lose their entries when the operators want them to, as by the fault that empties them.

use std::mem;

use super::super::event::{Event, fleet_turn};
use super::super::purge::{Due, Purge};
use super::super::signal::{Control, Impairment};
use super::Simulation;
use crate::kernel::time::SimTime;

impl Simulation {
    /// Plans a purge. All components must have been added.
    pub fn add_purge(&mut self, purge: Purge) {
        self.world.purges.push(purge);
    }

    pub(super) fn schedule_purges(&mut self) {
        for place in 0..self.world.purges.len() {
            let Purge { operation, due, .. } = self.world.purges[place];
            if let Due::Planned(at) = due {
                self.world.schedule(SimTime::ZERO + at, Event::Fault(fleet_turn::operation(operation)));
            }
        }
    }

    /// Empties the caches of the purge that is the operation of this number.
    pub(super) fn purge(&mut self, operation: u32) {
        let known = self.world.purges.iter().position(|purge| purge.operation == operation);
        let Some(place) = known else { return };
        let purge = &mut self.world.purges[place];
        if let Due::OnCall { is_called, .. } = &mut purge.due {
            *is_called = false;
        }
        let caches = mem::take(&mut purge.of);
        for &cache in &caches {
            self.happen(cache, Control::Impair(Impairment::Emptied));
        }
        self.world.purges[place].of = caches;
    }
}
