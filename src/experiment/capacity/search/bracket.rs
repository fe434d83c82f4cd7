//! Finds two loads with the answer between them, or the reason why there are none.

use super::super::{Found, Loads, shown};
use super::{Search, Stop, Tried, Unknown};
use crate::scenario::expression::{Expectation, Metric};

/// Largest number of doublings, and of halvings, of the scenario's own load in the search for a bracket.
const DOUBLINGS_MAX: usize = 14;

/// Number of consecutive doublings that change neither goodput nor the objective, after which further ones will not
/// either: every additional request is turned away.
const FLAT_DOUBLINGS: usize = 2;

/// Relative change that counts as no change.
const FLAT: f64 = 0.02;

/// Smallest relative growth of goodput in a doubling; with less, more load does not give more to measure.
const GROWTH: f64 = 0.1;

/// Largest number of events of a trial at a load above the scenario's own, or four times the events at its own load if
/// that is more. A doubling that would have more is not tried.
const EVENTS_MAX: u64 = 100_000_000;

/// The first step from a load near which the answer is thought to be, as a factor; each further one is its square, up to 2.
const STEP: f64 = 1.25;

/// The load is divided by this number to see what faults alone do.
const CALM: f64 = 16.0;

/// Share of failed requests from which the response time of the others says little.
const FAILED: f64 = 0.01;

impl<L: Loads> Search<'_, L> {
    /// Doubles or halves the load until the answer is between two loads.
    pub(super) fn bracket(&mut self) -> Result<Found, Stop<L::Error>> {
        let own = self.question.knob.own();
        let mut load = self.below_goal(self.question.start.unwrap_or(own));
        // The answer is thought to be near a load that was chosen: small steps first.
        let mut step = if self.question.start.is_some() { STEP } else { 2.0 };
        let mut first = self.margin_at(load);
        // If too little happens to decide, more load may help.
        for _ in 0..DOUBLINGS_MAX {
            let (Err(Stop::TooLittle(_)), Some(next)) = (&first, self.doubled()) else { break };
            let before = self.tried.last().map_or(0.0, Tried::goodput);
            let found = self.margin_at(next);
            let grown = self.tried.last().map_or(0.0, Tried::goodput) > (1.0 + GROWTH) * before;
            if found.as_ref().map_or(!grown, |margin| *margin >= 0.0) {
                // The answer, if any, is at a lower load, where too little happens to decide.
                break;
            }
            (load, first) = (next, found);
        }
        let is_met = first? < 0.0;
        if !is_met && self.faults_alone_miss()? {
            return Ok(Found::NeverMet);
        }
        let mut flat = 0;
        for _ in 0..DOUBLINGS_MAX {
            let next = if is_met { self.raised(step) } else { Some(self.question.knob.nearest(load / step)) };
            step = (step * step).min(2.0);
            let Some(next) = next.filter(|next| *next != load) else { break };
            load = next;
            if (self.margin_at(load)? < 0.0) != is_met {
                return Ok(Found::Found);
            }
            flat = if is_met && self.is_flat() { flat + 1 } else { 0 };
            if flat == FLAT_DOUBLINGS {
                break;
            }
        }
        if is_met {
            self.note_failures();
        }
        Ok(if is_met { Found::MetAtEveryLoad } else { Found::NeverMet })
    }

    /// Twice the highest load so far; `None` as for [`Search::raised`].
    pub(super) fn doubled(&mut self) -> Option<f64> {
        self.raised(2.0)
    }

    /// The highest load so far times a factor; `None` if that is above the limit or would take too long to simulate.
    fn raised(&mut self, factor: f64) -> Option<f64> {
        let unit = self.question.knob.unit();
        let highest = self.tried.last()?;
        let (load, events) = (highest.point.load, highest.events);
        let next = self.below_goal(factor * load);
        let own = self.tried.iter().find(|tried| tried.point.load >= self.question.knob.own());
        let most = EVENTS_MAX.max(own.map_or(0, |own| 4 * own.events));
        if next > load && 2 * events > most {
            let millions = events / 1_000_000;
            self.notes.push(format!(
                "no load above {} was tried: a trial there has {millions} million events; a shorter --duration goes further",
                shown(load, unit)
            ));
            return None;
        }
        (next > load).then_some(next)
    }

    /// The load that is wanted, as the knob can say it.
    pub(super) fn goal(&self) -> Option<f64> {
        self.question.goal.map(|goal| self.question.knob.nearest(goal))
    }

    /// The nearest possible load that is not above the goal.
    fn below_goal(&self, load: f64) -> f64 {
        let load = self.question.knob.nearest(load);
        self.goal().map_or(load, |goal| load.min(goal))
    }

    /// What the whole search found, if short trials met the objective at every load up to the goal: there it is simulated in
    /// full.
    pub(super) fn met_at_the_goal(&mut self, found: Found) -> Result<Found, Stop<L::Error>> {
        let is_there = self.tried.last().is_some_and(|tried| Some(tried.point.load) == self.goal());
        if found != Found::MetAtEveryLoad || !is_there {
            return Ok(found);
        }
        let at = self.try_full(self.tried[self.tried.len() - 1].point.load)?;
        Ok(match &self.tried[at].margin {
            Ok(margin) if margin.value < 0.0 => Found::MetAtTheGoal,
            Ok(_) => Found::Found,
            Err(_) => Found::NotMeasured,
        })
    }

    /// Whether the last doubling changed neither goodput nor the objective.
    fn is_flat(&self) -> bool {
        let [.., before, after] = self.tried.as_slice() else { return false };
        let (Ok(margin), Ok(next)) = (&before.margin, &after.margin) else { return false };
        // 1 + margin is the measured value relative to the bound.
        let moved = (next.value - margin.value).abs() > FLAT * (1.0 + margin.value).abs();
        !moved && (after.goodput() - before.goodput()).abs() <= FLAT * before.goodput()
    }

    /// Notes that requests fail although the objective is met, because it does not count them.
    fn note_failures(&mut self) {
        let failed = |tried: &Tried| 1.0 - tried.point.availability.mean.unwrap_or(1.0);
        let Some(first) = self.tried.iter().find(|tried| failed(tried) > FAILED) else { return };
        self.notes.push(format!(
            "from {} on requests fail, {:.1} % there, which this objective does not count: add \"errors < 1%\" to --slo",
            shown(first.point.load, self.question.knob.unit()),
            100.0 * failed(first),
        ));
    }

    /// Whether the scenario's faults make the objective impossible: it is missed at a load so low that no queue forms, and
    /// by a part that failed requests decide. Says so.
    fn faults_alone_miss(&mut self) -> Result<bool, Stop<L::Error>> {
        let counts_failures =
            |that: &Expectation| matches!(that.metric, Metric::ErrorRate(_) | Metric::Availability(_));
        let Some(first) = self.tried.first().filter(|tried| !tried.timeline.is_empty()) else {
            return Ok(false);
        };
        if !self.question.slo.iter().any(counts_failures) {
            return Ok(false);
        }
        let what = first.timeline[0].clone();
        let load = self.question.knob.nearest(first.point.load / CALM);
        if load >= first.point.load {
            return Ok(false);
        }
        let at = self.try_probe(load)?;
        let Ok(margin) = &self.tried[at].margin else { return Ok(false) };
        let (missed, binding) = (margin.low >= 0.0, &self.question.slo[margin.binding]);
        if missed && counts_failures(binding) {
            let failed = 1.0 - self.tried[at].point.availability.mean.unwrap_or(1.0);
            self.notes.push(format!(
                "the scenario's faults (first a {} of `{}` at {:.0} s) miss the objective whatever the load: at {} {:.2} % of the requests fail",
                what.event,
                what.component,
                what.t_s,
                shown(load, self.question.knob.unit()),
                100.0 * failed,
            ));
            return Ok(true);
        }
        Ok(false)
    }

    fn margin_at(&mut self, load: f64) -> Result<f64, Stop<L::Error>> {
        let at = self.try_probe(load)?;
        match &self.tried[at].margin {
            Ok(margin) => Ok(margin.value),
            Err(Unknown::Never(why)) => Err(Stop::Never(why.clone())),
            Err(Unknown::TooLittle(why, _)) => Err(Stop::TooLittle(format!(
                "at {} too little happens to tell: {why}; --duration must be longer",
                shown(load, self.question.knob.unit())
            ))),
        }
    }
}
