//! `Unit`: the base unit of a figure, in which bounds on it are kept; and `Better`: the direction in which it gets better.

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

/// The direction in which a figure gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// Less is better: a response time, a price.
    Less,
    /// More is better: an availability.
    More,
}
