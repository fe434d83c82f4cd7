//! The simulator against measurements of real systems.

use std::fs;

use outgrow::experiment::runner::Unwatched;
use outgrow::experiment::validate::systems::{built_in, parse, run};
use outgrow::experiment::validate::{Effort, Options};
use outgrow::report::systems::{markdown, text};
use outgrow::report::validation::within;

use crate::golden::{compare, root};

/// Most measurements agree, and those that do not have a reason. `docs/validation.md` has the same table.
#[test]
fn simulation_and_real_systems_agree() {
    let measurements = built_in();
    let options = Options { seed: 1, jobs: 0, effort: Effort::Short };
    let found = run(&measurements, options, &Unwatched).expect("nobody interrupts");
    println!("{}", text(&found));
    assert_eq!(found.len(), measurements.comparisons.len());
    assert!(found.iter().filter(|one| one.agrees).count() >= 140);
    for one in found.iter().filter(|one| !one.agrees || one.is_far()) {
        assert!(one.reason.as_ref().is_some_and(|reason| reason.ends_with('.')), "{one:#?}");
    }
    let path = root().join("docs/validation.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let made = within(&page, "real", &markdown(&found)).expect("the page has its marks");
    compare(&path, &made).unwrap_or_else(|message| panic!("{message}"));

    // What docs/faults.md says of some of them.
    let faults = fs::read_to_string(root().join("docs/faults.md")).expect("the page is there");
    let (median, model) = found
        .iter()
        .find(|one| one.id == "linux-backlog-apart-p50")
        .map(|one| (one.measured, one.model.expect("some are answered")))
        .expect("it is measured");
    let medians =
        format!("came after {:.2} s there, and comes after {:.1} s here", median / 1e3, model / 1e3);
    assert!(faults.contains(&medians), "{medians}");
    let later: Vec<f64> = found
        .iter()
        .filter(|one| one.id.starts_with("linux-silence-"))
        .map(|one| 100.0 * (one.measured / one.model.expect("it comes through") - 1.0))
        .collect();
    let (least, most) = later.iter().fold((f64::MAX, 0.0f64), |(a, b), x| (a.min(*x), b.max(*x)));
    assert!(faults.contains("Twelve measurements") && later.len() == 12);
    let told = format!("is {least:.0} to {most:.0} % later");
    assert!(faults.contains(&told), "{told}");
}

#[test]
fn a_file_of_measurements_says_what_is_wrong_with_it() {
    let file = |scenario: &str, measure: &str| {
        format!(
            r#"{{ "source": "", "scenarios": {{ "s": {{ "trials": 2, "lines": [{scenario}] }} }}, "comparisons": [{{
            "id": "mine", "system": "it", "version": "1", "method": "load", "quantity": "errors", "unit": "count",
            "measured": 0, "runs": 1, "scenario": "s", "measure": "{measure}" }}] }}"#
        )
    };
    let good = r#""[client.u]", "rate = \"9/s\"", "target = \"s\"", "[server.s]", "public = true", "steps = [{ wait = \"1ms\" }]""#;
    assert!(parse(&file(good, "failed")).is_ok());
    for (text, told) in [
        (file(good, "faild"), "unknown measure `faild`"),
        (file("\"wokers = 3\"", "failed"), "the scenario of `mine` is not valid"),
        (file(good, "failed").replace("\"scenario\": \"s\"", "\"scenario\": \"t\""), "names no scenario"),
        (file(good, "failed").replace("runs", "rnus"), "unknown field `rnus`"),
    ] {
        let reason = parse(&text).expect_err(told);
        assert!(reason.contains(told), "{reason}");
    }
}
