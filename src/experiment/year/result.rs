//! `YearResult`: what a year of faults costs a design.

use super::super::result::ScenarioRef;

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.year/1";

/// What a year of faults costs, as the JSON `outgrow.year/1`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct YearResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Whether it was not interrupted.
    pub complete: bool,
    /// Name of the design: the scenario's file, with the changes that it alone has.
    pub design: String,
    /// The scenario that was simulated.
    pub scenario: ScenarioRef,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Where the rates of the faults come from.
    pub rates: Rates,
    /// How it was composed.
    pub composed: Composed,
    /// The share of the requests that end ok, 0 to 1, on average over all time.
    pub availability: Span,
    /// Its number of nines; of a share of 1 without an end.
    pub nines: Span,
    /// Time without service, in seconds a year: each moment counts by the share of the requests that fail.
    pub without_service_s: Span,
    /// Requests a year.
    pub requests: f64,
    /// Requests a year that fail.
    pub failed_requests: f64,
    /// Acknowledged writes a year that are lost; absent where no database could lose any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost_writes: Option<Span>,
    /// Price of all machines in USD an hour, without any fault; absent without prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_usd_per_hour: Option<f64>,
    /// What eats the availability, the worst first.
    pub causes: Vec<Cause>,
    /// The objective and what is left of it; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// What it changes in the design before it; absent of the first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// The precision that was asked for, and that was reached: half the interval of the time without service, relative to it.
    pub precision: Reached,
    /// What a user should know before trusting the figures.
    pub notes: Vec<String>,
}

/// A value with its 95 % interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Span {
    /// The value.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Span {
    /// Each of the three by a rule that keeps their order.
    #[must_use]
    pub fn map(self, rule: impl Fn(f64) -> f64) -> Span {
        Span { value: rule(self.value), low: rule(self.low), high: rule(self.high) }
    }

    /// Each of the three by a rule that turns their order round.
    #[must_use]
    pub fn turned(self, rule: impl Fn(f64) -> f64) -> Span {
        Span { value: rule(self.value), low: rule(self.high), high: rule(self.low) }
    }
}

/// Where the rates of the faults come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rates {
    /// From the random faults of the scenario.
    Scenario,
    /// From the catalogue.
    Catalogue,
}

/// How the year was composed.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Composed {
    /// Years of faults that were drawn.
    pub years: f64,
    /// Episodes of faults that were simulated.
    pub episodes: usize,
    /// Events of all simulations.
    pub events: u64,
    /// Time before the first fault of an episode, in seconds.
    pub lead_in_s: f64,
    /// Time after the last one, in seconds.
    pub calm_s: f64,
    /// Longest time that was simulated between a fault and the next change, in seconds.
    pub hold_s: f64,
    /// What episodes that were not simulated cost at most, in seconds without service a year. The upper ends contain it.
    pub rest_s: f64,
}

/// Something that eats availability.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Cause {
    /// The fault and what it happens to, as in `crash of web`; or `two at once`, `three or more at once`, `no fault`.
    pub cause: String,
    /// How often it happens in a year, at all its targets; absent where there is no fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<f64>,
    /// Mean time to repair, in seconds; absent where several faults overlap or there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repair_s: Option<f64>,
    /// What it costs, as a time without service, in seconds a year.
    pub without_service_s: Span,
    /// Share of all that is lost, 0 to 1.
    pub share: f64,
    /// Acknowledged writes a year that it loses.
    pub lost_writes: f64,
}

/// An objective for the availability, and the failures that it allows.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Budget {
    /// The share of requests that must end ok.
    pub slo: f64,
    /// The time without service that it allows, in seconds a year.
    pub allowed_s: f64,
    /// Share of it that is used; above 1 it is overdrawn.
    pub used: Span,
    /// Whether the objective holds.
    pub verdict: Kept,
}

/// What a design changes in the year of the one before it.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Change {
    /// Name of the design before it.
    pub from: String,
    /// Time without service that it adds, in seconds a year; below 0 if it takes some away.
    pub without_service_s: Span,
    /// Number of episodes that both lived through, with the same failures and the same customers. The chance that these share is not
    /// in the interval.
    pub paired_episodes: usize,
}

/// Whether an objective holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// The whole interval is within the budget.
    Holds,
    /// The whole interval is beyond it.
    Fails,
    /// The interval contains the budget.
    NotShown,
}

/// A precision.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Reached {
    /// The half-width that was asked for, relative to the time without service.
    pub target: f64,
    /// The half-width that was reached; absent if nothing failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub achieved: Option<f64>,
    /// Whether the target was reached.
    pub reached: bool,
}
