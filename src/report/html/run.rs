//! The report of runs. For each scenario: the verdict, the reasons, the diagram, the charts and all tables.

use super::super::chart;
use super::super::chart::three;
use super::super::number::{estimate, number, seconds, share, time_ms};
use super::super::summary;
use super::diagram::{self, Way};
use super::{Block, Group, Line, Section, page};
use crate::experiment::result::{Answer, Figure, RunResult};
use crate::scenario::Scenario;

/// A scenario with the result of its run.
#[derive(Debug)]
pub struct Run<'a> {
    /// The scenario that was simulated.
    pub scenario: &'a Scenario,
    /// Its result.
    pub result: &'a RunResult,
    /// The command that gives the same result again, byte for byte.
    pub command: String,
}

/// The page of all runs.
#[must_use]
pub fn runs(runs: &[Run<'_>]) -> String {
    let title = match runs {
        [one] => one.result.scenario.title.clone(),
        _ => format!("{} scenarios", runs.len()),
    };
    let about = runs.iter().map(about).collect();
    let groups = runs.iter().enumerate().map(|(index, run)| group(index, run)).collect();
    page(title, about, groups)
}

fn about(run: &Run<'_>) -> String {
    let result = run.result;
    let plural = if result.trials == 1 { "trial" } else { "trials" };
    // What is not in a chapter of the book says so in its title.
    let numbered =
        run.scenario.chapter.as_ref().filter(|chapter| chapter.starts_with(|c: char| c.is_ascii_digit()));
    let chapter = numbered.map_or(String::new(), |chapter| format!("Chapter {chapter}. "));
    format!(
        "{chapter}{} {plural} of {} after a warm-up of {}, seed {}, {} events.",
        result.trials,
        seconds(result.duration_s),
        seconds(result.warmup_s),
        result.seed,
        number(result.events as f64)
    )
}

fn group(index: usize, run: &Run<'_>) -> Group {
    let result = run.result;
    let pictures = chart::of_run(result).into_iter().map(|chart| Block::Picture(Box::new(chart))).collect();
    let mut worlds = summary::worlds_tables(result);
    if worlds.is_empty() {
        worlds.push(("Requests", summary::requests_table(result)));
    }
    let tables = [
        ("Boxes", summary::boxes_table(result)),
        ("Figures of single kinds of boxes", summary::gauges_table(result)),
        ("Theory beside measurement", summary::theory_table(result)),
    ];
    let filled = worlds.into_iter().chain(tables).filter(|(_, table)| !table.rows.is_empty());
    let tables = filled.map(|(name, table)| Block::Numbers(name.into(), table)).collect();
    let sections = [
        ("verdict", "Verdict", cards(result).into_iter().chain(verdict(result)).collect()),
        ("why", "Why", why(result)),
        ("warnings", "Warnings", sentences(&result.warnings)),
        ("diagram", "Diagram", vec![diagram_of(index, run)]),
        ("charts", "Charts", pictures),
        ("tables", "Tables", tables),
        (
            "scenario",
            "Scenario",
            vec![Block::Command(format!("The text of {}:", run.scenario.origin), run.scenario.text.clone())],
        ),
        ("again", "How to get the same again", again(run)),
    ];
    let section = |(id, title, blocks): (&str, &'static str, Vec<Block>)| Section {
        id: format!("{id}-{}", index + 1),
        title,
        blocks,
    };
    Group {
        id: format!("run-{}", index + 1),
        title: result.scenario.title.clone(),
        sections: sections.into_iter().map(section).filter(|section| !section.blocks.is_empty()).collect(),
    }
}

/// The diagram twice: for a wide page and for a phone.
fn diagram_of(index: usize, run: &Run<'_>) -> Block {
    let of = |way, name: &str| {
        diagram::svg(&run.scenario.boxes, run.result, way, &format!("{name}-{}", index + 1))
    };
    Block::Diagram(of(Way::Right, "tip"), of(Way::Down, "tip-narrow"))
}

fn sentences(all: &[String]) -> Vec<Block> {
    if all.is_empty() { Vec::new() } else { vec![Block::Sentences(all.to_vec())] }
}

/// The figures that matter most. Without a steady state, response times mean nothing.
fn cards(result: &RunResult) -> Vec<Block> {
    let metrics = &result.metrics;
    let known = |figure: &Figure, said: &dyn Fn(f64, Option<f64>) -> String| {
        figure.mean.map(|mean| said(mean, figure.half_width))
    };
    let p99 = Some(&metrics.response_ms.p99).filter(|_| result.steady_state.reached);
    let served = &metrics.availability;
    let all = [
        ("ok a second", known(&metrics.throughput_rps, &estimate)),
        ("p99", p99.and_then(|p99| known(p99, &time_ms))),
        ("errors", known(served, &|mean, half_width| share(1.0 - mean, half_width))),
        (
            "price",
            metrics
                .cost_usd_per_hour
                .mean
                .filter(|price| *price > 0.0)
                .map(|price| format!("USD {}/h", three(price))),
        ),
    ];
    let shown = all.into_iter().filter_map(|(name, value)| Some((name, value?)));
    vec![Block::Cards(shown.collect())]
}

fn verdict(result: &RunResult) -> Vec<Block> {
    let mut lines = Vec::new();
    let line = |class, word, what: &str, measured: String| Line { class, word, what: what.into(), measured };
    if !result.complete {
        lines.push(line("unsure", "incomplete", "the figures cover only the part that ran", String::new()));
    }
    if let Some(collapse) = result.collapse.as_ref().filter(|collapse| collapse.of > 0) {
        lines.push(line("bad", "collapse", &summary::collapse(collapse), String::new()));
    } else if !result.steady_state.reached {
        lines.push(line("bad", "no steady state", &summary::growth(result), String::new()));
    }
    for (verdicts, words) in [
        (&result.expect, ["holds", "fails", "not shown"]),
        (&result.checks, ["as expected", "not as expected", "not shown"]),
    ] {
        for verdict in verdicts {
            let (class, word) = match verdict.verdict {
                Answer::Holds => ("good", words[0]),
                Answer::Fails => ("bad", words[1]),
                Answer::NotShown => ("unsure", words[2]),
            };
            let near = verdict.near.as_ref().map_or(String::new(), |near| format!(" ({near})"));
            lines.push(line(class, word, &verdict.demand(), summary::measured(verdict) + &near));
        }
    }
    if let Some(precision) = &result.precision {
        let (class, word) = if precision.reached { ("good", "precise") } else { ("unsure", "imprecise") };
        lines.push(line(class, word, &summary::precision(precision), String::new()));
    }
    if lines.is_empty() {
        return vec![Block::Sentences(vec!["The scenario has no goals: no [[expect]].".into()])];
    }
    vec![Block::Verdicts(lines)]
}

fn why(result: &RunResult) -> Vec<Block> {
    let mut lines = result.reasons();
    lines.extend(one_line(&summary::tried(&result.tried, result.metrics.response_ms.p99.mean)));
    with_next(sentences(&lines), result.next.as_ref())
}

/// Paragraphs without the breaks of their lines.
pub(super) fn one_line(all: &[String]) -> impl Iterator<Item = String> {
    all.iter().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Reasons and the command that is worth running next.
pub(super) fn with_next(mut reasons: Vec<Block>, next: Option<&String>) -> Vec<Block> {
    reasons.extend(next.map(|next| Block::Command("Worth running next:".into(), next.clone())));
    reasons
}

fn again(run: &Run<'_>) -> Vec<Block> {
    let result = run.result;
    let facts = vec![
        ("scenario", result.scenario.file.clone()),
        ("SHA-256 of its text", result.scenario.sha256.clone()),
        ("seed", result.seed.to_string()),
        ("trials", result.trials.to_string()),
        ("fingerprint", result.fingerprint.clone()),
        ("version", format!("outgrow {}", result.version)),
    ];
    vec![
        Block::Command("The command that gives the same numbers:".into(), run.command.clone()),
        Block::Facts(facts),
    ]
}
