//! `Simulation`: the loop, the stop rules and the end of a trial.

mod arriving;
mod closing;
mod deploy;
mod fleets;
mod length;
mod operations;
mod purges;

use crate::kernel::calendar::Calendar;
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::random::{Seed, name_hash};
use crate::kernel::slab::Slab;
use crate::kernel::time::SimTime;
use crate::queueing::station::Done;

use length::window_ends;
pub use length::{Length, WINDOWS};

use super::address;
use super::addresses::Addresses;
use super::ask::Verbs;
use super::call::{Awaited, Call, Notes, Request, Stage};
use super::class::{RequestClass, priorities};
use super::commits::Commits;
use super::component::{Component, Cx};
use super::event::{COMPONENTS_MAX, Event, Packed, tag};
use super::faults::Planned;
use super::fleet::Backlog;
use super::gauge::Gauge;
use super::hardware::MachineSpec;
use super::keys::Keys;
use super::ledger::Ledgers;
use super::line::Keep;
use super::luggage::Luggage;
use super::machine::{Device, Job, Machine, MachineId, Task};
use super::network::{Link, Network, NetworkSettings, Place};
use super::part::Part;
use super::record::{Stop, TrialRecord};
use super::recorder::Recorder;
use super::signal::{About, Alarm, CallId, ComponentId, Control, Outcome, Signal};
use super::trace::{Ended, Step, Trace, TraceLine, What};
use super::troubles::Troubles;
use super::world::{CONNECT_GIVEN_UP, Info, LISTEN, Status, World};

/// Events after which a trial asks whether the user has interrupted it: some tenths of a second of work.
const EVENTS_UNASKED: u32 = 1 << 20;

/// How far the loop has come.
enum Advance {
    /// All events up to the time that was asked for are handled.
    Until,
    /// As many events as may be handled in one go.
    Paused,
    /// The trial cannot go on.
    Stopped(Stop),
}

/// Largest number of calls alive at the same time. Above it a trial stops, because a queue grows without end.
pub const LIVE_CALLS_MAX: usize = 4_000_000;

/// A component to be added to a simulation.
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
    /// Its place.
    pub place: Place,
    /// Whether it has a public address.
    pub public: bool,
    /// The hardware that it runs on.
    pub hardware: Hardware<'a>,
    /// The box itself.
    pub component: Box<dyn Component>,
}

/// The hardware that a component runs on.
#[derive(Clone, Copy, Debug)]
pub enum Hardware<'a> {
    /// None that is modelled: clients, DNS.
    None,
    /// A machine of its own.
    Own(&'a MachineSpec),
    /// The machine of a component that was added before.
    Shared(ComponentId),
}

/// One trial: components, and the world that they act on.
pub struct Simulation {
    seats: Vec<Seat>,
    world: World,
    faults: Vec<Planned>,
    /// Number of windows of the series.
    windows: u64,
    /// The use of the machines in the window that is being closed: kept, so that no window allocates it.
    busy: Vec<(usize, u128, u32)>,
}

/// A component, with the one value that each delivery needs.
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
            luggage: Luggage::default(),
            requests: Slab::new(Request::BLANK),
            infos: Vec::new(),
            machines: Vec::new(),
            network: Network::new(network),
            keys: Keys::new(classes),
            response_bytes,
            ranks: priorities(classes).into(),
            troubles: Troubles::default(),
            held: Vec::new(),
            addresses: Addresses::default(),
            recorder: Recorder::new(&deadlines),
            fingerprint: Fingerprint::new(),
            trace: None,
            ledgers: Ledgers::default(),
            fleets: Vec::new(),
            purges: Vec::new(),
            has_faults: false,
            commits: Commits::default(),
        };
        Simulation { seats: Vec::new(), world, faults: Vec::new(), windows: WINDOWS, busy: Vec::new() }
    }

    /// Adds a component and returns its id. Ids count from 0 in the order of adding.
    ///
    /// # Panics
    /// If there are 2^20 components already.
    pub fn add(&mut self, member: Member<'_>) -> ComponentId {
        assert!(self.seats.len() < COMPONENTS_MAX, "a simulation has at most 2^20 components");
        let id = ComponentId::new(self.seats.len());
        let machine = match member.hardware {
            Hardware::None => None,
            Hardware::Shared(host) => self.world.infos[host.index()].machine,
            Hardware::Own(spec) => {
                let machine = MachineId::new(self.world.machines.len());
                self.world.machines.push(Machine::new(id, spec));
                self.world.grant(machine, spec, member.name);
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
            asleep: None,
            pauses: 0,
            causes: 0,
            freed: 0,
            dark: 0,
            listen: LISTEN,
            room: 0,
            patience: CONNECT_GIVEN_UP,
            keep: Keep::ALL,
            falls: 0,
            blackouts: 0,
            half_down: false,
            checks: 0,
            is_off: false,
            replaced: 0,
            backlog: Backlog::default(),
            fell: SimTime::ZERO,
        });
        self.world.recorder.add_component(member.gauges);
        self.seats.push(Seat { component: member.component, name_hash: name_hash(member.name) });
        id
    }

    /// Adds a place, with its links to each earlier place and to itself. The internet and one zone exist from the start.
    pub fn add_place(&mut self, links: &[Link]) -> Place {
        self.world.network.add_place(links)
    }

    /// Measures a part of the time separately.
    pub fn watch(&mut self, part: Part) {
        self.world.recorder.watch(part);
    }

    /// Keeps a series of about this many windows, in place of [`WINDOWS`]; at least 1. Each window costs time.
    pub fn in_windows(&mut self, windows: u64) {
        self.windows = windows;
    }

    /// Traces one request, or a sample of requests, from now on.
    pub fn follow(&mut self, trace: Trace) {
        self.world.trace = Some(Box::new(trace));
    }

    /// How requests ended, if the trace was asked for that.
    pub fn ends(&self) -> &[Ended] {
        self.world.trace.as_ref().map_or(&[], |trace| &trace.ends)
    }

    /// The events of the traced request, as text; empty for a sample.
    pub fn trace(&self) -> &[TraceLine] {
        self.world.trace.as_ref().map_or(&[], |trace| &trace.lines)
    }

    /// The events of the traced requests, for programs.
    pub fn steps(&self) -> &[Step] {
        self.world.trace.as_ref().map_or(&[], |trace| &trace.steps)
    }

    /// Runs the trial. `stop` is called a few hundred times, and after every `EVENTS_UNASKED` events, with the share of
    /// the simulated time that has passed; it returns whether to stop.
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
        for until in window_ends(length, self.windows) {
            let share = until.as_secs_f64() / end.as_secs_f64();
            if let Some(early) = self.advance_or_stop(until, &mut || stop(share)) {
                reason = early;
                reached = self.world.now();
                break;
            }
            self.close_window(until);
            self.world.ledgers.close_window(until);
            if until == warmup_end {
                self.end_warmup(until);
            }
            if stop(share) {
                reason = Stop::Interrupted;
                // Not the time of the last event, because the window has been closed.
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
        self.start_fleets();
        self.schedule_purges();
        self.schedule_faults();
    }

    /// Handles every event up to `until`, and asks now and then whether to stop. Returns the reason if the trial must stop.
    fn advance_or_stop(&mut self, until: SimTime, stop: &mut dyn FnMut() -> bool) -> Option<Stop> {
        loop {
            match self.advance(until) {
                Advance::Until => return None,
                Advance::Stopped(reason) => return Some(reason),
                Advance::Paused if stop() => return Some(Stop::Interrupted),
                Advance::Paused => {}
            }
        }
    }

    /// Handles every event up to `until`, [`EVENTS_UNASKED`] at most.
    fn advance(&mut self, until: SimTime) -> Advance {
        for _ in 0..EVENTS_UNASKED {
            let Some(fired) = self.world.calendar.pop_until(until) else {
                let stands_still = self.world.calendar.stands_still();
                return if stands_still { Advance::Stopped(Stop::Standstill) } else { Advance::Until };
            };
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
                tag::KNOCK => self.knock(event),
                tag::RESEND => self.world.resend(event.to(), event.call(), event.outcome()),
                tag::CANCEL => self.cancel(event.call()),
                tag::CPU => self.depart(event.machine(), Device::Cpu, fired.seq),
                tag::DISK => self.depart_from_disk(event.machine(), fired.seq),
                tag::QUOTA => self.turn_quota(event.machine(), fired.seq),
                tag::CONTROL => {
                    self.happen_as_planned(event);
                }
                _ => self.turn_fault(event.number()),
            }
            if self.world.calls.len() > LIVE_CALLS_MAX {
                return Advance::Stopped(Stop::TooManyCalls);
            }
        }
        Advance::Paused
    }

    /// Tells the component that has a call that the caller waits no longer. Nobody hears it if the call has been answered meanwhile.
    #[cold]
    fn cancel(&mut self, id: CallId) {
        let Some(&Call { callee, stage: Stage::Inside, number, .. }) = self.world.calls.get(id.0) else {
            return;
        };
        match self.world.infos[callee.index()].status {
            Status::Up | Status::Closing => self.deliver(callee, Signal::Cancelled(id), number),
            Status::Paused => self.world.hold(Event::Cancel { to: callee, id }),
            Status::Hung | Status::Down | Status::Silent => {}
        }
    }

    /// Delivers an answer to the caller if it still waits, and ends the call. A router that watches the call sees the
    /// answer pass.
    #[inline]
    fn answer(&mut self, to: ComponentId, id: CallId, outcome: Outcome) {
        let status = self.world.infos[to.index()].status;
        if status == Status::Paused {
            return self.world.hold(Event::Reply { to, id, outcome });
        }
        if let Some(call) = self.world.calls.get_mut(id.0)
            && call.awaited == Awaited::Yes
        {
            call.notes = Notes::BLANK;
            let (number, router) = (call.number, call.via);
            if outcome != Outcome::Ok {
                self.world.fail_above(id);
            }
            let call = self.world.calls.get(id.0).expect("it is alive still");
            if call.watched && router != ComponentId::NONE {
                self.deliver(router, Signal::Passed(id, outcome), number);
            }
            if status != Status::Hung {
                self.deliver(to, Signal::Reply(id, outcome), number);
            }
        } else {
            self.world.mark(to, id, What::Forgotten);
        }
        self.world.calls.remove(id.0);
    }

    /// Delivers a timer, unless its component has crashed since, or what it is about has ended.
    #[inline(always)]
    fn ring(&mut self, event: Packed, about: About) {
        let to = event.to();
        let info = &self.world.infos[to.index()];
        if event.epoch() != info.epoch {
            return;
        }
        if info.status == Status::Paused {
            let alarm = Alarm { code: event.code(), about };
            return self.world.hold(Event::Alarm { to, epoch: event.epoch(), alarm });
        }
        if let Some(number) = self.world.number_of(about) {
            self.deliver(to, Signal::Alarm(Alarm { code: event.code(), about }), number);
        }
    }

    /// Delivers a signal to its component; `number` stands for it in the fingerprint. Inlined, so that the kind of the
    /// signal is known at compile time.
    #[inline(always)]
    fn deliver(&mut self, to: ComponentId, signal: Signal, number: u64) {
        let world = &mut self.world;
        let Seat { component, name_hash } = &mut self.seats[to.index()];
        world.fingerprint.add(world.now(), *name_hash, signal.kind(), number);
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

    /// Handles the completion event of a station. An event that was replaced by an earlier one is ignored.
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

    /// The same for a disk, as a function of its own: a disk is too rare to be inlined into the loop.
    fn depart_from_disk(&mut self, machine: MachineId, seq: u64) {
        self.depart(machine, Device::Disk, seq);
    }

    /// Notifies a component that its work is done, unless what the work was for has ended.
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
        self.world.ledgers.end_warmup(now);
        for fault in &mut self.faults {
            fault.times = u64::from(fault.active);
        }
        for machine in &mut self.world.machines {
            machine.end_warmup(now);
        }
    }
}
