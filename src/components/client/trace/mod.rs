//! `trace`: a recorded load in a file, and how it is played: `trace = { file = "monday.csv", factor = 2 }`.

mod part;
mod recorded;

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Value;

use crate::kernel::time::SimDuration;
use crate::model::columns::Pick;
use crate::model::quantity::Duration;
use crate::model::spec::{Files, Outline, Problems, RequestClass};

use part::{ClassOf, Edge, Marks, Part};
use recorded::Read;
pub use recorded::Recorded;

/// The least and the greatest factor of a trace.
pub(super) const FACTORS: (f64, f64) = (1e-6, 1e6);

/// The span over which the highest rate of a trace counts as its peak, seconds: about as long as users are patient [T].
pub(super) const PEAK_S: f64 = 10.0;

/// Largest number of times that a trace is played.
const TIMES_MAX: u32 = 1_000_000;

/// A recorded load, as its table says.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Trace")]
struct Table {
    /// The file: a line has the time of a request, or a time and a count or a rate.
    file: String,
    /// Length of the period that each count is of. Default: the distance of the lines.
    every: Option<Duration>,
    /// Whether each count is replayed as it is, at random times within its period; else it is the rate of a Poisson
    /// process. Default: true, and false for a column whose name says "rate".
    exact: Option<bool>,
    /// Times as much load: 2 doubles it. Default: 1.
    factor: Option<f64>,
    /// Time in the trial at which the trace begins. Default: "0s".
    offset: Option<Duration>,
    /// Number of times that it is played, or "forever". Default: 1.
    repeat: Option<Repeat>,
    /// The beginning of the part that is played: "2h" after the file's own, the first "18:00" on its clocks, or a date.
    /// Default: all of it.
    #[schemars(with = "Option<String>")]
    from: Option<Edge>,
    /// The end of that part, likewise.
    #[schemars(with = "Option<String>")]
    to: Option<Edge>,
    /// Where the class of a request comes from: "shares" of the scenario, or the "file", whose column `class` names it.
    /// Default: "shares".
    class: Option<ClassOf>,
    /// The classes, by the column `class`, whose lines are played; so several clients share a file. Default: all.
    only: Option<Vec<String>>,
    /// The column of the times, by name or by number from 1. Default: the first, or the one whose name says so.
    time: Option<Column>,
    /// The column of the counts or rates. Default: the second, or the one whose name says so.
    count: Option<Column>,
}

/// Number of times that a trace is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "RepeatForm")]
pub(super) struct Repeat(Option<u32>);

/// As a scenario writes it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it is the schema of `Repeat`")]
enum RepeatForm {
    /// That number of times.
    Times(u32),
    /// "forever".
    Forever(String),
}

/// A column of a file, by its name or by its number from 1.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(with = "ColumnForm")]
enum Column {
    Named(String),
    Number(u32),
}

/// As a scenario writes it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "it is the schema of `Column`")]
enum ColumnForm {
    /// Its name in the header.
    Named(String),
    /// Its number, from 1.
    Number(u32),
}

/// The key `trace` of a client: the name of a file, or a table.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceSpec {
    table: Table,
    /// The content of the file.
    pub(super) recorded: Option<Recorded>,
    /// The classes of its lines, where the file tells them.
    marks: Option<Marks>,
}

impl TraceSpec {
    /// The name of its file.
    pub(super) fn file(&self) -> &str {
        &self.table.file
    }

    /// The table that plays a part of the file `factor` times from the start of a run on, as a scenario writes it.
    pub(super) fn replayed(&self, from_s: f64, to_s: f64, factor: f64) -> String {
        let Table { file, every, exact, class, only, time, count, .. } = &self.table;
        let text = |text: &str| Value::from(text).to_string();
        let column = |column: &Column| match column {
            Column::Named(name) => text(name),
            Column::Number(number) => number.to_string(),
        };
        let list = |names: &Vec<String>| {
            format!("[{}]", names.iter().map(|name| text(name)).collect::<Vec<_>>().join(", "))
        };
        let keys = [
            ("file", Some(text(file))),
            ("every", every.map(|every| text(&every.to_string()))),
            ("exact", exact.map(|exact| exact.to_string())),
            ("class", class.map(|class| text(class.word()))),
            ("only", only.as_ref().map(list)),
            ("time", time.as_ref().map(column)),
            ("count", count.as_ref().map(column)),
            ("from", Some(text(&format!("{from_s:.3}s")))),
            ("to", Some(text(&format!("{to_s:.3}s")))),
            ("factor", Some(format!("{factor:?}"))),
        ];
        let keys = keys.into_iter().filter_map(|(key, value)| Some(format!("{key} = {}", value?)));
        format!("{{ {} }}", keys.collect::<Vec<String>>().join(", "))
    }

    pub(super) fn factor(&self) -> f64 {
        self.table.factor.unwrap_or(1.0)
    }

    /// When it begins, seconds.
    pub(super) fn offset_s(&self) -> f64 {
        self.table.offset.map_or(0.0, |offset| offset.0.as_secs_f64())
    }

    /// Number of times that it is played; `None` for ever.
    pub(super) fn times(&self) -> Option<u32> {
        self.table.repeat.map_or(Some(1), |repeat| repeat.0)
    }

    /// Requests a second: their mean over the trace.
    pub(super) fn mean(&self) -> f64 {
        self.recorded.as_ref().map_or(0.0, Recorded::mean) * self.factor()
    }

    /// Requests a second: the most over spans of 1, 10 and 60 s.
    pub(super) fn spans(&self) -> Vec<(f64, f64)> {
        let highest = |span_s| self.recorded.as_ref().map_or(0.0, |recorded| recorded.highest(span_s));
        [1.0, PEAK_S, 60.0].map(|span_s| (span_s, highest(span_s) * self.factor())).into()
    }

    /// When the last request comes, seconds; `None` when the trace is played for ever.
    fn end_s(&self) -> Option<f64> {
        let length = self.recorded.as_ref()?.length_s();
        Some(self.offset_s() + length * f64::from(self.times()?))
    }

    /// All that changes the requests.
    pub(super) fn behaviour(&self) -> String {
        let (factor, offset, times) = (self.factor(), self.offset_s(), self.times());
        let marks = self.marks.as_ref().map(|marks| format!(", {marks:?}")).unwrap_or_default();
        format!("{factor}, {offset}, {times:?}, {:?}{marks}", self.recorded)
    }

    /// The index of each line's class among the scenario's classes; `None` where its shares decide.
    pub(super) fn classes(&self, classes: &[RequestClass]) -> Option<Vec<u16>> {
        let Marks { names, lines } = self.marks.as_ref()?;
        let index = |name: &String| classes.iter().position(|class| class.name == *name).unwrap_or(0) as u16;
        let of: Vec<u16> = names.iter().map(index).collect();
        Some(lines.iter().map(|line| of[usize::from(*line)]).collect())
    }

    /// The share of each of the scenario's classes among its requests; `None` where the scenario's shares decide.
    pub(super) fn mix(&self, classes: &[RequestClass]) -> Option<Vec<f64>> {
        let of = self.classes(classes)?;
        let mut sums = vec![0.0; classes.len()];
        match self.recorded.as_ref()? {
            Recorded::Counts { counts, .. } => {
                of.iter()
                    .zip(counts.iter())
                    .for_each(|(class, (_, count))| sums[usize::from(*class)] += count);
            }
            _ => of.iter().for_each(|class| sums[usize::from(*class)] += 1.0),
        }
        let all: f64 = sums.iter().sum();
        Some(sums.iter().map(|sum| sum / all).collect())
    }

    /// The classes that the file names must be those of the scenario.
    fn check_classes(&self, classes: &[RequestClass], problems: &mut Problems) {
        let Some(Marks { names, lines }) = &self.marks else { return };
        let played: BTreeSet<u16> = lines.iter().copied().collect();
        let mut played = played.iter().map(|index| &names[usize::from(*index)]);
        let is_known = |name: &&String| classes.iter().any(|class| class.name == **name);
        if let Some(name) = played.find(|name| !is_known(name)) {
            let file = &self.table.file;
            let message =
                format!("`{file}` has requests of class `{name}`, of which the scenario says nothing");
            let help = format!("add [request.{name}], or leave such lines out by `only`");
            problems.error("trace.class", message, help);
        }
    }

    /// Checks the table; its file has been read.
    pub(super) fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        let length = outline.length;
        self.check_classes(outline.classes, problems);
        let factor = self.factor();
        if !(FACTORS.0..=FACTORS.1).contains(&factor) {
            let message = format!("a factor lies between {} and {}, not {factor}", FACTORS.0, FACTORS.1);
            problems.error("trace.factor", message, "");
        }
        if self.times().is_some_and(|times| !(1..=TIMES_MAX).contains(&times)) {
            problems.error(
                "trace.repeat",
                format!("a trace is played 1 to {TIMES_MAX} times"),
                "or \"forever\"",
            );
        }
        if self.table.every.is_some_and(|every| every.0.is_zero()) {
            problems.error("trace.every", "a period takes some time", "such as every = \"60s\"");
        }
        if let Some(end) = self.end_s()
            && end + 1.0 < length.as_secs_f64()
        {
            let end = Duration(SimDuration::from_millis((end * 1e3).round() as u64));
            let message =
                format!("the trace ends at {end}, the run at {}: then nobody asks", Duration(length));
            problems.warn("trace", message, "give `repeat = \"forever\"`, or a shorter `duration`");
        }
    }

    /// Reads the file.
    pub(super) fn read(&mut self, files: &dyn Files, problems: &mut Problems) {
        let file = &self.table.file;
        let layout = recorded::Layout {
            every_s: self.table.every.map(|every| every.0.as_secs_f64()).filter(|every| *every > 0.0),
            exact: self.table.exact,
            time: self.table.time.as_ref().map(Column::pick),
            count: self.table.count.as_ref().map(Column::pick),
            part: Part {
                from: self.table.from.as_ref(),
                to: self.table.to.as_ref(),
                only: self.table.only.as_deref().unwrap_or_default(),
            },
            has_classes: self.table.class == Some(ClassOf::File),
        };
        match files.read(file).and_then(|text| Recorded::parse(&text, layout)) {
            Ok(Read { recorded, marks, doubts }) => {
                for doubt in doubts {
                    problems.warn("trace", format!("`{file}`: {}", doubt.message), doubt.help);
                }
                (self.recorded, self.marks) = (Some(recorded), marks);
            }
            Err(message) => {
                let help = "a line has the time of a request, or a time and a count; see docs/model.md";
                problems.error("trace", format!("cannot use `{file}`: {message}"), help);
            }
        }
    }
}

impl Column {
    fn pick(&self) -> Pick<'_> {
        match self {
            Column::Named(name) => Pick::Named(name),
            Column::Number(number) => Pick::Number(*number as usize),
        }
    }
}

// Reading -------------------------------------------------------------------------------------------------------------

impl<'de> Deserialize<'de> for TraceSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TraceVisitor)
    }
}

/// Reads a trace from the name of its file or from a table: an untagged enum would lose the position of an error.
struct TraceVisitor;

impl<'de> Visitor<'de> for TraceVisitor {
    type Value = TraceSpec;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a file, or { file = \"name.csv\", factor = 2 }")
    }

    fn visit_str<E: de::Error>(self, file: &str) -> Result<TraceSpec, E> {
        let table = Table {
            file: file.to_owned(),
            every: None,
            exact: None,
            factor: None,
            offset: None,
            repeat: None,
            from: None,
            to: None,
            class: None,
            only: None,
            time: None,
            count: None,
        };
        Ok(TraceSpec { table, recorded: None, marks: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TraceSpec, A::Error> {
        let table = Table::deserialize(de::value::MapAccessDeserializer::new(map))?;
        Ok(TraceSpec { table, recorded: None, marks: None })
    }
}

impl<'de> Deserialize<'de> for Repeat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match NameOrNumber::read(deserializer, "a number of times, or \"forever\"")? {
            NameOrNumber::Number(number) => Ok(Repeat(Some(number))),
            NameOrNumber::Name(word) if word == "forever" => Ok(Repeat(None)),
            NameOrNumber::Name(word) => Err(de::Error::custom(format!(
                "expected a number of times, or \"forever\", found \"{word}\""
            ))),
        }
    }
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match NameOrNumber::read(deserializer, "the name of a column, or its number from 1")? {
            NameOrNumber::Name(name) => Column::Named(name),
            NameOrNumber::Number(number) => Column::Number(number),
        })
    }
}

enum NameOrNumber {
    Name(String),
    Number(u32),
}

impl NameOrNumber {
    fn read<'de, D: Deserializer<'de>>(deserializer: D, expected: &'static str) -> Result<Self, D::Error> {
        struct Reader(&'static str);
        impl Visitor<'_> for Reader {
            type Value = NameOrNumber;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.0)
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<NameOrNumber, E> {
                Ok(NameOrNumber::Name(name.to_owned()))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<NameOrNumber, E> {
                let number = u32::try_from(number);
                number.map(NameOrNumber::Number).map_err(|_| E::custom(format!("expected {}", self.0)))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<NameOrNumber, E> {
                let number = u32::try_from(number);
                number.map(NameOrNumber::Number).map_err(|_| E::custom(format!("expected {}", self.0)))
            }
        }
        deserializer.deserialize_any(Reader(expected))
    }
}

impl JsonSchema for TraceSpec {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecordedLoad".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<Table>();
        schemars::json_schema!({
            "description": "The name of a file, or a table that says how it is played.",
            "anyOf": [{ "type": "string" }, table]
        })
    }
}
