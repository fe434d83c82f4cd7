//! The JSON of results is as its published schema says, field by field: programs in other languages rely on it.

use std::process::Command;

use outgrow::experiment::result::RunResult;
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::experiment::schema::{RESULTS, any, schema};
use serde_json::{Map, Value, json};

use crate::golden::{DURATION, scenarios, shortened};

/// Whether a value is as a schema says. Stricter than JSON Schema: an object has no field that its schema does not name, and
/// a schema has no keyword that is not looked at here. `also` are the fields that a schema around this one names.
fn check(value: &Value, schema: &Value, root: &Value, (at, also): (&str, &[&str])) -> Result<(), String> {
    let empty = Map::new();
    let schema = schema.as_object().unwrap_or(&empty);
    let own = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let named: Vec<&str> = own.keys().map(String::as_str).chain(also.iter().copied()).collect();
    for (keyword, said) in schema {
        let fits = match keyword.as_str() {
            "$ref" => {
                let place = said.as_str().and_then(|path| path.strip_prefix('#')).expect("a place");
                let part = root.pointer(place).ok_or(format!("{at}: there is no {place}"))?;
                check(value, part, root, (at, &named))?;
                true
            }
            "type" => match said {
                Value::Array(types) => types.iter().any(|one| is_a(value, one)),
                one => is_a(value, one),
            },
            "const" => value == said,
            "enum" => said.as_array().is_some_and(|all| all.contains(value)),
            "minimum" => value.as_f64().is_none_or(|number| Some(number) >= said.as_f64()),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= said.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= said.as_u64().unwrap()),
            "anyOf" | "oneOf" => {
                let choices = said.as_array().expect("a list");
                let fitting = choices.iter().map(|choice| check(value, choice, root, (at, &named)));
                let (fit, not): (Vec<_>, Vec<_>) = fitting.partition(Result::is_ok);
                if fit.is_empty() && not.len() == 2 && choices[1] == json!({ "type": "null" }) {
                    return not[0].clone();
                }
                if keyword == "oneOf" { fit.len() == 1 } else { !fit.is_empty() }
            }
            "required" => {
                let names = said.as_array().expect("a list").iter().filter_map(Value::as_str);
                let missing: Vec<&str> = names.filter(|name| value.get(name).is_none()).collect();
                value.as_object().is_none_or(|_| missing.is_empty())
            }
            "items" => {
                let first = schema.get("prefixItems").and_then(Value::as_array).map_or(0, Vec::len);
                for (place, item) in value.as_array().into_iter().flatten().enumerate().skip(first) {
                    check(item, said, root, (&format!("{at}/{place}"), &[]))?;
                }
                true
            }
            "prefixItems" => {
                let parts = said.as_array().into_iter().flatten();
                for (place, (item, part)) in value.as_array().into_iter().flatten().zip(parts).enumerate() {
                    check(item, part, root, (&format!("{at}/{place}"), &[]))?;
                }
                true
            }
            "properties" | "additionalProperties" => true,
            "$schema" | "$defs" | "title" | "description" | "format" | "default" => true,
            other => return Err(format!("{at}: the keyword {other} is not looked at")),
        };
        if !fits {
            let shown = |value: &Value| value.to_string().chars().take(200).collect::<String>();
            return Err(format!("{at}: {} is not as {keyword} says: {}", shown(value), shown(said)));
        }
    }
    let is_composed = ["$ref", "anyOf", "oneOf"].iter().any(|keyword| schema.contains_key(*keyword));
    fields(value, schema, root, (at, &named, is_composed))
}

/// Whether the fields of an object are as the schema says, and have names in it, in one around it, or in a part of it.
fn fields(
    value: &Value,
    schema: &Map<String, Value>,
    root: &Value,
    (at, named, is_composed): (&str, &[&str], bool),
) -> Result<(), String> {
    let (known, others) = (schema.get("properties"), schema.get("additionalProperties"));
    for (name, field) in value.as_object().into_iter().flatten() {
        match known.and_then(|known| known.get(name)).or(others) {
            Some(part) => check(field, part, root, (&format!("{at}/{name}"), &[]))?,
            None if known.is_none() || is_composed || named.contains(&name.as_str()) => {}
            None => return Err(format!("{at}: the schema has no field {name}")),
        }
    }
    Ok(())
}

fn is_a(value: &Value, kind: &Value) -> bool {
    match kind.as_str().expect("a type has a name") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other} is no type"),
    }
}

#[track_caller]
fn fits(value: &Value, name: &str) {
    // The choice among the kinds of results would hide what is wrong within one.
    let schema = any();
    let choices = schema["oneOf"].as_array().expect("kinds of results");
    let is_meant = |choice: &&Value| {
        let place = choice["$ref"].as_str().unwrap().trim_start_matches('#');
        schema.pointer(place).unwrap()["properties"]["schema"]["const"] == value["schema"]
    };
    let meant: Vec<&Value> = choices.iter().filter(is_meant).collect();
    assert_eq!(meant.len(), 1, "{name}: {}", value["schema"]);
    check(value, meant[0], &schema, (name, &[])).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn the_result_of_every_scenario_is_as_the_schema_says() {
    for (name, path) in scenarios() {
        let (scenario, duration) = shortened(&name, &path);
        // Two trials have intervals; of the longer ones, one shows what only faults bring about.
        let trials = if duration == DURATION { 0..2 } else { 0..1 };
        let options = RunOptions { seed: scenario.run.seed, trials, jobs: 0, length: scenario.length() };
        let result = RunResult::new(&scenario, &options, &run(&scenario, &options, &Unwatched));
        fits(&serde_json::to_value(&result).expect("plain JSON"), &name);
    }
}

#[test]
fn other_results_are_as_the_schema_says() {
    let quick = ["--trials", "2", "--duration", "20s", "--warmup", "2s", "--quiet", "--json", "-"];
    for words in [
        &["run", "primary-dies", "--set", "db.replication=semi-sync", "--trials", "3", "--json", "-"][..],
        &[&["compare", "mm1", "single-server", "scale-up"][..], &quick].concat(),
        &[&["capacity", "mm1", "--slo", "p99 < 300ms, errors < 1%"][..], &quick].concat(),
        &[&["climb", "single-server", "database-split-off"][..], &quick].concat(),
        &[
            "year",
            "single-server",
            "--set",
            "users.users=50",
            "--precision",
            "50%",
            "--slo",
            "99%",
            "--json",
            "-",
        ],
    ] {
        let output = Command::new(assert_cmd::cargo::cargo_bin!("outgrow")).args(words).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {said}"));
        fits(&value, words[0]);
    }
}

#[test]
fn every_command_with_a_schema_is_among_all_results() {
    let all = any().to_string();
    for command in RESULTS {
        let format = &schema(command)["properties"]["schema"]["const"];
        assert!(format.is_string() && all.contains(&format.to_string()), "{command}: {format}");
    }
}

#[test]
fn what_is_not_as_the_schema_says_is_seen() {
    let root = json!({ "$defs": { "N": { "type": ["number", "null"] } } });
    let schema = json!({
        "type": "object", "required": ["a"],
        "properties": { "a": { "$ref": "#/$defs/N" }, "b": { "items": { "enum": ["x"] } } },
    });
    let is_fine = |value: Value| check(&value, &schema, &root, ("", &[])).is_ok();
    assert!(is_fine(json!({ "a": 1.5, "b": ["x"] })) && is_fine(json!({ "a": null })));
    for wrong in
        [json!([]), json!({}), json!({ "a": "1" }), json!({ "a": 1, "b": ["y"] }), json!({ "a": 1, "c": 1 })]
    {
        assert!(!is_fine(wrong.clone()), "{wrong}");
    }
}
