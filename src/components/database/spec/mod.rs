//! What a scenario says about a database.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

pub(super) mod engine;
mod failover;
pub(super) mod replicas;
mod shards;
mod sites;
pub(super) mod topology;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::hardware::DiskSpec;
use crate::model::quantity::{Bytes, Dist, Duration, Rate};
use crate::model::reshard::Reshard;
use crate::model::signal::ComponentId;
use crate::model::site::Site;
use crate::model::spec::{Problems, Spec as _};
use crate::parts::hardware::{Hardware, positive};
use crate::theory::cache::zipf_hit_ratio;

use super::book::Subject;

pub use engine::Engine;
pub use failover::{Election, Failover, Preset, Recovery, Reroute};
pub use replicas::{Apply, ReadYourWrites, Reads, Replication, Ship, Sync};
pub use shards::{By, Hot, Shards};
pub use topology::Topology;

pub(super) use engine::Work;
pub(super) use failover::Pick;

/// Size of a page of the buffer cache, as InnoDB's.
const PAGE_BYTES: u64 = 16 << 10;

/// Default share of a machine's memory for the buffer cache, as is advised for InnoDB.
const BUFFER_SHARE: f64 = 0.75;

/// Skew of the accesses to pages, the Zipf exponent of YCSB.
const SKEW_DEFAULT: f64 = 0.99;

/// The age of a write that waits from which on its wait is an outage, in seconds; and the same in mean times of a
/// write, for databases that write slowly [T].
const PATIENCE_S: f64 = 1.0;
const PATIENCE_WRITES: f64 = 10.0;

/// Largest number of operations that a disk does at the same time.
pub(super) const AT_ONCE_MAX: f64 = 1e6;

/// A disk. Defaults are those of a gp3 volume.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Operations a second that it sustains. Default: 3000, as a gp3 volume.
    pub iops: Option<f64>,
    /// Time of one read. Default: "1ms" [T].
    pub latency: Option<Duration>,
}

/// `[database.NAME]`: a database node.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSpec {
    /// The kind of database; it sets the defaults of the keys below. Default: "relational".
    pub engine: Option<Engine>,
    /// The box whose machine it shares: cores, memory, disk and crashes.
    pub on: Option<String>,
    /// A machine of the catalogue (`outgrow list instances`).
    pub instance: Option<String>,
    /// Number of cores. Default: the instance's, else 1.
    pub cores: Option<u32>,
    /// Memory. Default: the instance's, else "4GiB".
    pub memory: Option<Bytes>,
    /// Work a core does a second, relative to the reference instance. Default: the instance's, else 1.
    pub speed: Option<f64>,
    /// USD an hour. Default: the instance's, else 0.
    pub price: Option<f64>,
    /// Core time of a read. Default: exponential, 1.2 ms [C: Stack Overflow 2016]; of other engines see docs/engines.md.
    pub read: Option<Dist>,
    /// Core time of a write. Default: exponential, 1.2 ms [C: Stack Overflow 2016]; of other engines see docs/engines.md.
    pub write: Option<Dist>,
    /// Core time of each further row, entity or key of one query. Default: "6.4us" [S]; of other engines see
    /// docs/engines.md.
    pub lookup: Option<Duration>,
    /// Time of a durable flush; writes that wait at the same time share a flush. Default: "3.7ms" [S].
    pub commit: Option<Dist>,
    /// Interval of flushes. Writes are acknowledged at once and flushed together; a crash loses those since the last
    /// flush. "0s": every write waits for its flush. Default: "0s"; of other engines see docs/engines.md.
    pub flush_every: Option<Duration>,
    /// Largest number of queries at the same time; further ones are rejected. Default: 97, as PostgreSQL leaves of
    /// its 100 to applications [V]; of other engines see docs/engines.md.
    pub connections: Option<u32>,
    /// Largest number of reads a second at a node, such as the 3000 of a partition of DynamoDB [V]; further ones are
    /// throttled. Default: no limit.
    pub read_limit: Option<Rate>,
    /// Largest number of writes a second at a node, such as the 1000 of a partition of DynamoDB [V]; further ones are
    /// throttled. Default: no limit.
    pub write_limit: Option<Rate>,
    /// Size of the data in use. If it is larger than the buffer cache, some reads miss and go to the disk.
    pub working_set: Option<Bytes>,
    /// Size of the buffer cache. Default: 75 % of the memory of its own machine.
    pub buffer: Option<Bytes>,
    /// Zipf exponent of the accesses to pages. Default: 0.99, as in YCSB.
    pub skew: Option<f64>,
    /// The disk behind the buffer cache.
    pub disk: Option<Disk>,
    /// Contention: the share of work that is serial, as in the universal scalability law. Default: 0; 1 of a key-value
    /// engine, which has one thread.
    pub sigma: Option<f64>,
    /// Coherency: the cost of keeping cores in step, as in the universal scalability law. Default: 0.
    #[serde(default)]
    pub kappa: f64,
    /// Which nodes take writes. Default: "primary-replica".
    pub topology: Option<Topology>,
    /// Number of nodes without a primary, each on a machine of its own, called `NAME.node-1`, `NAME.node-2`, ...;
    /// `NAME` is the driver that finds them. With `topology = "multi-primary"` or `"ring"`, each node has all data, and
    /// a ring goes round in this order. Without, the data are divided among the nodes by a hash of the key, which
    /// engines with joins cannot do. Default: a single node.
    pub nodes: Option<u32>,
    /// Shards among which the data are divided by key, each with the nodes that the other keys describe: its own replicas and failover.
    /// `NAME` is the driver that finds them. Default: one piece.
    pub shards: Option<Shards>,
    /// Number of replicas, each on a machine like the primary's. The nodes are `NAME.primary` and `NAME.replica-1`,
    /// ...; `NAME` is the driver that finds them. Default: a single node.
    pub replicas: Option<u32>,
    /// When a commit is acknowledged to the client. Default: "async".
    pub replication: Option<Replication>,
    /// What a commit waits for at the replicas that it needs, with replication = "sync" or "semi-sync". Default: "flush"
    /// with "sync", as PostgreSQL's `synchronous_commit = on` [V]; "remote-write" with "semi-sync", as MySQL, whose relay
    /// log is not flushed at each commit [V].
    pub sync: Option<Sync>,
    /// Number of replicas that a semi-sync commit waits for. Default: 1, as MySQL [V].
    pub acks: Option<u32>,
    /// Number of replicas that a sync commit waits for. Default: all.
    pub quorum: Option<u32>,
    /// Longest wait of a semi-sync commit. Default: "10s", as MySQL [V].
    pub semi_sync_timeout: Option<Duration>,
    /// How the log is sent to the replicas.
    pub ship: Option<Ship>,
    /// How a replica applies the log.
    pub apply: Option<Apply>,
    /// Where reads go. Default: "replicas" [T].
    pub reads: Option<Reads>,
    /// How users are made to see their own writes. Default: "none".
    pub read_your_writes: Option<ReadYourWrites>,
    /// Time after a write for which its user reads from the primary, with `read_your_writes = "primary-for"`.
    pub primary_for: Option<Duration>,
    /// Promotion of a replica if the primary fails. Default: none, the database waits for its primary.
    pub failover: Option<Failover>,
    /// Time for which a node that has refused a query is not asked again. Default: "1s" [T].
    pub retry_down: Option<Duration>,
    /// Whether a switch between sites makes one of its replicas primary.
    #[serde(skip)]
    pub(super) is_switched: bool,
    /// What the operators do with its shards, from the operations of the scenario.
    #[serde(skip)]
    pub reshard: Option<Reshard>,
}

impl DatabaseSpec {
    pub(super) fn commit(&self) -> Dist {
        self.commit.clone().unwrap_or_else(|| Dist::constant(SimDuration::from_nanos(3_700_000)))
    }

    /// Whether the number of its cores is that of its type of machine.
    pub(super) fn has_typed_cores(&self) -> bool {
        self.instance.is_some() && self.cores.is_none()
    }

    /// Size of the buffer cache in bytes.
    pub(super) fn buffer(&self) -> u64 {
        let own = || (self.hardware().machine().memory as f64 * BUFFER_SHARE) as u64;
        self.buffer.map_or_else(own, |bytes| bytes.0)
    }

    /// Share of the reads that hit the buffer cache, by Che's approximation with Zipf accesses; 1 if all data fit.
    pub(super) fn hit_ratio(&self) -> f64 {
        let Some(working_set) = self.working_set else { return 1.0 };
        let on_a_node = working_set.0 / u64::from(self.pieces());
        if on_a_node <= self.buffer() {
            return 1.0;
        }
        let pages = (on_a_node / PAGE_BYTES).max(1);
        let held = (self.buffer() / PAGE_BYTES).max(1);
        zipf_hit_ratio(pages, self.skew.unwrap_or(SKEW_DEFAULT), held)
    }

    pub(super) fn disk_spec(&self) -> DiskSpec {
        let iops = self.disk.and_then(|disk| disk.iops).unwrap_or(3000.0);
        let latency =
            self.disk.and_then(|disk| disk.latency).map_or(SimDuration::from_millis(1), |latency| latency.0);
        DiskSpec { iops, latency }
    }

    pub(super) fn hardware(&self) -> Hardware<'_> {
        Hardware {
            instance: self.instance.as_deref(),
            cores: self.cores,
            memory: self.memory,
            speed: self.speed,
            price: self.price,
        }
    }

    /// The nodes of a shard of several; the first one starts as primary.
    pub(super) fn node_ids(&self, shard: u32, site: &Site<'_>) -> Vec<ComponentId> {
        let names = self.nodes_of(shard).map(|member| self.member(site.group, member).name);
        names.map(|name| site.find(&name)).collect()
    }

    /// The monitor of a shard, if there is one.
    pub(super) fn monitor(&self, shard: u32, site: &Site<'_>) -> Option<ComponentId> {
        self.has_monitor().then(|| site.find(&self.member(site.group, self.monitor_of(shard)).name))
    }

    /// Number of nodes, each of which has a machine.
    pub(super) fn machines(&self) -> u32 {
        self.partitions() * self.copies()
    }

    pub(super) fn has_monitor(&self) -> bool {
        self.failover.is_some() && !self.all_write()
    }

    /// What the book of a node is about, by the number of the member.
    pub(super) fn subject(&self, member: u32) -> Subject {
        let write_s = self.write().variate().mean() + self.commit().variate().mean();
        let patience_s = PATIENCE_S.max(PATIENCE_WRITES * write_s);
        Subject {
            shard: self.shard_of(member) as usize,
            nodes: if self.is_replicated() { 1 + self.replicas() as usize } else { 1 },
            all_write: self.all_write(),
            patience: SimDuration::from_sample_secs(patience_s),
        }
    }

    pub(super) fn check_cache(&self, problems: &mut Problems) {
        positive("skew", self.skew, problems);
        positive("disk.iops", self.disk.and_then(|disk| disk.iops), problems);
        let DiskSpec { iops, latency } = self.disk_spec();
        let at_once = iops * latency.as_secs_f64();
        if at_once > AT_ONCE_MAX {
            let message =
                format!("{iops:e} operations a second of {} are {at_once:e} at once", Duration(latency));
            problems.error("disk", message, format!("a disk does at most {AT_ONCE_MAX:e} at once"));
        }
        if self.disk.and_then(|disk| disk.latency).is_some_and(|latency| latency.0.is_zero()) {
            problems.error("disk.latency", "a disk that takes no time needs no table", "leave `disk` out");
        }
        if self.working_set.is_none() {
            for (key, given) in [
                ("buffer", self.buffer.is_some()),
                ("skew", self.skew.is_some()),
                ("disk", self.disk.is_some()),
            ] {
                if given {
                    let help = "say how much data is in use, such as working_set = \"100GiB\"";
                    problems.error(key, format!("`{key}` does nothing without `working_set`"), help);
                }
            }
        } else if self.on.is_some() {
            let help = "put the database on a machine of its own, or drop `working_set`";
            problems.error(
                "working_set",
                "the buffer cache and disk belong to a machine of the database's own",
                help,
            );
        }
        if self.buffer.is_some_and(|buffer| buffer.0 > self.hardware().machine().memory) {
            problems.error("buffer", "the buffer cache is larger than the machine's memory", "");
        }
    }
}
