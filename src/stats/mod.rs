//! Numbers in, estimates out. Does not know that a simulator exists.

pub mod histogram;
pub mod interval;
pub mod tally;
pub mod time_average;

#[cfg(test)]
mod oracle;
