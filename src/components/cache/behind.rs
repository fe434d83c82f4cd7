//! `Behind`: writes that were answered before the database has them.

use std::collections::{BTreeMap, VecDeque};

use crate::model::call::Origin;

/// Number of writes that are under way to the database at most [T].
const WRITERS: usize = 10;

/// Number of keys whose writes wait at most [T]; further writes are answered when the database has them.
const KEYS_MAX: usize = 100_000;

/// The keys whose last write the database does not have yet. A key that is written again before its turn is written once.
#[derive(Debug, Default)]
pub(super) struct Behind {
    queue: VecDeque<u32>,
    waiting: BTreeMap<u32, Origin>,
    under_way: BTreeMap<u32, u32>,
    next: u32,
}

impl Behind {
    /// Whether a write of this key may wait.
    pub(super) fn takes(&self, key: u32) -> bool {
        self.waiting.contains_key(&key) || self.waiting.len() < KEYS_MAX
    }

    /// A write of a key waits, on behalf of the request that wrote last.
    pub(super) fn add(&mut self, key: u32, origin: Origin) {
        if self.waiting.insert(key, origin).is_none() {
            self.queue.push_back(key);
        }
    }

    /// The next write that is sent: its number, key and origin.
    pub(super) fn next(&mut self) -> Option<(u32, u32, Origin)> {
        if self.under_way.len() >= WRITERS {
            return None;
        }
        let key = self.queue.pop_front()?;
        let origin = self.waiting.remove(&key)?;
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        self.under_way.insert(number, key);
        Some((number, key, origin))
    }

    /// A write has ended. Returns whether it was under way: one from before a crash is not.
    pub(super) fn done(&mut self, number: u32) -> bool {
        self.under_way.remove(&number).is_some()
    }

    /// Number of keys that the database does not have.
    pub(super) fn len(&self) -> u64 {
        (self.waiting.len() + self.under_way.len()) as u64
    }
}
