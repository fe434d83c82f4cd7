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
pub mod book;
mod confirm;
mod directory;
mod follow;
mod gauges;
mod handover;
mod homes;
mod inbox;
mod kept;
mod kind;
mod lazy;
mod log;
mod member;
mod message;
mod monitor;
mod moves;
mod node;
mod peer;
mod replica;
mod resources;
mod router;
mod rows;
mod script;
mod sharded;
mod ship;
mod spec;
mod timer;
mod transfer;
mod waiters;

pub use book::{DataRecord, Outage, Part};
pub use gauges::GAUGES;
pub use monitor::Monitor;
pub use node::Database;
pub use router::Router;
pub use sharded::Sharded;
pub use spec::{
    Apply, By, DatabaseSpec, Disk, Election, Engine, Failover, Hot, Preset, ReadYourWrites, Reads, Recovery,
    Replication, Reroute, Shards, Ship, Sync, Topology,
};
