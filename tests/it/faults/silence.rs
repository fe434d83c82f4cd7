//! Connections that are open while nothing comes through: kernels send again what has not been acknowledged.

use super::*;

/// A user of one connection who thinks for a second, and a server: the first call is made at 1 s. There is a partition between them.
fn silence(work_ms: u32, at: &str, length: &str, more: &str) -> String {
    format!(
        "[run]\nduration = '60s'\nwarmup = '0s'\n[network]\nclient = '0s'\njitter = 0\n\
         [client.u]\nusers = 1\nthink_time = '1s'\ntarget = 'b'\ntimeout = '50s'\nkeep_alive = '10s'\n\
         [server.b]\npublic = true\nsteps = [{{ wait = '{work_ms}ms' }}]\n\
         [[fault]]\nkind = 'partition'\nbetween = ['u', 'b']\nat = '{at}'\nfor = '{length}'\n{more}"
    )
}

/// The longest response time of a run, in seconds, and the number of requests that failed.
fn longest(text: &str) -> (f64, u64) {
    let record = run(text);
    let class = &record.classes[0];
    (class.ok.quantile(1.0) as f64 / 1e9, class.ended.count() - class.ok.count())
}

#[test]
fn an_answer_comes_with_the_first_try_after_a_partition() {
    // Sent at 1.3 s, and again 0.2, 0.4, 0.8, 1.6, 3.2, 6.4 and 12.8 s later. Linux 6.18: 0.86 s after the first time if the silence ends
    // 0.5 s after it, 1.71 s if it ends after 1 s, and so on, in `data/validation/real.json`.
    for (heals, comes) in
        [(0.1, 0.2), (0.3, 0.4), (0.5, 0.8), (1.0, 1.6), (3.0, 3.2), (5.0, 6.4), (10.0, 12.8)]
    {
        let (found, failed) = longest(&silence(300, "1.2s", &format!("{}ms", (heals + 0.1) * 1000.0), ""));
        assert!((found - 0.3 - comes).abs() < 0.01 && failed == 0, "{heals} s: {found} s");
    }
}

#[test]
fn a_call_over_an_open_connection_is_sent_again_sooner_than_an_attempt_to_connect() {
    // The first call opens the connection. The second one is made at 2.001 s, in a partition that ends 0.3 s later.
    let text = silence(1, "1.5s", "801ms", "");
    assert!((longest(&text).0 - 0.401).abs() < 0.01, "{:?}", longest(&text));
    // Without a connection the kernel tries to connect again after a second.
    let opens = text.replace("keep_alive = '10s'", "keep_alive = '500ms'");
    assert!((longest(&opens).0 - 1.001).abs() < 0.01, "{:?}", longest(&opens));
}

#[test]
fn a_kernel_sends_the_answers_of_a_dead_process_and_none_without_power() {
    let dies = |kind: &str| {
        let fault = format!("[[fault]]\nkind = '{kind}'\ntarget = 'b'\nat = '1.4s'\nfor = '100ms'\n");
        longest(&silence(300, "1.2s", "600ms", &fault))
    };
    let (found, failed) = dies("crash");
    assert!((found - 0.3 - 0.8).abs() < 0.01 && failed == 0, "{found}");
    let (found, failed) = dies("power-off");
    assert!(found < 0.31 && failed == 1, "its user waits in vain: {found} {failed}");
}

#[test]
fn who_waits_for_longer_than_a_kernel_tries_sees_the_connection_break() {
    let patient = |length: &str| {
        let text = silence(300, "1.2s", length, "").replace("'60s'", "'2000s'").replace("'50s'", "'1h'");
        let record = run(&text);
        (count(&record, Outcome::Unavailable), record.classes[0].ok.quantile(1.0) as f64 / 1e9)
    };
    // Sent for the last time 804.8 s after the first one, and given up 120 s later.
    let (broken, longest) = patient("804s");
    assert!(broken == 0 && (longest - 0.3 - 804.8).abs() < 0.1 * 805.0 / 16.0, "{broken} {longest}");
    let (broken, longest) = patient("900s");
    assert!(broken == 1 && longest < 10.0, "{broken} {longest}");
}

#[test]
fn a_target_without_power_costs_the_time_limit_of_answers_over_connections_that_are_kept() {
    // A balancer tries the other target after a second without a connection. Over a connection that it has kept it waits for the answer,
    // and does not send a write again, which may have been done.
    let text = |upstream: &str, effect: &str| {
        format!(
            "[run]\nduration = '60s'\nwarmup = '0s'\n[network]\nclient = '0s'\njitter = 0\n[request.r]\neffect = '{effect}'\n\
             [client.u]\nrate = '20/s'\narrivals = {{ dist = 'constant' }}\ntarget = 'lb'\ntimeout = '30s'\n\
             [balancer.lb]\npublic = true\ntargets = ['b']\npolicy = 'round-robin'\nconnect_timeout = '1s'\ntimeout = '3s'\nretries = 1\n\
             {upstream}\nhealth = {{ interval = '500ms', timeout = '500ms', fall = 2 }}\n\
             [server.b]\ncount = 2\nidle_timeout = '30s'\nsteps = [{{ wait = '20ms' }}]\n\
             [[fault]]\nkind = 'power-off'\ntarget = 'b-1'\nat = '20.01s'\n"
        )
    };
    let opened = run(&text("", "write"));
    let kept = run(&text("upstream = { keep_alive = '20s' }", "write"));
    let longest = |record: &TrialRecord| record.classes[0].ok.quantile(1.0) as f64 / 1e9;
    assert_eq!(count(&opened, Outcome::TimedOut), 0, "what has no connection is tried elsewhere");
    assert!((longest(&opened) - 1.02).abs() < 0.05, "{}", longest(&opened));
    let lost = count(&kept, Outcome::TimedOut);
    assert_eq!(lost, 1, "one connection was kept, and its write may have been done");
    let read = run(&text("upstream = { keep_alive = '20s' }\nretries_on = ['connect', 'timeout']", "read"));
    assert_eq!(count(&read, Outcome::TimedOut), 0, "a read is sent again");
    assert!((longest(&read) - 3.02).abs() < 0.05, "{}", longest(&read));
    // Its machine is back after a second: its kernel resets a connection of which it knows nothing.
    let back = text("upstream = { keep_alive = '20s' }", "write").replace("'20.01s'", "'20.01s'\nfor = '1s'");
    assert_eq!(count(&run(&back), Outcome::Unavailable), 1);
}

#[test]
fn a_machine_that_is_given_back_sends_no_answer_again() {
    // Two workers have done a message each when nothing comes through. One machine goes meanwhile: its message is done again 10 s later.
    let text = |scale: &str| {
        let text = format!(
            "[run]\nduration = '30s'\nwarmup = '0s'\ntrials = 1\n[network]\nclient = '0s'\njitter = 0\n\
             [client.u]\nusers = 4\nthink_time = '990ms'\ntarget = 'w'\n\
             [server.w]\npublic = true\nsteps = [{{ call = 'jobs' }}]\n\
             [queue.jobs]\nvisibility = '10s'\nworkers = 2\ntarget = 'b'\n\
             [server.b]\ncount = 2\nsteps = [{{ wait = '300ms' }}]\n{scale}\
             [[fault]]\nkind = 'partition'\nbetween = ['jobs', 'b']\nat = '1.2s'\nfor = '2s'\n"
        );
        crate::cache::values(&text, ["redelivered(jobs)"])[0]
    };
    assert_eq!(text(""), 0.0, "both answers come when the partition is over");
    assert_eq!(text("[[operation]]\nkind = 'scale'\ntarget = 'b'\nto = 1\nat = '1.35s'\n"), 1.0);
}
