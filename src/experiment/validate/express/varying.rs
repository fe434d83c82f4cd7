//! Loads that change over time, and queues that start empty.

use serde_json::Value;

use super::params::{Params, Reason};
use super::text::{SHARED, client, exponential, fifo, public, scenario, time};
use super::{Input, Plan, Quantity, Rule, offer, station};

/// Number of windows in the series of a trial without warm-up.
const WINDOWS: f64 = 600.0;

/// Number of periods of a trial. The first one is dropped, because the system starts empty.
const PERIODS: f64 = 6.0;

fn delay(params: &Params<'_>) -> Result<String, Reason> {
    if params.value("servers").and_then(Value::as_str) != Some("inf") {
        return Err("a load that changes over time is compared only with stations of unlimited cores".into());
    }
    let step = format!("{{ wait = {} }}", exponential(params.number("service_mean")?));
    Ok(public("box", &format!("{SHARED}\ncores = 1"), &step))
}

/// The level at time `at` of every period after the first. `at` is moved to the end of a window.
fn level(at: f64, period: f64) -> Quantity {
    let window = PERIODS * period / WINDOWS;
    Quantity::InsideAt("box".into(), (at / window).round() * window + period, period)
}

/// A load that follows a daily cycle.
pub(super) fn sinusoid(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let (mean, amplitude) = (params.number("rate_mean")?, params.number("rate_amplitude")?);
    let (period, service) = (params.number("period")?, params.number("service_mean")?);
    let load = format!(
        "rate = \"{mean}/s\"\nprofile = {{ diurnal = {{ period = \"{}\", amplitude = {} }} }}",
        time(period),
        amplitude / mean
    );
    let boxes = client(&load, "box") + &delay(params)?;
    let turn = 2.0 * std::f64::consts::PI / period;
    let lag = libm::atan(turn * service) / turn;
    let mut offers = offer([
        ("mean_in_system_peak", level(period / 4.0 + lag, period)),
        ("mean_in_system_trough", level(period * 3.0 / 4.0 + lag, period)),
    ]);
    offers.extend(input.numbered("mean_at_t").into_iter().map(|(key, at)| (key, level(at, period))));
    Ok(vec![Plan::new(scenario(0.0, PERIODS * period, &boxes), offers).trials(100).rare()])
}

/// A load that changes in steps, once or periodically.
pub(super) fn steps(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    let list = params.value("rate_steps").and_then(Value::as_array).ok_or("it has no list `rate_steps`")?;
    let pair = |step: &Value| Some((step.get(0)?.as_f64()?, step.get(1)?.as_f64()?));
    let steps: Option<Vec<(f64, f64)>> = list.iter().map(pair).collect();
    let steps =
        steps.filter(|steps| !steps.is_empty()).ok_or("`rate_steps` holds more than pairs of numbers")?;
    let highest = steps.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let factor = |(at, rate): &(f64, f64)| format!("[\"{}\", {}]", time(*at), rate / highest);
    let profile = steps.iter().map(factor).collect::<Vec<_>>().join(", ");
    if !params.has("period") {
        return once(input, &steps, &format!("rate = \"{highest}/s\"\nprofile = {{ steps = [{profile}] }}"));
    }
    let period = params.number("period")?;
    let load =
        format!("rate = \"{highest}/s\"\nprofile = {{ steps = [{profile}], period = \"{}\" }}", time(period));
    let boxes = client(&load, "box") + &delay(params)?;
    let mut offers =
        offer([("arrivals_per_period", Quantity::ArrivalsPer(period)), ("mean_rate", Quantity::Offered)]);
    let levels = input.numbered("mean_in_system_t").into_iter();
    offers.extend(levels.map(|(key, at)| (key, level(if at == 0.0 { period } else { at }, period))));
    Ok(vec![Plan::new(scenario(0.0, PERIODS * period, &boxes), offers).trials(1000).rare()])
}

/// An overload without randomness: the backlog grows and drains at constant rates.
fn once(input: &Input<'_>, steps: &[(f64, f64)], load: &str) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    for key in ["service", "interarrival"] {
        if params.word(key, "")? != "deterministic" {
            return Err("a load that changes once is compared only with a queue without randomness".into());
        }
    }
    let completed = input.numbered("total_completed_by_t");
    let last = steps.last().map_or(0.0, |(at, _)| *at);
    let end = completed.first().map_or(2.0 * last, |(_, end)| *end);
    let peak = input.case.value("time_of_max_backlog").unwrap_or(last);
    let keys = fifo(params.count_or("servers", 1)?);
    let step = format!("{{ cpu = \"{}\" }}", time(params.number("service_mean")?));
    let boxes = client(&format!("{load}\narrivals = {{ dist = \"constant\" }}"), "box")
        + &public("box", &keys, &step);
    let mut offers = offer([("max_backlog", Quantity::InsideMax("box".into()))]);
    offers.extend(completed.into_iter().take(1).map(|(key, _)| (key, Quantity::Completed)));
    let text = scenario(0.0, end, &boxes);
    let moments = offer([
        ("time_of_max_backlog", Quantity::FullestAt("box".into())),
        ("drain_time_after_spike", Quantity::DrainedAfter("box".into(), peak)),
    ]);
    // Counts are exact to one request, times to two windows.
    let window = Rule::Exact(2.0 * end / WINDOWS);
    Ok(vec![
        Plan::new(text.clone(), offers).trials(1).rule(Rule::Exact(1.0)),
        Plan::new(text, moments).trials(1).rule(window),
    ])
}

/// A queue that starts empty: the mean number inside at given times.
pub(super) fn from_empty(input: &Input<'_>) -> Result<Vec<Plan>, Reason> {
    let params = &input.params;
    params.only("initial", &["empty"])?;
    let (_, arrivals) = station::arrivals(params)?;
    let step = format!("{{ cpu = {} }}", station::service(params)?);
    let boxes = client(&arrivals, "box") + &public("box", &fifo(params.count_or("servers", 1)?), &step);
    let mut moments = input.numbered("mean_in_system_t");
    moments.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut plans: Vec<Plan> = Vec::new();
    while let Some(longest) = moments.first().map(|(_, at)| *at) {
        // A time must be many windows after the start, so early times get shorter trials of their own.
        let (now, later): (Vec<_>, Vec<_>) = moments.into_iter().partition(|(_, at)| *at >= 0.15 * longest);
        let offers =
            now.into_iter().map(|(key, at)| (key, Quantity::InsideAt("box".into(), at, f64::INFINITY)));
        plans.push(Plan::new(scenario(0.0, 1.2 * longest, &boxes), offers.collect()).trials(2000).rare());
        moments = later;
    }
    Ok(plans)
}
