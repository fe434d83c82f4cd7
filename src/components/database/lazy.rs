//! `Lazy`: writes that are acknowledged before they are durable and flushed together at intervals.

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;
use crate::model::ledger::LedgerId;
use crate::model::signal::About;

use super::book::Book;
use super::timer;

/// Acknowledged writes that a crash would lose.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    count: u64,
    /// When the first of them was acknowledged.
    oldest: Option<SimTime>,
}

/// The part of a node that flushes at intervals.
#[derive(Debug)]
pub(super) struct Lazy {
    every: SimDuration,
    book: LedgerId<Book>,
    /// Whether the node is the whole database, so that nothing can be written while it is down.
    is_alone: bool,
    /// Writes since the last flush began.
    open: Pending,
    /// Writes of the flush in progress.
    flushing: Pending,
}

impl Lazy {
    pub(super) fn new(every: SimDuration, is_alone: bool) -> Lazy {
        Lazy { every, book: LedgerId::NONE, is_alone, open: Pending::default(), flushing: Pending::default() }
    }

    /// Starts the timer of the flushes.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        self.book = Book::open(1, false, cx);
        cx.alarm(self.every, timer::LAZY, About::Nothing);
    }

    /// Counts a write that is acknowledged although it is not durable yet.
    pub(super) fn acknowledge(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.open.count += 1;
        self.open.oldest.get_or_insert(now);
        cx.ledger(self.book).wrote(now);
    }

    pub(super) fn has_read(&self, cx: &mut Cx<'_>) {
        cx.ledger(self.book).has_read();
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
        self.flushing = Pending::default();
    }

    /// Loses all writes that are not flushed, because the process has crashed.
    pub(super) fn crash(&mut self, cx: &mut Cx<'_>) {
        let (open, flushing) = (std::mem::take(&mut self.open), std::mem::take(&mut self.flushing));
        let now = cx.now();
        let age = flushing.oldest.or(open.oldest).map_or(SimDuration::ZERO, |oldest| now.since(oldest));
        let book = cx.ledger(self.book);
        book.lose(open.count + flushing.count, age);
        if self.is_alone {
            book.primary_lost(now);
        }
    }
}
