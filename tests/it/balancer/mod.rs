//! The balancer against queueing theory and published figures. Case ids are those of the validation table.

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::kernel::time::{SimDuration, SimTime};
use outgrow::model::ask::Verbs;
use outgrow::model::component::{Component, Cx};
use outgrow::model::network::Place;
use outgrow::model::record::{ComponentRecord, TrialRecord};
use outgrow::model::signal::{About, Alarm, ComponentId, Control, Order, Outcome, Signal};
use outgrow::model::simulation::{Hardware, Member};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};
use rayon::prelude::*;

mod checks;
mod faults;
mod products;
mod queues;
mod users;

/// A time in seconds, the name of a component, and what happens to it then.
type Event = (f64, &'static str, What);

/// What happens to a component.
#[derive(Clone, Copy, Debug)]
enum What {
    Control(Control),
    /// The balancer drains the target of this name.
    Drain(&'static str),
    Ready(&'static str),
}

const CRASH: What = What::Control(Control::Crash);
const HANG: What = What::Control(Control::Hang);
const RECOVER: What = What::Control(Control::Recover);

/// Sends controls to other components at given times, as the faults of a scenario do.
struct Operator {
    due: Vec<(SimDuration, ComponentId, Control)>,
}

impl Component for Operator {
    fn start(&mut self, cx: &mut Cx<'_>) {
        for (number, (after, ..)) in self.due.iter().enumerate() {
            cx.alarm(*after, 0, About::Number(number as u32));
        }
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        if let Signal::Alarm(Alarm { about: About::Number(number), .. }) = signal {
            let (_, to, control) = self.due[number as usize];
            cx.control(to, SimDuration::ZERO, control);
        }
    }
}

fn scenario(text: &str) -> Scenario {
    let loaded = load("balancer.toml", text, &[], &NoFiles, KINDS);
    loaded.unwrap_or_else(|found| panic!("{text}\n{}", found.render(false))).scenario
}

/// Runs one trial in which these events happen.
fn trial(scenario: &Scenario, seed: Seed, events: &[Event]) -> TrialRecord {
    let mut simulation = build(scenario, seed);
    // Component ids follow the order of kinds and names, and the members of a group follow each other.
    let names: Vec<String> = scenario
        .boxes
        .iter()
        .flat_map(|entry| match entry.spec.members() {
            1 => vec![entry.name.clone()],
            count => (1..=count).map(|number| format!("{}-{number}", entry.name)).collect(),
        })
        .collect();
    let find = |name: &str| {
        let index = names.iter().position(|known| known == name);
        ComponentId::new(index.unwrap_or_else(|| panic!("no {name} in {names:?}")))
    };
    let control = |what: What| match what {
        What::Control(control) => control,
        What::Drain(target) => Control::Order(Order::drain(find(target))),
        What::Ready(target) => Control::Order(Order::ready(find(target))),
    };
    let due =
        events.iter().map(|&(at, name, what)| (SimDuration::from_sample_secs(at), find(name), control(what)));
    simulation.add(Member {
        name: "operator",
        group: "operator",
        kind: "operator",
        answers: Verbs::NONE,
        gauges: &[],
        place: Place::ZONE,
        public: false,
        hardware: Hardware::None,
        component: Box::new(Operator { due: due.collect() }),
    });
    simulation.run(scenario.length(), &mut |_| false)
}

fn trials(text: &str, count: u64, events: &[Event]) -> Vec<TrialRecord> {
    let scenario = scenario(text);
    (0..count).into_par_iter().map(|index| trial(&scenario, Seed::new(1).trial(index), events)).collect()
}

fn component<'a>(record: &'a TrialRecord, name: &str) -> &'a ComponentRecord {
    record.components.iter().find(|component| component.name == name).expect(name)
}

fn count(record: &TrialRecord, name: &str, what: &str) -> u64 {
    let gauges = &component(record, name).gauges;
    let (_, reading) = gauges.iter().find(|(gauge, _)| gauge.name == what).expect(what);
    reading.mean() as u64
}

fn outcome(record: &TrialRecord, outcome: Outcome) -> u64 {
    record.classes.iter().map(|class| class.outcomes[outcome as usize]).sum()
}

/// The time of the first entry of a component and event in the timeline, in seconds.
fn noted(record: &TrialRecord, name: &str, event: &str) -> Option<f64> {
    let note = record.timeline.iter().find(|note| note.component == name && note.event == event)?;
    Some(note.at.since(SimTime::ZERO).as_secs_f64())
}

/// Number of requests that failed in the windows between two times, in seconds.
fn failed_between(record: &TrialRecord, from: f64, to: f64) -> u64 {
    let inside = |start: f64, length: f64| start >= from - 1e-9 && start + length <= to + 1e-9;
    record.windows.iter().filter(|w| inside(w.start_s, w.length_s)).map(|w| w.failed).sum()
}

/// A scenario of three servers with little work, with these keys of the balancer and of the client.
fn idle(duration: &str, balancer: &str, client: &str) -> String {
    format!(
        "[run]\nduration = '{duration}'\nwarmup = '0s'\n[client.users]\n{client}\ntarget = 'lb'\n\
         [balancer.lb]\npublic = true\ntargets = ['web']\n{balancer}\n\
         [server.web]\ncount = 3\nsteps = [{{ cpu = '1ms' }}]\n"
    )
}
