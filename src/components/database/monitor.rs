//! `Monitor`: polls the primary from outside and replaces it by a replica if it is dead.
//!
//! ```text
//! watch --misses--> elect --> catch up --> promote --> reroute --> watch the new one
//! ```
//!
//! With a lease, it is the store that holds the primary's key: an answer to a poll is a renewal.

use crate::kernel::random::{Stream, unit_open};
use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;
use crate::model::ask::Ask;
use crate::model::call::{Call, Parent};
use crate::model::component::{Component, Cx};
use crate::model::signal::{About, Alarm, CallId, ComponentId, Control, Order, Outcome, Signal};
use crate::model::site::Site;

use super::book::{BookId, Part, Subject};
use super::gauges;
use super::message::{Mark, Message, kind, order};
use super::spec::DatabaseSpec;
use super::spec::{Failover, Pick, Reroute};

/// The timers of a monitor.
mod timer {
    /// The next poll.
    pub(super) const POLL: u16 = 0;
    /// The time limit of a poll is reached.
    pub(super) const SILENT: u16 = 1;
    /// A person has decided to fail over because of the loss with this number.
    pub(super) const DECIDED: u16 = 2;
    /// The time for answers to the election with this number is over.
    pub(super) const VOTED: u16 = 3;
    /// The time of the promotion is over.
    pub(super) const PROMOTED: u16 = 4;
    /// Nobody has answered in the election with this number: time for another one.
    pub(super) const AGAIN: u16 = 5;
    /// The callers learn of the primary of the epoch with this number.
    pub(super) const REROUTED: u16 = 6;
    /// The primary's key expires, unless it was renewed.
    pub(super) const EXPIRES: u16 = 7;
}

/// The phase of a failover.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Watching,
    Deciding,
    Electing,
    CatchingUp,
    Promoting,
}

/// The monitor of one database.
#[derive(Debug)]
pub struct Monitor {
    nodes: Vec<ComponentId>,
    router: ComponentId,
    /// Its shard.
    shard: u32,
    subject: Subject,
    book: BookId,
    interval: SimDuration,
    timeout: SimDuration,
    misses: u32,
    manual: SimDuration,
    /// Life of the primary's key, if it holds one.
    ttl: Option<SimDuration>,
    /// When that key expires.
    expires: SimTime,
    pick: Pick,
    promote: Variate,
    reroute: Reroute,
    delay: SimDuration,
    /// Time for which an old primary may go on; `None` if it is fenced.
    discover: Option<SimDuration>,
    phase: Phase,
    /// For each node, the number of consecutive polls without an answer.
    missed: Vec<u32>,
    primary: usize,
    chosen: usize,
    epoch: u16,
    /// The end of the promotion.
    due: SimTime,
    /// Number of times that the primary was declared dead.
    losses: u32,
    /// Number of elections.
    election: u32,
    /// Number of answers to the election that are still missing.
    awaited: usize,
    /// The position that each node has reported.
    marks: Vec<Option<Mark>>,
    stream: Option<Stream>,
}

impl Monitor {
    /// The monitor of the database that `spec` describes.
    ///
    /// # Panics
    /// If it has no failover.
    #[must_use]
    pub fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Monitor {
        let failover: &Failover = spec.failover.as_ref().expect("a monitor belongs to a failover");
        let nodes = spec.node_ids(spec.shard_of(site.member), site);
        let discover = failover.discover();
        Monitor {
            router: site.find(site.group),
            shard: spec.shard_of(site.member),
            subject: spec.subject(site.member),
            book: BookId::NONE,
            interval: failover.interval(),
            timeout: failover.timeout(),
            misses: failover.misses(),
            manual: failover.manual.map_or(SimDuration::ZERO, |time| time.0),
            ttl: failover.ttl(),
            expires: SimTime::ZERO,
            pick: failover.pick("", spec.replicas()).expect("the loader has checked the pick"),
            promote: failover.promote(),
            reroute: failover.reroute(),
            delay: failover.reroute_delay(),
            discover: (!failover.is_fenced()).then_some(discover),
            phase: Phase::Watching,
            missed: vec![0; nodes.len()],
            primary: 0,
            chosen: 0,
            epoch: 0,
            due: SimTime::ZERO,
            losses: 0,
            election: 0,
            awaited: 0,
            marks: vec![None; nodes.len()],
            nodes,
            stream: None,
        }
    }

    fn ask(&self, node: usize, kind: u8, word: u64, cx: &mut Cx<'_>) -> CallId {
        let ask = Ask::own(kind, self.election as u16, word);
        cx.ask(Parent::Number(node as u32), self.nodes[node], u64::from(kind), ask)
    }

    // Watching ------------------------------------------------------------------------------------------------------

    fn poll(&mut self, cx: &mut Cx<'_>) {
        cx.alarm(self.interval, timer::POLL, About::Nothing);
        for node in 0..self.nodes.len() {
            let call = self.ask(node, kind::POLL, 0, cx);
            cx.alarm(self.timeout, timer::SILENT, About::Call(call));
        }
    }

    /// Notes that a node has answered. The router is told if it did not answer before. If it is the primary and nobody
    /// has decided yet to replace it, it stays.
    fn seen(&mut self, node: usize, cx: &mut Cx<'_>) {
        if self.phase == Phase::Deciding && node == self.primary {
            cx.note(cx.me(), "failover called off");
            self.phase = Phase::Watching;
        }
        if node == self.primary {
            self.renew(cx);
        }
        if std::mem::take(&mut self.missed[node]) >= self.misses {
            self.tell_router(order::UP, node, cx);
        }
    }

    /// Counts a poll without an answer. After enough of them a node gets no reads, and a primary is replaced.
    fn miss(&mut self, node: usize, cx: &mut Cx<'_>) {
        self.missed[node] = self.missed[node].saturating_add(1);
        if self.missed[node] == self.misses {
            self.tell_router(order::DOWN, node, cx);
        }
        if self.missed[node] < self.misses {
            return;
        }
        match self.phase {
            Phase::Watching if node == self.primary && self.ttl.is_none() => self.lost(cx),
            // It will never answer the order that it was given.
            Phase::CatchingUp | Phase::Promoting if node == self.chosen => self.elect(cx),
            _ => {}
        }
    }

    /// Notes that the primary has renewed its key.
    fn renew(&mut self, cx: &mut Cx<'_>) {
        if let Some(ttl) = self.ttl {
            self.expire_at(cx.now() + ttl, cx);
        }
    }

    fn expire_at(&mut self, at: SimTime, cx: &mut Cx<'_>) {
        self.expires = at;
        cx.alarm_at(at, timer::EXPIRES, About::Nothing);
    }

    /// Declares the primary dead.
    fn lost(&mut self, cx: &mut Cx<'_>) {
        cx.note(cx.me(), "primary declared dead");
        self.end(Part::Detect, cx);
        self.phase = Phase::Deciding;
        self.losses += 1;
        cx.alarm(self.manual, timer::DECIDED, About::Number(self.losses));
    }

    // Failing over --------------------------------------------------------------------------------------------------

    /// Asks all nodes for their positions. The old primary is asked too, because it may be the only node left.
    fn elect(&mut self, cx: &mut Cx<'_>) {
        match self.phase {
            Phase::Deciding => {
                self.end(Part::Decide, cx);
                self.fence(self.primary, cx);
            }
            // It may already be primary, although its answer has not arrived.
            Phase::Promoting => self.fence(self.chosen, cx),
            _ => {}
        }
        self.phase = Phase::Electing;
        self.election += 1;
        // Who runs for a lease does not wait for the old primary.
        self.awaited = self.nodes.len() - usize::from(self.ttl.is_some());
        self.marks.fill(None);
        let kind = if self.pick == Pick::MostApplied { kind::APPLIED } else { kind::RECEIVED };
        for node in 0..self.nodes.len() {
            self.ask(node, kind, 0, cx);
        }
        cx.alarm(self.timeout, timer::VOTED, About::Number(self.election));
    }

    fn tell_router(&self, code: u16, node: usize, cx: &mut Cx<'_>) {
        let order = Order { code, subject: order::subject(self.shard, node) };
        cx.control(self.router, SimDuration::ZERO, Control::Order(order));
    }

    fn fence(&self, node: usize, cx: &mut Cx<'_>) {
        let fence = Order { code: order::FENCE, subject: u32::from(self.epoch) + 1 };
        let after = self.discover.unwrap_or(SimDuration::ZERO);
        cx.control(self.nodes[node], after, Control::Order(fence));
    }

    /// Chooses the new primary from the answers. The old primary is chosen only if no other node has answered.
    fn choose(&mut self, cx: &mut Cx<'_>) {
        let named = match self.pick {
            Pick::Named(node) => self.marks[node].map(|_| node),
            _ => None,
        };
        let others = (0..self.nodes.len()).filter(|&node| node != self.primary);
        let far = |node: usize| self.marks[node].map(|mark| (mark.epoch, mark.position));
        // Among equals, the first.
        let most = others.rev().filter(|&node| far(node).is_some()).max_by_key(|&node| far(node));
        let old = self.marks[self.primary].map(|_| self.primary);
        match named.or(most).or(old) {
            Some(node) => {
                self.chosen = node;
                self.phase = Phase::CatchingUp;
                self.end(Part::Elect, cx);
                self.ask(node, kind::CATCH_UP, 0, cx);
            }
            None => cx.alarm(self.interval, timer::AGAIN, About::Number(self.election)),
        }
    }

    fn caught_up(&mut self, cx: &mut Cx<'_>) {
        self.end(Part::CatchUp, cx);
        self.phase = Phase::Promoting;
        let stream = self.stream.get_or_insert_with(|| cx.stream("promote"));
        let time = self.promote.draw(stream);
        self.due = cx.now() + time;
        cx.alarm(time, timer::PROMOTED, About::Nothing);
    }

    fn promoted(&mut self, cx: &mut Cx<'_>) {
        self.end(Part::Promote, cx);
        cx.note(cx.me(), "new primary");
        cx.count(gauges::FAILOVERS);
        self.primary = self.chosen;
        self.phase = Phase::Watching;
        self.missed[self.primary] = 0;
        self.renew(cx);
        // With DNS, each caller learns by itself within the time to live.
        let delay = if self.reroute == Reroute::Dns { SimDuration::ZERO } else { self.delay };
        cx.alarm(delay, timer::REROUTED, About::Number(u32::from(self.epoch)));
    }

    fn route(&self, cx: &mut Cx<'_>) {
        self.tell_router(order::ROUTE, self.primary, cx);
    }

    fn end(&self, part: Part, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.book.of(cx).end_part(part, now);
    }

    fn answered(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let &Call { parent: Parent::Number(node), answer, .. } = cx.get(call) else { return };
        let Some(Message { kind, tag, .. }) = Message::of(cx.get(call).ask()) else { return };
        let ok = outcome == Outcome::Ok;
        let of_this_election = tag == self.election as u16;
        match (self.phase, kind) {
            (_, kind::POLL) if ok => self.seen(node as usize, cx),
            (_, kind::POLL) => self.miss(node as usize, cx),
            // An answer to an earlier election is too late.
            (_, kind::RECEIVED | kind::APPLIED | kind::CATCH_UP | kind::PROMOTE) if !of_this_election => {}
            (Phase::Electing, kind::RECEIVED | kind::APPLIED) => {
                self.marks[node as usize] = ok.then(|| Mark::of(answer));
                self.awaited -= usize::from(self.ttl.is_none() || node as usize != self.primary);
                if self.awaited == 0 {
                    self.choose(cx);
                }
            }
            (Phase::CatchingUp, kind::CATCH_UP) if ok => self.caught_up(cx),
            (Phase::Promoting, kind::PROMOTE) if ok => self.promoted(cx),
            (Phase::CatchingUp, kind::CATCH_UP) | (Phase::Promoting, kind::PROMOTE) => self.elect(cx),
            _ => {}
        }
    }

    fn alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>) {
        match (alarm.code, alarm.about) {
            (timer::POLL, _) => self.poll(cx),
            (timer::SILENT, About::Call(call)) => {
                let Parent::Number(node) = cx.get(call).parent else { return };
                cx.abandon(call);
                self.miss(node as usize, cx);
            }
            (timer::EXPIRES, _) if self.phase == Phase::Watching && cx.now() == self.expires => self.lost(cx),
            (timer::DECIDED, About::Number(loss)) if loss == self.losses && self.phase == Phase::Deciding => {
                self.elect(cx);
            }
            (timer::AGAIN, About::Number(election))
                if election == self.election && self.phase == Phase::Electing =>
            {
                self.elect(cx);
            }
            // Unless another one has been promoted meanwhile.
            (timer::REROUTED, About::Number(epoch)) if epoch == u32::from(self.epoch) => self.route(cx),
            (timer::VOTED, About::Number(election))
                if election == self.election && self.phase == Phase::Electing && self.awaited > 0 =>
            {
                self.choose(cx);
            }
            // The timer of a promotion that was given up fires at another time, or in another phase.
            (timer::PROMOTED, _) if self.phase == Phase::Promoting && cx.now() == self.due => {
                self.epoch += 1;
                self.ask(self.chosen, kind::PROMOTE, u64::from(self.epoch), cx);
            }
            _ => {}
        }
    }
}

impl Component for Monitor {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.book = self.subject.open(cx);
        let phase = self.interval.mul_f64(unit_open(&mut cx.stream("polls")));
        cx.alarm(phase, timer::POLL, About::Nothing);
        if let Some(ttl) = self.ttl {
            // The last renewal was an interval before the first poll.
            let over = ttl.as_nanos() - self.interval.as_nanos();
            self.expire_at(cx.now() + phase + SimDuration::from_nanos(over), cx);
        }
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Reply(call, outcome) => self.answered(call, outcome, cx),
            Signal::Alarm(alarm) => self.alarm(alarm, cx),
            Signal::Control(Control::Recover) => {
                // It has lost its state.
                self.phase = Phase::Watching;
                self.missed.fill(0);
                self.route(cx);
                self.renew(cx);
                self.poll(cx);
            }
            Signal::Call(call) => cx.reply(call, Outcome::Ok),
            Signal::Returned(..)
            | Signal::Passed(..)
            | Signal::Cancelled(_)
            | Signal::Done(_)
            | Signal::Control(_) => {}
        }
    }
}
