//! `year`: how available a design is when faults come once in weeks, composed of what was simulated around single faults.
//!
//! A year of requests costs hours. Nearly all of it is alike: steady state. So the times of faults are drawn for thousands of
//! years, without any requests; faults that overlap make one episode; a few episodes of each sort are simulated, and steady
//! state once. The year is their sum, each as often as it happens. What was not simulated has a bound, which the interval
//! contains.

pub mod catalogue;
mod change;
mod episode;
mod estimate;
mod group;
mod refusal;
pub mod result;
mod sum;
mod timeline;

use std::collections::BTreeMap;

pub use self::change::Year;
use self::episode::{Steady, Times, counts, live, lost_writes};
use self::estimate::mean;
use self::group::{Group, MANY, Sample, Sort, Task, groups};
pub use self::refusal::Refusal;
use self::result::Rates;
use self::sum::Sum;
use self::timeline::{Failure, Timeline, weight};
use super::result::RunResult;
use super::runner::{Progress, RunOptions, Trials, run};
use super::threads;
use crate::kernel::random::Seed;
use crate::kernel::time::SimDuration;
use crate::model::record::TrialRecord;
use crate::model::simulation::Length;
use crate::scenario::Scenario;
use crate::scenario::faults::{FaultSpec, Source, sources};

/// Seconds of a year of 365 days, as service levels count it.
pub const YEAR_S: f64 = 365.0 * 86_400.0;

/// Longest trial in which steady state is measured, and the number of the first trials.
const STEADY_MAX: SimDuration = SimDuration::from_secs(120);
const STEADY_FIRST: u32 = 8;

/// Number of requests in steady state after which no more trials of it are simulated.
const STEADY_REQUESTS: f64 = 8e6;

/// Simulated time after the last fault of an episode: at first, and at most, for a service that is slow to be as before.
const CALM: SimDuration = SimDuration::from_secs(60);
const CALM_MAX: SimDuration = SimDuration::from_secs(16 * 60);

/// Shortest time for which an outage is simulated before the rest of it counts as what its last third costs: by then Linux has
/// given up to connect to a machine that is silent, which takes 131 s.
const HOLD_MIN: SimDuration = SimDuration::from_secs(240);

/// Shortest time for which an outage may be told to be simulated.
pub const HOLD_LEAST: SimDuration = SimDuration::from_secs(10);

/// Episodes of each stratum that are simulated at first: of the same causes, and of those in which it matters which members of a
/// fleet fail.
const PILOT: usize = 2;
const PILOT_UNLIKE: usize = 4;

/// Episodes that are simulated between two looks at the precision, whatever the number of threads.
const BATCH: usize = 16;

/// Episodes of many failures of which none cost anything, after which no more of them are simulated.
const FREE_MAX: usize = 60;

/// Episodes after which the precision is given up.
const EPISODES_MAX: usize = 4000;

/// Share of the time above which faults leave no steady state between them.
const INSIDE_MAX: f64 = 0.5;

/// Share of the precision that what is not simulated may cost at most.
const REST: f64 = 0.2;

/// What to compute, and how well.
#[derive(Clone, Debug)]
pub struct YearOptions {
    /// Seed of all random numbers.
    pub seed: u64,
    /// Threads; 0 for as many as there are cores.
    pub jobs: usize,
    /// The half-width of the time without service that is aimed at, relative to it.
    pub precision: f64,
    /// Longest time that an outage is simulated; by default four minutes, or longer where boxes react later.
    pub hold: Option<SimDuration>,
    /// The share of requests that must end ok.
    pub slo: Option<f64>,
}

/// What all failures of a cause have in common.
#[derive(Clone, Debug, PartialEq)]
struct CauseOf {
    name: String,
    /// Failures a second, of all its sources together.
    rate: f64,
    /// Mean time to repair, in seconds.
    lasts: f64,
}

/// A year that is being composed.
struct Work<'a> {
    scenario: &'a Scenario,
    options: &'a YearOptions,
    progress: &'a dyn Progress,
    said: &'a (dyn Fn(String) + Sync),
    sources: Vec<Source>,
    /// The cause of each source.
    cause_of: Vec<usize>,
    causes: Vec<CauseOf>,
    /// Requests issued and failed in each trial without faults.
    steady: Vec<(f64, f64)>,
    /// Writes that were lost in all of them, as nodes lose that all take writes.
    steady_writes: f64,
    steady_length: Length,
    times: Times,
    timeline: Timeline,
    groups: Vec<Group>,
    /// What a failure, and two at once, cost a second while they last, by their causes, as far as that is known.
    parts: BTreeMap<Sort, f64>,
    episodes: usize,
    events: u64,
    is_interrupted: bool,
}

/// Composes a year of the random faults in `faults`. The scenario's own faults must have been left out, and so must what its
/// operators do at planned times. `said` is told what is being simulated.
///
/// # Errors
/// When no year can be composed.
pub fn year(
    scenario: &Scenario,
    (faults, rates): (&[FaultSpec], Rates),
    options: &YearOptions,
    progress: &dyn Progress,
    said: &(dyn Fn(String) + Sync),
) -> Result<Year, Refusal> {
    if let Some(entry) = scenario.boxes.iter().find(|entry| entry.spec.changes_load()) {
        return Err(Refusal::LoadChanges(entry.name.clone()));
    }
    let sources = sources(scenario, faults);
    if sources.is_empty() {
        return Err(Refusal::NoFaults);
    }
    let mut work = Work::new(scenario, sources, options, progress, said);
    let (result, first) = work.steady_state(0..STEADY_FIRST)?;
    if !result.steady_state.times_are_steady() {
        return Err(Refusal::Flooded(None));
    }
    let steady = Steady {
        rate: result.metrics.offered_rps.mean.unwrap_or(0.0),
        share: first.1 / first.0.max(1.0),
        inside: result.metrics.in_flight_mean.mean.unwrap_or(0.0),
    };
    work.single_failures(&steady)?;
    work.several_failures();
    work.refine(&steady);
    let result = work.result(&result, rates);
    Ok(Year::of(work, result))
}

impl<'a> Work<'a> {
    fn new(
        scenario: &'a Scenario,
        sources: Vec<Source>,
        options: &'a YearOptions,
        progress: &'a dyn Progress,
        said: &'a (dyn Fn(String) + Sync),
    ) -> Work<'a> {
        let (cause_of, causes) = causes(&sources);
        let reacts = scenario.boxes.iter().map(|entry| entry.spec.reacts_within());
        let slowest = reacts.max().unwrap_or(SimDuration::ZERO).mul_f64(1.5);
        let hold = options.hold.unwrap_or(HOLD_MIN.max(slowest));
        let times = Times { lead_in: scenario.run.warmup, calm: CALM, hold };
        let measured = scenario.run.duration.min(STEADY_MAX);
        let timeline = Timeline::draw(&[], Seed::new(options.seed), 0.0);
        Work {
            scenario,
            options,
            progress,
            said,
            sources,
            cause_of,
            causes,
            steady: Vec::new(),
            steady_writes: 0.0,
            steady_length: Length { warmup: scenario.run.warmup, measured },
            times,
            timeline,
            groups: Vec::new(),
            parts: BTreeMap::new(),
            episodes: 0,
            events: 0,
            is_interrupted: false,
        }
    }

    fn seed(&self) -> Seed {
        Seed::new(self.options.seed)
    }

    /// Simulates trials without any fault; returns what they measured, and the requests issued and failed.
    fn steady_state(&mut self, trials: std::ops::Range<u32>) -> Result<(RunResult, (f64, f64)), Refusal> {
        (self.said)("steady state".to_owned());
        let Trials { records, complete, .. } = self.steady_trials(trials.clone());
        if !complete && self.progress.interrupted() || records.is_empty() {
            return Err(Refusal::Interrupted);
        }
        let trials = Trials { records, complete, precision: None };
        if trials.burst() {
            return Err(Refusal::Flooded(None));
        }
        let options = self.run_options(0..STEADY_FIRST);
        let result = RunResult::measured(self.scenario, &options, &trials);
        let all = self.steady.iter().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        Ok((result, all))
    }

    fn run_options(&self, trials: std::ops::Range<u32>) -> RunOptions {
        RunOptions { seed: self.options.seed, trials, jobs: self.options.jobs, length: self.steady_length }
    }

    fn steady_trials(&mut self, trials: std::ops::Range<u32>) -> Trials {
        let found = run(self.scenario, &self.run_options(trials), self.progress);
        self.events += found.records.iter().map(|record: &TrialRecord| record.events).sum::<u64>();
        self.is_interrupted |= !found.complete;
        self.steady.extend(found.records.iter().map(counts));
        self.steady_writes += found.records.iter().map(lost_writes).sum::<f64>();
        found
    }

    /// Simulates a few failures of each cause, with a calm behind them that is long enough.
    fn single_failures(&mut self, steady: &Steady) -> Result<(), Refusal> {
        loop {
            self.draw()?;
            let ones: Vec<usize> =
                (0..self.groups.len()).filter(|at| self.groups[*at].sort.0.len() == 1).collect();
            let mut late = None;
            for group in ones {
                late = self.pilot(group, steady)?;
                if late.is_some() {
                    break;
                }
            }
            let Some(cause) = late else { return Ok(()) };
            if self.times.calm >= CALM_MAX {
                return Err(Refusal::Unsettled(cause));
            }
            self.times.calm = self.times.calm + self.times.calm;
        }
    }

    /// Draws the faults of many years, and sorts their episodes.
    fn draw(&mut self) -> Result<(), Refusal> {
        let calm = self.times.calm.as_secs_f64();
        self.timeline = Timeline::draw(&self.sources, self.seed(), calm);
        let inside = self.timeline.inside / self.timeline.seconds;
        if inside > INSIDE_MAX {
            return Err(Refusal::TooOften(inside));
        }
        self.groups = self.sorted(&|episode| (episode.len() == 1).then_some(episode[0].lasts));
        Ok(())
    }

    /// The groups of the episodes that have a size.
    fn sorted(&self, size: &dyn Fn(&[Failure]) -> Option<f64>) -> Vec<Group> {
        let known = self.causes.iter().map(|of| (of.name.clone(), of.rate, of.lasts));
        let known: Vec<(String, f64, f64)> = known.collect();
        let calm = self.times.calm.as_secs_f64();
        groups(&self.timeline, &self.cause_of, &known, (self.seed(), calm), size)
    }

    /// Adds the episodes of several failures, by what they probably cost: single failures have told what each costs alone.
    fn several_failures(&mut self) {
        self.learn();
        let several = self.sorted(&|episode| (episode.len() > 1).then(|| self.weight(episode)));
        self.groups.extend(several);
    }

    /// Sorts the episodes of a group of many failures anew: two at once have told by now what they cost.
    fn sort_many(&mut self, group: usize) {
        self.learn();
        let sort = &self.groups[group].sort;
        let mut many = self.sorted(&|episode| (episode.len() >= MANY).then(|| self.weight(episode)));
        many.retain(|one| one.sort == *sort);
        if let Some(many) = many.pop() {
            self.groups[group] = many;
        }
    }

    /// Takes down what the failures cost that were simulated.
    fn learn(&mut self) {
        let known = self.groups.iter().filter(|group| !group.samples.is_empty() && group.size > 0.0);
        let part = |group: &Group| (mean(group, |one| one.lost, |_| 0.0).mean / group.size).clamp(0.0, 1.0);
        self.parts = known.map(|group| (group.sort.clone(), part(group))).collect();
    }

    /// What an episode probably costs, in seconds. What is not known costs nothing if it comes alone, and everything if not.
    fn weight(&self, episode: &[Failure]) -> f64 {
        weight(episode, |sources| match sources {
            [only] => self.alone(*only),
            [_, _] => self.parts.get(&Sort::of(sources, &self.cause_of)).copied().unwrap_or(1.0),
            _ => 1.0,
        })
    }

    /// What a failure of a source costs a second if it comes alone, as far as that is known.
    fn alone(&self, source: usize) -> f64 {
        self.parts.get(&Sort::of(&[source], &self.cause_of)).copied().unwrap_or(0.0)
    }

    /// Simulates the first episodes of a group. Returns its cause if the service was not as before at the end of one.
    fn pilot(&mut self, group: usize, steady: &Steady) -> Result<Option<String>, Refusal> {
        (self.said)(self.name_of(group));
        let of = &self.groups[group];
        if of.is_mixed() && of.samples.is_empty() {
            self.sort_many(group);
        }
        let of = &mut self.groups[group];
        let each = if of.is_alike() { PILOT } else { PILOT_UNLIKE };
        let strata = of.strata.len();
        let tasks: Vec<Task> = (0..strata * each).map(|at| of.draw(group, at / each)).collect();
        let lived = self.simulate(&tasks, steady);
        if self.is_interrupted {
            return Err(Refusal::Interrupted);
        }
        let name = || self.name_of(group);
        if lived.iter().any(|(_, is_flooded)| *is_flooded) {
            return Err(Refusal::Flooded(Some(name())));
        }
        Ok(lived.iter().any(|(is_settled, _)| !is_settled).then(name))
    }

    /// Simulates episodes and keeps what they cost. Returns of each whether it was settled, and whether requests piled up.
    fn simulate(&mut self, tasks: &[Task], steady: &Steady) -> Vec<(bool, bool)> {
        let one = |task: Task| {
            let failures = self.timeline.episode(task.episode);
            let seed = self.seed().trial(task.trial);
            live(self.scenario, &self.sources, failures, (&self.times, steady), seed, self.progress)
        };
        let all = threads::each(self.options.jobs, tasks.to_vec(), one);
        let mut told = Vec::new();
        for (task, lived) in tasks.iter().zip(all) {
            let Some(lived) = lived else {
                self.is_interrupted = true;
                continue;
            };
            let episode = self.timeline.episode(task.episode);
            let alone = episode.iter().map(|failure| self.alone(failure.source) * failure.lasts).sum();
            let at = episode[0].at;
            let group = &mut self.groups[task.group];
            let size = group.size_of(*task);
            let (stratum, trial) = (task.stratum, task.trial);
            group.samples.push(Sample { stratum, size, at, trial, alone, ..lived.sample });
            self.episodes += 1;
            self.events += lived.events;
            told.push((lived.is_settled, lived.is_flooded));
        }
        told
    }

    /// Simulates what is missing for the precision: groups that could still cost something, and more of those that are least
    /// certain.
    fn refine(&mut self, steady: &Steady) {
        while !self.is_interrupted && self.episodes < EPISODES_MAX {
            let sum = self.sum();
            let aim = self.options.precision * sum.share.value;
            if sum.rest > REST * aim
                && let Some(group) = self.largest_unknown()
            {
                // What is not settled here was not with a single failure either, or costs next to nothing.
                if self.pilot(group, steady).is_err() {
                    break;
                }
                continue;
            }
            // More episodes make only that smaller which comes of too few.
            if sum.half_width() <= aim || sum.rest > REST * aim && sum.half_width() - sum.rest / 2.0 <= aim {
                break;
            }
            (self.said)(format!(
                "episode {}, {:.0} % of what is lost is uncertain",
                self.episodes,
                100.0 * sum.half_width() / sum.share.value.max(f64::MIN_POSITIVE)
            ));
            let (steady_more, tasks) = self.least_certain(&sum);
            if steady_more {
                let from = self.steady.len() as u32;
                self.steady_trials(from..from + from.div_ceil(2));
            }
            self.simulate(&tasks, steady);
            if tasks.is_empty() && !steady_more {
                break;
            }
        }
    }

    /// The group that could still cost most and has few samples, or none.
    fn largest_unknown(&self) -> Option<usize> {
        let few = |at: &usize| self.groups[*at].unknown() > 0.0 && self.groups[*at].samples.len() < FREE_MAX;
        let unknown = (0..self.groups.len()).filter(few);
        unknown.max_by(|a, b| self.groups[*a].unknown().total_cmp(&self.groups[*b].unknown()))
    }

    /// Whether steady state is least certain, and the episodes that make the sum more certain, by what each adds.
    fn least_certain(&mut self, sum: &Sum) -> (bool, Vec<Task>) {
        let mut parts: Vec<(usize, usize, f64, f64)> = Vec::new();
        for (group, strata) in sum.parts.iter().enumerate() {
            for (stratum, variance) in strata.iter().enumerate() {
                let n = self.groups[group].simulated(stratum) as f64;
                parts.push((group, stratum, variance * n, n));
            }
        }
        let gain = |spread: f64, n: f64| spread / (n * (n + 1.0));
        let best = parts.iter().map(|part| gain(part.2, part.3)).fold(0.0, f64::max);
        let trials = self.steady.len() as f64;
        let steady = gain(sum.steady_variance() * trials, trials);
        if steady > best {
            return (sum::total(&self.steady).0 < STEADY_REQUESTS, Vec::new());
        }
        let mut tasks = Vec::new();
        for _ in 0..BATCH {
            let most = parts.iter_mut().max_by(|a, b| gain(a.2, a.3).total_cmp(&gain(b.2, b.3)));
            let Some(most) = most.filter(|most| gain(most.2, most.3) > 0.0) else { break };
            most.3 += 1.0;
            let (group, stratum) = (most.0, most.1);
            tasks.push(self.groups[group].draw(group, stratum));
        }
        (false, tasks)
    }

    /// The name of what a group has in common.
    fn name_of(&self, group: usize) -> String {
        let causes: Vec<&str> =
            self.groups[group].sort.0.iter().map(|at| self.causes[*at].name.as_str()).collect();
        if causes.is_empty() { sum::MORE.to_owned() } else { causes.join(" and ") }
    }
}

/// The cause of each source, and the causes.
fn causes(sources: &[Source]) -> (Vec<usize>, Vec<CauseOf>) {
    let mut causes: Vec<CauseOf> = Vec::new();
    let mut of = Vec::new();
    for source in sources {
        let known = causes.iter().position(|cause| cause.name == source.cause);
        let at = known.unwrap_or(causes.len());
        if known.is_none() {
            causes.push(CauseOf { name: source.cause.clone(), rate: 0.0, lasts: source.lasts.mean() });
        }
        causes[at].rate += source.rate();
        of.push(at);
    }
    (of, causes)
}
