//! What durations at low load tell, when hardly anything waits: the time that holds no core, and how much work varies.

use crate::experiment::runner::{Progress, RunOptions, run};
use crate::model::fitting::WorkCost;
use crate::scenario::Scenario;

use super::grid::BoxSorts;
use super::log::Log;
use super::regress::Estimate;
use super::{BoxFit, CV_UNKNOWN, Cost, Load, Options};

/// The share of the windows, those with the fewest requests, that count as low load.
const LOW: f64 = 0.1;

/// Least number of such windows.
const WINDOWS_MIN: usize = 5;

/// Least number of requests of a class at low load for its mean and its variation to be used.
const REQUESTS_MIN: u64 = 30;

/// Number of requests of the simulation at low load.
const SIMULATED: f64 = 100_000.0;

/// The least rest of a duration that is a wait, as a share of the duration, and in seconds.
const REST_MIN: (f64, f64) = (0.05, 0.000_2);

/// The least part that core times, were they exponential, have in the variance of the durations for their own variation to be
/// told: below it is lost in that of the rest.
const TOLD: f64 = 0.2;

/// The durations of one class at low load.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FitLowLoad")]
pub struct LowLoad {
    /// The class.
    pub class: String,
    /// Number of its requests in the windows with least load.
    pub requests: u64,
    /// The load in these windows as a share of the mean load.
    pub factor: f64,
    /// Mean duration, seconds.
    pub mean_s: f64,
    /// Standard deviation of the durations, seconds.
    pub sd_s: f64,
    /// The mean duration at that load by the fitted core times alone, seconds; absent with fewer than 30 requests.
    pub predicted_s: Option<f64>,
    /// Seconds without a core that make up the difference.
    pub wait_s: f64,
    /// The variation that the core times get for durations to vary as measured; absent where that tells nothing of them.
    pub cv: Option<f64>,
}

/// The durations at low load, of windows of `window_s` seconds within the part that is used; empty without durations.
pub(super) fn find(log: &Log, used_s: f64, window_s: f64, scenario: &Scenario) -> Vec<LowLoad> {
    if !log.has_durations {
        return Vec::new();
    }
    let rows = || log.rows.iter().filter(|row| row.at_s < used_s);
    let window = |at_s: f64| (at_s / window_s) as usize;
    let mut sums = vec![0.0; window(used_s) + 1];
    rows().for_each(|row| sums[window(row.at_s)] += row.count);
    // The last window may be cut.
    let mut order: Vec<usize> = (0..sums.len().saturating_sub(1)).filter(|at| sums[*at] > 0.0).collect();
    order.sort_by(|a, b| sums[*a].total_cmp(&sums[*b]));
    let count = ((order.len() as f64 * LOW).ceil() as usize).max(WINDOWS_MIN).min(order.len());
    let mean = order.iter().map(|at| sums[*at]).sum::<f64>() / order.len().max(1) as f64;
    let low = order[..count].iter().map(|at| sums[*at]).sum::<f64>() / count.max(1) as f64;
    let mut is_low = vec![false; sums.len()];
    order[..count].iter().for_each(|at| is_low[*at] = true);
    let of = |class: usize| {
        let own = || rows().filter(|row| usize::from(row.class) == class && is_low[window(row.at_s)]);
        let (n, sum) = own().fold((0_u64, 0.0), |(n, sum), row| (n + 1, sum + row.duration_s));
        let mean_s = sum / n.max(1) as f64;
        let squares: f64 = own().map(|row| (row.duration_s - mean_s) * (row.duration_s - mean_s)).sum();
        LowLoad {
            class: scenario.classes[class].name.clone(),
            requests: n,
            factor: if mean > 0.0 { low / mean } else { 1.0 },
            mean_s,
            sd_s: (squares / (n.max(2) - 1) as f64).sqrt(),
            predicted_s: None,
            wait_s: 0.0,
            cv: None,
        }
    };
    (0..scenario.classes.len()).map(of).filter(|low| low.requests > 0).collect()
}

/// The box, by its place among those that are fitted, whose sorts of work are the classes: what durations say is said of it.
pub(super) fn front(scenario: &Scenario, boxes: &[BoxFit]) -> Option<usize> {
    let is_class = |name: &String| scenario.classes.iter().any(|class| class.name == *name);
    boxes.iter().position(|one| one.costs.iter().all(|cost| is_class(&cost.work)))
}

/// The costs of the box that the clients' requests come to, when nothing but durations was measured: all of a duration at low
/// load is core time, so that each is at most that.
pub(super) fn from_durations(low: &[LowLoad], scenario: &Scenario) -> Result<BoxFit, String> {
    if low.is_empty() {
        return Err("neither busy times were given nor has the log durations: there is nothing to fit".into());
    }
    let is_class = |name: &String| scenario.classes.iter().any(|class| class.name == *name);
    let sorts =
        scenario.boxes.iter().filter_map(|entry| Some((entry, BoxSorts::of(scenario, &entry.name).ok()?)));
    let found = sorts.into_iter().find(|(_, sorts)| sorts.names.iter().all(is_class));
    let (entry, sorts) = found.ok_or("no box works for a class of requests: name one by --cpu")?;
    let cost = |name: &String| {
        let low = low.iter().find(|low| low.class == *name);
        let low = low.ok_or_else(|| format!("no request of class `{name}` came at low load"))?;
        let half = 1.96 * low.sd_s / (low.requests as f64).sqrt();
        let (value, least) = (low.mean_s, (low.mean_s - half).max(0.0));
        Ok(Cost { work: name.clone(), cpu_s: Estimate { value, low: least, high: low.mean_s + half } })
    };
    let costs = sorts.names.iter().map(cost).collect::<Result<Vec<Cost>, String>>()?;
    Ok(BoxFit {
        name: entry.name.clone(),
        capacity: sorts.capacity,
        costs,
        base: None,
        condition: None,
        lag: 0,
        windows: 0,
        left_out: 0,
        explained: None,
    })
}

/// Simulates the low load with the fitted core times, all alike within a class, and gives the front box what is missing in the
/// durations as waits, and what is missing in their variation as the variation of its core times.
pub(super) fn add_waits(
    low: &mut [LowLoad],
    load: &Load<'_>,
    settings: &[(String, String)],
    (used_s, log): (f64, &Log),
    (options, progress): (Options, &dyn Progress),
    costs: &mut [WorkCost],
) -> Result<(), String> {
    let factor = low.iter().map(|low| low.factor).fold(1.0, f64::min);
    let inside = log.rows.iter().filter(|row| row.at_s < used_s).map(|row| row.count).sum::<f64>();
    let until_s = (used_s * SIMULATED / (inside * factor).max(1.0)).clamp(1.0, used_s);
    let changes = [settings, &load(settings)?.replayed(0.0, until_s, factor)].concat();
    let scenario = load(&changes)?;
    let options =
        RunOptions { seed: options.seed, trials: 0..1, jobs: options.jobs, length: scenario.length() };
    let trials = run(&scenario, &options, progress);
    costs.iter_mut().for_each(|cost| cost.cv = CV_UNKNOWN);
    let Some(record) = trials.records.first() else { return Ok(()) };
    for low in low.iter_mut().filter(|low| low.requests >= REQUESTS_MIN) {
        let at = scenario.classes.iter().position(|class| class.name == low.class);
        let Some(response) = at.map(|at| &record.classes[at].response).filter(|all| all.count() > 0) else {
            continue;
        };
        let (mean_s, sd_s) = (response.mean() / 1e9, response.sd() / 1e9);
        low.predicted_s = Some(mean_s);
        let Some(cost) = costs.iter_mut().find(|cost| cost.sort == low.class) else { continue };
        let rest = low.mean_s - mean_s;
        if rest > REST_MIN.0 * low.mean_s && rest > REST_MIN.1 {
            low.wait_s = rest;
            cost.wait_s = rest;
        }
        let variance = (low.sd_s * low.sd_s - sd_s * sd_s).max(0.0);
        if cost.cpu_s * cost.cpu_s > TOLD * low.sd_s * low.sd_s {
            cost.cv = variance.sqrt() / cost.cpu_s;
            low.cv = Some(cost.cv);
        }
    }
    Ok(())
}
