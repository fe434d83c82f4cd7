//! What the laws say of the highest load when one machine is missing.

use super::super::loss::machines;
use super::{Knob, shown};
use crate::scenario::load::{Missing, StaticLoad};
use crate::scenario::{BoxEntry, Scenario};

/// What remains of the load that fills a resource when one machine is missing, of those that are not alone in their role the one
/// that costs most: a clause without a full stop. `None` if every machine is alone, or the laws do not tell.
#[must_use]
pub fn without_one(knob: &Knob, scenario: &Scenario) -> Option<String> {
    let full = |load: &StaticLoad| {
        let row = load.bottleneck()?;
        let full = knob.own() / row.peak_utilisation();
        let noun = row.resource.noun;
        let binds = format!("{} of `{}` {} full", noun.word(), row.name, noun.is());
        (full > 0.0 && full.is_finite()).then(|| (knob.nearest(full), binds))
    };
    let (whole, _) = full(&scenario.load())?;
    let left = |machine: String| {
        let name = has_twin(scenario, &machine)?;
        let missing = Missing::of(&scenario.boxes, std::slice::from_ref(&machine)).ok()?;
        let (rest, binds) = full(&scenario.load_without(&missing))?;
        Some((rest, binds, name, machine))
    };
    let all = machines(scenario).into_iter().filter_map(left);
    let (rest, binds, name, machine) = all.reduce(|least, one| if one.0 < least.0 { one } else { least })?;
    let unit = knob.unit();
    let change = if rest < whole {
        format!("at {}, not at {}", shown(rest, unit), shown(whole, unit))
    } else {
        format!("at {}, as with it", shown(rest, unit))
    };
    let command = scenario.command(&[]).replacen("outgrow run", "outgrow explain", 1);
    Some(format!(
        "with one machine of `{name}` less {binds} {change}, by the utilisation law: {command} --without {machine}"
    ))
}

/// The box of a machine that has another one of the same role.
fn has_twin<'a>(scenario: &'a Scenario, machine: &str) -> Option<&'a str> {
    let roles = |entry: &BoxEntry| -> Vec<(String, String)> {
        let plans = (0..entry.spec.members()).map(|member| entry.spec.member(&entry.name, member));
        plans.map(|plan| (plan.role().to_owned(), plan.name)).collect()
    };
    scenario.boxes.iter().find_map(|entry| {
        let all = roles(entry);
        let (role, _) = all.iter().find(|(_, name)| name == machine)?;
        // Nobody has the data of a part that is missing.
        let number = all.iter().position(|(_, name)| name == machine)? as u32;
        let resources = entry.spec.resources(&scenario.classes);
        if resources.iter().any(|one| one.is_divided && one.of.contains(&number)) {
            return None;
        }
        (all.iter().filter(|(other, _)| other == role).count() > 1).then_some(entry.name.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::from_text;
    use super::*;

    fn said(boxes: &str) -> Option<String> {
        let text = format!(
            "[client.u]\nrate = '100/s'\ntarget = 'lb'\n[balancer.lb]\npublic = true\ntargets = ['web']\n{boxes}"
        );
        let scenario = from_text(&text);
        without_one(&Knob::of(&scenario, None).unwrap(), &scenario)
    }

    #[test]
    fn the_rest_carries_what_its_law_says() {
        // A core takes 100 requests of 10 ms a second.
        let four = said("[server.web]\ncount = 4\ncores = 1\nsteps = [{ cpu = '10ms' }]\n").unwrap();
        let law = "with one machine of `web` less the cores of `web` are full at 300/s, not at 400/s, by the utilisation law: \
                   outgrow explain a.toml --without web-1";
        assert_eq!(four, law);
        // The database binds before and after.
        let shared = said(
            "[server.web]\ncount = 4\ncores = 1\nsteps = [{ cpu = '10ms' }, { query = 'db' }]\n\
             [database.db]\ncores = 1\nread = '5ms'\n",
        );
        assert!(
            shared
                .unwrap()
                .contains("the cores of `db` are full at 200/s, as with it, by the utilisation law")
        );
        let divided = said(
            "[request.read]\nkeys = 100\n[server.web]\ncores = 1\nsteps = [{ query = 'db' }]\n\
             [database.db]\nread = '5ms'\nshards = { count = 4 }\n",
        );
        assert_eq!(divided, None, "each shard has data of its own");
        assert_eq!(said("[server.web]\ncores = 1\nsteps = [{ cpu = '10ms' }]\n"), None, "each is alone");
    }
}
