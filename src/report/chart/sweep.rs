//! The charts of `sweep`: the metrics that were asked for, or throughput, p99 and the first goal that moves, against a numeric key, one line for each combination of the other keys;
//! bars if no key is numeric.

use std::collections::BTreeMap;

use super::super::number::{in_unit, seconds, time_ms};
use super::super::sweep::{Column, Points, measured, moves_at_all, same};
use super::super::table::Row;
use super::load::{Design, table};
use super::plot::{Axis, Bar, Bars, Body, Chart, Curve, Lines, Panel, Point, Scale, Table, Unit};
use super::{brief, briefs, rounded, three};
use crate::experiment::sweep::Grid;

/// Largest number of lines; each needs a colour of its own.
const LINES_MAX: usize = 7;

/// Largest number of bars that a reader can take in.
const BARS_MAX: usize = 40;

/// Ratio of the last to the first value from which an axis is logarithmic; on a linear one the low values would
/// overlap.
const LOG_FROM: f64 = 50.0;

/// The charts of the points that are finished.
///
/// # Errors
/// The reason why there is no chart: too many lines or bars.
pub fn of_sweep(points: &Points<'_>) -> Result<Vec<Chart>, String> {
    let Points { grid, rows, columns } = *points;
    let across = across(grid);
    let count = across.as_ref().map_or(grid.points(), |across| grid.points() / across.values.len());
    let (most, what) = if across.is_some() { (LINES_MAX, "lines") } else { (BARS_MAX, "bars") };
    if count > most {
        return Err(format!(
            "there is no chart: it would have {count} {what}, and more than {most} cannot be told apart; the table has all"
        ));
    }
    let sweep = Sweep { grid, rows, across };
    if columns.asked {
        return Ok(columns.all.iter().filter_map(|column| sweep.metric(column)).collect());
    }
    let goal = columns.all.iter().find(|column| {
        let is_drawn = ["throughput", "p99(response)"].contains(&column.name.as_str());
        column.goal && !is_drawn && moves_at_all(points, column)
    });
    let goal = goal.and_then(|column| sweep.metric(column));
    Ok([goal, sweep.throughput(), sweep.latency()].into_iter().flatten().collect())
}

/// The values at a point of the keys that have several, as in `users.rate=50/s, web.count=2`.
#[must_use]
pub fn place(grid: &Grid, point: usize) -> String {
    joined(grid, point, None, |key| key)
}

/// Keys and values of a point, except those of axis `but`.
fn joined(grid: &Grid, point: usize, but: Option<usize>, name: impl Fn(&str) -> &str) -> String {
    let each = grid.overrides(point).into_iter().enumerate();
    let told = each.filter(|(at, _)| Some(*at) != but && grid.axes()[*at].values.len() > 1);
    let one = |(_, (key, value)): (usize, (String, String))| {
        format!("{}={}", name(&key), value.trim().trim_matches('"'))
    };
    told.map(one).collect::<Vec<_>>().join(", ")
}

/// Largest whole number on an axis with ticks only at the values that were run.
const COUNT_MAX: f64 = 50.0;

/// Ratio of the greatest and the least value from which on an axis of times is logarithmic.
const TIMES_LOG_FROM: f64 = 3.0;

/// The key on the x axis.
struct Across {
    /// Index of its axis in the grid.
    at: usize,
    unit: &'static str,
    values: Vec<f64>,
}

/// The numeric key with the most values; the first of several with equally many.
fn across(grid: &Grid) -> Option<Across> {
    let numeric = grid.axes().iter().enumerate().filter(|(_, axis)| axis.values.len() > 1);
    let numeric = numeric.filter_map(|(at, axis)| {
        let (unit, values) = measured(&axis.values)?;
        Some(Across { at, unit, values })
    });
    numeric.reduce(|best, next| if next.values.len() > best.values.len() { next } else { best })
}

struct Sweep<'a> {
    grid: &'a Grid,
    rows: &'a BTreeMap<usize, Row>,
    across: Option<Across>,
}

/// The content of one of the two charts.
struct Shown {
    name: String,
    y: Axis,
    /// The unit of the metric in words, as in [`in_unit`].
    unit: String,
    title: String,
    subtitle: String,
    points: Vec<(usize, Point)>,
}

impl Sweep<'_> {
    fn throughput(&self) -> Option<Chart> {
        let points = self.points("throughput_rps", |_| true);
        let title = match self.ends(&points)? {
            (least, most) if three(least.1) == three(most.1) => {
                format!("{} requests a second come through", three(most.1))
            }
            (least, most) => format!(
                "{} requests a second come through at {}, {} at {}",
                three(least.1),
                least.0,
                three(most.1),
                most.0
            ),
        };
        Some(self.chart(Shown {
            name: "throughput".into(),
            y: Axis::linear("requests a second", Unit::Count),
            unit: "count".into(),
            title,
            subtitle: "requests that end ok a second".into(),
            points,
        }))
    }

    fn latency(&self) -> Option<Chart> {
        let points = self.points("response_ms_p99", |row| row.get("steady_state") == Some(&true.into()));
        let title = match self.ends(&points)? {
            (least, most) if brief(least.1) == brief(most.1) => format!("p99 is {}", brief(most.1)),
            (least, most) => {
                let told = briefs(&[least.1, most.1]);
                format!("p99 is {} at {}, {} at {}", told[0], least.0, told[1], most.0)
            }
        };
        let label = "p99 of the response time";
        // A logarithmic axis without two ticks tells nothing.
        let is_wide = self.ends(&points).is_some_and(|(least, most)| most.1 >= TIMES_LOG_FROM * least.1);
        let is_log = self.across.is_some() && is_wide;
        let y = if is_log { Axis::log(label, Unit::Ms) } else { Axis::linear(label, Unit::Ms) };
        let left_out = points.iter().filter(|(_, point)| !point.y.is_finite()).count();
        let mut subtitle = label.to_owned();
        if left_out > 0 {
            subtitle += &format!(
                "; {left_out} of {} points are left out: they have no steady state, or too few requests beyond p99",
                points.len()
            );
        }
        Some(self.chart(Shown { name: "latency".into(), y, unit: "ms".into(), title, subtitle, points }))
    }

    /// A metric by its expression; `None` if no point has it.
    fn metric(&self, column: &Column) -> Option<Chart> {
        let is_time = column.name.contains("(response");
        let mut points =
            self.points(&column.name, |row| !is_time || row.get("steady_state") == Some(&true.into()));
        let (scale, unit, axis) = match column.unit.as_str() {
            "s" => (1e3, "ms", Unit::Ms),
            "share" => (1.0, "share", Unit::Share),
            "usd" => (1.0, "usd", Unit::Usd),
            other => (1.0, other, Unit::Count),
        };
        for (_, point) in &mut points {
            (point.y, point.low, point.high) = (scale * point.y, scale * point.low, scale * point.high);
        }
        let told = |value: f64| if unit == "ms" { brief(value) } else { in_unit(rounded(value), None, unit) };
        let name = &column.name;
        let title = match self.ends(&points)? {
            (least, most) if told(least.1) == told(most.1) => format!("{name} is {}", told(most.1)),
            (least, most) => {
                format!("{name} is {} at {}, {} at {}", told(least.1), least.0, told(most.1), most.0)
            }
        };
        // A name that any file system takes.
        let file: String = name.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        Some(self.chart(Shown {
            name: file.trim_matches('-').to_owned(),
            y: Axis::linear(name, axis),
            unit: unit.into(),
            title,
            subtitle: name.clone(),
            points,
        }))
    }

    /// A metric at every point; not finite where it is unknown or meaningless.
    fn points(&self, metric: &str, means: impl Fn(&Row) -> bool) -> Vec<(usize, Point)> {
        let one = |(&number, row): (&usize, &Row)| {
            let cell = |end: &str| row.get(&format!("{metric}{end}")).and_then(serde_json::Value::as_f64);
            let x =
                self.across.as_ref().map_or(0.0, |across| across.values[self.grid.place(number)[across.at]]);
            let y = cell("").filter(|_| means(row)).unwrap_or(f64::NAN);
            // A meaningless value has no interval.
            let end = |end: &str| if y.is_finite() { cell(end).unwrap_or(y) } else { y };
            (number, Point { x, y, low: end("_low"), high: end("_high") })
        };
        self.rows.iter().map(one).collect()
    }

    /// The position of the smallest and of the greatest value, with the values.
    fn ends(&self, points: &[(usize, Point)]) -> Option<((String, f64), (String, f64))> {
        let known = || points.iter().filter(|(_, point)| point.y.is_finite());
        let told = |(number, point): &(usize, Point)| (place(self.grid, *number), point.y);
        let least = known().min_by(|a, b| a.1.y.total_cmp(&b.1.y))?;
        let most = known().max_by(|a, b| a.1.y.total_cmp(&b.1.y))?;
        Some((told(least), told(most)))
    }

    fn chart(&self, shown: Shown) -> Chart {
        let subtitle = [shown.subtitle.clone(), self.about()].concat();
        match &self.across {
            Some(across) => self.lines(across, shown, subtitle),
            None => self.bars(shown, subtitle),
        }
    }

    /// How it was measured, as far as that is the same at all points.
    fn about(&self) -> String {
        let trials = same(self.rows, "trials").and_then(serde_json::Value::as_u64);
        let length = same(self.rows, "duration_s").and_then(serde_json::Value::as_f64);
        let measured = match (trials, length) {
            (Some(trials), Some(length)) => {
                let plural = if trials == 1 { "trial" } else { "trials" };
                format!("; {trials} {plural} of {}", seconds(length))
            }
            _ => String::new(),
        };
        let sign = if self.across.is_some() { "band" } else { "whisker" };
        format!("{measured}; {sign} = 95 % confidence interval")
    }

    fn lines(&self, across: &Across, shown: Shown, subtitle: String) -> Chart {
        let mut lines: BTreeMap<usize, Design> = BTreeMap::new();
        for (number, point) in &shown.points {
            // The name of a line comes from its first point.
            let mut at = self.grid.place(*number);
            at[across.at] = 0;
            let first =
                at.iter().zip(self.grid.axes()).fold(0, |sum, (at, axis)| sum * axis.values.len() + at);
            let line = lines
                .entry(first)
                .or_insert_with(|| Design { label: self.line(*number, across), ..Design::default() });
            line.throughput.push(*point);
        }
        let mut lines: Vec<Design> = lines.into_values().collect();
        for line in &mut lines {
            line.throughput.sort_by(|a, b| a.x.total_cmp(&b.x));
        }
        let x = self.x_axis(across);
        let curve = |(colour, line): (usize, &Design)| Curve {
            label: line.label.clone(),
            colour: Some(colour),
            dots: line.throughput.len() <= 30,
            points: line.throughput.clone(),
            ..Curve::default()
        };
        let curves = lines.iter().enumerate().map(curve).collect();
        Chart {
            name: shown.name,
            alt: format!("Lines against {}. {}.", x.label, shown.title),
            title: shown.title,
            subtitle,
            table: table(&x.label, &lines, |line| &line.throughput),
            body: Body::Lines(Lines::new(x, vec![Panel::new(shown.y, 320.0, curves)])),
        }
    }

    /// The name of the line of a point: the other keys without their boxes, unless two names would be equal.
    fn line(&self, number: usize, across: &Across) -> String {
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
        let names: Vec<String> = self.grid.axes().iter().map(|axis| last(&axis.key)).collect();
        let is_told_apart = names.iter().enumerate().all(|(at, name)| !names[..at].contains(name));
        joined(self.grid, number, Some(across.at), |key| match key.rsplit_once('.') {
            Some((_, last)) if is_told_apart => last,
            _ => key,
        })
    }

    fn x_axis(&self, across: &Across) -> Axis {
        let key = &self.grid.axes()[across.at].key;
        let (label, unit) = match across.unit {
            "share" => (key.clone(), Unit::Share),
            "per_s" => (format!("{key} (1/s)"), Unit::Count),
            "" => (key.clone(), Unit::Count),
            unit => (format!("{key} ({unit})"), Unit::Count),
        };
        let least = across.values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = across.values.iter().copied().fold(0.0, f64::max);
        let is_wide = least > 0.0 && most / least >= LOG_FROM;
        // Between whole numbers there is nothing: an axis of counts has ticks only where something was run.
        let is_count = across.unit.is_empty()
            && across.values.iter().all(|value| value.fract() == 0.0 && *value <= COUNT_MAX);
        if is_count && !is_wide {
            let mut at = across.values.clone();
            at.sort_by(f64::total_cmp);
            return Axis { scale: Scale::Span, at, ..Axis::linear(label, unit) };
        }
        Axis { scale: if is_wide { Scale::Log } else { Scale::Linear }, ..Axis::linear(label, unit) }
    }

    fn bars(&self, shown: Shown, subtitle: String) -> Chart {
        let known = || shown.points.iter().filter(|(_, point)| point.y.is_finite());
        let note = |point: &Point| {
            let is_known = point.low < point.high;
            let half = is_known.then_some((point.high - point.low) / 2.0);
            if shown.unit == "ms" { time_ms(point.y, half) } else { in_unit(point.y, half, &shown.unit) }
        };
        let label = |number: usize| match place(self.grid, number) {
            nothing if nothing.is_empty() => "the only point".to_owned(),
            place => place,
        };
        let bar = |(number, point): &(usize, Point)| Bar {
            label: label(*number),
            parts: vec![(point.y, 0)],
            interval: (point.low < point.high).then_some((point.low, point.high)),
            note: note(point),
        };
        let cells = |(number, point): &(usize, Point)| vec![label(*number), note(point)];
        Chart {
            name: shown.name.clone(),
            alt: format!("Bars, one a point. {}.", shown.title),
            title: shown.title.clone(),
            subtitle,
            table: Table::new(["point", &shown.y.label], known().map(cells).collect()),
            body: Body::Bars(Bars {
                axis: shown.y.clone(),
                rows: known().map(bar).collect(),
                legend: Vec::new(),
            }),
        }
    }
}
