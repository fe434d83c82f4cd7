//! `outgrow man`: manual pages.

use std::path::{Path, PathBuf};

use clap_mangen::Man;

use super::Ended;
use super::output::{OutputFile, print};
use super::status::{Failure, Status};

/// Print the manual page, or write the pages of all commands into a folder
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder for one page a command; it must exist
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints or writes the pages.
pub(super) fn run(args: &Args) -> Ended {
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    match &args.out {
        None => print(&page(command)?)?,
        Some(folder) => {
            for subcommand in command.get_subcommands().filter(|one| !one.is_hide_set()) {
                let name = format!("outgrow-{}", subcommand.get_name());
                write(folder, subcommand.clone().display_name(&name))?;
            }
            write(folder, command)?;
        }
    }
    Ok(Status::Done)
}

fn write(folder: &Path, command: clap::Command) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let path = folder.join(format!("{name}.1"));
    OutputFile::prepare(&path)?.write(&page(command)?)
}

fn page(command: clap::Command) -> Result<String, Failure> {
    let mut roff = Vec::new();
    let rendered = Man::new(command).render(&mut roff);
    rendered.map_err(|error| Failure::failed(format!("cannot make the manual page: {error}")))?;
    Ok(String::from_utf8_lossy(&roff).into_owned())
}
