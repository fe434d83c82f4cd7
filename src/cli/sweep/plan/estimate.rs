//! How long a sweep will take, from one timed trial near the middle of its grid.

use std::sync::Mutex;
#[allow(clippy::disallowed_types, reason = "it times a trial, and no result depends on it")]
use std::time::Instant;

use super::super::asked::{Asked, Prepared};
use crate::experiment::runner::{Progress, RunOptions, run};

/// Greatest time of the trial, in seconds. A longer one is stopped, and its time taken from the share that it has reached.
const SECONDS_MAX: f64 = 5.0;

/// A trial on the clock.
#[allow(clippy::disallowed_types, reason = "it times a trial, and no result depends on it")]
struct Timed {
    since: Instant,
    share: Mutex<f64>,
}

impl Progress for Timed {
    fn advanced(&self, _: u32, share: f64) {
        *self.share.lock().expect("nothing fails while the lock is held") = share;
    }

    fn interrupted(&self) -> bool {
        self.since.elapsed().as_secs_f64() > SECONDS_MAX
    }
}

/// What the sweep costs with this number of shards, of shards at once, and of threads each.
#[allow(clippy::disallowed_types, reason = "it times a trial, and no result depends on it")]
pub(super) fn text(
    asked: &Asked,
    prepared: &Prepared,
    (shards, workers, jobs): (usize, usize, usize),
) -> String {
    let middle = prepared.points.len() / 2;
    let at = prepared.grid.overrides(middle);
    let head = format!("{} points in {shards} shards", prepared.points.len());
    // The point was checked with all others.
    let Ok(loaded) = prepared.source.check(&[&prepared.base[..], &at].concat()) else { return head };
    let scenario = loaded.scenario;
    let trials = asked.trials.unwrap_or(scenario.run.trials);
    let options = RunOptions {
        seed: asked.seed.unwrap_or(scenario.run.seed),
        trials: 0..1,
        jobs: 1,
        length: scenario.length(),
    };
    let timed = Timed { since: Instant::now(), share: Mutex::new(0.0) };
    let _ = run(&scenario, &options, &timed);
    let share = timed.share.into_inner().expect("nothing fails while the lock is held");
    if share <= 0.0 {
        return format!("{head}; one trial takes so long that its time cannot be told");
    }
    let one = timed.since.elapsed().as_secs_f64() / share;
    let all = one * f64::from(trials) * prepared.points.len() as f64;
    let wall = all / (workers * jobs) as f64;
    let at: Vec<String> = at.iter().map(|(key, value)| format!("{key}={value}")).collect();
    format!(
        "{head}: about {} of CPU time, as a trial of point {middle} ({}) takes {} and a point has {trials}; about {} with \
         {workers} shards at once",
        about(all),
        at.join(" "),
        about(one),
        about(wall)
    )
}

/// A time to two digits.
fn about(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s < 0.1 => (s * 1e3, "ms"),
        s if s < 100.0 => (s, "s"),
        s if s < 6000.0 => (s / 60.0, "min"),
        s => (s / 3600.0, "h"),
    };
    if value < 10.0 { format!("{value:.1} {unit}") } else { format!("{value:.0} {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_that_suits_them() {
        let said = [0.0042, 0.5, 48.3, 130.0, 7200.0, 360_000.0].map(about);
        assert_eq!(said, ["4.2 ms", "0.5 s", "48 s", "2.2 min", "2.0 h", "100 h"]);
    }
}
