//! `Share`: a part of a whole in a scenario file, 0.3 or "30%".

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Quantity, QuantityError, check_sign_and_size, split, wrong_unit};

/// A part of a whole, a probability or a quota: 0 to 1, written as a number or as "30%".
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Default)]
pub struct Share(pub f64);

impl Quantity for Share {
    const NOUN: &'static str = "a share";
    const EXAMPLE: &'static str = "30%";
    const UNITS: &'static [&'static str] = &["%"];
    const USUAL_UNITS: &'static [&'static str] = &["%"];

    /// A share is the one quantity that may be a plain number.
    fn from_number(number: f64) -> Result<Share, QuantityError> {
        check_sign_and_size::<Share>(number)?;
        if number <= 1.0 {
            return Ok(Share(number));
        }
        let error = QuantityError::new(format!("a share is between 0 and 1, found {number}"));
        Err(if number <= 100.0 { error.did_you_mean(&format!("{number}%")) } else { error })
    }
}

impl FromStr for Share {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Share, QuantityError> {
        let amount = split::<Share>(text)?;
        match amount.unit {
            "" => Share::from_number(amount.value),
            "%" if amount.value <= 100.0 => Ok(Share(hundredth(amount.digits, amount.value))),
            "%" => Err(QuantityError::new(format!("a share is at most 100%, found {text:?}"))),
            _ => Err(wrong_unit::<Share>(text, &amount)),
        }
    }
}

/// A hundredth of a decimal literal, rounded only once, so that "0.1%" is the same number as 0.001.
fn hundredth(digits: &str, value: f64) -> f64 {
    format!("{digits}e-2").parse().unwrap_or(value / 100.0)
}

impl fmt::Display for Share {
    /// As a percentage if that is read back unchanged, else as a plain number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded, because 0.07 * 100 is not exactly 7.
        let percent = (self.0 * 1e12).round() / 1e10;
        let digits = percent.to_string();
        if hundredth(&digits, percent) == self.0 { write!(f, "{digits}%") } else { write!(f, "{}", self.0) }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Share, D::Error> {
        super::deserialize(deserializer)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Share {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // In JSON Schema, the limits apply to numbers only and the pattern to strings only.
        json_schema!({
            "type": ["number", "string"],
            "description": "a share: a number from 0 to 1, or a percentage",
            "minimum": 0,
            "maximum": 1,
            "pattern": r"^\s*[0-9.]+([eE][+-]?[0-9]+)?\s*%?\s*$",
            "examples": [0.3, "30%"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::refusal;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_and_percentages_are_read() {
        for (text, share) in
            [("30%", 0.3), ("0.1 %", 0.001), ("0.3", 0.3), ("1e1%", 0.1), ("100%", 1.0), ("0", 0.0)]
        {
            assert_eq!(text.parse(), Ok(Share(share)));
        }
        assert_eq!(Share(0.07).to_string(), "7%");
        assert_eq!(Share(0.3).to_string(), "30%");
    }

    #[test]
    fn each_refusal_gives_its_reason() {
        for (text, message) in [
            ("50", r#"a share is between 0 and 1, found 50; did you mean "50%"?"#),
            ("500", "a share is between 0 and 1, found 500"),
            ("150%", r#"a share is at most 100%, found "150%""#),
            ("-0.1", r#"a share must not be negative, found "-0.1""#),
            ("NaN", r#"a share must be finite, found "NaN""#),
            ("half", r#"expected a share such as "30%", found "half""#),
        ] {
            assert_eq!(refusal::<Share>(text), message);
        }
    }

    #[test]
    fn toml_numbers_are_read_and_judged() {
        #[derive(Debug, Deserialize)]
        struct Table {
            chance: Share,
        }
        let read = |value: &str| toml::from_str::<Table>(&format!("chance = {value}"));
        for (value, share) in [("0.3", 0.3), ("1", 1.0), ("0", 0.0), ("\"25%\"", 0.25)] {
            assert_eq!(read(value).expect(value).chance, Share(share));
        }
        for (value, message) in [
            ("50", r#"a share is between 0 and 1, found 50; did you mean "50%"?"#),
            ("nan", "a share must be finite, found NaN"),
            ("-0.0", "a share must not be negative, found -0"),
        ] {
            assert_eq!(read(value).expect_err(value).message(), message);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(share in 0.0..=1.0, percent in 0_u32..=100) {
            for share in [Share(share), Share(f64::from(percent) / 100.0)] {
                prop_assert_eq!(share.to_string().parse(), Ok(share));
            }
        }
    }
}
