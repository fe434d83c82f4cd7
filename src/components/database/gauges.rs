//! What a database counts and measures.

use crate::model::gauge::{Gauge, GaugeId};

/// The figures of a database's own.
pub const GAUGES: &[Gauge] = &[
    Gauge::share(
        "hit_share",
        "Queries that found all their pages in the buffer cache, where not all data fit into it.",
    ),
    Gauge::count("page_reads", "Pages read from the disk."),
    Gauge::count("flushes", "Flushes of the log to the disk."),
    Gauge::count("reroutes", "Queries that a node refused and that another one got."),
    Gauge::count("failovers", "Times that another node became the primary."),
];

pub(super) const HIT_SHARE: GaugeId = GaugeId::of("hit_share", GAUGES);
pub(super) const PAGE_READS: GaugeId = GaugeId::of("page_reads", GAUGES);
pub(super) const FLUSHES: GaugeId = GaugeId::of("flushes", GAUGES);
pub(super) const REROUTES: GaugeId = GaugeId::of("reroutes", GAUGES);
pub(super) const FAILOVERS: GaugeId = GaugeId::of("failovers", GAUGES);
