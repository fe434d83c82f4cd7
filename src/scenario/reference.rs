//! The reference page of scenario files, in Markdown, made from their schema.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::schema::schema;
use crate::model::gauge::Gauge;
use crate::model::spec::Kind;

/// Every table of a scenario file with its keys, their types, defaults and meanings.
pub fn reference(kinds: &[Kind]) -> String {
    let schema = schema(kinds);
    let mut page = Page { defs: &schema["$defs"], told: BTreeSet::new(), out: String::new() };
    page.out.push_str(
        "# Scenario files\n\nA scenario is a TOML file with one table for each box, `[kind.name]`.\n",
    );
    page.heading("##", "Top level", "");
    let (texts, tables): (Vec<_>, Vec<_>) =
        entries(&schema["properties"]).partition(|(_, value)| value["type"] == "string");
    page.keys(&texts, &[]);
    for (name, value) in tables {
        page.section(name, value);
        if let Some(kind) = kinds.iter().find(|kind| kind.name == name) {
            page.gauges(kind);
        }
    }
    page.out
}

fn entries(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flat_map(Map::iter)
}

struct Page<'a> {
    defs: &'a Value,
    /// Definitions that are already on the page.
    told: BTreeSet<&'a str>,
    out: String,
}

impl<'a> Page<'a> {
    fn section(&mut self, name: &str, value: &'a Value) {
        let (title, table) = if value["type"] == "array" {
            (format!("`[[{name}]]`"), &value["items"])
        } else if value["additionalProperties"].is_object() {
            (format!("`[{name}.NAME]`"), &value["additionalProperties"])
        } else {
            (format!("`[{name}]`"), value)
        };
        self.heading("##", &title, value["description"].as_str().unwrap_or_default());
        self.told.extend(definition_name(table));
        self.object(self.resolved(table));
    }

    /// The figures that only this kind of box has.
    fn gauges(&mut self, kind: &Kind) {
        let Some(first) = kind.gauges.first() else { return };
        let about = format!(
            "What only this kind of box counts and measures: in `[[expect]]` and `--slo` as `{}(NAME)`, in the JSON and in \
             components.csv under `gauges`. `NAME` is a member or the whole box. Of several members counts and levels add \
             up, shares and times are taken over all of them together. A time or a level is its mean where nothing else \
             is said; `mean(...)` and `max(...)` of it name one of the two. A figure of the whole box has no members.",
            first.name
        );
        self.heading("###", &format!("Figures of `[{}.NAME]`", kind.name), &about);
        self.out.push_str("| figure | sort | meaning |\n|---|---|---|\n");
        for gauge in kind.gauges {
            let Gauge { name, about, .. } = gauge;
            self.out.push_str(&format!("| `{name}` | {} | {about} |\n", gauge.description()));
        }
    }

    fn heading(&mut self, level: &str, title: &str, about: &str) {
        self.out.push_str(&format!("\n{level} {title}\n\n"));
        if !about.is_empty() {
            self.out.push_str(&format!("{about}\n\n"));
        }
    }

    /// Writes the table of an object's keys, and below it the tables of the objects inside it.
    fn object(&mut self, object: &'a Value) {
        let properties: Vec<(&String, &Value)> = entries(&object["properties"]).collect();
        let required: Vec<&str> =
            object["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        self.keys(&properties, &required);
        let mut inner = Vec::new();
        properties.iter().for_each(|(_, property)| self.collect(property, &mut inner));
        for name in inner {
            if self.told.insert(name) {
                let definition = &self.defs[name];
                let about = definition["description"].as_str().unwrap_or_default();
                self.heading("###", name, &one_line(about));
                self.object(definition);
            }
        }
    }

    fn keys(&mut self, properties: &[(&String, &Value)], required: &[&str]) {
        self.out.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
        for (key, property) in properties {
            let about = one_line(property["description"].as_str().unwrap_or_default());
            let (meaning, told) = split_default(&about);
            let default = match (property.get("default"), told) {
                (_, Some(told)) => told.to_owned(),
                (Some(value), None) => format!("`{value}`"),
                (None, None) if required.contains(&key.as_str()) => "required".to_owned(),
                (None, None) => String::new(),
            };
            let cells = [format!("`{key}`"), self.type_of(property), default, meaning.to_owned()];
            let cells = cells.map(|cell| cell.replace('|', "\\|"));
            self.out.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        definition_name(schema).map_or(schema, |name| &self.defs[name])
    }

    /// The definitions with keys of their own that a schema refers to, in order.
    fn collect(&self, schema: &'a Value, out: &mut Vec<&'a str>) {
        if let Some(name) = definition_name(schema) {
            match self.defs[name]["properties"].is_object() {
                true => out.push(name),
                false => self.collect(&self.defs[name], out),
            }
        }
        for inner in ["items", "additionalProperties"] {
            if let Some(inner) = schema.get(inner).filter(|inner| inner.is_object()) {
                self.collect(inner, out);
            }
        }
        choices(schema).for_each(|choice| self.collect(choice, out));
    }

    fn type_of(&self, schema: &'a Value) -> String {
        if let Some(name) = definition_name(schema) {
            return match self.defs[name]["properties"].is_object() {
                true => format!("[{name}](#{})", name.to_lowercase()),
                false => self.type_of(&self.defs[name]),
            };
        }
        if let Some(values) = allowed(schema) {
            return values;
        }
        let mut choices: Vec<String> = choices(schema).map(|choice| self.type_of(choice)).collect();
        choices.dedup();
        if !choices.is_empty() {
            return choices.join(" or ");
        }
        match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
            other => self.type_named(other.as_str().unwrap_or("anything"), schema),
        }
    }

    fn type_named(&self, name: &str, schema: &'a Value) -> String {
        match name {
            "array" => format!("array of {}", self.type_of(&schema["items"])),
            "integer" => "whole number".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "object" => "table".to_owned(),
            "string" => example(schema).map_or("string".to_owned(), |value| format!("string like `{value}`")),
            other => other.to_owned(),
        }
    }
}

/// The alternatives of a schema.
fn choices(schema: &Value) -> impl Iterator<Item = &Value> {
    ["oneOf", "anyOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten()
}

/// The values that an `enum` or a `const` allows.
fn allowed(schema: &Value) -> Option<String> {
    let one = schema.get("const").map(std::slice::from_ref);
    let values = one.or_else(|| schema["enum"].as_array().map(Vec::as_slice))?;
    Some(values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" or "))
}

fn example(schema: &Value) -> Option<&Value> {
    schema["examples"].as_array()?.first()
}

fn definition_name(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/")
}

/// Splits "Number. Default: 200, as Tomcat." into meaning and default. Such a default names its source, which the
/// default of a schema cannot.
fn split_default(about: &str) -> (&str, Option<&str>) {
    match about.split_once("Default: ") {
        Some((meaning, default)) => (meaning.trim_end(), Some(default.trim_end_matches('.'))),
        None => (about, None),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::toys::KINDS;
    use super::*;

    #[test]
    fn a_default_with_a_source_stands_in_its_column() {
        assert_eq!(split_default("Workers. Default: 200, as Tomcat."), ("Workers.", Some("200, as Tomcat")));
        assert_eq!(split_default("Workers."), ("Workers.", None));
    }

    #[test]
    fn every_table_has_its_keys_types_defaults_and_meanings() {
        let page = reference(&KINDS);
        for line in [
            "## `[run]`",
            "| `duration` | string like `\"5ms\"` | `\"10min\"` | Simulated time that is measured. |",
            "| `seed` | whole number | `1` | Seed of all random numbers: the same seed gives the same results. |",
            "## `[request.NAME]`",
            "| `effect` | `\"read\"` or `\"write\"` | `\"read\"` | Whether it reads or writes data. |",
            "## `[server.NAME]`",
            "| `cores` | whole number | required | Cores of each machine. |",
            "| `steps` | array of [Step](#step) |  | What a call does. |",
            "### Step",
            "| `cpu` | string like `\"5ms\"` |  | Time on a core. |",
            "## `[[expect]]`",
        ] {
            assert!(page.lines().any(|other| other == line), "{line}\n{page}");
        }
        assert_eq!(page.matches("### Step").count(), 1);
    }
}
