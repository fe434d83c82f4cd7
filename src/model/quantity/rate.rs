//! `Rate`: a number of events per time in a scenario file, "200/s".

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Quantity, QuantityError, split, wrong_unit};

/// Events a second, written as "200/s", "50/min", "1k/s" or "2M/d". Zero, or between one event in 31 years and one a
/// nanosecond, which is the resolution of the clock.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Rate(pub f64);

/// The lowest rate above zero, in events a second.
const MIN: f64 = 1e-9;
/// The highest rate, in events a second.
const MAX: f64 = 1e9;

impl Quantity for Rate {
    const NOUN: &'static str = "a rate";
    const EXAMPLE: &'static str = "200/s";
    const UNITS: &'static [&'static str] =
        &["/d", "/h", "/min", "/s", "k/d", "k/h", "k/min", "k/s", "M/d", "M/h", "M/min", "M/s"];
    const USUAL_UNITS: &'static [&'static str] = &["/s"];
}

impl FromStr for Rate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Rate, QuantityError> {
        let amount = split::<Rate>(text)?;
        let (multiple, period) = factors(amount.unit).ok_or_else(|| wrong_unit::<Rate>(text, &amount))?;
        let rate = amount.value * multiple / period;
        if rate == 0.0 && amount.value == 0.0 || (MIN..=MAX).contains(&rate) {
            return Ok(Rate(rate));
        }
        let limit = if rate > MAX { "at most one a nanosecond" } else { "zero or at least one in 31 years" };
        Err(QuantityError::new(format!("a rate is {limit}, found {text:?}")))
    }
}

/// The factor of the unit, and its period in seconds.
fn factors(unit: &str) -> Option<(f64, f64)> {
    let (multiple, period) = unit.split_once('/')?;
    let multiple = match multiple.trim_end() {
        "" => 1.0,
        "k" => 1e3,
        "M" => 1e6,
        _ => return None,
    };
    let period = match period.trim_start() {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Some((multiple, period))
}

impl fmt::Display for Rate {
    /// In events a second, with as many digits as it takes to read the value back unchanged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Rate, D::Error> {
        super::deserialize(deserializer)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Rate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Rate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a rate: a number, perhaps k or M, and /s, /min, /h or /d",
            "pattern": r"^\s*[0-9.]+([eE][+-]?[0-9]+)?\s*[kM]?\s*/\s*(s|min|h|d)\s*$",
            "examples": ["200/s", "50/min"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::refusal;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_period_is_read() {
        for (text, rate) in [
            ("200/s", 200.0),
            ("30/min", 0.5),
            ("1.5k/s", 1_500.0),
            ("36 / h", 0.01),
            ("864M/d", 10_000.0),
            ("0/s", 0.0),
        ] {
            assert_eq!(text.parse(), Ok(Rate(rate)));
        }
    }

    #[test]
    fn each_refusal_gives_its_reason() {
        for (text, message) in [
            ("200", r#"a rate needs a unit: "200/s""#),
            ("200/sec", r#"expected a rate such as "200/s", found "200/sec"; did you mean "200/s"?"#),
            ("200 rps", r#"expected a rate such as "200/s", found "200 rps""#),
            ("-1/s", r#"a rate must not be negative, found "-1/s""#),
            ("2e9/s", r#"a rate is at most one a nanosecond, found "2e9/s""#),
            ("1e308M/s", r#"a rate is at most one a nanosecond, found "1e308M/s""#),
            ("1e-12/s", r#"a rate is zero or at least one in 31 years, found "1e-12/s""#),
        ] {
            assert_eq!(refusal::<Rate>(text), message);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(rate in MIN..=MAX, small in MIN..=1e-3) {
            for rate in [Rate(rate), Rate(small)] {
                prop_assert_eq!(rate.to_string().parse(), Ok(rate));
            }
        }
    }
}
