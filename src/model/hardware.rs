//! What a machine is made of, and who stands on it, as a scenario asks for it.

use crate::kernel::time::SimDuration;
use crate::queueing::quota::Quota;

use super::site::Standing;

/// One member of a box.
#[derive(Clone, Debug, PartialEq)]
pub struct MemberPlan {
    /// Its own name: `web-2`, `db.primary`.
    pub name: String,
    /// Its own machine, if it has one.
    pub machine: Option<MachineSpec>,
    /// Whether the name of the box leads to it.
    pub standing: Standing,
}

impl MemberPlan {
    /// What it has in common with the other members of its role: `web` of `web-2`, `db.replica` of `db.replica-1`.
    pub fn role(&self) -> &str {
        let Some((role, number)) = self.name.rsplit_once('-') else { return &self.name };
        // The number of a region, as in `edge.us-east-1`, is that of no member.
        let is_region = role.rsplit_once('.').is_some_and(|(_, last)| last.contains('-'));
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && !is_region { role } else { &self.name }
    }
}

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
    /// Those of a higher priority take a core at once from one of a lower priority, which resumes later.
    pub preempts: bool,
    /// Contention of the universal scalability law.
    pub sigma: f64,
    /// Coherency of the universal scalability law.
    pub kappa: f64,
    /// Memory on a disk beyond its own.
    pub swap: Option<Swap>,
    /// Core time that it may use in each period.
    pub quota: Option<Quota>,
    /// Its disk, if anything on it uses one.
    pub disk: Option<DiskSpec>,
}

impl MachineSpec {
    /// The most work that it does in a second, in core seconds at speed 1: speed x max over m <= c of
    /// m / (1 + sigma (m-1) + kappa m (m-1)), the universal scalability law, whose peak is at
    /// m = sqrt((1 - sigma) / kappa) (Gunther 2007).
    #[must_use]
    pub fn work_rate(&self) -> f64 {
        let most = f64::from(self.limit.map_or(self.cores, |limit| limit.min(self.cores)).max(1));
        let peak = ((1.0 - self.sigma).max(0.0) / self.kappa).sqrt();
        let below = if peak.is_finite() { peak.floor().clamp(1.0, most) } else { most };
        let at = |m: f64| m / (1.0 + self.sigma * (m - 1.0) + self.kappa * m * (m - 1.0));
        let cores = at(below).max(at((below + 1.0).min(most)));
        self.speed * self.quota.map_or(cores, |quota| cores.min(quota.cores()))
    }

    /// Whether busy cores slow each other down.
    #[must_use]
    pub fn has_contention(&self) -> bool {
        self.sigma > 0.0 || self.kappa > 0.0
    }
}

/// Memory on a disk.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Swap {
    /// Its size in bytes.
    pub size: u64,
    /// How many times as long work takes, beyond once, if all memory is there.
    pub penalty: f64,
}

/// How fast a disk is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct DiskSpec {
    /// Operations a second that it sustains.
    pub iops: f64,
    /// Time of one operation.
    pub latency: SimDuration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contention_bends_the_capacity_where_the_law_has_its_peak() {
        let plain = MachineSpec {
            cores: 4,
            memory: 1 << 30,
            speed: 1.5,
            price: 0.0,
            limit: None,
            lifo: false,
            preempts: false,
            sigma: 0.0,
            kappa: 0.0,
            swap: None,
            quota: None,
            disk: None,
        };
        assert_eq!(plain.work_rate(), 6.0);
        let bent = MachineSpec { cores: 1000, speed: 1.0, sigma: 0.02773, kappa: 1.044e-4, ..plain };
        let at = |m: f64| m / (1.0 + 0.02773 * (m - 1.0) + 1.044e-4 * m * (m - 1.0));
        let best = (1..=1000).map(f64::from).map(at).fold(0.0, f64::max);
        assert!((bent.work_rate() - best).abs() < 1e-9);
    }
}
