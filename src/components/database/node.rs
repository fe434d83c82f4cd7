//! `Database`: one node, with connections, core time for reads and writes, a buffer cache in front of a disk, and group
//! commit.

use crate::kernel::random::{Stream, unit_open};
use crate::kernel::time::SimDuration;
use crate::kernel::variate::Variate;
use crate::model::ask::{Found, Scope, Verb};
use crate::model::commits::CommitsId;
use crate::model::component::{Component, Cx};
use crate::model::machine::Device;
use crate::model::signal::{About, Alarm, CallId, Control, Impairment, Order, Outcome, Signal};
use crate::model::site::Site;
use crate::parts::door::{Door, Verdict};

use super::gauges;
use super::kept::Kept;
use super::lazy::Lazy;
use super::member::{Commit, Member};
use super::message::{flag, is_copy, is_replay, kind, order};
use super::peer::Peer;
use super::replica::Replica;
use super::rows::Rows;
use super::spec::DatabaseSpec;
use super::spec::{Engine, Work};
use super::timer;

/// How far a query has got, in `notes.step`: it uses a core, or reads a page from the disk.
const AT_CORE: u16 = 0;
const AT_DISK: u16 = 1;

/// Purposes of draws.
const DEMAND: u64 = 0;
const MISS: u64 = 1;

/// Largest number of lookups of one query that each draw whether they miss. Of more lookups, the mean share misses.
const DRAWS_MAX: f64 = 64.0;

/// One database node.
#[derive(Debug)]
pub struct Database {
    engine: Engine,
    /// Core time of a further row of a query.
    lookup: SimDuration,
    /// Number of entities of each class.
    population: Vec<u32>,
    /// Connections, the rates of reads and of writes, and the memory of the buffer cache.
    door: Door,
    /// Set when applications keep connections open.
    kept: Option<Box<Kept>>,
    /// Set when writes are acknowledged before they are durable.
    lazy: Option<Lazy>,
    read: Variate,
    write: Variate,
    commit: Variate,
    /// Share of accesses that hit the buffer cache.
    hit_ratio: f64,
    /// Time of a page read on a disk slot.
    page_read: SimDuration,
    /// Whether each class writes.
    writes: Vec<bool>,
    /// The versions of rows, once one is asked for.
    rows: Option<Box<Rows>>,
    /// What it tells of its commits to caches.
    commits: CommitsId,
    /// Writes whose flush is in progress.
    flushing: Vec<CallId>,
    /// Writes that wait for the next flush.
    waiting: Vec<CallId>,
    /// Whether the disk is full, so that nothing can be written.
    disk_full: bool,
    stream: Option<Stream>,
    /// Its part in a database of several nodes, if it has more than one.
    member: Option<Box<dyn Member>>,
}

impl Database {
    /// The node that `spec` describes.
    #[must_use]
    pub fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Database {
        let disk = spec.disk_spec();
        Database {
            engine: spec.engine(),
            lookup: spec.lookup(),
            population: site.classes.iter().map(|class| class.keys.count).collect(),
            door: Door::new(spec.limits()),
            kept: Kept::new(spec.limits().slots, site),
            lazy: (!spec.flush_every().is_zero()).then(|| Lazy::new(spec, site.member)),
            read: spec.read().variate(),
            write: spec.write().variate(),
            commit: spec.commit().variate(),
            hit_ratio: spec.hit_ratio(),
            page_read: disk.latency,
            writes: site.classes.iter().map(|class| class.writes).collect(),
            rows: None,
            commits: CommitsId::NONE,
            flushing: Vec::new(),
            waiting: Vec::new(),
            disk_full: false,
            stream: None,
            member: spec.is_replicated().then(|| member(spec, site)),
        }
    }

    fn arrive(&mut self, call: CallId, cx: &mut Cx<'_>) {
        match (&mut self.member, cx.get(call).ask().verb) {
            (_, Verb::Own { code: kind::COPY, .. }) => cx.work(call, Device::Disk, self.page_read),
            (Some(member), Verb::Own { code: kind::REPLAY, .. }) => {
                if member.admits(call, cx) {
                    self.query(call, cx);
                } else {
                    cx.reply(call, Outcome::Rejected);
                }
            }
            (Some(member), Verb::Own { .. }) => {
                member.message(call, cx);
                self.show(cx);
            }
            _ => self.query(call, cx),
        }
    }

    /// Handles a query of a client. Only the primary takes writes.
    fn query(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let is_write = self.is_write(call, cx);
        if self.member.as_ref().is_some_and(|member| member.declines(is_write)) {
            cx.decline(call);
            return;
        }
        if self.kept.is_some() && !self.connects(call, cx) {
            cx.reply(call, Outcome::Rejected);
            return;
        }
        if let Verdict::Away(outcome) = self.door.admit(call, usize::from(is_write), cx) {
            self.disconnect(call, cx);
            cx.reply(call, outcome);
            return;
        }
        if is_write && let Some(lazy) = &self.lazy {
            lazy.asked(cx);
        }
        let notes = cx.get(call).notes;
        if let Some(member) = &mut self.member
            && notes.flags & flag::WAIT != 0
            && member.waits(call, notes.mark)
        {
            return;
        }
        self.begin(call, cx);
    }

    /// Starts the core time of a query.
    fn begin(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let variate = if self.is_write(call, cx) { &self.write } else { &self.read };
        let demand = cx.demand(call, variate, DEMAND) + self.lookup.mul_f64(self.work_of(call, cx).lookups);
        cx.work(call, Device::Cpu, demand);
    }

    /// Returns the work of a query beyond a plain one.
    fn work_of(&self, call: CallId, cx: &Cx<'_>) -> Work {
        let call = cx.get(call);
        let scope = if let Verb::Query(scope) = call.ask().verb { scope } else { Scope::default() };
        self.engine.work(scope, self.population[usize::from(call.class)])
    }

    fn is_write(&self, call: CallId, cx: &Cx<'_>) -> bool {
        let call = cx.get(call);
        match call.ask().verb {
            Verb::Look => false,
            Verb::Swap { .. } => true,
            _ => is_replay(call.ask()) || self.writes[usize::from(call.class)],
        }
    }

    /// Continues a query whose work on a core or the disk is done.
    fn worked(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let state = cx.get(call);
        if is_copy(state.ask()) {
            return cx.reply(call, Outcome::Ok);
        }
        // Who writes a lost write again has just read its page.
        let is_new = state.notes.step == AT_CORE && !is_replay(state.ask());
        let pages = if is_new && self.may_miss(call, cx) { self.misses(call, cx) } else { 0 };
        if pages > 0 {
            cx.count_many(gauges::PAGE_READS, pages);
            cx.get_mut(call).notes.step = AT_DISK;
            cx.annotate(call, || match pages {
                1 => "misses the buffer cache and reads the disk".into(),
                _ => format!("misses the buffer cache and reads {pages} pages of the disk"),
            });
            cx.work(call, Device::Disk, self.page_read.saturating_mul(pages));
        } else if self.is_write(call, cx) && self.disk_full {
            // A write for which the disk has no room fails at its commit, after all the work.
            self.leave(call, Outcome::Rejected, cx);
        } else if self.rows.is_some() && self.meets_conflict(call, cx) {
            self.leave(call, Outcome::Conflict, cx);
        } else if self.is_write(call, cx)
            && let Some(lazy) = &mut self.lazy
        {
            lazy.acknowledge(cx);
            self.wrote(call, cx);
            self.answer(call, cx);
        } else if self.is_write(call, cx) {
            self.commit(call, cx);
        } else {
            let sees_last = self.member.as_ref().is_none_or(|member| member.has_read(call, cx));
            let version = cx.version(self.commits, cx.get(call).ask().key, sees_last);
            cx.get_mut(call).answer = u64::from(version);
            if let Some(lazy) = &self.lazy {
                lazy.has_read(cx);
            }
            self.answer(call, cx);
        }
    }

    /// Whether a query needs pages that may not be in the buffer cache.
    fn may_miss(&self, call: CallId, cx: &Cx<'_>) -> bool {
        self.hit_ratio < 1.0 && (!self.is_write(call, cx) || self.engine.reads_before_writing())
    }

    /// Returns the number of pages that a query must read from the disk, one after the other.
    fn misses(&self, call: CallId, cx: &mut Cx<'_>) -> u64 {
        let pages = self.missing(call, cx);
        cx.share(gauges::HIT_SHARE, pages == 0);
        pages
    }

    fn missing(&self, call: CallId, cx: &Cx<'_>) -> u64 {
        let mut rng = cx.rng(call, MISS);
        let first = u64::from(unit_open(&mut rng) >= self.hit_ratio);
        let lookups = self.work_of(call, cx).lookups;
        if lookups > DRAWS_MAX {
            let mean = lookups * (1.0 - self.hit_ratio);
            return first + (mean + unit_open(&mut rng)) as u64;
        }
        (0..lookups.round() as u64)
            .fold(first, |sum, _| sum + u64::from(unit_open(&mut rng) >= self.hit_ratio))
    }

    fn answer(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if cx.get(call).ask().verb == Verb::Look {
            let rows = self.rows.get_or_insert_default();
            cx.get_mut(call).answer = u64::from(rows.look(call, cx));
        }
        let Scope { joins, gone, .. } = self.work_of(call, cx).left;
        let state = cx.get_mut(call);
        state.answer = Found { joins, gone, position: state.answer }.encode();
        self.leave(call, Outcome::Ok, cx);
    }

    // Optimistic writes ---------------------------------------------------------------------------------------------

    /// Whether a call is about to write a row that has changed since its caller read it.
    #[cold]
    fn meets_conflict(&mut self, call: CallId, cx: &mut Cx<'_>) -> bool {
        let Verb::Swap { seen } = cx.get(call).ask().verb else { return false };
        cx.count(gauges::SWAPS);
        let is_free = self.rows.get_or_insert_default().swap(call, seen, cx);
        if !is_free {
            cx.count(gauges::CONFLICTS);
            cx.annotate(call, || "is not done: the row has changed since it was read".into());
        }
        !is_free
    }

    /// A write is committed.
    fn wrote(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let key = cx.get(call).ask().key;
        cx.committed(self.commits, key);
        if let Some(rows) = &mut self.rows {
            rows.committed(call, matches!(cx.get(call).ask().verb, Verb::Swap { .. }), cx);
        }
    }

    // Group commit --------------------------------------------------------------------------------------------------

    /// A write waits for the next flush to start, and shares it with all writes that wait by then.
    fn commit(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.waiting.push(call);
        if self.flushing.is_empty() {
            self.flush(cx);
        }
    }

    fn flush(&mut self, cx: &mut Cx<'_>) {
        std::mem::swap(&mut self.flushing, &mut self.waiting);
        self.begin_flush(cx);
    }

    fn begin_flush(&mut self, cx: &mut Cx<'_>) {
        let stream = self.stream.get_or_insert_with(|| cx.stream("flush"));
        let time = self.commit.draw(stream);
        cx.count(gauges::FLUSHES);
        cx.alarm(time, timer::FLUSHED, About::Nothing);
    }

    fn flushed(&mut self, cx: &mut Cx<'_>) {
        let mut done = std::mem::take(&mut self.flushing);
        for call in done.drain(..) {
            match self.member.as_mut().map_or(Commit::Safe, |member| member.commit(call, cx)) {
                Commit::Safe => self.acknowledge(call, cx),
                Commit::Waits => {}
                Commit::Void => self.leave(call, Outcome::Unavailable, cx),
            }
        }
        if let Some(member) = &mut self.member {
            member.flushed(cx);
        }
        // Reuses the buffer, so that a flush does not allocate.
        self.flushing = done;
        if !self.waiting.is_empty() {
            self.flush(cx);
        }
    }

    /// Acknowledges a write that is safe.
    fn acknowledge(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if let Some(member) = &mut self.member {
            member.acknowledge(call, cx);
        }
        self.wrote(call, cx);
        self.answer(call, cx);
    }

    /// Answers a query and releases its connection. No query waits for a connection; one that finds none is rejected.
    fn leave(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        self.disconnect(call, cx);
        self.door.leave(call, cx);
        cx.reply(call, outcome);
    }

    /// Whether the caller of a query has a connection for it.
    #[cold]
    fn connects(&mut self, call: CallId, cx: &Cx<'_>) -> bool {
        let by = cx.asker(call);
        self.kept.as_mut().is_none_or(|kept| kept.take(by))
    }

    /// The connection of a query is idle, or closed.
    fn disconnect(&mut self, call: CallId, cx: &Cx<'_>) {
        if let Some(kept) = &mut self.kept {
            kept.give_back(cx.asker(call));
        }
    }

    // Replication ---------------------------------------------------------------------------------------------------

    /// More of the log is confirmed by replicas, or applied here: the queries that waited for it go on.
    fn show(&mut self, cx: &mut Cx<'_>) {
        while let Some(call) = self.member.as_mut().and_then(|member| member.safe()) {
            self.acknowledge(call, cx);
        }
        while let Some(call) = self.member.as_mut().and_then(|member| member.ready()) {
            self.begin(call, cx);
        }
    }

    fn alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>) {
        if let Some(lazy) = &mut self.lazy {
            match alarm.code {
                timer::LAZY if lazy.tick(cx) => self.begin_flush(cx),
                timer::LAZY => {}
                _ => lazy.flushed(),
            }
            return;
        }
        let Some(member) = &mut self.member else {
            self.flushed(cx);
            return;
        };
        if alarm.code == timer::FLUSHED {
            self.flushed(cx);
        } else {
            member.alarm(alarm, cx);
            self.show(cx);
        }
    }

    fn replied(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        if let Some(member) = &mut self.member {
            member.answered(call, outcome, cx);
            self.show(cx);
        }
    }

    /// Handles an order. When the node may not be the primary of an old epoch any more, writes that wait for replicas fail.
    fn order(&mut self, order: Order, cx: &mut Cx<'_>) {
        let Some(member) = &mut self.member else { return };
        if order.code != order::FENCE {
            return member.order(order.code, cx);
        }
        if !member.fence(order.subject, cx) {
            return;
        }
        // A process that hangs tells nobody; it loses them at its restart.
        while cx.works()
            && let Some(call) = self.member.as_mut().and_then(|member| member.stranded())
        {
            self.leave(call, Outcome::Unavailable, cx);
        }
    }

    // Operations ----------------------------------------------------------------------------------------------------

    /// The process is gone. What it had written is in the kernel, which keeps it unless the machine `has_no_power`.
    fn crash(&mut self, has_no_power: bool, cx: &mut Cx<'_>) {
        self.door.crash(cx);
        if let Some(kept) = &mut self.kept {
            kept.crash();
        }
        self.flushing.clear();
        self.waiting.clear();
        self.rows.iter_mut().for_each(|rows| rows.crash());
        if let Some(lazy) = &mut self.lazy {
            lazy.crash(has_no_power, cx);
        }
        if let Some(member) = &mut self.member {
            member.crash(has_no_power, cx);
        }
    }

    fn boot(&mut self, cx: &mut Cx<'_>) {
        assert!(self.door.boot(cx), "the loader has checked that the buffer cache fits");
    }
}

/// The part of a node in a database of several.
fn member(spec: &DatabaseSpec, site: &Site<'_>) -> Box<dyn Member> {
    if spec.all_write() { Box::new(Peer::new(spec, site)) } else { Box::new(Replica::new(spec, site)) }
}

impl Component for Database {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.commits = cx.open_commits();
        self.door.start(cx);
        self.boot(cx);
        if let Some(lazy) = &mut self.lazy {
            lazy.start(cx);
        }
        if let Some(member) = &mut self.member {
            member.start(cx);
        }
    }

    #[inline(always)]
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.arrive(call, cx),
            Signal::Done(call) => self.worked(call, cx),
            Signal::Alarm(alarm) => self.alarm(alarm, cx),
            Signal::Reply(call, outcome) => self.replied(call, outcome, cx),
            Signal::Control(Control::Crash) => self.crash(false, cx),
            Signal::Control(Control::PowerOff) => self.crash(true, cx),
            Signal::Control(Control::Recover) => {
                self.boot(cx);
                if let Some(lazy) = &mut self.lazy {
                    lazy.restart(cx);
                }
                if let Some(member) = &mut self.member {
                    member.recover(cx);
                }
            }
            Signal::Control(Control::Order(order)) => self.order(order, cx),
            Signal::Control(Control::Impair(Impairment::StorageFull)) => self.disk_full = true,
            Signal::Control(Control::Mend(Impairment::StorageFull)) => self.disk_full = false,
            // A statement runs to its end, with or without somebody who waits for it.
            Signal::Control(_) | Signal::Returned(..) | Signal::Passed(..) | Signal::Cancelled(_) => {}
        }
    }
}
