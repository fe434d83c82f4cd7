//! Options that several commands share: seed, number and length of trials, and outputs.

use std::path::PathBuf;

use super::output::{JsonOutput, say};
use super::pictures::Pictures;
use super::play::page::{Opened, Opening};
use super::source::{Override, Source, warn};
use super::status::Failure;
use crate::model::quantity::{Duration, QuantityError, Share};
use crate::scenario::Scenario;
use crate::scenario::expression::{ExpressionError, Names};

/// Options of every command that simulates one or several scenarios for one answer.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Simulating {
    /// Seed of all random numbers, instead of the scenario's own
    #[arg(long)]
    pub(super) seed: Option<u64>,

    /// Number of independent trials, instead of the scenario's own
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) trials: Option<u32>,

    /// Simulated time that is measured, instead of the scenario's own
    #[arg(long, value_parser = duration)]
    pub(super) duration: Option<Duration>,

    /// Simulated time before the measured time, instead of the scenario's own
    #[arg(long, value_parser = time)]
    pub(super) warmup: Option<Duration>,

    /// Threads; all cores by default, and the result is the same with any number
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Treat warnings as errors, and a goal that is not shown to hold as failed
    #[arg(long)]
    pub(super) strict: bool,

    #[command(flatten)]
    pub(super) outputs: Outputs,
}

/// Where a result goes.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Outputs {
    /// Write the result as JSON into a file; - is stdout, instead of the summary
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write charts of the result into a folder, each as SVG and as PNG
    #[arg(long, value_name = "DIR")]
    charts: Option<PathBuf>,

    /// Write a report with text and charts as one HTML file
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,

    /// Leave the playground out of the report, which makes it small
    #[arg(long, requires = "report", hide = cfg!(not(feature = "playground")))]
    light: bool,

    /// Print neither summary nor progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Outputs {
    /// The output for JSON, if asked for. Checked before anything is simulated.
    pub(super) fn json(&self) -> Result<Option<JsonOutput>, Failure> {
        self.json.as_deref().map(JsonOutput::prepare).transpose()
    }

    /// The outputs for charts and report, if asked for. Checked before anything is simulated.
    pub(super) fn pictures(&self) -> Result<Pictures, Failure> {
        Pictures::prepare(self.charts.as_deref(), self.report.as_deref(), self.light)
    }
}

impl Simulating {
    /// Number of threads; 0 for one on each core.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.map_or(0, usize::from)
    }

    /// Reads and checks a scenario with these overrides. Prints its warnings; with `--strict` they are an error.
    pub(super) fn load(&self, source: &Source, overrides: &[Override]) -> Result<Scenario, Failure> {
        let loaded = source.check(overrides)?;
        if !loaded.warnings.is_empty() {
            say(&loaded.warnings.render(true));
            if self.strict {
                let message = format!("`{}` has warnings, which --strict does not allow", source.origin);
                return Err(Failure::scenario(message));
            }
        }
        Ok(loaded.scenario)
    }

    /// What the playground opens with: scenarios with their overrides, and the times, seed and trials of this command
    /// line. With `same` all have this seed and this number of trials.
    pub(super) fn opening<'a>(
        &self,
        all: impl Iterator<Item = (&'a Scenario, &'a [Override])>,
        same: Option<(u64, u32)>,
    ) -> Result<Opening, Failure> {
        let (seed, trials) =
            same.map_or((self.seed, self.trials), |(seed, trials)| (Some(seed), Some(trials)));
        let one = |(scenario, set): (&Scenario, &[Override])| {
            let drawn = [
                ("run.seed", seed.map(|seed| seed.to_string())),
                ("run.trials", trials.map(|trials| trials.to_string())),
            ];
            let drawn = drawn.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
            Opened::again(scenario, set.iter().cloned().chain(drawn).chain(self.times(scenario)).collect())
        };
        let scenarios = all.map(one).collect::<Result<_, _>>()?;
        Ok(Opening { scenarios, language: None, compares: false })
    }

    /// The overrides that give a scenario the times which it was loaded with, if the command line changes them.
    pub(super) fn times(&self, scenario: &Scenario) -> Vec<Override> {
        let times = [("run.duration", scenario.run.duration), ("run.warmup", scenario.run.warmup)];
        let is_timed = self.duration.is_some() || self.warmup.is_some();
        let kept = times.into_iter().filter(|_| is_timed);
        kept.map(|(key, time)| (key.to_owned(), Duration(time).to_string())).collect()
    }

    /// The overrides, and those that set the duration to `--duration`.
    pub(super) fn with_timing(
        &self,
        source: &Source,
        overrides: &[Override],
    ) -> Result<Vec<Override>, Failure> {
        let mut all = overrides.to_vec();
        all.extend(timing(source, overrides, self.duration, self.warmup)?);
        Ok(all)
    }
}

/// The overrides that set the measured time to `duration`, and the time before it to `warmup`. A warm-up of the scenario
/// that does not fit is shortened, with a warning.
pub(super) fn timing(
    source: &Source,
    others: &[Override],
    duration: Option<Duration>,
    warmup: Option<Duration>,
) -> Result<Vec<Override>, Failure> {
    let warmup = warmup.map(|warmup| ("run.warmup".to_owned(), warmup.to_string()));
    let mut all: Vec<Override> = measured_time(source, others, duration, warmup.is_some())?;
    all.extend(warmup);
    Ok(all)
}

fn measured_time(
    source: &Source,
    others: &[Override],
    duration: Option<Duration>,
    has_warmup: bool,
) -> Result<Vec<Override>, Failure> {
    let Some(Duration(duration)) = duration else { return Ok(Vec::new()) };
    let mut overrides = vec![("run.duration".to_owned(), Duration(duration).to_string())];
    let own = source.check(others)?.scenario.run.warmup;
    if own >= duration && !has_warmup {
        // A warm-up that suits ten minutes must not forbid a run of ten seconds.
        let warmup = Duration(duration.mul_f64(0.1));
        let (origin, own) = (&source.origin, Duration(own));
        warn(&format!("{origin}: the warm-up of {own} does not fit: it is cut to {warmup}"));
        overrides.push(("run.warmup".into(), warmup.to_string()));
    }
    Ok(overrides)
}

/// Reads a share above 0.
pub(super) fn precision(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(Share(share)) if share > 0.0 => Ok(share),
        Ok(_) => Err("no number of trials is enough for 0%".into()),
        Err(error) => Err(in_words(&error)),
    }
}

/// Reads a share, which may be 0.
pub(super) fn share(text: &str) -> Result<f64, String> {
    text.parse().map(|Share(share)| share).map_err(|error| in_words(&error))
}

/// Reads a time above 0.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match text.parse::<Duration>() {
        Ok(duration) if duration.0.is_zero() => Err("must be above zero".into()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(in_words(&error)),
    }
}

/// Reads a time, which may be 0.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    text.parse::<Duration>().map_err(|error| in_words(&error))
}

fn in_words(error: &QuantityError) -> String {
    error.to_string()
}

/// Reads an expression of the command line against the names of a scenario.
pub(super) fn expression<T>(
    flag: &str,
    text: &str,
    scenario: &Scenario,
    read: impl Fn(&str, &Names) -> Result<T, ExpressionError>,
) -> Result<T, Failure> {
    read(text, &scenario.names()).map_err(|error| {
        let caret = " ".repeat(text[..error.span.start].chars().count());
        let width = text[error.span.clone()].chars().count().max(1);
        Failure::usage(format!("{flag}: {error}\n  {text}\n  {caret}{}", "^".repeat(width)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_on_the_command_line_must_make_sense() {
        assert_eq!(precision("2%"), Ok(0.02));
        assert!(precision("0%").is_err() && precision("x").is_err());
        assert!(duration("10min").is_ok() && duration("0s").is_err() && duration("10").is_err());
    }
}
