//! `Database`: one node: connections, core time of reads and writes, a buffer cache before a disk, and group commit.

mod spec;

pub use spec::{DatabaseSpec, Disk};

use crate::kernel::random::unit_open;
use crate::kernel::time::SimDuration;
use crate::kernel::variate::Variate;
use crate::model::component::{Component, Cx};
use crate::model::machine::Device;
use crate::model::signal::{About, CallId, Control, Impairment, Outcome, Signal};
use crate::model::site::Site;
use crate::queueing::pool::{Acquire, Pool};

/// The only timer of a database: a flush is over.
const FLUSHED: u16 = 0;

/// Purposes of draws.
const DEMAND: u64 = 0;
const MISS: u64 = 1;

/// What a query is at, in its notes.
mod phase {
    /// It uses a core.
    pub(super) const CPU: u16 = 0;
    /// It reads a page from the disk.
    pub(super) const DISK: u16 = 1;
}

/// One database node.
#[derive(Debug)]
pub struct Database {
    read: Variate,
    write: Variate,
    commit: Variate,
    connections: Pool<CallId>,
    /// Share of accesses that the buffer cache answers.
    hit_ratio: f64,
    /// Time of a page read on a disk slot.
    page_read: SimDuration,
    /// Bytes that the buffer cache takes.
    buffer: u64,
    /// Whether a class writes.
    writes: Vec<bool>,
    /// Writes whose flush is under way.
    flushing: Vec<CallId>,
    /// Writes that wait for the next flush.
    waiting: Vec<CallId>,
    /// Nothing more can be written.
    disk_full: bool,
    stream: Option<crate::kernel::random::Stream>,
}

impl Database {
    /// The node that `spec` describes.
    #[must_use]
    pub fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Database {
        let disk = spec.disk_spec();
        Database {
            read: spec.read().variate(),
            write: spec.write().variate(),
            commit: spec.commit().variate(),
            connections: Pool::new(spec.connections(), 0, false),
            hit_ratio: spec.hit_ratio(),
            page_read: disk.latency,
            buffer: spec.working_set.map_or(0, |_| spec.buffer()),
            writes: site.classes.iter().map(|class| class.writes).collect(),
            flushing: Vec::new(),
            waiting: Vec::new(),
            disk_full: false,
            stream: None,
        }
    }

    fn arrive(&mut self, call: CallId, cx: &mut Cx<'_>) {
        match self.connections.acquire(cx.now(), call) {
            Acquire::Granted => {}
            Acquire::Queued | Acquire::Full => {
                cx.reply(call, Outcome::Rejected);
                return;
            }
        }
        let variate = if self.is_write(call, cx) { &self.write } else { &self.read };
        let demand = cx.demand(call, variate, DEMAND);
        cx.work(call, Device::Cpu, demand);
    }

    fn is_write(&self, call: CallId, cx: &Cx<'_>) -> bool {
        self.writes[usize::from(cx.get(call).class)]
    }

    /// A core or the disk has done its part.
    fn worked(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if cx.get(call).notes.step == phase::CPU && self.misses(call, cx) {
            cx.get_mut(call).notes.step = phase::DISK;
            cx.annotate(call, || "misses the buffer cache and reads the disk".into());
            cx.work(call, Device::Disk, self.page_read);
        } else if !self.is_write(call, cx) {
            self.answer(call, Outcome::Ok, cx);
        } else if self.disk_full {
            // What the disk has no room for fails at the commit, after all the work.
            self.answer(call, Outcome::Rejected, cx);
        } else {
            self.commit(call, cx);
        }
    }

    fn misses(&self, call: CallId, cx: &Cx<'_>) -> bool {
        self.hit_ratio < 1.0 && unit_open(&mut cx.rng(call, MISS)) >= self.hit_ratio
    }

    fn answer(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        // Nobody waits for a connection: who finds none is rejected.
        let _nobody = self.connections.release(cx.now());
        cx.reply(call, outcome);
    }

    // Group commit --------------------------------------------------------------------------------------------------

    /// A write waits for a durable flush: the next one to start, which it shares with all that wait by then.
    fn commit(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.waiting.push(call);
        if self.flushing.is_empty() {
            self.flush(cx);
        }
    }

    fn flush(&mut self, cx: &mut Cx<'_>) {
        std::mem::swap(&mut self.flushing, &mut self.waiting);
        let stream = self.stream.get_or_insert_with(|| cx.stream("flush"));
        let time = self.commit.draw(stream);
        cx.alarm(time, FLUSHED, About::Nothing);
    }

    fn flushed(&mut self, cx: &mut Cx<'_>) {
        let mut done = std::mem::take(&mut self.flushing);
        for call in done.drain(..) {
            self.answer(call, Outcome::Ok, cx);
        }
        // The buffer goes back, so that no flush allocates.
        self.flushing = done;
        if !self.waiting.is_empty() {
            self.flush(cx);
        }
    }

    fn crash(&mut self, cx: &mut Cx<'_>) {
        self.connections.clear();
        self.flushing.clear();
        self.waiting.clear();
        cx.release_memory(self.buffer);
    }

    fn boot(&mut self, cx: &mut Cx<'_>) {
        if self.buffer > 0 {
            assert!(cx.reserve_memory(self.buffer), "the loader has checked that the buffer cache fits");
        }
    }
}

impl Component for Database {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.boot(cx);
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.arrive(call, cx),
            Signal::Done(call) => self.worked(call, cx),
            Signal::Alarm(_) => self.flushed(cx),
            Signal::Control(Control::Crash) => self.crash(cx),
            Signal::Control(Control::Recover) => self.boot(cx),
            Signal::Control(Control::Impair(Impairment::DiskFull)) => self.disk_full = true,
            Signal::Control(Control::Mend(Impairment::DiskFull)) => self.disk_full = false,
            Signal::Control(_) => {}
            Signal::Reply(..) | Signal::Returned(..) => {}
        }
    }
}
