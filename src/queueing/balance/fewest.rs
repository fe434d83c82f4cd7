//! The fewest outstanding calls among many targets, found in a time that grows with the logarithm of their number.

use rand::Rng;

use super::nth_of;

/// The calls of a target that is not eligible: more than any that is.
const OUT: u32 = u32::MAX;

/// The fewest calls below a node of the tree, and the number of targets that have exactly these.
#[derive(Clone, Copy, Debug)]
struct Node {
    calls: u32,
    targets: u32,
}

impl Node {
    fn of(left: Node, right: Node) -> Node {
        let calls = left.calls.min(right.calls);
        let share = |node: Node| if node.calls == calls { node.targets } else { 0 };
        Node { calls, targets: share(left) + share(right) }
    }
}

/// A tree over all targets in their order, so that the n-th of those with the fewest calls is found from the root.
#[derive(Clone, Debug)]
pub(super) struct Fewest {
    /// The root at 1, the children of node `n` at `2n` and `2n + 1`, the targets from `leaves` on.
    nodes: Vec<Node>,
    leaves: usize,
    /// Who is eligible in `nodes`.
    eligible: Vec<bool>,
}

impl Fewest {
    /// A tree of `targets` targets without calls, all of them eligible.
    pub(super) fn new(targets: usize) -> Fewest {
        let leaves = targets.next_power_of_two();
        let nodes = vec![Node { calls: OUT, targets: 1 }; 2 * leaves];
        let mut fewest = Fewest { nodes, leaves, eligible: vec![true; targets] };
        fewest.build(&vec![0; targets]);
        fewest
    }

    /// Target `i` has `calls` outstanding calls from now on.
    pub(super) fn set(&mut self, i: usize, calls: u32) {
        if !self.eligible[i] {
            return;
        }
        let mut at = self.leaves + i;
        self.nodes[at].calls = calls;
        while at > 1 {
            at /= 2;
            self.nodes[at] = Node::of(self.nodes[2 * at], self.nodes[2 * at + 1]);
        }
    }

    /// One of the eligible targets with the fewest calls, at random among equals; `None` if no target is eligible. The
    /// choice and the draw are those of a look at all targets in turn. Linear when `eligible` is not what it was.
    pub(super) fn pick(
        &mut self,
        eligible: &[bool],
        outstanding: &[u32],
        rng: &mut (impl Rng + ?Sized),
    ) -> Option<usize> {
        if eligible != self.eligible {
            self.eligible.copy_from_slice(eligible);
            self.build(outstanding);
        }
        let Node { calls: least, targets } = self.nodes[1];
        if least == OUT {
            return None;
        }
        let mut nth = if targets > 1 { nth_of(targets, rng) } else { 0 };
        let mut at = 1;
        while at < self.leaves {
            let left = self.nodes[2 * at];
            let before = if left.calls == least { left.targets } else { 0 };
            at = 2 * at + usize::from(nth >= before);
            nth -= if nth >= before { before } else { 0 };
        }
        Some(at - self.leaves)
    }

    fn build(&mut self, outstanding: &[u32]) {
        for (i, (&calls, &eligible)) in outstanding.iter().zip(&self.eligible).enumerate() {
            self.nodes[self.leaves + i].calls = if eligible { calls } else { OUT };
        }
        for at in (1..self.leaves).rev() {
            self.nodes[at] = Node::of(self.nodes[2 * at], self.nodes[2 * at + 1]);
        }
    }
}
