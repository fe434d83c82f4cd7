//! Balancing policies: the choice of one of N targets for the next call, from what the balancer itself has seen.

mod fewest;
mod peak;
pub(super) mod ring;
#[cfg(test)]
mod tests;

use rand::Rng;

use super::draw::unit;
use crate::kernel::time::{SimDuration, SimTime};
use fewest::Fewest;
use peak::Peak;
use ring::{Ring, mix};

/// Greatest number of hashes that `ip-hash` tries while their targets are out, as in nginx.
const IP_HASH_TRIES: u64 = 20;

/// Targets up to which the fewest connections are found by a look at each: it costs less than a tree that must be kept.
const LOOK_AT_EACH: usize = 32;

/// A rule for choosing a target.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Policy {
    /// In turn; a weight counts only as zero or not.
    RoundRobin,
    /// nginx's smooth weighted round robin: each target gets its share, spread evenly.
    Weighted,
    /// At random, by weight.
    Random,
    /// The target with the fewest outstanding calls divided by its weight; among equals one at random, by weight.
    LeastConnections,
    /// Of two targets at random, by weight, the one with fewer outstanding calls divided by its weight. Mitzenmacher, "The
    /// Power of Two Choices in Randomized Load Balancing", 2001.
    TwoChoices {
        /// Whether the two differ; otherwise each is drawn among all, so that they can be the same.
        distinct: bool,
    },
    /// Of two different targets at random, the one with the lower cost. The cost is a moving average of response
    /// times, which jumps up with a peak and decays with the time constant `decay`, times outstanding calls + 1. As
    /// in Finagle and Linkerd, both with a decay of 10 s.
    Ewma {
        /// Time after which the weight of a response time has fallen by the factor e; above zero.
        decay: SimDuration,
    },
    /// Consistent hashing of the call's key on a ring. Karger et al., 1997.
    Hash {
        /// Number of points on the ring of a target of weight 1, at least one.
        virtual_nodes: u32,
        /// Skips targets with more than this multiple of their share of the outstanding calls, at least 1. Mirrokni,
        /// Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016.
        bounded_load: Option<f64>,
    },
    /// The hash of the call's key modulo the weights, as nginx's `ip_hash`: a new target moves most keys.
    IpHash,
}

/// The state of one balancer. It has only its own counters, and does not see the targets.
#[derive(Clone, Debug)]
pub struct Balance {
    policy: Policy,
    /// Whether all weights are 1, which is usual and allows a cheaper way to the same choice.
    is_even: bool,
    targets: Vec<Target>,
    /// Number of calls sent to each target that have not ended. A vector of its own, so that the search for the least
    /// stays within a cache line.
    outstanding: Vec<u32>,
    /// The fewest of them, for least connections among many targets.
    fewest: Option<Fewest>,
    ring: Ring,
    /// For round robin: the index to try first.
    next: usize,
}

#[derive(Clone, Debug)]
struct Target {
    name: u64,
    weight: f64,
    /// For smooth weighted round robin: the credit of the target.
    owed: f64,
    peak: Peak,
}

impl Balance {
    /// A balancer of targets with these `weights`, zero or more (a target of weight zero is never picked), and these
    /// `names`. Hashing uses the names, numbers that stay the same when other targets come or go.
    ///
    /// # Panics
    /// When `names` and `weights` differ in length, or a parameter of the policy is out of its range.
    pub fn new(policy: Policy, weights: &[f64], names: &[u64]) -> Balance {
        assert_eq!(weights.len(), names.len(), "every target has a weight and a name");
        if let Policy::Hash { virtual_nodes, bounded_load } = policy {
            assert!(virtual_nodes > 0, "a ring has points");
            assert!(bounded_load.is_none_or(|bound| bound >= 1.0), "each target may have its share");
        }
        let target = |(&weight, &name)| Target { name, weight, owed: 0.0, peak: Peak::default() };
        let targets: Vec<_> = weights.iter().zip(names).map(target).collect();
        assert!(targets.iter().all(|target| is_weight(target.weight)), "a weight is finite, zero or more");
        let is_for_many = policy == Policy::LeastConnections && targets.len() > LOOK_AT_EACH;
        let mut balance = Balance {
            policy,
            is_even: are_even(&targets),
            fewest: is_for_many.then(|| Fewest::new(targets.len())),
            outstanding: vec![0; targets.len()],
            targets,
            ring: Ring::default(),
            next: 0,
        };
        balance.lay_ring();
        balance
    }

    /// The target for a call with hash key `key`, among those for which `eligible` holds; `None` if there is none.
    /// The caller must report a sent call by [`Balance::sent`]. Takes at most time linear in the number of targets,
    /// and allocates nothing.
    pub fn pick(
        &mut self,
        now: SimTime,
        eligible: impl Fn(usize) -> bool,
        key: u64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Option<usize> {
        match self.policy {
            Policy::RoundRobin => self.round_robin(eligible),
            Policy::Weighted => self.smooth_round_robin(eligible),
            Policy::Random => self.random(eligible, rng),
            Policy::LeastConnections => self.least_connections(eligible, rng),
            Policy::TwoChoices { distinct } => self.better_of_two(eligible, distinct, rng, |i| self.load(i)),
            Policy::Ewma { decay } => {
                let cost = |i: usize| self.targets[i].peak.cost(now, decay, self.outstanding[i]);
                self.better_of_two(eligible, true, rng, cost)
            }
            Policy::Hash { bounded_load, .. } => self.on_ring(eligible, key, bounded_load),
            Policy::IpHash => self.ip_hash(eligible, key),
        }
    }

    /// The same choice as [`Balance::pick`], with eligibility given as a list.
    ///
    /// # Panics
    /// When the list does not have one entry for each target.
    #[inline]
    pub fn pick_of(
        &mut self,
        now: SimTime,
        eligible: &[bool],
        key: u64,
        rng: &mut (impl Rng + ?Sized),
    ) -> Option<usize> {
        assert_eq!(eligible.len(), self.outstanding.len(), "every target is eligible or not");
        if self.policy == Policy::LeastConnections && self.is_even {
            if let Some(tree) = &mut self.fewest {
                return tree.pick(eligible, &self.outstanding, rng);
            }
            let load = |(&calls, &eligible)| if eligible { calls } else { u32::MAX };
            return fewest(self.outstanding.iter().zip(eligible).map(load), rng);
        }
        self.pick(now, |i| eligible[i], key, rng)
    }

    /// Notes that a call was sent to target `i`.
    pub fn sent(&mut self, i: usize) {
        self.outstanding[i] += 1;
        if let Some(tree) = &mut self.fewest {
            tree.set(i, self.outstanding[i]);
        }
    }

    /// Notes that a call to target `i` has ended, with any answer or none, `response` after it was sent.
    ///
    /// # Panics
    /// When no call to the target is outstanding.
    pub fn answered(&mut self, now: SimTime, i: usize, response: SimDuration) {
        let outstanding = &mut self.outstanding[i];
        *outstanding = outstanding.checked_sub(1).expect("only a call that was sent can end");
        if let Some(tree) = &mut self.fewest {
            tree.set(i, *outstanding);
        }
        if let Policy::Ewma { decay } = self.policy {
            self.targets[i].peak.observe(now, decay, response);
        }
    }

    /// Number of calls sent to target `i` that have not ended.
    pub fn outstanding(&self, i: usize) -> u32 {
        self.outstanding[i]
    }

    /// Outstanding calls of target `i` divided by its weight.
    fn load(&self, i: usize) -> f64 {
        f64::from(self.outstanding[i]) / self.targets[i].weight
    }

    /// Changes the weight of a target, for slow start and draining.
    ///
    /// # Panics
    /// When `weight` is negative or not finite.
    pub fn set_weight(&mut self, i: usize, weight: f64) {
        assert!(is_weight(weight), "a weight is finite, zero or more");
        self.targets[i].weight = weight;
        self.is_even = are_even(&self.targets);
        self.lay_ring();
    }

    fn lay_ring(&mut self) {
        if let Policy::Hash { virtual_nodes, .. } = self.policy {
            let targets = self.targets.iter().map(|target| (target.name, target.weight));
            self.ring = Ring::new(targets, virtual_nodes);
        }
    }

    /// Whether target `i` can be picked: it is eligible and its weight is above zero.
    fn takes_part(&self, i: usize, eligible: &impl Fn(usize) -> bool) -> bool {
        self.targets[i].weight > 0.0 && eligible(i)
    }

    fn round_robin(&mut self, eligible: impl Fn(usize) -> bool) -> Option<usize> {
        let count = self.targets.len();
        let picked = (self.next..self.next + count)
            .map(|i| if i < count { i } else { i - count })
            .find(|&i| self.takes_part(i, &eligible))?;
        self.next = (picked + 1) % count;
        Some(picked)
    }

    fn smooth_round_robin(&mut self, eligible: impl Fn(usize) -> bool) -> Option<usize> {
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for i in 0..self.targets.len() {
            if !self.takes_part(i, &eligible) {
                continue;
            }
            self.targets[i].owed += self.targets[i].weight;
            total += self.targets[i].weight;
            if best.is_none_or(|best| self.targets[i].owed > self.targets[best].owed) {
                best = Some(i);
            }
        }
        self.targets[best?].owed -= total;
        best
    }

    /// One of the targets for which `wanted` holds, at random by weight. Always draws exactly one random number.
    fn random(&self, wanted: impl Fn(usize) -> bool, rng: &mut (impl Rng + ?Sized)) -> Option<usize> {
        self.at_share(wanted, unit(rng))
    }

    /// The target at which the running sum of the weights of wanted targets exceeds `share`, in [0, 1), of their
    /// total.
    fn at_share(&self, wanted: impl Fn(usize) -> bool, share: f64) -> Option<usize> {
        let parts = || (0..self.targets.len()).filter(|&i| self.takes_part(i, &wanted));
        let mut left = share * parts().map(|i| self.targets[i].weight).sum::<f64>();
        let mut last = None;
        for i in parts() {
            if left < self.targets[i].weight {
                return Some(i);
            }
            left -= self.targets[i].weight;
            // Rounding may leave a small rest at the end; it goes to the last target.
            last = Some(i);
        }
        last
    }

    fn least_connections(
        &self,
        eligible: impl Fn(usize) -> bool,
        rng: &mut (impl Rng + ?Sized),
    ) -> Option<usize> {
        if self.is_even {
            let load = |i: usize| if eligible(i) { self.outstanding[i] } else { u32::MAX };
            return fewest((0..self.targets.len()).map(load), rng);
        }
        let mut least = f64::INFINITY;
        let mut picked = None;
        let mut is_tied = false;
        for i in 0..self.targets.len() {
            let load = self.load(i);
            if load > least || !self.takes_part(i, &eligible) {
                continue;
            }
            is_tied = load == least;
            least = load;
            picked = Some(i);
        }
        if is_tied {
            return self.random(|i| self.load(i) == least && eligible(i), rng);
        }
        picked
    }

    fn better_of_two(
        &self,
        eligible: impl Fn(usize) -> bool,
        distinct: bool,
        rng: &mut (impl Rng + ?Sized),
        cost: impl Fn(usize) -> f64,
    ) -> Option<usize> {
        let first = self.random(&eligible, rng)?;
        let may_be_second = |i: usize| (i != first || !distinct) && eligible(i);
        let Some(second) = self.random(may_be_second, rng) else {
            return Some(first);
        };
        Some(if cost(second) < cost(first) { second } else { first })
    }

    fn on_ring(
        &self,
        eligible: impl Fn(usize) -> bool,
        key: u64,
        bounded_load: Option<f64>,
    ) -> Option<usize> {
        if !(0..self.targets.len()).any(|i| self.takes_part(i, &eligible)) {
            // Otherwise the walk would visit thousands of points in vain.
            return None;
        }
        let Some(bound) = bounded_load else {
            return self.ring.walk(key).find(|&i| eligible(i));
        };
        let parts = || (0..self.targets.len()).filter(|&i| self.takes_part(i, &eligible));
        let weights: f64 = parts().map(|i| self.targets[i].weight).sum();
        // The call to be placed counts too, so that at least one target has room.
        let calls: u32 = 1 + parts().map(|i| self.outstanding[i]).sum::<u32>();
        let share = bound * f64::from(calls) / weights;
        let has_room = |i: usize| f64::from(self.outstanding[i]) < (share * self.targets[i].weight).ceil();
        self.ring.walk(key).find(|&i| eligible(i) && has_room(i))
    }

    fn ip_hash(&self, eligible: impl Fn(usize) -> bool, key: u64) -> Option<usize> {
        let share = |round| (mix(key ^ mix(round)) >> 11) as f64 / (1_u64 << 53) as f64;
        (0..IP_HASH_TRIES)
            .filter_map(|round| self.at_share(|_| true, share(round)))
            .find(|&i| eligible(i))
            .or_else(|| self.at_share(&eligible, share(0)))
    }
}

/// The target with the least load, where all targets have weight 1 and an ineligible one has the load `u32::MAX`. It
/// makes the same choice and the same draw among equals as the general way, in integers.
fn fewest(loads: impl Iterator<Item = u32> + Clone, rng: &mut (impl Rng + ?Sized)) -> Option<usize> {
    // The comparisons are unpredictable, so branches on them would be mispredicted half the time. Select without
    // branches.
    let (mut least, mut ties, mut picked) = (u32::MAX, 0, 0);
    for (i, load) in loads.clone().enumerate() {
        ties = if load < least { 1 } else { ties + u32::from(load == least) };
        picked = if load <= least { i } else { picked };
        least = least.min(load);
    }
    if least == u32::MAX {
        return None;
    }
    if ties > 1 {
        let nth = nth_of(ties, rng);
        let mut before = 0;
        for (i, load) in loads.enumerate() {
            let is_tie = load == least;
            picked = if is_tie & (before == nth) { i } else { picked };
            before += u32::from(is_tie);
        }
    }
    Some(picked)
}

/// A number below `ties`, one or more: which of the equals is taken. Draws once.
fn nth_of(ties: u32, rng: &mut (impl Rng + ?Sized)) -> u32 {
    ((unit(rng) * f64::from(ties)) as u32).min(ties - 1)
}

/// Whether all weights are 1.
fn are_even(targets: &[Target]) -> bool {
    targets.iter().all(|target| target.weight == 1.0)
}

fn is_weight(weight: f64) -> bool {
    weight >= 0.0 && weight.is_finite()
}
