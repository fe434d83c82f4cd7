//! Priorities of request classes where calls wait: at a worker, at a connection of a pool, at a balancer.

use super::*;

/// Requests of two priorities, `low` four times out of five, and a second in which nothing is lost.
fn two(priorities: [u32; 2], rate: &str, boxes: &str) -> String {
    let [high, low] = priorities;
    format!(
        "[network]\nclient = '0ms'\nsame_zone = '0ms'\n[run]\nduration = '2000s'\nwarmup = '20s'\n\
         [request.high]\nshare = 1\npriority = {high}\n[request.low]\nshare = 3\npriority = {low}\n\
         [client.users]\ntarget = 'box'\nrate = '{rate}'\ntimeout = '1h'\n{boxes}"
    )
}

/// One worker whose work takes 10 ms.
fn worker(queue: u32) -> String {
    format!(
        "[server.box]\npublic = true\nworkers = 1\nqueue = {queue}\nmemory_per_call = '1KiB'\n\
         steps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]"
    )
}

/// Cobham 1954: at loads of 0.2 and 0.6 the waits are 1 and 5 times the work of 10 ms. First come, first served: 4 times.
const COBHAM: [(f64, f64); 2] = [(20.0, 0.06), (60.0, 0.12)];

fn cobham() -> [(&'static str, RangeInclusive<f64>); 2] {
    let [high, low] = COBHAM.map(|(mean, share)| about(mean, share));
    [("high.mean_ms", high), ("low.mean_ms", low)]
}

#[test]
fn a_worker_takes_the_higher_priority_first() {
    check(&two([0, 1], "80/s", &worker(100_000)), &cobham());
    check(&two([1, 3], "80/s", &worker(100_000)), &cobham());
}

#[test]
fn what_one_class_waits_less_the_other_waits_more() {
    // Kleinrock's conservation law: the sum of load times wait is that of first come, first served.
    let waits = |text: &str| {
        let (scenario, record) = run(text);
        ["high", "low"].map(|class| figure(&scenario, &record, &format!("{class}.mean_ms")) - 10.0)
    };
    let alike = waits(&two([2, 2], "80/s", &worker(100_000)));
    let ranked = waits(&two([0, 1], "80/s", &worker(100_000)));
    let sum = |[high, low]: [f64; 2]| 0.2 * high + 0.6 * low;
    assert!((alike[0] / alike[1] - 1.0).abs() < 0.1, "{alike:?}");
    // The requests and their work are the same, so that only the draws that meet the high ones differ.
    assert!((sum(ranked) / sum(alike) - 1.0).abs() < 0.05, "{ranked:?} {alike:?}");
    assert!(ranked[1] / ranked[0] > 4.0, "{ranked:?}");
}

#[test]
fn in_overload_the_lower_priority_bears_the_whole_loss() {
    // 120 % of the capacity, 24 % of it high: the core is always busy, so that a high request waits S / (1 - 0.24). The low
    // ones get the rest, 0.76 of their 0.96.
    let text = two([0, 1], "120/s", &worker(50)).replace("share = 3", "share = 4");
    check(
        &text,
        &[
            ("high.rejected", 0.0..=0.0),
            ("high.mean_ms", about(10.0 + 10.0 / 0.76, 0.06)),
            ("low.rejected", about(1.0 - 0.76 / 0.96, 0.06)),
            ("box.queue_max", 50.0..=50.0),
        ],
    );
}

#[test]
fn a_newcomer_of_the_lowest_priority_displaces_nobody() {
    // One after the other within the work of the first: the worker has `low`, the queue `low`, then `high` comes.
    let text = "[network]\nclient = '0ms'\n[run]\nduration = '0.95s'\nwarmup = '0s'\n\
                [request.high]\npriority = 0\nclients = ['paid']\n[request.low]\npriority = 1\nclients = ['free']\n\
                [client.free]\ntarget = 'box'\nrate = '10/s'\narrivals = { dist = 'constant' }\n\
                [client.paid]\ntarget = 'box'\nrate = '4/s'\narrivals = { dist = 'constant' }\n\
                [server.box]\npublic = true\nworkers = 1\nqueue = 1\nsteps = [{ wait = '10s' }]";
    // At 0.1 s the first begins, at 0.2 s the second waits, at 0.25 s a high one takes its place, and nobody displaces that.
    check(text, &[("low.rejected", 1.0..=1.0), ("high.rejected", 1.0..=1.0), ("box.queue_max", 1.0..=1.0)]);
    let (_, record) = run(text);
    let rejected =
        |class: usize| record.classes[class].outcomes[outgrow::model::signal::Outcome::Rejected as usize];
    assert_eq!((rejected(0), rejected(1)), (2, 8), "high, low");
}

#[test]
fn a_pool_of_connections_takes_the_higher_priority_first() {
    let boxes = "[server.box]\npublic = true\nworkers = 100000\nmemory_per_call = '1KiB'\ndb_pool = 1\npool_timeout = '1h'\n\
                 steps = [{ query = 'db' }]\n[database.db]\nread = { dist = 'exponential', mean = '10ms' }\n";
    check(&two([0, 1], "80/s", boxes), &cobham());
}

#[test]
fn a_balancer_takes_the_higher_priority_first() {
    let boxes = "[balancer.box]\npublic = true\ntargets = ['web']\nconnections = 1\nqueue = { limit = 100000 }\n\
                 [server.web]\nsteps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]\n";
    check(&two([0, 1], "80/s", boxes), &cobham());
}

#[test]
fn a_core_is_taken_at_once_and_the_other_resumes() {
    // Loads of 0.2 and 0.6: the first see nobody else, S / (1 - 0.2) = 1.25 S; the work in the house is the same as without
    // priorities, so that the second take S / ((1 - 0.2) (1 - 0.8)) = 6.25 S.
    let cores = |keys: &str| {
        format!(
            "[server.box]\npublic = true\ncores = 1\nscheduling = 'fifo'\nworkers = 100000\nmemory_per_call = '1KiB'\n{keys}\n\
             steps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]"
        )
    };
    check(
        &two([0, 1], "80/s", &cores("preempt = true")),
        &[("high.mean_ms", about(12.5, 0.04)), ("low.mean_ms", about(62.5, 0.12))],
    );
    // Nobody takes a core without it, and with one worker for each core there is nobody to take it from.
    check(
        &two([0, 1], "80/s", &cores("")),
        &[("high.mean_ms", about(50.0, 0.12)), ("low.mean_ms", about(50.0, 0.12))],
    );
}

#[test]
fn the_trace_tells_who_gives_way() {
    use outgrow::model::trace::Trace;
    let text = two(
        [0, 1],
        "80/s",
        "[server.box]\npublic = true\ncores = 1\nscheduling = 'fifo'\nworkers = 1000\nmemory_per_call = '1KiB'\npreempt = true\n\
         steps = [{ cpu = '10ms' }]",
    );
    let (scenario, _) = run(&text.replace("2000s", "5s").replace("20s", "0s"));
    let told = |number: u64| {
        let mut simulation = build(&scenario, Seed::new(1).trial(0));
        simulation.follow(Trace::new(None, number));
        let _record = simulation.run(scenario.length(), &mut |_| false);
        simulation
            .trace()
            .iter()
            .any(|line| line.text.contains("gives its core to a request of a higher priority"))
    };
    let many = (0..100).filter(|number| told(*number)).count();
    // A low one meets a quarter of 80 a second for the 10 ms of its own work and longer.
    assert!((5..=50).contains(&many), "{many} of 100");
}
