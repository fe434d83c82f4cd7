//! `Server`: workers, memory, a queue and a list of steps. A call holds its worker also while it waits for a downstream
//! call.

mod aside;
mod calls;
mod connections;
mod errands;
mod errors;
mod fitted;
mod gauges;
mod gc;
mod keys;
mod kind;
mod liveness;
mod quota;
mod resources;
mod scatter;
mod sessions;
mod spec;
mod stage;
mod step;
mod swap;
mod wires;

pub use gauges::GAUGES;
pub use spec::{
    CodelSpec, OnMemory, Overflow, Per, PoolSpec, PoolTable, QueueOrder, RateLimit, Scheduling, ServerSpec,
    SessionsSpec, Shed, SwapSpec,
};
pub use step::Step;

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;
use crate::model::ask::Verb;
use crate::model::call::{Call, Notes};
use crate::model::class::{priorities, units};
use crate::model::component::{Component, Cx};
use crate::model::line::Keep;
use crate::model::machine::Device;
use crate::model::quantity::Dist;
use crate::model::signal::{About, Alarm, CallId, Control, Order, Outcome, Signal};
use crate::model::site::Site;
use crate::parts::connecting::Connecting;
use crate::parts::door::{Door, Limits, Verdict};
use crate::parts::hand::{Hand, Retries};
use crate::parts::members::Members;

use aside::Tokens;
use connections::Connections;
use errands::Errands;
use errors::Errors;
use gc::Gc;
use liveness::{Fate, Liveness};
use sessions::Sessions;
use stage::{Action, DRAWS_A_STEP, Stage};

/// The time of a `wait` step is over.
const STEP_OVER: u16 = 0;

/// The oldest time limit for an answer of another box is reached.
const LIMIT: u16 = 1;

/// The oldest wait for a connection to a database has reached its limit.
const POOL_LIMIT: u16 = 2;

/// A call that did no work is answered with an error.
const ERROR: u16 = 3;

/// A collection of garbage is over.
const GC_OVER: u16 = 6;

/// It is time to look for sessions that are over.
const SWEPT: u16 = 7;

/// The step that makes the page for a check, after all others.
const PAGE_STEP: u16 = u16::MAX - 1;

/// The step in which the connection of a call is made, before the first one.
const CONNECT_STEP: u16 = u16::MAX;

/// Purpose of the draw of its core time, apart from those of steps.
const CONNECT_DRAW: u64 = 1 << 40;

/// Flag in a call's notes: the call has been answered. Its id is valid until the answer has arrived.
const ENDED: u8 = 1;

/// Flag in a call's notes: its caller has cancelled it. It ends with its step.
const CANCELLED: u8 = 2;

/// Flag in a call's notes: its next query opens the connection of a pool.
const OPENS: u8 = 4;

/// One machine of a group of servers.
#[derive(Debug)]
pub struct Server {
    stages: Vec<Stage>,
    databases: Vec<Connections>,
    /// Whether connections to them take a round trip to open.
    has_wires: bool,
    /// Calls that have just got a connection, and go on with it once what gave it back is over.
    begun: VecDeque<CallId>,
    others: Vec<Members>,
    /// Whether each of `others` answers queries and no work.
    others_query: Vec<bool>,
    /// Workers, their queue, memory and the rate limit.
    door: Door,
    /// Time until a killed process is back.
    restart: SimDuration,
    /// Core time of the page for checks.
    health_cpu: SimDuration,
    /// Whether a worker of its own makes it.
    health_worker: bool,
    liveness: Option<Liveness>,
    /// Its time limit for other boxes.
    hand: Hand<CallId>,
    /// What it asks them for with care.
    errands: Errands,
    /// Whether there is a step with such care.
    takes_care: bool,
    /// Whether it cancels calls that it waits for no longer.
    cancels: bool,
    /// Whether it looks at deadlines and passes them on.
    propagates: bool,
    /// Its time limit for other boxes, once more.
    limit: SimDuration,
    /// Whether each class writes.
    writes: Vec<bool>,
    /// Its time limit for connections to them.
    connecting: Connecting,
    /// How long it keeps connections to it.
    keep: Keep,
    /// Core time of each of them.
    connect_cpu: Option<Variate>,
    /// The errors that it answers.
    errors: Errors,
    /// Since when the cores stand still for want of a quota.
    throttled_since: Option<SimTime>,
    gc: Option<Box<Gc>>,
    /// Whether there is a step that asks a cache first.
    has_cache: bool,
    /// The calls that may fill an entry of one.
    tokens: Option<Box<Tokens>>,
    /// The step with which a call begins; if not 0, the work ends at the step before it.
    first: u16,
    sessions: Option<Box<Sessions>>,
}

impl Server {
    /// A member of the group that `spec` describes.
    #[must_use]
    pub fn new(spec: &ServerSpec, site: &Site<'_>) -> Server {
        let mut server = Server {
            stages: Vec::new(),
            databases: Vec::new(),
            has_wires: spec.lasting().is_some(),
            begun: VecDeque::new(),
            others: Vec::new(),
            others_query: Vec::new(),
            door: Door::new(Limits {
                ranks: priorities(site.classes),
                units: units(site.classes),
                held: (!units(site.classes).is_empty()).then_some(gauges::WORKERS_HELD),
                ..spec.limits()
            }),
            restart: spec.restart.map_or(SimDuration::from_secs(10), |restart| restart.0),
            hand: Hand::new(spec.timeout.map(|timeout| timeout.0), LIMIT, Retries::none()),
            errands: Errands::default(),
            takes_care: false,
            cancels: spec.cancel,
            propagates: spec.propagate,
            limit: spec.timeout.map_or(SimDuration::MAX, |timeout| timeout.0),
            writes: site.classes.iter().map(|class| class.writes).collect(),
            connecting: spec.connecting(),
            keep: spec.keeping().keep(),
            connect_cpu: spec.connect_cpu.as_ref().map(Dist::variate),
            health_worker: spec.health_worker,
            liveness: spec.liveness.map(Liveness::new),
            throttled_since: None,
            has_cache: false,
            tokens: None,
            first: 0,
            sessions: None,
            gc: spec.gc.map(|gc| Box::new(Gc::new(gc))),
            errors: Errors::new(spec.errors.map(|errors| errors.rule()), site.name),
            health_cpu: spec.health_cpu.map_or(SimDuration::from_nanos(100_000), |cpu| cpu.0),
        };
        server.stages(&spec.steps, &mut Vec::new(), spec, site);
        if let Some(sessions) = &spec.sessions {
            server.add_sessions(sessions, spec, site);
        }
        server.has_cache = server.stages.iter().any(|stage| matches!(stage.action, Action::Get(..)));
        server.takes_care = server.stages.iter().any(|stage| stage.calling.is_some());
        server
    }

    // Arrival and departure -----------------------------------------------------------------------------------------

    #[inline(always)]
    fn arrive(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let verdict = if cx.get(call).ask().verb == Verb::Page {
            cx.get_mut(call).notes.step = PAGE_STEP;
            if self.health_worker { Verdict::Enter } else { self.door.admit_to_slot(call, cx) }
        } else {
            self.door.admit(call, 0, cx)
        };
        self.settle(call, verdict, cx);
    }

    /// Starts the calls that have waited for a worker and now have one.
    #[inline(never)]
    fn start_waiters(&mut self, cx: &mut Cx<'_>) {
        while let Some((call, verdict)) = self.door.next(cx) {
            self.settle(call, verdict, cx);
        }
    }

    /// Carries out the verdict of the door on a call.
    #[inline(always)]
    fn settle(&mut self, call: CallId, verdict: Verdict, cx: &mut Cx<'_>) {
        match verdict {
            Verdict::Enter => self.begin(call, cx),
            Verdict::Wait => cx.annotate(call, || "waits for a worker".into()),
            Verdict::Away(outcome) => cx.reply(call, outcome),
            Verdict::Shed => {
                cx.count(gauges::SHED);
                cx.annotate(call, || "is dropped, because it has waited too long".into());
                cx.reply(call, Outcome::Rejected);
            }
            Verdict::Displaced => {
                cx.count(gauges::DISPLACED);
                cx.annotate(call, || "loses its place to a request of a higher priority".into());
                cx.reply(call, Outcome::Rejected);
            }
            Verdict::Drop => {
                cx.count(gauges::OVERFLOWS);
                cx.drop_attempt(call);
            }
            Verdict::Kill => self.kill(cx),
        }
    }

    /// Kills the process, because the memory is exhausted; it restarts later.
    #[cold]
    fn kill(&mut self, cx: &mut Cx<'_>) {
        cx.count(gauges::OOM_KILLS);
        let me = cx.me();
        cx.control(me, SimDuration::ZERO, Control::Crash);
        cx.control(me, self.restart, Control::Recover);
    }

    /// Starts a call that has its worker.
    #[inline(always)]
    fn begin(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if cx.get(call).notes.step == PAGE_STEP {
            cx.work(call, Device::Cpu, self.health_cpu);
            return;
        }
        if self.gc.is_some() {
            self.allocate(cx);
        }
        if self.connect_cpu.is_some() && self.make_connection(call, cx) {
            return;
        }
        self.begin_work(call, cx);
    }

    /// Starts the steps of a call.
    #[inline(always)]
    fn begin_work(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if !self.errors.is_none() && self.err_at_once(call, cx) {
            return;
        }
        self.proceed(call, self.first, cx);
    }

    /// Ends a call with an outcome other than ok.
    #[cold]
    fn fail(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        if self.cancels {
            self.stop_errands(call, cx);
        }
        self.roll_back(call, cx);
        self.leave(call, outcome, cx);
    }

    /// Answers a call, and releases its memory and its worker.
    #[inline(always)]
    fn leave(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let notes = &mut cx.get_mut(call).notes;
        notes.flags = ENDED;
        let is_page = notes.step == PAGE_STEP;
        if let Some(tokens) = &mut self.tokens {
            tokens.forget(call);
        }
        if !is_page {
            self.door.leave(call, cx);
            if self.gc.is_some() {
                self.forget();
            }
        } else if !self.health_worker {
            self.door.leave_slot(cx);
        }
        cx.reply(call, outcome);
    }

    // Steps ---------------------------------------------------------------------------------------------------------

    /// Runs the steps of a call from the current one, or from one `ahead` of it, until one has to wait. Inlined where
    /// calls begin and where work is done, because these are frequent.
    #[inline(always)]
    fn proceed(&mut self, call: CallId, ahead: u16, cx: &mut Cx<'_>) {
        let &Call { key, class, notes: Notes { step, flags, .. }, .. } = cx.get(call);
        let mut at = usize::from(step + ahead);
        // Nothing can change that before the call waits again.
        let is_done = at == self.stages.len() || at + 1 == usize::from(self.first);
        if (self.propagates || flags & CANCELLED != 0) && !is_done && self.is_useless(call, cx) {
            cx.get_mut(call).notes.step = at as u16;
            return self.fail(call, Outcome::TimedOut, cx);
        }
        while let Some(stage) = self.stages.get(at) {
            let is_taken = stage.is_taken(key, class, at, cx);
            let skips = match stage.action {
                Action::Begin(_, end) => end,
                Action::Get(_, end) => usize::from(end),
                _ => at,
            };
            if !is_taken {
                at = skips + 1;
                continue;
            }
            if self.begin_step(call, key, at, cx) {
                return;
            }
            at += 1;
        }
        self.finish(call, cx);
    }

    /// Answers a call whose steps are done.
    #[inline(always)]
    fn finish(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let outcome = if self.errors.is_none() { Outcome::Ok } else { self.err_after_work(call, cx) };
        self.leave(call, outcome, cx);
    }

    /// Starts a step of the call with this key. Returns false if the step is over at once.
    #[inline(always)]
    fn begin_step(&mut self, call: CallId, key: u64, at: usize, cx: &mut Cx<'_>) -> bool {
        let purpose = at as u64 * DRAWS_A_STEP;
        match &self.stages[at].action {
            Action::Cpu(variate) => {
                let demand = cx.demand_of(key, variate, purpose);
                if demand.is_zero() {
                    return false;
                }
                cx.get_mut(call).notes.step = at as u16;
                cx.work(call, Device::Cpu, demand);
            }
            Action::Wait(variate) => {
                let wait = cx.demand_of(key, variate, purpose);
                cx.get_mut(call).notes.step = at as u16;
                cx.alarm(wait, STEP_OVER, About::Call(call));
            }
            Action::Crowded(variate, each) => {
                let others = self.door.holders().saturating_sub(1);
                let wait = cx.demand_of(key, variate, purpose) + each.saturating_mul(u64::from(others));
                cx.get_mut(call).notes.step = at as u16;
                cx.annotate(call, || format!("waits {wait} with {others} others inside"));
                cx.alarm(wait, STEP_OVER, About::Call(call));
            }
            &Action::Query(database, times, _) => {
                let notes = &mut cx.get_mut(call).notes;
                (notes.step, notes.left, notes.pending) = (at as u16, times, 0);
                self.connect(call, database, cx);
            }
            &Action::Begin(database, _) => {
                cx.get_mut(call).notes.step = at as u16;
                self.connect(call, database, cx);
            }
            &Action::End(database) => {
                cx.get_mut(call).notes.flags &= !OPENS;
                self.give_back(database, true, cx);
                return false;
            }
            &Action::Get(cache, _) => return self.get(call, at, cache, cx),
            &Action::Put(cache, get) => return self.put(call, at, cache, get, cx),
            &Action::Session(last) => self.recognise(call, at, last, cx),
            &Action::LogIn => return !self.log_in(call, at, cx),
            &Action::Enter => self.enter(call, cx),
            &Action::Finish => self.finish(call, cx),
            &Action::Call(other, times, parallel) => {
                let notes = &mut cx.get_mut(call).notes;
                (notes.step, notes.left) = (at as u16, times);
                self.ask(call, other, parallel, cx);
            }
        }
        true
    }

    /// Continues after a step that had to wait for other boxes.
    fn go_on(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.proceed(call, 1, cx);
    }

    /// The process starts, for the first time or again.
    fn boot(&mut self, cx: &mut Cx<'_>) {
        self.door.boot(cx);
        self.begin_sweeps(cx);
        if let Some(liveness) = &mut self.liveness {
            liveness.start(cx);
        }
    }

    /// Drops all state after a crash.
    fn crash(&mut self, cx: &mut Cx<'_>) {
        self.door.crash(cx);
        self.lose_sessions(cx);
        self.drop_heap(cx);
        self.liveness.iter_mut().for_each(Liveness::stop);
        self.hand.crash();
        self.begun.clear();
        self.errands.clear();
        self.tokens = None;
        self.stages.iter_mut().filter_map(|stage| stage.calling.as_mut()).for_each(|calling| calling.clear());
        self.databases.iter_mut().for_each(|connections| connections.crash(cx));
        self.tell_held(cx);
    }
}

impl Component for Server {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.connecting.start(cx);
        cx.keep_connections(self.keep);
        self.door.start(cx);
        self.start_aside(cx);
        self.boot(cx);
    }

    #[inline(always)]
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.arrive(call, cx),
            Signal::Reply(child, outcome) => self.reply(child, outcome, None, cx),
            Signal::Done(call) if self.connect_cpu.is_some() && cx.get(call).notes.step == CONNECT_STEP => {
                self.connection_made(call, cx)
            }
            Signal::Done(call) => self.proceed(call, 1, cx),
            Signal::Alarm(Alarm { code: ERROR, about: About::Call(call) }) => self.err(call, cx),
            Signal::Alarm(Alarm { code: STEP_OVER, about: About::Call(call) }) => self.go_on(call, cx),
            Signal::Alarm(Alarm { about: About::Call(child), .. }) => self.hedge(child, cx),
            Signal::Alarm(Alarm { code: errands::AGAIN, about: About::Number(i) }) => self.try_again(i, cx),
            Signal::Alarm(Alarm { code: POOL_LIMIT, about: About::Number(i) }) => {
                self.pool_limit(i as usize, cx)
            }
            Signal::Alarm(Alarm { code: GC_OVER, .. }) => self.collected(cx),
            Signal::Alarm(Alarm { code: SWEPT, .. }) => self.sweep(cx),
            Signal::Alarm(_) => self.lose_patience(cx),
            Signal::Control(Control::Crash | Control::PowerOff | Control::Kill) => self.crash(cx),
            Signal::Control(Control::Recover) => {
                cx.count(gauges::RESTARTS);
                self.boot(cx);
            }
            Signal::Control(Control::Order(Order { code: Order::START, .. })) => self.boot(cx),
            Signal::Control(Control::Order(order)) => {
                let fate = self.liveness.as_mut().map_or(Fate::Lives, |liveness| liveness.order(order, cx));
                self.meet(fate, cx);
            }
            Signal::Control(Control::Throttle(stands)) => self.throttle(stands, cx),
            Signal::Control(Control::Err(rule)) => self.errors.begin(rule),
            Signal::Control(Control::Heal(rule)) => self.errors.end(rule),
            Signal::Cancelled(call) => self.cancelled(call, cx),
            Signal::Control(_) | Signal::Returned(..) | Signal::Passed(..) => {}
        }
        while let Some(call) = self.begun.pop_front() {
            self.go_on_with(call, cx);
        }
        if self.door.has_next() {
            self.start_waiters(cx);
        }
    }
}
