//! Cases that contain their own scenario, as published measurements do.

use serde_json::Value;

use super::params::Reason;
use super::{Input, Plan, Quantity, TRIALS};

/// A scenario, and optionally several points, each of which sets some keys of it. Expected values are named like
/// quantities, after the name of the point if there are points: `throughput`, `n18: throughput`.
pub(super) fn points(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let lines =
        params.value("scenario").and_then(Value::as_array).ok_or("it has no list `scenario` of lines")?;
    let lines: Option<Vec<&str>> = lines.iter().map(Value::as_str).collect();
    let text = lines.ok_or("`scenario` holds more than lines")?.join("\n") + "\n";
    let trials = params.count_or("trials", TRIALS)?;
    let classes: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("[request.")?.strip_suffix(']')).collect();
    let keys = || (input.case.expected.iter().chain(&input.case.at_most)).map(|(key, _)| key);
    let Some(points) = params.value("points") else {
        let offers = keys().filter_map(|key| Some((key.clone(), Quantity::named(key, &classes)?))).collect();
        return Ok(vec![Plan::new(text.clone(), offers).trials(trials)]);
    };
    let mut plans = Vec::new();
    for (point, set) in points.as_object().ok_or("`points` is no object")? {
        let mut text = text.clone();
        for (name, value) in set.as_object().ok_or("a point is no object")? {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text = text.replace(&format!("${name}"), &value);
        }
        let named = |key: &String| {
            let name = key.strip_prefix(point.as_str())?.strip_prefix(": ")?;
            Some((key.clone(), Quantity::named(name, &classes)?))
        };
        plans.push(Plan::new(text.clone(), keys().filter_map(named).collect()).trials(trials));
    }
    Ok(plans)
}

/// Cases that state themselves what the model lacks.
pub(super) fn not_modelled(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    Err(input.params.word("not_modelled", "")?.to_owned())
}
