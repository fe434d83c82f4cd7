//! `Duration`: a length of time in a scenario file, "5ms".

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Amount, Quantity, QuantityError, split, unexpected, wrong_unit};
use crate::kernel::time::SimDuration;

/// A length of time as a scenario file writes it: "250us", "5ms", "1.5s", "2min", "1h", "7d". Stored in whole
/// nanoseconds, at most 584 years; a finer fraction is rounded to the nearest nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Duration(pub SimDuration);

/// Nanoseconds in each unit, in the order of [`Quantity::UNITS`].
const NANOS: [u64; 7] =
    [1, 1_000, 1_000_000, 1_000_000_000, 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000];

impl Quantity for Duration {
    const NOUN: &'static str = "a duration";
    const EXAMPLE: &'static str = "5ms";
    const UNITS: &'static [&'static str] = &["ns", "us", "ms", "s", "min", "h", "d"];
    const USUAL_UNITS: &'static [&'static str] = &["ms", "s"];
}

impl FromStr for Duration {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Duration, QuantityError> {
        let amount = split::<Duration>(text)?;
        // Unicode has two characters that print as µ: the micro sign and the Greek letter.
        let unit = if matches!(amount.unit, "\u{b5}s" | "\u{3bc}s") { "us" } else { amount.unit };
        let unit = Duration::UNITS.iter().position(|known| *known == unit);
        let nanos = NANOS[unit.ok_or_else(|| unknown_unit(text, &amount))?];
        // Integers are multiplied exactly, so that printed text is read back to the nanosecond.
        if let Ok(whole) = amount.digits.parse::<u64>() {
            let total = whole.checked_mul(nanos).ok_or_else(|| too_long(text))?;
            return Ok(Duration(SimDuration::from_nanos(total)));
        }
        let total = amount.value * nanos as f64;
        if total > 0.0 && total < 1.0 {
            let message = format!("a duration is at least one nanosecond or zero, found {text:?}");
            return Err(QuantityError::new(message));
        }
        let seconds = SimDuration::try_from_secs_f64(total / 1e9).ok_or_else(|| too_long(text))?;
        Ok(Duration(seconds))
    }
}

/// The error for an unknown unit. A lone `m` could mean two units that differ by a factor of 60,000, so it is not
/// guessed.
fn unknown_unit(text: &str, amount: &Amount<'_>) -> QuantityError {
    if amount.unit != "m" {
        return wrong_unit::<Duration>(text, amount);
    }
    let help = format!("did you mean \"{0}min\" or \"{0}ms\"?", amount.digits);
    QuantityError { help: Some(help), ..unexpected::<Duration>(text) }
}

fn too_long(text: &str) -> QuantityError {
    QuantityError::new(format!("a duration is at most 584 years, found {text:?}"))
}

impl fmt::Display for Duration {
    /// As a whole number of the largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.0.as_nanos();
        if total == 0 {
            return f.write_str("0s");
        }
        let mut units = NANOS.iter().zip(Duration::UNITS).rev();
        let (nanos, unit) =
            units.find(|(nanos, _)| total.is_multiple_of(**nanos)).expect("one divides every number");
        write!(f, "{}{unit}", total / nanos)
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        super::deserialize(deserializer)
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Duration {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a duration: a number and ns, us, ms, s, min, h or d",
            "pattern": r"^\s*[0-9.]+([eE][+-]?[0-9]+)?\s*(ns|us|[µμ]s|ms|s|min|h|d)\s*$",
            "examples": ["5ms", "2min"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::refusal;
    use super::*;
    use proptest::prelude::*;

    fn nanos(text: &str) -> u64 {
        text.parse::<Duration>().expect(text).0.as_nanos()
    }

    #[test]
    fn every_unit_is_read() {
        assert_eq!(nanos("250us"), 250_000);
        assert_eq!(nanos("250 µs"), nanos("250us"));
        assert_eq!(nanos("7.69ms"), 7_690_000);
        assert_eq!(nanos(" 1.5s "), 1_500_000_000);
        assert_eq!(nanos("1e3s"), 1_000_000_000_000);
        assert_eq!(nanos("2min") * 30, nanos("1h"));
        assert_eq!(nanos("7d"), 7 * 24 * nanos("1h"));
        assert_eq!((nanos("3ns"), nanos("0ms")), (3, 0));
    }

    #[test]
    fn each_refusal_gives_its_reason() {
        for (text, message) in [
            ("5", r#"a duration needs a unit: "5ms" or "5s""#),
            ("5 parsecs", r#"expected a duration such as "5ms", found "5 parsecs""#),
            ("5sec", r#"expected a duration such as "5ms", found "5sec"; did you mean "5s"?"#),
            ("5m", r#"expected a duration such as "5ms", found "5m"; did you mean "5min" or "5ms"?"#),
            ("", r#"expected a duration such as "5ms", found """#),
            ("1.2.3s", r#"expected a duration such as "5ms", found "1.2.3s""#),
            ("-5ms", r#"a duration must not be negative, found "-5ms""#),
            ("nan", r#"a duration must be finite, found "nan""#),
            ("-inf s", r#"a duration must be finite, found "-inf s""#),
            ("1e30s", r#"a duration is at most 584 years, found "1e30s""#),
            ("1e999s", "a duration must be finite, found inf"),
            ("213504d", r#"a duration is at most 584 years, found "213504d""#),
            ("0.5ns", r#"a duration is at least one nanosecond or zero, found "0.5ns""#),
            ("1e-400s", r#"a duration is at least one nanosecond or zero, found "1e-400s""#),
        ] {
            assert_eq!(refusal::<Duration>(text), message);
        }
    }

    #[test]
    fn a_number_without_quotes_is_refused() {
        #[derive(Debug, Deserialize)]
        struct Table {
            #[expect(dead_code, reason = "only its refusal is read")]
            timeout: Duration,
        }
        for (value, message) in [
            ("5", r#"a duration needs a unit: "5ms" or "5s""#),
            ("nan", "a duration must be finite, found NaN"),
            ("-2", "a duration must not be negative, found -2"),
            ("true", "invalid type: boolean `true`, expected a duration such as \"5ms\""),
        ] {
            let error = toml::from_str::<Table>(&format!("timeout = {value}")).expect_err(value);
            assert_eq!(error.message(), message);
            assert_eq!(error.span(), Some(10..10 + value.len()), "the error points at the value");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(nanos: u64, round in 0_u64..2_000) {
            for nanos in [nanos, round * 60_000_000_000] {
                let duration = Duration(SimDuration::from_nanos(nanos));
                prop_assert_eq!(duration.to_string().parse(), Ok(duration));
            }
        }
    }
}
