//! `outgrow climb`: the load that each step of a ladder carries.

use super::capacity::{FileLoads, Reach, objective, search};
use super::options::Simulating;
use super::output::{JsonOutput, print, say};
use super::pictures::files;
use super::progress::Steps;
use super::shell::typed;
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value};
use crate::experiment::capacity::{Found, Knob, Loads as _};
use crate::experiment::climb::{ClimbResult, SCHEMA, Step};
use crate::experiment::loss::{self, Loss};
use crate::experiment::runner::{Progress as _, RunOptions};
use crate::report;
use crate::scenario::changes::Changes;
use crate::scenario::expression::Expectation;
use crate::scenario::{Scenario, Without};

/// The ladders that ship with the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Ladder {
    /// The first steps of the chapter, one change at a time, for users who think for 7 s
    #[default]
    Chapter,
    /// From one box to the last design of the chapter, for a million users who send a request every 300 s; goal 1000000
    Millions,
}

impl Ladder {
    fn steps(self) -> &'static [&'static str] {
        match self {
            Ladder::Chapter => {
                &["single-server", "database-split-off", "scale-up", "scale-out", "primary-and-replicas"]
            }
            Ladder::Millions => &[
                "millions-1-one-box",
                "millions-2-two-boxes",
                "millions-3-replica",
                "millions-4-edge",
                "millions-5-stateless",
                "millions-6-queue",
                "from-zero-to-millions",
            ],
        }
    }

    /// The load at which its climb ends.
    fn goal(self) -> Option<f64> {
        (self == Ladder::Millions).then_some(1e6)
    }

    /// Whether its steps stand for the design alone, without the faults of their scenarios.
    fn without_faults(self) -> bool {
        self == Ladder::Millions
    }
}

/// Time and trials for each load, unless the command line gives others: enough for an interval of some per cent.
const SHORT: [(&str, &str); 2] = [("run.duration", "1min"), ("run.warmup", "10s")];
const TRIALS: u32 = 5;

/// Find the load that each step of a ladder carries, and what it buys at what price
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenarios from the lowest step to the highest, as paths or names of built-in ones; by default those of --ladder
    #[arg(value_name = "SCENARIO")]
    steps: Vec<String>,

    /// The built-in ladder to climb
    #[arg(long, value_enum, default_value_t, conflicts_with = "steps")]
    ladder: Ladder,

    /// The load that is wanted, in the unit of the steps: a step that carries it is not tried with more
    #[arg(long, value_name = "LOAD", value_parser = goal)]
    goal: Option<f64>,

    /// What must hold at each step
    #[arg(long, value_name = "OBJECTIVE", default_value = "p99 < 300ms, errors < 0.1%")]
    slo: String,

    /// Leave the scenarios' faults out
    #[arg(long)]
    no_faults: bool,

    /// Change a key in every scenario, as in users.timeout=5s
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    #[command(flatten)]
    simulating: Simulating,
}

impl Args {
    /// The built-in ladder, unless scenarios are given.
    fn built_in(&self) -> Option<Ladder> {
        self.steps.is_empty().then_some(self.ladder)
    }
}

/// A load that can be wanted.
fn goal(text: &str) -> Result<f64, String> {
    let load: f64 = text.parse().map_err(|_| "it is not a number".to_owned())?;
    if load > 0.0 && load.is_finite() { Ok(load) } else { Err("it must be above 0".into()) }
}

/// A step that is not searched yet.
struct Given {
    name: String,
    source: Source,
    overrides: Vec<Override>,
    scenario: Scenario,
    slo: Vec<Expectation>,
    knob: Knob,
}

/// Checks all steps, then climbs them.
pub(super) fn run(args: &Args) -> Ended {
    let json = args.simulating.outputs.json()?;
    let pictures = args.simulating.outputs.pictures()?;
    let names: Vec<&str> = match args.steps.as_slice() {
        [] => args.ladder.steps().to_vec(),
        given => given.iter().map(String::as_str).collect(),
    };
    let given: Vec<Given> = names.into_iter().map(|name| read(args, name)).collect::<Result<_, _>>()?;
    interrupt::watch()?;
    let steps = Steps::new(args.simulating.outputs.quiet);
    let found = climb(args, &given, &steps);
    steps.clear();
    let found = found?;
    if found.steps.is_empty() {
        say("interrupted before a step was measured: there is no result");
        return Ok(Status::Interrupted);
    }
    if !args.simulating.outputs.quiet && !matches!(json, Some(JsonOutput::Stdout)) {
        print(&report::climb::text(&found))?;
    }
    if let Some(json) = json {
        json.write(&report::json::one(&found))?;
    }
    let texts: Vec<(&str, &str)> =
        given.iter().map(|one| (one.name.as_str(), one.scenario.text.as_str())).collect();
    pictures.write(
        || files("", &report::climb::charts(&found)),
        || report::html::climb(&found, &texts, &typed()),
        || args.simulating.opening(given.iter().map(|one| (&one.scenario, &one.overrides[..])), None),
    )?;
    let carried = |step: &Step| {
        matches!(step.capacity.verdict, Found::Found | Found::MetAtEveryLoad | Found::MetAtTheGoal)
    };
    Ok(match found.complete {
        false => Status::Interrupted,
        true if found.steps.iter().all(carried) => Status::Done,
        true => Status::NotAsExpected,
    })
}

fn read(args: &Args, argument: &str) -> Result<Given, Failure> {
    let faults = args.no_faults || args.built_in().is_some_and(Ladder::without_faults);
    let source = Source::find(argument)?.without(Without { faults, expects: true });
    let mut overrides = args.overrides.clone();
    if args.simulating.duration.is_none() {
        overrides.extend(SHORT.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }
    let overrides = args.simulating.with_timing(&source, &overrides)?;
    let scenario = args.simulating.load(&source, &overrides)?;
    let slo = objective(&args.slo, &scenario)?;
    let knob = Knob::of(&scenario, None).map_err(|why| Failure::usage(format!("{argument}: {why}")))?;
    Ok(Given { name: source.origin.clone(), source, overrides, scenario, slo, knob })
}

fn climb(args: &Args, given: &[Given], progress: &Steps) -> Result<ClimbResult, Failure> {
    let mut simulating = args.simulating.clone();
    simulating.trials = simulating.trials.or(Some(TRIALS));
    let goal = args.goal.or_else(|| args.built_in().and_then(Ladder::goal));
    let reach = Reach { goal, ..Reach::default() };
    let mut steps: Vec<Step> = Vec::new();
    for (at, one) in given.iter().enumerate() {
        let what = format!("{}: ", one.name);
        let loads = FileLoads {
            source: &one.source,
            overrides: &one.overrides,
            steps: progress,
            what: &what,
            limit: None,
        };
        let found = search(&simulating, &one.scenario, (&one.slo, &one.knob), &loads, reach)?;
        let Some(found) = found else { break };
        let changes = at.checked_sub(1).map(|before| {
            let mut changes = Changes::between(&given[before].scenario, &one.scenario);
            // The search decides the load.
            let loads: Vec<String> =
                one.knob.overrides(1.0).iter().map(|(key, _)| format!(".{key} = ")).collect();
            changes.changed.retain(|change| !loads.iter().any(|load| change.contains(load)));
            changes
        });
        let mut step = Step::new(&one.name, found, steps.last().zip(changes));
        step.dead = dead(&simulating, one, &step, &loads)?;
        steps.push(step);
        if progress.interrupted() {
            break;
        }
    }
    Ok(ClimbResult {
        schema: SCHEMA,
        version: env!("CARGO_PKG_VERSION"),
        complete: steps.len() == given.len() && steps.iter().all(|step| step.capacity.complete),
        slo: given.first().map_or(Vec::new(), |one| one.slo.iter().map(ToString::to_string).collect()),
        steps,
    })
}

/// What one dead machine costs at the load that a step carries.
fn dead(
    simulating: &Simulating,
    given: &Given,
    step: &Step,
    loads: &FileLoads<'_>,
) -> Result<Vec<Loss>, Failure> {
    let Some(load) = step.carries() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for machine in loss::machines(&given.scenario) {
        loads.steps.now(format!("{}{machine} dies", loads.what));
        let scenario = loads.scenario(&given.knob.overrides(load))?;
        let options = RunOptions {
            seed: simulating.seed.unwrap_or(scenario.run.seed),
            trials: 0..1,
            jobs: simulating.jobs(),
            length: scenario.length(),
        };
        let Some(loss) = loss::loss(scenario, &machine, &options, loads.steps) else { break };
        found.push(loss);
    }
    Ok(found)
}
