//! How a box asks others: tries after the first, their budgets, circuit breakers, second calls.

use super::*;

/// A client of three layers, of which each tries three times what the last one never does.
fn layers(retry: &str, rate: &str) -> String {
    let client = format!("rate = '{rate}'\nretry = {{ {retry} }}");
    let server = format!("workers = 100000\nsteps = [{{ call = 'api', retry = {{ {retry} }} }}]");
    let api = format!(
        "[server.api]\nworkers = 100000\nsteps = [{{ call = 'deep', retry = {{ {retry} }} }}]\n{NEVER}"
    );
    format!("{}{api}", one_box(&client, &server)).replace(NEAR, FROM_START)
}

/// A server that answers each call but the first of the day that it has too many.
const NEVER: &str =
    "[server.deep]\nrate_limit = { rate = '0.000001/s', burst = 1 }\nsteps = [{ cpu = '1us' }]\n";

/// A server whose step asks the one that never does what it is asked for, or another one with this name.
fn asking(client: &str, step: &str, callee: &str) -> String {
    let server = format!("workers = 100000\nqueue = 0\n{step}");
    format!("{}{callee}", one_box(client, &server)).replace(NEAR, FROM_START)
}

#[test]
fn tries_multiply_over_layers() {
    // n to the power of the number of layers: 27 calls for 3 tries in 3 layers.
    let text = layers("attempts = 3, backoff = '1ms'", "10/s");
    check(&text, &[("deep.rate", about(270.0, 0.08)), ("api.rate", about(90.0, 0.08)), ("ok", 0.0..=0.002)]);
}

#[test]
fn a_budget_caps_what_a_layer_adds() {
    // A share of 20 % and ten a second on top: 1 + 0.2 + 10 / rate.
    for (rate, factor) in [("10/s", 2.2), ("100/s", 1.3), ("1000/s", 1.21)] {
        let step = "steps = [{ call = 'deep', retry = { attempts = 4, backoff = '1ms', budget = '20%' } }]";
        let text = asking(&format!("rate = '{rate}'"), step, NEVER);
        let per_s: f64 = rate.trim_end_matches("/s").parse().unwrap();
        // The reserve of the first ten seconds may be spent at once: 100 retries.
        let spread = 0.025 + 4.0 / per_s.sqrt() / 10.0;
        check(&text, &[("deep.rate", about(factor * per_s, spread))]);
    }
    // Three layers with a budget each: the cube of what one adds.
    let text = layers("attempts = 3, backoff = '1ms', budget = '20%'", "1000/s");
    check(&text, &[("deep.rate", about(1.21 * (1.0 + 0.2 + 10.0 / 1210.0) * 1.207 * 1000.0, 0.03))]);
}

#[test]
fn tokens_and_concurrency_bound_retries_too() {
    let deep = |budget: &str| {
        let step = format!(
            "steps = [{{ call = 'deep', retry = {{ attempts = 4, backoff = '1ms', budget = {budget} }} }}]"
        );
        asking("rate = '100/s'", &step, NEVER)
    };
    // Ten tokens are half gone after five failures, and no success brings them back.
    check(&deep("{ kind = 'tokens' }"), &[("deep.rate", about(100.0, 0.06))]);
    // A tenth of all calls fail: more than one in eleven. From 9.1 % on the tokens run low.
    let some = |share: &str| {
        let flaky = format!(
            "[server.deep]\nworkers = 100000\nerrors = {{ share = '{share}', time = '1ms' }}\nsteps = [{{ cpu = '1us' }}]\n"
        );
        let step = "steps = [{ call = 'deep', retry = { attempts = 4, backoff = '1ms', budget = { kind = 'tokens' } } }]";
        asking("rate = '1000/s'", step, &flaky)
    };
    check(&some("5%"), &[("ok", 0.999..=1.0), ("deep.rate", about(1000.0 / 0.95, 0.02))]);
    check(&some("30%"), &[("deep.rate", about(1000.0, 0.03))]);
    // Three retries may be under way, each for no time and after a pause of 1 ms: 3000 a second at most, and less because
    // they are not always asked for.
    let text = deep("{ kind = 'concurrency' }")
        .replace("rate = '100/s'", "rate = '2000/s'")
        .replace("backoff = '1ms'", "backoff = '1ms', factor = 1");
    check(&text, &[("deep.rate", about(2000.0 + 2600.0, 0.16))]);
}

#[test]
fn a_try_that_is_not_sent_gives_its_place_in_the_budget_back() {
    // Two calls at once, each of which fails every second time: 0.75^2 of the requests succeed with two tries. When one has
    // failed for good the pause of the other ends with the request; it must not count as under way for ever.
    let flaky = "[server.deep]\nerrors = { share = '50%', time = '1ms' }\nsteps = [{ cpu = '1us' }]\n";
    let step = "steps = [{ call = 'deep', parallel = 2, retry = { attempts = 2, backoff = '50ms', jitter = 'full', \
                budget = { kind = 'concurrency', share = 0, min = 5 } } }]";
    let text = asking("rate = '5/s'", step, flaky);
    check(
        &text,
        &[("throughput@0..50", about(5.0 * 0.5625, 0.28)), ("throughput@50..100", about(5.0 * 0.5625, 0.28))],
    );
}

#[test]
fn independent_failures_are_tried_until_one_succeeds() {
    // (1 - p^n) / (1 - p) tries: 1.75 for p = 0.5 and n = 3, of which 1 / 8 fails in the end.
    let flaky = "[server.deep]\nerrors = { share = '50%', time = '1ms' }\nsteps = [{ cpu = '1us' }]\n";
    let text = asking(
        "rate = '200/s'",
        "steps = [{ call = 'deep', retry = { attempts = 3, backoff = '1ms' } }]",
        flaky,
    );
    check(&text, &[("deep.rate", about(350.0, 0.03)), ("failed", about(0.125, 0.1))]);
    // The same at a query of a pool of one connection, which is held over all tries.
    let text = asking(
        "rate = '10/s'",
        "db_pool = 1\nsteps = [{ call = 'deep', retry = { attempts = 3, on = ['connect'] } }]",
        flaky,
    );
    check(&text, &[("deep.rate", about(10.0, 0.13)), ("failed", about(0.5, 0.14))]);
}

#[test]
fn another_try_goes_to_another_machine() {
    let two = "[server.deep]\ncount = 2\nsteps = [{ cpu = '1us' }]\n\
               [[fault]]\nkind = 'crash'\ntarget = 'deep-1'\nat = '1ms'\n";
    let text = |retry: &str| asking("rate = '100/s'", &format!("steps = [{{ call = 'deep'{retry} }}]"), two);
    check(&text(""), &[("unavailable", 0.49..=0.51)]);
    check(&text(", retry = { attempts = 2, backoff = '0ms' }"), &[("ok", 0.9999..=1.0)]);
}

#[test]
fn a_write_is_not_sent_again_unless_that_is_wanted() {
    let slow = "[request.read]\n[request.write]\neffect = 'write'\n\
                [server.deep]\nworkers = 100000\nsteps = [{ wait = '1s' }]\n";
    let text = |retry: &str| {
        let step = format!(
            "timeout = '100ms'\nsteps = [{{ call = 'deep', retry = {{ attempts = 3, backoff = '1ms'{retry} }} }}]"
        );
        asking("rate = '100/s'", &step, slow)
    };
    // Half of the requests write: 3 tries of a read, 1 of a write.
    check(&text(""), &[("deep.rate", about(200.0, 0.05)), ("timed_out", 0.99..=1.0)]);
    check(&text(", writes = true"), &[("deep.rate", about(300.0, 0.05))]);
    check(&text(", on = ['connect']"), &[("deep.rate", about(100.0, 0.05))]);
    check(&text(", chance = '50%', writes = true"), &[("deep.rate", about(175.0, 0.05))]);
}

#[test]
fn a_worker_is_held_through_all_tries() {
    // 3 tries of 100 ms and two pauses of 100 and 200 ms: 0.6 s for each request. Erlang's B formula for 10 workers and
    // 12 erlangs: 0.302 are turned away.
    let slow = "[server.deep]\nworkers = 100000\nsteps = [{ wait = '1s' }]\n";
    let step = "timeout = '100ms'\nsteps = [{ call = 'deep', retry = { attempts = 3, backoff = '100ms' } }]";
    let text = asking("rate = '20/s'", step, slow).replace("workers = 100000\nqueue", "workers = 10\nqueue");
    check(&text, &[("rejected", about(0.302, 0.12)), ("timed_out", about(0.698, 0.06))]);
}

#[test]
fn a_breaker_lets_a_few_probes_pass() {
    // After the first 100 calls 10 each 60 s, whatever the load: at 2.5, 62.5, 122.5 ... s, in 1000 s 16 times.
    for rate in ["40/s", "400/s"] {
        let step = "steps = [{ call = 'deep', breaker = {} }]";
        let text = asking(&format!("rate = '{rate}'"), step, NEVER)
            .replace("duration = '100s'", "duration = '1000s'");
        // Calls that are under way while it opens may be some more.
        check(&text, &[("deep.rate", 0.255..=0.275), ("unavailable", 0.985..=1.0)]);
    }
    // It closes again when the other side is back.
    let step =
        "steps = [{ call = 'deep', breaker = { kind = 'count', failures = 3, open = '5s', probes = 2 } }]";
    let crash = "[server.deep]\nsteps = [{ cpu = '1us' }]\n\
                 [[fault]]\nkind = 'crash'\ntarget = 'deep'\nat = '20s'\nfor = '10s'\n";
    let text = asking("rate = '100/s'", step, crash);
    check(
        &text,
        &[
            ("throughput@0..20", about(100.0, 0.1)),
            ("throughput@21..29", 0.0..=0.0),
            ("throughput@36..99", about(100.0, 0.06)),
        ],
    );
}

#[test]
fn a_share_of_failures_below_its_bound_seldom_opens_a_breaker() {
    // 40 % of failures, and a window of 100 calls that opens at 50: P(Bin(100, 0.4) >= 50) = 2.7 % for one window.
    let flaky = "[server.deep]\nerrors = { share = '20%', time = '1ms' }\nsteps = [{ cpu = '1us' }]\n";
    let text = asking("rate = '100/s'", "steps = [{ call = 'deep', breaker = {} }]", flaky);
    check(&text, &[("unavailable", 0.0..=0.0), ("failed", about(0.2, 0.1))]);
}

/// No queues: a second call of an exponential time of 10 ms.
fn hedged(hedge: &str) -> String {
    let callee = "[server.deep]\nworkers = 100000\n\
                  steps = [{ wait = { dist = 'exponential', mean = '10ms' } }]\n";
    asking("rate = '1000/s'", &format!("steps = [{{ call = 'deep'{hedge} }}]"), callee)
}

#[test]
fn a_second_call_shortens_the_tail() {
    // P(T > t) = 0.05 exp(-2 (t - d) / 10 ms) beyond d = 29.96 ms, the 95th percentile of the first.
    let figures =
        [("p99_ms", about(46.1, 0.03)), ("p999_ms", about(69.1, 0.05)), ("mean_ms", about(10.0, 0.02))];
    check(&hedged(""), &figures);
    let figures = [
        ("p99_ms", about(38.0, 0.03)),
        ("p999_ms", about(49.5, 0.05)),
        ("mean_ms", about(9.75, 0.02)),
        ("deep.rate", about(1050.0, 0.01)),
    ];
    check(&hedged(", hedge = { after = '29.96ms' }"), &figures);
    check(&hedged(", hedge = { after = 'p95' }"), &figures);
}

#[test]
fn a_hedge_saves_a_fan_out_from_its_slowest() {
    // 1 % of the calls take 1 s: 1 - 0.99^100 = 63.4 % of the requests meet one; with a second call 1 - (1 - 0.01^2)^100.
    let text = |hedge: &str| {
        let callee = "[server.deep]\nworkers = 100000\n\
                      steps = [{ wait = '1ms' }, { wait = '1s', chance = '1%' }]\n";
        let step = format!("steps = [{{ call = 'deep', parallel = 100{hedge} }}]");
        asking("rate = '100/s'", &step, callee)
    };
    // The mean tells the share: 1 ms and 1 s for those who meet a slow one.
    check(&text(""), &[("mean_ms", about(1.0 + 634.0, 0.03))]);
    let slow = 1.0 - (1.0 - 1e-4_f64).powi(100);
    let mean = 1.0 + 10.0 * (0.634 - slow) + 1000.0 * slow;
    check(
        &text(", hedge = { after = '10ms' }"),
        &[("mean_ms", about(mean, 0.2)), ("deep.rate", about(10_100.0, 0.05))],
    );
}

#[test]
fn a_balancer_bounds_its_further_tries() {
    let lb =
        "[balancer.lb]\npublic = true\ntargets = ['deep', 'more']\nretries = 1\nretries_on = ['rejected']\n";
    let more = NEVER.replace("deep", "more");
    let text = |budget: &str| {
        format!("{FROM_START}[client.users]\nrate = '100/s'\ntarget = 'lb'\n{lb}{budget}\n{NEVER}{more}\n")
    };
    let both = |text: &str, rate: f64| check(text, &[("deep.rate", about(rate / 2.0, 0.05))]);
    both(&text(""), 200.0);
    both(&text("retries_budget = '20%'"), 130.0);
}

// Deadlines and cancellation ------------------------------------------------------------------------------------------

/// One worker who does 100 calls a second, 150 calls a second, and users who wait for 2 s.
fn late(client: &str, server: &str) -> String {
    let server = format!(
        "cores = 1\nworkers = 1\nqueue = 1000000\nscheduling = 'fifo'\nmemory_per_call = '1KiB'\n{server}\n\
         steps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]"
    );
    one_box(&format!("rate = '150/s'\ntimeout = '2s'\n{client}"), &server).replace(NEAR, FROM_START)
}

#[test]
fn a_deadline_that_is_looked_at_when_a_call_is_taken_saves_two_thirds() {
    // Those who are served have waited nearly 2 s. The slowest third ends late: mu^2 / lambda are in time.
    let saved = [("throughput@20..100", about(10_000.0 / 150.0, 0.08))];
    check(&late("propagate = true", "propagate = true"), &saved);
    // Both must take part.
    check(&late("propagate = true", ""), &[("throughput@20..100", 0.0..=0.5)]);
    check(&late("", "propagate = true"), &[("throughput@20..100", 0.0..=0.5)]);
    // A user who says that he has gone leaves the queue at that moment, which is the same.
    check(&late("cancel = true", ""), &saved);
}

#[test]
fn a_deadline_travels_over_a_balancer_and_a_server() {
    let text = |web: &str, api: &str| {
        format!(
            "{FROM_START}[client.users]\nrate = '150/s'\ntimeout = '2s'\npropagate = true\ntarget = 'lb'\n\
             [balancer.lb]\npublic = true\ntargets = ['web']\n\
             [server.web]\nworkers = 100000\nmemory = '900GiB'\nsteps = [{{ call = 'api' }}]\n{web}\n\
             [server.api]\ncores = 1\nworkers = 1\nqueue = 1000000\nscheduling = 'fifo'\n\
             steps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]\n{api}\n"
        )
    };
    let on = "propagate = true";
    check(&text(on, on), &[("throughput@20..100", about(10_000.0 / 150.0, 0.08))]);
    // One that does not pass it on breaks the chain.
    check(&text("", on), &[("throughput@20..100", 0.0..=0.5)]);
    // Its own limit is earlier: those who are served have waited nearly 1 s, and the rest of the user's time is to spare.
    let one = "propagate = true\ntimeout = '1s'";
    check(
        &text(one, on),
        &[("throughput@20..100", about(10_000.0 / 150.0, 0.08)), ("api.queue_max", 100.0..=220.0)],
    );
}

#[test]
fn a_call_that_is_late_at_its_end_is_not_dropped() {
    // Its only step takes longer than users wait. Nothing is left to save then.
    let client = "rate = '10/s'\ntimeout = '5ms'\npropagate = true";
    let text = one_box(client, "propagate = true\nsteps = [{ wait = '10ms' }]");
    check(
        &text,
        &[("timed_out", 1.0..=1.0), ("box.dropped_late", 0.0..=0.0), ("box.ok_rate", about(10.0, 0.2))],
    );
    // With a second step there is.
    let text = text.replace("[{ wait = '10ms' }]", "[{ wait = '10ms' }, { wait = '1s' }]");
    check(&text, &[("box.dropped_late", about(900.0, 0.2)), ("box.ok_rate", 0.0..=0.0)]);
}

#[test]
fn a_cancelled_call_ends_with_its_step_all_the_way_down() {
    // Ten steps of 100 ms, and users who wait for 250 ms: those who say so are forgotten at 300 ms.
    let steps = ["{ wait = '100ms' }"; 10].join(", ");
    let text = |cancel: &str, web: &str| {
        let client = format!("rate = '50/s'\ntimeout = '250ms'\n{cancel}");
        let server = format!("{web}\nsteps = [{{ call = 'api' }}]");
        format!("{}[server.api]\nsteps = [{steps}]\n", one_box(&client, &server))
    };
    let on = "cancel = true";
    check(&text("", ""), &[("api.inside", about(50.0, 0.1)), ("box.inside", about(50.0, 0.1))]);
    check(&text(on, on), &[("api.inside", about(15.0, 0.1)), ("box.inside", about(12.5, 0.1))]);
    // A server that does not pass it on stays with its own call too: it holds its worker while it waits.
    check(&text(on, ""), &[("api.inside", about(50.0, 0.1)), ("box.inside", about(50.0, 0.1))]);
}

#[test]
fn a_call_that_waits_for_its_error_can_be_cancelled() {
    // Half of the calls get an error after 50 ms, without a step; their users have gone after 20 ms, and the other half is fine.
    let server = "cancel = true\nerrors = { share = '50%', time = '50ms' }\nsteps = [{ query = 'db' }]";
    let text = one_box("rate = '100/s'\ntimeout = '20ms'\ncancel = true", server);
    check(
        &format!("{text}[database.db]\nread = '1ms'\n"),
        &[("timed_out", about(0.5, 0.1)), ("ok", about(0.5, 0.1))],
    );
}

#[test]
fn the_loser_of_a_hedge_leaves_the_queue() {
    // Two machines of one worker each at 45 % load, and a second call for each answer that takes longer than 20 ms. Losers
    // that work on use up a third of what there is.
    let text = |cancel: &str| {
        let callee = "[server.deep]\ncount = 2\nworkers = 1\nqueue = 100000\nscheduling = 'fifo'\n\
                      steps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]\n";
        let step = format!("steps = [{{ call = 'deep', hedge = {{ after = '20ms'{cancel} }} }}]");
        asking("rate = '90/s'", &step, callee)
    };
    // Nothing else is certain of it: with cancellation fewer calls are worked on, and those that are end sooner.
    let figures = |toml: &str| {
        let (scenario, record) = run(toml);
        ["deep-1.busy", "mean_ms"].map(|name| figure(&scenario, &record, name))
    };
    let (without, with) = (figures(&text("")), figures(&text(", cancel = true")));
    assert!(with[0] < without[0] * 0.9 && with[1] < without[1], "{without:?} {with:?}");
}

#[test]
fn deadlines_bring_a_collapsed_server_back() {
    // The retry experiment of Huang et al., "Metastable Failures in the Wild" (OSDI 2022): a trigger of ten seconds, after
    // which the retries alone keep the server busy with calls that nobody waits for.
    let text = |client: &str, server: &str| {
        format!(
            "[run]\nduration = '100s'\nwarmup = '5s'\n[network]\nclient = '0ms'\n\
             [client.u]\nrate = '380/s'\narrivals = {{ dist = 'constant' }}\ntarget = 's'\ntimeout = '3s'\n\
             retry = {{ attempts = 5, backoff = '1us', factor = 1{client} }}\n\
             [server.s]\npublic = true\ncores = 1\nscheduling = 'fifo'\nworkers = 100000\nqueue = 0\n\
             memory = '900GiB'\nmemory_per_call = '1KiB'\nsteps = [{{ cpu = '1ms' }}]\n{server}\n\
             [[fault]]\nkind = 'slow'\ntarget = 's'\nat = '20s'\nfor = '10s'\nfactor = 5\n"
        )
    };
    let well = [("throughput@60..100", about(380.0, 0.02))];
    check(&text("", ""), &[("throughput@60..100", 0.0..=1.0)]);
    check(&text(", budget = '20%'", ""), &well);
    let deadline = text(" }\npropagate = true\n#", "propagate = true")
        .replace("workers = 100000\nqueue = 0", "workers = 1\nqueue = 100000");
    check(&deadline, &well);
}

#[test]
fn many_who_wait_for_a_connection_are_refused_one_after_the_other() {
    // One connection, and a database that hangs. Ten thousand calls wait when the breaker opens, and each of them is refused when it
    // gets the connection of the one before: not inside one another, for which no stack is deep enough.
    let server = "workers = 100000\nmemory = '64GiB'\nmemory_per_call = '1KiB'\ndb_pool = 1\ntimeout = '1s'\n\
                  steps = [{ query = 'db', breaker = { kind = 'count', failures = 1, open = '1s' } }]";
    let hang =
        "[database.db]\nread = '0ms'\n[[fault]]\nkind = 'hang'\ntarget = 'db'\nat = '10s'\nfor = '5s'\n";
    let text = format!("{}{hang}", one_box("rate = '10000/s'", server))
        .replace("duration = '100s'", "duration = '15s'");
    check(&text, &[("box.breaker_denied", 10_000.0..=200_000.0), ("timed_out", 0.0..=0.01)]);
}
