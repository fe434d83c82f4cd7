//! `RunResult`: the result of running a scenario, as the JSON `outgrow.result/1`.

mod worlds;

pub use worlds::{ByWorld, InWorld, World, Worlds};

use std::borrow::Cow;

use super::collapse::Collapse;
use super::data::DataResult;
use super::finding::{Attempt, Finding, told};
use super::gauge::GaugeResult;
use super::level::Level;
use super::pooled::Pooled;
pub use super::prediction::{Fit, Prediction, Relation};
pub use super::{value::Figure, value::Moments, value::Named, windows::Series};
use crate::model::signal::Outcome;

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.result/1";

/// The result of a run.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct RunResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Whether every trial ran to its end.
    pub complete: bool,
    /// Why trials stopped by themselves before their end; absent if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Stopped>,
    /// The scenario that was simulated.
    pub scenario: ScenarioRef,
    /// Seed of all trials.
    pub seed: u64,
    /// Number of trials.
    pub trials: usize,
    /// Measured time of each trial, in seconds.
    pub duration_s: f64,
    /// Warm-up before it, in seconds; not measured.
    pub warmup_s: f64,
    /// Fingerprint of all events of all trials: 16 hexadecimal digits.
    pub fingerprint: String,
    /// Number of events, all trials together.
    pub events: u64,
    /// Whether the system reached steady state; otherwise means depend on the duration.
    pub steady_state: SteadyState,
    /// In how many trials the service did not come back after what had pushed it over; absent where nothing did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collapse: Option<Collapse>,
    /// The trials in which the service came back, and those in which it did not; absent unless there are both.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worlds: Option<Worlds>,
    /// The random faults of the scenario, and how often they happened; absent without one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub random_faults: Vec<RandomFault>,
    /// The precision that was reached; absent unless `--precision` asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// The system as a whole.
    pub metrics: Metrics,
    /// The figures of each class of requests.
    pub classes: Named<ClassResult>,
    /// The figures of each component.
    pub components: Named<ComponentResult>,
    /// Averages over trials in windows of time.
    pub series: Series,
    /// The events, such as crashes, of the first trial.
    pub timeline: Vec<Happening>,
    /// The bottleneck; `None` if no resource with a limit is in use.
    pub bottleneck: Option<Bottleneck>,
    /// Predictions of theory, each with the measured value, where the assumptions hold.
    pub theory: Vec<Prediction>,
    /// The verdicts on the scenario's goals.
    pub expect: Vec<Verdict>,
    /// The verdicts on the scenario's tests of the simulator; absent unless `--checks` asks for them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<Verdict>,
    /// The reasons for the figures, the most important first; in the JSON each with its sentence as `text`.
    #[serde(serialize_with = "told")]
    #[schemars(with = "Vec<super::finding::Told<'static>>")]
    pub why: Vec<Finding>,
    /// What was tried against the causes, in order; absent where nothing was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Attempt>,
    /// A command that is worth running next.
    pub next: Option<String>,
    /// What a user should know before trusting the figures; each warning names the option that helps.
    pub warnings: Vec<String>,
    /// Histograms behind the percentiles; not in the JSON.
    #[serde(skip)]
    pub pooled: Pooled,
}

impl RunResult {
    /// The reasons for the figures as sentences.
    #[must_use]
    pub fn reasons(&self) -> Vec<String> {
        self.why.iter().map(Finding::text).collect()
    }
}

/// Why trials stopped by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// More calls were alive than allowed: the load is beyond what the system can serve.
    TooManyCalls,
    /// More events happened at one instant than allowed: something goes round without any delay.
    Standstill,
}

impl Stopped {
    /// The reason, as a clause without a full stop.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Stopped::TooManyCalls => "the load is beyond what the system can serve",
            Stopped::Standstill => {
                "something goes round without any delay, such as retries without a `backoff` in a network without one"
            }
        }
    }
}

/// The scenario that was simulated.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct ScenarioRef {
    /// Its title.
    pub title: String,
    /// The name of the file as the user gave it.
    pub file: String,
    /// SHA-256 of its text with the overrides in it.
    pub sha256: String,
}

/// Whether the system reached steady state.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct SteadyState {
    /// False if a queue, or the lag of a replica, grows without end; means then depend on the duration.
    pub reached: bool,
    /// The component whose queue grows fastest, or the database whose lag grows; absent if only the number of requests grows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The growth of its queue in calls a second; of a queue of messages, in messages a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth_per_s: Option<f64>,
    /// Whether the messages of a queue grow: their senders have been answered, and response times are steady; absent if not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_backlog: bool,
    /// The growth of its lag in seconds a second: the share of the writes that its replicas do not apply in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lag_growth: Option<f64>,
}

impl SteadyState {
    /// It was reached.
    pub(super) const REACHED: SteadyState = SteadyState {
        reached: true,
        component: None,
        growth_per_s: None,
        is_backlog: false,
        lag_growth: None,
    };

    /// Whether response times do not depend on the duration: no call waits for a replica whose lag grows, or for a message.
    #[must_use]
    pub fn times_are_steady(&self) -> bool {
        self.reached || self.lag_growth.is_some() || self.is_backlog
    }
}

/// A random fault: one with `mtbf`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct RandomFault {
    /// What it does, and to what: `crash of web`.
    pub fault: String,
    /// How often it happened in the measured time of all trials together, at all its targets.
    pub times: u64,
    /// How often it is expected to happen in that time.
    pub expected: f64,
}

/// The outcome of `--precision`.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Precision {
    /// The half-width that was asked for, relative to the mean.
    pub target: f64,
    /// The half-width of the mean response time that was reached, relative to the mean.
    pub achieved: Option<f64>,
    /// Whether the target was reached.
    pub reached: bool,
}

/// Figures of the system as a whole.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Metrics {
    /// Requests issued a second.
    pub offered_rps: Figure,
    /// Requests that ended ok in the measured time, a second.
    pub throughput_rps: Figure,
    /// Requests that ended ok within their deadline, a second.
    pub goodput_rps: Figure,
    /// Share of the ended requests that ended ok.
    pub availability: Figure,
    /// Time average of the number of requests in progress.
    pub in_flight_mean: Figure,
    /// Price of all machines in USD an hour.
    pub cost_usd_per_hour: Figure,
    /// Response times of requests that ended ok, in ms.
    pub response_ms: Responses,
    /// Standard deviation of the response times of requests that ended ok, in ms.
    pub response_sd_ms: Figure,
    /// Response times of all requests that ended, in ms. Without the failed ones, response times have survivor bias.
    pub response_all_ms: Responses,
    /// Number of requests in a trial, by outcome.
    pub outcomes: Outcomes,
    /// Mean number of tries of a request that ended.
    pub attempts_per_request: Figure,
    /// Figures of replicated data; absent without replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataResult>,
}

/// Mean and percentiles of response times.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Responses {
    /// Arithmetic mean.
    pub mean: Figure,
    /// Median.
    pub p50: Figure,
    /// 90th percentile.
    pub p90: Figure,
    /// 95th percentile.
    pub p95: Figure,
    /// 99th percentile.
    pub p99: Figure,
    /// 99.9th percentile.
    pub p999: Figure,
    /// The longest of a trial, averaged over trials; it grows with the duration.
    pub max: Figure,
}

/// Number of requests in a trial, or of calls at a component, by outcome.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Outcomes {
    /// Answered.
    pub ok: Figure,
    /// Refused because a queue was full.
    pub rejected: Figure,
    /// Ended because a time limit was reached.
    pub timed_out: Figure,
    /// Refused because the box was down or unreachable.
    pub unavailable: Figure,
    /// Refused because no memory was left.
    pub out_of_memory: Figure,
    /// Refused by a rate limit.
    pub throttled: Figure,
    /// Answered with an error by the application.
    pub failed: Figure,
    /// Not done, because what it was to change had been changed meanwhile.
    pub conflict: Figure,
    /// Not ended when the trial stopped; absent for components.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<Figure>,
}

impl Outcomes {
    /// The figure of each outcome.
    pub(super) fn of(figure: impl Fn(Outcome) -> Figure) -> Outcomes {
        Outcomes {
            ok: figure(Outcome::Ok),
            rejected: figure(Outcome::Rejected),
            timed_out: figure(Outcome::TimedOut),
            unavailable: figure(Outcome::Unavailable),
            out_of_memory: figure(Outcome::OutOfMemory),
            throttled: figure(Outcome::Throttled),
            failed: figure(Outcome::Failed),
            conflict: figure(Outcome::Conflict),
            in_flight: None,
        }
    }

    /// The figure of each outcome other than ok.
    #[must_use]
    pub fn failures(&self) -> [(Outcome, &Figure); Outcome::ALL.len() - 1] {
        [
            (Outcome::Rejected, &self.rejected),
            (Outcome::TimedOut, &self.timed_out),
            (Outcome::Unavailable, &self.unavailable),
            (Outcome::OutOfMemory, &self.out_of_memory),
            (Outcome::Throttled, &self.throttled),
            (Outcome::Failed, &self.failed),
            (Outcome::Conflict, &self.conflict),
        ]
    }
}

/// Figures of one class of requests.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct ClassResult {
    /// Requests issued a second.
    pub offered_rps: Figure,
    /// Requests that ended ok a second.
    pub throughput_rps: Figure,
    /// Requests that ended ok within their deadline, a second.
    pub goodput_rps: Figure,
    /// Share of the ended requests that ended ok.
    pub availability: Figure,
    /// Response times of requests that ended ok, in ms.
    pub response_ms: Responses,
    /// Their standard deviation, in ms.
    pub response_sd_ms: Figure,
    /// Number of requests in a trial, by outcome.
    pub outcomes: Outcomes,
}

/// Figures of one component.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct ComponentResult {
    /// Its kind: `server`.
    pub kind: &'static str,
    /// The name of its table: `web` of `web-2`.
    pub group: String,
    /// Busy share of the cores of its machine, 0..1; absent without a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<Figure>,
    /// Time average of the number of waiting calls.
    pub queue_len_mean: Figure,
    /// Largest number of calls waiting at the same time.
    pub queue_len_max: Figure,
    /// Time average of the number of calls inside, waiting or in service.
    pub inside_mean: Figure,
    /// Largest number of calls inside at the same time.
    pub inside_max: Figure,
    /// Share of its workers or connections that calls hold, 0..1; absent if their number is not limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots_utilisation: Option<Figure>,
    /// Mean number of busy cores of its machine; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy_cores_mean: Option<Figure>,
    /// Largest amount of its machine's memory in use, in bytes; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<Figure>,
    /// Busy share of its machine's disk, 0..1; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_utilisation: Option<Figure>,
    /// Number of calls that arrived in a trial.
    pub calls: Figure,
    /// Calls answered ok a second.
    pub throughput_rps: Figure,
    /// Waiting time of calls answered ok, in ms.
    pub wait_ms: Responses,
    /// Their standard deviation, in ms.
    pub wait_sd_ms: Figure,
    /// Share of these calls that waited at all, 0..1.
    pub waited_share: Figure,
    /// Time from arrival to answer of calls answered ok, in ms.
    pub response_ms: Moments,
    /// The part of `response_ms` that is not spent inside other components, in ms: its own work, its queue, and the
    /// network to the components that it calls.
    pub own_ms: Figure,
    /// Number of calls in a trial, by outcome.
    pub outcomes: Outcomes,
    /// Where its failures began.
    pub failures: Failures,
    /// Number of calls answered ok in a trial for which nobody waited any more.
    pub answered_in_vain: Figure,
    /// What only its kind of box counts and measures; counts are those of a trial.
    pub gauges: Named<GaugeResult>,
    /// The machine that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineResult>,
}

/// Number of failures at a component in a trial, by where they began.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Failures {
    /// Failures that began there, by outcome: it gave the outcome itself, or nothing answered in its place. Without outcomes
    /// that no trial had.
    pub own: Named<Figure>,
    /// Failures of the components that it asked, which it passed on.
    pub passed_on: Figure,
}

/// A machine. Components that share it give the same host.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct MachineResult {
    /// The component whose machine it is.
    pub host: String,
    /// Number of cores.
    pub cores: u32,
    /// Memory in bytes.
    pub memory_bytes: u64,
    /// Price in USD an hour.
    pub usd_per_hour: f64,
}

/// Something that happened to a component.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Happening {
    /// Time in seconds since the start of the trial, warm-up included.
    pub t_s: f64,
    /// The component.
    pub component: String,
    /// The event: `crash`, `recover`.
    pub event: Cow<'static, str>,
}

/// The bottleneck: the resource with the highest utilisation, unless calls hold it only while they wait for another one.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Bottleneck {
    /// The component; the name of the group if all members are equally busy.
    pub component: String,
    /// The resource: `cpu`, `disk`, `memory`, `workers`, `connections`, `db_pool`, `apply workers`, `rate_limit` and others.
    pub resource: &'static str,
    /// Its utilisation, 0..1.
    pub utilisation: f64,
}

/// The verdict on a goal, or on a test of the simulator.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Verdict {
    /// The comparison as written; of a check with `near`, its metric.
    pub that: String,
    /// The value and the tolerance of a check, as written: `9.6s ± 0.2s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub near: Option<String>,
    /// The part of the simulated time that counts, as written: `during 211s..213s`; absent for all of the measured time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// Whether it holds.
    pub verdict: Answer,
    /// The measured value in `unit`; `None` if there is none.
    pub value: Option<f64>,
    /// Half the width of its interval.
    pub half_width: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// The bound, in `unit`; of a check with `near`, the value.
    pub bound: f64,
    /// How far from the bound the interval of a check with `near` may reach, in `unit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    /// `s`, `share`, `per_s`, `count` or `usd`.
    pub unit: &'static str,
    /// Approximate number of trials that would show it, if it is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials_needed: Option<u64>,
    /// The reason why it is not shown, if more trials do not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The goal in each of the two worlds of a service that comes back in some trials only. The verdict is then the worse of
    /// both; `value` and its interval are over all trials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_world: Option<ByWorld>,
    /// Where a chart over time shows the bound; not in the JSON.
    #[serde(skip)]
    pub level: Option<Level>,
}

impl Verdict {
    /// What was demanded, with the part of the time in which: `availability < 1%  during 211s..213s`.
    #[must_use]
    pub fn demand(&self) -> String {
        match &self.window {
            Some(window) => format!("{}  {window}", self.that),
            None => self.that.clone(),
        }
    }
}

/// The three answers of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub enum Answer {
    /// The whole interval is on the right side of the bound.
    #[serde(rename = "holds")]
    Holds,
    /// The whole interval is on the wrong side of the bound.
    #[serde(rename = "fails")]
    Fails,
    /// The interval contains the bound, or nothing was measured.
    #[serde(rename = "not shown")]
    NotShown,
}

impl Answer {
    /// How bad it is: 0 is good.
    pub(super) fn rank(self) -> usize {
        match self {
            Answer::Holds => 0,
            Answer::NotShown => 1,
            Answer::Fails => 2,
        }
    }
}
