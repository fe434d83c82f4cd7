//! Lines of tables: their separator, their fields, and the numbers in them.

use crate::import::clock::Clock;

/// Number of lines from which the separator is told.
const LOOK_AT: usize = 100;

/// What a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Time,
    Words,
}

pub(super) fn kind(field: &str, separator: Option<char>, clock: &mut Clock) -> Kind {
    if number(field, separator).is_some() {
        Kind::Number
    } else if clock.any(field).is_some() {
        Kind::Time
    } else {
        Kind::Words
    }
}

/// Whether a line has data: it is not empty, no comment, and not Excel's line about its separator.
pub(super) fn is_data(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && !line.starts_with("sep=")
}

/// Whether a field may be the name of a column.
pub(super) fn is_name(field: &str) -> bool {
    field.chars().next().is_some_and(|letter| letter.is_alphabetic() || letter == '_')
        && field.contains(|letter: char| letter.is_alphabetic())
}

/// A number with a decimal comma as one with a point, where the comma is no separator.
pub(super) fn point(field: &str, separator: Option<char>) -> String {
    let comma_is_decimal = matches!(separator, Some(';' | '\t' | ' ')) && !field.contains(['-', '/', ':']);
    if comma_is_decimal { field.replacen(',', ".", 1) } else { field.to_owned() }
}

/// A number; one with a unit behind it, such as Grafana's `1.2 K` or `12.3 req/s`, too.
pub(super) fn number(field: &str, separator: Option<char>) -> Option<f64> {
    let text = point(field, separator);
    if let Ok(number) = text.parse::<f64>() {
        return Some(number).filter(|number| number.is_finite());
    }
    let unit = unit_of(&text)?;
    let number: f64 = text[..text.len() - unit.len()].trim().parse().ok()?;
    let scale = match unit.trim().split(' ').next().unwrap_or_default() {
        "K" => 1e3,
        "Mil" | "M" => 1e6,
        "Bil" => 1e9,
        _ if unit.contains("/s") || unit.contains("rps") => 1.0,
        _ => return None,
    };
    Some(number * scale)
}

/// What stands behind a number, with the blank before it.
pub(super) fn unit_of(field: &str) -> Option<&str> {
    let start = field.find(|letter: char| !(letter.is_ascii_digit() || letter == '.'))?;
    let unit = &field[start..];
    (start > 0 && unit.starts_with(' ')).then_some(unit)
}

/// How many of the unit that the name of a column of durations ends with are a second.
pub(super) fn unit_of_name(name: &str) -> Option<f64> {
    let ends = |words: &[&str]| words.iter().any(|word| name.ends_with(word));
    match name {
        _ if ends(&["_ms", "(ms)", "millis", "msec"]) => Some(1e3),
        _ if ends(&["_us", "(us)", "micros", "usec"]) => Some(1e6),
        _ if ends(&["_ns", "(ns)", "nanos"]) => Some(1e9),
        _ if ends(&["_s", "(s)", "seconds"]) => Some(1.0),
        _ => None,
    }
}

/// The fields of a line. A separator at its end makes no field; a separator in quotes separates nothing.
pub(super) fn fields(line: &str, separator: Option<char>) -> Vec<&str> {
    let Some(separator) = separator else { return vec![line.trim().trim_matches('"')] };
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if letter == separator && !quoted => {
                parts.push(&line[start..at]);
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    let last = &line[start..];
    if !last.is_empty() || parts.is_empty() {
        parts.push(last);
    }
    let trimmed = parts.into_iter().map(|part| part.trim().trim_matches('"'));
    trimmed.filter(|part| separator != ' ' || !part.is_empty()).collect()
}

/// The separator: the first that gives the same number of fields, above one, on all of the first lines.
pub(super) fn separator(lines: &[(u64, &str)]) -> Option<char> {
    let lines = &lines[..lines.len().min(LOOK_AT)];
    let is_date = |line: &str| fields(line, Some(' ')).get(1).is_some_and(|field| field.contains(':'));
    let has_dates = lines.iter().any(|(_, line)| is_date(line));
    let known = ['\t', ';', ',', ' '].into_iter().filter(|separator| *separator != ' ' || !has_dates);
    let counts = |separator: char| lines.iter().map(move |(_, line)| fields(line, Some(separator)).len());
    let same = |separator: &char| {
        let mut counts = counts(*separator);
        let first = counts.next().unwrap_or(0);
        first > 1 && counts.all(|count| count == first)
    };
    let most = |separator: &char| counts(*separator).filter(|count| *count > 1).count() * 2 > lines.len();
    known.clone().find(same).or_else(|| known.clone().find(most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_have_units_and_decimal_commas() {
        for (field, separator, expected) in [
            ("12.5", Some(','), Some(12.5)),
            ("12,5", Some(';'), Some(12.5)),
            ("1.2 K", Some(','), Some(1200.0)),
            ("12.3 req/s", Some(','), Some(12.3)),
            ("inf", Some(','), None),
            ("2024-01-01", Some(';'), None),
            ("", None, None),
        ] {
            assert_eq!(number(field, separator), expected, "{field}");
        }
    }

    #[test]
    fn fields_stand_between_separators() {
        assert_eq!(fields("\"a,b\",2,", Some(',')), ["a,b", "2"]);
        assert_eq!(fields("0.5  3 ", Some(' ')), ["0.5", "3"]);
        let told = |lines: &[&str]| separator(&(1..).zip(lines.iter().copied()).collect::<Vec<_>>());
        assert_eq!(told(&["0,5;1", "1;2"]), Some(';'));
        assert_eq!(told(&["2024-01-01 00:00:00,5"]), Some(','));
        assert_eq!(told(&["12.5"]), None);
    }
}
