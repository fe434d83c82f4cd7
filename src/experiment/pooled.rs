//! `Pooled`: the histograms behind the percentiles of a result, for questions that its JSON does not answer.

use crate::stats::histogram::Histogram;

/// Histograms of response times in nanoseconds, one a trial.
#[derive(Clone, Debug, Default)]
pub struct Pooled {
    /// Requests that ended ok.
    pub ok: Vec<Histogram>,
    /// All requests that ended.
    pub ended: Vec<Histogram>,
    /// Requests that ended ok, by class in the order of the scenario.
    pub classes: Vec<Vec<Histogram>>,
}

impl Pooled {
    /// The response times of all requests that ended ok, over all trials, in nanoseconds.
    #[must_use]
    pub fn all(&self) -> Histogram {
        let mut all = Histogram::default();
        self.ok.iter().for_each(|trial| all.merge(trial));
        all
    }
}
