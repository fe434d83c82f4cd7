//! `Reshard`: the data of a database move to another number of shards while requests go on.

use super::quantity::Bytes;
use crate::kernel::time::SimDuration;

/// Bytes a second that move where the scenario does not say.
pub const RATE: u64 = 50_000_000;

/// A planned move of data to another number of shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reshard {
    /// When it begins, counted from the start of the trial.
    pub at: SimDuration,
    /// The number of shards afterwards.
    pub to: u32,
    /// Bytes that move in a second, at most.
    pub rate: Bytes,
}
