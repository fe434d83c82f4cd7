//! `Vary`: a key and the values that it takes in turn: `web.count=1,2,4`, `users.rate=50/s..2000/s:12`.

use std::str::FromStr;

/// Greatest number of values of one key.
pub const VALUES_MAX: usize = 1000;

/// Significant digits of the points between the ends of a range, few so that they are easy to read.
const DIGITS: usize = 4;

/// The greatest whole number up to which a floating-point number holds each of them: 2^53.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A key of a scenario and the values that it takes in turn, written as in overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vary {
    /// The key, as in `web.count`.
    pub key: String,
    /// Its values as text, all different.
    pub values: Vec<String>,
}

impl Vary {
    /// One override for each value, in order.
    pub fn overrides(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.values.iter().map(|value| (self.key.clone(), value.clone()))
    }
}

impl FromStr for Vary {
    type Err = String;

    /// Reads `KEY=A,B,C`, `KEY=FROM..TO` of whole numbers, `KEY=FROM..TO:N` for N points at equal distances, or
    /// `KEY=FROM..TO:log:N` at equal ratios. Both ends of a range have the same unit. The points between them are
    /// rounded to four digits, and to whole numbers if both ends are whole numbers without a unit and far enough
    /// apart.
    fn from_str(text: &str) -> Result<Vary, String> {
        let expected = "expected KEY=A,B,C or KEY=FROM..TO:N, as in users.rate=50/s..2000/s:12";
        let (key, values) = text.split_once('=').ok_or(expected)?;
        let (key, values) = (key.trim(), values.trim());
        if key.is_empty() || values.is_empty() {
            return Err(expected.into());
        }
        let parts = split_list(values);
        let mut found = Vec::new();
        for part in parts {
            match range_in(part) {
                Some((from, to)) => found.extend(range(from, to)?),
                None if part.is_empty() => return Err("a value is missing between two commas".into()),
                None => found.push(part.to_owned()),
            }
        }
        if found.len() > VALUES_MAX {
            return Err(format!("{} values of `{key}` are more than {VALUES_MAX}", found.len()));
        }
        if let Some(twice) = found.iter().enumerate().find(|(at, value)| found[..*at].contains(value)) {
            return Err(format!("`{key}` takes the value {} twice", twice.1));
        }
        Ok(Vary { key: key.to_owned(), values: found })
    }
}

impl std::fmt::Display for Vary {
    /// Writes the axis so that reading it gives the same values: as a range if they are those of one, else as a list.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.values.len();
        if let (3.., [first, .., last]) = (count, &self.values[..]) {
            for tail in ["", &format!(":{count}"), &format!(":log:{count}")] {
                let range = format!("{}={first}..{last}{tail}", self.key);
                if range.parse().as_ref() == Ok(self) {
                    return out.write_str(&range);
                }
            }
        }
        write!(out, "{}={}", self.key, self.values.join(","))
    }
}

/// The parts between the commas, without commas inside quotes or brackets.
fn split_list(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut depth, mut quote) = (0, 0_i32, None);
    for (at, found) in text.char_indices() {
        match (quote, found) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(found),
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth -= 1,
            (None, ',') if depth <= 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// Both ends of a range such as `1..8`; `None` if it is not a range or stands in quotes or brackets.
fn range_in(part: &str) -> Option<(&str, &str)> {
    if part.starts_with(['"', '\'', '[', '{']) {
        return None;
    }
    part.split_once("..")
}

/// One end of a range: "50/s" is 50 and "/s".
struct End<'a> {
    digits: &'a str,
    value: f64,
    unit: &'a str,
}

impl<'a> End<'a> {
    fn of(text: &'a str) -> Result<End<'a>, String> {
        let text = text.trim();
        let is_digit = |found: char| found.is_ascii_digit() || matches!(found, '.' | '-' | '+' | '_');
        let end = text.find(|found| !is_digit(found)).unwrap_or(text.len());
        let (digits, unit) = text.split_at(end);
        let value: Result<f64, _> = digits.replace('_', "").parse();
        match value {
            Ok(value) => Ok(End { digits, value, unit: unit.trim() }),
            Err(_) => Err(format!("a range goes from number to number, and `{text}` is not a number")),
        }
    }

    fn is_whole(&self) -> bool {
        self.unit.is_empty() && !self.digits.contains('.')
    }

    fn text(&self) -> String {
        format!("{}{}", self.digits, self.unit)
    }
}

/// All points of a range. The ends are kept as written.
fn range(from: &str, to: &str) -> Result<Vec<String>, String> {
    let (to, steps) = to.split_once(':').map_or((to, None), |(to, steps)| (to, Some(steps.trim())));
    let (from, to) = (End::of(from)?, End::of(to)?);
    let (first, last) = (from.text(), to.text());
    if from.unit != to.unit {
        return Err(format!("both ends of the range {first}..{last} must have the same unit"));
    }
    if from.value >= to.value {
        return Err(format!("the range {first}..{last} must rise"));
    }
    let is_log = steps.is_some_and(|steps| steps.starts_with("log"));
    if is_log && from.value <= 0.0 {
        return Err(format!("equal ratios need a range above 0, and {first} is not"));
    }
    if [&from, &to].iter().any(|end| end.is_whole() && end.value.abs() > WHOLE_MAX) {
        return Err(format!(
            "whole numbers of a range lie within 2^53 of 0, unlike those of {first}..{last}: list them"
        ));
    }
    let span = to.value - from.value;
    let points = match steps.map(|steps| steps.strip_prefix("log:").unwrap_or(steps)) {
        None if from.is_whole() && to.is_whole() && span < VALUES_MAX as f64 => span as usize + 1,
        None => return Err(format!("say how many points, as in {first}..{last}:10")),
        Some(points) => count(points)?,
    };
    let is_whole = from.is_whole() && to.is_whole() && span >= (points - 1) as f64;
    let mut values = vec![first];
    for point in 1..points - 1 {
        let share = point as f64 / (points - 1) as f64;
        let value = if is_log {
            from.value * libm::pow(to.value / from.value, share)
        } else {
            from.value + span * share
        };
        let value = if is_whole { libm::round(value) } else { rounded(value) };
        let text = format!("{value}{}", from.unit);
        // Rounding can make neighbours equal: 1, 1.4, 2 become 1, 1, 2. Keep one of them.
        if values.last() != Some(&text) && text != last {
            values.push(text);
        }
    }
    values.push(last);
    Ok(values)
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(points) if (2..=VALUES_MAX).contains(&points) => Ok(points),
        Ok(points) => Err(format!("a range has from 2 to {VALUES_MAX} points, not {points}")),
        Err(_) => {
            Err(format!("expected FROM..TO:N or FROM..TO:log:N with a number of points, found `{text}`"))
        }
    }
}

/// The value to four significant digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.*e}", DIGITS - 1).parse().expect("a number that was printed can be read")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<String> {
        text.parse::<Vary>().unwrap_or_else(|error| panic!("{text}: {error}")).values
    }

    #[test]
    fn lists_are_taken_as_they_are() {
        assert_eq!(values("web.instance=m7i.large, m7i.xlarge"), ["m7i.large", "m7i.xlarge"]);
        assert_eq!(values("lb.targets=[\"a\",\"b\"],['c']"), ["[\"a\",\"b\"]", "['c']"]);
        assert_eq!(values("web.count=1,2,4..6"), ["1", "2", "4", "5", "6"]);
    }

    #[test]
    fn ranges_have_equal_distances_or_ratios() {
        assert_eq!(values("u.rate=50/s..200/s:4"), ["50/s", "100/s", "150/s", "200/s"]);
        assert_eq!(values("u.rate=10/s..1000/s:log:3"), ["10/s", "100/s", "1000/s"]);
        assert_eq!(values("u.timeout=1ms..2ms:4"), ["1ms", "1.333ms", "1.667ms", "2ms"]);
        assert_eq!(values("web.count=1..16:log:6"), ["1", "2", "3", "5", "9", "16"]);
        assert_eq!(values("web.sigma=0..1:3"), ["0", "0.5", "1"]);
        assert_eq!(values("web.count=1..4"), ["1", "2", "3", "4"]);
    }

    #[test]
    fn an_axis_is_written_as_short_as_it_can_be_read() {
        for text in [
            "u.rate=50/s..200/s:4",
            "u.rate=10/s..1000/s:log:3",
            "web.count=1..400",
            "web.count=1,2",
            "web.count=1,5,6",
            "web.policy=a,\"b,c\",d",
        ] {
            assert_eq!(text.parse::<Vary>().unwrap().to_string(), text);
        }
        assert_eq!("web.count=1,2,3".parse::<Vary>().unwrap().to_string(), "web.count=1..3");
    }

    #[test]
    fn what_is_no_range_says_why() {
        for (text, words) in [
            ("web.count", "expected KEY=A,B,C"),
            ("=1", "expected KEY=A,B,C"),
            ("web.count=", "expected KEY=A,B,C"),
            ("web.count=1,,2", "missing"),
            ("web.count=1,1", "twice"),
            ("u.rate=1/s..2/min:3", "same unit"),
            ("web.count=8..1", "must rise"),
            ("web.count=1..1", "must rise"),
            ("u.rate=1/s..2/s", "say how many points"),
            ("u.rate=1/s..2/s:1", "from 2 to 1000"),
            ("u.rate=1/s..2/s:x", "number of points"),
            ("u.rate=0/s..2/s:log:4", "above 0"),
            ("web.count=a..b", "number to number"),
            ("web.count=1..100000000", "say how many points"),
            ("run.seed=9007199254740993..9007199254740999", "within 2^53"),
            ("run.seed=0..18446744073709551615:4", "within 2^53"),
            ("web.count=-9e999..1:3", "must have the same unit"),
        ] {
            let error = text.parse::<Vary>().expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
