//! What tests of parts share: a box that follows a script, once a second, and what checks complain of.

use crate::kernel::random::Seed;
use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::call::Parent;
use crate::model::component::{Component, Cx};
use crate::model::gauge::Gauge;
use crate::model::network::{NetworkSettings, Place};
use crate::model::quantity::Bytes;
use crate::model::signal::{About, Alarm, CallId, Signal};
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

/// Runs `act` in each of a number of seconds, first at 0 s, and at each alarm that it sets.
pub(super) fn play(seconds: u64, act: impl FnMut(Event, &mut Cx<'_>) + Send + 'static) {
    let none = SimDuration::ZERO;
    let network = NetworkSettings { client: none, same_zone: none, other_zone: none, jitter: 0.0 };
    let mut simulation = Simulation::new(Seed::new(1), &[], &network);
    let keys = Keys { instance: None, cores: None, memory: Some(Bytes(MEMORY)), speed: None, price: None };
    simulation.add(Member {
        name: "box",
        group: "box",
        kind: "box",
        answers: Verbs::WORK,
        gauges: GAUGES,
        place: Place::ZONE,
        public: false,
        hardware: Hardware::Own(&keys.machine()),
        component: Box::new(Script { seconds, act }),
    });
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
