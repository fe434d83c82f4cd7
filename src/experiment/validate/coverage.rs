//! A study of the confidence intervals: how often they cover a known true value, and how their width falls with more
//! data.

use serde::{Deserialize, Serialize};

use super::super::figure::mean_response;
use super::super::runner::Progress;
use super::super::threads;
use super::super::value::Figure;
use super::Verbatim;
use super::case::built_in;
use super::text::{SHARED, client, cpu, fifo, public, rate, scenario as text};
use crate::components::KINDS;
use crate::kernel::random::{Seed, name_hash};
use crate::scenario::build::build;
use crate::scenario::{Scenario, load};
use crate::stats::histogram::Histogram;
use crate::stats::interval::Estimate;
use crate::theory::queues::mmc;

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.coverage/1";

/// Trials behind each interval: the default of `outgrow run`.
const TRIALS: u64 = 10;

/// The number of repetitions that the bounds below are computed for.
const REPETITIONS: f64 = 500.0;

/// Centre and half-width of the allowed coverage of 95 % intervals of a mean: 0.95 ± 3.5 standard errors at 500
/// repetitions.
const MEAN: (f64, f64) = (0.95, 0.034);

/// The same for a 99th percentile, whose intervals are known to be slightly too narrow.
const PERCENTILE: (f64, f64) = (0.93, 0.05);

/// With four times the data the half-width must be half as large, within this relative deviation.
const HALVING: f64 = 0.15;

/// The outcome of a study, as the JSON `outgrow.coverage/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Studied {
    /// [`SCHEMA`].
    pub schema: String,
    /// Version of the simulator.
    pub version: String,
    /// Whether every repetition ran.
    pub complete: bool,
    /// The seed that all other seeds derive from.
    pub seed: u64,
    /// Number of intervals of each kind.
    pub repetitions: u32,
    /// Trials behind each interval.
    pub trials: u64,
    /// Approximate number of requests in a trial.
    pub requests: f64,
    /// The kinds of interval.
    pub intervals: Vec<Coverage>,
}

impl Studied {
    /// Whether every kind of interval is within its bounds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.intervals.iter().all(|one| one.holds)
    }
}

/// One kind of interval, on one system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// The system.
    pub system: String,
    /// The quantity that the interval estimates.
    pub of: String,
    /// The true value in seconds; for a ratio, its expected value.
    pub truth: f64,
    /// The share of intervals that cover the true value. For the other two studies: the ratio of half-widths, or the
    /// largest half-width of a system without randomness.
    pub measured: f64,
    /// Mean half-width, relative to the true value.
    pub half_width: f64,
    /// Lower bound of `measured`.
    pub low: f64,
    /// Upper bound of `measured`.
    pub high: f64,
    /// Whether `measured` is within the bounds.
    pub holds: bool,
    /// The repetitions, counted from 0, whose interval does not cover the true value. A repetition depends only on the
    /// seed and its own number, so a study with fewer repetitions finds the same ones among its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missed: Vec<u32>,
    /// Number of repetitions whose result says that it shows nothing, by its verdict or by a warning.
    #[serde(default, skip_serializing_if = "is_none")]
    pub not_shown: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_none(count: &u32) -> bool {
    *count == 0
}

/// The settings of a study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Study {
    /// The seed that all other seeds derive from.
    pub seed: u64,
    /// Number of intervals of each kind.
    pub repetitions: u32,
    /// Threads; 0 for as many as there are cores.
    pub jobs: usize,
    /// Approximate number of requests in a trial.
    pub requests: f64,
}

/// Number of steps of a study, for its progress bar.
pub const STEPS: u32 = 8;

/// The estimates of one repetition, in seconds: the mean response time, and the interval of its 99th percentile.
struct Estimates {
    mean: Estimate,
    trials: Vec<f64>,
    p99: Option<(f64, f64)>,
}

/// The systems of the study: name, the case that gives the true value, cores, requests a second, and whether calls
/// share the cores.
const SYSTEMS: [(&str, &str, u32, f64, bool); 4] = [
    ("M/M/1, 0.5", "mm1-rho50", 1, 50.0, false),
    ("M/M/1, 0.8", "mm1-rho80", 1, 80.0, false),
    ("M/M/4, 0.8", "mmc-c4-rho80", 4, 320.0, false),
    ("M/M/4-PS, 0.8", "mmc-ps-c4-rho80", 4, 320.0, true),
];

/// Runs the whole study.
///
/// # Panics
/// When an invariant of the simulator is broken, or no threads can be started.
#[must_use]
pub fn run(study: Study, progress: &dyn Progress) -> Studied {
    let mut found = Vec::new();
    for (step, (name, ..)) in SYSTEMS.iter().enumerate() {
        found.extend(of_system(study, name, step as u32, progress));
    }
    found.extend(paired(study, 4, progress));
    found.extend(halving(study, 5, progress));
    found.extend(constant(study, 6, progress));
    Studied {
        schema: SCHEMA.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        complete: !progress.interrupted(),
        seed: study.seed,
        repetitions: study.repetitions,
        trials: TRIALS,
        requests: study.requests,
        intervals: found,
    }
}

/// Studies the intervals of the mean and of the 99th percentile on one of the systems.
#[must_use]
pub fn of_system(study: Study, name: &str, step: u32, progress: &dyn Progress) -> Vec<Coverage> {
    let Some(&(name, id, cores, load, shared)) = SYSTEMS.iter().find(|(known, ..)| *known == name) else {
        return Vec::new();
    };
    let cases = built_in();
    let case = cases.iter().find(|case| case.id == id).expect("the case ships with the program");
    let scenario = station(cores, load, shared, study.requests / load);
    let found = repeat(study, &[&scenario], step, progress);
    let truth = |key| case.value(key).expect("the case has it");
    let (mean, p99) = (truth("mean_sojourn"), truth("p99_sojourn"));
    let means = found.iter().map(|one| interval(&one[0].mean));
    let tails = found.iter().map(|one| one[0].p99);
    vec![
        coverage(name, "mean response", mean, means, bounds(MEAN, found.len())),
        coverage(name, "p99 response", p99, tails, bounds(PERCENTILE, found.len())),
    ]
}

/// Studies the interval of the paired difference between two designs with the same customers.
#[must_use]
pub fn paired(study: Study, step: u32, progress: &dyn Progress) -> Vec<Coverage> {
    let response = |cores| mmc(320.0, 0.01, cores).expect("it is stable").response;
    let truth = response(4) - response(5);
    let seconds = study.requests / 320.0;
    let (four, five) = (station(4, 320.0, false, seconds), station(5, 320.0, false, seconds));
    let found = repeat(study, &[&four, &five], step, progress);
    let difference =
        |one: &Vec<Estimates>| interval(&Estimate::paired_difference(&one[0].trials, &one[1].trials));
    let bounds = bounds(MEAN, found.len());
    vec![coverage("M/M/4 - M/M/5", "paired difference", truth, found.iter().map(difference), bounds)]
}

/// Compares the half-widths of a short and a four times longer run: the ratio should be one half.
fn halving(study: Study, step: u32, progress: &dyn Progress) -> Vec<Coverage> {
    let seconds = study.requests / 50.0;
    let (short, long) = (station(1, 50.0, false, seconds / 2.0), station(1, 50.0, false, 2.0 * seconds));
    let study = Study { repetitions: study.repetitions.div_ceil(4), ..study };
    let found = repeat(study, &[&short, &long], step, progress);
    let width = |which: usize| found.iter().filter_map(|one| one[which].mean.half_width).sum::<f64>();
    let ratio = width(1) / width(0);
    let (low, high) = (0.5 * (1.0 - HALVING), 0.5 * (1.0 + HALVING));
    vec![Coverage {
        system: "M/M/1, 0.5".into(),
        of: "half-width, four times the data".into(),
        truth: 0.5,
        measured: ratio,
        half_width: 0.0,
        low,
        high,
        holds: (low..=high).contains(&ratio),
        missed: Vec::new(),
        not_shown: 0,
    }]
}

/// Studies a system without randomness: its intervals must have width 0.
fn constant(study: Study, step: u32, progress: &dyn Progress) -> Vec<Coverage> {
    let load = format!("{}\narrivals = {{ dist = \"constant\" }}", rate(50.0));
    let boxes = client(&load, "box") + &public("box", &fifo(1), "{ cpu = \"10ms\" }");
    let scenario = ready(&text(1.0, 10.0, &boxes));
    let found = repeat(Study { repetitions: 3, ..study }, &[&scenario], step, progress);
    let widest = found.iter().map(|one| one[0].mean.half_width.unwrap_or(f64::INFINITY)).fold(0.0, f64::max);
    let exact = found.iter().all(|one| one[0].mean.mean == 0.01);
    vec![Coverage {
        system: "D/D/1, 0.5".into(),
        of: "half-width without variance".into(),
        truth: 0.01,
        measured: widest,
        half_width: widest,
        low: 0.0,
        high: 0.0,
        holds: exact && widest == 0.0,
        missed: Vec::new(),
        not_shown: 0,
    }]
}

fn station(cores: u32, load: f64, shared: bool, seconds: f64) -> Scenario {
    let keys = if shared { format!("{SHARED}\ncores = {cores}") } else { fifo(cores) };
    let boxes = client(&rate(load), "box") + &public("box", &keys, &cpu(0.01));
    ready(&text(seconds / 10.0, seconds, &boxes))
}

fn ready(text: &str) -> Scenario {
    let loaded = load("coverage", text, &[], &Verbatim, KINDS);
    loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario
}

/// The estimates of every repetition, one for each scenario. All scenarios use the same seeds.
fn repeat(study: Study, scenarios: &[&Scenario], step: u32, progress: &dyn Progress) -> Vec<Vec<Estimates>> {
    let one = |repetition: u32| {
        let seed = Seed::new(name_hash("coverage").wrapping_add(study.seed)).trial(u64::from(repetition));
        let all = scenarios
            .iter()
            .map(|scenario| estimates(scenario, seed, progress))
            .collect::<Option<Vec<_>>>()?;
        progress.advanced(step, f64::from(repetition + 1) / f64::from(study.repetitions));
        Some(all)
    };
    let found = threads::each(study.jobs, (0..study.repetitions).collect(), one);
    progress.advanced(step, 1.0);
    found.into_iter().flatten().collect()
}

fn estimates(scenario: &Scenario, seed: Seed, progress: &dyn Progress) -> Option<Estimates> {
    let (mut trials, mut histograms) = (Vec::new(), Vec::new());
    for trial in 0..TRIALS {
        if progress.interrupted() {
            return None;
        }
        let record =
            build(scenario, seed.trial(trial)).run(scenario.length(), &mut |_| progress.interrupted());
        trials.push(mean_response(&record) / 1e3);
        histograms.push(record.classes[0].ok.clone());
    }
    let p99 = Figure::percentile(&histograms.iter().collect::<Vec<&Histogram>>(), 0.99);
    let p99 = p99.interval().map(|(low, high)| (low / 1e3, high / 1e3));
    Some(Estimates { mean: Estimate::over_trials(&trials), trials, p99 })
}

fn interval(estimate: &Estimate) -> Option<(f64, f64)> {
    estimate.half_width.map(|half_width| (estimate.mean - half_width, estimate.mean + half_width))
}

/// The bounds for this number of repetitions: their distance from the centre grows with one over the square root of it.
fn bounds((centre, distance): (f64, f64), repetitions: usize) -> (f64, f64) {
    let distance = distance * (REPETITIONS / repetitions as f64).sqrt();
    ((centre - distance).max(0.0), (centre + distance).min(1.0))
}

fn coverage(
    system: &str,
    of: &str,
    truth: f64,
    intervals: impl Iterator<Item = Option<(f64, f64)>>,
    (low, high): (f64, f64),
) -> Coverage {
    let (mut count, mut missed, mut width) = (0, Vec::new(), 0.0);
    for interval in intervals {
        if !interval.is_some_and(|(from, to)| (from..=to).contains(&truth)) {
            missed.push(count);
        }
        width += interval.map_or(0.0, |(from, to)| (to - from) / 2.0);
        count += 1;
    }
    let measured = f64::from(count - missed.len() as u32) / f64::from(count);
    let half_width = width / f64::from(count) / truth.abs();
    Coverage {
        system: system.into(),
        of: of.into(),
        truth,
        measured,
        half_width,
        low,
        high,
        holds: (low..=high).contains(&measured),
        missed,
        not_shown: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::runner::Unwatched;
    use super::*;

    #[test]
    fn the_bounds_are_those_of_500_repetitions() {
        let close = |(low, high): (f64, f64), expected: (f64, f64)| {
            assert!((low - expected.0).abs() < 1e-12 && (high - expected.1).abs() < 1e-12, "{low} {high}");
        };
        close(bounds(MEAN, 500), (0.916, 0.984));
        close(bounds(PERCENTILE, 500), (0.88, 0.98));
        close(bounds(MEAN, 125), (0.882, 1.0));
    }

    #[test]
    fn intervals_of_a_short_study_cover_and_have_no_width_without_variance() {
        let study = Study { seed: 1, repetitions: 100, jobs: 0, requests: 2100.0 };
        let found = of_system(study, "M/M/1, 0.5", 0, &Unwatched);
        assert!(found.len() == 2 && found.iter().all(|one| one.holds), "{found:?}");
        assert!(constant(study, 0, &Unwatched)[0].holds);
    }
}
