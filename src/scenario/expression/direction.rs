//! The direction in which a metric gets better.

use super::Metric;
use crate::model::unit::Better;

impl Metric {
    /// The direction in which it gets better; `None` where neither more nor less is better in itself: the throughput below
    /// saturation is what the users ask for, and a busy core is what was paid for.
    #[must_use]
    pub fn better(&self) -> Option<Better> {
        match self {
            Metric::Response { .. }
            | Metric::ErrorRate(_)
            | Metric::QueueLen(_)
            | Metric::Lag
            | Metric::LostWrites
            | Metric::ConflictingWrites
            | Metric::StaleReadShare
            | Metric::CollapseProbability
            | Metric::Rto
            | Metric::Rpo
            | Metric::CostPerHour
            | Metric::CostPerMillion => Some(Better::Less),
            Metric::Availability(_) | Metric::Goodput => Some(Better::More),
            Metric::Throughput | Metric::Utilisation(_) => None,
            Metric::Gauge { gauge, .. } => gauge.better,
        }
    }
}
