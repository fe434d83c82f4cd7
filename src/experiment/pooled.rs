//! `Pooled`: the histograms behind a result's percentiles, for questions that its JSON does not answer.

use crate::stats::histogram::Histogram;

/// Response times of requests that ended ok and of all that ended, one histogram a trial.
#[derive(Clone, Debug, Default)]
pub struct Pooled {
    /// Of those that ended ok, ns.
    pub ok: Vec<Histogram>,
    /// Of all that ended, ns.
    pub ended: Vec<Histogram>,
    /// Of those that ended ok, by class in the scenario's order, ns.
    pub classes: Vec<Vec<Histogram>>,
}

impl Pooled {
    /// Response times of requests that ended ok, all trials together, for charts of the distribution.
    #[must_use]
    pub fn all(&self) -> Histogram {
        let mut all = Histogram::default();
        self.ok.iter().for_each(|trial| all.merge(trial));
        all
    }
}
