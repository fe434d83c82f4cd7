//! What the nodes of a database have a limited amount of, and the keys that change it.

use std::ops::Range;

use crate::model::lever::{Lever, Setting};
use crate::model::resource::{
    APPLY_WORKERS, Bound, CONNECTIONS, CPU, DISK, MEMORY, Meter, Noun, Resource, Sort,
};
use crate::model::spec::{RequestClass, Spec as _};

use super::apply::WORKERS_MAX;
use super::spec::engine::NODES_MAX;
use super::spec::replicas::REPLICAS_MAX;
use super::spec::{AT_ONCE_MAX, DatabaseSpec, Reads, topology};

/// Name of the limits on the rates of reads and of writes of each node.
const READ_LIMIT: &str = "read_limit";
const WRITE_LIMIT: &str = "write_limit";

/// What more nodes that answer reads relieve.
const OF_READS: &[&str] = &[CPU, DISK, CONNECTIONS, READ_LIMIT];

/// What more nodes relieve that each have a part of the data.
const OF_PARTS: &[&str] = &[CPU, DISK, MEMORY, CONNECTIONS, READ_LIMIT, WRITE_LIMIT];

/// What a larger machine relieves.
const OF_MACHINE: &[&str] = &[CPU, APPLY_WORKERS];

impl DatabaseSpec {
    /// Numbers of the members that are nodes; member 0 of several is the driver.
    fn nodes(&self) -> Range<u32> {
        if self.is_single() { 0..1 } else { 1..1 + self.machines() }
    }

    /// Numbers of the nodes that apply what others have written.
    fn appliers(&self) -> Range<u32> {
        let nodes = self.nodes();
        if self.all_write() { nodes } else { nodes.start + 1..nodes.end }
    }

    fn is_single(&self) -> bool {
        !self.is_replicated() && !self.is_partitioned()
    }

    pub(super) fn all_resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        let of = self.nodes();
        let by_class = |amount: fn(&DatabaseSpec, &RequestClass) -> f64| -> Vec<f64> {
            classes.iter().map(|class| amount(self, class)).collect()
        };
        let mut all = Vec::new();
        if let Some(machine) = self.machine() {
            let cpu_s = by_class(|spec, class| spec.demand(class).cpu_s);
            all = Resource::of_machine(&machine, of.clone(), cpu_s);
            for disk in all.iter_mut().filter(|one| one.meter == Meter::Disk) {
                disk.demand = by_class(DatabaseSpec::misses);
            }
        }
        let connections = f64::from(self.connections());
        all.push(Resource::slots(CONNECTIONS, Noun::Many("the connections"), of.clone(), connections));
        let limits = [
            (
                READ_LIMIT,
                "the limit on reads",
                self.read_limit,
                by_class(|_, class| f64::from(!class.writes)),
            ),
            (
                WRITE_LIMIT,
                "the limit on writes",
                self.write_limit,
                by_class(|_, class| f64::from(class.writes)),
            ),
        ];
        for (name, noun, limit, calls) in limits {
            all.extend(limit.map(|limit| Resource::limit(name, Noun::One(noun), of.clone(), limit.0, calls)));
        }
        all.extend(self.apply(by_class(DatabaseSpec::applied)));
        all
    }

    /// Reads of pages from the disk that a call of a class makes, on average.
    fn misses(&self, class: &RequestClass) -> f64 {
        let reads = !class.writes || self.engine().reads_before_writing();
        if reads { 1.0 - self.hit_ratio() } else { 0.0 }
    }

    /// Core seconds at speed 1 that all nodes together take to apply what a call of a class has written at another one.
    pub(super) fn applied(&self, class: &RequestClass) -> f64 {
        if !class.writes || !self.is_replicated() {
            return 0.0;
        }
        f64::from(self.replicas()) * self.apply_demand().variate().mean()
    }

    /// The workers that apply the log, each of which takes one core at most; `None` without replicas.
    fn apply(&self, demand: Vec<f64>) -> Option<Resource> {
        let machine = self.machine().filter(|_| self.is_replicated())?;
        let workers = self.apply_workers();
        Some(Resource {
            name: APPLY_WORKERS,
            noun: Noun::Many("the workers that apply the log in the replicas"),
            sort: Sort::Rate,
            meter: Meter::Law,
            of: self.appliers(),
            has: f64::from(workers),
            capacity: f64::from(workers.min(machine.cores)) * machine.speed,
            demand,
            bound: Bound::AtMost,
        })
    }

    /// More nodes come first where more of them can share the work, then larger ones; replicas for a single node come
    /// last, as they cannot write.
    pub(super) fn all_levers(&self) -> Vec<Lever> {
        let of = self.nodes();
        let mut levers: Vec<Lever> = self.more_nodes().into_iter().collect();
        if let Some(machine) = self.machine() {
            levers.extend(self.more_appliers(machine.cores));
            levers.push(self.hardware().larger(&machine, OF_MACHINE, of.clone()));
            levers.push(self.hardware().more_memory(&machine, of.clone()));
            levers.extend(self.first_replicas());
        }
        let twice = |key, now: Setting, most, resources| {
            Lever::relief(key, (now, now.twice(most)), resources, of.clone())
        };
        let connections = Setting::Whole(self.connections());
        levers.push(twice("connections", connections, f64::INFINITY, &[CONNECTIONS]));
        if self.working_set.is_some() {
            let disk = self.disk_spec();
            let most = AT_ONCE_MAX / disk.latency.as_secs_f64();
            levers.push(twice("disk.iops", Setting::Number(disk.iops), most, &[DISK]));
        }
        let limits = [("read_limit", self.read_limit), ("write_limit", self.write_limit)];
        for (key, limit) in limits {
            let resources: &[&str] = if key == READ_LIMIT { &[READ_LIMIT] } else { &[WRITE_LIMIT] };
            levers.extend(limit.map(|limit| twice(key, Setting::PerS(limit.0), 1e9, resources)));
        }
        levers
    }

    /// One node more that answers reads, or half as many more where each has a part of the data.
    fn more_nodes(&self) -> Option<Lever> {
        let machines = self.machines();
        let (key, now, adds, most, resources, of) = if self.is_partitioned() {
            ("nodes", machines, machines.div_ceil(2), NODES_MAX, OF_PARTS, self.nodes())
        } else if self.all_write() {
            ("nodes", machines, 1, topology::NODES_MAX, OF_READS, self.nodes())
        } else if self.replicas() > 0 && self.reads() != Reads::Primary {
            ("replicas", self.replicas(), 1, REPLICAS_MAX, OF_READS, self.appliers())
        } else {
            return None;
        };
        let next = (now + adds <= most).then_some(Setting::Whole(now + adds));
        Some(Lever { adds, ..Lever::relief(key, (Setting::Whole(now), next), resources, of) })
    }

    /// The first two replicas of a single node.
    fn first_replicas(&self) -> Option<Lever> {
        let is_durable = self.flush_every.is_none_or(|every| every.0.is_zero());
        let next = (self.is_single() && is_durable).then_some(Setting::Whole(2))?;
        let lever = Lever::relief("replicas", (Setting::Whole(0), Some(next)), OF_READS, 0..1);
        // The name stands for the driver then.
        Some(Lever { adds: 3, why: self.hardware().is_largest(), ..lever })
    }

    /// Twice the workers that apply the log, as long as there is a core for each.
    fn more_appliers(&self, cores: u32) -> Option<Lever> {
        let now = self.apply_workers();
        let next = (now < cores).then_some(Setting::Whole(now.saturating_mul(2).min(cores).min(WORKERS_MAX)));
        let next = next.filter(|next| *next != Setting::Whole(now));
        let resources = &[APPLY_WORKERS];
        let lever = Lever::relief("apply.workers", (Setting::Whole(now), next), resources, self.appliers());
        self.is_replicated().then_some(lever)
    }
}
