//! `Peer`: a node of a database in which every node takes writes. It has a log of its own and a copy of each other's.

use crate::model::component::Cx;
use crate::model::signal::{About, Alarm, CallId, ComponentId, Outcome};
use crate::model::site::Site;

use super::apply::Applier;
use super::book::{BookId, Subject, trace_log, trace_write};
use super::follow::Follow;
use super::inbox::Inbox;
use super::log::Log;
use super::member::{Commit, Member};
use super::message::{Batch, Message, kind, query};
use super::ship::{PEER_BITS, Shipper};
use super::spec::DatabaseSpec;
use super::spec::Topology;
use super::timer;
use super::transfer::Transfer;

/// A node of a database in which all nodes take writes.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its index among the nodes, which is also that of its own log.
    index: usize,
    subject: Subject,
    nodes: Vec<ComponentId>,
    book: BookId,
    /// The logs, by the index of the node that writes them; that index is the epoch of the log.
    logs: Vec<Log>,
    /// For each log, the batches that arrived too early.
    inboxes: Vec<Inbox>,
    /// For each log, the shipper that sends it on, if this node does.
    shippers: Vec<Option<Shipper>>,
    applier: Applier,
    transfer: Transfer,
    follow: Follow,
}

impl Peer {
    pub(super) fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Peer {
        let nodes = spec.node_ids(spec.shard_of(site.member), site);
        let me = site.find(site.name);
        let index = nodes.iter().position(|&node| node == me).expect("a node is one of the nodes");
        let next = nodes[(index + 1) % nodes.len()];
        let shipper = |log: usize| {
            let targets = nodes.iter().filter(|&&node| match spec.topology() {
                // Everything that the node has goes to the next node, including that node's own writes.
                Topology::Ring => node == next,
                _ => node != me && log == index,
            });
            let shipper = Shipper::new(targets, log as u32, spec);
            (!shipper.is_idle()).then_some(shipper)
        };
        Peer {
            index,
            subject: spec.subject(site.member),
            book: BookId::NONE,
            logs: (0..nodes.len()).map(|log| Log::of(log as u16)).collect(),
            inboxes: vec![Inbox::default(); nodes.len()],
            shippers: (0..nodes.len()).map(shipper).collect(),
            applier: Applier::new(nodes.len(), spec.apply_workers(), spec.apply_demand().variate()),
            transfer: Transfer::new(spec),
            follow: Follow::new(nodes.iter().copied().filter(|&node| node != me), spec.reconnect(), false),
            nodes,
        }
    }

    /// The copy of a log goes from `after` up to `to` now: tells the trace which of its writes the node `has`.
    fn trace_log(&self, log: usize, after: u64, to: u64, has: &str, cx: &mut Cx<'_>) {
        let node = self.nodes[log];
        let text = |position, cx: &Cx<'_>| format!("has {has} write {position} of {}", cx.name(node));
        trace_log(self.book, log, (after, to), cx, text);
    }

    /// Reports to the book how far this node is with a log.
    fn tell(&self, log: usize, cx: &mut Cx<'_>) {
        let Log { received, applied, .. } = self.logs[log];
        let now = cx.now();
        self.book.of(cx).copied(now, self.index, log, received, applied);
    }

    /// Ships the part of a log that is applied here.
    fn ship(&mut self, log: usize, cx: &mut Cx<'_>) {
        if let Some(shipper) = &mut self.shippers[log] {
            shipper.ship(&self.logs[log], self.logs[log].applied, cx);
        }
    }

    /// Handles a batch that has arrived. The node already has its own writes.
    fn arrived(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if !self.transfer.is_whole(call, cx) {
            return;
        }
        let log = usize::from(Batch::of(cx.get(call).ask()).epoch);
        if self.inboxes[log].keeps(call, &self.logs[log], cx) {
            return;
        }
        self.take(log, call, cx);
        while let Some(call) = self.inboxes[log].next(&self.logs[log], cx) {
            self.take(log, call, cx);
        }
        self.apply(cx);
    }

    /// Adds a batch to the copy of its log, and answers with the new position.
    fn take(&mut self, log: usize, call: CallId, cx: &mut Cx<'_>) {
        if log != self.index {
            let before = self.logs[log].received;
            self.logs[log].receive(Batch::of(cx.get(call).ask()));
            self.trace_log(log, before, self.logs[log].received, "received", cx);
        }
        cx.get_mut(call).answer = self.logs[log].mark().word();
        cx.reply(call, Outcome::Ok);
    }

    /// Gives the workers work, shows what they have applied, and ships it.
    fn apply(&mut self, cx: &mut Cx<'_>) {
        let Peer { applier, logs, index, .. } = self;
        // The node's own writes need no applying.
        applier.feed(|log| if log == *index { 0 } else { logs[log].received }, cx);
        for log in 0..self.logs.len() {
            if log == self.index {
                continue;
            }
            let applied = self.applier.applied(log);
            if applied > self.logs[log].applied {
                let before = std::mem::replace(&mut self.logs[log].applied, applied);
                self.trace_log(log, before, applied, "applied", cx);
                self.tell(log, cx);
                if self.transfer.is_immediate() {
                    self.ship(log, cx);
                }
            }
        }
    }
}

impl Member for Peer {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.book = self.subject.open(cx);
        self.shippers.iter_mut().flatten().for_each(|shipper| shipper.start(cx));
        self.transfer.start(cx);
    }

    fn has_read(&self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let query = query(cx.get(call));
        self.book.of(cx).read(self.index, query)
    }

    fn commit(&mut self, call: CallId, cx: &mut Cx<'_>) -> Commit {
        let position = self.logs[self.index].append();
        cx.get_mut(call).notes.mark = position;
        trace_write(self.book, call, self.index, 0, position, cx);
        self.tell(self.index, cx);
        Commit::Safe
    }

    fn flushed(&mut self, cx: &mut Cx<'_>) {
        if self.transfer.is_immediate() {
            self.ship(self.index, cx);
        }
    }

    fn acknowledge(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let position = cx.get(call).notes.mark;
        let query = query(cx.get(call));
        let now = cx.now();
        self.book.of(cx).write(now, self.index, position, query);
        cx.get_mut(call).answer = position;
    }

    fn message(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if Message::of(cx.get(call).ask()).is_some_and(|message| message.kind == kind::FOLLOW) {
            let from = cx.get(call).caller;
            for (log, shipper) in self.logs.iter().zip(&mut self.shippers) {
                if let Some(shipper) = shipper {
                    shipper.follow(from, log, cx);
                }
            }
            return cx.reply(call, Outcome::Ok);
        }
        if self.transfer.is_over(call, cx) {
            self.arrived(call, cx);
        }
    }

    fn answered(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        if Message::of(cx.get(call).ask()).is_some_and(|message| message.kind == kind::FOLLOW) {
            return self.follow.answered(call, outcome, cx);
        }
        let log = usize::from(Batch::of(cx.get(call).ask()).epoch);
        if let Some(shipper) = &mut self.shippers[log] {
            shipper.answered(call, outcome, &self.logs[log], cx);
        }
    }

    fn alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>) {
        match (alarm.code, alarm.about) {
            (timer::SHIP, _) => {
                (0..self.logs.len()).for_each(|log| self.ship(log, cx));
                self.transfer.tick(cx);
            }
            (timer::RESEND, About::Number(number)) => {
                let log = (number >> PEER_BITS) as usize;
                if let Some(shipper) = &mut self.shippers[log] {
                    shipper.resend(number, &self.logs[log], cx);
                }
            }
            (timer::ARRIVED, About::Call(call)) => self.arrived(call, cx),
            (timer::FOLLOW, _) => self.follow.again(cx),
            (worker, _) => {
                self.applier.done(usize::from(worker - timer::APPLIED));
                self.apply(cx);
            }
        }
    }

    fn crash(&mut self, _has_no_power: bool, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.shippers.iter_mut().flatten().for_each(|shipper| shipper.crash(now));
        self.follow.crash();
        self.inboxes.iter_mut().for_each(Inbox::clear);
        self.applier.stop(self.logs.iter().map(|log| log.applied), cx);
        self.book.of(cx).left(now, self.index);
    }

    /// Continues after a restart: the nodes after it come back to it, it asks those before it for their logs, and it
    /// goes on applying.
    fn recover(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.book.of(cx).returned(now, self.index);
        self.transfer.tick(cx);
        for (log, shipper) in self.logs.iter().zip(&mut self.shippers) {
            if let Some(shipper) = shipper {
                shipper.resume(log.applied, cx);
            }
        }
        self.follow.begin(cx);
        self.apply(cx);
    }
}
