//! `Router`: sends queries to nodes. It is a part of the driver in each caller, costs nothing, and learns from refusals
//! and answers.

use std::collections::BTreeMap;

use rand::Rng;

use crate::kernel::random::{KeyedRng, Stream, mix, name_hash, unit_open};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::ask::Found;
use crate::model::call::{Call, NOBODY};
use crate::model::component::{Component, Cx};
use crate::model::signal::{CallId, ComponentId, Control, Order, Outcome, Signal};
use crate::model::site::Site;

use super::book::{BookId, Subject};
use super::gauges;
use super::homes::Homes;
use super::message::{flag, order};
use super::spec::DatabaseSpec;
use super::spec::Failover;
use super::spec::{ReadYourWrites, Reads};

/// What the router knows of a user who has written.
#[derive(Clone, Copy, Debug, Default)]
struct Writer {
    /// The identity of the user; slots of users are reused.
    identity: u64,
    /// Reads go to the primary until then.
    until: SimTime,
    /// Position of the last write.
    position: u64,
}

/// The router of one database, or of one shard.
#[derive(Debug)]
pub struct Router {
    subject: Subject,
    book: BookId,
    nodes: Vec<ComponentId>,
    /// The node of each caller, if all nodes take writes.
    homes: Option<Homes>,
    primary: usize,
    /// The previous primary, which some callers still use.
    former: usize,
    /// The monitor, which tells callers of a new primary.
    monitor: Option<ComponentId>,
    /// For each caller that knows of a new primary: the number of the change, and the primary.
    heard: BTreeMap<ComponentId, (u32, usize)>,
    /// Number of changes of the primary.
    change: u32,
    /// Time within which each caller learns of a new primary, at a random time; zero if all learn at once.
    spread: SimDuration,
    changed: SimTime,
    /// The key for the draws of these times.
    draw: u64,
    stream: Option<Stream>,
    /// For each node, the time until which it counts as down.
    down_until: Vec<SimTime>,
    retry_down: SimDuration,
    /// The node after the one that got the last read.
    next: usize,
    reads: Reads,
    after_write: ReadYourWrites,
    after_write_for: SimDuration,
    /// Whether a class writes.
    writes: Vec<bool>,
    /// The users who have written, by client and user.
    writers: Vec<Vec<Writer>>,
}

impl Router {
    /// The router of a shard of the database that `spec` describes; of the database itself, if it is in one piece.
    #[must_use]
    pub fn new(spec: &DatabaseSpec, shard: u32, site: &Site<'_>) -> Router {
        let nodes = spec.node_ids(shard, site);
        Router {
            subject: Subject { shard: shard as usize, ..spec.subject(0) },
            book: BookId::NONE,
            homes: spec.all_write().then(|| Homes::new(nodes.len())),
            down_until: vec![SimTime::ZERO; nodes.len()],
            nodes,
            primary: 0,
            former: 0,
            monitor: spec.monitor(shard, site),
            heard: BTreeMap::new(),
            change: 0,
            spread: spec.failover.as_ref().map_or(SimDuration::ZERO, Failover::spread),
            changed: SimTime::ZERO,
            draw: 0,
            stream: None,
            retry_down: spec.retry_down.map_or(SimDuration::from_secs(1), |pause| pause.0),
            next: 0,
            reads: spec.reads(),
            after_write: spec.read_your_writes.unwrap_or_default(),
            after_write_for: spec.primary_for.map_or(SimDuration::ZERO, |time| time.0),
            writes: site.classes.iter().map(|class| class.writes).collect(),
            writers: Vec::new(),
        }
    }

    /// Opens its book, at the start.
    pub(super) fn open(&mut self, cx: &mut Cx<'_>) {
        self.book = self.subject.open(cx);
    }

    /// The present primary.
    pub(super) fn primary(&self) -> ComponentId {
        self.nodes[self.primary]
    }

    fn is_write(&self, call: CallId, cx: &Cx<'_>) -> bool {
        self.writes[usize::from(cx.get(call).class)]
    }

    /// Forwards a query to a node.
    pub(super) fn route(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let user = cx.get(call).user;
        let caller = cx.asker(call);
        let is_write = self.is_write(call, cx);
        if is_write {
            let now = cx.now();
            self.book.of(cx).asked(now);
        }
        let node = match &self.homes {
            Some(_) => self.any(is_write, caller, cx),
            None if is_write => self.primary_for(caller, cx),
            None => self.reader(call, caller, cx),
        };
        let watched = is_write && user != NOBODY && self.after_write != ReadYourWrites::None;
        cx.get_mut(call).watched = watched;
        cx.forward(call, self.nodes[node]);
    }

    /// The node for a query if all nodes take writes: the caller's own, or the next in turn if that is down. Reads may
    /// go to all nodes in turn.
    fn any(&mut self, is_write: bool, caller: ComponentId, cx: &Cx<'_>) -> usize {
        let (now, nodes) = (cx.now(), &self.nodes);
        let homes = self.homes.as_mut().expect("all nodes take writes");
        let home = homes.of(caller, |node| cx.distance(caller, nodes[node]));
        let spread = !is_write && self.reads == Reads::Replicas;
        if !spread && self.is_up(home, now) {
            return home;
        }
        let node = self.in_turn(now, |_| true).unwrap_or(home);
        self.next = (node + 1) % self.nodes.len();
        node
    }

    /// The primary, as far as the caller knows. The message about a new one takes time and does not cross a partition.
    fn primary_for(&mut self, caller: ComponentId, cx: &Cx<'_>) -> usize {
        if self.change == 0 {
            return self.primary;
        }
        let known = match self.heard.get(&caller) {
            Some(&(change, node)) if change == self.change => return node,
            Some(&(_, node)) => node,
            None => self.former,
        };
        let since = cx.now().saturating_since(self.changed);
        let moment = unit_open(&mut KeyedRng::new(mix(self.draw, name_hash(cx.name(caller)))));
        let is_late = since >= self.spread || since >= self.spread.mul_f64(moment);
        if is_late && self.monitor.is_none_or(|monitor| cx.reaches(monitor, caller)) {
            self.heard.insert(caller, (self.change, self.primary));
            return self.primary;
        }
        known
    }

    /// Handles an order of the monitor about a node.
    pub(super) fn order(&mut self, order: Order, cx: &mut Cx<'_>) {
        let (_, node) = order::of(order.subject);
        match order.code {
            order::ROUTE => self.reroute(node, cx),
            order::DOWN => self.down_until[node] = SimTime::MAX,
            _ => self.down_until[node] = SimTime::ZERO,
        }
    }

    /// Handles a change of the primary.
    fn reroute(&mut self, primary: usize, cx: &mut Cx<'_>) {
        if primary == self.primary {
            return;
        }
        (self.former, self.primary, self.changed) = (self.primary, primary, cx.now());
        self.change += 1;
        let purpose = match self.subject.shard {
            0 => "reroute".to_owned(),
            shard => format!("reroute-{}", shard + 1),
        };
        self.draw = self.stream.get_or_insert_with(|| cx.stream(&purpose)).next_u64();
        self.down_until[primary] = SimTime::ZERO;
    }

    /// The node for a read.
    fn reader(&mut self, call: CallId, caller: ComponentId, cx: &mut Cx<'_>) -> usize {
        let now = cx.now();
        let primary = self.primary_for(caller, cx);
        if let Some(writer) = self.writer(call, cx).copied() {
            let first_try = cx.get(call).notes.pending == 0;
            if first_try && now < writer.until && self.is_up(primary, now) {
                return primary;
            }
            let notes = &mut cx.get_mut(call).notes;
            (notes.flags, notes.mark) = (flag::WAIT, writer.position);
        }
        let node = match self.reads {
            Reads::Primary => primary,
            Reads::Replicas => self.in_turn(now, |node| node != primary).unwrap_or(primary),
            Reads::Nearest => {
                let up = (0..self.nodes.len()).filter(|&node| self.is_up(node, now));
                let distance = |node: usize| cx.distance(caller, self.nodes[node]);
                let least = up.map(distance).min();
                self.in_turn(now, |node| Some(distance(node)) == least).unwrap_or(primary)
            }
        };
        self.next = (node + 1) % self.nodes.len();
        node
    }

    /// The next node in turn that is not down and that fits.
    fn in_turn(&self, now: SimTime, fits: impl Fn(usize) -> bool) -> Option<usize> {
        let count = self.nodes.len();
        (0..count).map(|step| (self.next + step) % count).find(|&node| self.is_up(node, now) && fits(node))
    }

    fn is_up(&self, node: usize, now: SimTime) -> bool {
        self.down_until[node] <= now
    }

    /// What the router knows of the user of a call.
    fn writer(&self, call: CallId, cx: &Cx<'_>) -> Option<&Writer> {
        let &Call { client, user, identity, .. } = cx.get(call);
        let writer = self.writers.get(client.index())?.get(user as usize)?;
        (writer.identity == identity).then_some(writer)
    }

    /// Whether a component is one of its nodes.
    pub(super) fn has(&self, node: ComponentId) -> bool {
        self.nodes.contains(&node)
    }

    /// Handles a query that a node has refused: a read goes to another node, a write fails.
    pub(super) fn returned(&mut self, call: CallId, from: ComponentId, cx: &mut Cx<'_>) {
        let now = cx.now();
        let Some(node) = self.nodes.iter().position(|&node| node == from) else { return };
        // A node that the monitor has taken out stays out until the monitor puts it back.
        self.down_until[node] = self.down_until[node].max(now + self.retry_down);
        let is_write = self.is_write(call, cx);
        let notes = &mut cx.get_mut(call).notes;
        notes.pending += 1;
        if self.homes.is_some() {
            // The query has not started anywhere, so a write may go to another node too.
            let others =
                usize::from(notes.pending) < self.nodes.len() && self.in_turn(now, |_| true).is_some();
            return if others { self.route_again(call, cx) } else { cx.reply(call, Outcome::Unavailable) };
        }
        let was_last = usize::from(notes.pending) > self.nodes.len() || node == self.primary;
        let others = self.reads != Reads::Primary && self.in_turn(now, |node| node != self.primary).is_some();
        if is_write || (was_last && !others) {
            cx.reply(call, Outcome::Unavailable);
        } else {
            self.route_again(call, cx);
        }
    }

    fn route_again(&mut self, call: CallId, cx: &mut Cx<'_>) {
        cx.count(gauges::REROUTES);
        self.route(call, cx);
    }

    /// Handles the answer of a write: its user has written.
    pub(super) fn passed(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let &Call { client, user, identity, answer, .. } = cx.get(call);
        if outcome != Outcome::Ok {
            return;
        }
        let (client, user) = (client.index(), user as usize);
        if client >= self.writers.len() {
            self.writers.resize(client + 1, Vec::new());
        }
        let writers = &mut self.writers[client];
        if user >= writers.len() {
            writers.resize(user + 1, Writer::default());
        }
        let writer = &mut writers[user];
        *writer = Writer { identity, ..Writer::default() };
        match self.after_write {
            ReadYourWrites::None => {}
            ReadYourWrites::PrimaryFor => writer.until = cx.now() + self.after_write_for,
            ReadYourWrites::Session => writer.until = SimTime::MAX,
            ReadYourWrites::WaitForPosition => writer.position = Found::decode(answer).position,
        }
    }
}

impl Component for Router {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.open(cx);
    }

    #[inline(always)]
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.route(call, cx),
            Signal::Returned(call, from) => self.returned(call, from, cx),
            Signal::Passed(call, outcome) => self.passed(call, outcome, cx),
            Signal::Control(Control::Order(order)) => self.order(order, cx),
            Signal::Reply(..)
            | Signal::Done(_)
            | Signal::Alarm(_)
            | Signal::Control(_)
            | Signal::Cancelled(_) => {}
        }
    }
}
