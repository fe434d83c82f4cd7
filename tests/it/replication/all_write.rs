//! Multi-primary and ring against closed forms.
//!
//! Each of N nodes takes Poisson writes at rate w to K keys alike, and learns of another's write after a delay. A write
//! loses when somebody else writes to its key without having learnt of it: another node does so at rate w/K for as long
//! as it has not. It is kept with exp(-w/K * sum of the delays to the others):
//!
//! * multi-primary, every delay D: sum (N-1) D, so that w^2 D N (N-1) / K writes a second are lost, to first order;
//! * ring, d hops after d D: sum D N (N-1) / 2, so that w^2 D N^2 (N-1) / (2 K) are: 12 and 112 times as many at 4 and 8
//!   nodes as at 2, about as N^3.

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

/// Share of the acknowledged writes that lose a conflict, at 10 writes/s a node, 100 keys and 50 ms: w D / K = 0.005.
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
    for (nodes, seconds) in [(2, 1600), (4, 800), (8, 60)] {
        let n = nodes as f64;
        let (share, half) = lost_share("ring", nodes, seconds);
        check("ring", (share, half), 1.0 - libm::exp(-0.005 * n * (n - 1.0) / 2.0), 0.0);
        // Pairs of writes that do not know of each other, a second: N w times the expected number against one write.
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
    for (nodes, seconds) in [(2, 1600), (4, 400), (8, 120)] {
        let lost = lost_share("multi-primary", nodes, seconds);
        check("multi-primary", lost, 1.0 - libm::exp(-0.005 * (nodes as f64 - 1.0)), 0.0);
    }
}

#[test]
fn batches_and_appliers_delay_a_ring_hop_by_hop() {
    // Each hop waits for the next batch: the sum over d hops of U(0, 200 ms) and then d - 1 whole intervals, since all
    // nodes cut their batches at the same moments. With D = 200 ms the sum of the mean delays to 3 others is
    // D (0.5 + 1.5 + 2.5), and the writes of one interval share their delay, which does not change the mean of pairs.
    let run_ = "duration = '600s'\nwarmup = '2s'\ntrials = 20";
    let trials = run(&database(4, run_, KEYED, 5.0, "ring", "ship = { every = '200ms' }"));
    let share = mean(&trials, |trial| data(trial).conflicting_writes as f64 / data(trial).writes as f64);
    // E over U of exp(-a (3 U + 3)), with a = w D / K = 0.01.
    let kept = libm::exp(-0.03) * (1.0 - libm::exp(-0.03)) / 0.03;
    check("batches", share, 1.0 - kept, 0.0);
}

#[test]
fn a_read_in_a_ring_is_stale_when_the_last_write_has_not_come_round() {
    // The last write to the key, of age Exp(N w / K), came from a node d = 0..3 hops away, each as likely.
    let classes =
        "[request.read]\nshare = 50\nkeys = 100\n[request.write]\nshare = 50\neffect = 'write'\nkeys = 100";
    let run_ = "duration = '500s'\nwarmup = '60s'\ntrials = 8";
    let trials = run(&database(4, run_, classes, 40.0, "ring", "ship = { delay = '200ms' }"));
    let late = |hops: f64| 1.0 - libm::exp(-4.0 * 20.0 / 100.0 * 0.2 * hops);
    let expected = (late(1.0) + late(2.0) + late(3.0)) / 4.0;
    let share = |trial: &TrialRecord| data(trial).stale_read_share().unwrap_or(f64::NAN);
    check("stale", mean(&trials, share), expected, 0.0);
}

/// Requests that did not end well.
fn failed(trial: &TrialRecord) -> u64 {
    trial.classes.iter().map(|class| class.outcomes[1..].iter().sum::<u64>()).sum()
}

/// Node 2 of 4 is gone from 10 s to 70 s of a trial whose measured time begins at 20 s.
fn without_node_2(topology: &str, seconds: u32) -> Vec<TrialRecord> {
    let classes =
        "[request.read]\nshare = 50\nkeys = 10\n[request.write]\nshare = 50\neffect = 'write'\nkeys = 10";
    let run_ = format!("duration = '{seconds}s'\nwarmup = '20s'\ntrials = 4");
    let text = database(4, &run_, classes, 100.0, topology, "");
    let fault = "[[fault]]\nkind = 'crash'\ntarget = 'db.node-2'\nat = '10s'\nfor = '60s'\n";
    run(&format!("{text}{fault}"))
}

#[test]
fn a_dead_node_of_a_ring_makes_those_after_it_stale_and_nobody_notices() {
    let trials = without_node_2("ring", 50);
    // Nodes 1, 3 and 4 take a third of the reads and writes each, those of node 2's callers too. Node 3 hears nobody,
    // node 4 hears node 3 alone, node 1 hears both: of the reads 2/3, 1/3 and 0 miss the last write to their key.
    let share = |trial: &TrialRecord| data(trial).stale_read_share().unwrap_or(f64::NAN);
    check("stale", mean(&trials, share), 1.0 / 3.0, 0.01);
    for trial in &trials {
        assert_eq!(failed(trial), 0, "no request fails");
        // Node 3 lacks what was written when node 2 went: the lag grows by a second a second.
        let lag = *data(trial).lag_series_s.last().expect("windows");
        assert!((59.0..60.0).contains(&lag), "{lag} s behind after 60 s");
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
        assert_eq!(data(&trial).stale_reads, 0, "all others have it at once");
        assert_eq!(component(&trial, "db.node-1").outcomes[1..].iter().sum::<u64>(), 0);
    }
}

#[test]
fn every_node_applies_what_the_others_write() {
    // 4 nodes, 10 writes/s each of 4 ms, applied in 2 ms: busy 0.04 + 3 * 0.02, in a ring as in a multi-primary.
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
