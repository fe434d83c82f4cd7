//! Theory: the simulator against cases whose answers are known, as `outgrow validate` holds it. `-- --nocapture` prints
//! what was measured.

mod closed_forms;
mod expected;

use std::collections::BTreeSet;
use std::fs;

use outgrow::experiment::runner::Unwatched;
use outgrow::experiment::validate::{Case, Effort, Held, Options, Validation, Verdict, built_in, parse, run};
use outgrow::report::validation::{markdown, text, within};

use crate::golden::{compare, root};

fn validated(cases: &[Case]) -> Validation {
    run(cases, Options { seed: 1, jobs: 0, effort: Effort::Short }, &Unwatched)
}

/// Every case that ships is measured and agrees, or has its reason why not; so has every value of a case that is
/// measured. `docs/validation.md` says the same.
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
    assert!(
        !page.contains("**MISSES**") && page.contains("| M/M/4 - M/M/5 |"),
        "the study stands on the page"
    );
}

fn one(params: &str, expected: &str) -> Validation {
    let text = format!(r#"[{{ "id": "mine", "params": {params}, "expected": {expected} }}]"#);
    validated(&parse(&text).unwrap_or_else(|reason| panic!("{reason}")))
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
