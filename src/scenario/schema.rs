//! The JSON Schema of scenario files, for editors, made from the types that read them.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::expression::words;
use super::faults::FaultSpec;
use super::names::Names;
use super::operations::OperationSpec;
use super::sections::{CheckTable, ExpectTable, NetworkTable, RequestTable, RunTable};
use crate::model::spec::Kind;

/// Pattern of a valid name.
const NAME_PATTERN: &str = "^[\\p{Ll}\\p{Lo}\\p{Lm}][\\p{Ll}\\p{Lo}\\p{Lm}0-9_-]*$";

/// The schema (draft 2020-12) of a whole scenario file that may hold boxes of these kinds.
pub fn schema(kinds: &[Kind]) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut properties = Map::new();
    let text = |about: &str| json!({ "type": "string", "description": about });
    properties.insert("title".into(), text("What the scenario is called."));
    properties.insert("chapter".into(), text("The chapter of the book that it belongs to."));
    properties.insert("run".into(), table::<RunTable>(&mut generator, "How long and how often to simulate."));
    let requests = subschema::<RequestTable>(&mut generator);
    let about = "The classes of requests; without any there is one, called `request`, that reads.";
    properties.insert("request".into(), named(requests, about));
    properties.insert(
        "network".into(),
        table::<NetworkTable>(&mut generator, "Round-trip times, half of them each way."),
    );
    for kind in kinds {
        let subschema = (kind.schema)(&mut generator).to_value();
        properties.insert(kind.name.into(), named(subschema, kind.about));
    }
    let faults = json!({
        "type": "array",
        "description": "What goes wrong.",
        "items": subschema::<FaultSpec>(&mut generator),
    });
    properties.insert("fault".into(), faults);
    let operations = json!({
        "type": "array",
        "description": "What the operators do, at planned times.",
        "items": subschema::<OperationSpec>(&mut generator),
    });
    properties.insert("operation".into(), operations);
    let expects = json!({
        "type": "array",
        "description": "Goals: what users of the design want. They decide the exit status of a run.",
        "items": subschema::<ExpectTable>(&mut generator),
    });
    properties.insert("expect".into(), expects);
    let checks = json!({
        "type": "array",
        "description": "Tests of the simulator: what theory or the arithmetic of the scenario says must come out. They are silent except with `outgrow run --checks` and `outgrow check --run`.",
        "items": subschema::<CheckTable>(&mut generator),
    });
    properties.insert("check".into(), checks);
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "outgrow scenario",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
        "$defs": generator.take_definitions(true),
    });
    kinds.iter().for_each(|kind| add_places(&mut schema, kind));
    schema["$defs"]["ExpectTable"]["properties"]["that"]["pattern"] = comparison_pattern(kinds).into();
    without_null(&mut schema);
    schema
}

/// Adds the keys `region` and `zone`, which are the same for every kind of box and unknown to the kind itself.
fn add_places(schema: &mut Value, kind: &Kind) {
    let table = &schema["properties"][kind.name]["additionalProperties"];
    let Some(name) = table["$ref"].as_str().and_then(|path| path.rsplit('/').next()) else { return };
    let definition = format!("/$defs/{name}/properties");
    let names = |about: &str| {
        let mut names = Names::json_schema(&mut SchemaSettings::draft2020_12().into_generator()).to_value();
        names["description"] = about.into();
        names
    };
    if let Some(Value::Object(properties)) = schema.pointer_mut(&definition) {
        let region = "The region in which it stands; of several, its members stand in them in turn.";
        properties.insert("region".into(), names(region));
        let zone = "The zone of its region; of several, its members stand in them in turn.";
        properties.insert("zone".into(), names(zone));
    }
}

/// The pattern of a comparison, with which an editor marks `latency < 300ms` and `lost_writes == 0`.
fn comparison_pattern(kinds: &[Kind]) -> String {
    let gauges = kinds.iter().flat_map(|kind| kind.gauges).map(|gauge| gauge.name);
    let words: BTreeSet<&str> = words().chain(gauges).collect();
    let words = words.into_iter().collect::<Vec<_>>().join("|");
    format!("^ *({words})([.(][^<>=]*)? *[<>]=? *[^ <>=]([^<>=]*[^ <>=])? *$")
}

/// The keys that a table of this kind must have.
pub(super) fn required_keys(kind: &Kind) -> Vec<String> {
    let mut generator = SchemaSettings::draft2020_12().for_deserialize().into_generator();
    let mut schema = (kind.schema)(&mut generator).to_value();
    let name = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next());
    if let Some(definition) = name.and_then(|name| generator.definitions().get(name)) {
        schema = definition.clone();
    }
    let keys = schema["required"].as_array().into_iter().flatten();
    keys.filter_map(|key| Some(key.as_str()?.to_owned())).collect()
}

fn subschema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
    generator.subschema_for::<T>().to_value()
}

fn table<T: JsonSchema>(generator: &mut SchemaGenerator, about: &str) -> Value {
    let mut schema = subschema::<T>(generator);
    schema["description"] = about.into();
    schema
}

/// The schema of a table of named tables.
fn named(schema: Value, about: &str) -> Value {
    json!({
        "type": "object",
        "description": about,
        "propertyNames": { "pattern": NAME_PATTERN },
        "additionalProperties": schema,
    })
}

/// Removes `null` from all types and defaults. TOML has no null: an optional key is left out.
fn without_null(schema: &mut Value) {
    match schema {
        Value::Array(items) => items.iter_mut().for_each(without_null),
        Value::Object(object) => {
            if object.get("default").is_some_and(Value::is_null) {
                object.shift_remove("default");
            }
            one_type(object);
            one_choice(object);
            one_list(object);
            object.values_mut().for_each(without_null);
        }
        _ => {}
    }
}

/// Turns `"type": ["string", "null"]` into `"type": "string"`.
fn one_type(object: &mut Map<String, Value>) {
    let Some(Value::Array(types)) = object.get_mut("type") else { return };
    types.retain(|one| one != "null");
    if let [only] = types.as_slice() {
        let only = only.clone();
        object.insert("type".into(), only);
    }
}

/// Turns `"anyOf": [X, { "type": "null" }]` into X, and keeps the other keys of the object.
fn one_choice(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get_mut("anyOf") else { return };
    choices.retain(|choice| choice["type"] != "null");
    if let [Value::Object(only)] = choices.as_slice() {
        let only = only.clone();
        object.shift_remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}

/// Turns `"oneOf"` of constants into one `"enum"`: editors print a message for each member of `oneOf` where a value is none of
/// them. What each value means goes where Taplo and Tombi look for it.
fn one_list(object: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = object.get("oneOf") else { return };
    let mut values: Vec<Value> = Vec::new();
    let mut about: Vec<Value> = Vec::new();
    for choice in choices {
        let list = choice["enum"].as_array().cloned();
        let Some(list) = list.or_else(|| choice.get("const").map(|one| vec![one.clone()])) else { return };
        about.extend(list.iter().map(|_| choice.get("description").cloned().unwrap_or_else(|| "".into())));
        values.extend(list);
    }
    object.shift_remove("oneOf");
    object.insert("type".into(), "string".into());
    object.insert("enum".into(), values.into());
    object.insert("x-taplo".into(), json!({ "docs": { "enumValues": about } }));
}

#[cfg(test)]
mod tests {
    use super::super::toys::KINDS;
    use super::*;

    #[test]
    fn sections_and_kinds_have_their_keys() {
        let schema = schema(&KINDS);
        for (pointer, value) in [
            ("/additionalProperties", json!(false)),
            ("/$defs/RunTable/properties/duration/default", json!("10min")),
            ("/$defs/RunTable/properties/duration/type", json!("string")),
            ("/$defs/RunTable/additionalProperties", json!(false)),
            ("/$defs/RequestTable/properties/effect/default", json!("read")),
            ("/properties/server/additionalProperties/$ref", json!("#/$defs/Server")),
            ("/properties/server/description", json!("A group of machines that do the work.")),
            ("/$defs/Server/required", json!(["cores"])),
            ("/$defs/Client/properties/rate/type", json!("string")),
        ] {
            assert_eq!(schema.pointer(pointer), Some(&value), "{pointer}");
        }
    }

    #[test]
    fn a_list_of_words_is_one_enum_with_the_meaning_of_each() {
        let text = schema(crate::components::KINDS);
        let kind = &text["$defs"]["FaultKind"];
        assert_eq!((&kind["enum"][0], &kind["type"]), (&"crash".into(), &"string".into()));
        let about = &kind["x-taplo"]["docs"]["enumValues"];
        assert!(about[0].as_str().unwrap().contains("The process dies"), "{kind:#}");
        assert_eq!(about.as_array().unwrap().len(), kind["enum"].as_array().unwrap().len());
        assert!(text["$defs"].as_object().unwrap().values().all(|one| {
            one["oneOf"].as_array().is_none_or(|choices| choices.iter().any(|one| one.get("const").is_none()))
        }));
    }

    #[test]
    fn required_keys_are_those_without_a_default() {
        assert_eq!(required_keys(&KINDS[2]), ["cores"]);
    }

    #[test]
    fn nothing_is_null_and_every_key_is_described() {
        let schema = schema(&KINDS);
        assert!(!schema.to_string().contains("null"), "{schema:#}");
        for (name, definition) in schema["$defs"].as_object().unwrap() {
            for (key, property) in definition["properties"].as_object().into_iter().flatten() {
                assert!(property["description"].is_string(), "{name}.{key}");
            }
        }
    }
}
