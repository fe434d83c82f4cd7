//! What a machine is made of, as a scenario asks for it.

use crate::kernel::time::SimDuration;

/// The hardware that a box asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineSpec {
    /// Number of cores, at least 1.
    pub cores: u32,
    /// Memory in bytes.
    pub memory: u64,
    /// Work done a second of core time, relative to the reference machine.
    pub speed: f64,
    /// USD an hour.
    pub price: f64,
    /// At most this many calls share the cores; the rest wait in the station's own queue. `None`: all share.
    pub limit: Option<u32>,
    /// Those who wait are served last come first.
    pub lifo: bool,
    /// Contention of the universal scalability law.
    pub sigma: f64,
    /// Coherency of the universal scalability law.
    pub kappa: f64,
    /// Its disk, if anything on it uses one.
    pub disk: Option<DiskSpec>,
}

/// How fast a disk is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DiskSpec {
    /// Operations a second that it sustains.
    pub iops: f64,
    /// Time of one operation.
    pub latency: SimDuration,
}
