//! `outgrow trace`: shows what happens to one request, event by event.

use super::output::{print, say};
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value};
use crate::kernel::random::Seed;
use crate::kernel::time::SimTime;
use crate::model::signal::{ComponentId, Outcome};
use crate::model::trace::{ENDS_MAX, Ended as End, Trace};
use crate::report::chrome::chrome;
use crate::report::number::{number, time_ms};
use crate::report::trace::listing;
use crate::scenario::Scenario;
use crate::scenario::build::build;

/// Show what happens to one request, event by event
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one, or - for stdin
    scenario: String,

    /// Number of the request, counted from 0 by each client; by default a typical one: the median of those that end ok
    #[arg(long, value_name = "N", conflicts_with_all = ["slowest", "failed", "class"])]
    request: Option<u64>,

    /// The slowest request
    #[arg(long, conflicts_with = "failed")]
    slowest: bool,

    /// The first request that fails
    #[arg(long)]
    failed: bool,

    /// Only requests of this class
    #[arg(long, value_name = "NAME")]
    class: Option<String>,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Seed of all random numbers, instead of the scenario's own
    #[arg(long)]
    seed: Option<u64>,

    /// Number of the trial, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    trial: u64,

    /// A listing, or trace events that open in Perfetto or chrome://tracing
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Chrome,
}

/// Simulates one trial, and prints the events of the request. Without its number, a first run of the trial finds it.
pub(super) fn run(args: &Args) -> Ended {
    let scenario = Source::find(&args.scenario)?.load(&args.overrides)?;
    let seed = Seed::new(args.seed.unwrap_or(scenario.run.seed)).trial(args.trial);
    interrupt::watch()?;
    let (client, request) = match args.request {
        Some(request) => (None, request),
        None => {
            let Some(found) = find(args, &scenario, seed)? else { return Ok(Status::Interrupted) };
            (Some(found.0), found.1)
        }
    };
    let mut simulation = build(&scenario, seed);
    simulation.follow(Trace::new(client, request));
    simulation.run(scenario.length(), &mut |_| interrupt::interrupted());
    if simulation.trace().is_empty() && !interrupt::interrupted() {
        let message = format!("no client sends a request {request} in this trial: try a smaller number");
        return Err(Failure::usage(message));
    }
    print(&match args.format {
        Format::Text => listing(simulation.trace()),
        Format::Chrome => chrome(&scenario.title, simulation.steps()),
    })?;
    Ok(if interrupt::interrupted() { Status::Interrupted } else { Status::Done })
}

/// The client and the number of the request that is asked for, of those issued in the measured time; says which it is. `None`
/// after an interruption.
fn find(args: &Args, scenario: &Scenario, seed: Seed) -> Result<Option<(ComponentId, u64)>, Failure> {
    let names = scenario.classes.iter().map(|class| class.name.as_str());
    let class = match &args.class {
        None => None,
        Some(name) => Some(names.clone().position(|known| known == name).ok_or_else(|| {
            let known: Vec<&str> = names.collect();
            Failure::usage(format!("--class: there is no class `{name}`: there are {}", known.join(", ")))
        })?),
    };
    let mut simulation = build(scenario, seed);
    let measured_from = SimTime::from_nanos(scenario.run.warmup.as_nanos());
    simulation.follow(Trace::ends(measured_from));
    simulation.run(scenario.length(), &mut |_| interrupt::interrupted());
    if interrupt::interrupted() {
        return Ok(None);
    }
    let is_asked = |end: &&End| {
        class.is_none_or(|class| usize::from(end.class) == class)
            && match (args.slowest, args.failed) {
                (true, _) => true,
                (_, failed) => (end.outcome == Outcome::Ok) != failed,
            }
    };
    let mut all: Vec<&End> = simulation.ends().iter().filter(is_asked).collect();
    let is_cut = simulation.ends().len() == ENDS_MAX;
    let count = format!("{}{}", if is_cut { "the first " } else { "" }, number(all.len() as f64));
    let (at, which) = match (args.slowest, args.failed) {
        (true, _) => (all.len().saturating_sub(1), format!("the slowest of {count}")),
        (_, true) => (0, format!("the first of {count} that fail")),
        _ => (all.len() / 2, format!("the median of {count} that end ok")),
    };
    if !args.failed {
        all.sort_by_key(|end| (end.lasted, end.issued));
    }
    let Some(found) = all.get(at) else {
        let what = if args.failed { "fails" } else { "ends ok" };
        return Err(Failure::usage(format!("no such request {what} in the measured time of this trial")));
    };
    let took = time_ms(found.lasted.as_millis_f64(), None);
    say(&format!("request {}, {which}: {took}", found.number));
    Ok(Some((found.client, found.number)))
}
