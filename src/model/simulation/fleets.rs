//! Fleets: members boot, get calls, are drained and go, as the operators or an autoscaler order.

use super::super::event::{Event, fleet_turn};
use super::super::fleet::{Fleet, Place, Running, Scale, Size, State};
use super::super::signal::{ComponentId, Control, Order, Signal};
use super::Simulation;
use crate::kernel::time::{SimDuration, SimTime};

/// Longest time for which a member that takes no new calls ends those inside, as of a deployment.
const GRACE: SimDuration = SimDuration::from_secs(30);

/// Time between two looks at whether a member has calls inside.
const LOOK: SimDuration = SimDuration::from_millis(10);

impl Simulation {
    /// Adds a group whose members come and go. All components must have been added.
    pub fn add_fleet(&mut self, fleet: Fleet) {
        self.world.fleets.push(Running::new(fleet));
    }

    /// Members that are off at the start have no process and no machine.
    pub(super) fn start_fleets(&mut self) {
        for fleet in 0..self.world.fleets.len() {
            for place in self.world.fleets[fleet].places.clone() {
                if place.state == State::Off {
                    self.take_away(place.of, false);
                }
            }
            self.tell_keeper(fleet);
            self.fill(fleet);
            self.schedule_order(fleet);
        }
    }

    /// A turn of a fleet is due.
    pub(super) fn turn_fleet(&mut self, turn: fleet_turn::Turn) {
        match turn {
            fleet_turn::Turn::Size(fleet) => {
                self.replace_dead(fleet);
                self.fill(fleet);
            }
            fleet_turn::Turn::Order(fleet) => {
                let running = &mut self.world.fleets[fleet];
                let order = running.plan.orders[running.done];
                running.done += 1;
                self.carry_out(fleet, order);
                self.schedule_order(fleet);
            }
            fleet_turn::Turn::Operation(operation) => {
                let Some((fleet, place)) = self.world.on_call(operation) else {
                    return self.purge(operation);
                };
                let order = &mut self.world.fleets[fleet].plan.on_call[place];
                order.is_called = false;
                let scale = order.scale;
                self.carry_out(fleet, scale);
            }
            fleet_turn::Turn::Member(of) => self.turn_member(of),
        }
    }

    fn schedule_order(&mut self, fleet: usize) {
        let running = &self.world.fleets[fleet];
        if let Some(order) = running.plan.orders.get(running.done) {
            let at = SimTime::ZERO + order.at;
            self.world.schedule(at, Event::Fault(fleet_turn::order(fleet)));
        }
    }

    fn carry_out(&mut self, fleet: usize, order: Scale) {
        let running = &mut self.world.fleets[fleet];
        running.wanted = order.to;
        (running.plan.pace.boot, running.plan.pace.start) = (order.boot, order.start);
        self.fill(fleet);
    }

    // The size ------------------------------------------------------------------------------------------------------

    /// Gives back the machines of members that are dead, and were at the last look.
    fn replace_dead(&mut self, fleet: usize) {
        for number in 0..self.world.fleets[fleet].places.len() {
            let Place { of, state, was_dead, .. } = self.world.fleets[fleet].places[number];
            let is_dead = state == State::Up && self.world.is_dead(of);
            self.world.fleets[fleet].places[number].was_dead = is_dead;
            if is_dead && was_dead {
                self.tell_routers(fleet, of, Order::LEAVE);
                self.go((fleet, number), true);
            }
        }
    }

    /// Brings a fleet to the size that is wanted, as far as there are machines.
    fn fill(&mut self, fleet: usize) {
        loop {
            let running = &self.world.fleets[fleet];
            let Size { coming, .. } = running.size();
            if coming > running.wanted {
                self.drain_newest(fleet);
            } else if coming < running.wanted && self.order_machine(fleet) {
            } else {
                break;
            }
        }
        while self.keep_one_warm(fleet) {}
        let running = &mut self.world.fleets[fleet];
        let (wanted, Size { coming, .. }) = (running.wanted, running.size());
        let shortage = (coming < wanted).then_some((wanted, coming));
        if shortage.is_some() && shortage != running.told {
            let (now, event) = (self.world.calendar.now(), format!("asked for {wanted}, got {coming}"));
            self.world.recorder.note(now, &running.plan.name, event);
        }
        self.world.fleets[fleet].told = shortage;
    }

    /// Orders one machine more, of the warm pool if there is one. Returns false if there is none.
    fn order_machine(&mut self, fleet: usize) -> bool {
        let now = self.world.now();
        let running = &self.world.fleets[fleet];
        let ready = |place: &Place| match place.state {
            State::Warm(ready) => Some(ready),
            _ => None,
        };
        let warm =
            running.places.iter().enumerate().filter_map(|(number, place)| Some((ready(place)?, number)));
        let Some(number) = warm.min().map(|(_, number)| number).or_else(|| self.free_place(fleet)) else {
            return false;
        };
        let running = &mut self.world.fleets[fleet];
        let wait = running.wait(now, running.places[number].state);
        let place = &mut running.places[number];
        (place.state, place.since, place.due) = (State::Booting, now, Some(now + wait));
        let of = place.of;
        self.world.rent(of, true);
        self.note(of, "boots");
        self.world.schedule(now + wait, Event::Fault(fleet_turn::member(of)));
        true
    }

    /// The first member that is off and could get a machine.
    fn free_place(&self, fleet: usize) -> Option<usize> {
        let running = &self.world.fleets[fleet];
        if running.machines() >= running.plan.pace.quota {
            return None;
        }
        let is_free = |place: &Place| place.state == State::Off && !self.world.is_dark(place.of);
        running.places.iter().position(is_free)
    }

    /// Orders a machine for the warm pool, if one is missing there.
    fn keep_one_warm(&mut self, fleet: usize) -> bool {
        let running = &self.world.fleets[fleet];
        let warm = running.places.iter().filter(|place| matches!(place.state, State::Warm(_))).count() as u32;
        if warm >= running.plan.pace.warm_pool {
            return false;
        }
        let Some(number) = self.free_place(fleet) else { return false };
        let now = self.world.now();
        // A trial begins with a pool that is ready.
        let ready = if now == SimTime::ZERO { now } else { now + running.wait(now, State::Off) };
        let place = &mut self.world.fleets[fleet].places[number];
        place.state = State::Warm(ready);
        let of = place.of;
        self.world.rent(of, true);
        true
    }

    // A member ------------------------------------------------------------------------------------------------------

    /// The next step of a member is due, unless another one has come before.
    fn turn_member(&mut self, of: ComponentId) {
        let Some((fleet, number)) = self.world.fleet_of(of) else { return };
        let now = self.world.now();
        let place = &mut self.world.fleets[fleet].places[number];
        if place.due != Some(now) {
            return;
        }
        place.due = None;
        match place.state {
            State::Booting => self.start_member_up((fleet, number)),
            // Its balancers check it for the first time.
            State::Up => self.tell_routers(fleet, of, Order::JOIN_NOW),
            State::Draining { .. } => self.close_place((fleet, number)),
            State::Closing { until } => self.await_place((fleet, number), until),
            State::Off | State::Warm(_) => {}
        }
    }

    fn start_member_up(&mut self, (fleet, number): (usize, usize)) {
        let now = self.world.now();
        let running = &mut self.world.fleets[fleet];
        let first_check = running.plan.pace.first_check;
        let place = &mut running.places[number];
        (place.state, place.was_dead) = (State::Up, false);
        place.due = first_check.map(|after| now + after);
        let (of, due) = (place.of, place.due);
        self.note(of, "up");
        if self.world.switch_on(of) {
            let start = Control::Order(Order::about(Order::START, of));
            self.deliver(of, Signal::Control(start), start.number());
        }
        match due {
            Some(due) => self.world.schedule(due, Event::Fault(fleet_turn::member(of))),
            None => self.tell_routers(fleet, of, Order::JOIN),
        }
        self.tell_keeper(fleet);
    }

    /// The member whose machine was ordered last goes.
    fn drain_newest(&mut self, fleet: usize) {
        let running = &self.world.fleets[fleet];
        let coming = running.places.iter().enumerate().filter(|(_, place)| place.state.is_coming());
        let newest = coming.max_by_key(|(number, place)| (place.since, *number)).map(|(number, _)| number);
        let number = newest.expect("more members come than are wanted");
        let place = running.places[number];
        if place.state == State::Booting {
            return self.go((fleet, number), false);
        }
        let said = running.plan.routers.iter().filter_map(|router| router.drains);
        let (awaited, longest) = (said.clone().count(), said.max());
        let due = longest.map(|longest| self.world.now() + longest);
        self.note(place.of, "drains");
        let place = &mut self.world.fleets[fleet].places[number];
        (place.state, place.due) = (State::Draining { awaited }, due);
        let of = place.of;
        self.tell_routers(fleet, of, Order::LEAVE);
        match due {
            Some(due) => self.world.schedule(due, Event::Fault(fleet_turn::member(of))),
            None => self.close_place((fleet, number)),
        }
        self.tell_keeper(fleet);
    }

    /// A router has no calls at a member any more: if that was the last one, the member stops.
    pub(super) fn member_drained(&mut self, of: ComponentId) {
        let Some((fleet, number)) = self.world.fleet_of(of) else { return };
        if let State::Draining { awaited } = &mut self.world.fleets[fleet].places[number].state {
            *awaited = awaited.saturating_sub(1);
            if *awaited == 0 {
                self.close_place((fleet, number));
            }
        }
    }

    /// A member takes no new calls any more, and has some time for those inside.
    fn close_place(&mut self, (fleet, number): (usize, usize)) {
        let of = self.world.fleets[fleet].places[number].of;
        self.tell_routers(fleet, of, Order::GONE);
        if !self.world.close_quietly(of) {
            return self.go((fleet, number), false);
        }
        self.await_place((fleet, number), self.world.now() + GRACE);
    }

    /// Gives a member back that has no calls inside any more, or no time for them.
    fn await_place(&mut self, (fleet, number): (usize, usize), until: SimTime) {
        let (now, of) = (self.world.now(), self.world.fleets[fleet].places[number].of);
        if now >= until || self.world.is_empty(of) {
            return self.go((fleet, number), false);
        }
        let due = now + LOOK.min(until.since(now));
        let place = &mut self.world.fleets[fleet].places[number];
        (place.state, place.due) = (State::Closing { until }, Some(due));
        self.world.schedule(due, Event::Fault(fleet_turn::member(of)));
    }

    /// The machine of a member is given back. Another one may be ordered in its place.
    fn go(&mut self, (fleet, number): (usize, usize), replaced: bool) {
        let place = &mut self.world.fleets[fleet].places[number];
        (place.state, place.due, place.was_dead) = (State::Off, None, false);
        let of = place.of;
        self.note(of, "off");
        self.take_away(of, replaced);
        self.tell_keeper(fleet);
        self.world.schedule(self.world.now(), Event::Fault(fleet_turn::size(fleet)));
    }

    /// A component has no machine from now on.
    fn take_away(&mut self, of: ComponentId, replaced: bool) {
        let had_process = !self.world.infos[of.index()].is_off;
        self.world.switch_off(of, replaced);
        self.world.rent(of, false);
        if had_process {
            self.deliver(of, Signal::Control(Control::PowerOff), Control::PowerOff.number());
        }
    }

    fn tell_routers(&mut self, fleet: usize, of: ComponentId, code: u16) {
        for router in self.world.fleets[fleet].plan.routers.clone() {
            self.happen(router.id, Control::Order(Order::about(code, of)));
        }
    }

    /// The keeper hears that the size has changed.
    fn tell_keeper(&mut self, fleet: usize) {
        if let Some(keeper) = self.world.fleets[fleet].plan.keeper {
            self.happen(keeper, Control::Order(Order { code: Order::SIZE, subject: 0 }));
        }
    }

    fn note(&mut self, of: ComponentId, event: &'static str) {
        let now = self.world.now();
        self.world.recorder.note(now, &self.world.infos[of.index()].name, event);
    }
}
