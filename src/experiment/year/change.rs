//! What a design changes in the year of another one. Where both lived through the same failures with the same customers, the chance
//! that they share is no chance of the difference.

use std::collections::{BTreeMap, BTreeSet};

use super::estimate::common;
use super::group::Group;
use super::result::{Change, Span, YearResult};
use super::sum::{Sum, spread};
use super::{Work, YEAR_S};

/// A stratum that a design does not have.
const NO_PART: (f64, f64) = (0.0, f64::INFINITY);

/// A year, and what it was composed of.
#[derive(Debug)]
pub struct Year {
    /// What it costs.
    pub result: YearResult,
    groups: BTreeMap<String, Group>,
    sum: Sum,
}

impl Year {
    pub(super) fn of(work: Work<'_>, result: YearResult) -> Year {
        let sum = work.sum();
        let names: Vec<String> = (0..work.groups.len()).map(|group| work.name_of(group)).collect();
        Year { result, groups: names.into_iter().zip(work.groups).collect(), sum }
    }

    /// Writes into the result what it changes in the year of another design.
    pub fn against(&mut self, before: &Year) {
        self.result.change = Some(self.change(before));
    }

    fn change(&self, before: &Year) -> Change {
        let (mut parts, mut drawn, mut paired_episodes) = (Vec::new(), 0.0, 0);
        let names: BTreeSet<&String> = before.groups.keys().chain(self.groups.keys()).collect();
        for name in names {
            let [a, b] = [before, self].map(|year| year.groups.get(name));
            let [own, its] = [a, b].map(|group| group.map(Group::lost_share).unwrap_or_default());
            let scaled = |a: &Group, b: &Group| (common(a, b), a.rate * b.rate);
            let (shared, scale) = a.zip(b).map(|(a, b)| scaled(a, b)).unwrap_or_default();
            for at in 0..own.parts.len().max(its.parts.len()) {
                let [own, its] = [&own, &its].map(|of| of.parts.get(at).copied().unwrap_or(NO_PART));
                let both = scale * shared.parts.get(at).copied().unwrap_or(0.0);
                parts.push(((own.0 + its.0 - 2.0 * both).max(0.0), own.1.min(its.1)));
            }
            drawn += (own.drawn + its.drawn - 2.0 * scale * shared.drawn).max(0.0);
            paired_episodes += shared.episodes;
        }
        let half = spread(&parts, drawn);
        let [a, b] = [&before.sum, &self.sum];
        let value = b.share.value - a.share.value;
        let side = |own: f64, its: f64| libm::hypot(half, libm::hypot(own, its));
        let down = side(b.steady.value - b.steady.low, a.steady.high - a.steady.value) + a.rest;
        let up = side(b.steady.high - b.steady.value, a.steady.value - a.steady.low) + b.rest;
        let span = Span { value, low: value - down, high: value + up };
        Change {
            from: before.result.design.clone(),
            without_service_s: span.map(|share| share * YEAR_S),
            paired_episodes,
        }
    }
}
