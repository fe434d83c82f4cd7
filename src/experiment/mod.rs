//! Experiments: many trials of a scenario become one answer, with what is not known about it.

mod figure;
pub mod pooled;
pub mod result;
pub mod runner;
