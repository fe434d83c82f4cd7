//! What the members of a database say to each other, in the notes of calls.

use crate::model::call::{Call, Notes};

/// What a call asks a node for, and how far it has got; in `notes.step`, where its maker puts it.
pub(super) mod kind {
    /// A query of a client that is to use a core. Every query arrives like this.
    pub(in super::super) const QUERY: u16 = 0;
    /// A query that reads a page from the disk.
    pub(in super::super) const DISK: u16 = 1;
    /// A part of the log.
    pub(in super::super) const BATCH: u16 = 8;
    /// A sign of life.
    pub(in super::super) const POLL: u16 = 9;
    /// How far it has received the log.
    pub(in super::super) const RECEIVED: u16 = 10;
    /// How far it has applied the log.
    pub(in super::super) const APPLIED: u16 = 11;
    /// To take no more of the log and to answer when all of it is applied.
    pub(in super::super) const CATCH_UP: u16 = 12;
    /// To be the primary of the epoch in `notes.mark`.
    pub(in super::super) const PROMOTE: u16 = 13;
    /// To write a lost write again, unless its key, in the answer's place, has been written since.
    pub(in super::super) const REPLAY: u16 = 14;
}

/// Orders that need no network.
pub(super) mod order {
    /// To a node: be no primary of an epoch below the subject.
    pub(in super::super) const FENCE: u16 = 0;
    /// To the router: the node of this number is the primary.
    pub(in super::super) const ROUTE: u16 = 1;
    /// To the router: the node of this number answers nobody.
    pub(in super::super) const DOWN: u16 = 2;
    /// To the router: the node of this number answers again.
    pub(in super::super) const UP: u16 = 3;
}

/// Bits of `notes.flags` of a query.
pub(super) mod flag {
    /// It must see the log up to the position in `notes.mark`.
    pub(in super::super) const WAIT: u8 = 1;
}

/// A part of the log on its way to a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Batch {
    /// Which primary's log it is.
    pub epoch: u16,
    /// Position of its first write.
    pub from: u64,
    /// Position of its last write; `from - 1` when it is empty.
    pub to: u64,
    /// What the replica has from `from` on belongs to another log: it is thrown away.
    pub adopt: bool,
}

impl Batch {
    /// Writes it into a call that is about to travel.
    pub(super) fn put(self, call: &mut Call) {
        let left = u16::from(self.adopt);
        call.notes =
            Notes { step: kind::BATCH, pending: self.epoch, left, mark: self.to, ..Notes::default() };
        call.answer = self.from;
    }

    /// Reads it from a call.
    pub(super) fn of(call: &Call) -> Batch {
        let Notes { pending, left, mark, .. } = call.notes;
        Batch { epoch: pending, from: call.answer, to: mark, adopt: left != 0 }
    }
}

/// Bits of a word that hold the position.
const POSITION_BITS: u32 = 48;

/// How far a node's copy of the log goes, and of which epoch it is: one word that fits into an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    pub epoch: u16,
    pub position: u64,
}

impl Mark {
    pub(super) fn word(self) -> u64 {
        debug_assert!(self.position < 1 << POSITION_BITS, "no trial has that many writes");
        u64::from(self.epoch) << POSITION_BITS | self.position
    }

    pub(super) fn of(word: u64) -> Mark {
        Mark { epoch: (word >> POSITION_BITS) as u16, position: word & ((1 << POSITION_BITS) - 1) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_fits_into_a_word() {
        for (epoch, position) in [(0, 0), (1, 5), (u16::MAX, (1 << 48) - 1)] {
            let mark = Mark { epoch, position };
            assert_eq!(Mark::of(mark.word()), mark);
        }
    }
}
