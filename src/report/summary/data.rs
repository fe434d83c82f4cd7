//! The lines about replicated data in the summary: lag, stale reads, lost writes, and the outage as a bar of its
//! phases.

use super::super::number::{estimate, seconds, time_ms};
use super::super::text::bold;
use crate::experiment::data::DataResult;
use crate::experiment::result::{Figure, Happening, RunResult};

/// Width of the bar of an outage, in characters.
const BAR: f64 = 60.0;

/// The events with which a node goes away.
const DOWN: [&str; 2] = ["crash", "power off"];

/// Largest number of listed absences of nodes.
const ABSENT_MAX: usize = 3;

/// The characters that fill the phases of an outage, in order.
const SIGNS: [char; 8] = ['x', 'd', 'm', 'e', 'c', 'p', 'r', 'a'];

pub(super) fn section(result: &RunResult) -> String {
    let Some(data) = &result.metrics.data else { return String::new() };
    let mut out = format!("{} ", bold("data"));
    let lines = [
        Some(format!("lag: longest {}, of nodes that are up", with(&data.lag_ms_max, time_ms))),
        absent(result),
        stale(data),
        some("reads that missed the user's own write", &data.read_your_writes_violations),
        Some(format!("lost writes: {}", with(&data.lost_writes, estimate))),
        some("writes replayed", &data.replayed_writes),
        some("writes in conflict", &data.conflicting_writes),
        some("writes discarded", &data.discarded_writes),
        data.rpo_s.as_ref().map(|rpo| format!("RPO: writes of {} lost", in_time(rpo))),
        data.rto_s.as_ref().map(|rto| format!("RTO: no write for {}{}", in_time(rto), of_several(data))),
        bar(data),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    out.push_str(&lines.join("\n     "));
    out.push('\n');
    out
}

/// The share of stale reads. It is unknown where requests have no `keys`, and undefined if nothing was read.
fn stale(data: &DataResult) -> Option<String> {
    let share = &data.stale_read_share;
    if share.trials.is_empty() {
        return Some("stale reads: not known without `keys` of a class of requests".into());
    }
    share.mean.map(|_| format!("stale reads: {} of the reads", with(share, super::super::number::share)))
}

/// The nodes that went down in the first trial, and for how long; they have no lag in that time.
fn absent(result: &RunResult) -> Option<String> {
    let is_node = |name: &str| {
        let one = result.components.get(name)?;
        Some(result.components.iter().any(|(_, other)| {
            other.group == one.group && other.gauges.iter().any(|(_, own)| own.gauge.name == "lag")
        }))
    };
    let begins = |happening: &&Happening| {
        DOWN.contains(&&*happening.event) && is_node(&happening.component) == Some(true)
    };
    let all = &result.timeline;
    let one = |happening: &Happening| {
        let name = &happening.component;
        let is_end = |later: &&Happening| {
            later.t_s > happening.t_s && later.component == *name && later.event == "recover"
        };
        match all.iter().find(is_end) {
            Some(end) => {
                format!("{name} was down for {}", seconds(((end.t_s - happening.t_s) * 10.0).round() / 10.0))
            }
            None => format!("{name} was down to the end"),
        }
    };
    let down: Vec<String> = all.iter().filter(begins).map(one).collect();
    let (first, rest) = down.split_at(down.len().min(ABSENT_MAX));
    let more = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
    (!first.is_empty()).then(|| first.join(", ") + &more)
}

fn with(figure: &Figure, print: fn(f64, Option<f64>) -> String) -> String {
    figure.mean.map_or("-".into(), |mean| print(mean, figure.half_width))
}

fn in_time(seconds: &Figure) -> String {
    with(&seconds.scaled(1e3), time_ms)
}

/// A count per trial; `None` if it is zero.
fn some(what: &str, figure: &Figure) -> Option<String> {
    figure.mean.filter(|mean| *mean > 0.0)?;
    Some(format!("{what}: {}", with(figure, estimate)))
}

/// Says of how many outages the longest one is told; empty if there is one in a trial.
fn of_several(data: &DataResult) -> String {
    match data.outages.mean {
        Some(outages) if outages > 1.0 => format!(", the longest of {} outages", estimate(outages, None)),
        _ => String::new(),
    }
}

/// The mean of the longest outages as a bar; each phase is as wide as its share of the time.
fn bar(data: &DataResult) -> Option<String> {
    let parts: Vec<(&str, f64)> =
        data.outage_s.as_ref()?.iter().map(|(name, figure)| (name, figure.mean.unwrap_or(0.0))).collect();
    let whole: f64 = parts.iter().map(|(_, mean)| mean).sum();
    if whole <= 0.0 {
        return None;
    }
    let mut bar = String::new();
    let mut legend = Vec::new();
    for ((name, mean), sign) in parts.iter().zip(SIGNS) {
        bar.extend(std::iter::repeat_n(sign, (mean / whole * BAR).round() as usize));
        if *mean > 0.0 {
            legend.push(format!("{} {}", name.replace('_', " "), time_ms(mean * 1e3, None)));
        }
    }
    Some(format!("outage: {bar}\n             {}", legend.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::result::Named;

    #[test]
    fn an_outage_is_a_bar_of_its_parts() {
        let figure = |mean: f64| Figure { mean: Some(mean), ..Figure::default() };
        let names = ["down", "detect", "decide", "elect", "catch_up", "promote", "reroute", "wait_for_acks"];
        let parts = names.into_iter().zip([0.0, 10.0, 0.0, 0.0, 0.0, 5.0, 5.0, 0.0]);
        let data = DataResult {
            outage_s: Some(Named(parts.map(|(name, mean)| (name.to_owned(), figure(mean))).collect())),
            ..DataResult::default()
        };
        let expected = format!(
            "outage: {}{}{}\n             detect 10 s, promote 5000 ms, reroute 5000 ms",
            "d".repeat(30),
            "p".repeat(15),
            "r".repeat(15)
        );
        assert_eq!(bar(&data), Some(expected));
    }
}
