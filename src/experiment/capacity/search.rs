//! `Search`: chooses the loads to simulate, and draws the conclusions.

mod bracket;

use crate::model::record::TrialRecord;
use crate::scenario::Scenario;

use super::super::result::{RunResult, ScenarioRef};
use super::super::runner::{self, Progress, RunOptions, Trials};
use super::margin::{Margin, Unknown};
use super::{CapacityResult, Collapse, Found, LoadRef, LoadUnit, Loads, Point, Question, SCHEMA, shown};

/// Largest number of loads that are simulated.
pub(super) const LOADS_MAX: usize = 48;

/// Number of doublings beyond the answer in the search for the collapse.
pub(super) const COLLAPSE_DOUBLINGS: usize = 2;

/// Number of trials after which a load with a clear answer gets no more.
pub(super) const PROBE_TRIALS: u32 = 3;

/// A margin larger than this, in either direction, is clear after [`PROBE_TRIALS`].
const CLEAR: f64 = 0.35;

/// Width of the bracket, relative to the load, at which the answer is interpolated.
pub(super) const WIDTH: f64 = 0.01;

/// Width of the bracket of the collapse, relative to the load.
pub(super) const COLLAPSE_WIDTH: f64 = 0.1;

/// A fall of goodput by more than this share, beyond its interval, counts as a collapse.
pub(super) const FALL: f64 = 0.05;

/// One of the three margins whose root is searched, and the width of its bracket.
#[derive(Clone, Copy)]
struct Side {
    of: fn(&Margin) -> f64,
    is_limit: bool,
    width: f64,
}

/// The margin whose root is the answer.
const VALUE: Side = Side { of: |margin| margin.value, is_limit: false, width: WIDTH };

/// The margin whose root is the lower end of the interval: up to there the objective is shown to be met.
const HIGH: Side = Side { of: |margin| margin.high, is_limit: true, width: 2.0 * WIDTH };

/// The margin whose root is the upper end of the interval: from there the objective is shown to be missed.
const LOW: Side = Side { of: |margin| margin.low, is_limit: true, width: 2.0 * WIDTH };

/// Largest number of steps beyond the known loads in the search for an end of the interval.
const EXTENSIONS_MAX: usize = 8;

/// Length of such a step, relative to the load.
const EXTENSION: f64 = 0.15;

/// The reason why nothing more is simulated.
enum Stop<E> {
    /// The user has interrupted the search.
    Interrupted,
    /// [`LOADS_MAX`] is reached.
    Enough,
    /// At this load too little happens to decide; at a higher load more may happen.
    TooLittle(String),
    /// No load can decide.
    Never(String),
    /// The scenario is refused.
    Refused(E),
}

/// A load that has been simulated.
struct Tried {
    point: Point,
    margin: Result<Margin, Unknown>,
    events: u64,
    scenario: ScenarioRef,
    disturbed: bool,
}

impl Tried {
    fn goodput(&self) -> f64 {
        self.point.goodput_rps.mean.unwrap_or(0.0)
    }
}

pub(super) struct Search<'a, L: Loads> {
    question: &'a Question<'a>,
    loads: &'a L,
    progress: &'a dyn Progress,
    /// The simulated loads, in increasing order.
    tried: Vec<Tried>,
    /// Number of simulations; a load that was simulated again counts twice.
    simulated: usize,
    length: Option<(f64, f64)>,
    notes: Vec<String>,
    complete: bool,
}

impl<'a, L: Loads> Search<'a, L> {
    pub(super) fn new(question: &'a Question<'a>, loads: &'a L, progress: &'a dyn Progress) -> Self {
        Search {
            question,
            loads,
            progress,
            tried: Vec::new(),
            simulated: 0,
            length: None,
            notes: Vec::new(),
            complete: true,
        }
    }

    /// Simulates all loads that the answer needs.
    pub(super) fn run(&mut self) -> Result<Found, L::Error> {
        let found = match self.bracket() {
            Ok(Found::Found) => Found::Found,
            Ok(other) => other,
            Err(stop) => return self.stopped(stop, Found::NotMeasured),
        };
        let more = match found {
            Found::Found => self.refine().and_then(|()| self.look_for_collapse()),
            _ => Ok(()),
        };
        more.map_or_else(|stop| self.stopped(stop, found), |()| Ok(found))
    }

    fn stopped(&mut self, stop: Stop<L::Error>, found: Found) -> Result<Found, L::Error> {
        match stop {
            Stop::Refused(error) => return Err(error),
            Stop::Interrupted => self.complete = false,
            Stop::Enough => {
                self.notes
                    .push(format!("the search ended after {LOADS_MAX} loads: the interval may be wide"));
            }
            Stop::TooLittle(why) | Stop::Never(why) => self.notes.push(why),
        }
        Ok(found)
    }

    /// Narrows the brackets of the answer and of the two ends of its interval.
    fn refine(&mut self) -> Result<(), Stop<L::Error>> {
        for side in [VALUE, HIGH, LOW] {
            let (mut steps, mut extensions) = (0, 0);
            loop {
                let next = match self.bracket_of(side) {
                    Some(bracket) => self.inside(side, bracket, steps),
                    None if extensions < EXTENSIONS_MAX => self.beyond(side),
                    None => None,
                };
                let Some(load) = next else { break };
                extensions += usize::from(self.bracket_of(side).is_none());
                let at = self.try_load(load, false)?;
                if self.tried[at].margin.is_err() {
                    break;
                }
                steps += 1;
            }
        }
        Ok(())
    }

    /// The next load inside a bracket that is still too wide.
    fn inside(&self, side: Side, (low, high): (usize, usize), steps: usize) -> Option<f64> {
        let (from, to) = (self.tried[low].point.load, self.tried[high].point.load);
        if to - from <= side.width * to {
            return None;
        }
        let load = self.question.knob.nearest(self.between(side, low, high, steps));
        (from < load && load < to).then_some(load)
    }

    /// A load beyond the known ones, if the margin of this side does not change its sign among them.
    fn beyond(&self, side: Side) -> Option<f64> {
        let known = self.known(side);
        let (&first, &last) = (known.first()?, known.last()?);
        let (lowest, highest) = (self.tried[first].point.load, self.tried[last].point.load);
        let is_down = self.side(first, side) >= 0.0;
        let next = if is_down { lowest * (1.0 - EXTENSION) } else { highest * (1.0 + EXTENSION) };
        let next = self.question.knob.nearest(next);
        (next != lowest && next != highest).then_some(next)
    }

    /// A load inside a bracket: the root of the secant, kept away from both ends. Every third time it is the middle, so
    /// that the search is fast for every shape of the curve.
    fn between(&self, side: Side, low: usize, high: usize, step: usize) -> f64 {
        let (from, to) = (self.tried[low].point.load, self.tried[high].point.load);
        let (below, above) = (self.side(low, side), self.side(high, side));
        if !above.is_finite() || !below.is_finite() || step % 3 == 2 {
            return f64::midpoint(from, to);
        }
        let nearest = 0.45 * side.width * to;
        let root = from + (to - from) * below / (below - above);
        root.max(from + nearest).min(to - nearest)
    }

    /// The first two neighbouring loads between which the margin of this side becomes positive.
    fn bracket_of(&self, side: Side) -> Option<(usize, usize)> {
        let known = self.known(side);
        let first = known.iter().position(|&at| self.side(at, side) >= 0.0)?;
        (first > 0).then(|| (known[first - 1], known[first]))
    }

    /// The loads that count for this side. The interval of a probe is too wide to compare with intervals of all trials.
    fn known(&self, side: Side) -> Vec<usize> {
        let tells = |tried: &Tried| {
            let all = tried.point.trials >= self.question.trials as usize;
            tried.margin.as_ref().is_ok_and(|margin| all || !side.is_limit || !margin.value.is_finite())
        };
        (0..self.tried.len()).filter(|&at| tells(&self.tried[at])).collect()
    }

    fn side(&self, at: usize, side: Side) -> f64 {
        self.tried[at].margin.as_ref().map_or(f64::NAN, side.of)
    }

    /// The root of this side, interpolated in its bracket.
    fn root(&self, side: Side) -> Option<f64> {
        let (low, high) = self.bracket_of(side)?;
        let (from, to) = (self.tried[low].point.load, self.tried[high].point.load);
        let (below, above) = (self.side(low, side), self.side(high, side));
        if !above.is_finite() {
            return Some(f64::midpoint(from, to));
        }
        Some(from + (to - from) * below / (below - above))
    }

    /// Searches higher loads for the one at which goodput falls or the system has no steady state.
    fn look_for_collapse(&mut self) -> Result<(), Stop<L::Error>> {
        let mut doublings = 0;
        while self.collapsed().is_none() && doublings < COLLAPSE_DOUBLINGS {
            let Some(next) = self.doubled() else { break };
            self.try_load(next, true)?;
            doublings += 1;
        }
        while let Some((low, high, _)) = self.collapsed() {
            let (from, to) = (self.tried[low].point.load, self.tried[high].point.load);
            let middle = self.question.knob.nearest(f64::midpoint(from, to));
            // The middle may be known already, if goodput falls slowly or its interval is too wide to show a fall.
            let is_known = self.tried.iter().any(|tried| tried.point.load == middle);
            if to - from <= COLLAPSE_WIDTH * to || is_known {
                break;
            }
            self.try_load(middle, true)?;
        }
        Ok(())
    }

    /// The last load before the collapse, the first load after it, and the kind of collapse.
    fn collapsed(&self) -> Option<(usize, usize, &'static str)> {
        let mut best = f64::NEG_INFINITY;
        for (at, tried) in self.tried.iter().enumerate() {
            if !tried.point.steady {
                return (at > 0).then(|| (at - 1, at, "no steady state"));
            }
            let (goodput, half) =
                (&tried.point.goodput_rps, tried.point.goodput_rps.half_width.unwrap_or(0.0));
            let goodput = goodput.mean.unwrap_or(0.0);
            // The load before it has not collapsed, whether it is the best or not, so that each step in between narrows
            // the bracket.
            if goodput + half < (1.0 - FALL) * best {
                return Some((at - 1, at, "goodput falls"));
            }
            best = best.max(goodput);
        }
        None
    }

    /// Simulates a load and returns its index among the simulated ones. A probe ends as soon as its answer is clear.
    fn try_load(&mut self, load: f64, probe: bool) -> Result<usize, Stop<L::Error>> {
        if self.simulated >= LOADS_MAX {
            return Err(Stop::Enough);
        }
        self.simulated += 1;
        let unit = self.question.knob.unit();
        self.loads.trying(self.simulated, &shown(load, unit));
        let scenario = self.loads.scenario(&self.question.knob.overrides(load)).map_err(Stop::Refused)?;
        self.length = Some((scenario.run.duration.as_secs_f64(), scenario.run.warmup.as_secs_f64()));
        let all = self.question.trials;
        let few = PROBE_TRIALS.min(all);
        let mut records: Vec<TrialRecord> = Vec::new();
        let mut result = self.simulate(&scenario, 0..few, &mut records)?;
        let mut margin = Margin::of(self.question.slo, &result);
        let clear = |margin: &Result<Margin, Unknown>| {
            !margin.as_ref().is_ok_and(|margin| margin.value.is_finite() && margin.value.abs() <= CLEAR)
        };
        // A load without a steady state in three trials gets no more.
        let beyond = margin.as_ref().is_ok_and(|margin| !margin.value.is_finite());
        if few < all && !beyond && !(probe && clear(&margin)) {
            result = self.simulate(&scenario, few..all, &mut records)?;
            margin = Margin::of(self.question.slo, &result);
        }
        let tried = Tried {
            point: Point::of(load, &result).with(margin.as_ref().ok()),
            margin,
            events: result.events / result.trials.max(1) as u64,
            disturbed: !result.timeline.is_empty(),
            scenario: result.scenario,
        };
        let at = self.tried.partition_point(|other| other.point.load < load);
        match self.tried.get_mut(at).filter(|other| other.point.load == load) {
            Some(probe) => *probe = tried,
            None => self.tried.insert(at, tried),
        }
        Ok(at)
    }

    fn simulate(
        &self,
        scenario: &Scenario,
        trials: std::ops::Range<u32>,
        records: &mut Vec<TrialRecord>,
    ) -> Result<RunResult, Stop<L::Error>> {
        let options = RunOptions {
            seed: self.question.seed,
            trials,
            jobs: self.question.jobs,
            length: scenario.length(),
        };
        let found = runner::run(scenario, &options, self.progress);
        records.extend(found.records);
        if !found.complete {
            return Err(Stop::Interrupted);
        }
        let all = Trials { records: std::mem::take(records), complete: true, precision: None };
        let result = RunResult::new(scenario, &options, &all);
        *records = all.records;
        Ok(result)
    }

    /// The result; `None` if nothing was simulated.
    pub(super) fn result(self, verdict: Found) -> Option<CapacityResult> {
        let question = self.question;
        let unit = question.knob.unit();
        let found = verdict == Found::Found;
        let root = |side: Side| self.root(side).filter(|_| found);
        let (estimate, low, high) = (root(VALUE), root(HIGH), root(LOW));
        let near = self.bracket_of(VALUE).filter(|_| found);
        let last = self.tried.last()?;
        let nearest = near.map_or(last, |(low, _)| &self.tried[low]);
        let collapse = self.collapsed().map(|(low, high, how)| Collapse {
            low: self.tried[low].point.load,
            high: self.tried[high].point.load,
            how,
        });
        let parts: Vec<String> = question.slo.iter().map(ToString::to_string).collect();
        let missed = near
            .and_then(|(_, high)| self.tried[high].margin.as_ref().ok())
            .filter(|it| it.value.is_finite());
        let lowest = self
            .tried
            .first()
            .and_then(|tried| tried.margin.as_ref().ok())
            .filter(|_| verdict == Found::NeverMet);
        let binding = missed.or(lowest).map(|margin| parts[margin.binding].clone());
        // Users are integers: round down where the objective is met, up where it is missed.
        let whole =
            |round: fn(f64) -> f64, load: f64| if unit == LoadUnit::Users { round(load) } else { load };
        let mut notes = self.notes;
        if self.tried.iter().any(|tried| tried.disturbed) {
            notes.push(
                "the scenario's faults happen at every load, and count: --no-faults leaves them out".into(),
            );
        }
        if found && (low.is_none() || high.is_none()) {
            notes
                .push("the interval is open at an end: more --trials or a longer --duration close it".into());
        }
        let (duration_s, warmup_s) = self.length.unwrap_or_default();
        Some(CapacityResult {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            complete: self.complete,
            scenario: nearest.scenario.clone(),
            seed: question.seed,
            trials: question.trials,
            duration_s,
            warmup_s,
            slo: parts,
            load: LoadRef { key: question.knob.name().to_owned(), unit },
            verdict,
            estimate: estimate.map(|load| whole(libm::floor, load)),
            low: low.map(|load| whole(libm::floor, load)),
            high: high.map(|load| whole(libm::ceil, load)),
            binding,
            at: near.map(|_| nearest.point.clone()),
            collapse,
            tried_to: last.point.load,
            notes,
            points: self.tried.iter().map(|tried| tried.point.clone()).collect(),
        })
    }
}
