//! `outgrow schema`: the JSON Schema of scenario files, for editors.

use super::Ended;
use super::output::print;
use super::status::Status;
use crate::components::KINDS;
use crate::scenario::schema::schema;

/// Print the JSON Schema of scenario files, for editors
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

/// Prints the schema.
pub(super) fn run(_: &Args) -> Ended {
    print(&format!("{:#}\n", schema(KINDS)))?;
    Ok(Status::Done)
}
