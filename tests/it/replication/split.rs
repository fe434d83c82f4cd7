//! Two primaries at once, and a promotion that is given up.

use super::*;

/// A scenario with a partition: the primary and one caller on one side, all other boxes on the other.
fn halves(failover: &str) -> String {
    let callers = ["east", "west"].map(|side| {
        format!(
            "[client.users-{side}]\ntarget = 'web-{side}'\nrate = '50/s'\ntimeout = '1s'\n[server.web-{side}]\n\
             public = true\ntimeout = '1s'\nworkers = 100000\ndb_pool = 100000\nmemory = '1024GiB'\nsteps = [{{ query = 'db' }}]\n"
        )
    });
    format!(
        "[run]\nduration = '200s'\nwarmup = '0s'\ntrials = 20\n[network]\nclient = '0ms'\nsame_zone = '0ms'\njitter = 0\n\
         [request.write]\neffect = 'write'\nkeys = 2000\n{}[database.db]\nconnections = 100000\n{FREE}\nreads = 'primary'\n\
         failover = {{ interval = '1s', misses = 2, promote = '1s', {failover} }}\n\
         [[fault]]\nkind = 'partition'\nbetween = [['db.primary', 'web-east'], ['db.replica-1', 'db.monitor', 'web-west']]\n\
         at = '20s'\nfor = '43s'\n",
        callers.concat()
    )
}

#[test]
fn in_a_partition_without_a_fence_both_sides_write() {
    // Two polls are lost, the first of them 0.5 s after the link on average, and the second times out at 22.5 s. The
    // election waits for the old primary's answer until 23.5 s, and promotion takes 1 s. So from 24.5 s on there are two
    // primaries, until the link heals at 63 s and the callers in the east learn of the new one.
    let trials = run(&halves("fenced = false, discover = '80s'"));
    let lost = |trial: &TrialRecord| data(trial).lost_writes as f64;
    check("lost", mean(&trials, lost), 50.0 * 43.0, 0.0);
    // The old primary is taken out at 22.5 + 80 s, and learns of the new log within a second. Its writes are in
    // conflict if their key has been written in the west since 24.5 s, at 50/s until 63 s and at 100/s after that.
    let low = 1.0 - libm::exp(-(50.0 * 38.5 + 100.0 * 39.0) / 2000.0);
    let high = 1.0 - libm::exp(-(50.0 * 38.5 + 100.0 * 41.1) / 2000.0);
    let share = |trial: &TrialRecord| data(trial).conflicting_writes as f64 / lost(trial);
    let (share, half) = mean(&trials, share);
    println!("conflicting: {share:.4} +- {half:.4}, expected {low:.4} to {high:.4}");
    assert!((low - 1.5 * half..high + 1.5 * half).contains(&share), "{share} +- {half}: not {low} to {high}");
    for trial in &trials {
        assert_eq!(data(trial).discarded_writes, data(trial).lost_writes);
    }
}

#[test]
fn in_a_partition_a_fence_costs_the_old_side_its_writes() {
    // The fence works out of band: the old primary takes no writes from 22.5 s on, on average, and the callers in the
    // east have no other until 63 s.
    let trials = run(&halves("fenced = true"));
    check("lost", mean(&trials, |trial| data(trial).lost_writes as f64), 50.0 * 2.5, 0.0);
    let failed = |trial: &TrialRecord| trial.classes[0].outcomes[1..].iter().sum::<u64>() as f64;
    // Writes fail in the east from 22.5 s to 63 s, and in the west from 20 s to 24.5 s.
    check("failed", mean(&trials, failed), 50.0 * 40.5 + 50.0 * 4.5, 0.0);
}

#[test]
fn a_replica_that_falls_silent_while_it_catches_up_is_given_up() {
    for fence in ["fenced = true", "fenced = false"] {
        // The replica applies 100 of 200 writes a second, so that it is far behind when the primary crashes at 10.5
        // s.
        let failover = format!(
            "failover = {{ interval = '1s', misses = 3, promote = '1s', pick = 'db.replica-1', {fence} }}"
        );
        let db = format!("{FREE}\n{failover}")
            .replace("replicas = 1", "replicas = 2")
            .replace("apply = { demand = '0ms' }", "apply = { demand = '10ms' }");
        let text =
            scenario_text("duration = '60s'\nwarmup = '0s'\ntrials = 2", WRITES, "rate = '200/s'", &db);
        let trials = run_with(&text, |sim, _| {
            operate(sim, &[(10.5, PRIMARY, Control::Crash), (15.0, REPLICA, Control::Hang)]);
        });
        for trial in &trials {
            // The primary is declared dead at 12.5 to 13.5 s. The replica does not answer three polls, of which the last
            // times out at 18 to 19 s. The other replica has then applied 1800 to 1900 of 2100 writes and needs 2 to 3
            // s more; it is promoted a second later, at 22 s.
            let rto = data(trial).rto_s.expect("an outage");
            assert!((10.5..13.0).contains(&rto), "{rto} s with {fence}");
            assert_eq!(data(trial).outages.len(), 1);
            assert_eq!(data(trial).lost_writes, 0);
        }
    }
}
