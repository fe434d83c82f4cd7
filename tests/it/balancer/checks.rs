//! Health checks: what they notice, when, and the consequences.

use outgrow::model::record::TrialRecord;
use outgrow::model::signal::Outcome;

use super::{CRASH, HANG, RECOVER, What, component, count, failed_between, idle, noted, outcome, trials};

/// Times in seconds until the balancer takes a server out that `what` happens to, for many phases of the checks.
fn detection(keys: &str, (at, what): (f64, What), duration: &str) -> Vec<f64> {
    let records = trials(&idle(duration, keys, "rate = '1/s'"), 200, &[(at, "web-2", what)]);
    records
        .iter()
        .map(|record| noted(record, "web-2", "out of balancer").expect("it is noticed") - at)
        .collect()
}

fn check_detection(times: &[f64], low: f64, high: f64) {
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    let most = times.iter().copied().fold(0.0, f64::max);
    println!("{least:.2}..{most:.2}");
    assert!(least >= low && most <= high + 0.001, "{least}..{most}");
    // The times are uniform between the two limits, so that the standard error of the mean is the width / sqrt(12 n).
    let error = (high - low) / (12.0 * times.len() as f64).sqrt();
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    assert!((mean - (low + high) / 2.0).abs() < 3.5 * error, "{mean}");
}

#[test]
fn haproxy_notices_a_refused_server_in_4_to_6_seconds() {
    check_detection(&detection("preset = 'haproxy-3'", (30.0, CRASH), "60s"), 4.0, 6.0);
}

#[test]
fn an_alb_notices_a_refused_server_in_30_to_60_seconds() {
    check_detection(&detection("preset = 'aws-alb'", (100.0, CRASH), "200s"), 30.0, 60.0);
}

#[test]
fn each_check_of_a_silent_server_takes_its_timeout_and_then_the_interval() {
    // The rest of an interval, the timeout, and for each further check an interval and a timeout. Measured with 2 s, 2 s
    // and 3: HAProxy 2.6 11.03 s (10.0 to 12.0), 3.0 11.02 s, Envoy 1.40 11.17 s; with a timeout of 1 s 8.34 s (7.4 to 9.4).
    let rows = [("2s", "2s", 3, 10.0, 12.0), ("2s", "1s", 3, 7.0, 9.0), ("1s", "3s", 2, 7.0, 8.0)];
    for (interval, timeout, fall, low, high) in rows {
        let health =
            format!("{{ interval = '{interval}', timeout = '{timeout}', fall = {fall}, kind = 'page' }}");
        check_detection(&detection(&format!("health = {health}"), (10.0, HANG), "30s"), low, high);
    }
    // The checks of an ALB keep their own time: 30 s, 5 s and 2.
    check_detection(&detection("preset = 'aws-alb'", (50.0, HANG), "130s"), 35.0, 65.0);
}

#[test]
fn a_check_by_connection_of_an_unreachable_server_takes_its_timeout_too() {
    let health = "health = { interval = '2s', timeout = '2s', fall = 3 }";
    // HAProxy, a machine that is gone: 10.6 s (10.4 to 10.9, n = 10).
    for kind in ["partition", "power-off"] {
        let cut = format!("[[fault]]\nkind = '{kind}'\ntarget = 'web-2'\nat = '10s'\n");
        let records = trials(&(idle("30s", health, "rate = '1/s'") + &cut), 100, &[]);
        let out = |record| noted(record, "web-2", "out of balancer").expect("it is noticed") - 10.0;
        check_detection(&records.iter().map(out).collect::<Vec<_>>(), 10.0, 12.0);
    }
}

#[test]
fn a_server_that_hangs_fails_its_share_until_it_is_noticed() {
    // HAProxy 3.0 with `inter 2s fall 3`, `timeout server 3s`, 60/s: 219, 222 and 221 of the requests failed.
    let health = "timeout = '3s'\nhealth = { interval = '2s', timeout = '2s', fall = 3, kind = 'page' }";
    let records = trials(&idle("40s", health, "rate = '60/s'"), 20, &[(10.0, "web-2", HANG)]);
    let failed = records.iter().map(|record| outcome(record, Outcome::TimedOut)).sum::<u64>() as f64 / 20.0;
    assert!((failed / 220.0 - 1.0).abs() < 0.05, "{failed}");
}

#[test]
fn checks_are_no_traffic() {
    for (kind, cost) in [("connect", 0.0), ("page", 0.001)] {
        let keys = format!("health = {{ interval = '100ms', kind = '{kind}' }}");
        let record = &trials(&idle("60s", &keys, "rate = '10/s'"), 1, &[])[0];
        let calls: u64 = (1..=3).map(|n| component(record, &format!("web-{n}")).arrived).sum();
        assert!(calls.abs_diff(record.classes[0].issued) <= 1, "{kind}: {calls}");
        // Only checks of a page cost time: 0.1 ms ten times a second, besides 1 ms for each call.
        let web = component(record, "web-1");
        let busy = web.machine.as_ref().expect("it is a machine").busy_cores_mean;
        let expected = cost + 0.001 * web.arrived as f64 / 60.0;
        assert!((busy - expected).abs() < 0.000_05, "{kind}: {busy}");
    }
}

#[test]
fn a_server_comes_back_after_rise_checks() {
    let text = idle("60s", "health = { interval = '2s', fall = 3, rise = 2 }", "rate = '50/s'");
    for record in trials(&text, 20, &[(10.0, "web-1", CRASH), (30.0, "web-1", RECOVER)]) {
        let back = noted(&record, "web-1", "back in balancer").expect("it comes back") - 30.0;
        assert!((2.0..=4.001).contains(&back), "{back}");
        // A third of the calls fails until the checks notice the crash: 50/s for 4 to 6 seconds.
        let failed = outcome(&record, Outcome::Unavailable);
        assert!((50..=120).contains(&failed), "{failed}");
        assert_eq!(failed_between(&record, 17.0, 60.0), 0);
    }
}

#[test]
fn a_hung_server_answers_no_page_and_is_taken_out() {
    let text = |kind: &str| {
        let health = format!("health = {{ interval = '2s', timeout = '1s', fall = 3, kind = '{kind}' }}");
        idle("60s", &health, "rate = '50/s'\ntimeout = '3s'")
    };
    let hang = [(10.0, "web-1", HANG)];
    // The kernel of a hung server still accepts connections, until its listen queue of 100 is full: after six seconds at
    // 17 calls a second, and not at all at 0.7.
    let calm = text("connect").replace("rate = '50/s'", "rate = '2/s'");
    assert_eq!(noted(&trials(&calm, 1, &hang)[0], "web-1", "out of balancer"), None);
    let full =
        noted(&trials(&text("connect"), 1, &hang)[0], "web-1", "out of balancer").expect("it is noticed");
    assert!((10.0 + 6.0 + 7.0 - 2.0..10.0 + 6.0 + 9.0 + 2.0).contains(&full), "{full}");
    for record in trials(&text("page"), 20, &hang) {
        let out = noted(&record, "web-1", "out of balancer").expect("it is noticed") - 10.0;
        assert!((7.0..=9.001).contains(&out), "{out}");
        assert!(outcome(&record, Outcome::TimedOut) > 80);
        assert_eq!(failed_between(&record, 23.0, 60.0), 0);
    }
}

#[test]
fn slow_servers_are_taken_out_one_by_one_unless_the_balancer_panics() {
    // Three servers can do 300 calls a second of 10 ms each. With one out, the others are overloaded.
    let keys = |more: &str| {
        format!(
            "[run]\nduration = '120s'\nwarmup = '0s'\n[client.users]\nrate = '285/s'\ntarget = 'lb'\ntimeout = '2s'\n\
             [balancer.lb]\npublic = true\ntargets = ['web']\n\
             health = {{ kind = 'page', interval = '2s', timeout = '1s', fall = 2, rise = 5 }}\n{more}\n\
             [server.web]\ncount = 3\nworkers = 1\nscheduling = 'fifo'\nqueue = 400\nsteps = [{{ cpu = '10ms' }}]\n"
        )
    };
    let crash = [(20.0, "web-1", CRASH)];
    for record in trials(&keys(""), 4, &crash) {
        let out: Vec<f64> = ["web-1", "web-2", "web-3"]
            .map(|web| noted(&record, web, "out of balancer").expect("all are taken out"))
            .to_vec();
        assert!(out[0] < 25.0 && out[1] > out[0] && out[2] > out[0], "{out:?}");
        // No server is left: every call is refused at once.
        assert!(outcome(&record, Outcome::Unavailable) > 2000, "{:?}", record.classes[0].outcomes);
    }
    let closed = trials(&keys(""), 4, &crash);
    let open = trials(&keys("panic = '70%'"), 4, &crash);
    for (closed, open) in closed.iter().zip(&open) {
        // With two of three out, the balancer gives calls to all three, and the two that run do what they can.
        assert!(count(open, "lb", "fail_open") > 1000);
        let ok = |record: &TrialRecord| {
            record.components.iter().filter(|c| c.group == "web").map(|c| c.outcomes[0]).sum::<u64>()
        };
        assert!(ok(open) as f64 > 1.2 * ok(closed) as f64, "{} {}", ok(open), ok(closed));
    }
}

#[test]
fn a_name_server_waits_out_the_timeout_of_each_check_of_a_silent_address() {
    // The rest of an interval, 10 s for the first check and 20 s for each of two further ones: 50 to 60 s.
    let withdrawn = |seconds: u32| -> u64 {
        let text = format!(
            "[run]\nduration = '{seconds}s'\nwarmup = '0s'\n[client.users]\nrate = '1/s'\ntarget = 'www'\n\
             [dns.www]\nrecords = ['a', 'b']\nhealth = {{ interval = '10s', misses = 3 }}\n\
             [server.a]\npublic = true\nsteps = [{{ wait = '0s' }}]\n[server.b]\npublic = true\nsteps = [{{ wait = '0s' }}]\n\
             [[fault]]\nkind = 'partition'\nbetween = ['a', 'www']\nat = '15s'\n"
        );
        trials(&text, 40, &[]).iter().map(|record| count(record, "www", "withdrawals")).sum()
    };
    assert_eq!((withdrawn(65), withdrawn(76)), (0, 40));
    assert!((10..=30).contains(&withdrawn(70)), "half of them after 55 s");
}
