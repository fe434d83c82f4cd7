//! What a group of servers has a limited amount of, and the keys that change it.

use crate::model::lever::{Lever, Setting};
use crate::model::resource::{CPU, MEMORY, Noun, POOL, Resource};
use crate::model::spec::{Pooled, RequestClass, Spec as _};

use super::spec::ServerSpec;
use super::step::{Step, all};

/// Name of the workers, which calls hold from start to end.
const WORKERS: &str = "workers";

/// Name of the limit on the rate of calls.
const RATE_LIMIT: &str = "rate_limit";

impl ServerSpec {
    pub(super) fn all_resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        let of = 0..self.members();
        let cpu_s = || classes.iter().map(|class| self.demand(class).cpu_s).collect();
        let machine = self.machine().map(|machine| Resource::of_machine(&machine, of.clone(), cpu_s()));
        let mut all = machine.unwrap_or_default();
        let slots = |name, noun, has| Resource::slots(name, Noun::Many(noun), of.clone(), f64::from(has));
        all.push(slots(WORKERS, "the workers", self.workers()));
        if self.asks_databases() {
            let pool = slots(POOL, "the connections to databases", self.db_pool());
            all.push(pool.unmeasured());
        }
        if let Some(limit) = &self.rate_limit {
            let noun = Noun::One("the rate limit");
            all.push(Resource::limit(RATE_LIMIT, noun, of, limit.rate.0, vec![1.0; classes.len()]));
        }
        all
    }

    /// More machines come first where there are several, and last where there is one: it is enlarged while it can be.
    pub(super) fn all_levers(&self) -> Vec<Lever> {
        let of = 0..self.members();
        let more_machines = self.more_machines();
        let is_group = self.members() > 1;
        let machine = self.machine();
        let memory = machine.as_ref().map(|machine| self.hardware().more_memory(machine, of.clone()));
        let mut levers: Vec<Lever> = memory.into_iter().collect();
        levers.extend(more_machines.clone().filter(|_| is_group));
        levers.extend(machine.map(|machine| self.hardware().larger(&machine, &[CPU], of.clone())));
        levers.extend(more_machines.filter(|_| !is_group));
        let twice = |key, now: Setting, resources| {
            Lever::relief(key, (now, now.twice(f64::INFINITY)), resources, of.clone())
        };
        levers.push(twice("workers", Setting::Whole(self.workers()), &[WORKERS]));
        if self.asks_databases() {
            levers.push(twice("db_pool", Setting::Whole(self.db_pool()), &[POOL]));
        }
        levers.extend(self.rate_limit.map(|limit| {
            let (now, most) = (Setting::PerS(limit.rate.0), 1e9);
            Lever::relief("rate_limit.rate", (now, now.twice(most)), &[RATE_LIMIT], of.clone())
        }));
        levers
    }

    /// Half as many machines more, at least one; `None` on another box's machine.
    fn more_machines(&self) -> Option<Lever> {
        let (now, more) = (self.members(), self.members().div_ceil(2));
        self.machine()?;
        let next = now.checked_add(more).map(Setting::Whole);
        let resources = &[CPU, MEMORY, WORKERS, POOL, RATE_LIMIT];
        let lever = Lever::relief("count", (Setting::Whole(now), next), resources, 0..now);
        let why = self.hardware().is_largest().filter(|_| now == 1);
        Some(Lever { adds: more, why, ..lever })
    }

    /// The pools: a query holds a connection while it is answered, a transaction over all its steps.
    pub(super) fn all_pools(&self, classes: &[RequestClass]) -> Vec<Pooled> {
        let mut names: Vec<&str> = Vec::new();
        for (_, step) in all(&self.steps) {
            names.extend(
                step.query.as_deref().or(step.transaction.as_deref()).filter(|to| !names.contains(to)),
            );
        }
        let pool = |to: &str| {
            let holds = classes.iter().map(|class| holds(&self.steps, to, class, false));
            Pooled { to: to.to_owned(), has: self.db_pool(), holds: holds.collect() }
        };
        names.into_iter().map(pool).collect()
    }

    fn asks_databases(&self) -> bool {
        all(&self.steps).iter().any(|(_, step)| step.query.is_some() || step.transaction.is_some())
    }
}

/// How long a call of a class holds connections to a box in some steps: answers of that box, and seconds beside them.
fn holds(steps: &[Step], to: &str, class: &RequestClass, is_inside: bool) -> (f64, f64) {
    let mut sum = (0.0, 0.0);
    for step in steps {
        let opens = step.transaction.as_deref() == Some(to);
        let mean_s = [&step.cpu, &step.wait].into_iter().flatten().map(|dist| dist.variate().mean());
        let own_s = if is_inside { mean_s.sum() } else { 0.0 };
        let asks = if step.query.as_deref() == Some(to) { step.calls() } else { 0.0 };
        let inner = holds(&step.steps, to, class, is_inside || opens);
        let share = step.share(class);
        sum.0 += share * (asks + inner.0);
        sum.1 += share * (own_s + inner.1);
    }
    sum
}
