//! `outgrow explain`: what is known about a scenario without simulating it.

use clap::ValueEnum;

use super::output::print;
use super::source::{Override, Source};
use super::status::Status;
use super::{Ended, key_and_value};
use crate::report;
use crate::scenario::graph;

/// Show a scenario's diagram, demands, bounds and bottleneck without simulating it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one, or - for stdin
    scenario: String,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Everything as text, the resources and bounds as JSON, or the diagram alone as Mermaid or Graphviz DOT
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
    Mermaid,
    Dot,
}

/// Prints the explanation.
pub(super) fn run(args: &Args) -> Ended {
    let scenario = Source::find(&args.scenario)?.load(&args.overrides)?;
    print(&match args.format {
        Format::Text => report::explain::text(&scenario),
        Format::Json => report::explain::json(&scenario),
        Format::Mermaid => graph::mermaid(&scenario.boxes),
        Format::Dot => graph::dot(&scenario.boxes),
    })?;
    Ok(Status::Done)
}
