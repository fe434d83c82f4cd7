//! `Dns`: a name and its addresses. Resolvers cache its answers for the time to live.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

mod geo;
mod sites;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::kernel::random::{Stream, unit_open};
use crate::kernel::time::SimDuration;
use crate::model::address::Answer;
use crate::model::ask::{Ask, Verbs};
use crate::model::call::Parent;
use crate::model::component::{Component, Cx};
use crate::model::gauge::{Gauge, GaugeId};
use crate::model::lever::{Ill, Lever, Setting};
use crate::model::quantity::Duration;
use crate::model::signal::{About, Alarm, CallId, ComponentId, Control, Impairment, Order, Outcome, Signal};
use crate::model::site::Site;
use crate::model::spec::{Arrow, Demand, Knows, Outline, Part, Problems, RequestClass, Sides, Spec};
use crate::parts::checks::{Checks, Health, Pace, Timers};

use geo::Preferences;
use sites::Side;

/// How a name server chooses the record that stands first in an answer. The others that would do as well follow in turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DnsPolicy {
    /// The records in turn.
    #[default]
    RoundRobin,
    /// At random, by the records' weights.
    Weighted,
    /// The first record whose checks pass; the others are standbys, in the order of the list.
    Failover,
    /// The record nearest to the resolver that asks, by round-trip time.
    Latency,
    /// The record for the caller's region: that of `geo`, else the nearest on the globe.
    Geo,
}

/// Health checks: the name server tries to connect to every address, and leaves out those that fail.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsHealth {
    /// Time from the end of one check of an address, which is its answer or its timeout, to the start of the next. Default:
    /// "30s", as Route 53 [V: `RequestInterval`]; its fast ones are "10s".
    pub interval: Option<Duration>,
    /// Longest time that a connection may take. Default: "10s", as Route 53 [V].
    pub timeout: Option<Duration>,
    /// Number of consecutive checks that must fail, or pass, to change the state of an address. Default: 3, as Route
    /// 53.
    pub misses: Option<u16>,
}

/// An address that a name stands for: the name of a box, or a table with a weight.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The box; of a group, all its machines.
    pub to: String,
    /// Share of the answers under the policy `weighted`, relative to the other records.
    pub weight: f64,
}

/// A record with its weight, as a table.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WeightedRecord {
    /// The box; of a group, all its machines.
    to: String,
    /// Share of the answers under the policy `weighted`, relative to the other records.
    weight: f64,
}

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RecordVisitor)
    }
}

/// Reads a record from a name or from a table: an untagged enum would lose the position of an error.
struct RecordVisitor;

impl<'de> serde::de::Visitor<'de> for RecordVisitor {
    type Value = Record;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of a box, or { to = \"name\", weight = 1 }")
    }

    fn visit_str<E: serde::de::Error>(self, to: &str) -> Result<Record, E> {
        Ok(Record { to: to.to_owned(), weight: 1.0 })
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Record, A::Error> {
        let table = WeightedRecord::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        Ok(Record { to: table.to, weight: table.weight })
    }
}

impl JsonSchema for Record {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Record".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let table = generator.subschema_for::<WeightedRecord>();
        schemars::json_schema!({
            "description": "The name of a box, or a table with its weight.",
            "anyOf": [{ "type": "string" }, table]
        })
    }
}

/// `[dns.NAME]`: a name that clients resolve.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DnsSpec {
    /// The boxes that the name stands for; they must be public.
    pub records: Vec<Record>,
    /// Time for which resolvers cache an answer. Default: "60s", as the names of AWS's load balancers [S].
    pub ttl: Option<Duration>,
    /// How the name server chooses among the records. Default: "round-robin".
    #[serde(default)]
    pub policy: DnsPolicy,
    /// Records by the caller's region, with the policy `geo`: { "ap-northeast-2" = "lb-seoul" }. Other regions get the
    /// nearest record on the globe; if a record fails its checks, the next nearest is used.
    #[serde(default)]
    pub geo: BTreeMap<String, String>,
    /// Checks of the addresses. An address that fails them is left out, unless all fail. Default: none.
    pub health: Option<DnsHealth>,
    /// The sites between which a switch moves it.
    #[serde(skip)]
    sides: Option<Sides>,
}

/// A time to live that lets users come back soon.
const SHORT_TTL: SimDuration = SimDuration::from_secs(10);

impl DnsSpec {
    fn ttl(&self) -> SimDuration {
        self.ttl.map_or(SimDuration::from_secs(60), |ttl| ttl.0)
    }
}

impl Spec for DnsSpec {
    fn arrows(&self) -> Vec<Arrow> {
        let arrow = |(index, record): (usize, &Record)| Arrow {
            key: format!("records[{index}]"),
            to: record.to.clone(),
            asks: Verbs::WORK,
            public: true,
        };
        self.records.iter().enumerate().map(arrow).collect()
    }

    fn is_public(&self) -> bool {
        true
    }

    fn reacts_within(&self) -> SimDuration {
        self.ttl()
    }

    fn knows(&self) -> Option<Knows> {
        (self.policy == DnsPolicy::Geo).then_some(Knows::Region("policy"))
    }

    fn answers(&self) -> Verbs {
        Verbs::RESOLVE
    }

    fn levers(&self) -> Vec<Lever> {
        let ttl = self.ttl();
        let short = SHORT_TTL.min(ttl);
        let sooner =
            (short < ttl).then(|| Lever::cure("ttl", Setting::Time(ttl), Setting::Time(short), &[Ill::Dead]));
        let off = Setting::Whole(0);
        let checks = self.health.is_none();
        let checks = checks.then(|| Lever::cure("health.interval", off, Setting::Word("10s"), &[Ill::Dead]));
        checks.into_iter().chain(sooner).collect()
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        let records = || self.records.iter().filter(|record| !self.is_withheld(record));
        if matches!(self.policy, DnsPolicy::RoundRobin | DnsPolicy::Latency | DnsPolicy::Geo) {
            // The answers begin with the machines in turn, not the records.
            let spread = records().map(|record| (record.to.clone(), 1.0)).collect();
            return Demand { spread, ..Demand::default() };
        }
        let sum: f64 = records().map(|record| record.weight).sum();
        let share = |(index, record): (usize, &Record)| match self.policy {
            // Standbys get calls only if a record fails.
            DnsPolicy::Failover => (record.to.clone(), if index == 0 { 1.0 } else { 0.0 }),
            _ => (record.to.clone(), record.weight / sum),
        };
        Demand { calls: records().enumerate().map(share).collect(), ..Demand::default() }
    }

    fn part(&self, _name: &str, sides: &Sides) -> Part {
        self.part_of_switch(sides)
    }

    fn take_part(&mut self, sides: &Sides) {
        self.sides = Some(sides.clone());
    }

    fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        self.check_geo(outline, problems);
        if self.records.is_empty() {
            problems.error("records", "a name without records cannot be resolved", "name a public box");
        }
        for (index, record) in self.records.iter().enumerate() {
            let key = format!("records[{index}]");
            if !(record.weight.is_finite() && record.weight > 0.0) {
                problems.error(key, format!("a weight is a number above zero, not {}", record.weight), "");
            } else if record.weight != 1.0 && self.policy != DnsPolicy::Weighted {
                problems.error(key, "weights count only under policy = \"weighted\"", "");
            }
        }
        if self.policy == DnsPolicy::Failover && self.health.is_none() {
            let help = "such as health = { interval = \"30s\", misses = 3 }";
            problems.error("policy", "without checks a failover never happens: `health` is missing", help);
        }
        if let Some(health) = &self.health {
            if health.interval.is_some_and(|interval| interval.0.is_zero()) {
                problems.error("health.interval", "checks without a pause would never end", "");
            }
            if health.timeout.is_some_and(|timeout| timeout.0.is_zero()) {
                problems.error("health.timeout", "nobody answers a check in no time", "");
            }
            if health.misses.is_some_and(|misses| !(1..=MISSES_MAX).contains(&misses)) {
                problems.error("health.misses", format!("`misses` lies between 1 and {MISSES_MAX}"), "");
            }
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        let mut records = Vec::new();
        for (rank, record) in self.records.iter().enumerate() {
            let members = site.directory.members(&record.to);
            let weight = record.weight / members.len() as f64;
            records.extend(members.iter().map(|to| Address::new(*to, rank, weight)));
        }
        if let Some(sides) = &self.sides {
            sites::stand(sides, &mut records, site);
        }
        let is_geo = self.policy == DnsPolicy::Geo;
        Box::new(Dns {
            preferences: is_geo.then(|| Preferences::new(self, &records, site)),
            records,
            ttl: self.ttl(),
            policy: self.policy,
            checks: self.health.map(|health| health.checks()),
            next: 0,
            empty: false,
            stream: None,
        })
    }
}

/// The figures of a name's own.
pub const GAUGES: &[Gauge] = &[Gauge::count(
    "withdrawals",
    "Times that an address was left out of the answers because its checks failed.",
)];

/// Largest number of addresses of an answer: with 16 bytes each they fill one of 1232 bytes, the largest that is sent
/// without fragments [V: DNS flag day 2020; RFC 1035].
const ADDRESSES_MAX: usize = 74;

const WITHDRAWALS: GaugeId = GaugeId::of("withdrawals", GAUGES);

/// The timers of the checks.
const CHECKS: Timers = Timers { next: CHECK, late: LATE };
const CHECK: u16 = 0;
const LATE: u16 = 1;

/// Largest number of consecutive checks for a change; with more, nothing would ever change.
const MISSES_MAX: u16 = 1000;

/// One address, and its state by the checks.
#[derive(Clone, Copy, Debug)]
struct Address {
    to: ComponentId,
    /// Index of its record; with failover, lower is preferred.
    rank: usize,
    weight: f64,
    /// By its checks.
    health: Health,
    side: Side,
}

impl Address {
    fn new(to: ComponentId, rank: usize, weight: f64) -> Address {
        Address { to, rank, weight, health: Health::Up, side: Side::None }
    }

    /// Whether it may be answered: its checks pass, or those of `all` fail.
    fn fits(&self, all: bool) -> bool {
        self.side != Side::Closed && (all || self.health.is_up())
    }
}

impl DnsHealth {
    /// The checks that the keys describe; `misses` of them in a row change a state, either way.
    fn checks(&self) -> Checks {
        let misses = self.misses.unwrap_or(3);
        Checks {
            interval: self.interval.map_or(SimDuration::from_secs(30), |interval| interval.0),
            pace: Pace::AfterEnd,
            timeout: self.timeout.map_or(SimDuration::from_secs(10), |timeout| timeout.0),
            fall: misses,
            rise: misses,
            ask: Ask::CONNECT,
        }
    }
}

/// The name server of one name.
#[derive(Debug)]
pub struct Dns {
    records: Vec<Address>,
    /// The preferences by the caller's region, with the policy `geo`.
    preferences: Option<Preferences>,
    ttl: SimDuration,
    policy: DnsPolicy,
    checks: Option<Checks>,
    next: usize,
    /// Whether it has lost its records.
    empty: bool,
    stream: Option<Stream>,
}

impl Dns {
    fn answer(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if self.empty {
            cx.reply(call, Outcome::Unavailable);
            return;
        }
        let caller = cx.get(call).caller;
        let index = self.choose(caller, cx);
        let addresses = self.addresses(index, caller, cx);
        let list = cx.list_addresses(addresses);
        cx.get_mut(call).answer = Answer { list, ttl: self.ttl }.encode();
        cx.reply(call, Outcome::Ok);
    }

    /// The addresses of an answer: the record that was chosen first, and in turn all that would do as well.
    fn addresses(&self, first: usize, caller: ComponentId, cx: &Cx<'_>) -> Vec<ComponentId> {
        let (count, chosen) = (self.records.len(), self.records[first]);
        let all = !chosen.health.is_up();
        let rank = |index: usize| self.preferences.as_ref().map_or(0, |known| known.rank(caller, index));
        let fits = |index: &usize| {
            let record = self.records[*index];
            let is_like = match self.policy {
                DnsPolicy::RoundRobin => true,
                DnsPolicy::Weighted | DnsPolicy::Failover => record.rank == chosen.rank,
                DnsPolicy::Geo => rank(*index) == rank(first),
                DnsPolicy::Latency => cx.distance(caller, record.to) == cx.distance(caller, chosen.to),
            };
            is_like && record.fits(all)
        };
        let turn = (0..count).map(|ahead| (first + ahead) % count).filter(fits);
        turn.take(ADDRESSES_MAX).map(|index| self.records[index].to).collect()
    }

    fn choose(&mut self, caller: ComponentId, cx: &Cx<'_>) -> usize {
        // If no address passes its checks, the checks are more likely wrong than all addresses. Then all are used, as
        // in Route 53 [V].
        let all = self.records.iter().all(|record| !record.fits(false));
        match self.policy {
            DnsPolicy::RoundRobin => self.in_turn(|record| record.fits(all)),
            DnsPolicy::Weighted => self.draw(all, cx),
            DnsPolicy::Failover => {
                let healthy = self.records.iter().filter(|record| record.fits(all));
                let best = healthy.map(|record| record.rank).min();
                self.in_turn(|record| record.fits(all) && Some(record.rank) == best)
            }
            DnsPolicy::Geo => self.preferred(caller, all),
            DnsPolicy::Latency => {
                let healthy = self.records.iter().filter(|record| record.fits(all));
                let nearest = healthy.map(|record| cx.distance(caller, record.to)).min();
                let is_near = |record: &Address| Some(cx.distance(caller, record.to)) == nearest;
                self.in_turn(|record| record.fits(all) && is_near(record))
            }
        }
    }

    /// The preferred record for the caller's region; in turn among equals.
    fn preferred(&mut self, caller: ComponentId, all: bool) -> usize {
        let rank = |index: usize| self.preferences.as_ref().map_or(0, |known| known.rank(caller, index));
        let allowed = |index: &usize| self.records[*index].fits(all);
        let count = self.records.len();
        let best = (0..count).filter(allowed).map(rank).min();
        let mut turn = (0..count).map(|ahead| (self.next + ahead) % count).filter(allowed);
        let index = turn.find(|index| Some(rank(*index)) == best).unwrap_or(self.next);
        self.next = (index + 1) % count;
        index
    }

    /// The next record in turn for which `fits` holds; at least one does.
    fn in_turn(&mut self, fits: impl Fn(&Address) -> bool) -> usize {
        let count = self.records.len();
        let turn = (0..count).map(|ahead| (self.next + ahead) % count);
        let index = turn.into_iter().find(|index| fits(&self.records[*index])).unwrap_or(self.next);
        self.next = (index + 1) % count;
        index
    }

    fn draw(&mut self, all: bool, cx: &Cx<'_>) -> usize {
        let stream = self.stream.get_or_insert_with(|| cx.stream("answers"));
        let weight = |record: &Address| if record.fits(all) { record.weight } else { 0.0 };
        let sum: f64 = self.records.iter().map(weight).sum();
        let mut left = unit_open(stream) * sum;
        let mut last = 0;
        for (index, record) in self.records.iter().enumerate().filter(|(_, record)| weight(record) > 0.0) {
            left -= record.weight;
            last = index;
            if left < 0.0 {
                break;
            }
        }
        last
    }

    // Checks --------------------------------------------------------------------------------------------------------

    /// Starts the checks. All addresses count as up.
    fn start_checks(&mut self, cx: &mut Cx<'_>) {
        let Some(checks) = self.checks else { return };
        self.records.iter_mut().for_each(|record| record.health = Health::Up);
        checks.begin(self.records.len(), CHECKS, cx);
    }

    /// A check of an address has ended. An address that is down from now on is left out of the answers.
    fn checked(&mut self, checks: Checks, number: u32, good: bool, cx: &mut Cx<'_>) {
        checks.ended(number, CHECKS, cx);
        let health = &mut self.records[number as usize].health;
        let was_up = health.is_up();
        *health = health.after(good, &checks);
        if was_up && !health.is_up() {
            cx.count(WITHDRAWALS);
        }
    }

    fn alarm(&mut self, alarm: Alarm, checks: Checks, cx: &mut Cx<'_>) {
        match (alarm.code, alarm.about) {
            (CHECK, About::Number(i)) => checks.ask(i, self.records[i as usize].to, CHECKS, cx),
            (LATE, About::Call(probe)) => {
                if let Some(i) = checks.give_up(probe, cx) {
                    self.checked(checks, i, false, cx);
                }
            }
            _ => unreachable!("a name server sets no other timer"),
        }
    }
}

impl Component for Dns {
    fn start(&mut self, cx: &mut Cx<'_>) {
        self.start_checks(cx);
    }

    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match (signal, self.checks) {
            (Signal::Call(call), _) => self.answer(call, cx),
            (Signal::Reply(call, outcome), Some(checks)) => {
                if let Parent::Number(index) = cx.get(call).parent {
                    self.checked(checks, index, outcome == Outcome::Ok, cx);
                }
            }
            (Signal::Alarm(alarm), Some(checks)) => self.alarm(alarm, checks, cx),
            (Signal::Control(Control::Recover), _) => self.start_checks(cx),
            (Signal::Control(Control::Order(Order { code: Order::MOVE, .. })), _) => {
                sites::change(&mut self.records);
            }
            (Signal::Control(Control::Impair(Impairment::NoRecords)), _) => self.empty = true,
            (Signal::Control(Control::Mend(Impairment::NoRecords)), _) => self.empty = false,
            _ => {}
        }
    }
}
