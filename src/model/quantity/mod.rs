//! The quantities of scenario files ("5ms", "4GiB", "200/s", "30%"): how their text is read, printed and described.

mod bytes;
mod dist;
mod duration;
mod rate;
mod share;

use std::error::Error;
use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};

pub use bytes::Bytes;
pub use dist::Dist;
pub use duration::Duration;
pub use rate::Rate;
pub use share::Share;

/// The reason why a text is not the expected quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityError {
    /// The reason: one line, lower case, without a full stop.
    pub message: String,
    /// A suggestion: `did you mean "50%"?`.
    pub help: Option<String>,
}

impl QuantityError {
    fn new(message: impl Into<String>) -> QuantityError {
        QuantityError { message: message.into(), help: None }
    }

    fn did_you_mean(self, text: &str) -> QuantityError {
        QuantityError { help: Some(format!("did you mean \"{text}\"?")), ..self }
    }
}

impl Display for QuantityError {
    /// Message and help on one line, separated by "; ".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

impl Error for QuantityError {}

/// A quantity that a scenario file writes as text: a number and its unit.
trait Quantity: FromStr<Err = QuantityError> {
    /// Its name, with the article: "a duration".
    const NOUN: &'static str;
    /// A valid example: "5ms".
    const EXAMPLE: &'static str;
    /// The units that it accepts, smallest first.
    const UNITS: &'static [&'static str];
    /// The units to suggest for a number without a unit.
    const USUAL_UNITS: &'static [&'static str];

    /// Reads a number without quotes. Most quantities refuse it, because it has no unit.
    fn from_number(number: f64) -> Result<Self, QuantityError> {
        check_sign_and_size::<Self>(number)?;
        Err(needs_unit::<Self>(&number.to_string()))
    }
}

/// A number and the text after it. The number is a decimal literal without a sign, such as `1.5` or `2e3`.
struct Amount<'t> {
    digits: &'t str,
    value: f64,
    unit: &'t str,
}

/// Splits "1.5 ms" into its number and its unit, which may be empty.
fn split<Q: Quantity>(text: &str) -> Result<Amount<'_>, QuantityError> {
    let trimmed = text.trim();
    let (digits, unit) = trimmed.split_at(number_length(trimmed));
    match digits.parse::<f64>() {
        Ok(value) => {
            check_sign_and_size::<Q>(value)?;
            // The digits may round to zero although the number is not zero.
            let mantissa = digits.split(['e', 'E']).next().unwrap_or_default();
            let vanished = value == 0.0 && mantissa.contains(|c| matches!(c, '1'..='9'));
            let value = if vanished { f64::MIN_POSITIVE } else { value };
            Ok(Amount { digits, value, unit: unit.trim_start() })
        }
        // A text that starts with a sign or a word may still be a number that Rust accepts and we refuse: -5, nan, inf.
        Err(_) => Err(refused_number::<Q>(trimmed).unwrap_or_else(|| unexpected::<Q>(text))),
    }
}

/// Length in bytes of the decimal literal at the start of `text`: digits, a point, and an exponent if it is complete.
fn number_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let run =
        |from: usize, accept: fn(&u8) -> bool| from + bytes[from..].iter().take_while(|b| accept(b)).count();
    let mantissa = run(0, |b| b.is_ascii_digit() || *b == b'.');
    if mantissa == 0 || !matches!(bytes.get(mantissa), Some(b'e' | b'E')) {
        return mantissa;
    }
    let sign = usize::from(matches!(bytes.get(mantissa + 1), Some(b'+' | b'-')));
    let exponent = mantissa + 1 + sign;
    let end = run(exponent.min(bytes.len()), u8::is_ascii_digit);
    if end > exponent { end } else { mantissa }
}

/// The reason for refusing a signed or infinite number, or NaN, at the start of `text`; `None` if there is no such
/// number.
fn refused_number<Q: Quantity>(text: &str) -> Option<QuantityError> {
    let bare = text.trim_start_matches(['+', '-']);
    let word = bare.get(..3).map(str::to_ascii_lowercase);
    if matches!(word.as_deref(), Some("nan" | "inf")) {
        return Some(QuantityError::new(format!("{} must be finite, found {text:?}", Q::NOUN)));
    }
    let negative = text.starts_with('-') && number_length(bare) > 0;
    negative.then(|| QuantityError::new(format!("{} must not be negative, found {text:?}", Q::NOUN)))
}

/// Refuses NaN, infinities and negative numbers, including minus zero: they can only be mistakes.
fn check_sign_and_size<Q: Quantity>(number: f64) -> Result<(), QuantityError> {
    if !number.is_finite() {
        return Err(QuantityError::new(format!("{} must be finite, found {number}", Q::NOUN)));
    }
    if number.is_sign_negative() {
        return Err(QuantityError::new(format!("{} must not be negative, found {number}", Q::NOUN)));
    }
    Ok(())
}

fn needs_unit<Q: Quantity>(digits: &str) -> QuantityError {
    let examples: Vec<String> = Q::USUAL_UNITS.iter().map(|unit| format!("\"{digits}{unit}\"")).collect();
    QuantityError::new(format!("{} needs a unit: {}", Q::NOUN, examples.join(" or ")))
}

/// The error for a text that is not such a quantity.
fn unexpected<Q: Quantity>(text: &str) -> QuantityError {
    QuantityError::new(format!("expected {} such as {:?}, found {text:?}", Q::NOUN, Q::EXAMPLE))
}

/// The error for a missing or unknown unit. Suggests a known unit that looks similar.
fn wrong_unit<Q: Quantity>(text: &str, amount: &Amount<'_>) -> QuantityError {
    if amount.unit.is_empty() {
        return needs_unit::<Q>(amount.digits);
    }
    let error = unexpected::<Q>(text);
    match nearest(amount.unit, Q::UNITS) {
        Some(unit) => error.did_you_mean(&format!("{}{unit}", amount.digits)),
        None => error,
    }
}

/// The known word that is most similar to `word`, ignoring case; `None` if no word is similar.
pub(crate) fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    let similarity = |other: &str| strsim::jaro_winkler(&word, &other.to_lowercase());
    let best = known.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)))?;
    (similarity(best) > 0.7).then_some(best)
}

/// Reads a quantity from text. A number without quotes is given to [`Quantity::from_number`].
fn deserialize<'de, Q: Quantity, D: Deserializer<'de>>(deserializer: D) -> Result<Q, D::Error> {
    deserializer.deserialize_any(QuantityVisitor(PhantomData))
}

struct QuantityVisitor<Q>(PhantomData<Q>);

impl<Q: Quantity> Visitor<'_> for QuantityVisitor<Q> {
    type Value = Q;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} such as {:?}", Q::NOUN, Q::EXAMPLE)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Q, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Q, E> {
        self.visit_f64(number as f64)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Q, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Q, E> {
        Q::from_number(number).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The message of the error for `text` as a `Q`.
    pub(super) fn refusal<Q: FromStr<Err = QuantityError> + fmt::Debug>(text: &str) -> String {
        text.parse::<Q>().expect_err(text).to_string()
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC*", number in "[-+0-9.eE]{0,12}", tail in "[a-zA-Zµ/% ]{0,5}") {
            for text in [text, format!("{number}{tail}")] {
                let _ = (text.parse::<Duration>(), text.parse::<Bytes>());
                let _ = (text.parse::<Rate>(), text.parse::<Share>(), text.parse::<Dist>());
            }
        }
    }
}
