//! `Resolvers`: the caches of names that many users share. Each keeps an answer for the time to live that is left.

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::address::Answer;
use crate::model::signal::RequestId;

/// The result of a lookup in a cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lookup {
    /// The number of the list of the name's addresses.
    Hit(u32),
    /// The name is not known: the caller must ask the name server.
    Miss,
    /// The name is not known, and the name server has been asked already.
    Waiting,
}

/// One cache.
#[derive(Debug, Default)]
struct Cache {
    answer: Option<(u32, SimTime)>,
    /// Number of times that the name server has been asked for the answer under way; 0 when nobody waits.
    asked: u32,
    waiting: Vec<RequestId>,
    /// Whether it has had an answer before.
    warm: bool,
}

/// The caches. Their shares of the users have a heavy tail: the share of the n-th falls like 1/n.
#[derive(Debug)]
pub(super) struct Resolvers {
    /// The caches, and behind them the same number for the users who hold addresses for too long.
    caches: Vec<Cache>,
    /// Time for which those users hold an address.
    pin_for: SimDuration,
    /// Sum of the shares up to each cache.
    shares: Vec<f64>,
}

impl Resolvers {
    /// `count` empty caches.
    #[must_use]
    pub(super) fn new(count: u32, pin_for: SimDuration) -> Resolvers {
        let total: f64 = (1..=count).map(|n| 1.0 / f64::from(n)).sum();
        let mut sum = 0.0;
        let shares = (1..=count).map(|n| {
            sum += 1.0 / f64::from(n) / total;
            sum
        });
        let caches = (0..2 * count).map(|_| Cache::default()).collect();
        Resolvers { shares: shares.collect(), caches, pin_for }
    }

    /// Returns the cache that serves a user; `u` lies in (0, 1).
    #[must_use]
    pub(super) fn pick(&self, u: f64, pinned: bool) -> usize {
        let count = self.shares.len();
        let cache = self.shares.partition_point(|&share| share < u).min(count - 1);
        if pinned { count + cache } else { cache }
    }

    /// Looks the name up for a request. The request waits if the name is not known.
    pub(super) fn look_up(&mut self, cache: usize, now: SimTime, request: RequestId) -> Lookup {
        let cache = &mut self.caches[cache];
        match cache.answer {
            Some((list, until)) if now < until => return Lookup::Hit(list),
            _ => {}
        }
        cache.waiting.push(request);
        if cache.asked > 0 {
            return Lookup::Waiting;
        }
        cache.asked = 1;
        Lookup::Miss
    }

    /// The name server has not answered a cache in time. Returns whether the cache asks once more, of `most` times in all.
    pub(super) fn ask_again(&mut self, cache: usize, most: u32) -> bool {
        let cache = &mut self.caches[cache];
        let again = cache.asked < most;
        cache.asked += u32::from(again);
        again
    }

    /// Handles the answer of the name server to a cache, or its failure. Returns the requests that waited.
    ///
    /// The first answer lasts for the share `left`, in (0, 1), of its time to live: a resolver has other users too, so that
    /// at the start it holds an answer of any age. Without this all resolvers would ask in step.
    pub(super) fn answered(
        &mut self,
        cache: usize,
        now: SimTime,
        answer: Option<Answer>,
        left: f64,
    ) -> Vec<RequestId> {
        let hold = if cache < self.shares.len() { SimDuration::ZERO } else { self.pin_for };
        let cache = &mut self.caches[cache];
        cache.asked = 0;
        let first = !cache.warm;
        cache.warm |= answer.is_some();
        cache.answer = answer.map(|answer| {
            let time = answer.ttl.max(hold);
            let time = if first && time < SimDuration::MAX { time.mul_f64(left) } else { time };
            (answer.list, now + time)
        });
        std::mem::take(&mut cache.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fall_like_one_over_n() {
        let resolvers = Resolvers::new(20, SimDuration::MAX);
        let total: f64 = (1..=20).map(|n| 1.0 / f64::from(n)).sum();
        let n = 100_000;
        let first =
            (0..n).filter(|i| resolvers.pick((f64::from(*i) + 0.5) / f64::from(n), false) == 0).count();
        assert!((first as f64 / f64::from(n) - 1.0 / total).abs() < 1e-3);
    }

    #[test]
    fn an_answer_lasts_for_its_time_to_live() {
        let mut resolvers = Resolvers::new(1, SimDuration::MAX);
        let at = |s: u64| SimTime::ZERO + SimDuration::from_secs(s);
        assert_eq!(resolvers.look_up(0, at(0), RequestId::NONE), Lookup::Miss);
        assert_eq!(resolvers.look_up(0, at(1), RequestId::NONE), Lookup::Waiting);
        let answer = Answer { list: 3, ttl: SimDuration::from_secs(60) };
        assert_eq!(resolvers.answered(0, at(2), Some(answer), 0.5).len(), 2);
        assert_eq!(resolvers.look_up(0, at(31), RequestId::NONE), Lookup::Hit(3));
        assert_eq!(resolvers.look_up(0, at(32), RequestId::NONE), Lookup::Miss);
        // Only the first answer had an age when it arrived.
        assert_eq!(resolvers.answered(0, at(32), Some(answer), 0.5).len(), 1);
        assert_eq!(resolvers.look_up(0, at(91), RequestId::NONE), Lookup::Hit(3));
        assert_eq!(resolvers.look_up(0, at(92), RequestId::NONE), Lookup::Miss);
        // Some never ask again.
        assert_eq!(resolvers.look_up(1, at(0), RequestId::NONE), Lookup::Miss);
        assert_eq!(resolvers.answered(1, at(0), Some(answer), 0.5).len(), 1);
        assert_eq!(resolvers.look_up(1, at(9999), RequestId::NONE), Lookup::Hit(3));
    }
}
