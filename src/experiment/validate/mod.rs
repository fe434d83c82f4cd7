//! Validation: compares the simulator with answers that are known without it. Each case is read from a file. Its
//! parameters become scenarios, and the measurements of their trials are compared with the values that the case
//! expects.

mod case;
pub mod coverage;
mod express;
mod judge;
mod quantity;
pub mod systems;
mod text;
pub mod uncertain;

use std::sync::Mutex;

use serde::Serialize;

use self::express::{Plan, express};
use self::quantity::Quantity;
use super::runner::Progress;
use super::threads;
use crate::components::KINDS;
use crate::kernel::random::{Seed, name_hash};
use crate::model::spec::Files;
use crate::scenario::build::build;
use crate::scenario::{Scenario, load};
use crate::stats::tally::Moments;

pub use self::case::{Case, built_in, parse};
pub use self::judge::{Held, Row, Verdict};

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.validation/1";

/// How much is simulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// At most 1.6 million requests a scenario; scenarios that take minutes are left out.
    Short,
    /// The number of requests that an interval of ±1 % needs, or ±2.5 % where ±1 % would take too long.
    Full,
}

/// How to validate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The seed. With the name of a case it determines the seeds of the trials of that case.
    pub seed: u64,
    /// Threads; 0 for as many as there are cores.
    pub jobs: usize,
    /// How much is simulated.
    pub effort: Effort,
}

/// A case, or one of its values, that is not measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotMeasured {
    /// The case.
    pub case: String,
    /// The key of the value; absent for the whole case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The reason: a clause without a full stop.
    pub reason: String,
}

/// The outcome of a validation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Validation {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Whether every trial ran.
    pub complete: bool,
    /// The seed.
    pub seed: u64,
    /// Number of cases that were asked for.
    pub cases: usize,
    /// The measured values, worst first.
    pub values: Vec<Row>,
    /// Cases that the components cannot express.
    pub not_expressed: Vec<NotMeasured>,
    /// Values of the other cases that no quantity of a trial corresponds to.
    pub not_measured: Vec<NotMeasured>,
    /// Cases of which some scenarios run only with [`Effort::Full`].
    pub long: Vec<String>,
    /// Measurements of real systems, in the order of their file.
    pub systems: Vec<systems::Compared>,
}

impl Validation {
    /// Whether no measured value has the verdict [`Verdict::Differs`], and no real system differs without a reason.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let unexplained = |one: &systems::Compared| !one.agrees && one.reason.is_none();
        self.with(Verdict::Differs) == 0 && !self.systems.iter().any(unexplained)
    }

    /// Number of values with this verdict.
    #[must_use]
    pub fn with(&self, verdict: Verdict) -> usize {
        self.values.iter().filter(|row| row.verdict == verdict).count()
    }

    /// Number of cases with at least one measured value.
    #[must_use]
    pub fn measured(&self) -> usize {
        let mut cases: Vec<&str> = self.values.iter().map(|row| row.case.as_str()).collect();
        cases.sort_unstable();
        cases.dedup();
        cases.len()
    }
}

/// A scenario that is ready to run.
struct Ready<'c> {
    case: &'c Case,
    plan: Plan,
    scenario: Scenario,
}

/// The measurements of one trial.
struct Trial {
    /// Index of the scenario.
    index: usize,
    requests: u64,
    values: Vec<f64>,
}

/// Simulates the cases and compares the measured values with the expected ones. The result does not depend on the
/// number of threads.
///
/// # Panics
/// When an invariant of the simulator is broken, or no threads can be started.
#[must_use]
pub fn run(cases: &[Case], options: Options, progress: &dyn Progress) -> Validation {
    let mut found = Validation {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        complete: true,
        seed: options.seed,
        cases: cases.len(),
        values: Vec::new(),
        not_expressed: Vec::new(),
        not_measured: Vec::new(),
        long: Vec::new(),
        systems: Vec::new(),
    };
    let ready = prepare(cases, options.effort, &mut found);
    let tasks: Vec<(usize, u32)> = ready
        .iter()
        .enumerate()
        .flat_map(|(index, one)| (0..one.plan.trials).map(move |trial| (index, trial)))
        .collect();
    let done = Mutex::new(vec![0; ready.len()]);
    let one = |(index, trial): (usize, u32)| {
        let plan = &ready[index].plan;
        let (requests, values) = measure(&ready[index], options.seed, trial, progress)?;
        let mut done = done.lock().expect("nothing fails while the lock is held");
        done[index] += 1;
        progress.advanced(index as u32, f64::from(done[index]) / f64::from(plan.trials));
        Some(Trial { index, requests, values })
    };
    let trials: Vec<Option<Trial>> = threads::each(options.jobs, tasks, one);
    found.complete = trials.iter().all(Option::is_some);
    for (index, Ready { case, plan, .. }) in ready.iter().enumerate() {
        let of: Vec<&Trial> = trials.iter().flatten().filter(|trial| trial.index == index).collect();
        if of.len() == plan.trials as usize {
            found.values.extend(rows(case, plan, &of));
        }
    }
    found.values.sort_by(|a, b| b.strain.total_cmp(&a.strain));
    found
}

/// Number of scenarios that [`run`] reports progress on; each counts as one trial there.
#[must_use]
pub fn scenarios(cases: &[Case], effort: Effort) -> u32 {
    let plans = |case| express(case, effort).map_or(0, |expressed| expressed.plans.len());
    cases.iter().map(plans).sum::<usize>() as u32
}

fn prepare<'c>(cases: &'c [Case], effort: Effort, found: &mut Validation) -> Vec<Ready<'c>> {
    let mut ready = Vec::new();
    for case in cases {
        let not =
            |value: Option<String>, reason: String| NotMeasured { case: case.id.clone(), value, reason };
        let expressed = match express(case, effort) {
            Ok(expressed) => expressed,
            Err(reason) => {
                found.not_expressed.push(not(None, reason));
                continue;
            }
        };
        found.not_measured.extend(expressed.left_out.into_iter().map(|(key, reason)| not(Some(key), reason)));
        for plan in expressed.plans {
            if plan.long && effort == Effort::Short {
                if found.long.last() != Some(&case.id) {
                    found.long.push(case.id.clone());
                }
                continue;
            }
            match load(&case.id, &plan.text, &[], &Verbatim, KINDS) {
                Ok(loaded) => ready.push(Ready { case, plan, scenario: loaded.scenario }),
                Err(wrong) => {
                    let messages: Vec<&str> = wrong.items.iter().map(|item| item.message.as_str()).collect();
                    found
                        .not_expressed
                        .push(not(None, format!("no valid scenario: {}", messages.join("; "))));
                    break;
                }
            }
        }
    }
    ready
}

/// The requests of a trial and its measured values; `None` when the user has interrupted the run.
fn measure(ready: &Ready<'_>, seed: u64, trial: u32, progress: &dyn Progress) -> Option<(u64, Vec<f64>)> {
    if progress.interrupted() {
        return None;
    }
    let Ready { case, plan, scenario } = ready;
    // The name of the case is part of the seed, so that an unlucky stream affects one case only.
    let seed = Seed::new(name_hash(&case.id).wrapping_add(seed)).trial(u64::from(trial));
    let mut simulation = build(scenario, seed);
    if !plan.offers.iter().any(|(_, quantity)| quantity.reads_windows()) {
        simulation.in_windows(1);
    }
    let record = simulation.run(scenario.length(), &mut |_| progress.interrupted());
    let requests = record.classes.iter().map(|class| class.issued).sum();
    let values = plan.offers.iter().map(|(_, quantity)| quantity.of(&record)).collect();
    (!progress.interrupted()).then_some((requests, values))
}

fn rows(case: &Case, plan: &Plan, trials: &[&Trial]) -> Vec<Row> {
    let requests = trials.iter().map(|trial| trial.requests).sum();
    let row = |(column, (key, _)): (usize, &(String, Quantity))| {
        let moments: Moments =
            trials.iter().map(|trial| trial.values[column]).filter(|value| value.is_finite()).collect();
        judge::judge(case, key, plan.rule, plan.counts_requests, &moments, requests)
    };
    plan.offers.iter().enumerate().map(row).collect()
}

/// Files whose content is their name, so that a scenario can contain a short trace.
struct Verbatim;

impl Files for Verbatim {
    fn read(&self, path: &str) -> Result<String, String> {
        Ok(path.to_owned())
    }
}
