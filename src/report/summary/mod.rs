//! The summary in the terminal: the verdict first, then what users saw, what the boxes did, and why.

mod boxes;
mod requests;
mod timeline;

use super::number::{estimate, number, seconds, share, time_ms};
use super::text::{bad, bold, dim, good, paragraph, unsure};
use crate::experiment::result::{Answer, Figure, RunResult, Verdict};

/// The whole summary, at most a hundred columns wide.
#[must_use]
pub fn text(result: &RunResult) -> String {
    let mut out = heading(result);
    for section in [
        verdicts(result),
        requests::section(result),
        boxes::section(result),
        boxes::theory(result),
        timeline::section(result),
        reasons(result),
        warnings(result),
    ] {
        if !section.is_empty() {
            out.push('\n');
            out.push_str(&section);
        }
    }
    out
}

fn heading(result: &RunResult) -> String {
    let plural = if result.trials == 1 { "trial" } else { "trials" };
    let run = format!(
        "{} {plural} of {} after a warm-up of {}, seed {}",
        result.trials,
        seconds(result.duration_s),
        seconds(result.warmup_s),
        result.seed,
    );
    let trajectory = format!("{} events, fingerprint {}", number(result.events as f64), result.fingerprint);
    let mut out = format!("{}\n{run}\n{}\n", bold(&result.scenario.title), dim(&trajectory));
    if !result.complete {
        out.push_str(&format!("{}\n", unsure("interrupted: what follows comes from the part that was done")));
    }
    out
}

fn verdicts(result: &RunResult) -> String {
    let mut out = String::new();
    if !result.steady_state.reached {
        out.push_str(&format!("{}  {}\n", bad("no steady state"), growth(result)));
    }
    let width = result.expect.iter().map(|verdict| verdict.that.chars().count()).max().unwrap_or(0);
    for verdict in &result.expect {
        let word = match verdict.verdict {
            Answer::Holds => good("holds    "),
            Answer::Fails => bad("FAILS    "),
            Answer::NotShown => unsure("not shown"),
        };
        out.push_str(&format!("{word}  {:width$}  {}\n", verdict.that, measured(verdict)));
    }
    if let Some(precision) = &result.precision {
        out.push_str(&precision_line(precision.reached, precision.target, precision.achieved));
    }
    out
}

fn growth(result: &RunResult) -> String {
    let steady = &result.steady_state;
    let what = steady.component.as_ref().map_or("the number of requests under way".to_owned(), |component| {
        format!("the queue at {component}")
    });
    match steady.growth_per_s {
        Some(growth) => format!("{what} grows by {} a second", number(growth)),
        None => format!("{what} grows"),
    }
}

/// The value and its interval, and what would show more.
fn measured(verdict: &Verdict) -> String {
    let Some(value) = verdict.value else {
        return verdict.reason.clone().unwrap_or_else(|| "not measured".into());
    };
    let value = match verdict.unit {
        "s" => time_ms(value * 1e3, verdict.half_width.map(|half_width| half_width * 1e3)),
        "share" => share(value, verdict.half_width),
        "per_s" => estimate(value, verdict.half_width) + "/s",
        "usd" => format!("USD {}", estimate(value, verdict.half_width)),
        _ => estimate(value, verdict.half_width),
    };
    match (&verdict.reason, verdict.trials_needed) {
        (Some(reason), _) => format!("{value}; {reason}"),
        (None, Some(trials)) => format!("{value}; about {trials} trials would show it: --trials {trials}"),
        (None, None) => value,
    }
}

fn precision_line(reached: bool, target: f64, achieved: Option<f64>) -> String {
    let word = if reached { good("precise  ") } else { unsure("imprecise") };
    let achieved = achieved.map_or("no interval".to_owned(), |achieved| share(achieved, None));
    format!("{word}  mean response within {achieved}, asked for {}\n", share(target, None))
}

fn reasons(result: &RunResult) -> String {
    let why = result.why.iter().map(|reason| paragraph("why:  ", reason));
    let next = result.next.iter().map(|command| paragraph("next: ", command));
    why.chain(next).collect()
}

fn warnings(result: &RunResult) -> String {
    let mark = "warning: ";
    let painted = |warning: &String| paragraph(mark, warning).replacen(mark, &unsure(mark), 1);
    result.warnings.iter().map(painted).collect()
}

/// The figure with its interval as `show` writes it; empty when nothing was measured.
fn figure(figure: &Figure, show: impl Fn(f64, Option<f64>) -> String) -> String {
    figure.mean.map_or(String::new(), |mean| show(mean, figure.half_width))
}

/// The figure without its interval.
fn bare(of: &Figure, show: impl Fn(f64, Option<f64>) -> String) -> String {
    figure(of, |mean, _| show(mean, None))
}
