//! `outgrow climb`: the load that each step of a ladder carries.

use super::capacity::{FileLoads, objective, search};
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

/// The steps of the chapter.
const LADDER: [&str; 5] =
    ["single-server", "database-split-off", "scale-up", "scale-out", "primary-and-replicas"];

/// Time and trials for each load, unless the command line gives others: enough for an interval of some per cent.
const SHORT: [(&str, &str); 2] = [("run.duration", "1min"), ("run.warmup", "10s")];
const TRIALS: u32 = 5;

/// Find the load that each step of a ladder carries, and what it buys at what price
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenarios from the lowest step to the highest, as paths or names of built-in ones; by default the chapter's
    #[arg(value_name = "SCENARIO")]
    steps: Vec<String>,

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
    let json = args.simulating.json()?;
    let pictures = args.simulating.pictures()?;
    let names: Vec<&str> = match args.steps.as_slice() {
        [] => LADDER.to_vec(),
        given => given.iter().map(String::as_str).collect(),
    };
    let given: Vec<Given> = names.into_iter().map(|name| read(args, name)).collect::<Result<_, _>>()?;
    interrupt::watch()?;
    let steps = Steps::new(args.simulating.quiet);
    let found = climb(args, &given, &steps);
    steps.clear();
    let found = found?;
    if found.steps.is_empty() {
        say("interrupted before a step was measured: there is no result");
        return Ok(Status::Interrupted);
    }
    if !args.simulating.quiet && !matches!(json, Some(JsonOutput::Stdout)) {
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
    let carried = |step: &Step| matches!(step.capacity.verdict, Found::Found | Found::MetAtEveryLoad);
    Ok(match found.complete {
        false => Status::Interrupted,
        true if found.steps.iter().all(carried) => Status::Done,
        true => Status::NotAsExpected,
    })
}

fn read(args: &Args, argument: &str) -> Result<Given, Failure> {
    let source = Source::find(argument)?.without(Without { faults: args.no_faults, expects: true });
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
        let found = search(&simulating, &one.scenario, (&one.slo, &one.knob), &loads, (false, None))?;
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
    let Some(load) = step.capacity.estimate else { return Ok(Vec::new()) };
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
