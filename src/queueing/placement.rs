//! Placement: which shard has a key.

use super::balance::ring::{Ring, mix as spread};
use crate::kernel::random::mix;
use crate::theory::cache::integral;

/// Number of the most popular keys whose shares of the queries are added up one by one; of more keys there are no copies.
pub const HEAD: u32 = 4096;

/// A rule that divides keys among shards.
#[derive(Clone, PartialEq, Debug)]
pub enum Rule {
    /// The hash of the key, modulo the number of shards.
    Hash,
    /// A simpler hash, which puts neighbours on different shards more often than chance does.
    Fold,
    /// The key itself, modulo the number of shards.
    Mod,
    /// The first point of a shard at or after the hash of the key, with this number of points for each shard.
    Ring(u32),
    /// Each shard that comes takes its even part from all others, and no other key moves: jump consistent hash (J. Lamping and E. Veach,
    /// "A fast, minimal memory, consistent hash algorithm", 2014).
    Jump,
    /// Ranges of keys in order. Each range but the first begins at one of these keys, which ascend.
    Range(Vec<u32>),
}

/// The division of all keys among some shards.
#[derive(Clone, Debug)]
pub struct Placement {
    rule: Rule,
    shards: usize,
    /// The start value of the hash of a key.
    salt: u64,
    /// Number of the most popular keys of which there are copies, and number of the shards that have each of them.
    hot: u32,
    copies: usize,
    /// The points of the shards; without points unless the rule is a ring.
    ring: Ring,
}

impl Placement {
    /// The division by a rule among shards with these names, numbers that stay the same when other shards come or go.
    ///
    /// # Panics
    /// If there is no shard, or the number of ranges is not that of the shards.
    #[must_use]
    pub fn new(rule: Rule, names: &[u64], salt: u64) -> Placement {
        let shards = names.len();
        assert!(shards > 0, "data lie somewhere");
        let ring = match &rule {
            Rule::Ring(points) => Ring::new(names.iter().map(|&name| (name, 1.0)), *points),
            Rule::Range(starts) => {
                assert_eq!(starts.len() + 1, shards, "each shard has a range");
                Ring::default()
            }
            Rule::Hash | Rule::Fold | Rule::Mod | Rule::Jump => Ring::default(),
        };
        Placement { rule, shards, salt, hot: 0, copies: 1, ring }
    }

    /// The same, with copies of the `hot` most popular keys on `copies` shards: their own and those that follow it.
    ///
    /// # Panics
    /// If there are fewer shards than copies, or more such keys than [`HEAD`].
    #[must_use]
    pub fn with_copies(self, hot: u32, copies: usize) -> Placement {
        assert!((1..=self.shards).contains(&copies) && hot <= HEAD, "each copy has a shard of its own");
        Placement { hot, copies, ..self }
    }

    /// Number of the shards that have a key: the one of the key, and those that follow it.
    #[inline]
    #[must_use]
    pub fn copies(&self, key: u32) -> usize {
        if key < self.hot { self.copies } else { 1 }
    }

    /// The number of shards.
    #[must_use]
    pub fn shards(&self) -> usize {
        self.shards
    }

    /// Whether neighbours lie together.
    #[inline]
    #[must_use]
    pub fn is_in_order(&self) -> bool {
        matches!(self.rule, Rule::Range(_))
    }

    /// Sets the start value of the hash of a key.
    pub fn set_salt(&mut self, salt: u64) {
        self.salt = salt;
    }

    /// The shard of a key, from 0.
    #[inline]
    #[must_use]
    pub fn of(&self, key: u32) -> usize {
        let shards = self.shards as u64;
        match &self.rule {
            Rule::Hash => (spread(mix(self.salt, u64::from(key))) % shards) as usize,
            Rule::Fold => (mix(self.salt, u64::from(key)) % shards) as usize,
            Rule::Mod => (u64::from(key) % shards) as usize,
            Rule::Jump => jump(spread(mix(self.salt, u64::from(key))), self.shards),
            Rule::Ring(_) => self.ring.walk(mix(self.salt, u64::from(key))).next().unwrap_or(0),
            Rule::Range(starts) => starts.partition_point(|&start| start <= key),
        }
    }

    /// The queries of each shard for each query of `keys` keys, which are drawn by Zipf's law with this exponent: that of the most
    /// popular keys exactly, and of the others as if they were as even as the rule makes them. A copy is read from one of its
    /// shards, and written at all of them: then there are more queries at the shards than asked.
    #[must_use]
    pub fn shares(&self, keys: u32, zipf: f64, writes: bool) -> Vec<f64> {
        let mut shares = vec![0.0; self.shards];
        let mut total = 0.0;
        let head = keys.min(HEAD);
        for key in 0..head {
            let weight = libm::pow(f64::from(key) + 1.0, -zipf);
            let (home, copies) = (self.of(key), self.copies(key));
            let each = if writes { weight } else { weight / copies as f64 };
            (home..home + copies).for_each(|shard| shares[shard % self.shards] += each);
            total += weight;
        }
        let rest = |from: u32, to: u32| {
            let (from, to) = (from.max(head), to.min(keys));
            if from < to { integral(f64::from(from) + 0.5, f64::from(to) + 0.5, zipf) } else { 0.0 }
        };
        let even = match &self.rule {
            Rule::Hash | Rule::Fold | Rule::Mod | Rule::Jump => vec![1.0 / self.shards as f64; self.shards],
            Rule::Ring(_) => self.ring.shares(self.shards),
            Rule::Range(_) => Vec::new(),
        };
        if let Rule::Range(starts) = &self.rule {
            let ends = starts.iter().copied().chain([u32::MAX]);
            let ranges = [0].into_iter().chain(starts.iter().copied()).zip(ends);
            shares.iter_mut().zip(ranges).for_each(|(share, (from, to))| *share += rest(from, to));
        } else {
            let tail = rest(0, keys);
            shares.iter_mut().zip(even).for_each(|(share, even)| *share += tail * even);
        }
        total += rest(0, keys);
        shares.iter().map(|share| share / total).collect()
    }
}

/// The shard of a hash: of one that has a place among N shards, the place among N + 1 is the same or the new one.
fn jump(mut hash: u64, shards: usize) -> usize {
    let (mut place, mut next) = (0, 0);
    while next < shards {
        place = next;
        hash = hash.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let draw = (1_u64 << 31) as f64 / ((hash >> 33) + 1) as f64;
        next = ((place + 1) as f64 * draw) as usize;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(shards: u64) -> Vec<u64> {
        (0..shards).collect()
    }

    /// The share of 20,000 keys that have another shard when a fifth one comes to four, on average over placements.
    fn moved(rule: &Rule) -> f64 {
        let of = |salt: u64| {
            let names = |shards: u64| (0..shards).map(|shard| salt * 10 + shard).collect::<Vec<u64>>();
            let [four, five] = [4, 5].map(|shards| Placement::new(rule.clone(), &names(shards), salt));
            (0..20_000).filter(|&key| four.of(key) != five.of(key)).count()
        };
        (0..20).map(of).sum::<usize>() as f64 / 20.0 / 20_000.0
    }

    #[test]
    fn a_new_shard_moves_its_share_of_a_ring_and_nearly_all_of_a_remainder() {
        // 1 / (N + 1) and N / (N + 1) with N = 4.
        let shares = [(Rule::Ring(1000), 0.2), (Rule::Jump, 0.2), (Rule::Hash, 0.8), (Rule::Mod, 0.8)];
        for (rule, share) in shares {
            let moved = moved(&rule);
            assert!((moved - share).abs() < 0.01, "{rule:?}: {moved}");
        }
    }

    #[test]
    fn only_what_a_further_shard_takes_moves_and_each_has_as_much() {
        let keys = 40_000;
        let of = |shards: u64| Placement::new(Rule::Jump, &names(shards), 7);
        for shards in [1, 2, 4, 9] {
            let (before, after) = (of(shards), of(shards + 1));
            let moved = |key: u32| before.of(key) != after.of(key);
            assert!((0..keys).filter(|&key| moved(key)).all(|key| after.of(key) == shards as usize));
            let mut counts = vec![0; shards as usize + 1];
            (0..keys).for_each(|key| counts[after.of(key)] += 1);
            let even = f64::from(keys) / (shards + 1) as f64;
            assert!(counts.iter().all(|&count| (f64::from(count) - even).abs() < 0.05 * even), "{counts:?}");
        }
    }

    #[test]
    fn the_shard_of_the_most_popular_key_has_its_queries_and_an_even_share_of_the_others() {
        // p1 + (1 - p1) / N on average, with a million keys.
        for (zipf, shards, expected) in [(0.99, 4, 0.299), (0.99, 5, 0.252), (1.2, 4, 0.392), (1.2, 5, 0.352)]
        {
            let of = |salt: u64| {
                let placement = Placement::new(Rule::Hash, &names(shards), salt);
                placement.shares(1_000_000, zipf, false)[placement.of(0)]
            };
            let mean = (0..400).map(of).sum::<f64>() / 400.0;
            assert!((mean - expected).abs() < 0.005, "{zipf}, {shards}: {mean}");
        }
    }

    #[test]
    fn copies_of_the_hot_keys_take_their_reads_apart() {
        let placement = Placement::new(Rule::Hash, &names(4), 7);
        let shares = |hot: u32, writes| {
            let placement = placement.clone().with_copies(hot, 4);
            placement.shares(1_000_000, 0.99, writes).into_iter().fold(0.0, f64::max)
        };
        let hottest = shares(0, false);
        assert!(hottest > 0.27 && shares(100, false) < 0.26, "{hottest}, {}", shares(100, false));
        // Each shard does all writes of the hot keys.
        assert!(shares(100, true) > 0.45, "{}", shares(100, true));
    }

    #[test]
    fn shares_are_those_of_the_keys_one_by_one() {
        let keys = 20_000;
        let rules =
            [Rule::Hash, Rule::Mod, Rule::Jump, Rule::Ring(100), Rule::Range(vec![100, 5000, 15_000])];
        for rule in rules {
            for zipf in [0.0, 0.99, 1.2] {
                let placement = Placement::new(rule.clone(), &names(4), 7);
                let mut exact = [0.0; 4];
                (0..keys).for_each(|key| exact[placement.of(key)] += libm::pow(f64::from(key) + 1.0, -zipf));
                let total: f64 = exact.iter().sum();
                for (share, exact) in placement.shares(keys, zipf, false).iter().zip(exact) {
                    assert!((share - exact / total).abs() < 0.01, "{rule:?} {zipf}: {share} {exact}");
                }
            }
        }
    }
}
