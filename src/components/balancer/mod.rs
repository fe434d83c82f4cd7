//! `Balancer`: hands each call to one of several targets. It knows only its own calls and the answers of its checks.

mod care;
mod ejection;
mod gauges;
mod jar;
mod line;
mod relays;
mod resources;
mod rules;
mod spec;
mod targets;
mod tries;
mod upstream;
mod vrrp;
mod watch;

pub use gauges::GAUGES;
pub use spec::{
    Again, BalancerSpec, Counts, EjectionSpec, Gone, HealthSpec, Mode, PolicyKind, Preset, QueueSpec,
    StickySpec,
};
pub use upstream::UpstreamSpec;

use crate::kernel::random::{mix, name_hash};
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;
use crate::model::ask::Verb;
use crate::model::call::{Call, Parent, copy_of};
use crate::model::class::priorities;
use crate::model::component::{Component, Cx};
use crate::model::line::Keep;
use crate::model::machine::Device;
use crate::model::signal::{About, Alarm, CallId, Control, Outcome, Signal};
use crate::model::site::Site;
use crate::parts::door::{Door, Limits, Verdict};
use crate::parts::hand::{Hand, Retries};
use crate::queueing::circuit_breaker::Pass;

use care::Care;
use jar::Jar;
use line::Line;
use relays::{Relay, Relays, Sent};
use spec::Settings;
use targets::Targets;
use upstream::Upstream;
use vrrp::Pair;

/// Timers of a balancer.
mod timer {
    use crate::parts::checks::Timers;

    /// The next check of a target.
    pub(super) const CHECK: u16 = 0;
    /// The time limit of a check is reached.
    pub(super) const CHECK_LATE: u16 = 1;
    /// The time limit of the oldest call that waits for a connection is reached.
    pub(super) const QUEUED: u16 = 2;
    /// A call has waited too long for the answer of its target.
    pub(super) const DEADLINE: u16 = 3;
    /// The ejection of a target is over.
    pub(super) const READMIT: u16 = 4;
    /// The weight of a target in slow start grows.
    pub(super) const GROW: u16 = 5;
    /// The time for draining a target is over.
    pub(super) const DRAINED: u16 = 6;
    /// The standby of the pair has missed the advertisements.
    pub(super) const TAKE_OVER: u16 = 7;
    /// The pause before another try of a call is over.
    pub(super) const AGAIN: u16 = 8;
    /// The time limit of the oldest call that waits for a target with room is reached.
    pub(super) const LINE: u16 = 9;

    /// A call has waited for long: another one follows it.
    pub(super) const HEDGE: u16 = 10;

    /// Those of the checks.
    pub(super) const CHECKS: Timers = Timers { next: CHECK, late: CHECK_LATE };
}

/// Purposes of draws: the core time of a call is 0, the choice of its n-th target is n, counted from 1.
const DEMAND: u64 = 0;
const CHOICE: u64 = 1;

/// Purpose of the draw of the core time of a connection, apart from those of choices and pauses.
const CONNECTION: u64 = 1 << 40;

/// Flag in a call's notes: its caller has cancelled it.
const CANCELLED: u8 = 1;

/// One balancer, or a pair behind one address.
#[derive(Debug)]
pub struct Balancer {
    settings: Settings,
    demand: Option<Variate>,
    /// How long it keeps connections to it.
    keep: Keep,
    /// Core time of each of them.
    connect_cpu: Option<Variate>,
    targets: Targets,
    /// Connections and their queue.
    door: Door,
    relays: Relays,
    /// Patience with targets, and the number of targets that a call is tried at.
    hand: Hand<CallId>,
    /// What it does besides, if anything.
    care: Option<Box<Care>>,
    jar: Option<Jar>,
    /// Those who wait for a target, if targets may have a number of calls only.
    line: Option<Line>,
    /// Its connections to targets, if they cost something.
    upstream: Option<Upstream>,
    /// Whether a user's target is chosen once for each connection.
    by_connection: bool,
    /// Whether each class writes.
    writes: Vec<bool>,
    pair: Pair,
    hung: bool,
}

impl Balancer {
    /// The balancer that `spec` describes.
    #[must_use]
    pub fn new(spec: &BalancerSpec, site: &Site<'_>) -> Balancer {
        let settings = spec.settings();
        let mut members = Vec::new();
        let mut names = Vec::new();
        let mut absent = Vec::new();
        for (entry, name) in spec.targets.iter().enumerate() {
            for (number, id) in site.directory.members(name).iter().enumerate() {
                if site.is_off(*id) {
                    absent.push(members.len());
                }
                members.push((*id, spec.weight(entry)));
                names.push(mix(name_hash(name), number as u64));
            }
        }
        let day = SimDuration::from_secs(86_400);
        let jar = match settings.sticky {
            Some(sticky) => {
                Some(Jar::new(sticky.expire.map_or(day, |expire| expire.0), sticky.gone == Gone::Fail))
            }
            None => (spec.mode == Mode::Connection).then(|| Jar::new(day, false)),
        };
        let mut targets = Targets::new(&settings, &members, names);
        absent.into_iter().for_each(|i| targets.begin_without(i));
        Balancer {
            demand: spec.demand.as_ref().map(|demand| demand.variate()),
            keep: spec.keeping().keep(),
            connect_cpu: spec.connect_cpu.as_ref().map(|cost| cost.variate()),
            targets,
            door: Door::new(Limits {
                slots: spec.connections.unwrap_or(u32::MAX),
                queue: spec.queue.map_or(0, |queue| queue.limit),
                queue_timeout: spec.queue.and_then(|queue| queue.timeout).map(|timeout| timeout.0),
                ranks: priorities(site.classes),
                limit: spec.limit.and_then(|limit| limit.concurrency()).map(|limit| (limit, gauges::LIMIT)),
                timer: timer::QUEUED,
                ..Limits::default()
            }),
            relays: Relays::default(),
            hand: Hand::new(
                settings.timeout,
                timer::DEADLINE,
                Retries {
                    attempts: settings.retries + 1,
                    backoff: settings.backoff,
                    budget: spec.retries_budget.map(|budget| budget.budget()),
                    on: settings.retries_on,
                    writes: false,
                    chance: 1.0,
                },
            ),
            care: Care::new(spec, members.len()),
            jar,
            upstream: spec.upstream.map(|upstream| Upstream::new(upstream, members.len())),
            by_connection: spec.mode == Mode::Connection,
            line: spec.target_connections.map(|_| Line::new(spec.target_queue, priorities(site.classes))),
            writes: site.classes.iter().map(|class| class.writes).collect(),
            pair: Pair::new(spec.standby),
            hung: false,
            settings,
        }
    }

    // A call --------------------------------------------------------------------------------------------------------

    #[inline(always)]
    fn arrive(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if cx.get(call).ask().verb == Verb::Page {
            let is_up = self.targets.any_eligible();
            return cx.reply(call, if is_up { Outcome::Ok } else { Outcome::Unavailable });
        }
        let verdict = self.door.admit(call, 0, cx);
        self.settle(call, verdict, cx);
    }

    /// Acts on what the door has decided about a call.
    #[inline(always)]
    fn settle(&mut self, call: CallId, verdict: Verdict, cx: &mut Cx<'_>) {
        match verdict {
            Verdict::Enter => self.begin(call, cx),
            Verdict::Away(outcome) => cx.reply(call, outcome),
            Verdict::Drop => cx.drop_attempt(call),
            Verdict::Displaced => {
                cx.annotate(call, || "loses its place to a request of a higher priority".into());
                cx.reply(call, Outcome::Rejected);
            }
            Verdict::Wait | Verdict::Kill | Verdict::Shed => {}
        }
    }

    /// A call has its connection: the balancer's own work comes first.
    #[inline(always)]
    fn begin(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if cx.is_late(call) {
            cx.count(gauges::DROPPED_LATE);
            return self.leave(call, Outcome::TimedOut, cx);
        }
        if self.connect_cpu.is_some() && self.make_connection(call, cx) {
            return;
        }
        match &self.demand {
            Some(variate) => {
                let demand = cx.demand(call, variate, DEMAND);
                cx.work(call, Device::Cpu, demand);
            }
            None => self.relay(call, cx),
        }
    }

    /// Works for a call and for its connection, if that was opened for the call. Returns whether there is such work.
    #[cold]
    fn make_connection(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let Some(cost) = self.connect_cpu.as_ref().filter(|_| cx.is_first(call)) else { return false };
        let own = self.demand.as_ref().map_or(SimDuration::ZERO, |own| cx.demand(call, own, DEMAND));
        let demand = cx.demand(call, cost, CONNECTION) + own;
        cx.work(call, Device::Cpu, demand);
        true
    }

    /// Sends a call to a target. Without a target the call ends.
    fn relay(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if cx.get(call).notes.flags & CANCELLED != 0 {
            return self.leave(call, Outcome::TimedOut, cx);
        }
        if self.care.is_some() && self.is_throttled(call, cx) {
            return self.leave(call, Outcome::Throttled, cx);
        }
        let target = if self.has_line() { None } else { self.choose(call, &[], cx) };
        match target {
            Some(target) => self.send_first(call, target, cx),
            None if self.line.is_some() && self.stand_in_line(call, &[], cx) => {}
            None => {
                if self.care.is_some() {
                    self.tell_denied(call, cx);
                }
                self.leave(call, Outcome::Unavailable, cx);
            }
        }
    }

    /// Sends a call to its first target.
    #[inline(always)]
    fn send_first(&mut self, call: CallId, target: usize, cx: &mut Cx<'_>) {
        self.hand.begin(cx.now());
        let sent = self.send(call, target, 0, cx);
        let place = self.relays.insert(Relay::new(call, sent));
        cx.get_mut(call).notes.mark = u64::from(place);
    }

    /// Calls a target on behalf of a call. `copy` tells the calls of one try apart, from 0.
    #[inline(always)]
    fn send(&mut self, call: CallId, target: usize, copy: u16, cx: &mut Cx<'_>) -> Sent {
        let id = self.targets.all[target].id;
        cx.annotate(call, || format!("chooses target {}", target + 1));
        let &Call { class, .. } = cx.get(call);
        let ask = cx.get(call).ask();
        let child = cx.ask(Parent::Call(call), id, copy_of(0, u64::from(copy)), ask);
        if let Some(upstream) = &mut self.upstream {
            upstream.send(child, target, id, cx);
        }
        if let Some(until) = self.targets.sent(cx.now(), target) {
            cx.alarm_at(until, timer::READMIT, About::Number(target as u32));
        }
        let deadline = cx.deadline(call);
        if deadline < SimTime::MAX {
            cx.set_deadline(child, deadline);
        }
        self.hand.wait_for(child, cx);
        let mut pass = Pass::default();
        if let Some(care) = &mut self.care {
            pass = care.pass(cx.now(), target);
            if let Some(delay) = care.delay(copy + 1, self.writes[usize::from(class)]) {
                cx.alarm(delay, timer::HEDGE, About::Call(child));
            }
        }
        Sent { child, target: target as u16, at: cx.now(), pass, is_hedge: false }
    }

    /// Chooses a target for a call that has `tried` some.
    #[inline(always)]
    fn choose(&mut self, call: CallId, tried: &[u16], cx: &mut Cx<'_>) -> Option<usize> {
        let now = cx.now();
        let &Call { identity: user, key: draws, .. } = cx.get(call);
        let is_new = user == 0 || (self.by_connection && cx.is_first(call));
        let own = self.jar.as_ref().filter(|_| !is_new).and_then(|jar| jar.target(now, user));
        let is_open = self.care.is_some() && own.is_some_and(|own| self.is_kept_away(now, own));
        if let (Some(own), Some(jar)) = (own, &mut self.jar) {
            if self.targets.keeps(own) && !tried.contains(&(own as u16)) && !is_open {
                jar.put(now, user, own);
                return Some(own);
            }
            if jar.fails {
                return None;
            }
        }
        let key = cx.user_of(call);
        let mut rng = cx.rng_of(draws, CHOICE + tried.len() as u64);
        let target = match &self.care {
            None => self.targets.pick(now, key, tried, &mut rng),
            Some(care) => self.targets.pick_but(
                now,
                key,
                |i| tried.contains(&(i as u16)) || care.is_open(now, i),
                &mut rng,
            ),
        }?;
        if self.targets.is_open {
            cx.count(gauges::FAIL_OPEN);
        }
        if let (Some(jar), true) = (&mut self.jar, user != 0) {
            jar.put(now, user, target);
            if own.is_some_and(|own| own != target) && !self.by_connection {
                cx.count(gauges::SESSIONS_LOST);
            }
        }
        Some(target)
    }

    /// Answers a call that was sent to a target.
    #[inline(always)]
    fn finish(&mut self, place: u32, outcome: Outcome, cx: &mut Cx<'_>) {
        let call = self.relays.remove(place);
        self.hand.end();
        self.leave(call, outcome, cx);
    }

    /// Answers a call and gives its connection to the next one.
    #[inline(always)]
    fn leave(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        self.door.leave(call, cx);
        cx.reply(call, outcome);
    }

    /// Starts the calls that have waited for a connection and now have one.
    #[inline(never)]
    fn start_waiters(&mut self, cx: &mut Cx<'_>) {
        while let Some((call, verdict)) = self.door.next(cx) {
            self.settle(call, verdict, cx);
        }
    }

    /// Rejects calls that have waited too long for a connection.
    fn leave_queue(&mut self, cx: &mut Cx<'_>) {
        while let Some(call) = self.door.overdue(cx) {
            cx.count(gauges::QUEUE_TIMEOUTS);
            cx.reply(call, Outcome::Rejected);
        }
    }

    fn alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>) {
        match (alarm.code, alarm.about) {
            (timer::CHECK, About::Number(i)) => self.check(i, cx),
            (timer::CHECK_LATE, About::Call(probe)) => self.check_late(probe, cx),
            (timer::QUEUED, _) => self.leave_queue(cx),
            (timer::DEADLINE, _) => self.time_out(cx),
            (timer::READMIT, About::Number(i)) => self.readmit(i as usize, cx),
            (timer::AGAIN, About::Call(call)) => self.try_again(call, cx),
            (timer::LINE, _) => self.line_late(cx),
            (timer::HEDGE, About::Call(child)) => self.hedge(child, cx),
            (timer::GROW, About::Number(i)) => {
                if self.targets.grow(cx.now(), i as usize).is_some() {
                    self.grow_later(i as usize, cx);
                }
            }
            (timer::DRAINED, About::Number(i)) => self.drained(i as usize, cx),
            (timer::TAKE_OVER, _) => {
                if self.pair.take_over(cx.now()) {
                    let me = cx.me();
                    cx.control(me, SimDuration::ZERO, Control::TakeOver);
                }
            }
            _ => unreachable!("a balancer sets no other timer"),
        }
    }
}

impl Component for Balancer {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.settings.connecting.start(cx);
        cx.keep_connections(self.keep);
        self.door.start(cx);
        self.targets.wind(cx);
        self.pair.start(cx);
        self.begin_checks(cx);
    }

    #[inline(always)]
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.arrive(call, cx),
            Signal::Reply(child, outcome) => match cx.get(child).parent {
                Parent::Call(call) => self.answered(child, call, outcome, cx),
                Parent::Number(i) => self.checked(i, outcome == Outcome::Ok, cx),
                Parent::None | Parent::Request(_) => {}
            },
            Signal::Done(call) => self.relay(call, cx),
            Signal::Alarm(alarm) => self.alarm(alarm, cx),
            Signal::Control(control) => self.control(control, cx),
            Signal::Cancelled(call) => self.cancelled(call, cx),
            Signal::Returned(..) | Signal::Passed(..) => {}
        }
        if self.line.is_some() && self.has_line() {
            self.serve_line(cx);
        }
        if self.door.has_next() {
            self.start_waiters(cx);
        }
    }
}
