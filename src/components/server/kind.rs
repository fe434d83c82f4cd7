//! What the loader, the reports and the static model ask of a group of servers.

use crate::kernel::time::SimDuration;
use crate::model::ask::{Scope, Verbs};
use crate::model::component::Component;
use crate::model::failing::check_failing;
use crate::model::fitting::{WorkCost, WorkSort};
use crate::model::lever::Lever;
use crate::model::resource::Resource;
use crate::model::site::Site;
use crate::model::spec::{
    Arrow, Closes, Demand, Files, Knows, MachineSpec, Outline, Pooled, Problems, RequestClass, Spec,
};
use crate::parts::hardware::check_contention;

use super::spec::{Per, Scheduling, ServerSpec};
use super::step::{all, read_steps, shares};
use super::{Server, fitted};

/// Largest number of steps of one server. Longer lists are written by programs, not by people.
const STEPS_MAX: usize = 1000;

impl Spec for ServerSpec {
    fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (at, step) in self.all_steps() {
            // A database that is called is asked a query, without a connection of the pool.
            let called = Verbs::WORK.and(Verbs::QUERY);
            let queried = step.queries();
            let targets = [
                ("query", &step.query, queried),
                ("transaction", &step.transaction, Verbs::QUERY),
                ("call", &step.call, called),
                ("cache", &step.cache, Verbs::GET),
            ];
            for (key, to, asks) in targets {
                if let Some(to) = to {
                    arrows.push(Arrow { key: format!("{at}.{key}"), to: to.clone(), asks, public: false });
                }
            }
        }
        let store = self.sessions.iter().filter_map(|sessions| sessions.store.clone());
        let asks = Verbs::GET;
        arrows.extend(store.map(|to| Arrow { key: "sessions.store".to_owned(), to, asks, public: false }));
        arrows
    }

    fn attempts_of(&self, key: &str) -> u32 {
        let at = key.rsplit_once('.').map_or(key, |(at, _)| at);
        let steps = self.all_steps();
        let step = steps.iter().find(|(path, _)| path == at);
        step.map_or(1, |(_, step)| step.calling().attempts())
    }

    fn host(&self) -> Option<&str> {
        self.on.as_deref()
    }

    fn knows(&self) -> Option<Knows> {
        match &self.sessions {
            Some(sessions) if sessions.is_on_machine() => return Some(Knows::Here("sessions")),
            Some(_) => return Some(Knows::Apart("sessions")),
            None => {}
        }
        let per_user = self.rate_limit.is_some_and(|limit| limit.per == Per::User);
        per_user.then_some(Knows::Apart("rate_limit.per"))
    }

    fn is_public(&self) -> bool {
        self.public
    }

    fn members(&self) -> u32 {
        self.count.unwrap_or(1)
    }

    fn reserve(&mut self, members: u32) -> bool {
        self.comes_and_goes = true;
        self.count = Some(members);
        true
    }

    fn machine(&self) -> Option<MachineSpec> {
        if self.on.is_some() {
            return None;
        }
        let machine = self.hardware().machine();
        let limit = (self.scheduling != Scheduling::Ps).then_some(machine.cores);
        let lifo = self.scheduling == Scheduling::Lifo;
        let quota = self.cpu_quota.map(|quota| quota.quota());
        let swap = self.swaps();
        let (sigma, kappa, preempts) = (self.sigma, self.kappa, self.preempt);
        Some(MachineSpec { swap, limit, lifo, preempts, sigma, kappa, quota, ..machine })
    }

    fn resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        self.all_resources(classes)
    }

    fn pools(&self) -> Vec<Pooled> {
        self.all_pools()
    }

    fn closes(&self) -> Option<Closes> {
        Some(self.keeping().closes())
    }

    fn patience(&self) -> Option<(&'static str, SimDuration)> {
        self.timeout.map(|timeout| ("timeout", timeout.0))
    }

    fn levers(&self) -> Vec<Lever> {
        self.all_levers()
    }

    fn sorts(&self, classes: &[RequestClass]) -> Vec<WorkSort> {
        fitted::sorts(classes)
    }

    fn fitted(&self, table: &toml::Table, costs: &[WorkCost]) -> Result<Vec<(&'static str, String)>, String> {
        fitted::fitted(table, costs)
    }

    fn demand(&self, class: &RequestClass) -> Demand {
        let mut demand = Demand::default();
        let (working, answer_s) = self.without_work();
        demand.wait_s += answer_s;
        demand.differs |= working < 1.0;
        for (share, step) in
            shares(&self.steps, class).into_iter().map(|(share, step)| (working * share, step))
        {
            demand.cpu_s += share * step.cpu.as_ref().map_or(0.0, |dist| dist.variate().mean());
            demand.wait_s += share * step.wait.as_ref().map_or(0.0, |dist| dist.variate().mean());
            if let (Some(cache), Some(miss)) = (&step.cache, &step.miss) {
                let elsewhere = miss.query.as_ref().or(miss.call.as_ref());
                demand.calls.push((cache.clone(), share));
                demand.missed.extend(elsewhere.map(|to| (cache.clone(), to.clone(), share * miss.calls())));
            }
            if let Some(to) = step.query.as_ref().or(step.call.as_ref()) {
                demand.calls.push((to.clone(), share * step.calls()));
                let times = f64::from(step.times.unwrap_or(1));
                demand.beside.push((to.clone(), share * (step.calls() - times)));
                demand.differs |= share > 0.0 && share < 1.0;
                if step.scope() != Scope::default() {
                    demand.queries.push((to.clone(), share * step.calls(), step.scope()));
                }
            }
        }
        // Nobody logs in often.
        let store = self.sessions.iter().filter_map(|sessions| sessions.store.clone());
        demand.calls.extend(store.map(|store| (store, working)));
        demand
    }

    fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        self.hardware().check(self.on.as_deref(), problems);
        self.check_limits(problems);
        check_contention(self.sigma, self.kappa, problems);
        if let Some(quota) = &self.cpu_quota {
            quota.check(self.hardware().machine().cores, problems);
            if self.on.is_some() {
                problems.error(
                    "cpu_quota",
                    "the quota is that of a machine of its own",
                    "set it at the machine's owner",
                );
            }
        }
        self.check_swap(problems);
        if let Some(gc) = &self.gc {
            gc.check(problems);
            if self.on.is_some() {
                let help = "give the heap to the machine's owner";
                problems.error("gc", "a collection stops the cores of a machine of its own", help);
            }
        }
        if let Some(liveness) = &self.liveness {
            liveness.check(problems);
        }
        if let Some(errors) = self.errors {
            check_failing("errors.", Some(errors.share), errors.time, problems);
        }
        if self.steps.is_empty() {
            let help = "give it work, such as steps = [{ cpu = \"5ms\" }]";
            problems.error("", "a server without steps does nothing", help);
        }
        if self.all_steps().len() > STEPS_MAX {
            problems.error("steps", format!("a server has at most {STEPS_MAX} steps"), "");
        }
        self.check_preempt(outline.classes, problems);
        if let Some(sessions) = &self.sessions {
            sessions.check(outline, problems);
        }
        if self.on.is_some() && self.scheduling != Scheduling::Ps {
            problems.error("scheduling", "the machine's owner says how its cores are shared", "set it there");
        }
        for class in outline.classes.iter().filter(|class| class.units > self.workers()) {
            let message = format!(
                "a request of class `{}` takes {} workers at once, and there are {}: it would wait for ever",
                class.name,
                class.units,
                self.workers()
            );
            problems.error("workers", message, format!("at least {}, or fewer `units`", class.units));
        }
        for (at, step) in all(&self.steps) {
            step.check(&at, outline, problems);
        }
    }

    fn read_files(&mut self, files: &dyn Files, problems: &mut Problems) {
        if let Some(cost) = &mut self.connect_cpu {
            cost.resolve("connect_cpu", files, problems);
        }
        read_steps("steps", &mut self.steps, files, problems);
        if let Some(login) = self.sessions.as_mut().and_then(|sessions| sessions.login.as_deref_mut()) {
            read_steps("sessions.login", std::slice::from_mut(login), files, problems);
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        Box::new(Server::new(self, site))
    }
}
