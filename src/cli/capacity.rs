//! `outgrow capacity`: the highest load that meets an objective.

#[allow(clippy::disallowed_types, reason = "it limits the search, and a note of the result says so")]
use std::time::Instant;

use super::options::{Simulating, duration, expression};
use super::output::{JsonOutput, print, say};
use super::pictures::files;
use super::progress::Steps;
use super::shell::typed;
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value, panic};
use crate::experiment::capacity::{
    CapacityResult, Found, Knob, Loads, Question, capacity, refusal, without_one,
};
use crate::model::quantity::Duration;
use crate::report;
use crate::scenario::command;
use crate::scenario::error::Diagnostic;
use crate::scenario::expression::{Expectation, parse_slo};
use crate::scenario::{Scenario, Without};

/// Find the highest load that meets an objective
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one (see outgrow list), or - for stdin
    scenario: String,

    /// What must hold, as in "p99 < 300ms, errors < 0.1%"
    #[arg(long, value_name = "OBJECTIVE")]
    slo: String,

    /// Vary only this client's load, as in users.rate; by default the load of all clients
    #[arg(long, value_name = "KEY")]
    load: Option<String>,

    /// Leave the scenario's faults out
    #[arg(long)]
    no_faults: bool,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Give the best interval that this much time on this machine allows, as in 10s: it decides the number of trials
    #[arg(long, value_parser = duration)]
    time: Option<Duration>,

    #[command(flatten)]
    simulating: Simulating,
}

/// Checks everything, then searches the capacity.
pub(super) fn run(args: &Args) -> Ended {
    let json = args.simulating.outputs.json()?;
    let pictures = args.simulating.outputs.pictures()?;
    let source = Source::find(&args.scenario)?.without(Without { faults: args.no_faults, expects: true });
    let overrides = args.simulating.with_timing(&source, &args.overrides)?;
    let scenario = match args.simulating.load(&source, &overrides) {
        Ok(scenario) => scenario,
        Err(failure) => return Err(with_way_out(failure, source, &overrides)),
    };
    let slo = objective(&args.slo, &scenario)?;
    let knob = Knob::of(&scenario, args.load.as_deref()).map_err(Failure::usage)?;
    interrupt::watch()?;
    let steps = Steps::new(args.simulating.outputs.quiet);
    let limit = args.time.map(|Duration(time)| Limit::new(time.as_secs_f64()));
    let loads = FileLoads { source: &source, overrides: &overrides, steps: &steps, what: "", limit };
    let found = search(
        &args.simulating,
        &scenario,
        (&slo, &knob),
        &loads,
        Reach { beyond: true, ..Reach::default() },
    );
    steps.clear();
    let Some(mut found) = found? else {
        say("interrupted before anything was measured: there is no result");
        return Ok(Status::Interrupted);
    };
    if found.verdict == Found::Found {
        found.notes.extend(without_one(&knob, &scenario));
    }
    if !args.simulating.outputs.quiet && !matches!(json, Some(JsonOutput::Stdout)) {
        print(&report::capacity::text(&found))?;
    }
    if let Some(json) = json {
        json.write(&report::json::one(&found))?;
    }
    pictures.write(
        || files("", &report::chart::designs::of_capacity(&found)),
        || report::html::capacity(&found, &scenario, &typed()),
        || args.simulating.opening(std::iter::once((&scenario, &args.overrides[..])), None),
    )?;
    Ok(match found.verdict {
        _ if !found.complete => Status::Interrupted,
        Found::Found | Found::MetAtEveryLoad | Found::MetAtTheGoal => Status::Done,
        Found::NeverMet | Found::NotMeasured => Status::NotAsExpected,
    })
}

/// Adds a note to the failure if only the scenario's faults are wrong, for example because `--duration` cuts them
/// off.
fn with_way_out(mut failure: Failure, source: Source, overrides: &[Override]) -> Failure {
    let without = source.without(Without { faults: true, expects: true });
    if failure.status == Status::BadScenario && without.check(overrides).is_ok() {
        failure.text.push_str("\n\nnote: without its faults the scenario can be searched: --no-faults");
    }
    failure
}

/// Reads an objective. It must be one for which a highest load exists.
pub(super) fn objective(text: &str, scenario: &Scenario) -> Result<Vec<Expectation>, Failure> {
    let slo = expression("--slo", text, scenario, parse_slo)?;
    match refusal(&slo) {
        Some(why) => Err(Failure::usage(format!("--slo: {why}"))),
        None => Ok(slo),
    }
}

/// How far a search goes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reach {
    /// Whether it looks for the collapse too.
    pub(super) beyond: bool,
    /// Where it begins; `None` for where the laws say.
    pub(super) start: Option<f64>,
    /// The load that is wanted: nothing above is tried if it meets the objective.
    pub(super) goal: Option<f64>,
}

/// Searches the capacity of a scenario. Returns `None` if the search was interrupted before anything was measured.
pub(super) fn search(
    simulating: &Simulating,
    scenario: &Scenario,
    (slo, knob): (&[Expectation], &Knob),
    loads: &FileLoads<'_>,
    reach: Reach,
) -> Result<Option<CapacityResult>, Failure> {
    let question = Question {
        slo,
        knob,
        seed: simulating.seed.unwrap_or(scenario.run.seed),
        trials: simulating.trials.unwrap_or(scenario.run.trials),
        jobs: simulating.jobs(),
        may_stretch: simulating.duration.is_none(),
        beyond: reach.beyond,
        start: reach.start.or_else(|| knob.likely(scenario)),
        goal: reach.goal,
    };
    capacity(&question, loads, loads.steps)
}

/// Gives a search the scenario of a source at different loads.
pub(super) struct FileLoads<'a> {
    pub(super) source: &'a Source,
    /// Overrides that hold at all loads.
    pub(super) overrides: &'a [Override],
    pub(super) steps: &'a Steps,
    /// Name of the search for the progress line, if it is one of many: `scale-up at m7i.large: `.
    pub(super) what: &'a str,
    /// The time that the search may take.
    pub(super) limit: Option<Limit>,
}

/// A time on this machine's clock.
#[allow(clippy::disallowed_types, reason = "it limits the search, and a note of the result says so")]
pub(super) struct Limit {
    since: Instant,
    seconds: f64,
}

#[allow(clippy::disallowed_types, reason = "it limits the search, and a note of the result says so")]
impl Limit {
    /// This many seconds from now on.
    fn new(seconds: f64) -> Limit {
        Limit { since: Instant::now(), seconds }
    }
}

impl Loads for FileLoads<'_> {
    type Error = Failure;

    fn scenario(&self, overrides: &[Override]) -> Result<Scenario, Failure> {
        let all = [self.overrides, overrides].concat();
        // Drop warnings of overload: the search finds out which loads are too high.
        let scenario = self.source.check(&all)?.scenario;
        panic::running(command::run(&self.source.origin, &all));
        Ok(scenario)
    }

    fn trying(&self, number: usize, load: &str) {
        self.steps.now(format!("{}load {number}: {load}", self.what));
    }

    fn warnings(&self, overrides: &[Override]) -> Vec<String> {
        let found = self.source.check(&[self.overrides, overrides].concat());
        let items = found.map_or(Vec::new(), |loaded| loaded.warnings.items);
        let one = |item: &Diagnostic| match &item.help {
            Some(help) => format!("{}: {help}", item.message),
            None => item.message.clone(),
        };
        items.iter().map(one).collect()
    }

    fn seconds_left(&self) -> Option<f64> {
        self.limit.as_ref().map(|limit| limit.seconds - limit.since.elapsed().as_secs_f64())
    }
}
