//! The timeline in the summary: sparklines over the time of a trial, with marks at events.

use super::super::number::{moments, number, seconds, time_ms};
use super::super::sparkline::sparkline;
use super::super::text::{bold, width};
use crate::experiment::result::{Happening, RunResult};

/// Most characters of a sparkline.
const COLUMNS: usize = 60;

/// Characters of the label and of the scale beside it.
const BESIDE: usize = 30;

/// Characters of a sparkline.
fn columns() -> usize {
    width().saturating_sub(BESIDE).min(COLUMNS)
}

/// Largest number of listed events: a flapping box has pages of them.
const HAPPENINGS_MAX: usize = 8;

pub(super) fn section(result: &RunResult) -> String {
    let span = result.warmup_s + result.duration_s;
    let mut out = format!("{} over {}, warm-up included\n", bold("timeline"), seconds(span));
    let rate = |value: f64| format!("{}/s", number(value));
    let time = |value: f64| time_ms(value, None);
    let mut lines = 0;
    for (label, name, show) in [
        ("ok/s", "throughput_rps", &rate as &dyn Fn(f64) -> String),
        ("errors/s", "errors_rps", &rate),
        ("p99", "p99_ms", &time),
    ] {
        let Some(values) = column(result, name) else { continue };
        let highest = values.iter().copied().fold(0.0, f64::max);
        if highest == 0.0 {
            continue;
        }
        out.push_str(&format!(" {label:9} {}  up to {}\n", sparkline(&values, columns()), show(highest)));
        lines += 1;
    }
    if lines == 0 {
        return String::new();
    }
    out.push_str(&happenings(&result.timeline, span));
    out
}

fn column(result: &RunResult, name: &str) -> Option<Vec<f64>> {
    Some(result.series.column(name)?.map(|value| value.unwrap_or(0.0)).collect())
}

fn happenings(happenings: &[Happening], span: f64) -> String {
    if happenings.is_empty() || span <= 0.0 {
        return String::new();
    }
    let mut marks = vec![' '; columns()];
    for happening in happenings {
        let at = (happening.t_s / span * columns() as f64) as usize;
        marks[at.min(columns() - 1)] = '^';
    }
    let marks: String = marks.into_iter().collect();
    let mut out = format!(" {:9} {}\n", "", marks.trim_end());
    let times: Vec<f64> = happenings.iter().take(HAPPENINGS_MAX).map(|happening| happening.t_s).collect();
    for (Happening { component, event, .. }, at) in happenings.iter().zip(moments(&times)) {
        out.push_str(&format!(" {at:>9} {component}: {event}\n"));
    }
    if let Some(more) = happenings.len().checked_sub(HAPPENINGS_MAX).filter(|more| *more > 0) {
        out.push_str(&format!(" {:9} and {more} more\n", ""));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_where_it_happened() {
        let crash = |t_s: f64| Happening { t_s, component: "db".into(), event: "crash".into() };
        let text = happenings(&[crash(30.0), crash(59.99)], 60.0);
        let marks: Vec<usize> = text.lines().next().unwrap().match_indices('^').map(|(at, _)| at).collect();
        assert_eq!(marks, [11 + 30, 11 + 59]);
        assert!(text.contains("30 s db: crash\n"));
        let many = happenings(&vec![crash(1.0); 20], 60.0);
        assert!(many.ends_with("and 12 more\n"));
    }
}
