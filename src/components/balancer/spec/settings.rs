//! `Settings`: the values of a balancer from its keys and its preset.

use super::presets::{self, Defaults};
use super::{Again, BalancerSpec, Counts, PolicyKind, StickySpec};
use crate::components::balancer::ejection::Ejection;
use crate::kernel::time::SimDuration;
use crate::model::quantity::Duration;
use crate::parts::checks::{CheckKind, Checks};
use crate::parts::connecting::Connecting;
use crate::parts::failure::Failures;
use crate::queueing::backoff::Backoff;
use crate::queueing::balance::Policy;

/// The values from the keys and the preset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) struct Settings {
    pub policy: Policy,
    pub checks: Option<Checks>,
    pub ejection: Option<Ejection>,
    pub target_connections: u32,
    pub panic: Option<f64>,
    pub retries: u16,
    pub retries_on: Failures,
    pub again: Again,
    pub backoff: Backoff,
    pub timeout: Option<SimDuration>,
    pub connecting: Connecting,
    pub slow_start: Option<SimDuration>,
    pub sticky: Option<StickySpec>,
    pub drain: Option<SimDuration>,
}

impl BalancerSpec {
    pub(in super::super) fn settings(&self) -> Settings {
        let defaults = Defaults::of(self.preset);
        Settings {
            policy: self.policy(),
            checks: self.checks(&defaults),
            ejection: self.ejection(&defaults),
            target_connections: self.target_connections.unwrap_or(u32::MAX),
            panic: self.panic.map(|share| share.0).or(defaults.panic),
            retries: self.retries.unwrap_or(defaults.retries),
            retries_on: self.retries_on.as_deref().map_or(defaults.retries_on, Failures::of),
            again: self.retries_at.unwrap_or(defaults.again),
            backoff: self.retries_pause.map_or(defaults.backoff, |pause| presets::pause(pause.0)),
            timeout: self.timeout.map(|timeout| timeout.0).or(defaults.timeout),
            connecting: Connecting(self.connect_timeout.or(defaults.connect_timeout.map(Duration))),
            slow_start: self.slow_start.map(|time| time.0).filter(|time| !time.is_zero()),
            sticky: self.sticky.or((self.policy_kind() == PolicyKind::Sticky).then(StickySpec::default)),
            drain: self.drain.map(|drain| drain.0).or(defaults.drain),
        }
    }

    fn policy(&self) -> Policy {
        match self.policy_kind() {
            // Weights that grow are weights.
            PolicyKind::RoundRobin if self.slow_start.is_none() => Policy::RoundRobin,
            PolicyKind::RoundRobin | PolicyKind::Weighted | PolicyKind::Sticky => Policy::Weighted,
            PolicyKind::Random => Policy::Random,
            PolicyKind::LeastConnections => Policy::LeastConnections,
            PolicyKind::TwoChoices => {
                let usual = Defaults::of(self.preset).distinct;
                Policy::TwoChoices { distinct: self.distinct.unwrap_or(usual) }
            }
            PolicyKind::Ewma => {
                let decay = self.decay.map_or(SimDuration::from_secs(10), |decay| decay.0);
                Policy::Ewma { decay }
            }
            PolicyKind::Hash => Policy::Hash {
                virtual_nodes: self.virtual_nodes.unwrap_or(100),
                bounded_load: self.bounded_load,
            },
            PolicyKind::IpHash => Policy::IpHash,
        }
    }

    fn checks(&self, defaults: &Defaults) -> Option<Checks> {
        let Some(health) = self.health else { return defaults.checks };
        let base = defaults.checks.unwrap_or(presets::CHECKS);
        let interval = health.interval.map_or(base.interval, |interval| interval.0);
        // Where the default is "the interval", it is the scenario's interval.
        let usual = if base.timeout == base.interval { interval } else { base.timeout };
        Some(Checks {
            interval,
            pace: base.pace,
            timeout: health.timeout.map_or(usual, |timeout| timeout.0),
            fall: health.fall.unwrap_or(base.fall),
            rise: health.rise.unwrap_or(base.rise),
            ask: health.kind.map_or(base.ask, CheckKind::ask),
        })
    }

    fn ejection(&self, defaults: &Defaults) -> Option<Ejection> {
        let Some(given) = self.ejection else { return defaults.ejection };
        let usual = defaults.ejection.unwrap_or(presets::EJECTION);
        let base = given.base.map_or(usual.base, |base| base.0);
        Some(Ejection {
            failures: given.failures.unwrap_or(usual.failures),
            base,
            longest: given.max.map_or(usual.longest.max(base), |max| max.0),
            max_share: given.max_share.map_or(usual.max_share, |share| share.0),
            always_one: given.always_one.unwrap_or(usual.always_one),
            sweep: given.sweep.map_or(usual.sweep, |sweep| Some(sweep.0)).filter(|sweep| !sweep.is_zero()),
            // Where the default is the time of the ejection, it is the scenario's time.
            within: given
                .within
                .map_or(usual.within.map(|_| base), |within| Some(within.0))
                .filter(|within| !within.is_zero()),
            probe: given.probe.unwrap_or(usual.probe),
            whole_seconds: usual.whole_seconds,
            connections_only: given
                .counts
                .map_or(usual.connections_only, |counts| counts == Counts::Connections),
        })
    }
}
