//! `Lazy`: writes that are acknowledged before they are durable, and flushed together once in a while.

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;
use crate::model::signal::About;

use super::node::timer;

/// Acknowledged writes that a crash would take.
#[derive(Clone, Copy, Debug, Default)]
struct Pending {
    count: u64,
    /// When the first of them was acknowledged.
    oldest: Option<SimTime>,
}

/// The part of a node that flushes once in a while.
#[derive(Debug)]
pub(super) struct Lazy {
    every: SimDuration,
    book: usize,
    /// Whether its database is this node alone, so that nobody can write while it is down.
    is_alone: bool,
    /// Written since the last flush began.
    open: Pending,
    /// What the flush under way takes.
    flushing: Pending,
}

impl Lazy {
    pub(super) fn new(every: SimDuration, is_alone: bool) -> Lazy {
        Lazy { every, book: 0, is_alone, open: Pending::default(), flushing: Pending::default() }
    }

    /// The process starts.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        self.book = cx.open_book(1, false);
        cx.alarm(self.every, timer::LAZY, About::Nothing);
    }

    /// A client is told that its write is safe, which it is not yet.
    pub(super) fn acknowledge(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        self.open.count += 1;
        self.open.oldest.get_or_insert(now);
        cx.book(self.book).wrote(now);
    }

    pub(super) fn has_read(&self, cx: &mut Cx<'_>) {
        cx.book(self.book).has_read();
    }

    /// It is time to flush; whether there is something to flush, and the last flush is over.
    pub(super) fn tick(&mut self, cx: &mut Cx<'_>) -> bool {
        cx.alarm(self.every, timer::LAZY, About::Nothing);
        let begins = self.flushing.count == 0 && self.open.count > 0;
        if begins {
            self.flushing = std::mem::take(&mut self.open);
        }
        begins
    }

    /// The flush is over.
    pub(super) fn flushed(&mut self) {
        self.flushing = Pending::default();
    }

    /// The process is gone, and with it what was not flushed.
    pub(super) fn crash(&mut self, cx: &mut Cx<'_>) {
        let (open, flushing) = (std::mem::take(&mut self.open), std::mem::take(&mut self.flushing));
        let now = cx.now();
        let age = flushing.oldest.or(open.oldest).map_or(SimDuration::ZERO, |oldest| now.since(oldest));
        let book = cx.book(self.book);
        book.lose(open.count + flushing.count, age);
        if self.is_alone {
            book.primary_lost(now);
        }
    }
}
