//! The expression language of expectations, objectives and regressions: "p99(response.read) < 200ms".

mod direction;
mod gauges;
mod helps;
mod names;
mod parser;

use std::error::Error;
use std::fmt;
use std::ops::Range;

use crate::kernel::time::SimDuration;
use crate::model::gauge::Gauge;
use crate::model::quantity::{Duration, Rate, Share};

pub use crate::model::unit::{Better, Unit};

pub use names::{ComponentName, Names};
pub use parser::{
    parse, parse_fail_on, parse_metric, parse_metrics, parse_near, parse_slo, parse_span_of_time,
};

/// A statistic of the response times of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stat {
    /// Arithmetic mean.
    Mean,
    /// Median.
    P50,
    /// 90th percentile.
    P90,
    /// 95th percentile.
    P95,
    /// 99th percentile.
    P99,
    /// 99.9th percentile.
    P999,
    /// The longest.
    Max,
}

impl Stat {
    /// What the name of a gauge alone stands for: its mean, or of some its highest value.
    #[must_use]
    pub fn usual(gauge: &Gauge) -> Stat {
        if gauge.is_highest { Stat::Max } else { Stat::Mean }
    }

    /// The share of the times on the rarer side of a percentile; `None` for mean and maximum.
    #[must_use]
    pub fn tail(self) -> Option<f64> {
        match self {
            Stat::Mean | Stat::Max => None,
            Stat::P50 => Some(0.5),
            Stat::P90 => Some(0.1),
            Stat::P95 => Some(0.05),
            Stat::P99 => Some(0.01),
            Stat::P999 => Some(0.001),
        }
    }
}

/// Every statistic by its name in expressions.
const STATS: [(&str, Stat); 7] = [
    ("mean", Stat::Mean),
    ("p50", Stat::P50),
    ("p90", Stat::P90),
    ("p95", Stat::P95),
    ("p99", Stat::P99),
    ("p999", Stat::P999),
    ("max", Stat::Max),
];

/// A figure of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Response time of a class of requests, or of all: `p99(response.read)`.
    Response {
        /// The statistic.
        stat: Stat,
        /// The class; `None` for all requests together.
        class: Option<String>,
    },
    /// Share of requests that end well, of a class or of all: `availability`, `availability.read`.
    Availability(Option<String>),
    /// Share of requests that do not end well: `error_rate`, `error_rate.read`.
    ErrorRate(Option<String>),
    /// Requests that end, per second.
    Throughput,
    /// Requests that end well and in time, per second.
    Goodput,
    /// Busy share of a component's cores: `utilisation(web)`.
    Utilisation(String),
    /// Calls that wait at a component: `queue_len(web)`.
    QueueLen(String),
    /// Time by which replicas are behind their primary.
    Lag,
    /// Acknowledged writes that a failover lost.
    LostWrites,
    /// Acknowledged writes that lost against concurrent writes to the same data.
    ConflictingWrites,
    /// Share of reads that saw old data.
    StaleReadShare,
    /// Recovery time: how long the outage lasted.
    Rto,
    /// Recovery point: the length of time whose writes were lost.
    Rpo,
    /// Probability that the service does not come back after a fault or a spike.
    CollapseProbability,
    /// Price of all machines, USD an hour.
    CostPerHour,
    /// Price of a million requests, USD.
    CostPerMillion,
    /// What only one kind of box counts or measures: `retries(lb)`, `max(pool_wait(web))`.
    Gauge {
        /// Which figure.
        gauge: Gauge,
        /// The component; of a group, all its members.
        of: String,
        /// The mean, or the highest where the gauge has one.
        stat: Stat,
    },
}

/// Metrics that are a single word.
const PLAIN: [(&str, Metric); 11] = [
    ("throughput", Metric::Throughput),
    ("goodput", Metric::Goodput),
    ("lag", Metric::Lag),
    ("lost_writes", Metric::LostWrites),
    ("conflicting_writes", Metric::ConflictingWrites),
    ("stale_read_share", Metric::StaleReadShare),
    ("rto", Metric::Rto),
    ("rpo", Metric::Rpo),
    ("collapse_probability", Metric::CollapseProbability),
    ("cost_per_hour", Metric::CostPerHour),
    ("cost_per_million", Metric::CostPerMillion),
];

/// The names of metrics that stand before `(`, `.` or a comparison, without those of single kinds of boxes.
pub fn words() -> impl Iterator<Item = &'static str> {
    let compound = ["availability", "error_rate", "errors", "utilisation", "queue_len"];
    STATS.iter().map(|(name, _)| *name).chain(compound).chain(PLAIN.iter().map(|(name, _)| *name))
}

impl Metric {
    /// Whether it is a figure of replicated or acknowledged data, which only some boxes have.
    #[must_use]
    pub fn is_of_data(&self) -> bool {
        matches!(
            self,
            Metric::Lag
                | Metric::LostWrites
                | Metric::ConflictingWrites
                | Metric::StaleReadShare
                | Metric::Rto
                | Metric::Rpo
        )
    }

    /// The unit in which a bound on this metric is kept.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Metric::Response { .. } | Metric::Lag | Metric::Rto | Metric::Rpo => Unit::Seconds,
            Metric::Availability(_)
            | Metric::ErrorRate(_)
            | Metric::Utilisation(_)
            | Metric::StaleReadShare
            | Metric::CollapseProbability => Unit::Share,
            Metric::Throughput | Metric::Goodput => Unit::PerSecond,
            Metric::QueueLen(_) | Metric::LostWrites | Metric::ConflictingWrites => Unit::Count,
            Metric::CostPerHour | Metric::CostPerMillion => Unit::Usd,
            Metric::Gauge { gauge, .. } => gauge.unit,
        }
    }
}

/// How a metric is compared with its bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

/// All comparisons; those of two characters first, so that `<=` is not read as `<`.
const COMPARISONS: [(&str, Comparison); 4] =
    [("<=", Comparison::Le), (">=", Comparison::Ge), ("<", Comparison::Lt), (">", Comparison::Gt)];

/// An expectation of a result: `p99(response) < 300ms`.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// What is measured.
    pub metric: Metric,
    /// How it is compared.
    pub comparison: Comparison,
    /// The bound that it is compared with, in the metric's base unit ([`Metric::unit`]).
    pub bound: f64,
}

/// The surroundings of a value: `9.6s ± 0.2s`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// The value, in the metric's base unit ([`Metric::unit`]).
    pub value: f64,
    /// How far from it a measured value may be, in the same unit; above 0.
    pub tolerance: f64,
}

impl Near {
    /// That a metric is above the lower end, and that it is below the upper end.
    #[must_use]
    pub fn claims(self, metric: &Metric) -> [Expectation; 2] {
        let claim = |comparison, bound| Expectation { metric: metric.clone(), comparison, bound };
        [
            claim(Comparison::Gt, self.value - self.tolerance),
            claim(Comparison::Lt, self.value + self.tolerance),
        ]
    }
}

impl Expectation {
    /// Whether a value in the base unit meets the bound.
    #[must_use]
    pub fn holds_for(&self, value: f64) -> bool {
        match self.comparison {
            Comparison::Lt => value < self.bound,
            Comparison::Le => value <= self.bound,
            Comparison::Gt => value > self.bound,
            Comparison::Ge => value >= self.bound,
        }
    }
}

/// How much worse than a baseline a result may be: `p99(response) +5%`.
#[derive(Clone, Debug, PartialEq)]
pub struct Regression {
    /// What is measured.
    pub metric: Metric,
    /// The least relative change that is too much, never zero: 0.05 means a rise of 5 %, -0.05 a fall of 5 %.
    pub change: f64,
}

/// The reason why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// The bytes of the text that are wrong; an empty range at the end if something is missing.
    pub span: Range<usize>,
    /// What is wrong: one line, lower case, without a full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
}

impl fmt::Display for ExpressionError {
    /// Message and help on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}

impl Error for ExpressionError {}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |class: &Option<String>| class.as_ref().map_or(String::new(), |class| format!(".{class}"));
        match self {
            Metric::Response { stat, class } => {
                let (name, _) =
                    STATS.iter().find(|(_, known)| known == stat).expect("every figure has a name");
                write!(f, "{name}(response{})", of(class))
            }
            Metric::Availability(class) => write!(f, "availability{}", of(class)),
            Metric::ErrorRate(class) => write!(f, "error_rate{}", of(class)),
            Metric::Utilisation(component) => write!(f, "utilisation({component})"),
            Metric::QueueLen(component) => write!(f, "queue_len({component})"),
            Metric::Gauge { gauge, of, stat } => match stat {
                stat if *stat == Stat::usual(gauge) => write!(f, "{}({of})", gauge.name),
                Stat::Max => write!(f, "max({}({of}))", gauge.name),
                _ => write!(f, "mean({}({of}))", gauge.name),
            },
            plain => {
                let (name, _) =
                    PLAIN.iter().find(|(_, known)| known == plain).expect("every metric has a name");
                f.write_str(name)
            }
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, _) =
            COMPARISONS.iter().find(|(_, known)| known == self).expect("every comparison has a sign");
        f.write_str(sign)
    }
}

impl fmt::Display for Expectation {
    /// The expression itself, without abbreviations: it can be read back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.metric, self.comparison)?;
        match self.metric.unit() {
            Unit::Seconds => {
                let time =
                    SimDuration::try_from_secs_f64(self.bound).expect("a bound was read as a duration");
                write!(f, "{}", Duration(time))
            }
            Unit::Share => write!(f, "{}", Share(self.bound)),
            Unit::PerSecond => write!(f, "{}", Rate(self.bound)),
            Unit::Count => write!(f, "{}", self.bound),
            Unit::Usd => write!(f, "${}", self.bound),
        }
    }
}

impl fmt::Display for Regression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded, because 0.07 * 100 is not exactly 7.
        write!(f, "{} {:+}%", self.metric, (self.change * 1e12).round() / 1e10)
    }
}
