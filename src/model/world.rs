//! `World`: everything in a simulation except its components: calendar, calls, machines, network, recorder.

mod calls;
mod fleets;
mod handshakes;
mod knocks;
mod listen;
mod operations;
mod pauses;
mod resends;
mod stations;
mod steps;
mod watching;

use crate::kernel::calendar::Calendar;
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::random::Seed;
use crate::kernel::slab::Slab;
use crate::kernel::time::{SimDuration, SimTime};

use super::addresses::Addresses;
use super::ask::Verbs;
use super::call::{Call, Request, Stage, Wish};
use super::commits::Commits;
use super::event::{EPOCHS_MAX, Event, Packed};
use super::fleet::{Backlog, Running};
use super::keys::Keys;
use super::ledger::Ledgers;
use super::line::Keep;
use super::listen::Listen;
use super::luggage::Luggage;
use super::machine::{Machine, MachineId};
use super::meter::Inside;
use super::network::{Network, Place};
use super::purge::Purge;
use super::recorder::Recorder;
use super::signal::{About, Alarm, CallId, ComponentId, Control, Outcome, RequestId};
use super::trace::{Ended, Trace, What};
use super::troubles::Troubles;

pub(super) use knocks::CONNECT_GIVEN_UP;
pub(super) use listen::LISTEN;

/// The state of a component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    Up,
    /// The process is dead: its machine refuses calls.
    Down,
    /// The machine has no power: it is silent.
    Silent,
    /// Accepts calls and never answers.
    Hung,
    /// It works for the calls inside, and refuses new ones: it is about to stop.
    Closing,
    /// Its machine stands still: what comes to it waits until it goes on.
    Paused,
}

/// What the simulation stores about a component, apart from the component itself.
#[derive(Debug)]
pub(super) struct Info {
    pub name: String,
    pub group: String,
    pub kind: &'static str,
    /// What it answers.
    pub answers: Verbs,
    pub name_hash: u64,
    /// The salt of keyed draws: the hash of the group's name, so that 1 x 16 and 4 x 4 cores get the same customers in
    /// a comparison.
    pub draw_salt: u64,
    pub machine: Option<MachineId>,
    pub place: Place,
    pub public: bool,
    /// Shown in traces.
    pub address: String,
    /// Number of crashes. Timers and work from before a crash are invalid.
    pub epoch: u32,
    pub status: Status,
    /// What its status will be when its machine goes on; `None` while the machine does not stand still.
    pub asleep: Option<Status>,
    /// Number of pauses that its machine is in.
    pub pauses: u32,
    /// Number of crashes, hangs and power failures that keep it from working now.
    pub causes: u32,
    /// Number of hangs that a kill has ended before their time.
    pub freed: u32,
    /// Number of power failures among them.
    pub dark: u32,
    /// The connections that its kernel keeps for its process.
    pub listen: Listen,
    /// Number of connections for which the listen queue of a process that hangs has room.
    pub room: u64,
    /// Longest time for which it waits for a connection to another component.
    pub patience: SimDuration,
    /// How long it keeps connections to it.
    pub keep: Keep,
    /// Number of times that it was taken down, each of which closes its connections.
    pub falls: u32,
    /// Number of times that it lost its power, of which nobody was told.
    pub blackouts: u32,
    /// Whether one half of the pair has crashed and the other has taken over.
    pub half_down: bool,
    /// Number of checks that it has made.
    pub checks: u64,
    /// Whether it has no machine now: a member of a fleet that is off or boots.
    pub is_off: bool,
    /// Number of faults that are not over and hit a machine which has been replaced since.
    pub replaced: u32,
    /// Of a queue: what waits in it.
    pub backlog: Backlog,
    /// When its process ceased to work the last time.
    pub fell: SimTime,
}

impl Info {
    /// The state of the process, whether its machine stands still or not.
    pub(super) fn process(&self) -> Status {
        self.asleep.unwrap_or(self.status)
    }

    /// Whether a message can leave its machine: it has power and does not stand still.
    pub(super) fn can_speak(&self) -> bool {
        !matches!(self.status, Status::Silent | Status::Paused)
    }

    /// Changes the state of the process.
    fn set_process(&mut self, status: Status) {
        *self.asleep.as_mut().unwrap_or(&mut self.status) = status;
    }

    /// Makes all earlier timers and work invalid.
    pub(super) fn begin_epoch(&mut self) {
        self.epoch += 1;
        assert!(self.epoch < EPOCHS_MAX, "{} has crashed 2^22 times in a trial", self.name);
    }
}

/// Everything in a simulation except its components.
pub(super) struct World {
    pub(super) seed: Seed,
    pub(super) calendar: Calendar<Packed>,
    /// The content of the control events in the calendar.
    pub(super) controls: Slab<Control>,
    pub(super) calls: Slab<Call>,
    /// What few of the calls carry.
    pub(super) luggage: Luggage,
    pub(super) requests: Slab<Request>,
    pub(super) infos: Vec<Info>,
    pub(super) machines: Vec<Machine>,
    pub(super) network: Network,
    /// The answers of name servers.
    pub(super) addresses: Addresses,
    /// The keys that requests ask for.
    pub(super) keys: Keys,
    /// Size of the answers, by class.
    pub(super) response_bytes: Vec<u64>,
    /// By class: the rank of its calls; empty where all are of the same.
    pub(super) ranks: Box<[u8]>,
    pub(super) troubles: Troubles,
    /// Events for components whose machines stand still, in the order of their times.
    pub(super) held: Vec<Packed>,
    pub(super) recorder: Recorder,
    pub(super) fingerprint: Fingerprint,
    /// Behind a pointer, because it is checked at each step and mostly absent.
    pub(super) trace: Option<Box<Trace>>,
    /// What the members of a box write down together; results only.
    pub(super) ledgers: Ledgers,
    /// The groups whose members come and go.
    pub(super) fleets: Vec<Running>,
    /// Which values that boxes keep are old; results only.
    pub(super) commits: Commits,
    /// What operators empty.
    pub(super) purges: Vec<Purge>,
    /// Whether faults are planned.
    pub(super) has_faults: bool,
}

impl World {
    #[inline]
    pub(super) fn now(&self) -> SimTime {
        self.calendar.now()
    }

    /// Schedules an event; [`SimTime::MAX`] means never.
    #[inline(always)]
    pub(super) fn schedule(&mut self, at: SimTime, event: Event) {
        if at < SimTime::MAX {
            self.calendar.schedule(at, event.into());
        }
    }

    /// Sets a timer of a component; a crash makes it invalid.
    #[inline(always)]
    pub(super) fn set_alarm(&mut self, at: SimTime, to: ComponentId, alarm: Alarm) {
        let epoch = self.infos[to.index()].epoch;
        self.schedule(at, Event::Alarm { to, epoch, alarm });
    }

    /// Schedules an operation on a component.
    pub(super) fn set_control(&mut self, at: SimTime, to: ComponentId, control: Control) {
        if at < SimTime::MAX {
            let place = self.controls.insert(control);
            self.schedule(at, Event::Control { to, place });
        }
    }

    /// The time that a message from one component to another takes; `None` if it never arrives.
    #[inline(always)]
    fn delay(&self, from: ComponentId, to: ComponentId, key: u64) -> Option<SimDuration> {
        if self.network.is_instant() && self.troubles.is_empty() {
            return Some(SimDuration::ZERO);
        }
        let (sender, receiver) = (&self.infos[from.index()], &self.infos[to.index()]);
        let base = self.network.base(sender.place, receiver.place);
        if base.is_zero() && self.troubles.is_empty() {
            return Some(SimDuration::ZERO);
        }
        if sender.place == Place::DRIVER || receiver.place == Place::DRIVER {
            return Some(SimDuration::ZERO);
        }
        if sender.machine.is_some() && sender.machine == receiver.machine {
            return Some(SimDuration::ZERO);
        }
        let key = key ^ receiver.name_hash;
        let delay = self.network.jittered(base, key);
        if self.troubles.is_empty() { Some(delay) } else { self.troubles.pass(from, to, key, delay) }
    }

    /// Mean time that a message from one component to another takes.
    pub(super) fn distance(&self, from: ComponentId, to: ComponentId) -> SimDuration {
        let (from, to) = (&self.infos[from.index()], &self.infos[to.index()]);
        let together = from.machine.is_some() && from.machine == to.machine;
        if together || from.place == Place::DRIVER || to.place == Place::DRIVER {
            return SimDuration::ZERO;
        }
        self.network.base(from.place, to.place)
    }

    /// Time that an answer with outcome ok takes in addition to its delay, because of its size and of the answers that its
    /// link has still to send. Only for calls that serve a user's request; checks and name lookups do not.
    fn transmission(&mut self, from: ComponentId, caller: ComponentId, class: u16) -> SimDuration {
        let places = (self.infos[from.index()].place, self.infos[caller.index()].place);
        let (bytes, now) = (self.response_bytes[usize::from(class)], self.now());
        self.network.transmission(places.0, places.1, bytes, now)
    }

    /// The same for the answer to a call, if it is one that a link has to send.
    fn transmission_of_answer(
        &mut self,
        from: ComponentId,
        to: ComponentId,
        class: u16,
        number: u64,
        outcome: Outcome,
    ) -> SimDuration {
        if outcome == Outcome::Ok && number != u64::MAX && self.network.has_bandwidths() {
            self.transmission(from, to, class)
        } else {
            SimDuration::ZERO
        }
    }

    /// Sends a message about a call, with its delay. A message without a delay is lost, and neither side is notified: the kernel of its
    /// sender sends it again.
    #[inline(always)]
    fn post(&mut self, id: CallId, delay: Option<SimDuration>, message: Event) {
        match delay {
            // Checked again, because without any delay the compiler knows the result here.
            Some(SimDuration::ZERO) => {
                self.calendar.schedule_now(message.into());
            }
            Some(delay) => self.schedule(self.now() + delay, message),
            None => self.meet_silence(id, message),
        }
    }

    /// A message about a call does not come through.
    #[cold]
    fn meet_silence(&mut self, id: CallId, message: Event) {
        match message {
            Event::Call { .. } => self.knock_later(id, SimDuration::ZERO),
            Event::Reply { outcome, .. } => self.keep_answer(id, outcome),
            _ => self.lose(id),
        }
    }

    /// Begins a request.
    #[inline(always)]
    pub(super) fn begin(&mut self, client: ComponentId, wish: Wish) -> RequestId {
        let issued = self.now();
        let Wish { number, key, class, user, turn, identity } = wish;
        let measured = self.recorder.issue(class, issued);
        if self.trace.is_some() {
            self.tell_begin(client, number);
        }
        RequestId(self.requests.insert(Request {
            client,
            class,
            attempt: 1,
            user,
            turn,
            number,
            key,
            identity,
            issued,
            call: CallId::NONE,
            pause: SimDuration::ZERO,
            measured,
            pausing: false,
            asked: 0,
            list: u32::MAX,
        }))
    }

    /// Ends a request and returns it.
    #[inline(always)]
    pub(super) fn end(&mut self, id: RequestId, outcome: Outcome) -> Request {
        let now = self.now();
        // Recorded in place, to avoid a copy.
        let request = self.requests.get(id.0).expect("a request ends once");
        self.recorder.end(request, outcome, now);
        if self.trace.is_some() {
            self.tell_end(id, outcome);
        }
        self.requests.remove(id.0).expect("a request that has just been recorded is there")
    }

    #[cold]
    fn tell_begin(&mut self, client: ComponentId, number: u64) {
        let now = self.now();
        if let Some(trace) = &mut self.trace {
            trace.begin(client, number, now);
        }
        self.tell(client, client, number, |_| format!("request {number} is issued"));
        self.mark_request(client, number, What::Begin);
    }

    #[cold]
    fn tell_end(&mut self, id: RequestId, outcome: Outcome) {
        let &Request { client, number, issued, class, .. } =
            self.requests.get(id.0).expect("a request is told about before it is forgotten");
        let now = self.now();
        if let Some(trace) = &mut self.trace {
            trace.end(Ended { client, number, class, issued, lasted: now.since(issued), outcome });
        }
        self.tell(client, client, number, |_| format!("ends {} after {}", outcome.name(), now.since(issued)));
        self.mark_request(client, number, What::End(outcome));
    }

    /// Checks the ledgers against the requests and calls that are alive at the end of the trial.
    pub(super) fn audit(&self, now: SimTime) {
        let mut alive = vec![0; self.response_bytes.len()];
        for (_, request) in self.requests.iter() {
            alive[usize::from(request.class)] += 1;
        }
        let mut inside = vec![Inside::default(); self.infos.len()];
        for (_, call) in self.calls.iter().filter(|(_, call)| call.stage == Stage::Inside) {
            let here = &mut inside[call.callee.index()];
            here.calls += 1;
            here.residences += u128::from(now.since(call.arrived).as_nanos());
        }
        self.recorder.audit(now, &alive, &inside);
    }

    /// The number that stands for a timer in the fingerprint; `None` if what it is about has ended.
    #[inline(always)]
    pub(super) fn number_of(&self, about: About) -> Option<u64> {
        match about {
            About::Call(id) => self.calls.get(id.0).map(|call| call.number),
            About::Request(id) => self.requests.get(id.0).map(|request| request.number),
            About::Number(number) | About::Turn { user: number, .. } => Some(u64::from(number)),
            About::Nothing => Some(u64::MAX),
        }
    }

    /// Adds a line to the trace if this request is traced.
    #[inline]
    pub(super) fn tell(
        &mut self,
        component: ComponentId,
        client: ComponentId,
        number: u64,
        text: impl FnOnce(&World) -> String,
    ) {
        if self.trace.as_ref().is_some_and(|trace| trace.tells(client, number)) {
            let text = text(self);
            let (now, name) = (self.now(), &self.infos[component.index()].name);
            if let Some(trace) = &mut self.trace {
                trace.push(now, name, text);
            }
        }
    }
}
