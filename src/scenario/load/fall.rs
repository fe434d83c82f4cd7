//! `Fall`: a resource that cannot do what is asked fills those that its callers hold while they wait for it.

use super::ResourceLoad;
use super::bounds::Traffic;
use super::graph::CallGraph;
use crate::model::resource::{Meter, Sort};

/// A full resource that fills another one.
#[derive(Clone, Debug, PartialEq)]
pub struct Fall {
    /// Index of the resource that is full first.
    pub first: usize,
    /// Index of the one that its callers hold meanwhile.
    pub then: usize,
    /// Indices of the classes whose calls wait.
    pub waiting: Vec<usize>,
    /// Indices of the classes that need `then` and never come to `first`.
    pub dragged: Vec<usize>,
    /// Calls a second that begin to wait.
    pub calls_per_s: f64,
    /// The longest time for which each of them waits, seconds; infinite where nothing ends it.
    pub held_s: f64,
    /// What ends the wait: the key of the caller's limit and the limit in seconds; `None` where a full queue does.
    pub limit: Option<(&'static str, f64)>,
    /// Whether it is so only when the load is highest.
    pub at_peak: bool,
}

/// What resources that are full fill in turn.
pub(super) fn falls(graph: &CallGraph<'_>, rows: &[ResourceLoad], traffic: &[Traffic]) -> Vec<Fall> {
    let mut found = Vec::new();
    for (first, row) in rows.iter().enumerate() {
        let at_peak = row.mean.open <= row.capacity();
        let work = if at_peak { &row.peak } else { &row.mean };
        let Some(&inner) = graph.index.get(row.name.as_str()) else { continue };
        let waits = row.resource.sort != Sort::Limit && row.resource.full.places != Some(0);
        if work.open <= row.capacity() || !waits || row.resource.waited_share() == 0.0 {
            continue;
        }
        let served = work.open_calls * row.capacity() / work.open;
        let is_door = row.resource.meter == Meter::Slots || row.resource.meter == Meter::Cores;
        for at in 0..graph.boxes.len() {
            let calls_inner = if is_door { graph.callees(at).contains(&inner) } else { at == inner };
            let Some(then) = door(rows, &graph.boxes[at].name).filter(|_| calls_inner) else { continue };
            let wait = Wait { inner, at, at_peak, is_door };
            found.extend(wait.fall(graph, rows, traffic, (first, then), served));
        }
    }
    found
}

/// The slots that a call holds for its whole stay in a box.
fn door(rows: &[ResourceLoad], name: &str) -> Option<usize> {
    rows.iter().position(|row| row.name == name && row.resource.meter == Meter::Slots)
}

/// Calls that wait in a box, for another one or for a resource of its own.
struct Wait {
    inner: usize,
    at: usize,
    at_peak: bool,
    is_door: bool,
}

impl Wait {
    fn fall(
        &self,
        graph: &CallGraph<'_>,
        rows: &[ResourceLoad],
        traffic: &[Traffic],
        (first, then): (usize, usize),
        served: f64,
    ) -> Option<Fall> {
        let calls = |client: &Traffic, class: usize| {
            let here = client.calls[class].waited[self.at] * client.shares[class] * client.rate(self.at_peak);
            let name = &graph.boxes[self.inner].name;
            let asked = graph.demands[self.at][class].calls.iter().filter(|(to, _)| to == name);
            let times = if self.is_door {
                asked.map(|(_, times)| times).sum()
            } else {
                f64::from(u8::from(rows[first].resource.demand.get(class).is_some_and(|need| *need > 0.0)))
            };
            (here, here * times)
        };
        let classes = 0..graph.classes.len();
        let sums: Vec<(f64, f64)> = classes
            .map(|class| {
                let of = traffic.iter().filter(|one| one.is_open()).map(|one| calls(one, class));
                of.fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
            })
            .collect();
        let calls_per_s: f64 = sums.iter().map(|(_, asked)| asked).sum();
        let queue_s = self.places(rows, first) / served;
        let full = &rows[first].resource.full;
        let patience = graph.boxes[self.at].spec.patience().map(|(key, time)| (key, time.as_secs_f64()));
        let limits = patience.into_iter().chain((full.longest_s.is_finite()).then_some(("", full.longest_s)));
        let limit = limits.filter(|(_, limit_s)| *limit_s < queue_s).min_by(|a, b| a.1.total_cmp(&b.1));
        let held_s = limit.map_or(queue_s, |(_, limit_s)| limit_s);
        let usual = if self.at_peak { rows[then].peak.open } else { rows[then].mean.open };
        let fills = calls_per_s * held_s > rows[then].capacity() && usual <= rows[then].capacity();
        // No more calls can wait than their callers have places for.
        let all_s = rows[then].capacity() / served;
        let (held_s, limit) = if all_s < held_s { (all_s, None) } else { (held_s, limit) };
        let of = |keep: &dyn Fn(&(f64, f64)) -> bool| {
            sums.iter().enumerate().filter(|(_, sum)| keep(sum)).map(|(class, _)| class).collect()
        };
        fills.then(|| Fall {
            first,
            then,
            waiting: of(&|(_, asked)| *asked > 0.0),
            dragged: of(&|(here, asked)| *here > 0.0 && *asked == 0.0),
            calls_per_s,
            held_s,
            limit,
            at_peak: self.at_peak,
        })
    }

    /// Number of calls that fit into the box of the first resource, waiting and in work; infinite without a limit.
    fn places(&self, rows: &[ResourceLoad], first: usize) -> f64 {
        let of = |row: &ResourceLoad| {
            let places = row.resource.full.places.map_or(f64::INFINITY, |places| places as f64);
            f64::from(row.left) * (places + row.resource.capacity)
        };
        match rows[first].resource.meter {
            Meter::Slots => of(&rows[first]),
            Meter::Cores => door(rows, &rows[first].name).map_or(f64::INFINITY, |door| of(&rows[door])),
            _ => f64::INFINITY,
        }
    }
}
