//! `Simulation`: the loop, the stop rules and the end of a trial.

mod closing;
mod operations;

use crate::kernel::calendar::Calendar;
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::random::{Seed, name_hash};
use crate::kernel::slab::Slab;
use crate::kernel::time::{SimDuration, SimTime};
use crate::queueing::station::Done;

use super::address;
use super::ask::{Verb, Verbs};
use super::call::{Call, Notes, Request, Stage};
use super::class::RequestClass;
use super::component::{Component, Cx};
use super::event::{COMPONENTS_MAX, Packed, tag};
use super::faults::Planned;
use super::gauge::Gauge;
use super::hardware::MachineSpec;
use super::keys::Keys;
use super::machine::{Device, Job, Machine, MachineId, Task};
use super::network::{Link, Network, NetworkSettings, Place};
use super::part::Part;
use super::record::{Stop, TrialRecord};
use super::recorder::Recorder;
use super::signal::{About, Alarm, CallId, ComponentId, Control, Outcome, Signal};
use super::trace::{Step, Trace, TraceLine, What};
use super::troubles::Troubles;
use super::world::{Info, Status, World};

/// Calls alive at once; beyond it a trial stops with the verdict that a queue grows without end.
pub const LIVE_CALLS_MAX: usize = 4_000_000;

/// Windows of the series in a trial: enough for a chart, little to keep.
pub const WINDOWS: u64 = 600;

/// A component about to join a simulation.
pub struct Member<'a> {
    /// Its own name: `web-2`.
    pub name: &'a str,
    /// The name of its table: `web`.
    pub group: &'a str,
    /// Its kind, for results.
    pub kind: &'static str,
    /// What it answers.
    pub answers: Verbs,
    /// What its kind counts and measures.
    pub gauges: &'static [Gauge],
    /// Where it stands.
    pub place: Place,
    /// Whether it has a public address.
    pub public: bool,
    /// What it runs on.
    pub hardware: Hardware<'a>,
    /// The box itself.
    pub component: Box<dyn Component>,
}

/// What a component runs on.
#[derive(Clone, Copy, Debug)]
pub enum Hardware<'a> {
    /// Nothing that is modelled: clients, DNS.
    None,
    /// A machine of its own.
    Own(&'a MachineSpec),
    /// The machine of a component that has joined before.
    Shared(ComponentId),
}

/// How long a trial runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Thrown away.
    pub warmup: SimDuration,
    /// Measured after the warm-up.
    pub measured: SimDuration,
}

/// One trial: components, and the world that they act on.
pub struct Simulation {
    seats: Vec<Seat>,
    world: World,
    faults: Vec<Planned>,
}

/// A component, with the one figure about it that each delivery needs.
struct Seat {
    component: Box<dyn Component>,
    name_hash: u64,
}

impl Simulation {
    /// An empty simulation.
    #[must_use]
    pub fn new(seed: Seed, classes: &[RequestClass], network: &NetworkSettings) -> Simulation {
        let response_bytes = classes.iter().map(|class| class.response_bytes).collect();
        let deadlines: Vec<_> = classes.iter().map(|class| class.deadline).collect();
        let world = World {
            seed,
            calendar: Calendar::new(),
            controls: Slab::new(Control::Crash),
            calls: Slab::new(Call::BLANK),
            requests: Slab::new(Request::BLANK),
            infos: Vec::new(),
            machines: Vec::new(),
            network: Network::new(network),
            keys: Keys::new(classes),
            response_bytes,
            troubles: Troubles::default(),
            recorder: Recorder::new(&deadlines),
            fingerprint: Fingerprint::new(),
            trace: None,
            books: Vec::new(),
        };
        Simulation { seats: Vec::new(), world, faults: Vec::new() }
    }

    /// Adds a component; ids count from zero in the order of joining.
    ///
    /// # Panics
    /// When there are 2^20 components already.
    pub fn add(&mut self, member: Member<'_>) -> ComponentId {
        assert!(self.seats.len() < COMPONENTS_MAX, "a simulation has at most 2^20 components");
        let id = ComponentId::new(self.seats.len());
        let machine = match member.hardware {
            Hardware::None => None,
            Hardware::Shared(host) => self.world.infos[host.index()].machine,
            Hardware::Own(spec) => {
                let machine = MachineId::new(self.world.machines.len());
                self.world.machines.push(Machine::new(id, spec));
                Some(machine)
            }
        };
        let peers = self.world.infos.iter().filter(|info| info.public == member.public).count();
        let address = if member.public { address::public(peers) } else { address::private(peers) };
        self.world.infos.push(Info {
            name: member.name.to_owned(),
            group: member.group.to_owned(),
            kind: member.kind,
            answers: member.answers,
            name_hash: name_hash(member.name),
            draw_salt: name_hash(member.group),
            machine,
            place: member.place,
            public: member.public,
            address,
            epoch: 0,
            status: Status::Up,
            causes: 0,
            half_down: false,
        });
        self.world.recorder.add_component(member.gauges);
        self.seats.push(Seat { component: member.component, name_hash: name_hash(member.name) });
        id
    }

    /// Adds a place where components stand, with its links to each of the places before it and to itself. The internet
    /// and one zone are there from the start.
    pub fn add_place(&mut self, links: &[Link]) -> Place {
        self.world.network.add_place(links)
    }

    /// Measures a part of the time on its own.
    pub fn watch(&mut self, part: Part) {
        self.world.recorder.watch(part);
    }

    /// Follows one request from now on.
    pub fn follow(&mut self, trace: Trace) {
        self.world.trace = Some(Box::new(trace));
    }

    /// What the followed request has done.
    pub fn trace(&self) -> &[TraceLine] {
        self.world.trace.as_ref().map_or(&[], |trace| &trace.lines)
    }

    /// The same, step by step for programs.
    pub fn steps(&self) -> &[Step] {
        self.world.trace.as_ref().map_or(&[], |trace| &trace.steps)
    }

    /// Runs the trial. `stop` is asked a few hundred times whether the user has had enough; it is told the share of the
    /// simulated time that is over.
    ///
    /// # Panics
    /// When an invariant of the simulator is broken.
    pub fn run(&mut self, length: Length, stop: &mut dyn FnMut(f64) -> bool) -> TrialRecord {
        self.start();
        let end = SimTime::ZERO + length.warmup + length.measured;
        let warmup_end = SimTime::ZERO + length.warmup;
        let mut reason = Stop::Finished;
        let mut reached = end;
        if length.warmup.is_zero() {
            self.world.recorder.end_warmup(SimTime::ZERO);
        }
        for until in window_ends(length) {
            if let Some(early) = self.advance(until) {
                reason = early;
                reached = self.world.now();
                break;
            }
            self.close_window(until);
            self.world.books.iter_mut().for_each(|book| book.close_window(until));
            if until == warmup_end {
                self.end_warmup(until);
            }
            if stop(until.as_secs_f64() / end.as_secs_f64()) {
                reason = Stop::Interrupted;
                // Not the clock, which stands at the last event: the window has been closed.
                reached = until;
                break;
            }
        }
        self.finish(reason, reached)
    }

    fn start(&mut self) {
        for index in 0..self.seats.len() {
            let mut cx = Cx { world: &mut self.world, me: ComponentId::new(index) };
            self.seats[index].component.start(&mut cx);
        }
        self.schedule_faults();
    }

    /// Handles every event up to `until`; `Some` when the trial cannot go on.
    fn advance(&mut self, until: SimTime) -> Option<Stop> {
        while let Some(fired) = self.world.calendar.pop_until(until) {
            let event = fired.event;
            match event.tag() {
                tag::CALL => self.arrive(event.to(), event.call()),
                tag::REPLY => self.answer(event.to(), event.call(), event.outcome()),
                tag::RETURNED => self.come_back(event.to(), event.call(), event.sender()),
                tag::ALARM => self.ring(event, About::Nothing),
                tag::ALARM_CALL => self.ring(event, About::Call(event.call())),
                tag::ALARM_REQUEST => self.ring(event, About::Request(event.request())),
                tag::ALARM_NUMBER => self.ring(event, About::Number(event.number())),
                tag::ALARM_TURN => self.ring(event, event.turn()),
                tag::CPU => self.depart(event.machine(), Device::Cpu, fired.seq),
                tag::DISK => self.depart_from_disk(event.machine(), fired.seq),
                tag::CONTROL => {
                    let control = self.world.controls.remove(event.place());
                    self.happen(event.to(), control.expect("what was planned happens once"));
                }
                _ => self.turn_fault(event.number()),
            }
            if self.world.calls.len() > LIVE_CALLS_MAX {
                return Some(Stop::TooManyCalls);
            }
        }
        None
    }

    /// A call reaches its callee.
    #[inline]
    fn arrive(&mut self, to: ComponentId, id: CallId) {
        if let Some(number) = self.admit(to, id) {
            self.deliver(to, Signal::Call(id), number);
        }
    }

    /// A call that was handed on comes back to its router.
    #[inline(never)]
    fn come_back(&mut self, to: ComponentId, id: CallId, from: ComponentId) {
        if let Some(number) = self.admit(to, id) {
            self.deliver(to, Signal::Returned(id, from), number);
        }
    }

    /// Lets a call into a component, and says by which number the fingerprint knows it; one that is down refuses it.
    #[inline(always)]
    fn admit(&mut self, to: ComponentId, id: CallId) -> Option<u64> {
        let now = self.world.now();
        let call = self.world.calls.get_mut(id.0).expect("a call under way is alive");
        call.stage = Stage::Inside;
        call.arrived = now;
        let (ask, number) = (call.ask, call.number);
        if !self.world.infos[to.index()].answers.has(ask.verb) {
            self.world.check_ask(to, id);
        }
        if self.world.trace.is_some() {
            self.world.mark(to, id, What::Arrive);
        }
        self.world.recorder.meters[to.index()].enter(now, ask.is_check());
        match self.world.infos[to.index()].status {
            // The kernel takes the connection, as long as there is a process, even one that hangs.
            Status::Up | Status::Hung if ask.verb == Verb::Connect => self.world.reply(to, id, Outcome::Ok),
            Status::Up => return Some(number),
            Status::Hung => {}
            Status::Down => self.world.refuse(to, id),
        }
        None
    }

    /// An answer reaches the caller, if that still waits, and ends the call. A router that watches the call sees it pass.
    #[inline]
    fn answer(&mut self, to: ComponentId, id: CallId, outcome: Outcome) {
        if let Some(call) = self.world.calls.get_mut(id.0)
            && !call.abandoned
        {
            call.notes = Notes::BLANK;
            let (number, router) = (call.number, call.via);
            if call.watched && router != ComponentId::NONE {
                self.deliver(router, Signal::Passed(id, outcome), number);
            }
            if self.world.infos[to.index()].status != Status::Hung {
                self.deliver(to, Signal::Reply(id, outcome), number);
            }
        } else {
            self.world.mark(to, id, What::Forgotten);
        }
        self.world.calls.remove(id.0);
    }

    /// A timer rings, unless its component has crashed since or what it is about has ended.
    #[inline(always)]
    fn ring(&mut self, event: Packed, about: About) {
        let to = event.to();
        if event.epoch() == self.world.infos[to.index()].epoch
            && let Some(number) = self.world.number_of(about)
        {
            self.deliver(to, Signal::Alarm(Alarm { code: event.code(), about }), number);
        }
    }

    /// Something happens to a component.
    #[cold]
    fn happen(&mut self, to: ComponentId, control: Control) {
        let hung = self.world.infos[to.index()].status == Status::Hung;
        if !self.world.operate(to, control) {
            return;
        }
        if hung && control == Control::Recover {
            // The restart of a process that hangs loses the calls inside it.
            self.deliver(to, Signal::Control(Control::Crash), Control::Crash.number());
        }
        self.deliver(to, Signal::Control(control), control.number());
    }

    /// Hands a signal to its component; the fingerprint knows it by the number of its request. Inlined, so that what
    /// depends on the kind of the signal is settled where it is sent.
    #[inline(always)]
    fn deliver(&mut self, to: ComponentId, signal: Signal, number: u64) {
        let world = &mut self.world;
        let Seat { component, name_hash } = &mut self.seats[to.index()];
        world.fingerprint.add(world.now(), *name_hash, kind_of(signal), number);
        if world.trace.is_some() {
            world.tell_signal(to, signal);
        }
        let cx = &mut Cx { world, me: to };
        match signal {
            Signal::Call(id) => component.on_call(id, cx),
            Signal::Reply(id, outcome) => component.on_reply(id, outcome, cx),
            Signal::Done(id) => component.on_done(id, cx),
            Signal::Alarm(Alarm { code, about }) => component.on_alarm(code, about, cx),
            _ => component.on(signal, cx),
        }
    }

    /// The departure armed for a station has come; an event that has been replaced by an earlier one is ignored.
    #[inline(always)]
    fn depart(&mut self, machine: MachineId, device: Device, seq: u64) {
        let now = self.world.now();
        let armed = self.world.machines[machine.index()].armed(device);
        if armed.seq != seq {
            return;
        }
        armed.at = SimTime::MAX;
        let mut done = armed.station.complete(now);
        while let Some(job) = done {
            self.tell_done(job);
            let station = &mut self.world.machines[machine.index()].armed(device).station;
            let next = station.next_completion();
            if next.is_none_or(|next| next > now) {
                return self.world.arm(machine, device, next);
            }
            done = station.complete(now);
        }
        self.world.rearm(machine, device);
    }

    /// The disk is not worth another copy in the loop.
    fn depart_from_disk(&mut self, machine: MachineId, seq: u64) {
        self.depart(machine, Device::Disk, seq);
    }

    /// Tells a component that its work is done, unless what it was for has ended.
    #[inline(always)]
    fn tell_done(&mut self, Done { job, waited }: Done<Job>) {
        match job.task() {
            Task::Own(code) => {
                let alarm = Alarm { code, about: About::Nothing };
                self.deliver(job.owner(), Signal::Alarm(alarm), u64::MAX);
            }
            Task::Call(id) => {
                if let Some(call) = self.world.calls.get_mut(id.0) {
                    call.waited += waited;
                    let number = call.number;
                    self.deliver(job.owner(), Signal::Done(id), number);
                }
            }
        }
    }

    fn end_warmup(&mut self, now: SimTime) {
        self.world.recorder.end_warmup(now);
        self.world.books.iter_mut().for_each(|book| book.end_warmup(now));
        for machine in &mut self.world.machines {
            machine.end_warmup(now);
        }
    }

    fn close_window(&mut self, now: SimTime) {
        let world = &mut self.world;
        let busy: Vec<_> = world.machines.iter_mut().map(|machine| machine.window_busy(now)).collect();
        world.recorder.close_window(now, &busy);
    }
}

/// Ends of the windows of a trial; the end of the warm-up is one of them.
fn window_ends(length: Length) -> impl Iterator<Item = SimTime> {
    let total = (length.warmup + length.measured).as_nanos();
    let step = total.div_ceil(WINDOWS).max(1);
    let warmup = length.warmup.as_nanos();
    let regular = (1..=total.div_ceil(step)).map(move |n| (n * step).min(total));
    let mut ends: Vec<u64> = regular.collect();
    if warmup > 0 {
        ends.push(warmup);
        ends.sort_unstable();
        ends.dedup();
    }
    ends.into_iter().map(SimTime::from_nanos)
}

/// The number by which the fingerprint knows a kind of signal.
#[inline(always)]
fn kind_of(signal: Signal) -> u64 {
    match signal {
        Signal::Call(_) => 1,
        Signal::Reply(_, outcome) => 16 + outcome as u64,
        Signal::Done(_) => 2,
        Signal::Alarm(alarm) => 256 + u64::from(alarm.code),
        Signal::Control(_) => 3,
        Signal::Returned(..) => 4,
        Signal::Passed(..) => 5,
    }
}
