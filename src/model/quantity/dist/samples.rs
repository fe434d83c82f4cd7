//! The samples of a file: durations, or numbers with the unit that the scenario or the header says.

use crate::kernel::time::SimDuration;
use crate::model::columns::{Columns, Pick, cut};

use super::super::{Duration, Quantity};

/// The units that a header may write out.
const WORDS: [(&str, &str); 6] = [
    ("milliseconds", "ms"),
    ("millis", "ms"),
    ("microseconds", "us"),
    ("nanoseconds", "ns"),
    ("seconds", "s"),
    ("sec", "s"),
];

/// The mean of numbers without a unit from which on seconds are doubtful, seconds.
const DOUBTFUL_S: f64 = 1.0;

/// Reads the samples of a column, and says when their unit is doubtful.
pub(super) fn read(
    file: &str,
    text: &str,
    (column, unit): (Option<&str>, Option<&str>),
) -> Result<(Vec<SimDuration>, Option<String>), String> {
    let columns = Columns::read(text).map_err(|message| format!("{file:?}: {message}"))?;
    let column = match column {
        Some(name) => {
            let pick = name.parse().map_or(Pick::Named(name), Pick::Number);
            columns.find(pick).map_err(|message| format!("{file:?} has no column `{name}`: {message}"))?
        }
        None if columns.width() == 1 => 0,
        None => {
            let name = columns.header.as_ref().map_or("1", |names| names[0]);
            let width = columns.width();
            return Err(format!("{file:?} has {width} columns: say which, such as column = {name:?}"));
        }
    };
    let known = unit.map(str::to_owned).or_else(|| of_name(&columns.name(column)));
    let mut bare = 0;
    let read = |(line, field): (usize, &str)| {
        let wrong = |reason: &str| format!("line {line} of {file:?}: {reason}");
        match columns.number(field) {
            Some(number) if number >= 0.0 => {
                bare += 1;
                let text = format!("{number}{}", known.as_deref().unwrap_or("s"));
                text.parse::<Duration>().map(|time| time.0).map_err(|reason| wrong(&reason.message))
            }
            _ => field
                .parse::<Duration>()
                .map(|time| time.0)
                .map_err(|reason| wrong(&cut_reason(&reason.message))),
        }
    };
    let samples: Vec<SimDuration> = columns.column(column).map(read).collect::<Result<_, _>>()?;
    let mean_s = samples.iter().map(|sample| sample.as_secs_f64()).sum::<f64>() / samples.len() as f64;
    let doubt = (known.is_none() && bare > 0 && mean_s >= DOUBTFUL_S).then(|| {
        format!(
            "numbers without a unit have been taken as seconds: their mean is {} s",
            cut(&mean_s.to_string())
        )
    });
    Ok((samples, doubt))
}

/// The unit that the name of a column ends with: `duration_ms`, `latency (us)`, `seconds`.
fn of_name(name: &str) -> Option<String> {
    let last = name.rsplit(|letter: char| !letter.is_alphabetic()).find(|word| !word.is_empty())?;
    let word = WORDS.iter().find(|(word, _)| *word == last).map(|(_, unit)| *unit);
    word.or_else(|| Duration::UNITS.iter().copied().find(|unit| *unit == last)).map(str::to_owned)
}

/// A reason that quotes a whole line is cut.
fn cut_reason(reason: &str) -> String {
    const LONGEST: usize = 120;
    reason.chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(text: &str, layout: (Option<&str>, Option<&str>)) -> Vec<u64> {
        let (samples, _) = read("x.csv", text, layout).expect(text);
        samples.iter().map(|sample| sample.as_nanos() / 1_000_000).collect()
    }

    #[test]
    fn the_unit_is_that_of_the_scenario_or_of_the_header() {
        for (text, layout) in [
            ("12\n13\n", (None, Some("ms"))),
            ("duration_ms\n12\n13\n", (None, None)),
            ("Latency (ms)\n12\n13\n", (None, None)),
            ("0.012\n0.013\n", (None, None)),
            ("time,response-time\n0,0.012\n1,0.013\n", (Some("response-time"), None)),
            ("0;0,012\n1;0,013\n", (Some("2"), None)),
        ] {
            assert_eq!(millis(text, layout), [12, 13], "{text}");
        }
    }

    #[test]
    fn numbers_that_may_be_milliseconds_are_doubted() {
        let doubt = |text: &str| read("x.csv", text, (None, None)).unwrap().1;
        assert!(doubt("12\n13\n").unwrap().contains("their mean is 12.5 s"));
        assert_eq!(doubt("0.012\n"), None);
        assert_eq!(doubt("12s\n"), None);
        assert_eq!(doubt("seconds\n12\n"), None);
    }
}
