//! Real systems beside the model, as text and as a table of `docs/validation.md`.

use std::fmt::Write as _;

use super::number::number;
use crate::experiment::validate::systems::{Compared, FACTOR};

/// The outcome in one sentence.
#[must_use]
pub fn verdict(found: &[Compared]) -> String {
    let agree = found.iter().filter(|one| one.agrees).count();
    let far = found.iter().filter(|one| one.is_far()).count();
    format!(
        "{agree} of {} measurements of real systems agree with the model; {far} are off by more than a factor of {FACTOR}",
        found.len()
    )
}

/// The comparisons as text: those that differ first.
#[must_use]
pub fn text(found: &[Compared]) -> String {
    if found.is_empty() {
        return String::new();
    }
    let mut out = format!("\n{}\n\n", verdict(found));
    out += &format!(
        "{:<34} {:<24} {:>10} {:>10} {:>6} {:>6} {:>7}\n",
        "measurement", "system", "real", "model", "unit", "ratio", "±"
    );
    let (differ, agree): (Vec<_>, Vec<_>) = found.iter().partition(|one| !one.agrees);
    for one in differ.into_iter().chain(agree) {
        writeln!(
            out,
            "{:<34} {:<24} {:>10} {:>10} {:>6} {:>6} {:>7}{}",
            one.id,
            one.system,
            number(one.measured),
            model(one),
            one.unit.name(),
            ratio(one),
            number(one.tolerance),
            if one.agrees { "" } else { "  DIFFERS" }
        )
        .expect("a string takes all");
    }
    out
}

fn model(one: &Compared) -> String {
    one.model.map_or("none".to_owned(), number)
}

fn ratio(one: &Compared) -> String {
    one.ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// The comparisons as Markdown, in the order of their file.
#[must_use]
pub fn markdown(found: &[Compared]) -> String {
    let mut out = format!("{}.\n\n", verdict(found));
    out += "| system | experiment: quantity | unit | real | interval or range | n | model | ratio | tolerance | |\n\
            |---|---|---|---|---|---|---|---|---|---|\n";
    for one in found {
        let cells = [
            one.system.clone(),
            one.what.clone(),
            one.unit.name().to_owned(),
            number(one.measured),
            one.limits.map_or("-".to_owned(), |(low, high)| format!("{} to {}", number(low), number(high))),
            one.n.map_or("-".to_owned(), |n| n.to_string()),
            model(one),
            ratio(one),
            number(one.tolerance),
            if one.agrees { "agrees" } else { "**differs**" }.to_owned(),
        ];
        writeln!(out, "| {} |", cells.join(" | ")).expect("a string takes all");
    }
    let reasons: Vec<&Compared> = found.iter().filter(|one| !one.agrees).collect();
    if !reasons.is_empty() {
        out += "\nWhy they differ:\n\n";
    }
    for one in reasons {
        let reason = one.reason.as_deref().unwrap_or("Not known.");
        writeln!(out, "- {}, {}: {reason}", one.system, one.what).expect("a string takes all");
    }
    out
}
