//! `Resource`: what a box has a limited amount of, and how much of it a call takes.

use std::ops::Range;

use super::hardware::{DiskSpec, MachineSpec};

/// Name of the cores of a machine.
pub const CPU: &str = "cpu";

/// Name of the disk of a machine.
pub const DISK: &str = "disk";

/// Name of the memory of a machine.
pub const MEMORY: &str = "memory";

/// Name of the connections that calls inside a box hold.
pub const CONNECTIONS: &str = "connections";

/// Name of the connections that each member of a box keeps to another one.
pub const POOL: &str = "db_pool";

/// Name of the workers that apply the log of one node at another.
pub const APPLY_WORKERS: &str = "apply workers";

/// How a resource limits a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It does work: its capacity and the demand of a call are amounts of work, the capacity for each second.
    Rate,
    /// Calls hold it: its capacity is an amount that can be held at once.
    Slots,
    /// It lets calls through: its capacity is a number of them for each second.
    Limit,
}

/// Which measurement tells how busy a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meter {
    /// The busy cores of the member's machine.
    Cores,
    /// The busy time of its machine's disk.
    Disk,
    /// The memory of its machine that is in use.
    Memory,
    /// The places of the member that calls hold.
    Slots,
    /// None: the utilisation law tells it, from the demand of the calls.
    Law,
}

/// What the utilisation law says of a resource: capacity divided by demand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// That is the rate at which it saturates.
    Exact,
    /// It saturates at this rate or below.
    AtMost,
    /// It saturates at about this rate: the capacity or the demand is an approximation.
    About,
}

/// How a sentence speaks of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// A singular: "the disk".
    One(&'static str),
    /// A plural: "the cores".
    Many(&'static str),
}

impl Noun {
    /// The noun: "the cores".
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Noun::One(noun) | Noun::Many(noun) => noun,
        }
    }

    /// A clause: "the cores of `web` are 93 % busy". `share` lies between 0 and 1.
    #[must_use]
    pub fn is_busy(self, of: &str, share: f64) -> String {
        let percent = 100.0 * share;
        match self {
            Noun::One(noun) => format!("{noun} of `{of}` is {percent:.0} % used"),
            Noun::Many(noun) => format!("{noun} of `{of}` are {percent:.0} % busy"),
        }
    }
}

/// What some members of a box have a limited amount of. Each of them has the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its stable name, as in results: [`CPU`], "workers".
    pub name: &'static str,
    /// How a sentence speaks of it.
    pub noun: Noun,
    /// How it limits.
    pub sort: Sort,
    /// What tells how busy it is.
    pub meter: Meter,
    /// Numbers of the members that have it.
    pub of: Range<u32>,
    /// What each member has, in the unit of the scenario: cores, workers, bytes.
    pub has: f64,
    /// What each member can do, in the unit of `demand`; for [`Sort::Rate`] and [`Sort::Limit`] in a second.
    pub capacity: f64,
    /// What one call at the box takes of all members together, by class in the scenario's order; empty where only a
    /// simulation tells.
    pub demand: Vec<f64>,
    /// What follows from capacity and demand.
    pub bound: Bound,
}

impl Resource {
    /// The cores of each machine. `cpu_s` are the core seconds at speed 1 that a call takes, by class.
    #[must_use]
    pub fn cores(machine: &MachineSpec, of: Range<u32>, cpu_s: Vec<f64>) -> Resource {
        Resource {
            name: CPU,
            noun: Noun::Many("the cores"),
            sort: Sort::Rate,
            meter: Meter::Cores,
            of,
            has: f64::from(machine.cores),
            capacity: machine.work_rate(),
            demand: cpu_s,
            bound: if machine.has_contention() { Bound::AtMost } else { Bound::Exact },
        }
    }

    /// The disk of each machine. `operations` are those of a call, by class.
    #[must_use]
    pub fn disk(disk: &DiskSpec, of: Range<u32>, operations: Vec<f64>) -> Resource {
        Resource {
            name: DISK,
            noun: Noun::One("the disk"),
            sort: Sort::Rate,
            meter: Meter::Disk,
            of,
            has: disk.iops,
            capacity: disk.iops,
            demand: operations,
            bound: Bound::About,
        }
    }

    /// The memory of each machine, in bytes.
    #[must_use]
    pub fn memory(machine: &MachineSpec, of: Range<u32>) -> Resource {
        let slots = Resource::slots(MEMORY, Noun::One("the memory"), of, machine.memory as f64);
        Resource { meter: Meter::Memory, ..slots }
    }

    /// Places that calls hold, `has` at each member, whose use the member reports.
    #[must_use]
    pub fn slots(name: &'static str, noun: Noun, of: Range<u32>, has: f64) -> Resource {
        Resource {
            name,
            noun,
            sort: Sort::Slots,
            meter: Meter::Slots,
            of,
            has,
            capacity: has,
            demand: Vec::new(),
            bound: Bound::AtMost,
        }
    }

    /// The same, where the member does not report how busy it is.
    #[must_use]
    pub fn unmeasured(self) -> Resource {
        Resource { meter: Meter::Law, ..self }
    }

    /// A limit on the calls a second of each member. `calls` are those that count, of one call by class.
    #[must_use]
    pub fn limit(name: &'static str, noun: Noun, of: Range<u32>, rate: f64, calls: Vec<f64>) -> Resource {
        Resource {
            name,
            noun,
            sort: Sort::Limit,
            meter: Meter::Law,
            of,
            has: rate,
            capacity: rate,
            demand: calls,
            bound: Bound::Exact,
        }
    }

    /// What a machine has: cores, a disk if there is one, and memory.
    #[must_use]
    pub fn of_machine(machine: &MachineSpec, of: Range<u32>, cpu_s: Vec<f64>) -> Vec<Resource> {
        let disk = machine.disk.as_ref().map(|disk| Resource::disk(disk, of.clone(), Vec::new()));
        let cores = Resource::cores(machine, of.clone(), cpu_s);
        [Some(cores), disk, Some(Resource::memory(machine, of))].into_iter().flatten().collect()
    }

    /// Number of members that have it.
    #[must_use]
    pub fn holders(&self) -> u32 {
        self.of.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_agree_with_their_noun() {
        let (disk, cores) = (Noun::One("the disk"), Noun::Many("the cores"));
        assert_eq!(disk.is_busy("db", 0.391), "the disk of `db` is 39 % used");
        assert_eq!(cores.is_busy("web", 0.5), "the cores of `web` are 50 % busy");
    }
}
