//! Faults against closed forms: availability, refusals, time-outs and disasters; and a fault shifts no unrelated
//! random draws.

mod machines;
mod silence;

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::TrialRecord;
use outgrow::model::signal::Outcome;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};
use rayon::prelude::*;

fn scenario(text: &str) -> Scenario {
    let loaded = load("faults.toml", text, &[], &NoFiles, KINDS);
    loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario
}

fn trial(scenario: &Scenario, index: u64) -> TrialRecord {
    build(scenario, Seed::new(7).trial(index)).run(scenario.length(), &mut |_progress| false)
}

fn run(text: &str) -> TrialRecord {
    trial(&scenario(text), 0)
}

/// A figure of each of `count` trials, in order.
fn trials(text: &str, count: u64, figure: impl Fn(&TrialRecord) -> f64 + Sync) -> Vec<f64> {
    let scenario = scenario(text);
    (0..count).into_par_iter().map(|index| figure(&trial(&scenario, index))).collect()
}

/// The mean, and four standard errors of it: a sound test fails once in 16 000 runs.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, 4.0 * (variance / n).sqrt())
}

#[track_caller]
fn close(name: &str, values: &[f64], expected: f64) {
    let (mean, half) = mean(values);
    println!("{name}: {mean:.6} +- {half:.6}, expected {expected:.6}");
    assert!((mean - expected).abs() <= half, "{name}: {mean} +- {half}, expected {expected}");
}

/// The share of ended requests that ended ok.
fn availability(record: &TrialRecord) -> f64 {
    let outcomes = record.classes[0].outcomes;
    outcomes[Outcome::Ok as usize] as f64 / outcomes.iter().sum::<u64>() as f64
}

fn count(record: &TrialRecord, outcome: Outcome) -> u64 {
    record.classes[0].outcomes[outcome as usize]
}

/// Numbers of requests issued, ended ok and failed between two times of the trial, in seconds.
fn between(record: &TrialRecord, from: f64, to: f64) -> (u64, u64, u64) {
    let windows = record.windows.iter();
    let inside = windows
        .filter(|window| window.start_s >= from - 1e-6 && window.start_s + window.length_s <= to + 1e-6);
    inside.fold((0, 0, 0), |sum, window| (sum.0 + window.issued, sum.1 + window.ok, sum.2 + window.failed))
}

fn events(record: &TrialRecord) -> Vec<(f64, &str, &str)> {
    record
        .timeline
        .iter()
        .map(|note| (note.at.as_secs_f64(), note.component.as_str(), &*note.event))
        .collect()
}

/// An open load on one machine without network delay and with little work.
const ONE: &str = "[run]\nduration = '10min'\nwarmup = '0s'\n[network]\nclient = '0s'\n\
    [client.users]\nrate = '20/s'\ntarget = 'web'\ntimeout = '2s'\n\
    [server.web]\npublic = true\nsteps = [{ cpu = '1ms' }]\n";

#[test]
fn three_minutes_of_ten_cost_three_tenths_of_an_open_load() {
    let text = format!("{ONE}[[fault]]\nkind = 'crash'\ntarget = 'web'\nat = '5min'\nfor = '3min'\n");
    close("availability", &trials(&text, 20, availability), 0.7);
    let record = run(&text);
    assert_eq!(events(&record), [(300.0, "web", "crash"), (480.0, "web", "recover")]);
    let (issued, ok, failed) = between(&record, 300.0, 480.0);
    assert!(issued > 3000 && ok <= 1 && failed + 5 >= issued, "{issued} {ok} {failed}");
}

#[test]
fn a_machine_that_fails_at_random_is_up_mtbf_over_mtbf_plus_mttr() {
    // Case availability-single-onoff: 95 s up and 5 s down, both exponential. Poisson arrivals see time averages.
    let text = "[run]\nduration = '1000s'\nwarmup = '100s'\n[network]\nclient = '0s'\n\
        [client.users]\nrate = '10/s'\ntarget = 'web'\n[server.web]\npublic = true\nsteps = [{ wait = '0s' }]\n\
        [[fault]]\nkind = 'crash'\ntarget = 'web'\nmtbf = '95s'\nmttr = '5s'\n";
    let up = trials(text, 400, availability);
    close("availability", &up, 0.95);
    // The variance of the share of time up in 1000 s, plus the binomial variance of 10 000 requests.
    let (mean, _) = mean(&up);
    let variance = up.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (up.len() - 1) as f64;
    let expected = 0.000_449_106_562_5 + 0.95 * 0.05 / 10_000.0;
    println!("variance {variance:.3e}, expected {expected:.3e}");
    assert!((variance / expected - 1.0).abs() < 0.3, "variance {variance}, expected {expected}");
}

#[test]
fn of_three_machines_two_are_up_as_the_binomial_law_says() {
    // Case availability-2of3 with other times, so that there are many failures: 10 s up and 2 s down.
    let text = "[run]\nduration = '1000s'\nwarmup = '50s'\n[network]\nclient = '0s'\njitter = 0\n\
        [client.users]\nrate = '5/s'\ntarget = 'web'\n[server.web]\npublic = true\ncount = 3\nsteps = [{ wait = '0s' }]\n\
        [[fault]]\nkind = 'crash'\ntarget = 'web'\nmtbf = '10s'\nmttr = '2s'\n";
    let up = |record: &TrialRecord| {
        // The share of time with at least two of three machines up, from the timeline. The timeline is bounded, so it
        // may end before the trial.
        let (mut down, mut last, mut good, mut total) = (0, 0.0, 0.0, 0.0);
        for (at, _, event) in events(record) {
            let elapsed = at - last;
            total += elapsed;
            good += if down <= 1 { elapsed } else { 0.0 };
            down = if event == "crash" { down + 1 } else { down - 1 };
            last = at;
        }
        good / total
    };
    close("two of three", &trials(text, 60, up), outgrow::theory::availability::k_of_n(2, 3, 10.0 / 12.0));
    // Requests go to the three machines in turn, and a machine that is down refuses them.
    close("one of three", &trials(text, 60, availability), 10.0 / 12.0);
}

#[test]
fn requests_that_a_pause_keeps_wait_as_white_and_christie_say() {
    // Case breakdown-mm1-resume: M/M/1 with rates 50 and 100, up 60 s and paused 5 s on average: 862.797 ms.
    let text = "[run]\nduration = '3000s'\nwarmup = '300s'\n[network]\nclient = '0s'\n\
        [client.users]\nrate = '50/s'\ntarget = 'web'\ntimeout = '1h'\n\
        [server.web]\npublic = true\nscheduling = 'fifo'\nworkers = 100000\nmemory = '1TiB'\n\
        steps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]\n\
        [[fault]]\nkind = 'pause'\ntarget = 'web'\nmtbf = '60s'\nmttr = '5s'\n";
    let mean_s = trials(text, 40, |record| record.classes[0].response.mean() / 1e9);
    close("response time", &mean_s, 0.862_797_202_797);
}

#[test]
fn a_process_that_hangs_lets_all_calls_wait_and_loses_them_when_it_is_restarted() {
    // A server with a `queue` of its own has a listen queue of 4096, which does not fill here.
    let one = ONE.replace("public = true", "public = true\nqueue = 7992");
    let text = format!("{one}[[fault]]\nkind = 'hang'\ntarget = 'web'\nat = '5min'\nfor = '1min'\n");
    let record = run(&text);
    assert_eq!(events(&record), [(300.0, "web", "hang"), (360.0, "web", "crash"), (360.0, "web", "recover")]);
    let (issued, ..) = between(&record, 300.0, 360.0);
    // Requests of the last two seconds see the connection break at the restart. All others time out.
    let (timed_out, broken) = (count(&record, Outcome::TimedOut), count(&record, Outcome::Unavailable));
    assert!(
        timed_out + broken == issued || timed_out + broken == issued + 1,
        "{timed_out} {broken} {issued}"
    );
    assert!((20..60).contains(&broken), "{broken}");
    assert_eq!(between(&record, 361.0, 600.0).2, 0, "no request fails after the restart");
}

#[test]
fn a_machine_at_half_its_speed_takes_twice_as_long() {
    let text = "[run]\nduration = '10min'\nwarmup = '0s'\n[network]\nclient = '0s'\n\
        [client.users]\nrate = '1/s'\ntarget = 'web'\n\
        [server.web]\npublic = true\nsteps = [{ cpu = '10ms' }]\n\
        [[fault]]\nkind = 'slow'\nfactor = 2\ntarget = 'web'\nat = '5min'\nfor = '2min'\n\
        [[fault]]\nkind = 'slow'\nfactor = 3\ntarget = 'web'\nat = '6min'\nfor = '2min'\n";
    let record = run(text);
    let median = |from: f64, to: f64| {
        let windows = record.windows.iter().filter(|window| window.start_s >= from && window.start_s < to);
        let mut means: Vec<f64> =
            windows.filter(|window| window.ok == 1).map(|window| window.response_sum as f64 / 1e6).collect();
        means.sort_by(f64::total_cmp);
        means[means.len() / 2]
    };
    // The factors of two faults at once multiply, and each fault ends by itself.
    for (from, to, expected) in
        [(0.0, 300.0, 10.0), (300.0, 360.0, 20.0), (360.0, 420.0, 60.0), (420.0, 480.0, 30.0)]
    {
        let found = median(from, to);
        assert!((found / expected - 1.0).abs() < 1e-3, "{from}: {found}, expected {expected}");
    }
    assert!((median(481.0, 600.0) - 10.0).abs() < 0.01);
}

#[test]
fn faults_that_overlap_are_over_with_the_last_of_them() {
    let text = format!(
        "{ONE}[[fault]]\nkind = 'crash'\ntarget = 'web'\nat = '2min'\nfor = '2min'\n\
         [[fault]]\nkind = 'crash'\ntarget = 'web'\nat = '3min'\nfor = '3min'\n"
    );
    let record = run(&text);
    assert_eq!(events(&record), [(120.0, "web", "crash"), (360.0, "web", "recover")]);
}

/// A server that asks a database on another machine.
const TWO: &str = "[run]\nduration = '5min'\nwarmup = '0s'\n[network]\nclient = '0s'\nsame_zone = '2ms'\njitter = 0\n\
    [client.users]\nrate = '20/s'\ntarget = 'web'\ntimeout = '3s'\n\
    [server.web]\npublic = true\nTIMEOUT\nsteps = [{ query = 'db' }]\n\
    [database.db]\nread = '1ms'\n";

#[test]
fn a_partition_is_silent_and_leaves_nothing_behind() {
    let fault = "[[fault]]\nkind = 'partition'\nbetween = ['web', 'db']\nat = '1min'\nfor = '1min'\n";
    let text = format!("{}{fault}", TWO.replace("TIMEOUT", "timeout = '1s'"));
    let record = run(&text);
    assert_eq!(events(&record), [(60.0, "web | db", "partition"), (120.0, "web | db", "partition heals")]);
    let (_, ok, failed) = between(&record, 62.0, 119.0);
    assert!(ok == 0 && failed > 500, "{ok} {failed}");
    assert_eq!(count(&record, Outcome::Unavailable), 0, "no request is refused; all wait in vain");
    // During the partition ten connections, each held for 1 s, do 10 of 20 queries a second. The backlog is gone soon
    // after it heals.
    let (issued, ok, failed) = between(&record, 125.0, 300.0);
    assert!(failed == 0 && ok.abs_diff(issued) <= 2, "{issued} {ok} {failed}");
    assert_eq!(record.classes[0].in_flight(), 0);

    // A server without time-out waits on. Its kernel tries again to connect 35 and 67 s after it has tried first, so that the ten
    // queries of the first second get through between 127 and 129 s, and nothing is left of the outage.
    let patient = run(&format!("{}{fault}", TWO.replace("TIMEOUT", "")));
    let (_, ok, failed) = between(&patient, 65.0, 126.9);
    assert!(ok == 0 && failed > 1000, "{ok} {failed}");
    let (issued, ok, failed) = between(&patient, 132.0, 300.0);
    assert!(failed == 0 && ok.abs_diff(issued) <= 2, "{issued} {ok} {failed}");
}

#[test]
fn a_target_is_cut_off_from_all_others() {
    let fault = "[[fault]]\nkind = 'partition'\ntarget = 'web'\nat = '1min'\nfor = '1min'\n";
    let record = run(&format!("{}{fault}", TWO.replace("TIMEOUT", "timeout = '1s'")));
    let (_, ok, failed) = between(&record, 64.0, 119.0);
    assert!(ok == 0 && failed > 900, "{ok} {failed}");
    assert_eq!(between(&record, 124.0, 300.0).2, 0);
}

#[test]
fn lost_packets_and_longer_ways_add_what_they_must() {
    let text = |fault: &str| {
        format!(
            "[run]\nduration = '1000s'\nwarmup = '0s'\n[network]\nclient = '20ms'\njitter = 0\n\
             [client.users]\nrate = '20/s'\ntarget = 'web'\n[server.web]\npublic = true\nsteps = [{{ wait = '5ms' }}]\n{fault}"
        )
    };
    let mean_ms = |record: &TrialRecord| record.classes[0].response.mean() / 1e6;
    let slower =
        run(&text("[[fault]]\nkind = 'latency'\nbetween = ['users', 'web']\nadd = '80ms'\nat = '0s'\n"));
    assert!((mean_ms(&slower) - 105.0).abs() < 0.001, "{}", mean_ms(&slower));
    // A message is sent again after 0.2 s and the round trip of 20 ms, and then after once, twice, four times as long. With a loss of p it
    // takes 220 ms x (p + p^2 / (1 - 2 p)) longer each way, on top of the 25 ms of a request.
    let lossy = text("[[fault]]\nkind = 'packet-loss'\ntarget = 'web'\nshare = '5%'\nat = '0s'\n");
    close("packet loss", &trials(&lossy, 20, mean_ms), 25.0 + 2.0 * 220.0 * (0.05 + 0.05 * 0.05 / 0.9));
}

#[test]
fn boxes_on_one_machine_share_its_power_but_neither_their_crashes_nor_their_hangs() {
    let text = |fault: &str| {
        format!(
            "[run]\nduration = '5min'\nwarmup = '0s'\n[client.users]\nrate = '20/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\ncores = 2\nsteps = [{{ cpu = '1ms' }}]\n[server.batch]\non = 'web'\npublic = true\n\
             steps = [{{ cpu = '1ms' }}]\n[client.others]\nrate = '20/s'\ntarget = 'batch'\n\
             [[fault]]\n{fault}\nat = '1min'\nfor = '1min'\n"
        )
    };
    for target in ["web", "batch"] {
        let record = run(&text(&format!("kind = 'power-off'\ntarget = '{target}'")));
        let mut down: Vec<&str> =
            events(&record).iter().filter(|event| event.2 == "power off").map(|event| event.1).collect();
        down.sort_unstable();
        assert_eq!(down, ["batch", "web"], "{target}");
        // Nobody is refused. Users wait for 30 s. The last attempt of a kernel to connect before that is sent 19 s after the first,
        // so that the users of the last 19 s are served.
        assert_eq!(count(&record, Outcome::Unavailable), 0);
        assert!((availability(&record) - 259.0 / 300.0).abs() < 0.015, "{}", availability(&record));
    }
    for kind in ["crash", "hang"] {
        let record = run(&text(&format!("kind = '{kind}'\ntarget = 'batch'")));
        let outcomes =
            |name: &str| record.components.iter().find(|one| one.name == name).expect("it is there").outcomes;
        assert_eq!(outcomes("web")[1..].iter().sum::<u64>(), 0);
        assert!(outcomes("batch")[0] < outcomes("web")[0] * 9 / 10);
    }
}

#[test]
fn a_deployment_takes_one_after_the_other() {
    let text = format!(
        "{}[[fault]]\nkind = 'deploy'\ntarget = 'web'\nat = '1min'\nfor = '20s'\npause = '10s'\n",
        ONE.replace("public = true", "public = true\ncount = 4")
    );
    let record = run(&text);
    let expected = (0..4).flat_map(|turn| {
        let at = 60.0 + 30.0 * f64::from(turn);
        [(at, turn + 1, "crash"), (at + 20.0, turn + 1, "recover")]
    });
    let found = events(&record);
    assert_eq!(found.len(), 8);
    for ((at, member, event), found) in expected.zip(found) {
        assert_eq!((at, format!("web-{member}").as_str(), event), found);
    }
    // The client asks the four members in turn, so that one request in four meets the one that is down.
    let (issued, _, failed) = between(&record, 60.0, 170.0);
    assert!((failed as f64 / issued as f64 - 0.25 * 80.0 / 110.0).abs() < 0.02, "{failed} of {issued}");
}

#[test]
fn a_full_disk_fails_writes_and_an_empty_name_server_everything_that_is_not_cached() {
    let text = "[run]\nduration = '5min'\nwarmup = '0s'\n[request.read]\nshare = 1\n[request.write]\nshare = 1\neffect = 'write'\n\
        [client.users]\nrate = '20/s'\ntarget = 'web'\n[server.web]\npublic = true\nsteps = [{ query = 'db' }]\n[database.db]\n\
        [[fault]]\nkind = 'disk-full'\ntarget = 'db'\nat = '1min'\nfor = '1min'\n";
    let record = run(text);
    assert_eq!(events(&record), [(60.0, "db", "disk full"), (120.0, "db", "disk has room")]);
    assert_eq!(record.classes[0].outcomes[1..].iter().sum::<u64>(), 0);
    assert!(record.classes[1].outcomes[Outcome::Rejected as usize].abs_diff(600) < 100);

    // One resolver that is asked often. Its answer lasts 60 s, so that 100 s without records are 40 to 100 s without
    // answers.
    let text = "[run]\nduration = '5min'\nwarmup = '0s'\n[client.users]\nrate = '50/s'\ntarget = 'www'\nresolvers = 1\n\
        [dns.www]\nrecords = ['web']\nttl = '60s'\n[server.web]\npublic = true\nsteps = [{ cpu = '1ms' }]\n\
        [[fault]]\nkind = 'dns-empty'\ntarget = 'www'\nat = '100s'\nfor = '100s'\n";
    let record = run(text);
    // The last answer has expired by 160 s. From 200 s on there are new ones.
    let (_, ok, failed) = between(&record, 160.0, 200.0);
    assert!(ok <= 3 && failed > 1900, "{ok} {failed}");
    assert_eq!((between(&record, 0.0, 100.0).2, between(&record, 201.0, 300.0).2), (0, 0));
}

#[test]
fn a_name_server_that_is_silent_is_asked_twice_for_five_seconds() {
    let text = "[run]\nduration = '2min'\nwarmup = '0s'\n[network]\nclient = '0s'\n\
        [client.users]\nrate = '50/s'\ntarget = 'www'\nresolvers = 1\ntimeout = '1min'\n\
        [dns.www]\nrecords = ['web']\nttl = '1s'\n[server.web]\npublic = true\nsteps = [{ cpu = '1ms' }]\n\
        [[fault]]\nkind = 'partition'\nbetween = ['users', 'www']\nat = '30s'\nfor = '1min'\n";
    let record = run(text);
    assert!(count(&record, Outcome::Unavailable) > 2000);
    assert_eq!(count(&record, Outcome::TimedOut), 0);
    // No user waits longer than for two lookups of five seconds.
    assert!(
        record.classes[0].ended.quantile(1.0) <= 10_200_000_000,
        "{}",
        record.classes[0].ended.quantile(1.0)
    );
    assert_eq!(between(&record, 101.0, 120.0).2, 0);
}

/// A name with a standby, behind this number of resolvers, and a crash of the first record.
fn failover(resolvers: u32, rate: u32) -> String {
    format!(
        "[run]\nduration = '6min'\nwarmup = '0s'\n[client.users]\nrate = '{rate}/s'\ntarget = 'www'\nresolvers = {resolvers}\n\
         [dns.www]\nrecords = ['a', 'b']\nttl = '60s'\npolicy = 'failover'\nhealth = {{ interval = '30s', misses = 3 }}\n\
         [server.a]\npublic = true\nsteps = [{{ wait = '0s' }}]\n[server.b]\npublic = true\nsteps = [{{ wait = '0s' }}]\n\
         [[fault]]\nkind = 'crash'\ntarget = 'a'\nat = '150s'\n"
    )
}

#[test]
fn a_failover_by_name_takes_at_most_its_checks_and_the_time_to_live() {
    let scenario = scenario(&failover(20, 100));
    let last_failure = |index| {
        let record = trial(&scenario, index);
        let failing = record.windows.iter().filter(|window| window.failed > 0);
        failing.map(|window| window.start_s + window.length_s - 150.0).fold(0.0, f64::max)
    };
    let outages: Vec<f64> = (0..40).into_par_iter().map(last_failure).collect();
    let longest = outages.iter().copied().fold(0.0, f64::max);
    let shortest = outages.iter().copied().fold(f64::MAX, f64::min);
    println!("outages from {shortest} to {longest} s, mean {:?}", mean(&outages));
    // At most 30 s x 3 + 60 s = 150 s, and at least two intervals and the rest of an answer's time to live.
    assert!(longest <= 151.5 && longest > 135.0 && shortest > 60.0, "{shortest} {longest}");
}

#[test]
fn the_share_of_stale_traffic_falls_linearly_over_the_time_to_live() {
    // Of many busy resolvers, the share 1 - t/60 s still holds the old answer at time t after the name server has
    // switched. It switches at the third failed check, whose time differs from trial to trial.
    let scenario = scenario(&failover(200, 500));
    let stale: Vec<Vec<f64>> = (0..24_u64)
        .into_par_iter()
        .map(|index| {
            let record = trial(&scenario, index);
            let failing = |at: f64| {
                let (_, ok, failed) = between(&record, at, at + 2.0);
                failed as f64 / (ok + failed) as f64
            };
            // The time of the switch: the end of the last two seconds in which all requests fail.
            let change =
                (150..300).step_by(2).map(f64::from).filter(|at| failing(*at) >= 0.995).fold(150.0, f64::max)
                    + 2.0;
            [15.0, 30.0, 45.0].map(|after| failing(change + after)).to_vec()
        })
        .collect();
    for (at, expected) in [(0, 0.75), (1, 0.5), (2, 0.25)] {
        let share: Vec<f64> = stale.iter().map(|shares| shares[at]).collect();
        let (mean, half) = mean(&share);
        println!("stale {mean:.3} +- {half:.3}, expected {expected}");
        assert!((mean - expected).abs() < 0.08, "{mean} {expected}");
    }
}

#[test]
fn a_fault_changes_nothing_before_it_and_shifts_no_draws() {
    let base = TWO.replace("TIMEOUT", "timeout = '1s'").replace("read = '1ms'", "");
    let plain = run(&base);
    let faulty = run(&format!(
        "{base}[[fault]]\nkind = 'slow'\nfactor = 3\ntarget = 'db'\nat = '2min'\nfor = '1min'\n"
    ));
    let before = |record: &TrialRecord| -> Vec<(u64, u64, u128)> {
        let windows = record.windows.iter().filter(|window| window.start_s + window.length_s <= 120.0);
        windows.map(|window| (window.issued, window.ok, window.response_sum)).collect()
    };
    assert_eq!(before(&plain), before(&faulty));
    // The customers after the fault are the same too.
    let issued = |record: &TrialRecord| record.windows.iter().map(|window| window.issued).collect::<Vec<_>>();
    assert_eq!(issued(&plain), issued(&faulty));
    assert_ne!(plain.fingerprint, faulty.fingerprint);
    // A random fault of an idle box changes no figures of other boxes.
    let idle = "[server.idle]\nsteps = [{ cpu = '1ms' }]\n[[fault]]\nkind = 'crash'\ntarget = 'idle'\nmtbf = '10s'\nmttr = '5s'\n";
    let beside = run(&format!("{base}{idle}"));
    assert_eq!(plain.classes[0].response, beside.classes[0].response);
    assert!(beside.timeline.len() > 10);
    // One more fault changes no draws of another.
    let two =
        run(&format!("{base}{idle}[[fault]]\nkind = 'crash'\ntarget = 'web'\nmtbf = '1min'\nmttr = '5s'\n"));
    let of_idle = |record: &TrialRecord| -> Vec<f64> {
        events(record).iter().filter(|event| event.1 == "idle").map(|event| event.0).collect()
    };
    assert_eq!(of_idle(&beside), of_idle(&two));
}

/// Two regions, each with two zones with a web server, and a name that answers with the nearest.
const REGIONS: &str = "[run]\nduration = '5min'\nwarmup = '0s'\n[network]\nregions = 'aws'\njitter = 0\n\
    [client.koreans]\nrate = '20/s'\ntarget = 'www'\nregion = 'ap-northeast-2'\n\
    [client.virginians]\nrate = '20/s'\ntarget = 'www'\nregion = 'us-east-1'\n\
    [dns.www]\nrecords = ['web']\npolicy = 'latency'\nttl = '10s'\nhealth = { interval = '5s', misses = 2 }\n\
    [server.web]\npublic = true\ncount = 4\nregion = ['ap-northeast-2', 'us-east-1']\nzone = ['a', 'a', 'b', 'b']\n\
    steps = [{ query = 'db' }]\n[database.db]\nregion = 'us-east-1'\nzone = 'a'\ncores = 4\nread = '1ms'\n";

#[test]
fn regions_are_as_far_apart_as_their_table_says() {
    let record = run(&REGIONS.replace("health = { interval = '5s', misses = 2 }\n", ""));
    let ms = |name: &str| {
        let one = record.components.iter().find(|one| one.name == name).expect("it is there");
        (one.response.mean() / 1e6 * 1e3).round() / 1e3
    };
    // The table has the same round-trip time from Seoul to Virginia and back. Another zone is 1 ms away, the same
    // zone 0.1 ms.
    let far = outgrow::model::regions::aws()
        .round_trip("ap-northeast-2", "us-east-1")
        .expect("in the table")
        .as_millis_f64();
    assert!((170.0..190.0).contains(&far));
    assert!(
        (ms("web-1") - far - 1.0).abs() < 0.1 && (ms("web-3") - far - 1.0).abs() < 0.1,
        "{} {far}",
        ms("web-1")
    );
    assert!(
        (ms("web-2") - 1.1).abs() < 0.1 && (ms("web-4") - 2.0).abs() < 0.1,
        "{} {}",
        ms("web-2"),
        ms("web-4")
    );
    // Users ask the nearest server: 40 ms to the provider's edge and back, and no ocean between.
    let slowest = record.classes[0].ok.quantile(0.4) as f64 / 1e6;
    assert!((slowest - 41.1).abs() < 1.5, "{slowest}");
    assert_eq!(record.classes[0].outcomes[1..].iter().sum::<u64>(), 0);
}

#[test]
fn a_region_that_goes_down_takes_all_in_it_and_its_users_go_elsewhere() {
    let fault = "[[fault]]\nkind = 'region'\ntarget = 'ap-northeast-2'\nat = '1min'\nfor = '2min'\n";
    let record = run(&format!("{REGIONS}{fault}"));
    let down: Vec<&str> =
        events(&record).iter().filter(|event| event.2 == "power off").map(|event| event.1).collect();
    assert_eq!(down, ["web-1", "web-3"]);
    // Two checks, each 5 s after the one before has been given up after 10 s, and a time to live of 10 s: after 40 s all users are in
    // Virginia. Those who have asked Seoul before then wait for 30 s.
    let (_, ok, failed) = between(&record, 131.0, 180.0);
    assert!(failed == 0 && ok > 1800, "{ok} {failed}");
    assert!(between(&record, 60.0, 89.0).2 == 0 && between(&record, 90.0, 110.0).2 > 100);
    assert_eq!(count(&record, Outcome::Unavailable), 0);

    let zone = "[[fault]]\nkind = 'zone'\ntarget = 'us-east-1/b'\nat = '1min'\n";
    let record = run(&format!("{REGIONS}{zone}"));
    assert_eq!(events(&record), [(60.0, "web-4", "power off")]);
}

#[test]
fn a_link_overrides_and_a_bandwidth_takes_its_time() {
    let text = "[run]\nduration = '1min'\nwarmup = '0s'\n[network]\njitter = 0\nclient = '10ms'\n\
        [[network.link]]\nbetween = ['web', 'db']\nrtt = '30ms'\n\
        [[network.link]]\nbetween = ['users', 'web']\nbandwidth = '1MB'\n\
        [request.page]\nresponse_size = '50kB'\n[client.users]\nrate = '5/s'\narrivals = { dist = 'constant' }\ntarget = 'web'\n\
        [server.web]\npublic = true\ncount = 2\nsteps = [{ query = 'db' }]\n[database.db]\ncores = 4\nread = '1ms'\n";
    let record = run(text);
    // No answer waits for another on the link. 10 ms to the server, 30 ms to the database, 1 ms for the read, and 50 ms for 50 kB at 1 MB/s.
    let mean = record.classes[0].response.mean() / 1e6;
    assert!((mean - 91.0).abs() < 0.05, "{mean}");
}

#[test]
fn a_pinned_user_never_comes_back() {
    let text = failover(20, 100).replace("resolvers = 20", "resolvers = 20\npinned = '20%'");
    let share = |record: &TrialRecord| {
        let (issued, _, failed) = between(record, 301.0, 360.0);
        failed as f64 / issued as f64
    };
    close("pinned", &trials(&text, 12, share), 0.2);
    let text = text.replace("pinned = '20%'", "pinned = '20%'\npin_for = '2min'").replace("6min", "8min");
    // Pinned users ask again two minutes after the name server has switched, which is at 240 s at the latest.
    assert!(
        trials(&text, 4, |record| between(record, 362.0, 480.0).2 as f64).iter().all(|failed| *failed == 0.0)
    );
}

#[test]
fn a_replicated_database_fails_by_its_nodes() {
    let text = |fault: &str| {
        format!(
            "[run]\nduration = '5min'\nwarmup = '0s'\n[client.users]\nrate = '50/s'\ntarget = 'web'\ntimeout = '2s'\n\
             [server.web]\npublic = true\ntimeout = '1s'\ncores = 2\nsteps = [{{ query = 'db' }}]\n\
             [database.db]\nreplicas = 2\nreads = 'replicas'\nread = '1ms'\n[[fault]]\n{fault}\nat = '1min'\nfor = '1min'\n"
        )
    };
    let crashed = |record: &TrialRecord| -> Vec<String> {
        let down = events(record).into_iter().filter(|event| event.2 == "crash");
        down.map(|event| event.1.to_owned()).collect()
    };
    let record = run(&text("kind = 'crash'\ntarget = 'db.primary'"));
    assert_eq!(crashed(&record), ["db.primary"]);
    assert_eq!(record.classes[0].outcomes[1..].iter().sum::<u64>(), 0, "reads go to the replicas");
    let record = run(&text("kind = 'crash'\ntarget = 'db'"));
    assert_eq!(crashed(&record), ["db.primary", "db.replica-1", "db.replica-2"]);
    let (_, ok, failed) = between(&record, 61.0, 119.0);
    assert!(ok == 0 && failed > 2500, "{ok} {failed}");
    assert_eq!(between(&record, 125.0, 300.0).2, 0);
    // A partition is silent: reads still go to the replica behind it, and time out at the caller.
    let record = run(&text("kind = 'partition'\nbetween = ['web', 'db.replica-1']"));
    let (issued, _, failed) = between(&record, 65.0, 119.0);
    assert!(failed > issued / 3, "{failed} of {issued}");
    assert_eq!(between(&record, 125.0, 300.0).2, 0);
}
