//! `outgrow play`: a page that runs scenarios in a browser.

pub(super) mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::page::{Opened, Opening};
use super::output::{OutputFile, claim_input, claim_output, print};
use super::source::{Override, Source};
use super::status::{Failure, Status};
use super::{Ended, key_and_value, language};
use crate::report::lang::Lang;

/// Write a page that runs scenarios in a browser, without a server or a network
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Paths of scenarios, names of built-in ones, or - for stdin; the page opens with the first one
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "play.html")]
    output: PathBuf,

    /// Change a key before reading, as in web.count=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value, requires = "scenarios")]
    overrides: Vec<Override>,

    /// Language of the page; by default that of the browser
    #[arg(long, value_name = "LANGUAGE", value_parser = language())]
    lang: Option<Lang>,

    /// Open the page in the browser
    #[arg(long)]
    open: bool,

    /// The page that playground/build.sh has built, for a program that was built without it
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
}

/// Writes the page.
pub(super) fn run(args: &Args) -> Ended {
    claim_output(&args.output)?;
    let template = template(args)?;
    let opened = args.scenarios.iter().map(|argument| Opened::of(&Source::find(argument)?, &args.overrides));
    let scenarios = opened.collect::<Result<_, Failure>>()?;
    let opening = Opening { scenarios, language: args.lang.map(Lang::code), compares: false };
    let Some(page) = page::with(&template, &opening) else {
        let path = args.page.as_deref().unwrap_or_else(|| "".as_ref()).display();
        return Err(Failure::failed(format!("`{path}` is not the page that playground/build.sh builds")));
    };
    OutputFile::prepare(&args.output)?.write(page)?;
    let name = args.output.display();
    if args.open && show(&args.output) {
        print(&format!("{name}: it opens in your browser\n"))?;
    } else {
        print(&format!("{name}: open it in a browser\n"))?;
    }
    Ok(Status::Done)
}

/// The page without scenarios of a command line.
fn template(args: &Args) -> Result<String, Failure> {
    let Some(path) = &args.page else {
        let help = "this program was built without the playground: outgrow play --page FILE, with the file \
                    target/playground/play.html that playground/build.sh builds";
        return page::PAGE.map(str::to_owned).ok_or_else(|| Failure::failed(help));
    };
    claim_input(path).map_err(Failure::failed)?;
    fs::read_to_string(path)
        .map_err(|error| Failure::failed(format!("cannot read `{}`: {error}", path.display())))
}

/// Whether the system's own program for files has taken the page.
fn show(path: &Path) -> bool {
    let command = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    Command::new(command).arg(path).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| {
        // The explorer of Windows ends with 1 when all is well.
        status.success() || cfg!(windows)
    })
}
