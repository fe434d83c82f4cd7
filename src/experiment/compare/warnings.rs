//! Whether two designs have the same customers, and what a user should know before trusting their comparison.

use crate::model::quantity::Duration;
use crate::model::simulation::Length;
use crate::model::spec::Users;
use crate::scenario::{BoxEntry, Scenario};

use super::super::rare::{about, longer, rarest, times};
use super::super::result::{RunResult, SteadyState};
use super::Design;

/// Whether the clients of two scenarios send the same requests: all that they do but whom they ask, and where they are.
pub(super) fn same_clients(a: &Scenario, b: &Scenario) -> bool {
    fn users(entry: &BoxEntry) -> Option<(&str, Users, &[String], &[String])> {
        Some((&entry.name, entry.spec.users()?, &entry.regions, &entry.zones))
    }
    a.classes == b.classes && a.boxes.iter().filter_map(users).eq(b.boxes.iter().filter_map(users))
}

/// What trials of this length cut off from the planned faults, with the option that helps; empty where nothing is.
fn cut_off(scenario: &Scenario, length: Length) -> String {
    let end_ns = length.warmup.as_nanos().saturating_add(length.measured.as_nanos());
    let own_end_ns = scenario.run.length().as_nanos();
    let (mut never, mut endless): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for fault in &scenario.faults {
        let Some(at) = fault.at else { continue };
        let over_ns =
            fault.lasts().map_or(u64::MAX, |lasts| at.0.as_nanos().saturating_add(lasts.0.as_nanos()));
        if at.0.as_nanos() >= end_ns {
            never.push(at.to_string());
        } else if (end_ns..own_end_ns).contains(&over_ns) {
            endless.push(at.to_string());
        }
    }
    let said = |times: &[String], one: &str, more: &str| match times {
        [] => None,
        [at] => Some(format!("its fault at {at} {one}")),
        [first @ .., last] => Some(format!("its faults at {} and {last} {more}", first.join(", "))),
    };
    let parts: Vec<String> =
        [said(&never, "never happens", "never happen"), said(&endless, "does not end", "do not end")]
            .into_iter()
            .flatten()
            .collect();
    if parts.is_empty() {
        return String::new();
    }
    format!(": {}: --duration {}", parts.join(", and "), Duration(scenario.run.duration))
}

pub(super) fn warnings(designs: &[Design], results: &[RunResult]) -> Vec<String> {
    let mut warnings = Vec::new();
    let (first, length) = (&designs[0], designs[0].scenario.length());
    for (design, result) in designs.iter().zip(results) {
        if !same_clients(&first.scenario, &design.scenario) {
            warnings.push(format!(
                "`{}` has other clients than `{}`: they are not paired by customer, and the intervals are wider",
                design.name, first.name
            ));
        }
        if design.scenario.network.client != first.scenario.network.client
            || design.scenario.network.jitter.to_bits() != first.scenario.network.jitter.to_bits()
        {
            warnings.push(format!(
                "`{}` has another network to its clients than `{}`: part of the difference is that of the network",
                design.name, first.name
            ));
        }
        let mean = &result.metrics.response_ms.mean;
        if let (Some(level), Some(half)) = (mean.mean, mean.half_width)
            && half >= level
        {
            warnings.push(format!(
                "the interval of the mean response time of `{}` is wider than the time itself: --trials {}, or a longer \
                 --duration",
                design.name,
                4 * result.trials
            ));
        }
        if design.scenario.length() != length {
            warnings.push(format!(
                "`{}` is run as long as `{}`, not as it says itself{}",
                design.name,
                first.name,
                cut_off(&design.scenario, length)
            ));
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
            let what = what_grows(&result.steady_state);
            warnings.push(format!(
                "`{}` does not come to rest: its {what} with the time that is simulated",
                design.name
            ));
        }
    }
    if results[0].trials < 2 {
        warnings.push("one trial gives no interval: --trials 10".into());
    }
    warnings
}
/// What grows with the time that is simulated.
fn what_grows(state: &SteadyState) -> &'static str {
    match state {
        state if state.lag_growth.is_some() => "lag grows",
        state if state.is_backlog => "backlog grows",
        _ => "response times grow",
    }
}
