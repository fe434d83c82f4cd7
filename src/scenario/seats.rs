//! Seats: the members of all boxes, with their names and the places where they stand.

use super::BoxEntry;
use crate::model::ask::Verbs;
use crate::model::spec::{MemberPlan, Standing};

/// Greatest number of members of all boxes of a scenario together.
pub(super) const MEMBERS_MAX: u32 = 10_000;

/// A member of a group, before it is built.
pub(super) struct Seat<'a> {
    pub(super) entry: &'a BoxEntry,
    pub(super) plan: MemberPlan,
    pub(super) member: u32,
    /// The box on whose machine it runs. It stands where that box stands.
    owner: &'a BoxEntry,
    /// Index of the owner's machine whose place it shares. A member without a machine takes the place of the next
    /// machine.
    stands_as: u32,
}

impl<'a> Seat<'a> {
    /// The region in which it stands; `None` without regions.
    pub(super) fn region(&self) -> Option<&'a str> {
        if self.plan.standing == Standing::Outside {
            return None;
        }
        in_turn(&self.owner.regions, self.stands_as)
    }

    /// The zone in which it stands; `None` without zones.
    pub(super) fn zone(&self) -> Option<&'a str> {
        if self.plan.standing == Standing::Outside {
            return None;
        }
        in_turn(&self.owner.zones, self.stands_as)
    }

    /// Whether it is a driver: a part of its caller.
    pub(super) fn is_driver(&self) -> bool {
        self.plan.standing == Standing::Driver
    }

    /// Whether a fault with this target hits it. The name of a box means its machines, not the monitors that watch
    /// them.
    pub(super) fn is_hit_by(&self, name: &str) -> bool {
        let is_outside = self.plan.standing == Standing::Outside;
        let is_machine = self.plan.machine.is_some() || self.entry.spec.machine().is_none() && !is_outside;
        let by_place = self.is_in_zone(name) || self.is_in_region(name);
        !self.is_driver()
            && !self.is_staff()
            && (self.plan.name == name || by_place || self.entry.name == name && is_machine)
    }

    /// Whether it stands outside the data centre: clients, DNS names, switches, and those who watch a monitor.
    pub(super) fn is_outside(&self) -> bool {
        let spec = &self.entry.spec;
        let is_client = spec.offered().is_some() || spec.answers().meets(Verbs::RESOLVE);
        is_client || self.is_staff() || self.plan.standing == Standing::Outside
    }

    /// Whether it stands for people outside, whom no fault hits.
    pub(super) fn is_staff(&self) -> bool {
        self.entry.spec.sides().is_some()
    }

    /// Whether it stands in the region of this name.
    pub(super) fn is_in_region(&self, name: &str) -> bool {
        self.region() == Some(name)
    }

    /// Whether it stands in the zone of this name: `a`, or `tokyo/a` with its region.
    pub(super) fn is_in_zone(&self, name: &str) -> bool {
        self.zone().is_some_and(|zone| match name.split_once('/') {
            Some((region, name)) => zone == name && self.region() == Some(region),
            None => zone == name,
        })
    }

    /// Whether this is its own name, or that of its box, zone or region. Who stands outside is not meant by the name of the box.
    pub(super) fn is_called(&self, name: &str) -> bool {
        let is_box = self.entry.name == name && self.plan.standing != Standing::Outside;
        let is_named = self.plan.name == name || is_box;
        is_named && !self.is_staff() || self.is_in_zone(name) || self.is_in_region(name)
    }
}

/// The place of a member: members stand in the places of their box in turn.
fn in_turn(places: &[String], member: u32) -> Option<&str> {
    let at = (member as usize).checked_rem(places.len())?;
    Some(&places[at])
}

/// All members of all boxes. Boxes with machines of their own come before boxes that run on the machine of another.
pub(super) fn seats(boxes: &[BoxEntry]) -> Vec<Seat<'_>> {
    let (guests, hosts): (Vec<_>, Vec<_>) = boxes.iter().partition(|entry| entry.spec.host().is_some());
    // A scenario with more members is refused, so there is no need to make more seats.
    let all = hosts.into_iter().chain(guests).flat_map(|entry| members(entry, boxes));
    all.take(MEMBERS_MAX as usize).collect()
}

fn members<'a>(entry: &'a BoxEntry, boxes: &'a [BoxEntry]) -> impl Iterator<Item = Seat<'a>> {
    let host = entry.spec.host().and_then(|host| boxes.iter().find(|other| other.name == host));
    let owner = host.unwrap_or(entry);
    let mut machines = 0;
    (0..entry.spec.members()).map(move |member| {
        let plan = entry.spec.member(&entry.name, member);
        // A guest has no machine of its own, so `machines` stays 0: guests stand where the first machine of their
        // host stands.
        let stands_as = machines;
        machines += u32::from(plan.machine.is_some());
        Seat { entry, plan, member, owner, stands_as }
    })
}
