//! Autoscalers against what their rules say.

use outgrow::Scenario;

use crate::cache::values;

fn about(value: f64, expected: f64, share: f64) {
    assert!((value / expected - 1.0).abs() <= share, "{value}, expected {expected}");
}

/// Requests that come at equal distances to machines of 50 requests a second, behind a balancer that takes them in turn.
fn even(rate: &str, count: u32, autoscaler: &str) -> String {
    format!(
        "[run]\nduration = '200s'\nwarmup = '0s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
         [client.users]\nrate = '{rate}'\narrivals = {{ dist = 'constant' }}\ntarget = 'lb'\n\
         [balancer.lb]\npublic = true\ntargets = ['web']\npolicy = 'round-robin'\n\
         [server.web]\ncount = {count}\nprice = 1\nsteps = [{{ cpu = '20ms' }}]\n\
         [autoscaler.up]\ntarget = 'web'\n{autoscaler}\n"
    )
}

#[test]
fn the_size_follows_from_the_share_of_the_goal() {
    // ceil(4 x 90 / 60) = 6, where each is at 60 %; 65 % is within a tenth of 60 %.
    for (rate, size, decisions) in [("180/s", 6.0, 1.0), ("130/s", 4.0, 0.0), ("140/s", 5.0, 1.0)] {
        let [most, ups, downs] =
            values(&even(rate, 4, "max = 12"), ["max(members(up))", "scaled_up(up)", "scaled_down(up)"]);
        assert_eq!((most, ups, downs), (size, decisions, 0.0), "{rate}");
    }
    // The look at 15 s orders two machines, which are up 33 s later, and cost their price from then on.
    let [react, members, cost] =
        values(&even("180/s", 4, "max = 12"), ["mean(react(up)) s", "members(up)", "cost_per_hour"]);
    about(react, 33.0, 1e-9);
    about(members, 4.0 + 2.0 * (200.0 - 48.0) / 200.0, 1e-6);
    about(cost, 4.0 + 2.0 * (200.0 - 15.0) / 200.0, 1e-6);
}

#[test]
fn sizes_stay_between_the_least_and_the_greatest() {
    let [most, members] = values(&even("180/s", 1, "min = 2\nmax = 3"), ["max(members(up))", "members(up)"]);
    assert!(most == 3.0 && members >= 2.0);
    let idle = even("1/s", 4, "min = 2\nmax = 12\ndown_after = '30s'");
    let [members, cost, ok] = values(&idle, ["members(up)", "cost_per_hour", "availability"]);
    // The desire of 4 from the start counts for 30 s, so that the look at 45 s takes two away.
    about(members, 2.0 + 2.0 * 45.0 / 200.0, 0.02);
    about(cost, members, 0.02);
    assert_eq!(ok, 1.0);
}

#[test]
fn a_step_is_one_machine_each_cooldown() {
    let text = even("180/s", 1, "max = 12\nkind = 'step'\ncooldown = '45s'\nboot = '3s'\nstart = '2s'");
    // Steps at 15, 60, 105 and 150 s; the last look that is too soon is that at 195 s, where five are below the goal and its tenth.
    let [ups, most] = values(&text, ["scaled_up(up)", "max(members(up))"]);
    assert_eq!((ups, most), (5.0, 6.0));
}

#[test]
fn a_warm_pool_and_a_clock_come_sooner_at_their_price() {
    let [react, cost] =
        values(&even("180/s", 4, "max = 12\nwarm_pool = 2"), ["mean(react(up)) s", "cost_per_hour"]);
    about(react, 1.9, 1e-9);
    // Two are always ready besides the members.
    about(cost, 6.0 + 2.0 * (200.0 - 15.0) / 200.0, 1e-6);
    let clock = even("100/s", 4, "max = 12\ndown_after = '0s'\nschedule = [['00:01', 10], ['00:02:00', 1]]");
    let [most, members] = values(&clock, ["max(members(up))", "members(up)"]);
    // 100/s need ceil(4 x 50 / 60) = 4. Ten are up from 93 s until the first look after two minutes.
    assert_eq!(most, 10.0);
    about(members, 4.0 + 6.0 * (120.0 - 93.0) / 200.0, 0.05);
}

#[test]
fn a_provider_without_machines_says_how_many_it_had() {
    let text = even("380/s", 4, "max = 20\nquota = 6");
    let result = Scenario::parse(&text).expect("it is sound").trials(1).run().expect("it runs");
    let told: Vec<(String, f64)> = result
        .timeline
        .iter()
        .filter(|one| one.event.starts_with("asked"))
        .map(|one| (format!("{}: {}", one.component, one.event), one.t_s))
        .collect();
    // The cores of four are full: ceil(4 x 100 / 60).
    assert_eq!(told.first(), Some(&("web: asked for 7, got 6".to_owned(), 15.0)));
    let [most] = values(&text, ["max(members(up))"]);
    assert_eq!(most, 6.0);
}

#[test]
fn a_machine_that_is_dead_is_replaced() {
    let crash = "[[fault]]\nkind = 'crash'\ntarget = 'web-2'\nat = '40s'\n";
    let text = even("100/s", 4, "min = 4\nmax = 4") + crash;
    let result = Scenario::parse(&text).expect("it is sound").trials(1).run().expect("it runs");
    let calls = result.components.get("web-2").and_then(|one| one.calls.mean).expect("it is there");
    let [cost, ok] = values(&text, ["cost_per_hour", "availability"]);
    // Dead at the looks at 45 and 60 s, and up again 33 s later. Without checks its balancer asks it in vain until 60 s.
    about(calls, 25.0 * (200.0 - 33.0), 0.02);
    about(ok, 1.0 - 25.0 * 20.0 / (100.0 * 200.0), 0.001);
    about(cost, 4.0, 1e-6);
}

#[test]
fn workers_follow_what_waits_in_their_queue() {
    // 30 messages a second come to machines of ten each.
    let text = |metric: &str| {
        format!(
            "[run]\nduration = '200s'\nwarmup = '0s'\n[client.users]\nrate = '30/s'\ntarget = 'web'\n\
             [server.web]\npublic = true\nsteps = [{{ call = 'jobs' }}]\n[queue.jobs]\ntarget = 'mill'\nworkers = 8\n\
             [server.mill]\nworkers = 1\nsteps = [{{ cpu = '100ms' }}]\n\
             [autoscaler.up]\ntarget = 'mill'\nmax = 8\nboot = '3s'\nstart = '2s'\n{metric}\n"
        )
    };
    for metric in ["metric = 'backlog'\ngoal = 50", "metric = 'age'\ngoal = '5s'"] {
        let names = ["max(members(up))", "max(depth(jobs))", "processed(jobs)"];
        let [most, depth, processed] = values(&text(metric), names);
        // At the first look 20 a second are behind for 15 s; alone, one machine would leave 4000.
        assert!(most > 3.0 && depth < 1500.0 && processed > 5500.0, "{metric}: {most} {depth} {processed}");
    }
}

/// Workers wait for a database that becomes slow.
fn slack(metric: &str) -> String {
    format!(
        "[run]\nduration = '60s'\nwarmup = '0s'\n[client.users]\nrate = '100/s'\ntimeout = '2s'\ntarget = 'lb'\n\
         [balancer.lb]\npublic = true\ntargets = ['web']\n\
         [server.web]\ncount = 4\nworkers = 10\nqueue = 50\nsteps = [{{ cpu = '20ms' }}, {{ query = 'db' }}]\n\
         [database.db]\nread = '60ms'\ncores = 200\nconnections = 500\nmemory = '64GiB'\n\
         [autoscaler.up]\ntarget = 'web'\nmin = 1\nmax = 12\nevery = '5s'\nwindow = '10s'\ndown_after = '10s'\n\
         boot = '3s'\nstart = '2s'\n{metric}\n\
         [[fault]]\nkind = 'slow'\ntarget = 'db'\nfactor = 10\nat = '20s'\nfor = '40s'\n"
    )
}

#[test]
fn core_time_says_that_nobody_is_needed_while_all_wait() {
    let names = ["scaled_down(up)", "scaled_up(up)", "max(members(up))", "availability"];
    let [downs, _, most, ok] = values(&slack("metric = 'cpu'\ngoal = '60%'"), names);
    assert!(downs >= 2.0 && most <= 4.0 && ok < 0.7, "{downs} {most} {ok}");
    let [_, ups, most, better] = values(&slack("metric = 'inside'\ngoal = 3"), names);
    assert!(ups >= 1.0 && most >= 8.0 && better > ok + 0.15, "{ups} {most} {better}");
}

#[test]
fn a_day_costs_at_least_its_mean_over_its_peak() {
    let day = "profile = { diurnal = { period = '20min', amplitude = 0.8 } }\n";
    let text = even("100/s", 4, "max = 20\nboot = '3s'\nstart = '2s'\ndown_after = '30s'")
        .replace("arrivals = { dist = 'constant' }\n", day)
        .replace("200s", "20min");
    let [cost, most, ok] = values(&text, ["cost_per_hour", "max(members(up))", "availability"]);
    assert_eq!(ok, 1.0);
    let share = cost / most;
    assert!((1.0 / 1.8..0.75).contains(&share), "{cost} of {most}: {share}");
}

#[test]
fn an_autoscaler_that_does_nothing_changes_nothing() {
    let text = even("130/s", 4, "min = 4\nmax = 9")
        .replace("cpu = '20ms'", "cpu = { dist = 'exponential', mean = '20ms' }");
    let (before, _) = text.split_once("[autoscaler.up]").expect("there is one");
    let names = ["mean(response) s", "p99(response) s", "utilisation(web-3)", "cost_per_hour"];
    let quiet = text.replace("max = 9", "max = 9\ntolerance = '90%'");
    assert_eq!(values(before, names), values(&quiet, names));
}
