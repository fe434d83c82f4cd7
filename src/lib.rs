//! outgrow shows where a web architecture breaks before its users do: a discrete-event simulator of the ladder that
//! every system-design course climbs.

pub mod cli;
pub mod components;
pub mod experiment;
pub mod kernel;
pub mod model;
pub mod parts;
pub mod queueing;
pub mod report;
pub mod scenario;
pub mod stats;
pub mod theory;
