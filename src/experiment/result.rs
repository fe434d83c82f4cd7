//! `RunResult`: what a run of a scenario has shown, as the JSON of `outgrow.result/1`.

use super::data::DataResult;
use super::gauge::GaugeResult;
use super::pooled::Pooled;
pub use super::value::{Figure, Named};

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.result/1";

/// What a run has shown.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RunResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Whether every trial ran to its end.
    pub complete: bool,
    /// What was simulated.
    pub scenario: ScenarioRef,
    /// Seed of all trials.
    pub seed: u64,
    /// Trials behind the figures.
    pub trials: usize,
    /// Measured time of each trial, seconds.
    pub duration_s: f64,
    /// Time thrown away before it, seconds.
    pub warmup_s: f64,
    /// Fingerprint of all trajectories together: 16 hexadecimal digits.
    pub fingerprint: String,
    /// Events handled, all trials together.
    pub events: u64,
    /// Whether the means below mean anything.
    pub steady_state: SteadyState,
    /// Whether a `--precision` was asked for and reached; absent when it was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// The system as a whole.
    pub metrics: Metrics,
    /// By class of requests.
    pub classes: Named<ClassResult>,
    /// By component.
    pub components: Named<ComponentResult>,
    /// Averages over trials in windows of time.
    pub series: Series,
    /// What happened in the first trial.
    pub timeline: Vec<Happening>,
    /// What binds; `None` when nothing on the way has a limit that is in use.
    pub bottleneck: Option<Bottleneck>,
    /// Theory beside measurement, where its assumptions hold.
    pub theory: Vec<Prediction>,
    /// The scenario's own expectations.
    pub expect: Vec<Verdict>,
    /// Why the figures are what they are: sentences made from measured numbers.
    pub why: Vec<String>,
    /// A command that is worth running next.
    pub next: Option<String>,
    /// What to look at before the figures are trusted; each names the option that helps.
    pub warnings: Vec<String>,
    /// Histograms behind the percentiles, for further questions.
    #[serde(skip)]
    pub pooled: Pooled,
}

/// What was simulated.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ScenarioRef {
    /// Its title.
    pub title: String,
    /// The file's name as the user gave it.
    pub file: String,
    /// SHA-256 of its text, overrides included.
    pub sha256: String,
}

/// Whether the system came to rest.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct SteadyState {
    /// False when a queue grows without end: then means depend on how long was measured.
    pub reached: bool,
    /// The component whose queue grows fastest; absent when the requests as a whole grow and no component does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// Calls by which it grows a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth_per_s: Option<f64>,
}

/// The outcome of `--precision`.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Precision {
    /// Half-width asked for, as a share of the mean.
    pub target: f64,
    /// Half-width of the mean response time that was reached, as a share of the mean.
    pub achieved: Option<f64>,
    /// Whether it is good enough.
    pub reached: bool,
}

/// Figures of the system as a whole.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Metrics {
    /// Requests issued a second.
    pub offered_rps: Figure,
    /// Requests that ended ok a second, whenever they were issued.
    pub throughput_rps: Figure,
    /// The same within their deadline.
    pub goodput_rps: Figure,
    /// Share of the ended requests that ended ok.
    pub availability: Figure,
    /// Time average of requests under way.
    pub in_flight_mean: Figure,
    /// Price of all machines, USD an hour.
    pub cost_usd_per_hour: Figure,
    /// Response times of requests that ended ok, ms.
    pub response_ms: Responses,
    /// Response times of all requests that ended, ms: dropping the failed ones is survivor bias.
    pub response_all_ms: Responses,
    /// Requests of a trial, by outcome.
    pub outcomes: Outcomes,
    /// Tries of each ended request.
    pub attempts_per_request: Figure,
    /// What became of the data; absent without replicas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataResult>,
}

/// Mean and percentiles of response times.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
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
    /// Longest of a trial, averaged over trials; it grows with the time measured.
    pub max: Figure,
}

/// Numbers of requests of a trial, or of calls at a component, by how they ended.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Outcomes {
    /// Answered.
    pub ok: Figure,
    /// A queue was full.
    pub rejected: Figure,
    /// The caller waited no longer.
    pub timed_out: Figure,
    /// Refused.
    pub unavailable: Figure,
    /// No memory was left.
    pub out_of_memory: Figure,
    /// Over a rate limit.
    pub throttled: Figure,
    /// Not ended when the trial stopped; for components absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<Figure>,
}

/// Figures of one class of requests.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ClassResult {
    /// Requests issued a second.
    pub offered_rps: Figure,
    /// Requests that ended ok a second.
    pub throughput_rps: Figure,
    /// The same within the deadline.
    pub goodput_rps: Figure,
    /// Share of the ended requests that ended ok.
    pub availability: Figure,
    /// Response times of those that ended ok, ms.
    pub response_ms: Responses,
    /// Requests of a trial by outcome.
    pub outcomes: Outcomes,
}

/// Figures of one component.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ComponentResult {
    /// Its kind: `server`.
    pub kind: &'static str,
    /// The name of its table: `web` of `web-2`.
    pub group: String,
    /// Busy share of the cores of its machine, 0..1; absent without a machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilisation: Option<Figure>,
    /// Time average of calls that wait.
    pub queue_len_mean: Figure,
    /// Most calls that waited at once.
    pub queue_len_max: Figure,
    /// Time average of calls inside, waiting or served.
    pub inside_mean: Figure,
    /// Most calls that were inside at once.
    pub inside_max: Figure,
    /// Share of its workers or connections that calls hold, 0..1; absent where their number has no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots_utilisation: Option<Figure>,
    /// Busy cores of its machine; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy_cores_mean: Option<Figure>,
    /// Highest use of its machine's memory, bytes; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes_max: Option<Figure>,
    /// Busy share of its machine's disk, 0..1; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_utilisation: Option<Figure>,
    /// Calls of a trial that arrived.
    pub calls: Figure,
    /// Calls answered ok a second.
    pub throughput_rps: Figure,
    /// Time that calls answered ok waited, ms.
    pub wait_ms: Responses,
    /// Time from arrival to answer of calls answered ok, ms.
    pub response_ms: Moments,
    /// The part of it that is not spent inside other components, ms: its own work, its queue, and the network to those
    /// that it asks.
    pub own_ms: Figure,
    /// Calls of a trial by outcome.
    pub outcomes: Outcomes,
    /// What only its kind of box counts and measures; counts are those of a trial.
    pub gauges: Named<GaugeResult>,
    /// The machine that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub machine: Option<MachineResult>,
}

/// Mean and longest of times whose distribution is not kept.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Moments {
    /// Arithmetic mean.
    pub mean: Figure,
    /// Longest of a trial, averaged over trials.
    pub max: Figure,
}

/// A machine; components that share it name the same host.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct MachineResult {
    /// The component whose machine it is.
    pub host: String,
    /// Cores.
    pub cores: u32,
    /// Memory, bytes.
    pub memory_bytes: u64,
    /// Price, USD an hour.
    pub usd_per_hour: f64,
}

/// Averages over trials in windows of time, as a table.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Series {
    /// Length of a window, seconds; the last one before the end of the warm-up may be shorter.
    pub window_s: f64,
    /// Names of the columns; `t_s` is the start of the window, counted from the start of the trial, warm-up included.
    pub columns: Vec<String>,
    /// One row a window; `None` where nothing was measured.
    pub rows: Vec<Vec<Option<f64>>>,
}

impl Series {
    /// The values of a column by its name.
    pub fn column(&self, name: &str) -> Option<impl Iterator<Item = Option<f64>>> {
        let at = self.columns.iter().position(|known| known == name)?;
        Some(self.rows.iter().map(move |row| row[at]))
    }
}

/// Something that happened to a component.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Happening {
    /// When, seconds since the start of the trial, warm-up included.
    pub t_s: f64,
    /// To which component.
    pub component: String,
    /// What: `crash`, `recover`.
    pub event: &'static str,
}

/// What binds: the resource with the highest use.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Bottleneck {
    /// The component; a group's name when all members are alike.
    pub component: String,
    /// `cpu`, `disk`, `memory`, `workers` or `connections`.
    pub resource: &'static str,
    /// Its use, 0..1.
    pub utilisation: f64,
}

/// What theory says beside what was measured.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Prediction {
    /// The component, or `system`.
    pub component: String,
    /// The law: `utilisation law`, `M/M/1`, `the asymptotic bound`.
    pub law: String,
    /// What it speaks of: `utilisation`, `response_ms`, `throughput_rps`.
    pub quantity: &'static str,
    /// How the law bounds the quantity.
    pub relation: Relation,
    /// What it says.
    pub theory: f64,
    /// What was measured.
    pub measured: Figure,
}

/// How a law bounds a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It is this.
    Equal,
    /// It is about this: the law is an approximation.
    About,
    /// It cannot be more.
    AtMost,
    /// It cannot be less.
    AtLeast,
}

/// Whether an expectation holds.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Verdict {
    /// The expectation as the file says it.
    pub that: String,
    /// Whether it holds.
    pub verdict: Answer,
    /// The measured value in `unit`; `None` when it cannot be told.
    pub value: Option<f64>,
    /// Half of the width of its interval.
    pub half_width: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// The bound, in `unit`.
    pub bound: f64,
    /// `s`, `share`, `per_s`, `count` or `usd`.
    pub unit: &'static str,
    /// Trials that would show it, about, when it is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials_needed: Option<u64>,
    /// Why it is not shown, where more trials do not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The three answers of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Answer {
    /// The whole interval is on the right side.
    #[serde(rename = "holds")]
    Holds,
    /// The whole interval is on the wrong side.
    #[serde(rename = "fails")]
    Fails,
    /// Between, or not measured.
    #[serde(rename = "not shown")]
    NotShown,
}
