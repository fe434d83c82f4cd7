//! `Waiters`: reads that wait until their node has applied the log up to a position.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::model::signal::CallId;

/// A waiting read. Ordered by position, then by arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Waiter {
    position: u64,
    number: u64,
    call: CallId,
}

impl Ord for Waiter {
    fn cmp(&self, other: &Waiter) -> std::cmp::Ordering {
        (self.position, self.number).cmp(&(other.position, other.number))
    }
}

impl PartialOrd for Waiter {
    fn partial_cmp(&self, other: &Waiter) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The waiting reads. Each holds a connection, which limits their number.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    heap: BinaryHeap<Reverse<Waiter>>,
    /// Number of reads that have waited so far.
    waited: u64,
}

impl Waiters {
    pub(super) fn push(&mut self, call: CallId, position: u64) {
        self.waited += 1;
        self.heap.push(Reverse(Waiter { position, number: self.waited, call }));
    }

    /// Removes and returns the next read that can go on when the log is applied up to `applied`.
    pub(super) fn pop(&mut self, applied: u64) -> Option<CallId> {
        let next = self.heap.peek().filter(|next| next.0.position <= applied)?.0;
        self.heap.pop();
        Some(next.call)
    }

    pub(super) fn clear(&mut self) {
        self.heap.clear();
    }
}
