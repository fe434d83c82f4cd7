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

// Connections that a balancer keeps -----------------------------------------------------------------------------------

/// A balancer that is 100 ms from its server.
fn apart(client: &str, lb: &str, server: &str) -> String {
    format!(
        "[network]\nclient = '0ms'\nsame_zone = '100ms'\n[run]\nduration = '20000s'\nwarmup = '0s'\n\
         [client.users]\ntarget = 'lb'\n{client}\n[balancer.lb]\npublic = true\ntargets = ['web']\n{lb}\n\
         [server.web]\n{server}\nsteps = [{{ wait = '1ms' }}]\n"
    )
}

const ALONE: &str = "users = 1\nthink_time = { dist = 'exponential', mean = '1s' }";

#[test]
fn a_balancer_keeps_connections_to_its_targets() {
    // One round trip to open, of which there are n - 1 in n over a kept one.
    for (lb, server, share) in [
        ("", "", 0.0),
        ("upstream = { idle = 0 }", "", 1.0),
        ("upstream = { keep_alive = '1h' }", "idle_timeout = '1h'\nmax_requests = 4", 0.25),
        // e^-2 of the thoughts are longer than 2 s.
        ("upstream = { keep_alive = '2s' }", "", libm::exp(-2.0)),
    ] {
        let mut expect = vec![("mean_ms", about(101.0 + 100.0 * share, 0.01))];
        if !lb.is_empty() {
            expect.push(("lb.connects_per_request", about(share, 0.04)));
        }
        check(&apart(ALONE, lb, server), &expect);
    }
}

#[test]
fn a_balancer_keeps_those_connections_that_it_used_last_and_only_some() {
    // Ten calls at once need ten connections, of which some are kept for the next ten.
    for (idle, share) in [(1, 0.9), (4, 0.6), (10, 0.0)] {
        let text = format!(
            "[network]\nclient = '0ms'\nsame_zone = '100ms'\n[run]\nduration = '2000s'\n\
             [client.users]\ntarget = 'front'\nrate = '1/s'\narrivals = {{ dist = 'constant' }}\n\
             [server.front]\npublic = true\nsteps = [{{ call = 'lb', parallel = 10 }}]\n\
             [balancer.lb]\ntargets = ['web']\nupstream = {{ idle = {idle} }}\n[server.web]\nsteps = [{{ wait = '1ms' }}]\n"
        );
        check(&text, &[("lb.connects_per_request", (share - 0.001)..=(share + 0.001))]);
    }
    // Two users who ask at other times: the connection that one has given back serves the other, and the second one is never used.
    let spread = "rate = '1/s'\narrivals = { dist = 'constant' }";
    check(
        &apart(spread, "upstream = { keep_alive = '1500ms' }", ""),
        &[("lb.connects", 0.0..=1.0), ("lb.connects_per_request", 0.0..=0.001)],
    );
}

#[test]
fn a_balancer_loses_the_call_that_meets_the_end_of_a_connection_and_tries_a_read_again() {
    let share = lost(1.0, 2.0, 0.1);
    let server = "idle_timeout = '2s'";
    let lb = "upstream = { keep_alive = '60s' }";
    check(
        &apart(ALONE, lb, server),
        &[("unavailable", about(share, 0.12)), ("lb.reset_on_idle", about(share * 20_000.0 / 1.1, 0.12))],
    );
    check(
        &apart(ALONE, lb, "idle_timeout = '61s'"),
        &[("unavailable", 0.0..=0.0), ("lb.reset_on_idle", 0.0..=0.0)],
    );
    // The only target of the balancer is tried again; a write is not.
    let again = format!("{lb}\nretries = 1\nretries_at = 'same'");
    check(
        &apart(ALONE, &again, server),
        &[("ok", 1.0..=1.0), ("lb.retries", about(share * 20_000.0 / 1.1, 0.2))],
    );
    let writes = format!("{}[request.write]\neffect = 'write'\n", apart(ALONE, &again, server));
    check(&writes, &[("unavailable", about(share, 0.12)), ("lb.retries", 0.0..=0.0)]);
}

#[test]
fn a_crash_closes_all_connections() {
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'web'\nat = '100s'\nfor = '1ms'\n";
    let users = "users = 10\nthink_time = '20s'";
    let text = apart(users, "upstream = { keep_alive = '1h' }", "idle_timeout = '1h'") + crash;
    check(&text, &[("lb.connects", 20.0..=20.0)]);
    let crash = crash.replace("'web'", "'lb'");
    let text = apart(users, "upstream = { keep_alive = '1h' }", "idle_timeout = '1h'") + &crash;
    check(&text, &[("lb.connects", 20.0..=20.0)]);
}

// A target for each connection ----------------------------------------------------------------------------------------

#[test]
fn a_machine_that_comes_later_gets_nobody_from_connections_that_stay_open() {
    let scenario = |mode: &str, client: &str| {
        format!(
            "[network]\nclient = '10ms'\n[run]\nduration = '300s'\nwarmup = '100s'\n\
             [client.users]\ntarget = 'lb'\nusers = 200\nthink_time = '1s'\n{client}\n\
             [balancer.lb]\npublic = true\ntargets = ['old', 'new']\nmode = '{mode}'\nidle_timeout = '2h'\n\
             health = {{ interval = '1s', fall = 1, rise = 1 }}\n\
             [server.old]\nsteps = [{{ cpu = '1ms' }}]\n[server.new]\nsteps = [{{ cpu = '1ms' }}]\n\
             [[fault]]\nkind = 'crash'\ntarget = 'new'\nat = '0s'\nfor = '60s'\n"
        )
    };
    for client in ["", "keep_alive = '1h'"] {
        let text = scenario("connection", client);
        let text = if client.is_empty() { text.replace("idle_timeout = '2h'\n", "") } else { text };
        check(&text, &[("new.rate", 0.0..=0.0), ("new.utilisation", 0.0..=0.0), ("old.rate", 180.0..=200.0)]);
    }
    check(&scenario("request", "keep_alive = '1h'"), &[("new.rate", about(97.0, 0.05))]);
    // Where connections end, the next one may go to the other machine.
    check(&scenario("connection", "keep_alive = '0s'"), &[("new.rate", about(96.0, 0.05))]);
    // A machine that fails loses its connections: the users open others, and stay there.
    let fails = scenario("connection", "keep_alive = '1h'")
        .replace("'new'\nat = '0s'\nfor", "'old'\nat = '60s'\nfor");
    check(&fails, &[("new.rate", 180.0..=200.0), ("old.rate", 0.0..=0.0)]);
}

// Connections to a database -------------------------------------------------------------------------------------------

#[test]
fn connections_to_a_database_take_a_round_trip_where_a_table_says_how_long_they_stay_open() {
    let text = |pool: &str, steps: &str, db: &str| {
        format!(
            "[network]\nclient = '0ms'\nsame_zone = '100ms'\n[run]\nduration = '20000s'\nwarmup = '0s'\n\
             [client.users]\ntarget = 'web'\n{ALONE}\n[server.web]\npublic = true\n{pool}\nsteps = [{steps}]\n\
             [database.db]\nread = '1ms'\n{db}\n"
        )
    };
    let query = "{ query = 'db' }";
    let transaction = "{ transaction = 'db', steps = [{ query = 'db' }, { query = 'db' }] }";
    let never = 0.0;
    for (pool, steps, db, opened, queries) in [
        ("", query, "", None, 1.0),
        ("db_pool = { size = 5, wait = '1s' }", query, "", None, 1.0),
        // e^-2 of the thoughts are longer than 2 s.
        ("db_pool = { idle = '2s' }", query, "", Some(libm::exp(-2.0)), 1.0),
        ("db_pool = { idle = '2s' }", transaction, "", Some(libm::exp(-2.0)), 2.0),
        ("db_pool = { idle = '2s' }", query, "replicas = 1", Some(libm::exp(-2.0)), 1.0),
        ("db_pool = { idle = '0s' }", query, "", Some(1.0), 1.0),
        // One stays open, and one user needs no more.
        ("db_pool = { idle = '2s', min = 1, life = '10h' }", query, "", Some(never), 1.0),
        // A connection of 10 s serves those requests that begin within its life, every 1.1 s, and the one that opens it.
        ("db_pool = { life = '10s' }", query, "", Some(1.1 / (10.0 + 1.1)), 1.0),
    ] {
        let mut expect = vec![("mean_ms", about(101.0 * queries + 100.0 * opened.unwrap_or(never), 0.01))];
        if let Some(opened) = opened {
            expect.push(("web.connects_per_request", about(opened, 0.06)));
        }
        check(&text(pool, steps, db), &expect);
    }
}
