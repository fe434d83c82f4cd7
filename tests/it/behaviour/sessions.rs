//! Sessions: who knows that a user is logged in, and what makes that be forgotten.

use super::*;

/// A thousand users who think for 3 s, a balancer that keeps each at one of four servers, and what these do about sessions.
fn shop(balancer: &str, sessions: &str, faults: &str) -> String {
    format!(
        "{NEAR}[client.users]\ntarget = 'lb'\nusers = 1000\nthink_time = {{ dist = 'exponential', mean = '3s' }}\n\
         [balancer.lb]\npublic = true\ntargets = ['web']\nhealth = {{ interval = '1s' }}\n{balancer}\n\
         [server.web]\ncount = 4\nsteps = [{{ cpu = '1ms' }}]\nsessions = {{ {sessions} }}\n{faults}"
    )
    .replace("warmup = '10s'", "warmup = '20s'")
}

const CACHE: &str = "[cache.c]\nop = '0ms'\n";

const KILLED: &str = "[[fault]]\nkind = 'crash'\ntarget = 'web-1'\nat = '50s'\nfor = '20s'\n";

#[test]
fn a_quarter_of_the_users_log_in_again_when_one_of_four_dies() {
    // 1000 users fall to four machines: 250 each, with a standard deviation of 13.7.
    let quarter = 195.0..=305.0;
    let dies = shop("sticky = {}", "", KILLED);
    let figures: [(&str, RangeInclusive<f64>); 3] = [
        ("web-1.lost_sessions", quarter.clone()),
        ("web-2.lost_sessions", 0.0..=0.0),
        // Those of the machine, spread over the three others.
        ("web-3.logins", 30.0..=130.0),
    ];
    check(&dies, &figures);
    let dies = format!("{}{CACHE}", shop("sticky = {}", "store = 'c'", KILLED));
    check(&dies, &[("web-1.lost_sessions", 0.0..=0.0), ("web-3.logins", 0.0..=0.0)]);
}

#[test]
fn a_cookie_is_known_to_every_machine_and_lost_by_none() {
    // Any of four machines, of which one dies: every user logs in once, at the start, and again only after an hour.
    let text = shop("policy = 'random'", "cookie = true", KILLED);
    check(&text, &[("web-1.lost_sessions", 0.0..=0.0), ("web-3.logins", 0.0..=4.0)]);
    // Who was away for longer than its time has to log in again: 1000 users, each 20 times a minute, of whom e^(-2/3) were away for 2 s.
    let text = shop("policy = 'random'", "cookie = true, ttl = '2s'", "");
    let (scenario, record) = run(&text);
    let logins: f64 = (1..=4).map(|at| figure(&scenario, &record, &format!("web-{at}.logins"))).sum();
    let calls = figure(&scenario, &record, "issued");
    let away = libm::exp(-2.0 / 3.0);
    assert!((logins / calls - away).abs() < 0.01, "{logins} of {calls}, {away}");
}

#[test]
fn a_store_that_is_emptied_logs_everybody_out() {
    let emptied = "[[fault]]\nkind = 'flush'\ntarget = 'c'\nat = '50s'\n";
    let text = format!("{}{CACHE}", shop("", "store = 'c'", emptied));
    let each = 190.0..=310.0;
    check(&text, &[("web-1.logins", each.clone()), ("web-4.logins", each), ("c.fills", 1000.0..=1004.0)]);
}

#[test]
fn a_store_costs_a_round_trip_and_an_operation() {
    let mean = |sessions: &str, boxes: &str| {
        let text = format!("{}{boxes}", shop("sticky = {}", sessions, ""))
            .replace("same_zone = '0ms'", "same_zone = '0.1ms'")
            .replace("cpu = '1ms'", "wait = '1ms'");
        let (scenario, record) = run(&text);
        figure(&scenario, &record, "mean_ms")
    };
    let own = mean("", "");
    let price = mean("store = 'c'", "[cache.c]\n") - own;
    assert!((price - 0.113).abs() < 0.002, "{price}");
}

#[test]
fn users_who_land_on_any_machine_log_in_at_each() {
    // Of a number of requests by Poisson's law with mean n, those to one of four machines are none with probability e^(-n/4).
    let text = shop("policy = 'random'", "", "").replace("warmup = '20s'", "warmup = '0s'");
    let text = text.replace("mean = '3s'", "mean = '10s'");
    let (scenario, record) = run(&text);
    let logins = |member: u32| figure(&scenario, &record, &format!("web-{member}.logins"));
    let all: f64 = (1..=4).map(logins).sum();
    let asked = figure(&scenario, &record, "issued") / 1000.0;
    let expected = 4.0 * (1.0 - libm::exp(-asked / 4.0)) * 1000.0;
    assert!((all / expected - 1.0).abs() < 0.02, "{all} {expected}");
}

#[test]
fn a_session_ends_a_time_after_its_last_use() {
    // A user comes back later than 2 s with probability e^(-2/5).
    let text = shop("sticky = {}", "ttl = '2s'", "")
        .replace("mean = '3s'", "mean = '5s'")
        .replace("count = 4", "count = 1");
    let (scenario, record) = run(&text);
    let share = figure(&scenario, &record, "web.logins") / figure(&scenario, &record, "issued");
    assert!((share - libm::exp(-0.4)).abs() < 0.01, "{share}");
}

#[test]
fn a_login_asks_elsewhere_and_holds_the_worker_meanwhile() {
    let boxes = "[server.auth]\nsteps = [{ wait = '100ms' }]\n";
    let text = shop("sticky = {}", "ttl = '1ms', login = { call = 'auth' }", boxes);
    check(&text, &[("mean_ms", 101.0..=101.5), ("auth.rate", about(322.0, 0.05)), ("ok", 1.0..=1.0)]);
    let broken = "[server.auth]\nerrors = { share = 1 }\nsteps = [{ wait = '100ms' }]\n";
    let text = shop("sticky = {}", "ttl = '1ms', login = { call = 'auth' }", broken);
    check(&text, &[("ok", 0.0..=0.0), ("web-1.logins", 0.0..=0.0)]);
}

#[test]
fn sessions_take_the_memory_of_the_machine() {
    // 88 MiB less 4 MiB for each call: 80 users and some, of 1000.
    let memory = "memory = '600MiB'\nmemory_per_call = '4MiB'\non_memory = 'reject'\n";
    let text = shop("sticky = {}", "memory = '1MiB'", memory).replace("count = 4", "count = 1");
    check(&text, &[("web.session_bytes", 60e6..=93e6), ("out_of_memory", 0.85..=0.99)]);
    let text = text.replace("on_memory = 'reject'", "on_memory = 'oom-kill'\nrestart = '1s'");
    check(&text, &[("web.oom_kills", 20.0..=100.0), ("web.lost_sessions", 1500.0..=9000.0)]);
}

#[test]
fn writers_and_readers_have_the_same_session_and_the_work_draws_the_same() {
    let classes = "[request.read]\n[request.write]\neffect = 'write'\n";
    let text = |sessions: &str| {
        shop("sticky = {}", "", &format!("{classes}{CACHE}[client.other]\ntarget = 'lb'\nrate = '1/h'\n"))
            .replace("sessions = {  }\n", sessions)
            .replace(
                "steps = [{ cpu = '1ms' }]",
                "steps = [{ cpu = { dist = 'exponential', mean = '1ms' } }]",
            )
            .replace("warmup = '20s'", "warmup = '0s'")
    };
    let with = text("sessions = { store = 'c' }\n");
    check(&with, &[("c.fills", 1000.0..=1001.0), ("c.stale_sets", 0.0..=0.0)]);
    let busy = |text: &str| {
        let (scenario, record) = run(text);
        figure(&scenario, &record, "web-1.utilisation")
    };
    let (with, without) = (busy(&with), busy(&text("")));
    assert!((with - without).abs() < 1e-4, "{with} {without}");
}

#[test]
fn a_machine_that_joins_gets_only_those_who_are_new() {
    // A hundred users a second come, with ten requests each, one at once and the others 3 s apart. A fourth machine joins at 100 s; after
    // a time t those who have come since make .1 + .9 (1 - e^(-t/30)) of the requests, and a quarter of them are there.
    let text = |after: u32| {
        shop(
            "sticky = {}",
            "",
            "[[operation]]\nkind = 'scale'\ntarget = 'web'\nto = 4\nat = '100s'\nboot = '0s'\nstart = '0s'\n",
        )
        .replace("users = 1000\n", "sessions = '100/s'\nrequests = 10\n")
        .replace("count = 4", "count = 3")
        .replace("warmup = '20s'", &format!("warmup = '{}s'", 98 + after))
        .replace("duration = '100s'", "duration = '4s'")
    };
    for (after, share) in [(10, 0.0888), (30, 0.1672), (60, 0.2196)] {
        check(&text(after), &[("web-4.share", share - 0.015..=share + 0.015)]);
    }
    // One that goes takes its sessions with it, and its users log in at the others.
    let goes = "[[operation]]\nkind = 'scale'\ntarget = 'web'\nto = 3\nat = '50s'\n";
    check(&shop("sticky = {}", "", goes), &[("web-4.lost_sessions", 195.0..=305.0), ("ok", 0.999..=1.0)]);
}

#[test]
fn a_call_whose_work_is_done_is_answered_however_late_it_is() {
    // The deadline of 50 ms passes within the only step: with sessions as without them, there is no step left to drop the call before.
    for sessions in ["sessions = {}\n", ""] {
        let text = shop("sticky = {}", "", "")
            .replace("users = 1000", "users = 1000\ntimeout = '50ms'\npropagate = true")
            .replace("cpu = '1ms'", "wait = '80ms'")
            .replace("sessions = {  }\n", &format!("propagate = true\n{sessions}"));
        check(
            &text,
            &[("timed_out", 1.0..=1.0), ("web-1.dropped_late", 0.0..=0.0), ("web-1.ok_rate", 60.0..=100.0)],
        );
    }
}
