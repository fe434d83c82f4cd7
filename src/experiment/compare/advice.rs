//! The advice of a comparison: read by the loader for every design, and tried for the design that does worst.

use super::super::result::{Answer, RunResult};
use super::super::runner::{Progress, RunOptions, Trials};
use super::super::{advise, attempt};
use super::{CompareResult, Design, DesignResult, Difference, Shown};
use crate::scenario::Scenario;

/// Reads a design, by its place, with other values of some keys: keys and values. `None` if that is no good scenario.
pub type ReloadDesign<'a> = dyn Fn(usize, &[(String, String)]) -> Option<Scenario> + 'a;

/// How advice is read, and whether it is tried.
pub struct Advice<'a> {
    /// Reads the designs with changes.
    pub reload: &'a ReloadDesign<'a>,
    /// Whether the advice for the worst design is tried, which costs about as much as the trials of that design.
    pub tries: bool,
}

impl Advice<'_> {
    /// Lets the advice for each design pass through the loader.
    pub(super) fn read(&self, designs: &[Design], results: &mut [RunResult]) {
        for (at, (design, result)) in designs.iter().zip(results).enumerate() {
            let reload = |changes: &[(String, String)]| (self.reload)(at, changes);
            result.next = advise::next(&design.scenario, result, Some(&reload));
        }
    }

    /// Tries what is advised for the design that does worst: the only one whose advice is shown.
    pub(super) fn attempt(
        &self,
        designs: &[Design],
        measured: (&mut [RunResult], &[Trials]),
        options: &RunOptions,
        found: &mut CompareResult,
        progress: &dyn Progress,
    ) {
        let Some(at) = found.worst().filter(|_| self.tries) else { return };
        let (result, records) = (&mut measured.0[at], &measured.1[at].records);
        let reload = |changes: &[(String, String)]| (self.reload)(at, changes);
        attempt::try_advice(&designs[at].scenario, options, result, records, &reload, progress);
        found.designs[at].next.clone_from(&result.next);
        found.designs[at].tried.clone_from(&result.tried);
    }
}

impl CompareResult {
    /// The place of the design that does worst: that with most failed goals, then with most that is worse than in the others;
    /// `None` if none is worse than another.
    #[must_use]
    pub fn worst(&self) -> Option<usize> {
        let fails = |design: &DesignResult| {
            design.expect.iter().filter(|verdict| verdict.verdict == Answer::Fails).count() as i64
        };
        let count = |name: &str, verdict: Shown| {
            let is_it = |one: &&Difference| one.design == name && one.verdict == verdict;
            self.differences.iter().filter(is_it).count() as i64
        };
        let (first, others) = self.designs.split_first()?;
        let loses =
            |design: &DesignResult| count(&design.name, Shown::Worse) - count(&design.name, Shown::Better);
        // What the others win, the baseline loses.
        let of_first = -others.iter().map(loses).min()?;
        let scored = others.iter().map(|design| (fails(design), loses(design)));
        let scores: Vec<(i64, i64)> = std::iter::once((fails(first), of_first)).chain(scored).collect();
        let (worst, score) = scores.iter().enumerate().max_by_key(|(_, score)| **score)?;
        scores.iter().any(|other| other < score).then_some(worst)
    }
}
