//! Circuit breakers, throttles and second calls of users and of balancers.

use super::*;

/// A server that answers each call but the first of the day that it has too many.
const NEVER: &str = "rate_limit = { rate = '0.000001/s', burst = 1 }\nsteps = [{ cpu = '1us' }]";

/// Users, a balancer with these keys, and its targets `web`.
fn balanced(client: &str, balancer: &str, web: &str) -> String {
    format!(
        "{FROM_START}[client.users]\ntarget = 'lb'\n{client}\n\
         [balancer.lb]\npublic = true\ntargets = ['web']\n{balancer}\n[server.web]\n{web}\n"
    )
}

#[test]
fn a_breaker_lets_a_few_probes_pass() {
    // After the first 100 calls 10 each 60 s, whatever the load: in 1000 s 16 times.
    let long =
        |text: String| text.replace(NEAR, FROM_START).replace("duration = '100s'", "duration = '1000s'");
    for rate in ["40/s", "400/s"] {
        let text = long(one_box(&format!("rate = '{rate}'\nbreaker = {{}}"), NEVER));
        check(&text, &[("box.rate", 0.255..=0.275), ("unavailable", 0.985..=1.0)]);
        let text = long(balanced(&format!("rate = '{rate}'"), "breaker = {}", NEVER));
        check(&text, &[("web.rate", 0.255..=0.275), ("unavailable", 0.985..=1.0)]);
    }
}

#[test]
fn a_balancer_leaves_out_a_target_whose_breaker_is_open() {
    // One of two answers errors only. Half of the calls fail until the breaker before it opens, after 100 of its calls.
    let web = "count = 2\nsteps = [{ cpu = '1ms' }]\n\
               [[fault]]\nkind = 'errors'\ntarget = 'web-1'\nat = '0s'\nshare = '100%'";
    let text = |keys: &str| balanced("rate = '100/s'", keys, web);
    check(&text(""), &[("failed", about(0.5, 0.1))]);
    // In 100 s it opens at 2 s and lets 10 probes pass after 60 s: 110 of 10,000.
    check(
        &text("breaker = {}"),
        &[("failed", about(0.011, 0.02)), ("unavailable", 0.0..=0.0), ("web-2.rate", about(98.9, 0.03))],
    );
}

#[test]
fn second_calls_of_users_and_balancers_shorten_the_tail() {
    // P(T > t) = 0.05 exp(-2 (t - d) / 10 ms) beyond d = 29.96 ms, the 95th percentile of the first.
    let work = "workers = 100000\nsteps = [{ wait = { dist = 'exponential', mean = '10ms' } }]";
    for hedge in ["hedge = { after = '29.96ms' }", "hedge = { after = 'p95' }"] {
        let user = one_box(&format!("rate = '1000/s'\n{hedge}"), work);
        let lb = balanced("rate = '1000/s'", hedge, &format!("count = 3\n{work}"));
        for (text, calls) in [(user, "box.rate"), (lb, "lb.rate")] {
            let calls = (calls, about(if calls == "box.rate" { 1050.0 } else { 1000.0 }, 0.02));
            let tail = [("p99_ms", about(38.0, 0.03)), ("p999_ms", about(49.5, 0.06))];
            check(&text, &[tail[0].clone(), tail[1].clone(), ("mean_ms", about(9.75, 0.02)), calls]);
        }
    }
}

#[test]
fn a_write_has_no_second_call_unless_that_is_wanted() {
    let class = "[request.write]\neffect = 'write'\n";
    let text = |keys: &str| {
        let keys = format!("rate = '100/s'\nhedge = {{ after = '1ms'{keys} }}");
        format!("{}{class}", one_box(&keys, "workers = 1000\nsteps = [{ wait = '10ms' }]"))
    };
    check(&text(""), &[("box.rate", about(100.0, 0.05))]);
    check(&text(", writes = true"), &[("box.rate", about(200.0, 0.05))]);
}

/// The mean response of redundancy-d: jobs of rate `k lambda` are copied to `d` of `k` servers of rate `mu`, first come first
/// served, and the copies that lose end at once. Gardner et al., "Redundancy-d: The Power of d Choices for Redundancy",
/// Operations Research 65(4), 2017, theorem 1.
fn redundancy(k: u32, d: u32, lambda: f64, mu: f64) -> f64 {
    let choose = |n: u32, m: u32| (0..m).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
    let k_f = f64::from(k);
    let term = |i: u32| 1.0 / (k_f * mu * choose(k - 1, d - 1) / choose(i - 1, d - 1) - k_f * lambda);
    (d..=k).map(term).sum()
}

#[test]
fn copies_that_are_cancelled_follow_redundancy_d() {
    let published = [3.33, 1.10, 0.727];
    for (d, published) in (1..=3).zip(published) {
        let mean = redundancy(10, d, 0.7, 1.0);
        assert!((mean - published).abs() < 0.005, "{mean}");
        let hedge = if d == 1 {
            String::new()
        } else {
            format!("hedge = {{ after = '0s', attempts = {d}, cancel = true }}\n")
        };
        let web = "count = 10\nworkers = 1\nqueue = 100000\nscheduling = 'fifo'\n\
                   steps = [{ cpu = { dist = 'exponential', mean = '10ms' } }]";
        let text = balanced("rate = '700/s'", &format!("policy = 'random'\n{hedge}"), web)
            .replace("duration = '100s'", "duration = '300s'");
        check(&text, &[("mean_ms", about(mean * 10.0, 0.04))]);
    }
}

#[test]
fn a_throttle_sends_k_times_what_is_accepted() {
    // A server accepts 100 a second. Of n wanted and a accepted, max(0, (n - 2 a) / (n + 1)) are refused before they are sent.
    let box_ = "rate_limit = { rate = '100/s', burst = 100 }\nsteps = [{ cpu = '1us' }]";
    let even = "arrivals = { dist = 'constant' }";
    for (wanted, refused) in [(300.0, 1.0 / 3.0), (1000.0, 0.8)] {
        let load = format!("rate = '{wanted}/s'\n{even}");
        let long = |text: String| {
            text.replace(NEAR, FROM_START)
                .replace("duration = '100s'\nwarmup = '0s'", "duration = '300s'\nwarmup = '120s'")
        };
        let users = long(one_box(&format!("{load}\nthrottle = {{}}"), box_));
        check(&users, &[("box.rate", about(200.0, 0.05)), ("ok", about(100.0 / wanted, 0.05))]);
        let lb = long(balanced(&load, "throttle = { k = 2 }", box_));
        check(&lb, &[("web.rate", about(200.0, 0.05)), ("ok", about(100.0 / wanted, 0.05))]);
        let step = "workers = 1000\nsteps = [{ call = 'deep', throttle = { window = '60s' } }]";
        let step = format!("{}[server.deep]\n{box_}\n", long(one_box(&load, step)));
        check(
            &step,
            &[
                ("deep.rate", about(200.0, 0.05)),
                ("box.throttled_locally", about(refused * wanted * 300.0, 0.05)),
            ],
        );
    }
    // Without overload nothing is refused.
    check(&one_box("rate = '50/s'\nthrottle = {}", "steps = [{ cpu = '1us' }]"), &[("ok", 1.0..=1.0)]);
}

#[test]
fn users_who_go_on_to_another_address_have_one_call() {
    // The first of two addresses is dead half of the time: its users go on to the second, and no breaker and no second call changes that.
    let names = "[dns.www]\nrecords = ['a', 'b']\nttl = '1s'\n[server.a]\npublic = true\nsteps = [{ cpu = '1ms' }]\n\
                 [server.b]\npublic = true\nsteps = [{ cpu = '1ms' }]\n\
                 [[fault]]\nkind = 'crash'\ntarget = 'a'\nat = '10s'\nfor = '50s'\n";
    for care in ["", "breaker = {}", "hedge = { after = '1s' }", "throttle = {}"] {
        let text = format!("{FROM_START}[client.users]\ntarget = 'www'\nrate = '100/s'\n{care}\n{names}");
        check(&text, &[("ok", 0.999..=1.0), ("throughput@20..50", about(100.0, 0.1))]);
    }
}

#[test]
fn second_calls_draw_on_the_budget_of_retries() {
    let work = "workers = 100000\nsteps = [{ wait = '100ms' }]";
    let user = |budget: &str| {
        let keys = format!(
            "rate = '1000/s'\nhedge = {{ after = '10ms' }}\nretry = {{ attempts = 2, budget = {budget} }}"
        );
        one_box(&keys, work).replace(NEAR, FROM_START)
    };
    check(&user("'20%'"), &[("box.rate", about(1210.0, 0.03))]);
    // At most 20 % of the about 100 requests under way: 20 copies of 100 ms each.
    check(&user("{ kind = 'concurrency' }"), &[("box.rate", about(1200.0, 0.05))]);
    let lb = "hedge = { after = '10ms' }\nretries_budget = { kind = 'concurrency' }";
    let text = balanced("rate = '1000/s'", lb, &format!("count = 2\n{work}"));
    let (scenario, record) = run(&text);
    let rates = ["web-1.rate", "web-2.rate"].map(|name| figure(&scenario, &record, name));
    assert!(about(1200.0, 0.05).contains(&rates.iter().sum()), "{rates:?}");
}

#[test]
fn a_second_call_of_a_user_opens_a_connection_too() {
    // Each answer takes 100 ms, so that each request has a second call; without connections that are kept each call opens one.
    let keys = "rate = '100/s'\nkeep_alive = '0s'\nhedge = { after = '10ms' }";
    let text = one_box(keys, "workers = 1000\nsteps = [{ wait = '100ms' }]").replace(NEAR, FROM_START);
    check(&text, &[("users.connects", about(20_000.0, 0.03)), ("users.hedges", about(10_000.0, 0.03))]);
}
