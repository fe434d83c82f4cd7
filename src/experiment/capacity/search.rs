//! `Search`: chooses the loads to simulate, and draws the conclusions.
//!
//! Two kinds of simulation take turns. A *probe* is short and tells roughly where the answer is. A *full* load has all
//! trials at full length and gives the answer. All are run with the same seeds, so that the margin is a smooth function
//! of the load and a probe's slope is also that of a full load.

mod bracket;
mod collapse;
mod root;
mod time;

use crate::kernel::time::SimDuration;
use crate::model::record::{TrialRecord, is_alert};
use crate::model::simulation::Length;
use crate::scenario::Scenario;

use super::super::result::{Happening, RunResult, ScenarioRef, SteadyState};
use super::super::runner::{self, Progress, RunOptions, Trials};
use super::super::words::number;
use super::margin::{Margin, Unknown, unanswered};
use super::{CapacityResult, Collapse, Found, LoadRef, LoadUnit, Loads, Point, Question, SCHEMA, shown};
use root::{HIGH, LOW, Side, VALUE};

#[cfg(test)]
pub(super) use collapse::{COLLAPSE_DOUBLINGS, COLLAPSE_WIDTH, FALL};
pub(super) use root::REACH;
#[cfg(test)]
pub(super) use root::WIDTH;

/// Largest number of loads that are simulated.
pub(super) const LOADS_MAX: usize = 48;

/// Number of trials of a probe, and number after which a full load without a steady state gets no more.
pub(super) const PROBE_TRIALS: u32 = 3;

/// A probe measures the scenario's time divided by this number.
pub(super) const PROBE_SHORTER: u32 = 10;

/// The reason why nothing more is simulated.
enum Stop<E> {
    /// The user has interrupted the search.
    Interrupted,
    /// [`LOADS_MAX`] is reached.
    Enough,
    /// The time that the search may take is over.
    OutOfTime,
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
    /// Whether all trials have full length, so that the intervals count.
    full: bool,
    /// Events of a trial of full length.
    events: u64,
    scenario: ScenarioRef,
    timeline: Vec<Happening>,
    state: SteadyState,
}

impl Tried {
    fn goodput(&self) -> f64 {
        self.point.goodput_rps.mean.unwrap_or(0.0)
    }
}

/// A result, and its distance from the objective.
type Measured = (RunResult, Result<Margin, Unknown>);

pub(super) struct Search<'a, L: Loads> {
    question: &'a Question<'a>,
    loads: &'a L,
    progress: &'a dyn Progress,
    /// The simulated loads, in increasing order.
    tried: Vec<Tried>,
    /// Number of simulations; a load that was simulated again counts twice.
    simulated: usize,
    length: Option<(f64, f64)>,
    /// Full trials are longer than the scenario's by this factor.
    stretch: f64,
    /// Why they are, if so.
    too_short: Option<String>,
    /// Seconds that the search may take.
    began_with_s: Option<f64>,
    /// Number of trials of a full load that the time allows, once it is known.
    affordable: Option<u32>,
    /// Number of events of all simulations.
    events: u64,
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
            stretch: 1.0,
            too_short: None,
            began_with_s: loads.seconds_left(),
            affordable: None,
            events: 0,
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
        let found = match self.met_at_the_goal(found) {
            Ok(found) => found,
            Err(stop) => return self.stopped(stop, found),
        };
        let more = match found {
            Found::Found if self.question.beyond => self.refine().and_then(|()| self.look_for_collapse()),
            Found::Found => self.refine(),
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
            Stop::OutOfTime => {
                self.notes.push(format!("the time was up after {} loads", self.simulated));
            }
            Stop::TooLittle(why) | Stop::Never(why) => self.notes.push(why),
        }
        Ok(found)
    }

    /// Simulates a load briefly and returns its index among the simulated ones. At full length if a short trial says too
    /// little, or if time matters in the scenario: faults, or a load that changes.
    fn try_probe(&mut self, load: f64) -> Result<usize, Stop<L::Error>> {
        let scenario = self.at(load)?;
        let whole = self.whole(&scenario);
        if scenario.is_constant() {
            let measured = SimDuration::from_nanos(whole.measured.as_nanos().div_ceil(PROBE_SHORTER.into()));
            let (result, margin) = self.few(&scenario, Length { measured, ..whole })?;
            // In a short trial it may be that nobody is served although somebody would be.
            let is_told = match &margin {
                Ok(margin) => margin.value.is_finite() || !result.steady_state.reached,
                Err(unknown) => matches!(unknown, Unknown::Never(_)),
            };
            if is_told {
                return Ok(self.add(load, result, margin, false));
            }
        }
        let (mut result, mut margin) = self.few(&scenario, whole)?;
        while margin.as_ref().is_err_and(|unknown| self.stretched(&scenario, unknown)) {
            (result, margin) = self.few(&scenario, self.whole(&scenario))?;
            self.note_length(&scenario);
        }
        Ok(self.add(load, result, margin, false))
    }

    /// A probe of full length.
    fn try_long(&mut self, load: f64) -> Result<usize, Stop<L::Error>> {
        let scenario = self.at(load)?;
        let (result, margin) = self.few(&scenario, self.whole(&scenario))?;
        Ok(self.add(load, result, margin, false))
    }

    /// Whether a simulated load has only short trials.
    fn is_short(&self, at: usize) -> bool {
        self.length.is_some_and(|(whole, _)| self.tried[at].point.duration_s < whole)
    }

    fn few(&mut self, scenario: &Scenario, length: Length) -> Result<Measured, Stop<L::Error>> {
        self.simulate(scenario, length, 0..PROBE_TRIALS.min(self.question.trials), &mut Vec::new())
    }

    /// Simulates a load in full and returns its index. It ends after [`PROBE_TRIALS`] if they have no steady state.
    fn try_full(&mut self, load: f64) -> Result<usize, Stop<L::Error>> {
        let scenario = self.at(load)?;
        let all = self.full_trials();
        let few = PROBE_TRIALS.min(all);
        let length = self.whole(&scenario);
        let mut records: Vec<TrialRecord> = Vec::new();
        let (mut result, mut margin) = self.simulate(&scenario, length, 0..few, &mut records)?;
        let beyond = margin.as_ref().is_ok_and(|margin| !margin.value.is_finite());
        if few < all && !beyond {
            (result, margin) = self.simulate(&scenario, length, few..all, &mut records)?;
        }
        Ok(self.add(load, result, margin, true))
    }

    /// The scenario at a load, which is about to be simulated.
    fn at(&mut self, load: f64) -> Result<Scenario, Stop<L::Error>> {
        if self.simulated >= LOADS_MAX {
            return Err(Stop::Enough);
        }
        if self.loads.seconds_left().is_some_and(|left_s| left_s <= 0.0) {
            return Err(Stop::OutOfTime);
        }
        self.simulated += 1;
        self.loads.trying(self.simulated, &shown(load, self.question.knob.unit()));
        let scenario = self.loads.scenario(&self.question.knob.overrides(load)).map_err(Stop::Refused)?;
        self.note_length(&scenario);
        Ok(scenario)
    }

    fn note_length(&mut self, scenario: &Scenario) {
        let Length { warmup, measured } = self.whole(scenario);
        self.length = Some((measured.as_secs_f64(), warmup.as_secs_f64()));
    }

    fn simulate(
        &mut self,
        scenario: &Scenario,
        length: Length,
        trials: std::ops::Range<u32>,
        records: &mut Vec<TrialRecord>,
    ) -> Result<Measured, Stop<L::Error>> {
        let options = RunOptions { seed: self.question.seed, trials, jobs: self.question.jobs, length };
        let found = runner::run(scenario, &options, self.progress);
        self.events += found.records.iter().map(|record| record.events).sum::<u64>();
        records.extend(found.records);
        if !found.complete {
            return Err(Stop::Interrupted);
        }
        let all = Trials { records: std::mem::take(records), complete: true, precision: None };
        let result = RunResult::new(scenario, &options, &all);
        *records = all.records;
        let mut margin = Margin::of(self.question.slo, &result);
        if margin.as_ref().is_ok_and(|margin| margin.value < 0.0) && scenario.is_constant() {
            margin = unanswered(&result).map_or(margin, Err);
        }
        Ok((result, margin))
    }

    /// Notes what a load gave, in place of what a probe gave there before. Returns its index.
    fn add(&mut self, load: f64, result: RunResult, margin: Result<Margin, Unknown>, full: bool) -> usize {
        let (whole, _) = self.length.expect("a scenario was simulated");
        // A probe is short: the number of events that a full trial would have decides whether a load is too high.
        let events = result.events as f64 / result.trials.max(1) as f64 * whole / result.duration_s;
        let tried = Tried {
            point: Point::of(load, &result).with(self.question.slo, &result, margin.as_ref().ok()),
            margin,
            full,
            events: events as u64,
            timeline: result.timeline.into_iter().filter(|one| !is_alert(&one.event)).collect(),
            state: result.steady_state,
            scenario: result.scenario,
        };
        let at = self.tried.partition_point(|other| other.point.load < load);
        match self.tried.get_mut(at).filter(|other| other.point.load == load) {
            Some(before) => *before = tried,
            None => self.tried.insert(at, tried),
        }
        at
    }

    /// The full load nearest to a load, if possible one that meets the objective.
    fn nearest_full(&self, load: f64) -> Option<&Tried> {
        let far = |tried: &&Tried| (tried.point.load - load).abs();
        let near = |tried: &&Tried| tried.full && far(tried) <= REACH * load;
        let meets = |tried: &&Tried| tried.margin.as_ref().is_ok_and(|margin| margin.value < 0.0);
        let by_distance = |a: &&Tried, b: &&Tried| far(a).total_cmp(&far(b));
        let best = self.tried.iter().filter(near).filter(meets).min_by(by_distance);
        best.or_else(|| self.tried.iter().filter(|tried| tried.full).min_by(by_distance))
    }

    /// The result; `None` if nothing was simulated.
    pub(super) fn result(self, verdict: Found) -> Option<CapacityResult> {
        let question = self.question;
        let unit = question.knob.unit();
        let found = verdict == Found::Found;
        let root = |side: Side| self.root(side).filter(|_| found);
        let (estimate, low, high) = (root(VALUE), root(HIGH), root(LOW));
        let goal = self.goal().filter(|_| verdict == Found::MetAtTheGoal);
        let low = low.or(goal);
        let last = self.tried.last()?;
        let near = estimate.or(goal).and_then(|load| self.nearest_full(load));
        let nearest = near.unwrap_or(last);
        let collapse = self.collapsed().map(|(low, high, how)| Collapse {
            low: self.tried[low].point.load,
            high: self.tried[high].point.load,
            how,
        });
        let parts: Vec<String> = question.slo.iter().map(ToString::to_string).collect();
        let there = near.and_then(|tried| tried.margin.as_ref().ok()).filter(|it| it.value.is_finite());
        let lowest = self
            .tried
            .first()
            .and_then(|tried| tried.margin.as_ref().ok())
            .filter(|_| verdict == Found::NeverMet);
        let binding = there.or(lowest).map(|margin| parts[margin.binding].clone());
        // Users are integers: round down where the objective is met, up where it is missed.
        let whole =
            |round: fn(f64) -> f64, load: f64| if unit == LoadUnit::Users { round(load) } else { load };
        let (duration_s, warmup_s) = self.length.unwrap_or_default();
        Some(CapacityResult {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION"),
            complete: self.complete,
            scenario: nearest.scenario.clone(),
            seed: question.seed,
            trials: self.affordable.unwrap_or(question.trials),
            duration_s,
            warmup_s,
            slo: parts,
            load: LoadRef { key: question.knob.name().to_owned(), unit },
            verdict,
            estimate: estimate.map(|load| whole(libm::floor, load)),
            low: low.map(|load| whole(libm::floor, load)),
            high: high.map(|load| whole(libm::ceil, load)),
            binding,
            grows: estimate.and_then(|root| self.grows_above(root)),
            at: near.map(|_| nearest.point.clone()),
            collapse,
            tried_to: last.point.load,
            warnings: near
                .map_or(Vec::new(), |tried| self.loads.warnings(&question.knob.overrides(tried.point.load))),
            notes: self.all_notes(found && (low.is_none() || high.is_none())),
            points: self.tried.iter().map(|tried| tried.point.clone()).collect(),
        })
    }

    /// What grows without end at the first load above the answer, if something does; a clause without a full stop.
    fn grows_above(&self, root: f64) -> Option<String> {
        let above = self.tried.iter().find(|tried| tried.point.load > root)?;
        let state = &above.state;
        if state.reached {
            return None;
        }
        let what = if state.lag_growth.is_some() { "lag" } else { "queue" };
        if let (true, Some(queue), Some(growth)) = (state.is_backlog, &state.component, state.growth_per_s) {
            return Some(format!(
                "the queue `{queue}` grows without end, at {} by {} messages a second",
                shown(above.point.load, self.question.knob.unit()),
                number(growth),
            ));
        }
        let of = state.component.as_ref().map(|component| format!(" of `{component}`"));
        Some(format!("the {what}{} grows without end", of.unwrap_or_default()))
    }

    /// The remarks of the search, and those on the whole of it. `open`: an end of the interval is missing.
    fn all_notes(&self, open: bool) -> Vec<String> {
        let mut notes = self.notes.clone();
        if let (Some(why), Some((whole_s, _))) = (&self.too_short, self.length) {
            notes.push(format!("each trial measures {whole_s} s, more than the scenario says: {why}"));
        }
        if self.tried.iter().all(|tried| tried.point.availability.mean.is_none()) {
            notes.push("no request ended in the measured time at any load: give a longer --duration".into());
        }
        if self.tried.iter().any(|tried| !tried.timeline.is_empty()) {
            notes.push(
                "the scenario's faults happen at every load, and count: --no-faults leaves them out".into(),
            );
        }
        if open {
            notes
                .push("the interval is open at an end: more --trials or a longer --duration close it".into());
        }
        notes
    }
}
