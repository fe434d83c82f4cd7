//! Replay of one trial up to a moment, as the message after a panic suggests.

use super::Ended;
use super::interrupt;
use super::output::print;
use super::status::Status;
use crate::kernel::random::Seed;
use crate::kernel::time::SimDuration;
use crate::model::simulation::Length;
use crate::scenario::Scenario;
use crate::scenario::build::build;

/// Runs one trial alone, up to `until` after its start or to its end, and prints its events and fingerprint. It has
/// no warm-up, because the trajectory does not depend on what is measured.
pub(super) fn replay(scenario: &Scenario, seed: u64, trial: u32, until: Option<SimDuration>) -> Ended {
    let length = Length { warmup: SimDuration::ZERO, measured: until.unwrap_or(scenario.run.length()) };
    let mut simulation = build(scenario, Seed::new(seed).trial(trial.into()));
    let record = simulation.run(length, &mut |_| interrupt::interrupted());
    print(&format!(
        "trial {trial} of seed {seed}, {} simulated: {} events, fingerprint {:016x}, {:?}\n",
        record.measured, record.events, record.fingerprint, record.stop
    ))?;
    Ok(if interrupt::interrupted() { Status::Interrupted } else { Status::Done })
}
