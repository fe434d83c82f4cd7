//! `Copies`: how much of one log each node of a database has, and when its writes were acknowledged.

use std::collections::VecDeque;

use crate::kernel::time::SimTime;

/// Largest number of commit times that are kept until every node has applied the commits.
pub const COMMITS_MAX: usize = 4_000_000;

/// How much of the log one node has.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Holding {
    pub received: u64,
    pub applied: u64,
}

/// How much of one log each node has.
#[derive(Clone, Debug)]
pub(super) struct Copies {
    /// Position of the last acknowledged write.
    pub head: u64,
    holdings: Vec<Holding>,
    /// Position and time of the last write of each flush.
    commits: VecDeque<(u64, SimTime)>,
}

impl Copies {
    pub(super) fn new(nodes: usize) -> Copies {
        Copies { head: 0, holdings: vec![Holding::default(); nodes], commits: VecDeque::new() }
    }

    /// Records an acknowledged write.
    pub(super) fn committed(&mut self, now: SimTime, position: u64) {
        match self.commits.back_mut() {
            Some((last, at)) if *at == now => *last = position,
            _ => self.commits.push_back((position, now)),
        }
    }

    /// Records how far a node is.
    pub(super) fn hold(&mut self, node: usize, holding: Holding) {
        self.holdings[node] = holding;
    }

    /// The position up to which a node shows the log.
    pub(super) fn applied(&self, node: usize) -> u64 {
        self.holdings[node].applied
    }

    /// The position up to which every node shows the log.
    pub(super) fn applied_by_all(&self) -> u64 {
        self.holdings.iter().map(|holding| holding.applied).min().unwrap_or(0)
    }

    /// The position up to which every node has the log.
    pub(super) fn received_by_all(&self) -> u64 {
        self.holdings.iter().map(|holding| holding.received).min().unwrap_or(0)
    }

    /// The time at which the first write that a node does not show was acknowledged; `None` if it shows all.
    pub(super) fn oldest_lacking(&self, node: usize) -> Option<SimTime> {
        let applied = self.holdings[node].applied;
        if applied >= self.head {
            return None;
        }
        let at = self.commits.partition_point(|&(last, _)| last <= applied);
        self.commits.get(at).map(|&(_, at)| at)
    }

    /// Drops the times of writes that every node shows.
    pub(super) fn prune(&mut self) {
        let applied = self.applied_by_all();
        while self.commits.len() > COMMITS_MAX
            || self.commits.front().is_some_and(|&(last, _)| last <= applied)
        {
            self.commits.pop_front();
        }
    }

    /// Cuts the log at `position`, because no node has what came after it.
    pub(super) fn cut(&mut self, position: u64) {
        while let Some(&(last, at)) = self.commits.back()
            && last > position
        {
            self.commits.pop_back();
            let before = self.commits.back().map_or(0, |&(before, _)| before);
            if before < position && self.head >= position {
                // Some writes of the flush in which the logs separate survive.
                self.commits.push_back((position, at));
                break;
            }
        }
        self.head = self.head.min(position);
        for holding in &mut self.holdings {
            holding.applied = holding.applied.min(position);
            holding.received = holding.received.min(position);
        }
    }
}
