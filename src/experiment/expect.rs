//! Compares a result with an expectation. There are three answers: it holds, it fails, or it is not shown.

use crate::model::gauge::Sort;
use crate::model::part::{Part, PartClass, PartRecord};
use crate::model::record::TrialRecord;
use crate::scenario::expression::{Comparison, Expectation, Metric, Stat, Unit};
use crate::scenario::{Check, Claim, Expect, Window};
use crate::stats::quantile::TAIL_RECORDS_MIN;

use super::data::DataResult;
use super::gauge::GaugeResult;
use super::level::Level;
use super::rare::too_few;
use super::result::{Answer, ClassResult, ComponentResult, Figure, Responses, RunResult, Verdict};
use super::round::round_up;

/// Largest number of trials that is suggested; nobody would run more.
const TRIALS_NEEDED_MAX: f64 = 100_000.0;

/// Smallest number of trials that is suggested; intervals of fewer trials are uncertain themselves.
const TRIALS_NEEDED_MIN: f64 = 5.0;

/// The verdict on a goal of the scenario.
pub(super) fn verdict(expect: &Expect, result: &RunResult, records: &[TrialRecord]) -> Verdict {
    let known = known(&expect.that.metric, expect.window.as_ref(), result, records);
    let verdict = final_verdict(&expect.that, &expect.text, known, result);
    let window = expect.window.as_ref();
    let level = Level::of(&expect.that, window);
    Verdict { level, window: window.map(|window| window.text.clone()), ..verdict }
}

/// The verdict on a test of the simulator.
pub(super) fn checked(check: &Check, result: &RunResult, records: &[TrialRecord]) -> Verdict {
    let verdict = match &check.claim {
        Claim::Bound(that) => {
            let known = known(&that.metric, check.window.as_ref(), result, records);
            final_verdict(that, &check.text, known, result)
        }
        Claim::Near(metric, near) => {
            let known = known(metric, check.window.as_ref(), result, records);
            // A check is of the scenario as it is, with its length: what grows has a right value too.
            let one = |that: Expectation| judge(&that, &check.text, known.clone(), result);
            let [above, below] = near.claims(metric).map(|that| after_stop(one(that), result));
            let worse = if below.verdict.rank() > above.verdict.rank() { below } else { above };
            Verdict { bound: near.value, tolerance: Some(near.tolerance), ..worse }
        }
    };
    Verdict {
        near: check.near.clone(),
        window: check.window.as_ref().map(|window| window.text.clone()),
        ..verdict
    }
}

/// The value of a metric in the part of the time that counts.
fn known(
    metric: &Metric,
    window: Option<&Window>,
    result: &RunResult,
    records: &[TrialRecord],
) -> Result<Figure, String> {
    match window {
        None => measure(metric, result),
        Some(window) => in_part(metric, window.part, result, records),
    }
}

/// The verdict, where the run itself is known to be whole and at rest.
fn final_verdict(
    that: &Expectation,
    text: &str,
    known: Result<Figure, String>,
    result: &RunResult,
) -> Verdict {
    after_stop(without_rest(judge(that, text, known, result), that, result), result)
}

/// The verdict where trials stopped by themselves: what would have come after that is not known, so that nothing holds.
fn after_stop(verdict: Verdict, result: &RunResult) -> Verdict {
    let Some(stopped) = result.stopped.filter(|_| verdict.verdict != Answer::Fails) else { return verdict };
    let reason = format!("trials stopped early: {}", stopped.reason());
    Verdict { verdict: Answer::NotShown, reason: Some(reason), trials_needed: None, ..verdict }
}

/// The verdict without a steady state. Response times then grow with the duration: a run can show that one is too long,
/// but not that one is long enough or short enough.
fn without_rest(verdict: Verdict, that: &Expectation, result: &RunResult) -> Verdict {
    let grows = match &that.metric {
        Metric::Response { .. } | Metric::QueueLen(_) => !result.steady_state.times_are_steady(),
        Metric::Lag => true,
        Metric::Gauge { gauge, .. } => matches!(gauge.sort, Sort::Time | Sort::Level),
        _ => false,
    };
    if result.steady_state.reached || !grows || verdict.verdict != Answer::Holds {
        return verdict;
    }
    let reason = "there is no steady state, so the value depends on how long is simulated";
    Verdict { verdict: Answer::NotShown, reason: Some(reason.into()), ..verdict }
}

/// The verdicts on the parts of an objective over the whole measured time: `--slo "p99 < 300ms, errors < 0.1%"`.
#[must_use]
pub fn verdicts(expectations: &[Expectation], result: &RunResult) -> Vec<Verdict> {
    let one =
        |that: &Expectation| final_verdict(that, &that.to_string(), measure(&that.metric, result), result);
    expectations.iter().map(one).collect()
}

/// The value of a metric in a result, in its base unit.
///
/// # Errors
/// The reason why the result does not have it: a clause without a full stop.
pub fn measure(metric: &Metric, result: &RunResult) -> Result<Figure, String> {
    let whole = &result.metrics;
    Ok(match metric {
        Metric::Response { stat, class } => {
            let responses = match class {
                None => &whole.response_ms,
                Some(class) => &of_class(result, class)?.response_ms,
            };
            stat_of(responses, *stat).scaled(0.001)
        }
        Metric::Availability(None) => whole.availability.clone(),
        Metric::Availability(Some(class)) => of_class(result, class)?.availability.clone(),
        Metric::ErrorRate(class) => measure(&Metric::Availability(class.clone()), result)?.complement(),
        Metric::Throughput => whole.throughput_rps.clone(),
        Metric::Goodput => whole.goodput_rps.clone(),
        Metric::Utilisation(name) => {
            let members = members(result, name)?;
            let busy: Option<Vec<&Figure>> =
                members.iter().map(|member| member.utilisation.as_ref()).collect();
            let busy = busy.ok_or_else(|| format!("`{name}` has no cores"))?;
            sum(&busy).scaled(1.0 / busy.len() as f64)
        }
        Metric::QueueLen(name) => {
            sum(&members(result, name)?.iter().map(|member| &member.queue_len_mean).collect::<Vec<_>>())
        }
        Metric::Gauge { gauge, of, stat } => gauge_of(result, gauge.name, of)
            .ok_or_else(|| format!("`{of}` has no {}", gauge.name))?
            .figure(*stat),
        Metric::CollapseProbability => {
            let none =
                "nothing happened from which the service had to come back, or the trials end too early";
            result.collapse.as_ref().ok_or_else(|| none.to_owned())?.figure()
        }
        Metric::CostPerHour => whole.cost_usd_per_hour.clone(),
        Metric::CostPerMillion => {
            let costs = whole.cost_usd_per_hour.trials.iter().zip(&whole.throughput_rps.trials);
            let per_request =
                costs.map(|(cost, rate)| cost.zip(*rate).map_or(f64::NAN, |(cost, rate)| cost / rate));
            Figure::over(per_request.map(|usd_s_per_h| usd_s_per_h / 3600.0 * 1e6))
        }
        Metric::Lag
        | Metric::LostWrites
        | Metric::ConflictingWrites
        | Metric::StaleReadShare
        | Metric::Rto
        | Metric::Rpo => {
            let missing = || format!("the scenario has no replicas, so there is no {metric}");
            of_data(metric, whole.data.as_ref().ok_or_else(missing)?)?
        }
    })
}

/// The value of a metric of replicated data, in its base unit.
fn of_data(metric: &Metric, data: &DataResult) -> Result<Figure, String> {
    let outage =
        |figure: &Option<Figure>| figure.clone().ok_or("no outage of writes in these trials".to_owned());
    match metric {
        Metric::Lag => Ok(data.lag_ms_max.scaled(0.001)),
        Metric::LostWrites => Ok(data.lost_writes.clone()),
        Metric::ConflictingWrites => Ok(data.conflicting_writes.clone()),
        Metric::StaleReadShare => Ok(data.stale_read_share.clone()),
        Metric::Rto => outage(&data.rto_s),
        _ => outage(&data.rpo_s),
    }
}

fn of_class<'r>(result: &'r RunResult, class: &str) -> Result<&'r ClassResult, String> {
    result.classes.get(class).ok_or_else(|| format!("there is no class `{class}`"))
}

/// A gauge of the member of this name, or of all members of the group together; `None` where none has it.
#[must_use]
pub fn gauge_of(result: &RunResult, gauge: &str, name: &str) -> Option<GaugeResult> {
    let members = members(result, name).ok()?;
    let all = members.iter().flat_map(|member| member.gauges.iter());
    let gauges: Vec<&GaugeResult> = all.map(|(_, one)| one).filter(|one| one.gauge.name == gauge).collect();
    GaugeResult::pooled(&gauges)
}

/// The member with this name, or all members of the group with this name.
fn members<'r>(result: &'r RunResult, name: &str) -> Result<Vec<&'r ComponentResult>, String> {
    let found: Vec<&ComponentResult> = result
        .components
        .iter()
        .filter(|(known, component)| *known == name || component.group == name)
        .map(|(_, component)| component)
        .collect();
    if found.is_empty() { Err(format!("there is no component `{name}`")) } else { Ok(found) }
}

fn stat_of(responses: &Responses, stat: Stat) -> &Figure {
    match stat {
        Stat::Mean => &responses.mean,
        Stat::P50 => &responses.p50,
        Stat::P90 => &responses.p90,
        Stat::P95 => &responses.p95,
        Stat::P99 => &responses.p99,
        Stat::P999 => &responses.p999,
        Stat::Max => &responses.max,
    }
}

/// The sum of figures, trial by trial.
fn sum(figures: &[&Figure]) -> Figure {
    let trials = figures.iter().map(|figure| figure.trials.len()).min().unwrap_or(0);
    let at =
        |trial: usize| figures.iter().map(|figure| figure.trials[trial].unwrap_or(f64::NAN)).sum::<f64>();
    Figure::over((0..trials).map(at))
}

/// The value of a metric in a part of the measured time, in its base unit.
fn in_part(
    metric: &Metric,
    part: Part,
    result: &RunResult,
    records: &[TrialRecord],
) -> Result<Figure, String> {
    let trials = records.iter().filter_map(|record| record.parts.iter().find(|known| known.part == part));
    let trials: Vec<&PartRecord> = trials.collect();
    if trials.iter().all(|trial| trial.seconds == 0.0) {
        return Err("nothing of the measured time lies in that part".into());
    }
    let of = |class: &Option<String>| class_of_part(class.as_deref(), result, &trials);
    let share = |classes: &[PartClass]| {
        Figure::share(classes.iter().map(|class| (class.ok.count() as f64, class.ended as f64)))
    };
    let rate = |count: fn(&PartClass) -> u64| {
        let classes = of(&None)?;
        Ok(Figure::over(
            classes.iter().zip(&trials).map(|(class, trial)| count(class) as f64 / trial.seconds),
        ))
    };
    match metric {
        Metric::Throughput => rate(|class| class.ok.count()),
        Metric::Goodput => rate(|class| class.good),
        Metric::Availability(class) => Ok(share(&of(class)?)),
        Metric::ErrorRate(class) => Ok(share(&of(class)?).complement()),
        Metric::Response { stat, class } => {
            let classes = of(class)?;
            let times = Responses::of(&classes.iter().map(|class| &class.ok).collect::<Vec<_>>());
            Ok(stat_of(&times, *stat).scaled(0.001))
        }
        _ => unreachable!("the loader takes no other metric of a part"),
    }
}

/// The counts of one class, or of all classes together, in each trial's part.
fn class_of_part(
    class: Option<&str>,
    result: &RunResult,
    trials: &[&PartRecord],
) -> Result<Vec<PartClass>, String> {
    let Some(name) = class else { return Ok(trials.iter().map(|trial| together(&trial.classes)).collect()) };
    let index = result.classes.iter().position(|(known, _)| known == name);
    let index = index.ok_or_else(|| format!("there is no class `{name}`"))?;
    Ok(trials.iter().map(|trial| trial.classes[index].clone()).collect())
}

fn together(classes: &[PartClass]) -> PartClass {
    let mut all = PartClass::default();
    for class in classes {
        all.ended += class.ended;
        all.good += class.good;
        all.ok.merge(&class.ok);
    }
    all
}

fn judge(that: &Expectation, text: &str, known: Result<Figure, String>, result: &RunResult) -> Verdict {
    let mut verdict = Verdict {
        that: text.to_owned(),
        near: None,
        window: None,
        verdict: Answer::NotShown,
        value: None,
        half_width: None,
        low: None,
        high: None,
        bound: that.bound,
        tolerance: None,
        unit: unit_name(that.metric.unit()),
        trials_needed: None,
        reason: None,
        by_world: None,
        level: None,
    };
    let known = match known {
        Ok(known) => known,
        Err(reason) => return Verdict { reason: Some(reason), ..verdict },
    };
    (verdict.value, verdict.half_width) = (known.mean, known.half_width);
    let Some((low, high)) = known.interval() else {
        verdict.reason = Some(thin_tail(&that.metric, &known, result).unwrap_or_else(|| no_interval(&known)));
        return verdict;
    };
    (verdict.low, verdict.high) = (Some(low), Some(high));
    verdict.verdict = answer(that.comparison, that.bound, low, high);
    if verdict.verdict != Answer::Fails
        && let Some(reason) = too_few(that, &known, result)
    {
        return Verdict { verdict: Answer::NotShown, reason: Some(reason), ..verdict };
    }
    if verdict.verdict == Answer::NotShown {
        verdict.trials_needed = trials_needed(&known, that.bound);
    }
    verdict
}

/// How long a trial must be for a percentile that is missing because too few requests lie beyond it.
fn thin_tail(metric: &Metric, known: &Figure, result: &RunResult) -> Option<String> {
    let Metric::Response { stat, class } = metric else { return None };
    let tail = stat.tail().filter(|_| known.mean.is_none())?;
    let ok = match class {
        None => &result.metrics.outcomes.ok,
        Some(class) => &result.classes.get(class)?.outcomes.ok,
    };
    let per_trial = ok.mean.filter(|ok| *ok > 0.0)?;
    let needed = round_up(result.duration_s * TAIL_RECORDS_MIN / (per_trial * tail));
    Some(format!("it needs {TAIL_RECORDS_MIN} requests beyond it in each trial: --duration {needed}"))
}

fn no_interval(known: &Figure) -> String {
    let reason = match (known.mean, known.trials.len()) {
        (None, _) => "too little was measured: --duration must be longer",
        (Some(_), ..=1) => "one trial gives no interval: --trials 10",
        (Some(_), _) => "only one trial measured it: --duration must be longer",
    };
    reason.into()
}

fn answer(comparison: Comparison, bound: f64, low: f64, high: f64) -> Answer {
    let (holds, fails) = match comparison {
        Comparison::Lt => (high < bound, low >= bound),
        Comparison::Le => (high <= bound, low > bound),
        Comparison::Gt => (low > bound, high <= bound),
        Comparison::Ge => (low >= bound, high < bound),
    };
    match (holds, fails) {
        (true, _) => Answer::Holds,
        (_, true) => Answer::Fails,
        _ => Answer::NotShown,
    }
}

/// Number of trials whose interval would exclude the bound; `None` if it is too large. Half-widths shrink with the
/// square root of the number of trials.
fn trials_needed(known: &Figure, bound: f64) -> Option<u64> {
    let (value, (low, high)) = (known.mean?, known.interval()?);
    let towards = if bound > value { high - value } else { value - low };
    let ratio = towards / (bound - value).abs();
    let needed = (known.trials.len() as f64 * ratio * ratio)
        .ceil()
        .max(known.trials.len() as f64 + 1.0)
        .max(TRIALS_NEEDED_MIN);
    (needed <= TRIALS_NEEDED_MAX).then_some(needed as u64)
}

/// The name of the unit in results.
#[must_use]
pub fn unit_name(unit: Unit) -> &'static str {
    match unit {
        Unit::Seconds => "s",
        Unit::Share => "share",
        Unit::PerSecond => "per_s",
        Unit::Count => "count",
        Unit::Usd => "usd",
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{result, trial};
    use super::*;
    use crate::kernel::time::SimDuration;
    use crate::scenario::expression::{Names, parse, parse_near};
    use crate::stats::histogram::Histogram;

    fn parsed(text: &str) -> Expectation {
        parse(text, &Names::plain(&["request"], &["box", "db"])).unwrap()
    }

    /// Two trials with means of 90 and 110 ms: 100 ± 127 ms; and 2 requests in 10 s each.
    fn two() -> RunResult {
        result(vec![trial(&[90, 90]), trial(&[110, 110])])
    }

    #[test]
    fn the_whole_interval_must_be_on_one_side() {
        let cases = [
            ("mean(response) < 300ms", Answer::Holds),
            ("mean(response) < 200ms", Answer::NotShown),
            ("mean(response) > 300ms", Answer::Fails),
            ("throughput >= 0.2/s", Answer::Holds),
            ("throughput > 0.2/s", Answer::Fails),
            ("throughput < 0.2/s", Answer::Fails),
            ("throughput <= 0.2/s", Answer::Holds),
            ("utilisation(box) < 80%", Answer::Holds),
            ("error_rate.request < 90%", Answer::NotShown),
            ("error_rate.request <= 0%", Answer::NotShown),
            ("cost_per_million < $695", Answer::Holds),
            ("cost_per_million > $694", Answer::Holds),
            ("p99(response) < 1s", Answer::NotShown),
            ("lost_writes < 5", Answer::NotShown),
        ];
        for (text, expected) in cases {
            let found = &verdicts(&[parsed(text)], &two())[0];
            assert_eq!(found.verdict, expected, "{text}: {found:?}");
        }
    }

    #[test]
    fn what_is_not_shown_says_what_would_show_it() {
        let verdict = |text: &str| verdicts(&[parsed(text)], &two()).remove(0);
        // Half-width 127 ms, distance 20 ms: 2 x (127.06 / 20)² = 80.7 trials.
        let close = verdict("mean(response) < 120ms");
        assert_eq!((close.trials_needed, close.unit, close.bound), (Some(81), "s", 0.12));
        assert!(verdict("p99(response) < 1s").reason.unwrap().contains("--duration"));
        assert!(verdict("lag < 1s").reason.unwrap().contains("no replicas"));
        assert_eq!(verdict("mean(response) < 100ms").trials_needed, None);
    }

    #[test]
    fn a_check_near_a_value_needs_the_whole_interval_there() {
        let records = vec![trial(&[90, 90]), trial(&[91, 91])];
        let result = result(records.clone());
        // 90.5 ms, and 84.1 to 96.9 ms in 95 % of the cases.
        for (near, expected) in [
            ("90ms ± 10ms", Answer::Holds),
            ("90ms ± 5ms", Answer::NotShown),
            ("80ms ± 5ms", Answer::NotShown),
            ("80ms ± 4ms", Answer::Fails),
            ("110ms ± 10ms", Answer::Fails),
        ] {
            let metric = parsed("mean(response) < 1s").metric;
            let near_value = parse_near(near, &metric).unwrap();
            let (text, claim) = ("mean(response)".into(), Claim::Near(metric, near_value));
            let check = Check { claim, text, near: Some(near.into()), window: None };
            let found = checked(&check, &result, &records);
            assert_eq!(found.verdict, expected, "{near}: {found:?}");
            assert_eq!((found.bound, found.tolerance), (near_value.value, Some(near_value.tolerance)));
        }
    }

    #[test]
    fn a_response_time_that_grows_is_not_long_enough_for_good() {
        let mut result = two();
        result.steady_state.reached = false;
        for (text, expected) in
            [("mean(response) < 300ms", Answer::NotShown), ("mean(response) > 300ms", Answer::Fails)]
        {
            assert_eq!(verdicts(&[parsed(text)], &result)[0].verdict, expected, "{text}");
        }
    }

    #[test]
    fn a_part_of_the_time_is_measured_on_its_own() {
        let part =
            Part { during: None, except: Some((SimDuration::from_secs(5), SimDuration::from_secs(6))) };
        let mut records = vec![trial(&[90, 90]), trial(&[110, 110])];
        for (record, failed) in records.iter_mut().zip([50, 30]) {
            let mut ok = Histogram::default();
            (0..9000).for_each(|n: u64| ok.record(10_000_000 + n));
            let class = PartClass { ended: 9000 + failed, good: 4500, ok };
            record.parts = vec![PartRecord { part, seconds: 9.0, classes: vec![class] }];
        }
        let result = result(records.clone());
        let check = |that: &str, expected: Answer| {
            let window = Some(Window { part, text: "except 5s..6s".into() });
            let expect = Expect { that: parsed(that), text: that.into(), window };
            let found = verdict(&expect, &result, &records);
            assert_eq!(found.verdict, expected, "{that} {found:?}");
            assert_eq!(found.window.as_deref(), Some("except 5s..6s"));
            found.value.unwrap()
        };
        assert_eq!(check("throughput > 999/s", Answer::Holds), 1000.0);
        assert_eq!(check("goodput > 600/s", Answer::Fails), 500.0);
        check("availability > 90%", Answer::Holds);
        check("availability > 99.7%", Answer::NotShown);
        check("error_rate.request < 9%", Answer::Holds);
        check("p99(response) < 11ms", Answer::Holds);
        check("mean(response.request) > 11ms", Answer::Fails);
    }
}
