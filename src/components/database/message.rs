//! What the members of a database say to each other: messages of their own, and orders.

use crate::model::ask::{Ask, Verb};
use crate::model::call::{Call, NOBODY};

use super::book::{Query, User};

/// What one member asks another for.
pub(super) mod kind {
    /// To append a part of the log.
    pub(in super::super) const BATCH: u8 = 8;
    /// A poll of the monitor.
    pub(in super::super) const POLL: u8 = 9;
    /// A request for the position up to which it has received the log.
    pub(in super::super) const RECEIVED: u8 = 10;
    /// A request for the position up to which it has applied the log.
    pub(in super::super) const APPLIED: u8 = 11;
    /// An order to take no more of the log, and to answer when all of it is applied.
    pub(in super::super) const CATCH_UP: u8 = 12;
    /// To be the primary of the epoch in the word.
    pub(in super::super) const PROMOTE: u8 = 13;
    /// To write the key of a lost write again, unless it has been written since.
    pub(in super::super) const REPLAY: u8 = 14;
    /// To know that the sender's copy of the log is safe up to the position in the word.
    pub(in super::super) const CONFIRM: u8 = 16;
    /// To send the log, because the sender is back.
    pub(in super::super) const FOLLOW: u8 = 17;
    /// To read a piece of the data from the disk, or to write it there: it moves to another shard.
    pub(in super::super) const COPY: u8 = 18;
    /// To append a part of the log in place of all that it has from there on, which belongs to another log.
    pub(in super::super) const ADOPT: u8 = 15;
}

/// What a call says from one member to another.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Message {
    /// One of [`kind`].
    pub kind: u8,
    /// The sender's election, or the epoch of its log.
    pub tag: u16,
    pub word: u64,
}

impl Message {
    /// The message that a call asks with; `None` for a query.
    pub(super) fn of(ask: Ask) -> Option<Message> {
        match ask.verb {
            Verb::Own { code, tag, word } => Some(Message { kind: code, tag, word: word.get() }),
            _ => None,
        }
    }
}

/// Whether a script asks to write a lost write again.
pub(super) fn is_replay(ask: Ask) -> bool {
    matches!(ask.verb, Verb::Own { code: kind::REPLAY, .. })
}

/// Whether a piece of the data is to be read or written.
pub(super) fn is_copy(ask: Ask) -> bool {
    matches!(ask.verb, Verb::Own { code: kind::COPY, .. })
}

/// Orders that need no network.
pub(super) mod order {
    /// To a node: stop being the primary of an epoch below the subject.
    pub(in super::super) const FENCE: u16 = 0;
    /// Number of bits of a subject that hold the number of a node; the others hold that of its shard.
    const NODE_BITS: u32 = 16;

    /// A node of a shard, as the subject of an order to the router.
    pub(in super::super) const fn subject(shard: u32, node: usize) -> u32 {
        shard << NODE_BITS | node as u32
    }

    /// The shard of a subject, and the node in it.
    pub(in super::super) const fn of(subject: u32) -> (usize, usize) {
        ((subject >> NODE_BITS) as usize, (subject & ((1 << NODE_BITS) - 1)) as usize)
    }

    /// To the router: the node with this number is the primary.
    pub(in super::super) const ROUTE: u16 = 1;
    /// To the router: the node with this number does not answer.
    pub(in super::super) const DOWN: u16 = 2;
    /// To the router: the node with this number answers again.
    pub(in super::super) const UP: u16 = 3;
}

/// Bits of `notes.flags` of a query, which the router and the nodes share.
pub(super) mod flag {
    /// It must see the log up to the position in `notes.mark`.
    pub(in super::super) const WAIT: u8 = 1;
}

/// A query as the book wants it: its key, and for whom it is.
pub(super) fn query(call: &Call) -> Query {
    let &Call { user, identity, client, .. } = call;
    let is_replay = is_replay(call.ask());
    let user = (!is_replay && user != NOBODY).then_some(User { client, slot: user, identity });
    Query { key: call.ask().key, is_replay, user }
}

/// A part of the log on its way to a replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Batch {
    /// The epoch of the primary whose log it is.
    pub epoch: u16,
    /// Position of its first write.
    pub from: u64,
    /// Position of its last write; `from - 1` when it is empty.
    pub to: u64,
    /// Whether the replica must drop what it has from `from` on, because it belongs to another log.
    pub adopt: bool,
}

impl Batch {
    /// As what a call asks for.
    pub(super) fn ask(self) -> Ask {
        let writes = self.to + 1 - self.from;
        debug_assert!(self.from < 1 << FROM_BITS && writes <= BATCH_MAX, "{self:?} fits into a word");
        let kind = if self.adopt { kind::ADOPT } else { kind::BATCH };
        Ask::own(kind, self.epoch, writes << FROM_BITS | self.from)
    }

    /// Reads it from what a call asks for.
    ///
    /// # Panics
    /// When that is no batch.
    pub(super) fn of(ask: Ask) -> Batch {
        match Message::of(ask) {
            Some(Message { kind, tag, word }) if matches!(kind, kind::BATCH | kind::ADOPT) => {
                let from = word & ((1 << FROM_BITS) - 1);
                Batch { epoch: tag, from, to: from + (word >> FROM_BITS) - 1, adopt: kind == kind::ADOPT }
            }
            other => unreachable!("no batch but {other:?}"),
        }
    }
}

/// Writes of one batch; a replica that lacks more gets them in several.
pub(super) const BATCH_MAX: u64 = 1 << 20;

/// Bits of a batch's word that hold its first position; the others hold the number of its writes.
const FROM_BITS: u32 = 43;

/// Number of bits of a word that hold the position.
const POSITION_BITS: u32 = 48;

/// The last position and the epoch of a node's copy of the log, in one word that fits into an answer.
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

    #[test]
    fn a_batch_fits_into_what_a_call_asks() {
        for (from, to, adopt) in [(1, 0, false), (7, 7, true), (1 << 42, (1 << 42) + BATCH_MAX - 1, false)] {
            let batch = Batch { epoch: 3, from, to, adopt };
            assert_eq!(Batch::of(batch.ask()), batch);
        }
    }
}
