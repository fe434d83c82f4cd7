//! What to try next: a command that turns one lever.

use std::ops::Range;

use crate::model::lever::{Effect, Lever};
use crate::model::resource::{Meter, Sort};
use crate::scenario::levers::levers;
use crate::scenario::{BoxEntry, Scenario};

use super::super::result::{Answer, Bottleneck, RunResult};
use super::{owner, resource_of};

/// From this use on a resource is worth enlarging.
const BUSY: f64 = 0.7;

/// More trials than this are no advice to run: the value is too close to its bound.
pub(in super::super) const TRIALS_ADVISED_MAX: u64 = 1000;

/// A command that is worth running next: the scenario with more trials, or with one lever turned.
#[must_use]
pub fn next(scenario: &Scenario, result: &RunResult) -> Option<String> {
    let run = format!("outgrow run {}", scenario.origin);
    let undecided = result.expect.iter().find(|verdict| verdict.verdict == Answer::NotShown);
    if let Some(trials) =
        undecided.and_then(|verdict| verdict.trials_needed).filter(|few| *few <= TRIALS_ADVISED_MAX)
    {
        return Some(format!("{run} --trials {trials}"));
    }
    let bottleneck = result.bottleneck.as_ref()?;
    let is_busy = bottleneck.utilisation >= BUSY || !result.steady_state.reached;
    let change = if is_busy { enlarge(scenario, bottleneck) } else { more_load(scenario) };
    Some(format!("{run} --set {}", change?))
}

/// The override that gives the bottleneck more of what it lacks.
fn enlarge(scenario: &Scenario, bottleneck: &Bottleneck) -> Option<String> {
    let entry = owner(scenario, &bottleneck.component)?;
    let (holder, resource) = resource_of(scenario, entry, bottleneck.resource)?;
    // More of what calls hold while something else works may only move the queue, and a limit has its reasons.
    let is_worth_more = match resource.meter {
        Meter::Cores | Meter::Memory => true,
        Meter::Law | Meter::Gauge(_) => resource.sort != Sort::Limit,
        Meter::Slots | Meter::Disk | Meter::Passed => false,
    };
    if !is_worth_more {
        return None;
    }
    let members = if holder.name == entry.name { members(entry, &bottleneck.component) } else { 0..1 };
    let relieves = |lever: &Lever| lever.relieves(resource.name, &members);
    levers(scenario, holder).iter().filter(|lever| relieves(lever)).find_map(|lever| turned(holder, lever))
}

/// The override that doubles the load, to see what gives way first.
fn more_load(scenario: &Scenario) -> Option<String> {
    scenario.boxes.iter().find_map(|entry| {
        let levers = levers(scenario, entry);
        let load = levers.iter().find(|lever| matches!(lever.effect, Effect::Load(..)))?;
        turned(entry, load)
    })
}

/// Numbers of the members of a box that a name stands for: one of them, or all.
fn members(entry: &BoxEntry, name: &str) -> Range<u32> {
    let all = 0..entry.spec.members();
    if entry.name == name {
        return all;
    }
    let one = all.clone().find(|number| entry.spec.member(&entry.name, *number).name == name);
    one.map_or(all, |number| number..number + 1)
}

/// The override that gives a lever its next value, with a comment on its price or its reason; `None` at its end.
fn turned(entry: &BoxEntry, lever: &Lever) -> Option<String> {
    let change = format!("{}.{}={}", entry.name, lever.key, lever.next?);
    let price = lever.price.map(|price| format!("USD {price} an hour"));
    Some(match price.or_else(|| lever.why.clone()) {
        Some(comment) => format!("{change} # {comment}"),
        None => change,
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::from_text;
    use super::super::samples::changed;
    use super::*;

    #[test]
    fn the_next_command_changes_what_binds() {
        let scenario = |rest: &str| {
            from_text(&format!(
                "[client.users]\n{rest}\ntarget = 'web'\n[server.web]\npublic = true\ncores = 2\nsteps = [{{ cpu = '1ms' }}]\n"
            ))
        };
        let mut result = changed(|_| ());
        let mut with = |component: &str, utilisation: f64, scenario: &Scenario| {
            result.bottleneck =
                Some(Bottleneck { component: component.into(), resource: "cpu", utilisation });
            next(scenario, &result).unwrap()
        };
        let open = scenario("rate = '50/s'");
        assert_eq!(with("web", 0.9, &open), "outgrow run a.toml --set web.cores=4");
        assert_eq!(with("web", 0.1, &open), "outgrow run a.toml --set users.rate=100/s");
        assert_eq!(with("web", 0.1, &scenario("users = 50")), "outgrow run a.toml --set users.users=100");
    }

    #[test]
    fn a_rented_machine_grows_along_its_family_and_at_its_price() {
        let next_of = |keys: &str, kind: &str| {
            let text = format!(
                "[client.users]\nrate = '50/s'\ntarget = 'web'\n[server.web]\npublic = true\ncores = 8\n\
                 steps = [{{ query = 'db' }}]\n[database.db]\n{keys}\n"
            );
            let text = match kind {
                "server" => text
                    .replace("cores = 8", keys)
                    .replace(&format!("[database.db]\n{keys}"), "[database.db]"),
                _ => text,
            };
            let scenario = from_text(&text);
            let component = if kind == "server" { "web" } else { "db" };
            let binds = Bottleneck { component: component.into(), resource: "cpu", utilisation: 0.9 };
            enlarge(&scenario, &binds)
        };
        let check = |keys: &str, kind: &str, expected: &str| {
            assert_eq!(next_of(keys, kind).as_deref(), Some(expected), "{keys}");
        };
        let next = "web.instance=m7i.xlarge # USD 0.2016 an hour";
        check("instance = 'm7i.large'", "server", next);
        check(
            "instance = 'm7i.48xlarge'",
            "server",
            "web.count=2 # m7i.48xlarge is the largest of its family",
        );
        check(
            "instance = 'm7i.48xlarge'",
            "database",
            "db.replicas=2 # m7i.48xlarge is the largest of its family",
        );
        check("instance = 'm7i.large'\nreplicas = 1", "database", "db.replicas=2");
        check("instance = 'm7i.large'\ncores = 3", "database", "db.cores=6");
    }
}
