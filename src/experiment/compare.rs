//! `compare`: runs several designs with the same customers, and estimates the differences.

use crate::scenario::Scenario;
use crate::scenario::expression::{Better, Metric, Regression, Stat, Unit};
use crate::stats::interval::{Estimate, holm};
use crate::stats::rare::EVENTS_MIN;

use super::chosen::{expected, present, usual};
use super::curve::Curve;
use super::expect::{measure, unit_name};
use super::finding::Attempt;
use super::rare::rarest;
use super::result::{Bottleneck, Figure, Named, Precision, RunResult, ScenarioRef, Verdict};
use super::runner::{self, Progress, RunOptions, Trials};

mod advice;
mod limit;
mod warnings;

pub use advice::{Advice, ReloadDesign};
pub use limit::Regressed;
use limit::regressed;
use warnings::{same_clients, warnings};

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.compare/1";

/// The probability of a false alarm among all differences that are shown.
const RISK: f64 = 0.05;

/// A design: a named scenario.
#[derive(Debug)]
pub struct Design {
    /// The name for readers.
    pub name: String,
    /// The scenario.
    pub scenario: Scenario,
}

/// What a comparison is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The metrics to compare; `None` for those that tell most of these designs.
    pub metrics: Option<Vec<Metric>>,
    /// A difference that is surely smaller than this share of the baseline's value does not matter.
    pub tolerance: f64,
    /// The limits on changes.
    pub fail_on: Vec<Regression>,
    /// Run more trials until the half-width of every paired difference in mean response time is at most this share of the
    /// baseline's mean response time, by the rules of `run --precision`.
    pub precision: Option<f64>,
}

impl Default for Asked {
    /// The usual metrics, and [`TOLERANCE`].
    fn default() -> Asked {
        Asked { metrics: None, tolerance: TOLERANCE, fail_on: Vec::new(), precision: None }
    }
}

/// The share of the baseline's value below which a difference does not matter, unless the user gives another.
pub const TOLERANCE: f64 = 0.01;

/// The result of a comparison, as the JSON `outgrow.compare/1`.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct CompareResult {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Whether every trial ran to its end.
    pub complete: bool,
    /// Seed of all trials, the same for all designs.
    pub seed: u64,
    /// Number of trials of each design.
    pub trials: usize,
    /// Measured time of each trial, in seconds.
    pub duration_s: f64,
    /// Warm-up before it, in seconds; not measured.
    pub warmup_s: f64,
    /// The design that the others are compared with: the first.
    pub baseline: String,
    /// Whether all designs have the same customers, so that pairing removes the chance that they share.
    pub paired: bool,
    /// The designs, in their order.
    pub designs: Vec<DesignResult>,
    /// For each metric of each design except the first, the difference from the first.
    pub differences: Vec<Difference>,
    /// A difference that is surely smaller than this share of the baseline's value is "practically the same".
    pub tolerance: f64,
    /// The verdicts on the limits of `--fail-on`.
    pub fail_on: Vec<Regressed>,
    /// The outcome of `--precision`, for the difference of the mean response times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// The designs over a range of values; absent without `--vary`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub curve: Option<Curve>,
    /// What a user should know before trusting the figures.
    pub warnings: Vec<String>,
}

/// One design.
#[derive(Clone, Debug, serde::Serialize, schemars::JsonSchema)]
pub struct DesignResult {
    /// The name for readers.
    pub name: String,
    /// The scenario that was simulated.
    pub scenario: ScenarioRef,
    /// Fingerprint of all events of all trials.
    pub fingerprint: String,
    /// Whether its response times do not depend on the duration.
    pub steady: bool,
    /// The bottleneck.
    pub bottleneck: Option<Bottleneck>,
    /// Price of all machines in USD an hour.
    pub cost_usd_per_hour: Figure,
    /// Price in USD of a million requests that ended ok.
    pub cost_usd_per_million: Figure,
    /// The metrics that are compared, in their base units, by expression.
    pub metrics: Named<Figure>,
    /// Throughput, mean, p99 and error rate, which are shown whatever is compared.
    #[serde(skip)]
    pub figures: Named<Figure>,
    /// The verdicts on the scenario's expectations.
    pub expect: Vec<Verdict>,
    /// The reasons for its figures.
    pub why: Vec<String>,
    /// What was tried against its causes, in order; absent where nothing was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tried: Vec<Attempt>,
    /// A command that is worth running next.
    pub next: Option<String>,
}

/// One metric of one design, compared with the baseline.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct Difference {
    /// The design.
    pub design: String,
    /// The metric: `p99(response)`.
    pub metric: String,
    /// `s`, `share`, `per_s`, `count` or `usd`.
    pub unit: &'static str,
    /// The metric itself.
    #[serde(skip)]
    pub of: Metric,
    /// The figure of the baseline.
    pub baseline: Figure,
    /// The figure of the design.
    pub value: Figure,
    /// The figure of the design minus that of the baseline, trial by trial.
    pub difference: Figure,
    /// The difference relative to the figure of the baseline.
    pub relative: Option<f64>,
    /// The probability that chance alone gives a difference at least this large; `None` without an interval.
    pub p_value: Option<f64>,
    /// The same with Holm's correction over all differences of the comparison.
    pub p_holm: Option<f64>,
    /// What the difference shows.
    pub verdict: Shown,
}

/// What a difference shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub enum Shown {
    /// The design is better than the baseline.
    #[serde(rename = "better")]
    Better,
    /// The design is worse than the baseline.
    #[serde(rename = "worse")]
    Worse,
    /// The design has less of what is neither good nor bad in itself.
    #[serde(rename = "less")]
    Less,
    /// It has more of that.
    #[serde(rename = "more")]
    More,
    /// The difference is surely too small to matter.
    #[serde(rename = "practically the same")]
    Practically,
    /// The figures are equal in every trial.
    #[serde(rename = "same")]
    Same,
    /// The difference may be due to chance.
    #[serde(rename = "no difference shown")]
    NoDifference,
    /// One of the two designs does not have the figure.
    #[serde(rename = "not in both")]
    NotInBoth,
}

impl Shown {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Shown::Better => "better",
            Shown::Worse => "worse",
            Shown::Less => "less",
            Shown::More => "more",
            Shown::Practically => "practically the same",
            Shown::Same => "the same",
            Shown::NoDifference => "no difference shown",
            Shown::NotInBoth => "not in both",
        }
    }
}

/// Runs the designs with the same seeds and compares them. With `advice`, what is advised passes through the loader. `None` if
/// the user interrupts before all designs have measured something.
///
/// # Panics
/// If there are no designs.
#[must_use]
pub fn compare(
    designs: &[Design],
    options: &RunOptions,
    asked: &Asked,
    advice: Option<&Advice<'_>>,
    progress: &dyn Progress,
) -> Option<CompareResult> {
    let mut all: Vec<Trials> =
        designs.iter().map(|_| Trials { records: Vec::new(), complete: true, precision: None }).collect();
    let mut more = |trials: std::ops::Range<u32>| {
        for (design, all) in designs.iter().zip(&mut all) {
            let options = RunOptions { trials: trials.clone(), ..options.clone() };
            let found = runner::run(&design.scenario, &options, progress);
            all.records.extend(found.records);
            all.complete &= found.complete;
        }
        (worst_precision(&all), all.iter().all(|trials| trials.complete && !trials.burst()))
    };
    let precision = match asked.precision {
        Some(target) => Some(runner::until_precise(options.trials.clone(), target, more)),
        None => {
            more(options.trials.clone());
            None
        }
    };
    if all.iter().any(|trials| trials.records.is_empty()) {
        return None;
    }
    let result = |(design, trials): (&Design, &Trials)| RunResult::new(&design.scenario, options, trials);
    let mut results: Vec<RunResult> = designs.iter().zip(&all).map(result).collect();
    if let Some(advice) = advice {
        advice.read(designs, &mut results);
    }
    let mut found = CompareResult { precision, ..CompareResult::of(designs, &results, asked) };
    if let Some(advice) = advice {
        advice.attempt(designs, (&mut results, &all), options, &mut found, progress);
    }
    Some(found)
}

/// The largest half-width of a difference in mean response time, relative to the mean of the baseline.
fn worst_precision(all: &[Trials]) -> Option<f64> {
    let means =
        |trials: &Trials| trials.records.iter().map(super::figure::mean_response).collect::<Vec<f64>>();
    let baseline = means(&all[0]);
    let level = Figure::over(baseline.iter().copied()).mean?;
    let share = |trials: &Trials| {
        let difference = means(trials).into_iter().zip(&baseline).map(|(value, base)| value - base);
        Some(Figure::over(difference).half_width? / level)
    };
    all[1..].iter().map(share).try_fold(0.0, |worst: f64, share| Some(worst.max(share?)))
}

impl CompareResult {
    /// Compares results of the same seeds with the first of them.
    ///
    /// # Panics
    /// If there are no results.
    #[must_use]
    pub fn of(designs: &[Design], results: &[RunResult], asked: &Asked) -> CompareResult {
        let first = &results[0];
        let baseline = designs[0].name.clone();
        let metrics = asked.metrics.clone().unwrap_or_else(|| usual_of(designs, results));
        let others = || designs.iter().zip(results).skip(1);
        let mut differences: Vec<Difference> = others()
            .flat_map(|(design, result)| {
                metrics.iter().map(|metric| difference(metric, &design.name, result, first))
            })
            .collect();
        let unseen = results.iter().any(|result| rarest(&result.random_faults).is_some());
        correct(&mut differences, unseen, asked.tolerance);
        let regressed = |(design, result): (&Design, &RunResult)| {
            let one = |limit: &Regression| regressed(limit, &design.name, result, first);
            asked.fail_on.iter().map(one).collect::<Vec<Regressed>>()
        };
        CompareResult {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            complete: results.iter().all(|result| result.complete),
            seed: first.seed,
            trials: results.iter().map(|result| result.trials).min().unwrap_or(0),
            duration_s: first.duration_s,
            warmup_s: first.warmup_s,
            baseline,
            paired: designs[1..].iter().all(|design| same_clients(&designs[0].scenario, &design.scenario)),
            designs: designs
                .iter()
                .zip(results)
                .map(|(design, result)| one(&metrics, design, result))
                .collect(),
            differences,
            tolerance: asked.tolerance,
            fail_on: others().flat_map(regressed).collect(),
            precision: None,
            curve: None,
            warnings: warnings(designs, results),
        }
    }
}

/// The metrics that tell most of these designs.
fn usual_of(designs: &[Design], results: &[RunResult]) -> Vec<Metric> {
    let scenarios: Vec<&Scenario> = designs.iter().map(|design| &design.scenario).collect();
    present(usual(&scenarios), &expected(&scenarios), results)
}

/// What is shown of each design whatever is compared.
fn basics() -> [Metric; 4] {
    let response = |stat| Metric::Response { stat, class: None };
    [Metric::Throughput, response(Stat::Mean), response(Stat::P99), Metric::ErrorRate(None)]
}

fn one(metrics: &[Metric], design: &Design, result: &RunResult) -> DesignResult {
    let measured = |metric: &Metric| measure(metric, result).unwrap_or_default();
    let named = |metrics: &[Metric]| {
        Named(metrics.iter().map(|metric| (metric.to_string(), measured(metric))).collect())
    };
    DesignResult {
        name: design.name.clone(),
        scenario: result.scenario.clone(),
        fingerprint: result.fingerprint.clone(),
        steady: result.steady_state.times_are_steady(),
        bottleneck: result.bottleneck.clone(),
        cost_usd_per_hour: measured(&Metric::CostPerHour),
        cost_usd_per_million: measured(&Metric::CostPerMillion),
        metrics: named(metrics),
        figures: named(&basics()),
        expect: result.expect.clone(),
        why: result.reasons(),
        tried: result.tried.clone(),
        next: result.next.clone(),
    }
}

fn difference(metric: &Metric, design: &str, result: &RunResult, baseline: &RunResult) -> Difference {
    let (value, base) =
        (measure(metric, result).unwrap_or_default(), measure(metric, baseline).unwrap_or_default());
    let difference = paired(&value, &base, 1.0);
    let estimate = estimate(&difference);
    let level = base.mean.filter(|base| *base != 0.0);
    Difference {
        design: design.to_owned(),
        metric: metric.to_string(),
        unit: unit_name(metric.unit()),
        of: metric.clone(),
        relative: level.zip(estimate).map(|(level, estimate)| estimate.mean / level.abs()),
        p_value: estimate.and_then(|estimate| estimate.p_value()),
        p_holm: None,
        verdict: Shown::NoDifference,
        baseline: base,
        value,
        difference,
    }
}

/// `value` minus `factor` times `baseline`, trial by trial. Of a percentile, the pseudo-values of the trials are paired.
fn paired(value: &Figure, baseline: &Figure, factor: f64) -> Figure {
    let both = value.pairable().iter().zip(baseline.pairable());
    Figure::over(
        both.map(|(value, base)| value.zip(*base).map_or(f64::NAN, |(value, base)| value - factor * base)),
    )
}

fn estimate(figure: &Figure) -> Option<Estimate> {
    let known: Vec<f64> = figure.trials.iter().copied().flatten().collect();
    (!known.is_empty()).then(|| Estimate::over_trials(&known))
}

/// Whether fewer than ten events stand behind two shares together. Their difference then shows nothing.
fn is_too_rare(of: &Metric, value: &Figure, baseline: &Figure) -> bool {
    let Some((one, other)) = value.rare.zip(baseline.rare) else { return false };
    // The events of a share above one half are those that it leaves out. On its two sides different events are counted, and
    // each request is evidence.
    let is_most = |figure: &Figure| figure.mean > Some(0.5);
    if of.unit() == Unit::Share && is_most(value) != is_most(baseline) {
        return one.of.min(other.of) < EVENTS_MIN;
    }
    one.events + other.events < EVENTS_MIN
}

/// Sets Holm's p-values of all differences with a variance, and the verdicts. `unseen`: a random fault happened too rarely,
/// so that equal shares are not known to be equal.
fn correct(differences: &mut [Difference], unseen: bool, tolerance: f64) {
    let has_chance = |one: &Difference| one.difference.half_width.is_some_and(|half| half > 0.0);
    let tested: Vec<usize> = (0..differences.len()).filter(|&at| has_chance(&differences[at])).collect();
    let p_values: Vec<f64> = tested.iter().map(|&at| differences[at].p_value.unwrap_or(1.0)).collect();
    for (&at, p_holm) in tested.iter().zip(holm(&p_values)) {
        differences[at].p_holm = Some(p_holm);
    }
    for one in differences {
        // A difference without variance needs no correction: its p-value is 0 or 1.
        one.p_holm = one.p_holm.or(one.p_value);
        one.verdict = verdict(one, unseen, tolerance);
    }
}

fn verdict(one: &Difference, unseen: bool, tolerance: f64) -> Shown {
    let Some(mean) = one.difference.mean else { return Shown::NotInBoth };
    let is_zero = |value: &Option<f64>| *value == Some(0.0);
    if unseen && one.value.rare.is_some() {
        return Shown::NoDifference;
    }
    if one.difference.trials.iter().all(is_zero) {
        return Shown::Same;
    }
    if is_too_rare(&one.of, &one.value, &one.baseline) {
        return Shown::NoDifference;
    }
    let scale = tolerance * one.baseline.mean.unwrap_or(0.0).abs();
    if one.difference.interval().is_some_and(|(low, high)| -scale < low && high < scale) {
        return Shown::Practically;
    }
    match (one.p_holm.is_some_and(|p| p < RISK), one.of.better()) {
        (false, _) => Shown::NoDifference,
        (true, Some(Better::Less)) if mean < 0.0 => Shown::Better,
        (true, Some(Better::More)) if mean > 0.0 => Shown::Better,
        (true, Some(_)) => Shown::Worse,
        (true, None) if mean < 0.0 => Shown::Less,
        (true, None) => Shown::More,
    }
}

#[cfg(test)]
mod tests;
