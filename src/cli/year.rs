//! `outgrow year`: how available a design is over a year of faults.

use super::designs::Given;
use super::options::{Outputs, precision, share, time};
use super::output::{JsonOutput, print, say};
use super::pictures::files;
use super::play::page::{Opened, Opening};
use super::progress::Steps;
use super::shell::typed;
use super::source::Override;
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value};
use crate::experiment::year::catalogue::catalogue;
use crate::experiment::year::result::{Kept, Rates, YearResult};
use crate::experiment::year::{HOLD_LEAST, Refusal, Year, YearOptions, year};
use crate::model::quantity::Duration;
use crate::report;
use crate::scenario::faults::FaultSpec;
use crate::scenario::{Scenario, Without};

/// Say how available a design is over a year of faults, and what eats its availability
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Paths of scenarios, names of built-in ones (see outgrow list), or - for stdin; several are compared. Their random faults
    /// (mtbf, mttr) are what happens; a scenario without any gets those of the catalogue, and planned faults are left out
    #[arg(required = true, value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// Share of requests that must end ok: says how much of the error budget is used, and exits with 4 if that is not shown to do
    #[arg(long, value_name = "SHARE", value_parser = objective)]
    slo: Option<f64>,

    /// Half the interval of the time without service, relative to it, that is aimed at
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = precision)]
    precision: f64,

    /// Longest time that an outage is simulated; the rest of a longer one costs what its end costs. By default four minutes, or
    /// longer if a box reacts later
    #[arg(long, value_name = "TIME", value_parser = hold)]
    hold: Option<Duration>,

    /// Take the faults of the catalogue, whatever faults the scenarios have; docs/year.md has its table
    #[arg(long)]
    catalogue: bool,

    /// Change a key in every scenario, or in one, by its name or number: 'scale-out?web.count=8'
    #[arg(long = "set", value_name = "[SCENARIO?]KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Seed of all random numbers, instead of each scenario's own
    #[arg(long)]
    seed: Option<u64>,

    /// Threads; all cores by default, and the result is the same with any number
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,

    #[command(flatten)]
    outputs: Outputs,
}

/// Reads a share of requests below 1: no design fails none for ever.
fn objective(text: &str) -> Result<f64, String> {
    match share(text)? {
        all if all >= 1.0 => {
            Err("an objective of 100 % allows no failure at all, and nothing holds it: such as 99.9%".into())
        }
        share => Ok(share),
    }
}

/// Reads the time for which an outage is simulated. Its last third must be long enough to tell what the rest costs.
fn hold(text: &str) -> Result<Duration, String> {
    let hold = time(text)?;
    if hold.0 < HOLD_LEAST {
        return Err(format!("what an outage costs is not seen in less than {}", Duration(HOLD_LEAST)));
    }
    Ok(hold)
}

/// A scenario with the faults of its years.
struct Design {
    name: String,
    scenario: Scenario,
    /// Its changes.
    overrides: Vec<Override>,
    faults: Vec<FaultSpec>,
    rates: Rates,
}

/// Checks all scenarios, then composes a year of each.
pub(super) fn run(args: &Args) -> Ended {
    let json = args.outputs.json()?;
    let pictures = args.outputs.pictures()?;
    let given: Vec<Design> = Given::read(&args.scenarios, &args.overrides, &[])?
        .into_iter()
        .map(|one| read(args, one))
        .collect::<Result<_, _>>()?;
    interrupt::watch()?;
    let steps = Steps::new(args.outputs.quiet);
    let (mut found, mut before): (Vec<YearResult>, Option<Year>) = (Vec::new(), None);
    for one in &given {
        match compose(args, one, &steps) {
            Ok(mut year) => {
                if let Some(before) = &before {
                    year.against(before);
                }
                found.push(year.result.clone());
                before = Some(year);
            }
            Err(Refusal::Interrupted) => break,
            Err(why) => {
                steps.clear();
                return Err(Failure::scenario(format!("{}: {}", one.scenario.origin, why.text())));
            }
        }
    }
    steps.clear();
    if found.is_empty() {
        say(&Refusal::Interrupted.text());
        return Ok(Status::Interrupted);
    }
    if !args.outputs.quiet && !matches!(json, Some(JsonOutput::Stdout)) {
        print(&report::year::text(&found))?;
    }
    if let Some(json) = json {
        json.write(&report::json::results(&found))?;
    }
    let texts: Vec<(&str, &str)> =
        given.iter().map(|one| (one.name.as_str(), one.scenario.text.as_str())).collect();
    pictures.write(
        || files("", &report::year::charts(&found)),
        || report::html::year(&found, &texts, &typed()),
        || {
            let opened = given.iter().map(|one| Opened::again(&one.scenario, one.overrides.clone()));
            Ok(Opening { scenarios: opened.collect::<Result<_, _>>()?, language: None, compares: false })
        },
    )?;
    let kept = |result: &YearResult| result.budget.is_none_or(|budget| budget.verdict == Kept::Holds);
    Ok(match found.len() < given.len() || found.iter().any(|result| !result.complete) {
        true => Status::Interrupted,
        false if found.iter().all(kept) => Status::Done,
        false => Status::NotAsExpected,
    })
}

fn read(args: &Args, given: Given) -> Result<Design, Failure> {
    let source = given.source.without(Without { faults: false, expects: true });
    let loaded = source.check(&given.overrides)?;
    if !loaded.warnings.is_empty() {
        say(&loaded.warnings.render(true));
    }
    let mut scenario = loaded.scenario;
    let own: Vec<FaultSpec> = scenario.faults.iter().filter(|fault| fault.mtbf.is_some()).cloned().collect();
    let rates = if own.is_empty() || args.catalogue { Rates::Catalogue } else { Rates::Scenario };
    let faults = if rates == Rates::Catalogue { catalogue(&scenario) } else { own };
    scenario.faults.clear();
    // What operators do at a planned time is no part of an average year.
    scenario.operations.retain(|operation| operation.at.is_none());
    Ok(Design { name: given.name, scenario, overrides: given.overrides, faults, rates })
}

fn compose(args: &Args, given: &Design, steps: &Steps) -> Result<Year, Refusal> {
    let options = YearOptions {
        seed: args.seed.unwrap_or(given.scenario.run.seed),
        jobs: args.jobs.map_or(0, usize::from),
        precision: args.precision,
        hold: args.hold.map(|hold| hold.0),
        slo: args.slo,
    };
    let said = |what: String| steps.now(format!("{}: {what}", given.name));
    let mut year = year(&given.scenario, (&given.faults, given.rates), &options, steps, &said)?;
    year.result.design.clone_from(&given.name);
    Ok(year)
}
