//! `Autoscaler`: looks at a group of servers again and again, and decides how many machines it has.
//!
//! It sees what the monitoring of a cloud shows: core time, calls inside and what waits in a queue, not the requests of users. A
//! machine that boots is not in the mean. What it decides is carried out by the fleet: machines boot, are checked by balancers, and
//! are drained before they go.

mod goal;
mod rule;
mod spec;

pub use goal::{Clock, Goal, Watched};
pub use spec::{AutoscalerSpec, Way};

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::{Component, Cx};
use crate::model::fleet::Sight;
use crate::model::gauge::{Gauge, GaugeId};
use crate::model::signal::{About, Alarm, ComponentId, Control, Order, Signal};
use crate::model::site::Site;

use goal::DAY;
use rule::Rule;
use spec::LOOKS_MAX;

/// What an autoscaler counts and measures.
pub const GAUGES: &[Gauge] = &[
    Gauge::level("members", "Machines of the target that are up."),
    Gauge::count("scaled_up", "Decisions for more machines."),
    Gauge::count("scaled_down", "Decisions for fewer machines."),
    Gauge::time("react", "Time from a decision for more machines until as many are up.").less_is_better(),
];

const MEMBERS: GaugeId = GaugeId::of("members", GAUGES);
const SCALED_UP: GaugeId = GaugeId::of("scaled_up", GAUGES);
const SCALED_DOWN: GaugeId = GaugeId::of("scaled_down", GAUGES);
const REACT: GaugeId = GaugeId::of("react", GAUGES);

/// The next look is due.
const LOOK: u16 = 0;
/// The least size changes by the clock.
const CLOCK: u16 = 1;

/// An autoscaler in a simulation.
#[derive(Debug)]
struct Autoscaler {
    /// All places of the target, those that are off among them.
    members: Vec<ComponentId>,
    watched: Watched,
    every: SimDuration,
    window: SimDuration,
    rule: Rule,
    least: u32,
    schedule: Vec<(Clock, u32)>,
    /// Number of members that it wants.
    wanted: u32,
    /// Number of members that are up.
    up: u32,
    /// What it saw of each member at the last look.
    seen: Vec<Option<Sight>>,
    looked: SimTime,
    /// The metric at the last looks, since machines came or went.
    values: VecDeque<f64>,
    /// Since when it waits for more members.
    waits: Option<SimTime>,
}

impl Autoscaler {
    fn new(spec: &AutoscalerSpec, site: &Site<'_>) -> Autoscaler {
        let members = site.directory.members(&spec.target).to_vec();
        let looks =
            |time: SimDuration| (time.as_nanos() / spec.every().as_nanos()).clamp(1, LOOKS_MAX) as usize;
        let remembered = match spec.way() {
            rule::Way::Target { down_after } => looks(down_after) + 2,
            rule::Way::Step { .. } => 1,
        };
        let bounds = (spec.min(), spec.max);
        Autoscaler {
            watched: spec.metric,
            every: spec.every(),
            window: spec.window(),
            rule: Rule::new(spec.way(), spec.goal(), spec.tolerance(), bounds, remembered),
            least: spec.min(),
            schedule: spec.schedule.clone(),
            wanted: 0,
            up: 0,
            seen: vec![None; members.len()],
            looked: SimTime::ZERO,
            values: VecDeque::with_capacity(looks(spec.window()) + 1),
            waits: None,
            members,
        }
    }

    /// It begins to look, for the first time or again. What is there is what it wants.
    fn begin(&mut self, cx: &mut Cx<'_>) {
        self.wanted = cx.size_of_fleet(self.members[0]).coming;
        self.rule.begin(cx.now(), self.wanted);
        self.values.clear();
        self.see(cx);
        cx.alarm(self.every, LOOK, About::Nothing);
        self.turn_clock(cx);
        let wanted = self.rule.bounded(self.wanted);
        if wanted != self.wanted {
            self.want(wanted, cx);
        }
    }

    // The metric ----------------------------------------------------------------------------------------------------

    /// Looks at all members. Returns the metric since the last look, and the number of members that it is a mean of; `None` if
    /// none was there all the time.
    fn see(&mut self, cx: &Cx<'_>) -> Option<(f64, u32)> {
        let now = cx.now();
        let passed = now.since(self.looked).as_nanos() as f64;
        self.looked = now;
        let (mut busy, mut cores, mut inside, mut count) = (0.0, 0.0, 0.0, 0);
        for (member, seen) in self.members.iter().zip(&mut self.seen) {
            let sight = cx.look_at(*member);
            let before = std::mem::replace(seen, sight);
            let (Some(before), Some(sight)) = (before, sight) else { continue };
            busy += (sight.busy - before.busy) as f64;
            inside += (sight.inside - before.inside) as f64;
            cores += f64::from(sight.cores);
            count += 1;
        }
        if count == 0 || passed <= 0.0 {
            return None;
        }
        let backlog = cx.backlog_for(self.members[0]);
        let value = match self.watched {
            Watched::Cpu => busy / (cores * passed),
            Watched::Inside => inside / (f64::from(count) * passed),
            Watched::Backlog => backlog.waiting as f64 / f64::from(count),
            Watched::Age => backlog.oldest.map_or(0.0, |oldest| now.since(oldest).as_secs_f64()),
        };
        Some((value, count))
    }

    /// The mean of the metric over the window. Core time counts in whole per cent, as it does in Kubernetes.
    fn mean(&self) -> f64 {
        let mean = self.values.iter().sum::<f64>() / self.values.len() as f64;
        if self.watched == Watched::Cpu { (mean * 100.0 + 1e-6).floor() / 100.0 } else { mean }
    }

    fn look(&mut self, cx: &mut Cx<'_>) {
        cx.alarm(self.every, LOOK, About::Nothing);
        let mut wanted = self.rule.bounded(self.wanted);
        if let Some((value, count)) = self.see(cx) {
            let most = (self.window.as_nanos() / self.every.as_nanos()).max(1) as usize;
            if self.values.len() >= most {
                self.values.pop_front();
            }
            self.values.push_back(value);
            wanted = self.rule.decide(cx.now(), self.wanted, count, self.mean());
        }
        self.want(wanted, cx);
    }

    // The size ------------------------------------------------------------------------------------------------------

    /// Orders a number of members. Even if it is the one so far, the fleet replaces members that are dead.
    fn want(&mut self, wanted: u32, cx: &mut Cx<'_>) {
        if wanted > self.wanted {
            cx.count(SCALED_UP);
            self.waits.get_or_insert(cx.now());
        } else if wanted < self.wanted {
            cx.count(SCALED_DOWN);
        }
        self.wanted = wanted;
        if self.up >= wanted {
            self.waits = None;
        }
        cx.want_members(self.members[0], wanted);
    }

    /// The size of the fleet has changed: what was seen before is of another one.
    fn resized(&mut self, cx: &mut Cx<'_>) {
        let up = cx.size_of_fleet(self.members[0]).up;
        cx.level(MEMBERS, u64::from(up));
        if up != self.up {
            self.values.clear();
            self.see(cx);
        }
        self.up = up;
        if let Some(since) = self.waits
            && up >= self.wanted
        {
            cx.time(REACT, cx.now().since(since));
            self.waits = None;
        }
    }

    // The clock -----------------------------------------------------------------------------------------------------

    /// Sets the least size by the clock, and the timer of its next change.
    fn turn_clock(&mut self, cx: &mut Cx<'_>) {
        if self.schedule.is_empty() {
            return;
        }
        let now = cx.now().since(SimTime::ZERO).as_nanos();
        let (day, time) = (now / DAY.as_nanos(), SimDuration::from_nanos(now % DAY.as_nanos()));
        let last = self.schedule.iter().rev().find(|(clock, _)| clock.0 <= time);
        // Before the first change of the first day, nothing has been scheduled; later, what was last the day before.
        let last = last.or_else(|| self.schedule.last().filter(|_| day > 0));
        self.rule.bounds.0 = last.map_or(self.least, |(_, least)| *least);
        let next = self.schedule.iter().find(|(clock, _)| clock.0 > time).map(|(clock, _)| clock.0 - time);
        let next = next.unwrap_or(DAY - time + self.schedule[0].0.0);
        cx.alarm(next, CLOCK, About::Nothing);
    }
}

impl Component for Autoscaler {
    fn start(&mut self, _cx: &mut Cx<'_>) {}

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Alarm(Alarm { code: LOOK, .. }) => self.look(cx),
            Signal::Alarm(Alarm { code: CLOCK, .. }) => {
                self.turn_clock(cx);
                self.want(self.rule.bounded(self.wanted), cx);
            }
            Signal::Control(Control::Order(Order { code: Order::SIZE, .. })) => {
                self.resized(cx);
                if self.wanted == 0 && cx.works() {
                    self.begin(cx);
                }
            }
            Signal::Control(Control::Recover) => self.begin(cx),
            _ => {}
        }
    }
}
