//! Limits at the door: of the calls inside, fixed or following the time of answers, and of rates by whom.

use super::*;

/// The mean of a figure of a box's own.
fn gauge(record: &TrialRecord, of: &str, name: &str) -> f64 {
    let component =
        record.components.iter().find(|component| component.name == of).expect("the box is there");
    let found = component.gauges.iter().find(|(gauge, _)| gauge.name == name);
    found.expect("the box has the figure").1.mean()
}

// Calls inside --------------------------------------------------------------------------------------------------------

#[test]
fn a_limit_of_calls_inside_is_a_loss_system_whatever_the_queue() {
    // Erlang's B formula for 5 places and 3 erlangs: 0.1101. It depends on the mean only.
    for dist in ["{ dist = 'exponential', mean = '10ms' }", "'10ms'"] {
        let server = format!("limit = {{ calls = 5 }}\nsteps = [{{ wait = {dist} }}]");
        check(
            &one_box("rate = '300/s'", &server),
            &[("rejected", about(0.1101, 0.1)), ("box.queue_max", 0.0..=0.0)],
        );
    }
    // Two of the five work, and three wait: M/M/2/5 with 3 erlangs loses 0.3744.
    let server =
        "workers = 2\nlimit = { calls = 5 }\nsteps = [{ wait = { dist = 'exponential', mean = '10ms' } }]";
    check(
        &one_box("rate = '300/s'", server),
        &[("rejected", about(0.3744, 0.06)), ("box.queue_max", 3.0..=3.0)],
    );
}

#[test]
fn a_balancer_has_a_limit_of_calls_inside_too() {
    let text = format!(
        "{NEAR}[client.users]\ntarget = 'lb'\nrate = '300/s'\n[balancer.lb]\npublic = true\ntargets = ['web']\n\
         limit = {{ calls = 5 }}\n[server.web]\nsteps = [{{ wait = '10ms' }}]\n"
    );
    check(&text, &[("rejected", about(0.1101, 0.1))]);
}

/// Twenty cores that do 1000 calls a second, and 4000 come, so that a place is taken as soon as it is free.
fn overloaded(limit: &str) -> String {
    let server = format!(
        "cores = 20\nworkers = 100000\nmemory = '900GiB'\nmemory_per_call = '1KiB'\n{limit}\nsteps = [{{ cpu = '20ms' }}]"
    );
    one_box("rate = '4000/s'\ntimeout = '2s'", &server).replace("'100s'", "'40s'")
}

#[test]
fn a_gradient_rests_where_answers_take_a_little_longer_than_the_least() {
    let (scenario, record) = run(&overloaded("limit = { gradient = { probe = '1h' } }"));
    // L calls on 20 cores take L / 20 times as long as one: L / 20 = 1.25 / (1 - 1 / sqrt(L)) at L = 30.5.
    let limit = gauge(&record, "box", "limit");
    assert!((30.0..=32.0).contains(&limit), "{limit}");
    let figures = ["throughput", "mean_ms"].map(|name| figure(&scenario, &record, name));
    assert!((980.0..=1005.0).contains(&figures[0]) && figures[1] < 33.0, "{figures:?}");
    // Without a limit all answers are too late.
    check(&overloaded(""), &[("throughput", 0.0..=100.0)]);
}

#[test]
fn a_gradient_that_measures_often_loses_the_time_of_it() {
    let often = run(&overloaded("limit = { gradient = { probe = '2s' } }"));
    // 50 answers with 3 inside take 50 x 20 ms / 3, a third of a second of each 2.3 s, in which 150/s are served.
    let throughput = figure(&often.0, &often.1, "throughput");
    assert!((830.0..=930.0).contains(&throughput), "{throughput}");
}

#[test]
fn a_gradient_keeps_a_server_that_has_become_slow_at_its_capacity() {
    let server =
        "memory_per_call = '1KiB'\nlimit = { gradient = { probe = '1h' } }\nsteps = [{ cpu = '1ms' }]";
    let fault = "[[fault]]\nkind = 'slow'\ntarget = 'box'\nat = '5s'\nfor = '1h'\nfactor = 5\n";
    let text = one_box("rate = '1500/s'\ntimeout = '2s'", server).replace("'100s'", "'40s'") + fault;
    let (scenario, record) = run(&text);
    // The gradient is bounded below by 1/2: L = L / 2 + sqrt(L) at L = 4.
    let (limit, throughput) = (gauge(&record, "box", "limit"), figure(&scenario, &record, "throughput"));
    assert!((3.0..=4.2).contains(&limit), "{limit}");
    assert!((195.0..=201.0).contains(&throughput), "{throughput}");
}

#[test]
fn a_gradient_begins_anew_after_a_restart() {
    let server = "memory_per_call = '1KiB'\nlimit = { gradient = {} }\nsteps = [{ wait = '1ms' }]";
    let text = one_box("rate = '1000/s'", server)
        .replace("'100s'", "'10s'")
        .replace("warmup = '10s'", "warmup = '5s'");
    // Where nothing is slow the limit is the highest one, 1000.
    assert!(gauge(&run(&text).1, "box", "limit") > 999.0);
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'box'\nat = '5s'\nfor = '9s'\n";
    // Down for 9 s of 10, it shows the least limit, 3.
    let limit = gauge(&run(&(text + crash)).1, "box", "limit");
    assert!((3.0..=100.0).contains(&limit), "{limit}");
}

// Rates ---------------------------------------------------------------------------------------------------------------

/// One client asks 100 times a second, four others 8 times, and 20 pass.
fn greedy(per: &str) -> String {
    let calm: String = (1..=4).map(|n| format!("[client.calm{n}]\ntarget = 'box'\nrate = '8/s'\n")).collect();
    format!(
        "{NEAR}[request.calm]\nclients = ['calm1', 'calm2', 'calm3', 'calm4']\n\
         [request.greedy]\nclients = ['greedy']\n[client.greedy]\ntarget = 'box'\nrate = '100/s'\n{calm}\
         [server.box]\npublic = true\nrate_limit = {{ rate = '20/s'{per} }}\nsteps = [{{ wait = '1ms' }}]\n"
    )
}

#[test]
fn a_greedy_client_takes_nothing_from_the_others_with_a_bucket_each() {
    let greedy_alone = ("greedy.throttled", about(0.8, 0.05));
    check(&greedy(", per = 'client'"), &[("calm.throttled", 0.0..=0.001), greedy_alone.clone()]);
    // The four calm ones together ask 32 times a second.
    check(&greedy(", per = 'class'"), &[("calm.throttled", about(1.0 - 20.0 / 32.0, 0.12)), greedy_alone]);
    for all in ["", ", per = 'all'"] {
        let share = about(1.0 - 20.0 / 132.0, 0.04);
        check(&greedy(all), &[("calm.throttled", share.clone()), ("greedy.throttled", share)]);
    }
}

#[test]
fn limits_of_each_caller_apart_say_nothing_of_all_together() {
    let has_row = |per: &str| {
        let loaded =
            load("test.toml", &greedy(per), &[], &Known, KINDS).unwrap_or_else(|found| panic!("{found}"));
        let rows = loaded.scenario.load().resources;
        rows.iter().any(|row| row.resource.name == "rate_limit")
    };
    assert!(has_row("") && !has_row(", per = 'client'") && !has_row(", per = 'class'"));
}

#[test]
fn each_user_has_a_bucket_of_its_own() {
    // Ten users ask once a second. A bucket of one token that comes back after 2 s lets every other request pass.
    let text = |per: &str| {
        let server =
            format!("rate_limit = {{ rate = '0.5/s', burst = 1{per} }}\nsteps = [{{ cpu = '1us' }}]");
        one_box("users = 10\nthink_time = '1.001s'", &server)
    };
    check(&text(", per = 'user'"), &[("throttled", 0.48..=0.52)]);
    check(&text(""), &[("throttled", 0.93..=0.97)]);
}

#[test]
fn a_user_who_never_comes_back_has_a_full_bucket() {
    let server = "rate_limit = { rate = '0.5/s', burst = 1, per = 'user' }\nsteps = [{ wait = '1ms' }]";
    check(&one_box("rate = '100/s'", server), &[("throttled", 0.0..=0.0)]);
}
