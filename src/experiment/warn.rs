//! Warnings: what a user should know before trusting the figures. Each names the option that helps.

use crate::kernel::time::SimDuration;
use crate::model::quantity::Duration;
use crate::model::record::{Stop, TrialRecord};
use crate::model::simulation::{LIVE_CALLS_MAX, Length};
use crate::stats::quantile::TAIL_RECORDS_MIN;

use super::advise::TRIALS_ADVISED_MAX;
use super::result::{Answer, RunResult, Verdict};
use super::steady::{WarmupProblem, warmup_problem};

/// All warnings about a result, the most serious first.
pub(super) fn warnings(records: &[TrialRecord], length: Length, result: &RunResult) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(incomplete(records, result));
    warnings.extend(unsteady(records, result));
    if result.steady_state.reached {
        warnings.extend(warmup(records, length));
    }
    warnings.extend(precision(result));
    warnings.extend(thin_tail(records, result));
    warnings.extend(result.expect.iter().filter_map(not_shown));
    if let ([_], None) = (records, result.metrics.response_ms.mean.half_width) {
        warnings.push("one trial gives no intervals: --trials 10".into());
    }
    warnings
}

fn incomplete(records: &[TrialRecord], result: &RunResult) -> Option<String> {
    let whole = records.iter().filter(|record| record.stop != Stop::Interrupted).count();
    (!result.complete).then(|| {
        format!("interrupted: the figures come from {} trials, {whole} of them whole", records.len())
    })
}

fn unsteady(records: &[TrialRecord], result: &RunResult) -> Option<String> {
    let stopped = records.iter().filter(|record| record.stop == Stop::TooManyCalls).count();
    if stopped > 0 {
        let all = records.len();
        return Some(format!(
            "{stopped} of {all} trials stopped early, with more than {LIVE_CALLS_MAX} calls alive: the load is beyond \
             what the system can serve"
        ));
    }
    (!result.steady_state.reached).then(|| {
        "means and percentiles depend on how long is simulated, as a queue grows: see `why`, or lower the load".into()
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
    Some(format!("`{}` is not shown: {help}", verdict.that))
}

/// The time `seconds`, rounded up to two significant digits.
fn round_up(seconds: f64) -> Duration {
    let step = libm::pow(10.0, (libm::log10(seconds.max(1e-6))).floor() - 1.0);
    // The factor keeps 12.000000001 from becoming 13.
    let rounded = ((seconds / step) * (1.0 - 1e-9)).ceil() * step;
    Duration(SimDuration::from_sample_secs((rounded * 1e9).round() / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_round_and_long_enough() {
        let cases = [(12.0, "12s"), (12.3, "13s"), (0.0123, "13ms"), (600.0, "10min"), (3599.0, "1h")];
        for (seconds, expected) in cases {
            assert_eq!(round_up(seconds).to_string(), expected, "{seconds}");
        }
    }
}
