//! Searches higher loads for the one at which goodput falls or the system has no steady state.

use super::super::Loads;
use super::{Search, Stop};

/// Number of doublings beyond the answer in the search for the collapse.
pub(crate) const COLLAPSE_DOUBLINGS: usize = 2;

/// Width of the bracket of the collapse, relative to the load.
pub(crate) const COLLAPSE_WIDTH: f64 = 0.1;

/// A fall of goodput by more than this share, beyond its interval, counts as a collapse.
pub(crate) const FALL: f64 = 0.05;

impl<L: Loads> Search<'_, L> {
    /// Doubles the load until the system collapses, then narrows the bracket.
    pub(super) fn look_for_collapse(&mut self) -> Result<(), Stop<L::Error>> {
        let mut doublings = 0;
        while self.collapsed().is_none() && doublings < COLLAPSE_DOUBLINGS {
            let Some(next) = self.doubled() else { break };
            self.try_probe(next)?;
            doublings += 1;
        }
        // In a short trial a queue may grow too little to be seen. Once that has happened, only long ones count.
        let mut long = false;
        while let Some((low, high, _)) = self.collapsed() {
            let low = if long { self.last_long(high).unwrap_or(low) } else { low };
            let (from, to) = (self.tried[low].point.load, self.tried[high].point.load);
            let middle = self.question.knob.nearest(f64::midpoint(from, to));
            // The middle may be known already, if goodput falls slowly or its interval is too wide to show a fall.
            let is_narrow = to - from <= COLLAPSE_WIDTH * to || !self.is_new(middle, false);
            match (is_narrow, self.is_short(low)) {
                (false, _) if long => self.try_long(middle)?,
                (false, _) => self.try_probe(middle)?,
                (true, true) => {
                    let at = self.try_long(from)?;
                    long = self.collapsed().is_some_and(|(_, high, _)| high <= at);
                    at
                }
                (true, false) => break,
            };
        }
        Ok(())
    }

    /// The last load below another one that was simulated for its whole time.
    fn last_long(&self, high: usize) -> Option<usize> {
        (0..high).rev().find(|at| !self.is_short(*at))
    }

    /// The last load before the collapse, the first load after it, and the kind of collapse.
    pub(super) fn collapsed(&self) -> Option<(usize, usize, &'static str)> {
        let mut best = f64::NEG_INFINITY;
        for (at, tried) in self.tried.iter().enumerate() {
            if !tried.point.steady {
                let how = if tried.point.lag_growth.is_some() { "lag grows" } else { "no steady state" };
                return (at > 0).then(|| (at - 1, at, how));
            }
            let half = tried.point.goodput_rps.half_width.unwrap_or(0.0);
            // The load before it has not collapsed, whether it is the best or not, so that each step in between narrows
            // the bracket.
            if tried.goodput() + half < (1.0 - FALL) * best {
                return Some((at - 1, at, "goodput falls"));
            }
            best = best.max(tried.goodput());
        }
        None
    }
}
