//! Laws about two runs: what must not change a result, and what must change it in a known way.

use std::fmt::Debug;

use outgrow::experiment::result::RunResult;
use outgrow::experiment::runner::{self, RunOptions, Unwatched};
use outgrow::model::record::{ClassRecord, TrialRecord};

use super::generator::{Draft, Generated, Mood, generate};
use super::{broken, read, run, seeds, swarm};

/// All fields of a record, with all digits.
fn everything(record: &impl Debug) -> String {
    format!("{record:?}")
}

/// A box that nobody asks leaves all others as they are.
#[test]
fn an_idle_box_changes_nothing() {
    swarm(seeds(12), Draft::ALL, |generated| {
        let alone = run(&read(&generated.text, &generated.trace));
        // No fault happens in this region.
        let region = if generated.text.contains("regions = ") { "region = \"eu-west-1\"\n" } else { "" };
        let idle = format!("{}\n[server.idle]\n{region}steps = [{{ cpu = \"1ms\" }}]\n", generated.text);
        let beside = run(&read(&idle, &generated.trace));
        assert_eq!((alone.fingerprint, alone.events), (beside.fingerprint, beside.events), "the trajectory");
        assert!(everything(&alone.classes) == everything(&beside.classes), "the requests differ");
        for component in &alone.components {
            let same = beside.components.iter().find(|other| other.name == component.name);
            assert!(everything(&Some(component)) == everything(&same), "{} differs", component.name);
        }
    });
}

/// The number of threads changes no byte of a result.
#[test]
fn jobs_change_nothing() {
    swarm(seeds(6), Draft::ALL, |generated| {
        let scenario = read(&generated.text, &generated.trace);
        let [one, two] = [1, 2].map(|jobs| {
            let seed = scenario.run.seed;
            let options =
                RunOptions { seed, trials: 0..scenario.run.trials, jobs, length: scenario.length() };
            let records = runner::run(&scenario, &options, &Unwatched);
            outgrow::report::json::one(&RunResult::new(&scenario, &options, &records))
        });
        assert!(one == two, "the results differ");
    });
}

/// What a request came to, by class: counts, and the times of answered and of ended requests in nanoseconds.
fn ends(record: &TrialRecord) -> Vec<(u64, Vec<u64>, u64, u64, u64)> {
    let of = |class: &ClassRecord| {
        (
            class.issued,
            class.outcomes.to_vec(),
            class.attempts,
            class.ok.sum() as u64,
            class.ended.sum() as u64,
        )
    };
    record.classes.iter().map(of).collect()
}

/// Time has no unit of its own: with all times doubled and all rates halved, everything takes twice as long, and nothing
/// else changes.
///
/// Times are rounded to nanoseconds, before and after the doubling. So two events can change places, if they are a few
/// nanoseconds apart. The law allows this in one scenario of twenty, and leaves out the mood of ties: `determinism`
/// has a scenario of constant times that doubles exactly.
#[test]
fn a_stretched_scenario_takes_twice_as_long() {
    let usual = Draft { stretch: 1, timeless: true };
    let stretched = Draft { stretch: 2, ..usual };
    let (mut all, mut changed) = (0_u64, Vec::new());
    for mood in Mood::ALL.into_iter().filter(|mood| *mood != Mood::Ties) {
        for seed in seeds(10) {
            let [once, twice] = [usual, stretched].map(|draft| generate(seed, mood, draft));
            all += 1;
            changed.extend(
                broken(|| compare(&once, &twice))
                    .map(|why| format!("seed {seed}, {mood:?}: {why}\n\n{}", once.text)),
            );
        }
    }
    let shown = changed.iter().take(5).cloned().collect::<Vec<_>>().join("\n----\n");
    assert!(changed.len() as u64 * 20 <= all, "{} of {all} scenarios\n{shown}", changed.len());
}

fn compare(once: &Generated, twice: &Generated) {
    let [once, twice] = [once, twice].map(|generated| run(&read(&generated.text, &generated.trace)));
    for (one, two) in ends(&once).iter().zip(&ends(&twice)) {
        assert_eq!((one.0, &one.1, one.2), (two.0, &two.1, two.2), "issued, outcomes, tries");
        let near = |one: u64, two: u64| (2.0 * one as f64 - two as f64).abs() <= 1e-6 * two as f64 + 1e5;
        assert!(near(one.3, two.3) && near(one.4, two.4), "times {one:?}, stretched {two:?}");
    }
}
