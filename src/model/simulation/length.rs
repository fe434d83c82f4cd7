//! How long a trial is, and the windows of its series.

use crate::kernel::time::{SimDuration, SimTime};

/// Number of windows in the series of a trial: enough for a chart, and little to store.
pub const WINDOWS: u64 = 600;

/// The length of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    /// Simulated time at the start, which is not measured.
    pub warmup: SimDuration,
    /// Measured after the warm-up.
    pub measured: SimDuration,
}

/// The end times of about this many windows of a trial; the end of the warm-up is one of them.
pub(super) fn window_ends(length: Length, windows: u64) -> impl Iterator<Item = SimTime> {
    let total = (length.warmup + length.measured).as_nanos();
    let step = total.div_ceil(windows).max(1);
    let warmup = length.warmup.as_nanos();
    let regular = (1..=total.div_ceil(step)).map(move |n| (n * step).min(total));
    let mut ends: Vec<u64> = regular.collect();
    if warmup > 0 {
        ends.push(warmup);
        ends.sort_unstable();
        ends.dedup();
    }
    ends.into_iter().map(SimTime::from_nanos)
}
