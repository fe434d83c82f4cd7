//! What a scenario says about a cache.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::kernel::variate::Variate;
use crate::model::ask::Verbs;
use crate::model::component::Component;
use crate::model::quantity::{Bytes, Dist, Duration, Share};
use crate::model::site::{Site, Standing};
use crate::model::spec::{
    Arrow, Demand, Files, MachineSpec, MemberPlan, Outline, Part, Problems, RequestClass, Sides, Spec,
};
use crate::parts::hardware::Hardware;
use crate::theory::cache::zipf_hit_ratio;

use super::Cache;
use super::ring::Ring;
use super::shelf::Evict;

/// Most entries of one node: the program keeps 40 bytes for each.
pub(super) const ENTRIES_MAX: u64 = 50_000_000;

/// Most nodes, and most points of one on the ring.
const NODES_MAX: u32 = 1000;

/// Memory of a node and size of an entry where the scenario does not say, bytes.
const MEMORY_DEFAULT: u64 = 4 << 30;
const ITEM_DEFAULT: u64 = 1 << 10;

/// Core time of one operation: Redis does 72 to 80 thousand of them a second on one core [V].
const OP_DEFAULT: SimDuration = SimDuration::from_nanos(13_000);

/// Time after which a caller that fills an entry is waited for no longer, as of memcache's leases at Facebook [S].
const LEASE_DEFAULT: SimDuration = SimDuration::from_secs(10);

/// What a write does to the entry of its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Writes {
    /// The entry is dropped once the write is done.
    #[default]
    Delete,
    /// The entry is renewed once the write is done.
    Through,
    /// The write is answered at once, and goes to the target later. Only with `target`.
    Behind,
    /// Nothing: the entry is served until it expires.
    None,
}

/// `[cache.NAME]`: a cache. With a `target` it stands in front of it, and gets what it does not have itself. Without one its callers
/// do that: `{ cache = "NAME", miss = { query = "db" } }`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheSpec {
    /// The box that has the data. The cache asks it for every key that it does not have, and passes every write on to it. Default:
    /// none; who calls fills the cache.
    pub target: Option<String>,
    /// Number of entries that fit into each node. Default: `memory` divided by `item`.
    pub entries: Option<u64>,
    /// Memory of each node for entries. Default: "4GiB" [T].
    pub memory: Option<Bytes>,
    /// Size of one entry. Default: "1KiB" [T].
    pub item: Option<Bytes>,
    /// Time after which an entry is no longer served, counted from its fill. Default: without end.
    pub ttl: Option<Duration>,
    /// Share by which the time of each entry is longer or shorter at random, so that entries of one moment do not expire at one
    /// moment. Default: 0.
    pub ttl_jitter: Option<Share>,
    /// Whether a hit starts the time to live anew. Default: false.
    #[serde(default)]
    pub ttl_reset: bool,
    /// Which entry makes room for a new one. Default: "lru".
    #[serde(default)]
    pub evict: Evict,
    /// Whether one caller fills an entry that is not there while the others wait for it. Default: false; each of them gets it.
    #[serde(default)]
    pub coalesce: bool,
    /// Time after which the others wait no longer for a caller that fills an entry: the next one fills it. Default: "10s" [S].
    pub lease: Option<Duration>,
    /// Time for which an entry is still served beyond its time to live, while one caller fills it. Default: none.
    pub stale_for: Option<Duration>,
    /// Time for which the cache keeps that a key is not there (`missing` of a request class). Default: "0s"; all these reads go on.
    pub negative: Option<Duration>,
    /// Share of the entries that are there at the start and after a crash, those of the most popular keys. Default: 0.
    pub warm: Option<Share>,
    /// What a write does to the entry of its key. Default: "delete".
    #[serde(default)]
    pub writes: Writes,
    /// Number of nodes. Each key belongs to one of them, by a ring. Default: 1.
    pub nodes: Option<u32>,
    /// Points of each node on the ring. Default: 100 [T].
    pub virtual_nodes: Option<u32>,
    /// Core time of one operation at speed 1. Default: "13us", as Redis [V].
    pub op: Option<Dist>,
    /// Longest time that the cache waits for an answer of `target`. Default: as long as it takes.
    pub timeout: Option<Duration>,
    /// A machine of the catalogue (`outgrow list instances`).
    pub instance: Option<String>,
    /// Number of cores. Default: 1; one Redis process uses one.
    pub cores: Option<u32>,
    /// Speed of a core relative to that of the catalogue's m7i machines. Default: 1.
    pub speed: Option<f64>,
    /// Price of the machine, USD an hour. Default: the instance's, else 0.
    pub price: Option<f64>,
}

impl CacheSpec {
    fn hardware(&self) -> Hardware<'_> {
        Hardware {
            instance: self.instance.as_deref(),
            cores: self.cores,
            memory: None,
            speed: self.speed,
            price: self.price,
        }
    }

    /// Number of nodes.
    pub(super) fn nodes(&self) -> u32 {
        self.nodes.unwrap_or(1)
    }

    pub(super) fn virtual_nodes(&self) -> u32 {
        self.virtual_nodes.unwrap_or(100)
    }

    /// Number of entries that fit into a node.
    pub(super) fn room(&self) -> u64 {
        let bytes = |given: Option<Bytes>, default: u64| given.map_or(default, |bytes| bytes.0);
        let item = bytes(self.item, ITEM_DEFAULT).max(1);
        self.entries.unwrap_or(bytes(self.memory, MEMORY_DEFAULT) / item)
    }

    pub(super) fn lease(&self) -> SimDuration {
        self.lease.map_or(LEASE_DEFAULT, |lease| lease.0)
    }

    pub(super) fn op(&self) -> Variate {
        self.op.as_ref().map_or(Variate::Constant(OP_DEFAULT.as_secs_f64()), Dist::variate)
    }

    pub(super) fn check_room(&self, problems: &mut Problems) {
        let sizes = [("memory", self.memory.is_some()), ("item", self.item.is_some())];
        for (key, _) in sizes.iter().filter(|(_, given)| *given && self.entries.is_some()) {
            problems.error(*key, format!("`{key}` does nothing beside `entries`"), "drop one of the two");
        }
        let place = if self.entries.is_some() { "entries" } else { "memory" };
        match self.room() {
            0 => problems.error(place, "the cache has no room for a single entry", ""),
            room if room > ENTRIES_MAX => {
                let message =
                    format!("the cache has room for {room} entries; at most {ENTRIES_MAX} are kept");
                problems.error(place, message, "let `item` be larger, or leave rare keys out");
            }
            _ => {}
        }
    }

    pub(super) fn check_times(&self, problems: &mut Problems) {
        if self.ttl.is_some_and(|ttl| ttl.0.is_zero()) {
            problems.error("ttl", "entries that expire at once are never served", "leave the key out");
        }
        let of_ttl = [
            ("ttl_jitter", self.ttl_jitter.is_some()),
            ("ttl_reset", self.ttl_reset),
            ("stale_for", self.stale_for.is_some()),
        ];
        for (key, given) in of_ttl {
            if given && self.ttl.is_none() {
                let message = format!("`{key}` does nothing where entries never expire");
                problems.error(key, message, "say when they do, such as ttl = \"60s\"");
            }
        }
        if self.lease.is_some() && !self.coalesce && self.stale_for.is_none() {
            let help = "add coalesce = true";
            problems.error("lease", "nobody waits for the caller that fills an entry", help);
        }
        if self.lease.is_some_and(|lease| lease.0.is_zero()) {
            problems.error("lease", "a lease of no time is none", "drop `coalesce`");
        }
    }

    pub(super) fn check_negative(&self, may_miss: bool, problems: &mut Problems) {
        if self.negative.is_some() && !may_miss {
            let help = "say how many: [request.read] keys = 100000, missing = \"10%\"";
            problems.warn("negative", "no class asks for keys that are not there", help);
        }
    }

    fn check_nodes(&self, problems: &mut Problems) {
        if self.nodes.is_some_and(|nodes| !(1..=NODES_MAX).contains(&nodes)) {
            problems.error("nodes", format!("a cache has 1 to {NODES_MAX} nodes"), "");
        }
        if self.virtual_nodes.is_some_and(|points| !(1..=NODES_MAX).contains(&points)) {
            problems.error("virtual_nodes", format!("a node has 1 to {NODES_MAX} points"), "");
        }
        if self.virtual_nodes.is_some() && self.nodes() == 1 {
            problems.error("virtual_nodes", "one node needs no ring", "say how many there are: nodes = 4");
        }
        if self.warm.is_some() && self.nodes() > 1 {
            let message = "which keys a node has is chance, so that none is there before it was asked for";
            problems.error("warm", message, "drop `warm`, or `nodes`");
        }
        if self.writes == Writes::Behind && self.target.is_none() {
            let message = "who calls this cache writes to the database itself";
            problems.error("writes", message, "give the cache a `target`, or use \"through\"");
        }
        if self.timeout.is_some() && self.target.is_none() {
            problems.error("timeout", "a cache without `target` waits for nobody", "drop the key");
        }
    }
}

impl Spec for CacheSpec {
    fn arrows(&self) -> Vec<Arrow> {
        let arrow =
            |to: &String| Arrow { key: "target".into(), to: to.clone(), asks: Verbs::QUERY, public: false };
        self.target.iter().map(arrow).collect()
    }

    /// One that stands in front of a database answers queries; one beside it answers gets.
    fn answers(&self) -> Verbs {
        if self.target.is_some() { Verbs::QUERY } else { Verbs::GET }
    }

    fn machine(&self) -> Option<MachineSpec> {
        Some(self.hardware().machine())
    }

    fn members(&self) -> u32 {
        if self.nodes() > 1 { 1 + self.nodes() } else { 1 }
    }

    fn member(&self, name: &str, member: u32) -> MemberPlan {
        let (name, machine, standing) = match member {
            0 if self.nodes() > 1 => (name.to_owned(), None, Standing::Driver),
            0 => (name.to_owned(), self.machine(), Standing::Entry),
            node => (format!("{name}.node-{node}"), self.machine(), Standing::Inner),
        };
        MemberPlan { name, machine, standing }
    }

    fn part(&self, name: &str, sides: &Sides) -> Part {
        if sides.to.iter().any(|to| to == name) { Part::Memory } else { Part::Nothing }
    }

    fn detail(&self) -> Option<String> {
        (self.nodes() > 1).then(|| format!("{} nodes on a ring", self.nodes()))
    }

    fn patience(&self) -> Option<(&'static str, SimDuration)> {
        self.timeout.map(|timeout| ("timeout", timeout.0))
    }

    /// That of Che's approximation for the keys of the class alone, without a time to live: an upper bound.
    fn hits(&self, class: &RequestClass) -> f64 {
        let room = self.room().saturating_mul(u64::from(self.nodes()));
        let kept =
            if self.negative.is_some_and(|time| !time.0.is_zero()) { 1.0 } else { 1.0 - class.keys.missing };
        if class.writes {
            0.0
        } else {
            kept * zipf_hit_ratio(u64::from(class.keys.count), class.keys.zipf, room)
        }
    }

    fn demand(&self, class: &RequestClass) -> Demand {
        let misses = 1.0 - self.hits(class);
        let calls: Vec<_> = self.target.iter().map(|target| (target.clone(), misses)).collect();
        let differs = !calls.is_empty() && misses > 0.0 && misses < 1.0;
        Demand { cpu_s: self.op().mean(), calls, differs, ..Demand::default() }
    }

    fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        self.hardware().check(None, problems);
        self.check_room(problems);
        self.check_times(problems);
        self.check_nodes(problems);
        self.check_negative(outline.classes.iter().any(|class| class.keys.missing > 0.0), problems);
        // One that stands beside its database may also keep what has no class, such as sessions.
        let reads = outline.classes.iter().filter(|class| self.target.is_some() && !class.writes);
        for class in reads.filter(|class| class.keys.count == 1 && !class.keys.is_given) {
            let message = format!(
                "the data of `{}` are one single key, so that all reads ask for the same entry",
                class.name
            );
            problems.warn("", message, format!("[request.{}] keys = 100000, zipf = 0.99", class.name));
        }
        if let Some(warning) = self.op.as_ref().and_then(Dist::warning) {
            problems.warn("op", warning, "");
        }
    }

    fn read_files(&mut self, files: &dyn Files, problems: &mut Problems) {
        if let Some(op) = &mut self.op {
            op.resolve("op", files, problems);
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        if self.nodes() > 1 && site.member == 0 {
            return Box::new(Ring::new(self.nodes(), self.virtual_nodes(), site));
        }
        Box::new(Cache::new(self, site))
    }
}
