//! `Conflicts`: acknowledged writes that another one overwrites without knowing of them.
//!
//! Of two writes to a key that did not know of each other the later one wins, on every node, by the time of its commit.
//! The earlier one has been acknowledged all the same, and nobody tells its user.

use std::collections::{BTreeMap, VecDeque};

/// Writes that are kept because some node does not know of them; beyond it new ones are not watched.
pub const OPEN_MAX: usize = 4_000_000;

/// Least number of kept writes before a sweep is worth its time.
const SWEEP_MIN: usize = 1024;

/// Which writes some node may not know of.
#[derive(Debug)]
pub(super) struct Conflicts {
    /// By key and log: positions, in order.
    open: BTreeMap<(u32, u16), VecDeque<u64>>,
    /// Positions in all of them.
    count: usize,
    /// Number of kept writes at which those that every node knows of are dropped.
    sweep_at: usize,
}

impl Conflicts {
    pub(super) fn new() -> Conflicts {
        Conflicts { open: BTreeMap::new(), count: 0, sweep_at: SWEEP_MIN }
    }

    /// A write to `key` is committed at a place of `log`, by a node that shows each log up to `known`, when all nodes
    /// show it up to `settled`. How many acknowledged writes it overwrites that its node did not know of; each counts
    /// once, however often it is overwritten.
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

    /// Throws out what all nodes know of.
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
