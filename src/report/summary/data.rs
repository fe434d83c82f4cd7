//! The lines about replicated data in the summary: lag, stale reads, lost writes, and the outage as a bar of its
//! phases.

use super::super::number::{estimate, share, time_ms};
use super::super::text::bold;
use crate::experiment::data::DataResult;
use crate::experiment::result::{Figure, RunResult};

/// Width of the bar of an outage, in characters.
const BAR: f64 = 60.0;

/// The characters that fill the phases of an outage, in order.
const SIGNS: [char; 8] = ['x', 'd', 'm', 'e', 'c', 'p', 'r', 'a'];

pub(super) fn section(result: &RunResult) -> String {
    let Some(data) = &result.metrics.data else { return String::new() };
    let mut out = format!("{} ", bold("data"));
    let lines = [
        Some(format!("lag: longest {}", with(&data.lag_ms_max, time_ms))),
        // The share is undefined if nothing was read.
        data.stale_read_share
            .mean
            .map(|_| format!("stale reads: {} of the reads", with(&data.stale_read_share, share))),
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
