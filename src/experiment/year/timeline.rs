//! Many years of faults without any requests: each source fails and is repaired by its own clock. It costs next to nothing, and
//! says which faults come alone, and which while another lasts.

use std::ops::Range;

use crate::kernel::random::Seed;
use crate::scenario::faults::Source;

/// Rounds in which failures are drawn, and their number in each, of all sources together. The failures that come alone are kept
/// of the first round only: how many there are, and how long they last, is known. Of those that overlap it is not, and they are
/// few.
const ROUNDS: u32 = 4;
const FAILURES: f64 = 400_000.0;

/// Longest time of a round, in seconds: a hundred thousand years, which is enough for what happens once in a century.
const SECONDS_MAX: f64 = 100_000.0 * super::YEAR_S;

/// A failure of one source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Failure {
    /// The index of its source.
    pub source: usize,
    /// When it begins, in seconds.
    pub at: f64,
    /// How long it lasts, in seconds.
    pub lasts: f64,
    /// Time from its begin until its source works again, in seconds: that of all members of a deployment.
    pub over: f64,
}

impl Failure {
    /// When its source works again.
    pub(super) fn end(&self) -> f64 {
        self.at + self.over
    }
}

/// The failures of all sources over a long time.
#[derive(Debug)]
pub(super) struct Timeline {
    /// Its length in seconds.
    pub seconds: f64,
    /// The failures that are kept, an episode after the other.
    failures: Vec<Failure>,
    /// The episodes that are kept: failures with no calm between them, by their place in `failures`.
    episodes: Vec<Range<usize>>,
    /// Time from the begin of an episode to the end of the calm behind it, all together, in seconds.
    pub inside: f64,
}

impl Timeline {
    /// Draws the failures of these sources. An episode is over when nothing has failed for the time `calm_s`.
    pub(super) fn draw(sources: &[Source], seed: Seed, calm_s: f64) -> Timeline {
        let rate: f64 = sources.iter().map(Source::rate).sum();
        let seconds = (FAILURES / rate).min(SECONDS_MAX);
        let mut timeline = Timeline {
            seconds: seconds * f64::from(ROUNDS),
            failures: Vec::new(),
            episodes: Vec::new(),
            inside: 0.0,
        };
        for round in 0..ROUNDS {
            let failures = round_of(sources, seed, (round, seconds));
            timeline.add(&failures, round == 0, calm_s);
        }
        timeline
    }

    /// Adds the episodes of a round; without those of a single failure unless `alone` are kept.
    fn add(&mut self, failures: &[Failure], alone: bool, calm_s: f64) {
        let mut from = 0;
        while from < failures.len() {
            let mut calm_at = failures[from].end() + calm_s;
            let mut to = from + 1;
            while let Some(next) = failures.get(to).filter(|next| next.at <= calm_at) {
                calm_at = calm_at.max(next.end() + calm_s);
                to += 1;
            }
            self.inside += calm_at - failures[from].at;
            if alone || to - from > 1 {
                let at = self.failures.len();
                self.failures.extend_from_slice(&failures[from..to]);
                self.episodes.push(at..self.failures.len());
            }
            from = to;
        }
    }

    /// The episodes, in order.
    pub(super) fn episodes(&self) -> impl Iterator<Item = &[Failure]> {
        self.episodes.iter().map(|range| &self.failures[range.clone()])
    }

    /// The failures of an episode.
    pub(super) fn episode(&self, index: usize) -> &[Failure] {
        &self.failures[self.episodes[index].clone()]
    }
}

/// The failures of a round, by their begin.
fn round_of(sources: &[Source], seed: Seed, (round, seconds): (u32, f64)) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (source, of) in sources.iter().enumerate() {
        let mut stream = seed.stream(&of.name, &format!("years {round}"));
        let mut at = of.after.draw(&mut stream).as_secs_f64();
        while at < seconds {
            let lasts = of.lasts.draw(&mut stream).as_secs_f64();
            let over = of.over(lasts);
            failures.push(Failure { source, at, lasts, over });
            at += over + of.after.draw(&mut stream).as_secs_f64();
        }
    }
    failures.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.source.cmp(&b.source)));
    failures
}

/// Time from the begin of an episode until its last failure is over, in seconds.
pub(super) fn length(episode: &[Failure]) -> f64 {
    let end = episode.iter().map(Failure::end).fold(f64::NEG_INFINITY, f64::max);
    end - episode[0].at
}

/// What an episode probably costs, in seconds: of the time in which some of its failures last together, the `part` that they cost
/// then, by their sources.
pub(super) fn weight(episode: &[Failure], part: impl Fn(&[usize]) -> f64) -> f64 {
    let mut moments: Vec<f64> = episode.iter().flat_map(|failure| [failure.at, failure.end()]).collect();
    moments.sort_by(f64::total_cmp);
    let mut lasting = Vec::new();
    let cost = |pair: &[f64]| {
        lasting.clear();
        let lasts = |one: &&Failure| one.at <= pair[0] && pair[1] <= one.end();
        lasting.extend(episode.iter().filter(lasts).map(|one| one.source));
        if lasting.is_empty() { 0.0 } else { part(&lasting) * (pair[1] - pair[0]) }
    };
    moments.windows(2).map(cost).sum()
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::from_text;
    use super::*;
    use crate::scenario::faults::sources;

    fn failure(at: f64, lasts: f64) -> Failure {
        Failure { source: 0, at, lasts, over: lasts }
    }

    /// A part of one failure is nothing, and of more everything.
    fn two(sources: &[usize]) -> f64 {
        if sources.len() > 1 { 1.0 } else { 0.0 }
    }

    #[test]
    fn an_episode_has_a_length_and_a_weight() {
        let cases = [
            (vec![failure(5.0, 10.0)], 10.0, 0.0),
            (vec![failure(0.0, 10.0), failure(20.0, 5.0)], 25.0, 0.0),
            (vec![failure(0.0, 10.0), failure(4.0, 20.0)], 24.0, 6.0),
            (vec![failure(0.0, 10.0), failure(4.0, 2.0), failure(5.0, 20.0)], 25.0, 6.0),
        ];
        for (episode, whole, both) in cases {
            assert_eq!((length(&episode), weight(&episode, two)), (whole, both), "{episode:?}");
        }
        // The first stops everything, the second nothing by itself.
        let unlike = [failure(0.0, 10.0), Failure { source: 1, ..failure(4.0, 20.0) }];
        assert_eq!(weight(&unlike, |sources| if sources[0] == 0 { 1.0 } else { 0.0 }), 10.0);
    }

    #[test]
    fn what_is_drawn_has_the_rates_of_its_sources_and_of_their_overlaps() {
        let text = "[client.u]\nrate = '10/s'\ntarget = 'web'\n[server.web]\npublic = true\ncount = 2\n\
            steps = [{ wait = '1ms' }]\n[[fault]]\nkind = 'crash'\ntarget = 'web'\nmtbf = '9h'\nmttr = '1h'\n";
        let scenario = from_text(text);
        let sources = sources(&scenario, &scenario.faults);
        assert_eq!([&*sources[0].name, &*sources[1].name], ["crash of web-1", "crash of web-2"]);
        assert_eq!(sources[1].cause, "crash of web");
        let timeline = Timeline::draw(&sources, Seed::new(1), 0.0);
        let (alone, others): (Vec<&[Failure]>, Vec<&[Failure]>) =
            timeline.episodes().partition(|episode| episode.len() == 1);
        let others: usize = others.iter().map(|episode| episode.len()).sum();
        let times = alone.len() as f64 * f64::from(ROUNDS) + others as f64;
        assert!(
            (times / timeline.seconds * 36_000.0 - 2.0).abs() < 0.02,
            "two sources, each once in ten hours"
        );
        let both: f64 = timeline.episodes().map(|episode| weight(episode, two)).sum();
        assert!(
            (both / timeline.seconds - 0.01).abs() < 3e-4,
            "a tenth of the time each, so a hundredth both"
        );
        assert!((timeline.inside / timeline.seconds - 0.19).abs() < 2e-3);
    }
}
