//! Keys for errors that a box answers: which share of its calls, how they end, and when.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize as _, Deserializer};

use super::problems::Problems;
use super::quantity::{Duration, Share};
use super::signal::{Failing, Outcome};

/// `errors = { share = "1%" }`: errors that a box answers all the time.
#[derive(Clone, Copy, Debug, PartialEq, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorsSpec {
    /// Share of the calls that are answered with an error.
    pub share: Share,
    /// How these calls end. Default: "failed".
    #[serde(rename = "as")]
    pub ending: Option<Ending>,
    /// When they are answered: after the `"work"`, or after a duration without any work. Default: "work".
    pub time: Option<ErrorTime>,
}

impl ErrorsSpec {
    /// The rule.
    #[must_use]
    pub fn rule(&self) -> Failing {
        rule(self.share, self.ending, self.time)
    }
}

/// The rule that these keys describe.
#[must_use]
pub fn rule(share: Share, ending: Option<Ending>, time: Option<ErrorTime>) -> Failing {
    let time = match time {
        Some(ErrorTime::After(time)) => Some(time.0),
        Some(ErrorTime::Work) | None => None,
    };
    Failing::new(share.0, ending.unwrap_or_default().outcome(), time)
}

/// How calls end that are answered with an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// An error of the application: HTTP 500.
    #[default]
    Failed,
    /// The application says that it is overloaded: HTTP 503.
    Rejected,
}

impl Ending {
    const fn outcome(self) -> Outcome {
        match self {
            Ending::Failed => Outcome::Failed,
            Ending::Rejected => Outcome::Rejected,
        }
    }
}

/// When an error is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorTime {
    /// After all the work.
    Work,
    /// After this time, without any work.
    After(Duration),
}

impl<'de> serde::Deserialize<'de> for ErrorTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ErrorTime, D::Error> {
        deserializer.deserialize_any(ErrorTimeVisitor)
    }
}

/// Reads the word or a duration: an untagged enum would lose the position of an error.
struct ErrorTimeVisitor;

impl de::Visitor<'_> for ErrorTimeVisitor {
    type Value = ErrorTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"work\", or a duration such as \"1ms\"")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ErrorTime, E> {
        if text == "work" {
            return Ok(ErrorTime::Work);
        }
        if !text.contains(|c: char| c.is_ascii_digit()) {
            return Err(E::custom(format!(
                "expected \"work\", or a duration such as \"1ms\", found {text:?}"
            )));
        }
        Duration::deserialize(de::value::StrDeserializer::new(text)).map(ErrorTime::After)
    }
}

impl JsonSchema for ErrorTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ErrorTime".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let duration = generator.subschema_for::<Duration>();
        json_schema!({ "anyOf": [{ "const": "work" }, duration] })
    }
}

/// Reports a share or a time of errors that means nothing; `at` is the path of the keys, with its point.
pub fn check_failing(at: &str, share: Option<Share>, time: Option<ErrorTime>, problems: &mut Problems) {
    if share.is_some_and(|share| !(share.0 > 0.0 && share.0 <= 1.0)) {
        let message = "a share of the calls lies above 0 and is at most 1";
        problems.error(format!("{at}share"), message, "such as share = \"1%\"");
    }
    if matches!(time, Some(ErrorTime::After(time)) if time.0.is_zero()) {
        let help = "an error page takes a moment, such as time = \"1ms\"";
        problems.error(format!("{at}time"), "no answer takes no time at all", help);
    }
}
