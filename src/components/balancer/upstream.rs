//! `Upstream`: the connections to targets that a balancer keeps, those first that were used last.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::Deserialize;

use super::gauges;
use crate::kernel::time::SimDuration;
use crate::model::component::Cx;
use crate::model::quantity::Duration;
use crate::model::signal::{CallId, ComponentId};
use crate::model::spec::Problems;
use crate::parts::connections::{Counts, Kept, Way};

/// Greatest number of connections that are kept to a target.
const IDLE_MAX: u32 = 100_000;

/// A connection to a target takes one round trip, for TCP.
const TRIPS: u8 = 1;

/// Connections to targets that take a round trip to open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpstreamSpec {
    /// Time for which one is kept that is idle. Default: "60s", as nginx [V].
    pub keep_alive: Option<Duration>,
    /// Number of them that are kept idle for each target; 0 opens one for each call. Default: 32, as nginx since 1.29.7 [V].
    pub idle: Option<u32>,
}

impl UpstreamSpec {
    /// The time for which one is kept; none if they are not kept at all.
    pub(super) fn keeps(&self) -> SimDuration {
        let time = self.keep_alive.map_or(SimDuration::from_secs(60), |time| time.0);
        if self.idle == Some(0) { SimDuration::ZERO } else { time }
    }

    pub(super) fn check(&self, problems: &mut Problems) {
        if self.idle.is_some_and(|idle| idle > IDLE_MAX) {
            problems.error(
                "upstream.idle",
                format!("at most {IDLE_MAX} connections are kept to a target"),
                "",
            );
        }
        if self.keep_alive.is_some() && self.idle == Some(0) {
            let help = "leave one of the two keys out";
            problems.error("upstream.keep_alive", "no connection is kept: `idle` is 0", help);
        }
    }
}

/// The connections that are open and not in use.
#[derive(Debug)]
pub(super) struct Upstream {
    keep_alive: SimDuration,
    idle: usize,
    /// Those to each target, in the order in which they came free.
    kept: Vec<VecDeque<Kept>>,
}

impl Upstream {
    /// No connection to any of a number of targets.
    pub(super) fn new(spec: UpstreamSpec, targets: usize) -> Upstream {
        let idle = spec.idle.unwrap_or(32) as usize;
        Upstream { keep_alive: spec.keeps(), idle, kept: vec![VecDeque::new(); targets] }
    }

    /// A call to a target has just been made: it goes over a connection that is kept, or over a new one.
    pub(super) fn send(&mut self, call: CallId, target: usize, to: ComponentId, cx: &mut Cx<'_>) {
        let list = &mut self.kept[target];
        let last = list.back().copied();
        let way = last.map_or(Way::Opened, |kept| kept.way(to, self.keep_alive, cx));
        if way == Way::Opened {
            // The others have been idle for longer.
            list.clear();
        } else {
            list.pop_back();
            cx.set_tag(call, last.map_or(0, |kept| kept.calls));
        }
        way.send(call, TRIPS, &COUNTS, cx);
    }

    /// An answer has come over the connection of a call, which is free now.
    pub(super) fn answered(&mut self, call: CallId, target: usize, cx: &Cx<'_>) {
        let calls = cx.tag(call).unwrap_or(0) + 1;
        let Some(kept) = Kept::after(calls, cx.get(call).callee, cx).filter(|_| self.idle > 0) else {
            return;
        };
        let list = &mut self.kept[target];
        if list.len() == self.idle {
            list.pop_front();
        }
        list.push_back(kept);
    }

    /// The process is gone, and its connections.
    pub(super) fn clear(&mut self) {
        self.kept.iter_mut().for_each(VecDeque::clear);
    }
}

/// Where a balancer counts its connections.
const COUNTS: Counts = Counts {
    connects: gauges::CONNECTS,
    per_request: gauges::CONNECTS_PER_REQUEST,
    resets: gauges::RESET_ON_IDLE,
};
