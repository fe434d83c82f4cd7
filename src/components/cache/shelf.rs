//! `Shelf`: the entries of a cache, and which of them makes room for a new one.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::random::{KeyedRng, below, mix};
use crate::kernel::time::SimTime;
use crate::model::ask::MISSING;

/// Which entry makes room for a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Evict {
    /// The one that was used last the longest time ago.
    #[default]
    Lru,
    /// The one that came first.
    Fifo,
    /// Any one.
    Random,
    /// The one whose key was asked for least often, counted from the start of the cache.
    Lfu,
    /// First the ones that nobody has asked for again since they came; J. Yang et al., "FIFO queues are all you need for cache
    /// eviction" (SOSP 2023).
    S3Fifo,
}

/// What a cache has of a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    Fresh,
    /// Its time is over, and it may still be served while somebody fills it.
    Stale,
    Expired,
    Nothing,
}

/// No entry.
const NONE: u32 = u32::MAX;

/// Share of the room that new entries of S3-FIFO have at first, as in the paper.
const SMALL: f64 = 0.1;

/// Largest number of uses of an entry that S3-FIFO remembers, as in the paper.
const USES_MAX: u8 = 3;

/// One entry, which is a link of the list by last use, or by arrival.
#[derive(Clone, Copy, Debug)]
struct Entry {
    key: u32,
    /// The entry that came to the list next after this one, or [`NONE`].
    newer: u32,
    /// The entry that came to it last before this one, or [`NONE`].
    older: u32,
    /// Until when it is served.
    fresh: SimTime,
    /// Until when it is kept.
    kept: SimTime,
    /// Number of times that it was used since it came, up to three, and whether it is in the list of the new ones: of S3-FIFO.
    uses: u8,
    is_new: bool,
}

/// A list of entries, from the newest to the oldest.
#[derive(Clone, Copy, Debug)]
struct List {
    newest: u32,
    oldest: u32,
    len: usize,
}

impl List {
    const EMPTY: List = List { newest: NONE, oldest: NONE, len: 0 };
}

/// The entry of a sparse key.
#[derive(Clone, Copy, Debug)]
struct Sparse {
    place: u32,
    count: u32,
}

/// The entries of a cache. Every operation takes constant time, with LFU and for sparse keys time in the logarithm of the number of entries.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) room: usize,
    evict: Evict,
    entries: Vec<Entry>,
    /// Places in `entries` that are free.
    free: Vec<u32>,
    /// The place of each key in `entries`, or [`NONE`]. It grows with the number of different keys, not of calls.
    places: Vec<u32>,
    /// All entries, of S3-FIFO those that have been asked for again.
    main: List,
    /// Those that nobody has asked for again.
    small: List,
    /// Keys that left `small` last: who comes back is not new.
    ghosts: VecDeque<u32>,
    is_ghost: BTreeSet<u32>,
    /// Number of times that each key was asked for, of LFU, and the entries by it.
    counts: Vec<u32>,
    /// Places and counts of the entries with sparse keys.
    sparse: BTreeMap<u32, Sparse>,
    by_count: BTreeSet<(u32, u32)>,
    /// Number of draws, of random eviction.
    draws: u64,
    key: u64,
}

impl Shelf {
    /// An empty shelf.
    pub(super) fn new(room: usize, evict: Evict) -> Shelf {
        Shelf {
            room,
            evict,
            entries: Vec::new(),
            free: Vec::new(),
            places: Vec::new(),
            main: List::EMPTY,
            small: List::EMPTY,
            ghosts: VecDeque::new(),
            is_ghost: BTreeSet::new(),
            counts: Vec::new(),
            sparse: BTreeMap::new(),
            by_count: BTreeSet::new(),
            draws: 0,
            key: 0,
        }
    }

    /// Random eviction draws from this key.
    pub(super) fn seed(&mut self, key: u64) {
        self.key = key;
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        *self = Shelf { key: mix(self.key, 1), ..Shelf::new(self.room, self.evict) };
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    fn place(&self, key: u32) -> u32 {
        if key >= MISSING {
            return self.sparse.get(&key).map_or(NONE, |entry| entry.place);
        }
        self.places.get(key as usize).copied().unwrap_or(NONE)
    }

    /// Notes at which place the entry of a key is.
    fn set_place(&mut self, key: u32, place: u32) {
        if key >= MISSING {
            self.sparse.insert(key, Sparse { place, count: 1 });
            return;
        }
        if self.places.len() <= key as usize {
            self.places.resize(key as usize + 1, NONE);
        }
        self.places[key as usize] = place;
    }

    /// Looks a key up. An entry that is served has been used; one that is no longer kept leaves.
    pub(super) fn find(&mut self, key: u32, now: SimTime) -> Found {
        if self.evict == Evict::Lfu {
            self.count(key);
        }
        let place = self.place(key);
        if place == NONE {
            return Found::Nothing;
        }
        let Entry { fresh, kept, .. } = self.entries[place as usize];
        if kept <= now {
            self.remove(key);
            return Found::Expired;
        }
        self.used(place);
        if fresh <= now { Found::Stale } else { Found::Fresh }
    }

    /// Whether an entry is there and served, without using it.
    pub(super) fn is_fresh(&self, key: u32, now: SimTime) -> bool {
        let place = self.place(key);
        place != NONE && self.entries[place as usize].fresh > now
    }

    /// Lets an entry be served until `fresh` and kept until `kept`, if there is one.
    pub(super) fn renew(&mut self, key: u32, fresh: SimTime, kept: SimTime) {
        let place = self.place(key);
        if place != NONE {
            let entry = &mut self.entries[place as usize];
            (entry.fresh, entry.kept) = (fresh, kept);
        }
    }

    /// Keeps an entry until `kept`, and serves it until `fresh`. Returns whether another one had to make room.
    pub(super) fn put(&mut self, key: u32, fresh: SimTime, kept: SimTime) -> bool {
        let known = self.place(key);
        if known != NONE {
            self.renew(key, fresh, kept);
            self.used(known);
            return false;
        }
        let is_full = self.len() == self.room;
        if is_full {
            self.evict();
        }
        let is_new = self.evict == Evict::S3Fifo && !self.is_ghost.remove(&key);
        let entry = Entry { key, newer: NONE, older: NONE, fresh, kept, uses: 0, is_new };
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
        self.set_place(key, place);
        self.link(place);
        if self.evict == Evict::Lfu {
            self.by_count.insert((self.count_of(key), place));
        }
        is_full
    }

    /// Drops the entry of a key, if there is one.
    pub(super) fn remove(&mut self, key: u32) {
        let place = self.place(key);
        if place != NONE {
            self.unlink(place);
            self.by_count.remove(&(self.count_of(key), place));
            if key >= MISSING {
                self.sparse.remove(&key);
            } else {
                self.places[key as usize] = NONE;
            }
            self.free.push(place);
        }
    }

    // Which one goes ------------------------------------------------------------------------------------------------

    fn used(&mut self, place: u32) {
        match self.evict {
            Evict::Lru => {
                self.unlink(place);
                self.link(place);
            }
            Evict::S3Fifo => {
                let entry = &mut self.entries[place as usize];
                entry.uses = (entry.uses + 1).min(USES_MAX);
            }
            Evict::Fifo | Evict::Random | Evict::Lfu => {}
        }
    }

    /// Makes room for one entry.
    fn evict(&mut self) {
        let place = match self.evict {
            Evict::Lru | Evict::Fifo => self.main.oldest,
            Evict::Random => self.any(),
            Evict::Lfu => self.by_count.first().expect("a full shelf has entries").1,
            Evict::S3Fifo => return self.evict_s3(),
        };
        self.remove(self.entries[place as usize].key);
    }

    /// Returns the place of any entry. A full shelf has no free places.
    fn any(&mut self) -> u32 {
        self.draws += 1;
        below(&mut KeyedRng::new(mix(self.key, self.draws)), self.entries.len() as u64) as u32
    }

    /// An entry that was used since it came goes to the main list, or stays in it and has one use less; the first that was not
    /// goes.
    fn evict_s3(&mut self) {
        let most = ((self.room as f64 * SMALL) as usize).max(1);
        loop {
            let from_small = self.small.len >= most || self.main.len == 0;
            let place = if from_small { self.small.oldest } else { self.main.oldest };
            let Entry { key, uses, .. } = self.entries[place as usize];
            // A new one must have been used twice to be kept, as in the paper.
            if uses == 0 || (from_small && uses == 1) {
                self.remove(key);
                if from_small {
                    self.remember(key);
                }
                return;
            }
            self.unlink(place);
            let entry = &mut self.entries[place as usize];
            (entry.uses, entry.is_new) = (if from_small { 0 } else { uses - 1 }, false);
            self.link(place);
        }
    }

    /// A key leaves, and would not be new if it came back soon: as many keys are remembered as the main list has room for.
    fn remember(&mut self, key: u32) {
        if self.is_ghost.insert(key) {
            self.ghosts.push_back(key);
        }
        while self.ghosts.len() > self.room {
            let oldest = self.ghosts.pop_front().expect("it is not empty");
            self.is_ghost.remove(&oldest);
        }
    }

    fn count_of(&self, key: u32) -> u32 {
        if key >= MISSING {
            return self.sparse.get(&key).map_or(0, |entry| entry.count);
        }
        self.counts.get(key as usize).copied().unwrap_or(0)
    }

    /// A key is asked for.
    fn count(&mut self, key: u32) {
        if key >= MISSING {
            return self.count_sparse(key);
        }
        if self.counts.len() <= key as usize {
            self.counts.resize(key as usize + 1, 0);
        }
        let place = self.place(key);
        let before = self.counts[key as usize];
        self.counts[key as usize] = before.saturating_add(1);
        if place != NONE {
            self.by_count.remove(&(before, place));
            self.by_count.insert((before.saturating_add(1), place));
        }
    }

    /// The same for a sparse key, which is counted while its entry is there.
    fn count_sparse(&mut self, key: u32) {
        let Some(Sparse { place, count }) = self.sparse.get_mut(&key) else { return };
        self.by_count.remove(&(*count, *place));
        *count = count.saturating_add(1);
        self.by_count.insert((*count, *place));
    }

    // Lists ---------------------------------------------------------------------------------------------------------

    /// Takes an entry out of its list.
    fn unlink(&mut self, place: u32) {
        let Entry { newer, older, is_new, .. } = self.entries[place as usize];
        let list = if is_new { &mut self.small } else { &mut self.main };
        list.len -= 1;
        match newer {
            NONE => list.newest = older,
            newer => self.entries[newer as usize].older = older,
        }
        match older {
            NONE => list.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
    }

    /// Puts an entry at the newest end of its list.
    fn link(&mut self, place: u32) {
        let entry = &mut self.entries[place as usize];
        let list = if entry.is_new { &mut self.small } else { &mut self.main };
        (entry.newer, entry.older) = (NONE, list.newest);
        list.len += 1;
        let before = std::mem::replace(&mut list.newest, place);
        match before {
            NONE => list.oldest = place,
            newest => self.entries[newest as usize].newer = place,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;
    use crate::kernel::zipf::Zipf;

    fn at(seconds: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(seconds)
    }

    fn keep(shelf: &mut Shelf, key: u32) -> bool {
        shelf.put(key, SimTime::MAX, SimTime::MAX)
    }

    #[test]
    fn the_least_recently_used_entry_makes_room() {
        let mut shelf = Shelf::new(3, Evict::Lru);
        assert!([1, 2, 3].iter().all(|key| !keep(&mut shelf, *key)));
        assert_eq!(shelf.find(1, at(1)), Found::Fresh);
        assert!(keep(&mut shelf, 4) && keep(&mut shelf, 5));
        let found = [1, 2, 3, 4, 5].map(|key| shelf.find(key, at(2)) == Found::Fresh);
        assert_eq!(found, [true, false, false, true, true]);
        shelf.remove(4);
        assert!(shelf.len() == 2 && !keep(&mut shelf, 6) && keep(&mut shelf, 7));
        assert_eq!((shelf.find(1, at(2)), shelf.len()), (Found::Nothing, 3));
    }

    #[test]
    fn the_first_that_came_makes_room_though_it_was_used() {
        let mut shelf = Shelf::new(2, Evict::Fifo);
        keep(&mut shelf, 1);
        keep(&mut shelf, 2);
        assert_eq!(shelf.find(1, at(1)), Found::Fresh);
        assert!(keep(&mut shelf, 3));
        assert_eq!([1, 2, 3].map(|key| shelf.find(key, at(1)) == Found::Fresh), [false, true, true]);
    }

    #[test]
    fn the_key_that_is_asked_for_least_makes_room() {
        let mut shelf = Shelf::new(2, Evict::Lfu);
        for key in [1, 1, 1, 2, 2, 3] {
            if shelf.find(key, at(1)) == Found::Nothing {
                keep(&mut shelf, key);
            }
        }
        assert_eq!([1, 2, 3].map(|key| shelf.is_fresh(key, at(1))), [true, false, true]);
    }

    #[test]
    fn an_entry_expires_and_a_fill_renews_it() {
        let mut shelf = Shelf::new(2, Evict::Lru);
        shelf.put(7, at(10), at(12));
        assert_eq!(
            [9, 10, 11, 12].map(|time| shelf.find(7, at(time))),
            [Found::Fresh, Found::Stale, Found::Stale, Found::Expired]
        );
        assert_eq!((shelf.find(7, at(12)), shelf.len()), (Found::Nothing, 0));
        shelf.put(7, at(10), at(10));
        shelf.put(7, at(20), at(20));
        assert_eq!((shelf.find(7, at(15)), shelf.len()), (Found::Fresh, 1));
    }

    /// The share of hits of 10,000 keys by Zipf's law with 0.99, after the cache has filled.
    fn hits(evict: Evict, room: usize) -> f64 {
        hits_of(&Zipf::new(10_000, 0.99), evict, room, [400_000; 2])
    }

    /// The share of hits in the second number of calls.
    fn hits_of(law: &Zipf, evict: Evict, room: usize, [fill, calls]: [u32; 2]) -> f64 {
        let mut shelf = Shelf::new(room, evict);
        let mut rng = KeyedRng::new(7);
        let mut hits = 0;
        for call in 0..fill + calls {
            let key = law.draw(&mut rng) as u32 - 1;
            let is_hit = shelf.find(key, at(1)) == Found::Fresh;
            hits += u32::from(is_hit && call >= fill);
            if !is_hit {
                keep(&mut shelf, key);
            }
            assert!(shelf.len() <= room);
        }
        f64::from(hits) / f64::from(calls)
    }

    #[test]
    fn shares_of_hits_are_those_of_theory() {
        // Che's approximation for LRU, and the exact product form for FIFO and random (Gelenbe 1973), which are the same.
        for (room, lru, fifo) in [(100, 0.3769, 0.3296), (1000, 0.6641, 0.6190), (5000, 0.8941, 0.8664)] {
            let found = [Evict::Lru, Evict::Fifo, Evict::Random].map(|evict| hits(evict, room));
            for (found, theory) in found.into_iter().zip([lru, fifo, fifo]) {
                assert!((found - theory).abs() < 0.005, "{room}: {found} {theory}");
            }
            // S3-FIFO lies between LRU and the share of the most popular keys, which LFU comes to.
            let (s3, lfu) = (hits(Evict::S3Fifo, room), hits(Evict::Lfu, room));
            assert!(lru < s3 && s3 < lfu + 0.005, "{room}: {lru} {s3} {lfu}");
        }
        // The 1000 most popular of 10,000 have this share.
        let weight = |keys: u32| (1..=keys).map(|rank| libm::pow(f64::from(rank), -0.99)).sum::<f64>();
        let most = weight(1000) / weight(10_000);
        assert!((hits(Evict::Lfu, 1000) - most).abs() < 0.01, "{most}");
    }
    #[test]
    fn a_million_keys_are_hit_as_che_says() {
        let known = [(0.8, [0.100, 0.232, 0.487, 0.810]), (0.99, [0.384, 0.566, 0.766, 0.926])];
        for (exponent, shares) in known {
            let law = Zipf::new(1_000_000, exponent);
            // As many calls as it takes until the cache is full, and half as many again.
            let rooms = [(1_000, 20_000), (10_000, 100_000), (100_000, 800_000), (500_000, 5_000_000)];
            for ((room, fill), share) in rooms.into_iter().zip(shares) {
                let found = hits_of(&law, Evict::Lru, room, [fill, 500_000]);
                assert!((found - share).abs() < 0.005, "Zipf {exponent}, {room}: {found} {share}");
            }
        }
    }
}
