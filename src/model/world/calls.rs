//! Calls in the world: they are made, answered, handed on, refused and abandoned.

use super::World;
use crate::kernel::random::mix;
use crate::kernel::time::SimDuration;
use crate::model::ask::{Ask, Verb};
use crate::model::call::{Awaited, Call, Connection, Notes, Origin, Parent, Request, Stage};
use crate::model::event::Event;
use crate::model::keys::{follow, trail_of};
use crate::model::network::Place;
use crate::model::signal::{CallId, ComponentId, Outcome, RequestId};
use crate::model::trace::What;

impl World {
    /// One component asks another one. The kind of the parent is mostly known where this stands.
    #[inline(always)]
    pub(in crate::model) fn call(
        &mut self,
        from: ComponentId,
        parent: Parent,
        to: ComponentId,
        ordinal: u64,
        ask: Ask,
    ) -> CallId {
        match parent {
            Parent::Request(request) => self.call_for_request(from, request, to, ordinal, ask),
            Parent::Call(above) => self.call_for_call(from, above, to, ordinal, ask),
            Parent::Number(_) | Parent::None => self.call_for_nobody(from, parent, to, ordinal, ask),
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
        ask: Ask,
    ) -> CallId {
        let state = self.requests.get_mut(request.0).expect("a call has a request that is under way");
        // Another attempt is another draw: a retry of an expensive query may be a cheap one.
        let key = match state.attempt {
            0 | 1 => state.key,
            attempt => mix(state.key, ATTEMPT_SALT ^ u64::from(attempt)),
        };
        let trail = follow(trail_of(state.key), ordinal);
        let key = branch(key, ordinal);
        let &mut Request { number, client, class, user, identity, .. } = state;
        let parent = Parent::Request(request);
        let call = Call {
            key,
            number,
            identity,
            client,
            class,
            trail,
            user,
            caller: from,
            callee: to,
            parent,
            ask,
            ..Call::BLANK
        };
        let id = CallId(self.calls.insert(call));
        state.call = id;
        self.send(id, from, to, key);
        id
    }

    /// A call on behalf of another one, from which it has where its draws start, and whose request it serves.
    fn call_for_call(
        &mut self,
        from: ComponentId,
        above: CallId,
        to: ComponentId,
        ordinal: u64,
        ask: Ask,
    ) -> CallId {
        let origin = self.calls.get(above.0).expect("a child call has a parent that is alive").origin();
        self.call_on_behalf(from, origin, Parent::Call(above), to, ordinal, ask)
    }

    /// A call on behalf of a request whose origin the caller knows.
    #[inline(always)]
    pub(in crate::model) fn call_on_behalf(
        &mut self,
        from: ComponentId,
        origin: Origin,
        parent: Parent,
        to: ComponentId,
        ordinal: u64,
        ask: Ask,
    ) -> CallId {
        let Origin { key, number, identity, client, class, user, trail } = origin;
        let trail = follow(trail, ordinal);
        let key = branch(key, ordinal);
        let call = Call {
            key,
            number,
            identity,
            client,
            class,
            trail,
            user,
            caller: from,
            callee: to,
            parent,
            ask,
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
        ask: Ask,
    ) -> CallId {
        let info = &mut self.infos[from.index()];
        info.checks += u64::from(ask.is_check());
        let (owner, checks) = (info.name_hash, info.checks);
        let number = if let Parent::Number(number) = parent { u64::from(number) } else { u64::MAX };
        let key = branch(self.seed.key(owner, number), ordinal);
        // Each check has its own luck on the network. Other messages of a kind stay in their order, as in one connection.
        let key = if ask.is_check() { mix(key, checks) } else { key };
        let call = Call {
            key,
            trail: trail_of(key),
            number: u64::MAX,
            client: from,
            caller: from,
            callee: to,
            parent,
            ask,
            ..Call::BLANK
        };
        let id = CallId(self.calls.insert(call));
        self.send(id, from, to, key);
        id
    }

    /// A call has arrived with a verb that its callee has not declared. That must be one that needs no declaration.
    ///
    /// # Panics
    /// When it is not: a component has asked another one for something that it cannot answer.
    #[cold]
    pub(in crate::model) fn check_ask(&self, to: ComponentId, id: CallId) {
        let &Call { caller, ask, .. } = self.calls.get(id.0).expect("a call under way is alive");
        let fits = match ask.verb {
            Verb::Connect => true,
            Verb::Own { .. } => !self.crosses_boxes(caller, to),
            _ => false,
        };
        let name = |component: ComponentId| &self.infos[component.index()].name;
        let (asker, callee) = (name(caller), name(to));
        assert!(fits, "`{asker}` asks `{callee}` for what it does not answer: {:?}", ask.verb);
    }

    /// The key of the data that one of several asks for a call is about.
    pub(in crate::model) fn data_key(&self, call: CallId, ordinal: u64) -> u32 {
        let call = self.calls.get(call.0).expect("who asks for a call holds it");
        self.keys.draw(call.class, call.trail, ordinal)
    }

    /// Puts a call on its way that has just been made.
    #[inline(always)]
    fn send(&mut self, id: CallId, from: ComponentId, to: ComponentId, key: u64) {
        debug_assert!(self.infos[from.index()].can_speak(), "a machine that does not work asks nobody");
        let delay = self.delay(self.asker_of(from, id), to, key);
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

    pub(in crate::model) fn reply(&mut self, from: ComponentId, id: CallId, outcome: Outcome) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("a call is answered once");
        assert!(call.stage == Stage::Inside && call.callee == from, "a call is answered once, by its callee");
        debug_assert!(self.infos[from.index()].can_speak(), "a machine that does not work answers nobody");
        call.stage = Stage::Answered;
        // Only what is needed: a copy of the whole call costs more than all the rest.
        let &mut Call { caller, key, number, class, arrived, waited, ask, awaited, failed_below, .. } = call;
        if self.trace.is_some() {
            self.mark(from, id, What::Leave(Some(outcome)));
        }
        if self.recorder.meters[from.index()].exported.is_some() && !ask.is_check() {
            self.count_exported(from, class, outcome, now.since(arrived));
        }
        let meter = &mut self.recorder.meters[from.index()];
        if ask.is_check() {
            meter.end_probe(now, arrived);
        } else if outcome == Outcome::Ok {
            let residence = now.since(arrived);
            meter.answer_ok(now, residence, waited);
            if awaited == Awaited::Yes {
                self.recorder.meters[caller.index()].asked += u128::from(residence.as_nanos());
            } else {
                meter.in_vain += 1;
            }
        } else {
            meter.fail(now, arrived, outcome, failed_below);
        }
        if awaited != Awaited::Yes {
            self.calls.remove(id.0);
            return;
        }
        let at = self.asker_of(caller, id);
        let mut delay = self.delay(from, at, key);
        if self.network.has_bandwidths() && delay.is_some() {
            let time = self.transmission_of_answer(from, at, class, number, outcome);
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
    pub(in crate::model) fn forward(&mut self, from: ComponentId, id: CallId, to: ComponentId) {
        let now = self.now();
        let crosses = self.crosses_boxes(from, to);
        let call = self.calls.get_mut(id.0).expect("a call is handed on before it is answered");
        assert!(
            call.stage == Stage::Inside && call.callee == from,
            "a call is handed on by the one who holds it"
        );
        call.stage = Stage::Travelling;
        call.callee = to;
        call.connection = Connection::Held;
        call.via = from;
        call.failed_below = false;
        call.knocks = 0;
        if crosses {
            call.notes = Notes::BLANK;
        }
        let (key, caller, arrived) = (call.key, call.caller, call.arrived);
        // A driver is a part of its caller, whose connection goes to whom it hands the call.
        if self.infos[from.index()].place != Place::DRIVER {
            self.luggage.pass_on(id);
        }
        self.mark(from, id, What::Leave(None));
        self.recorder.meters[from.index()].pass_on(now, arrived);
        let delay = self.delay(self.asker_of(caller, id), to, key);
        self.post(id, delay, Event::Call { to, id });
    }

    /// A component that is down refuses a call: the router that has handed it on gets it back, or else its caller.
    pub(in crate::model) fn refuse(&mut self, component: ComponentId, id: CallId) {
        let now = self.now();
        let call = self.calls.get_mut(id.0).expect("a call that is refused is alive");
        call.connection = Connection::Refused;
        let router = std::mem::replace(&mut call.via, ComponentId::NONE);
        if router == ComponentId::NONE {
            self.reply(component, id, Outcome::Unavailable);
            return;
        }
        call.stage = Stage::Travelling;
        call.callee = router;
        call.failed_below = true;
        let (key, arrived, caller) = (call.key, call.arrived, call.caller);
        if self.crosses_boxes(component, router) {
            self.calls.get_mut(id.0).expect("it is alive still").notes = Notes::BLANK;
        }
        self.mark(component, id, What::Leave(None));
        self.recorder.meters[component.index()].fail(now, arrived, Outcome::Unavailable, false);
        // A driver stands where its caller does.
        let is_driver = self.infos[router.index()].place == Place::DRIVER;
        let back = if is_driver { self.asker_of(caller, id) } else { router };
        let delay = self.delay(component, back, key);
        self.post(id, delay, Event::Returned { to: router, id, from: component });
    }

    /// An answer that is no success comes to the caller of a call: what the caller was working on has failed below.
    #[cold]
    pub(in crate::model) fn fail_above(&mut self, id: CallId) {
        if let Some(&Call { parent: Parent::Call(above), .. }) = self.calls.get(id.0)
            && let Some(above) = self.calls.get_mut(above.0)
        {
            above.failed_below = true;
        }
    }

    /// The component from whose place a call goes out and to whose place its answer comes: its caller. A driver is a part of the
    /// one that has asked it, so that what it asks on behalf of that call goes out from there.
    #[inline(always)]
    pub(in crate::model) fn asker_of(&self, caller: ComponentId, id: CallId) -> ComponentId {
        if self.infos[caller.index()].place == Place::DRIVER {
            self.beyond_driver(caller, id)
        } else {
            caller
        }
    }

    #[cold]
    fn beyond_driver(&self, driver: ComponentId, id: CallId) -> ComponentId {
        let above = match self.calls.get(id.0) {
            Some(&Call { parent: Parent::Call(above), .. }) => self.calls.get(above.0),
            _ => None,
        };
        above.map_or(driver, |above| above.caller)
    }

    /// Whether two components belong to different boxes. What one has noted about a call is no business of the other then.
    pub(super) fn crosses_boxes(&self, from: ComponentId, to: ComponentId) -> bool {
        self.infos[from.index()].draw_salt != self.infos[to.index()].draw_salt
    }

    /// As [`World::abandon`], and tells the callee, who hears it one trip later.
    #[cold]
    pub(in crate::model) fn cancel(&mut self, id: CallId) {
        self.abandon(id);
        let Some(&Call { caller, callee, key, client, number, .. }) = self.calls.get(id.0) else { return };
        self.tell(caller, client, number, |world| {
            format!("cancels its call to {}", world.infos[callee.index()].name)
        });
        if let Some(delay) = self.delay(self.asker_of(caller, id), callee, key) {
            let at = self.now() + delay;
            self.schedule(at, Event::Cancel { to: callee, id });
        }
    }

    pub(in crate::model) fn abandon(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(id.0) else { return };
        let (callee, is_check) = (call.callee, call.ask.is_check());
        match call.stage {
            Stage::Lost | Stage::Outside | Stage::Unacknowledged => {}
            Stage::AnswerUnacknowledged => self.fail_unheard(callee, is_check),
            Stage::Travelling | Stage::Inside | Stage::Answered => {
                call.awaited = Awaited::No;
                call.parent = Parent::None;
                return;
            }
        }
        self.calls.remove(id.0);
    }
}

/// Keeps the draws of one attempt apart from those of another.
const ATTEMPT_SALT: u64 = 0xa54f_f53a_5f1d_36f1;

/// Where the draws of one of several calls for one parent start.
#[inline]
fn branch(key: u64, ordinal: u64) -> u64 {
    if ordinal == 0 { key } else { mix(key, ordinal) }
}

/// How a trace tells a delay.
fn away(delay: Option<SimDuration>) -> String {
    delay.map_or_else(|| "but nothing comes through".to_owned(), |delay| format!("{delay} away"))
}
