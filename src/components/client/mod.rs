//! `Client`: users who resolve a name, send requests, wait, give up, retry and think.

pub mod arrivals;
mod behaviour;
mod care;
mod connections;
mod gauges;
mod population;
pub mod profile;
mod replay;
mod resolver;
mod spec;
pub mod trace;

pub use gauges::GAUGES;
pub use spec::ClientSpec;

use crate::kernel::random::{KeyedRng, mix, unit_open};
use crate::kernel::time::SimDuration;
use crate::model::address::Answer;
use crate::model::ask::{Ask, Verbs};
use crate::model::call::{Connection, Parent, Request, Wish, copy_of};
use crate::model::class::shares;
use crate::model::component::{Component, Cx};
use crate::model::signal::{About, Alarm, CallId, ComponentId, Outcome, RequestId, Signal};
use crate::model::site::Site;
use crate::model::spec::Spec as _;
use crate::parts::connecting::Connecting;
use crate::parts::failure::Failure;
use crate::parts::hand::{Again, Hand, Retries, Try};
use crate::parts::members::Members;

use care::{Care, give_up};
use connections::Connections;
use population::{Ended, Population, Visit};
use resolver::{Lookup, Resolvers};

/// Timers of a client.
mod timer {
    /// The next arrival.
    pub(super) const ARRIVE: u16 = 0;
    /// The think time of a user is over.
    pub(super) const THOUGHT: u16 = 1;
    /// A try has waited too long for its answer.
    pub(super) const DEADLINE: u16 = 2;
    /// A pause before a retry is over.
    pub(super) const RETRY: u16 = 3;
    /// The number of users follows the profile.
    pub(super) const ADJUST: u16 = 4;
    /// A resolver has waited too long for a name server.
    pub(super) const LOOKUP: u16 = 5;
    /// A call has waited for long: another one follows it.
    pub(super) const HEDGE: u16 = 6;
}

/// Purposes of keyed draws of a request.
mod purpose {
    pub(super) const CLASS: u64 = 1;
    pub(super) const RESOLVER: u64 = 2;
    pub(super) const THINK: u64 = 3;
    pub(super) const BACKOFF: u64 = 4;
    pub(super) const SESSION: u64 = 5;
    /// A draw of a resolver, not of a request.
    pub(super) const FIRST_ANSWER: u64 = 6;
    /// A draw of a user, not of a request.
    pub(super) const PINNED: u64 = 7;
    pub(super) const THROTTLE: u64 = 8;
}

/// Time for which a resolver waits for a name server, as the stub resolver of glibc [V].
const LOOKUP_TIMEOUT: SimDuration = SimDuration::from_secs(5);

/// Number of times that it asks, as the stub resolver of glibc [V].
const LOOKUPS_MAX: u32 = 2;

/// The target of the users.
#[derive(Debug)]
enum Target {
    /// Public boxes, asked in turn.
    Boxes(Members),
    /// A name; resolvers know its address or ask for it.
    Name(ComponentId, Resolvers),
}

/// Users.
#[derive(Debug)]
pub struct Client {
    target: Target,
    population: Population,
    /// Cumulative shares of the classes, as [`cumulative`] gives them; empty where a trace tells the class of each request.
    classes: Vec<f64>,
    /// Their time limit and their retries.
    hand: Hand<Try>,
    /// What they do besides, if anything.
    care: Option<Box<Care>>,
    /// How long a try lasts, if requests carry the moment at which it ends.
    propagates: Option<SimDuration>,
    /// Whether a user who gives up says so.
    cancels: bool,
    /// Whether each class writes.
    writes: Vec<bool>,
    /// Their time limit for connections.
    connecting: Connecting,
    /// Their connections, if they cost something.
    connections: Option<Box<Connections>>,
    /// Share of the users who keep addresses too long, and whether users stay the same from request to request.
    pinned: Option<(f64, bool)>,
    /// Whether a try waits for the last address until its time limit.
    waits_on: bool,
    /// Number of addresses of a name that a try asks at most, one after the other.
    addresses: u16,
    /// Number of the next request.
    next_number: u64,
}

impl Client {
    /// The users that `spec` describes.
    #[must_use]
    pub fn new(spec: &ClientSpec, site: &Site<'_>) -> Client {
        let first = site.find(&spec.target);
        let target = if site.answers[first.index()].meets(Verbs::RESOLVE) {
            let pin_for = spec.pin_for.map_or(SimDuration::MAX, |pin_for| pin_for.0);
            Target::Name(first, Resolvers::new(spec.resolvers(), pin_for))
        } else {
            Target::Boxes(Members::new(&spec.target, site))
        };
        let tries_others = matches!(target, Target::Name(..)) && spec.addresses != Some(1);
        let connecting = spec.connecting(tries_others);
        Client {
            target,
            population: Population::new(spec, site.classes),
            classes: if spec.mix(site.classes).is_some() {
                Vec::new()
            } else {
                cumulative(&shares(site.classes, site.group))
            },
            hand: Hand::new(
                Some(spec.timeout()),
                timer::DEADLINE,
                spec.retry.as_ref().map_or_else(Retries::none, |retry| retry.retries(true)),
            ),
            care: (!spec.care().is_empty()).then(|| Box::new(Care::new(spec.care().calling()))),
            propagates: spec.propagate.then(|| spec.timeout()),
            cancels: spec.cancel,
            writes: site.classes.iter().map(|class| class.writes).collect(),
            connecting,
            connections: spec.connections().map(Box::new),
            pinned: spec.pinned.map(|pinned| (pinned.0, spec.users.is_some())),
            waits_on: tries_others && spec.connect_timeout.is_none(),
            addresses: spec.addresses.map_or(u16::MAX, |most| most.min(u32::from(u16::MAX)) as u16),
            next_number: 0,
        }
    }

    // A request -----------------------------------------------------------------------------------------------------

    /// Issues a request of a user.
    #[inline(always)]
    fn issue(&mut self, Visit { user, turn, key }: Visit, cx: &mut Cx<'_>) {
        let number = self.next_number;
        self.next_number += 1;
        let class = self.class(key);
        let identity = self.population.identity(user, cx);
        let request = cx.begin(Wish { number, key, class, user, turn, identity });
        self.hand.begin(cx.now());
        self.attempt(Try { request, attempt: 1 }, key, cx);
    }

    fn class(&self, key: u64) -> u16 {
        if self.classes.len() == 1 {
            return 0;
        }
        if self.classes.is_empty() {
            return self.population.recorded_class();
        }
        let u = unit_open(&mut draws(key, purpose::CLASS));
        self.classes.partition_point(|&share| share < u) as u16
    }

    /// Retries a request.
    #[inline(never)]
    fn retry(&mut self, request: RequestId, cx: &mut Cx<'_>) {
        cx.count(gauges::RETRIES);
        let state = cx.request(request);
        state.attempt += 1;
        state.pausing = false;
        let (attempt, key) = (state.attempt, state.key);
        self.attempt(Try { request, attempt }, key, cx);
    }

    /// Makes a try of a request: sets its time limit, resolves the name, and makes the call.
    #[inline(always)]
    fn attempt(&mut self, limit: Try, key: u64, cx: &mut Cx<'_>) {
        if self.care.is_some() && !self.lets_pass(limit, key, cx) {
            return;
        }
        self.hand.wait_for(limit, cx);
        if let Some(address) = self.resolve(limit.request, key, cx) {
            self.ask(limit.request, address, cx);
        }
    }

    /// Returns the address to ask; `None` while a resolver looks it up.
    #[inline(always)]
    fn resolve(&mut self, request: RequestId, key: u64, cx: &mut Cx<'_>) -> Option<ComponentId> {
        match &mut self.target {
            Target::Boxes(members) => Some(members.turn()),
            Target::Name(..) => self.look_up(request, key, cx),
        }
    }

    /// Returns the address of the name; `None` while a resolver asks for it.
    #[inline(never)]
    fn look_up(&mut self, request: RequestId, key: u64, cx: &mut Cx<'_>) -> Option<ComponentId> {
        let Target::Name(name, resolvers) = &mut self.target else { return None };
        let pinned = self.pinned.is_some_and(|(share, known)| {
            let user = u64::from(cx.request(request).user);
            let who = if known { cx.request_key(user) } else { key };
            unit_open(&mut draws(who, purpose::PINNED)) < share
        });
        let cache = resolvers.pick(unit_open(&mut draws(key, purpose::RESOLVER)), pinned);
        match resolvers.look_up(cache, cx.now(), request) {
            Lookup::Hit(list) => {
                let address = begin_list(list, request, cx);
                cx.annotate_request(request, |cx| {
                    format!("resolver {} knows {} at {}", cache + 1, cx.name(address), cx.address(address))
                });
                Some(address)
            }
            Lookup::Waiting => None,
            Lookup::Miss => {
                let name = *name;
                cx.annotate_request(request, |cx| format!("resolver {} asks {}", cache + 1, cx.name(name)));
                ask_name_server(cache as u32, name, cx);
                None
            }
        }
    }

    /// Calls an address on behalf of a request, over a connection of the user. `copy` tells the calls of one try apart, from 0.
    #[inline(always)]
    fn call(&mut self, request: RequestId, address: ComponentId, copy: u64, cx: &mut Cx<'_>) -> CallId {
        let call = cx.call(Parent::Request(request), address, copy_of(0, copy));
        if let Some(connections) = &mut self.connections {
            connections.send(request, call, address, cx);
        }
        call
    }

    #[inline(always)]
    fn ask(&mut self, request: RequestId, address: ComponentId, cx: &mut Cx<'_>) {
        let call = self.call(request, address, 0, cx);
        if let Some(limit) = self.propagates {
            cx.set_deadline(call, cx.now() + limit);
        }
        if self.care.is_some() {
            self.called(request, call, cx);
        }
    }

    /// Handles a name server that does not answer: the resolver asks again, or gives up.
    fn unanswered(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let Parent::Number(cache) = cx.get(call).parent else { return };
        let Target::Name(name, resolvers) = &mut self.target else { return };
        cx.abandon(call);
        if resolvers.ask_again(cache as usize, LOOKUPS_MAX) {
            ask_name_server(cache, *name, cx);
        } else {
            self.resolved(None, cache, cx);
        }
    }

    /// The name server has answered a resolver, or has failed to: the requests that still wait for it go on.
    fn resolved(&mut self, answer: Option<Answer>, cache: u32, cx: &mut Cx<'_>) {
        let Target::Name(_, resolvers) = &mut self.target else { return };
        let left = unit_open(&mut draws(cx.request_key(u64::from(cache)), purpose::FIRST_ANSWER));
        if answer.is_none() {
            cx.count(gauges::LOOKUPS_FAILED);
        }
        for request in resolvers.answered(cache as usize, cx.now(), answer, left) {
            // A request that has timed out meanwhile is gone, or has asked again and waits a second time.
            let waits =
                cx.find_request(request).is_some_and(|state| state.call == CallId::NONE && !state.pausing);
            match answer {
                Some(answer) if waits => {
                    let address = begin_list(answer.list, request, cx);
                    self.ask(request, address, cx);
                }
                None if waits => self.failed(request, Failure::Connect, Outcome::Unavailable, cx),
                _ => {}
            }
        }
    }

    #[inline(always)]
    fn answered(&mut self, request: RequestId, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        if let Some(connections) = &mut self.connections
            && cx.get(call).connection == Connection::Held
        {
            connections.answered(cx.request(request).user, cx);
        }
        if outcome == Outcome::Ok {
            if self.care.is_some() {
                self.won(request, call, cx);
            } else if self.hand.counts() {
                self.hand.tried(cx.request(request).attempt > 1, true);
            }
            self.finish(request, outcome, cx);
        } else {
            self.turned_away(request, call, outcome, cx);
        }
    }

    /// Handles an answer other than ok. Where no connection was made, the user goes on to the next address of the name.
    #[cold]
    fn turned_away(&mut self, request: RequestId, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let was_refused = cx.get(call).connection == Connection::Refused;
        let most = self.addresses;
        let &mut Request { list, asked, .. } = cx.request(request);
        let next = cx.listed(list, usize::from(asked)).filter(|_| was_refused && asked < most);
        // Nobody is left to ask: the user waits for the last one, until the time limit of the try.
        let waits = was_refused && outcome == Outcome::TimedOut && self.waits_on;
        let failure = Failure::of(cx.get(call).connection, outcome).unwrap_or(Failure::Rejected);
        if self.care.is_some() && self.lost(request, call, failure, next.is_some() || waits, cx) {
            return;
        }
        if let Some(address) = next {
            cx.count(gauges::NEXT_ADDRESSES);
            cx.request(request).asked += 1;
            cx.annotate_request(request, |cx| {
                format!("goes on to {} at {}", cx.name(address), cx.address(address))
            });
            self.ask(request, address, cx);
            return;
        }
        cx.request(request).call = CallId::NONE;
        if waits {
            let address = cx.get(call).callee;
            self.ask(request, address, cx);
            return;
        }
        self.failed(request, failure, outcome, cx);
    }

    /// Handles a failed try: retries after a pause, or ends the request.
    #[cold]
    fn failed(&mut self, request: RequestId, failure: Failure, outcome: Outcome, cx: &mut Cx<'_>) {
        let now = cx.now();
        let was_paid = self.care.is_some() && self.give_up_try(request, failure, cx);
        let state = cx.request(request);
        let attempt = state.attempt;
        let mut rng = draws(state.key, purpose::BACKOFF << 16 | u64::from(attempt));
        self.hand.tried(was_paid || attempt > 1, false);
        let is_write = self.writes[usize::from(state.class)];
        match self.hand.retries.again(attempt, failure, is_write, now, &mut rng) {
            Again::Yes => {
                let pause = self.hand.retries.pause(attempt, state.pause, &mut rng);
                (state.pause, state.pausing) = (pause, true);
                cx.alarm(pause, timer::RETRY, About::Request(request));
            }
            again => {
                if again == Again::Refused {
                    cx.count(gauges::RETRIES_REFUSED);
                }
                self.finish(request, outcome, cx);
            }
        }
    }

    #[inline(always)]
    fn finish(&mut self, request: RequestId, outcome: Outcome, cx: &mut Cx<'_>) {
        self.hand.end();
        let Request { user, turn, key, issued, .. } = cx.end(request, outcome);
        let at_once = outcome != Outcome::Ok && issued == cx.now();
        self.population.answered(Visit { user, turn, key }, Ended { issued, at_once }, cx);
    }

    /// Users whose answers are late wait no longer.
    fn time_out(&mut self, cx: &mut Cx<'_>) {
        while let Some(limit) = self.hand.late(cx) {
            let call = std::mem::replace(&mut cx.request(limit.request).call, CallId::NONE);
            let connection = cx.find(call).map_or(Connection::Refused, |call| call.connection);
            if self.care.is_none() {
                give_up(call, self.cancels, cx);
            }
            self.failed(limit.request, Failure::late(connection), Outcome::TimedOut, cx);
        }
    }

    #[inline(always)]
    fn arrive(&mut self, cx: &mut Cx<'_>) {
        match self.population.batch() {
            1 => {
                let visit = self.population.newcomer(cx);
                self.issue(visit, cx);
            }
            batch => self.arrive_together(batch, cx),
        }
        self.population.schedule_arrival(cx);
    }

    #[inline(never)]
    fn arrive_together(&mut self, batch: u64, cx: &mut Cx<'_>) {
        for _ in 0..batch {
            let visit = self.population.newcomer(cx);
            self.issue(visit, cx);
        }
    }

    #[inline(always)]
    fn alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>) {
        match (alarm.code, alarm.about) {
            (timer::ARRIVE, _) => self.arrive(cx),
            (timer::THOUGHT, About::Turn { user, turn }) => {
                if let Some(visit) = self.population.asks(user, turn, cx) {
                    self.issue(visit, cx);
                }
            }
            (timer::DEADLINE, _) => self.time_out(cx),
            (timer::RETRY, About::Request(request)) => self.retry(request, cx),
            (timer::ADJUST, _) => self.population.adjust(cx),
            (timer::LOOKUP, About::Call(call)) => self.unanswered(call, cx),
            (timer::HEDGE, About::Call(call)) => self.hedge(call, cx),
            _ => unreachable!("a client sets no other timer"),
        }
    }
}

/// A try begins with the first address of a list, which it returns.
fn begin_list(list: u32, request: RequestId, cx: &mut Cx<'_>) -> ComponentId {
    let state = cx.request(request);
    (state.list, state.asked) = (list, 1);
    cx.listed(list, 0).expect("a name server gives at least one address")
}

/// Makes a resolver ask the name server.
fn ask_name_server(cache: u32, name: ComponentId, cx: &mut Cx<'_>) {
    cx.count(gauges::LOOKUPS);
    let call = cx.ask(Parent::Number(cache), name, 0, Ask::RESOLVE);
    cx.alarm(LOOKUP_TIMEOUT, timer::LOOKUP, About::Call(call));
}

/// A generator for the draws of a request that belong to its client.
fn draws(key: u64, purpose: u64) -> KeyedRng {
    KeyedRng::new(mix(key, purpose))
}

/// The sums of the first 1, 2, ... shares. From the last share above 0 on they are infinite, because rounding may leave
/// their sum below 1.
fn cumulative(shares: &[f64]) -> Vec<f64> {
    let last = shares.iter().rposition(|share| *share > 0.0).unwrap_or(0);
    let mut sum = 0.0;
    let add = |(index, share): (usize, &f64)| {
        sum += share;
        if index < last { sum } else { f64::INFINITY }
    };
    shares.iter().enumerate().map(add).collect()
}

impl Component for Client {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.connecting.start(cx);
        self.population.start(cx);
    }

    #[inline(always)]
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Reply(call, outcome) => match cx.get(call).parent {
                Parent::Request(request) => self.answered(request, call, outcome, cx),
                Parent::Number(cache) => {
                    let answer = (outcome == Outcome::Ok).then(|| Answer::decode(cx.get(call).answer));
                    self.resolved(answer, cache, cx);
                }
                Parent::None | Parent::Call(_) => {}
            },
            Signal::Alarm(alarm) => self.alarm(alarm, cx),
            Signal::Call(_)
            | Signal::Returned(..)
            | Signal::Passed(..)
            | Signal::Cancelled(_)
            | Signal::Done(_)
            | Signal::Control(_) => {}
        }
    }
}
