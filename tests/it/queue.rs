//! A queue and the workers that pull from it, against closed forms.

use outgrow::Scenario;
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

#[test]
fn workers_are_gone_with_their_machine_and_come_back_with_it() {
    // Two machines with two workers each, of which 10 a second take half of one. While none works the messages wait; 200 are behind
    // after 20 s, and are gone within 7 s more. Only what was in the hands of the dead is pulled again, at most two of each machine.
    for kind in ["crash", "power-off", "pause"] {
        for target in ["mill-1", "mill"] {
            let queue = "workers = 4\nvisibility = '5s'\nmax_receives = 2\n";
            let text = queued("duration = '150s'\nwarmup = '0s'", "10/s", queue, "'100ms'")
                .replace("workers = 100\nsteps", "workers = 2\ncount = 2\nsteps")
                + &format!("[[fault]]\nkind = '{kind}'\ntarget = '{target}'\nat = '50s'\nfor = '20s'\n");
            let [published, processed, redelivered, dead, most] = values(
                &text,
                ["published(jobs)", "processed(jobs)", "redelivered(jobs)", "dead(jobs)", "max(depth(jobs))"],
            );
            assert!(published - processed < 6.0, "{kind} of {target}: {processed} of {published}");
            assert!(redelivered <= 4.0 && dead == 0.0, "{kind} of {target}: {redelivered}, {dead}");
            match target {
                "mill" => about(most, 200.0, 0.2),
                _ => assert!(most < 20.0, "{kind}: {most} wait though one machine can do all"),
            }
        }
    }
}

#[test]
fn a_backlog_grows_with_what_is_too_much_and_drains_with_what_is_to_spare() {
    // 500 a second for 60 s onto four workers of 50 a second: 300 a second too many, 18,000 behind. Then 100 a second come, 100 are to
    // spare, and it takes 180 s.
    let text = queued("duration = '400s'\nwarmup = '0s'", "100/s", "workers = 4", "'20ms'")
        .replace("rate = '100/s'", "rate = '100/s'\nprofile = { steps = [['0s', 5], ['60s', 1]] }");
    let [most] = values(&text, ["max(depth(jobs))"]);
    about(most, 18_000.0, 0.02);
    let run = |seconds: u32| text.replace("duration = '400s'", &format!("duration = '{seconds}s'"));
    let left = |seconds: u32| {
        let [published, processed] = values(&run(seconds), ["published(jobs)", "processed(jobs)"]);
        published - processed
    };
    about(left(150), 18_000.0 - 90.0 * 100.0, 0.05);
    assert!(left(230) > 300.0 && left(260) < 300.0, "{} {}", left(230), left(260));
}

#[test]
fn a_message_is_done_twice_when_its_work_takes_longer_than_it_is_hidden() {
    // P(S > 3 E[S]) = exp(-3) = 4.98 % of the pulls: 1 / (1 - 0.0498) = 1.052 of them for each message.
    let text = queued(
        "duration = '400s'\nwarmup = '0s'",
        "50/s",
        "workers = 100\nvisibility = '300ms'",
        "{ dist = 'exponential', mean = '100ms' }",
    );
    let [published, redelivered, duplicates] =
        values(&text, ["published(jobs)", "redelivered(jobs)", "duplicates(jobs)"]);
    let again = 1.0 / (1.0 - libm::exp(-3.0)) - 1.0;
    about(redelivered, again * published, 0.06);
    about(duplicates, redelivered, 0.02);
}

#[test]
fn what_waits_for_too_long_is_gone_and_what_is_given_up_goes_to_another_queue() {
    // 100 a second onto one worker of 50: who is pulled has waited for 10 s at most, and the rest is gone.
    let run = "duration = '200s'\nwarmup = '0s'";
    let [most, expired, published] = values(
        &queued(run, "100/s", "retention = '10s'", "'20ms'"),
        ["max(depth(jobs))", "expired(jobs)", "published(jobs)"],
    );
    about(most, 1000.0, 0.1);
    about(expired, published / 2.0 - 1000.0, 0.1);
    // Work that always outlasts its time is given up after two pulls, and done by others.
    let queue = "workers = 50\nvisibility = '60ms'\nmax_receives = 2\ndead = 'rest'";
    let text = queued(run, "10/s", queue, "'100ms'") + "[queue.rest]\ntarget = 'mill'\nworkers = 10\n";
    let [dead, rest, done] = values(&text, ["dead(jobs)", "published(rest)", "processed(rest)"]);
    assert!(dead > 1900.0 && (rest - dead).abs() < 2.0 && (done - rest).abs() < 10.0, "{dead} {rest} {done}");
}

#[test]
fn a_worker_that_looks_now_and_then_finds_a_message_after_half_of_the_pause() {
    // The first of w looks at random times within the pause comes after pause / (w + 1). While a worker has work it looks at once.
    let run = "duration = '4000s'\nwarmup = '10s'";
    for workers in [1_u32, 3] {
        let text = queued(run, "0.05/s", &format!("workers = {workers}\npoll = '2s'"), "'1ms'");
        let [age, looks] = values(&text, ["mean(age(jobs)) s", "empty_looks(jobs)"]);
        about(age, 2.0 / f64::from(workers + 1), 0.12);
        // Each worker looks every 2 s, or 2 s after it has found no more than one message.
        about(looks, f64::from(workers) * 2000.0, 0.01);
    }
    let [age, looks] =
        values(&queued(run, "0.05/s", "", "'1ms'"), ["mean(age(jobs)) s", "empty_looks(jobs)"]);
    assert_eq!((age, looks), (0.0, 0.0), "a message wakes a worker that waits");
    // Two workers of 50 a second that never rest do all they can.
    let busy = queued("duration = '100s'\nwarmup = '0s'", "200/s", "workers = 2\npoll = '1s'", "'20ms'");
    let [done] = values(&busy, ["processed(jobs)"]);
    about(done, 100.0 * 100.0, 0.02);
}

#[test]
fn workers_that_look_now_and_then_come_back_with_their_machine_and_with_the_queue() {
    for (kind, target) in [("crash", "mill"), ("power-off", "mill"), ("pause", "mill"), ("crash", "jobs")] {
        let queue = "workers = 4\nvisibility = '5s'\npoll = '1s'\n";
        let text = queued("duration = '150s'\nwarmup = '0s'", "10/s", queue, "'100ms'")
            + &format!("[[fault]]\nkind = '{kind}'\ntarget = '{target}'\nat = '50s'\nfor = '20s'\n");
        let [published, processed, most] =
            values(&text, ["published(jobs)", "processed(jobs)", "max(depth(jobs))"]);
        assert!(published - processed < 20.0, "{kind} of {target}: {processed} of {published}");
        if target == "mill" {
            about(most, 200.0, 0.25);
        }
    }
}

#[test]
fn every_message_ends_once_though_the_queue_of_the_dead_is_down_full_or_gone() {
    let queue = "workers = 50\nvisibility = '60ms'\nmax_receives = 2\ndead = 'rest'";
    let of = |run: &str, rest: &str| {
        let text = queued(run, "10/s", queue, "'100ms'") + "[queue.rest]\ntarget = 'mill'\n" + rest;
        let names = ["published(jobs)", "dead(jobs)", "expired(jobs)", "published(rest)", "processed(jobs)"];
        values(&text.replace("max_receives", "retention = '40s'\nmax_receives"), names)
    };
    let run = "duration = '100s'\nwarmup = '0s'";
    // What is given up in the 20 s waits for the queue of the dead; with it down for 60 s, what is older than 40 s is gone.
    for (kind, seconds, gone) in [("crash", 20, 0.0), ("power-off", 20, 0.0), ("crash", 60, 200.0)] {
        let rest = format!(
            "workers = 10\n[[fault]]\nkind = '{kind}'\ntarget = 'rest'\nat = '10s'\nfor = '{seconds}s'\n"
        );
        let [published, dead, expired, arrived, done] = of(run, &rest);
        assert!((dead - arrived).abs() < 2.0 && done == 0.0, "{kind}: {dead} of {arrived}");
        let inside = published - dead - expired;
        assert!((0.0..10.0).contains(&inside), "{kind} for {seconds} s: {inside} of {published}");
        assert!((expired - gone).abs() <= 0.15 * gone, "{kind} for {seconds} s: {expired}");
    }
    // A queue of the dead that holds 100 and hardly works takes no more.
    let [published, dead, expired, ..] = of(run, "workers = 1\nvisibility = '1h'\nlimit = 100\n");
    assert!(published - dead - expired < 420.0 && dead < published, "{published} {dead} {expired}");
}

#[test]
fn the_last_that_came_is_pulled_first_under_overload() {
    // 100 a second onto 50: in order everybody who is pulled has waited half of the time so far, the other way round hardly at all.
    let run = "duration = '100s'\nwarmup = '0s'";
    let mean = |order: &str| {
        let text = queued(run, "100/s", &format!("order = '{order}'"), "'20ms'");
        let [age] = values(&text, ["mean(age(jobs)) s"]);
        age
    };
    about(mean("fifo"), 25.0, 0.1);
    assert!(mean("lifo") < 1.0, "{}", mean("lifo"));
}

#[test]
fn a_higher_priority_is_pulled_first() {
    // The urgent are a fifth, 20 of 50 a second, and are pulled at once. Of the others 30 of 80 are: who is pulled at t has waited for
    // t (1 - 30 / 80), on average 31 s.
    let classes = "[request.urgent]\nshare = 20\n[request.later]\nshare = 80\npriority = 1\n";
    let run = "duration = '100s'\nwarmup = '0s'";
    let text = format!("{}{classes}", queued(run, "100/s", "", "'20ms'"));
    let [age] = values(&text, ["mean(age(jobs)) s"]);
    about(age, 0.6 * 50.0 * (1.0 - 30.0 / 80.0), 0.1);
}

#[test]
fn what_is_done_behind_a_queue_binds_only_where_nobody_waits_for_anything_busier() {
    // Web takes 10 ms of its core, and a message 21 ms of a worker.
    let binds = |rate: &str, workers: u32| {
        let workers = format!("workers = {workers}");
        let text = queued("duration = '20s'\nwarmup = '0s'\ntrials = 2", rate, &workers, "'21ms'")
            .replace("steps = [{ call", "cores = 1\nsteps = [{ cpu = '10ms' }, { call");
        let found = Scenario::parse(&text)
            .and_then(|scenario| scenario.run())
            .unwrap_or_else(|found| panic!("{found}"));
        let found = found.bottleneck.expect("something binds");
        (found.component, found.resource)
    };
    assert_eq!(binds("30/s", 1), ("jobs".into(), "workers"));
    assert_eq!(binds("90/s", 2), ("web".into(), "cpu"));
    // What piles up without end binds whatever else is busy.
    assert_eq!(binds("90/s", 1), ("jobs".into(), "workers"));
}
