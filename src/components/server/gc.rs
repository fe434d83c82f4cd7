//! `gc`: a heap that calls fill, and the pauses in which it is collected.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::component::Cx;
use crate::model::problems::Problems;
use crate::model::quantity::{Bytes, Duration};
use crate::model::signal::About;

use super::{GC_OVER, Server, gauges};

/// `gc = { heap = "256MiB" }`: a runtime that collects garbage, and stops all cores for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GcSpec {
    /// Size of the heap. Default: "256MiB" [T].
    pub heap: Option<Bytes>,
    /// What lives in it without calls. Default: "64MiB" [T].
    pub live: Option<Bytes>,
    /// What each call allocates when it comes to a worker, and keeps to its end. Default: "1MiB" [T].
    pub allocate: Option<Bytes>,
    /// Time of a collection, in which all cores stand still. Default: "50ms" [T].
    pub pause: Option<Duration>,
    /// What each call that holds a worker adds to it. Default: "0ms" [T].
    pub per_live_call: Option<Duration>,
}

impl GcSpec {
    fn heap(&self) -> u64 {
        self.heap.map_or(256 << 20, |bytes| bytes.0)
    }

    fn live(&self) -> u64 {
        self.live.map_or(64 << 20, |bytes| bytes.0)
    }

    fn allocate(&self) -> u64 {
        self.allocate.map_or(1 << 20, |bytes| bytes.0)
    }

    fn pause(&self) -> SimDuration {
        self.pause.map_or(SimDuration::from_millis(50), |pause| pause.0)
    }

    /// Reports values that mean nothing.
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.allocate() == 0 {
            problems.error(
                "gc.allocate",
                "calls that allocate nothing never fill a heap",
                "such as \"1MiB\"",
            );
        }
        if self.live() + self.allocate() > self.heap() {
            let message = "what lives in the heap leaves no room for a call";
            let key = if self.live.is_some() { "gc.live" } else { "gc.heap" };
            problems.error(key, message, "a larger `heap`, or less that lives in it");
        }
        let is_free = self.pause().is_zero() && self.per_live_call.is_none_or(|time| time.0.is_zero());
        if is_free {
            problems.error("gc.pause", "a collection that takes no time changes nothing", "such as \"50ms\"");
        }
    }
}

/// The heap of a process.
#[derive(Debug)]
pub(super) struct Gc {
    spec: GcSpec,
    /// Bytes in it.
    used: u64,
    /// Number of calls that hold a worker.
    calls: u64,
    /// When the collection that goes on began.
    since: Option<SimTime>,
}

impl Gc {
    pub(super) fn new(spec: GcSpec) -> Gc {
        Gc { used: spec.live(), spec, calls: 0, since: None }
    }

    /// What lives in it now.
    fn lives(&self) -> u64 {
        self.spec.live() + self.calls * self.spec.allocate()
    }

    fn is_full(&self) -> bool {
        self.used + self.spec.allocate() > self.spec.heap()
    }
}

impl Server {
    /// A call that has a worker allocates its memory. A heap that is full is collected.
    #[cold]
    pub(super) fn allocate(&mut self, cx: &mut Cx<'_>) {
        let Some(gc) = &mut self.gc else { return };
        gc.calls += 1;
        gc.used += gc.spec.allocate();
        if gc.is_full() && gc.since.is_none() {
            let each = gc.spec.per_live_call.map_or(SimDuration::ZERO, |time| time.0);
            gc.since = Some(cx.now());
            cx.alarm(gc.spec.pause() + each.saturating_mul(gc.calls), GC_OVER, About::Nothing);
            cx.halt_cores(true);
        }
    }

    /// A call that held a worker has ended: what it kept is garbage.
    #[cold]
    pub(super) fn forget(&mut self) {
        if let Some(gc) = &mut self.gc {
            gc.calls -= 1;
        }
    }

    /// A collection is over. A heap that is full at once is the end of the process.
    #[cold]
    pub(super) fn collected(&mut self, cx: &mut Cx<'_>) {
        let Some(gc) = &mut self.gc else { return };
        let Some(since) = gc.since.take() else { return };
        cx.time(gauges::GC_PAUSE, cx.now().since(since));
        cx.halt_cores(false);
        gc.used = gc.lives();
        if gc.is_full() {
            self.kill(cx);
        }
    }

    /// The process is gone, and its heap.
    pub(super) fn drop_heap(&mut self, cx: &mut Cx<'_>) {
        if let Some(gc) = &mut self.gc {
            **gc = Gc::new(gc.spec);
            cx.halt_cores(false);
        }
    }
}
