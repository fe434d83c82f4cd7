//! What a scenario says about the shards that a query asks at once.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::model::ask::Scatter;

/// The shards that a query asks at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScatterSpec {
    /// All.
    All,
    /// That of the key, and others, of this number together.
    Some(u16),
}

impl ScatterSpec {
    /// Their number, as a query asks for it.
    pub(super) fn number(self) -> u16 {
        match self {
            ScatterSpec::All => Scatter::ALL,
            ScatterSpec::Some(number) => number.clamp(1, Scatter::ALL),
        }
    }
}

impl<'de> Deserialize<'de> for ScatterSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ScatterSpec, D::Error> {
        deserializer.deserialize_any(ScatterVisitor)
    }
}

/// Reads a number or a word: an untagged enum would lose the position of an error.
struct ScatterVisitor;

impl Visitor<'_> for ScatterVisitor {
    type Value = ScatterSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of shards, or \"all\"")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<ScatterSpec, E> {
        let number = u16::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))?;
        Ok(ScatterSpec::Some(number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<ScatterSpec, E> {
        match value {
            "all" => Ok(ScatterSpec::All),
            _ => Err(E::invalid_value(Unexpected::Str(value), &self)),
        }
    }
}

impl JsonSchema for ScatterSpec {
    fn schema_name() -> Cow<'static, str> {
        "Scatter".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let number = generator.subschema_for::<u16>();
        json_schema!({
            "description": "A number of shards, or all.",
            "anyOf": [{ "const": "all" }, number]
        })
    }
}
