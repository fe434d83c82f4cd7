//! `World`: everything of a simulation but its components: calendar, calls, machines, network, recorder.

mod calls;
mod operations;
mod stations;
mod steps;
mod tracing;

use crate::kernel::calendar::Calendar;
use crate::kernel::fingerprint::Fingerprint;
use crate::kernel::random::Seed;
use crate::kernel::slab::Slab;
use crate::kernel::time::{SimDuration, SimTime};

use super::ask::Verbs;
use super::call::{Call, Request, Stage, Wish};
use super::data::Book;
use super::event::{EPOCHS_MAX, Event, Packed};
use super::keys::Keys;
use super::machine::{Machine, MachineId};
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
    /// What it answers.
    pub answers: Verbs,
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
    /// Number of crashes and hangs that are not over yet; the component works if it is zero.
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
    /// The keys that requests ask for.
    pub(super) keys: Keys,
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

/// When an operating system gives up a connection on which nothing is acknowledged: 924.6 s, Linux's `tcp_retries2` of 15
/// retransmissions [V: kernel documentation, ip-sysctl].
const CONNECTION_GIVEN_UP: SimDuration = SimDuration::from_millis(924_600);
