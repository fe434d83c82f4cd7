//! Replication against closed forms and published figures.

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::data::DataRecord;
use outgrow::model::record::{ComponentRecord, TrialRecord};
use outgrow::model::spec::NoFiles;
use outgrow::scenario::{self, build::build};
use rayon::prelude::*;

/// Trials of a scenario, in order.
fn run(text: &str) -> Vec<TrialRecord> {
    let loaded = scenario::load("test.toml", text, &[], &NoFiles, KINDS);
    let scenario = loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario;
    let trial = |index| {
        let seed = Seed::new(scenario.run.seed).trial(index);
        build(&scenario, seed).run(scenario.length(), &mut |_| false)
    };
    (0..u64::from(scenario.run.trials)).into_par_iter().map(trial).collect()
}

fn data(trial: &TrialRecord) -> &DataRecord {
    trial.data.as_ref().expect("the scenario has a replicated database")
}

fn component<'a>(trial: &'a TrialRecord, name: &str) -> &'a ComponentRecord {
    trial.components.iter().find(|component| component.name == name).expect("it is there")
}

/// Mean over the trials, and half the width of its 95 % interval (normal: enough trials).
fn mean(trials: &[TrialRecord], figure: impl Fn(&TrialRecord) -> f64) -> (f64, f64) {
    let values: Vec<f64> = trials.iter().map(figure).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (n - 1.0);
    (mean, 2.0 * (variance / n).sqrt())
}

/// The mean of a figure is `expected`, within the interval of three standard errors and a relative slack.
fn check(what: &str, (mean, half): (f64, f64), expected: f64, slack: f64) {
    let off = (mean - expected).abs();
    assert!(off <= 1.5 * half + slack * expected.abs(), "{what}: {mean} +- {half}, expected {expected}");
    println!("{what}: {mean:.5} +- {half:.5}, expected {expected:.5}");
}

/// Clients on a server that asks a database; `db` is the database's table, `load` the client's, `classes` the requests.
fn scenario_text(run: &str, classes: &str, load: &str, db: &str) -> String {
    format!(
        "[run]\n{run}\n[network]\nclient = '0ms'\nsame_zone = '0ms'\njitter = 0\n{classes}\n\
         [client.users]\ntarget = 'web'\n{load}\n[server.web]\npublic = true\nworkers = 100000\ndb_pool = 100000\n\
         memory = '1024GiB'\nsteps = [{{ query = 'db' }}]\n[database.db]\nconnections = 100000\n{db}\n"
    )
}

const WRITES: &str = "[request.write]\neffect = 'write'";
const MIXED: &str = "[request.read]\nshare = 50\n[request.write]\nshare = 50\neffect = 'write'";

/// A primary that costs nothing, so that only the mechanism under test takes time.
const FREE: &str = "read = '0ms'\nwrite = '0ms'\ncommit = '0ms'\nreplicas = 1\napply = { demand = '0ms' }";

#[test]
fn lag_grows_as_published_when_the_applier_cannot_keep_up() {
    // One applier at 225 us a write does 4444/s. After D = 540 s of lambda/s the oldest write that it lacks is
    // D (1 - mu / lambda) old: 60 s at 5000/s and 300 s at 10 000/s, as MySQL in the Aurora paper (SIGMOD 2017, table 4).
    for (rate, lag) in [(2000.0, 0.0), (5000.0, 60.0), (10_000.0, 300.0)] {
        // A tenth of the published time, so that the test takes seconds: lag is proportional to it.
        let load = format!("rate = '{rate}/s'");
        let db = "cores = 16\nwrite = '10us'\ncommit = '1ms'\nreplicas = 1\napply = { demand = '225us' }";
        let trials = run(&scenario_text("duration = '54s'\nwarmup = '0s'\ntrials = 2", WRITES, &load, db));
        let (last, _) = mean(&trials, |trial| *data(trial).lag_series_s.last().expect("windows"));
        let expected = lag / 10.0;
        assert!((last - expected).abs() < 0.02 * expected + 0.1, "{rate}/s: {last} s behind, not {expected}");
    }
}

#[test]
fn a_read_is_stale_while_a_write_to_its_key_is_on_its_way() {
    // Writes on their way are M/G/inf: P(stale) = 1 - exp(-w D), and w D versions behind on average.
    let db = format!("{FREE}\nship = {{ delay = '50ms' }}");
    let text = scenario_text("duration = '2000s'\nwarmup = '10s'\ntrials = 10", MIXED, "rate = '16/s'", &db);
    let trials = run(&text);
    check("stale", mean(&trials, |trial| data(trial).stale_read_share()), 0.329_679_954, 0.0);
    let behind = |trial: &TrialRecord| data(trial).versions_behind as f64 / data(trial).reads as f64;
    check("versions behind", mean(&trials, behind), 0.4, 0.0);
}

#[test]
fn with_keys_only_the_writes_to_a_reads_own_key_count() {
    let db = format!("{FREE}\nship = {{ delay = '50ms' }}");
    let keyed = "[request.read]\nshare = 50\nkeys = 4\n[request.write]\nshare = 50\neffect = 'write'\nkeys = 4";
    let text = scenario_text("duration = '2000s'\nwarmup = '10s'\ntrials = 10", keyed, "rate = '64/s'", &db);
    check("stale", mean(&run(&text), |trial| data(trial).stale_read_share()), 0.329_679_954, 0.0);
}

#[test]
fn batches_of_the_log_leave_a_lag_of_half_their_interval() {
    // Every 500 ms and 20 ms on the way: the replica is U(20, 520) ms old. Without a heartbeat its lag is the age of
    // the oldest write that it lacks: E[(A - Exp(w))+] = 0.27 - (1 - E[exp(-w A)]) / w = 0.22336 s at 20 writes/s.
    let db = format!("{FREE}\nship = {{ every = '500ms', delay = '20ms' }}");
    let trials = run(&scenario_text("duration = '1000s'\ntrials = 10", WRITES, "rate = '20/s'", &db));
    let aged = (f64::exp(-0.4) - f64::exp(-10.4)) / (20.0 * 0.5);
    check("lag", mean(&trials, |trial| data(trial).lag_mean_s), 0.27 - (1.0 - aged) / 20.0, 0.0);
    let longest = trials.iter().map(|trial| data(trial).lag_max_s).fold(0.0, f64::max);
    assert!((0.5..=0.52).contains(&longest), "{longest}");
}

#[test]
fn reads_scale_with_replicas_and_writes_do_not() {
    // Every node does w of the writes and its part of the reads.
    for (replicas, busy_replica) in [(1, 0.4 + 0.2), (2, 0.4 / 2.0 + 0.2), (4, 0.4 / 4.0 + 0.2)] {
        let db = format!(
            "read = '1ms'\nwrite = '2ms'\ncommit = '0ms'\nreplicas = {replicas}\nreads = 'replicas'\ncores = 1"
        );
        let classes = "[request.read]\nshare = 80\n[request.write]\nshare = 20\neffect = 'write'";
        let text = scenario_text("duration = '60s'\ntrials = 4", classes, "rate = '500/s'", &db);
        let trials = run(&text);
        let busy = |name: &'static str| {
            move |trial: &TrialRecord| {
                component(trial, name).machine.as_ref().expect("a machine").busy_cores_mean
            }
        };
        check("primary", mean(&trials, busy("db.primary")), 0.2, 0.01);
        check("replica", mean(&trials, busy("db.replica-1")), busy_replica, 0.01);
        assert!(trials.iter().all(|trial| component(trial, "db").machine.is_none()));
    }
}
