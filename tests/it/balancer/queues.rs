//! Balancing policies against queueing theory.

use outgrow::model::record::TrialRecord;
use outgrow::stats::interval::Estimate;

use super::trials;

/// A scenario of servers behind a balancer, without network delay.
fn farm(rate: f64, servers: &str, balancer: &str, hours: f64) -> String {
    format!(
        "[run]\nduration = '{}min'\nwarmup = '{}min'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
         [client.users]\nrate = '{rate}/s'\ntarget = 'lb'\ntimeout = '1h'\n\
         [balancer.lb]\npublic = true\n{balancer}\n{servers}",
        60.0 * hours,
        6.0 * hours,
    )
}

fn fifo(name: &str, count: u32, cores: u32, speed: f64, mean: &str) -> String {
    format!(
        "[server.{name}]\ncount = {count}\ncores = {cores}\nspeed = {speed}\nscheduling = 'fifo'\nworkers = 100000\n\
         memory_per_call = '0B'\nsteps = [{{ cpu = {{ dist = 'exponential', mean = '{mean}' }} }}]\n"
    )
}

fn mean_ms(records: &[TrialRecord]) -> Estimate {
    let means: Vec<f64> = records.iter().map(|record| record.classes[0].response.mean() / 1e6).collect();
    Estimate::over_trials(&means)
}

/// Fails unless theory lies within twice the interval and the interval is narrow enough.
fn agrees(what: &str, found: Estimate, theory: f64, narrow: f64) {
    let half_width = found.half_width.expect("there are several trials");
    println!("{what}: {:.3} +- {half_width:.3}, theory {theory:.3}", found.mean);
    assert!(half_width < narrow * theory, "{what}: {} +- {half_width} is too wide", found.mean);
    let far = (found.mean - theory).abs();
    assert!(far < 2.0 * half_width, "{what}: {} +- {half_width} against {theory}", found.mean);
}

/// The mean response time in ms of ten servers with exponential work of 100 ms under a policy.
fn ten(rho: f64, policy: &str) -> Estimate {
    let web = fifo("web", 10, 1, 1.0, "100ms");
    let text = farm(100.0 * rho, &web, &format!("targets = ['web']\npolicy = '{policy}'"), 0.5);
    mean_ms(&trials(&text, 8, &[]))
}

#[test]
fn ten_servers_at_rho_90_respond_as_queueing_theory_says() {
    // Random: M/M/1. Round robin: E10/M/1. The values of the two others come from exact Markov chains.
    let theory =
        [("random", 1000.0), ("round-robin", 566.0), ("two-choices", 304.0), ("least-connections", 193.0)];
    let mut found = theory.map(|(policy, _)| ten(0.9, policy)).to_vec();
    let pooled = farm(90.0, &fifo("web", 1, 10, 1.0, "100ms"), "targets = ['web']", 0.5);
    found.push(mean_ms(&trials(&pooled, 8, &[])));
    for ((what, theory), found) in theory.into_iter().chain([("pooled", 166.9)]).zip(&found) {
        agrees(what, *found, theory, 0.06);
    }
    assert!(found.is_sorted_by(|slower, faster| slower.mean > faster.mean), "{found:?}");
}

#[test]
fn ten_servers_at_rho_80_respond_as_queueing_theory_says() {
    agrees("random", ten(0.8, "random"), 500.0, 0.03);
    agrees("round-robin", ten(0.8, "round-robin"), 292.0, 0.03);
}

#[test]
fn four_servers_at_rho_80_keep_the_order_of_six_architectures() {
    // ladder-scaleup-scaleout-rho80, lb-random-n4-rho80, lb-rr-n4-rho80, lb-p2c-n4-rho80, lb-jsq-n4-rho80.
    let four = |policy: &str| {
        let web = fifo("web", 4, 1, 1.0, "10ms");
        farm(320.0, &web, &format!("targets = ['web']\npolicy = '{policy}'"), 0.125)
    };
    let one =
        |cores: u32, mean: &str| farm(320.0, &fifo("web", 1, cores, 1.0, mean), "targets = ['web']", 0.125);
    let cases = [
        ("one fast", one(1, "2.5ms"), 12.5),
        ("central queue", one(4, "10ms"), 17.455_405_897),
        ("least connections", four("least-connections"), 19.531_341_926),
        ("two choices", four("two-choices"), 23.301_575_950),
        ("round robin", four("round-robin"), 32.673_836_103),
        ("random", four("random"), 50.0),
    ];
    let mut last = 0.0;
    for (what, text, theory) in cases {
        let found = mean_ms(&trials(&text, 8, &[]));
        agrees(what, found, theory, 0.03);
        assert!(found.mean > last, "{what} is out of order");
        last = found.mean;
    }
}

#[test]
fn two_servers_at_rho_90_with_the_shortest_queue() {
    // lb-jsq-n2-rho90
    let web = fifo("web", 2, 1, 1.0, "10ms");
    let text = farm(180.0, &web, "targets = ['web']\npolicy = 'least-connections'", 0.25);
    agrees("lb-jsq-n2-rho90", mean_ms(&trials(&text, 8, &[])), 54.749_128_212, 0.04);
}

#[test]
fn round_robin_over_unequal_servers_breaks_at_half_the_load() {
    // Five servers of speed 1.5 and five of speed 0.5. Each slow one gets a tenth of the load, so that rho 0.5
    // saturates it.
    let servers = fifo("fast", 5, 1, 1.5, "100ms") + &fifo("slow", 5, 1, 0.5, "100ms");
    let queue = |rho: f64, keys: &str, hours: f64| {
        let targets = format!("targets = ['fast', 'slow']\n{keys}");
        let text = farm(100.0 * rho, &servers, &targets, hours);
        let records = trials(&text, 4, &[]);
        let slow = records.iter().flat_map(|record| record.components.iter().filter(|c| c.group == "slow"));
        slow.map(|slow| slow.queue_mean).sum::<f64>() / 20.0
    };
    let plain = "policy = 'round-robin'";
    // E10/M/1 at rho 0.9: a few calls wait, for any length of the run.
    assert!(queue(0.45, plain, 0.5) < 10.0);
    // At 0.55 each slow server gets 5.5 calls a second and serves 5. In the middle of the measured time of a half
    // hour, 18 minutes after the start, 540 calls wait; twice as many with an hour.
    let (half, whole) = (queue(0.55, plain, 0.5), queue(0.55, plain, 1.0));
    assert!((half / 540.0 - 1.0).abs() < 0.1, "{half}");
    assert!((whole / half - 2.0).abs() < 0.2, "{whole} after {half}");
    // With weights that fit the speeds, or with least connections, queues stay short.
    assert!(queue(0.8, "policy = 'weighted'\nweights = [3, 1]", 0.5) < 10.0);
    assert!(queue(0.8, "policy = 'least-connections'", 0.5) < 10.0);
}

#[test]
fn the_chapters_topology_is_a_jackson_network() {
    // Case chapter1-web2-db-master-slaves, with database nodes of one core each that serve in order of arrival.
    let exponential = |mean: &str| format!("cpu = {{ dist = 'exponential', mean = '{mean}' }}");
    let web =
        "[server.web]\ncount = 2\ncores = 4\nscheduling = 'fifo'\nworkers = 100000\nmemory_per_call = '0B'\n";
    let steps = "{ call = 'reads', class = 'read' }, { call = 'master', class = 'write' }";
    let text = farm(300.0, web, "targets = ['web']\npolicy = 'random'", 0.25)
        + &format!("steps = [{{ {} }}, {steps}]\n", exponential("20ms"))
        + "[balancer.reads]\ntargets = ['slave']\npolicy = 'random'\n"
        + &fifo("slave", 3, 1, 1.0, "10ms")
        + &fifo("master", 1, 1, 1.0, "12.5ms")
        + "[request.read]\nshare = 80\n[request.write]\nshare = 20\neffect = 'write'\n";
    let records = trials(&text, 8, &[]);
    for class in 0..2 {
        let means: Vec<f64> =
            records.iter().map(|record| record.classes[class].response.mean() / 1e6).collect();
        agrees("chapter 1", Estimate::over_trials(&means), 80.188_679_245, 0.03);
    }
}

#[test]
fn a_balancer_with_a_cost_is_a_queue_of_its_own() {
    // M/M/1 at rho 0.5 gives 2 ms at the balancer; the servers add 1 ms.
    let balancer = "targets = ['web']\ndemand = { dist = 'exponential', mean = '1ms' }\ncores = 1";
    let web = "[server.web]\ncount = 3\ncores = 8\nsteps = [{ wait = '1ms' }]\n";
    agrees("the balancer's core", mean_ms(&trials(&farm(500.0, web, balancer, 0.05), 8, &[])), 3.0, 0.02);
}
