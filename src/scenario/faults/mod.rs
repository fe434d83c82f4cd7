//! `[[fault]]`: planned and random faults as they are written, and their kinds.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

mod plan;
mod source;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use self::plan::plan;
pub use self::source::{Source, sources};
use super::names::Names;
use super::seats::Seat;
use crate::kernel::time::SimDuration;
use crate::model::failing::{Ending, ErrorTime};
use crate::model::quantity::{Dist, Duration, Share};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The process dies on a machine that lives; calls to it are refused at once.
    Crash,
    /// The machine has no power: it is silent, with everything that runs on it, and what was not flushed is lost.
    PowerOff,
    /// The process accepts calls and never answers.
    Hang,
    /// The machine takes `factor` times as long for everything.
    Slow,
    /// The machine stands still and then goes on where it was, as in a live migration.
    Pause,
    /// No message passes.
    Partition,
    /// A share of the messages must be sent again.
    PacketLoss,
    /// Messages take longer.
    Latency,
    /// Writes to the database fail.
    DiskFull,
    /// The name server returns no address.
    DnsEmpty,
    /// Everything in a region is silent.
    Region,
    /// Everything in a zone is silent.
    Zone,
    /// The members of a group restart one after another.
    Deploy,
    /// A server answers a `share` of its calls with errors.
    Errors,
    /// A cache loses all its entries, at once.
    Flush,
}

impl FaultKind {
    /// Its name in scenario files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            FaultKind::Crash => "crash",
            FaultKind::PowerOff => "power-off",
            FaultKind::Hang => "hang",
            FaultKind::Slow => "slow",
            FaultKind::Pause => "pause",
            FaultKind::Partition => "partition",
            FaultKind::PacketLoss => "packet-loss",
            FaultKind::Latency => "latency",
            FaultKind::DiskFull => "disk-full",
            FaultKind::DnsEmpty => "dns-empty",
            FaultKind::Region => "region",
            FaultKind::Zone => "zone",
            FaultKind::Deploy => "deploy",
            FaultKind::Errors => "errors",
            FaultKind::Flush => "flush",
        }
    }

    /// What happened, as a verb in the past: "`web-1` crashed".
    #[must_use]
    pub const fn happened(self) -> &'static str {
        match self {
            FaultKind::Crash => "crashed",
            FaultKind::PowerOff => "lost its power",
            FaultKind::Hang => "hung",
            FaultKind::Slow => "became slow",
            FaultKind::Pause => "stood still",
            FaultKind::Partition => "was cut off",
            FaultKind::PacketLoss => "lost packets",
            FaultKind::Latency => "had a longer way",
            FaultKind::DiskFull => "had a full disk",
            FaultKind::DnsEmpty => "had no records",
            FaultKind::Region | FaultKind::Zone => "was silent",
            FaultKind::Deploy => "was deployed",
            FaultKind::Errors => "answered errors",
            FaultKind::Flush => "was emptied",
        }
    }

    /// The kinds of boxes that it can happen to; none where it can happen to all.
    #[must_use]
    pub const fn only(self) -> &'static [&'static str] {
        match self {
            FaultKind::DiskFull => &["database"],
            FaultKind::DnsEmpty => &["dns"],
            FaultKind::Errors => &["server"],
            FaultKind::Flush => &["cache", "cdn"],
            _ => &[],
        }
    }

    /// Whether it can happen to boxes of a kind.
    pub(super) fn happens_to(self, kind: &str) -> bool {
        self.only().is_empty() || self.only().contains(&kind)
    }

    /// Whether it happens to messages rather than to boxes.
    #[must_use]
    pub const fn is_of_links(self) -> bool {
        matches!(self, FaultKind::Partition | FaultKind::PacketLoss | FaultKind::Latency)
    }
}

/// The work that a slow machine takes longer for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Applies {
    /// All of it, while the fault lasts: the cores are slower.
    #[default]
    All,
    /// Work that comes to the cores while the fault lasts, to its end: requests are heavier. Work that is there goes on as before.
    New,
}

/// `[[fault]]`: something that goes wrong, once or again and again.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// What goes wrong.
    pub kind: FaultKind,
    /// What it happens to: boxes, members of groups such as `web-2`, zones or regions. A partition, packet loss or
    /// latency lies between these and all others.
    pub target: Option<Names>,
    /// The two sides of a partition, packet loss or latency: boxes, members, zones or regions.
    pub between: Option<[Names; 2]>,
    /// When it begins, counted from the start of the trial, warm-up included.
    pub at: Option<Duration>,
    /// How long it lasts; for `deploy`, how long each member is down. Default: until the trial ends.
    #[serde(rename = "for")]
    pub lasts: Option<Duration>,
    /// Time between failures, instead of `at`: from the end of one to the next. A plain duration is the mean of an
    /// exponential time. Each member of a group fails on its own.
    pub mtbf: Option<Dist>,
    /// Time to repair, with `mtbf`. A plain duration is the mean of an exponential time.
    pub mttr: Option<Dist>,
    /// For `slow`: the factor by which everything takes longer.
    pub factor: Option<f64>,
    /// For `slow`: the work that takes longer. Default: "all".
    pub applies: Option<Applies>,
    /// For `packet-loss`: share of the messages that are lost. Each is sent again
    /// 200 ms and a round trip later, after the same time once more, and then twice as long each time. For `errors`: share of the calls that are answered with an error.
    pub share: Option<Share>,
    /// For `latency`: added to the round-trip time, half of it each way.
    pub add: Option<Duration>,
    /// For `deploy`: time for which a member works on after its balancers have been told to give it no new calls. Default: "0s", they are not told [T].
    pub drain: Option<Duration>,
    /// For `deploy`: longest time for which a member, which takes no new calls any more, ends those inside before it is stopped. Default: "30s" with `drain`, as Kubernetes [S], else "0s".
    pub grace: Option<Duration>,
    /// For `deploy`: pause after a member is back, before the next goes down. Default: "0s".
    pub pause: Option<Duration>,
    /// For `errors`: how these calls end. Default: "failed".
    #[serde(rename = "as")]
    pub ending: Option<Ending>,
    /// For `errors`: when they are answered: after the `"work"`, or after a duration without any work. Default: "work".
    pub time: Option<ErrorTime>,
}

impl FaultSpec {
    /// A fault of a kind that happens to this target, without its times and without the keys of its kind.
    #[must_use]
    pub fn new(kind: FaultKind, target: String) -> FaultSpec {
        FaultSpec {
            kind,
            target: Some(Names(vec![target])),
            between: None,
            at: None,
            lasts: None,
            mtbf: None,
            mttr: None,
            factor: None,
            applies: None,
            share: None,
            add: None,
            drain: None,
            grace: None,
            pause: None,
            ending: None,
            time: None,
        }
    }

    /// How long it lasts; `None` if until the trial ends. A flush is over at once.
    #[must_use]
    pub fn lasts(&self) -> Option<Duration> {
        if self.kind == FaultKind::Flush { Some(Duration(SimDuration::ZERO)) } else { self.lasts }
    }

    /// All that it names, as one text: `web`, `web | db`.
    #[must_use]
    pub fn whole(&self) -> String {
        let sides =
            self.between.iter().flatten().map(|side| side.0.join(", ")).collect::<Vec<_>>().join(" | ");
        self.target.as_ref().map_or(sides, |target| target.0.join(", "))
    }

    /// Whether its target names the member of this seat, and it can happen there.
    fn hits(&self, seat: &Seat<'_>) -> bool {
        let mut names = self.target.iter().flat_map(|target| &target.0);
        // Users are not machines: they do not fail with their region.
        seat.entry.spec.offered().is_none()
            && !seat.is_driver()
            && self.kind.happens_to(seat.entry.kind)
            && names.any(|name| match self.kind {
                FaultKind::Region => seat.is_in_region(name),
                FaultKind::Zone => seat.is_in_zone(name),
                _ => seat.is_hit_by(name),
            })
    }

    /// All names in it: the key of each, and the name.
    pub(super) fn names(&self) -> Vec<(String, &str)> {
        let mut names = Vec::new();
        if let Some(target) = &self.target {
            names.extend(keys("target", target));
        }
        for (side, of) in self.between.iter().flatten().enumerate() {
            names.extend(keys(&format!("between[{side}]"), of));
        }
        names
    }
}

fn keys<'a>(key: &str, names: &'a Names) -> Vec<(String, &'a str)> {
    match names.0.as_slice() {
        [one] => vec![(key.to_owned(), one)],
        many => many.iter().enumerate().map(|(at, name)| (format!("{key}[{at}]"), name.as_str())).collect(),
    }
}
