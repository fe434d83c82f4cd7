//! `Member`: what makes a database node one of several: its copy of the log, and its part as primary or replica.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::kernel::random::below;
use crate::kernel::time::SimDuration;
use crate::kernel::zipf::Zipf;
use crate::model::call::{Call, NOBODY};
use crate::model::class::{KeySpace, RequestClass};
use crate::model::component::Cx;
use crate::model::data::{Progress, Query, User};
use crate::model::signal::{About, CallId, ComponentId, Outcome};
use crate::model::site::Site;

use super::acks::Acks;
use super::apply::Applier;
use super::log::{Log, Received};
use super::message::{Batch, Mark, kind};
use super::node::timer;
use super::script::Script;
use super::ship::{Answered, Shipper};
use super::spec::DatabaseSpec;

/// Purpose of the draw of a query's key.
const KEY: u64 = 2;

/// How the key of a query is drawn.
#[derive(Debug)]
enum KeyLaw {
    One,
    Uniform(u32),
    Zipf(Zipf),
}

impl KeyLaw {
    fn new(space: KeySpace) -> KeyLaw {
        match space {
            KeySpace { count: 1, .. } => KeyLaw::One,
            KeySpace { count, zipf } if zipf > 0.0 => KeyLaw::Zipf(Zipf::new(u64::from(count), zipf)),
            KeySpace { count, .. } => KeyLaw::Uniform(count),
        }
    }
}

/// How the keys of queries are drawn, by class.
#[derive(Debug)]
pub(super) struct Keys(Vec<KeyLaw>);

impl Keys {
    pub(super) fn new(classes: &[RequestClass]) -> Keys {
        Keys(classes.iter().map(|class| KeyLaw::new(class.keys)).collect())
    }

    /// The key that a query asks for: the same at every member.
    pub(super) fn draw(&self, call: CallId, cx: &Cx<'_>) -> u32 {
        match &self.0[usize::from(cx.get(call).class)] {
            KeyLaw::One => 0,
            KeyLaw::Uniform(count) => below(&mut cx.rng(call, KEY), u64::from(*count)) as u32,
            KeyLaw::Zipf(law) => law.draw(&mut cx.rng(call, KEY)) as u32 - 1,
        }
    }
}

/// A read that waits until a position is applied; ordered by that, then by arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Waiter {
    position: u64,
    number: u64,
    call: CallId,
}

impl Ord for Waiter {
    fn cmp(&self, other: &Waiter) -> std::cmp::Ordering {
        (self.position, self.number).cmp(&(other.position, other.number))
    }
}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Waiter) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What becomes of a write that is durable at the primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Commit {
    /// That is enough.
    Safe,
    /// It waits for replicas.
    Waits,
    /// The node has been fenced meanwhile.
    Void,
}

/// A node's part in a database of several.
#[derive(Debug)]
pub(super) struct Member {
    /// Its number among the nodes.
    index: usize,
    nodes: Vec<ComponentId>,
    book: usize,
    pub(super) is_primary: bool,
    /// It takes nothing more of its log: it is to be promoted.
    closed: bool,
    /// The monitor's call that waits until all is applied.
    catching_up: Option<CallId>,
    pub(super) script: Script,
    pub(super) log: Log,
    pub(super) acks: Acks,
    shipper: Shipper,
    applier: Applier,
    waiters: BinaryHeap<Reverse<Waiter>>,
    /// Reads that have ever waited.
    waited: u64,
    every: Option<SimDuration>,
    delay: SimDuration,
    keys: Keys,
}

impl Member {
    pub(super) fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Member {
        let nodes = spec.node_ids(site);
        let me = site.find(site.name);
        let index = nodes.iter().position(|&node| node == me).expect("a node is one of the nodes");
        Member {
            index,
            shipper: Shipper::new(&nodes, me, spec.resend()),
            nodes,
            book: 0,
            is_primary: index == 0,
            closed: false,
            catching_up: None,
            script: Script::new(spec.failover.as_ref()),
            log: Log::default(),
            acks: Acks::new(spec.wait()),
            applier: Applier::new(spec.apply_workers(), spec.apply_demand().variate()),
            waiters: BinaryHeap::new(),
            waited: 0,
            every: spec.ship.and_then(|ship| ship.every).map(|every| every.0),
            delay: spec.ship.and_then(|ship| ship.delay).map_or(SimDuration::ZERO, |delay| delay.0),
            keys: Keys::new(site.classes),
        }
    }

    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        self.book = cx.open_book(self.nodes.len());
        self.tell(cx);
        self.tick(cx);
    }

    /// Sets the timer of the next batch.
    fn tick(&self, cx: &mut Cx<'_>) {
        if let Some(every) = self.every {
            let over = cx.now().as_nanos() % every.as_nanos();
            cx.alarm(SimDuration::from_nanos(every.as_nanos() - over), timer::SHIP, About::Nothing);
        }
    }

    /// Tells the book how far this node is.
    fn tell(&self, cx: &mut Cx<'_>) {
        let Log { received, applied, epoch, .. } = self.log;
        let progress = Progress { epoch, received, applied, follows: !self.is_primary };
        let now = cx.now();
        cx.book(self.book).progress(now, self.index, progress);
    }

    fn query(&self, call: CallId, cx: &Cx<'_>) -> Query {
        let &Call { user, identity, client, notes, answer, .. } = cx.get(call);
        if notes.step == kind::REPLAY {
            return Query { key: answer as u32, user: None, is_replay: true };
        }
        Query {
            key: self.keys.draw(call, cx),
            is_replay: false,
            user: (user != NOBODY).then_some(User { client, slot: user, identity }),
        }
    }

    // Reads ---------------------------------------------------------------------------------------------------------

    /// A read is answered.
    pub(super) fn has_read(&self, call: CallId, cx: &mut Cx<'_>) {
        let query = self.query(call, cx);
        cx.book(self.book).read(self.index, query);
    }

    /// A read waits until a position is applied; false when it is.
    pub(super) fn waits(&mut self, call: CallId, position: u64) -> bool {
        if position <= self.log.applied {
            return false;
        }
        self.waited += 1;
        self.waiters.push(Reverse(Waiter { position, number: self.waited, call }));
        true
    }

    /// The next read whose position is applied.
    pub(super) fn ready(&mut self) -> Option<CallId> {
        let next = self.waiters.peek().filter(|next| next.0.position <= self.log.applied)?.0;
        self.waiters.pop();
        Some(next.call)
    }

    // Writes --------------------------------------------------------------------------------------------------------

    /// A write is durable here.
    pub(super) fn commit(&mut self, call: CallId, cx: &mut Cx<'_>) -> Commit {
        if !self.is_primary {
            return Commit::Void;
        }
        let position = self.log.append();
        cx.get_mut(call).notes.mark = position;
        cx.trace_write(call, self.book, self.log.epoch, position);
        if self.acks.needed() == 0 {
            return Commit::Safe;
        }
        if let Some(deadline) = self.acks.push(cx.now(), call, position) {
            cx.alarm_at(deadline, timer::PATIENCE, About::Nothing);
        }
        Commit::Waits
    }

    /// A flush is over and its writes have their positions.
    pub(super) fn flushed(&mut self, cx: &mut Cx<'_>) {
        self.tell(cx);
        if self.every.is_none() {
            self.shipper.ship(&self.log, cx);
        }
    }

    /// A client is about to be told that its write is safe. The answer says how far it must read to see it.
    pub(super) fn acknowledge(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let position = cx.get(call).notes.mark;
        let query = self.query(call, cx);
        let (now, epoch) = (cx.now(), self.log.epoch);
        cx.book(self.book).acknowledge(now, epoch, position, query);
        cx.get_mut(call).answer = position;
    }

    /// The next write that is safe now.
    pub(super) fn safe(&mut self) -> Option<CallId> {
        let confirmed = match self.acks.needed() {
            0 => u64::MAX,
            needed => self.shipper.confirmed_by(needed),
        };
        self.acks.pop(confirmed).map(|pending| pending.call)
    }

    /// The next write that waits, whatever has become of it: this node is no primary any more.
    pub(super) fn stranded(&mut self) -> Option<CallId> {
        self.acks.pop(u64::MAX).map(|pending| pending.call)
    }

    /// Whether this node sends a query away: a write goes to the primary, and a node that is copied serves nobody.
    pub(super) fn declines(&self, is_write: bool) -> bool {
        self.script.is_rebuilding || (is_write && !self.is_primary)
    }

    /// Whether a lost write may be written again: nobody else has written to its key since.
    pub(super) fn admits(&self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let key = self.query(call, cx).key;
        cx.book(self.book).admits(key)
    }

    /// The patience of the oldest write that waits may be over.
    pub(super) fn lose_patience(&mut self, cx: &mut Cx<'_>) {
        match self.acks.deadline() {
            Some(deadline) if deadline <= cx.now() => {
                self.acks.suspend();
                cx.note(cx.me(), "semi-sync falls back to async");
            }
            Some(deadline) => cx.alarm_at(deadline, timer::PATIENCE, About::Nothing),
            None => {}
        }
    }

    // The log -------------------------------------------------------------------------------------------------------

    /// The timer of batches.
    pub(super) fn ship(&mut self, cx: &mut Cx<'_>) {
        if self.is_primary {
            self.shipper.ship(&self.log, cx);
        }
        self.tick(cx);
    }

    pub(super) fn resend(&mut self, peer: usize, cx: &mut Cx<'_>) {
        if self.is_primary {
            self.shipper.resend(peer, &self.log, cx);
        }
    }

    /// A replica has answered a batch.
    pub(super) fn answered(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        if cx.get(call).notes.step == kind::REPLAY {
            self.script.answered(self.book, call, outcome, cx);
            return;
        }
        if !self.is_primary {
            return;
        }
        if let Answered::Progress = self.shipper.answered(call, outcome, &self.log, cx) {
            let (shipper, head) = (&self.shipper, self.log.received);
            if self.acks.resumes(|needed| shipper.confirmed_by(needed), head) {
                cx.note(cx.me(), "semi-sync again");
            }
        }
    }

    /// Another member of the database says something.
    pub(super) fn message(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let Log { epoch, received, applied, .. } = self.log;
        let position = match cx.get(call).notes.step {
            kind::BATCH => return self.batch(call, cx),
            kind::CATCH_UP => {
                self.closed = true;
                self.catching_up = Some(call);
                return self.caught_up(cx);
            }
            kind::PROMOTE => {
                let epoch = cx.get(call).notes.mark as u16;
                self.promote(epoch, cx);
                received
            }
            kind::APPLIED => applied,
            _ => received,
        };
        cx.get_mut(call).answer = Mark { epoch, position }.word();
        cx.reply(call, Outcome::Ok);
    }

    fn caught_up(&mut self, cx: &mut Cx<'_>) {
        if self.log.applied == self.log.received
            && let Some(call) = self.catching_up.take()
        {
            cx.reply(call, Outcome::Ok);
        }
    }

    /// A batch is at the door of this node; what it takes beyond the network's time passes first.
    fn batch(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if self.delay.is_zero() {
            self.arrived(call, cx);
        } else {
            cx.alarm(self.delay, timer::ARRIVED, About::Call(call));
        }
    }

    /// A batch has arrived. One whose transfer took time has not, if the primary went down meanwhile.
    pub(super) fn arrived(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if !self.delay.is_zero() && !cx.is_awaited(call) {
            cx.reply(call, Outcome::Unavailable);
            return;
        }
        let batch = Batch::of(cx.get(call));
        let from = cx.get(call).caller;
        let is_open = !self.is_primary && (!self.closed || batch.epoch > self.log.epoch);
        let before = self.log.received;
        if is_open && let Received::Adopted(surplus) = self.log.receive(batch) {
            self.closed = false;
            self.applier.restart(self.log.applied);
            if surplus > 0 {
                self.script.begin(self.book, from, cx);
            }
        }
        cx.get_mut(call).answer = self.log.mark().word();
        cx.trace_log(self.book, before, self.log.received, "received");
        cx.reply(call, Outcome::Ok);
        self.apply(cx);
    }

    /// A worker has applied a write.
    pub(super) fn applied(&mut self, worker: usize, cx: &mut Cx<'_>) {
        self.applier.done(worker);
        self.apply(cx);
    }

    /// Keeps the workers busy, and shows what they have done.
    fn apply(&mut self, cx: &mut Cx<'_>) {
        if !self.is_primary {
            let before = self.log.applied;
            self.log.applied = self.applier.feed(self.log.received, cx);
            cx.trace_log(self.book, before, self.log.applied, "applied");
            self.tell(cx);
            self.caught_up(cx);
        }
    }

    // Failover ------------------------------------------------------------------------------------------------------

    /// This node is the primary from now on.
    fn promote(&mut self, epoch: u16, cx: &mut Cx<'_>) {
        self.log.promote(epoch);
        self.is_primary = true;
        self.closed = false;
        let now = cx.now();
        cx.book(self.book).fork(now, epoch, self.log.received);
        cx.trace_fork(self.book, epoch, self.log.received);
        self.tell(cx);
        self.shipper.begin(&self.log, cx);
    }

    /// This node is no primary of an epoch below `epoch` any more; false when it is none.
    pub(super) fn fence(&mut self, epoch: u32, cx: &mut Cx<'_>) -> bool {
        if !self.is_primary || u32::from(self.log.epoch) >= epoch {
            return false;
        }
        self.is_primary = false;
        cx.note(cx.me(), "fenced");
        self.shipper.stop(cx);
        self.applier.restart(self.log.applied);
        self.tell(cx);
        true
    }

    // Operations ----------------------------------------------------------------------------------------------------

    /// The process is gone. The log is durable and what has been applied too; what waited is lost.
    pub(super) fn crash(&mut self, cx: &mut Cx<'_>) {
        self.shipper.crash();
        self.acks.clear();
        self.applier.restart(self.log.applied);
        self.waiters.clear();
        self.catching_up = None;
        self.script.crash();
        let now = cx.now();
        if self.is_primary {
            cx.book(self.book).primary_lost(now);
        }
    }

    /// The process starts again: a primary asks its replicas how far they are, a replica goes on applying.
    pub(super) fn recover(&mut self, cx: &mut Cx<'_>) {
        self.tick(cx);
        if self.is_primary {
            self.shipper.begin(&self.log, cx);
        } else {
            self.apply(cx);
        }
        self.script.resume(cx);
    }
}
