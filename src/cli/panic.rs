//! The message after a panic, which is a defect of the simulator: it has the command that replays it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::RefCell;
use std::panic::{self, PanicHookInfo};
use std::sync::Mutex;

use super::output::say;
use super::style;
use crate::experiment::runner::{Position, position};
use crate::model::quantity::Duration;

/// The command of the run under way, without seed and trial.
static RUN: Mutex<String> = Mutex::new(String::new());

thread_local! {
    /// The command of the calling thread's run, if several runs are under way at once.
    static OWN_RUN: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics print what happened, and the command that replays it.
pub(super) fn install() {
    panic::set_hook(Box::new(|info| say(&message(info))));
}

/// Notes the command of the run that begins now.
pub(super) fn running(command_line: String) {
    if let Ok(mut run) = RUN.lock() {
        *run = command_line;
    }
}

/// Notes the command of the run that the calling thread begins now, if threads have different runs.
pub(super) fn running_here(command_line: String) {
    OWN_RUN.set(Some(command_line));
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or(String::new(), |location| format!(" ({location})"));
    let payload = info.payload();
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let what = text.or(payload.downcast_ref::<&str>().copied()).unwrap_or("no message");
    let mut text = format!("{} this is a defect of outgrow: {what}{place}", style::error("error:"));
    if let (Some(position), Ok(run)) = (position(), RUN.lock()) {
        let run = OWN_RUN.take().unwrap_or_else(|| run.clone());
        text.push_str(&format!("\nthis replays it: {}", replay_line(&run, position)));
    }
    // Captured only if RUST_BACKTRACE asks for it, as in any Rust program.
    let trace = Backtrace::capture();
    if trace.status() == BacktraceStatus::Captured {
        text.push_str(&format!("\n{trace}"));
    }
    text
}

fn replay_line(run: &str, Position { seed, trial, until }: Position) -> String {
    format!("{run} --seed {seed} --trial {trial} --until {}", Duration(until))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;

    #[test]
    fn the_line_can_be_typed_as_it_is() {
        let position = Position { seed: 7, trial: 3, until: SimDuration::from_millis(12_500) };
        assert_eq!(
            replay_line("outgrow run x.toml", position),
            "outgrow run x.toml --seed 7 --trial 3 --until 12500ms"
        );
    }
}
