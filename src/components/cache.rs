//! `Cache`: keeps what a database has answered, and answers the next query for the same key itself.
//!
//! A cache stands between the boxes that ask and the box that has the data. It has room for a number of entries. The
//! least recently used entry makes room for a new one, and an entry expires when its time to live is over. Nothing here is
//! a ratio from a table: the share of hits follows from the keys that are asked for.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::{SimDuration, SimTime};
use crate::kernel::variate::Variate;
use crate::model::ask::{Ask, Scope, Verb, Verbs};
use crate::model::call::Parent;
use crate::model::component::{Component, Cx};
use crate::model::gauge::{Gauge, GaugeId};
use crate::model::machine::Device;
use crate::model::quantity::{Bytes, Dist, Duration};
use crate::model::signal::{Alarm, CallId, Control, Outcome, Signal};
use crate::model::site::Site;
use crate::model::spec::{Arrow, Demand, Files, MachineSpec, Outline, Problems, RequestClass, Spec};
use crate::parts::hand::{Hand, Retries};
use crate::parts::hardware::Hardware;
use crate::parts::members::Members;
use crate::theory::cache::zipf_hit_ratio;

/// What a cache counts and measures.
pub const GAUGES: &[Gauge] = &[
    Gauge::share("hit_share", "Reads that the cache answered itself, of all reads.").more_is_better(),
    Gauge::count("evictions", "Entries that made room for another one."),
    Gauge::count("expired", "Entries whose time to live was over when they were asked for."),
    Gauge::count("fills", "Entries that an answer of the target made or renewed."),
    Gauge::level(
        "entries",
        "Entries in the cache, those included that have expired and were not asked for since.",
    ),
];

const HIT_SHARE: GaugeId = GaugeId::of("hit_share", GAUGES);
const EVICTIONS: GaugeId = GaugeId::of("evictions", GAUGES);
const EXPIRED: GaugeId = GaugeId::of("expired", GAUGES);
const FILLS: GaugeId = GaugeId::of("fills", GAUGES);
const ENTRIES: GaugeId = GaugeId::of("entries", GAUGES);

/// Most entries of one cache: the program keeps 20 bytes for each.
const ENTRIES_MAX: u64 = 50_000_000;

/// Memory and size of an entry where the scenario does not say, bytes.
const MEMORY_DEFAULT: u64 = 4 << 30;
const ITEM_DEFAULT: u64 = 1 << 10;

/// Core time of one operation: Redis does 72 to 80 thousand of them a second on one core [V].
const OP_DEFAULT: SimDuration = SimDuration::from_nanos(13_000);

/// Purpose of the draw of the core time of an operation.
const OP: u64 = 0;

/// The timer of the hand.
const LATE: u16 = 0;

/// `[cache.NAME]`: a cache in front of a database.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CacheSpec {
    /// The box that has the data. The cache asks it for every key that it does not have, and passes every write on to it.
    pub target: String,
    /// Number of entries that fit. Default: `memory` divided by `item`.
    pub entries: Option<u64>,
    /// Memory for entries. Default: "4GiB" [T].
    pub memory: Option<Bytes>,
    /// Size of one entry. Default: "1KiB" [T].
    pub item: Option<Bytes>,
    /// Time after which an entry is no longer served, counted from its fill. Default: without end.
    pub ttl: Option<Duration>,
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

    /// Number of entries that fit.
    fn room(&self) -> u64 {
        let bytes = |given: Option<Bytes>, default: u64| given.map_or(default, |bytes| bytes.0);
        let item = bytes(self.item, ITEM_DEFAULT).max(1);
        self.entries.unwrap_or(bytes(self.memory, MEMORY_DEFAULT) / item)
    }

    fn op(&self) -> Variate {
        self.op.as_ref().map_or(Variate::Constant(OP_DEFAULT.as_secs_f64()), Dist::variate)
    }
}

impl Spec for CacheSpec {
    fn arrows(&self) -> Vec<Arrow> {
        vec![Arrow { key: "target".into(), to: self.target.clone(), asks: Verbs::QUERY, public: false }]
    }

    fn answers(&self) -> Verbs {
        Verbs::QUERY.and(Verbs::GET)
    }

    fn machine(&self) -> Option<MachineSpec> {
        Some(self.hardware().machine())
    }

    fn patience(&self) -> Option<(&'static str, SimDuration)> {
        self.timeout.map(|timeout| ("timeout", timeout.0))
    }

    /// The share of misses is that of Che's approximation for the keys of the class alone, without a time to live: a
    /// lower bound on what reaches the target.
    fn demand(&self, class: &RequestClass) -> Demand {
        let hits = zipf_hit_ratio(u64::from(class.keys.count), class.keys.zipf, self.room());
        let misses = if class.writes { 1.0 } else { 1.0 - hits };
        let calls = vec![(self.target.clone(), misses)];
        let differs = misses > 0.0 && misses < 1.0;
        Demand { cpu_s: self.op().mean(), calls, differs, ..Demand::default() }
    }

    fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        self.hardware().check(None, problems);
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
        if self.ttl.is_some_and(|ttl| ttl.0.is_zero()) {
            problems.error("ttl", "entries that expire at once are never served", "leave the key out");
        }
        let reads = outline.classes.iter().filter(|class| !class.writes);
        for class in reads.filter(|class| class.keys.count == 1) {
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
        Box::new(Cache {
            target: Members::new(&self.target, site),
            hand: Hand::new(self.timeout.map(|timeout| timeout.0), LATE, Retries::none()),
            writes: site.classes.iter().map(|class| class.writes).collect(),
            op: self.op(),
            ttl: self.ttl.map_or(SimDuration::MAX, |ttl| ttl.0),
            shelf: Shelf::new(self.room() as usize),
        })
    }
}

/// A cache in a simulation.
#[derive(Debug)]
struct Cache {
    target: Members,
    hand: Hand<CallId>,
    /// Whether a class writes.
    writes: Vec<bool>,
    op: Variate,
    ttl: SimDuration,
    shelf: Shelf,
}

impl Cache {
    /// The operation for a call is done: answers a hit, and asks the target for the rest.
    fn look_up(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let Ask { verb, key } = cx.get(call).ask();
        if !self.is_write(call, cx) {
            let found = self.shelf.find(key, cx.now());
            cx.share(HIT_SHARE, found == Found::Fresh);
            match found {
                Found::Fresh => return cx.reply(call, Outcome::Ok),
                Found::Expired => cx.count(EXPIRED),
                Found::Nothing => {}
            }
        }
        let scope = if let Verb::Query(scope) = verb { scope } else { Scope::default() };
        // Ordinal 0 hands the draws of the call on: the target does the work that it would do without a cache.
        let child = cx.ask(Parent::Call(call), self.target.turn(), 0, Ask::query(key, scope));
        self.hand.wait_for(child, cx);
    }

    /// The target has answered. A write makes what the cache has of its key old; a read fills the cache.
    fn answered(&mut self, child: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let Parent::Call(call) = cx.get(child).parent else { return };
        let (key, answer) = (cx.get(child).ask().key, cx.get(child).answer);
        cx.get_mut(call).answer = answer;
        let now = cx.now();
        match (outcome, self.is_write(call, cx)) {
            (Outcome::Ok, true) => self.shelf.remove(key),
            (Outcome::Ok, false) => {
                cx.count(FILLS);
                if self.shelf.put(key, now + self.ttl) {
                    cx.count(EVICTIONS);
                }
            }
            _ => {}
        }
        cx.level(ENTRIES, self.shelf.len() as u64);
        cx.reply(call, outcome);
    }

    /// The target has not answered in time. It is not told and works on.
    fn give_up(&mut self, cx: &mut Cx<'_>) {
        while let Some(child) = self.hand.late(cx) {
            let Parent::Call(call) = cx.get(child).parent else { continue };
            cx.abandon(child);
            cx.reply(call, Outcome::TimedOut);
        }
    }

    fn is_write(&self, call: CallId, cx: &Cx<'_>) -> bool {
        self.writes[usize::from(cx.get(call).class)]
    }
}

impl Component for Cache {
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) if cx.get(call).ask().is_check() => cx.reply(call, Outcome::Ok),
            Signal::Call(call) => {
                let op = cx.demand(call, &self.op, OP);
                cx.work(call, Device::Cpu, op);
            }
            Signal::Done(call) => self.look_up(call, cx),
            Signal::Reply(child, outcome) => self.answered(child, outcome, cx),
            Signal::Alarm(Alarm { code: LATE, .. }) => self.give_up(cx),
            // All entries were in memory.
            Signal::Control(Control::Crash | Control::PowerOff) => {
                self.shelf = Shelf::new(self.shelf.room);
                self.hand.crash();
                cx.level(ENTRIES, 0);
            }
            Signal::Alarm(_)
            | Signal::Control(_)
            | Signal::Returned(..)
            | Signal::Passed(..)
            | Signal::Cancelled(_) => {}
        }
    }
}

/// What a cache has of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Found {
    Fresh,
    Expired,
    Nothing,
}

/// No entry.
const NONE: u32 = u32::MAX;

/// One entry, which is a link of the list by last use.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u32,
    /// The entry that was used next after this one, or [`NONE`].
    newer: u32,
    /// The entry that was used last before this one, or [`NONE`].
    older: u32,
    expires: SimTime,
}

/// The entries of a cache, in the order of their last use. Every operation takes constant time.
#[derive(Debug)]
struct Shelf {
    room: usize,
    entries: Vec<Entry>,
    /// Places in `entries` that are free.
    free: Vec<u32>,
    /// The place of each key in `entries`, or [`NONE`]. It grows with the number of different keys, not of calls.
    places: Vec<u32>,
    newest: u32,
    oldest: u32,
}

impl Shelf {
    fn new(room: usize) -> Shelf {
        Shelf { room, entries: Vec::new(), free: Vec::new(), places: Vec::new(), newest: NONE, oldest: NONE }
    }

    fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    fn place(&self, key: u32) -> u32 {
        self.places.get(key as usize).copied().unwrap_or(NONE)
    }

    /// Looks a key up. A fresh entry becomes the newest, an expired one leaves.
    fn find(&mut self, key: u32, now: SimTime) -> Found {
        let place = self.place(key);
        if place == NONE {
            return Found::Nothing;
        }
        if self.entries[place as usize].expires <= now {
            self.remove(key);
            return Found::Expired;
        }
        self.unlink(place);
        self.link(place);
        Found::Fresh
    }

    /// Keeps an entry until `expires`. Returns whether the least recently used one had to make room.
    fn put(&mut self, key: u32, expires: SimTime) -> bool {
        let known = self.place(key);
        if known != NONE {
            self.entries[known as usize].expires = expires;
            self.unlink(known);
            self.link(known);
            return false;
        }
        let is_full = self.len() == self.room;
        if is_full {
            self.remove(self.entries[self.oldest as usize].key);
        }
        let entry = Entry { key, newer: NONE, older: NONE, expires };
        let place = match self.free.pop() {
            Some(place) => {
                self.entries[place as usize] = entry;
                place
            }
            None => {
                self.entries.push(entry);
                self.entries.len() as u32 - 1
            }
        };
        if self.places.len() <= key as usize {
            self.places.resize(key as usize + 1, NONE);
        }
        self.places[key as usize] = place;
        self.link(place);
        is_full
    }

    /// Drops the entry of a key, if there is one.
    fn remove(&mut self, key: u32) {
        let place = self.place(key);
        if place != NONE {
            self.unlink(place);
            self.places[key as usize] = NONE;
            self.free.push(place);
        }
    }

    /// Takes an entry out of the list.
    fn unlink(&mut self, place: u32) {
        let Entry { newer, older, .. } = self.entries[place as usize];
        match newer {
            NONE => self.newest = older,
            newer => self.entries[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
    }

    /// Puts an entry at the newest end of the list.
    fn link(&mut self, place: u32) {
        let entry = &mut self.entries[place as usize];
        (entry.newer, entry.older) = (NONE, self.newest);
        match self.newest {
            NONE => self.oldest = place,
            newest => self.entries[newest as usize].newer = place,
        }
        self.newest = place;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    #[test]
    fn the_least_recently_used_entry_makes_room() {
        let mut shelf = Shelf::new(3);
        assert!([1, 2, 3].iter().all(|key| !shelf.put(*key, SimTime::MAX)));
        assert_eq!(shelf.find(1, at(1)), Found::Fresh);
        assert!(shelf.put(4, SimTime::MAX) && shelf.put(5, SimTime::MAX));
        let found = [1, 2, 3, 4, 5].map(|key| shelf.find(key, at(2)) == Found::Fresh);
        assert_eq!(found, [true, false, false, true, true]);
        shelf.remove(4);
        assert!(shelf.len() == 2 && !shelf.put(6, SimTime::MAX) && shelf.put(7, SimTime::MAX));
        assert_eq!((shelf.find(1, at(2)), shelf.len()), (Found::Nothing, 3));
    }

    #[test]
    fn an_entry_expires_and_a_fill_renews_it() {
        let mut shelf = Shelf::new(2);
        shelf.put(7, at(10));
        assert_eq!([shelf.find(7, at(9)), shelf.find(7, at(10))], [Found::Fresh, Found::Expired]);
        assert_eq!((shelf.find(7, at(10)), shelf.len()), (Found::Nothing, 0));
        shelf.put(7, at(10));
        shelf.put(7, at(20));
        assert_eq!((shelf.find(7, at(15)), shelf.len()), (Found::Fresh, 1));
    }
}
