//! Real systems: what products measured on one machine did, and what a scenario of the same experiment gives.
//!
//! Each scenario has the length of the measured run, so that a trial is one run. The spread over the trials is then the
//! error of one run, and the tolerance follows from the measurement: `Comparison::tolerance`.

mod measure;

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use self::measure::Measure;
use super::super::runner::Progress;
use super::super::threads;
use super::{Effort, Options, Verbatim};
use crate::components::KINDS;
use crate::kernel::random::{Seed, name_hash};
use crate::scenario::build::build;
use crate::scenario::{Scenario, load};
use crate::stats::tally::Moments;

/// The measurements that are built into the program.
const REAL: &str = include_str!("../../../../data/validation/real.json");

/// Share of a measured value by which the harness alone makes two runs differ: three runs of one experiment had means
/// 3.5 % apart.
const NOISE: f64 = 0.05;

/// The same for the 95th and 99th percentiles: at a load of 0.8 those of the same three runs were 12 % apart.
const NOISE_TAIL: f64 = 0.15;

/// A ratio of model to measurement beyond this factor, or below its reciprocal, needs a reason.
pub const FACTOR: f64 = 1.5;

/// The measurements, and the scenarios that stand for them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurements {
    /// Where and how it was measured, for readers.
    pub source: String,
    scenarios: BTreeMap<String, Experiment>,
    /// The measured values.
    pub comparisons: Vec<Comparison>,
}

/// A scenario with `${names}` in it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Experiment {
    lines: Vec<String>,
    trials: u32,
    /// Whether it runs only with [`Effort::Full`].
    #[serde(default)]
    long: bool,
}

/// How the limits of a measured value are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bounds {
    /// A 95 % interval of the mean of one run.
    Ci95,
    /// The smallest and the largest of several runs.
    Range,
}

/// The unit of a measured value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Millis,
    /// A number of requests, writes or events.
    #[serde(rename = "count")]
    Count,
    /// A share between 0 and 1.
    #[serde(rename = "share")]
    Share,
    /// A second.
    #[serde(rename = "1/s")]
    Rate,
    /// A ratio.
    #[serde(rename = "ratio")]
    Ratio,
}

impl Unit {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "s",
            Unit::Millis => "ms",
            Unit::Count => "count",
            Unit::Share => "share",
            Unit::Rate => "1/s",
            Unit::Ratio => "ratio",
        }
    }

    /// The smallest difference that the harness could see: it adds 1.4 to 2.1 ms to a response, looks at states ten
    /// times a second, and may count one request more or less.
    const fn resolution(self) -> f64 {
        match self {
            Unit::Millis => 2.0,
            Unit::Seconds => 0.1,
            Unit::Count => 1.0,
            Unit::Share => 0.01,
            Unit::Ratio => 0.05,
            Unit::Rate => 0.0,
        }
    }
}

/// A measured value of a real system, and what stands for it in a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Its name, unique in the file.
    pub id: String,
    /// The product.
    pub system: String,
    /// Its version; empty for a program of the harness itself.
    pub version: String,
    /// The experiment.
    pub method: String,
    /// What was measured.
    pub quantity: String,
    /// The unit of all its numbers.
    pub unit: Unit,
    /// The measured value: the mean, if there were several runs.
    pub measured: f64,
    /// Its lower limit.
    pub low: Option<f64>,
    /// Its upper limit.
    pub high: Option<f64>,
    /// What the limits are.
    pub bounds: Option<Bounds>,
    /// Number of requests, or of runs, that it comes from.
    pub n: Option<u64>,
    /// How finely it was measured, if that is finer than its unit's usual resolution.
    pub resolution: Option<f64>,
    /// Number of runs.
    pub runs: u32,
    scenario: String,
    #[serde(default)]
    with: BTreeMap<String, String>,
    measure: String,
    /// Why the model differs, or is beyond [`FACTOR`]; a sentence.
    pub reason: Option<String>,
}

impl Comparison {
    /// The largest difference at which model and measurement agree, in the unit of the comparison.
    ///
    /// It is the sum of the harness's own noise and of the errors of the two means. The error of a measurement is its
    /// 95 % interval. Where it has none, it is that of `runs` trials, because a trial is one run.
    fn tolerance(&self, trials: &Moments) -> f64 {
        let tail = self.measure.starts_with("p95") || self.measure.starts_with("p99");
        let noise = if tail { NOISE_TAIL } else { NOISE };
        let ours = 2.0 * trials.sd() / (trials.count() as f64).sqrt();
        let theirs = match (self.bounds, self.low, self.high) {
            (Some(Bounds::Ci95), Some(low), Some(high)) => (high - low) / 2.0,
            _ => 2.0 * trials.sd() / f64::from(self.runs).sqrt(),
        };
        let resolution = self.resolution.unwrap_or(self.unit.resolution());
        noise * self.measured.abs() + resolution + libm::hypot(ours, theirs)
    }
}

/// A measured value beside what the model gives.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The name of the comparison.
    pub id: String,
    /// The product and its version.
    pub system: String,
    /// The experiment and what was measured in it.
    pub what: String,
    /// The unit of all numbers.
    pub unit: Unit,
    /// The measured value.
    pub measured: f64,
    /// Its limits, if it has any.
    pub limits: Option<(f64, f64)>,
    /// Number of requests, or of runs, that it comes from.
    pub n: Option<u64>,
    /// Mean of the model over its trials; absent if no trial gave a value.
    pub model: Option<f64>,
    /// Largest difference at which the two agree.
    pub tolerance: f64,
    /// Whether they agree.
    pub agrees: bool,
    /// Model divided by measurement; absent where that is no number.
    pub ratio: Option<f64>,
    /// Why they differ.
    pub reason: Option<String>,
}

impl Compared {
    /// Whether the ratio lies beyond [`FACTOR`].
    #[must_use]
    pub fn is_far(&self) -> bool {
        !self.agrees && self.ratio.is_none_or(|ratio| !(1.0 / FACTOR..=FACTOR).contains(&ratio))
    }
}

/// The measurements that are built in.
///
/// # Panics
/// Never: a test parses the file.
#[must_use]
pub fn built_in() -> Measurements {
    parse(REAL).expect("the measurements are well formed")
}

/// Parses a file of measurements.
///
/// # Errors
/// What is wrong with it.
pub fn parse(text: &str) -> Result<Measurements, String> {
    let file: Measurements = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for one in &file.comparisons {
        if !file.scenarios.contains_key(&one.scenario) {
            return Err(format!("`{}` names no scenario: `{}`", one.id, one.scenario));
        }
        if Measure::parse(&one.measure).is_none() {
            return Err(format!("`{}` has an unknown measure `{}`", one.id, one.measure));
        }
        if let Err(wrong) = load(&one.id, &file.text(one), &[], &Verbatim, KINDS) {
            let messages: Vec<&str> = wrong.items.iter().map(|item| item.message.as_str()).collect();
            return Err(format!("the scenario of `{}` is not valid: {}", one.id, messages.join("; ")));
        }
    }
    Ok(file)
}

/// A scenario that is ready to run, and the comparisons that its trials give a value for.
struct Ready<'m> {
    name: String,
    scenario: Scenario,
    trials: u32,
    of: Vec<(&'m Comparison, Measure)>,
}

impl Measurements {
    /// The text of the scenario that stands for a comparison.
    fn text(&self, one: &Comparison) -> String {
        let mut text = self.scenarios[&one.scenario].lines.join("\n") + "\n";
        for (name, value) in &one.with {
            text = text.replace(&format!("${{{name}}}"), value);
        }
        text
    }

    fn ready(&self, effort: Effort) -> Vec<Ready<'_>> {
        let mut ready: Vec<(String, Ready<'_>)> = Vec::new();
        for one in &self.comparisons {
            let experiment = &self.scenarios[&one.scenario];
            if experiment.long && effort == Effort::Short {
                continue;
            }
            let measure = Measure::parse(&one.measure).expect("it was parsed before");
            let text = self.text(one);
            if let Some((_, known)) = ready.iter_mut().find(|(other, _)| *other == text) {
                known.of.push((one, measure));
                continue;
            }
            let loaded = load(&one.id, &text, &[], &Verbatim, KINDS);
            let scenario =
                loaded.unwrap_or_else(|wrong| panic!("{}: {}", one.id, wrong.render(false))).scenario;
            let of = vec![(one, measure)];
            ready.push((text, Ready { name: one.scenario.clone(), scenario, trials: experiment.trials, of }));
        }
        ready.into_iter().map(|(_, ready)| ready).collect()
    }
}

/// Number of scenarios that [`run`] reports progress on.
#[must_use]
pub fn scenarios(measurements: &Measurements, effort: Effort) -> u32 {
    measurements.ready(effort).len() as u32
}

/// Simulates the experiments and compares; `None` when the user has interrupted the run. The result does not depend on
/// the number of threads.
///
/// # Panics
/// When a scenario of the measurements is not valid, or an invariant of the simulator is broken.
#[must_use]
pub fn run(measurements: &Measurements, options: Options, progress: &dyn Progress) -> Option<Vec<Compared>> {
    let ready = measurements.ready(options.effort);
    let tasks: Vec<(usize, u32)> = ready
        .iter()
        .enumerate()
        .flat_map(|(at, one)| (0..one.trials).map(move |trial| (at, trial)))
        .collect();
    let done = Mutex::new(vec![0; ready.len()]);
    let one = |(at, trial): (usize, u32)| {
        if progress.interrupted() {
            return None;
        }
        let Ready { name, scenario, trials, of } = &ready[at];
        let seed = Seed::new(name_hash(name).wrapping_add(options.seed)).trial(u64::from(trial));
        let record = build(scenario, seed).run(scenario.length(), &mut |_| progress.interrupted());
        let mut done = done.lock().expect("nothing fails while the lock is held");
        done[at] += 1;
        progress.advanced(at as u32, f64::from(done[at]) / f64::from(*trials));
        Some((at, of.iter().map(|(_, measure)| measure.of(&record)).collect::<Vec<f64>>()))
    };
    let trials: Vec<(usize, Vec<f64>)> =
        threads::each(options.jobs, tasks, one).into_iter().collect::<Option<_>>()?;
    let mut compared = Vec::new();
    for (at, Ready { of, .. }) in ready.iter().enumerate() {
        for (column, (one, _)) in of.iter().enumerate() {
            let of_it = trials.iter().filter(|(index, _)| *index == at).map(|(_, values)| values[column]);
            compared.push(judge(one, of_it));
        }
    }
    let order = |id: &str| measurements.comparisons.iter().position(|one| one.id == id);
    compared.sort_by_key(|one| order(&one.id));
    Some(compared)
}

/// A comparison with the values of its trials, in seconds where they are times.
fn judge(one: &Comparison, values: impl Iterator<Item = f64>) -> Compared {
    let scale = if one.unit == Unit::Millis { 1e3 } else { 1.0 };
    let trials: Moments = values.filter(|value| value.is_finite()).map(|value| value * scale).collect();
    let model = (trials.count() > 0).then(|| trials.mean());
    let tolerance = one.tolerance(&trials);
    let agrees = model.is_some_and(|model| (model - one.measured).abs() <= tolerance);
    Compared {
        id: one.id.clone(),
        system: format!("{} {}", one.system, one.version).trim_end().to_owned(),
        what: format!("{}: {}", one.method, one.quantity),
        unit: one.unit,
        measured: one.measured,
        limits: one.low.zip(one.high),
        n: one.n,
        model,
        tolerance,
        agrees,
        ratio: model.map(|model| model / one.measured).filter(|ratio| ratio.is_finite()),
        reason: one.reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(bounds: Option<Bounds>, runs: u32) -> Comparison {
        let text = r#"{ "id": "x", "system": "s", "version": "", "method": "m", "quantity": "q", "unit": "count",
            "measured": 100, "low": 90, "high": 110, "runs": 1, "scenario": "s", "measure": "failed" }"#;
        Comparison { bounds, runs, ..serde_json::from_str(text).unwrap() }
    }

    #[test]
    fn the_tolerance_follows_from_the_measurement() {
        let steady: Moments = [100.0, 100.0].into_iter().collect();
        // 5 % of 100, one request, and the half-width of 10.
        assert_eq!(one(Some(Bounds::Ci95), 1).tolerance(&steady), 16.0);
        assert_eq!(one(Some(Bounds::Range), 4).tolerance(&steady), 6.0);
        // Four trials with a standard deviation of 3: of one run 2 * 3, of their mean 2 * 3 / 2.
        let spread: Moments = [97.4, 102.6, 97.4, 102.6].into_iter().collect();
        let error = libm::hypot(2.0 * spread.sd(), spread.sd());
        assert!((one(None, 1).tolerance(&spread) - 6.0 - error).abs() < 1e-9);
    }

    #[test]
    fn a_value_that_is_measured_nowhere_differs() {
        let found = judge(&one(None, 1), [f64::NAN].into_iter());
        assert!(!found.agrees && found.model.is_none() && found.is_far());
    }

    #[test]
    fn every_comparison_has_a_scenario_and_a_name_of_its_own() {
        let file = built_in();
        let mut ids: Vec<&str> = file.comparisons.iter().map(|one| one.id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), file.comparisons.len());
        assert!(ids.len() >= 65 && !file.ready(Effort::Full).is_empty());
    }
}
