//! Request classes that belong to some clients.

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::{self, Scenario, build::build};

/// Phones send 100 requests a second, one in four of them an upload; desks send 300, and no upload. An upload takes 10 ms
/// of a core.
fn scenario() -> Scenario {
    let text = "[run]\nduration = '200s'\nwarmup = '0s'\n[request.read]\nshare = 3\n\
                [request.upload]\nshare = 1\nclients = ['phones']\n\
                [client.phones]\nrate = '100/s'\ntarget = 'web'\n[client.desks]\nrate = '300/s'\ntarget = 'web'\n\
                [server.web]\npublic = true\nsteps = [{ cpu = '10ms', class = 'upload' }]\n";
    let loaded = scenario::load("test.toml", text, &[], &NoFiles, KINDS);
    loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario
}

#[test]
fn a_class_is_sent_by_its_clients_alone() {
    let scenario = scenario();
    let trial = build(&scenario, Seed::new(1).trial(0)).run(scenario.length(), &mut |_| false);
    let [read, upload] = [0, 1].map(|class| trial.classes[class].issued as f64 / 200.0);
    // Poisson counts of 75 000 and 5000: within four standard deviations.
    assert!((read - 375.0).abs() < 4.0 * (375.0_f64 / 200.0).sqrt(), "{read}");
    assert!((upload - 25.0).abs() < 4.0 * (25.0_f64 / 200.0).sqrt(), "{upload}");
}

#[test]
fn the_load_before_any_simulation_knows_who_sends_what() {
    let scenario = scenario();
    let load = scenario.load();
    let utilisation = load.machines().next().expect("the server has cores").utilisation();
    assert!((utilisation - 0.25).abs() < 1e-9, "{utilisation}");
    let seconds: Vec<(&str, f64)> =
        load.clients.iter().map(|client| (client.name.as_str(), client.demand_s)).collect();
    assert_eq!(seconds, [("desks", 0.0), ("phones", 0.0025)]);
}
