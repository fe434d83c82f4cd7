//! What a group of servers has a limited amount of, and the keys that change it.

use crate::model::class::units;
use crate::model::lever::{Fit, Ill, Lever, Setting};
use crate::model::quantity::Dist;
use crate::model::resource::{Bound, CPU, Full, Hold, MEMORY, Meter, Noun, POOL, Resource};
use crate::model::spec::{Pooled, RequestClass, Spec as _};

use crate::parts::limit::LIMIT;
use crate::parts::retry::{BUDGETS, DEADLINES};

use super::gauges::{POOL_HELD_NAME, WORKERS_HELD_NAME};
use super::spec::{Per, RateLimit, ServerSpec};
use super::step::Step;

/// Name of the workers, which calls hold from start to end.
const WORKERS: &str = "workers";

/// Share of the time for which users wait that is left for one of several boxes.
const PATIENT: f64 = 1.0 / 3.0;

/// The same for the line at a door, which is longer when the box is slow.
const LINE: f64 = 0.1;

/// Name of the limit on the rate of calls.
const RATE_LIMIT: &str = "rate_limit";

impl ServerSpec {
    pub(super) fn all_resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        let of = 0..self.members();
        let cpu_s = || classes.iter().map(|class| self.demand(class).cpu_s).collect();
        let machine = self.machine().map(|machine| Resource::of_machine(&machine, of.clone(), cpu_s()));
        let mut all = machine.unwrap_or_default();
        let key = if self.has_typed_cores() { "instance" } else { "cores" };
        all.iter_mut().filter(|one| one.name == CPU).for_each(|one| one.key = key);
        if self.gc.is_some() {
            // Collections take their time on top.
            all.iter_mut().filter(|one| one.name == CPU).for_each(|one| one.bound = Bound::AtMost);
        }
        all.iter_mut().filter(|one| one.name == MEMORY).for_each(|one| self.hold_memory(one, classes));
        let slots = |name, noun, has, holds| {
            Resource::slots(name, Noun::Many(noun), of.clone(), f64::from(has), holds)
        };
        let stays = classes.iter().map(|class| Hold::stay(f64::from(class.units))).collect();
        let workers = slots(WORKERS, "the workers", self.workers(), stays).when_full(self.behind_workers());
        let are_alike = units(classes).is_empty();
        all.push(if are_alike { workers } else { workers.measured(Meter::Gauge(WORKERS_HELD_NAME)) });
        let longest_s = self.pool_timeout().as_secs_f64();
        let pools = self.all_pools();
        // The gauge is of all pools together.
        let meter = if pools.len() == 1 { Meter::Gauge(POOL_HELD_NAME) } else { Meter::Law };
        for pool in pools {
            let (working, _) = self.without_work();
            let holds =
                classes.iter().map(|class| hold(&self.steps, &pool.to, class, false).of_some(working));
            let holds = holds.collect();
            let pool = slots(POOL, "the connections to databases", pool.has, holds);
            all.push(pool.measured(meter).when_full(Full::patience(longest_s, "fails")));
        }
        all.extend(self.limit.and_then(|limit| limit.resource(self.members(), classes.len())));
        if let Some(limit) = self.whole_rate() {
            let noun = Noun::One("the rate limit");
            let limit = Resource::limit(RATE_LIMIT, noun, of, limit.rate.0, vec![1.0; classes.len()]);
            all.push(limit.set_by("rate_limit.rate").measured(Meter::Passed));
        }
        all
    }

    /// The limit on the rate of all calls together. Of limits of each caller apart no bound follows for all.
    fn whole_rate(&self) -> Option<RateLimit> {
        self.rate_limit.filter(|limit| limit.per == Per::All)
    }

    /// What calls do when all workers are taken.
    fn behind_workers(&self) -> Full {
        let limits = self.limits();
        let then = match limits.backlog {
            0 => "rejects",
            _ if limits.refuses => "refuses",
            _ => "drops",
        };
        let places = u64::from(limits.queue) + u64::from(limits.backlog);
        let calls = self.limit.and_then(|limit| limit.calls);
        match calls.map(|calls| u64::from(calls.saturating_sub(limits.slots))) {
            Some(fewer) if fewer < places => Full::queue(fewer, "limit.calls", "rejects"),
            _ => Full::queue(places, "queue", then),
        }
    }

    /// The calls that are worked on share what the process leaves of the machine's memory.
    fn hold_memory(&self, memory: &mut Resource, classes: &[RequestClass]) {
        let limits = self.limits();
        memory.capacity = memory.has - limits.base_memory as f64;
        memory.holds = vec![Hold::stay(limits.memory_per_call as f64); classes.len()];
        if limits.kills {
            memory.full = Full::away("kills the process");
        }
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
            levers.push(twice(self.db_pool_key(), Setting::Whole(self.db_pool()), &[POOL]));
        }
        levers.extend(self.limit.and_then(|limit| limit.lever(self.members())));
        levers.extend(self.whole_rate().map(|limit| {
            let (now, most) = (Setting::PerS(limit.rate.0), 1e9);
            Lever::relief("rate_limit.rate", (now, now.twice(most)), &[RATE_LIMIT], of.clone())
        }));
        levers.extend(self.care());
        levers.extend(self.door());
        levers
    }

    /// Keys of how it asks others, step by step.
    fn care(&self) -> Vec<Lever> {
        let mut levers = Vec::new();
        if !self.arrows().is_empty() {
            let now = self.timeout.map_or(Setting::Whole(0), |timeout| Setting::Time(timeout.0));
            levers.push(Lever::fitted("timeout", now, Fit::Patience(PATIENT), &[Ill::Held]));
            levers.extend(self.connecting().lever());
        }
        for (path, step) in self.all_steps() {
            let key = |name: &str| format!("{}.{name}", path.replace('[', ".").replace(']', ""));
            if step.retry.as_ref().is_some_and(|retry| retry.attempts > 1 && retry.budget.is_none()) {
                let budget = Lever::remedy(key("retry.budget"), "20%", &[Ill::Storm]);
                levers.push(budget.together(BUDGETS));
            }
            let asks = step.query.is_some() || step.call.is_some();
            if asks && step.breaker.is_none() {
                levers.push(Lever::remedy(key("breaker"), "{}", &[Ill::Held]));
            }
            if asks && step.hedge.is_none() && !step.swap && step.scatter.is_none() {
                levers.push(Lever::remedy(key("hedge"), "{ after = \"p95\" }", &[Ill::Slow]));
            }
        }
        levers
    }

    /// Keys of what it lets in, and of what it works on.
    fn door(&self) -> Vec<Lever> {
        let queue = Setting::Whole(self.limits().queue);
        let line = Lever::fitted("queue", queue, Fit::Line(LINE), &[Ill::Storm]);
        let ages = self.shed.is_some_and(|shed| shed.age.is_some());
        let off = Setting::Whole(0);
        let age = (!ages).then(|| Lever::fitted("shed.age", off, Fit::Patience(PATIENT), &[Ill::Storm]));
        let looks =
            (!self.propagate).then(|| Lever::remedy("propagate", "true", &[Ill::Storm]).together(DEADLINES));
        std::iter::once(line).chain(age).chain(looks).collect()
    }

    /// Half as many machines more, at least one; `None` on another box's machine.
    fn more_machines(&self) -> Option<Lever> {
        let (now, more) = (self.members(), self.members().div_ceil(2));
        self.machine()?;
        if self.comes_and_goes {
            return None;
        }
        let next = now.checked_add(more).map(Setting::Whole);
        let resources = &[CPU, MEMORY, WORKERS, POOL, RATE_LIMIT, LIMIT];
        let lever = Lever::relief("count", (Setting::Whole(now), next), resources, 0..now);
        let why = self.hardware().is_largest().filter(|_| now == 1);
        Some(Lever { adds: more, why, ..lever })
    }

    /// The pools, one for each box that is asked over connections of a pool.
    pub(super) fn all_pools(&self) -> Vec<Pooled> {
        let mut names: Vec<&str> = Vec::new();
        for (_, step) in self.all_steps() {
            let to = step.query.as_deref().or(step.transaction.as_deref());
            names.extend(to.filter(|to| !names.contains(to)));
        }
        names
            .into_iter()
            .map(|to| Pooled {
                to: to.to_owned(),
                has: self.db_pool(),
                open: self.pool_min().0,
                open_key: self.pool_min().1,
            })
            .collect()
    }

    /// The share of the calls that get work, and the mean time, over all calls, after which the others are answered with errors,
    /// in seconds.
    pub(super) fn without_work(&self) -> (f64, f64) {
        let rule = self.errors.map(|errors| errors.rule());
        let at_once = rule.and_then(|rule| Some((rule.share(), rule.at_once()?.as_secs_f64())));
        at_once.map_or((1.0, 0.0), |(share, time_s)| (1.0 - share, share * time_s))
    }

    pub(super) fn asks_databases(&self) -> bool {
        self.all_steps().iter().any(|(_, step)| step.query.is_some() || step.transaction.is_some())
    }
}

/// How long a call of a class holds a connection to a box in some steps: a query holds one while it is answered, a
/// transaction over all its steps.
fn hold(steps: &[Step], to: &str, class: &RequestClass, is_inside: bool) -> Hold {
    let mut sum = Hold { amount: 1.0, ..Hold::default() };
    for step in steps {
        let share = step.share(class);
        let opens = step.transaction.as_deref() == Some(to);
        let inner = hold(&step.steps, to, class, is_inside || opens);
        let mean_s = |dist: &Option<Dist>| dist.as_ref().map_or(0.0, |dist| dist.variate().mean());
        let own = if is_inside { share } else { 0.0 };
        sum.cpu_s += own * mean_s(&step.cpu) + share * inner.cpu_s;
        sum.wait_s += own * mean_s(&step.wait) + share * inner.wait_s;
        if let Some(asked) = step.query.as_deref().filter(|asked| is_inside || *asked == to) {
            sum.answers.push((asked.to_owned(), share * step.calls()));
        }
        if let Some(asked) = step.call.as_ref().filter(|_| is_inside) {
            // Parallel calls are answered at the same time.
            sum.answers.push((asked.clone(), share * f64::from(step.times.unwrap_or(1))));
        }
        sum.answers.extend(inner.answers.into_iter().map(|(asked, times)| (asked, share * times)));
    }
    sum
}
