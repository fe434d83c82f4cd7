//! `World`: everything of a simulation but its components: calendar, calls, machines, network, recorder.

use crate::kernel::calendar::Calendar;
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::random::{Seed, mix};
use crate::kernel::slab::Slab;
use crate::kernel::time::{SimDuration, SimTime};

use super::call::{Call, Connection, NOBODY, Notes, Parent, Probe, Request, Stage};
use super::data::Book;
use super::machine::{Device, Job, Machine, MachineId, Task};
use super::network::{Network, Place};
use super::recorder::Recorder;
use super::signal::{About, CallId, ComponentId, Control, Outcome, RequestId, Signal};
use super::trace::Trace;

/// What the calendar holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A signal for a component; `epoch` is that of the component when it was sent.
    Signal { to: ComponentId, epoch: u32, signal: Signal },
    /// The next departure from a station of a machine.
    Departure { machine: MachineId, device: Device },
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
    /// One half of the pair that the component is has crashed, and the other has taken over.
    pub half_down: bool,
    /// Calls that wait inside the component, beside its machine's queue.
    pub waiting: u64,
}

/// What a call has from its parent: where its draws start, and whose request it serves.
struct Lineage {
    key: u64,
    number: u64,
    client: ComponentId,
    class: u16,
    user: u32,
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
    pub(super) recorder: Recorder,
    pub(super) fingerprint: Fingerprint,
    pub(super) events: u64,
    pub(super) trace: Option<Trace>,
    /// What became of the data of replicated databases; results only.
    pub(super) books: Vec<Book>,
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

    /// The time of a message from one component to another.
    #[inline]
    fn delay(&self, from: ComponentId, to: ComponentId, key: u64) -> SimDuration {
        let (from, to) = (&self.infos[from.index()], &self.infos[to.index()]);
        if from.place == Place::DRIVER || to.place == Place::DRIVER {
            return SimDuration::ZERO;
        }
        if from.machine.is_some() && from.machine == to.machine {
            return SimDuration::ZERO;
        }
        self.network.delay(from.place, to.place, key ^ to.name_hash)
    }

    /// The time of a message from one component to another on average.
    pub(super) fn distance(&self, from: ComponentId, to: ComponentId) -> SimDuration {
        let (from, to) = (&self.infos[from.index()], &self.infos[to.index()]);
        let together = from.machine.is_some() && from.machine == to.machine;
        if together || from.place == Place::DRIVER || to.place == Place::DRIVER {
            return SimDuration::ZERO;
        }
        self.network.base(from.place, to.place)
    }

    pub(super) fn call(
        &mut self,
        from: ComponentId,
        parent: Parent,
        to: ComponentId,
        ordinal: u64,
    ) -> CallId {
        let Lineage { key, number, client, class, user, identity } = self.lineage(from, parent);
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
            user,
            arrived: SimTime::ZERO,
            waited: SimDuration::ZERO,
            notes: Notes::default(),
            probe: Probe::None,
            connection: Connection::Held,
            via: None,
            answer: 0,
            watched: false,
            stage: Stage::Travelling,
            abandoned: false,
        };
        let id = CallId(self.calls.insert(call));
        let delay = self.delay(from, to, key);
        self.tell(from, client, number, |world| {
            let to = &world.infos[to.index()];
            format!("calls {} at {}, {delay} away", to.name, to.address)
        });
        self.send(self.now() + delay, to, Signal::Call(id));
        id
    }

    /// What a call has from its parent.
    #[inline]
    fn lineage(&self, from: ComponentId, parent: Parent) -> Lineage {
        let orphan =
            |key| Lineage { key, number: u64::MAX, client: from, class: 0, user: NOBODY, identity: 0 };
        match parent {
            Parent::Call(id) => {
                let call = self.calls.get(id.0).expect("a child call has a parent that is alive");
                let &Call { key, number, client, class, user, identity, .. } = call;
                Lineage { key, number, client, class, user, identity }
            }
            Parent::Request(id) => {
                let request = self.requests.get(id.0).expect("a call has a request that is under way");
                // Another attempt is another draw: a retry of an expensive query may be a cheap one.
                let key = match request.attempt {
                    0 | 1 => request.key,
                    attempt => mix(request.key, ATTEMPT_SALT ^ u64::from(attempt)),
                };
                let &Request { number, client, class, user, identity, .. } = request;
                Lineage { key, number, client, class, user, identity }
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
        let delay = self.delay(from, call.caller, call.key);
        self.tell(from, call.client, call.number, |world| {
            format!("answers {}: {}, {delay} away", world.infos[call.caller.index()].name, outcome.name())
        });
        self.send(now + delay, call.caller, Signal::Reply(id, outcome));
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
        let at = now + self.delay(caller, to, key);
        self.send(at, to, Signal::Call(id));
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
        let (key, arrived, caller) = (call.key, call.arrived, call.caller);
        self.recorder.meters[component.index()].answer(now, arrived, SimDuration::ZERO, Outcome::Unavailable);
        // A driver stands where its caller does.
        let back = if self.infos[router.index()].place == Place::DRIVER { caller } else { router };
        let at = now + self.delay(component, back, key);
        self.send(at, router, Signal::Returned(id, component));
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
        self.tell(client, client, number, |_| format!("request {number} is issued"));
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
        self.tell(request.client, request.client, request.number, |_| {
            format!("ends {} after {}", outcome.name(), now.since(request.issued))
        });
    }

    pub(super) fn machine_of(&mut self, component: ComponentId) -> &mut Machine {
        let id = self.infos[component.index()].machine.expect("the component runs on a machine");
        &mut self.machines[id.index()]
    }

    pub(super) fn work(&mut self, owner: ComponentId, task: Task, device: Device, demand: SimDuration) {
        let now = self.now();
        let id = self.infos[owner.index()].machine.expect("the component runs on a machine");
        if self.trace.is_some() {
            self.tell_work(owner, task, device, demand);
        }
        let armed = self.machines[id.index()].armed(device);
        let entered = armed.station.enter(now, Job { owner, task }, demand);
        assert!(entered, "the queue of a station has no limit of its own: calls alive are bounded");
        self.rearm(id, device);
    }

    #[cold]
    fn tell_work(&mut self, owner: ComponentId, task: Task, device: Device, demand: SimDuration) {
        let Task::Call(id) = task else { return };
        let Some(call) = self.calls.get(id.0).copied() else { return };
        let on = match device {
            Device::Cpu => "the cores",
            Device::Disk => "the disk",
        };
        self.tell(owner, call.client, call.number, |_| format!("has {demand} of work for {on}"));
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
            Signal::Call(id) | Signal::Reply(id, _) | Signal::Returned(id, _) => id,
            Signal::Passed(id, _) | Signal::Done(id) => id,
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

    /// Adds a line to the trace if it follows this request.
    #[inline]
    pub(super) fn tell(
        &mut self,
        component: ComponentId,
        client: ComponentId,
        number: u64,
        text: impl FnOnce(&World) -> String,
    ) {
        if self.trace.as_ref().is_some_and(|trace| trace.follows(client, number)) {
            let text = text(self);
            let (now, name) = (self.now(), &self.infos[component.index()].name);
            if let Some(trace) = &mut self.trace {
                trace.push(now, name, text);
            }
        }
    }

    /// Takes a component down: calls inside are lost and their callers see the connection break; calls that it made are
    /// forgotten; its work and its timers are dead.
    pub(super) fn crash(&mut self, component: ComponentId) {
        let now = self.now();
        let info = &mut self.infos[component.index()];
        info.status = Status::Down;
        info.epoch += 1;
        let machine = info.machine;
        let name = info.name.clone();
        self.recorder.note(now, &name, "crash");
        self.set_waiting(component, 0);
        self.lose_calls(component);
        if let Some(id) = machine {
            for device in [Device::Cpu, Device::Disk] {
                if device == Device::Disk && self.machines[id.index()].disk.is_none() {
                    continue;
                }
                let station = &mut self.machines[id.index()].armed(device).station;
                station.remove_if(now, |job| job.owner == component);
                self.rearm(id, device);
            }
        }
    }

    fn lose_calls(&mut self, component: ComponentId) {
        let now = self.now();
        let touched: Vec<(CallId, Call)> = self
            .calls
            .iter()
            .filter(|(_, call)| call.callee == component || call.caller == component)
            .map(|(key, call)| (CallId(key), *call))
            .collect();
        for (id, call) in touched {
            if call.caller == component {
                self.abandon(id);
            }
            if call.callee == component && call.stage == Stage::Inside {
                let meter = &mut self.recorder.meters[component.index()];
                if call.probe == Probe::None {
                    meter.lose(now);
                } else {
                    meter.end_probe(now);
                }
                self.break_connection(id);
            }
        }
    }

    /// The caller of a lost call sees its connection break.
    fn break_connection(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id.0) else { return };
        call.stage = Stage::Answered;
        call.connection = Connection::Broken;
        let call = *call;
        if call.abandoned {
            self.calls.remove(id.0);
            return;
        }
        let at = self.now() + self.delay(call.callee, call.caller, call.key);
        self.send(at, call.caller, Signal::Reply(id, Outcome::Unavailable));
    }

    fn hang(&mut self, component: ComponentId) {
        let now = self.now();
        let info = &mut self.infos[component.index()];
        info.status = Status::Hung;
        let name = info.name.clone();
        self.recorder.note(now, &name, "hang");
        self.slow(component, 0.0);
    }

    /// Changes the speed of a component's machine, that is of everything that runs on it.
    fn slow(&mut self, component: ComponentId, factor: f64) {
        let now = self.now();
        let Some(id) = self.infos[component.index()].machine else { return };
        self.machines[id.index()].cpu.station.set_speed(now, factor);
        self.rearm(id, Device::Cpu);
        if factor > 0.0 {
            let name = self.infos[component.index()].name.clone();
            self.recorder.note(now, &name, if factor < 1.0 { "slow" } else { "normal speed" });
        }
    }

    pub(super) fn recover(&mut self, component: ComponentId) {
        let now = self.now();
        if self.infos[component.index()].status == Status::Hung {
            // Whoever restarts a process that hangs loses what was in it.
            self.crash(component);
            self.slow(component, 1.0);
        }
        let info = &mut self.infos[component.index()];
        info.status = Status::Up;
        let name = info.name.clone();
        self.recorder.note(now, &name, "recover");
    }

    fn take_over(&mut self, component: ComponentId) {
        let now = self.now();
        let info = &mut self.infos[component.index()];
        info.status = Status::Up;
        info.half_down = true;
        let name = info.name.clone();
        self.recorder.note(now, &name, "take over");
    }

    /// What a control does to the component before the component itself hears of it; false when it does nothing: what is
    /// down does not crash, what is up does not recover, unless one half of a pair is still down.
    pub(super) fn operate(&mut self, component: ComponentId, control: Control) -> bool {
        let info = &mut self.infos[component.index()];
        match (control, info.status) {
            (Control::Crash | Control::Hang, Status::Down) => return false,
            (Control::Recover, Status::Up) => return std::mem::take(&mut info.half_down),
            (Control::TakeOver, Status::Up | Status::Hung) => return false,
            _ => {}
        }
        match control {
            Control::TakeOver => self.take_over(component),
            Control::Crash => self.crash(component),
            Control::Recover => self.recover(component),
            Control::Hang => self.hang(component),
            Control::Slow(thousandths) => self.slow(component, f64::from(thousandths) / 1000.0),
            Control::Order(_) => {}
        }
        true
    }
}

/// Keeps the draws of one attempt apart from those of another.
const ATTEMPT_SALT: u64 = 0xa54f_f53a_5f1d_36f1;
