//! Groups of episodes that are alike: one failure of a cause, two failures of two causes, or more. A few episodes of a group are
//! simulated, and stand for the others.

use std::collections::BTreeMap;

use super::timeline::{Failure, Timeline, length};
use crate::kernel::random::{Seed, Stream, below};

/// Strata of a group of single failures, and of any other: enough that the first samples give a slope over the size.
const STRATA_ONE: usize = 4;
const STRATA_MORE: usize = 3;

/// Failures of an episode from which on it is not told apart any more.
pub(super) const MANY: usize = 3;

/// Part of what an episode probably costs up to which it costs nothing.
const FREE: f64 = 0.01;

/// What the episodes of a group have in common: their causes, sorted; empty for three failures and more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sort(pub Vec<usize>);

impl Sort {
    /// The sort of failures of these sources, by the cause of each source.
    pub(super) fn of(sources: &[usize], cause: &[usize]) -> Sort {
        let mut causes: Vec<usize> = sources.iter().map(|source| cause[*source]).collect();
        causes.sort_unstable();
        Sort(causes)
    }
}

/// Episodes that are alike.
#[derive(Debug)]
pub(super) struct Group {
    pub sort: Sort,
    /// Its episodes by their size, the smallest first.
    episodes: Vec<usize>,
    /// What each probably costs, in seconds: the time to repair of a single failure, or the weight of several.
    sizes: Vec<f64>,
    /// Parts of `episodes`, of about the same weight.
    pub strata: Vec<Stratum>,
    /// Share of all time that its episodes take, with the calm behind them: what they cost at most.
    pub share: f64,
    /// How often an episode begins, a second.
    pub rate: f64,
    /// The mean size of all its episodes, as far as it is known.
    pub size: f64,
    /// Whether rate and size are those of the sources, and not only those of the failures that were drawn.
    pub is_known: bool,
    /// What was simulated.
    pub samples: Vec<Sample>,
}

/// A part of a group.
#[derive(Debug)]
pub(super) struct Stratum {
    from: usize,
    to: usize,
    stream: Stream,
}

/// A simulated episode.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Sample {
    pub stratum: usize,
    pub size: f64,
    /// When its first failure begins, in seconds of the drawn time, and the seed of its trial: what makes it the same in two designs.
    pub at: f64,
    pub trial: u64,
    /// What its failures probably cost if each came alone, in seconds.
    pub alone: f64,
    /// Time without service, in seconds: each moment counts by the share of the requests that failed.
    pub lost: f64,
    /// The same if a long outage went on as it was in the first half of the part by which it is continued.
    pub otherwise: f64,
    /// Number of requests that were issued, and that failed.
    pub issued: f64,
    pub failed: f64,
    /// Number of acknowledged writes that were lost.
    pub lost_writes: f64,
}

impl Sample {
    /// Whether another design lived through the same failures with the same customers.
    pub(super) fn is_same_as(&self, other: &Sample) -> bool {
        (self.stratum, self.at, self.trial) == (other.stratum, other.at, other.trial)
    }
}

/// An episode to simulate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Task {
    pub group: usize,
    pub stratum: usize,
    pub episode: usize,
    pub size_at: usize,
    /// Seed of its trial.
    pub trial: u64,
}

impl Group {
    /// Share of the group's episodes in a stratum.
    pub(super) fn weight(&self, stratum: usize) -> f64 {
        let of = &self.strata[stratum];
        (of.to - of.from) as f64 / self.episodes.len() as f64
    }

    /// Number of episodes in the drawn time.
    pub(super) fn len(&self) -> usize {
        self.episodes.len()
    }

    /// Whether its strata are those of the group of another design.
    pub(super) fn has_strata_of(&self, other: &Group) -> bool {
        let ends = |of: &Stratum| (of.from, of.to);
        self.len() == other.len() && self.strata.iter().map(ends).eq(other.strata.iter().map(ends))
    }

    /// Draws an episode of a stratum.
    pub(super) fn draw(&mut self, group: usize, stratum: usize) -> Task {
        let of = &mut self.strata[stratum];
        let at = of.from + below(&mut of.stream, (of.to - of.from) as u64) as usize;
        let trial = below(&mut of.stream, u64::MAX);
        Task { group, stratum, episode: self.episodes[at], size_at: at, trial }
    }

    /// The size of a drawn episode.
    pub(super) fn size_of(&self, task: Task) -> f64 {
        self.sizes[task.size_at]
    }

    /// Whether its episodes have not the same causes.
    pub(super) fn is_mixed(&self) -> bool {
        self.sort.0.is_empty()
    }

    /// Whether its episodes hit the same boxes: one failure, or two of different causes.
    pub(super) fn is_alike(&self) -> bool {
        matches!(*self.sort.0, [_]) || matches!(*self.sort.0, [one, other] if one != other)
    }

    /// What its episodes could cost an average second beside what was seen: all of their time if none was simulated. If many
    /// failures cost nothing in `n` episodes, others of them still may: at most 1 - .05^(1/n) of them, with 95 % (Clopper and
    /// Pearson, Biometrika 26, 1934). Episodes of the same causes are alike.
    pub(super) fn unknown(&self) -> f64 {
        let n = self.samples.len();
        if n == 0 {
            return self.share;
        }
        // What fails without any fault is not the cost of one.
        let is_free = self.samples.iter().all(|one| one.lost <= FREE * self.size);
        let others = if self.is_mixed() && is_free { 1.0 - libm::pow(0.05, 1.0 / n as f64) } else { 0.0 };
        others * self.rate * self.size
    }

    /// Number of episodes of a stratum that were simulated.
    pub(super) fn simulated(&self, stratum: usize) -> usize {
        self.samples.iter().filter(|sample| sample.stratum == stratum).count()
    }
}

/// The groups of the episodes of a timeline that have a `size`, single failures first. `cause` gives the cause of each source; a
/// name of each of `causes` makes the random numbers; of each cause the rate of failures, a second, and their mean time are known.
pub(super) fn groups(
    timeline: &Timeline,
    cause: &[usize],
    causes: &[(String, f64, f64)],
    (seed, calm_s): (Seed, f64),
    size: &dyn Fn(&[Failure]) -> Option<f64>,
) -> Vec<Group> {
    let mut found: BTreeMap<(usize, Sort), Vec<(f64, usize)>> = BTreeMap::new();
    let mut taken = vec![(0.0, 0.0); causes.len()];
    let mut lasting: BTreeMap<(usize, Sort), f64> = BTreeMap::new();
    for (index, episode) in timeline.episodes().enumerate() {
        let key = key(episode, cause);
        if episode.len() > 1 {
            for failure in episode {
                let of = &mut taken[cause[failure.source]];
                *of = (of.0 + 1.0, of.1 + failure.lasts);
            }
        }
        let Some(size) = size(episode) else { continue };
        *lasting.entry(key.clone()).or_default() += length(episode) + calm_s;
        found.entry(key).or_default().push((size, index));
    }
    let one = |((_, sort), mut all): ((usize, Sort), Vec<(f64, usize)>)| {
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (sizes, episodes): (Vec<f64>, Vec<usize>) = all.into_iter().unzip();
        let mut rate = episodes.len() as f64 / timeline.seconds;
        let mut size = sizes.iter().sum::<f64>() / sizes.len() as f64;
        let is_known = sort.0.len() == 1;
        if let ([only], true) = (sort.0.as_slice(), is_known) {
            // All failures of the cause, less those that did not come alone.
            let ((_, known, mean), (times, time)) = (&causes[*only], taken[*only]);
            let alone = (known * timeline.seconds - times).max(1.0);
            size = ((known * timeline.seconds * mean - time) / alone).max(0.0);
            rate = alone / timeline.seconds;
        }
        let names: Vec<&str> = sort.0.iter().map(|at| causes[*at].0.as_str()).collect();
        let strata =
            strata(&sizes, &names.join(" and "), seed, if is_known { STRATA_ONE } else { STRATA_MORE });
        Group { sort, episodes, sizes, strata, share: 0.0, rate, size, is_known, samples: Vec::new() }
    };
    let mut groups: Vec<Group> = found.into_iter().map(one).collect();
    for (group, time) in groups.iter_mut().zip(lasting.into_values()) {
        group.share = group.rate * time / group.len() as f64;
    }
    groups
}

/// The group of an episode, by the number of its failures first.
fn key(episode: &[Failure], cause: &[usize]) -> (usize, Sort) {
    if episode.len() >= MANY {
        return (MANY, Sort(Vec::new()));
    }
    let sources: Vec<usize> = episode.iter().map(|failure| failure.source).collect();
    (episode.len(), Sort::of(&sources, cause))
}

/// Cuts episodes, sorted by size, into parts that have about the same share of their number and of their size. So the few
/// longest, which cost most, have a part of their own.
fn strata(sizes: &[f64], name: &str, seed: Seed, parts: usize) -> Vec<Stratum> {
    let total: f64 = sizes.iter().sum();
    let each = 1.0 / sizes.len() as f64;
    let is_alike = sizes.first() == sizes.last();
    let parts = if is_alike { 1 } else { parts.min(sizes.len()) };
    let (mut found, mut from, mut weight) = (Vec::new(), 0, 0.0);
    for (index, size) in sizes.iter().enumerate() {
        weight += f64::midpoint(each, if total > 0.0 { size / total } else { each });
        let next = (found.len() + 1) as f64 / parts as f64;
        if index + 1 == sizes.len() || weight >= next && found.len() + 1 < parts {
            let stream = seed.stream(name, &format!("episodes {}", found.len()));
            found.push(Stratum { from, to: index + 1, stream });
            from = index + 1;
        }
    }
    found
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A group of single failures of these sizes.
    pub(in super::super) fn group(sizes: &[f64], parts: usize) -> Group {
        let mut sizes = sizes.to_vec();
        sizes.sort_by(f64::total_cmp);
        let size = sizes.iter().sum::<f64>() / sizes.len() as f64;
        Group {
            sort: Sort(vec![0]),
            episodes: (0..sizes.len()).collect(),
            strata: strata(&sizes, "crash of web", Seed::new(1), parts),
            sizes,
            share: 0.0,
            rate: 1.0,
            size,
            is_known: true,
            samples: Vec::new(),
        }
    }

    #[test]
    fn the_few_longest_have_a_stratum_of_their_own() {
        let sizes: Vec<f64> = (0..90).map(|_| 1.0).chain((0..10).map(|_| 91.0)).collect();
        let group = group(&sizes, 2);
        assert_eq!(group.strata.len(), 2);
        assert!((group.weight(0) - 0.9).abs() < 0.02, "{}", group.weight(0));
        let alike = super::tests::group(&[3.0; 10], 4);
        assert_eq!(alike.strata.len(), 1, "what is alike needs no strata");
    }

    #[test]
    fn an_episode_is_drawn_from_its_stratum() {
        let sizes: Vec<f64> = (0..100).map(f64::from).collect();
        let mut group = group(&sizes, 4);
        for stratum in 0..4 {
            let (from, to) = (group.strata[stratum].from, group.strata[stratum].to);
            for _ in 0..50 {
                let task = group.draw(0, stratum);
                assert!((from..to).contains(&task.episode), "{task:?}");
                assert_eq!(group.size_of(task), task.episode as f64);
            }
        }
    }

    #[test]
    fn many_failures_that_cost_nothing_may_cost_something_elsewhere() {
        let mut many = group(&[10.0; 100], 4);
        many.share = 40.0;
        assert_eq!(many.unknown(), 40.0, "nothing was simulated");
        many.samples = vec![Sample { size: 10.0, lost: 0.0, ..Sample::default() }; 58];
        assert_eq!(many.unknown(), 0.0, "failures of one cause are alike");
        many.sort = Sort(Vec::new());
        // Of 58 that cost nothing follows that at most one in twenty costs something.
        assert!((many.unknown() / 10.0 - 0.05).abs() < 5e-4, "{}", many.unknown());
        many.samples[0].lost = 5.0;
        assert_eq!(many.unknown(), 0.0, "what was seen has an interval");
    }
}
