//! `Replica`: a node of a database with one primary: its copy of the log, and its part as primary or replica.

use crate::model::component::Cx;
use crate::model::signal::{About, Alarm, CallId, ComponentId, Order, Outcome};
use crate::model::site::Site;

use super::acks::Acks;
use super::apply::Applier;
use super::book::{BookId, Part, Progress, Subject, trace_fork, trace_log, trace_write};
use super::confirm::Confirm;
use super::follow::{Follow, TAKEN};
use super::handover::Handover;
use super::inbox::Inbox;
use super::log::{Log, Received};
use super::member::{Commit, Member};
use super::message::{Batch, Mark, Message, kind, query};
use super::script::Script;
use super::ship::{Answered, Shipper};
use super::spec::DatabaseSpec;
use super::timer;
use super::transfer::Transfer;
use super::waiters::Waiters;
use crate::model::ask::Ask;
use crate::model::call::Parent;

/// A primary or one of its replicas.
#[derive(Debug)]
pub(super) struct Replica {
    /// Its index among the nodes.
    index: usize,
    subject: Subject,
    book: BookId,
    is_primary: bool,
    /// Whether it takes no more of the log, because it is to be promoted.
    closed: bool,
    /// The primary whose log it has.
    upstream: ComponentId,
    /// The call of the monitor that waits until everything is applied.
    catching_up: Option<CallId>,
    script: Script,
    log: Log,
    acks: Acks,
    shipper: Shipper,
    applier: Applier,
    waiters: Waiters,
    inbox: Inbox,
    transfer: Transfer,
    confirm: Confirm,
    follow: Follow,
    handover: Handover,
}

impl Replica {
    pub(super) fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Replica {
        let nodes = spec.node_ids(spec.shard_of(site.member), site);
        let me = site.find(site.name);
        let index = nodes.iter().position(|&node| node == me).expect("a node is one of the nodes");
        let others: Vec<ComponentId> = nodes.iter().copied().filter(|&node| node != me).collect();
        Replica {
            index,
            subject: spec.subject(site.member),
            shipper: Shipper::new(nodes.iter().filter(|&&node| node != me), 0, spec),
            book: BookId::NONE,
            is_primary: index == 0,
            closed: false,
            catching_up: None,
            script: Script::new(spec.failover.as_ref()),
            log: Log::default(),
            acks: Acks::new(spec.wait()),
            applier: Applier::new(1, spec.apply_workers(), spec.apply_demand().variate()),
            waiters: Waiters::default(),
            inbox: Inbox::default(),
            transfer: Transfer::new(spec),
            confirm: Confirm::new(spec),
            follow: Follow::new(others.iter().copied(), spec.reconnect(), true),
            handover: Handover::new((spec.shard_of(site.member), index), others, site),
            upstream: nodes[0],
        }
    }

    /// Reports to the book how far this node is.
    fn tell(&self, cx: &mut Cx<'_>) {
        let Log { received, applied, epoch, .. } = self.log;
        let progress = Progress { epoch, received, applied, follows: !self.is_primary };
        let now = cx.now();
        self.book.of(cx).progress(now, self.index, progress);
    }

    /// Handles the time limit of the oldest write that waits for replicas.
    fn lose_patience(&mut self, cx: &mut Cx<'_>) {
        match self.acks.deadline() {
            Some(deadline) if deadline <= cx.now() => {
                self.acks.suspend();
                cx.note(cx.me(), "semi-sync falls back to async");
            }
            Some(deadline) => cx.alarm_at(deadline, timer::PATIENCE, About::Nothing),
            None => {}
        }
    }

    /// Ships a batch when its timer fires.
    fn ship(&mut self, cx: &mut Cx<'_>) {
        if self.is_primary {
            self.shipper.ship(&self.log, self.log.received, cx);
        }
        self.transfer.tick(cx);
    }

    fn resend(&mut self, number: u32, cx: &mut Cx<'_>) {
        if self.is_primary {
            self.shipper.resend(number, &self.log, cx);
        }
    }

    /// Stops taking the log, and answers the monitor when everything is applied.
    fn close(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.closed = true;
        if let Some(earlier) = self.catching_up.replace(call) {
            cx.reply(earlier, Outcome::Unavailable);
        }
        self.caught_up(cx);
    }

    fn caught_up(&mut self, cx: &mut Cx<'_>) {
        if self.log.applied == self.log.received
            && let Some(call) = self.catching_up.take()
        {
            cx.reply(call, Outcome::Ok);
        }
        self.hand_over(cx);
    }

    /// Goes on with a switch between sites: the node becomes primary once it has applied everything and is told to.
    fn hand_over(&mut self, cx: &mut Cx<'_>) {
        if self.handover.is_idle() || self.log.applied < self.log.received || !cx.works() {
            return;
        }
        let now = cx.now();
        if self.handover.has_applied() {
            self.book.of(cx).end_part(Part::CatchUp, now);
        }
        if self.handover.is_due() {
            self.promote(self.log.epoch + 1, cx);
            self.book.of(cx).end_part(Part::Promote, now);
            self.handover.end(cx);
        }
    }

    /// Handles a batch that has arrived.
    fn arrived(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if !self.transfer.is_whole(call, cx) || self.is_open() && self.inbox.keeps(call, &self.log, cx) {
            return;
        }
        self.take(call, cx);
        while let Some(call) = self.inbox.next(&self.log, cx) {
            self.take(call, cx);
        }
        self.apply(cx);
    }

    /// Whether it takes more of the log.
    fn is_open(&self) -> bool {
        !self.is_primary && !self.closed
    }

    /// Adds a batch to the log, and answers with the new position.
    fn take(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let batch = Batch::of(cx.get(call).ask());
        let from = cx.get(call).caller;
        let is_open = self.is_open() || !self.is_primary && batch.epoch > self.log.epoch;
        let before = self.log.received;
        if is_open {
            self.upstream = from;
            self.follow.stop();
        }
        if is_open && let Received::Adopted(surplus) = self.log.receive(batch) {
            self.closed = false;
            self.confirm.restart(self.log.applied);
            self.applier.restart([self.log.applied]);
            if surplus > 0 {
                self.script.begin(self.book, from, cx);
            }
        }
        cx.get_mut(call).answer = self.log.mark().word();
        self.trace_log(before, self.log.received, "received", cx);
        cx.reply(call, Outcome::Ok);
        if is_open {
            if batch.to < batch.from {
                self.confirm.asked();
            }
            self.confirm.flush(self.log.received, cx);
        }
    }

    /// Tells the primary how much of the log is safe here, if it does not know.
    fn tell_primary(&mut self, cx: &mut Cx<'_>) {
        if let Some(position) = self.confirm.news(self.log.applied).filter(|_| !self.is_primary) {
            let ask = Ask::own(kind::CONFIRM, self.log.epoch, position);
            cx.ask(Parent::Number(0), self.upstream, position, ask);
        }
    }

    /// A flush of what it has received has ended.
    fn confirmed(&mut self, cx: &mut Cx<'_>) {
        self.confirm.flushed();
        self.confirm.flush(self.log.received, cx);
        self.tell_primary(cx);
    }

    /// Handles an answer of a replica, or its confirmation: semi-sync may begin again.
    fn progressed(&mut self, cx: &mut Cx<'_>) {
        let (shipper, head) = (&self.shipper, self.log.received);
        if self.acks.resumes(|needed| shipper.confirmed_by(needed), head) {
            cx.note(cx.me(), "semi-sync again");
        }
    }

    /// Handles what another node says that asks for no position.
    fn told(&mut self, call: CallId, message: Message, cx: &mut Cx<'_>) {
        let from = cx.get(call).caller;
        if self.is_primary && message.kind == kind::FOLLOW {
            self.shipper.follow(from, &self.log, cx);
            cx.get_mut(call).answer = TAKEN;
        } else if self.is_primary && message.tag == self.log.epoch && self.shipper.confirm(from, message.word)
        {
            self.progressed(cx);
        }
        cx.reply(call, Outcome::Ok);
    }

    /// The copy of the log goes from `after` up to `to` now: tells the trace which of its writes the node `has`.
    fn trace_log(&self, after: u64, to: u64, has: &str, cx: &mut Cx<'_>) {
        trace_log(self.book, 0, (after, to), cx, |position, _| format!("has {has} write {position}"));
    }

    /// Handles a write that a worker has applied.
    fn applied(&mut self, worker: usize, cx: &mut Cx<'_>) {
        self.applier.done(worker);
        self.apply(cx);
    }

    /// Gives the workers work, and shows what they have applied.
    fn apply(&mut self, cx: &mut Cx<'_>) {
        if !self.is_primary {
            let received = self.log.received;
            self.applier.feed(|_| received, cx);
            let before = std::mem::replace(&mut self.log.applied, self.applier.applied(0));
            self.trace_log(before, self.log.applied, "applied", cx);
            self.tell(cx);
            self.caught_up(cx);
            self.tell_primary(cx);
        }
    }

    /// Makes this node the primary.
    fn promote(&mut self, epoch: u16, cx: &mut Cx<'_>) {
        self.log.promote(epoch);
        self.is_primary = true;
        self.closed = false;
        let now = cx.now();
        self.book.of(cx).fork(now, epoch, self.log.received);
        trace_fork(self.book, epoch, self.log.received, cx);
        self.tell(cx);
        self.shipper.begin(&self.log, self.log.received, cx);
    }
}

impl Member for Replica {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.book = self.subject.open(cx);
        self.tell(cx);
        self.shipper.start(cx);
        self.transfer.start(cx);
    }

    /// Whether this node refuses a query: only the primary takes writes, and a node that is being copied serves no
    /// queries.
    fn declines(&self, is_write: bool) -> bool {
        self.script.is_rebuilding || (is_write && !self.is_primary)
    }

    /// Whether a lost write may be written again: its key has not been written since.
    fn admits(&self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let key = cx.get(call).ask().key;
        self.book.of(cx).admits(key)
    }

    fn waits(&mut self, call: CallId, position: u64) -> bool {
        if position <= self.log.applied {
            return false;
        }
        self.waiters.push(call, position);
        true
    }

    fn ready(&mut self) -> Option<CallId> {
        self.waiters.pop(self.log.applied)
    }

    fn has_read(&self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let query = query(cx.get(call));
        self.book.of(cx).read(self.index, query)
    }

    fn commit(&mut self, call: CallId, cx: &mut Cx<'_>) -> Commit {
        if !self.is_primary {
            return Commit::Void;
        }
        let position = self.log.append();
        cx.get_mut(call).notes.mark = position;
        trace_write(self.book, call, 0, self.log.epoch, position, cx);
        if self.acks.needed() == 0 {
            return Commit::Safe;
        }
        let now = cx.now();
        self.book.of(cx).waits(now);
        if let Some(deadline) = self.acks.push(now, call, position) {
            cx.alarm_at(deadline, timer::PATIENCE, About::Nothing);
        }
        Commit::Waits
    }

    fn flushed(&mut self, cx: &mut Cx<'_>) {
        self.tell(cx);
        if self.transfer.is_immediate() {
            self.shipper.ship(&self.log, self.log.received, cx);
        }
    }

    fn acknowledge(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let position = cx.get(call).notes.mark;
        let query = query(cx.get(call));
        let (now, epoch) = (cx.now(), self.log.epoch);
        self.book.of(cx).acknowledge(now, epoch, position, query);
        cx.get_mut(call).answer = position;
    }

    fn safe(&mut self) -> Option<CallId> {
        let confirmed = match self.acks.needed() {
            0 => u64::MAX,
            needed => self.shipper.confirmed_by(needed),
        };
        self.acks.pop(confirmed).map(|pending| pending.call)
    }

    fn stranded(&mut self) -> Option<CallId> {
        self.acks.pop(u64::MAX).map(|pending| pending.call)
    }

    fn message(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let Log { epoch, received, applied, .. } = self.log;
        let Some(message) = Message::of(cx.get(call).ask()) else { return };
        let Message { kind, word, .. } = message;
        let position = match kind {
            kind::CONFIRM | kind::FOLLOW => return self.told(call, message, cx),
            kind::BATCH | kind::ADOPT => {
                if self.transfer.is_over(call, cx) {
                    self.arrived(call, cx);
                }
                return;
            }
            kind::CATCH_UP => return self.close(call, cx),
            kind::PROMOTE => {
                self.promote(word as u16, cx);
                received
            }
            kind::APPLIED => applied,
            _ => received,
        };
        cx.get_mut(call).answer = Mark { epoch, position }.word();
        cx.reply(call, Outcome::Ok);
    }

    fn answered(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        match Message::of(cx.get(call).ask()).map(|message| message.kind) {
            Some(kind::REPLAY) => self.script.answered(self.book, call, outcome, cx),
            Some(kind::FOLLOW) => self.follow.answered(call, outcome, cx),
            Some(kind::BATCH | kind::ADOPT) if self.is_primary => {
                if let Answered::Progress = self.shipper.answered(call, outcome, &self.log, cx) {
                    self.progressed(cx);
                }
            }
            _ => {}
        }
    }

    fn fence(&mut self, epoch: u32, cx: &mut Cx<'_>) -> bool {
        if !self.is_primary || u32::from(self.log.epoch) >= epoch {
            return false;
        }
        self.is_primary = false;
        cx.note(cx.me(), "fenced");
        self.shipper.stop(cx);
        self.applier.stop([self.log.applied], cx);
        self.confirm.restart(self.log.received);
        self.tell(cx);
        if cx.works() {
            self.follow.begin(cx);
        }
        true
    }

    fn order(&mut self, code: u16, cx: &mut Cx<'_>) {
        let now = cx.now();
        match code {
            _ if self.is_primary => {}
            Order::LOST => self.book.of(cx).end_part(Part::Detect, now),
            Order::DECIDED => self.book.of(cx).end_part(Part::Decide, now),
            Order::HAND_OVER => {
                // Steps before this one, and the wait for machines, are no part of what the replica does.
                self.book.of(cx).end_part(Part::Decide, now);
                self.handover.begin(self.log.epoch + 1, cx);
                self.closed = true;
                self.hand_over(cx);
            }
            Order::PROMOTE => {
                self.handover.want();
                self.hand_over(cx);
            }
            _ => {}
        }
    }

    fn crash(&mut self, has_no_power: bool, cx: &mut Cx<'_>) {
        if has_no_power && !self.is_primary && !self.confirm.is_immediate() {
            self.log.cut(self.confirm.durable());
            self.tell(cx);
        }
        self.shipper.crash(cx.now());
        self.confirm.crash();
        self.follow.crash();
        self.acks.clear();
        self.applier.stop([self.log.applied], cx);
        self.waiters.clear();
        self.inbox.clear();
        self.catching_up = None;
        self.script.crash();
        let now = cx.now();
        self.book.of(cx).left(now, self.index);
        if self.is_primary {
            self.book.of(cx).down(now, self.log.epoch);
        }
    }

    fn recover(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.book.of(cx).returned(now, self.index);
        self.transfer.tick(cx);
        if self.is_primary {
            self.shipper.resume(self.log.received, cx);
        } else {
            self.confirm.flush(self.log.received, cx);
            self.apply(cx);
            self.follow.begin(cx);
        }
        self.script.resume(cx);
    }

    fn alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>) {
        match (alarm.code, alarm.about) {
            (timer::SHIP, _) => self.ship(cx),
            (timer::RESEND, About::Number(peer)) => self.resend(peer, cx),
            (timer::ARRIVED, About::Call(call)) => self.arrived(call, cx),
            (timer::REPLAY, _) => self.script.replay(cx),
            (timer::REBUILT, _) => self.script.is_rebuilding = false,
            (timer::CONFIRMED, _) => self.confirmed(cx),
            (timer::FOLLOW, _) => self.follow.again(cx),
            (timer::PATIENCE, _) => self.lose_patience(cx),
            (worker, _) => self.applied(usize::from(worker - timer::APPLIED), cx),
        }
    }
}
