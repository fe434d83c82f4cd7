//! `outgrow explain`: what is known about a scenario without simulating it.

use clap::ValueEnum;

use super::output::print;
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, key_and_value};
use crate::report;
use crate::scenario::graph;
use crate::scenario::load::Missing;

/// Show a scenario's diagram, demands, bounds and bottleneck without simulating it
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one, or - for stdin
    scenario: String,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Leave out a member, a box, or a zone or region with all that stands there, as in zone:a: what can the rest do,
    /// before anybody takes over?
    #[arg(long, value_name = "NAME")]
    without: Vec<String>,

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
    let missing = Missing::of(&scenario.boxes, &args.without).map_err(Failure::usage)?;
    print(&match args.format {
        Format::Text => report::explain::text(&scenario, &missing),
        Format::Json => report::explain::json(&scenario, &missing),
        Format::Mermaid => graph::mermaid(&scenario.boxes),
        Format::Dot => graph::dot(&scenario.boxes),
    })?;
    Ok(Status::Done)
}
