//! The keys of a limit on the calls inside a box.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::lever::{Lever, Setting};

use crate::model::quantity::{Duration, Share};
use crate::model::resource::{Full, Hold, Meter, Noun, Resource};
use crate::model::spec::Problems;
use crate::queueing::concurrency::{Concurrency, Gradient};

/// Name of the limit as a resource, and of its gauge.
pub const LIMIT: &str = "limit";

/// `limit = { calls = 50 }`, `limit = { gradient = {} }`: how many calls may be inside at once, those that wait among them. A
/// further one is rejected at once.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitSpec {
    /// That number.
    pub calls: Option<u32>,
    /// A number that follows the time that answers take.
    pub gradient: Option<GradientSpec>,
}

/// A limit that falls while answers take longer than with few calls inside, as Envoy's adaptive concurrency. Every 100 ms it becomes
/// limit * least time * (1 + `buffer`) / time of the last answers + sqrt(limit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GradientSpec {
    /// Time after which the least time is measured again, on 50 answers with `min` calls inside. Default: "60s", as Envoy [S].
    pub probe: Option<Duration>,
    /// The least limit; a process begins with it. Default: 3, as Envoy [S].
    pub min: Option<u32>,
    /// How much longer than the least time answers may take. Default: "25%", as Envoy [S].
    pub buffer: Option<Share>,
}

impl LimitSpec {
    /// The limit at run time; `None` for one that says nothing.
    #[must_use]
    pub fn concurrency(&self) -> Option<Concurrency> {
        let gradient = |spec: GradientSpec| {
            let probe = spec.probe.map_or(SimDuration::from_secs(60), |probe| probe.0);
            let buffer = spec.buffer.map_or(0.25, |buffer| buffer.0);
            Concurrency::Gradient(Gradient::new(probe, spec.min.unwrap_or(3), buffer))
        };
        self.calls.map(Concurrency::Fixed).or(self.gradient.map(gradient))
    }

    /// A fixed limit as a resource of `members` machines; `None` for one that moves.
    #[must_use]
    pub fn resource(&self, members: u32, classes: usize) -> Option<Resource> {
        let stays = vec![Hold::stay(1.0); classes];
        let slots = |calls| {
            Resource::slots(
                LIMIT,
                Noun::One("the limit of calls inside"),
                0..members,
                f64::from(calls),
                stays,
            )
        };
        let set = |slots: Resource| slots.set_by("limit.calls").measured(Meter::Law);
        self.calls.map(|calls| set(slots(calls)).when_full(Full::away("rejects")))
    }

    /// A greater limit, where it is fixed.
    #[must_use]
    pub fn lever(&self, members: u32) -> Option<Lever> {
        let now = Setting::Whole(self.calls?);
        Some(Lever::relief("limit.calls", (now, now.twice(f64::INFINITY)), &[LIMIT], 0..members))
    }

    /// Checks the table at `limit` of a box in which at most `inside` calls can be.
    pub fn check(&self, inside: u64, problems: &mut Problems) {
        match (self.calls, self.gradient) {
            (None, None) => {
                let help = "such as limit = { calls = 50 }, or limit = { gradient = {} }";
                problems.error(LIMIT, "it says nothing about how many calls may be inside", help);
            }
            (Some(_), Some(_)) => {
                let message = "a limit is a fixed number, or it follows the time of answers";
                problems.error("limit.gradient", message, "leave one of `calls` and `gradient` out");
            }
            (Some(0), None) => problems.error("limit.calls", "then every call is rejected", "at least 1"),
            (Some(calls), None) if u64::from(calls) >= inside => {
                let message = format!("it is never reached: at most {inside} calls are inside at once");
                problems.warn("limit.calls", message, "leave the key out, or give a smaller one");
            }
            _ => {}
        }
        let Some(gradient) = self.gradient else { return };
        if gradient.min == Some(0) {
            problems.error("limit.gradient.min", "then every call is rejected", "at least 1");
        }
        if gradient.probe.is_some_and(|probe| probe.0.is_zero()) {
            problems.error("limit.gradient.probe", "then it would do nothing but measure", "60s is usual");
        }
    }
}
