//! What a result says of the two worlds of a service that comes back in some trials and not in others.

use super::{Answer, ClassResult, Metrics, Named};

/// The two worlds of a service that comes back in some trials. All other figures mix them.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Worlds {
    /// The trials in which it came back.
    pub recovered: World,
    /// The trials in which it did not.
    pub collapsed: World,
}

/// The trials of one world.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct World {
    /// Their number.
    pub trials: usize,
    /// The system as a whole in them.
    pub metrics: Metrics,
    /// The figures of each class of requests in them.
    pub classes: Named<ClassResult>,
}

/// A goal in each of the two worlds.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct ByWorld {
    /// In the trials in which the service came back.
    pub recovered: InWorld,
    /// In the trials in which it did not.
    pub collapsed: InWorld,
}

/// A goal in one world.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct InWorld {
    /// Number of trials of this world.
    pub trials: usize,
    /// Whether the goal holds in them.
    pub verdict: Answer,
    /// The value measured in them, in the unit of the goal; `None` if there is none.
    pub value: Option<f64>,
    /// Half the width of its interval; `None` for a single trial.
    pub half_width: Option<f64>,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// The reason why the goal is not shown, if more trials do not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Approximate number of trials, of both worlds together, that would show it, if it is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials_needed: Option<u64>,
}
