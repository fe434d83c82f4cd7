//! Mechanisms that several boxes share: stations, pools, memory, balancing, backoff. This layer does not know what a
//! call is.

pub mod backoff;
pub mod balance;
pub mod buckets;
pub mod circuit_breaker;
pub mod codel;
pub mod concurrency;
pub mod deadlines;
mod draw;
pub mod memory;
pub mod placement;
pub mod pool;
pub mod quota;
pub mod retry_budget;
pub mod station;
pub mod throttle;
pub mod token_bucket;
