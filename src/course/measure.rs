//! Simulates the runs of an exercise and reads off its values.

use std::collections::BTreeMap;

use super::Shelf;
use super::exercise::{Exercise, Fix, Run, Variant};
use super::formula;
use super::text::{Unit, Value};
use crate::components::KINDS;
use crate::experiment::capacity::{CapacityResult, Knob, Loads, Question, capacity};
use crate::experiment::expect::{measure, verdicts};
use crate::experiment::result::{Answer, RunResult};
use crate::experiment::runner::{self, Progress, RunOptions};
use crate::model::spec::NoFiles;
use crate::model::unit;
use crate::report::chart::of_run;
use crate::scenario::expression::{Expectation, parse_metric, parse_slo};
use crate::scenario::{self, Scenario, sha256};

/// What came out of the runs of an exercise.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The measured values by name.
    pub values: BTreeMap<String, Value>,
    /// The fingerprints of all runs: of one run its own, of several the first 16 digits of the SHA-256 of all. That of a search is made
    /// from its answer and the loads that it tried.
    pub fingerprint: String,
}

/// How the runs of a cure ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Cured {
    /// Whether each goal holds, with its value and its interval as text.
    pub goals: Vec<(String, bool)>,
    /// Price of all machines in USD an hour.
    pub usd_per_hour: f64,
    /// The fingerprint of the run.
    pub fingerprint: String,
}

/// Simulates all runs of a variant over `jobs` threads.
///
/// # Errors
/// What is wrong with the exercise or its scenarios, or that the user has interrupted the run.
pub fn exercise(
    exercise: &Exercise,
    variant: Variant,
    shelf: Shelf<'_>,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<Measured, String> {
    let mut values = BTreeMap::new();
    let mut fingerprints = Vec::new();
    for (at, run) in exercise.runs.iter().enumerate() {
        let changes = exercise.changes(run, variant);
        let own = exercise.values.iter().filter(|(_, source)| source.run == at);
        let loaded = load(run, shelf, &changes)?;
        if let Some(slo) = &run.slo {
            let found = highest_load(run, slo, shelf, (&changes, variant.seed, jobs), progress)?;
            let halves = found.low.zip(found.high).map(|(low, high)| (high - low) / 2.0);
            let mean = found.estimate.ok_or("no load meets the objective")?;
            for (name, _) in own {
                values.insert(name.clone(), Value { mean, half_width: halves, unit: Unit::Count });
            }
            let loads: Vec<f64> = found.points.iter().map(|point| point.load).collect();
            let text = format!("{:?}", (found.estimate, found.low, found.high, loads));
            fingerprints.push(sha256(&text)[..16].to_owned());
            continue;
        }
        let result = simulate(&loaded, run.trials, variant.seed, jobs, progress)?;
        for (name, source) in own {
            values.insert(name.clone(), value(&source.metric, &loaded, &result)?);
        }
        fingerprints.push(result.fingerprint);
    }
    let fingerprint = match fingerprints.as_slice() {
        [one] => one.clone(),
        all => sha256(&all.concat())[..16].to_owned(),
    };
    Ok(Measured { values, fingerprint })
}

/// Simulates a student's cure. Its changes may be of the allowed keys only.
///
/// # Errors
/// A change that is not allowed, or what is wrong with it.
pub fn cure(
    exercise: &Exercise,
    fix: &Fix,
    changes: &[(String, String)],
    (variant, jobs): (Variant, usize),
    shelf: Shelf<'_>,
    progress: &dyn Progress,
) -> Result<Cured, String> {
    for (key, _) in changes {
        let allowed = |known: &String| match known.strip_suffix('*') {
            Some(begin) => key.starts_with(begin),
            None => key == known,
        };
        if !fix.keys.iter().any(allowed) {
            return Err(format!("`{key}` may not be changed here: only {}", fix.keys.join(", ")));
        }
    }
    let run = &exercise.runs[fix.run];
    let mut all = exercise.changes(run, variant);
    all.extend(changes.iter().cloned());
    let loaded = load(run, shelf, &all)?;
    let result = simulate(&loaded, run.trials, variant.seed, jobs, progress)?;
    let goals = goals(&fix.goals, &loaded)?;
    let judged = verdicts(&goals, &result);
    let shown = |verdict: &crate::experiment::result::Verdict| {
        (verdict.that.clone(), verdict.verdict == Answer::Holds)
    };
    Ok(Cured {
        goals: judged.iter().map(shown).collect(),
        usd_per_hour: result.metrics.cost_usd_per_hour.mean.unwrap_or(0.0),
        fingerprint: result.fingerprint,
    })
}

/// Largest number of trials behind a picture, which shows how a run goes and states no figure.
const PICTURE_TRIALS_MAX: u32 = 3;

/// A picture of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The run as it was simulated, with fewer trials.
    pub run: Run,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The chart that says most, as SVG.
    pub svg: String,
}

/// A picture of the first run that is no search; `None` if there is none.
///
/// # Errors
/// As [`exercise`].
pub fn picture(
    exercise: &Exercise,
    variant: Variant,
    shelf: Shelf<'_>,
    progress: &dyn Progress,
) -> Result<Option<Picture>, String> {
    let Some(run) = exercise.runs.iter().find(|run| run.slo.is_none()) else { return Ok(None) };
    let run = Run { trials: run.trials.min(PICTURE_TRIALS_MAX), ..run.clone() };
    let loaded = load(&run, shelf, &exercise.changes(&run, variant))?;
    let result = simulate(&loaded, run.trials, variant.seed, 0, progress)?;
    let Some(chart) = of_run(&result).into_iter().next() else { return Ok(None) };
    Ok(Some(Picture { run, fingerprint: result.fingerprint, svg: chart.svg() }))
}

/// Checks what the texts say: comparisons of measured values.
///
/// # Errors
/// The first claim that does not hold.
pub fn claims(exercise: &Exercise, variant: Variant, measured: &Measured) -> Result<(), String> {
    let numbers = exercise.numbers(variant, &measured.values);
    for claim in &exercise.holds {
        if !formula::holds(claim, &|name| numbers.value(name))? {
            return Err(format!("`{claim}` does not hold"));
        }
    }
    Ok(())
}

fn load(run: &Run, shelf: Shelf<'_>, changes: &[(String, String)]) -> Result<Scenario, String> {
    let text = shelf.text(&run.scenario)?;
    // A scenario of a course reads no files: a student's change could name any.
    let loaded = scenario::load(&run.scenario, &text, changes, &NoFiles, KINDS);
    loaded.map(|loaded| loaded.scenario).map_err(|found| found.to_string())
}

fn simulate(
    scenario: &Scenario,
    trials: u32,
    seed: u64,
    jobs: usize,
    progress: &dyn Progress,
) -> Result<RunResult, String> {
    let options = RunOptions { seed, trials: 0..trials, jobs, length: scenario.length() };
    let found = runner::run(scenario, &options, progress);
    if found.records.len() < trials as usize || progress.interrupted() {
        return Err("it was stopped before its end".into());
    }
    Ok(RunResult::new(scenario, &options, &found))
}

fn value(metric: &str, scenario: &Scenario, result: &RunResult) -> Result<Value, String> {
    let metric = parse_metric(metric, &scenario.names()).map_err(|error| error.to_string())?;
    let figure = measure(&metric, result)?;
    let mean = figure.mean.ok_or_else(|| format!("{metric} was not measured"))?;
    let unit = match metric.unit() {
        unit::Unit::Seconds => Unit::Time,
        unit::Unit::Share => Unit::Share,
        unit::Unit::PerSecond => Unit::Rate,
        unit::Unit::Count => Unit::Count,
        unit::Unit::Usd => Unit::Usd,
    };
    Ok(Value { mean, half_width: figure.half_width, unit })
}

fn goals(texts: &[String], scenario: &Scenario) -> Result<Vec<Expectation>, String> {
    parse_slo(&texts.join(", "), &scenario.names()).map_err(|error| error.to_string())
}

fn highest_load(
    run: &Run,
    slo: &str,
    shelf: Shelf<'_>,
    (changes, seed, jobs): (&[(String, String)], u64, usize),
    progress: &dyn Progress,
) -> Result<CapacityResult, String> {
    let scenario = load(run, shelf, changes)?;
    let slo = goals(&[slo.to_owned()], &scenario)?;
    let knob = Knob::of(&scenario, None)?;
    let question = Question {
        slo: &slo,
        knob: &knob,
        seed,
        trials: run.trials,
        jobs,
        may_stretch: false,
        beyond: false,
        start: knob.likely(&scenario),
        goal: None,
    };
    let found = capacity(&question, &Loaded { run, shelf, changes }, progress)?;
    found.filter(|found| found.complete).ok_or_else(|| "it was stopped before its end".into())
}

/// Gives a search the scenario of a run at different loads.
struct Loaded<'a> {
    run: &'a Run,
    shelf: Shelf<'a>,
    changes: &'a [(String, String)],
}

impl Loads for Loaded<'_> {
    type Error = String;

    fn scenario(&self, overrides: &[(String, String)]) -> Result<Scenario, String> {
        load(self.run, self.shelf, &[self.changes, overrides].concat())
    }

    fn trying(&self, _number: usize, _load: &str) {}
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::experiment::runner::Unwatched;
    use crate::model::spec::Files;

    struct Beside;

    impl Files for Beside {
        fn read(&self, path: &str) -> Result<String, String> {
            if path == "box.toml" { Ok(samples::BOX.into()) } else { Err("there is none".into()) }
        }
    }

    #[test]
    fn values_and_fingerprints_are_those_of_the_variant() {
        let exercise = samples::exercise();
        let shelf = Shelf { files: &Beside, builtin: |_| None };
        let of = |set, seed| {
            let variant = Variant { set, seed };
            super::exercise(&exercise, variant, shelf, 1, &Unwatched).unwrap()
        };
        let found = of(0, 1);
        assert_eq!(found, of(0, 1));
        assert_ne!(found.fingerprint, of(0, 2).fingerprint);
        assert_ne!(found.fingerprint, of(1, 1).fingerprint);
        assert!(found.values["twice"].mean > found.values["once"].mean);
        assert_eq!(found.values["once"].unit, Unit::Time);
        assert_eq!(claims(&exercise, Variant { set: 0, seed: 1 }, &found), Ok(()));
        let wrong = Exercise { holds: vec!["twice < once".into()], ..exercise.clone() };
        assert!(claims(&wrong, Variant { set: 0, seed: 1 }, &found).unwrap_err().contains("does not hold"));
    }

    #[test]
    fn a_cure_may_change_only_what_is_allowed() {
        let exercise = samples::exercise();
        let fix = Fix {
            run: 0,
            keys: vec!["box.*".into()],
            goals: vec!["utilisation(box) < 30%".into()],
            reference: Vec::new(),
        };
        let shelf = Shelf { files: &Beside, builtin: |_| None };
        let cured = |key: &str, value: &str| {
            let changes = [(key.to_owned(), value.to_owned())];
            let variant = Variant { set: 0, seed: 1 };
            cure(&exercise, &fix, &changes, (variant, 1), shelf, &Unwatched)
        };
        assert!(cured("box.cores", "4").unwrap().goals[0].1);
        assert!(!cured("box.cores", "1").unwrap().goals[0].1);
        assert!(cured("users.users", "1").unwrap_err().contains("may not be changed"));
        assert!(cured("box.cors", "1").unwrap_err().contains("unknown key `cors`"));
    }
}
