//! `Partition`: sends each query to the node that has its key. It is a part of the driver in each caller, and costs
//! nothing.

use rand::Rng;

use crate::kernel::random::mix;
use crate::model::component::{Component, Cx};
use crate::model::signal::{CallId, ComponentId, Outcome, Signal};
use crate::model::site::Site;

use super::spec::DatabaseSpec;

/// Divides the keys among the nodes, by a hash.
#[derive(Debug)]
pub struct Partition {
    nodes: Vec<ComponentId>,
    /// The start value of the hash of a key. Each trial has another one: which node has the most popular key is chance.
    salt: u64,
}

impl Partition {
    /// The driver of the database that `spec` describes.
    #[must_use]
    pub fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Partition {
        let names = (1..=spec.partitions()).map(|node| format!("{}.node-{node}", site.group));
        Partition { nodes: names.map(|name| site.find(&name)).collect(), salt: 0 }
    }

    fn route(&self, call: CallId, cx: &mut Cx<'_>) {
        let node = mix(self.salt, u64::from(cx.get(call).ask().key)) % self.nodes.len() as u64;
        cx.forward(call, self.nodes[node as usize]);
    }
}

impl Component for Partition {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.salt = cx.stream("partition").next_u64();
    }

    #[inline(always)]
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.route(call, cx),
            // The node of the key is down, and no other node has the key.
            Signal::Returned(call, _) => cx.reply(call, Outcome::Unavailable),
            _ => {}
        }
    }
}
