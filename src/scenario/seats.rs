//! The members of all boxes, with their names and the places where they stand.

use super::BoxEntry;

/// All machines and other boxes of a scenario together, each member counted.
pub(super) const MEMBERS_MAX: u32 = 10_000;

/// A member of a group, before it is built.
pub(super) struct Seat<'a> {
    pub(super) entry: &'a BoxEntry,
    pub(super) name: String,
    pub(super) member: u32,
    /// The box on whose machine it runs: it stands where that stands.
    owner: &'a BoxEntry,
    /// As which member of it.
    stands_as: u32,
}

impl<'a> Seat<'a> {
    /// The region in which it stands.
    pub(super) fn region(&self) -> Option<&'a str> {
        in_turn(&self.owner.regions, self.stands_as)
    }

    /// The zone of its region.
    pub(super) fn zone(&self) -> Option<&'a str> {
        in_turn(&self.owner.zones, self.stands_as)
    }

    /// Whether it stands outside: users, and names.
    pub(super) fn is_outside(&self) -> bool {
        self.entry.spec.offered().is_some() || self.entry.spec.is_name()
    }

    /// Whether it stands in a region of this name.
    pub(super) fn is_in_region(&self, name: &str) -> bool {
        self.region() == Some(name)
    }

    /// Whether it stands in a zone of this name, `a`, or with its region `tokyo/a`.
    pub(super) fn is_in_zone(&self, name: &str) -> bool {
        self.zone().is_some_and(|zone| match name.split_once('/') {
            Some((region, name)) => zone == name && self.region() == Some(region),
            None => zone == name,
        })
    }

    /// Whether a name stands for it: its own, its box's, its zone's or its region's.
    pub(super) fn is_called(&self, name: &str) -> bool {
        self.name == name || self.entry.name == name || self.is_in_zone(name) || self.is_in_region(name)
    }
}

/// Members stand in the places of their box in turn.
fn in_turn(places: &[String], member: u32) -> Option<&str> {
    let at = (member as usize).checked_rem(places.len())?;
    Some(&places[at])
}

/// All members of all boxes. Those on a machine of their own come before those that share it.
pub(super) fn seats(boxes: &[BoxEntry]) -> Vec<Seat<'_>> {
    let (guests, hosts): (Vec<_>, Vec<_>) = boxes.iter().partition(|entry| entry.spec.host().is_some());
    // A scenario with more of them is refused; they need not be made for that.
    let all = hosts.into_iter().chain(guests).flat_map(|entry| members(entry, boxes));
    all.take(MEMBERS_MAX as usize).collect()
}

fn members<'a>(entry: &'a BoxEntry, boxes: &'a [BoxEntry]) -> impl Iterator<Item = Seat<'a>> {
    let count = entry.spec.members();
    let name = move |member: u32| match count {
        1 => entry.name.clone(),
        _ => format!("{}-{}", entry.name, member + 1),
    };
    let host = entry.spec.host().and_then(|host| boxes.iter().find(|other| other.name == host));
    let owner = host.unwrap_or(entry);
    // All guests run on the first machine of their host.
    let stands = move |member: u32| if host.is_some() { 0 } else { member };
    let seat = move |member| Seat { entry, name: name(member), member, owner, stands_as: stands(member) };
    (0..count).map(seat)
}
