//! Why a year cannot be composed, as a sentence.

use super::CALM_MAX;
use crate::model::quantity::Duration;

/// Why a year cannot be composed.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// Nothing fails at random, and the catalogue has nothing that could.
    NoFaults,
    /// The load of this box changes over time.
    LoadChanges(String),
    /// Faults overlap for this share of the time.
    TooOften(f64),
    /// After this cause the service is not as before when the longest calm is over.
    Unsettled(String),
    /// After this cause requests pile up without end; without one, work does so even without any fault.
    Flooded(Option<String>),
    /// The user interrupted it before there was a result.
    Interrupted,
}

impl Refusal {
    /// The reason and what to do, as a sentence without a full stop.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Refusal::NoFaults => {
                "there is nothing that could fail: no box has a machine, a zone or a region".into()
            }
            Refusal::LoadChanges(name) => format!(
                "the load of `{name}` changes over time, and a fault costs most at the peak: give it one load, such as the \
                 peak's, with --set"
            ),
            Refusal::TooOften(share) => format!(
                "there is a fault, or its aftermath, for {:.0} % of the time, so that there is no steady state between faults: \
                 `outgrow run` sees enough of them",
                share * 100.0
            ),
            Refusal::Unsettled(cause) => format!(
                "{} after a {cause} the service is not yet as it was before: it has to be made to recover first; \
                 `outgrow run` with a planned fault shows why",
                Duration(CALM_MAX)
            ),
            Refusal::Flooded(Some(cause)) => format!(
                "after a {cause} requests pile up without end: limit them, such as by a `timeout` of the client or a `backlog`"
            ),
            Refusal::Flooded(None) => {
                "work piles up without end even without any fault: the load is beyond what the design can do"
                    .into()
            }
            Refusal::Interrupted => "interrupted before anything was measured: there is no result".into(),
        }
    }
}
