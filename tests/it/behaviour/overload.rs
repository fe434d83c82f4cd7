//! Queues in overload: in which order, and what is dropped.

use super::*;

/// One worker who does 100 calls a second, and users who wait for 2 s.
fn overload(rate: &str, keys: &str) -> String {
    let server = format!(
        "cores = 1\nworkers = 1\nscheduling = 'fifo'\nmemory_per_call = '1KiB'\n{keys}\n\
         steps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]"
    );
    one_box(&format!("rate = '{rate}'\ntimeout = '2s'"), &server).replace(NEAR, FROM_START)
}

#[test]
fn an_endless_queue_serves_only_those_who_have_gone() {
    // At 150/s on 100/s the wait passes 2 s after 4 s; from then on nobody gets an answer in time.
    check(
        &overload("150/s", "queue = 1000000"),
        &[("throughput@0..3", 75.0..=115.0), ("throughput@20..100", 0.0..=0.5)],
    );
}

#[test]
fn a_short_queue_the_newest_first_or_an_age_keep_all_of_the_work_useful() {
    let whole = [("throughput@20..100", about(100.0, 0.05))];
    // A queue of 100 places is 1 s long.
    check(&overload("150/s", "queue = 100"), &whole);
    check(&overload("150/s", "queue = 1000000\nqueue_order = 'lifo'"), &whole);
    check(&overload("150/s", "queue = 1000000\nqueue_order = 'adaptive'"), &whole);
    check(&overload("150/s", "queue = 1000000\nshed = { age = '1.5s' }"), &whole);
}

#[test]
fn looking_at_the_deadline_itself_is_too_late() {
    // Those who are served have waited nearly 2 s. The slowest third ends late: mu^2 / lambda are in time.
    let text = overload("150/s", "queue = 1000000\nshed = { age = '2s' }");
    check(&text, &[("throughput@20..100", about(10_000.0 / 150.0, 0.08))]);
}

#[test]
fn the_order_of_a_queue_does_not_change_the_mean() {
    // M/M/1 at 80 %: 50 ms, whichever is served first (conservation law). Its spread differs.
    let mean = [("mean_ms", about(50.0, 0.15))];
    let text = |order: &str| {
        let text = overload("80/s", &format!("queue = 1000000\nqueue_order = '{order}'"));
        text.replace("timeout = '2s'", "timeout = '1h'").replace("'100s'", "'1000s'")
    };
    for order in ["fifo", "lifo", "adaptive"] {
        check(&text(order), &mean);
    }
}

#[test]
fn controlled_delay_keeps_the_queue_near_its_target() {
    let text = |rate: &str| {
        overload(rate, "queue = 1000000\nshed = { codel = { target = '20ms', interval = '200ms' } }")
    };
    // Nearly all of what the worker can do; it stands idle now and then, because the queue is short.
    check(&text("150/s"), &[("throughput@20..100", 85.0..=102.0)]);
    // A standing queue is cut to 40 ms; within an interval it can grow by 200 ms * (150 - 100) / 100 = 100 ms.
    let (scenario, record) = run(&text("150/s"));
    let mean_ms = figure(&scenario, &record, "mean_ms");
    assert!((15.0..100.0).contains(&mean_ms), "{mean_ms} ms");
    // At low load nothing is dropped.
    check(&text("30/s"), &[("rejected", 0.0..=0.002)]);
}
