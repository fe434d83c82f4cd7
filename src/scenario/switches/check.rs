//! Checks of `[switch.NAME]`: who stands on its sides, what it needs, and whether there is something to do.

use super::{expanded, machines};
use crate::model::ask::Verbs;
use crate::model::spec::{Part, Problems, Severity, Sides};
use crate::model::switching::Step;
use crate::scenario::BoxEntry;
use crate::scenario::assemble::Assembly;
use crate::scenario::document::Document;
use crate::scenario::error::Diagnostic;
use crate::scenario::seats::{Seat, seats};
use crate::scenario::suggest::did_you_mean;
use crate::scenario::validate::diagnostics_at;

/// The lesson of a switch whose tools are lost with what they are for.
const LESSON: &str = "the tools burn with the site";

/// Checks the switches, tells each box what a switch does to it, and takes the machines of cold sites away.
pub(in crate::scenario) fn take_sides(
    document: &Document<'_>,
    assembly: &mut Assembly,
    found: &mut Vec<Diagnostic>,
) {
    let given = |entry: &BoxEntry| Some((entry.name.clone(), entry.spec.sides()?));
    let switches: Vec<(String, Sides)> = assembly.boxes.iter().filter_map(given).collect();
    let mut taken: Vec<(String, String)> = Vec::new();
    for (name, given) in &switches {
        let sides = expanded(given, &assembly.boxes);
        let mut check = Check { name, given, sides: &sides, assembly, problems: Problems::default() };
        check.names();
        check.others(&taken);
        if check.problems.items.is_empty() {
            check.needs();
            check.callers();
        }
        let parts = check.parts();
        check.steps(&parts);
        let mut problems = check.problems;
        let is_sound = problems.items.iter().all(|one| one.severity == Severity::Warning);
        if !sides.is_warm && is_sound {
            take_machines(assembly, name, &sides, &mut problems);
        }
        settle(assembly, name, &sides, &parts);
        taken.extend(sides.boxes.iter().map(|one| (one.clone(), name.clone())));
        found.extend(diagnostics_at(document, &format!("switch.{name}"), problems));
    }
}

/// Tells each box what a switch does to it, and the switch what there is to do.
fn settle(assembly: &mut Assembly, name: &str, sides: &Sides, parts: &[(String, Part)]) {
    let has = |wanted: fn(&Part) -> bool| parts.iter().any(|(_, part)| wanted(part));
    let data = has(|part| matches!(part, Part::Data(_))).then_some(Step::Data);
    let names = has(|part| *part == Part::Name).then_some(Step::Names);
    let steps = data.into_iter().chain(names).collect();
    for entry in &mut assembly.boxes {
        if entry.name == name {
            entry.spec.take_part(&Sides { steps: Some(steps), ..sides.clone() });
            break;
        }
    }
    for entry in &mut assembly.boxes {
        let moves = |(of, part): &(String, Part)| *of == entry.name && *part != Part::Nothing;
        if parts.iter().any(moves) {
            entry.spec.take_part(sides);
        }
    }
}

/// The groups of servers of a site that is not warm have no machine until the switch.
fn take_machines(assembly: &mut Assembly, switch: &str, sides: &Sides, problems: &mut Problems) {
    for at in 0..assembly.boxes.len() {
        let entry = &mut assembly.boxes[at];
        let members = entry.spec.members();
        let is_there =
            sides.boxes.contains(&entry.name) && machines(entry).iter().any(|one| sides.to.contains(one));
        if !is_there || entry.spec.host().is_some() || !entry.spec.reserve(members) {
            continue;
        }
        let entry = &assembly.boxes[at];
        let name = &entry.name;
        let warm = "or let the site be there all the time: warm = true";
        if !sides.to.contains(name) {
            let message =
                format!("`{name}` has machines elsewhere too, and those in `to` boot at the switch");
            problems.error("to", message, format!("make a box of its own of them, {warm}"));
        } else if entry.starts.is_some() {
            let message =
                format!("the machines of `{name}` boot at the switch, and something else orders them too");
            problems.error("to", message, format!("drop the autoscaler or operation, {warm}"));
        } else if let Some(guest) = assembly.boxes.iter().find(|other| other.spec.host() == Some(name)) {
            let message =
                format!("`{}` runs on a machine of `{name}`, which boots at the switch", guest.name);
            problems.error("to", message, format!("give `{}` a machine of its own, {warm}", guest.name));
        } else {
            if let Some(need) = sides.needs.iter().position(|need| need == name) {
                let message = format!("`{name}` boots after the decision, and nobody can decide without it");
                problems.error(format!("needs[{need}]"), message, warm.replacen("or ", "", 1));
            }
            let entry = &mut assembly.boxes[at];
            (entry.starts, entry.booted_by) = (Some(0), Some(switch.to_owned()));
        }
    }
}

struct Check<'a> {
    name: &'a str,
    /// As the scenario says.
    given: &'a Sides,
    /// With all members.
    sides: &'a Sides,
    assembly: &'a Assembly,
    problems: Problems,
}

impl Check<'_> {
    /// The names of the lists are those of boxes that may stand there, and none stands on both sides.
    fn names(&mut self) {
        for (key, names) in [("from", &self.given.from), ("to", &self.given.to)] {
            if names.is_empty() {
                self.problems.error(key, "a site has at least one box", format!("such as {key} = [\"web\"]"));
            }
        }
        let lists = [("from", &self.given.from), ("to", &self.given.to), ("needs", &self.given.needs)];
        for (key, names) in lists {
            for (at, name) in names.iter().enumerate() {
                self.name(&format!("{key}[{at}]"), name, key == "needs");
            }
        }
        for (at, name) in self.given.to.iter().enumerate() {
            let of = |name: &String| {
                expanded(&Sides { to: vec![name.clone()], ..Sides::default() }, &self.assembly.boxes)
            };
            if let Some(both) = of(name).to.into_iter().find(|one| self.sides.from.contains(one)) {
                let message = format!("`{both}` stands on both sides");
                self.problems.error(
                    format!("to[{at}]"),
                    message,
                    "of a database, name the members: \"db.primary\"",
                );
            }
        }
    }

    fn name(&mut self, key: &str, name: &str, is_need: bool) {
        let boxes = &self.assembly.boxes;
        let is_it = |entry: &&BoxEntry| {
            entry.name == name || !is_need && machines(entry).iter().any(|one| one == name)
        };
        let Some(entry) = boxes.iter().find(is_it) else {
            if !self.assembly.declared.contains_key(name) {
                let members = boxes.iter().filter(|_| !is_need).flat_map(machines);
                let mut known: Vec<String> =
                    boxes.iter().map(|entry| entry.name.clone()).chain(members).collect();
                known.sort();
                known.dedup();
                let help = did_you_mean(name, "there are", known.iter().map(String::as_str));
                self.problems.error(key, format!("unknown name `{name}`"), help.unwrap_or_default());
            }
            return;
        };
        let what = match entry.spec {
            _ if entry.spec.offered().is_some() => "users stand in no site",
            _ if entry.spec.answers().meets(Verbs::RESOLVE) => "a name stands in no site, it leads to sites",
            _ if !is_need && entry.works_aside()
                || entry.spec.sides().is_some()
                || entry.spec.keeps().is_some() =>
            {
                "it decides about others, and stands in no site"
            }
            _ => return,
        };
        let message = format!("`{name}` is a {}: {what}", entry.kind);
        self.problems.error(key, message, "name what is lost with the site, or takes over from it");
    }

    /// A box takes part in one switch at most.
    fn others(&mut self, taken: &[(String, String)]) {
        let twice = taken.iter().find(|(one, _)| self.sides.boxes.contains(one));
        if let Some((one, other)) = twice {
            let message = format!("`{one}` takes part in the switch `{other}` already");
            self.problems.error("", message, "a switch back, and one from a third site, are not modelled");
        }
    }

    /// Warns of what a switch needs and loses with the site.
    fn needs(&mut self) {
        let seats = seats(&self.assembly.boxes);
        let places = |is_there: &dyn Fn(&Seat<'_>) -> bool| -> Vec<_> {
            let there = seats.iter().filter(|seat| is_there(seat));
            there.map(|seat| (seat.region().map(str::to_owned), seat.zone().map(str::to_owned))).collect()
        };
        let on = |side: &[String]| places(&|seat| side.contains(&seat.plan.name));
        let (from, to) = (on(&self.sides.from), on(&self.sides.to));
        for (at, name) in self.given.needs.iter().enumerate() {
            let here = places(&|seat| seat.entry.name == *name && !seat.is_driver());
            let is_lost = here.iter().all(|place| from.contains(place) && !to.contains(place));
            if is_lost || self.sides.from.contains(name) {
                let message = format!("`{name}` stands only where `from` does: {LESSON}");
                let help =
                    "without it nobody can switch when the site is lost: let it stand in a third place";
                self.problems.warn(format!("needs[{at}]"), message, help);
            }
        }
    }

    /// Reports boxes that call the site that takes nothing yet.
    fn callers(&mut self) {
        let boxes = &self.assembly.boxes;
        for entry in boxes {
            let is_name = entry.spec.answers().meets(Verbs::RESOLVE);
            if is_name || self.sides.boxes.contains(&entry.name) && self.sides.to.contains(&entry.name) {
                continue;
            }
            let there = entry.spec.arrows().into_iter().find(|arrow| self.sides.to.contains(&arrow.to));
            if let Some(arrow) = there {
                let message =
                    format!("`{}` calls `{}`, which takes nothing before the switch", entry.name, arrow.to);
                self.problems.error("to", message, "only names and boxes of the same side may lead there");
            }
        }
    }

    /// What the switch does to each box.
    fn parts(&mut self) -> Vec<(String, Part)> {
        let mut parts = Vec::new();
        for entry in &self.assembly.boxes {
            let part = entry.spec.part(&entry.name, self.sides);
            if let Part::Wrong { name, message, help } = &part {
                let given = self.given.from.iter().position(|one| one == name || *one == entry.name);
                let key = given.map_or("from".to_owned(), |at| format!("from[{at}]"));
                self.problems.error(key, message.clone(), help.clone());
            }
            parts.push((entry.name.clone(), part));
        }
        parts
    }

    /// There is something to do in each step, and a step for each thing that is to be done.
    fn steps(&mut self, parts: &[(String, Part)]) {
        if self.problems.items.iter().any(|one| one.severity == Severity::Error) {
            return;
        }
        self.addresses(parts);
        let of =
            |wanted: fn(&Part) -> bool| parts.iter().find(|(_, part)| wanted(part)).map(|(name, _)| name);
        let (data, name) = (of(|part| matches!(part, Part::Data(_))), of(|part| *part == Part::Name));
        if data.is_none() && name.is_none() {
            let message = format!(
                "`{}` would change nothing: no name leads to its sides, and no primary stands in `from`",
                self.name
            );
            return self.problems.error(
                "",
                message,
                "name what names lead to: [dns.www] records = [\"lb-a\", \"lb-b\"]",
            );
        }
        let Some(steps) = &self.given.steps else { return };
        for (at, step) in steps.iter().enumerate() {
            match step {
                Step::Data if data.is_none() => {
                    let help = "name it there, such as \"db.primary\", or drop the step";
                    self.problems.error(format!("steps[{at}]"), "no primary stands in `from`", help);
                }
                Step::Names if name.is_none() => {
                    let help = "drop the step, or let a name have records of both sides";
                    self.problems.error(format!("steps[{at}]"), "no name leads to the sides", help);
                }
                _ => {}
            }
        }
        let missing = [
            (Step::Data, data, "nobody makes its replica primary", "db", "3min"),
            (Step::Names, name, "its answers stay as they are", "dns", "1min"),
        ];
        for (step, of, what, word, time) in missing {
            if let Some(of) = of.filter(|_| !steps.contains(&step)) {
                let help = format!("add a step: [\"{word}\", \"{time}\"]");
                self.problems.warn("steps", format!("the switch does nothing for `{of}`: {what}"), help);
            }
        }
    }

    /// Names have addresses before and after the switch.
    fn addresses(&mut self, parts: &[(String, Part)]) {
        let names = parts.iter().filter(|(_, part)| *part == Part::Name);
        for (name, _) in names {
            let Some(entry) = self.assembly.boxes.iter().find(|entry| entry.name == *name) else { continue };
            let records: Vec<String> = entry.spec.arrows().into_iter().map(|arrow| arrow.to).collect();
            for (side, key, when) in [(&self.sides.to, "from", "before"), (&self.sides.from, "to", "after")] {
                if records.iter().all(|record| side.contains(record)) {
                    let message = format!(
                        "`{name}` has no address {when} the switch: all of its records stand on one side"
                    );
                    self.problems.error(key, message, format!("give `{name}` a record of a box in `{key}`"));
                }
            }
        }
    }
}
