//! `outgrow check`: reads and checks scenarios, and simulates nothing.

use super::output::{print, say};
use super::source::{Override, Source};
use super::status::Status;
use super::{Ended, key_and_value};

/// Check scenarios without running them
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Path of a scenario, name of a built-in one, or - for stdin
    #[arg(value_name = "SCENARIO", required = true)]
    scenarios: Vec<String>,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    overrides: Vec<Override>,

    /// Treat warnings as errors
    #[arg(long)]
    strict: bool,
}

/// Checks all scenarios. Errors and warnings go to stderr, and a line for each valid scenario to stdout.
pub(super) fn run(args: &Args) -> Ended {
    let mut status = Status::Done;
    for argument in &args.scenarios {
        let checked = Source::find(argument).and_then(|source| source.check(&args.overrides));
        match checked {
            Err(failure) => {
                say(&failure.text);
                status = status.max(failure.status);
            }
            Ok(loaded) if loaded.warnings.is_empty() => print(&format!("{argument}: ok\n"))?,
            Ok(loaded) => {
                say(&loaded.warnings.render(true));
                let count = loaded.warnings.items.len();
                let noun = if count == 1 { "warning" } else { "warnings" };
                print(&format!("{argument}: {count} {noun}\n"))?;
                status = status.max(if args.strict { Status::BadScenario } else { Status::Done });
            }
        }
    }
    Ok(status)
}
