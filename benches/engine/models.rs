//! The models of the tables: scenario files, loaded as for a user, with all statistics, ledgers and the fingerprint.

use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::record::TrialRecord;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::{Scenario, load};

const TIERS: &str = include_str!("../models/three-tiers.toml");

/// A model: its name, its scenario, the overrides, and its customers a second.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    text: String,
    overrides: Vec<(&'static str, &'static str)>,
    rate: f64,
}

/// A closed population that thinks for 100 s and calls a box with a free core for every call.
const CROWD: &str = r#"
[network]
client = "0ms"

[client.users]
users      = 1000
think_time = { dist = "exponential", mean = "100s" }
target     = "box"

[server.box]
public          = true
cores           = 4000
workers         = 4000000
memory          = "4TiB"
memory_per_call = "1KiB"
steps           = [{ cpu = { dist = "exponential", mean = "10ms" } }]
"#;

impl Model {
    fn new(name: &'static str, text: &str, rate: f64) -> Model {
        Model { name, text: text.to_owned(), overrides: Vec::new(), rate }
    }

    fn set(mut self, key: &'static str, value: &'static str) -> Model {
        self.overrides.push((key, value));
        self
    }

    /// All models that are run in a process of their own; their index is their number there.
    pub(crate) fn all() -> Vec<Model> {
        let mut models = Vec::from(of_the_summary());
        models.push(crowd("1000 users", "1000", 1e3));
        models.push(crowd("1 000 000 users", "1000000", 1e6));
        models
    }

    /// The scenario with a duration in which about `customers` customers arrive.
    pub(crate) fn scenario(&self, customers: u64) -> Scenario {
        let duration = format!("{:.9}s", customers as f64 / self.rate);
        let always = [("run.duration", duration.as_str()), ("run.warmup", "0s")];
        let overrides: Vec<(String, String)> = always
            .iter()
            .chain(&self.overrides)
            .map(|&(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        match load(self.name, &self.text, &overrides, &NoFiles, KINDS) {
            Ok(loaded) => loaded.scenario,
            Err(found) => panic!("{}", found.render(false)),
        }
    }
}

/// The three workloads that also exist as hand-written loops.
pub(crate) fn of_the_summary() -> [Model; 3] {
    [
        Model::new("M/M/1", include_str!("../models/mm1.toml"), 80.0),
        Model::new("three tiers", TIERS, 2560.0),
        Model::new(
            "three tiers, network, 30 s limit, checks",
            include_str!("../models/three-tiers-network.toml"),
            2560.0,
        ),
    ]
}

/// The models as a user writes them, whose cores are shared by default, each with the same model served in order.
pub(crate) fn by_default() -> [[Model; 2]; 2] {
    let mm1 = |name| Model::new(name, include_str!("../models/mm1-default.toml"), 80.0);
    let tiers = |name| Model::new(name, include_str!("../models/three-tiers-default.toml"), 2560.0);
    [
        [mm1("M/M/1 by default"), mm1("the same with fifo").set("server.box.scheduling", "fifo")],
        [
            tiers("three tiers by default"),
            tiers("the same with fifo")
                .set("server.web.scheduling", "fifo")
                .set("server.primary.scheduling", "fifo")
                .set("server.replica.scheduling", "fifo"),
        ],
    ]
}

/// The three tiers with this time limit, which is never reached.
pub(crate) fn with_time_limit(name: &'static str, limit: &'static str) -> Model {
    Model::new(name, TIERS, 2560.0).set("client.users.timeout", limit)
}

/// A closed population of which almost all users think at any time.
pub(crate) fn crowd(name: &'static str, users: &'static str, count: f64) -> Model {
    Model::new(name, CROWD, count / 100.0).set("client.users.users", users)
}

/// Runs the first trial of a scenario.
pub(crate) fn run(scenario: &Scenario) -> TrialRecord {
    build(scenario, Seed::new(1)).run(scenario.length(), &mut |_progress| false)
}
