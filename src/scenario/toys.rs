//! Toy kinds of boxes for the tests of this layer.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::ask::Verbs;
use crate::model::component::Component;
use crate::model::quantity::{Duration, Rate};
use crate::model::site::Site;
use crate::model::spec::{
    Arrow, Demand, Kind, MachineSpec, Offered, Outline, Problems, RequestClass, Rest, Spec,
};

pub(super) const KINDS: [Kind; 4] = [
    Kind::of::<Client>("client", "Users who send requests."),
    Kind::of::<Dns>("dns", "Turns names into addresses."),
    Kind::of::<Server>("server", "A group of machines that do the work."),
    Kind::of::<Database>("database", "Keeps the data."),
];

/// Two web servers and a database, all far from saturation.
pub(super) const LADDER: &str = r#"# The toy ladder.
title = "Ladder"
[request.read]
share = 90
[request.write]
share = 10
effect = "write"
[client.users]
rate = "100/s"
target = "www"
[dns.www]
records = ["web"]
[server.web] # the tier
public = true
count = 2
cores = 1
steps = [{ cpu = "8ms" }, { query = "db", times = 2 }]
[database.db]
read = "1ms"
"#;

/// Users.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    /// Requests a second, independent of the answers.
    rate: Option<Rate>,
    /// Users who wait for the answer and then think.
    users: Option<u32>,
    /// Time between an answer and the next request.
    think_time: Option<Duration>,
    /// DNS name or public box that the requests go to.
    target: String,
}

impl Spec for Client {
    fn answers(&self) -> Verbs {
        Verbs::NONE
    }

    fn arrows(&self) -> Vec<Arrow> {
        let asks = Verbs::WORK.and(Verbs::RESOLVE);
        vec![Arrow { key: "target".into(), to: self.target.clone(), asks, public: true }]
    }

    fn offered(&self) -> Option<Offered> {
        let think = self.think_time.as_ref().map_or(0.0, |think| think.0.as_secs_f64());
        Some(match (&self.rate, self.users) {
            (Some(rate), _) => Offered::Open(rate.0),
            (None, users) => Offered::Closed(f64::from(users.unwrap_or(1)), Rest::Think(think)),
        })
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        Demand { calls: vec![(self.target.clone(), 1.0)], ..Demand::default() }
    }

    fn check(&self, _outline: &Outline<'_>, problems: &mut Problems) {
        if self.rate.is_some() && self.users.is_some() {
            problems.error("rate", "both users and a rate", "give one of them");
        }
    }

    fn build(&self, _site: &Site<'_>) -> Box<dyn Component> {
        unreachable!("toy boxes are never built")
    }
}

/// A name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dns {
    /// Boxes behind the name.
    records: Vec<String>,
}

impl Spec for Dns {
    fn answers(&self) -> Verbs {
        Verbs::RESOLVE
    }

    fn arrows(&self) -> Vec<Arrow> {
        let arrow = |(at, to): (usize, &String)| Arrow {
            key: format!("records[{at}]"),
            to: to.clone(),
            asks: Verbs::WORK,
            public: true,
        };
        self.records.iter().enumerate().map(arrow).collect()
    }

    fn is_public(&self) -> bool {
        true
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        let share = 1.0 / self.records.len() as f64;
        Demand { calls: self.records.iter().map(|to| (to.clone(), share)).collect(), ..Demand::default() }
    }

    fn build(&self, _site: &Site<'_>) -> Box<dyn Component> {
        unreachable!("toy boxes are never built")
    }
}

/// A group of servers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Server {
    /// Number of identical machines.
    #[serde(default = "one")]
    count: u32,
    /// Cores of each machine.
    cores: u32,
    /// Whether clients can reach it.
    #[serde(default)]
    public: bool,
    /// The box whose machine this one shares.
    on: Option<String>,
    /// Calls that are served at once.
    #[serde(default)]
    workers: Option<u32>,
    /// What a call does.
    #[serde(default)]
    steps: Vec<Step>,
}

/// One thing that a call does.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Step {
    /// Time on a core.
    cpu: Option<Duration>,
    /// Database to ask.
    query: Option<String>,
    /// Server to call.
    call: Option<String>,
    /// How many times.
    #[serde(default = "one")]
    times: u32,
}

fn one() -> u32 {
    1
}

impl Spec for Server {
    fn arrows(&self) -> Vec<Arrow> {
        let mut arrows = Vec::new();
        for (at, step) in self.steps.iter().enumerate() {
            let arrow = |key: &str, to: &String, asks| Arrow {
                key: format!("steps[{at}].{key}"),
                to: to.clone(),
                asks,
                public: false,
            };
            arrows.extend(step.query.iter().map(|to| arrow("query", to, Verbs::QUERY)));
            arrows.extend(step.call.iter().map(|to| arrow("call", to, Verbs::WORK)));
        }
        arrows
    }

    fn host(&self) -> Option<&str> {
        self.on.as_deref()
    }

    fn is_public(&self) -> bool {
        self.public
    }

    fn members(&self) -> u32 {
        self.count
    }

    fn machine(&self) -> Option<MachineSpec> {
        Some(MachineSpec {
            cores: self.cores,
            memory: 1 << 30,
            speed: 1.0,
            price: 0.1,
            limit: self.workers,
            lifo: false,
            preempts: false,
            sigma: 0.0,
            kappa: 0.0,
            swap: None,
            quota: None,
            disk: None,
        })
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        let cpu_s =
            self.steps.iter().filter_map(|step| step.cpu.as_ref()).map(|cpu| cpu.0.as_secs_f64()).sum();
        let calls = self.steps.iter().filter_map(|step| {
            let to = step.query.as_ref().or(step.call.as_ref())?;
            Some((to.clone(), f64::from(step.times)))
        });
        Demand { cpu_s, wait_s: 0.0, calls: calls.collect(), ..Demand::default() }
    }

    fn build(&self, _site: &Site<'_>) -> Box<dyn Component> {
        unreachable!("toy boxes are never built")
    }
}

/// A database.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Database {
    /// Time on a core that a query takes.
    read: Duration,
    /// The box whose machine this one shares.
    on: Option<String>,
}

impl Spec for Database {
    fn answers(&self) -> Verbs {
        Verbs::QUERY
    }

    fn host(&self) -> Option<&str> {
        self.on.as_deref()
    }

    fn machine(&self) -> Option<MachineSpec> {
        Some(MachineSpec {
            cores: 1,
            memory: 1 << 30,
            speed: 1.0,
            price: 0.1,
            limit: None,
            lifo: false,
            preempts: false,
            sigma: 0.0,
            kappa: 0.0,
            swap: None,
            quota: None,
            disk: None,
        })
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        Demand { cpu_s: self.read.0.as_secs_f64(), ..Demand::default() }
    }

    fn build(&self, _site: &Site<'_>) -> Box<dyn Component> {
        unreachable!("toy boxes are never built")
    }
}

/// The scenario of a text that must be valid.
pub(super) fn toy(text: &str) -> super::Scenario {
    let loaded = super::load("toy.toml", text, &[], &crate::model::spec::NoFiles, &KINDS);
    loaded.unwrap_or_else(|found| panic!("{found}")).scenario
}
