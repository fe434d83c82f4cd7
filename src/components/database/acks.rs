//! `Acks`: decides when a client is told that its write is safe: at once, or when replicas have received it.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::signal::CallId;

/// The acknowledgements that a commit waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Wait {
    /// None.
    Nobody,
    /// This many replicas, for at most this time. After a time-out, commits do not wait until a replica has caught up.
    AtMost(usize, SimDuration),
    /// This many replicas, however long that takes.
    Until(usize),
}

/// A write that is durable at the primary and waits for replicas.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pending {
    pub call: CallId,
    pub position: u64,
    since: SimTime,
}

/// Writes that wait for replicas.
#[derive(Debug)]
pub(super) struct Acks {
    wait: Wait,
    pending: VecDeque<Pending>,
    /// Whether semi-sync has fallen back to async.
    suspended: bool,
}

impl Acks {
    pub(super) fn new(wait: Wait) -> Acks {
        Acks { wait, pending: VecDeque::new(), suspended: false }
    }

    /// Number of replicas that a commit waits for now; 0 if none.
    pub(super) fn needed(&self) -> usize {
        match self.wait {
            Wait::Nobody => 0,
            Wait::AtMost(..) if self.suspended => 0,
            Wait::AtMost(needed, _) | Wait::Until(needed) => needed,
        }
    }

    /// Adds a waiting write. Returns the time at which its wait ends, if it is the only one waiting and its wait is
    /// limited.
    pub(super) fn push(&mut self, now: SimTime, call: CallId, position: u64) -> Option<SimTime> {
        let first = self.pending.is_empty();
        self.pending.push_back(Pending { call, position, since: now });
        if first { self.deadline() } else { None }
    }

    /// Removes and returns the next write that is safe, given that enough replicas hold the log up to `confirmed`.
    pub(super) fn pop(&mut self, confirmed: u64) -> Option<Pending> {
        let next = *self.pending.front()?;
        if next.position > confirmed {
            return None;
        }
        self.pending.pop_front()
    }

    /// The time at which the wait of the oldest write ends; `None` if it is not limited.
    pub(super) fn deadline(&self) -> Option<SimTime> {
        let Wait::AtMost(_, patience) = self.wait else { return None };
        self.pending.front().map(|pending| pending.since + patience)
    }

    /// Stops waiting for replicas. The writes that wait are then returned by [`Acks::pop`].
    pub(super) fn suspend(&mut self) {
        self.suspended = true;
    }

    /// Resumes waiting if enough replicas hold the log up to its `head`. Returns whether it did.
    pub(super) fn resumes(&mut self, confirmed: impl Fn(usize) -> u64, head: u64) -> bool {
        let Wait::AtMost(needed, _) = self.wait else { return false };
        let resumes = self.suspended && confirmed(needed) >= head;
        self.suspended &= !resumes;
        resumes
    }

    /// Drops all waiting writes, after a crash.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
        self.suspended = false;
    }
}
