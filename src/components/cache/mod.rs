//! `Cache`: keeps values that a database has, and answers for them itself.
//!
//! A cache stands in front of a database, which it asks for what it does not have, or beside it, where its callers do that. It has
//! room for a number of entries, of which one makes room for a new one, and an entry expires when its time to live is over. Nothing
//! here is a ratio from a table: the share of hits follows from the keys that are asked for.

mod ages;
mod behind;
mod cdn;
mod fills;
mod gauges;
mod nearest;
mod ring;
mod shelf;
mod spec;
mod writes;

pub use cdn::CdnSpec;
pub use gauges::{CDN_GAUGES, GAUGES};
pub use spec::CacheSpec;

use rand::Rng;

use crate::kernel::random::{Stream, unit_open};
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;
use crate::model::ask::{Ask, Got, MISSING, Scope, Verb, is_missing};
use crate::model::call::{Notes, Parent};
use crate::model::class::RequestClass;
use crate::model::commits::{OLDEST, UNKNOWN};
use crate::model::component::{Component, Cx};
use crate::model::machine::Device;
use crate::model::signal::{About, Alarm, CallId, Control, Impairment, Order, Outcome, Signal};
use crate::model::site::Site;
use crate::parts::connecting::Connecting;
use crate::parts::hand::{Hand, Retries};
use crate::parts::members::Members;

use ages::{Ages, answer_with, version_in};
use behind::Behind;
use fills::Fills;
use shelf::{Found, Shelf};
use spec::Writes;

/// Purpose of the draw of the core time of an operation.
const OP: u64 = 0;

/// The ordinal from which the key of what a user asks for is drawn, at an edge and at the shield behind it.
const CONTENT: u64 = 1 << 16;

/// Flag in a call's notes: what it asks for may not be kept.
const NOT_KEPT: u8 = 1;

/// The timer of the hand.
const LATE: u16 = 0;

/// The caller that fills an entry may have been waited for too long.
const LEASE: u16 = 1;

/// A cache, or a node of one.
#[derive(Debug)]
pub(super) struct Cache {
    /// The box behind it, if it stands in front of one.
    target: Option<Members>,
    /// Its time limit for connections to it.
    connecting: Connecting,
    /// Whether each class may be kept.
    is_kept: Vec<bool>,
    hand: Hand<CallId>,
    /// Whether a class writes.
    is_write: Vec<bool>,
    writes: Writes,
    op: Variate,
    /// Whether an operation takes core time.
    works: bool,
    ttl: SimDuration,
    ttl_jitter: f64,
    ttl_reset: bool,
    stale_for: SimDuration,
    /// Time for which it is kept that a key is not there; 0 where it is not.
    negative: SimDuration,
    coalesces: bool,
    lease: SimDuration,
    /// Number of the most popular keys that are there at the start.
    warm: u32,
    shelf: Shelf,
    fills: Fills,
    behind: Behind,
    /// How old its values are, where somebody writes them.
    ages: Option<Box<Ages>>,
    /// Size of the answer to each class; empty where nobody counts it.
    bytes: Vec<u64>,
    /// USD for such an answer, by class; empty where it costs nothing.
    prices: Vec<f64>,
    /// The draws of times to live, where they differ.
    draws: Option<Stream>,
}

impl Cache {
    fn new(spec: &CacheSpec, site: &Site<'_>) -> Cache {
        let room = spec.room();
        let keys = site.classes.iter().map(|class| class.keys.count).max().unwrap_or(1);
        let warm = spec.warm.map_or(0.0, |share| share.0) * room as f64 * f64::from(spec.nodes());
        Cache {
            target: spec.target.as_ref().map(|target| Members::new(target, site)),
            connecting: Connecting(None),
            is_kept: vec![true; site.classes.len()],
            hand: Hand::new(spec.timeout.map(|timeout| timeout.0), LATE, Retries::none()),
            is_write: site.classes.iter().map(|class| class.writes).collect(),
            writes: spec.writes,
            op: spec.op(),
            works: true,
            ttl: spec.ttl.map_or(SimDuration::MAX, |ttl| ttl.0),
            ttl_jitter: spec.ttl_jitter.map_or(0.0, |share| share.0),
            ttl_reset: spec.ttl_reset,
            stale_for: spec.stale_for.map_or(SimDuration::ZERO, |time| time.0),
            negative: spec.negative.map_or(SimDuration::ZERO, |time| time.0),
            coalesces: spec.coalesce,
            lease: spec.lease(),
            warm: (warm as u32).min(keys),
            shelf: Shelf::new(room as usize, spec.evict),
            fills: Fills::default(),
            behind: Behind::default(),
            ages: site.classes.iter().any(|class| class.writes).then(Box::default),
            bytes: Vec::new(),
            prices: Vec::new(),
            draws: None,
        }
    }

    /// The same, where an answer to a request of each class has a price in USD.
    fn priced(self, prices: Vec<f64>) -> Cache {
        Cache { prices, ..self }
    }

    /// The same as a part of a content delivery network, which keeps some classes only. An edge counts the bytes that it gives out.
    fn of_network(mut self, classes: &[RequestClass], is_edge: bool, connecting: Connecting) -> Cache {
        self.is_kept = classes.iter().map(|class| class.cacheable).collect();
        if is_edge {
            self.bytes = classes.iter().map(|class| class.response_bytes).collect();
        }
        (self.connecting, self.works, self.ages) = (connecting, false, None);
        self
    }

    // Reads ---------------------------------------------------------------------------------------------------------

    /// The operation for a call is done.
    fn worked(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let Ask { verb, key } = cx.get(call).ask();
        match verb {
            Verb::Put { token, version } => {
                self.fill(key, token, version, cx);
                cx.reply(call, Outcome::Ok);
            }
            Verb::Wrote => {
                self.written(key, cx);
                cx.reply(call, Outcome::Ok);
            }
            Verb::Work => self.serve(call, cx),
            _ if verb != Verb::Get && self.writes(call, cx) => self.write(call, key, cx),
            _ => self.look_up(call, key, cx),
        }
    }

    /// Answers a request of a user, if its class may be kept, with what it is for.
    fn serve(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let key = cx.data_key(call, CONTENT);
        if self.is_kept[usize::from(cx.get(call).class)] {
            return self.look_up(call, key, cx);
        }
        cx.get_mut(call).notes.flags = NOT_KEPT;
        cx.annotate(call, || "may not be kept".into());
        self.pass_on(call, key, cx);
    }

    /// Answers a hit. Without one, the caller or the target is to fill the entry, or somebody does that already.
    fn look_up(&mut self, call: CallId, key: u32, cx: &mut Cx<'_>) {
        let now = cx.now();
        let found = self.shelf.find(key, now);
        let is_filling =
            (self.coalesces || found == Found::Stale) && self.fills.is_filling(key, self.lease_ago(now));
        let is_hit = found == Found::Fresh || (found == Found::Stale && is_filling);
        cx.share(gauges::HIT_SHARE, is_hit);
        match found {
            Found::Fresh if is_missing(key) => cx.count(gauges::NEGATIVE_HITS),
            Found::Fresh if self.ttl_reset => self.renew(key, cx),
            Found::Stale if is_filling => cx.count(gauges::STALE_SERVED),
            Found::Stale | Found::Expired => cx.count(gauges::EXPIRED),
            Found::Fresh | Found::Nothing => {}
        }
        if is_hit {
            cx.annotate(call, || format!("{} {}", if is_missing(key) { "knows" } else { "has" }, named(key)));
            return self.hand_out(call, cx);
        }
        cx.annotate(call, || {
            format!("does not {} {}", if is_missing(key) { "know" } else { "have" }, named(key))
        });
        if is_filling {
            cx.count(gauges::COALESCED);
            cx.annotate(call, || "waits for the caller that fills it".into());
            if self.fills.wait(key, call) {
                cx.alarm(self.lease, LEASE, About::Number(key));
            }
            return;
        }
        self.begin_fill(call, key, cx);
    }

    /// A call is the one that fills an entry.
    fn begin_fill(&mut self, call: CallId, key: u32, cx: &mut Cx<'_>) {
        // A caller that finds nothing elsewhere tells those who wait for it, and a cache that keeps it.
        let is_told = self.coalesces || self.keeps(key);
        if is_told && (self.coalesces || self.stale_for > SimDuration::ZERO) {
            self.fills.begin(key, cx.now());
        }
        let Ask { verb, .. } = cx.get(call).ask();
        if verb == Verb::Get {
            self.count_age(call, key, false, cx);
            let token = is_told.then(|| self.fills.token());
            cx.get_mut(call).answer = Got::Miss { token }.encode();
            return cx.reply(call, Outcome::Ok);
        }
        self.pass_on(call, key, cx);
    }

    /// Asks the target for what a call asks.
    fn pass_on(&mut self, call: CallId, key: u32, cx: &mut Cx<'_>) {
        let Some(target) = &mut self.target else { return };
        cx.get_mut(call).notes.mark = u64::from(key) << 32 | u64::from(self.fills.token());
        let ask = match cx.get(call).ask().verb {
            Verb::Work => Ask::WORK,
            Verb::Query(scope) => Ask::query(key, scope),
            _ => Ask::query(key, Scope::default()),
        };
        // Ordinal 0 hands the draws of the call on: the target does the work that it would do without a cache.
        let child = cx.ask(Parent::Call(call), target.turn(), 0, ask);
        self.hand.wait_for(child, cx);
    }

    /// Gives a caller the value.
    fn hand_out(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.count_bytes(call, Outcome::Ok, cx);
        let Ask { verb, key } = cx.get(call).ask();
        self.count_age(call, key, true, cx);
        let version = self.version_of(key);
        match verb {
            Verb::Get => cx.get_mut(call).answer = Got::Hit.encode(),
            _ if version != UNKNOWN => cx.get_mut(call).answer = answer_with(version),
            _ => {}
        }
        cx.reply(call, Outcome::Ok);
    }

    /// An answer to a request of a user goes out.
    fn count_bytes(&self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let Some(bytes) = self.bytes.get(usize::from(cx.get(call).class)) else { return };
        if outcome == Outcome::Ok {
            cx.count_many(gauges::BYTES_OUT, *bytes);
            if let Some(usd) = self.prices.get(usize::from(cx.get(call).class)) {
                cx.charge(*usd);
            }
        }
    }

    /// A key is filled with a version of its value that was got after the token was given. If the key was written since, the value may be
    /// old; where one caller fills for all, it is not kept then, and the next one fills.
    fn fill(&mut self, key: u32, token: u32, version: u32, cx: &mut Cx<'_>) {
        if !self.keeps(key) {
            return self.hand_out_to_waiting(key, cx);
        }
        let is_old = self.fills.is_written_since(key, token);
        if is_old && self.coalesces {
            return self.next_fills(key, cx);
        }
        if is_old && self.is_outdated(key, version, cx) {
            cx.count(gauges::STALE_SETS);
        }
        if self.shelf.is_fresh(key, cx.now()) {
            cx.count(gauges::DUPLICATE_FILLS);
        }
        self.keep(key, version, cx);
        self.hand_out_to_waiting(key, cx);
    }

    /// Whether an answer for a key is kept: what is not there is only if the cache keeps that for a time.
    const fn keeps(&self, key: u32) -> bool {
        !is_missing(key) || !self.negative.is_zero()
    }

    /// The fill of a key is over: those who have waited for it get what it has found.
    fn hand_out_to_waiting(&mut self, key: u32, cx: &mut Cx<'_>) {
        for waiter in self.fills.end(key) {
            self.hand_out(waiter, cx);
        }
    }

    /// Nothing has come of the fill of a key: the call that waits first fills it.
    fn next_fills(&mut self, key: u32, cx: &mut Cx<'_>) {
        match self.fills.take_over(key, cx.now()) {
            Some(next) => {
                self.begin_fill(next, key, cx);
                if self.fills.has_waiting(key) {
                    cx.alarm(self.lease, LEASE, About::Number(key));
                }
            }
            None => drop(self.fills.end(key)),
        }
    }

    /// The caller that fills an entry may have been waited for too long.
    fn lease_over(&mut self, key: u32, cx: &mut Cx<'_>) {
        if let Some(next) = self.fills.take_over(key, self.lease_ago(cx.now())) {
            self.begin_fill(next, key, cx);
        }
        if self.fills.has_waiting(key) {
            cx.alarm(self.lease, LEASE, About::Number(key));
        }
    }

    /// The moment before which a fill that has not ended has taken too long.
    fn lease_ago(&self, now: SimTime) -> SimTime {
        SimTime::ZERO + SimDuration::from_nanos(now.as_nanos().saturating_sub(self.lease.as_nanos()))
    }

    fn keep(&mut self, key: u32, version: u32, cx: &mut Cx<'_>) {
        self.set_version(key, version);
        cx.count(gauges::FILLS);
        let (fresh, kept) = self.times(key, cx.now());
        if self.shelf.put(key, fresh, kept) {
            cx.count(gauges::EVICTIONS);
        }
        cx.level(gauges::ENTRIES, self.shelf.len() as u64);
    }

    fn renew(&mut self, key: u32, cx: &Cx<'_>) {
        let (fresh, kept) = self.times(key, cx.now());
        self.shelf.renew(key, fresh, kept);
    }

    /// Until when an entry of a key that is made now is served, and kept.
    fn times(&mut self, key: u32, now: SimTime) -> (SimTime, SimTime) {
        if is_missing(key) {
            return (now + self.negative, now + self.negative);
        }
        let mut ttl = self.ttl;
        if let Some(stream) = &mut self.draws {
            let u = unit_open(stream);
            ttl = ttl.mul_f64(1.0 + self.ttl_jitter * (2.0 * u - 1.0));
        }
        let fresh = now + ttl;
        (fresh, fresh + self.stale_for)
    }

    // The target ----------------------------------------------------------------------------------------------------

    /// The target has answered.
    fn answered(&mut self, child: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let answer = cx.get(child).answer;
        let call = match cx.get(child).parent {
            Parent::Call(call) => call,
            Parent::Number(number) => return self.written_behind(number, outcome, cx),
            Parent::None | Parent::Request(_) => return,
        };
        cx.get_mut(call).answer = answer;
        let Notes { mark, flags, .. } = cx.get(call).notes;
        let (key, token) = ((mark >> 32) as u32, mark as u32);
        match (outcome, self.writes(call, cx)) {
            _ if flags & NOT_KEPT != 0 => {}
            (Outcome::Ok, true) => self.written(key, cx),
            (Outcome::Ok, false) => {
                self.count_age(call, key, false, cx);
                self.fill(key, token, version_in(answer), cx);
            }
            (_, true) => {}
            (_, false) => {
                self.next_fills(key, cx);
                if self.shelf.find(key, cx.now()) == Found::Stale {
                    cx.count(gauges::STALE_SERVED);
                    cx.annotate(call, || "gets an old entry, since there is no new one".into());
                    return self.hand_out(call, cx);
                }
            }
        }
        self.count_bytes(call, outcome, cx);
        cx.reply(call, outcome);
    }

    /// The target has not answered in time. It is not told and works on.
    fn give_up(&mut self, cx: &mut Cx<'_>) {
        while let Some(child) = self.hand.late(cx) {
            self.answered(child, Outcome::TimedOut, cx);
            cx.abandon(child);
        }
    }

    fn writes(&self, call: CallId, cx: &Cx<'_>) -> bool {
        self.is_write[usize::from(cx.get(call).class)]
    }

    // Operations ----------------------------------------------------------------------------------------------------

    /// The most popular keys are there, with this version of their values.
    fn warm(&mut self, version: u32, cx: &mut Cx<'_>) {
        for key in (0..self.warm).rev() {
            self.set_version(key, version);
            let (fresh, kept) = self.times(key, cx.now());
            self.shelf.put(key, fresh, kept);
        }
        cx.level(gauges::ENTRIES, self.shelf.len() as u64);
    }

    /// Everything that was in memory is gone.
    fn crash(&mut self, cx: &mut Cx<'_>) {
        if self.writes == Writes::Behind {
            cx.count_many(gauges::LOST_WRITES, self.behind.len());
            self.behind = Behind::default();
            cx.level(gauges::BEHIND, 0);
        }
        self.fills = Fills::default();
        self.shelf.clear();
        self.hand.crash();
        cx.level(gauges::ENTRIES, 0);
    }
}

/// A key in words.
fn named(key: u32) -> String {
    match key {
        _ if key < MISSING => format!("key {key}"),
        _ if is_missing(key) => format!("that key {} does not exist", key - MISSING),
        _ => "the session of the user".to_owned(),
    }
}

impl Component for Cache {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.connecting.start(cx);
        if let (Some(target), Some(_)) = (&self.target, &self.ages) {
            cx.keeps_values(cx.me(), target.first());
        }
        self.shelf.seed(cx.stream("evict").next_u64());
        if self.ttl_jitter > 0.0 {
            self.draws = Some(cx.stream("ttl"));
        }
        self.warm(OLDEST, cx);
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) if cx.get(call).ask().is_check() => cx.reply(call, Outcome::Ok),
            Signal::Call(call) if !self.works => self.worked(call, cx),
            Signal::Call(call) => {
                let op = cx.demand(call, &self.op, OP);
                cx.work(call, Device::Cpu, op);
            }
            Signal::Done(call) => self.worked(call, cx),
            Signal::Reply(child, outcome) => self.answered(child, outcome, cx),
            Signal::Alarm(Alarm { code: LEASE, about: About::Number(key) }) => self.lease_over(key, cx),
            Signal::Alarm(Alarm { code: LATE, .. }) => self.give_up(cx),
            Signal::Control(Control::Crash | Control::PowerOff) => self.crash(cx),
            Signal::Control(Control::Recover) => {
                let version = self.version_now(0, cx);
                self.warm(version, cx);
            }
            Signal::Control(
                Control::Impair(Impairment::Emptied) | Control::Order(Order { code: Order::EMPTY, .. }),
            ) => {
                self.shelf.clear();
                cx.level(gauges::ENTRIES, 0);
            }
            Signal::Alarm(_)
            | Signal::Control(_)
            | Signal::Returned(..)
            | Signal::Passed(..)
            | Signal::Cancelled(_) => {}
        }
    }
}
