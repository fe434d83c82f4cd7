//! What a balancer counts.

use crate::model::gauge::{Gauge, GaugeId};
use crate::parts::connections::RESET;
use crate::parts::limit::LIMIT as LIMIT_NAME;

/// The figures of a balancer's own.
pub const GAUGES: &[Gauge] = &[
    Gauge::count(
        "retries",
        "Calls sent again because their target could not be reached, broke off, or was too slow.",
    ),
    Gauge::count("retries_refused", "Further tries that the budget did not allow."),
    Gauge::count("hedges", "Second calls for answers that took long."),
    Gauge::count("hedges_won", "Second calls whose answer came first."),
    Gauge::count("breaker_opened", "Times that the circuit breaker before a target opened.").less_is_better(),
    Gauge::count("breaker_denied", "Calls that had no target because circuit breakers were open."),
    Gauge::count("throttled_locally", "Calls that the `throttle` did not let pass."),
    Gauge::count("ejections", "Times that a target was left out because calls to it failed."),
    Gauge::count(
        "fail_open",
        "Calls sent while so few targets passed their checks that all of them got calls.",
    ),
    Gauge::count("sessions_lost", "Calls sent to another target than the one that holds the user's session.")
        .less_is_better(),
    Gauge::count("timeouts", "Calls that had no answer from their target in time.").less_is_better(),
    Gauge::count(
        "queue_timeouts",
        "Calls turned away after they had waited too long for a connection, or for a target with room.",
    )
    .less_is_better(),
    Gauge::count("cancelled", "Calls inside that their callers cancelled; their targets were told."),
    Gauge::count("dropped_late", "Calls that were dropped because their deadline had passed."),
    Gauge::count("checks_failed", "Health checks of targets that failed."),
    Gauge::count(
        "connects",
        "Connections to targets that were opened, where `upstream` says that they cost something.",
    ),
    Gauge::share("connects_per_request", "Calls to targets for which a connection was opened, of all."),
    Gauge::count(
        "reset_on_idle",
        "Calls over a connection which their target was closing, because it had been idle for too long.",
    )
    .because(RESET)
    .less_is_better(),
    Gauge::count("takeovers", "Times that the standby took over."),
    Gauge::level(
        LIMIT_NAME,
        "Calls that may be inside at once, those that wait among them, where a `limit` says so.",
    ),
];

pub(super) const RETRIES: GaugeId = GaugeId::of("retries", GAUGES);
pub(super) const RETRIES_REFUSED: GaugeId = GaugeId::of("retries_refused", GAUGES);
pub(super) const HEDGES: GaugeId = GaugeId::of("hedges", GAUGES);
pub(super) const HEDGES_WON: GaugeId = GaugeId::of("hedges_won", GAUGES);
pub(super) const BREAKER_OPENED: GaugeId = GaugeId::of("breaker_opened", GAUGES);
pub(super) const BREAKER_DENIED: GaugeId = GaugeId::of("breaker_denied", GAUGES);
pub(super) const THROTTLED_LOCALLY: GaugeId = GaugeId::of("throttled_locally", GAUGES);
pub(super) const EJECTIONS: GaugeId = GaugeId::of("ejections", GAUGES);
pub(super) const FAIL_OPEN: GaugeId = GaugeId::of("fail_open", GAUGES);
pub(super) const SESSIONS_LOST: GaugeId = GaugeId::of("sessions_lost", GAUGES);
pub(super) const TIMEOUTS: GaugeId = GaugeId::of("timeouts", GAUGES);
pub(super) const QUEUE_TIMEOUTS: GaugeId = GaugeId::of("queue_timeouts", GAUGES);
pub(super) const CHECKS_FAILED: GaugeId = GaugeId::of("checks_failed", GAUGES);
pub(super) const TAKEOVERS: GaugeId = GaugeId::of("takeovers", GAUGES);
pub(super) const LIMIT: GaugeId = GaugeId::of(LIMIT_NAME, GAUGES);
pub(super) const CANCELLED: GaugeId = GaugeId::of("cancelled", GAUGES);
pub(super) const DROPPED_LATE: GaugeId = GaugeId::of("dropped_late", GAUGES);
pub(super) const CONNECTS: GaugeId = GaugeId::of("connects", GAUGES);
pub(super) const CONNECTS_PER_REQUEST: GaugeId = GaugeId::of("connects_per_request", GAUGES);
pub(super) const RESET_ON_IDLE: GaugeId = GaugeId::of("reset_on_idle", GAUGES);
