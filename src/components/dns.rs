//! `Dns`: a name and the addresses that it stands for; resolvers keep its answers for the time to live.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::kernel::random::{Stream, unit_open};
use crate::kernel::time::SimDuration;
use crate::model::address::Answer;
use crate::model::component::{Component, Cx};
use crate::model::quantity::Duration;
use crate::model::signal::{CallId, ComponentId, Control, Impairment, Outcome, Signal};
use crate::model::site::Site;
use crate::model::spec::{Arrow, Demand, Outline, Problems, RequestClass, Spec};

/// How a name server chooses among its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DnsPolicy {
    /// Each answer begins with the next record.
    #[default]
    RoundRobin,
    /// At random, by the records' weights.
    Weighted,
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
    /// How long resolvers keep an answer. Default: "60s" [V].
    pub ttl: Option<Duration>,
    /// How the name server chooses among the records. Default: "round-robin".
    #[serde(default)]
    pub policy: DnsPolicy,
}

impl Spec for DnsSpec {
    fn arrows(&self) -> Vec<Arrow> {
        let arrow = |(index, record): (usize, &Record)| Arrow {
            key: format!("records[{index}]"),
            to: record.to.clone(),
            accepts: &["server", "balancer"],
            public: true,
        };
        self.records.iter().enumerate().map(arrow).collect()
    }

    fn is_public(&self) -> bool {
        true
    }

    fn is_name(&self) -> bool {
        true
    }

    fn demand(&self, _class: &RequestClass) -> Demand {
        let sum: f64 = self.records.iter().map(|record| self.weight(record)).sum();
        let calls =
            self.records.iter().map(|record| (record.to.clone(), self.weight(record) / sum)).collect();
        Demand { calls, ..Demand::default() }
    }

    fn check(&self, _outline: &Outline<'_>, problems: &mut Problems) {
        if self.records.is_empty() {
            problems.error("records", "a name without records cannot be resolved", "name a public box");
        }
        for (index, record) in self.records.iter().enumerate() {
            let key = format!("records[{index}]");
            if !(record.weight.is_finite() && record.weight > 0.0) {
                problems.error(key, format!("a weight is a number above zero, not {}", record.weight), "");
            } else if record.weight != 1.0 && self.policy == DnsPolicy::RoundRobin {
                problems.error(key, "weights count only under policy = \"weighted\"", "");
            }
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        let of = |record: &Record| {
            let members = site.directory.members(&record.to);
            let weight = record.weight / members.len() as f64;
            members.iter().map(move |member| (*member, weight)).collect::<Vec<_>>()
        };
        Box::new(Dns {
            records: self.records.iter().flat_map(of).collect(),
            ttl: self.ttl.map_or(SimDuration::from_secs(60), |ttl| ttl.0),
            policy: self.policy,
            next: 0,
            empty: false,
            stream: None,
        })
    }
}

impl DnsSpec {
    fn weight(&self, record: &Record) -> f64 {
        if self.policy == DnsPolicy::Weighted { record.weight } else { 1.0 }
    }
}

/// The name server of one name.
#[derive(Debug)]
pub struct Dns {
    records: Vec<(ComponentId, f64)>,
    ttl: SimDuration,
    policy: DnsPolicy,
    next: usize,
    /// It has lost its records.
    empty: bool,
    stream: Option<Stream>,
}

impl Dns {
    fn answer(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if self.empty {
            cx.reply(call, Outcome::Unavailable);
            return;
        }
        let address = match self.policy {
            DnsPolicy::RoundRobin => {
                let index = self.next;
                self.next = (index + 1) % self.records.len();
                self.records[index].0
            }
            DnsPolicy::Weighted => self.draw(cx),
        };
        cx.get_mut(call).answer = Answer { address, ttl: self.ttl }.encode();
        cx.reply(call, Outcome::Ok);
    }

    fn draw(&mut self, cx: &Cx<'_>) -> ComponentId {
        let stream = self.stream.get_or_insert_with(|| cx.stream("answers"));
        let sum: f64 = self.records.iter().map(|(_, weight)| weight).sum();
        let mut left = unit_open(stream) * sum;
        for (address, weight) in &self.records {
            left -= weight;
            if left < 0.0 {
                return *address;
            }
        }
        self.records[self.records.len() - 1].0
    }
}

impl Component for Dns {
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) => self.answer(call, cx),
            Signal::Control(Control::Impair(Impairment::NoRecords)) => self.empty = true,
            Signal::Control(Control::Mend(Impairment::NoRecords)) => self.empty = false,
            _ => {}
        }
    }
}
