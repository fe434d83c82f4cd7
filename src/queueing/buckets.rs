//! `Buckets`: a rate limit for each of many keys, such as the users of a service: a token bucket each.

use std::collections::BTreeMap;

use crate::kernel::time::SimTime;

use super::token_bucket::TokenBucket;

/// The number of buckets that are kept at once.
pub const BUCKETS_MAX: usize = 100_000;

/// The buckets of many keys, alike at the beginning. There are at most [`BUCKETS_MAX`]: then the one that has not been asked
/// for longest goes, and its key begins with a full one again.
#[derive(Clone, Debug)]
pub struct Buckets {
    full: TokenBucket,
    /// The bucket of each key, with the number of the asking at which it was used last.
    buckets: BTreeMap<u64, (TokenBucket, u64)>,
    /// The key that was asked for at each of these askings.
    used: BTreeMap<u64, u64>,
    /// Number of askings.
    asked: u64,
}

impl Buckets {
    /// A bucket like this full one for each key.
    #[must_use]
    pub fn new(full: TokenBucket) -> Buckets {
        Buckets { full, buckets: BTreeMap::new(), used: BTreeMap::new(), asked: 0 }
    }

    /// Takes a token of the bucket of a key. Returns false when there is none.
    #[must_use]
    pub fn try_take(&mut self, now: SimTime, key: u64) -> bool {
        self.asked += 1;
        if !self.buckets.contains_key(&key)
            && self.buckets.len() >= BUCKETS_MAX
            && let Some((_, idlest)) = self.used.pop_first()
        {
            self.buckets.remove(&idlest);
        }
        let (bucket, used) = self.buckets.entry(key).or_insert_with(|| (self.full.clone(), 0));
        self.used.remove(&std::mem::replace(used, self.asked));
        self.used.insert(self.asked, key);
        bucket.try_take(now)
    }

    /// The process has started again: all buckets are full.
    pub fn clear(&mut self) {
        self.buckets.clear();
        self.used.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets() -> Buckets {
        Buckets::new(TokenBucket::new(1.0, 2))
    }

    #[test]
    fn each_key_has_its_own_tokens() {
        let mut buckets = buckets();
        let mut take = |key| buckets.try_take(SimTime::ZERO, key);
        assert_eq!([take(1), take(1), take(1), take(2), take(1)], [true, true, false, true, false]);
        buckets.clear();
        assert!(buckets.try_take(SimTime::ZERO, 1));
    }

    #[test]
    fn the_idlest_goes_first() {
        let mut buckets = buckets();
        let mut take = |key| buckets.try_take(SimTime::ZERO, key);
        assert!(take(0) && take(0) && !take(0) && take(1) && take(1) && !take(1));
        for key in 2..BUCKETS_MAX as u64 {
            assert!(take(key));
        }
        // Key 0 is asked for again, so that key 1 makes room, and is full when it comes back.
        assert!(!take(0) && take(u64::MAX) && !take(0) && take(1));
        assert_eq!((buckets.buckets.len(), buckets.used.len()), (BUCKETS_MAX, BUCKETS_MAX));
    }
}
