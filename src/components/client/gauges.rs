//! What a client counts.

use crate::model::gauge::{Gauge, GaugeId};
use crate::parts::connections::RESET;

/// The figures of a client's own.
pub const GAUGES: &[Gauge] = &[
    Gauge::count("retries", "Tries after the first, of all requests."),
    Gauge::count("retries_refused", "Retries that the budget did not allow."),
    Gauge::count("hedges", "Second calls for answers that took long."),
    Gauge::count("hedges_won", "Second calls whose answer came first."),
    Gauge::count("breaker_opened", "Times that the circuit breaker opened.").less_is_better(),
    Gauge::count("breaker_denied", "Calls that the open circuit breaker did not let pass."),
    Gauge::count("throttled_locally", "Calls that the `throttle` did not let pass."),
    Gauge::count("lookups", "Questions that resolvers sent to a name server."),
    Gauge::count("lookups_failed", "Look-ups that ended without an address."),
    Gauge::count(
        "next_addresses",
        "Times that a user went on to the next address of a name: the one before did not let it in.",
    ),
    Gauge::count("connects", "Connections that users opened, where `tls` or `keep_alive` say that they cost something."),
    Gauge::share("connects_per_request", "Tries for which a connection was opened, of all."),
    Gauge::count(
        "reset_on_idle",
        "Tries that went over a connection which the other side was closing, because it had been idle for too long.",
    )
    .because(RESET)
    .less_is_better(),
];

pub(super) const RETRIES: GaugeId = GaugeId::of("retries", GAUGES);
pub(super) const RETRIES_REFUSED: GaugeId = GaugeId::of("retries_refused", GAUGES);
pub(super) const HEDGES: GaugeId = GaugeId::of("hedges", GAUGES);
pub(super) const HEDGES_WON: GaugeId = GaugeId::of("hedges_won", GAUGES);
pub(super) const BREAKER_OPENED: GaugeId = GaugeId::of("breaker_opened", GAUGES);
pub(super) const BREAKER_DENIED: GaugeId = GaugeId::of("breaker_denied", GAUGES);
pub(super) const THROTTLED_LOCALLY: GaugeId = GaugeId::of("throttled_locally", GAUGES);
pub(super) const LOOKUPS: GaugeId = GaugeId::of("lookups", GAUGES);
pub(super) const NEXT_ADDRESSES: GaugeId = GaugeId::of("next_addresses", GAUGES);
pub(super) const LOOKUPS_FAILED: GaugeId = GaugeId::of("lookups_failed", GAUGES);
pub(super) const CONNECTS: GaugeId = GaugeId::of("connects", GAUGES);
pub(super) const CONNECTS_PER_REQUEST: GaugeId = GaugeId::of("connects_per_request", GAUGES);
pub(super) const RESET_ON_IDLE: GaugeId = GaugeId::of("reset_on_idle", GAUGES);
