//! The abstract figure: what a chart shows, without pixels.

/// One chart: a finding, the picture that shows it, and the numbers behind the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// The name of its files without extension: `timeline` for `timeline.svg`.
    pub name: String,
    /// The finding, made from measured numbers.
    pub title: String,
    /// How the values were measured: trials, interval, meaning of the signs.
    pub subtitle: String,
    /// The text for readers who do not see the picture.
    pub alt: String,
    /// The picture.
    pub body: Body,
    /// The numbers behind it.
    pub table: Table,
}

/// The two kinds of picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Lines over a common x axis, in panels one below the other.
    Lines(Lines),
    /// Horizontal bars, one below the other.
    Bars(Bars),
}

/// Lines over a common x axis, in panels one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// The axis that all panels share.
    pub x: Axis,
    /// The panels, from top to bottom.
    pub panels: Vec<Panel>,
    /// Shaded parts of the x axis.
    pub shades: Vec<Shade>,
    /// Events on the x axis.
    pub events: Vec<Event>,
}

/// A panel.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Its y axis.
    pub y: Axis,
    /// Height in pixels.
    pub height: f64,
    /// The curves. Later ones are drawn over earlier ones.
    pub curves: Vec<Curve>,
    /// Slope of the line of the ideal, if it is drawn.
    pub ideal: Option<f64>,
    /// Values that were to be kept.
    pub goals: Vec<Goal>,
}

/// A value that was to be kept: a level line with its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The value on the y axis.
    pub value: f64,
    /// The part of the x axis to which it applies; all of it if `None`.
    pub part: Option<(f64, f64)>,
    /// The goal as it was written.
    pub label: String,
    /// Whether it was missed.
    pub missed: bool,
}

/// Something that happened at one place of the x axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The place.
    pub at: f64,
    /// What happened, with its time.
    pub label: String,
}

/// A line and its band.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// The text at the end of the line.
    pub label: String,
    /// Index of the colour. Equal indices mean the same thing in all charts of a report. `None` is grey, for lines that
    /// are only for comparison.
    pub colour: Option<usize>,
    /// The points, sorted by x. A y that is not finite is a gap.
    pub points: Vec<Point>,
    /// Whether each point gets a dot.
    pub dots: bool,
    /// Index of the point that gets a ring.
    pub knee: Option<usize>,
    /// Texts at the points, as far as there is room; empty without any.
    pub texts: Vec<String>,
    /// Whether the intervals are bars at the points rather than a band.
    pub bars: bool,
}

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// The position on the x axis.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Lower end of the interval; `y` without one.
    pub low: f64,
    /// Upper end of the interval; `y` without one.
    pub high: f64,
}

impl Point {
    /// A point without an interval.
    #[must_use]
    pub const fn bare(x: f64, y: f64) -> Point {
        Point { x, y, low: y, high: y }
    }
}

/// A part of the x axis in which a fault lasted, or which is not measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Shade {
    /// Its left end.
    pub from: f64,
    /// Its right end.
    pub to: f64,
    /// The fault, or why it is not measured.
    pub label: String,
    /// Whether it is a fault; the rest is grey.
    pub is_fault: bool,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The label, with the unit.
    pub label: String,
    /// The format of the numbers at its ticks.
    pub unit: Unit,
    /// How values are mapped to positions.
    pub scale: Scale,
    /// A value that the axis must include.
    pub reach: Option<f64>,
    /// The only values with ticks, as far as there is room; empty for round values.
    pub at: Vec<f64>,
}

impl Panel {
    /// A panel without an ideal and without goals.
    #[must_use]
    pub const fn new(y: Axis, height: f64, curves: Vec<Curve>) -> Panel {
        Panel { y, height, curves, ideal: None, goals: Vec::new() }
    }
}

impl Lines {
    /// Panels without shades and events.
    #[must_use]
    pub const fn new(x: Axis, panels: Vec<Panel>) -> Lines {
        Lines { x, panels, shades: Vec::new(), events: Vec::new() }
    }
}

impl Axis {
    /// A linear axis that ends at the highest value.
    #[must_use]
    pub fn linear(label: impl Into<String>, unit: Unit) -> Axis {
        Axis { label: label.into(), unit, scale: Scale::Linear, reach: None, at: Vec::new() }
    }

    /// A logarithmic axis.
    #[must_use]
    pub fn log(label: impl Into<String>, unit: Unit) -> Axis {
        Axis {
            label: format!("{} (log)", label.into()),
            unit,
            scale: Scale::Log,
            reach: None,
            at: Vec::new(),
        }
    }
}

/// The format of the numbers at an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Plain numbers, with k and M.
    Count,
    /// Milliseconds, shown as µs, ms or s.
    Ms,
    /// Seconds, shown without a unit, because the label has it; as minutes and seconds where there are many.
    Seconds,
    /// A share of 0..1, shown in per cent.
    Share,
    /// US dollars.
    Usd,
}

/// How values are mapped to positions on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Linear from 0.
    Linear,
    /// Linear from the first to the last value.
    Span,
    /// Logarithmic.
    Log,
    /// By the number of nines of a share: 90 %, 99 % and 99.9 % have equal distances.
    Nines,
}

/// Horizontal bars, one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// The axis of their length.
    pub axis: Axis,
    /// The bars, from top to bottom.
    pub rows: Vec<Bar>,
    /// Names of the colours; empty if all bars have the same meaning.
    pub legend: Vec<(String, usize)>,
}

/// One bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// The text before it.
    pub label: String,
    /// Its parts from left to right: length and index of the colour.
    pub parts: Vec<(f64, usize)>,
    /// The 95 % interval of its total length.
    pub interval: Option<(f64, f64)>,
    /// The text behind it.
    pub note: String,
}

/// The numbers behind a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Headers of the columns.
    pub header: Vec<String>,
    /// The rows, each with one cell for each column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// Whether a column holds words: one of its cells begins with a letter.
    #[must_use]
    pub fn is_text(&self, column: &usize) -> bool {
        let begins = |cell: &String| cell.chars().next().is_some_and(char::is_alphabetic);
        self.rows
            .iter()
            .filter_map(|row| row.get(*column))
            .any(|cell| begins(cell) && !cell.starts_with("USD "))
    }

    /// A table with these headers and rows.
    #[must_use]
    pub fn new<S: Into<String>>(header: impl IntoIterator<Item = S>, rows: Vec<Vec<String>>) -> Table {
        Table { header: header.into_iter().map(Into::into).collect(), rows }
    }
}
