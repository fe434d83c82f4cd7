//! `Level`: the bound of a goal as a level line over time, for charts.

use crate::scenario::Window;
use crate::scenario::expression::{Expectation, Metric, Stat};

/// A bound as a level line over time.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// The column of the series that it bounds: `p99_ms`.
    pub column: &'static str,
    /// The bound, in the unit of the column.
    pub value: f64,
    /// The part of the time that counts, in seconds since the start of the trial; all of it if `None`.
    pub part: Option<(f64, f64)>,
}

impl Level {
    /// The bound as a line over time; `None` for a metric that is not one of the series.
    pub(super) fn of(that: &Expectation, window: Option<&Window>) -> Option<Level> {
        let (column, unit) = match &that.metric {
            Metric::Response { stat: Stat::P99, class: None } => ("p99_ms", 1000.0),
            Metric::Response { stat: Stat::Mean, class: None } => ("response_ms", 1000.0),
            Metric::Lag => ("lag_ms", 1000.0),
            Metric::Throughput => ("throughput_rps", 1.0),
            _ => return None,
        };
        let during = window.and_then(|window| window.part.during);
        let part = during.map(|(from, to)| (from.as_secs_f64(), to.as_secs_f64()));
        Some(Level { column, value: unit * that.bound, part })
    }
}
