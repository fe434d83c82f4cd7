//! Calls when targets fail, and when the balancer itself fails.

use outgrow::kernel::time::SimTime;
use outgrow::model::record::TrialRecord;
use outgrow::model::signal::{Control, Outcome};

use super::{CRASH, RECOVER, What, component, count, failed_between, idle, noted, outcome, trials};

#[test]
fn a_refused_call_goes_to_another_server() {
    let crash = [(10.0, "web-1", CRASH)];
    let without = &trials(&idle("60s", "", "rate = '100/s'"), 1, &crash)[0];
    let expected = 50.0 * 100.0 / 3.0;
    let failed = outcome(without, Outcome::Unavailable) as f64;
    assert!((failed / expected - 1.0).abs() < 0.1, "{failed}");
    let with = &trials(&idle("60s", "retries = 1", "rate = '100/s'"), 1, &crash)[0];
    assert_eq!(outcome(with, Outcome::Unavailable), 0);
    let retries = count(with, "lb", "retries") as f64;
    assert!((retries / expected - 1.0).abs() < 0.1, "{retries}");
}

#[test]
fn a_write_that_may_have_been_done_is_not_sent_again() {
    let text = "[run]\nduration = '20s'\nwarmup = '0s'\n[request.read]\n[request.write]\neffect = 'write'\n\
        [client.users]\nrate = '100/s'\ntarget = 'lb'\n\
        [balancer.lb]\npublic = true\ntargets = ['web']\nretries = 2\n\
        [server.web]\ncount = 2\nsteps = [{ wait = '1s' }]\n";
    let record = &trials(text, 1, &[(10.0, "web-1", CRASH)])[0];
    let failed = |class: usize| record.classes[class].outcomes[Outcome::Unavailable as usize];
    // About fifty calls are inside the server when it crashes, half of them writes.
    assert_eq!(failed(0), 0, "a read is sent again");
    assert!((10..=45).contains(&failed(1)), "{}", failed(1));
    assert_eq!(
        component(record, "web-1").dropped,
        count(record, "lb", "retries") - refused(record) + failed(1)
    );
}

/// Number of calls that `web-1` refused.
fn refused(record: &TrialRecord) -> u64 {
    component(record, "web-1").outcomes[Outcome::Unavailable as usize]
}

#[test]
fn a_server_that_fails_is_ejected_for_longer_each_time() {
    let text = idle(
        "200s",
        "ejection = { failures = 5, base = '10s', max_share = 0.4, sweep = '0s' }",
        "rate = '100/s'",
    );
    let record = &trials(&text, 1, &[(10.0, "web-1", CRASH)])[0];
    let times = |event: &str| -> Vec<f64> {
        let notes = record.timeline.iter().filter(|note| note.component == "web-1" && note.event == event);
        notes.map(|note| note.at.since(SimTime::ZERO).as_secs_f64()).collect()
    };
    let (out, back) = (times("ejected"), times("back in balancer"));
    for (n, (out, back)) in out.iter().zip(&back).enumerate() {
        assert!((back - out - 10.0 * (n as f64 + 1.0)).abs() < 1e-6, "ejection {n}: {out}..{back}");
    }
    // Ejections of 10, 20, 30, 40 and 50 s, with short times between: until five calls of a third of 100/s have
    // failed.
    assert_eq!(out.len(), 6, "{out:?}");
    assert_eq!(outcome(record, Outcome::Unavailable), 30);
}

#[test]
fn a_queue_gives_up_after_its_timeout_and_has_an_end() {
    // Ten calls at once, a second each, are 10/s of the 20/s. The queue of 5 is always full, and a call waits 0.5 s
    // in it.
    let keys = "connections = 10\nqueue = { limit = 5, timeout = '10s' }";
    let text = idle("200s", keys, "rate = '20/s'").replace("cpu = '1ms'", "wait = '1s'");
    let record = &trials(&text, 1, &[])[0];
    let ok = outcome(record, Outcome::Ok) as f64;
    // M/D/10/15 above saturation: all connections are always busy.
    assert!((ok / 2000.0 - 1.0).abs() < 0.02, "{ok}");
    assert_eq!(component(record, "lb").queue_max, 5);
    let short = idle("200s", "connections = 10\nqueue = { limit = 50, timeout = '300ms' }", "rate = '20/s'");
    let record = &trials(&short.replace("cpu = '1ms'", "wait = '1s'"), 1, &[])[0];
    let longest = component(record, "lb").wait.max().expect("some waited");
    assert!((250_000_000..=300_000_000).contains(&longest), "{longest}");
    assert!(outcome(record, Outcome::Rejected) > 1500);
}

#[test]
fn a_target_that_is_too_slow_is_asked_no_more() {
    let text = idle("60s", "timeout = '2s'", "rate = '30/s'");
    let record = &trials(&text, 1, &[(10.0, "web-1", What::Control(Control::Hang))])[0];
    // Ten calls a second for fifty seconds time out, without those of the last two seconds, which are still under
    // way.
    let late = outcome(record, Outcome::TimedOut);
    assert!((430..=530).contains(&late), "{late}");
    assert_eq!(component(record, "lb").inside_max.min(80), component(record, "lb").inside_max);
}

#[test]
fn a_standby_counts_from_the_last_advertisement_and_a_single_balancer_waits_for_its_repair() {
    let crash = [(10.0, "lb", CRASH), (40.0, "lb", RECOVER)];
    let client = "rate = '100/s'";
    let record = &trials(&idle("60s", "", client), 1, &crash)[0];
    assert!((outcome(record, Outcome::Unavailable) as f64 / 3000.0 - 1.0).abs() < 0.1);
    assert_eq!(noted(record, "lb", "recover"), Some(40.0));
    // Three intervals of a second and the skew of 0.609 s from the last advertisement, which was up to a second before:
    // keepalived 2.2.7 took 3.27 s on average, 2.75 to 3.62 (n = 12).
    let records = trials(&idle("60s", "standby = true", client), 100, &crash);
    let times: Vec<f64> = records
        .iter()
        .map(|record| noted(record, "lb", "take over").expect("it takes over") - 10.0)
        .collect();
    assert!(times.iter().all(|time| (2.609..=3.61).contains(time)), "{times:?}");
    let mean = times.iter().sum::<f64>() / 100.0;
    assert!((mean - 3.109).abs() < 0.1, "{mean}");
    for (record, time) in records.iter().zip(times) {
        let failed = outcome(record, Outcome::Unavailable) as f64;
        assert!((failed / 100.0 - time).abs() < 0.8, "{failed} in {time} s");
    }
}

#[test]
fn the_second_half_of_a_pair_can_fail_too() {
    // The first balancer is repaired at 30 s. So at the crash at 40 s there is a standby, and at the crash at 50 s
    // there is none.
    let events = [
        (10.0, "lb", CRASH),
        (30.0, "lb", RECOVER),
        (40.0, "lb", CRASH),
        (50.0, "lb", CRASH),
        (60.0, "lb", RECOVER),
    ];
    let record = &trials(&idle("100s", "standby = true\nhealth = {}", "rate = '100/s'"), 1, &events)[0];
    let down = 3.109 + 3.109 + 10.0;
    let failed = outcome(record, Outcome::Unavailable) as f64;
    assert!((failed / (100.0 * down) - 1.0).abs() < 0.1, "{failed}");
    assert_eq!(failed_between(record, 61.0, 100.0), 0);
}

#[test]
fn connections_die_with_the_balancer_that_held_them() {
    let text = idle("60s", "standby = true", "rate = '100/s'").replace("cpu = '1ms'", "wait = '2s'");
    let record = &trials(&text, 1, &[(20.0, "lb", CRASH)])[0];
    // 200 calls are inside. The servers finish their work, and the replies are dropped.
    let dropped = component(record, "lb").dropped;
    assert!((150..=250).contains(&dropped), "{dropped}");
    assert!(component(record, "web-1").outcomes[0] > 1500);
}

/// A deployment of four servers, each down for 10 s, 10 s apart.
fn deployment(keys: &str, seconds: u32) -> TrialRecord {
    let text = idle(&format!("{seconds}s"), keys, "rate = '100/s'").replace("count = 3", "count = 4");
    let fault = "[[fault]]\nkind = 'deploy'\ntarget = 'web'\nat = '10s'\nfor = '10s'\npause = '10s'\n";
    trials(&(text + fault), 1, &[]).remove(0)
}

#[test]
fn a_deployment_that_drains_fails_nothing() {
    let checks = "health = { interval = '2s', fall = 3, rise = 2 }";
    let cut = outcome(&deployment(checks, 120), Outcome::Unavailable);
    assert!((400..=620).contains(&cut), "each of four servers fails a quarter of 100/s for 5 s: {cut}");
    for keys in [format!("drain = '30s'\n{checks}"), "preset = 'aws-alb'".to_owned()] {
        let record = &deployment(&keys, 120);
        assert_eq!(
            outcome(record, Outcome::Ok) + record.classes[0].in_flight(),
            record.classes[0].issued,
            "{keys}"
        );
        // Calls of 1 ms end at once, and so does the draining: the servers stop 20 s apart.
        for (n, web) in ["web-1", "web-2", "web-3", "web-4"].into_iter().enumerate() {
            let at = noted(record, web, "crash").expect("it is stopped") - 10.0 - 20.0 * n as f64;
            assert!((0.0..0.1).contains(&at), "{web}: {at}");
        }
    }
}

#[test]
fn a_deployment_waits_for_the_calls_inside_and_cuts_off_the_rest() {
    let stopped = |drain: &str, wait: &str| {
        let text = idle("60s", &format!("drain = '{drain}'"), "rate = '100/s'");
        let text = text.replace("cpu = '1ms'", &format!("wait = '{wait}'"));
        let fault = "[[fault]]\nkind = 'deploy'\ntarget = 'web-2'\nat = '20s'\nfor = '5s'\n";
        let record = trials(&(text + fault), 1, &[]).remove(0);
        let at = noted(&record, "web-2", "crash").expect("it is stopped") - 20.0;
        assert!(noted(&record, "web-2", "recover").is_some_and(|back| (back - at - 25.0).abs() < 1e-6));
        (at, outcome(&record, Outcome::Unavailable))
    };
    let (at, cut) = stopped("30s", "4s");
    assert!((3.8..=4.0).contains(&at) && cut == 0, "{at} {cut}");
    let (at, cut) = stopped("3s", "4s");
    assert!((at - 3.0).abs() < 1e-6 && (15..=60).contains(&cut), "{at} {cut}");
}

#[test]
fn a_balancer_that_is_stopped_as_planned_says_goodbye() {
    // keepalived 2.2.7 after SIGTERM: 0.64 s (n = 4).
    let text = idle("60s", "standby = true", "rate = '100/s'");
    let fault = "[[fault]]\nkind = 'deploy'\ntarget = 'lb'\nat = '20s'\nfor = '10s'\n";
    for record in trials(&(text + fault), 10, &[]) {
        let at = noted(&record, "lb", "take over").expect("it takes over") - 20.0;
        assert!((at - 0.609_375).abs() < 1e-6, "{at}");
        assert!(noted(&record, "lb", "recover").is_none(), "the first half is the standby now");
    }
}
