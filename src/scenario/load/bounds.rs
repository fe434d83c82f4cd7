//! `ClientLoad`: the best performance that a client can get.

use super::ResourceLoad;
use super::graph::{CallGraph, Calls};
use super::takes::Take;
use crate::model::class::shares;
use crate::model::spec::{Offered, Peak};

/// The best performance that one client could get if there were no other client.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientLoad {
    /// The client's name.
    pub name: String,
    /// The load that it offers.
    pub offered: Offered,
    /// Seconds that one request takes in an otherwise idle system, without the network (D).
    pub demand_s: f64,
    /// Seconds for which one request takes all of the resource of which it takes most (D_max): what it takes, divided by
    /// what all members can do in a second, or can hold.
    pub demand_max_s: f64,
    /// The most requests a second that it can complete at its mix of classes: min(rate, 1/D_max) if open, min(N/(Z+D),
    /// 1/D_max) if closed (asymptotic bounds; Denning and Buzen 1978). Infinite if nothing takes time.
    pub throughput_max: f64,
    /// The same for requests of which those that take too much may fail while others come through; of a closed client the
    /// same.
    pub answers_max: f64,
    /// The calls to each box, in the scenario's order, that one request of each class leads to.
    pub calls: Vec<Vec<f64>>,
    /// The requests a second of each class that come through at `throughput_max`, and those that are asked for.
    pub by_class: Vec<(f64, f64)>,
    /// Whether requests of one class differ in what they need, so that a request that needs little can come through where
    /// the mean one cannot.
    pub differs: bool,
    /// The load when it is highest; `None` for a load that is always the same.
    pub peak: Option<Peak>,
    /// `throughput_max` when the load is highest.
    pub throughput_max_peak: f64,
    /// `answers_max` when the load is highest.
    pub answers_max_peak: f64,
    /// The greatest number of tries of a request.
    pub attempts: u32,
    /// Index of the resource of which a request takes most; `None` if it takes none.
    pub tightest: Option<usize>,
    /// The key and the longest time in seconds for which a user waits for an answer.
    pub patience: Option<(&'static str, f64)>,
}

/// A client, with all that its requests lead to.
pub(super) struct Traffic {
    pub(super) client: ClientLoad,
    /// The share of each class.
    pub(super) shares: Vec<f64>,
    /// The calls of a request of each class.
    pub(super) calls: Vec<Calls>,
}

impl Traffic {
    /// The traffic of the client at an index among the boxes; `None` for a box that is no client.
    pub(super) fn new(
        graph: &CallGraph<'_>,
        at: usize,
        takes: &[Take],
        rows: &[ResourceLoad],
    ) -> Option<Traffic> {
        let entry = &graph.boxes[at];
        let offered = entry.spec.offered()?;
        let mix = entry.spec.mix(graph.classes);
        let shares = mix.unwrap_or_else(|| shares(graph.classes, &entry.name));
        let calls: Vec<Calls> = (0..graph.classes.len()).map(|class| graph.calls(at, class)).collect();
        let demand_s = shares.iter().zip(&graph.stays_s[at]).map(|(share, stay_s)| share * stay_s).sum();
        let needs = needs(&calls, takes, rows);
        let whole = |row: &Vec<f64>| shares.iter().zip(row).map(|(share, need)| share * need).sum::<f64>();
        let demand_max_s = needs.iter().map(whole).fold(0.0, f64::max);
        let most = |offered| {
            let asked = asked(offered, demand_s);
            let whole = asked.min(1.0 / demand_max_s);
            let answers =
                if matches!(offered, Offered::Open(_)) { best(asked, &shares, &needs) } else { whole };
            (asked, whole, answers)
        };
        let (asked, throughput_max, answers_max) = most(offered);
        let peak = entry.spec.peak();
        let (_, throughput_max_peak, answers_max_peak) =
            most(peak.as_ref().map_or(offered, |peak| peak.offered));
        let boxes = || {
            calls.iter().enumerate().flat_map(|(class, calls)| {
                calls
                    .waited
                    .iter()
                    .enumerate()
                    .filter(|(_, calls)| **calls > 0.0)
                    .map(move |(at, _)| (at, class))
            })
        };
        let differs = boxes().any(|(at, class)| shares[class] > 0.0 && graph.demands[at][class].differs);
        let client = ClientLoad {
            name: entry.name.clone(),
            offered,
            demand_s,
            demand_max_s,
            throughput_max,
            answers_max,
            calls: calls.iter().map(|calls| calls.all.clone()).collect(),
            by_class: shares.iter().map(|share| (share * throughput_max, share * asked)).collect(),
            differs,
            peak,
            throughput_max_peak,
            answers_max_peak,
            attempts: entry.spec.attempts(),
            tightest: needs.iter().position(|row| demand_max_s > 0.0 && whole(row) == demand_max_s),
            patience: entry.spec.patience().map(|(key, time)| (key, time.as_secs_f64())),
        };
        Some(Traffic { client, shares, calls })
    }

    /// Requests a second: the load if it is open, else the bound of its throughput. The rate of closed users who neither
    /// think nor wait is unbounded. It counts as no load.
    pub(super) fn rate(&self, at_peak: bool) -> f64 {
        let client = &self.client;
        let (offered, most) = match (&client.peak, at_peak) {
            (Some(peak), true) => (peak.offered, client.throughput_max_peak),
            _ => (client.offered, client.throughput_max),
        };
        let rate = if let Offered::Open(rate) = offered { rate } else { most };
        if rate.is_finite() { rate } else { 0.0 }
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.client.offered, Offered::Open(_))
    }
}

/// Requests a second that come, if each is answered as fast as in an idle system.
fn asked(offered: Offered, demand_s: f64) -> f64 {
    match offered {
        Offered::Open(rate) => rate,
        Offered::Closed(users, rest) => users / rest.cycle_s(demand_s),
    }
}

/// What one request of each class takes of each resource while its user waits, as a share of all that there is.
fn needs(calls: &[Calls], takes: &[Take], rows: &[ResourceLoad]) -> Vec<Vec<f64>> {
    let mut needs = vec![vec![0.0; calls.len()]; rows.len()];
    for take in takes {
        let capacity = rows[take.row].capacity();
        for (class, calls) in calls.iter().enumerate() {
            needs[take.row][class] += calls.waited[take.at] * take.waited[class] / capacity;
        }
    }
    needs
}

/// The most requests a second that come through if each resource is given to those that need least of it.
fn best(asked: f64, shares: &[f64], needs: &[Vec<f64>]) -> f64 {
    let through = |row: &Vec<f64>| {
        let mut order: Vec<usize> = (0..shares.len()).collect();
        order.sort_by(|a, b| row[*a].total_cmp(&row[*b]));
        let mut left = 1.0;
        let mut sum = 0.0;
        for class in order {
            let (rate, need) = (asked * shares[class], row[class]);
            let fits = if need > 0.0 { rate.min(left / need) } else { rate };
            sum += fits;
            left = (left - fits * need).max(0.0);
        }
        sum
    };
    needs.iter().map(through).fold(asked, f64::min)
}
