//! Clients: open streams, closed populations, sessions, arrivals, profiles and traces.

use super::*;

#[test]
fn a_closed_population_cannot_overrun_a_server_and_an_open_stream_can() {
    let server = "scheduling = 'fifo'\nworkers = 100000\nqueue = 0\nmemory_per_call = '1KiB'\nsteps = [{ cpu = '100ms' }]";
    let closed = "users = 50\nthink_time = { dist = 'exponential', mean = '1s' }\ntimeout = '1h'";
    // R = N / X - Z = 50 / 10 - 1 = 4 s.
    check(
        &one_box(closed, server),
        &[("throughput", 9.99..=10.01), ("mean_ms", about(4000.0, 0.06)), ("box.inside_max", 0.0..=50.0)],
    );
    check(
        &one_box("rate = '20/s'\ntimeout = '1h'", server),
        &[("throughput", 9.8..=10.1), ("box.inside_max", 900.0..=1400.0)],
    );
}

#[test]
fn every_call_inside_holds_a_worker_unless_it_waits_for_one() {
    // Little's law: 100/s x 100 ms hold 10 of 20 workers. A call that waits for a worker holds none.
    let server = "workers = 20\nqueue = 1000\nsteps = [{ wait = '100ms' }]";
    check(&one_box("rate = '100/s'", server), &[("box.slots_held", about(0.5, 0.02))]);
    let closed = "users = 50\nthink_time = '1ms'\ntimeout = '1h'";
    check(
        &one_box(closed, server),
        &[("box.slots_held", about(1.0, 0.001)), ("box.inside", about(50.0, 0.01))],
    );
    // M/M/1 at 80 % has 4 calls inside. Each holds one of 400 workers, and 3.2 of them wait for the core.
    let server = "cores = 1\nscheduling = 'fifo'\nworkers = 400\n\
                  steps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]";
    let held = ("box.slots_held", about(0.01, 0.2));
    check(&one_box("rate = '80/s'", server), &[held, ("box.queue", about(3.2, 0.2))]);
}

#[test]
fn the_response_time_law_holds_exactly() {
    let users = "users = 20\nthink_time = '1s'\ntimeout = '1h'";
    let text = one_box(users, "workers = 100\nsteps = [{ cpu = { dist = 'exponential', mean = '80ms' } }]");
    let (scenario, record) = run(&text.replace("100s'", "1000s'"));
    let of = |name: &str| figure(&scenario, &record, name);
    let by_law = 20.0 / of("throughput") - 1.0;
    assert!(
        (of("mean_ms") / 1e3 / by_law - 1.0).abs() < 0.01,
        "{} s, by the law {by_law} s",
        of("mean_ms") / 1e3
    );
}

#[test]
fn sessions_make_several_requests_each() {
    let client = "sessions = '20/s'\nrequests = 4\nthink_time = { dist = 'exponential', mean = '500ms' }";
    check(&one_box(client, "steps = [{ cpu = '1ms' }]"), &[("offered", about(80.0, 0.12))]);
}

#[test]
fn arrivals_have_their_shape() {
    // With batches of ten on average the load is the same, but the queue is longer.
    let server = "workers = 1\nqueue = 100000\nmemory_per_call = '1KiB'\nsteps = [{ cpu = '5ms' }]";
    for (arrivals, queue) in [
        ("{ dist = 'constant' }", 0.0..=0.0),
        ("{ dist = 'exponential' }", 0.15..=0.4),
        ("{ dist = 'exponential', batch = 10 }", 5.0..=15.0),
    ] {
        let client = format!("rate = '100/s'\narrivals = {arrivals}");
        check(&one_box(&client, server), &[("offered", about(100.0, 0.2)), ("box.queue", queue)]);
    }
}

fn profiled(profile: &str) -> String {
    let text = one_box(
        &format!("rate = '100/s'\nprofile = {profile}"),
        "workers = 1000\nsteps = [{ wait = '1ms' }]",
    );
    text.replace(NEAR, FROM_START)
}

#[test]
fn profiles_give_the_load_that_they_say() {
    check(
        &profiled("{ ramp = { over = '100s' } }"),
        &[("offered@0..50", about(25.0, 0.12)), ("offered@50..100", about(75.0, 0.07))],
    );
    check(
        &profiled("{ steps = [['0s', 1], ['30s', 3], ['60s', 0]] }"),
        &[
            ("offered@0..30", about(100.0, 0.08)),
            ("offered@30..60", about(300.0, 0.05)),
            ("offered@60..100", 0.0..=0.0),
        ],
    );
    check(
        &profiled("{ steps = [['0s', 0], ['5s', 2]], period = '10s' }"),
        &[
            ("offered@10..15", 0.0..=0.0),
            ("offered@15..20", about(200.0, 0.13)),
            ("offered@0..100", about(100.0, 0.05)),
        ],
    );
    check(
        &profiled("{ spike = { at = '40s', for = '10s', factor = 5 } }"),
        &[
            ("offered@0..40", about(100.0, 0.07)),
            ("offered@40..50", about(500.0, 0.06)),
            ("offered@50..100", about(100.0, 0.06)),
        ],
    );
    check(
        &profiled("{ burst = { every = '20s', for = '5s', factor = 4 } }"),
        &[
            ("offered@0..20", about(100.0, 0.1)),
            ("offered@20..25", about(400.0, 0.09)),
            ("offered@25..40", about(100.0, 0.11)),
            ("offered@40..45", about(400.0, 0.09)),
            ("offered@80..85", about(400.0, 0.09)),
        ],
    );
    // The mean of 1 + a sin over half a day is 1 + 2a/pi.
    check(
        &profiled("{ diurnal = { period = '100s', amplitude = 0.8 } }"),
        &[("offered@0..50", about(150.9, 0.06)), ("offered@50..100", about(49.1, 0.09))],
    );
}

#[test]
fn a_profile_moves_a_closed_population() {
    let client = "users = 100\nthink_time = { dist = 'exponential', mean = '1s' }\n\
                  profile = { steps = [['0s', 0.5], ['30s', 2], ['60s', 1]] }";
    let text = one_box(client, "workers = 1000\nsteps = [{ wait = '1ms' }]").replace(NEAR, FROM_START);
    check(
        &text,
        &[
            ("offered@5..29", about(50.0, 0.13)),
            ("offered@35..60", about(200.0, 0.07)),
            ("offered@65..100", about(100.0, 0.08)),
        ],
    );
}

#[test]
fn users_who_come_think_first() {
    let text = |profile: &str| {
        let client = format!(
            "users = 1000\nthink_time = {{ dist = 'exponential', mean = '10s' }}\nprofile = {profile}"
        );
        let server = "workers = 5000\nmemory_per_call = '1KiB'\ncores = 4\nsteps = [{ cpu = '1ms' }]";
        one_box(&client, server).replace(NEAR, FROM_START)
    };
    let (_, record) = run(&text("{ spike = { at = '60s', for = '30s', factor = 2 } }"));
    let rate = |window: &outgrow::model::record::Window| window.issued as f64 / window.length_s;
    let highest = record.windows.iter().map(rate).fold(0.0, f64::max);
    assert!((200.0..350.0).contains(&highest), "{highest}/s in a window");
    // Users come and go one by one: each asks at 0.1/s while there is a place. Four deviations are 1.6 % of 60,000.
    check(
        &text("{ ramp = { to = 12, over = '100s' } }"),
        &[("issued", about(60_000.0, 0.016)), ("offered@0..1", 0.0..=35.0)],
    );
    check(&text("{ diurnal = { period = '50s', amplitude = 1 } }"), &[("issued", about(10_000.0, 0.04))]);
}

#[test]
fn users_who_left_and_come_back_think_anew() {
    // A user who thought longer than a burst lasts must not do so again in each burst.
    let client = "users = 2000\nthink_time = { dist = 'exponential', mean = '4s' }\n\
                  profile = { steps = [['0s', 0], ['2s', 1]], period = '4s' }";
    let server = "workers = 5000\nmemory_per_call = '1KiB'\ncores = 4\nsteps = [{ wait = '1ms' }]";
    // A user who is in thought at the end of a burst may find it over, and think from the start in the next: of a pause of
    // 4 s, which forgets its age, nothing is lost but the time without a place.
    check(&one_box(client, server).replace(NEAR, FROM_START), &[("issued", about(25_000.0, 0.04))]);
}

#[test]
fn a_trace_is_played_back() {
    let text = |file: &str| {
        one_box(&format!("trace = '{file}'"), "steps = [{ cpu = '1ms' }]").replace(NEAR, FROM_START)
    };
    check(
        &text("three.csv"),
        &[("issued", 3.0..=3.0), ("offered@0..1", 0.0..=0.0), ("offered@1..2", about(3.0, 1e-6))],
    );
    // Every count is replayed as it is.
    check(
        &text("counts.csv"),
        &[("offered@2..3", about(500.0, 1e-6)), ("offered@4..100", 0.0..=0.0), ("issued", 530.0..=530.0)],
    );
}

#[test]
fn counts_a_minute_are_spread_over_their_minutes() {
    let text = |trace: &str| {
        let text = one_box(&format!("trace = {trace}"), "cores = 4\nsteps = [{ cpu = '1ms' }]");
        text.replace(NEAR, FROM_START).replace("'100s'", "'180s'")
    };
    let (_, record) = run(&text("'minutes.csv'"));
    let highest =
        record.windows.iter().map(|window| window.issued as f64 / window.length_s).fold(0.0, f64::max);
    assert!(highest < 50.0, "{highest}/s in a window");
    check(&text("'minutes.csv'"), &[("issued", 1900.0..=1900.0), ("offered@0..30", about(10.0, 0.25))]);
    check(&text("{ file = 'minutes.csv', factor = 2 }"), &[("issued", 3800.0..=3800.0)]);
    check(&text("{ file = 'minutes.csv', exact = false }"), &[("issued", 1500.0..=2300.0)]);
    // A count a minute, but the file says otherwise: all come in the first second of each minute.
    check(
        &text("{ file = 'minutes.csv', every = '1s' }"),
        &[("issued", 1900.0..=1900.0), ("offered@1..60", 0.0..=0.0)],
    );
    let rates = "{ file = 'rates.csv', repeat = 'forever' }";
    check(&text(rates), &[("offered@0..50", about(10.0, 0.2)), ("offered@50..100", about(20.0, 0.15))]);
    check(&text(rates), &[("offered@100..150", about(10.0, 0.2)), ("offered@150..180", about(20.0, 0.2))]);
    let halved = format!("{rates}\nprofile = {{ steps = [['0s', 0.5], ['99s', 0]] }}");
    check(&text(&halved), &[("offered@0..50", about(5.0, 0.3)), ("offered@100..180", 0.0..=0.0)]);
}

#[test]
fn a_trace_tells_the_class_of_each_request() {
    let issued = |trace: &str| {
        let text = one_box(&format!("trace = {trace}"), "cores = 4\nsteps = [{ cpu = '1ms' }]");
        let text = format!("{text}\n[request.buy]\nshare = 0.9\n[request.view]\nshare = 0.1\n");
        let (scenario, record) = run(&text.replace(NEAR, FROM_START).replace("'100s'", "'130s'"));
        let by_class = record.classes.iter().map(|class| class.issued).collect::<Vec<u64>>();
        let load = &scenario.load().clients[0];
        let shares =
            load.by_class.iter().map(|(_, asked)| asked / load.by_class.iter().map(|c| c.1).sum::<f64>());
        (by_class, shares.collect::<Vec<f64>>())
    };
    let (by_class, shares) = issued("{ file = 'classes.csv', class = 'file' }");
    assert_eq!(by_class, [150, 900]);
    // The laws before the run know the same mix.
    assert!((shares[0] - 150.0 / 1050.0).abs() < 1e-12, "{shares:?}");
    assert_eq!(issued("{ file = 'classes.csv', class = 'file', factor = 2 }").0, [300, 1800]);
    assert_eq!(issued("{ file = 'classes.csv', class = 'file', only = ['buy'] }").0, [150, 0]);
    assert_eq!(issued("{ file = 'classes.csv', class = 'file', from = '60s' }").0, [90, 300]);
    assert_eq!(issued("{ file = 'log.csv', class = 'file' }").0, [1, 2]);
    assert_eq!(issued("{ file = 'log.csv', class = 'file', from = '10:00:01', to = '10:01' }").0, [1, 0]);
    // By the shares of the scenario nine of ten requests buy.
    let by_shares = issued("{ file = 'classes.csv' }").0;
    assert!(by_shares[0] > 900 && by_shares.iter().sum::<u64>() == 1050, "{by_shares:?}");
}

#[test]
fn several_clients_share_a_trace() {
    let text = one_box(
        "trace = { file = 'classes.csv', class = 'file', only = ['buy'] }",
        "steps = [{ cpu = '1ms' }]",
    );
    let other = "[client.readers]\ntarget = 'box'\ntrace = { file = 'classes.csv', class = 'file', only = ['view'] }\n";
    let text = format!("{text}\n{other}[request.buy]\n[request.view]\n").replace(NEAR, FROM_START);
    let (_, record) = run(&text.replace("'100s'", "'130s'"));
    assert_eq!(record.classes.iter().map(|class| class.issued).collect::<Vec<u64>>(), [150, 900]);
}
