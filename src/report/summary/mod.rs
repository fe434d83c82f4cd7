//! The summary in the terminal: the verdict first, then what users saw, what the boxes did, and the reasons.

mod boxes;
mod data;
mod gauges;
mod requests;
mod timeline;

use super::chart::plot::Table;
use super::number::{estimate, number, seconds, share, time_beside, time_ms};
use super::text::{bad, bold, dim, good, paragraph, unsure};
use crate::experiment::collapse::{Collapse, World};
use crate::experiment::finding::Attempt;
use crate::experiment::result::{Answer, Figure, Precision, RunResult, Verdict};
use crate::experiment::result::{ByWorld, InWorld};

/// The whole summary, at most a hundred columns wide.
#[must_use]
pub fn text(result: &RunResult) -> String {
    let mut out = heading(result);
    for section in [
        verdicts(result),
        checks(result),
        requests::section(result),
        boxes::section(result),
        boxes::theory(result),
        gauges::section(result),
        data::section(result),
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
        out.push_str(&format!("{}\n", unsure("incomplete: the figures cover only the part that ran")));
    }
    out
}

fn verdicts(result: &RunResult) -> String {
    let mut out = String::new();
    if let Some(collapse) = result.collapse.as_ref().filter(|collapse| collapse.of > 0) {
        out.push_str(&paragraph(&format!("{}  ", bad("collapse")), &self::collapse(collapse)));
    } else if !result.steady_state.reached {
        out.push_str(&format!("{}  {}\n", bad("no steady state"), growth(result)));
    }
    out.push_str(&judged(&result.expect, ["holds    ", "FAILS    ", "not shown"]));
    if let Some(precision) = &result.precision {
        let word = if precision.reached { good("precise  ") } else { unsure("imprecise") };
        out.push_str(&format!("{word}  {}\n", self::precision(precision)));
    }
    out
}

/// The verdicts on the tests of the simulator, where they were asked for.
fn checks(result: &RunResult) -> String {
    judged(&result.checks, CHECKED)
}

/// That a test of the simulator holds, fails, and is not shown.
const CHECKED: [&str; 3] = ["as expected    ", "NOT AS EXPECTED", "not shown      "];

/// The verdicts on the tests of the simulator that are not as expected, a line each; empty if all are.
#[must_use]
pub fn unexpected(result: &RunResult) -> String {
    let unexpected = result.checks.iter().filter(|verdict| verdict.verdict != Answer::Holds).cloned();
    judged(&unexpected.collect::<Vec<_>>(), CHECKED)
}

/// A line for each verdict. `words` say that it holds, that it fails and that it is not shown.
fn judged(verdicts: &[Verdict], words: [&'static str; 3]) -> String {
    let width = verdicts.iter().map(|verdict| verdict.demand().chars().count()).max().unwrap_or(0);
    let one = |verdict: &Verdict| {
        let (word, paint): (&str, fn(&str) -> String) = match verdict.verdict {
            Answer::Holds => (words[0], good),
            Answer::Fails => (words[1], bad),
            Answer::NotShown => (words[2], unsure),
        };
        let near = verdict.near.as_ref().map_or(String::new(), |near| format!(" ({near})"));
        let line = format!("{word}  {:width$}  ", verdict.demand());
        paragraph(&line, &format!("{}{near}", measured(verdict))).replacen(word, &paint(word), 1)
    };
    verdicts.iter().map(one).collect()
}

/// The requests as a table.
pub(super) fn requests_table(result: &RunResult) -> Table {
    Table::new(requests::HEADER, requests::rows(result))
}

/// The requests of each world as a table with its name; none where all trials are alike.
pub(super) fn worlds_tables(result: &RunResult) -> Vec<(&'static str, Table)> {
    let table = |world| Table::new(requests::HEADER, requests::world_rows(world));
    result
        .worlds
        .iter()
        .flat_map(|worlds| {
            [
                ("Requests where the service came back", table(&worlds.recovered)),
                ("Requests where it did not", table(&worlds.collapsed)),
            ]
        })
        .collect()
}

/// The boxes as a table.
pub(super) fn boxes_table(result: &RunResult) -> Table {
    Table::new(boxes::header(result), boxes::rows(result))
}

/// What each kind of box counts and measures for itself, as a table.
pub(super) fn gauges_table(result: &RunResult) -> Table {
    Table::new(gauges::HEADER, gauges::rows(result))
}

/// The comparison of theory and measurement as a table.
pub(super) fn theory_table(result: &RunResult) -> Table {
    Table::new(boxes::THEORY, boxes::theory_rows(result))
}

/// How often the service did not come back, and what users of each of the two worlds had.
pub(super) fn collapse(collapse: &Collapse) -> String {
    let Collapse { trials, of, low, high, .. } = collapse;
    let probability = f64::from(*of) / f64::from(*trials);
    let often = format!(
        "{of} of {trials} trials: {}, 95 % interval {} to {}",
        share(probability, None),
        share(*low, None),
        share(*high, None)
    );
    let world = |world: &Option<World>, who: String| {
        world.map(|World { available_min, available_max }| {
            let [low, high] = [available_min, available_max].map(|one| share(one, None));
            let ends = if low == high { low } else { format!("{low} to {high}") };
            format!("{who}: {ends} available afterwards")
        })
    };
    let worlds = [
        world(&collapse.recovered, format!("the other {}", trials - of)),
        world(&collapse.collapsed, format!("the {of}")),
    ];
    [often].into_iter().chain(worlds.into_iter().flatten()).collect::<Vec<_>>().join("; ")
}

pub(super) fn growth(result: &RunResult) -> String {
    let steady = &result.steady_state;
    if let (Some(growth), Some(database)) = (steady.lag_growth, &steady.component) {
        return format!("the lag of {database} grows by {} s every second", number(growth));
    }
    let what = steady.component.as_ref().map_or("the number of requests under way".to_owned(), |component| {
        format!("the queue at {component}")
    });
    if let (true, Some(queue), Some(growth)) = (steady.is_backlog, &steady.component, steady.growth_per_s) {
        return format!("the queue {queue} grows by {} messages a second", number(growth));
    }
    match steady.growth_per_s {
        Some(growth) => format!("{what} grows by {} a second", number(growth)),
        None => format!("{what} grows"),
    }
}

/// The measured value with its interval, or that of each world, and the option that would decide a verdict.
pub(super) fn measured(verdict: &Verdict) -> String {
    let value = match (&verdict.by_world, verdict.value) {
        (Some(worlds), _) => in_both(verdict, worlds),
        (None, Some(value)) => beside(verdict, value, verdict.half_width),
        (None, None) => return verdict.reason.clone().unwrap_or_else(|| "not measured".into()),
    };
    match (&verdict.reason, verdict.trials_needed) {
        (Some(reason), _) => format!("{value}; {reason}"),
        (None, Some(trials)) => format!("{value}; about {trials} trials would show it: --trials {trials}"),
        (None, None) => value,
    }
}

/// A value of a verdict with its interval, in the unit of its bound.
fn beside(verdict: &Verdict, value: f64, half_width: Option<f64>) -> String {
    match verdict.unit {
        "s" => time_beside(unit_of_bound(verdict), value, half_width),
        "share" => share(value, half_width),
        "per_s" => estimate(value, half_width) + "/s",
        "usd" => format!("USD {}", estimate(value, half_width)),
        _ => estimate(value, half_width),
    }
}

/// What was measured in each world, and what that means for the goal there.
fn in_both(verdict: &Verdict, worlds: &ByWorld) -> String {
    let one = |world: &InWorld, which: &str| {
        let value = world
            .value
            .map_or("nothing measured".to_owned(), |value| beside(verdict, value, world.half_width));
        let word = match world.verdict {
            Answer::Holds => "holds",
            Answer::Fails => "fails",
            Answer::NotShown => "not shown",
        };
        let plural = if world.trials == 1 { "" } else { "s" };
        format!("{value} in the {} trial{plural} {which} ({word})", world.trials)
    };
    let back = one(&worlds.recovered, "that came back");
    format!("{back}, {}", one(&worlds.collapsed, "that did not"))
}

/// The unit in which the bound of a verdict is written: "ms" of `p99(response) < 300ms`.
fn unit_of_bound(verdict: &Verdict) -> &str {
    let text = verdict.near.as_deref().unwrap_or(&verdict.that).trim_end();
    text.rsplit(|letter: char| !letter.is_alphabetic()).next().unwrap_or_default()
}

pub(super) fn precision(precision: &Precision) -> String {
    let achieved = precision.achieved.map_or("no interval".to_owned(), |achieved| share(achieved, None));
    format!("mean response within {achieved}, asked for {}", share(precision.target, None))
}

fn reasons(result: &RunResult) -> String {
    let why = result.why.iter().map(|reason| paragraph("why:  ", &reason.text()));
    let next = result.next.iter().map(|command| paragraph("next: ", command));
    why.chain(tried(&result.tried, result.metrics.response_ms.p99.mean)).chain(next).collect()
}

/// What was tried, one line each; `before_ms` is the 99th percentile of the response times before, in ms.
pub(super) fn tried(all: &[Attempt], before_ms: Option<f64>) -> Vec<String> {
    all.iter().map(|attempt| paragraph("tried: ", &attempt_text(attempt, before_ms))).collect()
}

fn attempt_text(attempt: &Attempt, before_ms: Option<f64>) -> String {
    let changes: Vec<String> =
        attempt.changes.iter().map(|change| format!("{}={}", change.key, change.value)).collect();
    let p99 = match (before_ms, attempt.p99_ms) {
        (Some(before), Some(after)) => format!(", p99 {} -> {}", time_ms(before, None), time_ms(after, None)),
        (None, Some(after)) => format!(", p99 {}", time_ms(after, None)),
        _ => String::new(),
    };
    let waits = attempt.waits_s.map_or(String::new(), |waits| format!(", commits waited {}", seconds(waits)));
    let goals = match (attempt.goals_met, attempt.goals) {
        (_, 0) => String::new(),
        (met, all) if met == all => ", all goals met".to_owned(),
        (met, all) => format!(", {met} of {all} goals met"),
    };
    let back = match attempt.recovers {
        Some(true) => ", the service comes back",
        Some(false) => ", the service stays down",
        None => "",
    };
    let verdict = if attempt.helps { "" } else { "; no better" };
    format!(
        "{}: {} available{back}{p99}{waits}{goals}{verdict}",
        changes.join(" and "),
        share(attempt.available, None)
    )
}

fn warnings(result: &RunResult) -> String {
    let mark = "warning: ";
    let painted = |warning: &String| paragraph(mark, warning).replacen(mark, &unsure(mark), 1);
    result.warnings.iter().map(painted).collect()
}

/// The figure with its interval, formatted by `show`; empty if nothing was measured.
fn figure(figure: &Figure, show: impl Fn(f64, Option<f64>) -> String) -> String {
    figure.mean.map_or(String::new(), |mean| show(mean, figure.half_width))
}

/// The figure without its interval, formatted by `show`.
fn bare(of: &Figure, show: impl Fn(f64, Option<f64>) -> String) -> String {
    figure(of, |mean, _| show(mean, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::KINDS;
    use crate::experiment::result::SteadyState;
    use crate::experiment::runner::{RunOptions, Unwatched, run};
    use crate::model::spec::NoFiles;
    use crate::scenario;

    /// The result of a short run of a built-in scenario.
    fn result() -> RunResult {
        let text = include_str!("../../../scenarios/01-single-server.toml");
        let set = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let overrides = [set("run.duration", "20s"), set("run.warmup", "2s"), set("run.trials", "2")];
        let loaded = scenario::load("a.toml", text, &overrides, &NoFiles, KINDS).unwrap();
        let length = loaded.scenario.length();
        let options = RunOptions { seed: 1, trials: 0..2, jobs: 1, length };
        RunResult::new(&loaded.scenario, &options, &run(&loaded.scenario, &options, &Unwatched))
    }

    fn plain(result: &RunResult) -> String {
        anstream::adapter::strip_str(&text(result)).to_string()
    }

    /// The first line that begins with these words.
    fn line(text: &str, words: &str) -> String {
        let found = text.lines().find(|line| line.trim_start().starts_with(words));
        found.unwrap_or_else(|| panic!("no line begins with {words:?} in\n{text}")).to_owned()
    }

    #[test]
    fn sections_come_in_order_and_fit_the_width() {
        let text = plain(&result());
        let places: Vec<usize> = ["One server", "p99(response)", "requests", "boxes", "timeline"]
            .map(|words| text.find(words).unwrap())
            .into();
        assert!(places.is_sorted(), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        assert_eq!(text.lines().nth(1), Some("2 trials of 20 s after a warm-up of 2 s, seed 1"));
        assert!(line(&text, "post").contains(" ms"));
    }

    #[test]
    fn a_narrow_terminal_gets_fewer_columns_and_no_broken_number() {
        let result = result();
        for columns in [80, 60] {
            crate::report::fit(columns);
            let text = plain(&result);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}\n{text}");
            for whole in [" ok/s", "available", "mean", "agrees", "db"] {
                assert!(text.contains(whole), "{columns}: {whole} is not in\n{text}");
            }
            // A unit or the end of an interval never begins a line.
            let begins =
                |line: &str| ["±", "%", "ms", "/s"].iter().any(|unit| line.trim_start().starts_with(unit));
            assert!(!text.lines().any(begins), "{columns}\n{text}");
        }
    }

    #[test]
    fn calls_come_and_answers_leave() {
        let mut result = result();
        assert!(!boxes::header(&result).contains(&"answered/s"), "every call is answered");
        let (_, one) = &mut result.components.0[0];
        let mean = |mean: f64| Figure { mean: Some(mean), ..Figure::default() };
        (one.calls, one.throughput_rps) = (mean(400.0), mean(5.0));
        one.outcomes.rejected = mean(300.0);
        assert_eq!(boxes::header(&result)[1..3], ["calls/s", "answered/s"]);
        assert_eq!(boxes::rows(&result)[0][1..3], ["20", "5"], "400 calls come in 20 s");
    }

    #[test]
    fn without_a_steady_state_there_are_no_response_times() {
        let mut result = result();
        result.steady_state =
            SteadyState { component: Some("box".into()), growth_per_s: Some(50.0), ..not_reached() };
        let text = plain(&result);
        assert!(text.contains("no steady state  the queue at box grows by 50 a second"), "{text}");
        assert!(!line(&text, "all").contains("ms"), "{text}");
        result.steady_state =
            SteadyState { component: Some("db".into()), lag_growth: Some(0.25), ..not_reached() };
        let text = plain(&result);
        assert!(text.contains("no steady state  the lag of db grows by 0.25 s every second"), "{text}");
        assert!(line(&text, "all").contains("ms"), "no call waits for a replica: {text}");
        result.steady_state = SteadyState {
            component: Some("jobs".into()),
            growth_per_s: Some(50.0),
            is_backlog: true,
            ..not_reached()
        };
        let text = plain(&result);
        assert!(text.contains("no steady state  the queue jobs grows by 50 messages a second"), "{text}");
        assert!(line(&text, "all").contains("ms"), "no call waits for a message: {text}");
    }

    fn not_reached() -> SteadyState {
        SteadyState {
            reached: false,
            component: None,
            growth_per_s: None,
            is_backlog: false,
            lag_growth: None,
        }
    }

    #[test]
    fn verdicts_have_value_interval_and_what_would_show_more() {
        let verdict = Verdict {
            that: "availability > 99.9%".into(),
            near: None,
            window: None,
            verdict: Answer::NotShown,
            value: Some(0.9991),
            half_width: Some(0.0003),
            low: None,
            high: None,
            bound: 0.999,
            tolerance: None,
            unit: "share",
            trials_needed: Some(40),
            reason: None,
            by_world: None,
            level: None,
        };
        assert_eq!(measured(&verdict), "99.910 ± 0.030 %; about 40 trials would show it: --trials 40");
        let unknown = Verdict { value: None, reason: Some("nothing was measured".into()), ..verdict.clone() };
        assert_eq!(measured(&unknown), "nothing was measured");
        let fails = Verdict {
            that: "mean(response) < 0.2s".into(),
            window: Some("during 1min..2min".into()),
            verdict: Answer::Fails,
            unit: "s",
            value: Some(0.25),
            half_width: Some(0.01),
            trials_needed: None,
            ..verdict
        };
        let mut result = result();
        result.checks = vec![Verdict {
            that: "rto".into(),
            near: Some("9.6s ± 0.2s".into()),
            window: None,
            verdict: Answer::Holds,
            value: Some(9.623),
            half_width: Some(0.13),
            ..fails.clone()
        }];
        result.expect = vec![fails];
        result.precision = Some(Precision { target: 0.02, achieved: Some(0.031), reached: false });
        result.complete = false;
        let text = plain(&result);
        assert!(line(&text, "FAILS").ends_with("0.250 ± 0.010 s"), "{text}");
        assert!(line(&text, "FAILS").contains("mean(response) < 0.2s  during 1min..2min  "), "{text}");
        assert_eq!(line(&text, "as expected"), "as expected      rto  9.62 ± 0.13 s (9.6s ± 0.2s)");
        assert!(line(&text, "imprecise").ends_with("within 3.1 %, asked for 2 %"), "{text}");
        assert!(text.contains("incomplete"), "{text}");
    }
}
