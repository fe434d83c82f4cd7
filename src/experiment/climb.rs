//! `climb`: how much load each step of a ladder carries within an objective, and what a step buys at what price.

use crate::scenario::changes::Changes;

use super::capacity::{CapacityResult, Found, LoadUnit, Point};
use super::loss::Loss;

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.climb/1";

/// The steps of a ladder, as the JSON `outgrow.climb/1`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct ClimbResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Whether the climb was not interrupted.
    pub complete: bool,
    /// The parts of the objective.
    pub slo: Vec<String>,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// A step of the ladder.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct Step {
    /// The name of the scenario.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What it changes in the step before; `None` at the first.
    pub changes: Option<Changes>,
    /// The load that it carries.
    pub capacity: CapacityResult,
    /// What it carries more than the step before; `None` at the first, and where one of them has no capacity.
    pub gain: Option<Gain>,
    /// What one dead machine costs at the load that the step carries, a row for each role of machines; empty without a
    /// capacity.
    pub dead: Vec<Loss>,
}

/// The ratio of two neighbouring steps.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Gain {
    /// The load that a step carries, as a multiple of the step before; of a step that meets the objective at the goal, that
    /// of the goal.
    pub load: f64,
    /// Whether the step may carry more than the goal, so that `load` is the least that it can be.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub at_least: bool,
    /// The ends of its 95 % interval; `None` if one of the capacities has an open interval.
    pub interval: Option<(f64, f64)>,
    /// The price an hour, as a multiple of the step before; `None` where there are no prices.
    pub price: Option<f64>,
}

impl Step {
    /// A step, compared with the one before.
    #[must_use]
    pub fn new(name: &str, capacity: CapacityResult, before: Option<(&Step, Changes)>) -> Step {
        let (before, changes) = before.unzip();
        Step {
            name: name.to_owned(),
            title: capacity.scenario.title.clone(),
            gain: before.and_then(|before| gain(&before.capacity, &capacity)),
            changes,
            capacity,
            dead: Vec::new(),
        }
    }

    /// The load that the step carries: its capacity, or the goal if it meets the objective there; `None` without one.
    #[must_use]
    pub fn carries(&self) -> Option<f64> {
        carries(&self.capacity)
    }

    /// Whether the step may carry more than [`Step::carries`] says, because the search ended at the goal.
    #[must_use]
    pub fn is_at_goal(&self) -> bool {
        self.capacity.verdict == Found::MetAtTheGoal
    }

    /// The measurements at the load that the step carries; `None` without one.
    #[must_use]
    pub fn at(&self) -> Option<&Point> {
        self.capacity.at.as_ref().filter(|_| self.carries().is_some())
    }
}

impl ClimbResult {
    /// The unit in which all steps say their load; `None` if they have several.
    #[must_use]
    pub fn unit(&self) -> Option<LoadUnit> {
        let unit = self.steps.first()?.capacity.load.unit;
        self.steps.iter().all(|step| step.capacity.load.unit == unit).then_some(unit)
    }
}

fn carries(found: &CapacityResult) -> Option<f64> {
    if found.verdict == Found::MetAtTheGoal { found.low } else { found.estimate }
}

/// The gain between two capacities in the same unit. There is none from a step that may carry more than the goal. Its interval is that of a ratio of independent estimates (delta
/// method on logarithms). With the same customers at both steps their errors go the same way, so that it is wide rather
/// than narrow.
fn gain(before: &CapacityResult, after: &CapacityResult) -> Option<Gain> {
    if before.load.unit != after.load.unit {
        return None;
    }
    let load = carries(after)? / before.estimate?;
    let price = |one: &CapacityResult| one.at.as_ref()?.cost_usd_per_hour.filter(|cost| *cost > 0.0);
    let logs = |one: &CapacityResult| {
        let middle = one.estimate?;
        Some((libm::log(middle / one.low?), libm::log(one.high? / middle)))
    };
    let interval = logs(before).zip(logs(after)).map(|(before, after)| {
        let down = libm::hypot(after.0, before.1);
        let up = libm::hypot(after.1, before.0);
        (load * libm::exp(-down), load * libm::exp(up))
    });
    let interval = interval.filter(|(low, high)| low.is_finite() && high.is_finite());
    Some(Gain {
        load,
        at_least: after.verdict == Found::MetAtTheGoal,
        interval,
        price: price(after).zip(price(before)).map(|(after, before)| after / before),
    })
}
