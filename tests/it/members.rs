//! Members that come and go: what a fleet costs, what it can do meanwhile, and who hears of it.

use outgrow::Scenario;

use crate::cache::values;

fn about(value: f64, expected: f64, share: f64) {
    assert!((value / expected - 1.0).abs() <= share, "{value}, expected {expected}");
}

/// Requests that publish messages to workers, one message at a time for each machine, which takes 10 ms.
fn queued(run: &str, rate: &str, machines: u32, workers: u32) -> String {
    format!(
        "[run]\n{run}\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n[client.users]\nrate = '{rate}'\ntarget = 'web'\n\
         [server.web]\npublic = true\nworkers = 100000\nmemory = '64GiB'\nsteps = [{{ call = 'jobs' }}]\n\
         [queue.jobs]\ntarget = 'mill'\nworkers = {workers}\n\
         [server.mill]\ncount = {machines}\nworkers = 1\nprice = 1\nsteps = [{{ cpu = '10ms' }}]\n"
    )
}

/// Users of a group of four machines behind a balancer.
fn balanced(rate: &str, balancer: &str, server: &str) -> String {
    format!(
        "[run]\nduration = '60s'\nwarmup = '0s'\n[client.users]\nrate = '{rate}'\ntarget = 'lb'\n\
         [balancer.lb]\npublic = true\ntargets = ['web']\n{balancer}\n\
         [server.web]\ncount = 4\nprice = 1\n{server}\n"
    )
}

/// Calls a second at each of some members, and the share of the requests that end ok.
fn calls(text: &str, members: &[&str]) -> (Vec<f64>, f64) {
    let scenario = Scenario::parse(text).unwrap_or_else(|found| panic!("{found}"));
    let result = scenario.trials(1).run().unwrap_or_else(|found| panic!("{found}"));
    let of = |name: &&str| {
        result.components.get(name).expect(name).calls.mean.expect("it is known") / result.duration_s
    };
    (members.iter().map(of).collect(), result.metrics.availability.mean.expect("requests have ended"))
}

fn scale(target: &str, to: u32, at: &str, rest: &str) -> String {
    format!("[[operation]]\nkind = 'scale'\ntarget = '{target}'\nto = {to}\nat = '{at}'\n{rest}\n")
}

#[test]
fn a_backlog_is_what_came_too_late_for() {
    // 150 messages a second come to one machine that does 100: after 83 s, 4150 are behind. Two machines do 200, so that they are
    // done another 83 s later.
    let late = scale("mill", 2, "0s", "boot = '73s'\nstart = '10s'");
    let text = queued("duration = '200s'\nwarmup = '0s'", "150/s", 1, 2) + &late;
    let [most, mean, cost] = values(&text, ["max(depth(jobs))", "depth(jobs)", "cost_per_hour"]);
    about(most, 4150.0, 0.1);
    about(mean, 4150.0 * 83.0 / 200.0, 0.15);
    // A machine that boots has its price.
    about(cost, 2.0, 1e-9);
}

#[test]
fn a_machine_costs_while_it_is_not_off() {
    // 4 machines for 20 s, 6 for 20 s, 10 s of which two of them boot, and 2 for the last 20 s: they drain at once.
    let orders = scale("web", 6, "20s", "boot = '4s'\nstart = '6s'") + &scale("web", 2, "40s", "");
    let text = balanced("50/s", "", "steps = [{ cpu = '1ms' }]") + &orders;
    let [cost, ok] = values(&text, ["cost_per_hour", "availability"]);
    about(cost, 4.0, 0.001);
    assert_eq!(ok, 1.0);
}

#[test]
fn nothing_is_lost_by_members_that_come_and_go() {
    for balancer in [
        "",
        "health = {}",
        "policy = 'hash'\nhealth = { interval = '2s' }",
        "policy = 'round-robin'\nejection = {}\npanic = '50%'",
        "policy = 'random'\nhealth = {}\nslow_start = '5s'\nsticky = {}",
        "target_connections = 20\ntarget_queue = { limit = 1000 }",
    ] {
        let orders = scale("web", 8, "10s", "boot = '1s'\nstart = '1s'")
            + &scale("web", 1, "30s", "")
            + &scale("web", 3, "31s", "boot = '2s'");
        let server = "workers = 100\nsteps = [{ wait = { dist = 'exponential', mean = '300ms' } }]";
        let text = balanced("100/s", balancer, server) + &orders;
        let (calls, ok) = calls(&text, &["web-1", "web-4", "web-8"]);
        let [first, fourth, last] = calls[..] else { panic!("three were asked for") };
        assert_eq!(ok, 1.0, "{balancer}");
        // The newest go first: the last four work for 18 s, the fourth for 30 s, the first for all of the time.
        assert!(last > 0.0 && last < fourth && fourth < first, "{balancer}: {first} {fourth} {last}");
    }
}

#[test]
fn a_check_must_succeed_before_a_new_member_gets_calls() {
    let server = "steps = [{ cpu = '1ms' }]";
    let rate = |balancer: &str| {
        let order = scale("web", 5, "10s", "boot = '5s'\nstart = '5s'");
        let text = balanced("200/s", balancer, server).replace("targets", "policy = 'round-robin'\ntargets");
        calls(&(text + &order), &["web-5"]).0[0]
    };
    // It is up for 40 of the 60 s and then gets a fifth of the calls. A check comes within an interval of 30 s, and one is enough.
    about(rate(""), 200.0 / 5.0 * 40.0 / 60.0, 0.05);
    let checked = rate("health = { interval = '30s', rise = 3 }");
    assert!((200.0 / 5.0 * 10.0 / 60.0..200.0 / 5.0 * 40.0 / 60.0).contains(&checked), "{checked}");
}

#[test]
fn a_member_that_is_off_changes_nothing_for_the_others() {
    let server = "steps = [{ cpu = { dist = 'exponential', mean = '20ms' } }]";
    for policy in ["random", "least-connections", "round-robin", "hash", "two-choices"] {
        let balancer = format!("policy = '{policy}'\nhealth = {{ interval = '5s' }}");
        let text = balanced("100/s", &balancer, server);
        let names = ["mean(response) s", "p99(response) s", "utilisation(web-2)", "cost_per_hour"];
        // The order comes with the end.
        let order = scale("web", 9, "59999999us", "");
        let [before, after] = [text.clone(), text + &order].map(|text| values(&text, names));
        assert_eq!(before[..3], after[..3], "{policy}");
        about(after[3], before[3], 1e-6);
    }
}

#[test]
fn faults_of_members_that_are_off_are_theirs_when_they_come() {
    // The second machine would be up at 15 s. A crash from 5 s to 40 s keeps it from that, and no caller sees it.
    let fault = "[[fault]]\nkind = 'crash'\ntarget = 'web-5'\nat = '5s'\nfor = '35s'\n";
    let order = scale("web", 5, "5s", "boot = '5s'\nstart = '5s'");
    let text = balanced(
        "200/s",
        "policy = 'round-robin'\nhealth = { interval = '1s' }",
        "steps = [{ cpu = '1ms' }]",
    );
    let (calls, ok) = calls(&(text + fault + &order), &["web-5"]);
    assert_eq!(ok, 1.0);
    about(calls[0], 200.0 / 5.0 * 20.0 / 60.0, 0.15);
}
