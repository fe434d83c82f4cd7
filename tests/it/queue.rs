//! A queue and the workers that pull from it, against closed forms.

use outgrow::theory::queues::mmc;

use crate::cache::values;

/// A stream of requests, each of which publishes one message, and workers whose work takes this time.
fn queued(run: &str, rate: &str, queue: &str, work: &str) -> String {
    format!(
        "[run]\n{run}\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n[client.users]\nrate = '{rate}'\ntarget = 'web'\n\
         [server.web]\npublic = true\nworkers = 100000\nmemory = '64GiB'\nsteps = [{{ call = 'jobs' }}]\n\
         [queue.jobs]\ntarget = 'mill'\n{queue}\n[server.mill]\ncores = 100\nworkers = 100\n\
         steps = [{{ cpu = {work} }}]\n"
    )
}

fn about(value: f64, expected: f64, share: f64) {
    assert!((value / expected - 1.0).abs() <= share, "{value}, expected {expected}");
}

#[test]
fn messages_wait_as_erlang_says_and_publishers_do_not() {
    for (workers, seconds) in [(1, 4000), (5, 2000)] {
        let rate = 8.0 * f64::from(workers);
        let text = queued(
            &format!("duration = '{seconds}s'\nwarmup = '60s'"),
            &format!("{rate}/s"),
            &format!("workers = {workers}\nack = '3ms'"),
            "{ dist = 'exponential', mean = '100ms' }",
        );
        let [age, depth, completion, response] = values(
            &text,
            ["mean(age(jobs)) s", "depth(jobs)", "mean(completion(jobs)) s", "mean(response) s"],
        );
        let theory = mmc(rate, 0.1, workers).expect("the workers keep up");
        about(age, theory.wait, 0.1);
        about(depth, rate * age, 0.01);
        about(completion, theory.response, 0.07);
        about(response, 0.003, 1e-6);
    }
}

#[test]
fn workers_that_are_too_few_leave_a_backlog_and_the_limit_rejects() {
    let run = "duration = '100s'\nwarmup = '0s'";
    let work = "'20ms'";
    let [most, available] = values(&queued(run, "100/s", "", work), ["max(depth(jobs))", "availability"]);
    // One worker does 50 messages a second.
    about(most, 50.0 * 100.0, 0.05);
    assert_eq!(available, 1.0);
    let [most, available] =
        values(&queued(run, "100/s", "limit = 200", work), ["max(depth(jobs))", "availability"]);
    assert!(most <= 200.0);
    about(available, 0.51, 0.05);
}

#[test]
fn work_that_outlasts_the_visibility_timeout_is_done_again_and_then_given_up() {
    let run = "duration = '100s'\nwarmup = '0s'";
    let queue = "workers = 50\nvisibility = '60ms'\nmax_receives = 3";
    let [published, processed, redelivered, dead, work] = values(
        &queued(run, "10/s", queue, "'100ms'"),
        ["published(jobs)", "processed(jobs)", "redelivered(jobs)", "dead(jobs)", "utilisation(mill)"],
    );
    assert_eq!(processed, 0.0);
    about(redelivered, 2.0 * published, 0.01);
    about(dead, published, 0.01);
    // Each message is worked on three times.
    about(work, 10.0 * 3.0 * 0.1 / 100.0, 0.1);
}

#[test]
fn a_crash_loses_nothing_that_was_durable() {
    let crash =
        |target: &str| format!("[[fault]]\nkind = 'crash'\ntarget = '{target}'\nat = '50s'\nfor = '20s'\n");
    for target in ["jobs", "mill"] {
        let text =
            queued("duration = '150s'\nwarmup = '0s'", "20/s", "workers = 5\nvisibility = '5s'", "'100ms'");
        let [published, processed, redelivered, available] = values(
            &(text + &crash(target)),
            ["published(jobs)", "processed(jobs)", "redelivered(jobs)", "availability"],
        );
        assert!(processed > published - 10.0 && processed <= published, "{processed} of {published}");
        assert!(redelivered > 0.0, "what was pulled at the crash of `{target}` is pulled again");
        // A queue that is down refuses. Workers that are down are no concern of the users.
        let expected = if target == "jobs" { 130.0 / 150.0 } else { 1.0 };
        about(available, expected, 0.03);
    }
}
