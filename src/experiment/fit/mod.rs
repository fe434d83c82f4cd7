//! `fit`: what the work of each box costs, from a log and measured busy times, and whether the model that follows predicts what
//! was measured afterwards.

mod grid;
mod log;
mod low;
mod regress;
mod replay;

pub use log::{Busy, Log, Row, Unit};
pub use low::LowLoad;
pub use regress::{Estimate, LAG_MAX, Regression, Windows};
pub use replay::{BUSY_MAX, Check, FACTOR_MAX, Figures, Miss, PERCENTILES, Part};

use crate::model::fitting::WorkCost;
use crate::scenario::Scenario;

use super::runner::Progress;

use grid::{Grid, Sorts};

/// Share of the cores above which a window is left out: busy times near the limit say nothing about the work that waits.
pub const FULL: f64 = 0.9;

/// Condition number beyond which the sorts of work are hardly told apart (Belsley, Kuh and Welsch 1980).
pub const CONDITION_MAX: f64 = 30.0;

/// Name and version of the JSON.
pub const SCHEMA: &str = "outgrow.fit/1";

/// The variation of a core time of which nothing is known: exponential.
const CV_UNKNOWN: f64 = 1.0;

/// A box whose busy times were measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The name of the box.
    pub name: String,
    /// How busy all its cores were together.
    pub busy: Busy,
    /// The file that says so, for comments.
    pub source: String,
}

/// How to fit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The share of the log, at its end, that is not used and predicted instead, 0..1.
    pub hold: f64,
    /// The seed of the bootstrap and of the replay.
    pub seed: u64,
    /// Number of trials of each part of the replay.
    pub trials: u32,
    /// Threads; 0 for as many as there are cores.
    pub jobs: usize,
}

/// What a unit of one sort of work costs.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FitCost")]
pub struct Cost {
    /// The sort of work: a class of requests, or `read` and `write`.
    pub work: String,
    /// Its core time at speed 1, in seconds.
    pub cpu_s: Estimate,
}

/// The costs of one box.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FitBox")]
pub struct BoxFit {
    /// Its name.
    pub name: String,
    /// What its cores do in a second, in core seconds at speed 1.
    pub capacity: f64,
    /// What each sort of work costs.
    pub costs: Vec<Cost>,
    /// Busy cores without any work; absent where it cannot be told from 0, and where the costs come from durations.
    pub base: Option<Estimate>,
    /// Condition number; absent where the costs come from durations, or infinite.
    pub condition: Option<f64>,
    /// Number of windows by which the busy times were late.
    pub lag: i32,
    /// Number of windows that were used.
    pub windows: usize,
    /// Number of windows that were left out because the box was more than 90 % busy.
    pub left_out: usize,
    /// The share of the variation of the busy times that the work explains.
    pub explained: Option<f64>,
}

/// A key that a scenario gets.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[schemars(rename = "FitSetting")]
pub struct Set {
    /// The key: `web.steps`.
    pub key: String,
    /// Its value, as a scenario writes it.
    pub value: String,
}

/// What a fit has found, as the JSON `outgrow.fit/1`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, schemars::JsonSchema)]
// The verdict of theory has the name `Fit` in the schema of all results.
#[schemars(rename = "FitResult")]
pub struct Fit {
    /// Name and version of the format.
    pub schema: &'static str,
    /// Version of the simulator.
    pub version: &'static str,
    /// Seconds of the log that were used, from its beginning.
    pub used_s: f64,
    /// Seconds of the log.
    pub length_s: f64,
    /// Length of a window, seconds.
    pub window_s: f64,
    /// The boxes, in the order in which they were measured.
    pub boxes: Vec<BoxFit>,
    /// What durations at low load tell, by class; empty for a log without durations.
    pub low: Vec<LowLoad>,
    /// The keys that the scenario gets, with their values.
    pub settings: Vec<Set>,
    /// The replay of the rest of the log; absent with `hold` at 0.
    pub check: Option<Check>,
}

/// Loads the scenario with changes of keys.
pub type Load<'a> = dyn Fn(&[(String, String)]) -> Result<Scenario, String> + 'a;

/// Finds the costs of the measured boxes; without any, those of the box that the clients call, from durations at low load.
///
/// # Errors
/// A message: a class or box that the scenario does not have, or too little data.
pub fn fit(
    log: &Log,
    measured: &[Measured],
    load: &Load<'_>,
    options: Options,
    progress: &dyn Progress,
) -> Result<Fit, String> {
    let scenario = load(&[])?;
    let log = &by_class(log, &scenario)?;
    let length_s = log.end_s();
    let used_s = length_s * (1.0 - options.hold);
    for (at, one) in measured.iter().enumerate() {
        if measured[..at].iter().any(|other| other.name == one.name) {
            return Err(format!("`{}` has two files with busy times", one.name));
        }
    }
    let sorts = Sorts::of(&scenario, measured.iter().map(|one| one.name.as_str()))?;
    let mut boxes = Vec::new();
    for (one, sorts) in measured.iter().zip(&sorts.boxes) {
        check_unit(one, sorts)?;
        let grid = Grid::of(log, &one.busy, sorts, used_s);
        let found = grid.windows.regress(options.seed).map_err(|why| format!("`{}`: {why}", one.name))?;
        boxes.push(BoxFit {
            name: one.name.clone(),
            capacity: sorts.capacity,
            costs: cost_of(&sorts.names, found.costs),
            base: found.base,
            condition: Some(found.condition).filter(|condition| condition.is_finite()),
            lag: found.lag,
            windows: found.windows,
            left_out: grid.left_out,
            explained: Some(found.explained),
        });
    }
    let window_s = measured.iter().map(|one| one.busy.period_s).fold(log.period_s.unwrap_or(1.0), f64::max);
    let mut low = low::find(log, used_s, window_s, &scenario);
    if boxes.is_empty() {
        boxes.push(low::from_durations(&low, &scenario)?);
    }
    let mut costs = costs(&boxes, measured);
    let front = low::front(&scenario, &boxes).filter(|_| !low.is_empty());
    if let Some(front) = front {
        costs[front].iter_mut().for_each(|cost| cost.cv = 0.0);
    }
    let mut settings = settings(&scenario, &boxes, &costs)?;
    if let Some(front) = front {
        low::add_waits(&mut low, load, &settings, (used_s, log), (options, progress), &mut costs[front])?;
        settings = self::settings(&scenario, &boxes, &costs)?;
    }
    let part = (used_s, length_s);
    let check = match options.hold > 0.0 {
        true => Some(replay::check((log, measured), &boxes, load, &settings, part, (options, progress))?),
        false => None,
    };
    let settings = settings.into_iter().map(|(key, value)| Set { key, value }).collect();
    let (schema, version) = (SCHEMA, env!("CARGO_PKG_VERSION"));
    Ok(Fit { schema, version, used_s, length_s, window_s, boxes, low, settings, check })
}

/// A machine cannot be busier than it is large.
fn check_unit(one: &Measured, sorts: &grid::BoxSorts) -> Result<(), String> {
    let most = one
        .busy
        .rows
        .iter()
        .map(|row| one.busy.cores(row.1, sorts.capacity, sorts.speed))
        .fold(0.0, f64::max);
    if most <= sorts.capacity * 1.01 {
        return Ok(());
    }
    let (name, has, busy) = (&one.name, sorts.capacity / sorts.speed, most / sorts.speed);
    Err(format!(
        "`{name}` has {has} cores, and {busy} were busy: is the unit of the file another one, or are there more cores?"
    ))
}

fn cost_of(names: &[String], costs: Vec<Estimate>) -> Vec<Cost> {
    names.iter().cloned().zip(costs).map(|(work, cpu_s)| Cost { work, cpu_s }).collect()
}

/// The log with the scenario's classes.
fn by_class(log: &Log, scenario: &Scenario) -> Result<Log, String> {
    let known = |name: &String| {
        let found = scenario.classes.iter().position(|class| class.name == *name);
        match (found, scenario.classes.len()) {
            (Some(at), _) => Ok(at as u16),
            (None, 1) if name.is_empty() => Ok(0),
            (None, _) if name.is_empty() => {
                Err("the log tells no classes, and the scenario has several: give it a column `class`"
                    .to_owned())
            }
            (None, _) => Err(format!("the log has requests of class `{name}`: add [request.{name}]")),
        }
    };
    let of = log.names.iter().map(known).collect::<Result<Vec<u16>, String>>()?;
    let mut log = log.clone();
    log.rows.iter_mut().for_each(|row| row.class = of[usize::from(row.class)]);
    log.names = scenario.classes.iter().map(|class| class.name.clone()).collect();
    Ok(log)
}

/// What each sort of work of each box costs.
fn costs(boxes: &[BoxFit], measured: &[Measured]) -> Vec<Vec<WorkCost>> {
    let cost = |one: &BoxFit, source: Option<&Measured>, sort: &str, cost: &Estimate| WorkCost {
        sort: sort.to_owned(),
        cpu_s: cost.value,
        cv: CV_UNKNOWN,
        wait_s: 0.0,
        note: note(one, source, cost),
    };
    let of = |(at, one): (usize, &BoxFit)| {
        let source = measured.get(at);
        one.costs.iter().map(|found| cost(one, source, &found.work, &found.cpu_s)).collect()
    };
    boxes.iter().enumerate().map(of).collect()
}

/// Where a cost comes from.
fn note(one: &BoxFit, source: Option<&Measured>, cost: &Estimate) -> String {
    let (low, high) = (cost.low * 1e3, cost.high * 1e3);
    match source {
        Some(Measured { source, .. }) => {
            let condition = one.condition.map_or("without end".into(), |condition| format!("{condition:.1}"));
            let windows = one.windows;
            format!(
                "fitted: {low:.3} to {high:.3} ms (95 %), {windows} windows, condition {condition}, {source}"
            )
        }
        None => format!("at most: {low:.3} to {high:.3} ms (95 %), all of the duration at low load"),
    }
}

/// The keys that give all boxes their costs.
fn settings(
    scenario: &Scenario,
    boxes: &[BoxFit],
    costs: &[Vec<WorkCost>],
) -> Result<Vec<(String, String)>, String> {
    let mut all = Vec::new();
    for (one, costs) in boxes.iter().zip(costs) {
        all.extend(scenario.fitted(&one.name, costs).map_err(|why| format!("`{}`: {why}", one.name))?);
    }
    Ok(all)
}
