//! Times as measurements write them: seconds from the start, an epoch of any unit, or a date by ISO 8601.

use super::columns::{Columns, cut};
use crate::kernel::date::days;

/// Seconds of a day.
pub const DAY_S: f64 = 86_400.0;

/// Seconds beyond which a number is no time within a trial: an epoch, or a typing error. Thirty years.
const EPOCH_FROM: f64 = 1e9;

/// The epochs of 2001 to 2096 in each unit, with the unit in seconds.
const EPOCHS: [(f64, f64, f64); 4] =
    [(1e9, 4e9, 1.0), (1e12, 4e12, 1e-3), (1e15, 4e15, 1e-6), (1e18, 4e18, 1e-9)];

/// How the times of a file count, by its first line.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Clock {
    /// Seconds from the start of the trial.
    Start,
    /// Numbers from a date: the first one, and the unit in seconds.
    Epoch(f64, f64),
    /// Dates: the first one in seconds.
    Dates(f64),
}

/// The times of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Times {
    /// Those of the lines in seconds, in the order of the lines.
    pub seconds: Vec<f64>,
    /// The moment at which they begin, if the file has dates or epochs, or a comment `# begin: DATE`.
    pub begin: Option<Begin>,
}

/// A moment in the history of the world.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Begin {
    /// Seconds since 1970, UTC.
    pub epoch_s: f64,
    /// Seconds by which the clocks of the file are ahead of UTC, as its first line says.
    pub ahead_s: f64,
}

/// The times of a column. Dates and epochs count from the earliest line.
pub fn times(columns: &Columns<'_>, column: usize) -> Result<Times, String> {
    let (_, first) = columns.column(column).next().unwrap_or((0, ""));
    let clock = clock(columns, first)?;
    let read = |(number, field): (usize, &str)| {
        let seconds = match clock {
            Clock::Start => columns.number(field).filter(|seconds| (0.0..EPOCH_FROM).contains(seconds)),
            // The difference of two close numbers is exact.
            Clock::Epoch(first, unit) => columns.number(field).map(|number| (number - first) * unit),
            Clock::Dates(first) => date(field).map(|(seconds, _)| seconds - first),
        };
        seconds.ok_or_else(|| wrong(number, field))
    };
    let mut seconds = columns.column(column).map(read).collect::<Result<Vec<f64>, String>>()?;
    let first_s = match clock {
        Clock::Start => {
            let begin = columns.note("begin").and_then(date);
            let begin = begin.map(|(epoch_s, ahead_s)| Begin { epoch_s, ahead_s });
            return Ok(Times { seconds, begin });
        }
        Clock::Epoch(first, unit) => first * unit,
        Clock::Dates(first) => first,
    };
    let least = seconds.iter().copied().fold(f64::INFINITY, f64::min);
    seconds.iter_mut().for_each(|time| *time -= least);
    if let Some(late) = seconds.iter().find(|time| **time >= EPOCH_FROM) {
        return Err(format!("between its earliest and its latest line lie {late} s"));
    }
    let ahead_s = date(first).map_or(0.0, |(_, ahead_s)| ahead_s);
    Ok(Times { seconds, begin: Some(Begin { epoch_s: first_s + least, ahead_s }) })
}

/// What the first line says about all times.
fn clock(columns: &Columns<'_>, first: &str) -> Result<Clock, String> {
    let Some(number) = columns.number(first) else {
        return Ok(date(first).map_or(Clock::Start, |(seconds, _)| Clock::Dates(seconds)));
    };
    if number < EPOCH_FROM {
        return Ok(Clock::Start);
    }
    let fits = |(least, most, _): &&(f64, f64, f64)| (*least..*most).contains(&number);
    match EPOCHS.iter().find(fits) {
        Some((_, _, unit)) => Ok(Clock::Epoch(number, *unit)),
        None => {
            let first = cut(first);
            Err(format!("`{first}` is neither a time within a trial, below {EPOCH_FROM} s, nor an epoch"))
        }
    }
}

/// The most frequent of some distances; `None` without any.
#[must_use]
pub fn frequent(mut distances: Vec<f64>) -> Option<f64> {
    distances.sort_by(f64::total_cmp);
    let mut most: Option<&[f64]> = None;
    for same in distances.chunk_by(|a, b| (b - a).abs() < 1e-9 * b.max(1.0)) {
        if most.is_none_or(|most| same.len() > most.len()) {
            most = Some(same);
        }
    }
    most.map(|same| same[0])
}

fn wrong(line: usize, field: &str) -> String {
    format!(
        "line {line}: expected seconds from the start, an epoch or a date such as 2026-11-29T13:23:08Z, found `{}`",
        cut(field)
    )
}

/// The seconds since 1970 of a date by ISO 8601, and those by which its zone is ahead of UTC: `2017-08-04T13:23:08.5Z`, with a
/// blank for the T, with a zone such as `+09:00`, or with none, which means UTC.
pub fn date(text: &str) -> Option<(f64, f64)> {
    let (day, rest) = text.split_once(['T', ' '])?;
    let mut day = day.splitn(3, '-').map(whole);
    let (year, month, day) = (day.next()??, day.next()??, day.next()??);
    let (clock, zone_s) = zone(rest)?;
    let sound = (1..=12).contains(&month) && (1..=31).contains(&day);
    let seconds = days(year, month, day) as f64 * DAY_S + time_of_day(clock)?;
    sound.then_some((seconds - zone_s, zone_s))
}

/// The seconds since midnight of a clock time: `18:00`, `18:00:05.5`.
pub fn time_of_day(text: &str) -> Option<f64> {
    let mut parts = text.splitn(3, ':');
    let (hour, minute) = (whole(parts.next()?)?, whole(parts.next()?)?);
    let second: f64 = parts.next().map_or(Some(0.0), |second| second.replace(',', ".").parse().ok())?;
    let sound = hour < 24 && minute < 60 && (0.0..61.0).contains(&second);
    sound.then_some((hour * 3600 + minute * 60) as f64 + second)
}

/// The clock without its zone, and the seconds by which the zone is ahead of UTC.
fn zone(text: &str) -> Option<(&str, f64)> {
    if let Some(clock) = text.strip_suffix(['Z', 'z']) {
        return Some((clock, 0.0));
    }
    let Some(at) = text.find(['+', '-']) else { return Some((text, 0.0)) };
    let (clock, zone) = text.split_at(at);
    let digits: String = zone[1..].chars().filter(|letter| *letter != ':').collect();
    let number = whole(&digits).filter(|_| matches!(digits.len(), 2 | 4))?;
    let (hours, minutes) = if digits.len() == 2 { (number, 0) } else { (number / 100, number % 100) };
    let ahead = (hours * 3600 + minutes * 60) as f64;
    Some((clock, if zone.starts_with('-') { -ahead } else { ahead }))
}

fn whole(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 4 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<f64>, String> {
        times(&Columns::read(text)?, 0).map(|times| times.seconds)
    }

    #[test]
    fn dates_and_epochs_count_from_the_first() {
        assert_eq!(date("1970-01-02T00:00:01Z"), Some((86_401.0, 0.0)));
        assert_eq!(date("2017-08-04T13:23:08+09:00"), Some((1_501_820_588.0, 32_400.0)));
        assert_eq!(date("2000-02-29 12:00"), Some((951_825_600.0, 0.0)));
        for text in [
            "1700000000.0\n1700000001.5",
            "1700000000000\n1700000001500",
            "1700000000000000\n1700000001500000",
            "2017-08-04T13:23:08Z\n2017-08-04T13:23:09.5Z",
            "2017-08-04 13:23:08\n2017-08-04 13:23:09.5",
        ] {
            assert_eq!(read(text), Ok(vec![0.0, 1.5]), "{text}");
        }
        assert_eq!(read("5\n7.5"), Ok(vec![5.0, 7.5]));
    }

    #[test]
    fn what_is_no_time_names_its_line() {
        for (text, line) in [("0.5s\n1", 1), ("-0.5\n1", 1), ("1\n2017-08-04T13:23:08Z", 2), ("0\n1e9", 2)] {
            let message = read(text).unwrap_err();
            assert!(message.starts_with(&format!("line {line}: ")), "{message}");
        }
        assert!(read("1e10\n2e10").is_err_and(|message| message.contains("nor an epoch")));
        let access_log = "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 2326";
        assert!(read(access_log).is_err_and(|message| message.len() < 160));
    }
}
