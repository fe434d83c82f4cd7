//! The command of a sweep, for reports and for the points that a merge misses.

use super::super::journal::Header;
use super::asked::POINTS_MAX;
use crate::scenario::command::quoted;
use crate::scenario::vary::Vary;

/// The command that gives the same table. It leaves out threads, parts and interruptions, which change no result.
pub(super) fn command(header: &Header) -> String {
    let plan = &header.plan;
    let file = if header.file == "<stdin>" { "-" } else { &header.file };
    let mut line = format!("outgrow sweep {}", quoted(file));
    for (key, values) in &plan.vary {
        let axis = Vary { key: key.clone(), values: values.clone() };
        line += &format!(" --vary {}", quoted(&axis.to_string()));
    }
    for (key, value) in &plan.set {
        line += &format!(" --set {}", quoted(&format!("{key}={value}")));
    }
    if plan.columns.asked {
        let names: Vec<&str> = plan.columns.all.iter().map(|column| column.name.as_str()).collect();
        line += &format!(" --metric {}", quoted(&names.join(",")));
    }
    line += &plan.seed.map(|seed| format!(" --seed {seed}")).unwrap_or_default();
    line += &plan.trials.map(|trials| format!(" --trials {trials}")).unwrap_or_default();
    if plan.points > POINTS_MAX as usize {
        line += &format!(" --max-points {}", plan.points);
    }
    line
}
