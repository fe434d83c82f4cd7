//! Warnings: what a user should know before trusting the figures. Each names the option that helps.

use crate::kernel::calendar::INSTANT_EVENTS_MAX;
use crate::model::quantity::Duration;
use crate::model::record::{ClassRecord, Stop, TrialRecord};
use crate::model::simulation::{LIVE_CALLS_MAX, Length};
use crate::stats::quantile::TAIL_RECORDS_MIN;

use super::advise::TRIALS_ADVISED_MAX;
use super::collapse::Verdict as Collapsing;
use super::rare;
use super::result::{Answer, ClassResult, RunResult, Stopped, Verdict};
use super::round::round_up;
use super::steady::{WarmupProblem, warmup_problem};
use super::theory::Slow;

/// Requests that had not ended are reported from this share on.
const CUT_OFF_SHARE_MIN: f64 = 0.000_5;

/// Least change of the mean, by requests that had not ended, that is worth a warning.
const CUT_OFF_MIN: f64 = 0.02;

/// Skewness of a trial's mean, as its batches tell it, from which intervals are known to be too short: those of exponential
/// work have 0.1 to 0.3, those of lognormal work with a coefficient of variation of 4 have 0.3 to 1.5.
const SKEWNESS_MAX: f64 = 0.4;

/// Least number of batches of a trial for an estimate of the skewness.
const BATCHES_MIN: usize = 200;

/// Least measured time, in relaxation times of the slowest queue.
const RELAXATIONS_MIN: f64 = 10.0;

/// All warnings about a result, the most serious first.
pub(super) fn warnings(records: &[TrialRecord], length: Length, result: &RunResult) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(incomplete(records, result));
    warnings.extend(unsteady(records, result));
    if result.steady_state.reached {
        warnings.extend(warmup(records, length));
    }
    warnings.extend(precision(result));
    warnings.extend(cut_off(records, result));
    warnings.extend(skewed(records));
    warnings.extend(rare_faults(result));
    warnings.extend(thin_tail(records, result));
    warnings.extend(thin_classes(result));
    warnings.extend(result.expect.iter().filter_map(not_shown));
    if let ([_], None) = (records, result.metrics.response_ms.mean.half_width) {
        warnings.push("one trial gives no intervals: --trials 10".into());
    }
    warnings
}

fn incomplete(records: &[TrialRecord], result: &RunResult) -> Option<String> {
    let whole = records.iter().filter(|record| record.stop != Stop::Interrupted).count();
    (!result.complete && result.stopped.is_none()).then(|| {
        format!("interrupted: the figures come from {} trials, {whole} of them whole", records.len())
    })
}

fn unsteady(records: &[TrialRecord], result: &RunResult) -> Option<String> {
    if let Some(stopped) = result.stopped {
        let early = |record: &&TrialRecord| matches!(record.stop, Stop::TooManyCalls | Stop::Standstill);
        let (early, all) = (records.iter().filter(early).count(), records.len());
        let what = match stopped {
            Stopped::TooManyCalls => format!("with more than {LIVE_CALLS_MAX} calls alive"),
            Stopped::Standstill => format!("with more than {INSTANT_EVENTS_MAX} events at one instant"),
        };
        return Some(format!("{early} of {all} trials stopped early, {what}: {}", stopped.reason()));
    }
    if result.steady_state.lag_growth.is_some() {
        let what = "lag and lost writes depend on how long is simulated, as the lag grows: see `why`, or lower the load";
        return Some(what.into());
    }
    if let (true, Some(queue)) = (result.steady_state.is_backlog, &result.steady_state.component) {
        return Some(format!(
            "what waits in `{queue}`, and for how long, depends on how long is simulated, as more messages come than its workers \
             do: see `why`, or lower the load"
        ));
    }
    if let Some(collapse) = result.collapse.as_ref().filter(|collapse| collapse.of > 0) {
        return Some(format!(
            "the service did not come back in {} of {} trials: means and percentiles mix two worlds, and depend on how long \
             is simulated",
            collapse.of, collapse.trials
        ));
    }
    (!result.steady_state.reached).then(|| {
        "means and percentiles depend on how long is simulated, as a queue grows: see `why`, or lower the load".into()
    })
}

/// The trials end too early after a fault or a spike.
pub(super) fn too_short_to_tell(collapse: &Collapsing) -> Option<String> {
    let Collapsing::TooShort(needed_s) = collapse else { return None };
    Some(format!(
        "too short to tell whether the service comes back by itself: --duration {}",
        round_up(*needed_s)
    ))
}

/// The measured time is only a few relaxation times of a queue, so that its start and chance decide the means.
pub(super) fn too_short_to_relax(slow: Slow) -> Option<String> {
    let Slow { of, used, relaxation_s, measured_s } = slow;
    (measured_s < RELAXATIONS_MIN * relaxation_s).then(|| {
        format!(
            "at {:.0} % use the queue of `{of}` forgets its start only after about {} (its relaxation time), and means over {} \
             are too low: --duration {}",
            100.0 * used,
            round_up(relaxation_s),
            round_up(measured_s),
            round_up(RELAXATIONS_MIN * relaxation_s)
        )
    })
}

fn warmup(records: &[TrialRecord], length: Length) -> Option<String> {
    Some(match warmup_problem(records, length)? {
        WarmupProblem::TooShort(suggested) => format!(
            "your warm-up of {} is shorter than the suggested {}: --set run.warmup={}",
            Duration(length.warmup),
            round_up(suggested),
            round_up(suggested),
        ),
        WarmupProblem::Drift(change, level) => format!(
            "the number of calls inside still drifts, by {:+.0} % from the first half to the second: --duration {}",
            100.0 * change / level,
            round_up(3.0 * length.measured.as_secs_f64()),
        ),
    })
}

fn precision(result: &RunResult) -> Option<String> {
    let precision = result.precision.filter(|precision| !precision.reached)?;
    let got =
        precision.achieved.map_or("no interval".into(), |achieved| format!("{:.1} %", 100.0 * achieved));
    Some(format!(
        "the precision of {:.1} % is not reached: {got} after {} trials; longer ones help: --duration {}",
        100.0 * precision.target,
        result.trials,
        round_up(4.0 * result.duration_s),
    ))
}

/// The mean response time leaves out the requests that had not ended, and these are the longest. Little's law counts them:
/// the time that a request is under way is their mean number divided by their rate. Says so where the two differ by more
/// than the interval and [`CUT_OFF_MIN`].
fn cut_off(records: &[TrialRecord], result: &RunResult) -> Option<String> {
    if !result.steady_state.reached || result.stopped.is_some() || result.duration_s <= 0.0 {
        return None;
    }
    let metrics = &result.metrics;
    let issued: u64 = records.iter().flat_map(|record| &record.classes).map(|class| class.issued).sum();
    let left: u64 = records.iter().flat_map(|record| &record.classes).map(ClassRecord::in_flight).sum();
    let ended = &metrics.response_all_ms.mean;
    let (mean, rate) = (ended.mean?, metrics.offered_rps.mean.filter(|rate| *rate > 0.0)?);
    let whole = metrics.in_flight_mean.mean? / rate * 1e3;
    let apart = whole - mean;
    let share = left as f64 / issued as f64;
    // Requests that are left are the reason only if they can make up the difference.
    let is_theirs = share > CUT_OFF_SHARE_MIN
        && apart > CUT_OFF_MIN * mean
        && apart > ended.half_width.unwrap_or(0.0) / 2.0;
    is_theirs.then(|| {
        format!(
            "{:.2} % of the requests had not ended when their trial did, the longest among them: by Little's law the mean of \
             all is {:.4} s, not {:.4} s, and percentiles are too low as well; the share falls with --duration {}",
            100.0 * share,
            whole / 1e3,
            mean / 1e3,
            round_up(10.0 * result.duration_s),
        )
    })
}

/// Few values decide the mean: the distribution of its estimate is skewed, and the interval too short above. Judged by the
/// batch means of all trials, because ten trials show no skewness.
fn skewed(records: &[TrialRecord]) -> Option<String> {
    let batches: Vec<f64> = records.iter().flat_map(|record| record.batches.means()).collect();
    if records.len() < 2 || batches.len() < records.len() * BATCHES_MIN {
        return None;
    }
    let per_trial = batches.len() as f64 / records.len() as f64;
    let skewness = skewness(&batches) / per_trial.sqrt();
    (skewness > SKEWNESS_MAX).then(|| {
        "a few very long requests decide the mean response time, so that its interval is too short, above all at its upper \
         end: a longer --duration, or judge by percentiles"
            .into()
    })
}

/// The skewness of a sample: its third central moment, in units of the standard deviation; 0 without variance.
fn skewness(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let moment =
        |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / values.len() as f64;
    let sd = moment(2).sqrt();
    if sd > 0.0 { moment(3) / (sd * sd * sd) } else { 0.0 }
}

/// Names the random faults that happened too rarely: the figures are those of a system that hardly ever fails.
fn rare_faults(result: &RunResult) -> Option<String> {
    let fault = rare::rarest(&result.random_faults)?;
    Some(format!(
        "the {} {} in all trials, where {} are expected: availability and other shares are those of a system that \
         it hardly ever meets; for twenty of them: {}",
        fault.fault,
        rare::times(fault.times),
        rare::about(fault.expected),
        rare::longer(fault, result),
    ))
}

/// Names the lowest percentile, up to the 99th, that is missing because too few requests lie beyond it in each trial.
fn thin_tail(records: &[TrialRecord], result: &RunResult) -> Option<String> {
    let response = &result.metrics.response_ms;
    let percentiles = [
        ("p50", &response.p50, 0.5),
        ("p90", &response.p90, 0.9),
        ("p95", &response.p95, 0.95),
        ("p99", &response.p99, 0.99),
    ];
    let (name, ..) = percentiles.into_iter().find(|(_, figure, _)| figure.mean.is_none())?;
    let (.., rarest) = percentiles[3];
    let per_trial =
        result.pooled.ok.iter().map(|trial| trial.count()).sum::<u64>() as f64 / records.len() as f64;
    if per_trial == 0.0 {
        return Some("no request ended ok, so there are no response times".into());
    }
    let needed = result.duration_s * TAIL_RECORDS_MIN / (per_trial * (1.0 - rarest));
    Some(format!(
        "{name} is not given: it needs {TAIL_RECORDS_MIN} requests beyond it in each trial: --duration {}",
        round_up(needed)
    ))
}

/// Names the classes without a 99th percentile, where all requests together have one.
fn thin_classes(result: &RunResult) -> Option<String> {
    if result.classes.0.len() < 2 || result.metrics.response_ms.p99.mean.is_none() {
        return None;
    }
    let per_trial = |class: &ClassResult| class.outcomes.ok.mean.filter(|ok| *ok > 0.0);
    let lacking: Vec<(&str, f64)> = result
        .classes
        .iter()
        .filter(|(_, class)| class.response_ms.p99.mean.is_none())
        .filter_map(|(name, class)| Some((name, per_trial(class)?)))
        .collect();
    let fewest = lacking.iter().map(|(_, ok)| *ok).reduce(f64::min)?;
    let names: Vec<String> = lacking.iter().map(|(name, _)| format!("`{name}`")).collect();
    let needed = result.duration_s * TAIL_RECORDS_MIN / (fewest * (1.0 - 0.99));
    Some(format!(
        "p99 of {} is not given: it needs {TAIL_RECORDS_MIN} requests beyond it in each trial: --duration {}",
        names.join(", "),
        round_up(needed)
    ))
}

fn not_shown(verdict: &Verdict) -> Option<String> {
    if verdict.verdict != Answer::NotShown {
        return None;
    }
    let help = match (verdict.trials_needed, &verdict.reason) {
        (Some(trials), _) if trials > TRIALS_ADVISED_MAX => {
            format!("its value is so close to the bound that it would take {trials} trials")
        }
        (Some(trials), _) => format!("its interval holds the bound: --trials {trials}"),
        (None, Some(reason)) => reason.clone(),
        (None, None) => "its value is the bound itself".into(),
    };
    Some(format!("`{}` is not shown: {help}", verdict.demand()))
}
