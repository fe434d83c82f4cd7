//! Tables: a time and a count, a rate, or nothing more on each line, with any separator.

use crate::import::clock::{Clock, Moment};
use crate::import::flaw::Flaw;
use crate::kernel::headers::{COUNTS, RATES, TIMES};

use super::cells::{Kind, fields, is_data, is_name, kind, number, point, separator, unit_of, unit_of_name};
use super::{Counts, Gaps, Meaning, Moments, Row};

/// Number of lines from which the separator is told.
const LOOK_AT: usize = 100;

/// Pieces of the names of a column of durations.
const DURATIONS: [&str; 6] = ["duration", "latency", "elapsed", "response_time", "response-time", "took"];

/// What the user says about a table.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// What the numbers are.
    pub what: Option<What>,
    /// The column of the counts, by its name or its number from 1.
    pub column: Option<String>,
    /// The unit of durations: how many are a second.
    pub per_s: Option<f64>,
}

/// What the numbers of a table are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A count, a rate or a counter beside each time.
    Values(Meaning),
    /// Moments of requests.
    Moments,
    /// Times between requests.
    Gaps,
    /// Durations.
    Durations,
}

/// What a table is.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// Counts by period.
    Counts(Counts),
    /// Moments.
    Moments(Moments),
    /// Durations in seconds.
    Durations(Vec<f64>),
}

/// The lines of a table.
struct Table<'t> {
    lines: Vec<(u64, &'t str)>,
    separator: Option<char>,
    header: Option<Vec<String>>,
    width: usize,
}

/// Whether a text may be a table: its first lines have numbers or times.
#[must_use]
pub fn fits(sample: &[&str], clock: &Clock) -> bool {
    let lines: Vec<(u64, &str)> =
        (1..).zip(sample.iter().copied()).filter(|(_, line)| is_data(line)).collect();
    let separator = separator(&lines);
    let has_number = |line: &str| {
        fields(line, separator).iter().any(|field| kind(field, separator, &mut clock.clone()) != Kind::Words)
    };
    let with = lines.iter().filter(|(_, line)| has_number(line)).count();
    !lines.is_empty() && with * 2 > lines.len().saturating_sub(1) && with > 0
}

/// Reads a table.
///
/// # Errors
/// When a line does not fit the others, or the table may be read in several ways.
pub fn read(text: &str, layout: &Layout, mut clock: Clock) -> Result<Content, Flaw> {
    let table = Table::new(text, &mut clock)?;
    table.check_comma(layout)?;
    let time = table.time(&mut clock);
    if table.width == 1 || (table.value_columns(time, &mut clock).is_empty() && layout.column.is_none()) {
        return table.one_column(layout, time, clock);
    }
    let what = layout.what;
    if matches!(what, Some(What::Moments | What::Gaps | What::Durations)) {
        return table.one_column(layout, time, clock);
    }
    let value = table.value(layout, time, &mut clock)?;
    let mut notes = Vec::new();
    let meaning = match what {
        Some(What::Values(meaning)) => meaning,
        _ => table.meaning(time, value, &mut clock, &mut notes)?,
    };
    clock = clock.distinct();
    let mut rows = Vec::new();
    let mut dated = None;
    for (number, line) in &table.lines {
        let fields = table.fields(*number, line)?;
        let at = table.moment(*number, line, fields[time], &mut clock)?;
        if *dated.get_or_insert(at.dated) != at.dated {
            return Err(Flaw::field(
                *number,
                line,
                fields[time],
                "this time counts from another start than those above",
            ));
        }
        let found = table.number(fields[value]).filter(|found| (0.0..1e15).contains(found));
        let value = found.ok_or_else(|| {
            let what = if meaning == Meaning::Rate { "a rate" } else { "a count" };
            Flaw::field(*number, line, fields[value], format!("expected {what}, found `{}`", fields[value]))
        })?;
        rows.push(Row { at_ns: at.ns, value, class: 0, line: *number });
    }
    if clock.zone_was_missing {
        notes.push("times without a zone are taken in that of --zone, by default UTC".to_owned());
    }
    let dated = dated.unwrap_or(false);
    Ok(Content::Counts(Counts { rows, classes: Vec::new(), meaning, dated, gaps: Gaps::Error, notes }))
}

impl<'t> Table<'t> {
    fn new(text: &'t str, clock: &mut Clock) -> Result<Table<'t>, Flaw> {
        let mut lines: Vec<(u64, &str)> = (1..)
            .zip(text.lines())
            .map(|(number, line)| (number, line.trim_end()))
            .filter(|(_, line)| is_data(line))
            .collect();
        let separator = separator(&lines);
        let Some((first_number, first)) = lines.first().copied() else {
            return Err(Flaw::whole(1, "", "there is no line with data"));
        };
        let names = fields(first, separator);
        // A header has words where the next line has none.
        let is_header = lines.get(1).is_some_and(|(_, second)| {
            let below = fields(second, separator);
            names.len() == below.len()
                && names.iter().zip(&below).any(|(name, field)| {
                    kind(field, separator, clock) != Kind::Words
                        && kind(name, separator, clock) == Kind::Words
                        && is_name(name)
                })
                && names.iter().all(|name| number(name, separator).is_none())
        });
        let header = is_header.then(|| names.iter().map(|name| name.to_lowercase()).collect());
        if is_header {
            lines.remove(0);
        }
        let width = fields(lines[0].1, separator).len();
        if !is_header && names.iter().all(|field| kind(field, separator, clock) == Kind::Words) {
            let message = "expected a time or a number in the first line with data";
            return Err(Flaw::whole(first_number, first, message)
                .help("a header is a line with names, above lines with numbers"));
        }
        Ok(Table { lines, separator, header, width })
    }

    fn fields(&self, number: u64, line: &'t str) -> Result<Vec<&'t str>, Flaw> {
        let fields = fields(line, self.separator);
        if fields.len() == self.width {
            return Ok(fields);
        }
        let message = format!("{} fields where the first line has {}", fields.len(), self.width);
        Err(Flaw::whole(number, line, message))
    }

    fn number(&self, field: &str) -> Option<f64> {
        number(field, self.separator)
    }

    fn name(&self, column: usize) -> &str {
        self.header.as_ref().and_then(|names| names.get(column)).map_or("", String::as_str)
    }

    fn label(&self, column: usize) -> String {
        match self.name(column) {
            "" => format!("column {}", column + 1),
            name => format!("`{name}`"),
        }
    }

    /// Whole numbers on both sides of a comma: a decimal comma, or a time and a count?
    fn check_comma(&self, layout: &Layout) -> Result<(), Flaw> {
        let digits = |field: &str| !field.is_empty() && field.bytes().all(|byte| byte.is_ascii_digit());
        let whole =
            |line: &str| line.split_once(',').is_some_and(|(left, right)| digits(left) && digits(right));
        let is_epoch = |line: &str| line.split(',').next().is_some_and(|left| left.len() >= 9);
        let doubtful = self.separator == Some(',')
            && self.header.is_none()
            && self.width == 2
            && self.lines.iter().all(|(_, line)| whole(line) && !is_epoch(line));
        if !doubtful || layout.what.is_some() {
            return Ok(());
        }
        let (number, line) = self.lines[0];
        let (left, right) = line.split_once(',').unwrap_or((line, ""));
        let message = format!(
            "`{line}` may be the time {left} with the count {right}, or the number {left}.{right} with a decimal comma"
        );
        Err(Flaw::whole(number, line, message)
            .help("--as counts or --as moments decides, or a header line such as `second,count`"))
    }

    /// The column of the times: by its name, else the first with a date, else the first.
    fn time(&self, clock: &mut Clock) -> usize {
        let named = (0..self.width).find(|column| TIMES.contains(&self.name(*column)));
        let first = fields(self.lines[0].1, self.separator);
        let dated = first.iter().position(|field| {
            self.number(field).is_none() && clock.any(field).is_some()
                || Clock::number(field).is_some_and(|at| at.dated)
        });
        named.or(dated).unwrap_or(0)
    }

    /// The other columns with numbers.
    fn value_columns(&self, time: usize, clock: &mut Clock) -> Vec<usize> {
        let first = fields(self.lines[0].1, self.separator);
        let is_value =
            |column: &usize| *column != time && kind(first[*column], self.separator, clock) == Kind::Number;
        (0..self.width).filter(is_value).collect()
    }

    /// The column of the counts.
    fn value(&self, layout: &Layout, time: usize, clock: &mut Clock) -> Result<usize, Flaw> {
        let (number, line) = self.lines[0];
        let columns = self.value_columns(time, clock);
        let known: Vec<String> = columns.iter().map(|column| self.label(*column)).collect();
        if let Some(asked) = &layout.column {
            return self.find(asked).filter(|column| *column != time).ok_or_else(|| {
                Flaw::whole(
                    number,
                    line,
                    format!("there is no column `{asked}` with counts: there are {}", known.join(", ")),
                )
            });
        }
        let named: Vec<usize> =
            columns.iter().copied().filter(|column| self.named_meaning(*column).is_some()).collect();
        match (&columns[..], &named[..]) {
            ([one], _) | (_, [one]) => Ok(*one),
            _ => {
                Err(Flaw::whole(number, line, format!("several columns have numbers: {}", known.join(", ")))
                    .help("--column NAME says which has the requests"))
            }
        }
    }

    fn named_meaning(&self, column: usize) -> Option<Meaning> {
        let name = self.name(column);
        if RATES.iter().any(|piece| name.contains(piece)) {
            return Some(Meaning::Rate);
        }
        if name.ends_with("_total") {
            return Some(Meaning::Counter);
        }
        COUNTS.contains(&name.trim()).then_some(Meaning::Count)
    }

    /// What the values are, by the name of their column or by their unit; without either, whole numbers are counts.
    fn meaning(
        &self,
        time: usize,
        value: usize,
        clock: &mut Clock,
        notes: &mut Vec<String>,
    ) -> Result<Meaning, Flaw> {
        if let Some(meaning) = self.named_meaning(value) {
            return Ok(meaning);
        }
        let (number, line) = self.lines[0];
        let first = fields(line, self.separator);
        if unit_of(first[value]).is_some_and(|unit| unit.contains("/s")) {
            return Ok(Meaning::Rate);
        }
        let sample = self.lines.iter().take(LOOK_AT).map(|(_, line)| fields(line, self.separator));
        let pairs: Vec<(Option<Moment>, Option<f64>)> = sample
            .filter(|fields| fields.len() == self.width)
            .map(|fields| (clock.any(&point(fields[time], self.separator)), self.number(fields[value])))
            .collect();
        let times: Vec<i64> = pairs.iter().filter_map(|(at, _)| Some(at.as_ref()?.ns)).collect();
        let distance = times.windows(2).map(|pair| pair[1] - pair[0]).find(|distance| *distance > 0);
        // Counts of a second and requests a second are the same.
        if distance == Some(super::SECOND) {
            return Ok(Meaning::Rate);
        }
        let whole = pairs.iter().all(|(_, value)| value.is_none_or(|value| value.fract() == 0.0));
        let equal = times.windows(2).all(|pair| Some(pair[1] - pair[0]) == distance);
        if whole && equal && self.header.is_none() {
            let period = super::period_text(distance.unwrap_or_default());
            notes.push(format!(
                "whole numbers, {period} apart: each is taken as the requests of {period}, not of a second"
            ));
            return Ok(Meaning::Count);
        }
        let message = format!("{} may be the requests of a period, or requests a second", self.label(value));
        Err(Flaw::field(number, line, first[value], message)
            .help("--as counts, --as rates or --as counter decides"))
    }

    fn moment(&self, number: u64, line: &str, field: &str, clock: &mut Clock) -> Result<Moment, Flaw> {
        let text = point(field, self.separator);
        clock.any(&text).ok_or_else(|| {
            let expected = "expected seconds from the start, an epoch or a date such as 2026-11-29T13:23:08Z";
            Flaw::field(number, line, field, format!("{expected}, found `{field}`"))
        })
    }

    /// One number or time on each line.
    fn one_column(&self, layout: &Layout, time: usize, mut clock: Clock) -> Result<Content, Flaw> {
        let column = layout.column.as_ref().and_then(|asked| self.find(asked)).unwrap_or(time);
        let mut at_ns = Vec::new();
        let mut numbers: Vec<f64> = Vec::new();
        let mut dated = false;
        for (number, line) in &self.lines {
            let (field, text) = self.single(layout, *number, line, column)?;
            numbers.extend(text.parse::<f64>().ok().filter(|value| value.is_finite()));
            let at = clock.any(&text).ok_or_else(|| {
                let message = format!("expected seconds, an epoch or a date, found `{field}`");
                Flaw::field(*number, line, field, message)
            })?;
            dated |= at.dated;
            at_ns.push(at.ns);
        }
        let what = match layout.what {
            Some(what) => what,
            None => self.told_by_name(column, dated).map_or_else(|| self.guess(&at_ns), Ok)?,
        };
        let mut notes = Vec::new();
        if clock.zone_was_missing {
            notes.push("times without a zone are taken in that of --zone, by default UTC".to_owned());
        }
        let (number, line) = self.lines[0];
        let all_numbers = numbers.len() == at_ns.len();
        match what {
            What::Durations if all_numbers => {
                let unit = layout.per_s.or_else(|| unit_of_name(self.name(column))).ok_or_else(|| {
                    Flaw::whole(number, line, "the unit of the durations is not known")
                        .help("say it: --unit ms, with s, ms, us or ns")
                })?;
                Ok(Content::Durations(numbers.iter().map(|value| value / unit).collect()))
            }
            What::Gaps if all_numbers => {
                let mut at: i64 = 0;
                at_ns.iter_mut().for_each(|gap| {
                    at = at.saturating_add(*gap);
                    *gap = at;
                });
                notes.push("the numbers are the times between requests".to_owned());
                Ok(Content::Moments(Moments { at_ns, dated: false, notes }))
            }
            What::Values(_) => {
                Err(Flaw::whole(number, line, "each line has one number: there is no time beside a count"))
            }
            _ => Ok(Content::Moments(Moments { at_ns, dated, notes })),
        }
    }

    /// The one field of a line that counts, and the same with a decimal point.
    fn single(
        &self,
        layout: &Layout,
        number: u64,
        line: &'t str,
        column: usize,
    ) -> Result<(&'t str, String), Flaw> {
        // With a decimal comma the whole line is one number.
        let comma =
            self.separator == Some(',') && self.width == 2 && layout.what.is_some() && self.header.is_none();
        if comma {
            return Ok((line, point(line, Some(';'))));
        }
        let field = self.fields(number, line)?[column];
        Ok((field, point(field, self.separator)))
    }

    /// The column that a user names, by its name or by its number from 1.
    fn find(&self, asked: &str) -> Option<usize> {
        let by_name = (0..self.width).find(|column| self.name(*column) == asked.to_lowercase());
        by_name.or_else(|| asked.parse::<usize>().ok()?.checked_sub(1)).filter(|column| *column < self.width)
    }

    /// What the name of a column, or dates in it, say about its numbers.
    fn told_by_name(&self, column: usize, dated: bool) -> Option<What> {
        let name = self.name(column);
        let has = |pieces: &[&str]| pieces.iter().any(|piece| name.contains(piece));
        match name {
            _ if has(&DURATIONS) => Some(What::Durations),
            _ if has(&["gap", "interarrival", "interval"]) => Some(What::Gaps),
            _ if TIMES.contains(&name) || dated => Some(What::Moments),
            _ => None,
        }
    }

    /// Whether numbers are moments. They rise, apart from a few that a log writes late.
    fn guess(&self, at_ns: &[i64]) -> Result<What, Flaw> {
        let falls: Vec<usize> = (1..at_ns.len()).filter(|index| at_ns[*index] < at_ns[index - 1]).collect();
        if falls.len() * 20 <= at_ns.len() {
            return Ok(What::Moments);
        }
        let (number, line) = self.lines[falls[0]];
        let message = format!(
            "the numbers fall in {} of {} lines: they may be times between requests, durations, or moments out of order",
            falls.len(),
            at_ns.len()
        );
        Err(Flaw::whole(number, line, message).help("--as gaps, --as durations or --as moments decides"))
    }
}

#[cfg(test)]
mod tests;
