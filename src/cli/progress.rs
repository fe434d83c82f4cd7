//! The progress bar on stderr. It also reports an interrupt by Ctrl-C to the simulation.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::sync::Mutex;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt;
use super::output::say;
use crate::experiment::runner::Progress;

/// Steps of the bar for each trial.
const STEPS: u64 = 1000;

/// Shows the progress of the trials of one run, on a terminal only.
pub(super) struct Bar {
    bar: ProgressBar,
    /// The things that it counts, in plural.
    what: &'static str,
    /// Steps done by each trial.
    done: Mutex<Vec<u64>>,
}

impl Bar {
    /// A bar for this number of trials; more may be added. If `quiet`, it shows nothing.
    pub(super) fn new(trials: u32, quiet: bool) -> Bar {
        Bar::of(trials, "trials", quiet)
    }

    /// A bar for a number of things other than trials.
    pub(super) fn of(trials: u32, what: &'static str, quiet: bool) -> Bar {
        let bar = bar(u64::from(trials) * STEPS, quiet);
        bar.set_message(message(0, trials as usize, what));
        Bar { bar, what, done: Mutex::new(vec![0; trials as usize]) }
    }

    /// Removes the bar from the screen.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Number of points of a sweep after which a line tells the progress where there is no terminal.
const POINTS_A_LINE: usize = 10;

/// Shows the progress of a sweep, several points at once: as a bar on a terminal, else as a line now and then.
pub(super) struct PointsBar {
    bar: ProgressBar,
    points: usize,
    /// Whether lines take the place of the bar.
    lines: bool,
    state: Mutex<Points>,
}

/// The progress of a sweep.
struct Points {
    done: usize,
    /// Steps of the points that this run has finished.
    steps: u64,
    /// For each point under way, the finished share of each trial.
    under_way: BTreeMap<usize, Vec<f64>>,
}

impl PointsBar {
    /// A bar for a sweep of `points` points, of which `done` were finished by earlier runs.
    pub(super) fn new(points: usize, done: usize, quiet: bool) -> PointsBar {
        let bar = bar((points - done) as u64 * STEPS, quiet);
        bar.set_message(format!("{done} of {points} points"));
        let lines = !quiet && !std::io::stderr().is_terminal();
        PointsBar {
            bar,
            points,
            lines,
            state: Mutex::new(Points { done, steps: 0, under_way: BTreeMap::new() }),
        }
    }

    /// Notes that a point with this number of trials begins.
    pub(super) fn begin(&self, point: usize, trials: usize) {
        let mut state = self.state.lock().expect("nothing fails while the lock is held");
        state.under_way.insert(point, vec![0.0; trials]);
    }

    /// Notes that this share of a trial of a point is done.
    pub(super) fn advanced(&self, point: usize, trial: u32, share: f64) {
        let mut state = self.state.lock().expect("nothing fails while the lock is held");
        if let Some(shares) = state.under_way.get_mut(&point) {
            shares[trial as usize] = share;
        }
        let part = |shares: &Vec<f64>| shares.iter().sum::<f64>() / shares.len() as f64;
        let under_way = state.under_way.values().map(part).sum::<f64>();
        self.bar.set_position(state.steps + (under_way * STEPS as f64) as u64);
    }

    /// Notes that a point is done.
    pub(super) fn finished(&self, point: usize) {
        let mut state = self.state.lock().expect("nothing fails while the lock is held");
        state.under_way.remove(&point);
        state.done += 1;
        state.steps += STEPS;
        let message = format!("{} of {} points", state.done, self.points);
        if self.lines && state.done.is_multiple_of(POINTS_A_LINE) && state.done < self.points {
            say(&message);
        }
        self.bar.set_message(message);
    }

    /// Removes the bar from the screen.
    pub(super) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Shows the progress of a command whose number of simulations is not known beforehand, on a terminal only.
pub(super) struct Steps {
    line: ProgressBar,
}

impl Steps {
    /// A line without text. If `quiet`, it shows nothing.
    pub(super) fn new(quiet: bool) -> Steps {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let style =
            ProgressStyle::with_template("{spinner} {elapsed} {msg}").expect("the template is well formed");
        Steps { line: ProgressBar::with_draw_target(None, target).with_style(style) }
    }

    /// Shows what is being simulated now.
    pub(super) fn now(&self, message: String) {
        self.line.set_message(message);
    }

    /// Removes the line from the screen.
    pub(super) fn clear(&self) {
        self.line.finish_and_clear();
    }
}

impl Progress for Steps {
    fn advanced(&self, _trial: u32, _share: f64) {
        self.line.tick();
    }

    fn interrupted(&self) -> bool {
        interrupt::interrupted()
    }
}

/// A bar of `steps` steps, with the time left.
fn bar(steps: u64, quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let template = ProgressStyle::with_template("{bar:40} {msg}, {eta} left");
    let style = template.expect("the template is well formed").progress_chars("=> ");
    ProgressBar::with_draw_target(Some(steps), target).with_style(style)
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

    #[test]
    fn the_bar_of_a_sweep_counts_what_this_run_does() {
        let bar = PointsBar::new(10, 4, true);
        bar.begin(7, 4);
        bar.advanced(7, 2, 0.5);
        assert_eq!((bar.bar.position(), bar.bar.length()), (125, Some(6000)));
        bar.finished(7);
        bar.begin(8, 1);
        bar.advanced(8, 0, 0.25);
        assert_eq!((bar.bar.position(), bar.bar.message()), (1250, "5 of 10 points".into()));
    }
}
