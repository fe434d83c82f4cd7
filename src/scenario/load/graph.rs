//! `CallGraph`: the calls that a request of each class leads to, and how long each call stays in a box that is idle.

use std::collections::BTreeMap;

use super::{Missing, owner};
use crate::model::resource::Hold;
use crate::model::spec::{Demand, RequestClass, Surplus};
use crate::scenario::BoxEntry;

/// The calls to each box that one request leads to.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    /// All of them.
    pub(super) all: Vec<f64>,
    /// Those for whose answers somebody waits.
    pub(super) waited: Vec<f64>,
}

/// The cost of a box's queries at another box beyond one call each, for each call at the first box.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beyond {
    /// Index of the other box.
    pub(super) to: usize,
    /// Number of queries.
    pub(super) queries: f64,
    /// Cost of all of them together.
    pub(super) cost: Surplus,
}

/// Each box's demand for each class, and the boxes in an order with callers before callees.
pub(super) struct CallGraph<'a> {
    pub(super) boxes: &'a [BoxEntry],
    pub(super) classes: &'a [RequestClass],
    pub(super) demands: Vec<Vec<Demand>>,
    /// For each box and class: the cost of its queries beyond one call each.
    pub(super) beyond: Vec<Vec<Vec<Beyond>>>,
    pub(super) index: BTreeMap<&'a str, usize>,
    /// Seconds from arrival to answer of a call in an otherwise idle system without a network, for each box and class.
    pub(super) stays_s: Vec<Vec<f64>>,
    /// Work a core of each box's machine does in a second.
    pub(super) speeds: Vec<f64>,
    order: Vec<usize>,
}

impl<'a> CallGraph<'a> {
    pub(super) fn new(
        boxes: &'a [BoxEntry],
        classes: &'a [RequestClass],
        missing: &Missing,
    ) -> CallGraph<'a> {
        let index: BTreeMap<&str, usize> =
            boxes.iter().enumerate().map(|(at, entry)| (entry.name.as_str(), at)).collect();
        let members = |name: &str| {
            let all = index.get(name).map_or(0, |&at| boxes[at].spec.members());
            // Nobody calls those that are down, as long as others are left.
            (all, all - missing.among(name, &(0..all)))
        };
        let demand = |entry: &BoxEntry| {
            classes.iter().map(|class| shared_out(entry.spec.demand(class), members)).collect()
        };
        let mut demands: Vec<Vec<Demand>> = boxes.iter().map(demand).collect();
        let beyond = demands.iter_mut().map(|by_class| beyond(by_class, classes, boxes, &index)).collect();
        let speed = |entry: &BoxEntry| {
            let host = index.get(owner(entry)).map(|&at| &boxes[at]);
            host.and_then(|host| host.spec.machine()).map_or(1.0, |machine| machine.speed)
        };
        let speeds = boxes.iter().map(speed).collect();
        let (order, stays_s) = (Vec::new(), Vec::new());
        let mut graph = CallGraph { boxes, classes, demands, beyond, index, stays_s, speeds, order };
        let mut seen = vec![false; boxes.len()];
        for at in 0..boxes.len() {
            graph.visit_after_callees(at, &mut seen);
        }
        graph.order.reverse();
        graph.find_stays();
        graph
    }

    fn visit_after_callees(&mut self, at: usize, seen: &mut [bool]) {
        if std::mem::replace(&mut seen[at], true) {
            return;
        }
        for callee in self.callees(at) {
            self.visit_after_callees(callee, seen);
        }
        self.order.push(at);
    }

    /// The boxes that a box calls, each once for each of its calls in a scenario.
    pub(super) fn callees(&self, at: usize) -> Vec<usize> {
        let calls = self.demands[at].iter().flat_map(|demand| demand.calls.iter().chain(&demand.later));
        calls.filter_map(|(to, _)| self.index.get(to.as_str()).copied()).collect()
    }

    fn find_stays(&mut self) {
        self.stays_s = vec![vec![0.0; self.classes.len()]; self.boxes.len()];
        for at in self.order.clone().into_iter().rev() {
            for class in 0..self.classes.len() {
                let Demand { cpu_s, wait_s, calls, beside, .. } = &self.demands[at][class];
                let sum = |calls: &[(String, f64)]| -> f64 {
                    calls.iter().map(|(to, times)| times * self.stay_s(to, class)).sum()
                };
                let beyond: f64 = self.beyond[at][class].iter().map(|one| self.beyond_s(one)).sum();
                let asked = (sum(calls) - sum(beside)).max(0.0) + beyond;
                self.stays_s[at][class] = cpu_s / self.speeds[at] + wait_s + asked;
            }
        }
    }

    /// Seconds that a call of a class stays in the box of a name.
    fn stay_s(&self, name: &str, class: usize) -> f64 {
        self.index.get(name).map_or(0.0, |&at| self.stays_s[at][class])
    }

    fn beyond_s(&self, one: &Beyond) -> f64 {
        one.cost.cpu_s / self.speeds[one.to] + one.cost.wait_s
    }

    /// Seconds for which a call of a class at a box holds something.
    pub(super) fn held_s(&self, at: usize, class: usize, hold: &Hold) -> f64 {
        let answer = |name: &str| {
            let stay_s = self.stay_s(name, class);
            // A query that asks for more than its own entity takes longer, and may need further ones.
            let to = |one: &&Beyond| self.boxes[one.to].name == name;
            let beyond = self.beyond[at][class].iter().filter(to);
            let (further, more_s) = beyond.fold((0.0, 0.0), |(further, more_s), one| {
                (further + one.queries * one.cost.calls, more_s + self.beyond_s(one))
            });
            let calls = self.demands[at][class].calls.iter().filter(|(asked, _)| asked == name);
            let asked = calls.map(|(_, times)| times).sum::<f64>() - further;
            if asked > 0.0 { stay_s + (further * stay_s + more_s) / asked } else { stay_s }
        };
        let answers: f64 = hold.answers.iter().map(|(name, times)| times * answer(name)).sum();
        hold.stays * self.stays_s[at][class] + hold.cpu_s / self.speeds[at] + hold.wait_s + answers
    }

    /// Calls to each box that one request of a class leads to (forced flow law).
    pub(super) fn calls(&self, client: usize, class: usize) -> Calls {
        let nothing = vec![0.0; self.boxes.len()];
        let mut found = Calls { all: nothing.clone(), waited: nothing };
        (found.all[client], found.waited[client]) = (1.0, 1.0);
        for &at in &self.order {
            let (all, waited) = (found.all[at], found.waited[at]);
            if all == 0.0 {
                continue;
            }
            let Demand { calls, later, .. } = &self.demands[at][class];
            for (to, times) in calls {
                let Some(&to) = self.index.get(to.as_str()) else { continue };
                found.all[to] += all * times;
                found.waited[to] += waited * times;
            }
            for (to, times) in later {
                let Some(&to) = self.index.get(to.as_str()) else { continue };
                found.all[to] += all * times;
            }
        }
        found
    }
}

/// The cost of a box's queries, by class, beyond one call each. The calls that the queries lead to are added to `demands`.
fn beyond(
    demands: &mut [Demand],
    classes: &[RequestClass],
    boxes: &[BoxEntry],
    index: &BTreeMap<&str, usize>,
) -> Vec<Vec<Beyond>> {
    let of = |(demand, class): (&mut Demand, &RequestClass)| {
        for (cache, name, times) in std::mem::take(&mut demand.missed) {
            let Some(&at) = index.get(cache.as_str()) else { continue };
            let misses = times * (1.0 - boxes[at].spec.hits(class));
            demand.differs |= misses > 0.0 && misses < times;
            demand.calls.push((cache, misses));
            demand.calls.push((name, misses));
        }
        let mut all = Vec::new();
        for (name, times, asks) in std::mem::take(&mut demand.queries) {
            let Some(&to) = index.get(name.as_str()) else { continue };
            let cost = boxes[to].spec.surplus(class, asks);
            demand.calls.push((name, times * cost.calls));
            let Surplus { cpu_s, wait_s, operations, .. } = cost;
            let (cpu_s, wait_s, operations) = (times * cpu_s, times * wait_s, times * operations);
            all.push(Beyond { to, queries: times, cost: Surplus { cpu_s, wait_s, operations, ..cost } });
        }
        all
    };
    demands.iter_mut().zip(classes).map(of).collect()
}

/// Turns calls that are spread over several boxes into calls to each box, in proportion to weight times number of
/// machines.
fn shared_out(mut demand: Demand, members: impl Fn(&str) -> (u32, u32)) -> Demand {
    let spread = std::mem::take(&mut demand.spread);
    let weights = |of: fn((u32, u32)) -> u32| -> Vec<f64> {
        spread.iter().map(|(name, weight)| weight * f64::from(of(members(name)))).collect()
    };
    let mut weights_left = weights(|(_, left)| left);
    if weights_left.iter().sum::<f64>() == 0.0 {
        weights_left = weights(|(all, _)| all);
    }
    let (weights, total) = (&weights_left, weights_left.iter().sum::<f64>());
    if total > 0.0 {
        let shares = weights.iter().map(|weight| weight / total);
        demand.calls.extend(spread.into_iter().map(|(name, _)| name).zip(shares));
    }
    demand
}
