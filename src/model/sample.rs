//! `Sample`: what a member tells a monitor when it is asked.

use crate::kernel::time::SimTime;
use crate::stats::coarse::BUCKETS;

/// What a member tells a monitor at one moment about one figure. Counters count from the start of its process.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The moment.
    pub at: SimTime,
    /// The number of its process: counters of another process begin at zero.
    pub process: u32,
    /// The counter of a rate or above the line of a share, or a level.
    pub part: f64,
    /// The counter below the line of a share or a mean.
    pub whole: f64,
    /// The counters of response times in buckets; empty without.
    pub times: Box<[u64]>,
}

impl Sample {
    /// A sample without content, with room for response times if it `has_times`.
    #[must_use]
    pub fn blank(has_times: bool) -> Sample {
        let times = vec![0; if has_times { BUCKETS } else { 0 }].into_boxed_slice();
        Sample { at: SimTime::ZERO, process: 0, part: 0.0, whole: 0.0, times }
    }
}
