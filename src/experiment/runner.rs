//! Runs the trials of a scenario over threads. The results depend neither on the number of threads nor on the observer.

use std::cell::Cell;
use std::ops::Range;

use crate::kernel::random::Seed;
use crate::kernel::time::SimDuration;
use crate::model::record::{Stop, TrialRecord};
use crate::model::simulation::{Length, WINDOWS};
use crate::scenario::Scenario;
use crate::scenario::build::build;

use super::figure::mean_response;
use super::result::{Figure, Precision};
use super::threads;

/// Trials before the precision is checked; intervals of fewer trials are too uncertain themselves.
const PRECISION_TRIALS_MIN: u32 = 5;

/// Trials after which the target precision is given up.
pub const PRECISION_TRIALS_MAX: u32 = 200;

/// How to run a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunOptions {
    /// The seed that the seeds of all trials derive from.
    pub seed: u64,
    /// Numbers of the trials to run: `0..10` are the first ten, `3..4` replays the fourth.
    pub trials: Range<u32>,
    /// Threads; 0 for as many as there are cores.
    pub jobs: usize,
    /// Warm-up and measured time of each trial.
    pub length: Length,
}

/// Observes a run. Methods are called from several threads at once.
pub trait Progress: Sync {
    /// A trial has reached this share of its simulated time, 0 to 1.
    fn advanced(&self, trial: u32, share: f64);

    /// Whether the user has interrupted the run. Running trials then stop at the end of their window.
    fn interrupted(&self) -> bool;
}

/// An observer that ignores progress and never interrupts.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn advanced(&self, _trial: u32, _share: f64) {}

    fn interrupted(&self) -> bool {
        false
    }
}

/// The trials of a run.
#[derive(Clone, Debug)]
pub struct Trials {
    /// Records in the order of trial numbers, without the trials that were never started.
    pub records: Vec<TrialRecord>,
    /// Whether every trial ran to its end.
    pub complete: bool,
    /// The precision that [`run_to_precision`] reached; `None` after [`run`].
    pub precision: Option<Precision>,
}

impl Trials {
    /// Whether a trial stopped by itself, because too many calls were alive or time stood still. More trials do not help
    /// then.
    pub(super) fn burst(&self) -> bool {
        self.records.iter().any(|record| matches!(record.stop, Stop::TooManyCalls | Stop::Standstill))
    }
}

/// The position of a thread in its trial: what to run to get there again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Seed of the run.
    pub seed: u64,
    /// Number of the trial.
    pub trial: u32,
    /// A simulated time at most one window after the current one.
    pub until: SimDuration,
}

thread_local! {
    static POSITION: Cell<Option<Position>> = const { Cell::new(None) };
}

/// The position of the calling thread in its trial, for the line that replays a panic; `None` outside of trials.
#[must_use]
pub fn position() -> Option<Position> {
    POSITION.get()
}

/// Runs the trials over threads. An interrupted trial is kept if it has measured something, that is, if its warm-up is
/// over.
///
/// # Panics
/// When an invariant of the simulator is broken; [`position`] then tells the panic hook where.
#[must_use]
pub fn run(scenario: &Scenario, options: &RunOptions, progress: &dyn Progress) -> Trials {
    let one = |trial: u32| (!progress.interrupted()).then(|| run_trial(scenario, options, trial, progress));
    let records = threads::each(options.jobs, options.trials.clone().collect(), one);
    let asked = records.len();
    let records: Vec<TrialRecord> =
        records.into_iter().flatten().filter(|record| has_measured(record, options.length)).collect();
    let whole = records.iter().all(|record| record.stop == Stop::Finished);
    Trials { complete: records.len() == asked && whole, records, precision: None }
}

/// Runs more and more trials until the half-width of the mean response time is at most the share `target` of that mean.
/// The target must hold at two consecutive checks, so that luck at one of them does not end the run.
///
/// Starts with `options.trials`. Gives up after [`PRECISION_TRIALS_MAX`] trials, or after twice the number it starts
/// with if that is more. A trial that stops with too many calls ends the run at once: such a system has no mean, and no
/// number of trials is enough.
#[must_use]
pub fn run_to_precision(
    scenario: &Scenario,
    options: &RunOptions,
    target: f64,
    progress: &dyn Progress,
) -> Trials {
    let mut trials = Trials { records: Vec::new(), complete: true, precision: None };
    let precision = until_precise(options.trials.clone(), target, |more| {
        let found = run(scenario, &RunOptions { trials: more, ..options.clone() }, progress);
        trials.records.extend(found.records);
        trials.complete &= found.complete;
        let achieved = Figure::over(trials.records.iter().map(mean_response)).relative();
        (achieved, trials.complete && !trials.burst())
    });
    trials.precision = Some(precision);
    trials
}

/// The rule of [`run_to_precision`] for any figure. `more` runs further trials; it returns the relative half-width over
/// all trials so far, and whether to go on.
pub(super) fn until_precise(
    trials: Range<u32>,
    target: f64,
    mut more: impl FnMut(Range<u32>) -> (Option<f64>, bool),
) -> Precision {
    let first = trials.start;
    let mut goal = (trials.end - first).max(PRECISION_TRIALS_MIN);
    let cap = PRECISION_TRIALS_MAX.max(2 * goal);
    let mut good_checks = 0;
    let mut next = first;
    loop {
        let (achieved, go_on) = more(next..first + goal);
        good_checks = if achieved.is_some_and(|achieved| achieved <= target) { good_checks + 1 } else { 0 };
        let reached = good_checks == 2;
        if reached || !go_on || goal >= cap {
            return Precision { target, achieved, reached };
        }
        next = first + goal;
        goal = (goal + goal.div_ceil(2)).min(cap);
    }
}

pub(super) fn run_trial(
    scenario: &Scenario,
    options: &RunOptions,
    trial: u32,
    progress: &dyn Progress,
) -> TrialRecord {
    let end = SimDuration::from_nanos(
        options.length.warmup.as_nanos().saturating_add(options.length.measured.as_nanos()),
    );
    let at = |share: f64| {
        let until = end.mul_f64((share + 1.0 / WINDOWS as f64).min(1.0));
        POSITION.set(Some(Position { seed: options.seed, trial, until }));
    };
    at(0.0);
    let mut simulation = build(scenario, Seed::new(options.seed).trial(u64::from(trial)));
    let record = simulation.run(options.length, &mut |share| {
        at(share);
        progress.advanced(trial, share);
        progress.interrupted()
    });
    POSITION.set(None);
    record
}

/// Whether a trial measured anything, that is, whether its warm-up is over.
fn has_measured(record: &TrialRecord, length: Length) -> bool {
    let warmup = length.warmup.as_secs_f64();
    record.stop != Stop::Interrupted || record.windows.last().is_some_and(|window| window.start_s >= warmup)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::super::result::RunResult;
    use super::super::samples::{options, scenario};
    use super::*;

    #[test]
    fn the_number_of_threads_leaves_no_trace() {
        let scenario = scenario("50/s");
        let json = |jobs| {
            let options = RunOptions { jobs, ..options(5) };
            let result = RunResult::new(&scenario, &options, &run(&scenario, &options, &Unwatched));
            serde_json::to_string(&result).unwrap()
        };
        assert_eq!(json(1), json(4));
    }

    #[test]
    fn a_trial_can_be_replayed_alone() {
        let scenario = scenario("50/s");
        let all = run(&scenario, &options(4), &Unwatched);
        let lone = run(&scenario, &RunOptions { trials: 3..4, ..options(1) }, &Unwatched);
        assert_eq!(lone.records[0].fingerprint, all.records[3].fingerprint);
        assert_ne!(all.records[2].fingerprint, all.records[3].fingerprint);
        assert_eq!(position(), None);
    }

    /// Interrupts after this number of windows.
    struct Impatient(AtomicU32);

    impl Progress for Impatient {
        fn advanced(&self, trial: u32, _share: f64) {
            assert_eq!(position().map(|position| (position.seed, position.trial)), Some((7, trial)));
            let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        }

        fn interrupted(&self) -> bool {
            self.0.load(Ordering::Relaxed) == 0
        }
    }

    #[test]
    fn what_is_done_at_an_interruption_is_kept() {
        let scenario = scenario("50/s");
        // A trial has 600 windows: 900 are one and a half trials; 50 are less than one warm-up.
        let half = run(&scenario, &options(4), &Impatient(AtomicU32::new(900)));
        let stops: Vec<Stop> = half.records.iter().map(|record| record.stop).collect();
        assert_eq!((stops, half.complete), (vec![Stop::Finished, Stop::Interrupted], false));
        let early = run(&scenario, &options(4), &Impatient(AtomicU32::new(50)));
        assert!(early.records.is_empty() && !early.complete);
    }

    #[test]
    fn precision_is_reached_or_given_up_honestly() {
        let scenario = scenario("50/s");
        let easy = run_to_precision(&scenario, &options(5), 0.5, &Unwatched);
        assert!(easy.precision.unwrap().reached);
        assert_eq!(easy.records.len(), 8, "it must hold at 5 and at 8 trials");
        let hard = run_to_precision(&scenario, &options(5), 1e-9, &Unwatched);
        assert_eq!((hard.precision.unwrap().reached, hard.records.len()), (false, 200));
        let straight = run(&scenario, &options(8), &Unwatched);
        assert_eq!(straight.records[7].fingerprint, easy.records[7].fingerprint);
    }
}
