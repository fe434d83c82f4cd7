//! Multi-primary and ring against closed forms.
//!
//! Each of N nodes takes Poisson writes at rate w, uniformly over K keys, and learns of another node's write after a
//! delay. A write is lost if another node writes to its key without having learnt of it, which happens at rate w/K
//! during the delay. It is kept with probability exp(-w/K * sum of the delays to the other nodes):
//!
//! * Multi-primary, every delay D: the sum is (N-1) D, so that w^2 D N (N-1) / K writes a second are lost, to first
//!   order.
//! * Ring, d hops take d D: the sum is D N (N-1) / 2, so that w^2 D N^2 (N-1) / (2 K) are lost. That is 12 times as
//!   many with 4 nodes as with 2, and 112 times as many with 8: it grows about as N^3.

use super::*;

/// A client and its server for each node, so that every node has a Poisson stream of its own.
fn database(nodes: usize, run: &str, classes: &str, rate: f64, topology: &str, more: &str) -> String {
    let callers = (1..=nodes).map(|caller| {
        format!(
            "[client.users-{caller}]\ntarget = 'web-of-{caller}'\nrate = '{rate}/s'\n[server.web-of-{caller}]\n\
             public = true\nworkers = 100000\ndb_pool = 100000\nmemory = '1024GiB'\nsteps = [{{ query = 'db' }}]\n"
        )
    });
    format!(
        "[run]\n{run}\n[network]\nclient = '0ms'\nsame_zone = '0ms'\njitter = 0\n{classes}\n{}\
         [database.db]\nconnections = 100000\nread = '0ms'\nwrite = '0ms'\ncommit = '0ms'\napply = {{ demand = '0ms' }}\n\
         topology = '{topology}'\nnodes = {nodes}\n{more}\n",
        callers.collect::<String>()
    )
}

const KEYED: &str = "[request.write]\neffect = 'write'\nkeys = 100";

/// The share of acknowledged writes that lose a conflict, and its half-width, at 10 writes/s a node, 100 keys and 50
/// ms: w D / K = 0.005.
fn lost_share(topology: &str, nodes: usize, seconds: u32) -> (f64, f64) {
    let run_ = format!("duration = '{seconds}s'\nwarmup = '2s'\ntrials = 20");
    let trials = run(&database(nodes, &run_, KEYED, 10.0, topology, "ship = { delay = '50ms' }"));
    for trial in &trials {
        assert_eq!(data(trial).lost_writes, data(trial).conflicting_writes);
        assert_eq!(data(trial).rto_s, None);
    }
    mean(&trials, |trial| data(trial).conflicting_writes as f64 / data(trial).writes as f64)
}

#[test]
fn conflicts_of_a_ring_grow_as_the_cube_of_its_nodes() {
    let mut pairs = Vec::new();
    for (nodes, seconds) in [(2, 3200), (4, 800), (8, 60)] {
        let n = nodes as f64;
        let (share, half) = lost_share("ring", nodes, seconds);
        check("ring", (share, half), 1.0 - libm::exp(-0.005 * n * (n - 1.0) / 2.0), 0.0);
        // Pairs of writes a second that do not know of each other: N w times the expected number for one write.
        pairs.push(-n * 10.0 * libm::log(1.0 - share));
    }
    for (pairs_here, times) in [(pairs[1], 12.0), (pairs[2], 112.0)] {
        let ratio = pairs_here / pairs[0];
        println!("{ratio} times as many, expected {times}");
        assert!((ratio / times - 1.0).abs() < 0.1, "{ratio}, not {times} times as many");
    }
}

#[test]
fn conflicts_of_a_multi_primary_grow_as_the_square_of_its_nodes() {
    for (nodes, seconds) in [(2, 3200), (4, 400), (8, 120)] {
        let lost = lost_share("multi-primary", nodes, seconds);
        check("multi-primary", lost, 1.0 - libm::exp(-0.005 * (nodes as f64 - 1.0)), 0.0);
    }
}

#[test]
fn batches_and_appliers_delay_a_ring_hop_by_hop() {
    // Each hop waits for the next batch of its node, a uniform time from 0 to D = 200 ms, because each node has its own
    // clock. The delays to 3 other nodes sum to 3 U + 2 V + W of such times. The writes of one interval share their
    // delay, which does not change the mean number of pairs.
    let run_ = "duration = '600s'\nwarmup = '2s'\ntrials = 20";
    let trials = run(&database(4, run_, KEYED, 5.0, "ring", "ship = { every = '200ms' }"));
    let share = mean(&trials, |trial| data(trial).conflicting_writes as f64 / data(trial).writes as f64);
    // The mean of exp(-a (3 U + 2 V + W)), with a = w D / K = 0.01.
    let mean_of = |x: f64| (1.0 - libm::exp(-x)) / x;
    check("batches", share, 1.0 - mean_of(0.03) * mean_of(0.02) * mean_of(0.01), 0.0);
}

#[test]
fn a_read_in_a_ring_is_stale_when_the_last_write_has_not_come_round() {
    // The last write to the key has an exponential age of rate N w / K, and came from a node 0 to 3 hops away, all
    // equally likely.
    let classes =
        "[request.read]\nshare = 50\nkeys = 100\n[request.write]\nshare = 50\neffect = 'write'\nkeys = 100";
    let run_ = "duration = '500s'\nwarmup = '60s'\ntrials = 8";
    let trials = run(&database(4, run_, classes, 40.0, "ring", "ship = { delay = '200ms' }"));
    let late = |hops: f64| 1.0 - libm::exp(-4.0 * 20.0 / 100.0 * 0.2 * hops);
    let expected = (late(1.0) + late(2.0) + late(3.0)) / 4.0;
    let share = |trial: &TrialRecord| data(trial).stale_read_share().unwrap_or(f64::NAN);
    check("stale", mean(&trials, share), expected, 0.0);
}

/// Number of requests that failed.
fn failed(trial: &TrialRecord) -> u64 {
    trial.classes.iter().map(|class| class.outcomes[1..].iter().sum::<u64>()).sum()
}

/// Runs trials in which node 2 of 4 is down from 10 s to 70 s. The measured time begins at 20 s.
fn without_node_2(topology: &str, seconds: u32) -> Vec<TrialRecord> {
    let classes =
        "[request.read]\nshare = 50\nkeys = 10\n[request.write]\nshare = 50\neffect = 'write'\nkeys = 10";
    let run_ = format!("duration = '{seconds}s'\nwarmup = '20s'\ntrials = 4");
    let text = database(4, &run_, classes, 100.0, topology, "");
    let fault = "[[fault]]\nkind = 'crash'\ntarget = 'db.node-2'\nat = '10s'\nfor = '60s'\n";
    run(&format!("{text}{fault}"))
}

#[test]
fn a_dead_node_of_a_ring_makes_those_after_it_stale_and_no_request_fails() {
    let trials = without_node_2("ring", 49);
    // Nodes 1, 3 and 4 take a third of the reads and writes each, including those of node 2's callers. Node 3
    // receives nothing, node 4 receives from node 3, node 1 from both. So 2/3, 1/3 and 0 of their reads miss the last
    // write to their key.
    let share = |trial: &TrialRecord| data(trial).stale_read_share().unwrap_or(f64::NAN);
    check("stale", mean(&trials, share), 1.0 / 3.0, 0.01);
    for trial in &trials {
        assert_eq!(failed(trial), 0, "no request fails");
        // Node 3 lacks all writes since node 2 crashed, so that the lag grows by a second each second.
        let lag = *data(trial).lag_series_s.last().expect("windows");
        assert!((58.0..59.0).contains(&lag), "{lag} s behind after 59 s");
    }
}

#[test]
fn a_node_that_is_back_hands_on_all_that_was_missed() {
    for trial in without_node_2("ring", 80) {
        assert_eq!(failed(&trial), 0);
        assert!(data(&trial).lag_max_s > 59.0);
        assert!(data(&trial).lag_series_s.last().is_some_and(|&lag| lag < 0.01));
    }
}

#[test]
fn a_dead_node_of_a_multi_primary_leaves_the_others_fresh() {
    for trial in without_node_2("multi-primary", 50) {
        assert_eq!(failed(&trial), 0, "its callers use another node");
        assert_eq!(data(&trial).stale_reads, 0, "the other nodes have every write at once");
        assert_eq!(component(&trial, "db.node-1").outcomes[1..].iter().sum::<u64>(), 0);
    }
}

#[test]
fn every_node_applies_what_the_others_write() {
    // Each of 4 nodes takes 10 writes/s of 4 ms and applies those of the others in 2 ms: it is busy for 0.04 + 3 *
    // 0.02, in a ring as in a multi-primary.
    for topology in ["ring", "multi-primary"] {
        let run_ = "duration = '60s'\nwarmup = '5s'\ntrials = 8";
        let text = database(4, run_, KEYED, 10.0, topology, "cores = 1")
            .replace("write = '0ms'", "write = '4ms'")
            .replace("demand = '0ms'", "demand = '2ms'");
        let busy = |trial: &TrialRecord| {
            component(trial, "db.node-3").machine.as_ref().expect("a machine").busy_cores_mean
        };
        check(topology, mean(&run(&text), busy), 0.04 + 3.0 * 0.02, 0.0);
    }
}
