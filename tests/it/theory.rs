//! The simulator against cases with known answers, as in `outgrow validate`. `-- --nocapture` prints the measured
//! values.

mod closed_forms;
mod expected;
mod systems;

use std::collections::BTreeSet;
use std::fs;

use outgrow::experiment::runner::Unwatched;
use outgrow::experiment::validate::coverage::{Coverage, Studied, Study, of_system, paired};
use outgrow::experiment::validate::{Case, Effort, Held, Options, Validation, Verdict, built_in, parse, run};
use outgrow::report::validation::{coverage_markdown, markdown, text, within};

use crate::golden::{compare, root};

fn validated(cases: &[Case]) -> Validation {
    run(cases, Options { seed: 1, jobs: 0, effort: Effort::Short }, &Unwatched)
}

/// Every value of every shipped case is measured and agrees, or there is a reason why it is not measured.
/// `docs/validation.md` has the same table.
#[test]
fn simulation_and_theory_agree() {
    let cases = built_in();
    let found = validated(&cases);
    println!("{}", text(&found));
    let wrong: Vec<_> = found.values.iter().filter(|row| row.verdict != Verdict::Agrees).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let strict: BTreeSet<&str> = found
        .values
        .iter()
        .filter(|row| row.held == Held::ZAndDifference)
        .map(|row| row.case.as_str())
        .collect();
    assert!(strict.len() >= 30, "too few cases have samples large enough: {strict:?}");
    for case in &cases {
        let is_whole =
            found.not_expressed.iter().any(|not| not.case == case.id) || found.long.contains(&case.id);
        for (key, _) in case.expected.iter().chain(&case.at_most) {
            let measured = found.values.iter().any(|row| row.case == case.id && row.value == *key);
            let excused =
                found.not_measured.iter().any(|not| not.case == case.id && not.value.as_ref() == Some(key));
            assert!(is_whole || measured != excused, "{}: {key} is measured or excused", case.id);
        }
    }
    let path = root().join("docs/validation.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let made = within(&page, "cases", &markdown(&found)).expect("the page has its marks");
    compare(&path, &made).unwrap_or_else(|message| panic!("{message}"));
}

/// The study that `outgrow validate --coverage --json data/validation/coverage.json` wrote.
fn studied() -> Studied {
    let text = fs::read_to_string(root().join("data/validation/coverage.json")).expect("the study is there");
    serde_json::from_str(&text).expect("a study")
}

#[test]
fn the_page_tells_what_the_study_of_the_intervals_has_shown() {
    let found = studied();
    assert!(found.complete && found.holds() && found.repetitions == 500, "{found:#?}");
    let bounds: BTreeSet<(String, u64, u64)> = found
        .intervals
        .iter()
        .map(|one| {
            let mille = |share: f64| (share * 1000.0).round() as u64;
            (format!("{}: {}", one.system, one.of), mille(one.low), mille(one.high))
        })
        .collect();
    for system in ["M/M/1, 0.5", "M/M/1, 0.8", "M/M/4, 0.8", "M/M/4-PS, 0.8"] {
        assert!(bounds.contains(&(format!("{system}: mean response"), 916, 984)), "{system}: {bounds:?}");
        assert!(bounds.contains(&(format!("{system}: p99 response"), 880, 980)), "{system}: {bounds:?}");
    }
    assert!(bounds.contains(&("M/M/4 - M/M/5: paired difference".to_owned(), 916, 984)), "{bounds:?}");
    let path = root().join("docs/validation.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let made = within(&page, "coverage", &coverage_markdown(&found)).expect("the page has its marks");
    compare(&path, &made).unwrap_or_else(|message| panic!("{message}"));
}

/// Runs the first repetitions of the study again: the same intervals must miss the truth.
#[test]
fn the_study_of_the_intervals_is_that_of_this_program() {
    let known = studied();
    let study = |repetitions| Study { seed: known.seed, repetitions, jobs: 0, requests: known.requests };
    let check = |found: Vec<Coverage>, repetitions: u32| {
        for one in &found {
            let same = |other: &&Coverage| (&one.system, &one.of) == (&other.system, &other.of);
            let other = known.intervals.iter().find(same).unwrap_or_else(|| panic!("{one:?} is not there"));
            let first: Vec<u32> = other.missed.iter().copied().filter(|at| *at < repetitions).collect();
            assert_eq!(one.missed, first, "{} {}", one.system, one.of);
            let share = 1.0 - other.missed.len() as f64 / f64::from(known.repetitions);
            assert!((other.measured - share).abs() < 1e-9, "{other:?}");
            assert!(one.holds && (one.half_width / other.half_width - 1.0).abs() < 0.2, "{one:?} {other:?}");
        }
        found.iter().map(|one| one.missed.len()).sum::<usize>()
    };
    let missed = check(of_system(study(40), "M/M/1, 0.8", 1, &Unwatched), 40)
        + check(paired(study(15), 4, &Unwatched), 15);
    assert!(missed > 0, "some intervals must miss, or this compares nothing");
}

fn one(params: &str, expected: &str) -> Validation {
    let text = format!(r#"[{{ "id": "mine", "params": {params}, "expected": {expected} }}]"#);
    validated(&parse(&text).unwrap_or_else(|reason| panic!("{reason}")).0)
}

#[test]
fn a_case_that_was_never_seen_is_expressed_by_its_parameters() {
    // M/E3/1 at 0.6: Pollaczek and Khinchine.
    let params = r#"{ "arrival_rate": 60, "service": "erlang", "k": 3, "service_mean": 0.01, "servers": 1 }"#;
    let wait = 0.6 * 0.01 * (1.0 + 1.0 / 3.0) / (2.0 * 0.4);
    let found = one(params, &format!(r#"{{ "mean_wait": {wait}, "utilization": 0.6 }}"#));
    assert!(found.agrees() && found.values.len() == 2, "{found:#?}");
    let wrong = one(params, &format!(r#"{{ "mean_wait": {} }}"#, wait * 1.1));
    assert!(!wrong.agrees(), "a wrong answer is found");
    assert!(text(&wrong).contains("DIFFERS"));
}

#[test]
fn what_cannot_be_expressed_has_its_reason() {
    for (params, reason) in [
        (r#"{ "colour": "red" }"#, "no kind of case has such parameters (colour)"),
        (r#"{ "arrival_rate": 1, "service_mean": 0.1, "colour": "red" }"#, "together with `colour`"),
        (r#"{ "arrival_rate": 1, "service_mean": 0.1, "service": "cauchy" }"#, "the law cauchy"),
        (r#"{ "arrival_rate": 1, "service_mean": 0.1, "discipline": "SRPT" }"#, "the discipline SRPT"),
        (r#"{ "arrival_rate": 1, "service_mean": -0.1 }"#, "not positive"),
        (r#"{ "arrival_rate": 1 }"#, "it has no `service_rate`"),
        (r#"{ "arrival_rates": [1, 2], "service_mean": 1, "discipline": "priority" }"#, "priorities"),
        (r#"{ "backends": 4, "policy": "pod", "d": 3, "arrival_rate": 1, "service_mean": 0.1 }"#, "among 3"),
        (r#"{ "scenario": ["[server.web]", "wokers = 3"] }"#, "unknown key `wokers`"),
    ] {
        let found = one(params, r#"{ "mean_sojourn": 1, "throughput": 1 }"#);
        let told = found.not_expressed.first().unwrap_or_else(|| panic!("{params}: {found:#?}"));
        assert!(told.reason.contains(reason), "{params}: {}", told.reason);
        assert!(found.values.is_empty() && text(&found).contains("cannot be expressed"));
    }
}
