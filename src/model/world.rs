//! `World`: everything of a simulation but its components: calendar, calls, machines, network, recorder.

mod operations;

use crate::kernel::calendar::Calendar;
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::random::{Seed, mix};
use crate::kernel::slab::Slab;
use crate::kernel::time::{SimDuration, SimTime};

use super::call::{Call, Connection, Notes, Parent, Probe, Request, Stage};
use super::machine::{Device, Job, Machine, MachineId, Task};
use super::network::{Network, Place};
use super::recorder::Recorder;
use super::signal::{About, CallId, ComponentId, Outcome, RequestId, Signal};
use super::trace::Trace;
use super::troubles::Troubles;

/// What the calendar holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A signal for a component; `epoch` is that of the component when it was sent.
    Signal { to: ComponentId, epoch: u32, signal: Signal },
    /// The next departure from a station of a machine.
    Departure { machine: MachineId, device: Device },
    /// A planned fault begins or ends.
    Fault(u32),
}

// Measured beforehand: what must stay small and unboxed is the event.
const _: () = assert!(size_of::<Event>() <= 32);

/// Whether a component works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Status {
    Up,
    /// Refuses calls.
    Down,
    /// Accepts calls and never answers.
    Hung,
}

/// What the simulation knows of a component besides the component itself.
#[derive(Debug)]
pub(super) struct Info {
    pub name: String,
    pub group: String,
    pub kind: &'static str,
    pub name_hash: u64,
    /// Start of keyed draws: the hash of the group's name, so that a comparison of 1 x 16 with 4 x 4 cores sees the same
    /// customers.
    pub draw_salt: u64,
    pub machine: Option<MachineId>,
    pub place: Place,
    pub public: bool,
    /// Shown in traces.
    pub address: String,
    /// Counts crashes: timers and work of before are dead.
    pub epoch: u32,
    pub status: Status,
    /// What keeps it from working: so many crashes and hangs are not over yet.
    pub causes: u32,
    /// One half of the pair that the component is has crashed, and the other has taken over.
    pub half_down: bool,
    /// Calls that wait inside the component, beside its machine's queue.
    pub waiting: u64,
}

/// What a call has from its parent.
struct Lineage {
    key: u64,
    number: u64,
    client: ComponentId,
    class: u16,
    identity: u64,
}

/// Everything of a simulation but its components.
pub(super) struct World {
    pub(super) seed: Seed,
    pub(super) calendar: Calendar<Event>,
    pub(super) calls: Slab<Call>,
    pub(super) requests: Slab<Request>,
    pub(super) infos: Vec<Info>,
    pub(super) machines: Vec<Machine>,
    pub(super) network: Network,
    /// Size of the answers, by class.
    pub(super) response_bytes: Vec<u64>,
    pub(super) troubles: Troubles,
    pub(super) recorder: Recorder,
    pub(super) fingerprint: Fingerprint,
    pub(super) events: u64,
    pub(super) trace: Option<Trace>,
}

impl World {
    #[inline]
    pub(super) fn now(&self) -> SimTime {
        self.calendar.now()
    }

    /// Puts a signal into the calendar; never is never.
    #[inline]
    pub(super) fn send(&mut self, at: SimTime, to: ComponentId, signal: Signal) {
        if at < SimTime::MAX {
            let epoch = self.infos[to.index()].epoch;
            self.calendar.schedule(at, Event::Signal { to, epoch, signal });
        }
    }

    /// The time of a message from one component to another; `None` when it never arrives.
    #[inline]
    fn delay(&self, from: ComponentId, to: ComponentId, key: u64) -> Option<SimDuration> {
        let (sender, receiver) = (&self.infos[from.index()], &self.infos[to.index()]);
        if sender.machine.is_some() && sender.machine == receiver.machine {
            return Some(SimDuration::ZERO);
        }
        let key = key ^ receiver.name_hash;
        let delay = self.network.delay(sender.place, receiver.place, key);
        if self.troubles.is_empty() { Some(delay) } else { self.troubles.pass(from, to, key, delay) }
    }

    /// The time of a message from one component to another on average.
    pub(super) fn distance(&self, from: ComponentId, to: ComponentId) -> SimDuration {
        let (from, to) = (&self.infos[from.index()], &self.infos[to.index()]);
        if from.machine.is_some() && from.machine == to.machine {
            return SimDuration::ZERO;
        }
        self.network.base(from.place, to.place)
    }

    /// The time that the answer of a call takes by its size.
    fn transmission(&self, id: CallId, from: ComponentId, to: ComponentId) -> SimDuration {
        let call = self.calls.get(id.0).expect("an answer is of a call that is alive");
        if call.number == u64::MAX {
            // Checks and look-ups belong to no request of a user.
            return SimDuration::ZERO;
        }
        let bytes = self.response_bytes[usize::from(call.class)];
        self.network.transmission(self.infos[from.index()].place, self.infos[to.index()].place, bytes)
    }

    /// Puts a message about a call on its way. What is lost nobody is told: the caller waits until its own time limit, or
    /// until its operating system gives the connection up.
    #[inline]
    fn post(&mut self, id: CallId, from: ComponentId, to: ComponentId, key: u64, signal: Signal) {
        let now = self.now();
        if let Some(delay) = self.delay(from, to, key) {
            let mut at = now + delay;
            if self.network.has_bandwidths() && signal == Signal::Reply(id, Outcome::Ok) {
                at += self.transmission(id, from, to);
            }
            self.send(at, to, signal);
            return;
        }
        let call = self.calls.get_mut(id.0).expect("a message is about a call that is alive");
        call.stage = Stage::Lost;
        let caller = call.caller;
        self.send(now + CONNECTION_GIVEN_UP, caller, Signal::Reply(id, Outcome::Unavailable));
    }

    pub(super) fn call(
        &mut self,
        from: ComponentId,
        parent: Parent,
        to: ComponentId,
        ordinal: u64,
    ) -> CallId {
        let Lineage { key, number, client, class, identity } = self.lineage(from, parent);
        let key = if ordinal == 0 { key } else { mix(key, ordinal) };
        let call = Call {
            key,
            number,
            identity,
            client,
            caller: from,
            callee: to,
            parent,
            class,
            arrived: SimTime::ZERO,
            waited: SimDuration::ZERO,
            notes: Notes::default(),
            probe: Probe::None,
            connection: Connection::Held,
            via: None,
            answer: 0,
            stage: Stage::Travelling,
            abandoned: false,
        };
        let id = CallId(self.calls.insert(call));
        self.post(id, from, to, key, Signal::Call(id));
        id
    }

    /// What a call has from its parent.
    #[inline]
    fn lineage(&self, from: ComponentId, parent: Parent) -> Lineage {
        let orphan = |key| Lineage { key, number: u64::MAX, client: from, class: 0, identity: 0 };
        match parent {
            Parent::Call(id) => {
                let call = self.calls.get(id.0).expect("a child call has a parent that is alive");
                let &Call { key, number, client, class, identity, .. } = call;
                Lineage { key, number, client, class, identity }
            }
            Parent::Request(id) => {
                let request = self.requests.get(id.0).expect("a call has a request that is under way");
                // Another attempt is another draw: a retry of an expensive query may be a cheap one.
                let key = match request.attempt {
                    0 | 1 => request.key,
                    attempt => mix(request.key, ATTEMPT_SALT ^ u64::from(attempt)),
                };
                let &Request { number, client, class, identity, .. } = request;
                Lineage { key, number, client, class, identity }
            }
            Parent::None => orphan(self.infos[from.index()].name_hash),
            Parent::Number(number) => orphan(mix(self.infos[from.index()].name_hash, u64::from(number))),
        }
    }

    pub(super) fn reply(&mut self, from: ComponentId, id: CallId, outcome: Outcome) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("a call is answered once");
        assert!(call.stage == Stage::Inside && call.callee == from, "a call is answered once, by its callee");
        call.stage = Stage::Answered;
        let call = *call;
        let meter = &mut self.recorder.meters[from.index()];
        match call.probe {
            Probe::None => meter.answer(now, call.arrived, call.waited, outcome),
            Probe::Connect | Probe::Page => meter.end_probe(now),
        }
        if call.abandoned {
            self.calls.remove(id.0);
            return;
        }
        self.post(id, from, call.caller, call.key, Signal::Reply(id, outcome));
    }

    /// Hands a call that is inside `from` on to another component, as a proxy or a driver does that keeps no state about
    /// it: the answer goes straight to the caller.
    pub(super) fn forward(&mut self, from: ComponentId, id: CallId, to: ComponentId) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("a call is handed on before it is answered");
        assert!(
            call.stage == Stage::Inside && call.callee == from,
            "a call is handed on by the one who holds it"
        );
        call.stage = Stage::Travelling;
        call.callee = to;
        call.connection = Connection::Held;
        call.via = Some(from);
        let (key, caller) = (call.key, call.caller);
        self.recorder.meters[from.index()].pass_on(now);
        self.post(id, caller, to, key, Signal::Call(id));
    }

    /// A component that is down refuses a call: the router that has handed it on gets it back, or else its caller.
    pub(super) fn refuse(&mut self, component: ComponentId, id: CallId) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("a call that is refused is alive");
        call.connection = Connection::Refused;
        let Some(router) = call.via.take() else {
            self.reply(component, id, Outcome::Unavailable);
            return;
        };
        call.stage = Stage::Travelling;
        call.callee = router;
        let (key, arrived) = (call.key, call.arrived);
        self.recorder.meters[component.index()].answer(now, arrived, SimDuration::ZERO, Outcome::Unavailable);
        self.post(id, component, router, key, Signal::Returned(id, component));
    }

    pub(super) fn abandon(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id.0) else { return };
        if call.stage == Stage::Lost {
            self.calls.remove(id.0);
        } else {
            call.abandoned = true;
            call.parent = Parent::None;
        }
    }

    #[inline]
    pub(super) fn begin(
        &mut self,
        client: ComponentId,
        number: u64,
        key: u64,
        class: u16,
        user: u32,
    ) -> RequestId {
        let issued = self.now();
        let measured = self.recorder.issue(class, issued);
        RequestId(self.requests.insert(Request {
            client,
            class,
            attempt: 0,
            user,
            number,
            key,
            identity: 0,
            issued,
            call: CallId::NONE,
            pause: SimDuration::ZERO,
            measured,
            pausing: false,
        }))
    }

    #[inline]
    pub(super) fn end(&mut self, id: RequestId, outcome: Outcome) {
        let request = self.requests.remove(id.0).expect("a request ends once");
        let now = self.now();
        self.recorder.end(&request, outcome, now);
        if let Some(trace) = &mut self.trace
            && trace.follows(request.client, request.number)
        {
            let took = now.since(request.issued);
            trace.push(
                now,
                &self.infos[request.client.index()].name,
                format!("ends {} after {took}", outcome.name()),
            );
        }
    }

    pub(super) fn machine_of(&mut self, component: ComponentId) -> &mut Machine {
        let id = self.infos[component.index()].machine.expect("the component runs on a machine");
        &mut self.machines[id.index()]
    }

    pub(super) fn work(&mut self, owner: ComponentId, task: Task, device: Device, demand: SimDuration) {
        let now = self.now();
        let id = self.infos[owner.index()].machine.expect("the component runs on a machine");
        let armed = self.machines[id.index()].armed(device);
        let entered = armed.station.enter(now, Job { owner, task }, demand);
        assert!(entered, "the queue of a station has no limit of its own: calls alive are bounded");
        self.rearm(id, device);
    }

    /// Arms the completion event of a station if its next departure is earlier than the armed one.
    #[inline]
    pub(super) fn rearm(&mut self, id: MachineId, device: Device) {
        let machine = &mut self.machines[id.index()];
        let host = machine.host;
        let armed = machine.armed(device);
        if let Some(next) = armed.station.next_completion()
            && next < armed.at
        {
            armed.at = next;
            armed.seq = self.calendar.schedule(next, Event::Departure { machine: id, device });
        }
        if device == Device::Cpu {
            let in_queue = armed.station.waiting() as u64;
            self.update_queue(host, in_queue);
        }
    }

    pub(super) fn set_waiting(&mut self, component: ComponentId, waiting: u64) {
        let info = &mut self.infos[component.index()];
        info.waiting = waiting;
        let in_queue = match info.machine {
            Some(id) if self.machines[id.index()].host == component => {
                self.machines[id.index()].cpu.station.waiting() as u64
            }
            _ => 0,
        };
        self.update_queue(component, in_queue);
    }

    /// The queue of a component is what waits inside it and, for the host of a machine, what waits for a core.
    #[inline]
    fn update_queue(&mut self, component: ComponentId, in_station: u64) {
        let level = self.infos[component.index()].waiting + in_station;
        let queue = &mut self.recorder.meters[component.index()].queue;
        if queue.level() != level {
            queue.set(self.calendar.now().as_nanos(), level);
        }
    }

    /// The number that the fingerprint and the trace know a signal by: its request's number at the client.
    #[inline]
    pub(super) fn number_of(&self, signal: Signal) -> u64 {
        let call = match signal {
            Signal::Call(id) | Signal::Reply(id, _) | Signal::Returned(id, _) | Signal::Done(id) => id,
            Signal::Alarm(alarm) => match alarm.about {
                About::Call(id) => id,
                About::Request(id) => {
                    return self.requests.get(id.0).map_or(u64::MAX, |request| request.number);
                }
                About::Number(number) => return u64::from(number),
                About::Nothing => return u64::MAX,
            },
            Signal::Control(control) => return control.number(),
        };
        self.calls.get(call.0).map_or(u64::MAX, |call| call.number)
    }

    pub(super) fn annotate(&mut self, me: ComponentId, number: Option<u64>, text: impl FnOnce() -> String) {
        let now = self.calendar.now();
        let name = &self.infos[me.index()].name;
        if let (Some(trace), Some(number)) = (&mut self.trace, number)
            && trace.follows_number(number)
        {
            trace.push(now, name, text());
        }
    }
}

/// Keeps the draws of one attempt apart from those of another.
const ATTEMPT_SALT: u64 = 0xa54f_f53a_5f1d_36f1;

/// When an operating system gives up a connection on which nothing is acknowledged: 924.6 s, Linux's `tcp_retries2` of 15
/// retransmissions [V: kernel documentation, ip-sysctl].
const CONNECTION_GIVEN_UP: SimDuration = SimDuration::from_millis(924_600);
