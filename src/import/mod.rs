//! Measured load: readers of logs, counts and results of load tests, and the trace and the scenario that come of them. No
//! file is opened here.

pub mod clock;
pub mod counts;
pub mod detect;
pub mod flaw;
pub mod gather;
pub mod hit;
pub mod latency;
pub mod logs;
pub mod results;
pub mod routes;
pub mod skeleton;
pub mod sort;
