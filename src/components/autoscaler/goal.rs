//! `Goal` and `Clock`: the value that a metric is to have, and the times of a day at which the least size changes.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::kernel::time::SimDuration;
use crate::model::quantity::{Duration, Share};

/// What an autoscaler looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Watched {
    /// The share of the core time that is used, on average over the machines that are up.
    #[default]
    Cpu,
    /// The calls inside a machine, on average over the machines that are up.
    Inside,
    /// The messages that wait in the queue, for each machine that is up.
    Backlog,
    /// The age of the oldest message that waits in the queue.
    Age,
}

impl Watched {
    /// The key that needs a queue, if one does.
    pub(super) fn needs_queue(self) -> Option<&'static str> {
        matches!(self, Watched::Backlog | Watched::Age).then_some("metric")
    }

    /// A goal that makes sense, as a scenario writes it.
    pub(super) fn example(self) -> &'static str {
        match self {
            Watched::Cpu => "\"60%\"",
            Watched::Inside => "20",
            Watched::Backlog => "100",
            Watched::Age => "\"30s\"",
        }
    }
}

/// A share, a number or a duration: which of them, the metric says.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal(pub String);

impl Goal {
    /// Its value for a metric: a share 0 to 1, a number, or seconds.
    ///
    /// # Errors
    /// A message if it is no value of this metric.
    pub(super) fn value(&self, of: Watched) -> Result<f64, String> {
        let text = self.0.as_str();
        let value = match of {
            Watched::Cpu => text.parse::<Share>().map_err(|found| found.to_string())?.0,
            Watched::Age => text.parse::<Duration>().map_err(|found| found.to_string())?.0.as_secs_f64(),
            Watched::Inside | Watched::Backlog => {
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                number.ok_or_else(|| format!("expected a number for each machine, found {text:?}"))?
            }
        };
        if value > 0.0 { Ok(value) } else { Err("the goal lies above zero".to_owned()) }
    }
}

impl<'de> Deserialize<'de> for Goal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Goal, D::Error> {
        deserializer.deserialize_any(GoalVisitor)
    }
}

/// Reads a text or a number: an untagged enum would lose the position of an error.
struct GoalVisitor;

impl Visitor<'_> for GoalVisitor {
    type Value = Goal;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a goal such as \"60%\", 20 or \"30s\"")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Goal, E> {
        Ok(Goal(text.to_owned()))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Goal, E> {
        Ok(Goal(number.to_string()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Goal, E> {
        Ok(Goal(number.to_string()))
    }
}

impl JsonSchema for Goal {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Goal".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number"] })
    }
}

/// A time of the day, "08:00" or "08:00:30". A trial begins at midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clock(pub SimDuration);

/// A day.
pub(super) const DAY: SimDuration = SimDuration::from_secs(86_400);

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Clock, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text).ok_or_else(|| {
            D::Error::custom(format!("expected a time of the day such as \"08:00\", found {text:?}"))
        })
    }
}

fn read(text: &str) -> Option<Clock> {
    let number = |part: &str, most: u64| {
        let is_written = part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse::<u64>().ok().filter(|number| is_written && *number < most)
    };
    let parts: Vec<&str> = text.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes] => (hours, minutes, &"00"),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        _ => return None,
    };
    let total = number(hours, 24)? * 3600 + number(minutes, 60)? * 60 + number(seconds, 60)?;
    Some(Clock(SimDuration::from_secs(total)))
}

impl JsonSchema for Clock {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Clock".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9](:[0-5][0-9])?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_has_hours_minutes_and_perhaps_seconds() {
        let seconds = |text: &str| read(text).map(|clock| clock.0.as_secs_f64());
        assert_eq!((seconds("08:00"), seconds("00:01:30")), (Some(28_800.0), Some(90.0)));
        for wrong in ["24:00", "8:00", "08:60", "08", "08:00:00:00", "+8:00", ""] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_goal_is_of_its_metric() {
        let value = |text: &str, of| Goal(text.to_owned()).value(of).ok();
        assert_eq!(value("60%", Watched::Cpu), Some(0.6));
        assert_eq!((value("20", Watched::Inside), value("30s", Watched::Age)), (Some(20.0), Some(30.0)));
        assert_eq!((value("150%", Watched::Cpu), value("20", Watched::Age)), (None, None));
        assert_eq!((value("0", Watched::Backlog), value("inf", Watched::Backlog)), (None, None));
    }
}
