//! What a scenario says about a group of servers.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

mod admission;
mod pool;
mod sessions;

pub use admission::{CodelSpec, OnMemory, Overflow, Per, QueueOrder, RateLimit, Shed, SwapSpec};
pub(super) use pool::Lasting;
pub use pool::{PoolSpec, PoolTable};
pub use sessions::SessionsSpec;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::failing::ErrorsSpec;
use crate::model::quantity::{Bytes, Dist, Duration};
use crate::model::spec::{Problems, Spec as _};
use crate::parts::connecting::Connecting;
use crate::parts::connections::Keeping;
use crate::parts::hardware::Hardware;
use crate::parts::limit::LimitSpec;

use super::gc::GcSpec;
use super::liveness::LivenessSpec;
use super::quota::CpuQuota;
use super::step::{Step, all};

/// How the cores are shared among the calls that hold a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scheduling {
    /// All calls at the same time, in equal shares, as in an operating system.
    #[default]
    Ps,
    /// One call for each core, in order of arrival.
    Fifo,
    /// One call for each core, the latest arrival first.
    Lifo,
}

/// `[server.NAME]`: a group of identical machines that work through steps for every call.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSpec {
    /// Number of identical machines. Default: 1.
    pub count: Option<u32>,
    /// Whether clients can reach it. Default: false.
    #[serde(default)]
    pub public: bool,
    /// The box whose machine it shares: cores, memory, disk and crashes.
    pub on: Option<String>,
    /// A machine of the catalogue (`outgrow list instances`).
    pub instance: Option<String>,
    /// Number of cores. Default: the instance's, else 1.
    pub cores: Option<u32>,
    /// Memory. Default: the instance's, else "4GiB".
    pub memory: Option<Bytes>,
    /// Work a core does a second, relative to the reference instance. Default: the instance's, else 1.
    pub speed: Option<f64>,
    /// USD an hour a machine. Default: the instance's, else 0.
    pub price: Option<f64>,
    /// How the cores are shared among the calls that hold a worker. Default: "ps".
    #[serde(default)]
    pub scheduling: Scheduling,
    /// Whether a call of a higher `priority` takes a core at once from one of a lower priority, which goes on later where it was. Needs
    /// `scheduling = "fifo"`. Default: false.
    #[serde(default)]
    pub preempt: bool,
    /// Number of calls that are worked on at once. A call holds its worker to the end, also while it waits downstream.
    /// Default: 200, as Tomcat 10.1 (`maxThreads`) [V].
    pub workers: Option<u32>,
    /// Number of calls that may wait for a worker, without a limit of time; beyond it they wait in the `backlog`, or are
    /// rejected if that is 0. Default: 7992, as Tomcat 10.1: `maxConnections` 8192 less 200 threads [V].
    pub queue: Option<u32>,
    /// Which of the calls that wait for a worker is worked on first. Default: "fifo".
    #[serde(default)]
    pub queue_order: QueueOrder,
    /// Calls that have waited too long are dropped when they come to a worker. Default: none.
    pub shed: Option<Shed>,
    /// Largest number of connections that wait in the kernel's listen queue if the queue is full. Default: 100, as Tomcat 10.1
    /// (`acceptCount`) [V]; 0 if `queue` is given.
    pub backlog: Option<u32>,
    /// What the kernel does with connections when the listen queue is full. Default: "drop", as Linux [V].
    #[serde(default)]
    pub overflow: Overflow,
    /// Memory of the process without calls. Default: "512MiB" [T].
    pub base_memory: Option<Bytes>,
    /// Memory of each call that a worker works on; one that waits is a socket. Default: "4MiB" [T].
    pub memory_per_call: Option<Bytes>,
    /// What happens when the memory is exhausted. Default: "reject".
    #[serde(default)]
    pub on_memory: OnMemory,
    /// The memory on a disk, with `on_memory = "swap"`.
    pub swap: Option<SwapSpec>,
    /// Time that the process takes to come back after it was killed. Default: "10s" [T].
    pub restart: Option<Duration>,
    /// Longest wait for each answer of another box; after it the call fails. Default: for ever, that is until the
    /// operating system gives the connection up after 924.6 s.
    pub timeout: Option<Duration>,
    /// Whether it looks at the deadline that calls bring with them, before each step and when it takes one from a queue, and passes
    /// the earlier of that and of its own `timeout` on. Calls bring one from users with `propagate`. Default: false.
    #[serde(default)]
    pub propagate: bool,
    /// Whether it tells those whom it has asked when it waits for them no longer, because of its `timeout` or because its own
    /// caller has done so. Default: false; they go on, and nobody takes their answers.
    #[serde(default)]
    pub cancel: bool,
    /// Longest wait for a connection to another box, within `timeout`. Default: "131s", as Linux [V].
    pub connect_timeout: Option<Duration>,
    /// Time for which it keeps a connection that is idle, where its callers say what connections cost. A call that is sent less than a
    /// round trip before its end is lost. Default: "75s", as nginx [V].
    pub idle_timeout: Option<Duration>,
    /// Number of requests after which it closes a connection. Default: no limit.
    pub max_requests: Option<u32>,
    /// Core time of each new connection, before the first step of its first request, which holds its worker meanwhile. Default: none.
    pub connect_cpu: Option<Dist>,
    /// Core time of the page that a balancer's check asks for. Default: "0.1ms" [T].
    pub health_cpu: Option<Duration>,
    /// Whether a worker of its own makes that page, so that it does not wait for one. Default: false.
    #[serde(default)]
    pub health_worker: bool,
    /// Checks that kill the process when it does not answer; it is back after `restart`. Default: none.
    pub liveness: Option<LivenessSpec>,
    /// A limit on the rate of calls; those beyond it are throttled.
    pub rate_limit: Option<RateLimit>,
    /// The calls that may be inside at once, those that wait among them; further ones are rejected at once. Default: no limit.
    pub limit: Option<LimitSpec>,
    /// Connections to each database; queries wait for one. A table says how long they wait, and how long connections stay open. Default:
    /// 10, as HikariCP.
    pub db_pool: Option<PoolSpec>,
    /// Connections of each pool that stay open though nobody uses them, and count at the `connections` of each node of the
    /// database. Default: 0 [T]; HikariCP keeps all of its pool open (`minimumIdle`) [V].
    pub pool_min: Option<u32>,
    /// Longest wait for a connection of the pool; after it the call fails. Default: "30s", as HikariCP
    /// (`connectionTimeout`) [V]; PgBouncer's `query_wait_timeout` is "120s".
    pub pool_timeout: Option<Duration>,
    /// The core time that the machine may use in each period, as a container may. Default: no limit.
    pub cpu_quota: Option<CpuQuota>,
    /// A heap that calls fill, and the pauses in which it is collected. Default: none.
    pub gc: Option<GcSpec>,
    /// Contention: the share of work that is serial, as in the universal scalability law. Default: 0.
    #[serde(default)]
    pub sigma: f64,
    /// Coherency: the cost of keeping cores in step, as in the universal scalability law. Default: 0.
    #[serde(default)]
    pub kappa: f64,
    /// Errors that it answers. Default: none.
    pub errors: Option<ErrorsSpec>,
    /// Who is logged in, and what knows it. Default: nobody asks.
    pub sessions: Option<SessionsSpec>,
    /// Whether the number of machines changes over a trial; `count` is the greatest one then. No key: another table says so.
    #[serde(skip)]
    pub(super) comes_and_goes: bool,
    /// The work for a call, one step after the other.
    #[serde(default)]
    pub steps: Vec<Step>,
}

impl ServerSpec {
    /// All steps, the login too, each with its path.
    pub(super) fn all_steps(&self) -> Vec<(String, &Step)> {
        let login = self.sessions.iter().filter_map(|sessions| sessions.login.as_deref());
        let login = login.map(|login| ("sessions.login".to_owned(), login));
        all(&self.steps).into_iter().chain(login).collect()
    }

    pub(super) fn workers(&self) -> u32 {
        self.workers.unwrap_or(200)
    }

    /// Memory of the process without calls, in bytes.
    pub(super) fn base_memory(&self) -> u64 {
        self.base_memory.map_or(512 << 20, |bytes| bytes.0)
    }

    /// The time limit for connections.
    pub(super) fn connecting(&self) -> Connecting {
        Connecting(self.connect_timeout)
    }

    /// What it does with connections to it.
    pub(super) fn keeping(&self) -> Keeping<'_> {
        let &ServerSpec { idle_timeout, max_requests, .. } = self;
        Keeping { idle_timeout, max_requests, connect_cpu: self.connect_cpu.as_ref() }
    }

    pub(super) fn hardware(&self) -> Hardware<'_> {
        Hardware {
            instance: self.instance.as_deref(),
            cores: self.cores,
            memory: self.memory,
            speed: self.speed,
            price: self.price,
        }
    }

    /// Whether the number of its cores is that of its type of machine.
    pub(super) fn has_typed_cores(&self) -> bool {
        self.instance.is_some() && self.cores.is_none()
    }

    pub(super) fn check_limits(&self, problems: &mut Problems) {
        if self.workers == Some(0) {
            problems.error("workers", "`workers` must be at least 1", "");
        }
        self.check_pool(problems);
        self.keeping().check(problems);
        self.check_admission(problems);
        if self.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            problems.error("timeout", "who waits no time at all gets no answer", "leave the key out to wait");
        }
        if self.timeout.is_some() && self.arrows().is_empty() {
            let help = "it limits the answers of other boxes; a client has its own `timeout`";
            problems.error("timeout", "no step asks another box, so that nothing is waited for", help);
        }
        if self.cancel && self.arrows().is_empty() {
            let help = "it ends what it is asked for by itself when its caller cancels it";
            problems.error("cancel", "no step asks another box, so that nothing is cancelled", help);
        }
        self.connecting().check(self.timeout.map_or(SimDuration::MAX, |timeout| timeout.0), problems);
        if self.connect_timeout.is_some() && self.arrows().is_empty() {
            let help = "it limits the connections to other boxes; a client has its own `connect_timeout`";
            problems.error("connect_timeout", "no step asks another box, so that nothing is connected", help);
        }
        if self.on.is_none() && self.base_memory() >= self.hardware().machine().memory {
            let message = "the process alone needs more memory than the machine has";
            problems.error("base_memory", message, "give the machine more `memory`, or the process less");
        }
    }
}
