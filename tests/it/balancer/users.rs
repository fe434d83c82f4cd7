//! Sessions, hashing, draining, slow start, and all of them together.

use outgrow::model::signal::{Control, Outcome};

use super::{CRASH, RECOVER, What, component, count, idle, outcome, trials};
use crate::laws::generator::entrances::POLICIES;

/// 300 users who come back, with one request a second each.
const CROWD: &str = "users = 300\nthink_time = { dist = 'exponential', mean = '1s' }";

#[test]
fn sessions_are_lost_with_their_server() {
    let crash = [(20.0, "web-1", CRASH)];
    let keys = "policy = 'sticky'\nhealth = { interval = '1s', fall = 1 }";
    let record = &trials(&idle("60s", keys, CROWD), 1, &crash)[0];
    // A hundred users had their session on this server; each loses it once.
    let lost = count(record, "lb", "sessions_lost");
    assert!((90..=110).contains(&lost), "{lost}");
    // With `gone = 'fail'` no user moves.
    let keys = "policy = 'sticky'\nhealth = { interval = '1s', fall = 1 }\nsticky = { gone = 'fail' }";
    let events = [(20.0, "web-1", CRASH), (40.0, "web-1", RECOVER)];
    let record = &trials(&idle("60s", keys, CROWD), 1, &events)[0];
    assert_eq!(count(record, "lb", "sessions_lost"), 0);
    let failed = outcome(record, Outcome::Unavailable) as f64;
    // A third of 290/s fails for twenty seconds and up to three checks.
    assert!((1800.0..=2300.0).contains(&failed), "{failed}");
}

#[test]
fn without_stickiness_no_session_is_kept_or_lost() {
    let record = &trials(&idle("30s", "", CROWD), 1, &[(10.0, "web-1", CRASH)])[0];
    assert_eq!(count(record, "lb", "sessions_lost"), 0);
}

#[test]
fn hashing_keeps_users_apart_and_a_lost_server_moves_its_own_only() {
    // Each server gets about a third of the calls.
    for (policy, spread) in [("hash", 0.35), ("ip-hash", 0.2)] {
        let keys = format!("policy = '{policy}'\nhealth = {{ interval = '1s', fall = 1 }}");
        let record = &trials(&idle("60s", &keys, CROWD), 1, &[])[0];
        let arrived: Vec<f64> =
            (1..=3).map(|n| component(record, &format!("web-{n}")).arrived as f64).collect();
        let mean = arrived.iter().sum::<f64>() / 3.0;
        assert!(arrived.iter().all(|&calls| (calls / mean - 1.0).abs() < spread), "{policy}: {arrived:?}");
    }
}

#[test]
fn a_drained_server_ends_its_calls_and_gets_no_others() {
    let text = idle("60s", "", "rate = '90/s'").replace("cpu = '1ms'", "wait = '2s'");
    let events = [
        (20.0, "lb", What::Drain("web-2")),
        (30.0, "web-2", CRASH),
        (35.0, "web-2", RECOVER),
        (40.0, "lb", What::Ready("web-2")),
    ];
    let record = &trials(&text, 1, &events)[0];
    // The server restarts in between, and no user notices.
    assert_eq!(outcome(record, Outcome::Ok) + record.classes[0].in_flight(), record.classes[0].issued);
    assert_eq!(component(record, "web-2").dropped, 0);
    let share = component(record, "web-2").arrived as f64 / record.classes[0].issued as f64;
    assert!((share - 2.0 / 9.0).abs() < 0.02, "{share}");
}

#[test]
fn a_drain_that_takes_too_long_cuts_off() {
    let text = idle("60s", "drain = '5s'", "rate = '90/s'").replace("cpu = '1ms'", "wait = '10s'");
    // A worker for each of the three hundred calls inside.
    let text = text.replace("[server.web]", "[server.web]\nworkers = 1000\nmemory = '64GiB'");
    let record = &trials(&text, 1, &[(20.0, "lb", What::Drain("web-2"))])[0];
    // Of thirty calls a second, those of five seconds are cut off.
    let cut = outcome(record, Outcome::Unavailable);
    assert!((110..=190).contains(&cut), "{cut}");
}

#[test]
fn a_slow_start_gives_a_server_its_share_little_by_little() {
    let keys = |slow: &str| format!("{slow}\nhealth = {{ interval = '1s', fall = 1, rise = 1 }}");
    let events = [(10.0, "web-1", CRASH), (15.0, "web-1", RECOVER)];
    let calls = |slow: &str| {
        let record = &trials(&idle("46s", &keys(slow), "rate = '300/s'"), 1, &events)[0];
        component(record, "web-1").outcomes[0] as f64 - 1000.0
    };
    // At full weight the server gets 3000 calls in the thirty seconds after its return. With a weight w that grows
    // from 0 to 1 its share is w / (w + 2): on average 1 - 2 ln(3/2) = 0.189 instead of 0.333.
    let (at_once, slowly) = (calls(""), calls("slow_start = '30s'"));
    assert!((at_once / 3050.0 - 1.0).abs() < 0.05, "{at_once}");
    assert!((slowly / at_once / (0.189 / 0.3333) - 1.0).abs() < 0.08, "{slowly} of {at_once}");
}

#[test]
fn a_balancer_can_stand_behind_another() {
    let text = "[run]\nduration = '60s'\n[client.users]\nrate = '90/s'\ntarget = 'front'\n\
        [balancer.front]\npublic = true\ntargets = ['left', 'right']\nhealth = { kind = 'page' }\n\
        [balancer.left]\ntargets = ['web-l']\n[balancer.right]\ntargets = ['web-r']\n\
        [server.web-l]\ncount = 2\nsteps = [{ cpu = '1ms' }]\n[server.web-r]\nsteps = [{ cpu = '1ms' }]\n";
    let record = &trials(text, 1, &[])[0];
    assert_eq!(outcome(record, Outcome::Ok) + record.classes[0].in_flight(), record.classes[0].issued);
    let (left, right) = (component(record, "left").arrived, component(record, "right").arrived);
    assert!(left.abs_diff(right) <= 1, "{left} {right}");
}

#[test]
fn every_policy_closes_its_books_under_faults() {
    let events = [
        (5.0, "web-1", CRASH),
        (8.0, "web-2", What::Control(Control::Hang)),
        (10.0, "lb", CRASH),
        (12.0, "web-3", What::Control(Control::Slow(100_000))),
        (15.0, "web-1", RECOVER),
        (20.0, "lb", RECOVER),
        (22.0, "lb", What::Drain("web-1")),
        (25.0, "lb", What::Control(Control::Hang)),
        (28.0, "lb", RECOVER),
        (30.0, "web-2", RECOVER),
    ];
    for policy in POLICIES {
        for preset in ["nginx", "haproxy-3", "aws-alb", "envoy"] {
            let keys = format!(
                "policy = '{policy}'\npreset = '{preset}'\nstandby = true\nconnections = 50\nqueue = {{ limit = 20, timeout = '1s' }}"
            );
            let text = idle("40s", &keys, "users = 200\nthink_time = '500ms'\ntimeout = '2s'");
            let (one, two) = (&trials(&text, 1, &events)[0], &trials(&text, 1, &events)[0]);
            assert_eq!(one.fingerprint, two.fingerprint, "{policy} {preset}");
            assert!(outcome(one, Outcome::Ok) > 1000, "{policy} {preset}: {:?}", one.classes[0].outcomes);
        }
    }
}

#[test]
fn the_chapters_scenario_loads_and_runs() {
    let text = r#"
title   = "Load balancer, three web servers and a database"
chapter = "1.5"
[run]
duration = "20s"
[request.read]
share = 90
[request.write]
share  = 10
effect = "write"
[client.users]
rate    = "300/s"
target  = "www"
timeout = "5s"
retry   = { attempts = 2, backoff = "100ms", jitter = "full" }
[dns.www]
records = ["lb"]
ttl     = "60s"
[balancer.lb]
public  = true
targets = ["web"]
policy  = "least-connections"
health  = { interval = "2s", timeout = "2s", fall = 3, rise = 2 }
[server.web]
count   = 3
cores   = 2
memory  = "4GiB"
workers = 200
queue   = 100
steps   = [
  { cpu = { dist = "exponential", mean = "6ms" } },
  { query = "db" },
  { cpu = "1ms" },
]
[database.db]
cores       = 4
memory      = "16GiB"
read        = { dist = "exponential", mean = "1.2ms" }
write       = { dist = "exponential", mean = "1.8ms" }
commit      = "1ms"
connections = 200
"#;
    let record = &trials(text, 1, &[])[0];
    assert_eq!(
        outcome(record, Outcome::Ok) + record.classes.iter().map(|c| c.in_flight()).sum::<u64>(),
        record.classes.iter().map(|c| c.issued).sum::<u64>()
    );
}

#[test]
fn another_trial_has_other_users_for_a_hash() {
    // 200 users, each of whom comes once: the number that a server gets is binomial over trials, with the share of its arcs.
    for policy in ["hash", "ip-hash"] {
        let text =
            idle("200s", &format!("policy = '{policy}'"), "rate = '1/s'\narrivals = { dist = 'constant' }");
        let calls: Vec<f64> =
            trials(&text, 200, &[]).iter().map(|record| component(record, "web-1").arrived as f64).collect();
        let mean = calls.iter().sum::<f64>() / 200.0;
        let variance = calls.iter().map(|calls| (calls - mean).powi(2)).sum::<f64>() / 199.0;
        let expected = mean * (1.0 - mean / 200.0);
        // The standard error of a variance of 200 values is a tenth of it.
        assert!((variance / expected - 1.0).abs() < 0.35, "{policy}: {variance} of {expected}");
    }
}

#[test]
fn each_check_has_its_own_luck_on_the_network() {
    // Of the checks, each of which is one message and its answer, 19 % are late by a retransmission of 200 ms, not all of a target
    // or none.
    let text = idle("200s", "health = { interval = '1s', timeout = '100ms', fall = 1000 }", "rate = '1/s'");
    let loss = "[[fault]]\nkind = 'packet-loss'\nbetween = ['lb', 'web']\nshare = '10%'\nat = '0s'\n";
    let records = trials(&(text + loss), 4, &[]);
    let failed: Vec<f64> = records.iter().map(|record| count(record, "lb", "checks_failed") as f64).collect();
    // A check that is late takes 100 ms longer until the next one.
    let expected = 3.0 * 200.0 / (1.0 + 0.19 * 0.1) * 0.19;
    assert!(failed.iter().all(|failed| (failed / expected - 1.0).abs() < 0.35), "{failed:?} of {expected}");
}
