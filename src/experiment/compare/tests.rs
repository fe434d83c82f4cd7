//! Differences that are known: none at all, one that is certain, and how much pairing is worth.

use super::super::runner::Unwatched;
use super::super::samples::{options, result, scenario, trial};
use super::*;
use crate::components::KINDS;
use crate::experiment::result::Answer;
use crate::model::signal::Outcome;
use crate::model::spec::NoFiles;
use crate::scenario::expression::{Names, parse_fail_on, parse_metrics};
use crate::scenario::load;

fn design(name: &str, scenario: Scenario) -> Design {
    Design { name: name.into(), scenario }
}

fn limit(text: &str) -> Regression {
    parse_fail_on(text, &Names::plain(&["request"], &["box"])).unwrap()
}

fn limits(fail_on: &[Regression]) -> Asked {
    Asked { fail_on: fail_on.to_vec(), ..Asked::default() }
}

fn run_two(a: &str, b: &str, trials: u32, fail_on: &[Regression]) -> CompareResult {
    let designs = [design("a", scenario(a)), design("b", scenario(b))];
    compare(&designs, &options(trials), &limits(fail_on), None, &Unwatched).unwrap()
}

#[test]
fn a_design_does_not_differ_from_itself() {
    let found = run_two("50/s", "50/s", 4, &[limit("mean(response) +5%"), limit("goodput -5%")]);
    assert!(found.paired && found.warnings.is_empty(), "{:?}", found.warnings);
    assert!(found.differences.len() >= 3);
    for one in &found.differences {
        assert_eq!(
            (one.difference.mean, one.difference.half_width),
            (Some(0.0), Some(0.0)),
            "{}",
            one.metric
        );
        assert_eq!(one.verdict, Shown::Same);
    }
    assert!(found.fail_on.iter().all(|one| one.verdict == Answer::Holds && one.change == Some(0.0)));
}

#[test]
fn the_same_customers_may_be_written_in_several_ways() {
    let designs = |other: &str| {
        let base = scenario("60/s");
        let text = base.text.replace("rate = '60/s'", other);
        let classes = "[request.request]\nshare = 7\n";
        let other = super::super::samples::from_text(&format!("{classes}{text}"));
        same_clients(&base, &other)
    };
    assert!(designs("rate = '3600/min'\ntimeout = '30s'\narrivals = { dist = 'exponential' }"));
    assert!(!designs("rate = '60/s'\ntimeout = '29s'"));
}

#[test]
fn differences_are_shown_beyond_their_intervals_only() {
    // M/M/1 with mu = 100: means of 1/50 s and 1/30 s.
    let found = run_two("50/s", "70/s", 8, &[limit("mean(response) +5%"), limit("mean(response) +300%")]);
    assert!(!found.paired && found.warnings[0].contains("other clients"));
    let mean = found.differences.iter().find(|one| one.metric == "mean(response)").unwrap();
    assert_eq!(mean.verdict, Shown::Worse);
    assert!((mean.difference.mean.unwrap() - (1.0 / 30.0 - 1.0 / 50.0)).abs() < 0.005, "{mean:?}");
    let verdicts: Vec<Answer> = found.fail_on.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Answer::Fails, Answer::Holds]);
}

#[test]
fn holm_decides_over_all_that_is_shown() {
    // Differences of 10, 12 and 14 ms: p = 0.0089 alone, and too much when seven metrics are tested.
    let results = [
        result(vec![trial(&[90, 90]), trial(&[100, 100]), trial(&[110, 110])]),
        result(vec![trial(&[100, 100]), trial(&[112, 112]), trial(&[124, 124])]),
    ];
    let designs = [design("a", scenario("5/s")), design("b", scenario("5/s"))];
    let found = CompareResult::of(&designs, &results, &limits(&[limit("mean +5%"), limit("p99 +5%")]));
    let mean = found.differences.iter().find(|one| one.metric == "mean(response)").unwrap();
    assert!((mean.difference.mean.unwrap() - 0.012).abs() < 1e-9);
    assert!(mean.p_value.unwrap() < 0.01 && mean.p_holm == mean.p_value, "one difference alone has variance");
    assert_eq!(mean.verdict, Shown::Worse);
    let throughput = found.differences.iter().find(|one| one.metric == "throughput").unwrap();
    assert_eq!(throughput.verdict, Shown::Same);
    // 112 - 1.05 x 100 = 7 on average: shown. The percentile has too little behind it.
    assert_eq!(found.fail_on[0].verdict, Answer::Fails);
    assert_eq!(found.fail_on[1].reason.as_deref(), Some("too little was measured"));
}

#[test]
fn precision_is_that_of_the_difference() {
    let designs = [design("a", scenario("50/s")), design("b", scenario("50/s"))];
    let found = compare(
        &designs,
        &options(5),
        &Asked { precision: Some(0.02), ..Asked::default() },
        None,
        &Unwatched,
    )
    .unwrap();
    let precision = found.precision.unwrap();
    assert!(precision.reached && precision.achieved == Some(0.0) && found.trials == 8, "{precision:?}");
}

#[test]
fn a_direction_makes_better_or_worse_and_a_small_difference_does_not_matter() {
    let metrics = parse_metrics("mean, throughput, goodput", &Names::plain(&["request"], &["box"])).unwrap();
    let designs = [design("a", scenario("5/s")), design("b", scenario("5/s"))];
    let verdicts = |a: [u64; 3], b: [u64; 3], tolerance: f64| {
        let results = [a, b].map(|times| result(times.map(|ms| trial(&[ms, ms])).to_vec()));
        let asked = Asked { metrics: Some(metrics.clone()), tolerance, ..Asked::default() };
        let found = CompareResult::of(&designs, &results, &asked);
        found.differences.iter().map(|one| one.verdict).collect::<Vec<_>>()
    };
    let (slow, fast) = ([1000, 1100, 1200], [990, 1090, 1190]);
    assert_eq!(verdicts(slow, fast, 0.001)[0], Shown::Better);
    assert_eq!(verdicts(fast, slow, 0.001)[0], Shown::Worse);
    assert_eq!(verdicts(fast, slow, 0.02), [Shown::Practically, Shown::Same, Shown::Same]);
    // One request a trial more: neither good nor bad for the throughput, good for the goodput.
    let good = |times: &[u64]| {
        let mut trial = trial(times);
        trial.classes[0].completed_good = trial.classes[0].completed;
        vec![trial; 3]
    };
    let more = [result(good(&[9])), result(good(&[9, 9]))];
    let asked = Asked { metrics: Some(metrics), ..Asked::default() };
    let found = CompareResult::of(&designs, &more, &asked);
    let verdicts: Vec<Shown> = found.differences.iter().map(|one| one.verdict).collect();
    assert_eq!(verdicts, [Shown::Same, Shown::More, Shown::Better]);
}

#[test]
fn customers_that_others_see_are_other_customers() {
    let base = scenario("60/s");
    let of = |text: &str| super::super::samples::from_text(text);
    let keys = of(&format!("[request.request]\nkeys = 50\n{}", base.text));
    assert!(!same_clients(&base, &keys), "the same client table over other keys");
    let far = of(&base.text.replace("client = '0ms'", "client = '90ms'"));
    assert!(same_clients(&base, &far));
    let designs = [design("near", base), design("far", far)];
    let found = compare(&designs, &options(2), &Asked::default(), None, &Unwatched).unwrap();
    assert!(
        found.warnings.iter().any(|text| text.contains("another network to its clients")),
        "{:?}",
        found.warnings
    );
}

#[test]
fn a_fault_that_the_time_of_the_baseline_cuts_off_is_named() {
    let base = scenario("50/s").text;
    let text = base.replace("duration = '10s'", "duration = '1min'");
    let warned = |faults: &str| {
        let late = super::super::samples::from_text(&format!("{text}{faults}"));
        let designs = [design("a", super::super::samples::from_text(&base)), design("b", late)];
        let found = compare(&designs, &options(2), &Asked::default(), None, &Unwatched).unwrap();
        let warning = found.warnings.iter().find(|warning| warning.contains("run as long as")).cloned();
        warning.expect("it is longer").split_once("not as it says itself").unwrap().1.to_owned()
    };
    let fault =
        |at: &str, more: &str| format!("[[fault]]\nkind = 'crash'\ntarget = 'box'\nat = '{at}'\n{more}");
    assert_eq!(warned(""), "");
    assert_eq!(warned(&fault("30s", "")), ": its fault at 30s never happens: --duration 1min");
    let all = fault("30s", "for = '1s'\n") + &fault("5s", "for = '20s'\n") + &fault("40s", "for = '1s'\n");
    let said = ": its faults at 30s and 40s never happen, and its fault at 5s does not end: --duration 1min";
    assert_eq!(warned(&all), said);
    // One that never ends is as in its own time, and one that ends in time too.
    assert_eq!(warned(&(fault("5s", "") + &fault("3s", "for = '1s'\n"))), "");
}

#[test]
fn none_against_all_is_not_too_rare_to_show() {
    let failing = |served: bool| {
        let mut trial = trial(&[100; 50]);
        if !served {
            let class = &mut trial.classes[0];
            class.outcomes.swap(Outcome::Ok as usize, Outcome::Rejected as usize);
        }
        trial
    };
    let of = |served: bool| result(vec![failing(served); 3]);
    let metrics = parse_metrics("availability", &Names::plain(&["request"], &["box"])).unwrap();
    let designs = [design("a", scenario("5/s")), design("b", scenario("5/s"))];
    let asked = Asked { metrics: Some(metrics), ..Asked::default() };
    let found = CompareResult::of(&designs, &[of(true), of(false)], &asked);
    let one = &found.differences[0];
    assert_eq!((one.baseline.mean, one.value.mean, one.verdict), (Some(1.0), Some(0.0), Shown::Worse));
}

/// A server whose workers wait for a second: 60 requests a second need 60 of them.
fn waiting(workers: u32) -> String {
    format!(
        "[run]\nduration = '20s'\n[client.u]\nrate = '60/s'\ntarget = 'web'\n[server.web]\npublic = true\ncores = 8\n\
         workers = {workers}\nsteps = [{{ wait = '1s' }}]\n[[expect]]\nthat = 'availability > 99%'\n"
    )
}

#[test]
fn what_is_advised_for_the_worst_design_is_tried_first() {
    let texts = [waiting(100), waiting(30)];
    let designs = || [0, 1].map(|at| design(["a", "b"][at], super::super::samples::from_text(&texts[at])));
    let reload = |at: usize, changes: &[(String, String)]| {
        let loaded = load("x", &texts[at], changes, &NoFiles, KINDS);
        loaded.ok().map(|loaded| loaded.scenario)
    };
    let found = |tries: bool| {
        let advice = Advice { reload: &reload, tries };
        compare(&designs(), &options(5), &Asked::default(), Some(&advice), &Unwatched).unwrap()
    };
    let (plain, tried) = (found(false), found(true));
    assert_eq!((plain.worst(), tried.worst()), (Some(1), Some(1)));
    let of = |found: &CompareResult| {
        let worst = &found.designs[1];
        (worst.tried.len(), worst.next.clone().expect("advice"))
    };
    let (none, untried) = of(&plain);
    assert!(none == 0 && untried.contains("web.workers=") && untried.contains("not tried"), "{untried}");
    let (some, next) = of(&tried);
    assert!(some > 0 && next.contains("web.workers=") && !next.contains("not tried"), "{next}");
    let best =
        tried.designs[1].tried.iter().find(|attempt| attempt.solves).expect("an attempt that solves it");
    assert!(best.available > 0.99, "{best:?}");
    assert!(tried.designs[0].tried.is_empty(), "nobody reads the advice for the better design");
}
