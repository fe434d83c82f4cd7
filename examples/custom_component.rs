//! A kind of box that outgrow does not have, added without a change to its sources:
//! `cargo run --release --example custom_component`.
//!
//! A mirror forwards every call to its target. It also sends a copy of every n-th call to a second box and ignores the
//! answer. This is a way to try a new version under real load before users depend on it.
//!
//! ```text
//!                           /--- every call ------> current
//!  users --200/s--> mirror <
//!                           \--- 1 call in n -----> candidate
//! ```

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::ask::Verbs;
use outgrow::model::call::Parent;
use outgrow::model::component::{Component, Cx};
use outgrow::model::gauge::{Gauge, GaugeId};
use outgrow::model::record::{ComponentRecord, TrialRecord};
use outgrow::model::signal::{ComponentId, Signal};
use outgrow::model::site::Site;
use outgrow::model::spec::{Arrow, Demand, Kind, NoFiles, Outline, Problems, RequestClass, Spec};
use outgrow::scenario::build::build;
use outgrow::scenario::error::Diagnostics;
use outgrow::scenario::load;
use schemars::JsonSchema;
use serde::Deserialize;

const TEXT: &str = r#"
title = "A candidate under a tenth of the real load"

[run]
duration = "1min"
trials   = 1

[client.users]
rate   = "200/s"
target = "front"

[mirror.front]
target = "current"
copy   = "candidate"
every  = 10

[server.current]
cores = 2
steps = [{ cpu = "6ms" }]

[server.candidate]
steps = [{ cpu = "9ms" }]

[[expect]]
that = "copies(front) > 1000"
"#;

fn main() -> Result<(), Diagnostics> {
    println!("{}", report()?);
    Ok(())
}

/// One line with the number of calls that each of the two boxes behind the mirror received.
pub(crate) fn report() -> Result<String, Diagnostics> {
    let own = Kind::of::<MirrorSpec>("mirror", "Copies some of the calls to a box that nobody waits for.");
    let own = own.with(GAUGES);
    let kinds: Vec<Kind> = KINDS.iter().copied().chain([own]).collect();
    let scenario = load("mirror.toml", TEXT, &[], &NoFiles, &kinds)?.scenario;
    let mut simulation = build(&scenario, Seed::new(scenario.run.seed).trial(0));
    let record = simulation.run(scenario.length(), &mut |_progress| false);
    let calls = |name: &str| found(&record, name).arrived;
    let (current, candidate) = (calls("current"), calls("candidate"));
    let share = 100.0 * candidate as f64 / current as f64;
    let copies = found(&record, "front").gauges[0].1.mean();
    Ok(format!(
        "copies: {copies}; current: {current} calls; candidate: {candidate} calls, {share:.1} % of them"
    ))
}

fn found<'r>(record: &'r TrialRecord, name: &str) -> &'r ComponentRecord {
    let found = record.components.iter().find(|component| component.name == name);
    found.expect("the scenario has a box of this name")
}

/// What a mirror counts.
const GAUGES: &[Gauge] = &[Gauge::count("copies", "Calls of which a copy was sent.")];

const COPIES: GaugeId = GaugeId::of("copies", GAUGES);

/// `[mirror.NAME]`: what a scenario says about a mirror.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MirrorSpec {
    /// The box that answers; of a group, its first machine.
    target: String,
    /// The box that gets the copies; of a group, its first machine.
    copy: String,
    /// `n`, when every `n`-th call is copied.
    every: u64,
}

impl Spec for MirrorSpec {
    fn arrows(&self) -> Vec<Arrow> {
        let arrow = |key: &str, to: &String| Arrow {
            key: key.to_owned(),
            to: to.clone(),
            asks: Verbs::WORK,
            public: false,
        };
        vec![arrow("target", &self.target), arrow("copy", &self.copy)]
    }

    fn is_public(&self) -> bool {
        true
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        // Nobody waits for the answer to a copy.
        let later = vec![(self.copy.clone(), 1.0 / self.every as f64)];
        Demand { calls: vec![(self.target.clone(), 1.0)], later, ..Demand::default() }
    }

    fn check(&self, _outline: &Outline<'_>, problems: &mut Problems) {
        if self.every == 0 {
            problems.error("every", "`every` must be at least 1", "every = 1 copies all calls");
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        let (target, copy) = (site.find(&self.target), site.find(&self.copy));
        Box::new(Mirror { target, copy, every: self.every, seen: 0 })
    }
}

/// A mirror at run time. Its whole state: the two boxes that it calls, and how many calls it has seen.
struct Mirror {
    target: ComponentId,
    copy: ComponentId,
    every: u64,
    seen: u64,
}

impl Component for Mirror {
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => {
                self.seen += 1;
                // With ordinal 0 the target draws the same work for the call as it would without a mirror.
                cx.call(Parent::Call(call), self.target, 0);
                if self.seen.is_multiple_of(self.every) {
                    cx.call(Parent::None, self.copy, self.seen);
                    cx.count(COPIES);
                }
            }
            Signal::Reply(child, outcome) => {
                // A copy has no parent call, so its answer ends here.
                if let Parent::Call(call) = cx.get(child).parent {
                    cx.reply(call, outcome);
                }
            }
            Signal::Done(_) | Signal::Alarm(_) | Signal::Control(_) => {}
            Signal::Returned(..) | Signal::Passed(..) | Signal::Cancelled(_) => {}
        }
    }
}
