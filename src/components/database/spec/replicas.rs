//! What a scenario says about the replicas of a database.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::quantity::{Dist, Duration};
use crate::model::spec::Problems;

use super::DatabaseSpec;
use crate::components::database::acks::Wait;
use crate::components::database::apply::WORKERS_MAX;

/// Largest number of replicas; a primary with more would do nothing but send its log.
pub(in crate::components::database) const REPLICAS_MAX: u32 = 200;

/// Least time after which TCP sends again what is not acknowledged, in addition to the round trip: `TCP_RTO_MIN` of
/// Linux 6.18.
const RESEND: SimDuration = SimDuration::from_millis(200);

/// When a commit is acknowledged to the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Replication {
    /// When the primary has it.
    #[default]
    Async,
    /// When `acks` replicas have it too, or after `semi_sync_timeout`; after a time-out, as async until a replica has
    /// caught up.
    SemiSync,
    /// When all replicas have it too, or `quorum` of them.
    Sync,
}

/// What a commit waits for at a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sync {
    /// The replica has received it.
    #[serde(alias = "remote_write")]
    RemoteWrite,
    /// It has flushed it too.
    Flush,
    /// It has applied it too, so that its readers see it.
    Apply,
}

/// Where reads go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reads {
    /// To the primary.
    Primary,
    /// To the replicas in turn; to the primary if all are down.
    #[default]
    Replicas,
    /// To the node with the shortest round-trip time from the caller; in turn among equals.
    Nearest,
}

/// What is done so that users see their own writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReadYourWrites {
    /// Nothing.
    #[default]
    None,
    /// For `primary_for` after a write the user's reads go to the primary.
    PrimaryFor,
    /// After the first write all reads of the user go to the primary.
    Session,
    /// A read waits at its replica until that has applied the user's last write.
    WaitForPosition,
}

/// How the log is sent to the replicas.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ship {
    /// Interval of the batches in which the log is sent. Default: with every flush.
    pub every: Option<Duration>,
    /// Transfer time of a batch in addition to the network's. A batch in transfer when the primary crashes is lost;
    /// packets in the network arrive. Default: none.
    pub delay: Option<Duration>,
    /// Time without an answer after which a batch is sent again; each further try waits twice as long, as TCP does.
    /// Default: the round trip, the delay and "200ms", as Linux [V].
    pub resend: Option<Duration>,
    /// Time between two tries of a replica whose connection is broken, such as by a restart of its primary. Default:
    /// "5s", as PostgreSQL [V]; MySQL has "60s" [V]. Of the other engines see docs/engines.md.
    pub reconnect: Option<Duration>,
}

/// How a replica applies the log.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// Number of writes that are applied at the same time; readers see them in commit order. Default: 1, as MySQL until
    /// 8.0.26.
    pub workers: Option<u32>,
    /// Core time to apply a write at a replica. Default: that of a write at the primary.
    pub demand: Option<Dist>,
    /// Time of a durable flush of the log at a replica, which commits wait for with sync = "flush" or "apply". Default:
    /// that of the primary.
    pub commit: Option<Dist>,
}

impl DatabaseSpec {
    /// Whether it has replicas, so that it consists of several members.
    pub(in crate::components::database) fn is_replicated(&self) -> bool {
        self.replicas.is_some() || self.all_write()
    }

    /// Number of nodes besides the first.
    pub(in crate::components::database) fn replicas(&self) -> u32 {
        if self.all_write() { self.nodes.unwrap_or(1).saturating_sub(1) } else { self.replicas.unwrap_or(0) }
    }

    pub(in crate::components::database) fn reads(&self) -> Reads {
        self.reads.unwrap_or_default()
    }

    pub(in crate::components::database) fn wait(&self) -> Wait {
        match self.replication.unwrap_or_default() {
            Replication::Async => Wait::Nobody,
            Replication::SemiSync => {
                let patience = self.semi_sync_timeout.map_or(SimDuration::from_secs(10), |timeout| timeout.0);
                Wait::AtMost(self.acks.unwrap_or(1) as usize, patience)
            }
            Replication::Sync => Wait::Until(self.quorum.unwrap_or(self.replicas()) as usize),
        }
    }

    pub(in crate::components::database) fn sync(&self) -> Sync {
        let is_sync = self.replication == Some(Replication::Sync);
        self.sync.unwrap_or(if is_sync { Sync::Flush } else { Sync::RemoteWrite })
    }

    pub(in crate::components::database) fn apply_commit(&self) -> Dist {
        self.apply.as_ref().and_then(|apply| apply.commit.clone()).unwrap_or_else(|| self.commit())
    }

    pub(in crate::components::database) fn reconnect(&self) -> SimDuration {
        self.ship.and_then(|ship| ship.reconnect).map_or(self.engine().reconnect(), |time| time.0)
    }

    pub(in crate::components::database) fn apply_demand(&self) -> Dist {
        self.apply.as_ref().and_then(|apply| apply.demand.clone()).unwrap_or_else(|| self.write())
    }

    pub(in crate::components::database) fn apply_workers(&self) -> u32 {
        self.apply.as_ref().and_then(|apply| apply.workers).unwrap_or(1)
    }

    /// Time without an answer after which a batch is sent again, and whether the round trip comes on top.
    pub(in crate::components::database) fn resend(&self) -> (SimDuration, bool) {
        let ship = self.ship.unwrap_or_default();
        let delay = ship.delay.map_or(SimDuration::ZERO, |delay| delay.0);
        (ship.resend.map_or(RESEND + delay, |resend| resend.0), ship.resend.is_none())
    }

    pub(in crate::components::database) fn check_replicas(&self, problems: &mut Problems) {
        self.check_topology(problems);
        if !self.is_replicated() {
            self.check_no_replicas(problems);
            return;
        }
        let replicas = self.replicas();
        if !self.all_write() && !(1..=REPLICAS_MAX).contains(&replicas) {
            let message = format!("a database has 1 to {REPLICAS_MAX} replicas, not {replicas}");
            problems.error("replicas", message, "leave the key out for a single node");
        }
        if self.on.is_some() {
            let help = "give the database hardware of its own, or make it a single node";
            problems.error("on", "the nodes of a database have a machine each", help);
        }
        self.check_acks(replicas, problems);
        self.check_shipping(problems);
    }

    /// Reports keys that have no effect without replicas.
    fn check_no_replicas(&self, problems: &mut Problems) {
        for (key, given) in [
            ("replication", self.replication.is_some()),
            ("acks", self.acks.is_some()),
            ("quorum", self.quorum.is_some()),
            ("semi_sync_timeout", self.semi_sync_timeout.is_some()),
            ("sync", self.sync.is_some()),
            ("ship", self.ship.is_some()),
            ("apply", self.apply.is_some()),
            ("reads", self.reads.is_some()),
            ("read_your_writes", self.read_your_writes.is_some()),
            ("primary_for", self.primary_for.is_some()),
            ("retry_down", self.retry_down.is_some()),
        ] {
            if given {
                problems.error(key, format!("`{key}` does nothing without replicas"), "add replicas = 1");
            }
        }
    }

    fn check_acks(&self, replicas: u32, problems: &mut Problems) {
        let replication = self.replication.unwrap_or_default();
        for (key, value, mode, name) in [
            ("acks", self.acks, Replication::SemiSync, "semi-sync"),
            ("quorum", self.quorum, Replication::Sync, "sync"),
        ] {
            if value.is_some() && replication != mode {
                let message = format!("`{key}` does nothing without replication = \"{name}\"");
                problems.error(key, message, "drop the key, or change `replication`");
            } else if value.is_some_and(|value| !(1..=replicas).contains(&value)) {
                let message = format!("a commit can wait for 1 to {replicas} replicas");
                problems.error(key, message, "add replicas, or wait for fewer");
            }
        }
        let confirms = self.apply.as_ref().is_some_and(|apply| apply.commit.is_some());
        for (key, given) in [("sync", self.sync.is_some()), ("apply.commit", confirms)] {
            if given && replication == Replication::Async {
                let message = format!("`{key}` does nothing where no commit waits for a replica");
                problems.error(key, message, "drop the key, or use replication = \"sync\"");
            }
        }
        if confirms && self.sync() == Sync::RemoteWrite {
            let message = "`apply.commit` does nothing with sync = \"remote-write\"";
            problems.error("apply.commit", message, "drop the key, or use sync = \"flush\"");
        }
        if self.semi_sync_timeout.is_some() && replication != Replication::SemiSync {
            let message = "`semi_sync_timeout` does nothing without replication = \"semi-sync\"";
            problems.error("semi_sync_timeout", message, "drop the key, or change `replication`");
        }
    }

    fn check_shipping(&self, problems: &mut Problems) {
        let ship = self.ship.unwrap_or_default();
        for (key, value) in
            [("ship.every", ship.every), ("ship.resend", ship.resend), ("ship.reconnect", ship.reconnect)]
        {
            if value.is_some_and(|value| value.0.is_zero()) {
                problems.error(key, format!("`{key}` is above zero"), "leave it out for the default");
            }
        }
        if ship.resend.is_some() && ship.delay.is_some_and(|delay| delay.0 >= self.resend().0) {
            let message = "a batch would be sent again before it can have arrived";
            problems.error("ship.resend", message, "give it more than `delay`");
        }
        if !(1..=WORKERS_MAX).contains(&self.apply_workers()) {
            let message = format!("a replica applies with 1 to {WORKERS_MAX} workers");
            problems.error("apply.workers", message, "with none it would never show a write");
        }
        let after_write = self.read_your_writes.unwrap_or_default();
        if self.reads() == Reads::Primary && after_write != ReadYourWrites::None {
            let message = "`read_your_writes` does nothing when all reads go to the primary";
            problems.error("read_your_writes", message, "drop the key, or read from replicas");
        }
        match (after_write, self.primary_for) {
            (ReadYourWrites::PrimaryFor, None) => {
                let help = "say for how long: primary_for = \"5s\"";
                problems.error("read_your_writes", "missing key `primary_for`", help);
            }
            (ReadYourWrites::PrimaryFor, Some(_)) | (_, None) => {}
            (_, Some(_)) => {
                let message = "`primary_for` does nothing without read_your_writes = \"primary-for\"";
                problems.error("primary_for", message, "drop the key");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::spec::{Outline, Spec as _};

    /// Keys and messages of what is wrong with a table.
    fn check(table: &str, expected: &[(&str, &str)]) {
        let spec: DatabaseSpec = toml::from_str(table).expect(table);
        let outline = Outline {
            kinds: Default::default(),
            answers: Default::default(),
            divided: Default::default(),
            regions: Default::default(),
            classes: &[],
            length: SimDuration::ZERO,
        };
        let mut problems = Problems::default();
        spec.check(&outline, &mut problems);
        let found: Vec<(&str, &str)> =
            problems.items.iter().map(|problem| (problem.key.as_str(), problem.message.as_str())).collect();
        assert_eq!(found, expected, "{table}");
    }

    #[test]
    fn keys_that_do_nothing_are_errors() {
        check("replication = 'semi-sync'", &[("replication", "`replication` does nothing without replicas")]);
        check("apply = {}", &[("apply", "`apply` does nothing without replicas")]);
        check("failover = {}", &[("failover", "there is nobody to fail over to")]);
        check(
            "replicas = 1\nacks = 1",
            &[("acks", "`acks` does nothing without replication = \"semi-sync\"")],
        );
        check(
            "replicas = 1\nprimary_for = '5s'",
            &[("primary_for", "`primary_for` does nothing without read_your_writes = \"primary-for\"")],
        );
        check(
            "replicas = 1\nreads = 'primary'\nread_your_writes = 'session'",
            &[("read_your_writes", "`read_your_writes` does nothing when all reads go to the primary")],
        );
        check(
            "replicas = 1\nfailover = { replay_rate = '5/s', discover = '1s' }",
            &[
                ("failover.replay_rate", "`replay_rate` does nothing without recovery = \"script\""),
                ("failover.discover", "`discover` does nothing without fenced = false"),
            ],
        );
    }

    #[test]
    fn values_that_cannot_work_are_errors() {
        check("replicas = 0", &[("replicas", "a database has 1 to 200 replicas, not 0")]);
        check(
            "replicas = 1\napply = { workers = 0 }",
            &[("apply.workers", "a replica applies with 1 to 256 workers")],
        );
        check(
            "replicas = 2\nreplication = 'sync'\nquorum = 3",
            &[("quorum", "a commit can wait for 1 to 2 replicas")],
        );
        check(
            "replicas = 2\nfailover = { pick = 'db.replica-3' }",
            &[("failover.pick", "no replica is called `db.replica-3`")],
        );
        check(
            "replicas = 1\nfailover = { interval = '1s', timeout = '2s' }",
            &[("failover.timeout", "the timeout of a poll is longer than the interval between polls")],
        );
        check(
            "replicas = 1\nfailover = { misses = 0 }",
            &[("failover.misses", "`misses` must be at least 1")],
        );
        check(
            "replicas = 1\nread_your_writes = 'primary-for'",
            &[("read_your_writes", "missing key `primary_for`")],
        );
        check(
            "replicas = 1\nship = { delay = '5s', resend = '1s' }",
            &[("ship.resend", "a batch would be sent again before it can have arrived")],
        );
        check("on = 'box'\nreplicas = 1", &[("on", "the nodes of a database have a machine each")]);
    }

    #[test]
    fn a_good_table_has_no_problems() {
        check(
            "cores = 4\nreplicas = 2\nreplication = 'semi-sync'\nacks = 1\nreads = 'nearest'\n\
             failover = { interval = '5s', misses = 2, promote = '3s', pick = 'db.replica-2', reroute = 'vip' }",
            &[],
        );
    }
}
