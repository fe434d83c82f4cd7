//! `Topology`: which nodes of a database take writes, and to whom they ship them.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::spec::Problems;

use super::DatabaseSpec;
use super::replicas::{ReadYourWrites, Reads, Replication};

/// Largest number of nodes that all take writes; each has a copy of every other's log.
pub(in crate::components::database) const NODES_MAX: u32 = 64;

/// Which nodes take writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Topology {
    /// One, which ships them to its replicas.
    #[default]
    PrimaryReplica,
    /// All, and each ships its own to every other.
    MultiPrimary,
    /// All, and each ships all that it has, its own writes and those it received, to the next node only. A write stops
    /// when it comes back to where it began.
    Ring,
}

impl Topology {
    /// Its name in scenario files.
    const fn name(self) -> &'static str {
        match self {
            Topology::PrimaryReplica => "primary-replica",
            Topology::MultiPrimary => "multi-primary",
            Topology::Ring => "ring",
        }
    }
}

impl DatabaseSpec {
    pub(in crate::components::database) fn topology(&self) -> Topology {
        self.topology.unwrap_or_default()
    }

    /// Whether every node takes writes.
    pub(in crate::components::database) fn all_write(&self) -> bool {
        self.topology() != Topology::PrimaryReplica
    }

    /// Checks keys that the topology needs, and keys that have no effect with it.
    pub(in crate::components::database) fn check_topology(&self, problems: &mut Problems) {
        if self.all_write() {
            self.check_nodes(problems);
            self.check_needs_primary(problems);
            return;
        }
        if self.topology.is_some() && self.replicas.is_none() {
            let message = "a primary without replicas is a single node";
            problems.error("topology", message, "add replicas = 1, or drop the key");
        }
    }

    fn check_nodes(&self, problems: &mut Problems) {
        let name = self.topology().name();
        if self.replicas.is_some() {
            let message = format!("a {name} has no replicas: all its nodes take writes");
            problems.error("replicas", message, "say how many nodes there are: nodes = 3");
        }
        match self.nodes {
            None if self.replicas.is_none() => {
                let message = format!("missing key `nodes`: how many nodes has the {name}?");
                problems.error("topology", message, "such as nodes = 3");
            }
            Some(1) => {
                let message = format!("a {name} of one: nobody is there to ship to");
                problems.error("nodes", message, "take two nodes or more, or drop `topology` and `nodes`");
            }
            Some(nodes) if !(2..=NODES_MAX).contains(&nodes) => {
                let message = format!("a {name} has 2 to {NODES_MAX} nodes, not {nodes}");
                problems.error("nodes", message, "");
            }
            _ => {}
        }
    }

    /// Reports keys that need a primary.
    fn check_needs_primary(&self, problems: &mut Problems) {
        let name = self.topology().name();
        if self.replication.is_some_and(|replication| replication != Replication::Async) {
            let message = format!("in a {name} every node answers its writes at once: it is \"async\"");
            problems.error("replication", message, "drop the key");
        }
        if self.reads == Some(Reads::Primary) {
            let message = format!("a {name} has no one primary");
            problems.error(
                "reads",
                message,
                "\"nearest\" reads where the caller writes, \"replicas\" in turn",
            );
        }
        if self.read_your_writes.is_some_and(|cure| cure != ReadYourWrites::None) {
            let message = format!("the cures of read-your-writes need a primary, a {name} has none");
            problems.error("read_your_writes", message, "reads = \"nearest\" reads where the caller writes");
        }
        if self.failover.is_some() {
            let message = format!("a {name} has nobody to promote: every node takes writes");
            problems.error("failover", message, "drop the key: callers of a node that is down use another");
        }
    }
}
