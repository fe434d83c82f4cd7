//! What the nodes of a database have a limited amount of, and the keys that change it.

use std::ops::Range;

use crate::kernel::time::SimDuration;
use crate::model::lever::{Ill, Lever, Setting};
use crate::model::resource::{
    APPLY_WORKERS, Bound, COMMIT, CONNECTIONS, CORE_SECONDS, CPU, DISK, Full, Hold, MEMORY, Meter, Noun,
    Resource,
};
use crate::model::spec::{RequestClass, Spec as _};

use super::acks::Wait;
use super::apply::WORKERS_MAX;
use super::gauges::APPLYING_NAME;
use super::spec::engine::NODES_MAX;
use super::spec::replicas::REPLICAS_MAX;
use super::spec::{AT_ONCE_MAX, DatabaseSpec, ReadYourWrites, Reads, topology};

/// Name of the limits on the rates of reads and of writes of each node.
const READ_LIMIT: &str = "read_limit";
const WRITE_LIMIT: &str = "write_limit";

/// What more nodes that answer reads relieve.
const OF_READS: &[&str] = &[CPU, DISK, CONNECTIONS, READ_LIMIT];

/// What more nodes relieve that each have a part of the data.
const OF_PARTS: &[&str] = &[CPU, DISK, MEMORY, CONNECTIONS, READ_LIMIT, WRITE_LIMIT];

/// What a larger machine relieves.
const OF_MACHINE: &[&str] = &[CPU, APPLY_WORKERS];

/// What nodes of a database do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Primary,
    Replica,
    /// All do the same.
    Any,
}

/// Nodes of a database that do the same.
#[derive(Clone, Debug)]
struct Part {
    /// Their numbers among the members.
    of: Range<u32>,
    role: Role,
    /// Whether they apply what others have written.
    applies: bool,
    /// Number of their shards.
    shards: u32,
    /// The share of the queries of each class that come to their shards.
    shares: Vec<f64>,
}

/// The numbers of the nodes of some shards, of which each has `each` nodes, from `first` on.
fn place(first: u32, shards: &Range<u32>, each: u32) -> Range<u32> {
    first + shards.start * each..first + shards.end * each
}

impl DatabaseSpec {
    /// Numbers of the members that are nodes; member 0 of several is the driver.
    fn nodes(&self) -> Range<u32> {
        if self.is_single() { 0..1 } else { 1..1 + self.machines() }
    }

    /// Numbers of the nodes that apply what others have written.
    fn appliers(&self) -> Range<u32> {
        let nodes = self.nodes();
        if self.all_write() { nodes } else { nodes.start + self.partitions()..nodes.end }
    }

    fn is_single(&self) -> bool {
        !self.is_replicated() && !self.is_partitioned()
    }

    /// Groups of nodes that do the same.
    fn parts(&self, classes: &[RequestClass]) -> Vec<Part> {
        let nodes = self.nodes();
        let (first, replicas) = (nodes.start + self.partitions(), self.replicas());
        let groups = self.groups(classes);
        if !self.is_replicated() || self.all_write() {
            let part = |(shards, shares): (Range<u32>, Vec<f64>)| {
                let of = if self.all_write() { nodes.clone() } else { place(nodes.start, &shards, 1) };
                let shards = shards.len() as u32;
                Part { of, role: Role::Any, applies: self.all_write(), shards, shares }
            };
            return groups.into_iter().map(part).collect();
        }
        let primary = |(shards, shares): &(Range<u32>, Vec<f64>)| Part {
            of: place(nodes.start, shards, 1),
            role: Role::Primary,
            applies: false,
            shards: shards.len() as u32,
            shares: shares.clone(),
        };
        let follower = |(shards, shares): &(Range<u32>, Vec<f64>)| Part {
            of: place(first, shards, replicas),
            role: Role::Replica,
            applies: true,
            shards: shards.len() as u32,
            shares: shares.clone(),
        };
        groups.iter().map(primary).chain(groups.iter().map(follower)).collect()
    }

    /// The share of the queries of a class at a shard that nodes with a role answer.
    fn share(&self, role: Role, class: &RequestClass) -> f64 {
        let is_primary = match role {
            Role::Any => return 1.0,
            Role::Primary => true,
            Role::Replica => false,
        };
        match self.reads() {
            _ if class.writes => f64::from(u8::from(is_primary)),
            Reads::Primary => f64::from(u8::from(is_primary)),
            Reads::Replicas => f64::from(u8::from(!is_primary)),
            Reads::Nearest => {
                let alike = if is_primary { 1 } else { self.replicas() };
                f64::from(alike) / f64::from(self.copies())
            }
        }
    }

    /// Whether reads go where nothing but a simulation tells: to the nearest node, or where a user has written.
    fn strays(&self) -> bool {
        let after_write = self.read_your_writes.unwrap_or_default();
        let is_known = matches!(after_write, ReadYourWrites::None | ReadYourWrites::WaitForPosition);
        self.is_replicated() && !self.all_write() && (self.reads() == Reads::Nearest || !is_known)
    }

    pub(super) fn all_resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        let parts = self.parts(classes);
        let mut all: Vec<Resource> = parts.iter().flat_map(|part| self.resources_of(part, classes)).collect();
        for part in parts.iter().filter(|part| part.applies) {
            let applied = classes.iter().zip(&part.shares);
            all.extend(self.apply(part, applied.map(|(class, share)| share * self.applied(class)).collect()));
        }
        all
    }

    /// What some nodes have.
    fn resources_of(&self, part: &Part, classes: &[RequestClass]) -> Vec<Resource> {
        let Part { of, role, applies, shares, .. } = part;
        let share = |(class, share)| share * self.share(*role, class);
        let visits: Vec<f64> = classes.iter().zip(shares).map(share).collect();
        let asked = f64::from(part.shards);
        let other = |(class, share)| (asked - share) * self.share(*role, class);
        let others: Vec<f64> =
            if self.is_partitioned() { classes.iter().zip(shares).map(other).collect() } else { Vec::new() };
        let by_class = |amount: &dyn Fn(&RequestClass) -> f64| -> Vec<f64> {
            classes.iter().zip(&visits).map(|(class, share)| share * amount(class)).collect()
        };
        let own_s = by_class(&|class| self.demand(class).cpu_s);
        let applied = |(class, share)| if *applies { share * self.applied(class) } else { 0.0 };
        let applied_s: Vec<f64> = classes.iter().zip(shares).map(applied).collect();
        let cpu_s: Vec<f64> = own_s.iter().zip(&applied_s).map(|(own, applied)| own + applied).collect();
        let later = applied_s.iter().zip(&cpu_s).map(|(part, all)| if *all > 0.0 { part / all } else { 0.0 });
        let later: Vec<f64> = later.collect();
        let mut all = Vec::new();
        if let Some(machine) = self.machine() {
            all = Resource::of_machine(&machine, of.clone(), cpu_s);
            for one in &mut all {
                match one.meter {
                    Meter::Cores => {
                        one.later = later.clone();
                        one.key = if self.has_typed_cores() { "instance" } else { "cores" };
                    }
                    Meter::Disk => one.demand = by_class(&|class| self.misses(class)),
                    _ => {}
                }
            }
        }
        let (noun, stays) = (Noun::Many("the connections"), vec![Hold::stay(1.0); classes.len()]);
        let connections =
            Resource::slots(CONNECTIONS, noun, of.clone(), f64::from(self.connections()), stays);
        all.push(connections.when_full(Full::away("rejects")));
        let limits = [
            (READ_LIMIT, "the limit on reads", self.read_limit, false),
            (WRITE_LIMIT, "the limit on writes", self.write_limit, true),
        ];
        for (name, noun, limit, writes) in limits {
            let calls = by_class(&|class| f64::from(u8::from(class.writes == writes)));
            all.extend(limit.map(|limit| Resource::limit(name, Noun::One(noun), of.clone(), limit.0, calls)));
        }
        all.extend(self.flushes(of, by_class(&|class| self.flushed(class))));
        for one in &mut all {
            one.visits.clone_from(&visits);
            one.others.clone_from(&others);
            one.is_divided = self.is_partitioned() && *role != Role::Replica;
            if self.strays() {
                one.bound = Bound::About;
            }
        }
        all
    }

    /// Reads of pages from the disk that a call of a class makes, on average.
    fn misses(&self, class: &RequestClass) -> f64 {
        let reads = !class.writes || self.engine().reads_before_writing();
        if reads { 1.0 - self.hit_ratio() } else { 0.0 }
    }

    /// Core seconds at speed 1 that all nodes together take to apply what a call of a class has written at another one.
    fn applied(&self, class: &RequestClass) -> f64 {
        if !class.writes || !self.is_replicated() {
            return 0.0;
        }
        f64::from(self.replicas()) * self.apply_demand().variate().mean()
    }

    /// Seconds for which a call of a class waits for the flush of its write, if it had one of its own.
    fn flushed(&self, class: &RequestClass) -> f64 {
        let waits = class.writes && self.flush_every().is_zero();
        if waits { self.commit().variate().mean() } else { 0.0 }
    }

    /// The flushes of the log. Writes that wait at the same time share one, so that their number has no limit.
    fn flushes(&self, of: &Range<u32>, work: Vec<f64>) -> Option<Resource> {
        let flushes = (COMMIT, Noun::Many("the flushes"), "seconds of flushes");
        let flushes = Resource::rate(flushes, of.clone(), f64::INFINITY, work);
        let has = Resource { has: 1.0, bound: Bound::About, ..flushes };
        Some(has.when_full(Full::SHARED)).filter(|one| one.demand.iter().any(|work| *work > 0.0))
    }

    /// The workers that apply the log, each of which takes one core at most; `None` without replicas.
    fn apply(&self, part: &Part, demand: Vec<f64>) -> Option<Resource> {
        let machine = self.machine().filter(|_| self.is_replicated())?;
        let workers = self.apply_workers();
        let rate = f64::from(workers.min(machine.cores)) * machine.speed;
        let noun = Noun::Many("the apply workers");
        let later = vec![1.0; demand.len()];
        let row = (APPLY_WORKERS, noun, CORE_SECONDS);
        let apply = Resource::rate(row, part.of.clone(), rate, demand).later(later);
        let (has, most) = (f64::from(workers), f64::from(machine.cores));
        let apply = Resource { has, most, bound: Bound::AtMost, ..apply };
        let apply = apply.set_by("apply.workers").when_full(Full::LAGS);
        Some(apply.measured(Meter::Gauge(APPLYING_NAME)))
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
        levers.extend(self.cures());
        levers
    }

    /// What helps when a node is dead, or when replicas do not confirm.
    fn cures(&self) -> Vec<Lever> {
        let mut levers = Vec::new();
        let replicas = self.replicas();
        if self.all_write() || replicas == 0 {
            return levers;
        }
        let off = Setting::Whole(0);
        // A switch makes a replica primary itself.
        if self.failover.is_none() && !self.is_switched {
            levers.push(Lever::cure("failover.preset", off, Setting::Word("patroni"), &[Ill::Dead]));
        }
        let acks = &[Ill::Acks];
        if let Wait::AtMost(_, patience) = self.wait() {
            let second = SimDuration::from_secs(1);
            if patience > second {
                levers.push(Lever::cure(
                    "semi_sync_timeout",
                    Setting::Time(patience),
                    Setting::Time(second),
                    acks,
                ));
            }
        }
        if replicas < REPLICAS_MAX && self.wait() != Wait::Nobody {
            let lever = Lever::cure("replicas", Setting::Whole(replicas), Setting::Whole(replicas + 1), acks);
            levers.push(Lever { adds: self.partitions(), ..lever });
        }
        levers
    }

    /// One node more that answers reads, or half as many more where each has a part of the data.
    fn more_nodes(&self) -> Option<Lever> {
        let (machines, replicas) = (self.machines(), self.replicas());
        let half = machines.div_ceil(2);
        let (key, now, adds, most, resources, of) =
            if replicas > 0 && !self.all_write() && self.reads() != Reads::Primary {
                ("replicas", replicas, 1, REPLICAS_MAX, OF_READS, self.appliers())
            } else if let Some(shards) = &self.shards {
                // Splits are of this number of shards.
                if shards.splits.is_some() {
                    return None;
                }
                ("shards.count", shards.count, shards.count.div_ceil(2), NODES_MAX, OF_PARTS, self.nodes())
            } else if self.is_partitioned() {
                ("nodes", machines, half, NODES_MAX, OF_PARTS, self.nodes())
            } else if self.all_write() {
                ("nodes", machines, 1, topology::NODES_MAX, OF_READS, self.nodes())
            } else {
                return None;
            };
        let next = (now + adds <= most).then_some(Setting::Whole(now + adds));
        let each = match key {
            "replicas" => self.partitions(),
            "shards.count" => self.copies(),
            _ => 1,
        };
        Some(Lever { adds: adds * each, ..Lever::relief(key, (Setting::Whole(now), next), resources, of) })
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
