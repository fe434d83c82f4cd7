//! The address behind a name, by the region of its users.

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::TrialRecord;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::{build::build, load};

/// Runs one trial of clients in two regions, a name, and a box in each of three regions.
fn run(dns: &str, faults: &str) -> TrialRecord {
    let mut text = format!(
        "[run]\nduration = '200s'\nwarmup = '0s'\n[network]\nregions = 'aws'\n\
         [client.seoul]\nregion = 'ap-northeast-2'\nrate = '20/s'\ntarget = 'www'\n\
         [client.saopaulo]\nregion = 'sa-east-1'\nrate = '5/s'\ntarget = 'www'\n\
         [dns.www]\nrecords = ['tokyo', 'virginia', 'capetown']\nttl = '5s'\n{dns}\n"
    );
    for (name, region) in [("tokyo", "ap-northeast-1"), ("virginia", "us-east-1"), ("capetown", "af-south-1")]
    {
        text +=
            &format!("[server.{name}]\nregion = '{region}'\npublic = true\nsteps = [{{ cpu = '1ms' }}]\n");
    }
    let loaded = load("test.toml", &(text + faults), &[], &NoFiles, KINDS);
    let scenario = loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario;
    build(&scenario, Seed::new(1)).run(scenario.length(), &mut |_| false)
}

/// Calls a second to Tokyo, Virginia and Cape Town.
fn rates(dns: &str, faults: &str) -> [f64; 3] {
    let trial = run(dns, faults);
    let rate = |name: &str| {
        let found = trial.components.iter().find(|one| one.name == name).expect("it is there");
        found.outcomes[0] as f64 / 200.0
    };
    ["tokyo", "virginia", "capetown"].map(rate)
}

fn near(found: [f64; 3], expected: [f64; 3]) {
    let fits = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1.5);
    assert!(fits, "{found:?}, not {expected:?}");
}

#[test]
fn geo_goes_by_the_globe_and_latency_by_the_network() {
    // Cape Town is 6350 km from Sao Paulo and Virginia 7700 km. By cable Virginia is nearer: 115 ms against 340 ms.
    near(rates("policy = 'latency'", ""), [20.0, 5.0, 0.0]);
    near(rates("policy = 'geo'", ""), [20.0, 0.0, 5.0]);
}

#[test]
fn a_table_says_otherwise() {
    near(rates("policy = 'geo'\ngeo = { 'sa-east-1' = 'virginia' }", ""), [20.0, 5.0, 0.0]);
    near(
        rates("policy = 'geo'\ngeo = { 'sa-east-1' = 'tokyo', 'ap-northeast-2' = 'virginia' }", ""),
        [5.0, 20.0, 0.0],
    );
}

#[test]
fn when_the_record_of_a_region_is_dead_the_next_nearest_is_answered() {
    let dns = "policy = 'geo'\nhealth = { interval = '1s', misses = 2 }";
    let faults = "[[fault]]\nkind = 'crash'\ntarget = 'capetown'\nat = '0s'\n";
    let found = rates(dns, faults);
    near(found, [20.0, 5.0, 0.0]);
}
