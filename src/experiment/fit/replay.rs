//! `Check`: the part of a log that was not used for a fit, as measured and as the fitted model predicts it.

use crate::experiment::runner::{Progress, RunOptions, run};
use crate::model::record::TrialRecord;
use crate::scenario::Scenario;
use crate::stats::histogram::Histogram;

use super::grid::BoxSorts;
use super::log::Log;
use super::{BoxFit, Load, Measured, Options};

/// Number of parts that are compared.
const PARTS: usize = 4;

/// The percentiles that are compared.
pub const PERCENTILES: [f64; 3] = [0.5, 0.95, 0.99];

/// Number of requests beyond a percentile from which on it is told.
const BEYOND_MIN: f64 = 20.0;

/// The largest factor between a predicted percentile and the interval of the measured one at which a model still predicts it: a teaching choice.
pub const FACTOR_MAX: f64 = 1.25;

/// The largest difference between a predicted and a measured busy share: a teaching choice.
pub const BUSY_MAX: f64 = 0.05;

/// The comparison.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FitCheck")]
pub struct Check {
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// One part of the time.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FitPart")]
pub struct Part {
    /// Its beginning, seconds after that of the log.
    pub from_s: f64,
    /// Its end.
    pub to_s: f64,
    /// What was measured.
    pub measured: Figures,
    /// What the model predicts.
    pub predicted: Figures,
}

/// What happened in a part.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FitFigures")]
pub struct Figures {
    /// Requests a second.
    pub rate: f64,
    /// The durations at p50, p95 and p99, seconds; empty where none were measured, `null` where fewer than 20 requests took longer.
    pub percentiles_s: Vec<Option<f64>>,
    /// The 95 % intervals of measured percentiles, from their order statistics; empty for predicted ones.
    pub bounds_s: Vec<Option<(f64, f64)>>,
    /// The busy share of the cores of each box whose busy times were measured, 0..1, the base load included.
    pub busy: Vec<f64>,
}

/// One of the figures that are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Miss<'a> {
    /// The part.
    pub part: &'a Part,
    /// Place of the percentile in [`PERCENTILES`]; of a box among the measured ones where `is_busy`.
    pub at: usize,
    /// Whether it is a busy share.
    pub is_busy: bool,
    /// How far it is off in units of what is allowed: above 1 it misses.
    pub off: f64,
}

impl Check {
    /// The figure that is off most, in units of what is allowed.
    #[must_use]
    pub fn worst(&self) -> Option<Miss<'_>> {
        let misses = self.parts.iter().flat_map(|part| {
            let Part { measured, predicted, .. } = part;
            let times = measured.bounds_s.iter().zip(&predicted.percentiles_s).enumerate();
            let times = times.filter_map(move |(at, (bounds, predicted))| {
                let ((low, high), predicted) = ((*bounds)?, (*predicted)?);
                // What lies within the interval of the measurement is not off at all.
                let factor = (low / predicted).max(predicted / high).max(1.0);
                Some(Miss { part, at, is_busy: false, off: libm::log(factor) / libm::log(FACTOR_MAX) })
            });
            let busy = measured.busy.iter().zip(&predicted.busy).enumerate();
            let busy = busy.map(move |(at, (measured, predicted))| Miss {
                part,
                at,
                is_busy: true,
                off: (predicted - measured).abs() / BUSY_MAX,
            });
            times.chain(busy)
        });
        misses.filter(|miss| !miss.off.is_nan()).max_by(|a, b| a.off.total_cmp(&b.off))
    }

    /// Whether everything that was compared lies within what is allowed.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.worst().is_some_and(|worst| worst.off <= 1.0)
    }
}

/// Replays the rest of the log, in parts.
pub(super) fn check(
    (log, measured): (&Log, &[Measured]),
    boxes: &[BoxFit],
    load: &Load<'_>,
    settings: &[(String, String)],
    (from_s, to_s): (f64, f64),
    (options, progress): (Options, &dyn Progress),
) -> Result<Check, String> {
    let fitted = load(settings)?;
    let edge = |at: usize| from_s + (to_s - from_s) * at as f64 / PARTS as f64;
    let mut parts = Vec::new();
    for at in 0..PARTS {
        let (from_s, to_s) = (edge(at), edge(at + 1));
        let mut found = Figures { rate: 0.0, ..as_measured(log, (from_s, to_s)) };
        let inside = log.rows.iter().filter(|row| (from_s..to_s).contains(&row.at_s));
        found.rate = inside.map(|row| row.count).sum::<f64>() / (to_s - from_s);
        if found.rate == 0.0 {
            continue;
        }
        for one in measured {
            let sorts = BoxSorts::of(&fitted, &one.name)?;
            found.busy.push(busy(one, &sorts, log, (from_s, to_s)));
        }
        let changes = [settings, &fitted.replayed(from_s, to_s, 1.0)].concat();
        let scenario = load(&changes)?;
        let run_options = RunOptions {
            seed: options.seed,
            trials: 0..options.trials,
            jobs: options.jobs,
            length: scenario.length(),
        };
        let trials = run(&scenario, &run_options, progress);
        if !trials.complete && progress.interrupted() {
            break;
        }
        let mut predicted = as_predicted(&scenario, &trials.records, boxes, measured.len());
        if found.percentiles_s.is_empty() {
            predicted.percentiles_s.clear();
        }
        parts.push(Part { from_s, to_s, measured: found, predicted });
    }
    Ok(Check { parts })
}

/// The durations of a part, as measured.
fn as_measured(log: &Log, (from_s, to_s): (f64, f64)) -> Figures {
    let inside = log.rows.iter().filter(|row| (from_s..to_s).contains(&row.at_s));
    let mut durations: Vec<f64> = inside.map(|row| row.duration_s).filter(|all| !all.is_nan()).collect();
    durations.sort_by(f64::total_cmp);
    if durations.is_empty() {
        return Figures::default();
    }
    let n = durations.len() as f64;
    let at = |rank: f64| durations[(rank.ceil() as usize).clamp(1, durations.len()) - 1];
    let is_told = |share: &f64| n * (1.0 - share) >= BEYOND_MIN;
    let told = PERCENTILES.map(|share| Some(share).filter(is_told));
    let percentiles_s = told.map(|share| share.map(|share| at(n * share))).to_vec();
    let bounds = |share: f64| {
        let half = 1.96 * (n * share * (1.0 - share)).sqrt();
        (at(n * share - half), at(n * share + half + 1.0))
    };
    let bounds_s = told.map(|share| share.map(bounds)).to_vec();
    Figures { percentiles_s, bounds_s, ..Figures::default() }
}

/// The mean busy share of a box in a part, as measured.
fn busy(one: &Measured, sorts: &BoxSorts, log: &Log, (from_s, to_s): (f64, f64)) -> f64 {
    let offset = one.busy.after(log);
    let inside = one.busy.rows.iter().filter(|row| (from_s..to_s).contains(&(row.0 + offset)));
    let (n, sum) = inside.fold((0_u32, 0.0), |(n, sum), row| (n + 1, sum + row.1));
    one.busy.cores(sum / f64::from(n), sorts.capacity, sorts.speed) / sorts.capacity
}

/// What the trials of a part predict, all of them together.
fn as_predicted(scenario: &Scenario, records: &[TrialRecord], boxes: &[BoxFit], measured: usize) -> Figures {
    let mut all = Histogram::default();
    records.iter().flat_map(|record| &record.classes).for_each(|class| all.merge(&class.ok));
    let issued: u64 = records.iter().flat_map(|record| &record.classes).map(|class| class.issued).sum();
    let seconds: f64 = records.iter().map(|record| record.measured.as_secs_f64()).sum();
    let share = |one: &BoxFit| {
        let speed = scenario
            .entry(&one.name)
            .and_then(|entry| entry.spec.machine())
            .map_or(1.0, |machine| machine.speed);
        let own =
            records.iter().flat_map(|record| &record.components).filter(|record| record.group == one.name);
        let busy = own
            .filter_map(|record| record.machine.as_ref())
            .map(|machine| machine.busy_cores_mean)
            .sum::<f64>();
        let base = one.base.map_or(0.0, |base| base.value);
        (busy * speed / records.len() as f64 + base) / one.capacity
    };
    Figures {
        rate: issued as f64 / seconds,
        percentiles_s: PERCENTILES.map(|share| Some(all.quantile(share) as f64 / 1e9)).to_vec(),
        bounds_s: Vec::new(),
        busy: boxes[..measured].iter().map(share).collect(),
    }
}
