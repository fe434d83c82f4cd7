//! `[cdn.NAME]`: caches in several regions, each in front of one origin, and each near the users whom it answers.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::component::Component;
use crate::model::hardware::MachineSpec;
use crate::model::quantity::{Bytes, Dist, Duration, Share};
use crate::model::site::{Site, Standing};
use crate::model::spec::{Arrow, Demand, MemberPlan, Outline, Problems, RequestClass, Spec};
use crate::parts::connecting::Connecting;

use super::nearest::Nearest;
use super::shelf::Evict;
use super::spec::ENTRIES_MAX;
use super::{Cache, CacheSpec};

/// Most regions of one network.
const REGIONS_MAX: usize = 1000;

/// Largest price in USD.
const PRICE_MAX: f64 = 1e6;

/// Bytes of 1 GiB.
const GIB: f64 = 1_073_741_824.0;

/// Time for which CloudFront keeps what names no time itself [S].
const TTL_DEFAULT: SimDuration = SimDuration::from_secs(86_400);

/// Time for which CloudFront keeps the error that an origin answers [V].
const NEGATIVE_DEFAULT: SimDuration = SimDuration::from_secs(10);

/// Time for which CloudFront waits for an answer of the origin [V].
const TIMEOUT_DEFAULT: SimDuration = SimDuration::from_secs(30);

/// Time for which CloudFront waits for a connection to the origin [V].
const CONNECT_TIMEOUT_DEFAULT: SimDuration = SimDuration::from_secs(10);

/// `[cdn.NAME]`: a content delivery network. Each user is answered by the nearest of its caches, the edges, which ask the `origin` for
/// what they do not have, and for what may not be kept.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CdnSpec {
    /// The box that has everything.
    pub origin: String,
    /// The regions in which edges stand.
    pub regions: Vec<String>,
    /// The region of one more cache, which all edges ask in place of the origin. Default: none.
    pub shield: Option<String>,
    /// Number of entries that fit into the shield. Default: as many as into an edge.
    pub shield_entries: Option<u64>,
    /// Number of entries that fit into each edge. Default: `memory` divided by `item`.
    pub entries: Option<u64>,
    /// Memory of each edge for entries. Default: "4GiB" [T].
    pub memory: Option<Bytes>,
    /// Size of one entry. Default: "1KiB" [T].
    pub item: Option<Bytes>,
    /// Time after which an entry is no longer served. Default: "24h", as CloudFront [S].
    pub ttl: Option<Duration>,
    /// Share by which the time of each entry is longer or shorter at random. Default: 0.
    pub ttl_jitter: Option<Share>,
    /// Which entry makes room for a new one. Default: "lru".
    #[serde(default)]
    pub evict: Evict,
    /// Whether one request of an edge gets what is not there while the others wait for it. Default: false.
    #[serde(default)]
    pub coalesce: bool,
    /// Time after which the others wait no longer for the one that gets it. Default: "10s" [S].
    pub lease: Option<Duration>,
    /// Time for which an entry is still served beyond its time to live, while one request renews it, and while the origin gives no
    /// answer. Default: none.
    pub stale_for: Option<Duration>,
    /// Time for which an edge keeps that a key is not there (`missing` of a request class). Default: "10s", as CloudFront [V].
    pub negative: Option<Duration>,
    /// Longest wait for an answer of the origin, and of the shield. Default: "30s", as CloudFront [V].
    pub timeout: Option<Duration>,
    /// Longest wait for a connection to it. Default: "10s", as CloudFront [V].
    pub connect_timeout: Option<Duration>,
    /// USD for 1 GiB of answers of the edges to users. Default: 0.
    pub price_per_gib: Option<f64>,
    /// USD for an answer of an edge to a user. Default: 0.
    pub price_per_request: Option<f64>,
}

impl CdnSpec {
    /// What each edge is, apart from what it asks.
    fn edge(&self) -> CacheSpec {
        CacheSpec {
            entries: self.entries,
            memory: self.memory,
            item: self.item,
            ttl: Some(self.ttl.unwrap_or(Duration(TTL_DEFAULT))),
            ttl_jitter: self.ttl_jitter,
            evict: self.evict,
            coalesce: self.coalesce,
            lease: self.lease,
            stale_for: self.stale_for,
            negative: Some(self.negative.unwrap_or(Duration(NEGATIVE_DEFAULT))),
            op: Some(Dist::constant(SimDuration::ZERO)),
            timeout: Some(self.timeout.unwrap_or(Duration(TIMEOUT_DEFAULT))),
            ..CacheSpec::default()
        }
    }

    /// What the shield is, apart from what it asks.
    fn shield(&self) -> CacheSpec {
        let edge = self.edge();
        CacheSpec {
            entries: Some(self.shield_entries.unwrap_or_else(|| edge.room())),
            memory: None,
            item: None,
            ..edge
        }
    }

    /// The number of caches: the edges, and the shield.
    fn caches(&self) -> u32 {
        (self.regions.len() + usize::from(self.shield.is_some())) as u32
    }

    /// The name of a cache of the network `name`.
    fn cache_name(&self, name: &str, cache: u32) -> String {
        match self.regions.get(cache as usize) {
            Some(region) => format!("{name}.{region}"),
            None => format!("{name}.shield"),
        }
    }

    /// USD for an answer to a request of each class; none where nothing costs anything.
    fn prices(&self, classes: &[RequestClass]) -> Vec<f64> {
        let (gib, request) = (self.price_per_gib.unwrap_or(0.0), self.price_per_request.unwrap_or(0.0));
        if gib == 0.0 && request == 0.0 {
            return Vec::new();
        }
        classes.iter().map(|class| request + gib * class.response_bytes as f64 / GIB).collect()
    }

    fn check_shield(&self, problems: &mut Problems) {
        let Some(entries) = self.shield_entries else { return };
        if self.shield.is_none() {
            let help = "say where it stands: shield = \"eu-central-1\"";
            problems.error("shield_entries", "there is no shield", help);
        } else if !(1..=ENTRIES_MAX).contains(&entries) {
            let message = format!("a shield has room for 1 to {ENTRIES_MAX} entries");
            problems.error("shield_entries", message, "leave the key out for as many as an edge has");
        }
    }

    fn connecting(&self) -> Connecting {
        Connecting(Some(self.connect_timeout.unwrap_or(Duration(CONNECT_TIMEOUT_DEFAULT))))
    }

    /// The share of the requests of a class that the network answers itself: that of Che's approximation, an upper bound.
    fn hits_of(&self, class: &RequestClass) -> f64 {
        if class.cacheable { self.edge().hits(class) } else { 0.0 }
    }
}

impl Spec for CdnSpec {
    fn arrows(&self) -> Vec<Arrow> {
        vec![Arrow { key: "origin".into(), to: self.origin.clone(), asks: Verbs::WORK, public: true }]
    }

    fn is_public(&self) -> bool {
        true
    }

    fn detail(&self) -> Option<String> {
        let edges = self.regions.len();
        let many = if edges == 1 { "edge" } else { "edges" };
        let shield = self.shield.as_ref().map_or(String::new(), |shield| format!(", shield in {shield}"));
        Some(format!("{edges} {many}{shield}"))
    }

    fn regions(&self) -> Vec<(String, String)> {
        let edges = self.regions.iter().enumerate();
        let edges = edges.map(|(index, region)| (format!("regions[{index}]"), region.clone()));
        edges.chain(self.shield.iter().map(|shield| ("shield".to_owned(), shield.clone()))).collect()
    }

    fn machine(&self) -> Option<MachineSpec> {
        self.edge().machine()
    }

    fn members(&self) -> u32 {
        self.caches() + 1
    }

    fn member(&self, name: &str, member: u32) -> MemberPlan {
        if member == self.caches() {
            return MemberPlan { name: name.to_owned(), machine: None, standing: Standing::Driver };
        }
        let (name, machine) = (self.cache_name(name, member), self.machine());
        MemberPlan { name, machine, standing: Standing::Inner }
    }

    fn patience(&self) -> Option<(&'static str, SimDuration)> {
        Some(("timeout", self.timeout.map_or(TIMEOUT_DEFAULT, |timeout| timeout.0)))
    }

    fn demand(&self, class: &RequestClass) -> Demand {
        let misses = 1.0 - self.hits_of(class);
        let differs = misses > 0.0 && misses < 1.0;
        Demand { calls: vec![(self.origin.clone(), misses)], differs, ..Demand::default() }
    }

    fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        if !(1..=REGIONS_MAX).contains(&self.regions.len()) {
            let message = format!("a network has edges in 1 to {REGIONS_MAX} regions");
            problems.error("regions", message, "such as regions = [\"us-east-1\"]");
        }
        for (index, region) in self.regions.iter().enumerate() {
            if self.regions[..index].contains(region) {
                let message = format!("there is an edge in `{region}` already");
                problems.error(format!("regions[{index}]"), message, "drop it");
            }
        }
        let edge = self.edge();
        edge.check_room(problems);
        edge.check_times(problems);
        self.check_shield(problems);
        if self.negative.is_some() {
            let may_miss = |class: &RequestClass| class.cacheable && class.keys.missing > 0.0;
            edge.check_negative(outline.classes.iter().any(may_miss), problems);
        }
        for (key, price) in
            [("price_per_gib", self.price_per_gib), ("price_per_request", self.price_per_request)]
        {
            if price.is_some_and(|usd| !(0.0..=PRICE_MAX).contains(&usd)) {
                let message = format!("a price is a number of USD, 0 to {PRICE_MAX}");
                problems.error(key, message, "leave the key out for nothing");
            }
        }
        if self.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
            let help = "leave the key out";
            problems.error("timeout", "an edge that waits no time at all gets no answer", help);
        }
        let answer = self.timeout.map_or(TIMEOUT_DEFAULT, |timeout| timeout.0);
        Connecting(self.connect_timeout).check(answer, problems);
        if !outline.classes.iter().any(|class| class.cacheable) {
            let message = "no class of requests may be kept, so that every request goes to the origin";
            problems.warn("", message, "[request.photo] keys = 100000, zipf = 0.99, cacheable = true");
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        if site.member == self.caches() {
            let edges: Vec<String> =
                (0..self.regions.len() as u32).map(|edge| self.cache_name(site.group, edge)).collect();
            return Box::new(Nearest::new(&edges, site));
        }
        let is_edge = (site.member as usize) < self.regions.len();
        let asks_shield = is_edge && self.shield.is_some();
        let target = if asks_shield {
            self.cache_name(site.group, self.regions.len() as u32)
        } else {
            self.origin.clone()
        };
        let spec = CacheSpec { target: Some(target), ..if is_edge { self.edge() } else { self.shield() } };
        let cache = Cache::new(&spec, site);
        let cache = cache.of_network(site.classes, is_edge, self.connecting());
        Box::new(if is_edge { cache.priced(self.prices(site.classes)) } else { cache })
    }
}
