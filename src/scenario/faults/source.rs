//! The sources of random faults: each machine, place or link that fails again and again by a clock of its own.

use std::collections::BTreeMap;

use super::plan::random;
use super::{FaultKind, FaultSpec};
use crate::kernel::variate::Variate;
use crate::model::quantity::Duration;
use crate::scenario::Scenario;
use crate::scenario::names::Names;
use crate::scenario::seats::{Seat, seats};

/// Something that fails at random, independently of everything else.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its own name, of which its random numbers are made: `crash of web-2`.
    pub name: String,
    /// What it has in common with the sources that differ from it in nothing but their number: `crash of web`.
    pub cause: String,
    /// What goes wrong, and where; without its times.
    fault: FaultSpec,
    /// Time from the end of one failure to the next.
    pub after: Variate,
    /// Time to repair.
    pub lasts: Variate,
    /// Of a deployment, the number of members that are down one after another, and the time in seconds between two of them.
    rounds: (u32, f64),
}

impl Source {
    /// What goes wrong.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        self.fault.kind
    }

    /// How often it fails, a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        1.0 / (self.after.mean() + self.over(self.lasts.mean()))
    }

    /// Time in seconds from the begin of a failure with this time of repair until it is over: of a deployment, when the last
    /// member is back.
    #[must_use]
    pub fn over(&self, lasts_s: f64) -> f64 {
        let (members, between_s) = self.rounds;
        f64::from(members) * (lasts_s + between_s)
    }

    /// The fault that begins at this time of a trial and lasts for this time.
    #[must_use]
    pub fn fault(&self, at: Duration, lasts: Duration) -> FaultSpec {
        let lasts = (self.fault.kind != FaultKind::Flush).then_some(lasts);
        FaultSpec { at: Some(at), lasts, ..self.fault.clone() }
    }
}

/// The sources of the faults with an `mtbf` in `faults`, in their order. As in a trial, each of several targets fails on its
/// own, while a place or a link fails as a whole.
#[must_use]
pub fn sources(scenario: &Scenario, faults: &[FaultSpec]) -> Vec<Source> {
    let seats = seats(&scenario.boxes);
    let mut found = Vec::new();
    for spec in faults {
        let (Some(mtbf), Some(mttr)) = (&spec.mtbf, &spec.mttr) else { continue };
        let one = |name: String, cause: String, target: Option<Names>| Source {
            name: format!("{} of {name}", spec.kind.name()),
            cause: format!("{} of {cause}", spec.kind.name()),
            fault: FaultSpec { target, mtbf: None, mttr: None, ..spec.clone() },
            after: random(mtbf),
            lasts: if spec.kind == FaultKind::Deploy { mttr.variate() } else { random(mttr) },
            rounds: (1, 0.0),
        };
        if spec.kind == FaultKind::Deploy {
            let members = seats.iter().filter(|seat| spec.hits(seat)).count() as u32;
            let between =
                [spec.drain, spec.pause].into_iter().flatten().map(|time| time.0.as_secs_f64()).sum();
            let all = spec.whole();
            let whole = one(all.clone(), all, spec.target.clone());
            found.push(Source { rounds: (members, between), ..whole });
            continue;
        }
        if spec.kind.is_of_links() || matches!(spec.kind, FaultKind::Region | FaultKind::Zone) {
            let all = spec.whole();
            found.push(one(all.clone(), all, spec.target.clone()));
            continue;
        }
        for seat in seats.iter().filter(|seat| spec.hits(seat)) {
            let name = seat.plan.name.clone();
            found.push(one(name.clone(), cause(seat), Some(Names(vec![name]))));
        }
    }
    numbered(&mut found);
    found
}

/// The role of a member, and its region where members of its role stand in several.
fn cause(seat: &Seat<'_>) -> String {
    let role = seat.plan.role();
    match seat.region().filter(|_| seat.entry.regions.len() > 1) {
        Some(region) => format!("{role} in {region}"),
        None => role.to_owned(),
    }
}

/// Gives sources with the same name numbers, as two tables with the same fault make them.
fn numbered(found: &mut [Source]) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for source in found {
        let times = seen.entry(source.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            source.name = format!("{} ({times})", source.name);
            source.cause = format!("{} ({times})", source.cause);
        }
    }
}
