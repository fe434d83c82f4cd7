//! Where the margin is zero: the answer, and the two ends of its interval.

use super::super::Loads;
use super::super::margin::Margin;
use super::{Search, Stop, Tried};

/// Width of the bracket, relative to the load, at which the answer is interpolated.
pub(crate) const WIDTH: f64 = 0.01;

/// Distance from a full load, relative to it, up to which its margin is continued by the slope.
pub(crate) const REACH: f64 = 0.02;

/// The same for the ends of the interval: an error of second order moves them little, compared with their distance.
pub(crate) const REACH_OF_ENDS: f64 = 0.05;

/// Width, relative to the load, to which probes narrow the bracket before a full load is simulated.
const NEAR: f64 = 0.04;

/// The loads that give the slope at a load, relative to it: more below than above, where the system saturates.
const SLOPE: (f64, f64) = (0.75, 1.06);

/// Least distance of the lowest from the highest of these loads, relative to the load.
const SPREAD: f64 = 0.01;

/// Largest number of probes that narrow the bracket.
const PROBES_MAX: usize = 10;

/// Largest number of full loads.
const FULL_MAX: usize = 16;

/// Longest step beyond the known loads, relative to the load.
const EXTENSION: f64 = 0.15;

/// One of the three margins whose root is searched, and the width of its bracket.
#[derive(Clone, Copy)]
pub(super) struct Side {
    of: fn(&Margin) -> f64,
    width: f64,
    reach: f64,
    end: End,
}

/// What a root is to the answer.
#[derive(Clone, Copy)]
enum End {
    /// The answer itself.
    Middle,
    /// The lower end of its interval.
    Lower,
    /// The upper end of its interval.
    Upper,
}

/// The margin whose root is the answer.
pub(super) const VALUE: Side =
    Side { of: |margin| margin.value, width: WIDTH, reach: REACH, end: End::Middle };

/// The margin whose root is the lower end of the interval: up to there the objective is shown to be met.
pub(super) const HIGH: Side =
    Side { of: |margin| margin.high, width: 2.0 * WIDTH, reach: REACH_OF_ENDS, end: End::Lower };

/// The margin whose root is the upper end of the interval: from there the objective is shown to be missed.
pub(super) const LOW: Side =
    Side { of: |margin| margin.low, width: 2.0 * WIDTH, reach: REACH_OF_ENDS, end: End::Upper };

/// What the full loads say about a root.
enum Root {
    /// It is here.
    Known(f64),
    /// A full load here would tell.
    Wanted(f64),
}

impl<L: Loads> Search<'_, L> {
    /// Narrows the bracket with probes, then simulates full loads until they give all three roots.
    pub(super) fn refine(&mut self) -> Result<(), Stop<L::Error>> {
        self.narrow()?;
        for _ in 0..FULL_MAX {
            let wanted = [VALUE, HIGH, LOW].into_iter().find_map(|side| self.wanted(side));
            let Some(load) = wanted else { break };
            let at = self.try_full(load)?;
            if self.tried[at].margin.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn narrow(&mut self) -> Result<(), Stop<L::Error>> {
        for step in 0..PROBES_MAX {
            let Some((low, high)) = bracket(&self.all(), VALUE) else { break };
            let next = between(&low, &high, VALUE, NEAR, step);
            if high.load - low.load <= NEAR * high.load || !self.is_new(next, false) {
                break;
            }
            self.try_probe(next)?;
        }
        Ok(())
    }

    /// The root of this side, if the full loads give it.
    pub(super) fn root(&self, side: Side) -> Option<f64> {
        match self.look(side, 0)? {
            Root::Known(load) => Some(load),
            // The search has ended: what is left of the bracket is the uncertainty.
            Root::Wanted(_) => bracket(&self.full(), side).map(|(low, high)| at_end(&low, &high, side)),
        }
    }

    /// The full load that this side needs next; `None` if it needs none.
    fn wanted(&self, side: Side) -> Option<f64> {
        match self.look(side, self.simulated)? {
            Root::Known(_) => None,
            Root::Wanted(load) => {
                let load = self.question.knob.nearest(load);
                self.is_new(load, true).then_some(load)
            }
        }
    }

    fn look(&self, side: Side, step: usize) -> Option<Root> {
        let full = self.full();
        if let Some((low, high)) = bracket(&full, side) {
            let is_narrow = high.load - low.load <= side.width * high.load;
            let root = at_end(&low, &high, side);
            let near = (root - low.load).min(high.load - root) <= side.reach * root && high.finite(side);
            return Some(if is_narrow || near {
                Root::Known(root)
            } else {
                Root::Wanted(between(&low, &high, side, side.width, step))
            });
        }
        let Some(nearest) = nearest(&full, side) else {
            // Nothing but probes yet.
            let (low, high) = bracket(&self.all(), VALUE)?;
            return Some(Root::Wanted(secant(&low, &high, VALUE)));
        };
        let is_met = (side.of)(&nearest.margin) < 0.0;
        let step = nearest.load * if is_met { 1.0 + EXTENSION } else { 1.0 - EXTENSION };
        // An interval that reaches zero says nothing about the distance.
        let tells = nearest.finite(side) && (side.of)(&nearest.margin) > -1.0;
        let Some(slope) = self.slope(nearest.load).filter(|_| tells) else {
            return Some(Root::Wanted(step));
        };
        let root = nearest.load + (1.0 - straight((side.of)(&nearest.margin))) / slope;
        Some(if (root - nearest.load).abs() <= side.reach * nearest.load {
            Root::Known(root)
        } else if is_met {
            Root::Wanted(root.min(step))
        } else {
            Root::Wanted(root.max(step))
        })
    }

    /// The change of [`straight`] for each unit of the load, by least squares over the loads near a load; below 0.
    /// `None` if they do not give it.
    fn slope(&self, load: f64) -> Option<f64> {
        let near = |one: &Known| (SLOPE.0 * load..=SLOPE.1 * load).contains(&one.load);
        let points: Vec<(f64, f64)> = self
            .all()
            .iter()
            .filter(|one| near(one) && one.finite(VALUE) && one.margin.value > -1.0)
            .map(|one| (one.load, straight(one.margin.value)))
            .collect();
        let (first, last) = (points.first()?.0, points.last()?.0);
        if last - first < SPREAD * load {
            return None;
        }
        let n = points.len() as f64;
        let (x, y) = points.iter().fold((0.0, 0.0), |sum, at| (sum.0 + at.0 / n, sum.1 + at.1 / n));
        let both: f64 = points.iter().map(|at| (at.0 - x) * (at.1 - y)).sum();
        let square: f64 = points.iter().map(|at| (at.0 - x) * (at.0 - x)).sum();
        Some(both / square).filter(|slope| *slope < 0.0)
    }

    fn full(&self) -> Vec<Known> {
        known(self.tried.iter().filter(|tried| tried.full))
    }

    fn all(&self) -> Vec<Known> {
        known(self.tried.iter())
    }

    /// Whether a load was not yet simulated, or not yet in full.
    pub(super) fn is_new(&self, load: f64, full: bool) -> bool {
        !self.tried.iter().any(|tried| tried.point.load == load && (tried.full || !full))
    }
}

/// A load and its margin.
#[derive(Clone, Copy)]
struct Known {
    load: f64,
    margin: Margin,
}

impl Known {
    fn finite(&self, side: Side) -> bool {
        (side.of)(&self.margin).is_finite()
    }
}

fn known<'t>(tried: impl Iterator<Item = &'t Tried>) -> Vec<Known> {
    let one = |tried: &Tried| Some(Known { load: tried.point.load, margin: *tried.margin.as_ref().ok()? });
    tried.filter_map(one).collect()
}

/// Bound over value. Where a queue fills up it is nearly a straight line over the load, because the time in the system
/// grows as 1 / (capacity - load).
fn straight(margin: f64) -> f64 {
    1.0 / (1.0 + margin)
}

/// The first two neighbouring loads between which the margin of this side becomes positive.
fn bracket(known: &[Known], side: Side) -> Option<(Known, Known)> {
    let first = known.iter().position(|one| (side.of)(&one.margin) >= 0.0)?;
    (first > 0).then(|| (known[first - 1], known[first]))
}

/// The load nearest to the root, if all margins of this side have the same sign.
fn nearest(known: &[Known], side: Side) -> Option<Known> {
    let missed = known.first().filter(|first| (side.of)(&first.margin) >= 0.0);
    missed.or(known.last()).copied()
}

/// The root of the straight line through two margins; the middle if one of them is infinite.
fn secant(low: &Known, high: &Known, side: Side) -> f64 {
    let (below, above) = ((side.of)(&low.margin), (side.of)(&high.margin));
    if !above.is_finite() || !below.is_finite() {
        return f64::midpoint(low.load, high.load);
    }
    low.load + (high.load - low.load) * below / (below - above)
}

/// The root in a bracket that is not narrowed further. Where something grows without end above it, there is no line to its
/// root: the lower end of the interval is the load where the objective is shown to be met, the upper end the one above it.
fn at_end(low: &Known, high: &Known, side: Side) -> f64 {
    match side.end {
        _ if high.finite(side) => secant(low, high, side),
        End::Lower => low.load,
        End::Upper => high.load,
        End::Middle => f64::midpoint(low.load, high.load),
    }
}

/// A load inside a bracket: the root of the secant, kept away from both ends. Every third time it is the middle, so
/// that the search is fast for every shape of the curve.
fn between(low: &Known, high: &Known, side: Side, width: f64, step: usize) -> f64 {
    if step % 3 == 2 {
        return f64::midpoint(low.load, high.load);
    }
    let nearest = 0.45 * width * high.load;
    secant(low, high, side).max(low.load + nearest).min(high.load - nearest)
}
