//! `Ring`: sends each key to the node of a cache that has it. It is a part of the driver in each caller, and costs nothing.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use rand::Rng;

use crate::kernel::random::{mix, name_hash};
use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::{Component, Cx};
use crate::model::signal::{CallId, ComponentId, Outcome, Signal};
use crate::model::site::Site;
use crate::queueing::balance::{Balance, Policy};

/// Time for which a node that has refused a call is left out, as Twemproxy's `server_retry_timeout` [V].
const OUT_FOR: SimDuration = SimDuration::from_secs(30);

/// The nodes on a ring of consistent hashing. The keys of a node that is down are those of its neighbours on the ring, which do not
/// have them yet.
#[derive(Debug)]
pub(super) struct Ring {
    nodes: Vec<ComponentId>,
    /// Until when each is left out.
    out: Vec<SimTime>,
    ring: Balance,
    /// The start value of the hash of a key. Each trial has another one: which node has the most popular key is chance.
    salt: u64,
}

impl Ring {
    /// A ring of this number of nodes, each with this number of points.
    pub(super) fn new(nodes: u32, virtual_nodes: u32, site: &Site<'_>) -> Ring {
        let names: Vec<String> = (1..=nodes).map(|node| format!("{}.node-{node}", site.group)).collect();
        let hashes: Vec<u64> = names.iter().map(|name| name_hash(name)).collect();
        let policy = Policy::Hash { virtual_nodes, bounded_load: None };
        Ring {
            nodes: names.iter().map(|name| site.find(name)).collect(),
            out: vec![SimTime::ZERO; names.len()],
            ring: Balance::new(policy, &vec![1.0; names.len()], &hashes),
            salt: 0,
        }
    }

    /// Hands a call to the node of its key, of those that are not left out.
    fn route(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let key = mix(self.salt, u64::from(cx.get(call).ask().key));
        let mut rng = cx.rng(call, 0);
        let (now, out) = (cx.now(), &self.out);
        match self.ring.pick(now, |i| out[i] <= now, key, &mut rng) {
            Some(node) => cx.forward(call, self.nodes[node]),
            None => cx.reply(call, Outcome::Unavailable),
        }
    }
}

impl Component for Ring {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.salt = cx.stream("ring").next_u64();
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.route(call, cx),
            // The node of the key is down: the next one on the ring has it for a while.
            Signal::Returned(call, from) => {
                if let Some(node) = self.nodes.iter().position(|node| *node == from) {
                    self.out[node] = cx.now() + OUT_FOR;
                }
                self.route(call, cx);
            }
            _ => {}
        }
    }
}
