//! What a scenario says about one step of a server's work.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::ask::{Scatter, Scope, Verbs};
use crate::model::quantity::{Dist, Duration, Share};
use crate::model::spec::{Files, Outline, Problems, RequestClass};
use crate::parts::breaker::BreakerSpec;
use crate::parts::calling::CallingSpec;
use crate::parts::hedge::HedgeSpec;
use crate::parts::retry::Retry;
use crate::parts::throttle::ThrottleSpec;

use super::scatter::ScatterSpec;

/// Largest number of repetitions of a step, and of parallel branches.
const TIMES_MAX: u32 = 10_000;

/// Largest number of parts, or of other entities, of a query.
const ASKED_MAX: u16 = 10_000;

/// Largest number of entities that the last hop of a traversal may find; more would be a batch job.
const FOUND_MAX: f64 = 1e9;

/// One step of the work for a call: exactly one of `cpu`, `wait`, `query`, `call`, `transaction` and `cache`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Step {
    /// Core time at speed 1.
    pub cpu: Option<Dist>,
    /// Time that holds a worker but no core: I/O elsewhere.
    pub wait: Option<Dist>,
    /// Time by which a `wait` is longer for each other call that holds a worker when it begins: a resource behind it that slows
    /// down with load. Only for `wait`. Default: none.
    pub per_inside: Option<Duration>,
    /// A query to a database, over a pooled connection.
    pub query: Option<String>,
    /// A call to another box.
    pub call: Option<String>,
    /// A transaction at a database: the `steps` in it hold one connection from the first to the last, and their queries to
    /// that database go over it. A transaction inside takes a second connection. The commit is the database's part of each
    /// write; it costs no message of its own.
    pub transaction: Option<String>,
    /// A cache that is asked for the data. What it does not have, `miss` gets, and the cache keeps it; a write is done by `miss`, and
    /// the cache is told.
    pub cache: Option<String>,
    /// The query or call that gets what the `cache` does not have.
    pub miss: Option<Box<Step>>,
    /// The steps of a transaction.
    pub steps: Vec<Step>,
    /// Number of repetitions, one after the other. Default: 1.
    pub times: Option<u32>,
    /// Parts of the entity that a query asks for: rows to look up at an engine with tables, one value elsewhere. Only
    /// for `query`. Default: none.
    pub parts: Option<u16>,
    /// Number of other entities that a query asks for along with its own. An engine with joins gets them by a join;
    /// others need one query for each, one after the other. Only for `query`. Default: none.
    pub joins: Option<u16>,
    /// Number of hops of a traversal that begins at the entity, over `fanout` neighbours of each. An engine that cannot
    /// traverse gets a query for each hop, which asks for all that the hop before has found. Only for `query`. Default:
    /// none.
    pub hops: Option<u8>,
    /// Neighbours of each entity, with `hops`.
    pub fanout: Option<u16>,
    /// Shards that a query asks at once, "all" or their number: that of the key and others. The step ends with the last answer, and fails if
    /// one of them fails. Only for `query`, of a database whose data are divided. Default: the shard of the key alone.
    pub scatter: Option<ScatterSpec>,
    /// Whether a query with `scatter` is answered without the shards that fail, if one does not. Default: false.
    pub partial: bool,
    /// An optimistic write: the query reads the row, and a second one writes it if nobody has written it meanwhile; else the step ends as
    /// `conflict`, and a `retry` reads the row again. Only for `query`, of a database without replicas. Default: false.
    pub swap: bool,
    /// Number of parallel calls; the step ends with the last answer. Only for `call`.
    pub parallel: Option<u32>,
    /// Tries after the first, of each call of this step. Its worker, its memory and its connection are held meanwhile. Only for
    /// `query` and `call`. Default: none.
    pub retry: Option<Retry>,
    /// A circuit breaker of each machine before the box that this step asks. Only for `query` and `call`. Default: none.
    pub breaker: Option<BreakerSpec>,
    /// A second call for an answer that takes long. Only for `query` and `call`. Default: none.
    pub hedge: Option<HedgeSpec>,
    /// Calls that each machine refuses itself while too few are accepted; they end as throttled and reach nobody. Only for `query`
    /// and `call`. Default: none.
    pub throttle: Option<ThrottleSpec>,
    /// Share of the calls that take this step. Default: all.
    pub chance: Option<Share>,
    /// Only for requests of this class. Default: for all.
    pub class: Option<String>,
}

impl Step {
    /// Returns what its query needs of the box that it asks.
    pub(super) fn queries(&self) -> Verbs {
        match self {
            Step { swap: true, .. } => Verbs::SWAP,
            Step { scatter: Some(_), .. } => Verbs::SCATTER,
            _ => Verbs::QUERY,
        }
    }

    /// Returns what its query asks for beyond the entity itself.
    pub(super) fn scope(&self) -> Scope {
        Scope {
            parts: self.parts.unwrap_or(0),
            joins: self.joins.unwrap_or(0),
            fanout: self.fanout.unwrap_or(0),
            hops: self.hops.unwrap_or(0),
            gone: 0,
            scatter: self.scatter.map_or(Scatter::KEY, |shards| Scatter::over(shards.number(), self.partial)),
        }
    }

    /// Returns how it calls.
    pub(super) fn calling(&self) -> CallingSpec<'_> {
        CallingSpec {
            retry: self.retry.as_ref(),
            breaker: self.breaker.as_ref(),
            hedge: self.hedge.as_ref(),
            throttle: self.throttle.as_ref(),
        }
    }

    fn check_calling(&self, at: &str, problems: &mut Problems) {
        let keys = [
            ("retry", self.retry.is_some()),
            ("breaker", self.breaker.is_some()),
            ("hedge", self.hedge.is_some()),
            ("throttle", self.throttle.is_some()),
        ];
        for (key, given) in keys {
            if given && self.query.is_none() && self.call.is_none() {
                let help = "write it at the steps that do";
                problems.error(format!("{at}.{key}"), "this step asks no other box", help);
            }
        }
        self.calling().check(&format!("{at}."), problems);
    }

    fn check_cache(&self, at: &str, outline: &Outline<'_>, problems: &mut Problems) {
        match (&self.cache, &self.miss) {
            (Some(_), None) => {
                let help = "such as miss = { query = \"db\" }";
                problems.error(at, "where does it come from what the cache does not have?", help);
            }
            (None, Some(_)) => problems.error(format!("{at}.miss"), "only a `cache` has a `miss`", ""),
            (None, None) => {}
            (Some(_), Some(miss)) => {
                self.warn_of_one_key(at, outline, problems);
                let at = format!("{at}.miss");
                miss.check(&at, outline, problems);
                miss.check_once(&at, "what a cache does not have comes from a `query` or a `call`", problems);
            }
        }
    }

    /// Warns of classes that ask a cache for one entry only.
    fn warn_of_one_key(&self, at: &str, outline: &Outline<'_>, problems: &mut Problems) {
        let asks = |class: &&RequestClass| !class.writes && self.share(class) > 0.0;
        for class in outline.classes.iter().filter(asks) {
            if class.keys.count == 1 && !class.keys.is_given {
                let message = format!(
                    "the data of `{}` are one single key, so that all reads ask for the same entry",
                    class.name
                );
                let help = format!("[request.{}] keys = 100000, zipf = 0.99", class.name);
                problems.warn(format!("{at}.cache"), message, help);
            }
        }
    }

    /// Reports that a step does not ask for one thing once.
    pub(super) fn check_once(&self, at: &str, message: &str, problems: &mut Problems) {
        if self.query.is_none() && self.call.is_none() {
            problems.error(at, message, "write the rest as steps of their own");
        }
        let others = [
            ("chance", self.chance.is_some()),
            ("class", self.class.is_some()),
            ("times", self.times.is_some()),
            ("parallel", self.parallel.is_some()),
            ("swap", self.swap),
        ];
        for (key, _) in others.iter().filter(|(_, given)| *given) {
            let message = format!("this is asked for once: `{key}` goes with other steps");
            problems.error(format!("{at}.{key}"), message, "drop the key");
        }
    }

    fn check_swap(&self, at: &str, problems: &mut Problems) {
        if !self.swap {
            return;
        }
        let others = [
            ("parts", self.parts.is_some()),
            ("joins", self.joins.is_some()),
            ("hops", self.hops.is_some()),
            ("hedge", self.hedge.is_some()),
        ];
        if self.query.is_none() {
            let help = "name a database: query = \"db\"";
            problems.error(format!("{at}.swap"), "only a `query` writes a row", help);
        } else if let Some((key, _)) = others.iter().find(|(_, given)| *given) {
            let message = format!("an optimistic write is of one row, once: it has no `{key}`");
            problems.error(format!("{at}.{key}"), message, "write it as another step");
        }
    }

    fn check_scatter(&self, at: &str, outline: &Outline<'_>, problems: &mut Problems) {
        let Some(scatter) = self.scatter else {
            if self.partial {
                let message = "`partial` does nothing without `scatter`";
                problems.error(format!("{at}.partial"), message, "such as scatter = \"all\"");
            }
            return;
        };
        let others = [
            ("joins", self.joins.is_some()),
            ("hops", self.hops.is_some()),
            ("swap", self.swap),
            ("hedge", self.hedge.is_some()),
        ];
        let Some(name) = &self.query else {
            let help = "name a database: query = \"db\"";
            return problems.error(format!("{at}.scatter"), "only a `query` asks shards", help);
        };
        if let Some((key, _)) = others.iter().find(|(_, given)| *given) {
            let message = format!("a query of several shards has no `{key}`");
            problems.error(format!("{at}.{key}"), message, "write it as another step");
        }
        let shards = outline.divided.get(name.as_str()).map_or(1, |divided| divided.shards);
        if let ScatterSpec::Some(number) = scatter
            && (number == 0 || shards > 1 && u32::from(number) > shards)
        {
            let message = format!("`{name}` has {shards} shards, so that {number} cannot be asked at once");
            problems.error(format!("{at}.scatter"), message, format!("1 to {shards}, or \"all\""));
        }
    }

    fn check_asks(&self, at: &str, outline: &Outline<'_>, problems: &mut Problems) {
        for (key, given) in [
            ("parts", self.parts.is_some()),
            ("joins", self.joins.is_some()),
            ("hops", self.hops.is_some()),
            ("fanout", self.fanout.is_some()),
        ] {
            if given && self.query.is_none() {
                problems.error(format!("{at}.{key}"), format!("only a `query` asks for `{key}`"), "");
            }
        }
        for (key, value) in [("parts", self.parts), ("joins", self.joins)] {
            if value.is_some_and(|value| !(1..=ASKED_MAX).contains(&value)) {
                problems.error(format!("{at}.{key}"), format!("`{key}` lies between 1 and {ASKED_MAX}"), "");
            }
        }
        let divided = self.query.as_ref().and_then(|name| outline.divided.get(name.as_str()));
        if divided.is_some_and(|divided| !divided.joins) {
            for (key, given) in [("joins", self.joins.is_some()), ("hops", self.hops.is_some())] {
                if given {
                    let message =
                        "an engine with joins joins within a shard, and other entities lie in others";
                    let help = "ask for each by a step of its own, or take another engine";
                    problems.error(format!("{at}.{key}"), message, help);
                }
            }
        }
        match (self.hops, self.fanout) {
            (None, None) => {}
            (Some(hops), Some(fanout)) => {
                let found = libm::pow(f64::from(fanout), f64::from(hops));
                if hops == 0 || fanout == 0 || found > FOUND_MAX {
                    let message = format!("a traversal finds 1 to {FOUND_MAX:e} entities at its last hop");
                    problems.error(format!("{at}.hops"), message, "that is `fanout` to the power of `hops`");
                }
                if self.joins.is_some() {
                    let help = "write two steps";
                    problems.error(format!("{at}.joins"), "a query either joins or traverses", help);
                }
            }
            (Some(_), None) => {
                let help = "how many neighbours has each entity? Such as fanout = 50";
                problems.error(format!("{at}.hops"), "missing key `fanout`", help);
            }
            (None, Some(_)) => {
                let message = "`fanout` does nothing without `hops`";
                problems.error(format!("{at}.fanout"), message, "such as hops = 2");
            }
        }
    }

    /// Returns the number of calls that the step makes to another box each time it is taken: of an optimistic write that meets no other
    /// these are two.
    pub(super) fn calls(&self) -> f64 {
        let each = if self.swap { 2.0 } else { 1.0 };
        each * f64::from(self.times.unwrap_or(1)) * f64::from(self.parallel.unwrap_or(1))
    }

    /// Returns the share of the calls of a class that take the step.
    pub(super) fn share(&self, class: &RequestClass) -> f64 {
        let applies = self.class.as_ref().is_none_or(|name| *name == class.name);
        if applies { self.chance.map_or(1.0, |chance| chance.0) } else { 0.0 }
    }

    pub(super) fn check(&self, at: &str, outline: &Outline<'_>, problems: &mut Problems) {
        let actions = [
            self.cpu.is_some(),
            self.wait.is_some(),
            self.query.is_some(),
            self.call.is_some(),
            self.transaction.is_some(),
            self.cache.is_some(),
        ];
        if actions.iter().filter(|given| **given).count() != 1 {
            let help = "one of `cpu`, `wait`, `query`, `call`, `transaction` and `cache`; write two things as two steps";
            problems.error(at, "a step does exactly one thing", help);
        }
        match (self.transaction.is_some(), self.steps.is_empty()) {
            (true, true) => {
                let help = "such as steps = [{ query = \"db\" }, { query = \"db\" }]";
                problems.error(at, "a transaction without steps does nothing", help);
            }
            (false, false) => problems.error(format!("{at}.steps"), "only a `transaction` has `steps`", ""),
            _ => {}
        }
        if self.parallel.is_some() && self.call.is_none() {
            problems.error(format!("{at}.parallel"), "only a `call` goes out in parallel", "use `times`");
        }
        if self.times.is_some() && self.query.is_none() && self.call.is_none() {
            problems.error(
                format!("{at}.times"),
                "only a `query` or a `call` is repeated",
                "give the time of all in one",
            );
        }
        for (key, value) in [("times", self.times), ("parallel", self.parallel)] {
            if value.is_some_and(|value| !(1..=TIMES_MAX).contains(&value)) {
                problems.error(format!("{at}.{key}"), format!("`{key}` lies between 1 and {TIMES_MAX}"), "");
            }
        }
        if self.per_inside.is_some() && self.wait.is_none() {
            let message = "only a `wait` is longer with more calls inside";
            problems.error(
                format!("{at}.per_inside"),
                message,
                "calls that share cores slow each other down anyway",
            );
        }
        self.check_cache(at, outline, problems);
        self.check_asks(at, outline, problems);
        self.check_swap(at, problems);
        self.check_scatter(at, outline, problems);
        self.check_calling(at, problems);
        self.check_class(at, outline, problems);
        for (key, dist) in [("cpu", &self.cpu), ("wait", &self.wait)] {
            if let Some(warning) = dist.as_ref().and_then(Dist::warning) {
                problems.warn(format!("{at}.{key}"), warning, "");
            }
        }
    }

    fn check_class(&self, at: &str, outline: &Outline<'_>, problems: &mut Problems) {
        if let Some(class) = &self.class
            && !outline.classes.iter().any(|known| known.name == *class)
        {
            let known: Vec<&str> = outline.classes.iter().map(|known| known.name.as_str()).collect();
            problems.error(
                format!("{at}.class"),
                format!("no request class `{class}`"),
                format!("the classes are {}", known.join(", ")),
            );
        }
    }
}

/// All steps, those in transactions too, each with its path.
pub(super) fn all(steps: &[Step]) -> Vec<(String, &Step)> {
    fn add<'a>(path: &str, steps: &'a [Step], all: &mut Vec<(String, &'a Step)>) {
        for (index, step) in steps.iter().enumerate() {
            let at = format!("{path}[{index}]");
            all.push((at.clone(), step));
            add(&format!("{at}.steps"), &step.steps, all);
            if let Some(miss) = &step.miss {
                all.push((format!("{at}.miss"), miss));
            }
        }
    }
    let mut found = Vec::new();
    add("steps", steps, &mut found);
    found
}

/// All steps, those in transactions too, each with the share of the calls of a class that take it.
pub(super) fn shares<'a>(steps: &'a [Step], class: &RequestClass) -> Vec<(f64, &'a Step)> {
    let of = |step: &'a Step| {
        let share = step.share(class);
        let inner = shares(&step.steps, class).into_iter().map(move |(inner, step)| (share * inner, step));
        std::iter::once((share, step)).chain(inner)
    };
    steps.iter().flat_map(of).collect()
}

/// Reads the files that the steps at `path` name.
pub(super) fn read_steps(path: &str, steps: &mut [Step], files: &dyn Files, problems: &mut Problems) {
    for (index, step) in steps.iter_mut().enumerate() {
        for (key, dist) in [("cpu", &mut step.cpu), ("wait", &mut step.wait)] {
            if let Some(dist) = dist {
                dist.resolve(&format!("{path}[{index}].{key}"), files, problems);
            }
        }
        read_steps(&format!("{path}[{index}].steps"), &mut step.steps, files, problems);
        if let Some(miss) = &mut step.miss {
            read_steps(&format!("{path}[{index}].miss"), std::slice::from_mut(miss), files, problems);
        }
    }
}
