//! `Rule`: what an alert of a monitor demands of figures of other boxes, once the loader has read its text; and `AlertText`, the
//! text that it reads.

use super::gauge::Gauge;
use super::unit::Unit;

/// What a box that watches others says about one of its alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertText<'a> {
    /// The key of its table, relative to the box: `alert[0]`.
    pub key: String,
    /// The condition: `error_rate > 1%`.
    pub on: &'a str,
    /// The box or member of whose calls a figure of requests is; `None` for the boxes that clients ask.
    pub of: Option<&'a str>,
    /// What the alert sets going; `None` if it is only recorded.
    pub calls: Option<&'a str>,
    /// Number of samples of each member that it keeps, at most.
    pub samples: u64,
}

/// A condition on a figure that members of boxes count or measure themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The condition as it is written.
    pub text: String,
    /// The figure.
    pub figure: Figure,
    /// The boxes or members that are asked, by name.
    pub of: Vec<String>,
    /// Whether the condition holds above the bound; if not, below it.
    pub is_above: bool,
    /// Whether it holds at the bound too.
    pub holds_at_bound: bool,
    /// The bound, in the base unit of the figure.
    pub bound: f64,
    /// The unit of the figure.
    pub unit: Unit,
    /// What the alert sets going.
    pub calls: Option<Summons>,
}

/// What an alert sets going.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Summons {
    /// The operation with this place in the scenario's list.
    Operation(u32),
    /// The decision of the switch of this name.
    Switch(String),
}

/// How the name of a switch begins where an alert calls it: `switch.over`.
const SWITCH: &str = "switch.";

impl AlertText<'_> {
    /// The name of the switch that it calls, if it calls one.
    #[must_use]
    pub fn switch(&self) -> Option<&str> {
        self.calls?.strip_prefix(SWITCH)
    }
}

/// A figure that a member can tell a monitor. A class of requests is its place in the scenario's list; `None` for all classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Figure {
    /// Share of the answers that are not `ok`.
    ErrorRate(Option<u16>),
    /// Share of the answers that are `ok`.
    Availability(Option<u16>),
    /// Mean of the times from arrival to an answer `ok`.
    MeanResponse(Option<u16>),
    /// The time that this share of the answers `ok` does not exceed.
    Percentile(f64, Option<u16>),
    /// Answers `ok`, per second.
    Throughput,
    /// Share of the core time of its machine that is used.
    Utilisation,
    /// Calls that wait.
    QueueLen,
    /// What its kind counts or measures; the highest value rather than the mean of a level if the flag is set.
    Gauge(Gauge, bool),
}

impl Figure {
    /// Whether it needs the response times in buckets.
    #[must_use]
    pub fn needs_times(self) -> bool {
        matches!(self, Figure::Percentile(..))
    }
}

impl Rule {
    /// Whether a value of the figure meets the condition.
    #[must_use]
    pub fn holds_for(&self, value: f64) -> bool {
        let beyond = if self.is_above { value > self.bound } else { value < self.bound };
        beyond || self.holds_at_bound && value == self.bound
    }
}
