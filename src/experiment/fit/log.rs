//! `Log` and `Busy`: what was measured of a real system: its requests, and how busy a machine was.

use std::collections::BTreeSet;

use crate::kernel::headers::TIMES;
use crate::model::columns::{Columns, Pick, cut};
use crate::model::moments::{Begin, frequent, times};
use crate::model::quantity::Duration;

/// Largest number of lines of a file.
const LINES_MAX: usize = 10_000_000;

/// Names of a column of durations, with the unit in seconds.
const DURATIONS: [(&str, f64); 4] =
    [("duration_s", 1.0), ("duration_ms", 1e-3), ("request_time", 1.0), ("duration", 1.0)];

/// The requests of the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// The moment at which its times begin, if it tells.
    pub begin: Option<Begin>,
    /// The names of its classes; one empty name where it tells none.
    pub names: Vec<String>,
    /// Its lines in the order of their times.
    pub rows: Vec<Row>,
    /// Seconds of the period that each line counts; none where each line is a request.
    pub period_s: Option<f64>,
    /// Whether it has durations.
    pub has_durations: bool,
}

/// One line of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// Its time, seconds.
    pub at_s: f64,
    /// Number of requests.
    pub count: f64,
    /// Index of the class.
    pub class: u16,
    /// Seconds from a request to its answer; NaN where it is not told.
    pub duration_s: f64,
}

impl Log {
    /// Reads a trace with a header: the times, and if it has them the columns `count`, `class` and `duration_s`.
    ///
    /// # Errors
    /// A message that names the line.
    pub fn parse(text: &str) -> Result<Log, String> {
        let columns = Columns::read(text)?;
        if columns.len() > LINES_MAX {
            return Err(format!("more than {LINES_MAX} lines"));
        }
        let of = |names: &[&str]| (0..columns.width()).find(|at| names.contains(&columns.name(*at).as_str()));
        let times = times(&columns, of(&TIMES).unwrap_or(0))?;
        let duration = DURATIONS.iter().find_map(|(name, unit)| Some((of(&[name])?, *unit)));
        let counts = of(&["count"]).map(|at| numbers(&columns, at, "a count")).transpose()?;
        let durations = duration.map(|(at, _)| numbers(&columns, at, "a duration")).transpose()?;
        let unit = duration.map_or(1.0, |(_, unit)| unit);
        let classes: Vec<&str> = match of(&["class"]) {
            Some(at) => columns.column(at).map(|(_, name)| name).collect(),
            None => vec![""; times.seconds.len()],
        };
        let names: BTreeSet<&str> = classes.iter().copied().collect();
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let noted = columns.note("every").and_then(|every| every.parse::<Duration>().ok());
        let noted_s = noted.map(|every| every.0.as_secs_f64());
        // A request of a period came at its middle, as far as anybody knows.
        let late_s = if durations.is_some() { noted_s.unwrap_or(0.0) / 2.0 } else { 0.0 };
        let row = |at: usize| Row {
            at_s: times.seconds[at] + late_s,
            count: counts.as_ref().map_or(1.0, |counts| counts[at]),
            class: names.partition_point(|name| name.as_str() < classes[at]) as u16,
            duration_s: durations.as_ref().map_or(f64::NAN, |durations| durations[at] * unit),
        };
        let mut rows: Vec<Row> = (0..times.seconds.len()).map(row).collect();
        rows.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        // Where lines have durations a count says for how many requests a line stands.
        let counted = durations.is_none() && rows.iter().any(|row| row.count != 1.0);
        let distinct = || distances(rows.iter().map(|row| row.at_s));
        let period_s = counted.then(|| noted_s.unwrap_or_else(|| frequent(distinct()).unwrap_or(1.0)));
        Ok(Log { begin: times.begin, names, rows, period_s, has_durations: durations.is_some() })
    }

    /// Seconds from the beginning of its times to its end.
    #[must_use]
    pub fn end_s(&self) -> f64 {
        self.rows.last().map_or(0.0, |row| row.at_s) + self.period_s.unwrap_or(0.0)
    }
}

/// The unit of a column of busy times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Per cent of all cores.
    Percent,
    /// The share of all cores, 0..1.
    Share,
    /// Busy cores.
    Cores,
}

/// How busy a machine was, period by period.
#[derive(Clone, Debug, PartialEq)]
pub struct Busy {
    /// The moment at which its times begin, if it tells.
    pub begin: Option<Begin>,
    /// The beginning of each period in seconds, and the value.
    pub rows: Vec<(f64, f64)>,
    /// The length of each period, seconds.
    pub period_s: f64,
    /// The unit of the values.
    pub unit: Unit,
    /// Whether the header told the unit; else the values did.
    pub is_told: bool,
}

impl Busy {
    /// Reads a file with times and values; `column` has the values, and `unit` is theirs where the user tells it.
    ///
    /// # Errors
    /// A message that names the line or the columns.
    pub fn parse(text: &str, column: Option<&str>, unit: Option<Unit>) -> Result<Busy, String> {
        let columns = Columns::read(text)?;
        let of = |names: &[&str]| (0..columns.width()).find(|at| names.contains(&columns.name(*at).as_str()));
        let time = of(&TIMES).unwrap_or(0);
        let value = match (column, columns.width()) {
            (Some(name), _) => columns.find(name.parse().map_or(Pick::Named(name), Pick::Number))?,
            (None, 2) => 1 - time.min(1),
            (None, width) => {
                let names: Vec<String> = (0..width).map(|at| columns.name(at)).collect();
                let names =
                    if columns.header.is_some() { format!(" ({})", names.join(", ")) } else { String::new() };
                return Err(format!(
                    "it has {width} columns{names}: name the one with the busy times, or its number, as in BOX=FILE#COLUMN"
                ));
            }
        };
        let times = times(&columns, time)?;
        let values = numbers(&columns, value, "a busy time")?;
        let mut rows: Vec<(f64, f64)> = times.seconds.iter().copied().zip(values).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0));
        let most = rows.iter().map(|row| row.1).fold(0.0, f64::max);
        let told = unit.or_else(|| named(&columns.name(value)));
        let unit = told.unwrap_or(if most <= 1.0 { Unit::Share } else { Unit::Percent });
        if unit != Unit::Cores && most > if unit == Unit::Share { 1.001 } else { 100.1 } {
            return Err(format!(
                "a value of {most} is more than all cores: say `--cpu-unit cores` if it counts cores"
            ));
        }
        let period_s = frequent(distances(rows.iter().map(|row| row.0))).unwrap_or(1.0);
        Ok(Busy { begin: times.begin, rows, period_s, unit, is_told: told.is_some() })
    }

    /// Seconds by which its times begin after those of a log; 0 where one of them has no dates.
    #[must_use]
    pub fn after(&self, log: &Log) -> f64 {
        log.begin.zip(self.begin).map_or(0.0, |(log, own)| own.epoch_s - log.epoch_s)
    }

    /// The busy cores for a value, of `capacity` cores at speed 1 that do `speed` of work each.
    #[must_use]
    pub fn cores(&self, value: f64, capacity: f64, speed: f64) -> f64 {
        match self.unit {
            Unit::Percent => value / 100.0 * capacity,
            Unit::Share => value * capacity,
            Unit::Cores => value * speed,
        }
    }
}

/// The unit that the name of a column tells.
fn named(name: &str) -> Option<Unit> {
    let has = |pieces: &[&str]| pieces.iter().any(|piece| name.contains(piece));
    if has(&["%", "percent", "pct"]) {
        Some(Unit::Percent)
    } else if has(&["cores"]) {
        Some(Unit::Cores)
    } else if has(&["share", "ratio", "fraction", "busy", "utilisation", "utilization"]) {
        Some(Unit::Share)
    } else {
        None
    }
}

fn numbers(columns: &Columns<'_>, column: usize, what: &str) -> Result<Vec<f64>, String> {
    let read = |(line, field): (usize, &str)| {
        let number = columns.number(field).filter(|number| *number >= 0.0);
        number.ok_or_else(|| format!("line {line}: expected {what}, found `{}`", cut(field)))
    };
    columns.column(column).map(read).collect()
}

fn distances(times: impl Iterator<Item = f64>) -> Vec<f64> {
    let times: Vec<f64> = times.collect();
    times.windows(2).map(|pair| pair[1] - pair[0]).filter(|distance| *distance > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_requests_or_counts() {
        let log = Log::parse("t_s,class,duration_ms\n1.5,b,20\n0.5,a,10\n").unwrap();
        assert_eq!(log.names, ["a", "b"]);
        assert_eq!(log.rows[0], Row { at_s: 0.5, count: 1.0, class: 0, duration_s: 0.01 });
        assert_eq!((log.period_s, log.has_durations, log.end_s()), (None, true, 1.5));
        let log = Log::parse("t_s,count,class\n0,60,a\n0,6,b\n60,30,a\n").unwrap();
        assert_eq!((log.period_s, log.end_s(), log.rows.len()), (Some(60.0), 120.0, 3));
        let log = Log::parse("# every: 1s\nt_s,count,class,duration_s\n0,1,a,0.5\n7,1,b,1\n").unwrap();
        assert!(log.period_s.is_none() && log.rows[1].at_s == 7.5 && log.rows[1].duration_s == 1.0);
        assert!(Log::parse("t_s,count\n0,6\n1,x\n").is_err_and(|message| message.contains("line 3")));
    }

    #[test]
    fn a_busy_time_has_a_unit() {
        let of =
            |text: &str| Busy::parse(text, None, None).map(|busy| (busy.unit, busy.is_told, busy.period_s));
        assert_eq!(of("time,cpu %\n0,5\n60,6\n"), Ok((Unit::Percent, true, 60.0)));
        assert_eq!(of("time,cpu\n0,50\n60,6\n"), Ok((Unit::Percent, false, 60.0)));
        assert_eq!(of("time,cpu\n0,0.5\n60,0.6\n"), Ok((Unit::Share, false, 60.0)));
        assert_eq!(of("time,busy_cores\n0,5\n60,6\n"), Ok((Unit::Cores, true, 60.0)));
        assert!(of("time,cpu\n0,500\n60,6\n").is_err_and(|message| message.contains("--cpu-unit cores")));
        assert!(of("time,user,sys\n0,5,1\n60,6,1\n").is_err_and(|message| message.contains("user, sys")));
        let picked = Busy::parse("time,user,sys\n0,5,1\n60,6,1\n", Some("user"), None).unwrap();
        assert_eq!(picked.rows, [(0.0, 5.0), (60.0, 6.0)]);
        assert_eq!(picked.cores(50.0, 8.0, 1.0), 4.0);
    }
}
