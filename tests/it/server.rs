//! Steps of servers that once broke the ledgers.

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::TrialRecord;
use outgrow::model::signal::Outcome;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::load;

/// Runs one trial of 20 s with a hundred requests a second for `web`, which has four cores.
fn run(steps: &str, others: &str) -> TrialRecord {
    let text = format!(
        "[run]\nduration = '20s'\n[client.users]\nrate = '100/s'\ntarget = 'web'\n\
         [server.web]\npublic = true\ncores = 4\ndb_pool = 2\nsteps = [{{ cpu = '5ms' }}, {steps}]\n{others}"
    );
    let loaded = load("steps.toml", &text, &[], &NoFiles, KINDS);
    let scenario = loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario;
    build(&scenario, Seed::new(1)).run(scenario.length(), &mut |_progress| false)
}

#[test]
fn a_call_to_a_database_takes_no_connection_and_gives_none_back() {
    let record = run("{ call = 'db' }, { query = 'db' }", "[database.db]\ncores = 4\nread = '5ms'");
    let outcomes = record.classes[0].outcomes;
    assert!(outcomes[Outcome::Ok as usize] > 1900, "{outcomes:?}");
    assert_eq!(outcomes[1..], [0; 5]);
}

#[test]
fn a_call_ends_once_though_several_of_its_branches_fail() {
    let app = "[server.app]\nworkers = 2\nqueue = 1\nsteps = [{ cpu = '5ms' }]";
    let record = run("{ call = 'app', parallel = 5 }", app);
    let web = record.components.iter().find(|component| component.name == "web").expect("it is there");
    let app = record.components.iter().find(|component| component.name == "app").expect("it is there");
    // Five branches come at once and three find room: every call fails, with two failed branches.
    assert!(web.outcomes[Outcome::Rejected as usize] > 1900, "{:?}", web.outcomes);
    assert!(app.outcomes[Outcome::Rejected as usize] > 3800, "{:?}", app.outcomes);
    assert_eq!(web.outcomes[Outcome::Ok as usize], 0);
}
