//! Machines that stand still, have no power, or run a process that hangs; and listen queues that are full.

use super::*;

/// A box of every kind on a path: users, a name, a balancer with a machine, a server, a cache, a queue and a database.
const EVERY_KIND: &str = "[run]\nduration = '60s'\nwarmup = '0s'\n[network]\nclient = '20ms'\n\
    [request.read]\nkeys = 100\n[request.write]\neffect = 'write'\nkeys = 100\n\
    [client.users]\nrate = '50/s'\ntarget = 'www'\nretry = { attempts = 3, backoff = '100ms' }\n\
    [dns.www]\nrecords = ['lb']\nttl = '1s'\nhealth = { interval = '2s', misses = 2 }\n\
    [balancer.lb]\npublic = true\ntargets = ['web']\ndemand = '0.1ms'\nstandby = true\n\
    health = { interval = '1s', fall = 2 }\n\
    [server.web]\ncount = 2\nsteps = [{ cpu = '2ms' }, { wait = '5ms' }, { query = 'memo' }, { call = 'jobs' }]\n\
    [cache.memo]\ntarget = 'db'\nttl = '500ms'\n[queue.jobs]\ntarget = 'mill'\n\
    [server.mill]\nsteps = [{ cpu = '1ms' }, { query = 'db' }]\n\
    [database.db]\nreplicas = 1\nreads = 'replicas'\ndisk = {}\nworking_set = '8GiB'\nbuffer = '1GiB'\n\
    failover = { interval = '5s', misses = 6, promote = '1s' }\n";

#[test]
fn nothing_leaves_a_machine_that_stands_still_or_has_no_power() {
    // The model asserts in builds for tests that a component whose machine does not work sends nothing, makes no call and answers
    // none. Here every kind of box is hit, alone and all together.
    let boxes = ["www", "lb", "web-1", "web", "memo", "jobs", "mill", "db.primary", "db.replica-1", "db"];
    for kind in ["pause", "power-off"] {
        for target in boxes {
            if kind == "pause" && ["www", "jobs"].contains(&target) {
                continue;
            }
            let fault = format!("[[fault]]\nkind = '{kind}'\ntarget = '{target}'\nat = '10s'\nfor = '12s'\n");
            let record = run(&format!("{EVERY_KIND}{fault}"));
            let begins = if kind == "pause" { "pause" } else { "power off" };
            assert!(
                events(&record).iter().any(|event| event.0 == 10.0 && event.2 == begins),
                "{kind} {target}"
            );
            let (_, ok, _) = between(&record, 50.0, 60.0);
            assert!(ok > 400, "{kind} {target}: {ok} are served when it is over");
        }
    }
}

#[test]
fn work_that_ends_when_a_fault_begins_has_ended_before_it() {
    // Three jobs of 5 s, one after the other, from 5 s on: they end at 10, 20 and 25 s, because the second pause begins at 10 s.
    let text = |second: &str| {
        format!(
            "[run]\nduration = '40s'\nwarmup = '0s'\n[network]\nclient = '0s'\n\
             [client.users]\nrate = '3/s'\narrivals = {{ dist = 'constant' }}\ntarget = 's'\ntimeout = '10min'\n\
             profile = {{ steps = [['0s', 1], ['1s', 0]] }}\n\
             [server.s]\npublic = true\nworkers = 1\nsteps = [{{ cpu = '5s' }}]\n\
             [[fault]]\nkind = 'pause'\ntarget = 's'\nat = '0s'\nfor = '5s'\n\
             [[fault]]\nkind = 'pause'\ntarget = 's'\nat = '{second}'\nfor = '5s'\n"
        )
    };
    let ends = |text: &str| {
        let ended = run(text).windows;
        ended.iter().filter(|window| window.ok > 0).map(|window| window.start_s.round()).collect::<Vec<f64>>()
    };
    assert_eq!(ends(&text("10s")), [10.0, 20.0, 25.0]);
    assert_eq!(ends(&text("10.000001s")), [10.0, 20.0, 25.0]);
}

#[test]
fn a_full_listen_queue_drops_what_comes_and_kernels_try_again() {
    // 260 calls a second for 200, and room for 20 connections. Linux 6.18 refused none of 7825 (`tcp_abort_on_overflow` 0). A server
    // that takes a connection when its request is there answered 194 a second in three runs: its workers are never idle.
    let text = "[run]\nduration = '30s'\nwarmup = '5s'\n[network]\nclient = '1ms'\n\
        [client.u]\nrate = '260/s'\ntarget = 'b'\ntimeout = '20s'\n\
        [server.b]\npublic = true\nworkers = 4\nqueue = 0\nbacklog = 20\n\
        steps = [{ wait = { dist = 'exponential', mean = '20ms' } }]\n";
    let record = run(text);
    assert_eq!((count(&record, Outcome::Unavailable), count(&record, Outcome::Rejected)), (0, 0));
    let rate = between(&record, 5.0, 30.0).1 as f64 / 25.0;
    assert!((194.0..206.0).contains(&rate), "{rate} answers a second");
    // Answers come within half a second of an attempt to connect: of the first one, or of that 1, 2, 3, 4, 5 or 7 s later.
    let per_mille = |from: f64, to: f64| {
        let at = |n: u32| record.classes[0].ok.quantile(f64::from(n) / 1000.0) as f64 / 1e9;
        (1..1000).filter(|n| (from..to).contains(&at(*n))).count()
    };
    for (from, to) in [(0.5, 1.0), (1.5, 2.0), (2.5, 3.0), (3.5, 4.0), (4.5, 5.0), (5.5, 7.0), (7.5, 11.0)] {
        assert!(per_mille(from, to) <= 1, "{from} to {to} s: {}", per_mille(from, to));
    }
    for (attempt, least) in [(0.0, 100), (1.0, 50), (2.0, 50), (3.0, 30), (4.0, 20), (5.0, 20), (7.0, 20)] {
        let found = per_mille(attempt, attempt + 0.5);
        assert!(found > least, "{attempt} s: {found}");
    }
    let refused = run(&text.replace("backlog = 20", "backlog = 20\noverflow = 'refuse'"));
    assert!(
        count(&refused, Outcome::Unavailable) > 1000 && refused.classes[0].ok.quantile(1.0) < 1_000_000_000
    );
}

/// Three servers behind a balancer with checks, of which the first fails at 20 s.
fn balanced(kind: &str, balancer: &str, server: &str) -> String {
    format!(
        "[run]\nduration = '60s'\nwarmup = '10s'\n[client.u]\nrate = '60/s'\ntarget = 'lb'\ntimeout = '20s'\n\
         [balancer.lb]\npublic = true\ntargets = ['b']\npolicy = 'round-robin'\n{balancer}\n\
         [server.b]\ncount = 3\nsteps = [{{ wait = '20ms' }}]\n{server}\n\
         [[fault]]\nkind = '{kind}'\ntarget = 'b-1'\nat = '20s'\n"
    )
}

/// Seconds from the fault at 20 s until the first server is out of the balancer, in each of 20 trials.
fn noticed_after(text: &str) -> Vec<f64> {
    let scenario = scenario(text);
    let out = |index| {
        let record = trial(&scenario, index);
        let out = events(&record).into_iter().find(|event| event.1 == "b-1" && event.2 == "out of balancer");
        out.expect("it is noticed").0 - 20.0
    };
    (0..20).into_par_iter().map(out).collect()
}

#[test]
fn a_process_that_hangs_takes_connections_until_its_listen_queue_is_full() {
    // 20 calls a second, and a check every two seconds, fill 128 places in 6.2 s. From then on checks have no answer within 1 s, and
    // the third of them fails 6 to 8 s after the first attempt in vain.
    let checks = "timeout = '2s'\nhealth = { interval = '2s', timeout = '1s', fall = 3, rise = 2 }";
    let text = balanced("hang", checks, "workers = 4\nqueue = 0\nbacklog = 128");
    let after = noticed_after(&text);
    assert!(after.iter().all(|after| (11.5..18.0).contains(after)), "{after:?}");
    let record = run(&text);
    let hung = record.components.iter().find(|one| one.name == "b-1").expect("it is there");
    assert!(hung.slots_held.expect("its workers") <= 1.0, "{:?}", hung.slots_held);
    assert!((120..=132).contains(&hung.inside_max), "{}", hung.inside_max);
}

#[test]
fn a_machine_without_power_is_noticed_when_its_checks_have_been_waited_for() {
    // U(0, 2 s) + 2 s + 2 x (2 s + 2 s). HAProxy 2.6.12: 10.6 s, 10.4 to 10.9 s in ten runs.
    let after =
        noticed_after(&balanced("power-off", "timeout = '5s'\nhealth = { interval = '2s', fall = 3 }", ""));
    assert!(after.iter().all(|after| (9.99..12.01).contains(after)), "{after:?}");
    close("noticed after", &after, 11.0);
    let refused = noticed_after(&balanced("crash", "health = { interval = '2s', fall = 3 }", ""));
    assert!(refused.iter().all(|after| (3.99..6.01).contains(after)), "{refused:?}");
}

#[test]
fn behind_nginx_a_machine_without_power_costs_time_and_no_error() {
    // nginx 1.22.1, 30/s for 85 s, one of three machines silent for 40 s: no error, 387 of 2536 requests slow, half of them by more
    // than 19.6 s, the slowest took 60.1 s.
    let text = balanced("power-off", "preset = 'nginx'", "")
        .replace("duration = '60s'\nwarmup = '10s'", "duration = '85s'\nwarmup = '0s'")
        .replace("rate = '60/s'", "rate = '30/s'")
        .replace("timeout = '20s'", "timeout = '70s'")
        .replace("at = '20s'", "at = '6s'\nfor = '40s'");
    let record = run(&text.replace("policy = 'round-robin'\n", ""));
    assert_eq!(record.classes[0].outcomes[1..], [0; 7]);
    let ok = &record.classes[0].ok;
    let slow = (1..1000).filter(|n| ok.quantile(f64::from(*n) / 1000.0) > 500_000_000).count();
    assert!((100..200).contains(&slow), "{slow} per mille are slow");
    assert!((60.0..60.3).contains(&(ok.quantile(1.0) as f64 / 1e9)), "{}", ok.quantile(1.0));
}
