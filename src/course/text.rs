//! The words of an exercise in each language, with places for its numbers, so that a number exists once.
//!
//! `{every}` is a parameter as the exercise gives it, or a measured value. `{= 23.9 * every / 2 | count}` is computed.

use std::collections::BTreeMap;

use super::formula;
pub use crate::report::lang::Lang;
use crate::report::number::{estimate, number, share, time_beside, time_ms};

/// What a number of an exercise is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// A time, in seconds.
    Time,
    /// A share, 0 to 1.
    Share,
    /// Events a second.
    Rate,
    /// A plain number.
    Count,
    /// Dollars.
    Usd,
    /// The ratio of two figures.
    Factor,
}

impl Unit {
    /// The number as text: "9.62 ± 0.04 s", "66.2 ± 1.7 %", "x7.8".
    #[must_use]
    pub fn shown(self, mean: f64, half_width: Option<f64>) -> String {
        match self {
            Unit::Time if mean.abs() >= 1.0 => time_beside("s", mean, half_width),
            Unit::Time => time_ms(mean * 1e3, half_width.map(|half| half * 1e3)),
            Unit::Share => share(mean, half_width),
            Unit::Rate => format!("{}/s", estimate(mean, half_width)),
            Unit::Count => estimate(mean, half_width),
            Unit::Usd => format!("USD {}", estimate(mean, half_width)),
            Unit::Factor => format!("x{}", estimate(mean, half_width)),
        }
    }

    /// How an answer in this unit may be written, for messages.
    #[must_use]
    pub const fn examples(self) -> &'static str {
        match self {
            Unit::Time => "9.5s, 20ms, 2min",
            Unit::Share => "66%, 0.5%",
            Unit::Rate => "120/s, 300/min",
            Unit::Count => "12, 0.5",
            Unit::Usd => "0.4, $0.4",
            Unit::Factor => "x2, x7.5",
        }
    }

    /// The number that an answer in this unit says; `None` if it has another unit or none.
    #[must_use]
    pub fn read(self, answer: &str) -> Option<f64> {
        let answer = answer.trim();
        let plain = |text: &str| text.trim().parse::<f64>().ok().filter(|value| value.is_finite());
        let found = match self {
            Unit::Time => formula::quantity(answer).filter(|_| answer.ends_with(['s', 'n', 'h', 'd'])),
            Unit::Share => formula::quantity(answer).filter(|_| answer.ends_with('%')),
            Unit::Rate => formula::quantity(answer).filter(|_| answer.contains('/')),
            Unit::Count => plain(answer),
            Unit::Usd => plain(answer.strip_prefix('$').unwrap_or(answer)),
            Unit::Factor => {
                plain(answer.trim_start_matches(['x', 'X', '×']).trim_end_matches(['x', 'X', '×']))
            }
        };
        found.filter(|value| *value >= 0.0)
    }
}

/// A measured value: its mean, its half-width where it has an interval, and its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// The mean over trials.
    pub mean: f64,
    /// Half-width of its 95 % interval.
    pub half_width: Option<f64>,
    /// What it is.
    pub unit: Unit,
}

/// The numbers that a text may show.
#[derive(Clone, Debug, Default)]
pub struct Numbers<'a> {
    /// Parameters, as the exercise writes them.
    pub parameters: BTreeMap<&'a str, &'a str>,
    /// Measured values; empty before the run.
    pub values: BTreeMap<&'a str, Value>,
}

impl Numbers<'_> {
    /// The value of a name in a formula.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<f64> {
        let measured = || self.values.get(name).map(|value| value.mean);
        self.parameters.get(name).and_then(|text| formula::quantity(text)).or_else(measured)
    }

    /// The value of a formula.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn formula(&self, text: &str) -> Result<f64, String> {
        formula::value(text, &|name| self.value(name))
    }

    /// The half-width of a formula, from those of its values as if they were independent: the root of the sum of the squares of
    /// what each of them moves (propagation of error, Gauss). `None` where none of them has one.
    #[must_use]
    pub fn half_width(&self, text: &str) -> Option<f64> {
        let own = self.formula(text).ok()?;
        let moved = |(name, value): (&&str, &Value)| {
            let half = value.half_width?;
            let shifted = formula::value(text, &|other| match other == *name {
                true => Some(value.mean + half),
                false => self.value(other),
            });
            shifted.ok().map(|shifted| shifted - own)
        };
        let moves: Vec<f64> = self.values.iter().filter_map(moved).collect();
        let sum: f64 = moves.iter().map(|moved| moved * moved).sum();
        (sum > 0.0).then(|| sum.sqrt())
    }

    /// The text with its numbers in their places.
    ///
    /// # Errors
    /// The first place that cannot be filled, and why.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let is_korean = text.chars().any(|c| ('가'..='힣').contains(&c));
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            let end = rest[at..].find('}').ok_or("a `{` without its `}`")? + at;
            let place = self.place(rest[at + 1..end].trim())?;
            filled.push_str(&if is_korean { in_korean(&place) } else { place });
            rest = &rest[end + 1..];
        }
        Ok(filled + rest)
    }

    fn place(&self, inside: &str) -> Result<String, String> {
        if let Some(computed) = inside.strip_prefix('=') {
            let (text, unit) = computed.rsplit_once('|').ok_or_else(|| format!("`{inside}` has no unit"))?;
            let value = self.formula(text.trim())?;
            return match unit.trim() {
                "time" => Ok(Unit::Time.shown(value, None)),
                "share" => Ok(Unit::Share.shown(value, None)),
                "rate" => Ok(Unit::Rate.shown(value, None)),
                "count" => Ok(number(value)),
                "usd" => Ok(Unit::Usd.shown(value, None)),
                "factor" => Ok(number(value)),
                other => Err(format!("unknown unit `{other}`")),
            };
        }
        if let Some(text) = self.parameters.get(inside) {
            return Ok((*text).to_owned());
        }
        let value = self.values.get(inside).ok_or_else(|| format!("unknown name `{inside}`"))?;
        // Prose needs no interval: it stands beside the figures.
        Ok(value.unit.shown(value.mean, None))
    }
}

/// A parameter such as `2s` or `4min` as Korean prose has it; anything else as it is.
fn in_korean(place: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let as_unit = |unit, korean| {
        place.strip_suffix(unit).filter(|number| is_number(number)).map(|number| format!("{number}{korean}"))
    };
    as_unit("min", "분").or_else(|| as_unit("s", "초")).unwrap_or_else(|| place.to_owned())
}

/// Whether a text states a number outside of a place, so that nobody recomputes it. Code in backquotes may have any, and names such
/// as p99 and sections such as 1.4 too.
#[must_use]
pub fn stray_number(text: &str) -> Option<String> {
    let mut is_code = false;
    let mut is_place = false;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '`' => is_code = !is_code,
            '{' => is_place = true,
            '}' => is_place = false,
            _ if c.is_ascii_digit() && !is_code && !is_place => {
                let is_part = before.is_ascii_alphanumeric() || matches!(before, '.' | '/');
                if !is_part {
                    return Some(text[at..].chars().take(12).collect());
                }
            }
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> Numbers<'static> {
        let value = |mean, half| Value { mean, half_width: Some(half), unit: Unit::Count };
        Numbers {
            parameters: [("every", "2s")].into(),
            values: [("lost", value(24.5, 2.6)), ("sent", value(100.0, 0.0))].into(),
        }
    }

    #[test]
    fn places_are_filled() {
        let filled =
            numbers().fill("Every {every}: {lost}, of {= 23.9 * every / 2 | count}; {= every | time}");
        assert_eq!(filled.unwrap(), "Every 2s: 24.5, of 23.9; 2 s");
        for (text, expected) in [
            ("{lots}", "unknown name `lots`"),
            ("{= 1}", "`= 1` has no unit"),
            ("{", "a `{` without its `}`"),
        ] {
            assert_eq!(numbers().fill(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn the_interval_of_a_formula_comes_from_those_of_its_values() {
        assert!((numbers().half_width("2 * lost").unwrap() - 5.2).abs() < 1e-9);
        assert_eq!(numbers().half_width("every"), None);
    }

    #[test]
    fn answers_need_their_unit() {
        assert_eq!(Unit::Time.read("9.5s"), Some(9.5));
        assert_eq!(Unit::Time.read("9.5"), None);
        assert_eq!(Unit::Share.read("140%"), Some(1.4));
        assert_eq!(Unit::Share.read("0.5"), None);
        assert_eq!(Unit::Factor.read("x8"), Some(8.0));
        assert_eq!(Unit::Rate.read("120/s"), Some(120.0));
        assert_eq!(Unit::Count.read("-3"), None);
    }

    #[test]
    fn a_number_that_nobody_recomputes_is_found() {
        assert_eq!(stray_number("after 60 s").as_deref(), Some("60 s"));
        for fine in ["p99 of {lost}", "`--trials 3`", "M/M/1", "{= 3 | count} of them"] {
            assert_eq!(stray_number(fine), None, "{fine}");
        }
    }
}
