//! What binds: the resource with the highest use.

use std::collections::BTreeMap;

use crate::model::resource::{CPU, DISK, MEMORY, Meter, Resource, Sort};
use crate::model::spec::Offered;
use crate::scenario::Scenario;

use super::super::result::{Bottleneck, ComponentResult, Figure, RunResult};

/// Members of a group whose mean use is less than this share below the busiest are taken for alike.
const ALIKE: f64 = 0.1;

/// Slots that are busier than the cores behind them by more than this share bind in their place.
const CLEARLY_BUSIER: f64 = 0.1;

/// The resources of each box, by its name.
type Resources<'a> = BTreeMap<&'a str, Vec<Resource>>;

/// The resource with the highest use.
pub(in super::super) fn bottleneck(scenario: &Scenario, result: &RunResult) -> Option<Bottleneck> {
    let found = busiest(scenario, result).into_iter().chain(by_law(scenario, result));
    found.reduce(|most, one| if one.utilisation > most.utilisation { one } else { most })
}

/// Resources that nobody measures, by the utilisation law: what a request takes of them, times the measured requests.
fn by_law(scenario: &Scenario, result: &RunResult) -> Vec<Bottleneck> {
    let load = scenario.load();
    let rate = |offered: &Offered, most: f64| if let Offered::Open(rate) = offered { *rate } else { most };
    let expected: f64 = load.clients.iter().map(|client| rate(&client.offered, client.throughput_max)).sum();
    let share = result.metrics.throughput_rps.mean.unwrap_or(0.0) / expected;
    // Calls that a limit turns away are not among those that are measured.
    let is_told = |resource: &Resource| resource.meter == Meter::Law && resource.sort != Sort::Limit;
    let rows = load.resources.iter().filter(|row| is_told(&row.resource));
    let used = rows.map(|row| (row, share * row.utilisation())).filter(|(_, used)| *used > 0.0);
    used.map(|(row, used)| Bottleneck {
        component: row.name.clone(),
        resource: row.resource.name,
        utilisation: used.min(1.0),
    })
    .collect()
}

/// The measured resource with the highest use.
fn busiest(scenario: &Scenario, result: &RunResult) -> Option<Bottleneck> {
    let entries = scenario.boxes.iter();
    let resources: Resources<'_> =
        entries.map(|entry| (entry.name.as_str(), entry.spec.resources(&scenario.classes))).collect();
    let uses = |name: &str, component: &ComponentResult| uses(name, component, &resources);
    let all = result.components.iter().flat_map(|(name, component)| {
        uses(name, component).into_iter().map(move |(resource, used)| (name, component, resource, used))
    });
    let (name, component, resource, used) =
        all.reduce(|most, one| if one.3 > most.3 { one } else { most })?;
    if used <= 0.0 {
        return None;
    }
    let mates: Vec<f64> = result
        .components
        .iter()
        .filter(|(_, other)| other.group == component.group)
        .filter_map(|(name, other)| {
            uses(name, other).into_iter().find(|one| one.0 == resource).map(|one| one.1)
        })
        .collect();
    let average = mates.iter().sum::<f64>() / mates.len() as f64;
    let (component, utilisation) = if used - average <= ALIKE * used && mates.len() > 1 {
        (component.group.clone(), average)
    } else {
        (name.to_owned(), used)
    };
    Some(Bottleneck { component, resource, utilisation })
}

/// How busy each measured resource of a component is. The cores and the disk of a machine count for its host alone.
fn uses(name: &str, component: &ComponentResult, resources: &Resources<'_>) -> Vec<(&'static str, f64)> {
    let mut uses = Vec::new();
    let mean = |figure: &Option<Figure>| figure.as_ref().and_then(|figure| figure.mean);
    let machine = component.machine.as_ref();
    let cores = mean(&component.utilisation).unwrap_or(0.0);
    if machine.is_some_and(|machine| machine.host == name) {
        uses.push((CPU, cores));
        uses.extend(mean(&component.disk_utilisation).map(|disk| (DISK, disk)));
    }
    let is_full = component.outcomes.out_of_memory.mean.is_some_and(|calls| calls > 0.0);
    if let Some(machine) = machine.filter(|_| is_full) {
        let used = mean(&component.memory_bytes_max).unwrap_or(0.0) / machine.memory_bytes as f64;
        uses.push((MEMORY, used.min(1.0)));
    }
    let mut declared = resources.get(component.group.as_str()).into_iter().flatten();
    let slots = declared.find(|resource| resource.meter == Meter::Slots);
    let held = mean(&component.slots_utilisation).filter(|held| *held > cores + CLEARLY_BUSIER);
    uses.extend(slots.zip(held).map(|(slots, held)| (slots.name, held)));
    uses
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::from_text;
    use super::super::next;
    use super::super::samples::changed;
    use super::*;
    use crate::model::resource::APPLY_WORKERS;

    #[test]
    fn the_busiest_resource_binds() {
        let found = changed(|_| ()).bottleneck.unwrap();
        assert_eq!((found.component.as_str(), found.resource, found.utilisation), ("box", "cpu", 0.75));
        let disk = changed(|record| {
            record.components[0].machine.as_mut().unwrap().disk_utilisation = Some(0.9);
        });
        assert_eq!(disk.bottleneck.unwrap().resource, "disk");
        // A call that is served on a core also holds a worker: workers bind only if they are clearly busier than the
        // cores.
        let held =
            |share| changed(move |record| record.components[0].slots_held = Some(share)).bottleneck.unwrap();
        assert_eq!((held(0.95).resource, held(0.95).utilisation), ("workers", 0.95));
        assert_eq!(held(0.8).resource, "cpu");
    }

    #[test]
    fn members_that_are_alike_are_named_together() {
        let group = |busy: f64| {
            changed(move |record| {
                let mut second = record.components[0].clone();
                for (component, name) in [(&mut record.components[0], "web-1"), (&mut second, "web-2")] {
                    (component.name, component.group) = (name.into(), "web".into());
                    component.machine.as_mut().unwrap().host = name.into();
                }
                second.machine.as_mut().unwrap().busy_cores_mean = busy;
                record.components[1] = second;
            })
        };
        let alike = group(1.4).bottleneck.unwrap();
        assert_eq!((alike.component.as_str(), alike.utilisation), ("web", 0.725));
        assert_eq!(group(0.2).bottleneck.unwrap().component, "web-1");
    }

    #[test]
    fn workers_that_apply_the_log_bind_as_cores_do() {
        // Each of 50 writes a second takes the one worker of the replica 16 ms: 80 % of its time.
        let scenario = from_text(
            "[request.write]\neffect = 'write'\n[client.users]\nrate = '50/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\nsteps = [{ query = 'db' }]\n\
             [database.db]\ncores = 4\nreplicas = 1\napply = { demand = '16ms' }\n",
        );
        let mut result = changed(|_| ());
        result.metrics.throughput_rps = Figure::over([50.0]);
        let found = bottleneck(&scenario, &result).unwrap();
        assert_eq!((found.component.as_str(), found.resource), ("db", APPLY_WORKERS));
        assert!((found.utilisation - 0.8).abs() < 1e-9);
        result.bottleneck = Some(found);
        assert_eq!(next(&scenario, &result).unwrap(), "outgrow run a.toml --set db.apply.workers=2");
        result.metrics.throughput_rps = Figure::over([5.0]);
        assert_eq!(bottleneck(&scenario, &result).unwrap().resource, "cpu");
    }
}
