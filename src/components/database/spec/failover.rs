//! What a scenario says about failover, and the presets of products.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::quantity::{Dist, Duration, Rate};
use crate::model::spec::Problems;

use super::DatabaseSpec;

/// How the database's clients learn of a new primary.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Reroute {
    /// A proxy or a driver is told. Default delay: none [T].
    #[default]
    Proxy,
    /// The name gets another address; each caller resolves it again at a random time within the time to live, which is
    /// the delay. Default: "60s" [T].
    Dns,
    /// The address moves to another machine, which announces it to the network. Default delay: "1s" [T].
    Vip,
}

/// How it is found out that the primary is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Election {
    /// The monitor polls it: `misses` polls in a row without an answer.
    #[default]
    Poll,
    /// It holds a key that lives for `ttl` and that it renews every `loop_wait`: the key expires. Silence costs no more
    /// than a refusal.
    Lease,
}

/// What happens to acknowledged writes that only the old primary has, when it comes back as a replica.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Recovery {
    /// They are dropped, as by `pg_rewind`.
    #[default]
    Discard,
    /// They are dropped, and the node is copied anew from the primary, which takes `rebuild`.
    Rebuild,
    /// A script writes them again at `replay_rate`, except those whose key has been written since: these are in
    /// conflict.
    Script,
}

/// The failover of a product. Keys that are given as well replace its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Polls every 5 s; 10 to 13 s in all [S].
    Orchestrator,
    /// A lease: the leader's key lives 30 s and is renewed every 10 s [V: settings of Patroni 4.1, `ttl`, `loop_wait`].
    Patroni,
    /// Amazon RDS Multi-AZ with one standby: 60 to 120 s in all [V].
    RdsMultiAz,
    /// Amazon RDS Multi-AZ cluster: less than 35 s in all [V].
    RdsCluster,
    /// Amazon Aurora: often less than 30 s in all [V].
    Aurora,
}

/// Promotion of a replica when the primary is gone.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Failover {
    /// The product whose values are used.
    pub preset: Option<Preset>,
    /// How it is found out that the primary is gone. Default: the preset's, else "poll".
    pub election: Option<Election>,
    /// Time between two polls of the primary by the monitor. Default: "1s" [T].
    pub interval: Option<Duration>,
    /// Life of the key that the primary holds, with election = "lease". Default: "30s", as Patroni [V].
    pub ttl: Option<Duration>,
    /// Time between two renewals of the key, with election = "lease". Default: "10s", as Patroni [V].
    pub loop_wait: Option<Duration>,
    /// Time that the monitor waits for an answer. Default: the interval; with election = "lease" 2 s [T], or `loop_wait`
    /// if that is less.
    pub timeout: Option<Duration>,
    /// Number of consecutive polls without an answer after which the primary is declared dead. Default: 3 [T].
    pub misses: Option<u32>,
    /// The replica to promote: "most-received", "most-applied", or a replica by its name. Default: "most-received".
    pub pick: Option<String>,
    /// Time to promote the replica once it has caught up. Default: "3s" [T].
    pub promote: Option<Dist>,
    /// How clients learn of the new primary. Default: "proxy".
    pub reroute: Option<Reroute>,
    /// Time that this takes. Default: that of the route.
    pub reroute_delay: Option<Duration>,
    /// Time until a person decides to fail over, after the primary is declared dead.
    pub manual: Option<Duration>,
    /// Whether the old primary is stopped from writing before another one is promoted. Default: true.
    pub fenced: Option<bool>,
    /// Time for which an old primary that is not fenced goes on, until it is taken out. Default: "5min" [T].
    pub discover: Option<Duration>,
    /// What happens to the writes that only the old primary has. Default: "discard".
    pub recovery: Option<Recovery>,
    /// Writes a second of the script. Default: "100/s" [T].
    pub replay_rate: Option<Rate>,
    /// Time to copy a node anew. Default: "30min" [T].
    pub rebuild: Option<Duration>,
}

/// Defaults of an election by a lease.
const TTL: SimDuration = SimDuration::from_secs(30);
const LOOP_WAIT: SimDuration = SimDuration::from_secs(10);
const ANSWER: SimDuration = SimDuration::from_secs(2);

/// The values of a preset.
struct Values {
    election: Election,
    interval: u64,
    misses: u32,
    promote: (u64, u64),
    reroute: Reroute,
    delay: u64,
}

impl Preset {
    /// Times that add up to the published total; how a vendor's total divides into parts is a teaching choice [T].
    fn values(self) -> Values {
        let values = |interval, misses, promote, reroute, delay| Values {
            election: if self == Preset::Patroni { Election::Lease } else { Election::Poll },
            interval,
            misses,
            promote,
            reroute,
            delay,
        };
        match self {
            Preset::Orchestrator => values(5, 2, (3, 3), Reroute::Proxy, 0),
            Preset::Patroni => values(10, 3, (2, 2), Reroute::Proxy, 0),
            Preset::RdsMultiAz => values(10, 3, (40, 85), Reroute::Dns, 5),
            Preset::RdsCluster => values(5, 2, (10, 20), Reroute::Dns, 5),
            Preset::Aurora => values(5, 2, (5, 15), Reroute::Dns, 5),
        }
    }
}

/// The replica to promote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::components::database) enum Pick {
    MostReceived,
    MostApplied,
    /// The node with this number, or the one that has received most if it cannot be reached.
    Named(usize),
}

impl Failover {
    fn values(&self) -> Option<Values> {
        self.preset.map(Preset::values)
    }

    pub(in crate::components::database) fn election(&self) -> Election {
        self.election.or(self.values().map(|values| values.election)).unwrap_or_default()
    }

    fn is_lease(&self) -> bool {
        self.election() == Election::Lease
    }

    /// Life of the primary's key; `None` if it holds none.
    pub(in crate::components::database) fn ttl(&self) -> Option<SimDuration> {
        let ttl = self.ttl.map_or(TTL, |ttl| ttl.0);
        self.is_lease().then_some(ttl)
    }

    /// Time from the last sign of life after which a silent primary is declared dead, at most.
    pub(in crate::components::database) fn noticed(&self) -> SimDuration {
        self.ttl().unwrap_or_else(|| self.interval().saturating_mul(self.misses().into()))
    }

    /// Time between two polls, or two renewals.
    pub(in crate::components::database) fn interval(&self) -> SimDuration {
        if self.is_lease() {
            return self.loop_wait.map_or(LOOP_WAIT, |wait| wait.0);
        }
        let preset = self.values().filter(|values| values.election == Election::Poll);
        let preset = preset.map(|values| values.interval);
        self.interval.map_or_else(|| SimDuration::from_secs(preset.unwrap_or(1)), |interval| interval.0)
    }

    pub(in crate::components::database) fn timeout(&self) -> SimDuration {
        let default = if self.is_lease() { self.interval().min(ANSWER) } else { self.interval() };
        self.timeout.map_or(default, |timeout| timeout.0)
    }

    pub(in crate::components::database) fn misses(&self) -> u32 {
        match self.ttl() {
            // A replica gets no reads after as long a silence.
            Some(ttl) => ttl.as_nanos().div_ceil(self.interval().as_nanos().max(1)) as u32,
            None => self.misses.or(self.values().map(|values| values.misses)).unwrap_or(3),
        }
    }

    pub(in crate::components::database) fn promote(&self) -> crate::kernel::variate::Variate {
        use crate::kernel::variate::Variate;
        match (&self.promote, self.values()) {
            (Some(dist), _) => dist.variate(),
            (None, Some(Values { promote: (low, high), .. })) if low < high => {
                Variate::uniform(low as f64, high as f64)
            }
            (None, Some(values)) => Variate::constant(values.promote.0 as f64),
            (None, None) => Variate::constant(3.0),
        }
    }

    pub(in crate::components::database) fn reroute(&self) -> Reroute {
        self.reroute.or(self.values().map(|values| values.reroute)).unwrap_or_default()
    }

    pub(in crate::components::database) fn reroute_delay(&self) -> SimDuration {
        let preset = self.values().filter(|values| self.reroute.is_none_or(|route| route == values.reroute));
        let default = match (preset, self.reroute()) {
            (Some(values), _) => values.delay,
            (None, Reroute::Proxy) => 0,
            (None, Reroute::Dns) => 60,
            (None, Reroute::Vip) => 1,
        };
        self.reroute_delay.map_or(SimDuration::from_secs(default), |delay| delay.0)
    }

    /// The period in which callers learn of the new primary one by one: with DNS, each when its cached answer expires.
    pub(in crate::components::database) fn spread(&self) -> SimDuration {
        if self.reroute() == Reroute::Dns { self.reroute_delay() } else { SimDuration::ZERO }
    }

    /// Time from the death of the primary until the failover is over for everybody, about as long as it can take.
    pub(in crate::components::database) fn over_within(&self) -> SimDuration {
        let manual = self.manual.map_or(SimDuration::ZERO, |manual| manual.0);
        let promote = SimDuration::from_sample_secs(self.promote().mean()).saturating_mul(2);
        let old = if self.is_fenced() { SimDuration::ZERO } else { self.discover() };
        (self.noticed() + manual + promote + self.reroute_delay()).max(old)
    }

    /// Time for which an old primary that is not fenced goes on.
    pub(in crate::components::database) fn discover(&self) -> SimDuration {
        self.discover.map_or(SimDuration::from_secs(300), |time| time.0)
    }

    pub(in crate::components::database) fn is_fenced(&self) -> bool {
        self.fenced.unwrap_or(true)
    }

    /// The pick; `None` if its name is not a node of the database `name`, which has this many replicas.
    pub(in crate::components::database) fn pick(&self, name: &str, replicas: u32) -> Option<Pick> {
        match self.pick.as_deref() {
            None | Some("most-received") => Some(Pick::MostReceived),
            Some("most-applied") => Some(Pick::MostApplied),
            Some(given) => {
                let number = given.rsplit_once(".replica-")?;
                let node = number.1.parse::<u32>().ok().filter(|node| (1..=replicas).contains(node))?;
                let is_it = (name.is_empty() || number.0 == name) && number.1 == node.to_string();
                is_it.then_some(Pick::Named(node as usize))
            }
        }
    }

    fn check(&self, replicas: u32, problems: &mut Problems) {
        let times = [
            ("interval", self.interval),
            ("timeout", self.timeout),
            ("ttl", self.ttl),
            ("loop_wait", self.loop_wait),
        ];
        for (key, time) in times {
            if time.is_some_and(|time| time.0.is_zero()) {
                problems.error(format!("failover.{key}"), format!("`{key}` is above zero"), "");
            }
        }
        self.check_election(problems);
        if self.timeout() > self.interval() {
            let message = "the timeout of a poll is longer than the interval between polls";
            problems.error("failover.timeout", message, "the next poll would come before the answer");
        }
        if self.misses() == 0 {
            problems.error("failover.misses", "`misses` must be at least 1", "");
        }
        if self.pick("", replicas).is_none() {
            let pick = self.pick.as_deref().unwrap_or_default();
            let help = "\"most-received\", \"most-applied\", or a replica such as \"db.replica-1\"";
            problems.error("failover.pick", format!("no replica is called `{pick}`"), help);
        }
        let recovery = self.recovery.unwrap_or_default();
        for (key, given, works, with) in [
            (
                "replay_rate",
                self.replay_rate.is_some(),
                recovery == Recovery::Script,
                "recovery = \"script\"",
            ),
            ("rebuild", self.rebuild.is_some(), recovery == Recovery::Rebuild, "recovery = \"rebuild\""),
            ("discover", self.discover.is_some(), !self.is_fenced(), "fenced = false"),
        ] {
            if given && !works {
                let message = format!("`{key}` does nothing without {with}");
                problems.error(format!("failover.{key}"), message, "drop the key");
            }
        }
        if self.replay_rate.is_some_and(|rate| rate.0 <= 0.0) {
            let message = "a script that writes nothing brings nothing back";
            problems.error("failover.replay_rate", message, "use recovery = \"discard\"");
        }
    }
}

impl Failover {
    /// Reports keys that have no effect with this kind of election.
    fn check_election(&self, problems: &mut Problems) {
        let (works, others) = if self.is_lease() {
            ("poll", [("interval", self.interval.is_some()), ("misses", self.misses.is_some())])
        } else {
            ("lease", [("ttl", self.ttl.is_some()), ("loop_wait", self.loop_wait.is_some())])
        };
        for (key, _) in others.into_iter().filter(|(_, given)| *given) {
            let message = format!("`{key}` does nothing without election = \"{works}\"");
            let help = "a lease has `ttl` and `loop_wait`, polls have `interval` and `misses`";
            problems.error(format!("failover.{key}"), message, help);
        }
        if self.ttl().is_some_and(|ttl| ttl <= self.interval()) {
            let message = "the key of the primary expires before it is renewed";
            problems.error("failover.ttl", message, "give it more than `loop_wait`");
        }
    }
}

impl DatabaseSpec {
    pub(in crate::components::database) fn check_failover(&self, problems: &mut Problems) {
        let Some(failover) = &self.failover else { return };
        match self.replicas {
            _ if self.all_write() => {}
            None => {
                let message = "there is nobody to fail over to";
                problems.error("failover", message, "add a replica: replicas = 1");
            }
            Some(replicas) => failover.check(replicas, problems),
        }
    }
}
