//! The reports of `compare`, `capacity`, `climb` and `year`.

use super::super::chart::designs::{of_capacity, of_compare};
use super::super::chart::plot::{Chart, Table};
use super::super::number::{percent, seconds};
use super::super::{
    capacity as capacity_text, climb as climb_text, compare as compare_text, year as year_text,
};
use super::run::{one_line, with_next};
use super::{Block, Group, Line, Section, page};
use crate::experiment::capacity::CapacityResult;
use crate::experiment::climb::ClimbResult;
use crate::experiment::compare::{CompareResult, Design, Regressed};
use crate::experiment::result::Answer;
use crate::experiment::year::result::YearResult;
use crate::scenario::Scenario;

/// The page of a comparison; `command` is the command that made it.
#[must_use]
pub fn compare(result: &CompareResult, designs: &[Design], command: &str) -> String {
    let names: Vec<&str> = result.designs.iter().map(|design| design.name.as_str()).collect();
    let customers =
        if result.paired { "the same customers in each" } else { "not the same customers in each" };
    let about = format!(
        "{} trials of {} after a warm-up of {}, seed {}; {customers}.",
        result.trials,
        seconds(result.duration_s),
        seconds(result.warmup_s),
        result.seed
    );
    let mut verdict: Vec<Block> = Vec::new();
    if !result.fail_on.is_empty() {
        verdict.push(Block::Verdicts(result.fail_on.iter().map(line).collect()));
    }
    verdict.push(Block::Numbers("Designs".into(), compare_text::designs(result)));
    for design in result.designs.iter().skip(1) {
        let name = format!("{} against {}", design.name, result.baseline);
        verdict.extend(sentences(&[compare_text::words::sentence(result, &design.name)]));
        verdict.push(Block::Numbers(name, compare_text::differences(result, &design.name)));
    }
    verdict.extend(compare_text::verdicts(result).map(|table| Block::Numbers("Goals".into(), table)));
    let why = result.worst().map_or(Vec::new(), |at| {
        let design = &result.designs[at];
        let mut lines: Vec<String> = design.why.iter().map(|why| format!("{}: {why}", design.name)).collect();
        lines.extend(one_line(&compare_text::tried(design)));
        with_next(sentences(&lines), design.next.as_ref())
    });
    let curves = result.curve.iter().flat_map(compare_text::curve_tables);
    let texts = designs
        .iter()
        .map(|design| Block::Command(format!("The text of {}:", design.name), design.scenario.text.clone()));
    let parts = vec![
        ("verdict", "Differences", verdict),
        ("why", "Why", why),
        ("warnings", "Warnings", sentences(&result.warnings)),
        ("charts", "Charts", pictures(of_compare(result))),
        ("tables", "Curves", curves.map(|(name, table)| Block::Numbers(name, table)).collect()),
        ("scenario", "Scenarios", texts.collect()),
        ("again", "How to get the same again", again(command, result.seed, result.version)),
    ];
    page(names.join(" against "), vec![about], vec![group(names.join(" against "), parts)])
}

/// The page of a capacity; `command` is the command that made it.
#[must_use]
pub fn capacity(result: &CapacityResult, scenario: &Scenario, command: &str) -> String {
    let about = format!(
        "The highest load with {}. Up to {} trials of {} at each load, seed {}.",
        result.slo.join(", "),
        result.trials,
        seconds(result.duration_s),
        result.seed
    );
    let text = Block::Command(format!("The text of {}:", scenario.origin), scenario.text.clone());
    let parts = vec![
        ("verdict", "Answer", vec![Block::Facts(capacity_text::facts(result))]),
        ("charts", "Charts", pictures(of_capacity(result))),
        (
            "tables",
            "Loads",
            vec![Block::Numbers("Every load that was tried".into(), capacity_text::points(result))],
        ),
        ("scenario", "Scenario", vec![text]),
        ("again", "How to get the same again", again(command, result.seed, result.version)),
    ];
    let title = format!("Capacity: {}", result.scenario.title);
    page(title.clone(), vec![about], vec![group(title, parts)])
}

/// The page of a climb, with the name and the text of each step; `command` is the command that made it.
#[must_use]
pub fn climb(result: &ClimbResult, texts: &[(&str, &str)], command: &str) -> String {
    let seed = result.steps.first().map_or(0, |step| step.capacity.seed);
    let said = climb_text::sentences(result).into_iter().chain(climb_text::losses(result));
    let said = said.map(|(name, text)| format!("{name}: {text}"));
    let texts =
        texts.iter().map(|(name, text)| Block::Command(format!("The text of {name}:"), (*text).to_owned()));
    let mut answer = vec![Block::Numbers("Steps".into(), climb_text::steps(result))];
    answer.extend(sentences(&said.collect::<Vec<_>>()));
    let parts = vec![
        ("charts", "Charts", pictures(climb_text::charts(result))),
        ("verdict", "Answer", answer),
        ("scenario", "Scenarios", texts.collect()),
        ("again", "How to get the same again", again(command, seed, result.version)),
    ];
    let title = climb_text::title(result);
    page(title.clone(), vec![climb_text::about(result)], vec![group(title, parts)])
}

/// The page of a year of some designs, with the name and the text of each; `command` is the command that made it.
#[must_use]
pub fn year(results: &[YearResult], texts: &[(&str, &str)], command: &str) -> String {
    let texts =
        texts.iter().map(|(name, text)| Block::Command(format!("The text of {name}:"), (*text).to_owned()));
    let mut answer = Vec::new();
    if results.len() > 1 {
        answer.push(Block::Numbers("Designs".into(), year_text::designs(results)));
        answer.extend(sentences(&year_text::differences(results)));
    }
    for result in results {
        let facts = year_text::facts(result)
            .into_iter()
            .chain(result.budget.iter().map(|budget| ("budget".to_owned(), year_text::spent(budget))));
        let rows = facts.map(|(name, value)| vec![name, value]).collect();
        let of = result.scenario.title.clone();
        answer.push(Block::Numbers(of.clone(), Table::new(["", ""], rows)));
        answer.push(Block::Numbers(format!("What eats it: {of}"), year_text::causes(result)));
        answer.extend(sentences(&year_text::notes(result)));
    }
    let about = year_text::about_all(results);
    let (seed, version) = results.first().map_or((0, ""), |one| (one.seed, one.version));
    let parts = vec![
        ("charts", "Charts", pictures(year_text::charts(results))),
        ("verdict", "Answer", answer),
        ("scenario", "Scenarios", texts.collect()),
        ("again", "How to get the same again", again(command, seed, version)),
    ];
    let title = year_text::title(results);
    page(title.clone(), vec![about], vec![group(title, parts)])
}

pub(super) fn group(title: String, parts: Vec<(&str, &'static str, Vec<Block>)>) -> Group {
    let filled = parts.into_iter().filter(|(_, _, blocks)| !blocks.is_empty());
    let sections = filled.map(|(id, title, blocks)| Section { id: id.to_owned(), title, blocks }).collect();
    Group { id: "all".into(), title, sections }
}

fn line(one: &Regressed) -> Line {
    let (class, word) = match one.verdict {
        Answer::Holds => ("good", "holds"),
        Answer::Fails => ("bad", "fails"),
        Answer::NotShown => ("unsure", "not shown"),
    };
    let change = one.change.map(percent);
    Line {
        class,
        word,
        what: format!("{} in {}", one.that, one.design),
        measured: change.or(one.reason.clone()).unwrap_or_default(),
    }
}

pub(super) fn sentences(all: &[String]) -> Vec<Block> {
    if all.is_empty() { Vec::new() } else { vec![Block::Sentences(all.to_vec())] }
}

pub(super) fn pictures(charts: Vec<Chart>) -> Vec<Block> {
    charts.into_iter().map(|chart| Block::Picture(Box::new(chart))).collect()
}

fn again(command: &str, seed: u64, version: &str) -> Vec<Block> {
    let facts = vec![("seed", seed.to_string()), ("version", format!("outgrow {version}"))];
    vec![Block::Command("The command:".into(), command.to_owned()), Block::Facts(facts)]
}
