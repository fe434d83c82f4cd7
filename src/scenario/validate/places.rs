//! Checks of regions, zones and links.

use std::collections::BTreeSet;

use super::diagnostics_at;
use crate::model::ask::Verbs;
use crate::model::spec::Problems;
use crate::scenario::assemble::Assembly;
use crate::scenario::document::Document;
use crate::scenario::error::Diagnostic;
use crate::scenario::places::Ways;
use crate::scenario::seats::{Seat, seats};
use crate::scenario::suggest::did_you_mean;

/// Checks where the boxes stand, and that the distance between all of them is known.
pub(super) fn check(document: &Document<'_>, assembly: &Assembly, found: &mut Vec<Diagnostic>) {
    let seats = seats(&assembly.boxes);
    let mut check = Check { ways: &assembly.ways, assembly, seats: &seats, problems: Problems::default() };
    check.regions();
    check.locations();
    check.links();
    check.connections();
    found.extend(diagnostics_at(document, "", check.problems));
}

struct Check<'a> {
    ways: &'a Ways,
    assembly: &'a Assembly,
    seats: &'a [Seat<'a>],
    problems: Problems,
}

impl Check<'_> {
    /// Reports regions that the provider does not have.
    fn regions(&mut self) {
        let Some(regions) = self.ways.regions() else { return };
        let mut used = false;
        for entry in &self.assembly.boxes {
            for (index, region) in entry.regions.iter().enumerate() {
                used = true;
                if !regions.names.contains(&region.as_str()) {
                    let key = match (entry.spec.regions().get(index), entry.regions.len()) {
                        (Some((key, _)), _) => key.clone(),
                        (None, 1) => "region".to_owned(),
                        (None, _) => format!("region[{index}]"),
                    };
                    let key = format!("{}.{}.{key}", entry.kind, entry.name);
                    let help = did_you_mean(region, "there are", regions.names.iter().copied());
                    self.problems.error(key, format!("unknown region `{region}`"), help.unwrap_or_default());
                }
            }
        }
        if !used {
            let help = "such as region = \"ap-northeast-2\" in a box's table";
            self.problems.error("network.regions", "no box says in which region it stands", help);
        }
    }

    /// Reports boxes that may not say where they stand but do, and boxes that must but do not.
    fn locations(&mut self) {
        let boxes = &self.assembly.boxes;
        let is_box = |seat: &&Seat<'_>| !seat.is_outside() && seat.entry.spec.host().is_none();
        let any_region = self.seats.iter().filter(is_box).any(|seat| seat.region().is_some());
        for entry in boxes {
            let at = format!("{}.{}", entry.kind, entry.name);
            let given = !entry.regions.is_empty() || !entry.zones.is_empty();
            let key = if entry.regions.is_empty() { "zone" } else { "region" };
            if entry.regions.len() > entry.spec.regions().len() && !entry.spec.regions().is_empty() {
                let message =
                    format!("`{}` has keys of its own for the regions in which it stands", entry.name);
                self.problems.error(format!("{at}.region"), message, "drop the key");
            } else if entry.spec.answers().meets(Verbs::RESOLVE) && given {
                self.problems.error(format!("{at}.{key}"), "a DNS name stands in no place", "drop the key");
            } else if entry.spec.sides().is_some() && given {
                let message = "who switches stands outside all sites";
                self.problems.error(
                    format!("{at}.{key}"),
                    message,
                    "drop the key: `needs` may stand somewhere",
                );
            } else if entry.spec.host().is_some() && given {
                let message = format!("`{}` stands where the machine stands that it runs on", entry.name);
                self.problems.error(format!("{at}.{key}"), message, "drop the key");
            } else if entry.spec.offered().is_some() && !entry.zones.is_empty() {
                let message = "users are outside the zones";
                self.problems.error(format!("{at}.zone"), message, "a client may have a `region`");
            } else if any_region
                && entry.regions.is_empty()
                && entry.spec.offered().is_none()
                && !entry.spec.answers().meets(Verbs::RESOLVE)
                && entry.spec.sides().is_none()
                && entry.spec.host().is_none()
            {
                let message = format!("`{}` stands in no region, though others do", entry.name);
                self.problems.error(at, message, "give it a `region`");
            }
        }
    }

    fn links(&mut self) {
        for (index, link) in self.ways.links.iter().enumerate() {
            let at = format!("network.link[{index}]");
            for (end, name) in link.between.iter().enumerate() {
                if !self.seats.iter().any(|seat| seat.is_called(name))
                    && !self.assembly.declared.contains_key(name)
                {
                    let known = self.known_names();
                    let help = did_you_mean(name, "there are", known.iter().map(String::as_str));
                    let key = format!("{at}.between[{end}]");
                    self.problems.error(key, format!("unknown name `{name}`"), help.unwrap_or_default());
                }
            }
            if link.rtt.is_none() && link.bandwidth.is_none() {
                let help = "give it an `rtt`, a `bandwidth` or both";
                self.problems.error(at.as_str(), "a link that is like the others does nothing", help);
            }
            if link.bandwidth.is_some_and(|bandwidth| bandwidth.0 == 0) {
                let help = "kind = \"partition\" is a fault";
                self.problems.error(
                    format!("{at}.bandwidth"),
                    "a link without bandwidth sends nothing",
                    help,
                );
            }
            if link.bandwidth.is_some() && self.assembly.classes.iter().all(|class| class.response_bytes == 0)
            {
                let message = "a bandwidth does nothing without the size of the answers";
                let help = "such as response_size = \"20kB\" in a request's table";
                self.problems.error(format!("{at}.bandwidth"), message, help);
            }
        }
    }

    fn known_names(&self) -> BTreeSet<String> {
        let names = |seat: &Seat<'_>| {
            let places = [seat.zone(), seat.region()].into_iter().flatten().map(str::to_owned);
            places.chain([seat.plan.name.clone(), seat.entry.name.clone()]).collect::<Vec<_>>()
        };
        self.seats.iter().flat_map(names).collect()
    }

    /// Reports regions whose distance is unknown.
    fn connections(&mut self) {
        let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut heads: Vec<&Seat<'_>> = Vec::new();
        for seat in self.seats.iter().filter(|seat| seat.region().is_some()) {
            if seen.insert((&seat.entry.name, seat.region(), seat.zone())) {
                heads.push(seat);
            }
        }
        for (index, a) in heads.iter().enumerate() {
            for b in &heads[index + 1..] {
                let (Some(one), Some(other)) = (a.region(), b.region()) else { continue };
                let known = |regions: &crate::model::regions::Regions| {
                    // A region that is not in the table has been reported already.
                    !regions.names.contains(&one) || !regions.names.contains(&other)
                };
                if self.ways.regions().is_some_and(known) {
                    continue;
                }
                let pair = (one.min(other), one.max(other));
                let way = self.ways.round_trip(&self.assembly.network, a, b);
                if way.is_none() && told.insert(pair) {
                    let message = format!("nothing says how far `{}` is from `{}`", pair.0, pair.1);
                    let help = format!(
                        "regions = \"aws\" under [network], or [[network.link]] with between = [\"{}\", \"{}\"] and an rtt",
                        pair.0, pair.1
                    );
                    self.problems.error(format!("{}.{}.region", b.entry.kind, b.entry.name), message, help);
                }
            }
        }
    }
}
