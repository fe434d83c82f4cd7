//! What a scenario says about the shards of a database: the parts of its data, each with nodes of its own.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::random::name_hash;
use crate::model::reshard::Reshard;
use crate::model::spec::{Problems, RequestClass};
use crate::queueing::placement::{HEAD, Placement, Rule};

use super::DatabaseSpec;
use super::engine::NODES_MAX;

/// Largest number of points of a shard on a ring.
const POINTS_MAX: u32 = 10_000;

/// The hottest shard has a row of its own among the resources if it is asked this many times as often as the mean of all.
const UNEVEN: f64 = 1.005;

/// Points of a shard on a ring [T].
const POINTS_DEFAULT: u32 = 100;

/// How keys are divided among shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// A ring of consistent hashing: of N + 1 shards, a new one takes its part from each of the others.
    #[default]
    Ring,
    /// The hash of the key, modulo the number of shards.
    Hash,
    /// The key itself, modulo the number of shards: the most popular keys lie on different shards.
    Mod,
    /// A directory, which is asked for the shard of a key before the shard is: `directory` names it. A further shard takes its even part from
    /// all others, and no other key moves.
    Directory,
    /// Ranges of keys. The keys of a class are in the order of their popularity, so that neighbours are about as popular.
    Range,
}

impl By {
    /// Its name in scenario files.
    const fn name(self) -> &'static str {
        match self {
            By::Ring => "ring",
            By::Hash => "hash",
            By::Mod => "mod",
            By::Directory => "directory",
            By::Range => "range",
        }
    }
}

/// The shards of a database.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shards {
    /// Their number. Each has the nodes of a database of its own, called `NAME.shard-1` or `NAME.shard-1.primary`,
    /// `NAME.shard-1.replica-1`, ...
    pub count: u32,
    /// How keys are divided among them. Default: "ring" [T].
    pub by: Option<By>,
    /// Points of each shard on the ring. Default: 100 [T].
    pub virtual_nodes: Option<u32>,
    /// The first key of each range but the first, in order, with by = "range". Keys count from 0. Default: ranges of the same
    /// number of keys.
    pub splits: Option<Vec<u32>>,
    /// Copies of the most popular keys on other shards. Default: none.
    pub hot: Option<Hot>,
    /// The directory, with by = "directory": a cache, or a database without replicas, that knows the shard of each key.
    pub directory: Option<String>,
}

/// Keys that several shards have: each is read from any of them, and written at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hot {
    /// Number of the most popular keys of each class.
    pub keys: u32,
    /// Number of the shards that have each of them: that of the key, and those that follow it.
    pub copies: u32,
}

impl Shards {
    fn by(&self) -> By {
        self.by.unwrap_or_default()
    }

    /// The first keys of this number of ranges. Those beyond `count` are the upper half of the last range each.
    fn ranges(&self, pieces: u32, keys: u32) -> Vec<u32> {
        let all = u64::from(keys);
        let even = || (1..u64::from(self.count)).map(|shard| (all * shard / u64::from(self.count)) as u32);
        let mut starts = self.splits.clone().unwrap_or_else(|| even().collect());
        starts.truncate(pieces.saturating_sub(1) as usize);
        while starts.len() + 1 < pieces as usize {
            let last = starts.last().copied().unwrap_or(0);
            starts.push(last + (keys.saturating_sub(last) / 2).max(1));
        }
        starts
    }

    fn check(&self, classes: &[RequestClass], problems: &mut Problems) {
        let (count, by) = (self.count, self.by());
        if !(2..=NODES_MAX).contains(&count) {
            let message = format!("data are divided among 2 to {NODES_MAX} shards, not {count}");
            problems.error("shards.count", message, "leave `shards` out for one piece");
        }
        if self.virtual_nodes.is_some() && by != By::Ring {
            let message =
                format!("`virtual_nodes` are points on a ring, and by = \"{}\" has none", by.name());
            problems.error("shards.virtual_nodes", message, "drop the key, or take by = \"ring\"");
        }
        if self.virtual_nodes.is_some_and(|points| !(1..=POINTS_MAX).contains(&points)) {
            let message = format!("a shard has 1 to {POINTS_MAX} points on the ring");
            problems.error("shards.virtual_nodes", message, "more points are more even");
        }
        if self.directory.is_some() && by != By::Directory {
            let message = format!("by = \"{}\" asks no `directory` for the shard of a key", by.name());
            problems.error("shards.directory", message, "drop the key, or take by = \"directory\"");
        } else if self.directory.is_none() && by == By::Directory {
            let message = "nobody knows the shard of a key";
            problems.error(
                "shards.by",
                message,
                "name the `directory`, a cache or a database: directory = \"c\"",
            );
        }
        if let Some(Hot { keys, copies }) = self.hot {
            if !(2..=count.max(2)).contains(&copies) {
                let message = format!("a key has 2 to {count} copies, each on another shard, not {copies}");
                problems.error("shards.hot.copies", message, "all shards: copies = shards.count");
            }
            if !(1..=HEAD).contains(&keys) {
                let message = format!("1 to {HEAD} keys have copies, not {keys}");
                problems.error("shards.hot.keys", message, "leave `hot` out for none");
            }
        }
        if let Some(splits) = &self.splits {
            self.check_splits(splits, keys(classes), problems);
        }
    }

    fn check_splits(&self, splits: &[u32], keys: u32, problems: &mut Problems) {
        let starts = self.count.saturating_sub(1);
        if self.by() != By::Range {
            let message = format!("`splits` are between ranges, and by = \"{}\" has none", self.by().name());
            problems.error("shards.splits", message, "drop the key, or take by = \"range\"");
        } else if splits.len() != starts as usize {
            let (are, has) = (splits.len(), self.count);
            let message = format!("{has} ranges have {starts} splits between them, not {are}");
            problems.error("shards.splits", message, "give the first key of each range but the first");
        } else if splits.first() == Some(&0) || splits.windows(2).any(|pair| pair[0] >= pair[1]) {
            let help = "each range begins after the one before: the splits ascend, from 1";
            problems.error("shards.splits", "a range without keys", help);
        } else if splits.last().is_some_and(|&last| last >= keys) {
            let message = format!("the last range is beyond the keys, which are 0 to {}", keys - 1);
            problems.error("shards.splits", message, "a shard without keys is asked nothing");
        }
    }
}

/// Number of keys that any class of requests asks for.
fn keys(classes: &[RequestClass]) -> u32 {
    classes.iter().map(|class| class.keys.count).max().unwrap_or(1)
}

impl DatabaseSpec {
    /// Whether its data are divided among shards, each with nodes of its own.
    pub(in crate::components::database) fn is_sharded(&self) -> bool {
        self.shards.is_some()
    }

    /// The box that is asked for the shard of a key.
    pub(in crate::components::database) fn directory(&self) -> Option<&str> {
        self.shards.as_ref()?.directory.as_deref()
    }

    /// Its data are to be divided among another number of shards. Returns false if they are in one piece.
    pub(in crate::components::database) fn plan_reshard(
        &mut self,
        plan: Reshard,
        problems: &mut Problems,
    ) -> bool {
        let Some(shards) = &self.shards else { return false };
        if plan.to == shards.count {
            let message = format!("the data are divided among {} shards already", shards.count);
            problems.error("to", message, "another number");
        } else if !(2..=NODES_MAX).contains(&plan.to) {
            let message = format!("data are divided among 2 to {NODES_MAX} shards, not {}", plan.to);
            problems.error("to", message, "");
        } else if shards.hot.is_some() {
            let message = "copies of the most popular keys stay where they are";
            problems.error("target", message, "leave out `shards.hot` of the database");
        } else if self.working_set.is_none() {
            let help = "give the database a size, such as working_set = \"20GiB\"";
            problems.error("target", "nobody knows how much data are to move", help);
        } else if self.reshard.is_some() {
            problems.error("target", "its data move already", "one move of a database in a trial");
        } else {
            self.reshard = Some(plan);
        }
        true
    }

    /// Which shard has a key when the trial begins. The start value `salt` of the hash is only for what `nodes` without a topology divides; shards have the
    /// same in each trial, as in a store that hashes by one function.
    pub(in crate::components::database) fn placement(
        &self,
        classes: &[RequestClass],
        salt: u64,
    ) -> Placement {
        self.placement_among(self.pieces(), classes, salt)
    }

    /// Which of another number of shards has a key.
    pub(in crate::components::database) fn placement_among(
        &self,
        pieces: u32,
        classes: &[RequestClass],
        salt: u64,
    ) -> Placement {
        let shard = |number: u32| name_hash(&format!("shard-{number}"));
        let names: Vec<u64> = (1..=pieces).map(shard).collect();
        let Some(shards) = &self.shards else { return Placement::new(Rule::Fold, &names, salt) };
        let rule = match shards.by() {
            By::Hash => Rule::Hash,
            By::Mod => Rule::Mod,
            By::Directory => Rule::Jump,
            By::Ring => Rule::Ring(shards.virtual_nodes.unwrap_or(POINTS_DEFAULT)),
            By::Range => Rule::Range(shards.ranges(pieces, keys(classes))),
        };
        let placement = Placement::new(rule, &names, name_hash("shards"));
        match shards.hot {
            Some(hot) => placement.with_copies(hot.keys, hot.copies as usize),
            None => placement,
        }
    }

    /// Number of nodes of each shard; of all nodes, if the data are in one piece.
    pub(in crate::components::database) fn copies(&self) -> u32 {
        1 + self.replicas()
    }

    /// The shard of a member, from 0. The driver, member 0, is of all; 0 where no member has a shard of its own.
    pub(in crate::components::database) fn shard_of(&self, member: u32) -> u32 {
        let (shards, replicas) = (self.partitions(), self.replicas());
        match member {
            _ if !self.is_sharded() => 0,
            0 => 0,
            _ if member <= shards => member - 1,
            _ if member <= self.machines() => (member - 1 - shards) / replicas,
            _ => member - 1 - self.machines(),
        }
    }

    /// The numbers of the members that are nodes of a shard, the first primary first.
    pub(in crate::components::database) fn nodes_of(&self, shard: u32) -> impl Iterator<Item = u32> {
        let first = 1 + self.partitions() + shard * self.replicas();
        std::iter::once(1 + shard).chain(first..first + self.replicas())
    }

    /// The number of the member that watches the nodes of a shard.
    pub(in crate::components::database) fn monitor_of(&self, shard: u32) -> u32 {
        1 + self.machines() + shard
    }

    /// The name of a member of a sharded database, apart from the driver.
    pub(in crate::components::database) fn name_in_shard(&self, name: &str, member: u32) -> String {
        let shard = self.shard_of(member);
        let role = if member > self.machines() {
            ".monitor".to_owned()
        } else if !self.is_replicated() {
            String::new()
        } else {
            match self.nodes_of(shard).position(|node| node == member) {
                Some(replica @ 1..) => format!(".replica-{replica}"),
                _ => ".primary".to_owned(),
            }
        };
        format!("{name}.shard-{}{role}", shard + 1)
    }

    /// Shards that are asked about as much as each other, or of which one is asked most: their numbers from 0, and the share of the
    /// queries of each class that come to them. In the order of the numbers.
    pub(in crate::components::database) fn groups(
        &self,
        classes: &[RequestClass],
    ) -> Vec<(Range<u32>, Vec<f64>)> {
        let all = 0..self.pieces();
        let whole = vec![(all.clone(), vec![1.0; classes.len()])];
        // Where the start value differs from trial to trial, nothing tells the nodes apart.
        if !self.is_sharded() || self.pieces() < 2 {
            return whole;
        }
        let placement = self.placement(classes, 0);
        let of = |class: &RequestClass| placement.shares(class.keys.count, class.keys.zipf, class.writes);
        let shares: Vec<Vec<f64>> = classes.iter().map(of).collect();
        let load = |shard: u32| -> f64 {
            classes.iter().zip(&shares).map(|(class, shares)| class.share * shares[shard as usize]).sum()
        };
        let Some(hottest) = all.clone().max_by(|&one, &other| load(one).total_cmp(&load(other))) else {
            return whole;
        };
        let even = all.clone().map(load).sum::<f64>() / f64::from(all.end);
        if load(hottest) <= UNEVEN * even {
            return whole;
        }
        let group = |shards: Range<u32>| {
            let sum = |of: &Vec<f64>| shards.clone().map(|shard| of[shard as usize]).sum();
            let sums = shares.iter().map(sum).collect();
            (shards, sums)
        };
        let ranges = [0..hottest, hottest..hottest + 1, hottest + 1..all.end];
        ranges.into_iter().filter(|shards| !shards.is_empty()).map(group).collect()
    }

    pub(in crate::components::database) fn check_shards(
        &self,
        classes: &[RequestClass],
        problems: &mut Problems,
    ) {
        let Some(shards) = &self.shards else { return };
        shards.check(classes, problems);
        if self.nodes.is_some() {
            let help = "say `nodes` for nodes without a primary, or `shards` for parts of the data";
            problems.error("shards", "`nodes` divides the data too, or copies all of them", help);
        } else if self.topology.is_some_and(|topology| topology != super::Topology::PrimaryReplica) {
            let message = "where every node takes writes, each has all data";
            problems.error("shards", message, "drop `topology`: each shard has a primary");
        }
        if self.on.is_some() {
            problems.error("on", "shards have a machine each", "give the database hardware of its own");
        }
        if let Some(class) = classes.iter().find(|class| class.keys.count < 2) {
            let message = format!(
                "the requests of class `{}` all ask for one thing, which is on one shard",
                class.name
            );
            problems.error("shards", message, format!("such as [request.{}] keys = 1000000", class.name));
        }
        if let Some(pick) = self.failover.as_ref().and_then(|failover| failover.pick.as_deref())
            && pick.contains(".replica-")
        {
            let message =
                format!("`{pick}` can be the next primary of one shard, and there are {}", shards.count);
            problems.error("failover.pick", message, "\"most-received\" or \"most-applied\"");
        }
    }
}
