//! A job in service, and the order in which such jobs leave: for both modes of a station.

use std::cmp::Ordering;

use crate::kernel::time::{SimDuration, SimTime};

/// A job in service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Service<J> {
    pub(super) job: J,
    pub(super) demand: SimDuration,
    pub(super) waited: SimDuration,
}

/// A way to serve jobs.
pub(super) trait Serve<J> {
    /// Number of jobs in service.
    fn len(&self) -> usize;

    /// Begins to serve a job.
    fn start(&mut self, now: SimTime, service: Service<J>);

    /// Takes out one job that is done at `now`.
    fn take_due(&mut self, now: SimTime) -> Option<Service<J>>;
}

/// A job in service: the least key leaves first, and of equal keys the one that started first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<K, J> {
    pub(super) key: K,
    pub(super) started: u64,
    pub(super) service: Service<J>,
}

// All four orderings are written out, none derived: `BinaryHeap` is a max-heap, and a derived `PartialOrd` beside this
// reversed `Ord` would silently turn it around.
impl<K: Ord, J> Ord for Entry<K, J> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then_with(|| other.started.cmp(&self.started))
    }
}

impl<K: Ord, J> PartialOrd for Entry<K, J> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K: Ord, J> PartialEq for Entry<K, J> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<K: Ord, J> Eq for Entry<K, J> {}

/// Inserts a job that started after all others into a list whose last entry leaves first. What leaves before it makes room
/// one by one, and it is written once, in its place: a handful is kept in order with less work than by a heap.
#[inline(always)]
pub(super) fn insert_sorted<K: Ord + Copy, J: Copy>(list: &mut Vec<Entry<K, J>>, entry: Entry<K, J>) {
    match list.last() {
        Some(&last) if last.key <= entry.key => {
            let mut place = list.len() - 1;
            list.push(last);
            while place > 0 && list[place - 1].key <= entry.key {
                list[place] = list[place - 1];
                place -= 1;
            }
            list[place] = entry;
        }
        _ => list.push(entry),
    }
}
