//! The integration tests as one binary, so that they link once. One line for each module, sorted.

mod advice;
mod balancer;
mod behaviour;
mod charts;
mod classes;
mod cli;
mod decide;
mod determinism;
mod docs;
mod engines;
mod errors;
mod examples;
mod expectations;
mod faults;
mod figures;
mod foreign;
mod gauges;
mod golden;
mod laws;
mod names;
mod replication;
mod server;
mod sweep;
mod tables;
mod theory;
mod tidy;
