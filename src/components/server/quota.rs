//! `cpu_quota`: the core time that the machine of a server may use in each period.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::component::Cx;
use crate::model::problems::Problems;
use crate::model::quantity::Duration;
use crate::queueing::quota::Quota;

use super::{Server, gauges};

/// `cpu_quota = { quota = "50ms" }`: a limit of core time, as of a container.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CpuQuota {
    /// Core time, of all cores together, that may be used in each period; then the cores stand still until the next one.
    pub quota: Duration,
    /// Length of a period. Default: "100ms", as Linux (`cpu.max`) [V].
    pub period: Option<Duration>,
    /// Core time that periods which have not used all of theirs save up, at most the quota. Default: "0s", as Linux (`cpu.max.burst`) [V].
    pub burst: Option<Duration>,
}

impl CpuQuota {
    pub(super) fn quota(&self) -> Quota {
        Quota {
            quota: self.quota.0,
            period: self.period.map_or(SimDuration::from_millis(100), |period| period.0),
            burst: self.burst.map_or(SimDuration::ZERO, |burst| burst.0),
        }
    }

    /// Reports values that mean nothing on a machine with this number of cores.
    pub(super) fn check(&self, cores: u32, problems: &mut Problems) {
        let Quota { quota, period, burst } = self.quota();
        for (key, value) in [("quota", quota), ("period", period)] {
            if value.is_zero() {
                let message = format!("`{key}` of no time at all");
                problems.error(
                    format!("cpu_quota.{key}"),
                    message,
                    "such as { quota = \"50ms\", period = \"100ms\" }",
                );
            }
        }
        if burst > quota {
            let message = "more than a quota cannot be saved up";
            problems.error("cpu_quota.burst", message, "it is at most `quota`, as in Linux");
        }
        if !period.is_zero() && quota >= period.saturating_mul(u64::from(cores)) {
            let message = "the cores cannot use that much in a period, so that the quota never acts";
            problems.warn("cpu_quota.quota", message, "leave the key out, or give the machine more `cores`");
        }
    }
}

impl Server {
    /// The cores begin to stand still, because the quota is used up, or go on.
    #[cold]
    pub(super) fn throttle(&mut self, stands: bool, cx: &mut Cx<'_>) {
        let now = cx.now();
        if stands {
            self.throttled_since = Some(now);
        } else if let Some(since) = self.throttled_since.take() {
            cx.time(gauges::THROTTLED_TIME, now.since(since));
        }
    }
}
