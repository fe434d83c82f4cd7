//! `swap`: memory of a server's machine on a disk.

use crate::model::hardware::Swap;
use crate::model::problems::Problems;

use super::spec::{OnMemory, ServerSpec};

/// Size where nothing is said: 2 GiB.
const SIZE: u64 = 2 << 30;

/// Penalty where nothing is said: that of an SSD.
const PENALTY: f64 = 1000.0;

impl ServerSpec {
    /// The memory on a disk of each machine.
    pub(super) fn swaps(&self) -> Option<Swap> {
        (self.on_memory == OnMemory::Swap).then(|| {
            let spec = self.swap.unwrap_or_default();
            Swap { size: spec.size.map_or(SIZE, |size| size.0), penalty: spec.penalty.unwrap_or(PENALTY) }
        })
    }

    pub(super) fn check_swap(&self, problems: &mut Problems) {
        let swaps = self.on_memory == OnMemory::Swap;
        if self.swap.is_some() && !swaps {
            problems.error("swap", "nothing is swapped", "on_memory = \"swap\"");
        }
        if swaps && self.on.is_some() {
            let help = "let the machine's owner swap";
            problems.error("on_memory", "the memory is that of another box's machine", help);
        }
        let Some(spec) = self.swap else { return };
        if spec.size.is_some_and(|size| size.0 == 0) {
            let message = "a swap of no bytes holds nothing";
            problems.error("swap.size", message, "that is on_memory = \"oom-kill\"");
        }
        if spec.penalty.is_some_and(|penalty| !(penalty.is_finite() && penalty > 0.0)) {
            let message = "memory on a disk is slower than memory";
            problems.error("swap.penalty", message, "1000 for an SSD, 100000 for a disk");
        }
    }
}
