//! `compare`: runs several designs with the same customers, and estimates the differences.

use crate::model::spec::Users;
use crate::scenario::expression::{Metric, Regression, Stat};
use crate::scenario::{BoxEntry, Scenario};
use crate::stats::interval::{Estimate, holm};
use crate::stats::rare::EVENTS_MIN;

use super::curve::Curve;
use super::expect::{measure, unit_name};
use super::rare::{about, longer, rarest, times};
use super::result::{Answer, Bottleneck, Figure, Named, Precision, RunResult, ScenarioRef};
use super::runner::{self, Progress, RunOptions, Trials};

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

/// The result of a comparison, as the JSON `outgrow.compare/1`.
#[derive(Clone, Debug, serde::Serialize)]
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
#[derive(Clone, Debug, serde::Serialize)]
pub struct DesignResult {
    /// The name for readers.
    pub name: String,
    /// The scenario that was simulated.
    pub scenario: ScenarioRef,
    /// Fingerprint of all events of all trials.
    pub fingerprint: String,
    /// Whether it reached steady state.
    pub steady: bool,
    /// The bottleneck.
    pub bottleneck: Option<Bottleneck>,
    /// Price of all machines in USD an hour.
    pub cost_usd_per_hour: Figure,
    /// Price in USD of a million requests that ended ok.
    pub cost_usd_per_million: Figure,
    /// The metrics in their base units, by expression.
    pub metrics: Named<Figure>,
}

/// One metric of one design, compared with the baseline.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Difference {
    /// The design.
    pub design: String,
    /// The metric: `p99(response)`.
    pub metric: String,
    /// `s`, `share`, `per_s` or `usd`.
    pub unit: &'static str,
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub enum Shown {
    /// The design's figure is lower.
    #[serde(rename = "lower")]
    Lower,
    /// The design's figure is higher.
    #[serde(rename = "higher")]
    Higher,
    /// The figures are equal in every trial.
    #[serde(rename = "same")]
    Same,
    /// The difference may be due to chance.
    #[serde(rename = "no difference shown")]
    NoDifference,
}

/// The verdict on a limit of the change from the baseline.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Regressed {
    /// The limit: `p99(response) +5%`.
    pub that: String,
    /// The design.
    pub design: String,
    /// Fails if the whole interval is beyond the limit, holds if none of it is.
    pub verdict: Answer,
    /// The change relative to the figure of the baseline.
    pub change: Option<f64>,
    /// Half the width of its interval.
    pub half_width: Option<f64>,
    /// The limit as a share.
    pub limit: f64,
    /// The reason why it is not shown, if more trials do not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The metrics that are compared.
fn metrics() -> Vec<Metric> {
    let response = |stat| Metric::Response { stat, class: None };
    vec![
        Metric::Throughput,
        response(Stat::Mean),
        response(Stat::P50),
        response(Stat::P95),
        response(Stat::P99),
        Metric::ErrorRate(None),
        Metric::CostPerMillion,
    ]
}

/// Runs the designs with the same seeds and compares them. `None` if the user interrupts before all of them have
/// measured something.
///
/// With `precision`, runs more trials until the half-width of every paired difference in mean response time is at most
/// that share of the baseline's mean response time, by the rules of `run --precision`.
///
/// # Panics
/// If there are no designs.
#[must_use]
pub fn compare(
    designs: &[Design],
    options: &RunOptions,
    fail_on: &[Regression],
    precision: Option<f64>,
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
    let precision = match precision {
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
    let results: Vec<RunResult> = designs.iter().zip(&all).map(result).collect();
    Some(CompareResult { precision, ..CompareResult::of(designs, &results, fail_on) })
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
    pub fn of(designs: &[Design], results: &[RunResult], fail_on: &[Regression]) -> CompareResult {
        let first = &results[0];
        let baseline = designs[0].name.clone();
        let others = || designs.iter().zip(results).skip(1);
        let mut differences: Vec<Difference> =
            others().flat_map(|(design, result)| differences(&design.name, result, first)).collect();
        let unseen = results.iter().any(|result| rarest(&result.random_faults).is_some());
        correct(&mut differences, unseen);
        let regressed = |(design, result): (&Design, &RunResult)| {
            let one = |limit: &Regression| regressed(limit, &design.name, result, first);
            fail_on.iter().map(one).collect::<Vec<Regressed>>()
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
            designs: designs.iter().zip(results).map(|(design, result)| one(design, result)).collect(),
            differences,
            fail_on: others().flat_map(regressed).collect(),
            precision: None,
            curve: None,
            warnings: warnings(designs, results),
        }
    }
}

fn one(design: &Design, result: &RunResult) -> DesignResult {
    let measured = |metric: &Metric| measure(metric, result).unwrap_or_default();
    DesignResult {
        name: design.name.clone(),
        scenario: result.scenario.clone(),
        fingerprint: result.fingerprint.clone(),
        steady: result.steady_state.reached,
        bottleneck: result.bottleneck.clone(),
        cost_usd_per_hour: measured(&Metric::CostPerHour),
        cost_usd_per_million: measured(&Metric::CostPerMillion),
        metrics: Named(metrics().iter().map(|metric| (metric.to_string(), measured(metric))).collect()),
    }
}

fn differences(design: &str, result: &RunResult, baseline: &RunResult) -> Vec<Difference> {
    let one = |metric: &Metric| {
        let (value, base) = (measure(metric, result).ok()?, measure(metric, baseline).ok()?);
        let difference = paired(&value, &base, 1.0);
        let estimate = estimate(&difference)?;
        let relative = base.mean.filter(|base| *base != 0.0).map(|base| estimate.mean / base.abs());
        Some(Difference {
            design: design.to_owned(),
            metric: metric.to_string(),
            unit: unit_name(metric.unit()),
            relative,
            p_value: estimate.p_value(),
            p_holm: None,
            verdict: Shown::NoDifference,
            baseline: base,
            value,
            difference,
        })
    };
    metrics().iter().filter_map(one).collect()
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
fn is_too_rare(value: &Figure, baseline: &Figure) -> bool {
    let both = value.rare.zip(baseline.rare);
    both.is_some_and(|(value, baseline)| value.events + baseline.events < EVENTS_MIN)
}

/// Sets Holm's p-values of all differences with a variance, and the verdicts. `unseen`: a random fault happened too rarely,
/// so that equal shares are not known to be equal.
fn correct(differences: &mut [Difference], unseen: bool) {
    let has_chance = |one: &Difference| one.difference.half_width.is_some_and(|half| half > 0.0);
    let tested: Vec<usize> = (0..differences.len()).filter(|&at| has_chance(&differences[at])).collect();
    let p_values: Vec<f64> = tested.iter().map(|&at| differences[at].p_value.unwrap_or(1.0)).collect();
    for (&at, p_holm) in tested.iter().zip(holm(&p_values)) {
        differences[at].p_holm = Some(p_holm);
    }
    for one in differences {
        // A difference without variance needs no correction: its p-value is 0 or 1.
        one.p_holm = one.p_holm.or(one.p_value);
        let mean = one.difference.mean.unwrap_or(0.0);
        one.verdict = match one.p_holm {
            _ if unseen && one.value.rare.is_some() => Shown::NoDifference,
            _ if one.difference.trials.iter().all(|value| *value == Some(0.0)) => Shown::Same,
            _ if is_too_rare(&one.value, &one.baseline) => Shown::NoDifference,
            Some(p) if p < RISK && mean < 0.0 => Shown::Lower,
            Some(p) if p < RISK => Shown::Higher,
            _ => Shown::NoDifference,
        };
    }
}

/// The verdict on a limit. It uses the interval of the design's value minus the allowed multiple of the baseline's,
/// because the distribution of their ratio would be difficult.
fn regressed(limit: &Regression, design: &str, result: &RunResult, baseline: &RunResult) -> Regressed {
    let mut found = Regressed {
        that: limit.to_string(),
        design: design.to_owned(),
        verdict: Answer::NotShown,
        change: None,
        half_width: None,
        limit: limit.change,
        reason: None,
    };
    let both =
        measure(&limit.metric, result).and_then(|value| Ok((value, measure(&limit.metric, baseline)?)));
    let (value, base) = match both {
        Ok(both) => both,
        Err(reason) => return Regressed { reason: Some(reason), ..found },
    };
    let change = paired(&value, &base, 1.0);
    if let Some(level) = base.mean.filter(|level| *level != 0.0) {
        found.change = change.mean.map(|mean| mean / level.abs());
        found.half_width = change.half_width.map(|half| half / level.abs());
    }
    let beyond = paired(&value, &base, 1.0 + limit.change);
    let Some((low, high)) = beyond.interval() else {
        let reason =
            if beyond.mean.is_some() { "one trial gives no interval" } else { "too little was measured" };
        return Regressed { reason: Some(reason.into()), ..found };
    };
    let (fails, holds) = if limit.change > 0.0 { (low > 0.0, high <= 0.0) } else { (high < 0.0, low >= 0.0) };
    found.verdict = match (fails, holds) {
        (true, _) => Answer::Fails,
        (_, true) => Answer::Holds,
        _ => Answer::NotShown,
    };
    let fault = [baseline, result].into_iter().find_map(|result| rarest(&result.random_faults));
    let reason = match (fault, value.rare) {
        (Some(fault), Some(_)) => Some(format!("the {} {}", fault.fault, times(fault.times))),
        _ if is_too_rare(&value, &base) => {
            Some("a change takes ten events to show, and fewer were seen".into())
        }
        _ => None,
    };
    if found.verdict == Answer::Holds && reason.is_some() {
        return Regressed { verdict: Answer::NotShown, reason, ..found };
    }
    found
}

/// Whether the clients of two scenarios send the same requests: all that they do but whom they ask, and where they are.
fn same_clients(a: &Scenario, b: &Scenario) -> bool {
    fn users(entry: &BoxEntry) -> Option<(&str, Users, &[String], &[String])> {
        Some((&entry.name, entry.spec.users()?, &entry.regions, &entry.zones))
    }
    a.classes == b.classes && a.boxes.iter().filter_map(users).eq(b.boxes.iter().filter_map(users))
}

fn warnings(designs: &[Design], results: &[RunResult]) -> Vec<String> {
    let mut warnings = Vec::new();
    let (first, length) = (&designs[0], designs[0].scenario.length());
    for (design, result) in designs.iter().zip(results) {
        if !same_clients(&first.scenario, &design.scenario) {
            warnings.push(format!(
                "`{}` has other clients than `{}`: they are not paired by customer, and the intervals are wider",
                design.name, first.name
            ));
        }
        if design.scenario.length() != length {
            warnings
                .push(format!("`{}` is run as long as `{}`, not as it says itself", design.name, first.name));
        }
        if let Some(fault) = rarest(&result.random_faults) {
            warnings.push(format!(
                "in `{}` the {} {} in all trials, where {} are expected: shares do not show it: {}",
                design.name,
                fault.fault,
                times(fault.times),
                about(fault.expected),
                longer(fault, result),
            ));
        }
        if !result.steady_state.reached {
            warnings.push(format!(
                "`{}` does not come to rest: its response times grow with the time that is simulated",
                design.name
            ));
        }
    }
    if results[0].trials < 2 {
        warnings.push("one trial gives no interval: --trials 10".into());
    }
    warnings
}

#[cfg(test)]
mod tests;
