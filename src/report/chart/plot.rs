//! The abstract figure: what a chart says, before anything is known of pixels.

/// One chart: a finding, the picture that shows it, and the numbers behind the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Names its files: `timeline` of `timeline.svg`.
    pub name: String,
    /// The finding, made from measured numbers.
    pub title: String,
    /// How it was measured: trials, interval, what the signs mean.
    pub subtitle: String,
    /// What a reader who does not see the picture is told.
    pub alt: String,
    /// The picture.
    pub body: Body,
    /// The numbers behind it.
    pub table: Table,
}

/// The two forms of pictures.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Lines over one axis in panels below each other.
    Lines(Lines),
    /// Lying bars, one below the other.
    Bars(Bars),
}

/// Lines over one axis in panels below each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines {
    /// The axis that all panels share.
    pub x: Axis,
    /// From top to bottom.
    pub panels: Vec<Panel>,
    /// Parts of the x axis that are shaded.
    pub shades: Vec<Shade>,
}

/// One of the panels.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Its own axis.
    pub y: Axis,
    /// Height in pixels.
    pub height: f64,
    /// What is drawn in it; the first ones lie below the others.
    pub curves: Vec<Curve>,
    /// Slope of the line of what would be ideal.
    pub ideal: Option<f64>,
}

/// A line and its band.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// Stands at its end.
    pub label: String,
    /// Which colour: equal numbers are the same thing in all charts of a report. `None` is the grey of what is only
    /// there to compare with.
    pub colour: Option<usize>,
    /// Sorted by x. A y that is not finite is a gap.
    pub points: Vec<Point>,
    /// Whether each point has a dot.
    pub dots: bool,
    /// The point that has a ring.
    pub knee: Option<usize>,
}

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// Where.
    pub x: f64,
    /// The value.
    pub y: f64,
    /// Lower end of the interval; `y` where there is none.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Point {
    /// A value without an interval.
    #[must_use]
    pub const fn bare(x: f64, y: f64) -> Point {
        Point { x, y, low: y, high: y }
    }
}

/// A part of the x axis in which something was the matter.
#[derive(Clone, Debug, PartialEq)]
pub struct Shade {
    /// Its begin.
    pub from: f64,
    /// Its end.
    pub to: f64,
    /// What it was.
    pub label: String,
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What it shows, with the unit.
    pub label: String,
    /// How its ticks are written.
    pub unit: Unit,
    /// How values become places.
    pub scale: Scale,
    /// A value that the axis must reach.
    pub reach: Option<f64>,
}

impl Axis {
    /// A linear axis that reaches as far as the values.
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

/// How the numbers at an axis are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// As they are, with k and M.
    Count,
    /// Milliseconds, as µs, ms or s.
    Ms,
    /// Seconds, without a unit: the label has it.
    Seconds,
    /// A share of 0..1 in per cent.
    Share,
    /// US dollars.
    Usd,
}

/// How values become places on an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// From 0 in proportion.
    Linear,
    /// In proportion, from the first to the last value.
    Span,
    /// By the logarithm.
    Log,
    /// Shares by the number of their nines: 90 %, 99 %, 99.9 % are equally far from each other.
    Nines,
}

/// Lying bars, one below the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Bars {
    /// What their length is.
    pub axis: Axis,
    /// From top to bottom.
    pub rows: Vec<Bar>,
    /// Names of the colours; empty where all bars are of one kind.
    pub legend: Vec<(String, usize)>,
}

/// One bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// Stands before it.
    pub label: String,
    /// Its parts from left to right: length and colour.
    pub parts: Vec<(f64, usize)>,
    /// The 95 % interval of its end.
    pub interval: Option<(f64, f64)>,
    /// Stands behind it.
    pub note: String,
}

/// The numbers behind a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Heads of the columns.
    pub header: Vec<String>,
    /// As many cells in each.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// A table of these columns.
    #[must_use]
    pub fn new<S: Into<String>>(header: impl IntoIterator<Item = S>, rows: Vec<Vec<String>>) -> Table {
        Table { header: header.into_iter().map(Into::into).collect(), rows }
    }
}
