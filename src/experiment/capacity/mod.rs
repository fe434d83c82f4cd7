//! `capacity`: the highest load at which an objective is met, as an interval; the bottleneck there; and the load at
//! which the system collapses.
//!
//! Method: sample average approximation for a stochastic root (Pasupathy and Kim, "The stochastic root-finding
//! problem", ACM Transactions on Modeling and Computer Simulation 21(3), 2011). Every load is simulated with the same
//! seeds. With keyed draws the measured margin is then a nearly smooth function of the load, and ordinary bracketing
//! finds its root.
//!
//! Short probes find out roughly where the root is. One or two loads at full length then give it: near them the margin is
//! continued by its slope, which the same seeds make steady (second-order terms are small within 2 % of the load).
//!
//! The interval of the capacity comes from the 95 % interval of the margin: below the lower end the objective is shown
//! to be met, above the upper end it is shown to be missed.

mod knob;
mod margin;
mod search;
mod without;

use crate::model::quantity::Rate;
use crate::scenario::Scenario;
use crate::scenario::expression::Expectation;

use super::expect::{measure, unit_name};
use super::result::{Bottleneck, Figure, Outcomes, RunResult, ScenarioRef};
use super::runner::Progress;
pub use knob::{Knob, LoadUnit};
use margin::Margin;
use search::Search;
pub use without::without_one;

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.capacity/1";

/// The objective, and how to simulate.
pub struct Question<'a> {
    /// The objective: all parts must hold.
    pub slo: &'a [Expectation],
    /// The load that is changed.
    pub knob: &'a Knob,
    /// Seed of all trials, the same at every load.
    pub seed: u64,
    /// Number of trials at each load.
    pub trials: u32,
    /// Threads; 0 for as many as there are cores.
    pub jobs: usize,
    /// Whether a trial may be longer than the scenario says, if that is too short for the objective.
    pub may_stretch: bool,
    /// Whether to search for the collapse too, beyond the answer.
    pub beyond: bool,
    /// Where the search begins; `None` for the scenario's own load.
    pub start: Option<f64>,
    /// The load that is wanted: if it meets the objective, no higher one is tried.
    pub goal: Option<f64>,
}

/// Supplies the scenarios and follows the search; trials report to [`Progress`].
pub trait Loads {
    /// The error if there is no scenario at a load.
    type Error;

    /// The scenario with these overrides.
    ///
    /// # Errors
    /// If it is refused.
    fn scenario(&self, overrides: &[(String, String)]) -> Result<Scenario, Self::Error>;

    /// Called before a load is simulated, with its number in the search and the load as text.
    fn trying(&self, number: usize, load: &str);

    /// What the loader warns of at a load, one text each.
    fn warnings(&self, _overrides: &[(String, String)]) -> Vec<String> {
        Vec::new()
    }

    /// Seconds that are left of the time that the search may take; `None` without a limit.
    fn seconds_left(&self) -> Option<f64> {
        None
    }
}

/// The result of a search, as the JSON `outgrow.capacity/1`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CapacityResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Whether the search was not interrupted.
    pub complete: bool,
    /// The scenario at the load nearest to the answer.
    pub scenario: ScenarioRef,
    /// Seed of all trials.
    pub seed: u64,
    /// Number of trials at each load near the answer; far from it fewer are enough.
    pub trials: u32,
    /// Measured time of each trial, in seconds.
    pub duration_s: f64,
    /// Warm-up before it, in seconds; not measured.
    pub warmup_s: f64,
    /// The parts of the objective.
    pub slo: Vec<String>,
    /// The load that was changed.
    pub load: LoadRef,
    /// How the search ended.
    pub verdict: Found,
    /// The highest load that meets the objective, in the unit of `load`.
    pub estimate: Option<f64>,
    /// Lower end of its 95 % interval, or the goal. Up to here the objective is shown to be met.
    pub low: Option<f64>,
    /// Upper end of the interval. From here the objective is shown to be missed.
    pub high: Option<f64>,
    /// The part of the objective that is missed first.
    pub binding: Option<String>,
    /// What grows without end above the answer, if that is why the objective is missed there.
    pub grows: Option<String>,
    /// The load nearest to the answer that was simulated in full; of those within 2 % of it one that meets the
    /// objective, if there is one. The goal, if that is the answer.
    pub at: Option<Point>,
    /// Where the system collapses; `None` if it did not up to `tried_to`.
    pub collapse: Option<Collapse>,
    /// The highest load that was simulated.
    pub tried_to: f64,
    /// Every load that was simulated, in order.
    pub points: Vec<Point>,
    /// What the loader warns of at the load found.
    pub warnings: Vec<String>,
    /// Further remarks for readers, in sentences.
    pub notes: Vec<String>,
}

/// The load that was changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct LoadRef {
    /// Its name: `users.rate`, or `all clients`.
    pub key: String,
    /// The unit of the load.
    pub unit: LoadUnit,
}

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub enum Found {
    /// With an answer.
    #[serde(rename = "found")]
    Found,
    /// The objective is met at the highest load that was tried.
    #[serde(rename = "met at every load")]
    MetAtEveryLoad,
    /// It is met at the load that is wanted, and no higher one was tried.
    #[serde(rename = "met at the goal")]
    MetAtTheGoal,
    /// It is missed at the lowest load that was tried.
    #[serde(rename = "never met")]
    NeverMet,
    /// Too little happens at low loads to decide.
    #[serde(rename = "not measured")]
    NotMeasured,
}

/// The load at which goodput falls or the system has no steady state any more.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Collapse {
    /// A load below the collapse.
    pub low: f64,
    /// A load above it.
    pub high: f64,
    /// `no steady state`, `lag grows` or `goodput falls`.
    pub how: &'static str,
}

/// The measurements at one load.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Point {
    /// The load.
    pub load: f64,
    /// Distance of the objective from its bound, relative to the bound; below 0 the objective is met. `None` if
    /// infinite.
    pub margin: Option<f64>,
    /// The better end of its interval.
    pub margin_low: Option<f64>,
    /// The worse end of its interval.
    pub margin_high: Option<f64>,
    /// The parts of the objective, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Number of trials; few for a probe, which only shows where the answer is, and if the answer is clear.
    pub trials: usize,
    /// Measured time of each trial in seconds; shorter for a probe.
    pub duration_s: f64,
    /// Whether the system reached steady state.
    pub steady: bool,
    /// The growth of a database's lag, in seconds a second, where that is why it did not; response times then are as they
    /// are. Absent otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_growth: Option<f64>,
    /// Whether the messages of a queue become more without end, where that is why it did not; response times then are as they
    /// are. Absent otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub backlog_grows: bool,
    /// Requests that ended ok a second.
    pub throughput_rps: Figure,
    /// Requests that ended ok within their deadline, a second.
    pub goodput_rps: Figure,
    /// Mean response time in ms.
    pub mean_ms: Figure,
    /// Median of the response time in ms.
    pub p50_ms: Figure,
    /// 99th percentile of the response time in ms.
    pub p99_ms: Figure,
    /// Share of the requests that ended ok.
    pub availability: Figure,
    /// How most of the others ended; `None` if all ended ok.
    pub fails: Option<&'static str>,
    /// Price of all machines in USD an hour.
    pub cost_usd_per_hour: Option<f64>,
    /// Price in USD of a million requests that ended ok.
    pub cost_usd_per_million: Option<f64>,
    /// The bottleneck.
    pub bottleneck: Option<Bottleneck>,
}

/// A part of the objective at one load.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Condition {
    /// The measured value in its base unit.
    pub value: Figure,
    /// `s`, `share`, `per_s`, `count` or `usd`.
    pub unit: &'static str,
    /// Whether it is met by the measured value; `None` if too little was measured.
    pub met: Option<bool>,
}

impl Point {
    /// The measurements of a result at a load.
    pub(super) fn of(load: f64, result: &RunResult) -> Point {
        let whole = &result.metrics;
        let cost = whole.cost_usd_per_hour.mean;
        let rate = whole.throughput_rps.mean.filter(|rate| *rate > 0.0);
        Point {
            load,
            margin: None,
            margin_low: None,
            margin_high: None,
            conditions: Vec::new(),
            trials: result.trials,
            duration_s: result.duration_s,
            steady: result.steady_state.reached,
            lag_growth: result.steady_state.lag_growth,
            backlog_grows: result.steady_state.is_backlog,
            throughput_rps: whole.throughput_rps.clone(),
            goodput_rps: whole.goodput_rps.clone(),
            mean_ms: whole.response_ms.mean.clone(),
            p50_ms: whole.response_ms.p50.clone(),
            p99_ms: whole.response_ms.p99.clone(),
            availability: whole.availability.clone(),
            fails: most_failures(&whole.outcomes),
            cost_usd_per_hour: cost,
            cost_usd_per_million: cost.zip(rate).map(|(cost, rate)| cost / rate / 3600.0 * 1e6),
            bottleneck: result.bottleneck.clone(),
        }
    }

    /// Whether response times do not depend on the duration.
    #[must_use]
    pub fn times_are_steady(&self) -> bool {
        self.steady || self.lag_growth.is_some() || self.backlog_grows
    }

    fn with(self, slo: &[Expectation], result: &RunResult, margin: Option<&Margin>) -> Point {
        let condition = |that: &Expectation| {
            let value = measure(&that.metric, result).unwrap_or_default();
            let met = value.mean.map(|mean| that.holds_for(mean));
            Condition { value, unit: unit_name(that.metric.unit()), met }
        };
        let finite = |of: fn(&Margin) -> f64| margin.map(of).filter(|value| value.is_finite());
        Point {
            margin: finite(|margin| margin.value),
            margin_low: finite(|margin| margin.low),
            margin_high: finite(|margin| margin.high),
            conditions: slo.iter().map(condition).collect(),
            ..self
        }
    }
}

/// How most of the requests that failed ended.
fn most_failures(outcomes: &Outcomes) -> Option<&'static str> {
    let counts = [
        ("are rejected", &outcomes.rejected),
        ("time out", &outcomes.timed_out),
        ("find no machine", &outcomes.unavailable),
        ("find no memory", &outcomes.out_of_memory),
        ("are throttled", &outcomes.throttled),
        ("are answered with errors", &outcomes.failed),
        ("end in conflict", &outcomes.conflict),
    ];
    let known =
        counts.into_iter().filter_map(|(how, count)| Some((how, count.mean.filter(|mean| *mean > 0.0)?)));
    known.reduce(|most, one| if one.1 > most.1 { one } else { most }).map(|(how, _)| how)
}

/// A load with its unit, as it is typed.
#[must_use]
pub fn shown(load: f64, unit: LoadUnit) -> String {
    match unit {
        LoadUnit::Users => format!("{load} users"),
        LoadUnit::PerS => Rate(load).to_string(),
        LoadUnit::Times => format!("{load} times the load"),
    }
}

/// Searches for the highest load that meets the objective. `None` if the user interrupts before anything is measured.
///
/// # Errors
/// An error of `loads`, or the reason why the objective has no highest load.
pub fn capacity<L: Loads>(
    question: &Question<'_>,
    loads: &L,
    progress: &dyn Progress,
) -> Result<Option<CapacityResult>, L::Error> {
    let mut search = Search::new(question, loads, progress);
    let outcome = search.run()?;
    Ok(search.result(outcome))
}

/// The reason why an objective has no highest load: a clause without a full stop. `None` if it has one.
#[must_use]
pub fn refusal(slo: &[Expectation]) -> Option<String> {
    margin::refusal(slo)
}

#[cfg(test)]
mod tests;
