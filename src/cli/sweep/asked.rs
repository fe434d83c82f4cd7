//! `Asked`: what a sweep is about, apart from where its points run and where its table goes.

use std::collections::BTreeMap;

use super::super::journal::Plan;
use super::super::key_and_value;
use super::super::options::{duration, expression, time, timing};
use super::super::source::{Override, Source};
use super::super::status::Failure;
use super::POINTS_CEILING;
use super::check::check;
use crate::experiment::chosen::{expected, usual};
use crate::experiment::sweep::{Grid, GridError};
use crate::model::quantity::Duration;
use crate::report::sweep::Columns;
use crate::scenario::expression::{Metric, parse_metrics};
use crate::scenario::vary::Vary;

/// Greatest number of points of a grid, unless `--max-points` allows more.
pub(super) const POINTS_MAX: u32 = 10_000;

/// The options that decide the results.
#[derive(Debug, clap::Args)]
pub(super) struct Asked {
    /// Path of a scenario, name of a built-in one (see outgrow list), or - for stdin
    #[arg(required = true)]
    pub(super) scenario: Option<String>,

    /// A key and its values: web.count=1,2,4 or a range of N, users.rate=50/s..2000/s:N, or FROM..TO:log:N at equal
    /// ratios; several keys give all combinations
    #[arg(long = "vary", value_name = "KEY=VALUES", required = true)]
    axes: Vec<Vary>,

    /// Give these metrics columns and charts, as in rto,lost_writes,p99(response.post); by default those that tell most
    #[arg(long, value_name = "METRICS")]
    metric: Option<String>,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Seed of all random numbers, instead of the scenario's own
    #[arg(long)]
    pub(super) seed: Option<u64>,

    /// Number of independent trials of each point, instead of the scenario's own
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) trials: Option<u32>,

    /// Simulated time that is measured, instead of the scenario's own
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,

    /// Simulated time before the measured time, instead of the scenario's own
    #[arg(long, value_parser = time)]
    warmup: Option<Duration>,

    /// Allow a grid with this many points
    #[arg(long, value_name = "N", default_value_t = POINTS_MAX,
        value_parser = clap::value_parser!(u32).range(1..=POINTS_CEILING))]
    max_points: u32,
}

/// A sweep whose points have been checked.
pub(super) struct Prepared {
    pub(super) source: Source,
    pub(super) grid: Grid,
    /// Overrides that hold at all points.
    pub(super) base: Vec<Override>,
    /// The metrics with columns of their own.
    pub(super) metrics: Vec<Metric>,
    /// The points that were checked.
    pub(super) points: Vec<usize>,
    /// The warnings at these points.
    pub(super) warnings: Option<String>,
    pub(super) plan: Plan,
}

impl Asked {
    /// The scenario, as it is named on the command line.
    pub(super) fn argument(&self) -> &str {
        self.scenario.as_deref().expect("it is required without a subcommand")
    }

    /// The options as words, with a warm-up that was cut as an option of its own.
    pub(super) fn words(&self, base: &[Override]) -> Vec<String> {
        let cut = base.iter().find(|(key, _)| key == "run.warmup" && self.duration.is_some());
        let warmup = self.warmup.map(|warmup| warmup.to_string()).or(cut.map(|(_, value)| value.clone()));
        let max_points = (self.max_points != POINTS_MAX).then(|| self.max_points.to_string());
        let several = self.axes.iter().map(|axis| ("--vary", axis.to_string()));
        let set = self.overrides.iter().map(|(key, value)| ("--set", format!("{key}={value}")));
        let single = [
            ("--metric", self.metric.clone()),
            ("--seed", self.seed.map(|seed| seed.to_string())),
            ("--trials", self.trials.map(|trials| trials.to_string())),
            ("--duration", self.duration.map(|duration| duration.to_string())),
            ("--warmup", warmup),
            ("--max-points", max_points),
        ];
        let single = single.into_iter().filter_map(|(option, value)| Some((option, value?)));
        several.chain(set).chain(single).flat_map(|(option, value)| [option.to_owned(), value]).collect()
    }

    /// Reads the scenario, and checks it at those of all points that are chosen. With `strict` warnings are errors.
    pub(super) fn prepare(
        &self,
        strict: bool,
        chosen: impl Fn(usize) -> Vec<usize>,
    ) -> Result<Prepared, Failure> {
        let source = Source::find(self.argument())?;
        let grid = self.grid(&source)?;
        let mut base = self.overrides.clone();
        let first = [&base[..], &grid.overrides(0)].concat();
        base.extend(timing(&source, &first, self.duration, self.warmup)?);
        let points = chosen(grid.points());
        let (files, warnings) = check(&source, &grid, &base, &points, strict)?;
        let scenario = source.check(&[&base[..], &grid.overrides(0)].concat())?.scenario;
        let goals = expected(&[&scenario]);
        let metrics = match &self.metric {
            Some(text) => expression("--metric", text, &scenario, parse_metrics)?,
            None => usual(&[&scenario]),
        };
        let plan =
            self.plan(&source, &grid, &base, files, Columns::of(&metrics, &goals, self.metric.is_some()));
        let plan = Plan { title: scenario.title, ..plan };
        Ok(Prepared { source, grid, base, metrics, points, warnings, plan })
    }

    fn plan(
        &self,
        source: &Source,
        grid: &Grid,
        base: &[Override],
        files: BTreeMap<String, String>,
        columns: Columns,
    ) -> Plan {
        Plan {
            version: env!("CARGO_PKG_VERSION").into(),
            title: String::new(),
            sha256: crate::scenario::sha256(&source.text),
            files,
            set: base.to_vec(),
            vary: grid.axes().iter().map(|axis| (axis.key.clone(), axis.values.clone())).collect(),
            seed: self.seed,
            trials: self.trials,
            points: grid.points(),
            columns,
        }
    }

    fn grid(&self, source: &Source) -> Result<Grid, Failure> {
        if let Some((option, key)) = self.contradiction(source) {
            return Err(Failure::usage(format!(
                "{option} and --vary {key} contradict each other: leave one out"
            )));
        }
        let twice =
            |key: &str| Failure::usage(format!("`{key}` is varied twice: give all its values at once"));
        for (at, axis) in self.axes.iter().enumerate() {
            if self.axes[..at].iter().any(|other| source.is_same_key(&other.key, &axis.key)) {
                return Err(twice(&axis.key));
            }
        }
        Grid::new(self.axes.clone(), self.max_points as usize).map_err(|error| match error {
            GridError::SameKey(key) => twice(&key),
            GridError::TooManyPoints(points) => Failure::usage(format!(
                "the grid has {points} points, at most {} are allowed: fewer values, or --max-points",
                self.max_points
            )),
        })
    }

    /// An option that sets a varied key, and the key; `None` if there is none.
    fn contradiction(&self, source: &Source) -> Option<(&'static str, &str)> {
        let given = |option: &'static str, key: &str, is_given: bool| (option, key.to_owned(), is_given);
        let mut all = vec![
            given("--seed", "run.seed", self.seed.is_some()),
            given("--trials", "run.trials", self.trials.is_some()),
            given("--duration", "run.duration", self.duration.is_some()),
            given("--warmup", "run.warmup", self.warmup.is_some()),
        ];
        all.extend(self.overrides.iter().map(|(key, _)| given("--set", key, true)));
        let varied = |key: &str| {
            let axis = self.axes.iter().find(|axis| source.is_same_key(&axis.key, key));
            axis.map(|axis| axis.key.as_str())
        };
        all.into_iter()
            .filter(|(.., is_given)| *is_given)
            .find_map(|(option, key, _)| Some((option, varied(&key)?)))
    }
}
