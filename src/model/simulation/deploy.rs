//! Deployments: the members of a group restart one after another, each after it has been drained.

use super::super::faults::{Deployment, Effect, Planned, Restart, Stage};
use super::super::signal::{ComponentId, Control, Order};
use super::Simulation;
use crate::kernel::time::{SimDuration, SimTime};

/// Time between two looks at whether a member has calls inside.
const LOOK: SimDuration = SimDuration::from_millis(10);

impl Planned {
    /// What it restarts, if it is a deployment.
    fn restarts(&self) -> Option<&Deployment> {
        if let Effect::Deploy(deployment) = &*self.effect { Some(deployment) } else { None }
    }
}

impl Simulation {
    /// A turn of a fault is due. Returns whether the fault is a deployment, which has then taken its next step.
    pub(super) fn turn_deployment(&mut self, index: usize) -> bool {
        if self.faults[index].restarts().is_none() {
            return false;
        }
        let planned = &self.faults[index];
        // Another turn has come before this one if the member was drained in less than the longest time.
        if planned.due.is_none_or(|due| due == self.world.now()) {
            match planned.stage {
                Stage::Next => self.drain_member(index),
                Stage::Draining { .. } | Stage::Leaving => self.close_member(index),
                Stage::Closing { until } => self.await_member(index, until),
                Stage::Down => self.start_member(index),
            }
        }
        true
    }

    /// A router has no calls at a component any more: if that was the last one, a deployment stops the component.
    pub(super) fn drained(&mut self, component: ComponentId) {
        self.member_drained(component);
        for index in 0..self.faults.len() {
            let Some(Restart { of, .. }) = self.member(index) else { continue };
            if let Stage::Draining { awaited } = &mut self.faults[index].stage
                && of == component
            {
                *awaited -= 1;
                if *awaited == 0 {
                    self.close_member(index);
                }
            }
        }
    }

    /// The member whose turn it is; `None` if the fault is no deployment, or is over.
    fn member(&self, index: usize) -> Option<Restart> {
        let planned = &self.faults[index];
        planned.restarts()?.members.get(planned.member).cloned()
    }

    fn drain_member(&mut self, index: usize) {
        let Some(Restart { of, routers, .. }) = self.member(index) else { return };
        self.faults[index].stage = Stage::Draining { awaited: routers.len() };
        for (router, _) in &routers {
            self.happen(*router, Control::Order(Order::drain(of)));
        }
        let told = self.faults[index].restarts().and_then(|deployment| deployment.told);
        match (told, routers.iter().map(|(_, longest)| *longest).max()) {
            (Some(told), _) => {
                self.faults[index].stage = Stage::Leaving;
                self.next_turn(index, told);
            }
            (None, Some(longest)) => self.next_turn(index, longest),
            (None, None) => self.close_member(index),
        }
    }

    /// A member is to stop: it takes no new calls, and has some time for those inside.
    fn close_member(&mut self, index: usize) {
        let Some(Restart { of, routers, .. }) = self.member(index) else { return };
        if self.faults[index].stage == Stage::Leaving {
            for (router, _) in &routers {
                self.happen(*router, Control::Order(Order::gone(of)));
            }
        }
        let grace = self.faults[index].restarts().map_or(SimDuration::ZERO, |deployment| deployment.grace);
        if grace.is_zero() || !self.world.close(of) {
            return self.stop_member(index);
        }
        self.await_member(index, self.world.now() + grace);
    }

    /// Stops a member that has no calls inside any more, or no time for them.
    fn await_member(&mut self, index: usize, until: SimTime) {
        let Some(Restart { of, .. }) = self.member(index) else { return };
        let now = self.world.now();
        if now >= until || self.world.is_empty(of) {
            return self.stop_member(index);
        }
        self.faults[index].stage = Stage::Closing { until };
        self.next_turn(index, LOOK.min(until.since(now)));
    }

    fn stop_member(&mut self, index: usize) {
        let Some(Restart { of, announced, .. }) = self.member(index) else { return };
        if announced {
            self.happen(of, Control::Order(Order { code: Order::STOP, subject: 0 }));
        }
        self.happen(of, Control::Crash);
        let planned = &mut self.faults[index];
        (planned.stage, planned.active) = (Stage::Down, true);
        planned.times += 1;
        self.world.ledgers.turn_fault(self.world.now(), true);
        let planned = &self.faults[index];
        let down = planned.restarts().map_or(SimDuration::ZERO, |deployment| deployment.down);
        self.next_turn(index, down);
    }

    fn start_member(&mut self, index: usize) {
        let Some(Restart { of, routers, .. }) = self.member(index) else { return };
        self.happen(of, Control::Recover);
        for (router, _) in &routers {
            self.happen(*router, Control::Order(Order::ready(of)));
        }
        let planned = &mut self.faults[index];
        (planned.stage, planned.active) = (Stage::Next, false);
        planned.member += 1;
        self.world.ledgers.turn_fault(self.world.now(), false);
        let planned = &self.faults[index];
        let pause = planned.restarts().map_or(SimDuration::ZERO, |deployment| deployment.pause);
        self.next_turn(index, pause);
    }

    fn next_turn(&mut self, index: usize, after: SimDuration) {
        let now = self.world.now();
        self.faults[index].due = Some(if after < SimDuration::MAX { now + after } else { SimTime::MAX });
        self.schedule_turn(index, after);
    }
}
