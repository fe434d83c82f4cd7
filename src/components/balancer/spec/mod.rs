//! What a scenario says about a balancer.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

mod presets;
mod settings;

pub use presets::Preset;
pub(super) use settings::Settings;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Balancer;
use super::upstream::UpstreamSpec;
use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::component::Component;
use crate::model::lever::{Ill, Lever, Setting};
use crate::model::quantity::{Dist, Duration, Share};
use crate::model::resource::{CONNECTIONS, CPU, Resource};
use crate::model::site::Site;
use crate::model::spec::{
    Arrow, Closes, Demand, Files, Knows, MachineSpec, Outline, Problems, RequestClass, Spec,
};
use crate::parts::breaker::BreakerSpec;
use crate::parts::budget::BudgetSpec;
use crate::parts::calling::CallingSpec;
use crate::parts::checks::CheckKind;
use crate::parts::connections::Keeping;
use crate::parts::failure::Failure;
use crate::parts::hardware::Hardware;
use crate::parts::hedge::HedgeSpec;
use crate::parts::limit::LimitSpec;
use crate::parts::retry::BUDGETS;
use crate::parts::throttle::ThrottleSpec;

use presets::Defaults;

/// Largest number of targets that one call is tried at after the first.
pub(super) const RETRIES_MAX: u16 = 8;

/// How a balancer chooses a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyKind {
    /// One after the other.
    RoundRobin,
    /// One after the other by weight, spread evenly, as nginx does; without weights the same as `round-robin`.
    Weighted,
    /// At random, by weight.
    Random,
    /// The one with the fewest calls of this balancer, relative to its weight.
    LeastConnections,
    /// Of two at random, by weight, the one with fewer calls of this balancer.
    TwoChoices,
    /// Of two at random, the one with the smaller product of mean response time and calls + 1 (peak EWMA, as Finagle
    /// and Linkerd).
    Ewma,
    /// Consistent hashing of the user on a ring.
    Hash,
    /// The hash of the user modulo the weights.
    IpHash,
    /// `weighted` for a user's first request, then always the same target: a cookie.
    Sticky,
}

/// Active checks.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthSpec {
    /// Time from the end of one check, which is its answer or its timeout, to the start of the next; of `aws-alb` from
    /// start to start. Default: the preset's, else "2s", as HAProxy [V].
    pub interval: Option<Duration>,
    /// Longest time that an answer may take. Default: the preset's, else the interval, as HAProxy [V].
    pub timeout: Option<Duration>,
    /// Number of failures in a row that take a target out. Default: the preset's, else 3, as HAProxy [V].
    pub fall: Option<u16>,
    /// Number of successes in a row that bring it back. Default: the preset's, else 2, as HAProxy [V].
    pub rise: Option<u16>,
    /// The kind of check. Default: the preset's, else "connect", as HAProxy [V].
    pub kind: Option<CheckKind>,
}

/// Passive ejection: a target that fails calls is left out for a while.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EjectionSpec {
    /// Number of failures in a row that eject a target. Default: the preset's, else 5, as Envoy [V].
    pub failures: Option<u32>,
    /// Time of the first ejection; the n-th takes n times as long. Default: the preset's, else "30s", as Envoy [V].
    pub base: Option<Duration>,
    /// Time of the longest ejection. Default: the preset's, else "300s", as Envoy [V]; at least `base`.
    pub max: Option<Duration>,
    /// Largest share of the targets that is ejected: of fewer than ten targets 10 % is none. Default: the preset's, else
    /// "10%", as Envoy [V].
    pub max_share: Option<Share>,
    /// Whether one target may be ejected even if it is a larger share. Default: false, as Envoy's `always_eject_one_host` [V].
    pub always_one: Option<bool>,
    /// Time between the sweeps at which targets come back whose time is over, and at which one ejection of each target in
    /// service is forgiven; at "0s" each comes back at its own time. Default: the preset's, else "10s", as Envoy's `interval` [V].
    pub sweep: Option<Duration>,
    /// Time after which a success makes earlier failures forgotten; at "0s" each success does, so that failures count in a
    /// row only. Default: of `nginx` the time of the ejection, else "0s", as Envoy [V].
    pub within: Option<Duration>,
    /// Whether one call tests a target whose time is over, before it gets others. Default: of `nginx` true, else false, as
    /// Envoy [V].
    pub probe: Option<bool>,
    /// What counts as a failure. Default: the preset's, else "errors".
    pub counts: Option<Counts>,
}

/// When a target is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// For each request.
    #[default]
    Request,
    /// For each connection. Those of users whose client says nothing about connections stay open for ever.
    Connection,
}

/// What counts as a failure of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// Every answer with a code of 500 and more, connections that fail, and answers that do not come.
    Errors,
    /// Connections that fail, and answers that do not come.
    Connections,
}

/// Where a call is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Again {
    /// At targets that it has not tried.
    Others,
    /// At the target that has failed.
    Same,
}

/// Calls that wait for one of the balancer's `connections`, or for a target with room.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueSpec {
    /// Number of calls that may wait; beyond it they are rejected.
    pub limit: u32,
    /// Longest wait of a call; after it the call is rejected. Default: as long as it takes.
    pub timeout: Option<Duration>,
}

/// What happens to a user whose target is out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Gone {
    /// The user gets another target; the session at the old one is lost.
    #[default]
    Move,
    /// The call fails until the target is back.
    Fail,
}

/// Cookies that keep users with their target. Users of an open `rate`, who make one request only, have none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StickySpec {
    /// What happens to a user whose target is out. Default: "move".
    #[serde(default)]
    pub gone: Gone,
    /// Time after which a cookie that is not used expires. Default: "1d", as the AWS ALB [V].
    pub expire: Option<Duration>,
}

/// `[balancer.NAME]`: sends each call to one of several targets. All that it knows of them are its own calls and the
/// results of its checks.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BalancerSpec {
    /// Whether clients can reach it. Default: false.
    #[serde(default)]
    pub public: bool,
    /// Servers, all machines of each, and other balancers.
    pub targets: Vec<String>,
    /// Weight of each machine of each entry of `targets`. Default: 1 each.
    pub weights: Option<Vec<f64>>,
    /// A product whose defaults are used; other keys replace them.
    pub preset: Option<Preset>,
    /// How a target is chosen. Default: the preset's, else "weighted".
    pub policy: Option<PolicyKind>,
    /// For `two-choices`: whether the two targets differ, as those of nginx do; those of HAProxy and Envoy are drawn one by
    /// one among all, so that they can be the same. Default: the preset's, else true [V].
    pub distinct: Option<bool>,
    /// Points on the ring of a target of weight 1, for `hash`. Default: 100 [T].
    pub virtual_nodes: Option<u32>,
    /// For `hash`: a target with more than this many times its share of the calls gets no more; they go to the next one
    /// on the ring. Default: no bound.
    pub bounded_load: Option<f64>,
    /// Time after which a response time counts e times less, for `ewma`. Default: "10s", as Finagle [V].
    pub decay: Option<Duration>,
    /// A machine of the catalogue (`outgrow list instances`).
    pub instance: Option<String>,
    /// Number of cores. Default: the instance's, else 1.
    pub cores: Option<u32>,
    /// Work a core does a second, relative to the reference instance. Default: the instance's, else 1.
    pub speed: Option<f64>,
    /// USD an hour. Default: the instance's, else 0. A pair costs twice as much.
    pub price: Option<f64>,
    /// Core time of each call. Default: none; it costs nothing.
    pub demand: Option<Dist>,
    /// Largest number of calls inside at the same time; further ones wait in the `queue`, or are rejected. Default: no
    /// limit.
    pub connections: Option<u32>,
    /// Calls that wait for one of the `connections`. Default: none may.
    pub queue: Option<QueueSpec>,
    /// Number of calls that each target has at most; further ones wait here and go to the first target that has room, as with HAProxy's
    /// `maxconn` of a server. Default: no limit.
    pub target_connections: Option<u32>,
    /// The calls that wait for such a target. Default: all that come, as long as it takes, as HAProxy's `maxqueue` of 0 [V].
    pub target_queue: Option<QueueSpec>,
    /// The calls that may be inside at once, those that wait among them; further ones are rejected at once. Default: no limit.
    pub limit: Option<LimitSpec>,
    /// Longest time that a target may take to answer a call. Default: the preset's, else as long as it takes.
    pub timeout: Option<Duration>,
    /// Longest time that a connection to a target may take, within `timeout`. Default: the preset's, else "131s", as Linux [V].
    pub connect_timeout: Option<Duration>,
    /// Time for which it keeps a connection to it that is idle, where its callers say what connections cost. A call that is sent less
    /// than a round trip before its end is lost. Default: "75s", as nginx [V].
    pub idle_timeout: Option<Duration>,
    /// Number of requests after which it closes a connection to it. Default: no limit.
    pub max_requests: Option<u32>,
    /// Core time of each new connection to it, beside that of the first call over it. Default: none.
    pub connect_cpu: Option<Dist>,
    /// Connections to targets that take a round trip to open, and are kept from call to call. Default: they cost nothing.
    pub upstream: Option<UpstreamSpec>,
    /// When a target is chosen: for each request, or once for each connection of a user, as by a balancer of TCP. Default: "request".
    #[serde(default)]
    pub mode: Mode,
    /// Active checks. Default: the preset's, else none.
    pub health: Option<HealthSpec>,
    /// Passive ejection. Default: the preset's, else none.
    pub ejection: Option<EjectionSpec>,
    /// If fewer than this share of the targets are in service, all targets get calls; with 0, if none is. Default: the
    /// preset's, else never.
    pub panic: Option<Share>,
    /// Number of further tries of a call that has failed. A write that may have been done is never sent again. Default: the
    /// preset's, else 0.
    pub retries: Option<u16>,
    /// The failures after which it is tried again. Default: the preset's, else "connect" and "reset".
    pub retries_on: Option<Vec<Failure>>,
    /// Where it is tried again. Default: the preset's, else "others".
    pub retries_at: Option<Again>,
    /// Pause before each further try. Default: the preset's, else none.
    pub retries_pause: Option<Duration>,
    /// A bound on the further tries of all calls together, as the `budget` of a user's `retry`. Default: none.
    pub retries_budget: Option<BudgetSpec>,
    /// A circuit breaker before each target: one that is open gets no calls. Default: none.
    pub breaker: Option<BreakerSpec>,
    /// A second call for an answer that takes long, to another target. It is paid from `retries_budget`. Default: none.
    pub hedge: Option<HedgeSpec>,
    /// Calls that are refused before they are sent on, while too few are accepted. Default: none.
    pub throttle: Option<ThrottleSpec>,
    /// Time until a target that comes back has its full weight. Default: at once.
    pub slow_start: Option<Duration>,
    /// Keeps each user with one target by a cookie, whatever the policy.
    pub sticky: Option<StickySpec>,
    /// A second balancer takes over 2.6 to 3.6 s after the active one has crashed (VRRP, RFC 5798 [V]), and 0.6 s after a planned
    /// stop; its connections are lost.
    #[serde(default)]
    pub standby: bool,
    /// Before a `deploy` stops a target, it gets no new calls until those inside it have ended, or for this time; then they are cut
    /// off. Default: the preset's, else a `deploy` stops it at once.
    pub drain: Option<Duration>,
}

impl BalancerSpec {
    /// Returns the weight of each machine of an entry of `targets`.
    pub(super) fn weight(&self, entry: usize) -> f64 {
        self.weights.as_ref().and_then(|weights| weights.get(entry)).copied().unwrap_or(1.0)
    }

    pub(super) fn policy_kind(&self) -> PolicyKind {
        self.policy.unwrap_or(Defaults::of(self.preset).policy)
    }

    /// What it does with connections to it.
    pub(super) fn keeping(&self) -> Keeping<'_> {
        let &BalancerSpec { idle_timeout, max_requests, .. } = self;
        Keeping { idle_timeout, max_requests, connect_cpu: self.connect_cpu.as_ref() }
    }

    /// What it does besides trying again.
    pub(super) fn care(&self) -> CallingSpec<'_> {
        CallingSpec {
            retry: None,
            breaker: self.breaker.as_ref(),
            hedge: self.hedge.as_ref(),
            throttle: self.throttle.as_ref(),
        }
    }

    pub(super) fn hardware(&self) -> Hardware<'_> {
        Hardware {
            instance: self.instance.as_deref(),
            cores: self.cores,
            memory: None,
            speed: self.speed,
            price: self.price,
        }
    }
}

impl Spec for BalancerSpec {
    fn knows(&self) -> Option<Knows> {
        match self.policy_kind() {
            _ if self.sticky.is_some() => Some(Knows::User("sticky")),
            PolicyKind::Sticky => Some(Knows::User("policy")),
            _ if self.mode == Mode::Connection => Some(Knows::User("mode")),
            _ => None,
        }
    }

    fn arrows(&self) -> Vec<Arrow> {
        let arrow = |(entry, name): (usize, &String)| Arrow {
            key: format!("targets[{entry}]"),
            to: name.clone(),
            asks: Verbs::WORK,
            public: false,
        };
        self.targets.iter().enumerate().map(arrow).collect()
    }

    fn is_public(&self) -> bool {
        self.public
    }

    fn drains(&self) -> Option<SimDuration> {
        self.settings().drain
    }

    fn follows_members(&self) -> bool {
        true
    }

    fn hears_of_stops(&self) -> bool {
        true
    }

    fn says_goodbye(&self) -> bool {
        self.standby
    }

    fn detail(&self) -> Option<String> {
        self.standby.then(|| "with a standby".to_owned())
    }

    /// A machine only if the scenario gives a key for one; otherwise the balancer costs nothing.
    fn machine(&self) -> Option<MachineSpec> {
        if self.demand.is_none() && self.connect_cpu.is_none() && !self.hardware().is_given() {
            return None;
        }
        let machine = self.hardware().machine();
        let boxes = if self.standby { 2.0 } else { 1.0 };
        Some(MachineSpec { price: machine.price * boxes, ..machine })
    }

    fn resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        self.all_resources(classes)
    }

    fn keeps_open(&self) -> Option<(&'static str, SimDuration)> {
        let upstream = self.upstream?;
        let key = if upstream.keep_alive.is_some() { "upstream.keep_alive" } else { "upstream" };
        Some((key, upstream.keeps()))
    }

    fn closes(&self) -> Option<Closes> {
        Some(self.keeping().closes())
    }

    fn patience(&self) -> Option<(&'static str, SimDuration)> {
        self.settings().timeout.map(|timeout| ("timeout", timeout))
    }

    fn attempts(&self) -> u32 {
        (u32::from(self.settings().retries) + 1) * self.care().attempts()
    }

    fn levers(&self) -> Vec<Lever> {
        let machine = self.machine().map(|machine| self.hardware().larger(&machine, &[CPU], 0..1));
        let connections = self.connections.map(|limit| {
            let now = Setting::Whole(limit);
            Lever::relief("connections", (now, now.twice(f64::INFINITY)), &[CONNECTIONS], 0..1)
        });
        let settings = self.settings();
        let off = Setting::Whole(0);
        let checks = settings.checks.is_none();
        let checks = checks.then(|| Lever::cure("health.interval", off, Setting::Word("2s"), &[Ill::Dead]));
        let tries = settings.retries == 0;
        let tries = tries.then(|| Lever::cure("retries", off, Setting::Whole(1), &[Ill::Dead, Ill::Slow]));
        let ejects = self.ejection.is_none();
        let ejects = ejects.then(|| {
            Lever::remedy("ejection", "{ max_share = \"50%\" }", &[Ill::Wrong]).together("ejection")
        });
        let standby = (!self.standby)
            .then(|| Lever::cure("standby", Setting::Word("false"), Setting::Word("true"), &[Ill::Dead]));
        let budget = (settings.retries > 0 && self.retries_budget.is_none())
            .then(|| Lever::remedy("retries_budget", "20%", &[Ill::Storm]).together(BUDGETS));
        let limit = self.limit.and_then(|limit| limit.lever(1));
        machine
            .into_iter()
            .chain(connections)
            .chain(limit)
            .chain(ejects)
            .chain(checks)
            .chain(settings.connecting.lever())
            .chain(tries)
            .chain(standby)
            .chain(budget)
            .collect()
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        let spread = self.targets.iter().enumerate().map(|(entry, name)| (name.clone(), self.weight(entry)));
        Demand {
            cpu_s: self.demand.as_ref().map_or(0.0, |demand| demand.variate().mean()),
            spread: spread.collect(),
            ..Demand::default()
        }
    }

    fn check(&self, _outline: &Outline<'_>, problems: &mut Problems) {
        self.check_targets(problems);
        self.check_policy(problems);
        self.check_capacity(problems);
        self.keeping().check(problems);
        if let Some(upstream) = &self.upstream {
            upstream.check(problems);
        }
        self.check_health(problems);
        self.check_ejection(problems);
        self.check_recovery(problems);
    }

    fn read_files(&mut self, files: &dyn Files, problems: &mut Problems) {
        if let Some(demand) = &mut self.demand {
            demand.resolve("demand", files, problems);
        }
        if let Some(cost) = &mut self.connect_cpu {
            cost.resolve("connect_cpu", files, problems);
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        Box::new(Balancer::new(self, site))
    }
}
