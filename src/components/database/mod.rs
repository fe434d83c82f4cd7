//! `Database`: one node, or a primary with replicas: a router in the drivers of its callers, nodes that ship and apply
//! the log, and a monitor that fails over; or nodes that all take writes and ship them to each other.
//!
//! ```text
//! server --query--> router --forwards--> db.primary --log--> db.replica-1, db.replica-2, ...
//!                     |                                        ^
//!                     `------- reads ---------------------------'
//! ```

mod acks;
mod apply;
mod engine;
mod failover;
mod gauges;
mod homes;
mod inbox;
mod lazy;
mod log;
mod member;
mod message;
mod monitor;
mod node;
mod partition;
mod peer;
mod replica;
mod replicas;
mod resources;
mod router;
mod script;
mod ship;
mod spec;
mod topology;
mod transfer;
mod waiters;

pub use engine::Engine;
pub use failover::{Failover, Preset, Recovery, Reroute};
pub use gauges::GAUGES;
pub use monitor::Monitor;
pub use node::Database;
pub use partition::Partition;
pub use replicas::{Apply, ReadYourWrites, Reads, Replication, Ship};
pub use router::Router;
pub use spec::{DatabaseSpec, Disk};
pub use topology::Topology;
