//! Arithmetic of exercises: `writes * every / 2`, `1 - exp(-23.9 * 1.3ms)`, `twice / once > 4`.
//!
//! Names are parameters and measured values. A number may have a unit: times are kept in seconds, shares as 0 to 1.

use crate::model::quantity::{Duration, Rate};

/// A function of one value, and its name.
type Function = (&'static str, fn(f64) -> f64);

const FUNCTIONS: [Function; 4] =
    [("exp", libm::exp), ("ln", libm::log), ("sqrt", libm::sqrt), ("ceil", f64::ceil)];

/// Greatest depth of brackets.
const DEPTH_MAX: u32 = 50;

/// The value of a formula. `value_of` knows the names.
///
/// # Errors
/// What is wrong with it: a clause without a full stop.
pub fn value(text: &str, value_of: &dyn Fn(&str) -> Option<f64>) -> Result<f64, String> {
    let mut reader = Reader { rest: text, value_of, depth: 0 };
    let value = reader.sum()?;
    reader.end()?;
    if value.is_finite() { Ok(value) } else { Err(format!("`{text}` is {value}")) }
}

/// Whether a comparison of two formulas holds: `twice > 4 * once`.
///
/// # Errors
/// What is wrong with it.
pub fn holds(text: &str, value_of: &dyn Fn(&str) -> Option<f64>) -> Result<bool, String> {
    let at = text.find(['<', '>']).ok_or_else(|| format!("`{text}` compares nothing: expected < or >"))?;
    let [left, right] = [&text[..at], &text[at + 1..]].map(|side| value(side, value_of));
    Ok(if text.as_bytes()[at] == b'<' { left? < right? } else { left? > right? })
}

/// The value of a quantity: "2s" is 2, "66%" is 0.66, "5/s" is 5, "12" is 12; `None` if the text is none.
#[must_use]
pub fn quantity(text: &str) -> Option<f64> {
    let text = text.trim();
    let plain = |text: &str| text.trim_end().parse::<f64>().ok().filter(|value| value.is_finite());
    let number = || plain(text);
    let time = || text.parse::<Duration>().ok().map(|time| time.0.as_secs_f64());
    // An answer may well say 140 %, which no key of a scenario may be.
    let share = || text.strip_suffix('%').and_then(plain).map(|hundredths| hundredths / 100.0);
    let rate = || text.contains('/').then(|| text.parse::<Rate>().ok().map(|rate| rate.0)).flatten();
    number().or_else(time).or_else(share).or_else(rate)
}

struct Reader<'a> {
    rest: &'a str,
    value_of: &'a dyn Fn(&str) -> Option<f64>,
    depth: u32,
}

impl Reader<'_> {
    fn end(&self) -> Result<(), String> {
        let rest = self.rest.trim();
        if rest.is_empty() { Ok(()) } else { Err(format!("expected the end of the formula, found `{rest}`")) }
    }

    fn passes(&mut self, sign: char) -> bool {
        let rest = self.rest.trim_start().strip_prefix(sign);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn sum(&mut self) -> Result<f64, String> {
        let mut sum = self.product()?;
        loop {
            if self.passes('+') {
                sum += self.product()?;
            } else if self.passes('-') {
                sum -= self.product()?;
            } else {
                return Ok(sum);
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut product = self.power()?;
        loop {
            if self.passes('*') {
                product *= self.power()?;
            } else if self.passes('/') {
                product /= self.power()?;
            } else {
                return Ok(product);
            }
        }
    }

    fn power(&mut self) -> Result<f64, String> {
        if self.passes('-') {
            return Ok(-self.nested(Reader::power)?);
        }
        let base = self.term()?;
        if self.passes('^') { Ok(libm::pow(base, self.nested(Reader::power)?)) } else { Ok(base) }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<f64, String>) -> Result<f64, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("the formula is more than {DEPTH_MAX} levels deep"));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn bracket(&mut self) -> Result<f64, String> {
        let value = self.nested(Reader::sum)?;
        if self.passes(')') { Ok(value) } else { Err("a bracket is not closed".into()) }
    }

    fn term(&mut self) -> Result<f64, String> {
        if self.passes('(') {
            return self.bracket();
        }
        self.rest = self.rest.trim_start();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '%');
        let length = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(length);
        if word.is_empty() {
            let found = if rest.is_empty() { "the end".into() } else { format!("`{rest}`") };
            return Err(format!("expected a number or a name, found {found}"));
        }
        self.rest = rest;
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            return quantity(word).ok_or_else(|| format!("`{word}` is not a number"));
        }
        if let Some((_, function)) = FUNCTIONS.iter().find(|(name, _)| *name == word) {
            return if self.passes('(') {
                Ok(function(self.bracket()?))
            } else {
                Err(format!("{word} needs brackets"))
            };
        }
        (self.value_of)(word).ok_or_else(|| format!("unknown name `{word}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<f64, String> {
        value(text, &|name| (name == "every").then_some(4.0))
    }

    #[test]
    fn operators_bind_as_in_school() {
        for (text, expected) in [
            ("23.9 * every / 2", 47.8),
            ("1 - 2 - 3", -4.0),
            ("2 + 3 * 2 ^ 2 ^ 0", 8.0),
            ("-2 ^ 2", -4.0),
            ("(1 + 2) * 20ms", 0.06),
            ("1 - exp(-ln(2))", 0.5),
            ("50% + 1min", 60.5),
            ("ceil(sqrt(5))", 3.0),
        ] {
            let found = of(text).unwrap();
            assert!((found - expected).abs() < 1e-12, "{text}: {found}");
        }
        assert_eq!(holds("every > 3", &|_| Some(4.0)), Ok(true));
        assert_eq!(holds("every < 3", &|_| Some(4.0)), Ok(false));
    }

    #[test]
    fn what_is_no_formula_is_told() {
        for (text, expected) in [
            ("often / 2", "unknown name `often`"),
            ("2 *", "expected a number or a name, found the end"),
            ("(2", "a bracket is not closed"),
            ("2 2", "expected the end of the formula, found `2`"),
            ("3parsecs", "`3parsecs` is not a number"),
            ("1 / 0", "`1 / 0` is inf"),
            ("exp 2", "exp needs brackets"),
        ] {
            assert_eq!(of(text).unwrap_err(), expected);
        }
        assert!(of(&"(".repeat(100_000)).unwrap_err().contains("levels deep"));
        assert!(holds("1 + 1", &|_| None).unwrap_err().contains("compares nothing"));
    }

    #[test]
    fn quantities_have_units() {
        let found = ["2s", "140 %", "5/s", "12", "1.5min", "parsec", "inf", ""].map(quantity);
        let expected = [Some(2.0), Some(1.4), Some(5.0), Some(12.0), Some(90.0), None, None, None];
        assert_eq!(found, expected);
    }
}
