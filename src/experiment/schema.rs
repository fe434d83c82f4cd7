//! The JSON Schema of results, made from the types that are written, and the page that is made from it.

use std::collections::BTreeSet;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value};

use super::capacity::{self, CapacityResult};
use super::climb::{self, ClimbResult};
use super::compare::{self, CompareResult};
use super::fit::{self, Fit};
use super::gauge::GaugeResult;
use super::result::{self, RunResult};
use super::value::{Figure, Named};
use super::year::result::{self as year, YearResult};

/// The results that have a schema, by the command that writes them with `--json`.
pub const RESULTS: [&str; 6] = ["run", "compare", "capacity", "climb", "year", "fit"];

/// The schema (draft 2020-12) of the JSON that a command writes.
///
/// # Panics
/// If the command is none of [`RESULTS`].
#[must_use]
pub fn schema(command: &str) -> Value {
    let generator = generator();
    let mut schema = match command {
        "run" => generator.into_root_schema_for::<RunResult>(),
        "compare" => generator.into_root_schema_for::<CompareResult>(),
        "capacity" => generator.into_root_schema_for::<CapacityResult>(),
        "climb" => generator.into_root_schema_for::<ClimbResult>(),
        "year" => generator.into_root_schema_for::<YearResult>(),
        "fit" => generator.into_root_schema_for::<Fit>(),
        other => panic!("{other} has no result"),
    }
    .to_value();
    name_formats(&mut schema);
    schema
}

/// The schema (draft 2020-12) of the JSON that any of [`RESULTS`] writes about one scenario or one comparison of several.
///
/// # Panics
/// Never: definitions are plain JSON.
#[must_use]
pub fn any() -> Value {
    let mut generator = generator();
    let each = [
        generator.subschema_for::<RunResult>(),
        generator.subschema_for::<CompareResult>(),
        generator.subschema_for::<CapacityResult>(),
        generator.subschema_for::<ClimbResult>(),
        generator.subschema_for::<YearResult>(),
        generator.subschema_for::<Fit>(),
    ];
    let mut schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A result of outgrow",
        "oneOf": each,
        "$defs": generator.take_definitions(true),
    })
    .to_value();
    name_formats(&mut schema);
    schema
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

/// Gives the field `schema` of each result its only value, by which a reader tells results apart.
fn name_formats(schema: &mut Value) {
    let formats = [
        ("RunResult", result::SCHEMA),
        ("CompareResult", compare::SCHEMA),
        ("CapacityResult", capacity::SCHEMA),
        ("ClimbResult", climb::SCHEMA),
        ("YearResult", year::SCHEMA),
        ("FitResult", fit::SCHEMA),
    ];
    for (name, format) in formats {
        let is_root = schema["title"] == name;
        let object = if is_root { Some(&mut *schema) } else { schema.pointer_mut(&format!("/$defs/{name}")) };
        if let Some(field) = object.and_then(|object| object.pointer_mut("/properties/schema")) {
            field["const"] = format.into();
        }
    }
}

impl<T: JsonSchema> JsonSchema for Named<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Named{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

impl JsonSchema for GaugeResult {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "GaugeResult".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let figure = generator.subschema_for::<Figure>();
        json_schema!({
            "description": "A count or a share as a figure; a time, in ms, or a level as its mean and its highest value.",
            "anyOf": [
                figure,
                { "type": "object", "properties": { "mean": figure, "max": figure }, "required": ["mean", "max"] },
            ],
        })
    }
}

/// The page of all results, in Markdown.
#[must_use]
pub fn page() -> String {
    let mut page = String::from(
        "# Results as JSON\n\n\
         `--json FILE` writes the result of a command, and `--json -` prints it. `outgrow schema --result` prints the JSON Schema of a \
         run, `outgrow schema --result compare` that of a comparison; [result.schema.json](result.schema.json) is that of all results. This page is made from the types that are written. Several \
         scenarios give an array of results. Times are in the unit that their name ends with (`_ms`, `_s`), shares are 0 to 1; \
         `null` is what was not measured. Rows of sweeps: [sweep.md](sweep.md).\n",
    );
    let mut told = BTreeSet::new();
    for command in RESULTS {
        let schema = schema(command);
        page.push_str(&format!("\n## `outgrow {command} --json`\n"));
        object(&schema, &mut page);
        for (name, definition) in schema["$defs"].as_object().into_iter().flat_map(Map::iter) {
            if told.insert(name.clone()) {
                page.push_str(&format!("\n### {name}\n"));
                object(definition, &mut page);
            }
        }
    }
    page
}

/// What a type is, and the table of its fields.
fn object(schema: &Value, page: &mut String) {
    let about = one_line(&schema["description"]);
    if !about.is_empty() {
        page.push_str(&format!("\n{about}\n"));
    }
    let Some(properties) = schema["properties"].as_object() else {
        let values = choices(schema);
        if !values.is_empty() {
            page.push_str(&format!("\n{}\n", values.join("\n")));
        }
        return;
    };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    page.push_str("\n| field | type | meaning |\n|---|---|---|\n");
    for (name, field) in properties {
        let absent = if required.contains(&name.as_str()) { "" } else { ", may be absent" };
        let about = one_line(&field["description"]).replace('|', "\\|");
        page.push_str(&format!("| `{name}` | {}{absent} | {about} |\n", type_of(field)));
    }
}

/// The values of an enumeration, a line each.
fn choices(schema: &Value) -> Vec<String> {
    let list = schema["oneOf"].as_array().into_iter().flatten();
    let one = |choice: &Value| Some(format!("- `{}`: {}", choice["const"], one_line(&choice["description"])));
    list.filter(|choice| choice.get("const").is_some()).filter_map(one).collect()
}

fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    let choices = ["anyOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    let choices: Vec<String> = choices.map(type_of).collect();
    if !choices.is_empty() {
        return choices.join(" or ");
    }
    if schema["const"].is_string() {
        return format!("`{}`", schema["const"]);
    }
    match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        Value::String(name) if name == "array" => format!("array of {}", type_of(&schema["items"])),
        Value::String(name) if name == "object" && schema["additionalProperties"].is_object() => {
            format!("by name, {}", type_of(&schema["additionalProperties"]))
        }
        Value::String(name) => name.clone(),
        _ => "anything".to_owned(),
    }
}

fn one_line(text: &Value) -> String {
    let line = text.as_str().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace("`None`", "`null`").replace("[`SCHEMA`]", "Name and version of the format")
}

#[cfg(test)]
mod tests {
    use super::super::samples::{result, trial};
    use super::*;

    #[test]
    fn a_result_has_the_fields_of_its_schema_and_no_others() {
        let json = serde_json::to_value(result(vec![trial(&[100]), trial(&[300])])).unwrap();
        let schema = schema("run");
        let fields = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        let known = fields(&schema["properties"]);
        assert!(fields(&json).is_subset(&known), "{known:?}");
        for name in schema["required"].as_array().unwrap() {
            assert!(json.get(name.as_str().unwrap()).is_some(), "{name} is required and absent");
        }
        let component = fields(&schema["$defs"]["ComponentResult"]["properties"]);
        assert!(fields(&json["components"]["box"]).is_subset(&component), "{component:?}");
    }

    #[test]
    fn every_field_of_every_result_is_described() {
        for command in RESULTS {
            let schema = schema(command);
            let parts = schema["$defs"].as_object().unwrap().iter();
            for (name, part) in parts.filter(|(name, _)| *name != "GaugeResult") {
                for (field, of) in part["properties"].as_object().into_iter().flatten() {
                    assert!(of["description"].is_string(), "{command}: {name}.{field}");
                }
            }
        }
    }
}
