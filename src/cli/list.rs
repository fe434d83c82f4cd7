//! `outgrow list`: lists the built-in scenarios and the types of machine that scenarios can name.

use clap::Subcommand;

use super::Ended;
use super::builtin::{BUILTINS, Builtin};
use super::output::print;
use super::source::Source;
use super::status::{Failure, Status};
use crate::model::catalogue;
use crate::report::list::{Entry, instances, scenarios};
use crate::scenario::suggest::nearest;

/// List the built-in scenarios, or the types of machine
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the built-in scenarios (the default)
    Scenarios,
    /// List the types of machine that `instance = "..."` may name
    Instances {
        /// Only this family, as m7i
        #[arg(long)]
        family: Option<String>,
    },
}

/// Prints the list.
pub(super) fn run(args: &Args) -> Ended {
    let list = match &args.what {
        None | Some(What::Scenarios) => {
            let entries: Result<Vec<Entry>, Failure> = BUILTINS.iter().map(entry).collect();
            scenarios(&entries?)
        }
        Some(What::Instances { family: None }) => instances(catalogue::all()),
        Some(What::Instances { family: Some(family) }) => of_family(family)?,
    };
    print(&list)?;
    Ok(Status::Done)
}

fn entry(builtin: &Builtin) -> Result<Entry, Failure> {
    let scenario = Source::find(builtin.name)?.check(&[])?.scenario;
    Ok(Entry {
        number: builtin.number().into(),
        name: builtin.short_name().into(),
        title: scenario.title,
        chapter: scenario.chapter,
    })
}

fn of_family(family: &str) -> Result<String, Failure> {
    let mut found = catalogue::family(family).peekable();
    if found.peek().is_some() {
        return Ok(instances(found));
    }
    let families = catalogue::all().iter().map(catalogue::Instance::family);
    let help = nearest(family, families).map_or(String::new(), |near| format!(": did you mean `{near}`?"));
    Err(Failure::usage(format!("there is no family of machines `{family}`{help}")))
}
