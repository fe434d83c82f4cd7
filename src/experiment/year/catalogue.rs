//! How often machines, processes, zones and regions fail, and how often servers are deployed: for scenarios that do not say it
//! themselves. `docs/year.md` has the table with its sources.

use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::quantity::{Dist, Duration};
use crate::scenario::faults::{FaultKind, FaultSpec};
use crate::scenario::{BoxEntry, Scenario};

/// A row of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// What goes wrong.
    pub kind: FaultKind,
    /// What it happens to, in words.
    pub to: &'static str,
    /// Mean time between two failures of one of them, in seconds.
    pub mtbf_s: u64,
    /// Mean time to repair, in seconds; of a deployment, the time for which each member is down.
    pub mttr_s: u64,
    /// Where the figures come from.
    pub source: &'static str,
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;

/// All rows. Times are exponential, apart from those of deployments.
pub const CATALOGUE: [Row; 5] = [
    Row {
        kind: FaultKind::Crash,
        to: "each process",
        mtbf_s: 90 * DAY,
        mttr_s: MINUTE,
        source: "a teaching choice: a bug or a lack of memory once a quarter, and a restart",
    },
    Row {
        kind: FaultKind::PowerOff,
        to: "each machine",
        mtbf_s: 657 * DAY,
        mttr_s: 30 * MINUTE,
        source: "about 1000 failures of machines in the first year of a cluster of 1800 (J. Dean, Google I/O 2008); the time to \
                 repair is a teaching choice",
    },
    Row {
        kind: FaultKind::Zone,
        to: "each zone",
        mtbf_s: 5 * YEAR,
        mttr_s: 3 * HOUR,
        source: "a teaching choice, in the order of what cloud providers publish about single zones",
    },
    Row {
        kind: FaultKind::Region,
        to: "each region",
        mtbf_s: 10 * YEAR,
        mttr_s: 4 * HOUR,
        source: "a teaching choice, in the order of what cloud providers publish about whole regions",
    },
    Row {
        kind: FaultKind::Deploy,
        to: "each group of servers",
        mtbf_s: 7 * DAY,
        mttr_s: 10,
        source: "a teaching choice: a release a week, one member after another, each told 5 s before and down for 10 s",
    },
];

/// Time for which a member of a deployment is told before it stops.
const TOLD: SimDuration = SimDuration::from_secs(5);

/// The faults of the catalogue for the boxes and places of a scenario.
#[must_use]
pub fn catalogue(scenario: &Scenario) -> Vec<FaultSpec> {
    CATALOGUE
        .iter()
        .flat_map(|row| targets(scenario, row.kind).into_iter().map(|to| fault(row, to)))
        .collect()
}

fn fault(row: &Row, target: String) -> FaultSpec {
    let seconds = SimDuration::from_secs;
    FaultSpec {
        mtbf: Some(Dist::exponential(seconds(row.mtbf_s))),
        mttr: Some(Dist::constant(seconds(row.mttr_s))),
        drain: (row.kind == FaultKind::Deploy).then_some(Duration(TOLD)),
        ..FaultSpec::new(row.kind, target)
    }
}

/// The names of what a fault of the catalogue happens to.
fn targets(scenario: &Scenario, kind: FaultKind) -> Vec<String> {
    let mut found = Vec::new();
    for entry in &scenario.boxes {
        let mut places: Vec<String> = match kind {
            FaultKind::Region => entry.regions.clone(),
            FaultKind::Zone => zones(entry),
            FaultKind::Deploy if !is_application(entry) => Vec::new(),
            _ if has_machine(entry) => vec![entry.name.clone()],
            // A process on the machine of another box crashes alone.
            FaultKind::Crash if entry.spec.host().is_some() => vec![entry.name.clone()],
            _ => Vec::new(),
        };
        places.retain(|place| !found.contains(place));
        found.extend(places);
    }
    found
}

fn has_machine(entry: &BoxEntry) -> bool {
    (0..entry.spec.members()).any(|member| entry.spec.member(&entry.name, member).machine.is_some())
}

/// Whether it runs code of those who built the design, which is what releases change: it does work, and does not pass it on.
fn is_application(entry: &BoxEntry) -> bool {
    entry.spec.answers().meets(Verbs::WORK) && !entry.spec.hears_of_stops() && has_machine(entry)
}

/// The zones of a box, with their regions where they have any: `tokyo/a`.
fn zones(entry: &BoxEntry) -> Vec<String> {
    if entry.regions.is_empty() {
        return entry.zones.clone();
    }
    let all = entry
        .regions
        .iter()
        .flat_map(|region| entry.zones.iter().map(move |zone| format!("{region}/{zone}")));
    all.collect()
}
