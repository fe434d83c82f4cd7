//! What a page needs to draw a scenario: its boxes, their members, the arrows and the load.

use outgrow::experiment::capacity::{Knob, LoadUnit};
use outgrow::scenario::{BoxEntry, Scenario, graph};
use serde_json::{Value, json};

/// The boxes in the order of the scenario, the arrows as pairs of names, the load, and how long a trial runs.
pub(super) fn board(scenario: &Scenario) -> Value {
    json!({
        "title": scenario.title,
        "chapter": scenario.chapter,
        "boxes": scenario.boxes.iter().map(drawn).collect::<Vec<_>>(),
        "arrows": graph::edges(&scenario.boxes),
        "faults": scenario.faults.len(),
        "load": load(scenario),
        "warmup_s": scenario.run.warmup.as_secs_f64(),
        "duration_s": scenario.run.duration.as_secs_f64(),
        "trials": scenario.run.trials,
        "seed": scenario.run.seed,
    })
}

fn drawn(entry: &BoxEntry) -> Value {
    let member = |number: u32| {
        let plan = entry.spec.member(&entry.name, number);
        json!({ "name": plan.name, "cores": plan.machine.map(|machine| machine.cores) })
    };
    json!({
        "name": entry.name,
        "kind": entry.kind,
        "client": entry.spec.offered().is_some(),
        "on": entry.spec.host(),
        "detail": entry.spec.detail(),
        "regions": entry.regions,
        "members": (0..entry.spec.members()).map(member).collect::<Vec<_>>(),
    })
}

/// The load that the page can change; `null` if the scenario has none.
fn load(scenario: &Scenario) -> Value {
    let Ok(knob) = Knob::of(scenario, None) else { return Value::Null };
    let unit = match knob.unit() {
        LoadUnit::Users => "users",
        LoadUnit::PerS => "per_s",
        LoadUnit::Times => "times",
    };
    json!({ "name": knob.name(), "unit": unit, "own": knob.own() })
}
