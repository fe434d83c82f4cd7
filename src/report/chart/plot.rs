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

/// A part of the x axis in which a fault lasted.
#[derive(Clone, Debug, PartialEq)]
pub struct Shade {
    /// Its left end.
    pub from: f64,
    /// Its right end.
    pub to: f64,
    /// The fault.
    pub label: String,
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
}

impl Axis {
    /// A linear axis that ends at the highest value.
    #[must_use]
    pub fn linear(label: impl Into<String>, unit: Unit) -> Axis {
        Axis { label: label.into(), unit, scale: Scale::Linear, reach: None }
    }

    /// A logarithmic axis.
    #[must_use]
    pub fn log(label: impl Into<String>, unit: Unit) -> Axis {
        Axis { label: label.into(), unit, scale: Scale::Log, reach: None }
    }
}

/// The format of the numbers at an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Plain numbers, with k and M.
    Count,
    /// Milliseconds, shown as µs, ms or s.
    Ms,
    /// Seconds, shown without a unit, because the label has it.
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
    /// A table with these headers and rows.
    #[must_use]
    pub fn new<S: Into<String>>(header: impl IntoIterator<Item = S>, rows: Vec<Vec<String>>) -> Table {
        Table { header: header.into_iter().map(Into::into).collect(), rows }
    }
}
