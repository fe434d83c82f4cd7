//! Where boxes stand: regions, zones and the connections between them.

use super::seats::Seat;
use super::sections::{LinkTable, Provider};
use crate::kernel::time::SimDuration;
use crate::model::network::{Link, NetworkSettings, Place};
use crate::model::regions::{self, Regions};
use crate::model::simulation::Simulation;

/// The connections between places that differ from the usual ones.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    provider: Option<Provider>,
    pub(super) links: Vec<LinkTable>,
}

impl Ways {
    pub(super) fn new(provider: Option<Provider>, links: Vec<LinkTable>) -> Ways {
        Ways { provider, links }
    }

    pub(super) fn regions(&self) -> Option<&'static Regions> {
        self.provider.map(|provider| match provider {
            Provider::Aws => regions::aws(),
            Provider::Ibm => regions::ibm(),
        })
    }

    /// Whether all seats stand in one zone without special links, so that no extra places are needed.
    fn are_usual(&self, seats: &[Seat<'_>]) -> bool {
        self.links.is_empty() && seats.iter().all(|seat| seat.region().is_none() && seat.zone().is_none())
    }

    /// The round-trip time between two regions, if the provider's table has it.
    fn between_regions(&self, a: &str, b: &str) -> Option<SimDuration> {
        self.regions().and_then(|regions| regions.round_trip(a, b))
    }

    /// The value that `of` gets from the last link between two seats that has one.
    fn link<T>(&self, a: &Seat<'_>, b: &Seat<'_>, of: impl Fn(&LinkTable) -> Option<T>) -> Option<T> {
        let lies_between = |link: &&LinkTable| {
            let [left, right] = &link.between;
            a.is_called(left) && b.is_called(right) || a.is_called(right) && b.is_called(left)
        };
        self.links.iter().filter(lies_between).filter_map(of).next_back()
    }

    /// The round-trip time between two seats; `None` between regions that neither a table nor a link connects.
    pub(super) fn round_trip(
        &self,
        settings: &NetworkSettings,
        a: &Seat<'_>,
        b: &Seat<'_>,
    ) -> Option<SimDuration> {
        if let Some(rtt) = self.link(a, b, |link| link.rtt) {
            return Some(rtt.0);
        }
        let far = match (a.region(), b.region()) {
            (Some(one), Some(other)) if one != other => Some(self.between_regions(one, other)?),
            _ => None,
        };
        if a.is_outside() || b.is_outside() {
            // The way to the edge of the provider's network, and from there to the other region.
            return Some(settings.client + far.unwrap_or(SimDuration::ZERO));
        }
        let near = if a.zone() == b.zone() { settings.same_zone } else { settings.other_zone };
        Some(far.unwrap_or(near))
    }
}

/// The place of every seat, in the order of the seats. Unless all places are the usual ones, each is added to the
/// simulation.
pub(super) fn settle(
    simulation: &mut Simulation,
    settings: &NetworkSettings,
    ways: &Ways,
    seats: &[Seat<'_>],
) -> Vec<Place> {
    if ways.are_usual(seats) {
        let usual = |seat: &Seat<'_>| match seat.is_outside() {
            _ if seat.is_driver() => Place::DRIVER,
            true => Place::INTERNET,
            false => Place::ZONE,
        };
        return seats.iter().map(usual).collect();
    }
    // Seats that stand together share one place, that of the first of them. Links may name boxes, so that seats stand
    // together only if every link treats them alike.
    let mut heads: Vec<(&Seat<'_>, Place)> = Vec::new();
    let mut places = Vec::new();
    for seat in seats {
        if seat.is_driver() {
            places.push(Place::DRIVER);
            continue;
        }
        let together = heads.iter().find(|(head, _)| ways.stand_together(head, seat));
        let place =
            together.map_or_else(|| ways.settle_one(simulation, settings, &heads, seat), |(_, place)| *place);
        if together.is_none() {
            heads.push((seat, place));
        }
        places.push(place);
    }
    places
}

impl Ways {
    fn stand_together(&self, a: &Seat<'_>, b: &Seat<'_>) -> bool {
        let alike = |name: &String| a.is_called(name) == b.is_called(name);
        a.is_outside() == b.is_outside()
            && a.region() == b.region()
            && a.zone() == b.zone()
            && self.links.iter().all(|link| link.between.iter().all(alike))
    }

    fn settle_one(
        &self,
        simulation: &mut Simulation,
        settings: &NetworkSettings,
        heads: &[(&Seat<'_>, Place)],
        seat: &Seat<'_>,
    ) -> Place {
        let link = |other: &Seat<'_>| Link {
            round_trip: self.round_trip(settings, seat, other).unwrap_or(settings.other_zone),
            bandwidth: self.link(seat, other, |link| link.bandwidth).map(|bytes| bytes.0 as f64),
        };
        // The first two links lead to the simulation's built-in places, where no seat stands.
        let nobody = Link { round_trip: settings.client, bandwidth: None };
        let mut links = vec![nobody; 2];
        links.extend(heads.iter().map(|(head, _)| link(head)));
        links.push(link(seat));
        simulation.add_place(&links)
    }
}
