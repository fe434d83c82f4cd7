//! The time that a search takes: longer trials where an objective needs them, fewer where the time is limited.

use crate::model::simulation::Length;
use crate::scenario::Scenario;

use super::super::Loads;
use super::super::margin::Unknown;
use super::{PROBE_TRIALS, Search};

/// Greatest factor by which a trial is made longer than the scenario says.
const STRETCH_MAX: f64 = 64.0;

/// A trial is longer than needed by this factor, because a lower load gives less to measure.
const STRETCH_SPARE: f64 = 1.5;

/// Number of full loads among which the time that is left is divided.
const FULL_LOADS: f64 = 3.0;

/// Largest number of trials of a load that a limited time allows.
const TRIALS_MAX: f64 = 200.0;

impl<L: Loads> Search<'_, L> {
    /// The length of a full trial: that of the scenario, or longer.
    pub(super) fn whole(&self, scenario: &Scenario) -> Length {
        let own = scenario.length();
        Length { measured: own.measured.mul_f64(self.stretch), ..own }
    }

    /// Makes trials longer, if too little happened in them, and if that is allowed. A load that changes by plan, and
    /// faults, have their own length. Returns whether it did.
    pub(super) fn stretched(&mut self, scenario: &Scenario, unknown: &Unknown) -> bool {
        let Unknown::TooLittle(why, Some(factor)) = unknown else { return false };
        let longer = self.stretch * factor * STRETCH_SPARE;
        if !self.question.may_stretch || !scenario.is_constant() || longer > STRETCH_MAX {
            return false;
        }
        // A whole number of seconds can be typed.
        let own = scenario.length().measured.as_secs_f64();
        self.stretch = libm::ceil(longer * own) / own;
        if self.too_short.is_none() {
            self.too_short = Some(why.clone());
        }
        true
    }

    /// Number of trials of a full load: those asked for, or what the time that is left allows.
    pub(super) fn full_trials(&mut self) -> u32 {
        if let Some(trials) = self.affordable {
            return trials;
        }
        let asked = self.question.trials;
        let Some(left_s) = self.loads.seconds_left() else { return asked };
        let spent_s = self.began_with_s.unwrap_or(left_s) - left_s;
        let per_trial = self.tried.iter().map(|tried| tried.events).max().unwrap_or(1) as f64;
        let events_per_s = self.events as f64 / spent_s.max(1e-3);
        let trials = (left_s / FULL_LOADS * events_per_s / per_trial).min(TRIALS_MAX);
        let trials = (trials as u32).max(PROBE_TRIALS);
        self.affordable = Some(trials);
        self.notes.push(format!(
            "the time allows {trials} trials of each load: --trials {trials} gives the same again"
        ));
        trials
    }
}
