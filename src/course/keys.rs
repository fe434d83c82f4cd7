//! `keys.json`: what was measured for every variant of every exercise, so that grading simulates nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::exercise::{Exercise, Variant};
use super::measure::Measured;
use super::text::{Unit, Value};

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.keys/1";

/// The measured values of a course.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Keys {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the program that measured.
    pub version: String,
    /// The course, with the hash of its files.
    pub course: String,
    /// For each exercise its variants, in the order of their numbers.
    pub exercises: BTreeMap<String, Vec<Key>>,
}

/// What one variant gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Key {
    /// The fingerprint of its runs.
    pub fingerprint: String,
    /// Mean and half-width of each value; no half-width is `null`.
    pub values: BTreeMap<String, (f64, Option<f64>)>,
    /// The units of the values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub units: BTreeMap<String, String>,
}

impl Keys {
    /// Reads the file; `None` if it is not one of this version of the format.
    #[must_use]
    pub fn read(text: &str) -> Option<Keys> {
        serde_json::from_str(text).ok().filter(|keys: &Keys| keys.schema == SCHEMA)
    }

    /// The text of the file: a variant a line.
    #[must_use]
    pub fn text(&self) -> String {
        let line = |key: &Key| serde_json::to_string(key).expect("strings and numbers");
        let exercise = |(id, keys): (&String, &Vec<Key>)| {
            let lines: Vec<String> = keys.iter().map(line).collect();
            format!("{id:?}:[\n{}\n]", lines.join(",\n"))
        };
        let exercises: Vec<String> = self.exercises.iter().map(exercise).collect();
        format!(
            "{{\"schema\":{:?},\"version\":{:?},\"course\":{:?},\"exercises\":{{\n{}\n}}}}\n",
            self.schema,
            self.version,
            self.course,
            exercises.join(",\n")
        )
    }

    /// What a variant of an exercise gives.
    #[must_use]
    pub fn of(&self, exercise: &Exercise, variant: Variant) -> Option<Measured> {
        self.exercises.get(&exercise.id)?.get(variant.index()).map(Key::measured)
    }
}

impl Key {
    /// The measured values of a variant, rounded to six digits: nobody reads more, and no platform differs in them.
    #[must_use]
    pub fn of(measured: &Measured) -> Key {
        let values = measured.values.iter();
        let rounded = |value: f64| format!("{value:.5e}").parse().expect("a number");
        Key {
            fingerprint: measured.fingerprint.clone(),
            values: values
                .clone()
                .map(|(name, value)| (name.clone(), (rounded(value.mean), value.half_width.map(rounded))))
                .collect(),
            units: values.map(|(name, value)| (name.clone(), unit_name(value.unit).to_owned())).collect(),
        }
    }

    fn measured(&self) -> Measured {
        let value = |(name, (mean, half_width)): (&String, &(f64, Option<f64>))| {
            let unit = self.units.get(name).and_then(|name| unit_of(name)).unwrap_or(Unit::Count);
            (name.clone(), Value { mean: *mean, half_width: *half_width, unit })
        };
        Measured { fingerprint: self.fingerprint.clone(), values: self.values.iter().map(value).collect() }
    }
}

const UNITS: [(&str, Unit); 6] = [
    ("time", Unit::Time),
    ("share", Unit::Share),
    ("rate", Unit::Rate),
    ("count", Unit::Count),
    ("usd", Unit::Usd),
    ("factor", Unit::Factor),
];

fn unit_name(unit: Unit) -> &'static str {
    UNITS.iter().find(|(_, known)| *known == unit).expect("every unit has a name").0
}

fn unit_of(name: &str) -> Option<Unit> {
    UNITS.iter().find(|(known, _)| *known == name).map(|(_, unit)| *unit)
}

#[cfg(test)]
mod tests {
    use super::super::samples::exercise;
    use super::*;

    #[test]
    fn keys_are_read_back_as_they_were_written() {
        let value = Value { mean: 0.431_234_567, half_width: Some(0.018), unit: Unit::Time };
        let measured =
            Measured { fingerprint: "a60c65e06b8bd1f1".into(), values: [("twice".into(), value)].into() };
        let keys = Keys {
            schema: SCHEMA.into(),
            version: "0.1.0".into(),
            course: "toy@1".into(),
            exercises: [("twice".into(), vec![Key::of(&measured)])].into(),
        };
        let read = Keys::read(&keys.text()).unwrap();
        assert_eq!(read, keys);
        let found = read.of(&exercise(), Variant { set: 0, seed: 1 }).unwrap();
        assert_eq!((found.values["twice"].mean, found.values["twice"].unit), (0.431_235, Unit::Time));
        assert_eq!(read.of(&exercise(), Variant { set: 2, seed: 1 }), None);
        assert_eq!(Keys::read("{}"), None);
    }
}
