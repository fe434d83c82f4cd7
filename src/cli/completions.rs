//! `outgrow completions`: prints a completion script for a shell.

use clap_complete::Shell;

use super::Ended;
use super::output::print;
use super::status::Status;

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script.
pub(super) fn run(args: &Args) -> Ended {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "outgrow", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Status::Done)
}
