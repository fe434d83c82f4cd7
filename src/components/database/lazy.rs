//! `Lazy`: writes that are acknowledged before they are durable and flushed together at intervals.

use crate::kernel::random::unit_open;
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;
use crate::model::signal::About;

use super::book::{BookId, Subject};
use super::spec::DatabaseSpec;
use super::timer;

/// Acknowledged writes that a power failure would lose.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    count: u64,
    /// When the last of them was acknowledged.
    newest: SimTime,
}

/// The part of a node that flushes at intervals.
#[derive(Debug)]
pub(super) struct Lazy {
    every: SimDuration,
    subject: Subject,
    book: BookId,
    /// Whether the process keeps what it has not flushed to itself, so that the kernel does not have it.
    in_process: bool,
    /// Whether the node is a whole database or shard, so that nothing can be written while it is down.
    is_alone: bool,
    /// Writes since the last flush began.
    open: Pending,
    /// Writes of the flush in progress.
    flushing: Pending,
    /// When the last write that is flushed was acknowledged.
    flushed: SimTime,
}

impl Lazy {
    pub(super) fn new(spec: &DatabaseSpec, member: u32) -> Lazy {
        Lazy {
            every: spec.flush_every(),
            subject: spec.subject(member),
            book: BookId::NONE,
            in_process: spec.engine().buffers_writes(),
            is_alone: spec.partitions() == 1 || spec.is_sharded(),
            open: Pending::default(),
            flushing: Pending::default(),
            flushed: SimTime::ZERO,
        }
    }

    /// Starts the timer of the flushes, at a random time within their interval: the process has run for long.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        self.book = self.subject.open(cx);
        let phase = unit_open(&mut cx.stream("flushes"));
        cx.alarm(self.every.mul_f64(phase), timer::LAZY, About::Nothing);
    }

    /// Starts the timer of the flushes again, because the process has restarted.
    pub(super) fn restart(&mut self, cx: &mut Cx<'_>) {
        cx.alarm(self.every, timer::LAZY, About::Nothing);
    }

    /// Notes that a write is asked for.
    pub(super) fn asked(&self, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.book.of(cx).asked(now);
    }

    /// Counts a write that is acknowledged although it is not durable yet.
    pub(super) fn acknowledge(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.open.count += 1;
        self.open.newest = now;
        self.book.of(cx).wrote(now);
    }

    pub(super) fn has_read(&self, cx: &mut Cx<'_>) {
        self.book.of(cx).has_read();
    }

    /// Sets the timer of the next flush. Returns whether a flush begins now: there is something to flush, and no flush
    /// is in progress.
    pub(super) fn tick(&mut self, cx: &mut Cx<'_>) -> bool {
        cx.alarm(self.every, timer::LAZY, About::Nothing);
        let begins = self.flushing.count == 0 && self.open.count > 0;
        if begins {
            self.flushing = std::mem::take(&mut self.open);
        }
        begins
    }

    /// Notes that the flush has ended.
    pub(super) fn flushed(&mut self) {
        self.flushed = self.flushing.newest;
        self.flushing = Pending::default();
    }

    /// The process is gone. Without power, or if they were in its own memory, all writes that are not flushed are lost.
    /// Otherwise the kernel has them, and the next flush takes them along.
    pub(super) fn crash(&mut self, has_no_power: bool, cx: &mut Cx<'_>) {
        let (open, flushing) = (std::mem::take(&mut self.open), std::mem::take(&mut self.flushing));
        let now = cx.now();
        let count = open.count + flushing.count;
        let book = self.book.of(cx);
        if has_no_power || self.in_process {
            book.lose(count, self.flushed);
        } else {
            self.open = Pending { count, newest: open.newest.max(flushing.newest) };
        }
        if self.is_alone {
            book.down(now, 0);
        }
    }
}
