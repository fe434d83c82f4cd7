//! Presets: the defaults of real balancers. Keys of the scenario replace a preset's values.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Again, PolicyKind, RETRIES_MAX};
use crate::components::balancer::ejection::Ejection;
use crate::kernel::time::SimDuration;
use crate::parts::checks::{CheckKind, Checks, Pace};
use crate::parts::failure::{Failure, Failures};
use crate::queueing::backoff::{Backoff, Jitter};

/// A product whose defaults are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// nginx 1.28, open source: smooth weighted round robin, no active checks, a target that fails once is left out for
    /// 10 s, other targets are tried.
    Nginx,
    /// HAProxy 3.3: the better of two at random; checks by connection every 2 s.
    #[serde(rename = "haproxy-3")]
    Haproxy3,
    /// AWS Application Load Balancer: round robin, checks by page every 30 s, all targets when none is healthy.
    AwsAlb,
    /// Envoy 1.34: least request of two, outlier detection, panic below half.
    Envoy,
}

/// The values of a preset, or the defaults without one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Defaults {
    pub policy: PolicyKind,
    /// Whether the two targets of `two-choices` differ.
    pub distinct: bool,
    pub checks: Option<Checks>,
    pub ejection: Option<Ejection>,
    pub panic: Option<f64>,
    pub retries: u16,
    pub retries_on: Failures,
    pub again: Again,
    pub backoff: Backoff,
    pub timeout: Option<SimDuration>,
    pub connect_timeout: Option<SimDuration>,
    pub drain: Option<SimDuration>,
}

/// Checks where a scenario asks for them without saying how: as HAProxy's [V], configuration manual 3.x, `inter`, `fall`,
/// `rise`; a check's time is the interval if `timeout check` is not set. The interval counts from the end of a check:
/// HAProxy 2.6.12 and 3.0.11 and Envoy 1.40.0 with 2 s, 2 s and 3 found a silent server in 10.0 to 12.0 s, 50 times.
pub(super) const CHECKS: Checks = Checks {
    interval: SimDuration::from_secs(2),
    pace: Pace::AfterEnd,
    timeout: SimDuration::from_secs(2),
    fall: 3,
    rise: 2,
    ask: CheckKind::Connect.ask(),
};

/// Passive ejection where a scenario asks for it without saying how: Envoy's [V], `OutlierDetection`: 5 failures in a row,
/// 30 s times the number of ejections, at most 300 s; `max_ejection_percent` 10 is a ceiling for the ejected and one more, since
/// `always_eject_one_host` exists, which is off (changelog of 1.31); a sweep each `interval` of 10 s ends ejections and
/// forgives one of a host in service. Envoy 1.40.0 and 1.36.2 ejected none of 3 hosts (`ejections_overflow` 756), and of 12
/// one for 34.2 and 34.0 s.
pub(super) const EJECTION: Ejection = Ejection {
    failures: 5,
    within: None,
    base: SimDuration::from_secs(30),
    longest: SimDuration::from_secs(300),
    max_share: 0.1,
    always_one: false,
    connections_only: false,
    sweep: Some(SimDuration::from_secs(10)),
    probe: false,
    whole_seconds: false,
};

/// The same pause before each further try.
pub(super) const fn pause(time: SimDuration) -> Backoff {
    Backoff { base: time, factor: 1.0, max: time, jitter: Jitter::None }
}

/// Without a preset.
const PLAIN: Defaults = Defaults {
    policy: PolicyKind::Weighted,
    distinct: true,
    checks: None,
    ejection: None,
    panic: None,
    retries: 0,
    retries_on: Failures::of(&[Failure::Connect, Failure::Reset]),
    again: Again::Others,
    backoff: Backoff::NONE,
    timeout: None,
    connect_timeout: None,
    drain: None,
};

impl Defaults {
    pub(super) fn of(preset: Option<Preset>) -> Defaults {
        match preset {
            None => PLAIN,
            Some(Preset::Nginx) => NGINX,
            Some(Preset::Haproxy3) => HAPROXY_3,
            Some(Preset::AwsAlb) => AWS_ALB,
            Some(Preset::Envoy) => ENVOY,
        }
    }
}

/// [V] `ngx_http_upstream_module`: `max_fails` 1 within `fail_timeout` 10 s, which is also the time left out, the same
/// each time and whatever the number of targets. Times are whole seconds, compared with "greater than"
/// (`ngx_http_upstream_round_robin.c`: tries of a dead server every 11.0 s were measured, of one that hangs for 2 s every
/// 13 s), and one request tests the server. `ngx_http_proxy_module`: `proxy_next_upstream error timeout`, not for a POST that
/// has been sent, until all have been tried; `proxy_connect_timeout` and `proxy_read_timeout` 60 s. Active checks are NGINX
/// Plus. Measured: nginx 1.22.1.
const NGINX: Defaults = Defaults {
    policy: PolicyKind::Weighted,
    ejection: Some(Ejection {
        failures: 1,
        within: Some(SimDuration::from_secs(10)),
        base: SimDuration::from_secs(10),
        longest: SimDuration::from_secs(10),
        max_share: 1.0,
        always_one: false,
        connections_only: true,
        sweep: None,
        probe: true,
        whole_seconds: true,
    }),
    retries: RETRIES_MAX,
    retries_on: Failures::of(&[Failure::Connect, Failure::Reset, Failure::Timeout]),
    timeout: Some(SimDuration::from_secs(60)),
    connect_timeout: Some(SimDuration::from_secs(60)),
    ..PLAIN
};

/// [V] configuration manual 3.3: `balance` is random with two draws where nothing is said (round robin up to 3.2, until
/// commit 93cc18ac of 2025-09-04), which may hit the same server (`get_server_rnd`, `backend.c`); `inter` 2 s, `fall` 3, `rise` 2; `timeout server` and `timeout connect` have no default: 5 s
/// for a connection are those of its sample configuration (`examples/quick-test.cfg`). `retries` 3 with
/// `retry-on conn-failure`, at the same server, each after a second: a killed server answered 503 after 3.006 s (3.0.11). With
/// `option redispatch` and a policy in turn the first further try is at another server at once: `retries = 1`, `retries_at =
/// "others"`, `retries_pause = "0s"`.
const HAPROXY_3: Defaults = Defaults {
    policy: PolicyKind::TwoChoices,
    distinct: false,
    checks: Some(CHECKS),
    retries: 3,
    retries_on: Failures::of(&[Failure::Connect]),
    again: Again::Same,
    backoff: pause(SimDuration::from_secs(1)),
    connect_timeout: Some(SimDuration::from_secs(5)),
    ..PLAIN
};

/// [V] Elastic Load Balancing user guide, target groups for Application Load Balancers: `HealthCheckIntervalSeconds` 30,
/// the answer does not move the next check; `HealthCheckTimeoutSeconds` 5; `UnhealthyThresholdCount` 2;
/// `HealthyThresholdCount` 5; all targets get calls when none is healthy; `load_balancing.algorithm.type` round_robin;
/// `deregistration_delay` 300 s; `idle_timeout` 60 s; a connection to a target within 10 s (troubleshooting, HTTP 504).
const AWS_ALB: Defaults = Defaults {
    policy: PolicyKind::RoundRobin,
    checks: Some(Checks {
        interval: SimDuration::from_secs(30),
        pace: Pace::AfterStart,
        timeout: SimDuration::from_secs(5),
        fall: 2,
        rise: 5,
        ask: CheckKind::Page.ask(),
    }),
    panic: Some(0.0),
    timeout: Some(SimDuration::from_secs(60)),
    connect_timeout: Some(SimDuration::from_secs(10)),
    drain: Some(SimDuration::from_secs(300)),
    ..PLAIN
};

/// [V] `LeastRequestLbConfig.choice_count` 2, drawn with replacement (`least_request_lb.cc`; a cluster that says nothing has ROUND_ROBIN: name it with `policy`);
/// `OutlierDetection` as in [`EJECTION`]; `healthy_panic_threshold` 50 %; route `timeout` 15 s; cluster `connect_timeout` 5 s.
/// No retries and no active checks unless configured; retries pause for up to 25, 50, 100, 200 and then 250 ms
/// (`backoff_strategy.cc`).
const ENVOY: Defaults = Defaults {
    policy: PolicyKind::TwoChoices,
    distinct: false,
    ejection: Some(EJECTION),
    panic: Some(0.5),
    backoff: Backoff {
        base: SimDuration::from_millis(25),
        factor: 2.0,
        max: SimDuration::from_millis(250),
        jitter: Jitter::Full,
    },
    timeout: Some(SimDuration::from_secs(15)),
    connect_timeout: Some(SimDuration::from_secs(5)),
    ..PLAIN
};
