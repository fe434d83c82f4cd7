//! The integration tests, one binary: they link once. One line a module, sorted.

mod balancer;
mod behaviour;
mod charts;
mod cli;
mod decide;
mod determinism;
mod docs;
mod errors;
mod examples;
mod faults;
mod figures;
mod golden;
mod laws;
mod replication;
mod server;
mod sweep;
mod tables;
mod theory;
mod tidy;
