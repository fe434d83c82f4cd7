//! `capacity`: the highest load at which an objective is met, as an interval, what binds there, and where all collapses.
//!
//! Method: sample average approximation for a stochastic root (Pasupathy and Kim, "The stochastic root-finding problem",
//! ACM Transactions on Modeling and Computer Simulation 21(3), 2011): every load is simulated with the same seeds, so that
//! keyed draws make the measured margin a nearly smooth function of the load, whose root ordinary bracketing finds. The
//! interval is a test inverted: from its lower end on the objective is no longer shown to be met, up to its upper end it
//! is not shown to be missed, each with the 95 % interval of the measured margin.

mod knob;
mod margin;
mod search;

use crate::model::quantity::Rate;
use crate::scenario::Scenario;
use crate::scenario::expression::Expectation;

use super::result::{Bottleneck, Figure, RunResult, ScenarioRef};
use super::runner::Progress;
pub use knob::{Knob, LoadUnit};
use margin::Margin;
use search::Search;

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.capacity/1";

/// What is asked, and how to simulate.
pub struct Question<'a> {
    /// The objective: all parts must hold.
    pub slo: &'a [Expectation],
    /// What is turned.
    pub knob: &'a Knob,
    /// Seed of all trials, at every load the same.
    pub seed: u64,
    /// Trials at each load.
    pub trials: u32,
    /// Threads; 0 for as many as there are cores.
    pub jobs: usize,
}

/// Who gives the scenarios and watches, besides [`Progress`].
pub trait Loads {
    /// What goes wrong when there is no scenario at a load.
    type Error;

    /// The scenario with these overrides.
    ///
    /// # Errors
    /// When it is refused.
    fn scenario(&self, overrides: &[(String, String)]) -> Result<Scenario, Self::Error>;

    /// A load is about to be simulated: the how-manieth, and which.
    fn trying(&self, number: usize, load: &str);
}

/// What a search has found, as the JSON of `outgrow.capacity/1`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CapacityResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Whether the search came to its end.
    pub complete: bool,
    /// What was simulated, at the load nearest to the answer.
    pub scenario: ScenarioRef,
    /// Seed of all trials.
    pub seed: u64,
    /// Trials at each load near the answer; far from it fewer are enough.
    pub trials: u32,
    /// Measured time of each trial, seconds.
    pub duration_s: f64,
    /// Time thrown away before it, seconds.
    pub warmup_s: f64,
    /// The parts of the objective.
    pub slo: Vec<String>,
    /// What was turned.
    pub load: LoadRef,
    /// How the search ended.
    pub verdict: Found,
    /// The highest load that meets the objective, in the unit of `load`.
    pub estimate: Option<f64>,
    /// Lower end of its 95 % interval: up to here it is shown to be met.
    pub low: Option<f64>,
    /// Upper end: from here on it is shown to be missed.
    pub high: Option<f64>,
    /// The part of the objective that is missed first.
    pub binding: Option<String>,
    /// The point nearest to the answer that meets the objective, if there is one.
    pub at: Option<Point>,
    /// Where the system collapses; `None` if it did not up to `tried_to`.
    pub collapse: Option<Collapse>,
    /// The highest load that was simulated.
    pub tried_to: f64,
    /// Every load that was simulated, in order.
    pub points: Vec<Point>,
    /// What else the reader must know, in sentences.
    pub notes: Vec<String>,
}

/// What was turned.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LoadRef {
    /// `users.rate`, or `all clients`.
    pub key: String,
    /// What the numbers count.
    pub unit: LoadUnit,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Found {
    /// With an answer.
    #[serde(rename = "found")]
    Found,
    /// The objective is met at the highest load that was tried.
    #[serde(rename = "met at every load")]
    MetAtEveryLoad,
    /// It is missed at the lowest load that was tried.
    #[serde(rename = "never met")]
    NeverMet,
    /// At low loads too little happens to tell.
    #[serde(rename = "not measured")]
    NotMeasured,
}

/// Where goodput no longer grows, but falls or never comes to rest.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Collapse {
    /// A load at which all is still well.
    pub low: f64,
    /// A load at which it is not.
    pub high: f64,
    /// `no steady state` or `goodput falls`.
    pub how: &'static str,
}

/// One load.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Point {
    /// The load.
    pub load: f64,
    /// How far the objective is from its bound, as a share of it: below 0 it is met. `None`: beyond all bounds.
    pub margin: Option<f64>,
    /// The better end of its interval.
    pub margin_low: Option<f64>,
    /// The worse end of its interval.
    pub margin_high: Option<f64>,
    /// Trials that were run: few where the answer is clear.
    pub trials: usize,
    /// Whether the system came to rest.
    pub steady: bool,
    /// Requests that ended ok a second.
    pub throughput_rps: Figure,
    /// The same within their deadline.
    pub goodput_rps: Figure,
    /// Mean response time, ms.
    pub mean_ms: Figure,
    /// Median of the response time, ms.
    pub p50_ms: Figure,
    /// 99th percentile of the response time, ms.
    pub p99_ms: Figure,
    /// Share of the requests that ended ok.
    pub availability: Figure,
    /// Price of all machines, USD an hour.
    pub cost_usd_per_hour: Option<f64>,
    /// Price of a million requests that ended ok, USD.
    pub cost_usd_per_million: Option<f64>,
    /// What binds.
    pub bottleneck: Option<Bottleneck>,
}

impl Point {
    /// The figures of a result at a load.
    pub(super) fn of(load: f64, result: &RunResult) -> Point {
        let whole = &result.metrics;
        let cost = whole.cost_usd_per_hour.mean;
        let rate = whole.throughput_rps.mean.filter(|rate| *rate > 0.0);
        Point {
            load,
            margin: None,
            margin_low: None,
            margin_high: None,
            trials: result.trials,
            steady: result.steady_state.reached,
            throughput_rps: whole.throughput_rps.clone(),
            goodput_rps: whole.goodput_rps.clone(),
            mean_ms: whole.response_ms.mean.clone(),
            p50_ms: whole.response_ms.p50.clone(),
            p99_ms: whole.response_ms.p99.clone(),
            availability: whole.availability.clone(),
            cost_usd_per_hour: cost,
            cost_usd_per_million: cost.zip(rate).map(|(cost, rate)| cost / rate / 3600.0 * 1e6),
            bottleneck: result.bottleneck.clone(),
        }
    }

    fn with(self, margin: Option<&Margin>) -> Point {
        let finite = |of: fn(&Margin) -> f64| margin.map(of).filter(|value| value.is_finite());
        Point {
            margin: finite(|margin| margin.value),
            margin_low: finite(|margin| margin.low),
            margin_high: finite(|margin| margin.high),
            ..self
        }
    }
}

/// A load with its unit, as one types it.
#[must_use]
pub fn shown(load: f64, unit: LoadUnit) -> String {
    match unit {
        LoadUnit::Users => format!("{load} users"),
        LoadUnit::PerS => Rate(load).to_string(),
        LoadUnit::Times => format!("{load} times the load"),
    }
}

/// Looks for the highest load that meets the objective. `None` when the user had enough before anything was measured.
///
/// # Errors
/// Of `loads`; or why the objective has no highest load.
pub fn capacity<L: Loads>(
    question: &Question<'_>,
    loads: &L,
    progress: &dyn Progress,
) -> Result<Option<CapacityResult>, L::Error> {
    let mut search = Search::new(question, loads, progress);
    let outcome = search.run()?;
    Ok(search.result(outcome))
}

/// Why an objective has no highest load, in a sentence without a full stop.
#[must_use]
pub fn refusal(slo: &[Expectation]) -> Option<String> {
    margin::refusal(slo)
}

#[cfg(test)]
mod tests;
