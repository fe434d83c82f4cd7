//! `Shelf`: the books of one database, one for each shard that keeps one, and the number of queries of each shard.

use std::sync::Arc;

use crate::kernel::time::SimTime;
use crate::model::component::Cx;
use crate::model::gauge::Reading;
use crate::model::ledger::{Findings, Ledger, LedgerId};

use super::{Book, DataRecord, Subject};
use crate::components::database::gauges;

/// All that the members of one database write down together.
#[derive(Debug, Default)]
pub struct Shelf {
    /// The books of the shards whose data can be lost or be old.
    books: Vec<Option<Book>>,
    /// Queries of each shard in the measured time; empty where the data are in one piece.
    asked: Vec<u64>,
}

/// Names the book of one shard, or that of a database in one piece.
#[derive(Clone, Copy, Debug)]
pub struct BookId {
    shelf: LedgerId<Shelf>,
    shard: usize,
}

impl BookId {
    /// Names no book: what a component holds until its `start`.
    pub const NONE: BookId = BookId { shelf: LedgerId::NONE, shard: 0 };

    /// The book.
    ///
    /// # Panics
    /// If it has not been opened.
    #[inline]
    pub fn of<'a>(self, cx: &'a mut Cx<'_>) -> &'a mut Book {
        let book = cx.ledger(self.shelf).books.get_mut(self.shard).and_then(Option::as_mut);
        book.expect("a book is opened in `start`")
    }
}

impl Subject {
    /// Opens the book of a component's shard, or finds it open.
    pub fn open(self, cx: &mut Cx<'_>) -> BookId {
        let shelf = cx.open_ledger(Shelf::default);
        let books = &mut cx.ledger(shelf).books;
        if books.len() <= self.shard {
            books.resize_with(self.shard + 1, || None);
        }
        books[self.shard].get_or_insert_with(|| Book::new(self));
        BookId { shelf, shard: self.shard }
    }
}

/// Counts the queries of each shard of a database.
#[derive(Clone, Copy, Debug)]
pub struct Asked(LedgerId<Shelf>);

impl Asked {
    /// Counts nothing: what a component holds until its `start`.
    pub const NONE: Asked = Asked(LedgerId::NONE);

    /// The count of a component's database, which has this number of shards.
    pub fn open(shards: usize, cx: &mut Cx<'_>) -> Asked {
        let shelf = cx.open_ledger(Shelf::default);
        cx.ledger(shelf).asked.resize(shards, 0);
        Asked(shelf)
    }

    /// Counts a query of a shard.
    #[inline]
    pub fn count(self, shard: usize, cx: &mut Cx<'_>) {
        cx.ledger(self.0).asked[shard] += 1;
    }
}

impl Ledger for Shelf {
    fn end_warmup(&mut self, now: SimTime) {
        self.asked.fill(0);
        self.books.iter_mut().flatten().for_each(|book| book.end_warmup(now));
    }

    fn close_window(&mut self, now: SimTime) {
        self.books.iter_mut().flatten().for_each(|book| book.close_window(now));
    }

    fn finish(&mut self, now: SimTime) -> Findings {
        let mut records = self.books.iter_mut().flatten().map(|book| book.finish(now));
        let whole = records.next().map(|first| {
            records.fold(first, |mut all, record| {
                all.merge(&record);
                all
            })
        });
        let mut gauges = whole.as_ref().map(DataRecord::readings).unwrap_or_default();
        if let Some(most) = self.asked.iter().max() {
            gauges.push((gauges::HOTTEST_SHARE, Reading::Share(*most, self.asked.iter().sum())));
        }
        match whole {
            Some(whole) => Findings { gauges, record: Arc::new(whole) },
            // No shard can lose anything.
            None => Findings::plain(gauges),
        }
    }
}
