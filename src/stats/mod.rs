//! Estimates from numbers. This layer does not know that a simulator exists.

pub mod batch;
pub mod binomial;
pub mod coarse;
pub mod histogram;
pub mod interval;
pub mod least_squares;
pub mod occupancy;
pub mod quantile;
pub mod rare;
pub mod series;
pub mod spectral;
pub mod tally;
pub mod time_average;
pub mod trend;
pub mod warmup;

#[cfg(test)]
mod oracle;
