//! `Conflicts`: acknowledged writes that another write overwrites without knowing of them.
//!
//! If two writes to a key did not know of each other, the one with the later commit wins, on every node. The earlier
//! one is lost although it was acknowledged, and its user is not told.

use std::collections::{BTreeMap, VecDeque};

/// Largest number of writes that are kept because some node does not know of them; beyond it, new writes are not
/// watched.
pub const OPEN_MAX: usize = 4_000_000;

/// Least number of kept writes before a sweep is worth its time.
const SWEEP_MIN: usize = 1024;

/// Writes that some node may not know of.
#[derive(Debug)]
pub(super) struct Conflicts {
    /// The positions of the writes, in order, by key and log.
    open: BTreeMap<(u32, u16), VecDeque<u64>>,
    /// Number of positions in `open`.
    count: usize,
    /// Number of kept writes at which those that every node knows of are dropped.
    sweep_at: usize,
}

impl Conflicts {
    pub(super) fn new() -> Conflicts {
        Conflicts { open: BTreeMap::new(), count: 0, sweep_at: SWEEP_MIN }
    }

    /// Records a write to `key` at a position of `log`. Its node shows each log up to `known`, and all nodes show it up
    /// to `settled`. Returns the number of acknowledged writes that it overwrites and that its node did not know; each
    /// of them counts once, however many later writes overwrite it.
    pub(super) fn write(
        &mut self,
        key: u32,
        log: u16,
        position: u64,
        known: impl Fn(u16) -> u64,
        settled: impl Fn(u16) -> u64,
    ) -> u64 {
        let mut lost = 0;
        for (&(_, other), open) in self.open.range_mut((key, 0)..=(key, u16::MAX)) {
            let before = open.len();
            if other != log {
                while open.back().is_some_and(|&last| last > known(other)) {
                    open.pop_back();
                    lost += 1;
                }
            }
            while open.front().is_some_and(|&first| first <= settled(other)) {
                open.pop_front();
            }
            self.count -= before - open.len();
        }
        if self.count >= self.sweep_at {
            self.sweep(settled);
        }
        if self.count < OPEN_MAX {
            self.open.entry((key, log)).or_default().push_back(position);
            self.count += 1;
        }
        lost
    }

    /// Removes the writes that all nodes know.
    fn sweep(&mut self, settled: impl Fn(u16) -> u64) {
        self.open.retain(|&(_, log), open| {
            while open.front().is_some_and(|&first| first <= settled(log)) {
                open.pop_front();
            }
            !open.is_empty()
        });
        self.count = self.open.values().map(VecDeque::len).sum();
        self.sweep_at = (2 * self.count).max(SWEEP_MIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_loses_against_a_later_one_that_did_not_know_of_it() {
        let mut conflicts = Conflicts::new();
        let nothing = |_: u16| 0;
        assert_eq!(conflicts.write(7, 0, 1, nothing, nothing), 0);
        assert_eq!(conflicts.write(8, 1, 1, nothing, nothing), 0, "another key");
        assert_eq!(conflicts.write(7, 0, 2, nothing, nothing), 0, "a log knows itself");
        assert_eq!(conflicts.write(7, 1, 2, |_| 1, nothing), 1, "it knew of the first, not of the second");
        assert_eq!(conflicts.write(7, 2, 1, nothing, nothing), 2, "it knew of neither of the other two");
        assert_eq!(conflicts.write(7, 3, 1, |log| u64::from(log == 2), nothing), 0);
    }

    #[test]
    fn what_all_know_of_is_forgotten() {
        let mut conflicts = Conflicts::new();
        for position in 1..=10 * SWEEP_MIN as u64 {
            let key = position as u32;
            assert_eq!(conflicts.write(key, 0, position, |_| 0, |_| position - 1), 0);
        }
        assert!(conflicts.count <= SWEEP_MIN && conflicts.open.len() <= SWEEP_MIN, "{}", conflicts.count);
    }
}
