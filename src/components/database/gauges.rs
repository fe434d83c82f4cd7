//! What a database counts and measures.

use crate::model::gauge::{Gauge, GaugeId};

/// Name of the gauge of the workers that apply a log.
pub(super) const APPLYING_NAME: &str = "applying";

/// Name of the gauge of the shard that is asked most.
pub(super) const HOTTEST_NAME: &str = "hottest_share";

/// Name of the gauge of answers that lack something.
pub(super) const PARTIAL_NAME: &str = "partial";

/// Names of the gauges of data that move.
pub(super) const MOVED_KEYS_NAME: &str = "moved_keys";
pub(super) const MOVED_BYTES_NAME: &str = "moved_bytes";
pub(super) const MOVE_NAME: &str = "move_s";

/// The figures of a database's own.
pub const GAUGES: &[Gauge] = &[
    Gauge::share(
        "hit_share",
        "Queries that found all their pages in the buffer cache, where not all data fit into it.",
    ).more_is_better(),
    Gauge::count("page_reads", "Pages read from the disk."),
    Gauge::count("flushes", "Flushes of the log to the disk."),
    Gauge::count("swaps", "Optimistic writes that were tried."),
    Gauge::count("conflicts", "Optimistic writes that were not done, because the row had changed since it was read.").less_is_better(),
    Gauge::level(APPLYING_NAME, "Workers of a node that apply what other nodes have written."),
    Gauge::count("reroutes", "Queries that a node refused and that another one got."),
    Gauge::share(HOTTEST_NAME, "Queries of the shard that is asked most, of all.").less_is_better().in_table(),
    Gauge::count(PARTIAL_NAME, "Queries that were answered without the shards that failed.").less_is_better(),
    Gauge::count(MOVED_KEYS_NAME, "Keys that moved to another shard."),
    Gauge::count(MOVED_BYTES_NAME, "Bytes of the data that moved to another shard."),
    Gauge::time(MOVE_NAME, "Time in which the data moved to another number of shards."),
    Gauge::count("failovers", "Times that another node became the primary."),
    Gauge::level("lag", "Age of the oldest acknowledged write that a replica has not applied: the mean over replicas and time.").less_is_better()
        .in_seconds()
        .highest()
        .of_box(),
    Gauge::count("stale_reads", "Reads that did not see an acknowledged write to their key.").less_is_better().of_box().by_key(),
    Gauge::share("stale_read_share", "Reads that did not see an acknowledged write to their key, of all reads.").less_is_better().of_box().by_key(),
    Gauge::count("own_writes_missed", "Reads that did not see the last acknowledged write of their user.").less_is_better().of_box().by_key(),
    Gauge::count("lost_writes", "Acknowledged writes that were lost.").less_is_better().of_box(),
    Gauge::count("replayed_writes", "Lost writes that a script brought back.").of_box(),
    Gauge::count("conflicting_writes", "Acknowledged writes that met others that did not know of them, and lost.").less_is_better().of_box().by_key(),
    Gauge::count("discarded_writes", "Acknowledged writes that were thrown away when their node was repaired.").less_is_better().of_box(),
    Gauge::time("rto", "Outages of writes: from one acknowledged write to the next, if something kept writes from being acknowledged.").less_is_better().highest().of_box(),
    Gauge::time("rpo", "Time whose acknowledged writes a loss of nodes took away.").less_is_better().highest().of_box(),
];

pub(super) const HIT_SHARE: GaugeId = GaugeId::of("hit_share", GAUGES);
pub(super) const PAGE_READS: GaugeId = GaugeId::of("page_reads", GAUGES);
pub(super) const FLUSHES: GaugeId = GaugeId::of("flushes", GAUGES);
pub(super) const SWAPS: GaugeId = GaugeId::of("swaps", GAUGES);
pub(super) const CONFLICTS: GaugeId = GaugeId::of("conflicts", GAUGES);
pub(super) const APPLYING: GaugeId = GaugeId::of(APPLYING_NAME, GAUGES);
pub(super) const REROUTES: GaugeId = GaugeId::of("reroutes", GAUGES);
pub(super) const HOTTEST_SHARE: GaugeId = GaugeId::of(HOTTEST_NAME, GAUGES);
pub(super) const PARTIAL: GaugeId = GaugeId::of(PARTIAL_NAME, GAUGES);
pub(super) const MOVED_KEYS: GaugeId = GaugeId::of(MOVED_KEYS_NAME, GAUGES);
pub(super) const MOVED_BYTES: GaugeId = GaugeId::of(MOVED_BYTES_NAME, GAUGES);
pub(super) const MOVE: GaugeId = GaugeId::of(MOVE_NAME, GAUGES);
pub(super) const FAILOVERS: GaugeId = GaugeId::of("failovers", GAUGES);
pub(super) const LAG: GaugeId = GaugeId::of("lag", GAUGES);
pub(super) const STALE_READS: GaugeId = GaugeId::of("stale_reads", GAUGES);
pub(super) const STALE_READ_SHARE: GaugeId = GaugeId::of("stale_read_share", GAUGES);
pub(super) const OWN_WRITES_MISSED: GaugeId = GaugeId::of("own_writes_missed", GAUGES);
pub(super) const LOST_WRITES: GaugeId = GaugeId::of("lost_writes", GAUGES);
pub(super) const REPLAYED_WRITES: GaugeId = GaugeId::of("replayed_writes", GAUGES);
pub(super) const CONFLICTING_WRITES: GaugeId = GaugeId::of("conflicting_writes", GAUGES);
pub(super) const DISCARDED_WRITES: GaugeId = GaugeId::of("discarded_writes", GAUGES);
pub(super) const RTO: GaugeId = GaugeId::of("rto", GAUGES);
pub(super) const RPO: GaugeId = GaugeId::of("rpo", GAUGES);
