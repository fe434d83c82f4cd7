//! Figures in the pages are recomputed. A figure stands in bold, and the comment after it, which readers do not see,
//! says where it comes from:
//!
//! ```text
//! **52.1 ± 0.1 ms**<!-- 09-primary-and-replicas mean(response) -->       what `outgrow run` says of a metric
//! **30 ± 0.1 s**<!-- 10-replica-lag users.rate=10000/s lag -->           the same with an override
//! **12 ± 1 s**<!-- 12-primary-dies /metrics/data/outage/detect_s s -->   a place in the result, and its unit
//! **691.6/s**<!-- = 2 / (2.41 * 0.0012) /s -->                           arithmetic, and its unit
//! **4887**<!-- climb 04-scale-up users -->                               a cell of the README's table of the ladder
//! ```
//!
//! `UPDATE=1 cargo it figures` writes them anew.

use std::collections::BTreeMap;
use std::fs;

use outgrow::cli::builtin;
use outgrow::components::KINDS;
use outgrow::course::formula;
use outgrow::experiment::expect::measure;
use outgrow::experiment::result::RunResult;
use outgrow::experiment::runner::{self, RunOptions, Unwatched};
use outgrow::experiment::value::Figure;
use outgrow::model::spec::NoFiles;
use outgrow::report::number::{estimate, share, time_ms};
use outgrow::scenario::expression::{Unit, parse};
use outgrow::scenario::{Scenario, load};
use serde_json::Value;

use crate::golden::{compare, root};

/// The pages with recomputed figures.
const PAGES: [&str; 4] = ["docs/chapter.md", "docs/chapter.ko.md", "docs/decide.md", "docs/expected.md"];

/// Results by scenario and overrides. Each is simulated once.
#[derive(Default)]
struct Results(BTreeMap<String, (Scenario, RunResult)>);

impl Results {
    /// The scenario, and the result of `outgrow run NAME --set ...`.
    fn of(&mut self, name: &str, overrides: &[(String, String)]) -> &(Scenario, RunResult) {
        let key = format!("{name} {overrides:?}");
        self.0.entry(key).or_insert_with(|| {
            let text = builtin::find(name).unwrap_or_else(|| panic!("there is no scenario {name}")).text;
            let loaded = load(name, text, overrides, &NoFiles, KINDS);
            let scenario = loaded.unwrap_or_else(|found| panic!("{name}: {}", found.render(false))).scenario;
            let options = RunOptions {
                seed: scenario.run.seed,
                trials: 0..scenario.run.trials,
                jobs: 0,
                length: scenario.length(),
            };
            let trials = runner::run(&scenario, &options, &Unwatched);
            let result = RunResult::new(&scenario, &options, &trials);
            (scenario, result)
        })
    }

    /// The figure with this source, as text.
    fn figure(&mut self, way: &str) -> Result<String, String> {
        if let Some(rest) = way.strip_prefix("= ") {
            let (formula, unit) = rest.rsplit_once(' ').ok_or("a formula ends with its unit")?;
            return Ok(shown(formula::value(formula, &|_| None)?, None, unit));
        }
        if let Some(cell) = way.strip_prefix("climb ") {
            return climbed(cell);
        }
        let mut words: Vec<&str> = way.split_whitespace().collect();
        let name = words.remove(0);
        let sets = words.iter().take_while(|word| word.contains('=')).count();
        let overrides: Vec<(String, String)> = words
            .drain(..sets)
            .filter_map(|word| word.split_once('='))
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        let (scenario, result) = self.of(name, &overrides);
        match words.as_slice() {
            [pointer, unit] if pointer.starts_with('/') => at(result, pointer, unit),
            metric => metric_of(scenario, result, &metric.join(" ")),
        }
    }
}

/// A cell of the ladder that stands in the README, where another test compares it with what `climb` prints: the step, and
/// the header of the column.
fn climbed(cell: &str) -> Result<String, String> {
    let (step, column) = cell.split_once(' ').ok_or("a step and a column")?;
    let page = fs::read_to_string(root().join("README.md")).expect("there is a README");
    let table = page.split("<!-- begin climb -->").nth(1).ok_or("the README has no ladder")?;
    let cells = |line: &str| -> Vec<String> {
        let parts = line.split("  ").map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let mut lines = table.lines().map(cells);
    let header = lines.find(|cells| cells.first().is_some_and(|first| first == "step"));
    let at = header.and_then(|header| header.iter().position(|name| name == column));
    let row = lines.find(|cells| cells.first().is_some_and(|first| first == step));
    let found = at.zip(row).and_then(|(at, row)| row.get(at).cloned());
    found.ok_or_else(|| format!("the ladder has no column {column} of {step}"))
}

/// The figure at a JSON pointer of the result, with its interval if it has one.
fn at(result: &RunResult, pointer: &str, unit: &str) -> Result<String, String> {
    let json = serde_json::to_value(result).expect("a result is plain JSON");
    let value = json.pointer(pointer).ok_or_else(|| format!("the result has no {pointer}"))?;
    if let Some(text) = value.as_str() {
        return Ok(text.to_owned());
    }
    let mean = value.get("mean").or(value.get("value")).unwrap_or(value);
    let mean = mean.as_f64().ok_or_else(|| format!("{pointer} is no number"))?;
    Ok(shown(mean, value.get("half_width").and_then(Value::as_f64), unit))
}

fn metric_of(scenario: &Scenario, result: &RunResult, metric: &str) -> Result<String, String> {
    let names = scenario.names();
    // An expression needs a bound in the metric's unit. Its value does not matter, so try one of each unit.
    let expectation = ["1s", "50%", "1/s", "1", "1 USD"]
        .iter()
        .find_map(|bound| parse(&format!("{metric} < {bound}"), &names).ok())
        .ok_or_else(|| format!("`{metric}` is no metric"))?;
    let Figure { mean, half_width, .. } = measure(&expectation.metric, result)?;
    let mean = mean.ok_or_else(|| format!("`{metric}` was not measured"))?;
    let unit = match expectation.metric.unit() {
        Unit::Seconds => "s",
        Unit::Share => "%",
        Unit::PerSecond => "/s",
        Unit::Count => "-",
        Unit::Usd => "USD",
    };
    Ok(shown(mean, half_width, unit))
}

/// A figure as the summary shows it; `%` takes a share, `s` seconds, `ms` milliseconds, and `-` stands for no unit.
fn shown(mean: f64, half_width: Option<f64>, unit: &str) -> String {
    match unit {
        "s" if mean.abs() >= 1.0 => format!("{} s", estimate(mean, half_width)),
        "s" => time_ms(mean * 1e3, half_width.map(|half_width| half_width * 1e3)),
        "ms" => time_ms(mean, half_width),
        "%" => share(mean, half_width),
        "-" => estimate(mean, half_width),
        "/s" => format!("{}/s", estimate(mean, half_width)),
        unit => format!("{} {unit}", estimate(mean, half_width)),
    }
}

/// The page in parts: text before a figure, and the source of the figure. The last part has no figure.
fn taken_apart(page: &str) -> Vec<(&str, Option<&str>)> {
    let mut parts = Vec::new();
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("**<!-- ") {
        let (way, after) = after.split_once(" -->").expect("a comment ends");
        let start = before.rfind("**").expect("a figure begins with two stars") + 2;
        parts.push((&before[..start], Some(way)));
        rest = after;
    }
    parts.push((rest, None));
    parts
}

/// The page with its figures computed anew.
fn recomputed(page: &str, results: &mut Results) -> String {
    let mut text = String::new();
    for (before, way) in taken_apart(page) {
        text.push_str(before);
        let Some(way) = way else { continue };
        let figure = results.figure(way).unwrap_or_else(|error| panic!("{way}: {error}"));
        text.push_str(&format!("{figure}**<!-- {way} -->"));
    }
    text
}

/// A reader of the chapter is asked first: what is measured stands in a fold, and a question stands before each fold.
#[test]
fn the_answers_of_the_chapter_stand_behind_its_questions() {
    let folds = ["docs/chapter.md", "docs/chapter.ko.md"].map(|page| {
        let text = fs::read_to_string(root().join(page)).expect("the page is there");
        let (mut is_open, mut folds, mut before) = (false, 0, "");
        for line in text.lines() {
            match line {
                "<details>" => {
                    assert!(
                        !is_open && before.ends_with("?*"),
                        "{page}: no question before the fold: {before}"
                    );
                    (is_open, folds) = (true, folds + 1);
                }
                "</details>" => is_open = false,
                _ => {
                    // A formula of what is given is no answer.
                    let measured = line.split("**<!-- ").skip(1).find(|way| !way.starts_with("= "));
                    assert!(is_open || measured.is_none(), "{page}: answered beside the question: {line}");
                }
            }
            before = if line.is_empty() { before } else { line };
        }
        assert!(!is_open, "{page}: the last fold does not end");
        folds
    });
    assert_eq!(folds, [25, 25], "a fold for each table");
}

#[test]
fn figures_in_pages_are_those_that_come_out() {
    let mut results = Results::default();
    for page in PAGES {
        let path = root().join(page);
        let known = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {error}"));
        compare(&path, &recomputed(&known, &mut results)).unwrap_or_else(|message| panic!("{message}"));
    }
}

#[test]
fn both_languages_tell_the_same_figures() {
    let ways = |page: &str| -> Vec<String> {
        let text = fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"));
        taken_apart(&text).into_iter().filter_map(|(_, way)| way.map(str::to_owned)).collect()
    };
    assert_eq!(ways(PAGES[0]), ways(PAGES[1]));
}

#[test]
fn a_wrong_figure_is_found() {
    let page = "x **7/s**<!-- = 2 / (2.41 * 0.0012) /s --> y **3**<!-- = 1 + 2 - --> z";
    let right = "x **691.6/s**<!-- = 2 / (2.41 * 0.0012) /s --> y **3**<!-- = 1 + 2 - --> z";
    assert_eq!(recomputed(page, &mut Results::default()), right);
}
