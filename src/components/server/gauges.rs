//! What a server counts and measures.

use crate::model::gauge::{Gauge, GaugeId};
use crate::parts::limit::LIMIT as LIMIT_NAME;

/// Name of the gauge of the connections that calls hold.
pub(super) const POOL_HELD_NAME: &str = "pool_held";

/// Name of the gauge of the workers that calls hold, where calls take several.
pub(super) const WORKERS_HELD_NAME: &str = "workers_held";

/// The figures of a server's own.
pub const GAUGES: &[Gauge] = &[
    Gauge::count("oom_kills", "Times that the process was killed because its machine had no memory left.")
        .less_is_better(),
    Gauge::count("killed", "Times that the process was killed because its `liveness` checks had no answer.")
        .less_is_better(),
    Gauge::count("restarts", "Times that the process started again after it was gone."),
    Gauge::count("timeouts", "Calls to other boxes that had no answer in time.").less_is_better(),
    Gauge::count("pool_timeouts", "Calls that had no connection to their database in time.").less_is_better(),
    Gauge::count(
        "overflows",
        "Attempts to connect that the kernel dropped because the listen queue was full.",
    )
    .less_is_better(),
    Gauge::count(
        "shed",
        "Calls that were dropped when they came to a worker, because they had waited too long.",
    )
    .less_is_better(),
    Gauge::count(
        "errors_answered",
        "Calls that it answered with an error of its own, as its `errors` or a fault say.",
    )
    .less_is_better(),
    Gauge::count("displaced", "Calls that lost their place in the full queue to one of a higher priority.")
        .less_is_better(),
    Gauge::count("retries", "Calls to other boxes that were sent again after a failure."),
    Gauge::count("retries_refused", "Further tries that the budget did not allow."),
    Gauge::count("hedges", "Second calls for answers that took long."),
    Gauge::count("hedges_won", "Second calls whose answer came first."),
    Gauge::count("breaker_opened", "Times that a circuit breaker opened.").less_is_better(),
    Gauge::count("breaker_denied", "Calls to other boxes that an open circuit breaker did not let pass."),
    Gauge::count("throttled_locally", "Calls to other boxes that a `throttle` did not let pass."),
    Gauge::count("cancelled", "Calls inside that their callers cancelled."),
    Gauge::count("dropped_late", "Calls that were dropped because their deadline had passed."),
    Gauge::time("gc_pause", "Time of each collection of garbage, in which all cores stood still.")
        .less_is_better(),
    Gauge::time(
        "throttled_time",
        "Time for which the cores stood still because the `cpu_quota` of the period was used up, each time.",
    )
    .less_is_better(),
    Gauge::time(
        "pool_wait",
        "Wait of a query for a connection to its database, of the queries that had to wait.",
    )
    .less_is_better(),
    Gauge::level(
        LIMIT_NAME,
        "Calls that may be inside at once, those that wait among them, where a `limit` says so.",
    ),
    Gauge::level(
        WORKERS_HELD_NAME,
        "Workers that calls hold, where requests of some class take several at once.",
    ),
    Gauge::count(
        "connects",
        "Connections to databases that were opened, where a table of `db_pool` says that they cost something.",
    ),
    Gauge::share(
        "connects_per_request",
        "Times that a connection of the pool was taken and had to be opened first, of all.",
    ),
    Gauge::count("logins", "Sessions that were made because nobody knew the user."),
    Gauge::count("lost_sessions", "Sessions that were lost because the process that knew them was gone.")
        .less_is_better(),
    Gauge::level("session_bytes", "Memory of the sessions that the machine knows."),
    Gauge::level(POOL_HELD_NAME, "Connections to databases that calls hold."),
];

pub(super) const POOL_TIMEOUTS: GaugeId = GaugeId::of("pool_timeouts", GAUGES);
pub(super) const OOM_KILLS: GaugeId = GaugeId::of("oom_kills", GAUGES);
pub(super) const KILLED: GaugeId = GaugeId::of("killed", GAUGES);
pub(super) const RESTARTS: GaugeId = GaugeId::of("restarts", GAUGES);
pub(super) const TIMEOUTS: GaugeId = GaugeId::of("timeouts", GAUGES);
pub(super) const OVERFLOWS: GaugeId = GaugeId::of("overflows", GAUGES);
pub(super) const SHED: GaugeId = GaugeId::of("shed", GAUGES);
pub(super) const ERRORS_ANSWERED: GaugeId = GaugeId::of("errors_answered", GAUGES);
pub(super) const DISPLACED: GaugeId = GaugeId::of("displaced", GAUGES);
pub(super) const LIMIT: GaugeId = GaugeId::of(LIMIT_NAME, GAUGES);
pub(super) const WORKERS_HELD: GaugeId = GaugeId::of(WORKERS_HELD_NAME, GAUGES);
pub(super) const POOL_HELD: GaugeId = GaugeId::of(POOL_HELD_NAME, GAUGES);
pub(super) const GC_PAUSE: GaugeId = GaugeId::of("gc_pause", GAUGES);
pub(super) const THROTTLED_TIME: GaugeId = GaugeId::of("throttled_time", GAUGES);
pub(super) const POOL_WAIT: GaugeId = GaugeId::of("pool_wait", GAUGES);
pub(super) const RETRIES: GaugeId = GaugeId::of("retries", GAUGES);
pub(super) const RETRIES_REFUSED: GaugeId = GaugeId::of("retries_refused", GAUGES);
pub(super) const HEDGES: GaugeId = GaugeId::of("hedges", GAUGES);
pub(super) const HEDGES_WON: GaugeId = GaugeId::of("hedges_won", GAUGES);
pub(super) const BREAKER_OPENED: GaugeId = GaugeId::of("breaker_opened", GAUGES);
pub(super) const BREAKER_DENIED: GaugeId = GaugeId::of("breaker_denied", GAUGES);
pub(super) const THROTTLED_LOCALLY: GaugeId = GaugeId::of("throttled_locally", GAUGES);
pub(super) const CANCELLED: GaugeId = GaugeId::of("cancelled", GAUGES);
pub(super) const DROPPED_LATE: GaugeId = GaugeId::of("dropped_late", GAUGES);
pub(super) const CONNECTS: GaugeId = GaugeId::of("connects", GAUGES);
pub(super) const LOGINS: GaugeId = GaugeId::of("logins", GAUGES);
pub(super) const LOST_SESSIONS: GaugeId = GaugeId::of("lost_sessions", GAUGES);
pub(super) const SESSION_BYTES: GaugeId = GaugeId::of("session_bytes", GAUGES);
pub(super) const CONNECTS_PER_REQUEST: GaugeId = GaugeId::of("connects_per_request", GAUGES);
