//! Does a result meet what was expected of it? Three answers: it holds, it fails, or it is not shown.

use crate::kernel::time::SimDuration;
use crate::model::record::{TrialRecord, Window};
use crate::scenario::Expect;
use crate::scenario::expression::{Comparison, Expectation, Metric, Stat, Unit};

use super::data::DataResult;
use super::figure::NANOS_PER_MS;
use super::result::{Answer, ClassResult, ComponentResult, Figure, Responses, RunResult, Verdict};

/// More trials than anybody would run are no advice.
const TRIALS_NEEDED_MAX: f64 = 100_000.0;

/// Fewer trials than this give intervals that are themselves uncertain.
const TRIALS_NEEDED_MIN: f64 = 5.0;

/// Part of the simulated time, from and to.
type Part = (SimDuration, SimDuration);

/// What is known of a metric: its value, and the ends of an interval that holds the truth.
struct Known {
    value: Option<f64>,
    half_width: Option<f64>,
    interval: Option<(f64, f64)>,
    trials: usize,
    /// Whether more trials make the interval narrow.
    shrinks: bool,
}

/// The verdict on an expectation of the scenario.
pub(super) fn verdict(expect: &Expect, result: &RunResult, records: &[TrialRecord]) -> Verdict {
    let known = match (expect.during, expect.except) {
        (None, None) => measure(&expect.that.metric, result).map(Known::from),
        (during, except) => in_part(&expect.that.metric, during, except, result.warmup_s, records),
    };
    without_rest(judge(&expect.that, &expect.text, known), &expect.that, result)
}

/// Without a steady state a response time grows with the simulated time: that it is too long can be shown, that it is
/// long enough, or short enough, cannot.
fn without_rest(verdict: Verdict, that: &Expectation, result: &RunResult) -> Verdict {
    let grows = matches!(that.metric, Metric::Response { .. } | Metric::QueueLen(_));
    if result.steady_state.reached || !grows || verdict.verdict != Answer::Holds {
        return verdict;
    }
    let reason = "there is no steady state, so the value depends on how long is simulated";
    Verdict { verdict: Answer::NotShown, reason: Some(reason.into()), ..verdict }
}

/// The verdicts on objectives over the whole measured time: `--slo "p99 < 300ms, errors < 0.1%"`.
#[must_use]
pub fn verdicts(expectations: &[Expectation], result: &RunResult) -> Vec<Verdict> {
    let one = |that: &Expectation| {
        let verdict = judge(that, &that.to_string(), measure(&that.metric, result).map(Known::from));
        without_rest(verdict, that, result)
    };
    expectations.iter().map(one).collect()
}

/// A metric of a result, in its base unit.
///
/// # Errors
/// Why the result does not have it, in a sentence without a full stop.
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
        Metric::ErrorRate(class) => complement(&measure(&Metric::Availability(class.clone()), result)?),
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
        Metric::CostPerHour => whole.cost_usd_per_hour.clone(),
        Metric::CostPerMillion => {
            let costs = whole.cost_usd_per_hour.trials.iter().zip(&whole.throughput_rps.trials);
            let per_request =
                costs.map(|(cost, rate)| cost.zip(*rate).map_or(f64::NAN, |(cost, rate)| cost / rate));
            Figure::over(per_request.map(|usd_s_per_h| usd_s_per_h / 3600.0 * 1e6))
        }
        Metric::Lag | Metric::LostWrites | Metric::StaleReadShare | Metric::Rto | Metric::Rpo => {
            let missing = || format!("the scenario has no replicas, so there is no {metric}");
            of_data(metric, whole.data.as_ref().ok_or_else(missing)?)?
        }
    })
}

/// A metric of the data, in its base unit.
fn of_data(metric: &Metric, data: &DataResult) -> Result<Figure, String> {
    let outage =
        |figure: &Option<Figure>| figure.clone().ok_or("no primary was lost in these trials".to_owned());
    match metric {
        Metric::Lag => Ok(data.lag_ms_max.scaled(0.001)),
        Metric::LostWrites => Ok(data.lost_writes.clone()),
        Metric::StaleReadShare => Ok(data.stale_read_share.clone()),
        Metric::Rto => outage(&data.rto_s),
        _ => outage(&data.rpo_s),
    }
}

/// Whether a metric can be told for a part of the simulated time alone. Response times by percentile are bounded by
/// those of the windows, which is not enough for the rarest.
///
/// # Errors
/// Why not, in a sentence without a full stop.
pub fn check_in_part(metric: &Metric) -> Result<(), String> {
    let known = match metric {
        Metric::Response { stat, class: None } => !matches!(stat, Stat::P999 | Stat::Max),
        Metric::Availability(None) | Metric::ErrorRate(None) | Metric::Throughput => true,
        _ => false,
    };
    let message = || format!("{metric} is known for the whole measured time only, not for a part of it");
    if known { Ok(()) } else { Err(message()) }
}

fn of_class<'r>(result: &'r RunResult, class: &str) -> Result<&'r ClassResult, String> {
    result.classes.get(class).ok_or_else(|| format!("there is no class `{class}`"))
}

/// The member of this name, or all members of the group.
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

fn complement(share: &Figure) -> Figure {
    Figure::over(share.trials.iter().map(|share| share.map_or(f64::NAN, |share| 1.0 - share)))
}

/// The sum of figures, trial by trial.
fn sum(figures: &[&Figure]) -> Figure {
    let trials = figures.iter().map(|figure| figure.trials.len()).min().unwrap_or(0);
    let at =
        |trial: usize| figures.iter().map(|figure| figure.trials[trial].unwrap_or(f64::NAN)).sum::<f64>();
    Figure::over((0..trials).map(at))
}

impl From<Figure> for Known {
    fn from(figure: Figure) -> Known {
        Known {
            value: figure.mean,
            half_width: figure.half_width,
            interval: figure.interval(),
            trials: figure.trials.len(),
            shrinks: true,
        }
    }
}

/// The metric in a part of the time, from the windows that lie in `during` and do not touch `except`.
fn in_part(
    metric: &Metric,
    during: Option<Part>,
    except: Option<Part>,
    warmup_s: f64,
    records: &[TrialRecord],
) -> Result<Known, String> {
    check_in_part(metric)?;
    let of = |record| windows(record, during, except, warmup_s);
    let trials: Vec<Vec<&Window>> = records.iter().map(of).collect();
    if trials.iter().all(Vec::is_empty) {
        return Err("no window of the measured time lies in that part: use a longer one".into());
    }
    let figure =
        |value: &dyn Fn(&[&Window]) -> f64| Figure::over(trials.iter().map(|windows| value(windows)));
    let count = |windows: &[&Window], of: fn(&Window) -> u64| {
        windows.iter().map(|window| of(window)).sum::<u64>() as f64
    };
    let ok = |windows: &[&Window]| count(windows, |window| window.ok);
    let ended = |windows: &[&Window]| count(windows, |window| window.ok + window.failed);
    Ok(match metric {
        Metric::Throughput => {
            let seconds = |windows: &[&Window]| windows.iter().map(|window| window.length_s).sum::<f64>();
            figure(&|windows| ok(windows) / seconds(windows)).into()
        }
        Metric::Availability(_) => figure(&|windows| ok(windows) / ended(windows)).into(),
        Metric::ErrorRate(_) => figure(&|windows| 1.0 - ok(windows) / ended(windows)).into(),
        Metric::Response { stat: Stat::Mean, .. } => {
            let nanos =
                |windows: &[&Window]| windows.iter().map(|window| window.response_sum).sum::<u128>() as f64;
            figure(&|windows| nanos(windows) / ok(windows)).scaled(1e-9).into()
        }
        Metric::Response { stat, .. } => percentile_in_part(*stat, &trials),
        _ => unreachable!("`check_in_part` has refused all others"),
    })
}

/// The windows of the measured time that lie in `during` and do not touch `except`.
fn windows(record: &TrialRecord, during: Option<Part>, except: Option<Part>, warmup_s: f64) -> Vec<&Window> {
    let ends = |part: Part| (part.0.as_secs_f64(), part.1.as_secs_f64());
    // Windows end at rounded seconds.
    let slack = 1e-9;
    let fits = |window: &&Window| {
        let (start, end) = (window.start_s, window.start_s + window.length_s);
        start >= warmup_s - slack
            && during.map(ends).is_none_or(|(from, to)| start >= from - slack && end <= to + slack)
            && except.map(ends).is_none_or(|(from, to)| start >= to - slack || end <= from + slack)
    };
    record.windows.iter().filter(fits).collect()
}

/// The 99th percentile of all requests of some windows lies between the least and the greatest of the windows' own;
/// percentiles below it are at most the greatest.
fn percentile_in_part(stat: Stat, trials: &[Vec<&Window>]) -> Known {
    let p99s = |windows: &[&Window]| windows.iter().filter_map(|window| window.p99).collect::<Vec<u64>>();
    let figure = |pick: fn(Vec<u64>) -> Option<u64>| {
        let seconds = |nanos: u64| nanos as f64 / NANOS_PER_MS / 1000.0;
        Figure::over(trials.iter().map(|windows| pick(p99s(windows)).map_or(f64::NAN, seconds)))
    };
    let highest = figure(|p99s| p99s.into_iter().max());
    let lowest = figure(|p99s| p99s.into_iter().min());
    let low = if stat == Stat::P99 { lowest.interval().map(|(low, _)| low) } else { Some(0.0) };
    let high = highest.interval().map(|(_, high)| high);
    Known { value: None, half_width: None, interval: low.zip(high), trials: trials.len(), shrinks: false }
}

fn judge(that: &Expectation, text: &str, known: Result<Known, String>) -> Verdict {
    let mut verdict = Verdict {
        that: text.to_owned(),
        verdict: Answer::NotShown,
        value: None,
        half_width: None,
        low: None,
        high: None,
        bound: that.bound,
        unit: unit(that.metric.unit()),
        trials_needed: None,
        reason: None,
    };
    let known = match known {
        Ok(known) => known,
        Err(reason) => return Verdict { reason: Some(reason), ..verdict },
    };
    (verdict.value, verdict.half_width) = (known.value, known.half_width);
    let Some((low, high)) = known.interval else {
        verdict.reason = Some(no_interval(&known));
        return verdict;
    };
    (verdict.low, verdict.high) = (Some(low), Some(high));
    verdict.verdict = answer(that.comparison, that.bound, low, high);
    if verdict.verdict == Answer::NotShown {
        if known.shrinks {
            verdict.trials_needed = trials_needed(&known, that.bound);
        } else {
            let reason = "the windows of that part only tell that it lies between their 99th percentiles";
            verdict.reason = Some(reason.into());
        }
    }
    verdict
}

fn no_interval(known: &Known) -> String {
    let reason = match (known.value, known.trials) {
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

/// Half-widths shrink like the root of the number of trials.
fn trials_needed(known: &Known, bound: f64) -> Option<u64> {
    let (value, (low, high)) = (known.value?, known.interval?);
    let towards = if bound > value { high - value } else { value - low };
    let ratio = towards / (bound - value).abs();
    let needed =
        (known.trials as f64 * ratio * ratio).ceil().max(known.trials as f64 + 1.0).max(TRIALS_NEEDED_MIN);
    (needed <= TRIALS_NEEDED_MAX).then_some(needed as u64)
}

fn unit(unit: Unit) -> &'static str {
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
    use crate::scenario::expression::{Names, parse, parse_span_of_time};

    fn parsed(text: &str) -> Expectation {
        parse(text, &Names { classes: &["request"], components: &["box", "db"] }).unwrap()
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
            ("error_rate.request <= 0%", Answer::Holds),
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
    fn a_part_of_the_time_is_told_from_its_windows() {
        let mut records = vec![trial(&[90, 90]), trial(&[110, 110])];
        for record in &mut records {
            // From 5 s to 6 s everything fails, slowly.
            for window in &mut record.windows[50..60] {
                (window.ok, window.failed, window.p99, window.response_sum) = (0, 10, None, 0);
            }
            record.windows[70].p99 = Some(80_000_000);
        }
        let result = result(records.clone());
        let check = |that: &str, during: Option<&str>, except: Option<&str>, expected: Answer| {
            let part = |text: Option<&str>| text.map(|text| parse_span_of_time(text).unwrap());
            let (during, except) = (part(during), part(except));
            let expect = Expect { that: parsed(that), text: that.into(), during, except };
            let found = verdict(&expect, &result, &records);
            assert_eq!(found.verdict, expected, "{that} {found:?}");
            found
        };
        check("availability < 1%", Some("5s..6s"), None, Answer::Holds);
        check("error_rate <= 10%", None, Some("4s..7s"), Answer::Holds);
        check("error_rate <= 10%", None, None, Answer::Holds);
        let rate = check("throughput > 80/s", None, Some("5s..6s"), Answer::Holds);
        assert!((rate.value.unwrap() - 90.0).abs() < 1e-9);
        check("p99(response) < 81ms", None, Some("5s..6s"), Answer::Holds);
        check("p99(response) < 60ms", None, Some("5s..6s"), Answer::NotShown);
        check("p99(response) < 40ms", None, Some("5s..6s"), Answer::Fails);
        check("p95(response) < 81ms", Some("6s..8s"), None, Answer::Holds);
        check("availability > 1%", Some("0s..1s"), None, Answer::NotShown);
        let whole = check("goodput > 1/s", Some("6s..8s"), None, Answer::NotShown);
        assert!(whole.reason.unwrap().contains("whole measured time"));
    }
}
