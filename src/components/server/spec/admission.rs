//! What a scenario says about the calls that a server lets in: its queue, their order, and limits.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::class::priorities;
use crate::model::quantity::{Bytes, Duration, Rate};
use crate::model::spec::{Problems, RequestClass};
use crate::parts::door::{self, Limits, Whose};
use crate::queueing::codel::Codel;
use crate::queueing::pool::Order;
use crate::queueing::token_bucket::TokenBucket;

use super::{Scheduling, ServerSpec};
use crate::components::server::gauges::LIMIT;

/// Connections that Tomcat 10.1 accepts by default, worked on or not [V: its manual, `maxConnections`]. Six hundred requests
/// to 200 threads all wait, the longest for 10.2 s, and none is refused (measured).
const CONNECTIONS: u32 = 8192;

/// Connections that wait in the kernel beyond these [V: Tomcat's manual, `acceptCount`].
const BACKLOG: u32 = 100;

/// What happens when the machine's memory is exhausted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnMemory {
    /// The call is rejected.
    #[default]
    Reject,
    /// The operating system kills the process: every call inside is lost, and it restarts.
    OomKill,
    /// Memory beyond the machine's is on a disk, and all work takes longer; beyond the `swap` the process is killed.
    Swap,
}

/// `swap = { size = "2GiB" }`: memory on a disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwapSpec {
    /// Its size. Default: "2GiB" [T].
    pub size: Option<Bytes>,
    /// All work of the machine takes 1 + `penalty` x the share of the memory that is on the disk times as long: about 1000 for an SSD, 100000 for a disk [S]. Default: 1000.
    pub penalty: Option<f64>,
}

/// What the kernel does with connections when the listen queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Overflow {
    /// It drops the attempt; the caller's kernel tries again each second, and from 5 s on ever more rarely (Linux, `tcp_abort_on_overflow` of 0 [V]).
    #[default]
    Drop,
    /// It refuses the connection (Linux with `tcp_abort_on_overflow` of 1 [V], Windows).
    Refuse,
}

/// Which of the calls that wait for a worker is worked on first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum QueueOrder {
    /// The one that has waited longest.
    #[default]
    Fifo,
    /// The one that came last.
    Lifo,
    /// The one that came last while more calls wait than there are workers, else the one that has waited longest [S: Maurer 2015].
    Adaptive,
}

/// `shed = { age = "1s" }`, `shed = { codel = {} }`: calls that have waited too long are dropped when they come to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shed {
    /// The longest wait after which a call is still worked on. Default: every wait.
    pub age: Option<Duration>,
    /// The control of standing queues. Default: none.
    pub codel: Option<CodelSpec>,
}

/// While the shortest wait of the last interval was above the target, calls that have waited more than twice the target are
/// dropped, as in Facebook's folly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CodelSpec {
    /// The wait that is fine. Default: "5ms", as folly [V].
    pub target: Option<Duration>,
    /// The time after which it is looked at again. Default: "100ms", as folly [V].
    pub interval: Option<Duration>,
}

impl CodelSpec {
    fn target(&self) -> SimDuration {
        self.target.map_or(SimDuration::from_millis(5), |target| target.0)
    }

    fn interval(&self) -> SimDuration {
        self.interval.map_or(SimDuration::from_millis(100), |interval| interval.0)
    }
}

/// A limit on the rate of calls: a token bucket.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Calls a second that pass in the long run.
    pub rate: Rate,
    /// Number of calls that can pass at the same time after a quiet period, as Envoy's `max_tokens` and the burst of AWS; nginx's
    /// `burst` is one less. Default: one second's worth.
    pub burst: Option<u32>,
    /// Whose calls share a bucket. Default: "all".
    #[serde(default)]
    pub per: Per,
}

/// Whose calls share the bucket of a rate limit. A machine keeps 100,000 buckets; then the one that has been idle for longest goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    /// All calls.
    #[default]
    All,
    /// Those of each client.
    Client,
    /// Those of each class.
    Class,
    /// Those of each user.
    User,
}

impl RateLimit {
    /// The limit at run time.
    fn rate(self) -> door::Rate {
        let RateLimit { rate, burst, per } = self;
        let bucket = match burst {
            Some(burst) => TokenBucket::new(rate.0, burst),
            None => TokenBucket::of_a_second(rate.0),
        };
        let whose = match per {
            Per::All => None,
            Per::Client => Some(Whose::Client),
            Per::Class => Some(Whose::Class),
            Per::User => Some(Whose::User),
        };
        door::Rate::new(bucket, whose)
    }
}

impl ServerSpec {
    /// Whether those of a higher priority can take cores from others, and do.
    pub(in crate::components::server) fn check_preempt(
        &self,
        classes: &[RequestClass],
        problems: &mut Problems,
    ) {
        let key = "preempt";
        if !self.preempt {
            return;
        }
        if self.on.is_some() {
            problems.error(key, "the machine's owner says how its cores are shared", "set it there");
        } else if self.scheduling != Scheduling::Fifo || self.sigma > 0.0 || self.kappa > 0.0 {
            let help = "scheduling = \"fifo\", without `sigma` and `kappa`";
            problems.error(key, "a core can be taken from a call only if it has one of its own", help);
        } else if priorities(classes).is_empty() {
            let message = "all classes have the same priority, so that nobody gives way";
            problems.warn(key, message, "give a class a `priority`, or leave the key out");
        } else if self.workers() <= self.hardware().machine().cores {
            let message = format!("it never acts: each of {} workers has a core of its own", self.workers());
            problems.warn(key, message, "give more `workers`");
        }
    }

    fn queue(&self) -> u32 {
        self.queue.unwrap_or_else(|| CONNECTIONS.saturating_sub(self.workers()))
    }

    /// Connections that wait in the kernel.
    fn backlog(&self) -> u32 {
        self.backlog.unwrap_or(if self.queue.is_some() { 0 } else { BACKLOG })
    }

    /// The admission limits of each machine.
    pub(in crate::components::server) fn limits(&self) -> Limits {
        Limits {
            rates: vec![self.rate_limit.map(RateLimit::rate)],
            limit: self.limit.and_then(|limit| limit.concurrency()).map(|limit| (limit, LIMIT)),
            slots: self.workers(),
            queue: self.queue(),
            order: match self.queue_order {
                QueueOrder::Fifo => Order::Fifo,
                QueueOrder::Lifo => Order::Lifo,
                QueueOrder::Adaptive => Order::Adaptive,
            },
            age: self.shed.and_then(|shed| shed.age).map(|age| age.0),
            codel: self
                .shed
                .and_then(|shed| shed.codel)
                .map(|codel| Codel::new(codel.target(), codel.interval())),
            backlog: self.backlog(),
            refuses: self.overflow == Overflow::Refuse,
            base_memory: self.base_memory(),
            memory_per_call: self.memory_per_call.map_or(4 << 20, |bytes| bytes.0),
            kills: self.on_memory != OnMemory::Reject,
            ..Limits::default()
        }
    }

    /// Checks the keys that say what it lets in.
    pub(super) fn check_admission(&self, problems: &mut Problems) {
        self.check_shed(problems);
        self.check_rate(problems);
        let inside = [self.workers(), self.queue(), self.backlog()].map(u64::from).iter().sum();
        if let Some(limit) = self.limit {
            limit.check(inside, problems);
        }
    }

    fn check_shed(&self, problems: &mut Problems) {
        let no_queue = self.queue == Some(0) && self.backlog() == 0;
        if no_queue && (self.queue_order != QueueOrder::Fifo || self.shed.is_some()) {
            let key = if self.shed.is_some() { "shed" } else { "queue_order" };
            problems.warn(
                key,
                "nobody ever waits for a worker: `queue` is 0",
                "give it a queue, or leave the key out",
            );
        }
        let Some(shed) = self.shed else { return };
        if shed.age.is_none() && shed.codel.is_none() {
            let help = "such as shed = { age = \"1s\" }, or shed = { codel = {} }";
            problems.error("shed", "it says nothing about which calls are dropped", help);
        }
        if shed.age.is_some_and(|age| age.0.is_zero()) {
            problems.error("shed.age", "then every call that waits is dropped", "that is queue = 0");
        }
        let Some(codel) = shed.codel else { return };
        if codel.target().is_zero() {
            problems.error(
                "shed.codel.target",
                "a target of no wait is never met",
                "such as target = \"5ms\"",
            );
        }
        if codel.interval() < codel.target() {
            let (interval, target) = (Duration(codel.interval()), Duration(codel.target()));
            let message =
                format!("an interval of {interval} is too short to tell whether calls wait {target}");
            problems.error("shed.codel.interval", message, "folly looks each 100ms at a target of 5ms");
        }
    }

    fn check_rate(&self, problems: &mut Problems) {
        if let Some(limit) = &self.rate_limit
            && (limit.rate.0 <= 0.0 || limit.burst == Some(0))
        {
            problems.error(
                "rate_limit",
                "a rate limit lets at least something pass",
                "leave the key out for no limit",
            );
        }
    }
}
