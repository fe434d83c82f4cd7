//! Hand-made trials and small scenarios for the tests of this layer.

use crate::components::KINDS;
use crate::kernel::time::SimDuration;
use crate::model::record::{
    ClassRecord, ClassWindow, ComponentRecord, ComponentWindow, MachineRecord, Stop, TrialRecord, Window,
};
use crate::model::signal::Outcome;
use crate::model::simulation::Length;
use crate::model::spec::NoFiles;
use crate::scenario::{Scenario, load};
use crate::stats::batch::BatchMeans;
use crate::stats::histogram::Histogram;
use crate::stats::tally::Tally;

use super::result::RunResult;
use super::runner::{RunOptions, Trials};

/// A scenario with one core that does exponential work of 10 ms in order of arrival; 2 s of warm-up and 10 s measured.
pub(super) fn scenario(rate: &str) -> Scenario {
    from_text(&format!(
        "[run]\nduration = '10s'\nwarmup = '2s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
         [client.users]\nrate = '{rate}'\ntarget = 'box'\n\
         [server.box]\npublic = true\ncores = 1\nscheduling = 'fifo'\nworkers = 100000\nmemory_per_call = '1KiB'\n\
         steps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]\n"
    ))
}

pub(super) fn from_text(text: &str) -> Scenario {
    load("a.toml", text, &[], &NoFiles, KINDS)
        .unwrap_or_else(|found| panic!("{}", found.render(false)))
        .scenario
}

pub(super) fn options(trials: u32) -> RunOptions {
    let length = Length { warmup: SimDuration::from_secs(2), measured: SimDuration::from_secs(10) };
    RunOptions { seed: 7, trials: 0..trials, jobs: 1, length }
}

/// The result of these trials, as if they were of a scenario with 5 requests a second.
pub(super) fn result(records: Vec<TrialRecord>) -> RunResult {
    let trials = Trials { records, complete: true, precision: None };
    RunResult::new(&scenario("5/s"), &options(trials.records.len() as u32), &trials)
}

/// A trial of ten seconds after two of warm-up, in which `box` answered requests after these times in milliseconds,
/// while `db` on the same machine had nothing to do.
pub(super) fn trial(responses_ms: &[u64]) -> TrialRecord {
    let mut class = ClassRecord::default();
    for ms in responses_ms {
        let nanos = ms * 1_000_000;
        class.ok.record(nanos);
        class.ended.record(nanos);
        class.response.record(nanos);
    }
    let count = responses_ms.len() as u64;
    (class.issued, class.completed, class.attempts) = (count, count, count);
    class.outcomes[Outcome::Ok as usize] = count;
    TrialRecord {
        stop: Stop::Finished,
        measured: SimDuration::from_secs(10),
        events: 10,
        fingerprint: count,
        classes: vec![class],
        components: vec![component("box", count), component("db", 0)],
        in_flight_mean: 1.0,
        carried_in: 0,
        batches: BatchMeans::default(),
        parts: Vec::new(),
        windows: (0..120).map(|index| window(f64::from(index) * 0.1)).collect(),
        timeline: Vec::new(),
        random_faults: Vec::new(),
        ledgers: Vec::new(),
    }
}

fn window(start_s: f64) -> Window {
    Window {
        start_s,
        length_s: 0.1,
        issued: 10,
        ok: 9,
        failed: 1,
        p99: Some(50_000_000),
        response_sum: 9 * 20_000_000,
        components: vec![
            ComponentWindow { inside: 1.0, ..ComponentWindow::default() },
            ComponentWindow::default(),
        ],
        classes: vec![ClassWindow { issued: 10, ok: 10, failed: 0, attempts: 10 }],
    }
}

fn component(name: &str, ok: u64) -> ComponentRecord {
    ComponentRecord {
        name: name.into(),
        group: name.into(),
        kind: "server",
        arrived: ok,
        outcomes: [ok, 0, 0, 0, 0, 0, 0, 0],
        own: [0; 8],
        passed: 0,
        in_vain: 0,
        dropped: 0,
        passed_on: 0,
        gauges: Vec::new(),
        response: Tally::default(),
        wait: Tally::default(),
        waits: Histogram::default(),
        asked: 0,
        inside_mean: 1.0,
        inside_max: 5,
        queue_mean: 0.0,
        queue_max: 0,
        slots_held: None,
        machine: Some(MachineRecord {
            host: "box".into(),
            cores: 2,
            busy_cores_mean: 1.5,
            memory_max: 1 << 30,
            memory_total: 4 << 30,
            disk_utilisation: None,
            price: 0.5,
            rented: 1.0,
        }),
    }
}
