//! `Component`, the one trait that every box of the diagram implements, and `Cx`, everything that a component may do.

mod carried;
mod fleet;
mod kept;
mod opened;
mod watching;

use crate::kernel::random::{KeyedRng, Stream, mix};
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;

use super::ask::Ask;
use super::call::{Call, Origin, Parent, Request, Wish};
use super::gauge::GaugeId;
use super::ledger::{Ledger, LedgerId};
use super::listen::Listen;
use super::machine::{Device, Task};
use super::signal::{About, Alarm, CallId, ComponentId, Control, Outcome, RequestId, Signal};
use super::trace::What;
use super::world::{Status, World};

/// A member of a box. It sees signals and its own state, never the state of another component.
pub trait Component: Send {
    /// Called once at time zero, before any signal.
    fn start(&mut self, _cx: &mut Cx<'_>) {}

    /// Reacts to a signal.
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>);

    // The frequent kinds of signal have functions of their own. The kind is then known at compile time; a `Signal`
    // would be written to memory, read back and matched at each delivery.

    /// Reacts to a call that has arrived.
    fn on_call(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.on(Signal::Call(call), cx);
    }

    /// Reacts to an answer.
    fn on_reply(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        self.on(Signal::Reply(call, outcome), cx);
    }

    /// Reacts to the end of its work for a call.
    fn on_done(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.on(Signal::Done(call), cx);
    }

    /// Reacts to a timer.
    fn on_alarm(&mut self, code: u16, about: About, cx: &mut Cx<'_>) {
        self.on(Signal::Alarm(Alarm { code, about }), cx);
    }
}

/// Everything that a component may do while it reacts to a signal.
pub struct Cx<'a> {
    pub(super) world: &'a mut World,
    pub(super) me: ComponentId,
}

impl Cx<'_> {
    /// The simulated time.
    #[inline]
    pub fn now(&self) -> SimTime {
        self.world.now()
    }

    /// The component itself.
    #[inline]
    pub fn me(&self) -> ComponentId {
        self.me
    }

    /// Name of a component.
    pub fn name(&self, component: ComponentId) -> &str {
        &self.world.infos[component.index()].name
    }

    /// Its address: in 203.0.113.0/24 if it is public, otherwise in 10.0.0.0/16.
    pub fn address(&self, component: ComponentId) -> &str {
        &self.world.infos[component.index()].address
    }

    /// Name of the box, the same for all members of a group.
    pub fn group(&self) -> &str {
        &self.world.infos[self.me.index()].group
    }

    // Calls ---------------------------------------------------------------------------------------------------------

    /// Asks `to` for work on behalf of `parent`. The `ordinal` tells several calls for one parent apart: their draws
    /// differ. Ordinal 0 hands the parent's draws on unchanged, and what it asks for, as a balancer does.
    #[inline]
    pub fn call(&mut self, parent: Parent, to: ComponentId, ordinal: u64) -> CallId {
        let ask = match parent {
            Parent::Call(above) if ordinal == 0 => self.get(above).ask,
            _ => Ask::WORK,
        };
        self.ask(parent, to, ordinal, ask)
    }

    /// Asks `to` for what `ask` says on behalf of `parent`, with an ordinal as in [`Cx::call`].
    #[inline]
    pub fn ask(&mut self, parent: Parent, to: ComponentId, ordinal: u64, ask: Ask) -> CallId {
        self.world.call(self.me, parent, to, ordinal, ask)
    }

    /// Asks `to` on behalf of a request whose own call may have ended. The answer comes as the reply of a call whose parent is
    /// `number`. The `ordinal` tells several asks for one origin apart, as in [`Cx::call`].
    pub fn ask_for(
        &mut self,
        origin: Origin,
        number: u32,
        to: ComponentId,
        ordinal: u64,
        ask: Ask,
    ) -> CallId {
        self.world.call_on_behalf(self.me, origin, Parent::Number(number), to, ordinal, ask)
    }

    /// Returns the key of the data, from 0, for an ask with this `ordinal` on behalf of `call`. It is drawn from the keys of
    /// the request's class. Each draw for one ordinal gives the same key, at any box and in each try of the request.
    #[inline]
    pub fn data_key(&self, call: CallId, ordinal: u64) -> u32 {
        self.world.data_key(call, ordinal)
    }

    /// Answers a call that is inside this component.
    ///
    /// # Panics
    /// If the call is not inside, because it has been answered before.
    #[inline]
    pub fn reply(&mut self, call: CallId, outcome: Outcome) {
        self.world.reply(self.me, call, outcome);
    }

    /// Refuses a call that is inside this component, as a component that is down does. The router that forwarded it
    /// gets it back; without a router, its caller gets the answer `Unavailable`.
    ///
    /// # Panics
    /// If the call is not inside.
    pub fn decline(&mut self, call: CallId) {
        self.world.refuse(self.me, call);
    }

    /// Forwards a call that is inside this component to another one, whose answer goes directly to the caller. If that
    /// component refuses the call, it comes back as [`Signal::Returned`].
    ///
    /// # Panics
    /// If the call is not inside.
    #[inline]
    pub fn forward(&mut self, call: CallId, to: ComponentId) {
        self.world.forward(self.me, call, to);
    }

    /// Describes the listen queue of this component, in place of one of 4096 connections. To be called once, in `start`.
    pub fn listen(&mut self, listen: Listen) {
        self.world.infos[self.me.index()].listen = listen;
    }

    /// The kernel drops the attempt to connect of a call that comes to this component just now. The caller's kernel tries again.
    pub fn drop_attempt(&mut self, call: CallId) {
        self.world.drop_attempt(self.me, call);
    }

    /// Sets the longest wait of this component for a connection, in place of Linux's 131 s: a call without one by then fails as
    /// [`Outcome::TimedOut`], with a connection that counts as refused. To be called once, in `start`.
    pub fn limit_connecting(&mut self, patience: SimDuration) {
        self.world.infos[self.me.index()].patience = patience;
    }

    /// Stops waiting for the answer of a call that this component made. The callee is not told: it goes on working, and
    /// its reply is ignored.
    pub fn abandon(&mut self, call: CallId) {
        self.world.abandon(call);
    }

    /// A call that is alive; `None` once it has ended.
    #[inline]
    pub fn find(&self, call: CallId) -> Option<&Call> {
        self.world.calls.get(call.0)
    }

    /// A call that must be alive.
    ///
    /// # Panics
    /// If it has ended.
    #[inline(always)]
    pub fn get(&self, call: CallId) -> &Call {
        self.find(call).expect("a component asks only for calls that it holds")
    }

    /// A call that must be alive, to change its notes.
    ///
    /// # Panics
    /// If it has ended.
    #[inline(always)]
    pub fn get_mut(&mut self, call: CallId) -> &mut Call {
        self.world.calls.get_mut(call.0).expect("a component asks only for calls that it holds")
    }

    // Requests ------------------------------------------------------------------------------------------------------

    /// Begins a request and counts it as issued.
    #[inline]
    pub fn begin(&mut self, wish: Wish) -> RequestId {
        self.world.begin(self.me, wish)
    }

    /// Ends the request and returns it.
    ///
    /// # Panics
    /// If it has ended before.
    #[inline(always)]
    pub fn end(&mut self, request: RequestId, outcome: Outcome) -> Request {
        self.world.end(request, outcome)
    }

    /// A request that must not have ended.
    ///
    /// # Panics
    /// If it has ended.
    #[inline]
    pub fn request(&mut self, request: RequestId) -> &mut Request {
        self.world.requests.get_mut(request.0).expect("a client asks only for requests that it holds")
    }

    /// A request, `None` once it has ended.
    #[inline]
    pub fn find_request(&self, request: RequestId) -> Option<&Request> {
        self.world.requests.get(request.0)
    }

    // Time ----------------------------------------------------------------------------------------------------------

    /// Sets a timer that fires after `after`. It is not delivered if what it is about has ended, or after a crash.
    #[inline(always)]
    pub fn alarm(&mut self, after: SimDuration, code: u16, about: About) {
        let at = self.now() + after;
        self.alarm_at(at, code, about);
    }

    /// Sets a timer that fires at `at`; [`SimTime::MAX`] means never.
    #[inline(always)]
    pub fn alarm_at(&mut self, at: SimTime, code: u16, about: About) {
        self.world.set_alarm(at, self.me, Alarm { code, about });
    }

    // Work ----------------------------------------------------------------------------------------------------------

    /// Enters work for a call at a device of the component's machine; [`Signal::Done`] reports its end.
    ///
    /// # Panics
    /// If the component has no machine.
    #[inline(always)]
    pub fn work(&mut self, call: CallId, device: Device, demand: SimDuration) {
        self.world.work(self.me, Task::Call(call), device, demand);
    }

    /// Enters work of the component itself; an alarm with this code about [`About::Nothing`] reports its end.
    ///
    /// # Panics
    /// If the component has no machine.
    pub fn own_work(&mut self, code: u16, device: Device, demand: SimDuration) {
        self.world.work(self.me, Task::Own(code), device, demand);
    }

    /// Stops the cores of the machine, or lets them go on.
    pub fn halt_cores(&mut self, stops: bool) {
        self.world.halt_cores(self.me, stops);
    }

    /// Reserves memory of the machine. Returns false if there is not enough.
    #[inline(always)]
    pub fn reserve_memory(&mut self, bytes: u64) -> bool {
        self.world.reserve_memory(self.me, bytes)
    }

    /// Releases memory of the machine.
    #[inline(always)]
    pub fn release_memory(&mut self, bytes: u64) {
        self.world.release_memory(self.me, bytes);
    }

    /// Sets the greatest number of calls in work inside this component at once. Each holds a slot, such as a worker
    /// or a connection, from its grant to its answer. To be called once, in `start`.
    pub fn limit_slots(&mut self, slots: u32) {
        self.world.recorder.meters[self.me.index()].slots = Some(slots);
    }

    /// Reports how many calls wait inside this component now, apart from those in the queue of its machine: `for_slots`
    /// for one of its slots, `with_slots` for something else while they hold one.
    #[inline]
    pub fn set_waiting(&mut self, for_slots: usize, with_slots: usize) {
        self.world.set_waiting(self.me, for_slots as u64, with_slots as u64);
    }

    // Draws ---------------------------------------------------------------------------------------------------------

    /// A generator for draws of the component itself, such as arrivals. Make it once, in `start`, and keep it.
    pub fn stream(&self, purpose: &str) -> Stream {
        self.world.seed.stream(&self.world.infos[self.me.index()].name, purpose)
    }

    /// A generator for draws that belong to a call at this component. The same requests get the same draws in every
    /// design that has a box with this name. Different draws need different `purpose`s.
    #[inline]
    pub fn rng(&self, call: CallId, purpose: u64) -> KeyedRng {
        self.rng_of(self.get(call).key, purpose)
    }

    /// The same, for a call whose key is known.
    #[inline]
    pub fn rng_of(&self, key: u64, purpose: u64) -> KeyedRng {
        let salt = self.world.infos[self.me.index()].draw_salt;
        KeyedRng::new(mix(key, salt.wrapping_add(purpose)))
    }

    /// The time that a call needs, drawn from `variate`; `purpose` can be the number of a step.
    #[inline]
    pub fn demand(&self, call: CallId, variate: &Variate, purpose: u64) -> SimDuration {
        self.demand_of(self.get(call).key, variate, purpose)
    }

    /// The same, for a call whose key is known.
    #[inline(always)]
    pub fn demand_of(&self, key: u64, variate: &Variate, purpose: u64) -> SimDuration {
        match variate {
            Variate::Constant(_) => variate.draw(&mut NoRng),
            _ => variate.draw(&mut self.rng_of(key, purpose)),
        }
    }

    /// The key of a request of this client, from which all its keyed draws start.
    #[inline(always)]
    pub fn request_key(&self, number: u64) -> u64 {
        self.world.seed.key(self.world.infos[self.me.index()].draw_salt, number)
    }

    /// Returns a number that stands for the user of a call, for hashes: the identity, or for a user who makes one request only
    /// the key of that request, which all its tries and calls share. Another trial has other users.
    pub fn user_of(&self, call: CallId) -> u64 {
        let &Call { identity, client, number, .. } = self.get(call);
        if identity != 0 {
            return identity;
        }
        self.world.seed.key(self.world.infos[client.index()].draw_salt, number)
    }

    /// Returns the number of a list of addresses, for the answer of a name server.
    pub fn list_addresses(&mut self, list: Vec<ComponentId>) -> u32 {
        self.world.addresses.number(list)
    }

    /// Returns the address at a place, from 0, of the list with this number; `None` beyond its end.
    #[must_use]
    pub fn listed(&self, list: u32, place: usize) -> Option<ComponentId> {
        self.world.addresses.at(list, place)
    }

    // Operations ----------------------------------------------------------------------------------------------------

    /// Sends an operation to a component, which happens after `after`.
    pub fn control(&mut self, to: ComponentId, after: SimDuration, control: Control) {
        let at = self.now() + after;
        self.world.set_control(at, to, control);
    }

    /// Whether a message would arrive, that is, whether no partition separates the two components.
    pub fn reaches(&self, from: ComponentId, to: ComponentId) -> bool {
        self.world.troubles.connect(from, to)
    }

    /// Whether this component works. An order from outside reaches the state of one that hangs or is down too, and it can do
    /// nothing then.
    pub fn works(&self) -> bool {
        matches!(self.world.infos[self.me.index()].status, Status::Up | Status::Closing)
    }

    /// Half of the round-trip time between two components, without jitter.
    pub fn distance(&self, from: ComponentId, to: ComponentId) -> SimDuration {
        self.world.distance(from, to)
    }

    // Gauges --------------------------------------------------------------------------------------------------------

    /// Counts one more event of a gauge that this component's kind declares.
    #[inline]
    pub fn count(&mut self, gauge: GaugeId) {
        self.count_many(gauge, 1);
    }

    /// Counts several events at once.
    #[inline]
    pub fn count_many(&mut self, gauge: GaugeId, events: u64) {
        self.world.recorder.meters[self.me.index()].dials.count(gauge, events);
    }

    /// Records one more event of a share, and whether the share's property applies to it: `cx.share(HIT_SHARE, is_hit)`.
    #[inline]
    pub fn share(&mut self, gauge: GaugeId, applies: bool) {
        self.world.recorder.meters[self.me.index()].dials.share(gauge, applies);
    }

    /// Records one more duration.
    #[inline]
    pub fn time(&mut self, gauge: GaugeId, time: SimDuration) {
        self.world.recorder.meters[self.me.index()].dials.time(gauge, time);
    }

    /// Says what a level is from now on.
    #[inline]
    pub fn level(&mut self, gauge: GaugeId, level: u64) {
        let now = self.now();
        self.world.recorder.meters[self.me.index()].dials.level(gauge, now, level);
    }

    /// The ledger that the members of this component's box write together; the first member to open it makes it. Said once,
    /// in `start`.
    pub fn open_ledger<L: Ledger>(&mut self, make: impl FnOnce() -> L) -> LedgerId<L> {
        let group = &self.world.infos[self.me.index()].group;
        self.world.ledgers.open(group, make)
    }

    /// The ledger that [`Cx::open_ledger`] has given.
    #[inline]
    pub fn ledger<L: Ledger>(&mut self, id: LedgerId<L>) -> &mut L {
        self.world.ledgers.get(id)
    }

    // The trace --------------------------------------------------------------------------------------------------

    /// Adds a line to the trace of a call's request, if it is traced.
    #[inline]
    pub fn annotate(&mut self, id: CallId, text: impl FnOnce() -> String) {
        if self.world.trace.is_some()
            && let Some(call) = self.find(id).copied()
        {
            let text = text();
            self.world.mark(self.me, id, What::Note(text.clone()));
            self.world.tell(self.me, call.client, call.number, |_| text);
        }
    }

    /// Whether the trace follows the request of a call.
    #[inline]
    pub fn is_followed(&self, call: CallId) -> bool {
        self.world
            .trace
            .as_ref()
            .is_some_and(|trace| self.find(call).is_some_and(|call| trace.follows(call.client, call.number)))
    }

    /// Whether there is a trace at all.
    #[inline]
    pub fn is_traced(&self) -> bool {
        self.world.trace.is_some()
    }

    /// Adds a line about this component to the trace, if there is one.
    pub fn tell(&mut self, text: String) {
        let (now, name) = (self.world.now(), &self.world.infos[self.me.index()].name);
        if let Some(trace) = &mut self.world.trace {
            trace.push(now, name, text);
        }
    }

    /// Adds a line to the trace of a request of this client, if it is traced; `text` may name components.
    #[inline]
    pub fn annotate_request(&mut self, request: RequestId, text: impl FnOnce(&Cx<'_>) -> String) {
        if self.world.trace.is_some() {
            let number = self.request(request).number;
            let text = text(self);
            self.world.mark_request(self.me, number, What::Note(text.clone()));
            self.world.tell(self.me, self.me, number, |_| text);
        }
    }
}

/// The generator for constants, which never draw. `Rng` is implemented for every infallible `TryRng`.
struct NoRng;

impl rand::TryRng for NoRng {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("a constant draws nothing")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("a constant draws nothing")
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        unreachable!("a constant draws nothing")
    }
}
