//! `Log`: how much of the log a node has. Positions count the writes from 1; their content is not modelled.

use super::message::{Batch, Mark};

/// The result of receiving a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Received {
    /// The copy now contains it, or already did.
    Taken,
    /// Something before it is missing, or it belongs to another log.
    Refused,
    /// It belongs to a newer log, which the copy now follows. This many writes were dropped.
    Adopted(u64),
}

/// A node's copy of the log. The crash of a process loses nothing of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    /// Position of the last write that is durable here.
    pub received: u64,
    /// Position of the last write that readers see here.
    pub applied: u64,
    /// Number of promotions so far; identifies the primary whose log it is.
    pub epoch: u16,
    /// For each promotion: the epoch, and the last position that the new primary took over.
    forks: Vec<(u16, u64)>,
}

impl Log {
    /// An empty log of an epoch.
    pub(super) fn of(epoch: u16) -> Log {
        Log { epoch, ..Log::default() }
    }

    /// Appends a write that is durable at the primary. Returns its position.
    pub(super) fn append(&mut self) -> u64 {
        self.received += 1;
        self.applied = self.received;
        self.received
    }

    /// Receives a batch at a replica.
    pub(super) fn receive(&mut self, batch: Batch) -> Received {
        let before = batch.from - 1;
        if batch.adopt && batch.epoch > self.epoch {
            let surplus = self.received.saturating_sub(before);
            if self.received < before {
                return Received::Refused;
            }
            self.forks.push((batch.epoch, before));
            self.epoch = batch.epoch;
            self.received = batch.to;
            self.applied = self.applied.min(before);
            return Received::Adopted(surplus);
        }
        if batch.epoch != self.epoch || before > self.received {
            return Received::Refused;
        }
        self.received = self.received.max(batch.to);
        Received::Taken
    }

    /// Loses what comes after `position`, because it was not flushed.
    pub(super) fn cut(&mut self, position: u64) {
        self.received = self.received.min(position);
        self.applied = self.applied.min(position);
    }

    /// Makes the node a primary. Its new log begins after what it has.
    pub(super) fn promote(&mut self, epoch: u16) {
        debug_assert_eq!(self.applied, self.received, "a replica catches up before it is promoted");
        self.forks.push((epoch, self.received));
        self.epoch = epoch;
    }

    /// The last position that this log has in common with a copy of an older epoch.
    pub(super) fn common_with(&self, other: Mark) -> u64 {
        let later = self.forks.iter().filter(|&&(epoch, _)| epoch > other.epoch);
        later.map(|&(_, start)| start).min().unwrap_or(other.position).min(other.position)
    }

    /// The epoch and the last position of this copy.
    pub(super) fn mark(&self) -> Mark {
        Mark { epoch: self.epoch, position: self.received }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(epoch: u16, from: u64, to: u64) -> Batch {
        Batch { epoch, from, to, adopt: false }
    }

    #[test]
    fn batches_are_taken_in_order_and_gaps_refused() {
        let mut log = Log::default();
        assert_eq!(log.receive(batch(0, 1, 3)), Received::Taken);
        assert_eq!(log.receive(batch(0, 5, 9)), Received::Refused);
        assert_eq!(log.receive(batch(0, 2, 4)), Received::Taken);
        assert_eq!(log.receive(batch(0, 1, 2)), Received::Taken);
        assert_eq!((log.received, log.applied), (4, 0));
        log.applied = 4;
        log.cut(3);
        assert_eq!((log.received, log.applied), (3, 3), "what was not flushed is gone");
    }

    #[test]
    fn a_copy_follows_a_new_primary_and_drops_its_surplus() {
        let mut old = Log { received: 10, applied: 10, ..Log::default() };
        let mut new = Log { received: 7, applied: 7, ..Log::default() };
        new.promote(1);
        new.append();
        assert_eq!(new.common_with(old.mark()), 7);
        assert_eq!(old.receive(batch(1, 9, 8)), Received::Refused);
        let adopt = Batch { adopt: true, ..batch(1, 8, 8) };
        assert_eq!(old.receive(adopt), Received::Adopted(3));
        assert_eq!((old.received, old.applied, old.epoch), (8, 7, 1));
        assert_eq!(old.receive(adopt), Received::Taken);
    }
}
