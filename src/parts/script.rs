//! What tests of parts share: a box that follows a script, once a second, and what checks complain of.

use crate::kernel::random::Seed;
use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::call::Parent;
use crate::model::component::{Component, Cx};
use crate::model::gauge::Gauge;
use crate::model::line::Keep;
use crate::model::network::{NetworkSettings, Place};
use crate::model::quantity::Bytes;
use crate::model::signal::{About, Alarm, CallId, ComponentId, Signal};
use crate::model::simulation::{Hardware, Length, Member, Simulation};
use crate::model::spec::{Problem, Problems};
use crate::parts::hardware::Hardware as Keys;

/// Code of the alarm of each second.
pub(super) const TICK: u16 = 0;

/// Memory of the machine that the box runs on, bytes.
pub(super) const MEMORY: u64 = 100;

/// What the box shows.
pub(super) const GAUGES: &[Gauge] = &[Gauge::level("limit", "The limit of its door.")];

/// Something that happens: the second in which it does, and the code of its alarm.
pub(super) type Event = (u64, u16);

struct Script<F> {
    seconds: u64,
    act: F,
}

impl<F: FnMut(Event, &mut Cx<'_>) + Send> Component for Script<F> {
    fn start(&mut self, cx: &mut Cx<'_>) {
        for second in 0..self.seconds {
            cx.alarm(SimDuration::from_secs(second), TICK, About::Nothing);
        }
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        if let Signal::Alarm(Alarm { code, .. }) = signal {
            (self.act)((cx.now().as_nanos() / 1_000_000_000, code), cx);
        }
    }
}

/// A box that says how long it keeps connections to it, and does nothing.
struct Other(Keep);

impl Component for Other {
    fn start(&mut self, cx: &mut Cx<'_>) {
        cx.keep_connections(self.0);
    }

    fn on(&mut self, _signal: Signal, _cx: &mut Cx<'_>) {}
}

/// Runs `act` in each of a number of seconds, first at 0 s, and at each alarm that it sets.
pub(super) fn play(seconds: u64, act: impl FnMut(Event, &mut Cx<'_>) + Send + 'static) {
    run(SimDuration::ZERO, vec![Box::new(Script { seconds, act })], seconds);
}

/// The same, beside another box that is `trip` away, both ways together, and keeps connections to it.
pub(super) fn play_beside(
    keep: Keep,
    trip: SimDuration,
    seconds: u64,
    mut act: impl FnMut(u64, ComponentId, &mut Cx<'_>) + Send + 'static,
) {
    let act = move |(second, _): Event, cx: &mut Cx<'_>| act(second, ComponentId::new(1), cx);
    run(trip, vec![Box::new(Script { seconds, act }), Box::new(Other(keep))], seconds);
}

/// Runs boxes, each on a machine of its own.
fn run(trip: SimDuration, boxes: Vec<Box<dyn Component>>, seconds: u64) {
    let none = SimDuration::ZERO;
    let network = NetworkSettings { client: none, same_zone: trip, other_zone: none, jitter: 0.0 };
    let mut simulation = Simulation::new(Seed::new(1), &[], &network);
    let keys = Keys { instance: None, cores: None, memory: Some(Bytes(MEMORY)), speed: None, price: None };
    for (component, name) in boxes.into_iter().zip(["box", "other"]) {
        simulation.add(Member {
            name,
            group: name,
            kind: "box",
            answers: Verbs::WORK,
            gauges: GAUGES,
            place: Place::ZONE,
            public: false,
            hardware: Hardware::Own(&keys.machine()),
            component,
        });
    }
    simulation.run(Length { warmup: none, measured: SimDuration::from_secs(seconds) }, &mut |_| false);
}

/// A call of the box to itself.
pub(super) fn call(cx: &mut Cx<'_>) -> CallId {
    let me = cx.me();
    cx.call(Parent::Number(0), me, 0)
}

/// The keys at which a check complains.
pub(super) fn keys(check: impl FnOnce(&mut Problems)) -> Vec<String> {
    let mut problems = Problems::default();
    check(&mut problems);
    problems.items.into_iter().map(|problem| problem.key).collect()
}

/// What it says there.
pub(super) fn words(check: impl FnOnce(&mut Problems)) -> String {
    let mut problems = Problems::default();
    check(&mut problems);
    let said = |problem: Problem| problem.message + "; " + &problem.help.unwrap_or_default();
    problems.items.into_iter().map(said).collect()
}
