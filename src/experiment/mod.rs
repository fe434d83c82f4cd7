//! Experiments: turn many trials of a scenario into one answer, and say how uncertain it is.

pub mod advise;
pub mod attempt;
pub mod capacity;
pub mod chosen;
pub mod climb;
pub mod collapse;
mod collect;
pub mod compare;
pub mod curve;
pub mod data;
pub mod embed;
pub mod expect;
mod figure;
pub mod finding;
pub mod fit;
pub mod gauge;
pub mod level;
pub mod loss;
pub mod pooled;
mod rare;
pub mod result;
mod round;
pub mod runner;
#[cfg(test)]
mod samples;
pub mod schema;
mod series;
mod steady;
pub mod sweep;
mod theory;
mod threads;
pub mod validate;
pub mod value;
mod warn;
pub mod windows;
mod words;
pub mod worlds;
