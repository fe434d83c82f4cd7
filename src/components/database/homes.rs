//! `Homes`: the node that each caller uses if every node takes writes.

use std::collections::BTreeMap;

use crate::kernel::time::SimDuration;
use crate::model::signal::ComponentId;

/// The node of each caller: one of the nearest, and among these the one with the fewest callers at the caller's first
/// call.
#[derive(Debug)]
pub(super) struct Homes {
    of: BTreeMap<ComponentId, usize>,
    /// Number of callers of each node.
    callers: Vec<u32>,
}

impl Homes {
    pub(super) fn new(nodes: usize) -> Homes {
        Homes { of: BTreeMap::new(), callers: vec![0; nodes] }
    }

    /// Index of the caller's node; `distance` is the distance from the caller to each node.
    pub(super) fn of(&mut self, caller: ComponentId, distance: impl Fn(usize) -> SimDuration) -> usize {
        let Homes { of, callers } = self;
        *of.entry(caller).or_insert_with(|| {
            let rank = |&node: &usize| (distance(node), callers[node]);
            let home = (0..callers.len()).min_by_key(rank).expect("a database has nodes");
            callers[home] += 1;
            home
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_spread_over_the_nearest_nodes_and_stay() {
        let mut homes = Homes::new(3);
        let far = |node: usize| SimDuration::from_millis(if node == 0 { 9 } else { 1 });
        let mut home = |caller: usize| homes.of(ComponentId::new(caller), far);
        let first: Vec<usize> = (10..14).map(&mut home).collect();
        assert_eq!(first, [1, 2, 1, 2]);
        assert_eq!(home(11), 2);
    }
}
