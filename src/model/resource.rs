//! `Resource`: what a box has a limited amount of, and how much of it a call takes.

use std::ops::Range;

use super::hardware::{DiskSpec, MachineSpec};

/// What the work of cores is counted in.
pub const CORE_SECONDS: &str = "core seconds of work";

/// What answers on a link are counted in.
pub const BYTES: &str = "bytes of answers";

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

/// Name of the durable flushes of a log.
pub const COMMIT: &str = "commit";

/// Name of a connection between two boxes that has a bandwidth.
pub const LINK: &str = "link";

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
    /// A level that the member reports by this gauge: how much of what it has is in use.
    Gauge(&'static str),
    /// The calls a second that the member does not turn away by a limit.
    Passed,
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
    /// What is said of its use: "busy" of a plural, "used" of a singular.
    #[must_use]
    pub fn in_use(self) -> &'static str {
        match self {
            Noun::One(_) => "used",
            Noun::Many(_) => "busy",
        }
    }

    /// "is" or "are".
    #[must_use]
    pub fn is(self) -> &'static str {
        match self {
            Noun::One(_) => "is",
            Noun::Many(_) => "are",
        }
    }

    /// The noun: "the cores".
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Noun::One(noun) | Noun::Many(noun) => noun,
        }
    }

    /// The verb that goes with it: "is" or "are".
    #[must_use]
    pub fn verb(self) -> &'static str {
        if let Noun::One(_) = self { "is" } else { "are" }
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

/// For how long a call of one class holds slots, without waiting for anything that others hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hold {
    /// What it holds, in the unit of the capacity: 1 worker, the bytes of a call.
    pub amount: f64,
    /// Number of whole stays in the box, from arrival to answer.
    pub stays: f64,
    /// Core seconds at speed 1 on the box's machine, beside the stays.
    pub cpu_s: f64,
    /// Seconds without a core, beside the stays.
    pub wait_s: f64,
    /// Answers of other boxes for which it waits meanwhile, beside the stays: name and mean number.
    pub answers: Vec<(String, f64)>,
}

impl Hold {
    /// From arrival to answer.
    #[must_use]
    pub fn stay(amount: f64) -> Hold {
        Hold { amount, stays: 1.0, ..Hold::default() }
    }

    /// The same where only a `share` of the calls, 0..1, hold it, and the others not at all.
    #[must_use]
    pub fn of_some(mut self, share: f64) -> Hold {
        self.stays *= share;
        self.cpu_s *= share;
        self.wait_s *= share;
        self.answers.iter_mut().for_each(|(_, times)| *times *= share);
        self
    }
}

/// What happens to calls when a resource is full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Full {
    /// Number of calls that can wait at each member; `None` where that has no limit of its own.
    pub places: Option<u64>,
    /// The longest wait, seconds; infinite where it has no limit.
    pub longest_s: f64,
    /// What happens to further ones: "rejects". Empty where all wait.
    pub then: &'static str,
    /// The key that sets the number of places; empty where none does.
    pub key: &'static str,
}

impl Full {
    /// Calls wait as long as it takes.
    pub const WAITS: Full = Full { places: None, longest_s: f64::INFINITY, then: "", key: "" };

    /// What is done for a call falls behind.
    pub const LAGS: Full = Full { then: "lags", ..Full::WAITS };

    /// Calls that wait at the same time are served at once.
    pub const SHARED: Full = Full { then: "is shared", ..Full::WAITS };

    /// Nobody waits.
    #[must_use]
    pub const fn away(then: &'static str) -> Full {
        Full { places: Some(0), longest_s: 0.0, then, key: "" }
    }

    /// A number of calls wait, which a key sets, and then something happens.
    #[must_use]
    pub const fn queue(places: u64, key: &'static str, then: &'static str) -> Full {
        Full { places: Some(places), longest_s: f64::INFINITY, then, key }
    }

    /// Calls wait for some seconds, and then something happens.
    #[must_use]
    pub const fn patience(longest_s: f64, then: &'static str) -> Full {
        Full { places: None, longest_s, then, key: "" }
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
    /// The most that each member could have of it, in the unit of `has`: its machine can use no more.
    pub most: f64,
    /// What work is counted in: "core seconds of work"; empty but for [`Sort::Rate`].
    pub unit: &'static str,
    /// The key of the box that says what each member has: `workers`, `rate_limit.rate`.
    pub key: &'static str,
    /// The share of the calls at the box that come to these members, by class in the scenario's order; empty where all do.
    pub visits: Vec<f64>,
    /// The calls at these members that a query of all shards makes beside the one at the shard of its key, by class; empty where the
    /// data are in one piece.
    pub others: Vec<f64>,
    /// Whether each of the members has data of its own, so that nobody does the work of one that is missing.
    pub is_divided: bool,
    /// What one call at the box takes of all these members together, by class; empty where only `holds` or a simulation
    /// tells.
    pub demand: Vec<f64>,
    /// The share of `demand` for which the caller does not wait, 0..1 by class; empty where it waits for all.
    pub later: Vec<f64>,
    /// For how long a call at one of these members holds it, by class; empty but for [`Sort::Slots`].
    pub holds: Vec<Hold>,
    /// What follows from capacity and demand.
    pub bound: Bound,
    /// What happens when it is full.
    pub full: Full,
}

impl Resource {
    /// A resource of which nothing is known but what each member can do.
    fn new(name: &'static str, noun: Noun, sort: Sort, of: Range<u32>, capacity: f64) -> Resource {
        Resource {
            name,
            noun,
            sort,
            meter: Meter::Law,
            of,
            has: capacity,
            capacity,
            most: f64::INFINITY,
            unit: "",
            key: name,
            visits: Vec::new(),
            others: Vec::new(),
            is_divided: false,
            demand: Vec::new(),
            later: Vec::new(),
            holds: Vec::new(),
            bound: Bound::Exact,
            full: Full::WAITS,
        }
    }

    /// The cores of each machine. `cpu_s` are the core seconds at speed 1 that a call takes, by class.
    #[must_use]
    pub fn cores(machine: &MachineSpec, of: Range<u32>, cpu_s: Vec<f64>) -> Resource {
        Resource {
            meter: Meter::Cores,
            has: f64::from(machine.cores),
            unit: CORE_SECONDS,
            key: "cores",
            demand: cpu_s,
            bound: if machine.has_contention() { Bound::AtMost } else { Bound::Exact },
            ..Resource::new(CPU, Noun::Many("the cores"), Sort::Rate, of, machine.work_rate())
        }
    }

    /// The disk of each machine. `operations` are those of a call, by class.
    #[must_use]
    pub fn disk(disk: &DiskSpec, of: Range<u32>, operations: Vec<f64>) -> Resource {
        Resource {
            meter: Meter::Disk,
            unit: "operations",
            key: "disk.iops",
            demand: operations,
            bound: Bound::About,
            ..Resource::new(DISK, Noun::One("the disk"), Sort::Rate, of, disk.iops)
        }
    }

    /// The memory of each machine, in bytes.
    #[must_use]
    pub fn memory(machine: &MachineSpec, of: Range<u32>) -> Resource {
        let slots = Resource::slots(MEMORY, Noun::One("the memory"), of, machine.memory as f64, Vec::new());
        Resource { meter: Meter::Memory, full: Full::away("rejects"), ..slots }
    }

    /// Places that calls hold, `has` at each member, whose use the member reports.
    #[must_use]
    pub fn slots(name: &'static str, noun: Noun, of: Range<u32>, has: f64, holds: Vec<Hold>) -> Resource {
        let new = Resource::new(name, noun, Sort::Slots, of, has);
        Resource { meter: Meter::Slots, holds, bound: Bound::AtMost, ..new }
    }

    /// A limit on the calls a second of each member. `calls` are those that count, of one call by class.
    #[must_use]
    pub fn limit(name: &'static str, noun: Noun, of: Range<u32>, rate: f64, calls: Vec<f64>) -> Resource {
        let new = Resource::new(name, noun, Sort::Limit, of, rate);
        Resource { demand: calls, full: Full::away("throttles"), ..new }
    }

    /// What does work without being measured: `work` is that of a call by class, each member can do `rate` in a second.
    #[must_use]
    pub fn rate(
        (name, noun, unit): (&'static str, Noun, &'static str),
        of: Range<u32>,
        rate: f64,
        work: Vec<f64>,
    ) -> Resource {
        Resource { demand: work, unit, ..Resource::new(name, noun, Sort::Rate, of, rate) }
    }

    /// The same, where something else tells how busy it is.
    #[must_use]
    pub fn measured(self, meter: Meter) -> Resource {
        Resource { meter, ..self }
    }

    /// The same, where something happens to calls when it is full.
    #[must_use]
    pub fn when_full(self, full: Full) -> Resource {
        Resource { full, ..self }
    }

    /// The same, where another key says what each member has.
    #[must_use]
    pub fn set_by(self, key: &'static str) -> Resource {
        Resource { key, ..self }
    }

    /// What a machine has: cores, a disk if there is one, and memory.
    #[must_use]
    pub fn of_machine(machine: &MachineSpec, of: Range<u32>, cpu_s: Vec<f64>) -> Vec<Resource> {
        let disk = machine.disk.as_ref().map(|disk| Resource::disk(disk, of.clone(), Vec::new()));
        let cores = Resource::cores(machine, of.clone(), cpu_s);
        [Some(cores), disk, Some(Resource::memory(machine, of))].into_iter().flatten().collect()
    }

    /// The same, where the caller does not wait for some shares of the demand.
    #[must_use]
    pub fn later(self, later: Vec<f64>) -> Resource {
        Resource { later, ..self }
    }

    /// The share of the whole demand for which callers wait, each class counted once; 0 where nothing is asked.
    #[must_use]
    pub fn waited_share(&self) -> f64 {
        let all: f64 = self.demand.iter().sum();
        let waited = self.demand.iter().enumerate().map(|(class, amount)| amount * self.waited(class));
        if all > 0.0 { waited.sum::<f64>() / all } else { 0.0 }
    }

    /// The share of the demand of a class for which the caller waits.
    #[must_use]
    pub fn waited(&self, class: usize) -> f64 {
        1.0 - self.later.get(class).copied().unwrap_or(0.0)
    }

    /// The calls at these members that a query of a class makes at further shards, if it asks all.
    #[must_use]
    pub fn others(&self, class: usize) -> f64 {
        self.others.get(class).copied().unwrap_or(0.0)
    }

    /// The share of the calls of a class at the box that come to these members.
    #[must_use]
    pub fn share(&self, class: usize) -> f64 {
        self.visits.get(class).copied().unwrap_or(1.0)
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
