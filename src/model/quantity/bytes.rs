//! `Bytes`: an amount of memory or data in a scenario file, "4GiB".

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Quantity, QuantityError, split, wrong_unit};

/// A number of bytes as a scenario file writes it: "4GiB" and "512MiB" by powers of 1024, "10KB" by powers of 1000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Bytes(pub u64);

/// Bytes in each unit, in the order of [`Quantity::UNITS`].
const SIZES: [u64; 10] =
    [1, 1_000, 1_000, 1 << 10, 1_000_000, 1 << 20, 1_000_000_000, 1 << 30, 1_000_000_000_000, 1 << 40];

impl Quantity for Bytes {
    const NOUN: &'static str = "a size";
    const EXAMPLE: &'static str = "512MiB";
    const UNITS: &'static [&'static str] = &["B", "kB", "KB", "KiB", "MB", "MiB", "GB", "GiB", "TB", "TiB"];
    const USUAL_UNITS: &'static [&'static str] = &["MiB"];
}

impl FromStr for Bytes {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Bytes, QuantityError> {
        let amount = split::<Bytes>(text)?;
        let unit = Bytes::UNITS.iter().position(|known| *known == amount.unit);
        let size = SIZES[unit.ok_or_else(|| wrong_unit::<Bytes>(text, &amount))?];
        if let Ok(whole) = amount.digits.parse::<u64>() {
            return whole.checked_mul(size).map(Bytes).ok_or_else(|| too_large(text));
        }
        let total = amount.value * size as f64;
        if total >= u64::MAX as f64 {
            return Err(too_large(text));
        }
        if total > 0.0 && total < 1.0 {
            return Err(QuantityError::new(format!("a size is at least one byte or zero, found {text:?}")));
        }
        Ok(Bytes(total.round_ties_even() as u64))
    }
}

fn too_large(text: &str) -> QuantityError {
    QuantityError::new(format!("a size is at most 16777215TiB, found {text:?}"))
}

impl fmt::Display for Bytes {
    /// As a whole number of the largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut units = SIZES.iter().zip(Bytes::UNITS).rev();
        let fits = |size: u64| size == 1 || (self.0 > 0 && self.0.is_multiple_of(size));
        let (size, unit) = units.find(|(size, _)| fits(**size)).expect("one byte always fits");
        write!(f, "{}{unit}", self.0 / size)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Bytes, D::Error> {
        super::deserialize(deserializer)
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Bytes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Bytes".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a size: a number and B, KB, MB, GB, TB or KiB, MiB, GiB, TiB",
            "pattern": r"^\s*[0-9.]+([eE][+-]?[0-9]+)?\s*(B|[kKMGT]B|[KMGT]iB)\s*$",
            "examples": ["4GiB", "10KB"],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::refusal;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_families_are_read() {
        for (text, bytes) in [
            ("4GiB", 4 << 30),
            ("10KB", 10_000),
            ("10kB", 10_000),
            ("1.5 KiB", 1536),
            ("0B", 0),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(text.parse(), Ok(Bytes(bytes)));
        }
    }

    #[test]
    fn each_refusal_gives_its_reason() {
        for (text, message) in [
            ("512", r#"a size needs a unit: "512MiB""#),
            ("4gib", r#"expected a size such as "512MiB", found "4gib"; did you mean "4GiB"?"#),
            ("4 cores", r#"expected a size such as "512MiB", found "4 cores""#),
            ("-1GiB", r#"a size must not be negative, found "-1GiB""#),
            ("0.1B", r#"a size is at least one byte or zero, found "0.1B""#),
            ("16777216TiB", r#"a size is at most 16777215TiB, found "16777216TiB""#),
            ("1e40KB", r#"a size is at most 16777215TiB, found "1e40KB""#),
        ] {
            assert_eq!(refusal::<Bytes>(text), message);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(bytes: u64, round in 0_u64..5_000) {
            for bytes in [Bytes(bytes), Bytes(round << 20), Bytes(round * 1_000)] {
                prop_assert_eq!(bytes.to_string().parse(), Ok(bytes));
            }
        }
    }
}
