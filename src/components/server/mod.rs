//! `Server`: workers, memory, a queue and a list of steps; a worker that waits for a downstream call stays held.

mod spec;
mod step;

pub use spec::{OnMemory, RateLimit, Scheduling, ServerSpec};
pub use step::Step;

use std::collections::VecDeque;

use crate::kernel::random::unit_open;
use crate::kernel::time::SimDuration;
use crate::kernel::variate::Variate;
use crate::model::call::{Asks, Call, Connection, Notes, Parent, Probe};
use crate::model::component::{Component, Cx};
use crate::model::machine::Device;
use crate::model::signal::{About, Alarm, CallId, ComponentId, Control, Outcome, Signal};
use crate::model::site::Site;
use crate::queueing::deadlines::Deadlines;
use crate::queueing::pool::{Acquire, Granted, Pool};
use crate::queueing::token_bucket::TokenBucket;

/// A step that waits is over.
const STEP_OVER: u16 = 0;

/// The oldest limit for the answer of another box.
const LIMIT: u16 = 1;

/// Purposes of draws: even numbers are a step's demand, odd ones whether it is taken.
const DRAWS_A_STEP: u64 = 2;

/// The step of a page for a check, behind all others.
const PAGE_STEP: u16 = u16::MAX - 1;

/// Flags of a call's notes.
mod flag {
    /// It holds memory.
    pub(super) const MEMORY: u8 = 1;
    /// It holds a worker.
    pub(super) const WORKER: u8 = 2;
    /// It has been answered; its id lives on until the answer has arrived.
    pub(super) const ENDED: u8 = 4;
}

/// What a step does.
#[derive(Clone, Debug)]
enum Action {
    Cpu(Variate),
    Wait(Variate),
    /// Index of the connection pool, how often, and what for beyond one entity.
    Query(usize, u16, Asks),
    /// Index of the targets, how often, how many at once.
    Call(usize, u16, u16),
}

/// A step, ready to run.
#[derive(Clone, Debug)]
struct Stage {
    action: Action,
    chance: Option<f64>,
    class: Option<u16>,
}

/// The members behind a name, asked in turn.
#[derive(Debug)]
struct Targets {
    name: String,
    members: Vec<ComponentId>,
    next: usize,
}

/// Connections to one database.
#[derive(Debug)]
struct Connections {
    targets: Targets,
    pool: Pool<CallId>,
}

/// One machine of a group of servers.
#[derive(Debug)]
pub struct Server {
    stages: Vec<Stage>,
    databases: Vec<Connections>,
    others: Vec<Targets>,
    workers: Pool<CallId>,
    /// Calls in the kernel's backlog are refused rather than rejected when it is full, and hold no memory.
    backlog: bool,
    queue: usize,
    base_memory: u64,
    memory_per_call: u64,
    /// Memory that the process holds, bytes.
    memory: u64,
    /// Calls that have just got a worker. They start in turn rather than inside one another, so that a long queue of
    /// empty calls does not end on the stack.
    starting: VecDeque<CallId>,
    on_memory: OnMemory,
    restart: SimDuration,
    /// Core time of the page that checks ask for.
    health_cpu: SimDuration,
    limit: Option<TokenBucket>,
    /// Limits for the answers of other boxes.
    patience: Option<Deadlines<CallId>>,
}

impl Server {
    /// A member of the group that `spec` describes.
    #[must_use]
    pub fn new(spec: &ServerSpec, site: &Site<'_>) -> Server {
        let mut server = Server {
            stages: Vec::new(),
            databases: Vec::new(),
            others: Vec::new(),
            workers: Pool::new(spec.workers(), spec.queue().saturating_add(spec.backlog()), false),
            backlog: spec.backlog() > 0,
            queue: spec.queue() as usize,
            base_memory: spec.base_memory(),
            memory_per_call: spec.memory_per_call(),
            memory: 0,
            starting: VecDeque::new(),
            on_memory: spec.on_memory,
            restart: spec.restart.map_or(SimDuration::from_secs(10), |restart| restart.0),
            patience: spec.timeout.map(|timeout| Deadlines::new(timeout.0)),
            health_cpu: spec.health_cpu.map_or(SimDuration::from_nanos(100_000), |cpu| cpu.0),
            limit: spec.rate_limit.map(|limit| {
                let burst = limit.burst.unwrap_or_else(|| limit.rate.0.ceil().max(1.0) as u32);
                TokenBucket::new(limit.rate.0, burst)
            }),
        };
        for step in &spec.steps {
            let stage = server.stage(step, spec, site);
            server.stages.push(stage);
        }
        server
    }

    fn stage(&mut self, step: &Step, spec: &ServerSpec, site: &Site<'_>) -> Stage {
        let times = step.times.unwrap_or(1) as u16;
        let action = match step {
            Step { cpu: Some(dist), .. } => Action::Cpu(dist.variate()),
            Step { wait: Some(dist), .. } => Action::Wait(dist.variate()),
            Step { query: Some(name), .. } => {
                Action::Query(self.database(name, spec, site), times, step.asks())
            }
            Step { call: Some(name), .. } => {
                Action::Call(self.other(name, site), times, step.parallel.unwrap_or(1) as u16)
            }
            _ => unreachable!("the loader has checked that a step does one thing"),
        };
        let class =
            step.class.as_ref().and_then(|name| site.classes.iter().position(|class| class.name == *name));
        Stage { action, chance: step.chance.map(|chance| chance.0), class: class.map(|index| index as u16) }
    }

    fn database(&mut self, name: &str, spec: &ServerSpec, site: &Site<'_>) -> usize {
        if let Some(known) = self.databases.iter().position(|connections| connections.targets.name == name) {
            return known;
        }
        let pool = Pool::new(spec.db_pool(), spec.workers(), false);
        self.databases.push(Connections { targets: Targets::new(name, site), pool });
        self.databases.len() - 1
    }

    fn other(&mut self, name: &str, site: &Site<'_>) -> usize {
        if let Some(known) = self.others.iter().position(|targets| targets.name == name) {
            return known;
        }
        self.others.push(Targets::new(name, site));
        self.others.len() - 1
    }

    // Arrival and departure -----------------------------------------------------------------------------------------

    #[inline(always)]
    fn arrive(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let now = cx.now();
        match cx.get(call).probe {
            Probe::None => {}
            // The kernel takes the connection, as long as there is a process.
            Probe::Connect => return cx.reply(call, Outcome::Ok),
            Probe::Page => return self.line_up(call, 0, cx),
        }
        if let Some(limit) = &mut self.limit
            && !limit.try_take(now)
        {
            cx.reply(call, Outcome::Throttled);
            return;
        }
        let in_backlog = self.backlog && self.workers.waiting() >= self.queue;
        if in_backlog {
            self.line_up(call, 0, cx);
        } else if self.reserve(call, cx) {
            self.line_up(call, flag::MEMORY, cx);
        }
    }

    /// A call asks for a worker; its flags tell what it holds already.
    #[inline(always)]
    fn line_up(&mut self, call: CallId, held: u8, cx: &mut Cx<'_>) {
        match self.workers.acquire(cx.now(), call) {
            Acquire::Granted => self.begin(call, held, cx),
            Acquire::Queued => {
                cx.get_mut(call).notes.flags |= held;
                cx.annotate(call, || "waits for a worker".into());
                self.tell_waiting(cx);
            }
            Acquire::Full => {
                let state = cx.get_mut(call);
                state.notes.flags |= held;
                let mut outcome = Outcome::Rejected;
                if self.backlog {
                    outcome = Outcome::Unavailable;
                    state.connection = Connection::Refused;
                }
                self.fail(call, outcome, cx);
            }
        }
    }

    /// Takes the memory of a call; when there is none, the call ends here, or the process does.
    #[inline(always)]
    fn reserve(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let fits = cx.reserve_memory(self.memory_per_call);
        if fits {
            self.memory += self.memory_per_call;
        } else {
            self.out_of_memory(call, cx);
        }
        fits
    }

    #[cold]
    fn out_of_memory(&mut self, call: CallId, cx: &mut Cx<'_>) {
        match self.on_memory {
            OnMemory::Reject => self.fail(call, Outcome::OutOfMemory, cx),
            OnMemory::OomKill => {
                let me = cx.me();
                cx.control(me, SimDuration::ZERO, Control::Crash);
                cx.control(me, self.restart, Control::Recover);
            }
        }
    }

    /// A call has got its worker.
    #[inline(always)]
    fn begin(&mut self, call: CallId, held: u8, cx: &mut Cx<'_>) {
        let state = cx.get_mut(call);
        state.notes.flags |= held | flag::WORKER;
        if state.probe == Probe::Page {
            state.notes.step = PAGE_STEP;
            cx.work(call, Device::Cpu, self.health_cpu);
            return;
        }
        if state.notes.flags & flag::MEMORY == 0 {
            if !self.reserve(call, cx) {
                return;
            }
            cx.get_mut(call).notes.flags |= flag::MEMORY;
        }
        self.proceed(call, 0, cx);
    }

    /// A call ends otherwise than well.
    #[cold]
    fn fail(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        self.leave(call, outcome, cx);
    }

    /// Answers a call and gives back what it holds.
    #[inline(always)]
    fn leave(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let notes = &mut cx.get_mut(call).notes;
        let flags = notes.flags;
        notes.flags |= flag::ENDED;
        if flags & flag::MEMORY != 0 {
            self.memory -= self.memory_per_call;
            cx.release_memory(self.memory_per_call);
        }
        cx.reply(call, outcome);
        if flags & flag::WORKER != 0 {
            self.next_in_queue(cx);
        }
    }

    #[inline(always)]
    fn next_in_queue(&mut self, cx: &mut Cx<'_>) {
        if let Some(granted) = self.workers.release(cx.now()) {
            self.grant(granted, cx);
        }
    }

    /// A call that waited has got a worker, and will start.
    #[inline(never)]
    fn grant(&mut self, Granted { job, waited }: Granted<CallId>, cx: &mut Cx<'_>) {
        cx.get_mut(job).waited += waited;
        self.tell_waiting(cx);
        self.starting.push_back(job);
    }

    /// Begins with those who have just got a worker.
    #[inline(never)]
    fn start_waiters(&mut self, cx: &mut Cx<'_>) {
        while let Some(call) = self.starting.pop_front() {
            self.begin(call, 0, cx);
        }
    }

    fn tell_waiting(&self, cx: &mut Cx<'_>) {
        let for_connections = self.databases.iter().map(|database| database.pool.waiting()).sum();
        cx.set_waiting(self.workers.waiting(), for_connections);
    }

    // Steps ---------------------------------------------------------------------------------------------------------

    /// Goes on with the step that a call is at, or with one that is `ahead` of it, until something must be waited for.
    /// Inlined where calls begin and where work is done, which is where it matters.
    #[inline(always)]
    fn proceed(&mut self, call: CallId, ahead: u16, cx: &mut Cx<'_>) {
        let &Call { key, class, notes: Notes { step, .. }, .. } = cx.get(call);
        let mut at = usize::from(step + ahead);
        while let Some(stage) = self.stages.get(at) {
            if stage.is_taken(key, class, at, cx) && self.begin_step(call, key, at, cx) {
                return;
            }
            at += 1;
        }
        self.leave(call, Outcome::Ok, cx);
    }

    /// Starts a step of a call with such a key; false when it is over at once.
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
            &Action::Query(database, times, _) => {
                let notes = &mut cx.get_mut(call).notes;
                (notes.step, notes.left, notes.pending) = (at as u16, times, 0);
                self.connect(call, database, cx);
            }
            &Action::Call(other, times, parallel) => {
                let notes = &mut cx.get_mut(call).notes;
                (notes.step, notes.left) = (at as u16, times);
                self.ask(call, other, parallel, cx);
            }
        }
        true
    }

    fn connect(&mut self, call: CallId, database: usize, cx: &mut Cx<'_>) {
        match self.databases[database].pool.acquire(cx.now(), call) {
            Acquire::Granted => self.query(call, database, cx),
            Acquire::Queued => {
                cx.annotate(call, || "waits for a connection to the database".into());
                self.tell_waiting(cx);
            }
            Acquire::Full => unreachable!("as many may wait for a connection as there are workers"),
        }
    }

    fn query(&mut self, call: CallId, database: usize, cx: &mut Cx<'_>) {
        let to = self.databases[database].targets.next();
        let notes = cx.get(call).notes;
        let ordinal = ordinal(call, notes.pending, cx);
        let child = self.send(call, to, ordinal, cx);
        let Action::Query(_, _, asks) = self.stages[usize::from(notes.step)].action else { return };
        cx.get_mut(child).asks = match notes.pending {
            0 => asks,
            // The next hop of a traversal that the database does not do.
            hop if asks.hops > 0 => Asks { parts: 0, gone: hop as u8, ..asks },
            _ => Asks::default(),
        };
    }

    /// Asks another box, and waits no longer than it has patience.
    fn send(&mut self, call: CallId, to: ComponentId, ordinal: u64, cx: &mut Cx<'_>) -> CallId {
        let child = cx.call(Parent::Call(call), to, ordinal);
        if let Some(patience) = &mut self.patience
            && let Some(at) = patience.push(cx.now(), child, |child| cx.find(*child).is_some())
        {
            cx.alarm_at(at, LIMIT, About::Nothing);
        }
        child
    }

    /// The oldest limits are reached: their calls go on without the answer, that is, they fail.
    fn lose_patience(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        while let Some(patience) = &mut self.patience
            && let Some(child) = patience.expired(now, |child| cx.find(*child).is_some())
        {
            self.reply(child, Outcome::TimedOut, cx);
            cx.abandon(child);
        }
        if let Some(at) = self.patience.as_mut().and_then(Deadlines::rearm) {
            cx.alarm_at(at, LIMIT, About::Nothing);
        }
    }

    fn ask(&mut self, call: CallId, other: usize, parallel: u16, cx: &mut Cx<'_>) {
        cx.get_mut(call).notes.pending = parallel;
        for branch in 0..parallel {
            let to = self.others[other].next();
            let ordinal = ordinal(call, branch, cx);
            self.send(call, to, ordinal, cx);
        }
    }

    /// An answer for the step that `call` is at; a database may have left something to ask for.
    fn answered(&mut self, call: CallId, outcome: Outcome, rest: Asks, cx: &mut Cx<'_>) {
        let notes = &mut cx.get_mut(call).notes;
        if outcome != Outcome::Ok {
            self.fail(call, outcome, cx);
            return;
        }
        if let Action::Call(other, _, parallel) = self.stages[usize::from(notes.step)].action {
            notes.pending -= 1;
            if notes.pending > 0 {
                return;
            }
            notes.left -= 1;
            if notes.left > 0 {
                self.ask(call, other, parallel, cx);
                return;
            }
        } else if let Action::Query(database, _, Asks { hops, .. }) =
            self.stages[usize::from(notes.step)].action
        {
            let is_traversal = hops > 0;
            notes.pending = match rest {
                Asks { gone: hop @ 1.., .. } => u16::from(hop),
                Asks { joins: entities @ 1.., .. } => entities,
                // Of several entities the next, or nothing more.
                _ if notes.pending > 0 && !is_traversal => notes.pending - 1,
                _ => 0,
            };
            if notes.pending == 0 {
                notes.left -= 1;
            }
            if notes.left > 0 {
                self.connect(call, database, cx);
                return;
            }
        }
        self.go_on(call, cx);
    }

    /// Goes on after a step that had to wait for others.
    fn go_on(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.proceed(call, 1, cx);
    }

    /// The answer of a child call: its connection goes back to the pool, then its parent goes on. The parent may have
    /// ended, because another branch of its step has failed; only queries hold a connection, and they have no branches.
    fn reply(&mut self, child: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let &Call { parent: Parent::Call(call), asks: rest, .. } = cx.get(child) else { return };
        let Some(notes) = cx.find(call).map(|parent| parent.notes) else { return };
        if notes.flags & flag::ENDED != 0 {
            return;
        }
        if let Action::Query(database, ..) = self.stages[usize::from(notes.step)].action
            && let Some(Granted { job, waited }) = self.databases[database].pool.release(cx.now())
        {
            cx.get_mut(job).waited += waited;
            self.tell_waiting(cx);
            self.query(job, database, cx);
        }
        self.answered(call, outcome, rest, cx);
    }

    // Operations ----------------------------------------------------------------------------------------------------

    /// The process is gone: the model has dropped its calls, and its memory is free.
    fn crash(&mut self, cx: &mut Cx<'_>) {
        cx.release_memory(self.memory);
        self.memory = 0;
        self.workers.clear();
        if let Some(patience) = &mut self.patience {
            patience.clear();
        }
        self.starting.clear();
        for database in &mut self.databases {
            database.pool.clear();
        }
    }

    /// The process starts: its own memory is taken, as far as there is any.
    fn boot(&mut self, cx: &mut Cx<'_>) {
        if cx.reserve_memory(self.base_memory) {
            self.memory = self.base_memory;
        }
    }
}

impl Stage {
    /// Whether a call takes this step.
    #[inline]
    fn is_taken(&self, key: u64, class: u16, at: usize, cx: &Cx<'_>) -> bool {
        if self.class.is_some_and(|only| only != class) {
            return false;
        }
        match self.chance {
            Some(chance) => unit_open(&mut cx.rng_of(key, at as u64 * DRAWS_A_STEP + 1)) < chance,
            None => true,
        }
    }
}

/// Tells the child calls of one call apart: step, repetition and branch. Never 0, which would hand the call's own draws
/// on to the child.
fn ordinal(call: CallId, branch: u16, cx: &Cx<'_>) -> u64 {
    let notes = cx.get(call).notes;
    (u64::from(notes.step) + 1) << 32 | u64::from(notes.left) << 16 | u64::from(branch)
}

impl Targets {
    fn new(name: &str, site: &Site<'_>) -> Targets {
        Targets { name: name.to_owned(), members: site.directory.members(name).to_vec(), next: 0 }
    }

    /// The next member in turn.
    fn next(&mut self) -> ComponentId {
        let member = self.members[self.next];
        self.next = if self.next + 1 == self.members.len() { 0 } else { self.next + 1 };
        member
    }
}

impl Component for Server {
    fn start(&mut self, cx: &mut Cx<'_>) {
        cx.limit_slots(self.workers.capacity());
        self.boot(cx);
    }

    #[inline(always)]
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.arrive(call, cx),
            Signal::Reply(child, outcome) => self.reply(child, outcome, cx),
            Signal::Done(call) => self.proceed(call, 1, cx),
            Signal::Alarm(Alarm { about: About::Call(call), .. }) => self.go_on(call, cx),
            Signal::Alarm(_) => self.lose_patience(cx),
            Signal::Control(Control::Crash) => self.crash(cx),
            Signal::Control(Control::Recover) => self.boot(cx),
            Signal::Control(_) | Signal::Returned(..) | Signal::Passed(..) => {}
        }
        if !self.starting.is_empty() {
            self.start_waiters(cx);
        }
    }
}
