//! What a cache counts and measures.

use crate::model::gauge::{Gauge, GaugeId};

/// The figures of caches and of the edges of a network, in the order in which both have them.
const COMMON: [Gauge; 9] = [
    Gauge::share("hit_share", "Reads that the cache answered itself, of all reads.").more_is_better(),
    Gauge::count("evictions", "Entries that made room for another one."),
    Gauge::count("expired", "Entries whose time to live was over when they were asked for."),
    Gauge::count("fills", "Entries that an answer of the target, or a caller, made or renewed."),
    Gauge::count("duplicate_fills", "Fills of an entry that somebody else had filled meanwhile."),
    Gauge::count("coalesced", "Reads that waited until another caller had filled their entry."),
    Gauge::count(
        "stale_served",
        "Reads that got an entry beyond its time to live, while somebody filled it or because nobody could.",
    ),
    Gauge::count(
        "negative_hits",
        "Reads that the cache answered itself, since it knew that their keys are not there.",
    )
    .more_is_better(),
    Gauge::level(
        "entries",
        "Entries in the cache, those included that have expired and were not asked for since.",
    ),
];

/// The figures of a cache's own.
pub const GAUGES: &[Gauge] = &{
    let [a, b, c, d, e, f, g, h, i] = COMMON;
    [
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        Gauge::count(
            "stale_sets",
            "Values that a caller kept although they were written since it had read them elsewhere.",
        )
        .less_is_better(),
        Gauge::count("lost_writes", "Writes that were answered and lost before the target had them.")
            .less_is_better(),
        Gauge::count("stale_reads", "Reads that the cache answered with a value older than the last acknowledged write to its key.")
            .less_is_better()
            .by_key(),
        Gauge::share("stale_read_share", "Reads that the cache answered with a value older than the last acknowledged write to its key, of all reads.")
            .less_is_better()
            .by_key(),
        Gauge::level("behind", "Keys whose last write the target does not have yet.").less_is_better(),
    ]
};

/// The figures of an edge of a content delivery network.
pub const CDN_GAUGES: &[Gauge] = &{
    let [a, b, c, d, e, f, g, h, i] = COMMON;
    [a, b, c, d, e, f, g, h, i, Gauge::count("bytes_out", "Bytes of the answers of an edge to users.")]
};

pub(super) const HIT_SHARE: GaugeId = GaugeId::of("hit_share", GAUGES);
pub(super) const EVICTIONS: GaugeId = GaugeId::of("evictions", GAUGES);
pub(super) const EXPIRED: GaugeId = GaugeId::of("expired", GAUGES);
pub(super) const FILLS: GaugeId = GaugeId::of("fills", GAUGES);
pub(super) const DUPLICATE_FILLS: GaugeId = GaugeId::of("duplicate_fills", GAUGES);
pub(super) const COALESCED: GaugeId = GaugeId::of("coalesced", GAUGES);
pub(super) const STALE_SERVED: GaugeId = GaugeId::of("stale_served", GAUGES);
pub(super) const NEGATIVE_HITS: GaugeId = GaugeId::of("negative_hits", GAUGES);
pub(super) const STALE_SETS: GaugeId = GaugeId::of("stale_sets", GAUGES);
pub(super) const STALE_READS: GaugeId = GaugeId::of("stale_reads", GAUGES);
pub(super) const STALE_READ_SHARE: GaugeId = GaugeId::of("stale_read_share", GAUGES);
pub(super) const LOST_WRITES: GaugeId = GaugeId::of("lost_writes", GAUGES);
pub(super) const ENTRIES: GaugeId = GaugeId::of("entries", GAUGES);
pub(super) const BYTES_OUT: GaugeId = GaugeId::of("bytes_out", CDN_GAUGES);
pub(super) const BEHIND: GaugeId = GaugeId::of("behind", GAUGES);
