//! `Apart`: the trials in which a service comes back, and those in which it does not, each judged as if there were no others.

use crate::model::record::TrialRecord;
use crate::scenario::Scenario;
use crate::scenario::expression::Metric;

use super::collapse::Collapse;
use super::result::{Answer, ByWorld, InWorld, RunResult, Verdict, World, Worlds};
use super::runner::{RunOptions, Trials};

/// The results of the trials of each world, as if there were no others.
pub(super) struct Apart {
    recovered: RunResult,
    collapsed: RunResult,
    /// Number of trials of both.
    trials: usize,
}

impl Apart {
    /// The trials of each world by themselves; `None` unless there are both.
    pub(super) fn of(
        scenario: &Scenario,
        options: &RunOptions,
        trials: &Trials,
        found: &Collapse,
    ) -> Option<Apart> {
        let has = |which: bool| found.by_trial.contains(&Some(which));
        // The result of one world alone has no worlds, which ends the recursion.
        if !(has(false) && has(true)) {
            return None;
        }
        let world = |which: bool| {
            let own = trials.records.iter().zip(&found.by_trial).filter(|(_, one)| **one == Some(which));
            let records: Vec<TrialRecord> = own.map(|(record, _)| record.clone()).collect();
            let own = Trials { records, complete: trials.complete, precision: None };
            RunResult::measured(scenario, options, &own)
        };
        Some(Apart { recovered: world(false), collapsed: world(true), trials: trials.records.len() })
    }

    /// What users had in each world.
    pub(super) fn figures(&self) -> Worlds {
        let world = |result: &RunResult| World {
            trials: result.trials,
            metrics: result.metrics.clone(),
            classes: result.classes.clone(),
        };
        Worlds { recovered: world(&self.recovered), collapsed: world(&self.collapsed) }
    }

    /// Judges the goals in each world. A goal that one of them breaks is broken: the mean of both is what no user ever sees.
    pub(super) fn judge(&self, scenario: &Scenario, verdicts: &mut [Verdict]) {
        for (at, verdict) in verdicts.iter_mut().enumerate() {
            // How often the service collapses is a figure of both worlds together.
            if matches!(scenario.expects[at].that.metric, Metric::CollapseProbability) {
                continue;
            }
            let [recovered, collapsed] =
                [&self.recovered, &self.collapsed].map(|world| self.in_world(world, at));
            let worse =
                if collapsed.verdict.rank() >= recovered.verdict.rank() { &collapsed } else { &recovered };
            verdict.verdict = worse.verdict;
            verdict.reason.clone_from(&worse.reason);
            verdict.trials_needed = worse.trials_needed;
            verdict.by_world = Some(ByWorld { recovered, collapsed });
        }
    }

    /// What a world makes of the goal with this index.
    fn in_world(&self, world: &RunResult, goal: usize) -> InWorld {
        let Verdict { verdict, value, half_width, low, high, reason, trials_needed, .. } =
            world.expect[goal].clone();
        // Of all trials, only this share belongs to this world.
        let of_both = |own: u64| (own * self.trials as u64).div_ceil(world.trials as u64);
        let is_lone = world.trials == 1 && value.is_some() && verdict == Answer::NotShown;
        let (reason, trials_needed) =
            if is_lone { (None, Some(of_both(2))) } else { (reason, trials_needed.map(of_both)) };
        InWorld { trials: world.trials, verdict, value, half_width, low, high, reason, trials_needed }
    }
}
