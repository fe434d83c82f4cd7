//! Checks the keys of a balancer.

use super::spec::{BalancerSpec, Mode, PolicyKind, RETRIES_MAX};
use crate::kernel::time::SimDuration;
use crate::model::quantity::{Dist, Duration};
use crate::model::spec::Problems;
use crate::parts::checks::Pace;
use crate::parts::failure::Failure;

/// Largest number of checks in a row that change a state.
const ROW_MAX: u16 = 1000;

/// Largest number of points on the ring of a target of weight 1.
const VIRTUAL_NODES_MAX: u32 = 1000;

/// The largest weight, as in HAProxy [V]: a ring has the weight times the virtual nodes.
const WEIGHT_MAX: f64 = 256.0;

impl BalancerSpec {
    pub(super) fn check_targets(&self, problems: &mut Problems) {
        if self.targets.is_empty() {
            let help = "name a server: targets = [\"web\"]";
            problems.error("targets", "a balancer without targets has nobody to ask", help);
        }
        for (entry, name) in self.targets.iter().enumerate() {
            if self.targets[..entry].contains(name) {
                let key = format!("targets[{entry}]");
                problems.error(key, format!("`{name}` is a target already"), "give it a larger weight");
            }
        }
        let Some(weights) = &self.weights else { return };
        if weights.len() != self.targets.len() {
            let message = format!("weights: {}, targets: {}", weights.len(), self.targets.len());
            problems.error("weights", message, "one weight for each entry of `targets`");
        }
        if !weights.iter().all(|weight| *weight > 0.0 && *weight <= WEIGHT_MAX) {
            let message = format!("a weight is a number above zero and at most {WEIGHT_MAX}");
            problems.error("weights", message, "only the ratios of the weights count");
        }
        if self.policy_kind() == PolicyKind::RoundRobin {
            let help = "use policy = \"weighted\"";
            problems.error("weights", "weights do nothing under policy = \"round-robin\"", help);
        }
    }

    pub(super) fn check_policy(&self, problems: &mut Problems) {
        let policy = self.policy_kind();
        let only = [
            ("distinct", self.distinct.is_some(), PolicyKind::TwoChoices, "two-choices"),
            ("virtual_nodes", self.virtual_nodes.is_some(), PolicyKind::Hash, "hash"),
            ("bounded_load", self.bounded_load.is_some(), PolicyKind::Hash, "hash"),
            ("decay", self.decay.is_some(), PolicyKind::Ewma, "ewma"),
        ];
        for (key, given, wanted, name) in only {
            if given && policy != wanted {
                let message = format!("`{key}` goes with policy = \"{name}\" only");
                problems.error(key, message, "drop the key");
            }
        }
        if self.virtual_nodes.is_some_and(|nodes| !(1..=VIRTUAL_NODES_MAX).contains(&nodes)) {
            problems.error("virtual_nodes", format!("a target has 1 to {VIRTUAL_NODES_MAX} of them"), "");
        }
        if self.bounded_load.is_some_and(|bound| !(bound.is_finite() && bound >= 1.0)) {
            problems.error("bounded_load", "a target may have its own share: at least 1", "1.25 is usual");
        }
        if self.decay.is_some_and(|decay| decay.0.is_zero()) {
            problems.error("decay", "an average that forgets at once is none", "10s is usual");
        }
    }

    pub(super) fn check_capacity(&self, problems: &mut Problems) {
        self.hardware().check(None, problems);
        if self.demand.is_none() && self.connect_cpu.is_none() {
            for (key, given) in [("cores", self.cores.is_some()), ("speed", self.speed.is_some())] {
                if given {
                    let help = "say what a call costs, such as demand = \"50us\"";
                    problems.error(key, format!("`{key}` does nothing without `demand`"), help);
                }
            }
        }
        if self.connections == Some(0) {
            problems.error(
                "connections",
                "`connections` must be at least 1",
                "leave the key out for no limit",
            );
        }
        if let Some(queue) = self.queue {
            if self.connections.is_none() {
                let help = "say how many calls are inside at once: connections = 1000";
                problems.error("queue", "nobody waits without a limit of `connections`", help);
            }
            if queue.limit == 0 {
                problems.error("queue.limit", "a queue has room for at least one", "drop `queue`");
            }
            if queue.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
                problems.error("queue.timeout", "nobody can wait no time at all", "drop `queue`");
            }
        }
        self.check_target_connections(problems);
        if let Some(limit) = self.limit {
            let waiting = self.queue.map_or(0, |queue| queue.limit);
            let inside = self.connections.map(|most| u64::from(most) + u64::from(waiting));
            limit.check(inside.unwrap_or(u64::MAX), problems);
        }
        if self.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            problems.error("timeout", "no target answers in no time", "leave the key out for no limit");
        }
        if self.connect_timeout.is_some() {
            let settings = self.settings();
            settings.connecting.check(settings.timeout.unwrap_or(SimDuration::MAX), problems);
        }
        if let Some(warning) = self.demand.as_ref().and_then(Dist::warning) {
            problems.warn("demand", warning, "");
        }
    }

    fn check_target_connections(&self, problems: &mut Problems) {
        if self.target_connections == Some(0) {
            let help = "leave the key out for no limit";
            problems.error("target_connections", "a target has at least one call at a time", help);
        }
        if self.target_connections.is_some() && self.settings().sticky.is_some() {
            let message = "a call goes to whichever target has room, and a user who is kept goes to one only";
            problems.error("target_connections", message, "leave one of the two out");
        }
        if self.mode == Mode::Connection
            && (self.target_connections.is_some() || self.settings().sticky.is_some())
        {
            let message = "a user goes where the connection goes, which `target_connections` and `sticky` decide otherwise";
            problems.error("mode", message, "leave the others out");
        }
        let Some(queue) = self.target_queue else { return };
        if self.target_connections.is_none() {
            let help = "say how many calls a target has at most: target_connections = 100";
            problems.error("target_queue", "nobody waits for a target without `target_connections`", help);
        }
        if queue.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            problems.error("target_queue.timeout", "nobody can wait no time at all", "such as limit = 0");
        }
    }

    pub(super) fn check_health(&self, problems: &mut Problems) {
        let (Some(health), Some(checks)) = (self.health, self.settings().checks) else { return };
        if checks.interval.is_zero() {
            problems.error("health.interval", "checks need a pause between them", "2s is usual");
        } else if checks.pace == Pace::AfterStart && checks.timeout > checks.interval {
            let key = if health.timeout.is_some() { "health.timeout" } else { "health.interval" };
            let message = format!(
                "the timeout of a check ({}) is longer than the interval ({})",
                Duration(checks.timeout),
                Duration(checks.interval)
            );
            problems.error(key, message, "a check must be over when the next one starts");
        }
        if checks.timeout.is_zero() {
            problems.error("health.timeout", "nobody answers a check in no time", "");
        }
        for (key, value) in [("fall", checks.fall), ("rise", checks.rise)] {
            if !(1..=ROW_MAX).contains(&value) {
                let message = format!("`{key}` lies between 1 and {ROW_MAX}, not {value}");
                problems.error(format!("health.{key}"), message, "the number of checks in a row");
            }
        }
    }

    pub(super) fn check_ejection(&self, problems: &mut Problems) {
        let (Some(_), Some(ejection)) = (self.ejection, self.settings().ejection) else { return };
        if ejection.failures == 0 {
            problems.error(
                "ejection.failures",
                "a target must fail at least once to be ejected",
                "5 is usual",
            );
        }
        if ejection.base.is_zero() {
            problems.error("ejection.base", "an ejection of no time is none", "30s is usual");
        } else if ejection.longest < ejection.base {
            problems.error("ejection.max", "the longest ejection is at least the first", "raise `max`");
        }
        if ejection.max_share <= 0.0 {
            problems.error(
                "ejection.max_share",
                "with a share of 0 nobody is ever ejected",
                "drop `ejection`",
            );
        }
    }

    pub(super) fn check_recovery(&self, problems: &mut Problems) {
        let settings = self.settings();
        if settings.retries > RETRIES_MAX {
            problems.error("retries", format!("a call is tried again at most {RETRIES_MAX} times"), "");
        }
        let judges = settings.checks.is_some() || settings.ejection.is_some();
        let needs = [("panic", self.panic.is_some()), ("slow_start", self.slow_start.is_some())];
        for (key, given) in needs {
            if given && !judges {
                let message = format!("`{key}` does nothing where no target is ever taken out");
                problems.error(key, message, "add `health` or `ejection`");
            }
        }
        let retry_keys = [
            ("retries_on", self.retries_on.is_some()),
            ("retries_at", self.retries_at.is_some()),
            ("retries_pause", self.retries_pause.is_some()),
            ("retries_budget", self.retries_budget.is_some() && self.hedge.is_none()),
        ];
        for (key, given) in retry_keys {
            if given && settings.retries == 0 {
                problems.error(key, format!("`{key}` does nothing without `retries`"), "add retries = 1");
            }
        }
        self.care().check("", problems);
        if self.breaker.is_some() && self.target_connections.is_some() {
            let help = "use `ejection`, or a `breaker` of the clients";
            let message = "calls that wait for a target with room know nothing of breakers";
            problems.error("breaker", message, help);
        }
        if self.hedge.is_some() && settings.sticky.is_some() {
            let help = "drop one of the two";
            problems.error(
                "hedge",
                "the session of a user is at one target, so that no other can answer",
                help,
            );
        }
        if let Some(budget) = &self.retries_budget {
            budget.check("retries_budget", problems);
        }
        if self.retries_on.as_ref().is_some_and(Vec::is_empty) {
            let help = "name a failure, such as \"connect\", or set retries = 0";
            problems.error("retries_on", "nothing is tried again after no failure", help);
        }
        let on = self.retries_on.iter().flatten();
        if on.clone().any(|failure| *failure == Failure::Timeout) && settings.timeout.is_none() {
            let help = "say how long a target may take: timeout = \"2s\"";
            problems.error("retries_on", "no call times out without `timeout`", help);
        }
        let unweighted = [PolicyKind::Hash, PolicyKind::IpHash];
        if self.slow_start.is_some() && unweighted.contains(&self.policy_kind()) {
            let help = "use \"round-robin\", \"weighted\", \"random\", \"least-connections\", \"two-choices\" or \"ewma\"";
            problems.error("slow_start", "the policy has no weights that could grow", help);
        }
        if self.sticky.and_then(|sticky| sticky.expire).is_some_and(|expire| expire.0.is_zero()) {
            problems.error("sticky.expire", "a cookie that expires at once keeps nobody", "drop `sticky`");
        }
    }
}
