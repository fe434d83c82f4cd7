//! `[[expect]]` and `[[check]]`: the expressions of a scenario are parsed against its own names.

use super::assemble::Assembly;
use super::clean::cleaned;
use super::document::Document;
use super::error::Diagnostic;
use super::expression::{
    ComponentName, ExpressionError, Metric, Names, parse, parse_metric, parse_near, parse_span_of_time,
};
use super::sections::{CheckTable, ExpectTable};
use super::{BoxEntry, Check, Claim, Expect, Scenario, Window};
use crate::kernel::time::SimDuration;
use crate::model::part::Part;
use crate::model::quantity::Duration;
use crate::model::spec::{Kind, RequestClass};

/// Parses all goals and checks. An error is shown at its position inside the quotes.
pub(super) fn expects(
    document: &Document<'_>,
    assembly: &Assembly,
    kinds: &[Kind],
    found: &mut Vec<Diagnostic>,
) -> (Vec<Expect>, Vec<Check>) {
    let classes = assembly.classes.iter().map(|class| class.name.clone()).collect();
    let names = Names { classes, components: components(assembly, kinds), is_whole: true };
    let length = assembly.run.length();
    let mut refused = |section: &str, index: usize, (key, error): Refusal| {
        let path = format!("{section}[{index}].{key}");
        let inside = document.inside_string(&path, &error.span);
        let span = inside.unwrap_or_else(|| document.span_of(&path));
        found.push(Diagnostic::error(span, error.message).help(error.help));
    };
    let mut expects = Vec::new();
    for (index, table) in &assembly.expects {
        match expect(table, &names, length) {
            Ok(expect) => expects.push(expect),
            Err(refusal) => refused("expect", *index, refusal),
        }
    }
    let mut checks = Vec::new();
    for (index, table) in &assembly.checks {
        match check(table, &names, length) {
            Ok(check) => checks.push(check),
            Err(refusal) => refused("check", *index, refusal),
        }
    }
    (expects, checks)
}

/// The key with an error, and the error.
type Refusal = (&'static str, ExpressionError);

/// The goal, or the key with an error and the error.
fn expect(table: &ExpectTable, names: &Names, length: SimDuration) -> Result<Expect, Refusal> {
    let that = parse(&table.that, names).map_err(|error| ("that", error))?;
    let window = window(&table.that, &that.metric, [&table.during, &table.except], length)?;
    Ok(Expect { that, text: cleaned(&table.that), window })
}

/// The check, or the key with an error and the error.
fn check(table: &CheckTable, names: &Names, length: SimDuration) -> Result<Check, Refusal> {
    let that = |error| ("that", error);
    let (claim, metric) = match &table.near {
        None => {
            let that = parse(&table.that, names).map_err(that)?;
            let metric = that.metric.clone();
            (Claim::Bound(that), metric)
        }
        Some(near) => {
            let metric = parse_metric(&table.that, names).map_err(that)?;
            let near = parse_near(near, &metric).map_err(|error| ("near", error))?;
            (Claim::Near(metric.clone(), near), metric)
        }
    };
    let window = window(&table.that, &metric, [&table.during, &table.except], length)?;
    let near = table.near.as_deref().map(cleaned);
    Ok(Check { claim, text: cleaned(&table.that), near, window })
}

/// The part of the time that counts, from the texts of `during` and `except`; `None` for all of it.
fn window(
    that: &str,
    metric: &Metric,
    texts: [&Option<String>; 2],
    length: SimDuration,
) -> Result<Option<Window>, Refusal> {
    let [during, except] = texts;
    let part = |key, text: &Option<String>| {
        text.as_deref().map(|text| part_of(length, text)).transpose().map_err(|error| (key, error))
    };
    let part = Part { during: part("during", during)?, except: part("except", except)? };
    if part == Part::default() {
        return Ok(None);
    }
    if !is_known_of_a_part(metric) {
        let message = format!("{metric} is known of the whole measured time only, not of a part of it");
        let help = Some("drop `during` and `except`".to_owned());
        return Err(("that", ExpressionError { span: 0..that.len(), message, help }));
    }
    let written = |key: &str, text: &Option<String>| Some(format!("{key} {}", cleaned(text.as_deref()?)));
    let words = [written("during", during), written("except", except)];
    let text = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Ok(Some(Window { part, text }))
}

/// Whether the metric can be measured for a part of the time: only metrics of requests can.
fn is_known_of_a_part(metric: &Metric) -> bool {
    matches!(
        metric,
        Metric::Response { .. }
            | Metric::Availability(_)
            | Metric::ErrorRate(_)
            | Metric::Throughput
            | Metric::Goodput
    )
}

/// A part of the simulated time. It must not end after the simulation.
fn part_of(length: SimDuration, text: &str) -> Result<(SimDuration, SimDuration), ExpressionError> {
    let (from, to) = parse_span_of_time(text)?;
    if to <= length {
        return Ok((from, to));
    }
    let message = format!("ends at {}, but only {} are simulated", Duration(to), Duration(length));
    Err(ExpressionError { span: 0..text.len(), message, help: None })
}

/// Boxes, also those that could not be read, and the members of groups.
pub(super) fn components(assembly: &Assembly, kinds: &[Kind]) -> Vec<ComponentName> {
    let mut names = Vec::new();
    for (name, kind) in &assembly.declared {
        match assembly.boxes.iter().find(|entry| entry.name == *name) {
            Some(entry) => names.extend(names_of(entry, &assembly.classes, super::validate::MEMBERS_MAX)),
            None => {
                let row = kinds.iter().find(|row| row.name == *kind);
                names.push(ComponentName::group(name, kind, row.map_or(&[], |row| row.gauges)));
            }
        }
    }
    names
}

/// A box and its members, at most `most`; one that is its only member stands for both.
fn names_of(entry: &BoxEntry, classes: &[RequestClass], most: u32) -> Vec<ComponentName> {
    let mut group = ComponentName::group(&entry.name, entry.kind, entry.gauges);
    group.gauges.retain(|gauge| entry.knows(gauge, classes));
    let count = if entry.spec.members() > 1 { entry.spec.members().min(most) } else { 0 };
    let members = (0..count).map(|member| entry.spec.member(&entry.name, member).name);
    // The driver of a database is called as its box.
    let members = members.filter(|name| *name != entry.name).map(|name| group.member(name));
    std::iter::once(group.clone()).chain(members.collect::<Vec<_>>()).collect()
}

impl Scenario {
    /// The names that an expression about this scenario may use.
    #[must_use]
    pub fn names(&self) -> Names {
        let components =
            self.boxes.iter().flat_map(|entry| names_of(entry, &self.classes, u32::MAX)).collect();
        let classes = self.classes.iter().map(|class| class.name.clone()).collect();
        Names { classes, components, is_whole: true }
    }
}

#[cfg(test)]
mod tests {
    use super::super::toys::{KINDS, LADDER};
    use crate::model::spec::NoFiles;

    fn check(expect: &str, expected: &[(&str, &str)]) {
        let text = format!("{LADDER}[[expect]]\n{expect}\n");
        let found = super::super::load("a.toml", &text, &[], &NoFiles, &KINDS)
            .map_or_else(|found| found.items, |_| vec![]);
        let found: Vec<(&str, &str)> =
            found.iter().map(|item| (&text[item.span.clone()], item.message.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_expectation_may_name_classes_boxes_and_members() {
        for that in ["p99(response.read) < 200ms", "utilisation(web-2) < 80%", "queue_len(db) < 5"] {
            check(&format!("that = '{that}'"), &[]);
        }
        check("that = 'availability.read > 99%'\nexcept = '1min..2min'", &[]);
        let message = "utilisation(db) is known of the whole measured time only, not of a part of it";
        check("that = 'utilisation(db) < 1'\nduring = '1min..2min'", &[("utilisation(db) < 1", message)]);
    }

    #[test]
    fn what_is_wrong_is_shown_inside_the_quotes() {
        check("that = \"p99(response.raed) < 200ms\"", &[("raed", "unknown request class \"raed\"")]);
        check(
            "that = 'errors < 1%'\nduring = '1min..2h'",
            &[("1min..2h", "ends at 2h, but only 11min are simulated")],
        );
    }
}
