//! Counts and rates over time, as monitoring keeps them, and plain moments.

pub mod azure;
mod cells;
pub mod json;
pub mod table;

use std::collections::BTreeSet;

use super::clock::{SECOND, shown};
use super::flaw::Flaw;

/// How a value counts requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The requests of a period.
    Count,
    /// Requests a second.
    Rate,
    /// All requests since a start: a counter.
    Counter,
}

/// What happens in a period that no line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gaps {
    /// Nobody asked.
    Zero,
    /// As in the period before.
    Hold,
    /// It is an error.
    Error,
}

/// A value of a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Nanoseconds since 1970, or since a start.
    pub at_ns: i64,
    /// The value.
    pub value: f64,
    /// The index of its class.
    pub class: u16,
    /// The line that it is from, 0 for none.
    pub line: u64,
}

/// What was read from files of counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// In the order of the file.
    pub rows: Vec<Row>,
    /// Names of classes; none for a load without classes.
    pub classes: Vec<String>,
    /// What the values are.
    pub meaning: Meaning,
    /// Whether the times count from 1970.
    pub dated: bool,
    /// Gaps that the source leaves where nobody asks.
    pub gaps: Gaps,
    /// What was concluded, a sentence each.
    pub notes: Vec<String>,
}

/// Moments of requests, ns, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    /// The moments.
    pub at_ns: Vec<i64>,
    /// Whether they count from 1970.
    pub dated: bool,
    /// What was concluded, a sentence each.
    pub notes: Vec<String>,
}

/// Counts in order, with all periods.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Length of a period, ns.
    pub period_ns: i64,
    /// The first period's start, ns.
    pub zero_ns: i64,
    /// For each period the values of the classes.
    pub values: Vec<Vec<f64>>,
    /// Whether the values are rates.
    pub is_rate: bool,
    /// What was concluded, a sentence each.
    pub notes: Vec<String>,
}

/// Longest series, periods.
const PERIODS_MAX: i64 = 10_000_000;

impl Counts {
    /// The counts of several files together.
    ///
    /// # Errors
    /// When they are not of the same kind.
    pub fn join(mut self, other: Counts) -> Result<Counts, String> {
        if self.meaning != other.meaning || self.dated != other.dated || self.classes != other.classes {
            return Err("the files are not of the same kind: import them one by one".into());
        }
        // The same line in two files counts once.
        let key = |row: &Row| (row.at_ns, row.class, row.value.to_bits());
        let known: BTreeSet<(i64, u16, u64)> = self.rows.iter().map(key).collect();
        self.rows.extend(other.rows.into_iter().filter(|row| !known.contains(&key(row))));
        self.notes.extend(other.notes);
        self.notes.dedup();
        Ok(self)
    }

    /// The counts by period: `every_ns` is the period if the user gave it.
    ///
    /// # Errors
    /// When the period cannot be told, two lines are about the same one, or one is missing.
    pub fn series(mut self, every_ns: Option<i64>, gaps: Option<Gaps>) -> Result<Series, Flaw> {
        let mut notes = std::mem::take(&mut self.notes);
        notes.extend(self.sort()?);
        if self.meaning == Meaning::Counter {
            self.differences();
            let note =
                "a counter: its differences are the counts; where it falls, the process had been restarted";
            notes.push(note.to_owned());
        }
        let period_ns = match every_ns {
            Some(every) => every,
            None => self.period()?,
        };
        let found = self.by_period(period_ns)?;
        let gaps = gaps.unwrap_or(self.gaps);
        let (missing, length) = (found.iter().filter(|values| values.is_none()).count(), found.len());
        let zero_ns = self.rows[0].at_ns;
        if missing > 0 && gaps == Gaps::Error {
            let index = found.iter().position(Option::is_none).unwrap_or(0);
            let at = zero_ns + index as i64 * period_ns;
            let before = self.rows.iter().rev().find(|row| row.at_ns < at).unwrap_or(&self.rows[0]);
            let message = format!(
                "behind this line {missing} of {length} periods of {} are missing: nobody asked, or nobody measured",
                period_text(period_ns)
            );
            let help =
                "--gaps zero takes them for times without requests, --gaps hold repeats the value before";
            return Err(self.flaw(before, message).help(help));
        }
        if missing > 0 {
            let how = if gaps == Gaps::Zero { "have no requests" } else { "repeat the value before" };
            notes.push(format!("{missing} of {length} periods are missing: they {how}"));
        }
        let none = vec![0.0; self.classes.len().max(1)];
        let mut before = none.clone();
        let filled = found.into_iter().map(|found| {
            let found =
                found.unwrap_or_else(|| if gaps == Gaps::Hold { before.clone() } else { none.clone() });
            before.clone_from(&found);
            found
        });
        let values = filled.collect();
        Ok(Series { period_ns, zero_ns, values, is_rate: self.meaning == Meaning::Rate, notes })
    }

    /// Brings the rows into the order of their times. Returns a note if they were not.
    fn sort(&mut self) -> Result<Option<String>, Flaw> {
        let rising = self.rows.windows(2).all(|pair| pair[0].at_ns <= pair[1].at_ns);
        self.rows.sort_by_key(|row| (row.at_ns, row.class));
        let is_same = |pair: &&[Row]| pair[0].at_ns == pair[1].at_ns && pair[0].class == pair[1].class;
        if let Some(pair) = self.rows.windows(2).find(is_same) {
            let message = format!(
                "two lines are about the same time, with the values {} and {}",
                pair[0].value, pair[1].value
            );
            let help = "several series in one file? Keep one of them, or name its column: --column NAME";
            return Err(self.flaw(&pair[1], message).help(help));
        }
        let is_unsorted = !rising && self.classes.len() < 2;
        Ok(is_unsorted
            .then(|| "the lines were not in the order of their times: they have been sorted".to_owned()))
    }

    /// The values of the classes in each period; none in one without a line.
    fn by_period(&self, period_ns: i64) -> Result<Vec<Option<Vec<f64>>>, Flaw> {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else {
            return Err(Flaw::whole(0, "", "there are no counts"));
        };
        // Clocks of scrapers jitter: a time belongs to the nearest period.
        let index = |at_ns: i64| (at_ns - first.at_ns).saturating_add(period_ns / 2) / period_ns;
        let length = index(last.at_ns) + 1;
        if length > PERIODS_MAX {
            let message = format!("it is {length} periods behind the first line, at most {PERIODS_MAX}");
            return Err(self.flaw(last, message));
        }
        let mut values: Vec<Option<Vec<f64>>> = vec![None; length as usize];
        for row in &self.rows {
            let none = || vec![0.0; self.classes.len().max(1)];
            values[index(row.at_ns) as usize].get_or_insert_with(none)[usize::from(row.class)] += row.value;
        }
        Ok(values)
    }

    /// The most frequent distance of two times, of which all others must be multiples.
    fn period(&self) -> Result<i64, Flaw> {
        let mut times: Vec<&Row> = Vec::new();
        for row in &self.rows {
            if times.last().is_none_or(|last| last.at_ns != row.at_ns) {
                times.push(row);
            }
        }
        let mut distances: Vec<i64> = times.windows(2).map(|pair| pair[1].at_ns - pair[0].at_ns).collect();
        distances.sort_unstable();
        let mut best = (0, 0);
        // Clocks of scrapers jitter by some ms.
        for same in distances.chunk_by(|a, b| b - a <= b / 1000) {
            if same.len() > best.1 {
                best = (same[same.len() / 2], same.len());
            }
        }
        let Some(first) = times.first() else { return Err(Flaw::whole(0, "", "there are no counts")) };
        let whole = (best.0 + SECOND / 2) / SECOND * SECOND;
        let period = if (best.0 - whole).abs() <= best.0 / 1000 { whole } else { best.0 };
        if period <= 0 {
            return Err(self
                .flaw(first, "one line does not tell the period of its count")
                .help("say it: --every 60s"));
        }
        let is_multiple = |distance: i64| {
            let whole = (distance as f64 / period as f64).round();
            whole >= 1.0 && (distance as f64 - whole * period as f64).abs() <= 0.01 * distance as f64
        };
        if let Some(pair) = times.windows(2).find(|pair| !is_multiple(pair[1].at_ns - pair[0].at_ns)) {
            let message = format!(
                "{} behind the line before, where most lines are {} apart",
                period_text(pair[1].at_ns - pair[0].at_ns),
                period_text(period)
            );
            return Err(self.flaw(pair[1], message).help("say the period of each count: --every 60s"));
        }
        Ok(period)
    }

    /// A counter as counts: what was added since the value before. Where it falls it began again at 0.
    fn differences(&mut self) {
        let mut last: Vec<Option<f64>> = vec![None; self.classes.len().max(1)];
        self.rows.retain_mut(|row| {
            let before = last[usize::from(row.class)].replace(row.value);
            let Some(before) = before else { return false };
            row.value = if row.value < before { row.value } else { row.value - before };
            true
        });
    }

    fn flaw(&self, row: &Row, message: impl Into<String>) -> Flaw {
        let at = if self.dated { shown(row.at_ns) } else { seconds(row.at_ns) };
        Flaw::whole(row.line, &format!("{at}: {}", row.value), message)
    }
}

impl Series {
    /// Number of requests of a class.
    #[must_use]
    pub fn requests_of(&self, class: usize) -> f64 {
        let factor = if self.is_rate { self.period_ns as f64 / SECOND as f64 } else { 1.0 };
        self.values.iter().map(|values| values[class]).sum::<f64>() * factor
    }

    /// Number of requests.
    #[must_use]
    pub fn requests(&self) -> f64 {
        (0..self.values.first().map_or(0, Vec::len)).map(|class| self.requests_of(class)).sum()
    }

    /// The highest rate of a period, a second, and its index.
    #[must_use]
    pub fn peak(&self) -> (f64, usize) {
        let factor = if self.is_rate { 1.0 } else { SECOND as f64 / self.period_ns as f64 };
        let rates = self.values.iter().map(|values| values.iter().sum::<f64>() * factor);
        rates
            .enumerate()
            .fold((0.0, 0), |most, (index, rate)| if rate > most.0 { (rate, index) } else { most })
    }
}

/// A period as people write it: `60 s`, `0.5 s`.
#[must_use]
pub fn period_text(ns: i64) -> String {
    format!("{} s", seconds(ns))
}

/// Nanoseconds in seconds, without zeros at the end.
#[must_use]
pub fn seconds(ns: i64) -> String {
    let text = format!("{}.{:09}", ns / SECOND, ns % SECOND);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(rows: &[(i64, f64)], meaning: Meaning) -> Counts {
        let row = |(index, (at, value)): (usize, &(i64, f64))| Row {
            at_ns: at * SECOND,
            value: *value,
            class: 0,
            line: index as u64 + 1,
        };
        Counts {
            rows: rows.iter().enumerate().map(row).collect(),
            classes: Vec::new(),
            meaning,
            dated: false,
            gaps: Gaps::Error,
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_count_is_of_the_distance_of_the_lines() {
        let minutes = counts(&[(0, 600.0), (60, 600.0), (120, 1200.0)], Meaning::Count);
        let series = minutes.series(None, None).unwrap();
        assert_eq!((series.period_ns / SECOND, series.requests(), series.peak()), (60, 2400.0, (20.0, 2)));
        let rates = counts(&[(0, 10.0), (60, 10.0)], Meaning::Rate).series(None, None).unwrap();
        assert_eq!((rates.requests(), rates.peak().0), (1200.0, 10.0));
    }

    #[test]
    fn a_missing_period_is_asked_for() {
        let rows = [(0, 6.0), (60, 6.0), (180, 6.0), (240, 6.0)];
        let flaw = counts(&rows, Meaning::Count).series(None, None).unwrap_err();
        assert_eq!(flaw.line, 2);
        assert!(flaw.help.contains("--gaps zero"), "{flaw:?}");
        assert_eq!(counts(&rows, Meaning::Count).series(None, Some(Gaps::Zero)).unwrap().requests(), 24.0);
        assert_eq!(counts(&rows, Meaning::Count).series(None, Some(Gaps::Hold)).unwrap().requests(), 30.0);
    }

    #[test]
    fn what_has_no_period_is_an_error() {
        assert!(counts(&[(0, 6.0)], Meaning::Count).series(None, None).is_err());
        assert!(
            counts(&[(0, 6.0), (10, 6.0), (20, 6.0), (27, 5.0)], Meaning::Count).series(None, None).is_err()
        );
        assert!(counts(&[(0, 6.0), (0, 7.0)], Meaning::Count).series(None, None).is_err());
        assert!(counts(&[(0, 6.0)], Meaning::Count).series(Some(60 * SECOND), None).is_ok());
    }

    #[test]
    fn the_same_line_counts_once_in_two_files_and_is_an_error_in_one() {
        let one = counts(&[(0, 6.0), (60, 7.0)], Meaning::Count);
        let two = counts(&[(60, 7.0), (120, 8.0)], Meaning::Count);
        assert_eq!(one.join(two).unwrap().series(None, None).unwrap().requests(), 21.0);
        assert!(counts(&[(0, 6.0), (60, 7.0), (60, 7.0)], Meaning::Count).series(None, None).is_err());
    }

    #[test]
    fn a_counter_starts_again_where_it_falls() {
        let counter = counts(&[(0, 100.0), (15, 130.0), (30, 10.0), (45, 30.0)], Meaning::Counter);
        let series = counter.series(None, None).unwrap();
        assert_eq!(series.values, [[30.0], [10.0], [20.0]]);
    }
}
