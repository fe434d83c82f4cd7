//! What a scenario says about one box: the contract between a kind of box and the loader.

use std::collections::BTreeMap;
use std::fmt::Debug;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use super::ask::{Scope, Verbs};
use super::fitting::{WorkCost, WorkSort};
use super::fleet::Keeps;
use super::gauge::Gauge;
use super::lever::Lever;
use super::reshard::Reshard;
use super::resource::Resource;
use super::rule::{AlertText, Rule};
use super::strict::read_strictly;
use crate::kernel::time::SimDuration;

pub use super::class::RequestClass;
pub use super::hardware::{DiskSpec, MachineSpec, MemberPlan};
pub use super::heir::Heir;
pub use super::problems::{Files, NoFiles, Problem, Problems, Severity};
pub use super::site::Standing;
pub use super::switching::{Part, Sides};
pub use super::users::{Knows, Users};

/// A kind of box: a row with its name in scenario files, its reader and its schema.
#[derive(Clone, Copy)]
pub struct Kind {
    /// The table's name in a scenario file: `server` of `[server.web]`.
    pub name: &'static str,
    /// One sentence for the reference page.
    pub about: &'static str,
    /// Reads the box's table.
    pub load: fn(toml::de::ValueDeserializer<'_>) -> Result<Box<dyn Spec>, toml::de::Error>,
    /// The table's JSON schema; without the feature `schema` one that allows anything.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// What its boxes count and measure beside the figures that all boxes have.
    pub gauges: &'static [Gauge],
}

impl Kind {
    /// The row for a kind whose tables are read as `S`.
    #[must_use]
    pub const fn of<S: Spec + DeserializeOwned + JsonSchema + 'static>(
        name: &'static str,
        about: &'static str,
    ) -> Kind {
        // Where no constant names them, the linker leaves the schemas out.
        let schema: fn(&mut SchemaGenerator) -> Schema =
            if cfg!(feature = "schema") { SchemaGenerator::subschema_for::<S> } else { anything };
        Kind { name, about, load: load::<S>, schema, gauges: &[] }
    }

    /// The same kind, whose boxes have these gauges.
    #[must_use]
    pub const fn with(self, gauges: &'static [Gauge]) -> Kind {
        Kind { gauges, ..self }
    }
}

/// The schema that all values have.
fn anything(_: &mut SchemaGenerator) -> Schema {
    Schema::from(true)
}

fn load<S: Spec + DeserializeOwned + 'static>(
    value: toml::de::ValueDeserializer<'_>,
) -> Result<Box<dyn Spec>, toml::de::Error> {
    read_strictly::<S>(value).map(|spec| Box::new(spec) as Box<dyn Spec>)
}

/// A reference from one box to another, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The key that holds it, relative to the box's table: `target`, `steps[1].query`, `records[0]`.
    pub key: String,
    /// The name of the other box.
    pub to: String,
    /// What is asked along it: the other box answers one of these verbs.
    pub asks: Verbs,
    /// Whether the call goes out over the public network, so that the other end needs a public address.
    pub public: bool,
}

/// What a box may use of the rest of the scenario in its check.
#[derive(Debug)]
pub struct Outline<'a> {
    /// Kind of each box by name.
    pub kinds: BTreeMap<&'a str, &'static str>,
    /// What each box answers, by its name.
    pub answers: BTreeMap<&'a str, Verbs>,
    /// How the data of boxes are divided, by their names.
    pub divided: BTreeMap<&'a str, Divided>,
    /// The regions of the members of each box, by name of the box.
    pub regions: BTreeMap<&'a str, &'a [String]>,
    /// The request classes.
    pub classes: &'a [RequestClass],
    /// Warm-up plus measured time.
    pub length: SimDuration,
}

/// The mean cost of one call at a box, for bounds without simulation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demand {
    /// Core seconds at speed 1 on the box's machine.
    pub cpu_s: f64,
    /// Seconds that hold no core: I/O, disk.
    pub wait_s: f64,
    /// Calls to other boxes: name and mean number of calls.
    pub calls: Vec<(String, f64)>,
    /// Queries among those calls that ask for more than one entity: name, mean number, and what for.
    pub queries: Vec<(String, f64, Scope)>,
    /// Boxes of which one gets each call: name and weight of each of its machines.
    pub spread: Vec<(String, f64)>,
    /// Those of the calls that run beside others, so that the caller does not wait longer for them: name and mean number.
    pub beside: Vec<(String, f64)>,
    /// Calls beyond `calls` of which the caller needs no answer: name and mean number.
    pub later: Vec<(String, f64)>,
    /// Calls to another box for what a cache does not have: name of the cache, name of the other box, and mean number of the
    /// questions to the cache.
    pub missed: Vec<(String, String, f64)>,
    /// Whether calls of one class differ in which other boxes they need an answer of.
    pub differs: bool,
}

/// What a query costs more, on average, because of what it asks for beyond its own entity.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Surplus {
    /// Core seconds at speed 1.
    pub cpu_s: f64,
    /// Seconds that hold no core.
    pub wait_s: f64,
    /// Operations of the disk.
    pub operations: f64,
    /// Queries that the caller must make itself.
    pub calls: f64,
    /// Further shards that are asked the same, beside that of the key.
    pub others: f64,
    /// The share of all further shards that they are.
    pub others_share: f64,
}

/// Connections that each member of a box keeps to another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pooled {
    /// The other box.
    pub to: String,
    /// Their number at each member, at most.
    pub has: u32,
    /// Number of them that stay open though nobody uses them.
    pub open: u32,
    /// The key that says so.
    pub open_key: &'static str,
}

/// How the data of a box are divided by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divided {
    /// Number of parts, each on other machines.
    pub shards: u32,
    /// Whether a query may ask for entities that lie in several parts.
    pub joins: bool,
}

/// The connections that a box accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepts {
    /// Their number at each of its nodes.
    pub each: u32,
    /// Number of its nodes. A connection that stays open is open to each of them.
    pub nodes: u32,
}

/// What a box does with connections to it that are not in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closes {
    /// The time after which it closes one.
    pub idle: SimDuration,
    /// The key of that time.
    pub key: &'static str,
    /// A key about connections to it that the scenario gives; `None` without.
    pub given: Option<&'static str>,
}

/// The load of a client.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Offered {
    /// Open load in requests a second, independent of answers; the highest rate that lasts.
    Open(f64),
    /// Closed load: the number of users, and what they do between an answer and the next request.
    Closed(f64, Rest),
}

/// What the users of a closed load do between an answer and the next request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rest {
    /// They think for a time, in seconds on average.
    Think(f64),
    /// They wait until this many seconds have passed since they issued the last one.
    Pace(f64),
}

impl Rest {
    /// The time from one request of a user to the next, where an answer takes `answer_s`; both in seconds.
    #[must_use]
    pub fn cycle_s(self, answer_s: f64) -> f64 {
        match self {
            Rest::Think(think_s) => think_s + answer_s,
            Rest::Pace(pace_s) => pace_s.max(answer_s),
        }
    }

    /// The time of an answer, in seconds, where a user issues a request every `cycle_s`, which is at least the pace: the rest is
    /// over by then. 0 where nobody has to wait.
    #[must_use]
    pub fn answer_s(self, cycle_s: f64) -> f64 {
        match self {
            Rest::Think(think_s) => (cycle_s - think_s).max(0.0),
            Rest::Pace(pace_s) if cycle_s > pace_s => cycle_s,
            Rest::Pace(_) => 0.0,
        }
    }
}

/// The load of a client when it is highest.
#[derive(Clone, Debug, PartialEq)]
pub struct Peak {
    /// The load.
    pub offered: Offered,
    /// When that is, as the end of a sentence: "for the 2min of the spike".
    pub when: String,
    /// Of a recorded load: spans of time in seconds, and the highest rate over each of them.
    pub spans: Vec<(f64, f64)>,
}

/// What a scenario says about a box.
pub trait Spec: Debug + Send + Sync {
    /// All references to other boxes, except [`Spec::host`].
    fn arrows(&self) -> Vec<Arrow> {
        Vec::new()
    }

    /// What it answers, each of its members alike. A call that asks for something else never reaches it.
    fn answers(&self) -> Verbs {
        Verbs::WORK
    }

    /// The box whose machine this one shares: `on = "box"`.
    fn host(&self) -> Option<&str> {
        None
    }

    /// Whether clients can reach it.
    fn is_public(&self) -> bool {
        false
    }

    /// The fact about its callers that the box must know; `None` for a box that serves all callers alike.
    fn knows(&self) -> Option<Knows> {
        None
    }

    /// How its data are divided by key; `None` for data in one piece, and for a box without any.
    fn divided(&self) -> Option<Divided> {
        None
    }

    /// The key and the name of the region of each of its machines in turn, for a box that has keys of its own for them.
    fn regions(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// A few words for a diagram, apart from its kind and its machines: `with a standby`.
    fn detail(&self) -> Option<String> {
        None
    }

    /// Number of identical machines; more than one are called `web-1`, `web-2`, ...
    fn members(&self) -> u32 {
        1
    }

    /// The plan of member number `member`, from 0, of a box called `name`.
    fn member(&self, name: &str, member: u32) -> MemberPlan {
        let name = if self.members() == 1 { name.to_owned() } else { format!("{name}-{}", member + 1) };
        MemberPlan { name, machine: self.machine(), standing: Standing::Entry }
    }

    /// The hardware of each member; `None` for boxes that are not machines (clients, DNS).
    fn machine(&self) -> Option<MachineSpec> {
        None
    }

    /// What its members have a limited amount of, with what a call of each class takes. By default what its machines have.
    fn resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        let Some(machine) = self.machine().filter(|_| self.host().is_none()) else { return Vec::new() };
        let cpu_s = classes.iter().map(|class| self.demand(class).cpu_s).collect();
        Resource::of_machine(&machine, 0..self.members(), cpu_s)
    }

    /// The connections that each of its members keeps to other boxes, for rows [`POOL`](super::resource::POOL).
    fn pools(&self) -> Vec<Pooled> {
        Vec::new()
    }

    /// The connections that it accepts; `None` where they have no limit.
    fn accepts(&self) -> Option<Accepts> {
        None
    }

    /// The key and the time for which it keeps connections that it opens to others; `None` where they cost nothing.
    fn keeps_open(&self) -> Option<(&'static str, SimDuration)> {
        None
    }

    /// What it does with connections to it; `None` where it keeps all.
    fn closes(&self) -> Option<Closes> {
        None
    }

    /// The keys that can be turned to change what it can do, those first that are turned first; of a client those that
    /// change its load. The next value of each passes [`Spec::check`].
    fn levers(&self) -> Vec<Lever> {
        Vec::new()
    }

    /// Whether a box of this description can have something to show on a gauge of its kind.
    fn shows(&self, _gauge: &Gauge) -> bool {
        true
    }

    /// The longest time for which it drains a target before a deployment stops that; `None` if it does not.
    fn drains(&self) -> Option<SimDuration> {
        None
    }

    /// The longest time after a fault until it has done about it what it will do, such as a failover; zero for nothing.
    fn reacts_within(&self) -> SimDuration {
        SimDuration::ZERO
    }

    /// Whether it hears of targets that a deployment is about to stop, and then gives them no new calls.
    fn hears_of_stops(&self) -> bool {
        false
    }

    /// Whether it hears which members of a box come and go, and sends calls only to those that are up.
    fn follows_members(&self) -> bool {
        false
    }

    /// How many members another box is to have, if this one decides it.
    fn keeps(&self) -> Option<Keeps> {
        None
    }

    /// The alerts of a box that watches others.
    fn alerts(&self) -> Vec<AlertText<'_>> {
        Vec::new()
    }

    /// Takes the rules that the loader has read from [`Spec::alerts`], in their order.
    fn set_rules(&mut self, _rules: Vec<Rule>) {}

    /// Reserves places for this number of members, more than it has at the start. Returns false for a kind whose members do not
    /// come and go.
    fn reserve(&mut self, _members: u32) -> bool {
        false
    }

    /// The sites between which it switches; `Some` makes the box a switch, which stands outside and does not fail.
    fn sides(&self) -> Option<Sides> {
        None
    }

    /// The names of the switches whose decision it begins.
    fn calls_switches(&self) -> Vec<String> {
        Vec::new()
    }

    /// What a switch does to a box of this name. The sides name each member, and each box all of whose members are there.
    fn part(&self, _name: &str, _sides: &Sides) -> Part {
        Part::Nothing
    }

    /// Takes part in a switch between two sites.
    fn take_part(&mut self, _sides: &Sides) {}

    /// Operators divide its data among another number of shards. Returns false for a kind whose data are in one piece.
    fn reshard(&mut self, _plan: Reshard, _problems: &mut Problems) -> bool {
        false
    }

    /// Whether it tells others before a planned stop, which they answer by taking over.
    fn says_goodbye(&self) -> bool {
        false
    }

    /// The load that starts here; `Some` makes the box a client.
    fn offered(&self) -> Option<Offered> {
        None
    }

    /// The share of each class among the requests that start here, 0..1; `None` where the shares of the classes decide.
    fn mix(&self, _classes: &[RequestClass]) -> Option<Vec<f64>> {
        None
    }

    /// The name of the file whose recorded load starts here; `None` for every other load.
    fn recording(&self) -> Option<&str> {
        None
    }

    /// The keys, with their values, that play a part of that recorded load: from `from_s` to `to_s` seconds after its
    /// beginning, `factor` times.
    fn replayed(&self, _from_s: f64, _to_s: f64, _factor: f64) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The sorts of work whose core time a measurement can tell; none for a box without work of its own.
    fn sorts(&self, _classes: &[RequestClass]) -> Vec<WorkSort> {
        Vec::new()
    }

    /// The keys, with their values, that give each sort of work its measured cost. `table` is what the scenario says about the
    /// box.
    ///
    /// # Errors
    /// A message that says why the box cannot be given costs.
    fn fitted(
        &self,
        _table: &toml::Table,
        _costs: &[WorkCost],
    ) -> Result<Vec<(&'static str, String)>, String> {
        Err("it has no work of its own".into())
    }

    /// The load that starts here when it is highest; `None` for a load that is always the same, and for other boxes.
    fn peak(&self) -> Option<Peak> {
        None
    }

    /// The greatest number of tries of a request that starts here.
    fn attempts(&self) -> u32 {
        1
    }

    /// The greatest number of calls that one call along an arrow can become by tries after the first, and by second calls.
    /// `key` is that of the arrow.
    fn attempts_of(&self, _key: &str) -> u32 {
        self.attempts()
    }

    /// The key and the longest time for which it waits for an answer of another box; `None` where it waits as long as it
    /// takes.
    fn patience(&self) -> Option<(&'static str, SimDuration)> {
        None
    }

    /// Whether the load that starts here changes over a trial by plan: a profile, or a recorded load.
    fn changes_load(&self) -> bool {
        false
    }

    /// Who its users are; `None` for a box that is no client.
    fn users(&self) -> Option<Users> {
        None
    }

    /// The mean cost of one call of a class.
    fn demand(&self, _class: &RequestClass) -> Demand {
        Demand::default()
    }

    /// Share of the reads of a class that the box answers from memory, so that its callers ask nobody else.
    fn hits(&self, _class: &RequestClass) -> f64 {
        0.0
    }

    /// What a query costs more that asks for more than its own entity.
    fn surplus(&self, _class: &RequestClass, _scope: Scope) -> Surplus {
        Surplus::default()
    }

    /// The member that is to take over when another one is lost, if the scenario names it.
    fn heir(&self, _name: &str) -> Option<Heir> {
        None
    }

    /// Checks the table by itself and against the outline. Names have been checked before.
    fn check(&self, _outline: &Outline<'_>, _problems: &mut Problems) {}

    /// Reads the files that the table names into the spec. A missing or wrong file is a problem.
    fn read_files(&mut self, _files: &dyn Files, _problems: &mut Problems) {}

    /// Makes the component of one member.
    fn build(&self, site: &super::site::Site<'_>) -> Box<dyn super::component::Component>;
}
