//! Names that people give the columns of measurements.

/// Names of a column of times.
pub const TIMES: [&str; 14] = [
    "t",
    "t_s",
    "time",
    "times",
    "timestamp",
    "timestamps",
    "second",
    "seconds",
    "date",
    "datetime",
    "start",
    "arrival",
    "moment",
    "period",
];

/// Names of a column of counts.
pub const COUNTS: [&str; 12] = [
    "count",
    "counts",
    "n",
    "number",
    "requests",
    "request_count",
    "requestcount",
    "hits",
    "sum",
    "total",
    "samplecount",
    "invocations",
];

/// Pieces of the names of a column of rates.
pub const RATES: [&str; 8] = ["rate", "rps", "qps", "per second", "per_second", "/s", "per sec", "persecond"];
