//! `outgrow trace`: shows what happens to one request, event by event.

use super::output::print;
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, interrupt, key_and_value};
use crate::kernel::random::Seed;
use crate::model::trace::Trace;
use crate::report::chrome::chrome;
use crate::report::trace::listing;
use crate::scenario::build::build;

/// Show what happens to one request, event by event
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one, or - for stdin
    scenario: String,

    /// Number of the request, counted from 0 by each client
    #[arg(long, value_name = "N")]
    request: u64,

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

/// Simulates one trial, and prints the events of the request.
pub(super) fn run(args: &Args) -> Ended {
    let scenario = Source::find(&args.scenario)?.load(&args.overrides)?;
    let seed = args.seed.unwrap_or(scenario.run.seed);
    interrupt::watch()?;
    let mut simulation = build(&scenario, Seed::new(seed).trial(args.trial));
    simulation.follow(Trace::new(None, args.request));
    simulation.run(scenario.length(), &mut |_| interrupt::interrupted());
    if simulation.trace().is_empty() && !interrupt::interrupted() {
        let message =
            format!("no client sends a request {} in this trial: try a smaller number", args.request);
        return Err(Failure::usage(message));
    }
    print(&match args.format {
        Format::Text => listing(simulation.trace()),
        Format::Chrome => chrome(&scenario.title, simulation.steps()),
    })?;
    Ok(if interrupt::interrupted() { Status::Interrupted } else { Status::Done })
}
