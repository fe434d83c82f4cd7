//! Mechanisms that several boxes share: stations, pools, memory, backoff. Does not know what a call is.

pub mod pool;
pub mod station;
