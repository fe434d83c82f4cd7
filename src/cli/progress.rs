//! The progress bar on stderr, and Ctrl-C for those who have seen enough of it.

use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt;
use crate::experiment::runner::Progress;

/// Steps of the bar for each trial.
const STEPS: u64 = 1000;

/// Watches the trials of one run. The bar shows itself only on a terminal.
pub(super) struct Bar {
    bar: ProgressBar,
    /// What it counts.
    what: &'static str,
    /// Steps that each trial has done.
    done: Mutex<Vec<u64>>,
}

impl Bar {
    /// A bar for that many trials; more may come. A quiet one shows nothing.
    pub(super) fn new(trials: u32, quiet: bool) -> Bar {
        Bar::of(trials, "trials", quiet)
    }

    /// The same for other things that take their time.
    pub(super) fn of(trials: u32, what: &'static str, quiet: bool) -> Bar {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let template = ProgressStyle::with_template("{bar:40} {msg}, {eta} left");
        let style = template.expect("the template is well formed").progress_chars("=> ");
        let bar = ProgressBar::with_draw_target(Some(u64::from(trials) * STEPS), target).with_style(style);
        bar.set_message(message(0, trials as usize, what));
        Bar { bar, what, done: Mutex::new(vec![0; trials as usize]) }
    }

    /// Takes the bar off the screen.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn message(ended: usize, trials: usize, what: &str) -> String {
    format!("{ended} of {trials} {what}")
}

impl Progress for Bar {
    fn advanced(&self, trial: u32, share: f64) {
        let mut done = self.done.lock().expect("nothing fails while the lock is held");
        let trial = trial as usize;
        if trial >= done.len() {
            done.resize(trial + 1, 0);
            self.bar.set_length(done.len() as u64 * STEPS);
        }
        done[trial] = done[trial].max((share * STEPS as f64) as u64);
        let ended = done.iter().filter(|steps| **steps == STEPS).count();
        self.bar.set_message(message(ended, done.len(), self.what));
        self.bar.set_position(done.iter().sum());
    }

    fn interrupted(&self) -> bool {
        interrupt::interrupted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_adds_up_what_the_trials_have_done() {
        let bar = Bar::new(2, true);
        bar.advanced(0, 1.0);
        bar.advanced(1, 0.25);
        assert_eq!((bar.bar.position(), bar.bar.message()), (1250, "1 of 2 trials".into()));
        bar.advanced(3, 0.5);
        assert_eq!((bar.bar.position(), bar.bar.length()), (1750, Some(4000)));
    }
}
