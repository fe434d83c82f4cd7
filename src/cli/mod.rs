//! The command line: the only layer that knows the terminal, files and the wall clock.

pub mod builtin;
mod capacity;
mod check;
mod climb;
mod compare;
mod completions;
mod designs;
mod explain;
mod fit;
mod holder;
mod import;
mod interrupt;
mod journal;
mod learn;
mod list;
mod man;
mod new;
mod options;
mod output;
mod panic;
mod pictures;
mod play;
mod progress;
mod replay;
mod run;
mod schema;
mod shard;
mod shell;
mod source;
mod status;
mod style;
mod sweep;
mod trace;
mod validate;
mod year;

use std::process::ExitCode;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory, Parser, Subcommand};

use self::status::{Failure, Status};
use crate::report::{self, lang::Lang};

/// Shows where a web architecture breaks before its users do.
///
/// Simulates what the boxes of an architecture diagram do to requests, and says what users see, what binds and why.
#[derive(Debug, Parser)]
#[command(name = "outgrow", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
SCENARIO is the path of a scenario file, the name of a built-in scenario (outgrow list), or - for stdin.

Text is 100 columns wide on every terminal, so that it is the same everywhere. On a narrower one
`outgrow run SCENARIO | less -S` does not break its tables and timelines.

Exit status: 0 done; 1 failed; 2 bad usage; 3 bad scenario; 4 a goal does not hold;
5 points of a sweep are missing; 130 interrupted.";

/// One variant for each command; its arguments and its code are in the file of its name.
#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Args),
    Compare(compare::Args),
    Capacity(capacity::Args),
    Climb(climb::Args),
    Year(year::Args),
    Sweep(sweep::Args),
    Check(check::Args),
    Explain(explain::Args),
    Fit(fit::Args),
    Trace(trace::Args),
    Play(play::Args),
    Learn(learn::Args),
    Validate(validate::Args),
    Import(import::Args),
    List(list::Args),
    New(new::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// Runs the program on its command line.
#[must_use]
pub fn main() -> ExitCode {
    panic::install();
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command,
        Err(said) => return explained(&said),
    };
    // The panic hook has printed what happened, and nothing of the broken state is used again.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| dispatch(&command)));
    let status = match ended {
        Ok(Ok(status)) => status,
        Ok(Err(Failure { status, text })) => {
            output::say(&text);
            status
        }
        Err(_) => Status::Failed,
    };
    status.into()
}

/// Prints help, the version, or what is wrong with the command line. Help that cannot be written is a failure, unless its
/// reader has heard enough.
fn explained(said: &clap::Error) -> ExitCode {
    match said.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Status::Failed.into(),
        _ => ExitCode::from(said.exit_code() as u8),
    }
}

fn dispatch(command: &Command) -> Ended {
    // A report that goes elsewhere has a hundred columns, whatever the terminal.
    if let Some((terminal_size::Width(columns), _)) = terminal_size::terminal_size_of(std::io::stdout()) {
        report::fit(usize::from(columns));
    }
    match command {
        Command::Run(args) => run::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Capacity(args) => capacity::run(args),
        Command::Climb(args) => climb::run(args),
        Command::Year(args) => year::run(args),
        Command::Sweep(args) => sweep::run(args),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Fit(args) => fit::run(args),
        Command::Trace(args) => trace::run(args),
        Command::Play(args) => play::run(args),
        Command::Learn(args) => learn::run(args),
        Command::Validate(args) => validate::run(args),
        Command::Import(args) => import::run(args),
        Command::List(args) => list::run(args),
        Command::New(args) => new::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

/// The whole command line as data, for manual pages and completions.
fn command() -> clap::Command {
    Cli::command()
}

/// The end of a command: its status, or why it failed.
type Ended = Result<Status, Failure>;

/// Reads a language.
fn language() -> impl TypedValueParser<Value = Lang> {
    PossibleValuesParser::new(Lang::ALL.map(Lang::code)).map(|code| Lang::of_locale(&code))
}

/// Reads `KEY=VALUE`.
fn key_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().into(), value.into())),
        _ => Err("expected KEY=VALUE, as in web.count=8".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }

    #[test]
    fn a_value_may_hold_equals_signs() {
        assert_eq!(key_and_value("a.b=c=d"), Ok(("a.b".into(), "c=d".into())));
        assert!(key_and_value("web.count").is_err() && key_and_value("=8").is_err());
    }
}
