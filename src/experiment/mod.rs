//! Experiments: many trials of a scenario become one answer, with what is not known about it.

mod advise;
mod collect;
pub mod data;
pub mod expect;
mod figure;
pub mod pooled;
pub mod result;
pub mod runner;
#[cfg(test)]
mod samples;
mod series;
mod steady;
mod theory;
pub mod validate;
pub mod value;
mod warn;
