//! `[[operation]]`: what the operators do, as it is written, and its kinds.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

mod fleets;
mod purges;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use self::fleets::fleets;
pub(super) use self::purges::{keeps_entries, purges};
use crate::kernel::time::SimDuration;
use crate::model::fleet::{BOOT, START};
use crate::model::quantity::{Bytes, Duration};
use crate::model::reshard::{RATE, Reshard};

/// What the operators do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// A group of servers gets another number of machines. Those that come boot first; those that go are drained, the newest
    /// first.
    Scale,
    /// The data of a database are divided among another number of shards, and move there while requests go on.
    Reshard,
    /// A cache, or all edges of a content delivery network and its shield, lose their entries at once.
    Purge,
}

impl OperationKind {
    /// Its name in scenario files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            OperationKind::Scale => "scale",
            OperationKind::Reshard => "reshard",
            OperationKind::Purge => "purge",
        }
    }
}

/// `[[operation]]`: something that the operators do, at a planned time or when an alert calls them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OperationSpec {
    /// What they do.
    pub kind: OperationKind,
    /// The box to which they do it; for `purge` also a node of a cache or an edge, such as `edge.us-east-1`.
    pub target: String,
    /// Its name, by which an alert of a monitor `calls` it.
    pub name: Option<String>,
    /// When they do it, counted from the start of the trial, warm-up included.
    pub at: Option<Duration>,
    /// Instead of `at`: how long after an alert has called them they do it. A second call before that changes nothing.
    pub after: Option<Duration>,
    /// For `scale`: the number of machines from then on. For `reshard`: the number of shards.
    pub to: Option<u32>,
    /// For `reshard`: bytes that move in a second. Default: "50MB" [T].
    pub rate: Option<Bytes>,
    /// For `scale`: time from the order of a machine until it runs. Default: "23s", as EC2 [V].
    pub boot: Option<Duration>,
    /// For `scale`: time that the process takes to start on it. Default: "10s" [T].
    pub start: Option<Duration>,
}

impl OperationSpec {
    /// The number of machines that a `scale` leads to.
    pub(super) fn size(&self) -> u32 {
        self.to.unwrap_or(1)
    }

    /// What a `reshard` does.
    pub(super) fn reshard(&self) -> Reshard {
        let rate = self.rate.unwrap_or(Bytes(RATE));
        let at = self.at.map_or(SimDuration::MAX, |at| at.0);
        Reshard { at, to: self.to.unwrap_or(0), rate }
    }

    /// Time from a call until it is done.
    fn after(&self) -> SimDuration {
        self.after.map_or(SimDuration::ZERO, |after| after.0)
    }

    fn boot(&self) -> SimDuration {
        self.boot.map_or(BOOT, |boot| boot.0)
    }

    fn start(&self) -> SimDuration {
        self.start.map_or(START, |start| start.0)
    }
}
