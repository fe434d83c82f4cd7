//! `outgrow schema`: the JSON Schema of scenario files, for editors, and of results, for programs.

use super::Ended;
use super::output::print;
use super::status::Status;
use crate::components::KINDS;
use crate::experiment;
use crate::scenario::schema::schema;

/// Print the JSON Schema of scenario files, for editors, or of results
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The schema of what a command writes with --json
    #[arg(
        long,
        value_name = "COMMAND",
        num_args = 0..=1,
        default_missing_value = "run",
        value_parser = experiment::schema::RESULTS
    )]
    result: Option<String>,
}

/// Prints the schema.
pub(super) fn run(args: &Args) -> Ended {
    let schema = match &args.result {
        Some(command) => experiment::schema::schema(command),
        None => schema(KINDS),
    };
    print(&format!("{schema:#}\n"))?;
    Ok(Status::Done)
}
