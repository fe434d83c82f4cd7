//! What is known of a scenario without simulating it, as the JSON `outgrow.explain/1`.

use serde_json::{Map, Value, json};

use crate::model::resource::{Bound, Sort};
use crate::model::spec::{Offered, Rest};
use crate::scenario::Scenario;
use crate::scenario::levers::levers;
use crate::scenario::load::{ClientLoad, Fall, Missing, ResourceLoad, StaticLoad, Work};

/// Name and version of the format.
const SCHEMA: &str = "outgrow.explain/1";

/// All resources, clients and bounds. What has no limit is null.
#[must_use]
pub fn json(scenario: &Scenario, missing: &Missing) -> String {
    let load = scenario.load_without(missing);
    let boxes = load.boxes.iter().map(|one| {
        json!({ "name": one.name, "calls_per_s": one.calls_per_s, "cpu_s": one.cpu_s, "wait_s": one.wait_s })
    });
    let whole = json!({
        "schema": SCHEMA,
        "title": scenario.title,
        "boxes": boxes.collect::<Vec<Value>>(),
        "resources": load.resources.iter().map(|row| resource(scenario, row)).collect::<Vec<Value>>(),
        "clients": load.clients.iter().map(|one| client(scenario, &load, one)).collect::<Vec<Value>>(),
        "bottleneck": load.bottleneck().map(id),
        "then": load.falls.iter().map(|one| fall(scenario, &load, one)).collect::<Vec<Value>>(),
    });
    format!("{whole:#}\n")
}

/// What tells a resource from others.
fn id(row: &ResourceLoad) -> Value {
    json!({ "of": row.name, "member": row.member, "name": row.resource.name })
}

fn resource(scenario: &Scenario, row: &ResourceLoad) -> Value {
    let of = &row.resource;
    let by_class = |values: &[f64]| -> Value {
        let named =
            scenario.classes.iter().zip(values).map(|(class, value)| (class.name.clone(), json!(value)));
        Value::Object(named.collect::<Map<String, Value>>())
    };
    let work =
        |work: &Work| json!({ "work": work.all, "open_work": work.open, "utilisation": row.used_by(work) });
    let lever = scenario.entry(&row.name).and_then(|entry| {
        let all = levers(scenario, entry);
        let found = all.into_iter().find(|lever| lever.relieves(of.name, &of.of))?;
        Some(json!({ "key": format!("{}.{}", row.name, found.key), "next": found.next?.to_string() }))
    });
    let full_at = row.requests.iter().sum::<f64>() / row.utilisation();
    json!({
        "of": row.name,
        "member": row.member,
        "name": of.name,
        "sort": match of.sort { Sort::Rate => "rate", Sort::Slots => "slots", Sort::Limit => "limit" },
        "unit": of.unit,
        "key": row.path,
        "members": of.holders(),
        "left": row.left,
        "has": of.has,
        "capacity": of.capacity,
        "demand": by_class(&of.demand),
        "bound": match of.bound { Bound::Exact => "exact", Bound::AtMost => "at_most", Bound::About => "about" },
        "mean": work(&row.mean),
        "peak": work(&row.peak),
        "full_at_per_s": full_at,
        "requests_per_s": by_class(&row.requests),
        "when_full": { "places": of.full.places, "longest_s": of.full.longest_s, "then": of.full.then },
        "lever": lever,
    })
}

fn client(scenario: &Scenario, load: &StaticLoad, one: &ClientLoad) -> Value {
    let offered = |offered: Offered| match offered {
        Offered::Open(rate) => json!({ "rate_per_s": rate }),
        Offered::Closed(users, Rest::Think(think_s)) => json!({ "users": users, "think_s": think_s }),
        Offered::Closed(users, Rest::Pace(pace_s)) => json!({ "users": users, "pace_s": pace_s }),
    };
    let classes = scenario.classes.iter().zip(&one.by_class).map(|(class, (through, asked))| {
        (class.name.clone(), json!({ "asked_per_s": asked, "through_per_s": through }))
    });
    json!({
        "name": one.name,
        "offered": offered(one.offered),
        "peak": one.peak.as_ref().map(|peak| json!({
            "offered": offered(peak.offered),
            "when": peak.when,
            "spans": peak.spans.iter().map(|(span_s, rate)| json!({ "span_s": span_s, "rate_per_s": rate })).collect::<Vec<Value>>(),
        })),
        "demand_s": one.demand_s,
        "demand_max_s": one.demand_max_s,
        "throughput_max_per_s": one.throughput_max,
        "throughput_max_at_peak_per_s": one.throughput_max_peak,
        "answers_max_per_s": one.answers_max,
        "classes": Value::Object(classes.collect::<Map<String, Value>>()),
        "attempts": one.attempts,
        "tightest": one.tightest.map(|row| id(&load.resources[row])),
    })
}

fn fall(scenario: &Scenario, load: &StaticLoad, fall: &Fall) -> Value {
    let names =
        |of: &[usize]| of.iter().map(|class| scenario.classes[*class].name.clone()).collect::<Vec<String>>();
    json!({
        "full": id(&load.resources[fall.first]),
        "fills": id(&load.resources[fall.then]),
        "waiting": names(&fall.waiting),
        "dragged": names(&fall.dragged),
        "calls_per_s": fall.calls_per_s,
        "held_s": fall.held_s,
        "at_peak": fall.at_peak,
    })
}
