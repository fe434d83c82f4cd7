//! The ways of some requests through the boxes, for dots that move.

use outgrow::kernel::random::Seed;
use outgrow::kernel::time::{SimDuration, SimTime};
use outgrow::model::trace::{Sample, Step, Trace, What};
use outgrow::scenario::Scenario;
use outgrow::scenario::build::build;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Asked;

/// Time after the last request has begun that is simulated, so that its answers are seen.
const AFTER_S: f64 = 2.0;

/// Which requests to follow.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Follow {
    /// They begin at this time or later, in seconds since the start of the trial.
    from_s: f64,
    /// They begin before this time.
    until_s: f64,
    /// One of this number of requests.
    every: u64,
    /// The greatest number of requests.
    most: usize,
}

/// One call: where it has been, and how it ended.
struct Way<'a> {
    call: outgrow::model::signal::CallId,
    steps: Vec<(SimTime, &'a str, u8)>,
    outcome: Option<&'static str>,
}

/// The calls of the followed requests. Each has a `way`: time in ns, box, and 0 if it leaves the box or 1 if it comes in.
/// `outcome` is `null` if no answer has reached the caller.
pub(super) fn traces(scenario: &Scenario, trial: u32, follow: &Follow, asked: &Asked) -> Value {
    let seed = Seed::new(scenario.run.seed).trial(u64::from(trial));
    let mut simulation = build(scenario, seed);
    let at = |seconds: f64| SimTime::ZERO + SimDuration::from_sample_secs(seconds.max(0.0));
    let sample =
        Sample { from: at(follow.from_s), until: at(follow.until_s), every: follow.every, most: follow.most };
    simulation.follow(Trace::sample(sample));
    // The same trial, stopped earlier: its events up to there are those of the whole one.
    let share = (follow.until_s + AFTER_S) / scenario.run.length().as_secs_f64();
    simulation.run(scenario.length(), &mut |done| done >= share || asked(trial, done) != 0);
    let ways = ways(simulation.steps());
    json!({ "calls": ways.iter().map(told).collect::<Vec<_>>() })
}

fn told(way: &Way<'_>) -> Value {
    let steps: Vec<Value> =
        way.steps.iter().map(|(at, name, into)| json!([at.as_nanos(), name, into])).collect();
    json!({ "way": steps, "outcome": way.outcome })
}

/// The ways, in the order in which the calls were sent.
fn ways(steps: &[Step]) -> Vec<Way<'_>> {
    let mut ways: Vec<Way<'_>> = Vec::new();
    for step in steps {
        let Some(call) = step.call else { continue };
        let (into, outcome) = match &step.what {
            What::Send { .. } => {
                ways.push(Way { call, steps: Vec::new(), outcome: None });
                (0, None)
            }
            What::Arrive => (1, None),
            What::Leave(_) => (0, None),
            What::Receive(outcome) => (1, Some(outcome.name())),
            _ => continue,
        };
        // Ids of calls are unique over a trial. A call that is under way is among the last ones.
        if let Some(way) = ways.iter_mut().rev().find(|way| way.call == call) {
            way.steps.push((step.at, &step.component, into));
            way.outcome = outcome.or(way.outcome);
        }
    }
    ways
}
