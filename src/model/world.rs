//! `World`: everything of a simulation but its components: calendar, calls, machines, network, recorder.

mod operations;
mod steps;
mod tracing;

use crate::kernel::calendar::Calendar;
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::random::{Seed, mix};
use crate::kernel::slab::Slab;
use crate::kernel::time::{SimDuration, SimTime};

use crate::queueing::station::Entered;

use super::call::{Call, Connection, Parent, Probe, Request, Stage, Wish};
use super::data::Book;
use super::event::{EPOCHS_MAX, Event, Packed};
use super::machine::{Device, Job, Machine, MachineId, Task};
use super::meter::Inside;
use super::network::{Network, Place};
use super::recorder::Recorder;
use super::signal::{About, Alarm, CallId, ComponentId, Control, Outcome, RequestId};
use super::trace::{Trace, What};
use super::troubles::Troubles;

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
}

impl Info {
    /// Timers and work of before are dead from now on.
    pub(super) fn begin_epoch(&mut self) {
        self.epoch += 1;
        assert!(self.epoch < EPOCHS_MAX, "{} has crashed 2^22 times in a trial", self.name);
    }
}

/// Everything of a simulation but its components.
pub(super) struct World {
    pub(super) seed: Seed,
    pub(super) calendar: Calendar<Packed>,
    /// What the control events of the calendar say.
    pub(super) controls: Slab<Control>,
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
    /// Behind a pointer, because it is asked for at each step and mostly not there.
    pub(super) trace: Option<Box<Trace>>,
    /// What became of the data of replicated databases; results only.
    pub(super) books: Vec<Book>,
}

impl World {
    #[inline]
    pub(super) fn now(&self) -> SimTime {
        self.calendar.now()
    }

    /// Puts an event into the calendar; never is never.
    #[inline(always)]
    pub(super) fn schedule(&mut self, at: SimTime, event: Event) {
        if at < SimTime::MAX {
            self.calendar.schedule(at, event.into());
        }
    }

    /// Sets a timer of a component, which dies with it.
    #[inline(always)]
    pub(super) fn set_alarm(&mut self, at: SimTime, to: ComponentId, alarm: Alarm) {
        let epoch = self.infos[to.index()].epoch;
        self.schedule(at, Event::Alarm { to, epoch, alarm });
    }

    /// Something will happen to a component.
    pub(super) fn set_control(&mut self, at: SimTime, to: ComponentId, control: Control) {
        if at < SimTime::MAX {
            let place = self.controls.insert(control);
            self.schedule(at, Event::Control { to, place });
        }
    }

    /// The time of a message from one component to another; `None` when it never arrives.
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

    /// The time of a message from one component to another on average.
    pub(super) fn distance(&self, from: ComponentId, to: ComponentId) -> SimDuration {
        let (from, to) = (&self.infos[from.index()], &self.infos[to.index()]);
        let together = from.machine.is_some() && from.machine == to.machine;
        if together || from.place == Place::DRIVER || to.place == Place::DRIVER {
            return SimDuration::ZERO;
        }
        self.network.base(from.place, to.place)
    }

    /// The time that a good answer of a user's request takes by its size, besides its delay. Checks and look-ups belong
    /// to no request of a user.
    fn transmission(&self, from: ComponentId, caller: ComponentId, class: u16) -> SimDuration {
        let places = (self.infos[from.index()].place, self.infos[caller.index()].place);
        self.network.transmission(places.0, places.1, self.response_bytes[usize::from(class)])
    }

    /// Puts a message about a call on its way, `None` for one that never arrives. Of that nobody is told: the caller waits
    /// until its own time limit, or until its operating system gives the connection up.
    #[inline(always)]
    fn post(&mut self, id: CallId, delay: Option<SimDuration>, message: Event) {
        match delay {
            // Asked once more, because where nothing takes time it is known from here on.
            Some(SimDuration::ZERO) => {
                self.calendar.schedule_now(message.into());
            }
            Some(delay) => self.schedule(self.now() + delay, message),
            None => self.lose(id),
        }
    }

    #[cold]
    fn lose(&mut self, id: CallId) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("a message is about a call that is alive");
        call.stage = Stage::Lost;
        let caller = call.caller;
        let answer = Event::Reply { to: caller, id, outcome: Outcome::Unavailable };
        self.schedule(now + CONNECTION_GIVEN_UP, answer);
    }

    /// One component asks another one. The kind of the parent is mostly known where this stands.
    #[inline(always)]
    pub(super) fn call(
        &mut self,
        from: ComponentId,
        parent: Parent,
        to: ComponentId,
        ordinal: u64,
    ) -> CallId {
        match parent {
            Parent::Request(request) => self.call_for_request(from, request, to, ordinal),
            Parent::Call(above) => self.call_for_call(from, above, to, ordinal),
            Parent::Number(_) | Parent::None => self.call_for_nobody(from, parent, to, ordinal),
        }
    }

    /// The call of a try, which its request notes.
    #[inline(always)]
    fn call_for_request(
        &mut self,
        from: ComponentId,
        request: RequestId,
        to: ComponentId,
        ordinal: u64,
    ) -> CallId {
        let state = self.requests.get_mut(request.0).expect("a call has a request that is under way");
        // Another attempt is another draw: a retry of an expensive query may be a cheap one.
        let key = match state.attempt {
            0 | 1 => state.key,
            attempt => mix(state.key, ATTEMPT_SALT ^ u64::from(attempt)),
        };
        let key = branch(key, ordinal);
        let &mut Request { number, client, class, user, identity, .. } = state;
        let parent = Parent::Request(request);
        let call = Call {
            key,
            number,
            identity,
            client,
            class,
            user,
            caller: from,
            callee: to,
            parent,
            ..Call::BLANK
        };
        let id = CallId(self.calls.insert(call));
        state.call = id;
        self.send(id, from, to, key);
        id
    }

    /// A call on behalf of another one, from which it has where its draws start, and whose request it serves.
    fn call_for_call(&mut self, from: ComponentId, above: CallId, to: ComponentId, ordinal: u64) -> CallId {
        let call = self.calls.get(above.0).expect("a child call has a parent that is alive");
        let &Call { key, number, identity, client, class, user, .. } = call;
        let key = branch(key, ordinal);
        let parent = Parent::Call(above);
        let call = Call {
            key,
            number,
            identity,
            client,
            class,
            user,
            caller: from,
            callee: to,
            parent,
            ..Call::BLANK
        };
        let id = CallId(self.calls.insert(call));
        self.send(id, from, to, key);
        id
    }

    /// A call that serves no request.
    fn call_for_nobody(
        &mut self,
        from: ComponentId,
        parent: Parent,
        to: ComponentId,
        ordinal: u64,
    ) -> CallId {
        let name = self.infos[from.index()].name_hash;
        let key = if let Parent::Number(number) = parent { mix(name, u64::from(number)) } else { name };
        let key = branch(key, ordinal);
        let call =
            Call { key, number: u64::MAX, client: from, caller: from, callee: to, parent, ..Call::BLANK };
        let id = CallId(self.calls.insert(call));
        self.send(id, from, to, key);
        id
    }

    /// Puts a call on its way that has just been made.
    #[inline(always)]
    fn send(&mut self, id: CallId, from: ComponentId, to: ComponentId, key: u64) {
        let delay = self.delay(from, to, key);
        if self.trace.is_some() {
            self.tell_call(id, delay);
        }
        self.post(id, delay, Event::Call { to, id });
    }

    /// Tells the trace that a call is on its way.
    #[cold]
    fn tell_call(&mut self, id: CallId, delay: Option<SimDuration>) {
        let &Call { caller, callee, client, number, parent, .. } =
            self.calls.get(id.0).expect("a call that has just been made is alive");
        self.tell(caller, client, number, |world| {
            let to = &world.infos[callee.index()];
            format!("calls {} at {}, {}", to.name, to.address, away(delay))
        });
        let parent = if let Parent::Call(parent) = parent { Some(parent) } else { None };
        self.mark(caller, id, What::Send { parent });
    }

    pub(super) fn reply(&mut self, from: ComponentId, id: CallId, outcome: Outcome) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("a call is answered once");
        assert!(call.stage == Stage::Inside && call.callee == from, "a call is answered once, by its callee");
        call.stage = Stage::Answered;
        // Only what is needed: a copy of the whole call costs more than all the rest.
        let &mut Call { caller, key, number, class, arrived, waited, probe, abandoned, .. } = call;
        if self.trace.is_some() {
            self.mark(from, id, What::Leave(Some(outcome)));
        }
        let meter = &mut self.recorder.meters[from.index()];
        if probe != Probe::None {
            meter.end_probe(now, arrived);
        } else if outcome == Outcome::Ok {
            let residence = now.since(arrived);
            meter.answer_ok(now, residence, waited);
            if !abandoned {
                self.recorder.meters[caller.index()].asked += u128::from(residence.as_nanos());
            }
        } else {
            meter.fail(now, arrived, outcome);
        }
        if abandoned {
            self.calls.remove(id.0);
            return;
        }
        let mut delay = self.delay(from, caller, key);
        if self.network.has_bandwidths() && outcome == Outcome::Ok && number != u64::MAX {
            let time = self.transmission(from, caller, class);
            delay = delay.map(|delay| delay + time);
        }
        if self.trace.is_some() {
            self.tell_answer(id, outcome, delay);
        }
        self.post(id, delay, Event::Reply { to: caller, id, outcome });
    }

    /// Tells the trace that an answer is on its way.
    #[cold]
    fn tell_answer(&mut self, id: CallId, outcome: Outcome, delay: Option<SimDuration>) {
        let &Call { caller, callee, client, number, .. } =
            self.calls.get(id.0).expect("a call lives until its answer has arrived");
        self.tell(callee, client, number, |world| {
            let caller = &world.infos[caller.index()].name;
            format!("answers {caller}: {}, {}", outcome.name(), away(delay))
        });
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
        let (key, caller, arrived) = (call.key, call.caller, call.arrived);
        self.mark(from, id, What::Leave(None));
        self.recorder.meters[from.index()].pass_on(now, arrived);
        let delay = self.delay(caller, to, key);
        self.post(id, delay, Event::Call { to, id });
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
        self.mark(component, id, What::Leave(None));
        self.recorder.meters[component.index()].fail(now, arrived, Outcome::Unavailable);
        // A driver stands where its caller does.
        let back = if self.infos[router.index()].place == Place::DRIVER { caller } else { router };
        let delay = self.delay(component, back, key);
        self.post(id, delay, Event::Returned { to: router, id, from: component });
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

    /// A request begins with its first try.
    #[inline(always)]
    pub(super) fn begin(&mut self, client: ComponentId, wish: Wish) -> RequestId {
        let issued = self.now();
        let Wish { number, key, class, user, turn, identity } = wish;
        let measured = self.recorder.issue(class, issued);
        if self.trace.is_some() {
            self.tell(client, client, number, |_| format!("request {number} is issued"));
            self.mark_request(client, number, What::Begin);
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
        }))
    }

    /// A request ends: what it was.
    #[inline(always)]
    pub(super) fn end(&mut self, id: RequestId, outcome: Outcome) -> Request {
        let now = self.now();
        // Recorded where it lies: a copy of it would go through memory.
        let request = self.requests.get(id.0).expect("a request ends once");
        self.recorder.end(request, outcome, now);
        if self.trace.is_some() {
            self.tell_end(id, outcome);
        }
        self.requests.remove(id.0).expect("a request that has just been recorded is there")
    }

    #[cold]
    fn tell_end(&mut self, id: RequestId, outcome: Outcome) {
        let &Request { client, number, issued, .. } =
            self.requests.get(id.0).expect("a request is told about before it is forgotten");
        let now = self.now();
        self.tell(client, client, number, |_| format!("ends {} after {}", outcome.name(), now.since(issued)));
        self.mark_request(client, number, What::End(outcome));
    }

    /// Checks that the accounts close with what is alive when the trial ends.
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

    pub(super) fn machine_of(&mut self, component: ComponentId) -> &mut Machine {
        let id = self.infos[component.index()].machine.expect("the component runs on a machine");
        &mut self.machines[id.index()]
    }

    #[inline(always)]
    pub(super) fn work(&mut self, owner: ComponentId, task: Task, device: Device, demand: SimDuration) {
        let now = self.now();
        let id = self.infos[owner.index()].machine.expect("the component runs on a machine");
        if self.trace.is_some() {
            self.tell_work(owner, task, device, demand);
        }
        let machine = &mut self.machines[id.index()];
        let station = &mut machine.armed(device).station;
        match station.enter(now, Job::new(owner, task), demand) {
            Entered::Started => {
                let next = station.next_completion();
                self.arm(id, device, next);
            }
            Entered::Waits => machine.note_queue(),
            Entered::Full => unreachable!("the queue of a station has no limit: calls alive are bounded"),
        }
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
        self.mark(owner, id, What::Work { device, demand });
    }

    /// Arms the completion event of a station if its next departure is earlier than the armed one.
    #[inline(always)]
    pub(super) fn rearm(&mut self, id: MachineId, device: Device) {
        let next = self.machines[id.index()].armed(device).station.next_completion();
        self.arm(id, device, next);
    }

    /// The same, when the next departure is known.
    #[inline(always)]
    pub(super) fn arm(&mut self, id: MachineId, device: Device, next: Option<SimTime>) {
        let armed = self.machines[id.index()].armed(device);
        if let Some(next) = next
            && next < armed.at
        {
            armed.at = next;
            armed.seq = self.calendar.schedule(next, Event::Departure { machine: id, device }.into());
        }
    }

    /// The queue of a component is what waits inside it and, for the host of a machine, what waits for a core.
    pub(super) fn set_waiting(&mut self, component: ComponentId, for_slots: u64, with_slots: u64) {
        let now = self.now().as_nanos();
        let meter = &mut self.recorder.meters[component.index()];
        meter.lined_up.set(now, for_slots);
        meter.queue.set(now, for_slots + with_slots);
        if let Some(id) = self.infos[component.index()].machine {
            let machine = &mut self.machines[id.index()];
            if machine.host == component {
                machine.set_beside(for_slots + with_slots);
            }
        }
    }

    /// The number that the fingerprint knows a timer by; `None` when what it is about has ended.
    #[inline(always)]
    pub(super) fn number_of(&self, about: About) -> Option<u64> {
        match about {
            About::Call(id) => self.calls.get(id.0).map(|call| call.number),
            About::Request(id) => self.requests.get(id.0).map(|request| request.number),
            About::Number(number) | About::Turn { user: number, .. } => Some(u64::from(number)),
            About::Nothing => Some(u64::MAX),
        }
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
}

/// Keeps the draws of one attempt apart from those of another.
const ATTEMPT_SALT: u64 = 0xa54f_f53a_5f1d_36f1;

/// Where the draws of one of several calls for one parent start.
#[inline]
fn branch(key: u64, ordinal: u64) -> u64 {
    if ordinal == 0 { key } else { mix(key, ordinal) }
}

/// When an operating system gives up a connection on which nothing is acknowledged: 924.6 s, Linux's `tcp_retries2` of 15
/// retransmissions [V: kernel documentation, ip-sysctl].
const CONNECTION_GIVEN_UP: SimDuration = SimDuration::from_millis(924_600);

/// How a trace tells a delay.
fn away(delay: Option<SimDuration>) -> String {
    delay.map_or_else(|| "but the message is lost".to_owned(), |delay| format!("{delay} away"))
}
