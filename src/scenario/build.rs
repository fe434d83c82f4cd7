//! A checked [`Scenario`] becomes a [`Simulation`].

use crate::kernel::random::Seed;
use crate::model::ask::Verbs;
use crate::model::part::Part;
use crate::model::signal::ComponentId;
use crate::model::simulation::{Hardware, Length, Member, Simulation};
use crate::model::site::{Directory, KeptOpen, Site};
use crate::model::spec::Pooled;

use super::Scenario;
use super::faults::{FaultSpec, plan};
use super::operations::{fleets, purges};
use super::places::settle;
use super::seats::{Seat, seats};
use super::switches::Switching;

impl Scenario {
    /// How long one trial runs.
    #[must_use]
    pub fn length(&self) -> Length {
        Length { warmup: self.run.warmup, measured: self.run.duration }
    }
}

/// The simulation of one trial of a scenario, not yet started.
#[must_use]
pub fn build(scenario: &Scenario, seed: Seed) -> Simulation {
    build_with(scenario, &scenario.faults, seed)
}

/// The simulation of one trial in which these faults happen in place of the scenario's own.
#[must_use]
pub fn build_with(scenario: &Scenario, faults: &[FaultSpec], seed: Seed) -> Simulation {
    let seats = seats(&scenario.boxes);
    let mut directory = Directory::default();
    for (index, seat) in seats.iter().enumerate() {
        directory.add(&seat.entry.name, &seat.plan.name, seat.plan.standing, ComponentId::new(index));
    }
    let kinds: Vec<&'static str> = seats.iter().map(|seat| seat.entry.kind).collect();
    let answers: Vec<Verbs> = seats.iter().map(|seat| seat.entry.spec.answers()).collect();
    let regions: Vec<Option<&str>> = seats.iter().map(|seat| seat.region()).collect();
    let off = off_at_start(&seats);
    let kept = kept_open(&seats, &off);
    let switching = Switching::new(&scenario.boxes, &seats);
    let mut simulation = Simulation::new(seed, &scenario.classes, &scenario.network);
    let windows = scenario.expects.iter().map(|expect| &expect.window);
    let windows = windows.chain(scenario.checks.iter().map(|check| &check.window));
    let mut parts: Vec<Part> = windows.flatten().map(|window| window.part).collect();
    parts.dedup();
    for part in parts {
        simulation.watch(part);
    }
    let places = settle(&mut simulation, &scenario.network, &scenario.ways, &seats);
    for (seat, place) in seats.iter().zip(places) {
        let spec = &seat.entry.spec;
        let site = Site {
            name: &seat.plan.name,
            group: &seat.entry.name,
            member: seat.member,
            directory: &directory,
            classes: &scenario.classes,
            kinds: &kinds,
            answers: &answers,
            regions: &regions,
            kept: &kept,
            off: &off,
            switch: switching.of(&seat.entry.name),
            moves: switching.moves(&seat.entry.name),
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
            answers: spec.answers(),
            gauges: seat.entry.gauges,
            place,
            public: spec.is_public(),
            hardware,
            component: spec.build(&site),
        });
    }
    fleets(&scenario.operations, &seats).into_iter().for_each(|fleet| simulation.add_fleet(fleet));
    purges(&scenario.operations, &seats).into_iter().for_each(|purge| simulation.add_purge(purge));
    plan(faults, &seats).into_iter().for_each(|fault| simulation.plan(fault));
    simulation
}

/// Whether each member is off when the trial begins; empty if none is.
fn off_at_start(seats: &[Seat<'_>]) -> Vec<bool> {
    let off: Vec<bool> =
        seats.iter().map(|seat| seat.entry.starts.is_some_and(|starts| seat.member >= starts)).collect();
    if off.contains(&true) { off } else { Vec::new() }
}

/// The connections of pools that stay open. Those of members that come later are opened with their first queries.
fn kept_open(seats: &[Seat<'_>], off: &[bool]) -> Vec<KeptOpen> {
    let of_seat = |(index, seat): (usize, &Seat<'_>)| {
        let is_off = off.get(index) == Some(&true);
        let pools = seat.entry.spec.pools().into_iter().filter(|pool| pool.open > 0 && !is_off);
        let kept = move |pool: Pooled| KeptOpen { by: ComponentId::new(index), to: pool.to, open: pool.open };
        pools.map(kept).collect::<Vec<KeptOpen>>()
    };
    seats.iter().enumerate().flat_map(of_seat).collect()
}
