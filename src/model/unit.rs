//! `Unit`: the base unit of a figure, in which bounds on it are kept.

/// The base unit of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// A share, 0 to 1.
    Share,
    /// Events a second.
    PerSecond,
    /// A plain number.
    Count,
    /// US dollars.
    Usd,
}
