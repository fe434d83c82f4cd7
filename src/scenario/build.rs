//! A checked [`Scenario`] becomes a [`Simulation`].

use crate::kernel::random::Seed;
use crate::model::network::Place;
use crate::model::signal::ComponentId;
use crate::model::simulation::{Hardware, Length, Member, Simulation};
use crate::model::site::{Directory, Site};
use crate::model::spec::{MemberPlan, Standing};

use super::{BoxEntry, Scenario};

impl Scenario {
    /// How long one trial runs.
    #[must_use]
    pub fn length(&self) -> Length {
        Length { warmup: self.run.warmup, measured: self.run.duration }
    }
}

/// A member of a group, before it is built.
struct Seat<'a> {
    entry: &'a BoxEntry,
    plan: MemberPlan,
    member: u32,
}

/// The simulation of one trial of a scenario, not yet started.
#[must_use]
pub fn build(scenario: &Scenario, seed: Seed) -> Simulation {
    let seats = seats(scenario);
    let mut directory = Directory::default();
    for (index, seat) in seats.iter().enumerate() {
        directory.add(&seat.entry.name, &seat.plan.name, seat.plan.standing, ComponentId::new(index));
    }
    let kinds: Vec<&'static str> = seats.iter().map(|seat| seat.entry.kind).collect();
    let mut simulation = Simulation::new(seed, &scenario.classes, &scenario.network);
    for seat in &seats {
        let spec = &seat.entry.spec;
        let site = Site {
            name: &seat.plan.name,
            group: &seat.entry.name,
            member: seat.member,
            directory: &directory,
            classes: &scenario.classes,
            kinds: &kinds,
        };
        let hardware = match (spec.host(), &seat.plan.machine) {
            (Some(host), _) => Hardware::Shared(site.find(host)),
            (None, Some(machine)) => Hardware::Own(machine),
            (None, None) => Hardware::None,
        };
        simulation.add(Member {
            name: &seat.plan.name,
            group: &seat.entry.name,
            kind: seat.entry.kind,
            place: place(seat),
            public: spec.is_public(),
            hardware,
            component: spec.build(&site),
        });
    }
    simulation
}

/// All members of all boxes. Those on a machine of their own come before those that share it.
fn seats(scenario: &Scenario) -> Vec<Seat<'_>> {
    let (guests, hosts): (Vec<_>, Vec<_>) =
        scenario.boxes.iter().partition(|entry| entry.spec.host().is_some());
    hosts.into_iter().chain(guests).flat_map(members).collect()
}

fn members(entry: &BoxEntry) -> Vec<Seat<'_>> {
    let seat = |member| Seat { entry, plan: entry.spec.member(&entry.name, member), member };
    (0..entry.spec.members()).map(seat).collect()
}

/// Clients and names stand on the internet, drivers in their callers, all else in the zone.
fn place(seat: &Seat<'_>) -> Place {
    let spec = &seat.entry.spec;
    match seat.plan.standing {
        Standing::Driver => Place::DRIVER,
        _ if spec.offered().is_some() || spec.is_name() => Place::INTERNET,
        _ => Place::ZONE,
    }
}
