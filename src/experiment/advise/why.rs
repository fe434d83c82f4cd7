//! Why the figures are what they are, in sentences.

use crate::components::database::Part;
use crate::model::resource::{Bound, CPU, Meter};
use crate::scenario::Scenario;

use super::super::result::{Bottleneck, Figure, Outcomes, Prediction, Relation, RunResult};
use super::{owner, resource_of};

/// A share above which something is the rule rather than the exception.
const MOSTLY: f64 = 0.5;

/// From this use on cores are as good as saturated.
const SATURATED: f64 = 0.9;

/// Windows whose mean must be beyond it: one alone is chance.
const BUSY_WINDOWS: usize = 10;

/// A share of the response time that is worth a sentence.
const SHARE_SHOWN: f64 = 0.1;

/// Why the figures are what they are, the most important first.
pub(in super::super) fn why(scenario: &Scenario, result: &RunResult) -> Vec<String> {
    let mut why = Vec::new();
    why.extend(growth(result));
    why.extend(unconfirmed(result));
    why.extend(what_binds(scenario, result));
    // While queues grow, calls of the warm-up are answered in the measured time, and shares of the time mean nothing.
    why.extend(where_time_goes(result).filter(|_| result.steady_state.reached));
    why.extend(failures(result));
    why.extend(result.theory.iter().filter_map(prediction));
    why
}

/// Why no write was acknowledged for a while, although the primary was well.
fn unconfirmed(result: &RunResult) -> Option<String> {
    let parts = result.metrics.data.as_ref()?.outage_s.as_ref()?;
    let whole_s: f64 = parts.iter().filter_map(|(_, part)| part.mean).sum();
    let (_, waited) = parts.iter().find(|(name, _)| *name == Part::Acks.name())?;
    let waited_s = waited.mean.filter(|waited_s| *waited_s > MOSTLY * whole_s)?;
    Some(format!(
        "no write was acknowledged for {} s: commits waited {} s for replicas that did not confirm them",
        number(whole_s),
        number(waited_s)
    ))
}

fn growth(result: &RunResult) -> Option<String> {
    if let (Some(growth), Some(database)) = (result.steady_state.lag_growth, &result.steady_state.component) {
        return Some(format!(
            "no steady state: the lag of `{database}` grows by {} s every second, as its replicas apply {:.0} % less than \
             is written",
            number(growth),
            100.0 * growth
        ));
    }
    let growth = result.steady_state.growth_per_s?;
    Some(match &result.steady_state.component {
        Some(component) => {
            format!("no steady state: the queue at `{component}` grows by {} calls a second", number(growth))
        }
        None => format!("no steady state: {} more requests are under way every second", number(growth)),
    })
}

fn what_binds(scenario: &Scenario, result: &RunResult) -> Option<String> {
    let bottleneck = result.bottleneck.as_ref()?;
    let name = &bottleneck.component;
    let entry = owner(scenario, name)?;
    let (_, resource) = resource_of(scenario, entry, bottleneck.resource)?;
    let mut text =
        format!("{}, more than anything else", resource.noun.is_busy(name, bottleneck.utilisation));
    if let Some(since) = busy_since(result, bottleneck) {
        let when = if since > 0.0 { format!("since {since:.0} s") } else { "from the start".into() };
        text += &format!("; above {:.0} % {when}", 100.0 * SATURATED);
    }
    if let Some(since) = since(result, name).filter(|_| result.steady_state.reached) {
        text += &format!("; calls have piled up there since {since:.0} s");
    }
    let rate = result.metrics.throughput_rps.mean.unwrap_or(0.0);
    // The utilisation law: the work for a request stays the same, so that use grows with the rate. It is not exact where
    // cores slow each other down.
    if resource.meter == Meter::Cores
        && resource.bound == Bound::Exact
        && result.steady_state.reached
        && bottleneck.utilisation < 0.99
        && rate > 0.0
    {
        text += &format!(
            "; at this mix they saturate at {} requests a second",
            number(rate / bottleneck.utilisation)
        );
    }
    Some(text)
}

/// When the cores that bind were first as good as saturated, on average over the trials and over [`BUSY_WINDOWS`] windows;
/// seconds after the start of the trial.
fn busy_since(result: &RunResult, bottleneck: &Bottleneck) -> Option<f64> {
    if bottleneck.resource != CPU {
        return None;
    }
    let name = &bottleneck.component;
    let is_it = |column: &&String| {
        let of = column.strip_prefix("busy:");
        let group = |of| result.components.get(of).map(|one| &one.group);
        of.is_some_and(|of| of == name || group(of) == Some(name))
    };
    let columns: Vec<&String> = result.series.columns.iter().filter(is_it).collect();
    let members: Vec<Vec<f64>> = columns
        .iter()
        .filter_map(|column| Some(result.series.column(column)?.map(|one| one.unwrap_or(0.0)).collect()))
        .collect();
    let mean = |row: usize| members.iter().map(|member| member[row]).sum::<f64>() / members.len() as f64;
    let means: Vec<f64> = (0..result.series.rows.len()).map(mean).collect();
    let is_saturated = |some: &[f64]| some.iter().sum::<f64>() / some.len() as f64 >= SATURATED;
    let first = means.windows(BUSY_WINDOWS).position(is_saturated)?;
    // Cores that are busy by chance for a while are not so for good.
    if is_saturated(&means[first..]) { result.series.rows[first][0] } else { None }
}

/// Since when a component has held more calls than half of what it holds in the end, if that is much more than in the
/// beginning; seconds after the start of the trial.
fn since(result: &RunResult, component: &str) -> Option<f64> {
    let inside: Vec<f64> =
        result.series.column(&format!("inside:{component}"))?.map(|one| one.unwrap_or(0.0)).collect();
    let quarter = inside.len() / 4;
    let average = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    if quarter == 0 {
        return None;
    }
    let (first, last) = (average(&inside[..quarter]), average(&inside[inside.len() - quarter..]));
    if last < 10.0 || last < 3.0 * first {
        return None;
    }
    let calm = inside.iter().rposition(|&calls| calls < last / 2.0)?;
    result.series.rows.get(calm + 1)?[0]
}

/// The component at which requests wait longest, as a share of their response time.
fn where_time_goes(result: &RunResult) -> Option<String> {
    let requests = result.metrics.outcomes.ok.mean.filter(|ok| *ok > 0.0)?;
    let response = result.metrics.response_ms.mean.mean?;
    let waits = result.components.iter().filter_map(|(name, component)| {
        let calls = component.outcomes.ok.mean?;
        Some((name, component.wait_ms.mean.mean? * calls / requests))
    });
    let (name, wait) = waits.reduce(|most, one| if one.1 > most.1 { one } else { most })?;
    let share = wait / response;
    // Calls whose users have given up wait too; with many of them the share is none.
    (SHARE_SHOWN..=1.0).contains(&share).then(|| {
        format!(
            "a request waits {} ms in the queue of `{name}`, {:.0} % of its {} ms",
            number(wait),
            100.0 * share,
            number(response)
        )
    })
}

/// The most frequent way in which requests fail, and where.
fn failures(result: &RunResult) -> Option<String> {
    let all = &result.metrics.outcomes;
    let ended = count(&all.ok) + failed(all).iter().map(|(_, count)| count).sum::<f64>();
    let (how, most) = worst(all)?;
    let share = 100.0 * most / ended;
    let places = result.components.iter().filter_map(|(name, component)| {
        let (local, count) = worst(&component.outcomes)?;
        Some((name, local, count))
    });
    let place = places.reduce(|most, one| if one.2 > most.2 { one } else { most });
    let at = place.map_or(String::new(), |(name, local, calls)| {
        format!("; most calls fail at `{name}`: {} a trial, {local}", number(calls))
    });
    Some(format!("{} % of the requests end {how}{at}", number(share)))
}

fn failed(outcomes: &Outcomes) -> [(&'static str, f64); 5] {
    [
        ("rejected", count(&outcomes.rejected)),
        ("timed out", count(&outcomes.timed_out)),
        ("unavailable", count(&outcomes.unavailable)),
        ("out of memory", count(&outcomes.out_of_memory)),
        ("throttled", count(&outcomes.throttled)),
    ]
}

fn worst(outcomes: &Outcomes) -> Option<(&'static str, f64)> {
    let found = failed(outcomes).into_iter().filter(|(_, count)| *count > 0.0);
    found.reduce(|most, one| if one.1 > most.1 { one } else { most })
}

/// Theory beside measurement. The utilisation law is silent as long as it agrees, as it must; Little's law always is,
/// as the model asserts it.
fn prediction(prediction: &Prediction) -> Option<String> {
    if !matches!(prediction.quantity, "response_ms" | "throughput_rps") {
        return None;
    }
    let mean = prediction.measured.mean?;
    let measured = match prediction.measured.half_width {
        Some(half_width) => with_half_width(mean, half_width),
        None => number(mean),
    };
    let relation = match prediction.relation {
        Relation::Equal => "",
        Relation::About => "about ",
        Relation::AtMost => "at most ",
        Relation::AtLeast => "at least ",
    };
    let unit = if prediction.quantity == "response_ms" { "ms" } else { "requests a second" };
    let Prediction { component, law, theory, .. } = prediction;
    let at = if component == "system" { String::new() } else { format!(" for `{component}`") };
    Some(format!("theory{at}: {law} says {relation}{} {unit}, measured {measured}", number(*theory)))
}

/// Three significant digits, or all those before the point.
fn number(value: f64) -> String {
    format!("{value:.*}", decimals(value))
}

/// A value and its half-width with as many decimals as give the half-width two significant digits.
fn with_half_width(value: f64, half_width: f64) -> String {
    let decimals = decimals(10.0 * half_width).max(decimals(value));
    format!("{value:.decimals$} ± {half_width:.decimals$}")
}

/// Decimals of three significant digits.
fn decimals(value: f64) -> usize {
    let digits = if value == 0.0 { 0.0 } else { libm::log10(value.abs()).floor() };
    (2.0 - digits).clamp(0.0, 6.0) as usize
}

fn count(figure: &Figure) -> f64 {
    figure.mean.unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::super::super::data::DataResult;
    use super::super::super::result::Named;
    use super::super::samples::changed;
    use super::*;

    #[test]
    fn commits_that_wait_for_replicas_are_explained() {
        let why = |down: f64, acks: f64| {
            let mut result = changed(|_| ());
            let part =
                |part: Part, mean| (part.name().to_owned(), Figure { mean: Some(mean), ..Figure::default() });
            let outage_s = Some(Named(vec![part(Part::Down, down), part(Part::Acks, acks)]));
            result.metrics.data = Some(DataResult { outage_s, ..DataResult::default() });
            unconfirmed(&result)
        };
        let expected = "no write was acknowledged for 61.0 s: commits waited 60.0 s for replicas that did not confirm them";
        assert_eq!((why(1.0, 60.0).as_deref(), why(60.0, 1.0)), (Some(expected), None));
    }

    #[test]
    fn sentences_follow_the_numbers() {
        let calm = changed(|_| ());
        assert_eq!(
            calm.why,
            [
                "the cores of `box` are 75 % busy, more than anything else; at this mix they saturate at 0.267 requests a second"
            ]
        );
        let later =
            changed(|record| record.windows[60..].iter_mut().for_each(|window| window.busy[0] = 0.95));
        assert!(later.why[0].contains("; above 90 % since 6 s; "), "{:?}", later.why);
        let always = changed(|record| record.windows.iter_mut().for_each(|window| window.busy[0] = 0.95));
        assert!(always.why[0].contains("; above 90 % from the start; "), "{:?}", always.why);
        let failing = changed(|record| {
            record.classes[0].issued += 2;
            record.classes[0].outcomes[1] = 2;
            record.components[0].outcomes[1] = 2;
        });
        assert_eq!(
            failing.why[1],
            "50.0 % of the requests end rejected; most calls fail at `box`: 2.00 a trial, rejected"
        );
    }

    #[test]
    fn numbers_have_three_digits_and_no_more_decimals_than_their_doubt() {
        assert_eq!(
            [number(0.0), number(0.01234), number(9.999), number(12345.6)],
            ["0.00", "0.0123", "10.00", "12346"]
        );
        assert_eq!(with_half_width(50.04, 0.4), "50.04 ± 0.40");
        assert_eq!(with_half_width(191.13, 15.46), "191 ± 15");
    }
}
