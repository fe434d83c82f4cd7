//! `[[expect]]`: the expressions of a scenario are parsed against its own names.

use super::assemble::Assembly;
use super::document::Document;
use super::error::Diagnostic;
use super::expression::{ComponentName, ExpressionError, Metric, Names, parse, parse_span_of_time};
use super::sections::ExpectTable;
use super::{BoxEntry, Expect, Scenario};
use crate::kernel::time::SimDuration;
use crate::model::part::Part;
use crate::model::quantity::Duration;
use crate::model::spec::Kind;

/// Parses all expectations. An error is shown at its position inside the quotes.
pub(super) fn expects(
    document: &Document<'_>,
    assembly: &Assembly,
    kinds: &[Kind],
    found: &mut Vec<Diagnostic>,
) -> Vec<Expect> {
    let classes = assembly.classes.iter().map(|class| class.name.clone()).collect();
    let names = Names { classes, components: components(assembly, kinds) };
    let mut expects = Vec::new();
    for (index, table) in &assembly.expects {
        match expect(table, &names, assembly.run.length()) {
            Ok(expect) => expects.push(expect),
            Err((key, error)) => {
                let path = format!("expect[{index}].{key}");
                let inside = document.inside_string(&path, &error.span);
                let span = inside.unwrap_or_else(|| document.span_of(&path));
                found.push(Diagnostic::error(span, error.message).help(error.help));
            }
        }
    }
    expects
}

/// The expectation, or the key with an error and the error.
fn expect(
    table: &ExpectTable,
    names: &Names,
    length: SimDuration,
) -> Result<Expect, (&'static str, ExpressionError)> {
    let part = |key, text: &Option<String>| {
        text.as_deref().map(|text| part_of(length, text)).transpose().map_err(|error| (key, error))
    };
    let that = parse(&table.that, names).map_err(|error| ("that", error))?;
    let part = Part { during: part("during", &table.during)?, except: part("except", &table.except)? };
    let part = (part != Part::default()).then_some(part);
    if part.is_some() && !is_known_of_a_part(&that.metric) {
        let message =
            format!("{} is known of the whole measured time only, not of a part of it", that.metric);
        let help = Some("drop `during` and `except`".to_owned());
        return Err(("that", ExpressionError { span: 0..table.that.len(), message, help }));
    }
    Ok(Expect { that, text: super::clean::cleaned(&table.that), part })
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
fn components(assembly: &Assembly, kinds: &[Kind]) -> Vec<ComponentName> {
    let mut names = Vec::new();
    for (name, kind) in &assembly.declared {
        match assembly.boxes.iter().find(|entry| entry.name == *name) {
            Some(entry) => names.extend(names_of(entry, super::validate::MEMBERS_MAX)),
            None => {
                let row = kinds.iter().find(|row| row.name == *kind);
                names.push(ComponentName::group(name, kind, row.map_or(&[], |row| row.gauges)));
            }
        }
    }
    names
}

/// A box and its members, at most `most`; one that is its only member stands for both.
fn names_of(entry: &BoxEntry, most: u32) -> Vec<ComponentName> {
    let mut group = ComponentName::group(&entry.name, entry.kind, entry.gauges);
    group.gauges.retain(|gauge| entry.spec.shows(gauge));
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
        let components = self.boxes.iter().flat_map(|entry| names_of(entry, u32::MAX)).collect();
        Names { classes: self.classes.iter().map(|class| class.name.clone()).collect(), components }
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
            "that = 'lag < 1s'\nduring = '1min..2h'",
            &[("1min..2h", "ends at 2h, but only 11min are simulated")],
        );
    }
}
