//! `Part` and `Lines`: which lines of a trace are played, the period that each is of, and the classes of their requests.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::de::{self, Deserializer};
use serde::{Deserialize, Serialize};

use crate::model::columns::{Columns, cut};
use crate::model::quantity::Duration;

use crate::model::moments::{Begin, DAY_S, date, frequent, time_of_day};

/// Number of classes that a trace can have.
const CLASSES_MAX: usize = 1000;

/// A moment of a trace: `"2h"` after its beginning, the next `"18:00"` on its clocks, or a date.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Edge {
    /// Seconds after the beginning.
    After(f64),
    /// Seconds after midnight.
    Clock(f64),
    /// Seconds since 1970.
    Date(f64),
}

impl Edge {
    fn parse(text: &str) -> Result<Edge, String> {
        if let Some(clock) = time_of_day(text) {
            return Ok(Edge::Clock(clock));
        }
        if let Some((epoch_s, _)) = date(text) {
            return Ok(Edge::Date(epoch_s));
        }
        let after = text.parse::<Duration>().map(|after| Edge::After(after.0.as_secs_f64()));
        after.map_err(|_| {
            let text = cut(text);
            format!(
                "expected \"2h\" after the beginning, \"18:00\" or \"2026-11-29T18:00:00Z\", found \"{text}\""
            )
        })
    }

    /// The seconds from the beginning of the trace to this moment, not before `least`.
    fn seconds(&self, begin: Option<Begin>, least: f64) -> Result<f64, String> {
        match (self, begin) {
            (Edge::After(after), _) => Ok(*after),
            (_, None) => Err("it has no dates: give times after its beginning, such as \"2h\"".into()),
            (Edge::Date(epoch_s), Some(begin)) => Ok(epoch_s - begin.epoch_s),
            (Edge::Clock(clock), Some(begin)) => {
                let at_least = begin.epoch_s + begin.ahead_s + least;
                Ok(least + (clock - at_least.rem_euclid(DAY_S)).rem_euclid(DAY_S))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Edge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Edge::parse(&text).map_err(de::Error::custom)
    }
}

/// The lines of a trace that are played.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part<'a> {
    pub(super) from: Option<&'a Edge>,
    pub(super) to: Option<&'a Edge>,
    /// The classes of the lines; empty for all.
    pub(super) only: &'a [String],
}

/// The lines of a trace in the order of their times.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    /// The time in seconds and the count of each line; of a moment the count is 1.
    pub(super) rows: Vec<(f64, f64)>,
    /// The class of each line, as an index of `names`; empty without a column of classes.
    classes: Vec<u16>,
    names: Vec<String>,
}

impl Lines {
    /// Reads the counts and classes of lines whose times are known.
    pub(super) fn read(
        columns: &Columns<'_>,
        times: &[f64],
        count: Option<usize>,
        class: Option<usize>,
    ) -> Result<Lines, String> {
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by(|a, b| times[*a].total_cmp(&times[*b]));
        let counts = match count {
            None => vec![1.0; times.len()],
            Some(count) => {
                let read = |(line, field): (usize, &str)| {
                    let count = columns.number(field).filter(|count| *count >= 0.0);
                    count.ok_or_else(|| format!("line {line}: expected a count, found `{}`", cut(field)))
                };
                columns.column(count).map(read).collect::<Result<Vec<f64>, String>>()?
            }
        };
        let rows = order.iter().map(|line| (times[*line], counts[*line])).collect();
        let Some(class) = class else { return Ok(Lines { rows, ..Lines::default() }) };
        let fields: Vec<&str> = columns.column(class).map(|(_, field)| field).collect();
        let names: BTreeSet<&str> = fields.iter().copied().collect();
        if names.len() > CLASSES_MAX {
            return Err(format!("it has {} classes, more than {CLASSES_MAX}", names.len()));
        }
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        let index = |line: &usize| names.partition_point(|name| name.as_str() < fields[*line]) as u16;
        let classes = order.iter().map(index).collect();
        Ok(Lines { rows, classes, names })
    }

    /// Keeps the lines of a part, which then begins at 0. `is_rate`: whether the counts are rates, which hold until the next
    /// line; none for moments.
    pub(super) fn keep(
        &mut self,
        part: Part<'_>,
        begin: Option<Begin>,
        is_rate: Option<bool>,
    ) -> Result<(), String> {
        let from = part.from.map_or(Ok(0.0), |from| from.seconds(begin, 0.0))?;
        let to = part.to.map_or(Ok(f64::INFINITY), |to| to.seconds(begin, from))?;
        if from >= to {
            return Err(format!("the part from {from} s to {to} s after its beginning is empty"));
        }
        if let Some(name) = part.only.iter().find(|name| !self.names.contains(name)) {
            return Err(format!("no line of it is of class `{name}`: there are {}", self.names.join(", ")));
        }
        let is_of = |line: usize| {
            part.only.is_empty() || part.only.contains(&self.names[usize::from(self.classes[line])])
        };
        let before = (0..self.rows.len()).rev().find(|line| self.rows[*line].0 <= from);
        let held = before.filter(|line| is_rate == Some(true) && self.rows[*line].0 < from);
        let kept =
            (0..self.rows.len()).filter(|line| (from..to).contains(&self.rows[*line].0) && is_of(*line));
        let kept: Vec<usize> = held.into_iter().chain(kept).collect();
        if kept.is_empty() {
            return Err("no line of it lies in that part".into());
        }
        let row = |line: &usize| ((self.rows[*line].0 - from).max(0.0), self.rows[*line].1);
        let rows = kept.iter().map(row).collect();
        if !self.classes.is_empty() {
            self.classes = kept.iter().map(|line| self.classes[*line]).collect();
        }
        self.rows = rows;
        Ok(())
    }

    /// Adds up the lines of the same time, which differ in their classes.
    pub(super) fn add_up(&mut self) {
        if self.are_moments() {
            return;
        }
        self.classes.clear();
        self.rows.dedup_by(|next, row| {
            let is_same = next.0 == row.0;
            row.1 += if is_same { next.1 } else { 0.0 };
            is_same
        });
    }

    /// Whether each line is one request at its own time: every count is 1, and no period fits the times.
    pub(super) fn are_moments(&self) -> bool {
        let twice = self.rows.windows(2).any(|pair| pair[0].0 == pair[1].0);
        self.rows.iter().all(|(_, count)| *count == 1.0) && (twice || period(&self.rows, false).is_err())
    }

    /// The classes of the lines.
    pub(super) fn marks(&self) -> Marks {
        Marks { names: self.names.clone(), lines: self.classes.clone().into() }
    }
}

/// Where the class of a recorded request comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ClassOf {
    /// From the shares of the scenario's classes.
    #[default]
    Shares,
    /// From the line of the file, whose column `class` names it.
    File,
}

impl ClassOf {
    /// As a scenario writes it.
    pub(super) fn word(self) -> &'static str {
        match self {
            ClassOf::Shares => "shares",
            ClassOf::File => "file",
        }
    }
}

/// The class of each line of a trace, in the order of the moments or counts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Marks {
    /// The names of the classes, each once, in alphabetical order.
    pub(super) names: Vec<String>,
    /// For each line the index of its class.
    pub(super) lines: Arc<[u16]>,
}

/// The seconds that a line stands for: the most frequent distance of the lines, of which all others are multiples; else a
/// second, if all times are whole ones.
pub(super) fn period(rows: &[(f64, f64)], is_rate: bool) -> Result<f64, String> {
    let distances = rows.windows(2).map(|pair| pair[1].0 - pair[0].0);
    let distances: Vec<f64> = distances.filter(|distance| *distance > 0.0).collect();
    let all_are_multiples_of = |period: f64| {
        period > 0.0
            && distances.iter().all(|distance| {
                let whole = distance / period;
                (whole - whole.round()).abs() < 1e-6 * whole.max(1.0) && whole > 0.5
            })
    };
    let most = frequent(distances.clone()).unwrap_or(1.0);
    [most, 1.0].into_iter().find(|period| is_rate || all_are_multiples_of(*period)).ok_or_else(|| {
        "the lines are at unequal distances: say by `every` which period each count is of".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(text: &str) -> Edge {
        Edge::parse(text).expect(text)
    }

    fn keep(begin: Option<Begin>, from: &str, to: &str, is_rate: bool) -> Result<Vec<(f64, f64)>, String> {
        let rows = (0..48).map(|hour| (f64::from(hour) * 3600.0, f64::from(hour) + 1.0)).collect();
        let mut lines = Lines { rows, ..Lines::default() };
        let (from, to) = (edge(from), edge(to));
        let part = Part { from: Some(&from), to: Some(&to), only: &[] };
        lines.keep(part, begin, Some(is_rate)).map(|()| lines.rows)
    }

    #[test]
    fn a_part_begins_at_zero() {
        assert_eq!(keep(None, "2h", "4h", false), Ok(vec![(0.0, 3.0), (3600.0, 4.0)]));
        // A rate holds from the line before on.
        assert_eq!(keep(None, "150min", "4h", true), Ok(vec![(0.0, 3.0), (1800.0, 4.0)]));
        assert_eq!(keep(None, "150min", "4h", false), Ok(vec![(1800.0, 4.0)]));
        assert!(keep(None, "4h", "2h", false).is_err_and(|message| message.contains("empty")));
        assert!(keep(None, "60h", "70h", false).is_err_and(|message| message.contains("no line")));
    }

    #[test]
    fn clocks_and_dates_need_a_file_with_dates() {
        assert!(keep(None, "18:00", "20:00", false).is_err_and(|message| message.contains("no dates")));
        // The file begins at 2026-11-29, 10:00 in Seoul, which is 01:00 UTC.
        let (epoch_s, ahead_s) = date("2026-11-29T10:00:00+09:00").unwrap();
        let begin = Some(Begin { epoch_s, ahead_s });
        let evening = Ok(vec![(0.0, 9.0), (3600.0, 10.0)]);
        assert_eq!(keep(begin, "18:00", "20:00", false), evening);
        assert_eq!(keep(begin, "2026-11-29T09:00:00Z", "2026-11-29T20:00:00+09:00", false), evening);
        // 09:00 is on the next day, and the end is the first 10:00 after it.
        assert_eq!(keep(begin, "09:00", "10:00", false), Ok(vec![(0.0, 24.0)]));
    }

    #[test]
    fn an_edge_is_a_time_after_the_beginning_a_clock_time_or_a_date() {
        assert_eq!(edge("90s"), Edge::After(90.0));
        assert_eq!(edge("18:00:30"), Edge::Clock(64_830.0));
        assert_eq!(edge("1970-01-02T00:00:00Z"), Edge::Date(86_400.0));
        for bad in ["", "18", "25:00", "-2h", "2026-13-01T00:00:00Z", "yesterday"] {
            assert!(Edge::parse(bad).is_err(), "{bad}");
        }
    }
}
