//! From `[[fault]]` tables to the faults of a trial: names become components.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Applies, FaultKind, FaultSpec};
use crate::kernel::time::SimDuration;
use crate::kernel::variate::Variate;
use crate::model::failing::rule;
use crate::model::faults::{Deployment, Effect, Fault, Restart, Slowness, When};
use crate::model::quantity::Dist;
use crate::model::signal::{ComponentId, Impairment};
use crate::model::troubles::{Links, Trouble};
use crate::scenario::names::Names;
use crate::scenario::seats::Seat;

/// Time that a process has for its calls when it is told to stop: `terminationGracePeriodSeconds` of Kubernetes [S].
const GRACE: SimDuration = SimDuration::from_secs(30);

/// The faults of a trial, in the order of the text. The seats are those of the components, in the order of their ids.
pub(in crate::scenario) fn plan(specs: &[FaultSpec], seats: &[Seat<'_>]) -> Vec<Fault> {
    let mut plan = Plan { seats, faults: Vec::new(), named: BTreeMap::new(), row: 0 };
    for (row, spec) in specs.iter().enumerate() {
        plan.row = row;
        plan.add(spec);
    }
    plan.faults
}

struct Plan<'a> {
    seats: &'a [Seat<'a>],
    faults: Vec<Fault>,
    /// Number of faults with each name so far.
    named: BTreeMap<String, u32>,
    /// The place of the fault that is being added.
    row: usize,
}

impl Plan<'_> {
    fn add(&mut self, spec: &FaultSpec) {
        let when = when(spec);
        let targets = self.components(spec);
        match (spec.kind, &when) {
            (FaultKind::Deploy, When::Once { at, lasts }) => {
                let told = spec.drain.map(|drain| drain.0).filter(|drain| !drain.is_zero());
                let members = targets.iter().map(|&of| self.restart(of, told)).collect();
                let grace = if told.is_some() { GRACE } else { SimDuration::ZERO };
                let grace = spec.grace.map_or(grace, |grace| grace.0);
                let down = lasts.unwrap_or(SimDuration::ZERO);
                let pause = spec.pause.map_or(SimDuration::ZERO, |pause| pause.0);
                let when = When::Once { at: *at, lasts: None };
                self.push(
                    spec,
                    when,
                    Effect::Deploy(Deployment { members, down, pause, told, grace }),
                    &targets,
                );
            }
            _ if spec.kind.is_of_links() => self.links(spec, when),
            // A disaster hits all of a place at once. Of other random faults, each target has its own times.
            (FaultKind::Region | FaultKind::Zone, _) | (_, When::Once { .. }) => {
                self.push(spec, when, effect(spec, targets.clone()), &targets);
            }
            (_, When::Again { .. }) => {
                for target in targets {
                    self.push(spec, when.clone(), effect(spec, vec![target]), &[target]);
                }
            }
        }
    }

    /// How a deployment restarts a member: those who send it calls drain it before, if they do that or are `told`.
    fn restart(&self, of: ComponentId, told: Option<SimDuration>) -> Restart {
        let name = &self.seats[of.index()].entry.name;
        let router = |(index, seat): (usize, &Seat<'_>)| {
            let asks = seat.entry.spec.arrows().iter().any(|arrow| arrow.to == *name);
            let told = told.filter(|_| seat.entry.spec.hears_of_stops());
            let time = told.or_else(|| seat.entry.spec.drains());
            time.filter(|_| asks).map(|time| (ComponentId::new(index), time))
        };
        let routers = self.seats.iter().enumerate().filter_map(router).collect();
        Restart { of, routers, announced: self.seats[of.index()].entry.spec.says_goodbye() }
    }

    /// Adds trouble between the two sides, or between the target and all others.
    fn links(&mut self, spec: &FaultSpec, when: When) {
        let all = || (0..self.seats.len()).map(ComponentId::new);
        let called = |names: &Names| -> Vec<ComponentId> {
            let is_called =
                |id: &ComponentId| names.0.iter().any(|name| self.seats[id.index()].is_called(name));
            all().filter(is_called).collect()
        };
        let (sides, about) = match (&spec.between, &spec.target) {
            (Some([left, right]), _) => {
                ([called(left), called(right)], format!("{} | {}", left.0.join(", "), right.0.join(", ")))
            }
            (None, target) => {
                let target = target.clone().unwrap_or_default();
                let one = called(&target);
                let others = all().filter(|id| !one.contains(id)).collect();
                ([one, others], target.0.join(", "))
            }
        };
        let trouble = match spec.kind {
            FaultKind::PacketLoss => Trouble::Loss(spec.share.map_or(0.0, |share| share.0)),
            FaultKind::Latency => Trouble::Latency(spec.add.map_or(SimDuration::ZERO, |add| add.0)),
            _ => Trouble::Partition,
        };
        let effect = Effect::Links(about, Arc::new(Links { sides, trouble }));
        self.push(spec, when, effect, &[]);
    }

    /// Adds a fault. Its name, from which its random numbers come, depends only on itself and on earlier faults with
    /// the same kind and targets.
    fn push(&mut self, spec: &FaultSpec, when: When, effect: Effect, of: &[ComponentId]) {
        let who: Vec<&str> = match &effect {
            Effect::Links(about, _) => vec![about],
            _ => of.iter().map(|id| self.seats[id.index()].plan.name.as_str()).collect(),
        };
        let name = format!("{} {}", spec.kind.name(), who.join(" "));
        let likes = self.named.entry(name.clone()).or_default();
        *likes += 1;
        self.faults.push(Fault { name: format!("{name} {likes}"), row: self.row, when, effect });
    }

    /// The components that the target names.
    fn components(&self, spec: &FaultSpec) -> Vec<ComponentId> {
        let hit = self.seats.iter().enumerate().filter(|(_, seat)| spec.hits(seat));
        hit.map(|(at, _)| ComponentId::new(at)).collect()
    }
}

fn when(spec: &FaultSpec) -> When {
    match (&spec.mtbf, &spec.mttr, spec.at) {
        (Some(mtbf), Some(mttr), _) => When::Again { after: random(mtbf), lasts: random(mttr) },
        (_, _, at) => {
            let at = at.map_or(SimDuration::ZERO, |at| at.0);
            When::Once { at, lasts: spec.lasts().map(|lasts| lasts.0) }
        }
    }
}

/// The random time of a distribution; a plain duration is the mean of an exponential time.
pub(super) fn random(dist: &Dist) -> Variate {
    let variate = dist.variate();
    if variate.is_constant() { Variate::exponential(variate.mean()) } else { variate }
}

fn effect(spec: &FaultSpec, of: Vec<ComponentId>) -> Effect {
    match spec.kind {
        FaultKind::Region | FaultKind::Zone => Effect::Disaster(of),
        FaultKind::PowerOff => Effect::PowerOff(of),
        FaultKind::Hang => Effect::Hang(of),
        FaultKind::Slow => {
            let slowness = match spec.applies.unwrap_or_default() {
                Applies::All => Slowness::Cores,
                Applies::New => Slowness::NewWork,
            };
            Effect::Slow { of, speed: 1.0 / spec.factor.unwrap_or(1.0), slowness }
        }
        FaultKind::Pause => Effect::Pause(of),
        FaultKind::Errors => Effect::Errors(of, rule(spec.share.unwrap_or_default(), spec.ending, spec.time)),
        FaultKind::DiskFull => Effect::Impair(of, Impairment::StorageFull),
        FaultKind::DnsEmpty => Effect::Impair(of, Impairment::NoRecords),
        FaultKind::Flush => Effect::Impair(of, Impairment::Emptied),
        _ => Effect::Crash(of),
    }
}
