//! Connections: what opening one costs, how long both sides keep it, and calls that meet its end.

use super::*;
use outgrow::theory::queues::{erlang_b, mmc};

/// Users on the other side of the ocean, whose server has next to nothing to do.
fn far(client: &str, server: &str) -> String {
    format!(
        "[network]\nclient = '174ms'\nsame_zone = '0ms'\n[run]\nduration = '400s'\nwarmup = '20s'\n\
         [client.users]\ntarget = 'box'\n{client}\n[server.box]\npublic = true\n{server}\nsteps = [{{ wait = '1ms' }}]\n"
    )
}

/// The share of the calls that meet the end of an idle connection: one in e^{rT} / (e^{r RTT} - 1), where a connection gets a call
/// at any time, `rate` times a second, and is closed after `limit` seconds without one. The call after it has no connection to lose.
fn lost(rate: f64, limit: f64, round_trip: f64) -> f64 {
    let one_in = libm::exp(rate * limit) / (libm::exp(rate * round_trip) - 1.0);
    1.0 / (one_in + 1.0)
}

const FEW: &str = "users = 20\nthink_time = '100ms'";

// The cost of opening -------------------------------------------------------------------------------------------------

#[test]
fn a_connection_costs_its_round_trips_once_for_the_requests_that_it_serves() {
    // RTT (1 + 2/n) + work, for TCP and TLS 1.3.
    for (requests, ms) in [(1, 522.0), (5, 243.6), (20, 191.4)] {
        check(
            &far(&format!("{FEW}\nkeep_alive = '1h'"), &format!("max_requests = {requests}")),
            &[
                ("mean_ms", about(ms + 1.0, 0.005)),
                ("users.connects_per_request", about(1.0 / f64::from(requests), 0.03)),
            ],
        );
    }
    for (keys, trips) in [
        ("tls = 'none'\nkeep_alive = '0s'", 2.0),
        ("keep_alive = '0s'", 3.0),
        ("tls = '1.2'\nkeep_alive = '0s'", 4.0),
        ("tls = '1.2'\nkeep_alive = '1h'", 1.0),
        ("", 1.0),
    ] {
        check(&far(&format!("{FEW}\n{keys}"), ""), &[("mean_ms", about(174.0 * trips + 1.0, 0.005))]);
    }
}

#[test]
fn each_request_of_an_open_load_and_each_session_opens_a_connection() {
    check(
        &far("rate = '20/s'\ntls = 'none'", ""),
        &[("mean_ms", about(349.0, 0.002)), ("users.connects_per_request", 1.0..=1.0)],
    );
    // Sessions of 4 requests on average, each over one connection.
    check(
        &far("sessions = '20/s'\nrequests = 4\nthink_time = '1s'\ntls = '1.3'", ""),
        &[("users.connects_per_request", about(0.25, 0.05)), ("mean_ms", about(174.0 * 1.5 + 1.0, 0.02))],
    );
}

#[test]
fn a_connection_that_was_idle_for_longer_than_either_side_allows_is_opened_again() {
    // Thoughts of 2 s on average: e^-1 of them are longer than 2 s, whichever side has that limit.
    // A call that meets the end of a connection of the server leaves none for the next one.
    let users = "users = 200\nthink_time = { dist = 'exponential', mean = '2s' }";
    let meets = lost(0.5, 2.0, 0.174);
    for (client, server, lost) in [
        ("keep_alive = '2s'", "idle_timeout = '1h'", 0.0),
        ("keep_alive = '1h'", "idle_timeout = '2s'", meets),
    ] {
        let opened = (1.0 - lost) * libm::exp(-1.0) + lost;
        check(
            &far(&format!("{users}\n{client}"), server),
            &[("users.connects_per_request", about(opened, 0.02))],
        );
    }
}

#[test]
fn the_callee_works_for_each_new_connection() {
    let server = "connect_cpu = '5ms'";
    check(&far("rate = '20/s'\ntls = 'none'", server), &[("box.utilisation", about(0.1, 0.05))]);
    check(
        &far(&format!("{FEW}\ntls = 'none'"), server),
        &[("box.utilisation", 0.0..=0.0), ("users.connects", 0.0..=0.0)],
    );
    let balanced = "[network]\nclient = '174ms'\n[client.users]\ntarget = 'lb'\nrate = '20/s'\ntls = 'none'\n\
                    [balancer.lb]\npublic = true\ntargets = ['box']\nconnect_cpu = '5ms'\ndemand = '1ms'\n\
                    [server.box]\nsteps = [{ wait = '1ms' }]\n[run]\nduration = '200s'\n";
    check(balanced, &[("lb.utilisation", about(0.12, 0.05))]);
}

#[test]
fn a_server_that_is_down_refuses_a_connection_after_one_round_trip() {
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'box'\nat = '10s'\nfor = '1000s'\n";
    let text = far("rate = '20/s'\ntls = '1.2'", "") + crash;
    check(&text, &[("unavailable", 1.0..=1.0), ("ended_ms", about(174.0, 0.01))]);
}

// The race -----------------------------------------------------------------------------------------------------------

#[test]
fn a_call_in_the_last_round_trip_before_the_end_of_a_connection_is_lost() {
    check(
        &far(
            "users = 400\nthink_time = { dist = 'exponential', mean = '1s' }\nkeep_alive = '1h'\ntls = 'none'",
            "idle_timeout = '2s'",
        ),
        &[("unavailable", about(lost(1.0, 2.0, 0.174), 0.05))],
    );
    // A caller that gives the connection up first meets no end.
    check(
        &far(
            "users = 400\nthink_time = { dist = 'exponential', mean = '1s' }\nkeep_alive = '1800ms'\ntls = 'none'",
            "idle_timeout = '2s'",
        ),
        &[("unavailable", 0.0..=0.0), ("users.reset_on_idle", 0.0..=0.0)],
    );
}

// Targets with a number of calls --------------------------------------------------------------------------------------

/// A balancer of three machines with two workers each, which work 40 ms on a call.
fn three(lb: &str, server: &str) -> String {
    format!(
        "[network]\nclient = '0ms'\nsame_zone = '0ms'\n[run]\nduration = '600s'\nwarmup = '20s'\n\
         [client.users]\ntarget = 'lb'\nrate = '120/s'\n[balancer.lb]\npublic = true\ntargets = ['web']\n{lb}\n\
         [server.web]\ncount = 3\nworkers = 2\n{server}\nsteps = [{{ wait = {{ dist = 'exponential', mean = '40ms' }} }}]\n"
    )
}

#[test]
fn calls_that_wait_at_the_balancer_are_one_queue() {
    let queue = mmc(120.0, 0.04, 6).expect("it is stable").response;
    for policy in ["weighted", "least-connections", "random", "two-choices"] {
        let lb = format!("policy = '{policy}'\ntarget_connections = 2");
        check(
            &three(&lb, "queue = 0"),
            &[("mean_ms", about(1000.0 * queue, 0.04)), ("ok", 1.0..=1.0), ("lb.queue", about(2.07, 0.15))],
        );
    }
    // Three queues of two workers each are slower.
    check(&three("policy = 'random'", ""), &[("mean_ms", 90.0..=140.0)]);
}

#[test]
fn a_line_before_full_targets_has_its_limits() {
    let ms40 = |lb: &str| three(lb, "queue = 0");
    // The B formula of Erlang for six places and 4.8 erlangs.
    let loss = erlang_b(4.8, 6);
    check(&ms40("target_connections = 2\ntarget_queue = { limit = 0 }"), &[("rejected", about(loss, 0.03))]);
    // Targets with more calls than workers reject the rest themselves: nobody waits at the balancer.
    check(&ms40("target_connections = 1000"), &[("lb.queue_max", 0.0..=0.0), ("rejected", 0.05..=0.3)]);
    // M/M/6 whose calls wait 10 ms at most loses 0.1107 (Gnedenko and Kovalenko).
    check(
        &ms40("target_connections = 2\ntarget_queue = { limit = 1000, timeout = '10ms' }"),
        &[("rejected", about(0.1107, 0.04)), ("lb.queue_timeouts", about(0.1107 * 72_000.0, 0.05))],
    );
}

#[test]
fn a_target_that_comes_back_serves_the_line_and_none_in_service_ends_it() {
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'web'\nat = '100s'\nfor = '20s'\n";
    let text = three("target_connections = 2\nhealth = { interval = '1s', fall = 1, rise = 1 }", "") + crash;
    check(&text, &[("unavailable", about(20.0 / 600.0, 0.25)), ("ok", 0.95..=0.98)]);
}
