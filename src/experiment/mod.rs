//! Experiments: many trials of a scenario become one answer, with what is not known about it.

pub mod pooled;
pub mod result;
