//! What several commands let the user choose: where the numbers come from, how long and how often to simulate.

use std::path::PathBuf;

use super::output::{JsonOutput, say};
use super::run::{duration, timing};
use super::source::{Override, Source};
use super::status::Failure;
use crate::model::quantity::Duration;
use crate::scenario::expression::{ExpressionError, Names};
use crate::scenario::{BoxEntry, Scenario};

/// Flags of every command that simulates several scenarios for one answer.
#[derive(Debug, clap::Args)]
pub(super) struct Simulating {
    /// Where all random numbers come from, instead of the scenario's own seed
    #[arg(long)]
    pub(super) seed: Option<u64>,

    /// Number of independent trials, instead of the scenario's own
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) trials: Option<u32>,

    /// Simulated time that is measured, instead of the scenario's own
    #[arg(long, value_parser = duration)]
    pub(super) duration: Option<Duration>,

    /// Threads; all cores by default, and the result is the same with any number
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    /// Treat warnings as errors, and what is not shown as failed
    #[arg(long)]
    pub(super) strict: bool,

    /// Write the result as JSON into a file; - is stdout, instead of the summary
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Print neither summary nor progress
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl Simulating {
    /// Threads; 0 for as many as there are cores.
    pub(super) fn jobs(&self) -> usize {
        self.jobs.map_or(0, usize::from)
    }

    /// Where the JSON goes, tried before anything is simulated.
    pub(super) fn json(&self) -> Result<Option<JsonOutput>, Failure> {
        self.json.as_deref().map(JsonOutput::prepare).transpose()
    }

    /// Reads and checks a scenario with these overrides; says its warnings, which `--strict` does not allow.
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

    /// The overrides with those that make the trials as long as `--duration` says.
    pub(super) fn with_timing(
        &self,
        source: &Source,
        overrides: &[Override],
    ) -> Result<Vec<Override>, Failure> {
        let mut all = overrides.to_vec();
        all.extend(timing(source, overrides, self.duration)?);
        Ok(all)
    }
}

/// Reads an expression of the command line against the names of a scenario.
pub(super) fn expression<T>(
    flag: &str,
    text: &str,
    scenario: &Scenario,
    read: impl Fn(&str, &Names<'_>) -> Result<T, ExpressionError>,
) -> Result<T, Failure> {
    let classes: Vec<&str> = scenario.classes.iter().map(|class| class.name.as_str()).collect();
    let members: Vec<String> = scenario.boxes.iter().flat_map(names_of).collect();
    let components: Vec<&str> = members.iter().map(String::as_str).collect();
    read(text, &Names { classes: &classes, components: &components }).map_err(|error| {
        let caret = " ".repeat(text[..error.span.start].chars().count());
        let width = text[error.span.clone()].chars().count().max(1);
        Failure::usage(format!("{flag}: {error}\n  {text}\n  {caret}{}", "^".repeat(width)))
    })
}

/// A box and its members.
fn names_of(entry: &BoxEntry) -> Vec<String> {
    let mut names = vec![entry.name.clone()];
    let members = (0..entry.spec.members()).map(|member| entry.spec.member(&entry.name, member).name);
    names.extend(members.filter(|_| entry.spec.members() > 1));
    names
}
