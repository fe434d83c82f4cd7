//! How a database stands to the loader: its members, its hardware, what a query costs, and which component each member is.

use crate::kernel::time::SimDuration;
use crate::model::ask::{Scope, Verbs};
use crate::model::component::Component;
use crate::model::fitting::{WorkCost, WorkSort};
use crate::model::gauge::Gauge;
use crate::model::lever::Lever;
use crate::model::quantity::Dist;
use crate::model::reshard::Reshard;
use crate::model::resource::Resource;
use crate::model::site::Site;
use crate::model::spec::{
    Accepts, Arrow, Demand, Divided, Files, Heir, MachineSpec, MemberPlan, Outline, Part, Problems,
    RequestClass, Sides, Spec, Standing, Surplus,
};

use crate::parts::hardware::check_contention;

use super::gauges;
use super::monitor::Monitor;
use super::node::Database;
use super::router::Router;
use super::sharded::Sharded;
use super::spec::{DatabaseSpec, Pick, Topology};

impl Spec for DatabaseSpec {
    fn answers(&self) -> Verbs {
        // Which version a replica has is not known here.
        let swaps = if self.is_replicated() { Verbs::NONE } else { Verbs::SWAP };
        let scatters = if self.is_partitioned() { Verbs::SCATTER } else { Verbs::NONE };
        Verbs::QUERY.and(swaps).and(scatters)
    }

    fn arrows(&self) -> Vec<Arrow> {
        let asks = Verbs::GET.and(Verbs::SWAP);
        let arrow =
            |to: &str| Arrow { key: "shards.directory".into(), to: to.to_owned(), asks, public: false };
        self.directory().map(arrow).into_iter().collect()
    }

    fn host(&self) -> Option<&str> {
        self.on.as_deref()
    }

    fn reacts_within(&self) -> SimDuration {
        self.failover.as_ref().map_or(SimDuration::ZERO, |failover| failover.over_within())
    }

    fn divided(&self) -> Option<Divided> {
        // An engine without joins leaves them to its caller, who asks each shard for what it has.
        let divided = Divided { shards: self.pieces(), joins: !self.engine().joins() };
        self.is_partitioned().then_some(divided)
    }

    fn detail(&self) -> Option<String> {
        match self.topology() {
            Topology::Ring => Some("a ring".to_owned()),
            Topology::MultiPrimary => Some("every node takes writes".to_owned()),
            Topology::PrimaryReplica if self.is_sharded() => {
                let each = match self.replicas() {
                    0 => String::new(),
                    replicas => format!(", each {}", primary_and(replicas)),
                };
                Some(format!("{} shards{each}", self.pieces()))
            }
            Topology::PrimaryReplica if self.is_partitioned() => Some("data divided by key".to_owned()),
            Topology::PrimaryReplica if self.replicas() > 0 => Some(primary_and(self.replicas())),
            Topology::PrimaryReplica => None,
        }
    }

    fn members(&self) -> u32 {
        let others = self.is_replicated() || self.is_partitioned();
        let monitors = if self.has_monitor() { self.partitions() } else { 0 };
        if others { 1 + self.machines() + monitors } else { 1 }
    }

    fn reshard(&mut self, plan: Reshard, problems: &mut Problems) -> bool {
        self.plan_reshard(plan, problems)
    }

    fn member(&self, name: &str, member: u32) -> MemberPlan {
        let machine = self.machine();
        let (name, machine, standing) = match member {
            0 if self.is_replicated() || self.is_partitioned() => (name.to_owned(), None, Standing::Driver),
            0 => (name.to_owned(), machine, Standing::Entry),
            _ if self.is_sharded() => {
                let machine = machine.filter(|_| member <= self.machines());
                (self.name_in_shard(name, member), machine, Standing::Inner)
            }
            _ if self.nodes.is_some() => (format!("{name}.node-{member}"), machine, Standing::Inner),
            1 => (format!("{name}.primary"), machine, Standing::Inner),
            _ if member > self.machines() => (format!("{name}.monitor"), None, Standing::Inner),
            _ => (format!("{name}.replica-{}", member - 1), machine, Standing::Inner),
        };
        MemberPlan { name, machine, standing }
    }

    fn resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        self.all_resources(classes)
    }

    fn accepts(&self) -> Option<Accepts> {
        Some(Accepts { each: self.connections(), nodes: self.machines() })
    }

    fn levers(&self) -> Vec<Lever> {
        self.all_levers()
    }

    fn machine(&self) -> Option<MachineSpec> {
        if self.on.is_some() {
            return None;
        }
        let machine = self.hardware().machine();
        let disk = self.working_set.is_some().then(|| self.disk_spec());
        Some(MachineSpec { sigma: self.sigma(), kappa: self.kappa, disk, ..machine })
    }

    fn sorts(&self, classes: &[RequestClass]) -> Vec<WorkSort> {
        let sort = |name: &str, writes: bool| {
            let units = classes.iter().map(|class| f64::from(u8::from(class.writes == writes))).collect();
            WorkSort { name: name.to_owned(), units }
        };
        vec![sort("read", false), sort("write", true)]
    }

    fn fitted(
        &self,
        _table: &toml::Table,
        costs: &[WorkCost],
    ) -> Result<Vec<(&'static str, String)>, String> {
        let key = |cost: &WorkCost| (if cost.sort == "write" { "write" } else { "read" }, cost.cpu());
        Ok(costs.iter().map(key).collect())
    }

    fn demand(&self, class: &RequestClass) -> Demand {
        let calls = self.directory().map(|directory| (directory.to_owned(), 1.0)).into_iter().collect();
        let mut demand = Demand { calls, ..Demand::default() };
        let miss = (1.0 - self.hit_ratio()) * self.disk_spec().latency.as_secs_f64();
        if class.writes {
            demand.cpu_s = self.write().variate().mean();
            let read = if self.engine().reads_before_writing() { miss } else { 0.0 };
            let flush = if self.flush_every().is_zero() { self.commit().variate().mean() } else { 0.0 };
            demand.wait_s = read + flush;
        } else {
            demand.cpu_s = self.read().variate().mean();
            demand.wait_s = miss;
        }
        demand
    }

    fn surplus(&self, class: &RequestClass, scope: Scope) -> Surplus {
        self.surplus_of(class, scope)
    }

    fn heir(&self, name: &str) -> Option<Heir> {
        let failover = self.failover.as_ref().filter(|_| self.has_monitor() && !self.is_sharded())?;
        let Some(Pick::Named(node)) = failover.pick(name, self.replicas()) else { return None };
        Some(Heir {
            key: "failover.pick",
            of: format!("{name}.primary"),
            name: self.member(name, 1 + node as u32).name,
            after: failover.noticed() + failover.manual.map_or(SimDuration::ZERO, |manual| manual.0),
        })
    }

    fn part(&self, name: &str, sides: &Sides) -> Part {
        self.part_of_switch(name, sides)
    }

    fn take_part(&mut self, _sides: &Sides) {
        self.is_switched = true;
    }

    fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        self.hardware().check(self.on.as_deref(), problems);
        check_contention(self.sigma(), self.kappa, problems);
        self.check_cache(problems);
        self.check_engine(outline.classes, problems);
        self.check_replicas(problems);
        self.check_failover(problems);
        if self.connections == Some(0) {
            problems.error("connections", "`connections` must be at least 1", "");
        }
        for (key, dist) in [("read", &self.read), ("write", &self.write), ("commit", &self.commit)] {
            if let Some(warning) = dist.as_ref().and_then(Dist::warning) {
                problems.warn(key, warning, "");
            }
        }
    }

    fn read_files(&mut self, files: &dyn Files, problems: &mut Problems) {
        for (key, dist) in
            [("read", &mut self.read), ("write", &mut self.write), ("commit", &mut self.commit)]
        {
            if let Some(dist) = dist {
                dist.resolve(key, files, problems);
            }
        }
        if let Some(demand) = self.apply.as_mut().and_then(|apply| apply.demand.as_mut()) {
            demand.resolve("apply.demand", files, problems);
        }
        if let Some(commit) = self.apply.as_mut().and_then(|apply| apply.commit.as_mut()) {
            commit.resolve("apply.commit", files, problems);
        }
        if let Some(promote) = self.failover.as_mut().and_then(|failover| failover.promote.as_mut()) {
            promote.resolve("failover.promote", files, problems);
        }
    }

    fn shows(&self, gauge: &Gauge) -> bool {
        let has_replicas = self.is_replicated();
        let may_lose = has_replicas || !self.flush_every().is_zero();
        match gauge.name {
            "reroutes" | gauges::APPLYING_NAME => has_replicas,
            "failovers" => self.has_monitor() || self.is_switched,
            gauges::MOVED_KEYS_NAME | gauges::MOVED_BYTES_NAME | gauges::MOVE_NAME => self.reshard.is_some(),
            gauges::PARTIAL_NAME | gauges::HOTTEST_NAME => self.is_partitioned(),
            _ => !gauge.is_of_box || may_lose,
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        if self.is_partitioned() && site.member == 0 {
            return Box::new(Sharded::new(self, site));
        }
        if self.is_replicated() && site.member == 0 {
            return Box::new(Router::new(self, 0, site));
        }
        if self.is_replicated() && site.member > self.machines() {
            return Box::new(Monitor::new(self, site));
        }
        Box::new(Database::new(self, site))
    }
}

/// What a database or a shard with replicas consists of, in words.
fn primary_and(replicas: u32) -> String {
    let ending = if replicas == 1 { "" } else { "s" };
    format!("a primary and {replicas} replica{ending}")
}
