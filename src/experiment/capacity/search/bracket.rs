//! Two loads with the answer between them, or why there are none.

use super::super::{Found, Loads, shown};
use super::{Search, Stop, Tried, Unknown};

/// Doublings, and halvings, of the scenario's own load before the search for a bracket is given up.
const DOUBLINGS_MAX: usize = 14;

/// Doublings in a row that move neither goodput nor the objective, after which more of them will not either: what comes
/// in beyond it is turned away.
const FLAT_DOUBLINGS: usize = 2;

/// What counts as not moved, as a share.
const FLAT: f64 = 0.02;

/// Growth of goodput by a doubling, as a share, without which more load does not bring more to measure.
const GROWTH: f64 = 0.1;

/// Events that a trial at a load beyond the scenario's own may have, unless one at its own has more than a quarter of
/// that; then four times as many as there. A doubling that would have more is not tried.
const EVENTS_MAX: u64 = 100_000_000;

/// The share of failed requests from which on a time of those that were answered says little.
const FAILED: f64 = 0.01;

impl<L: Loads> Search<'_, L> {
    /// Doubles or halves the load until the answer lies between two.
    pub(super) fn bracket(&mut self) -> Result<Found, Stop<L::Error>> {
        let mut load = self.question.knob.nearest(self.question.knob.own());
        let mut first = self.margin_at(load);
        // Where too little happens to tell, more load may help.
        for _ in 0..DOUBLINGS_MAX {
            let (Err(Stop::TooLittle(_)), Some(next)) = (&first, self.doubled()) else { break };
            let before = self.tried.last().map_or(0.0, Tried::goodput);
            let found = self.margin_at(next);
            let grown = self.tried.last().map_or(0.0, Tried::goodput) > (1.0 + GROWTH) * before;
            if found.as_ref().map_or(!grown, |margin| *margin >= 0.0) {
                // The answer lies lower, if anywhere: where it cannot be told.
                break;
            }
            (load, first) = (next, found);
        }
        let is_met = first? < 0.0;
        let mut flat = 0;
        for _ in 0..DOUBLINGS_MAX {
            let next = if is_met { self.doubled() } else { Some(self.question.knob.nearest(load / 2.0)) };
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

    /// Twice the highest load so far, if there is such a load, and if it can be simulated in reasonable time.
    pub(super) fn doubled(&mut self) -> Option<f64> {
        let unit = self.question.knob.unit();
        let highest = self.tried.last()?;
        let (load, events) = (highest.point.load, highest.events);
        let next = self.question.knob.nearest(2.0 * load);
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

    /// Whether the last doubling moved neither goodput nor the objective.
    fn is_flat(&self) -> bool {
        let [.., before, after] = self.tried.as_slice() else { return false };
        let (Ok(margin), Ok(next)) = (&before.margin, &after.margin) else { return false };
        // A margin is a share of the bound beyond the bound: with the bound added it is what was measured.
        let moved = (next.value - margin.value).abs() > FLAT * (1.0 + margin.value).abs();
        !moved && (after.goodput() - before.goodput()).abs() <= FLAT * before.goodput()
    }

    /// An objective that is met although requests fail does not count them.
    fn note_failures(&mut self) {
        let failed = |tried: &Tried| 1.0 - tried.point.availability.mean.unwrap_or(1.0);
        let Some(first) = self.tried.iter().find(|tried| failed(tried) > FAILED) else { return };
        self.notes.push(format!(
            "from {} on requests fail, {:.1} % there, which this objective does not count: add \"errors < 1%\" to --slo",
            shown(first.point.load, self.question.knob.unit()),
            100.0 * failed(first),
        ));
    }

    fn margin_at(&mut self, load: f64) -> Result<f64, Stop<L::Error>> {
        let at = self.try_load(load, true)?;
        match &self.tried[at].margin {
            Ok(margin) => Ok(margin.value),
            Err(Unknown::Never(why)) => Err(Stop::Never(why.clone())),
            Err(Unknown::TooLittle(why)) => Err(Stop::TooLittle(format!(
                "at {} too little happens to tell: {why}; --duration must be longer",
                shown(load, self.question.knob.unit())
            ))),
        }
    }
}
