//! `Acks`: when a client is told that its write is safe: at once, or when replicas have received it.

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::signal::CallId;

/// Whose word a commit waits for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Wait {
    /// Nobody's.
    Nobody,
    /// So many replicas', but no longer than a while: then commits wait for nobody until a replica has caught up.
    AtMost(usize, SimDuration),
    /// So many replicas', as long as it takes.
    Until(usize),
}

/// A write that is durable here and waits to be so elsewhere.
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
    /// Semi-sync has fallen back to async.
    suspended: bool,
}

impl Acks {
    pub(super) fn new(wait: Wait) -> Acks {
        Acks { wait, pending: VecDeque::new(), suspended: false }
    }

    /// Replicas that a commit waits for now; 0 when it waits for none.
    pub(super) fn needed(&self) -> usize {
        match self.wait {
            Wait::Nobody => 0,
            Wait::AtMost(..) if self.suspended => 0,
            Wait::AtMost(needed, _) | Wait::Until(needed) => needed,
        }
    }

    /// A write waits; the time when its patience ends, if it is the first and has an end.
    pub(super) fn push(&mut self, now: SimTime, call: CallId, position: u64) -> Option<SimTime> {
        let first = self.pending.is_empty();
        self.pending.push_back(Pending { call, position, since: now });
        if first { self.deadline() } else { None }
    }

    /// The next write that is safe when replicas hold the log up to `confirmed`.
    pub(super) fn pop(&mut self, confirmed: u64) -> Option<Pending> {
        let next = *self.pending.front()?;
        if next.position > confirmed {
            return None;
        }
        self.pending.pop_front()
    }

    /// When the patience of the oldest ends.
    pub(super) fn deadline(&self) -> Option<SimTime> {
        let Wait::AtMost(_, patience) = self.wait else { return None };
        self.pending.front().map(|pending| pending.since + patience)
    }

    /// Commits wait for nobody from now on; all that wait are let go by [`Acks::pop`].
    pub(super) fn suspend(&mut self) {
        self.suspended = true;
    }

    /// Whether commits can wait again: enough replicas hold the log up to its `head`.
    pub(super) fn resumes(&mut self, confirmed: impl Fn(usize) -> u64, head: u64) -> bool {
        let Wait::AtMost(needed, _) = self.wait else { return false };
        let resumes = self.suspended && confirmed(needed) >= head;
        self.suspended &= !resumes;
        resumes
    }

    /// A crash: nobody waits any more.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
        self.suspended = false;
    }
}
