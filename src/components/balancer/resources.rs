//! What a balancer has a limited amount of.

use crate::model::resource::{CONNECTIONS, Full, Hold, Noun, Resource};
use crate::model::spec::{RequestClass, Spec as _};

use super::spec::BalancerSpec;

impl BalancerSpec {
    pub(super) fn all_resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        let cpu_s = classes.iter().map(|class| self.demand(class).cpu_s).collect();
        let machine = self.machine().map(|machine| Resource::of_machine(&machine, 0..1, cpu_s));
        let connections = |limit| {
            let (noun, stays) = (Noun::Many("the connections"), vec![Hold::stay(1.0); classes.len()]);
            let full = self.queue.map_or(Full::away("rejects"), |queue| Full {
                longest_s: queue.timeout.map_or(f64::INFINITY, |timeout| timeout.0.as_secs_f64()),
                ..Full::queue(u64::from(queue.limit), "queue.limit", "rejects")
            });
            Resource::slots(CONNECTIONS, noun, 0..1, f64::from(limit), stays).when_full(full)
        };
        let limit = self.limit.and_then(|limit| limit.resource(1, classes.len()));
        let connections = self.connections.map(connections);
        machine.unwrap_or_default().into_iter().chain(connections).chain(limit).collect()
    }
}
