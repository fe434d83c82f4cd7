//! The tables of a scenario file that are not boxes: `[run]`, `[network]`, `[request.NAME]`, `[[expect]]`, `[[check]]`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::kernel::time::SimDuration;
use crate::model::quantity::{Bytes, Duration, Share};

/// `[run]` as it is written: how long and how often to simulate.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RunTable {
    /// Simulated time that is measured.
    pub(super) duration: Duration,
    /// Simulated time before the measured time. It is not measured; 10 % of the duration if not given.
    #[schemars(default)]
    pub(super) warmup: Option<Duration>,
    /// Number of independent trials, each with its own random numbers.
    #[schemars(range(min = 1))]
    pub(super) trials: u32,
    /// Seed of all random numbers: the same seed gives the same results.
    pub(super) seed: u64,
}

impl Default for RunTable {
    fn default() -> RunTable {
        RunTable { duration: Duration(SimDuration::from_secs(600)), warmup: None, trials: 10, seed: 1 }
    }
}

/// `[network]` as it is written: round-trip times, half of them each way.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct NetworkTable {
    /// Round-trip time between clients and public boxes.
    pub(super) client: Duration,
    /// Round-trip time between two boxes in one zone.
    pub(super) same_zone: Duration,
    /// Round-trip time between two zones of one region.
    pub(super) other_zone: Duration,
    /// Coefficient of variation of the round-trip times, lognormal; 0 for none.
    #[schemars(range(min = 0))]
    pub(super) jitter: f64,
    /// The cloud provider in whose regions the boxes stand; it brings their measured round-trip times.
    #[schemars(default)]
    pub(super) regions: Option<Provider>,
    /// Links that differ from the usual ones; of several that fit, the last one counts.
    #[schemars(default)]
    pub(super) link: Vec<LinkTable>,
}

/// The cloud provider of the regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Provider {
    /// Amazon Web Services: `ap-northeast-2`.
    Aws,
    /// IBM Cloud: `Tokyo`.
    Ibm,
}

/// `[[network.link]]` as it is written: the way between two boxes, members, zones or regions.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkTable {
    /// Its two ends: boxes, members of groups, zones or regions.
    pub(super) between: [String; 2],
    /// Round-trip time.
    pub(super) rtt: Option<Duration>,
    /// Bytes a second each way, such as "10MB". An answer of `response_size` waits until the link has sent those before it,
    /// and then takes its size divided by the bandwidth.
    pub(super) bandwidth: Option<Bytes>,
}

impl Default for NetworkTable {
    fn default() -> NetworkTable {
        NetworkTable {
            client: Duration(SimDuration::from_millis(40)),
            same_zone: Duration(SimDuration::from_nanos(100_000)),
            other_zone: Duration(SimDuration::from_millis(1)),
            jitter: 0.1,
            regions: None,
            link: Vec::new(),
        }
    }
}

/// `[request.NAME]` as it is written: one class of requests that clients send.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RequestTable {
    /// Weight among the classes: with 90 and 10, nine requests in ten are of the first class.
    pub(super) share: Weight,
    /// Whether it reads or writes data.
    pub(super) effect: Effect,
    /// An answer later than this is not goodput.
    #[schemars(default)]
    pub(super) deadline: Option<Duration>,
    /// Size of the answer, for links with a bandwidth.
    pub(super) response_size: Bytes,
    /// Number of keys. Each query to a database asks for one of them; without it all data have one key.
    #[schemars(default, range(min = 1))]
    pub(super) keys: Option<u32>,
    /// Exponent of Zipf's law for the popularity of the keys, such as 0.99 as in YCSB; without it all keys are
    /// equally popular.
    #[schemars(default, range(min = 0))]
    pub(super) zipf: Option<f64>,
    /// Share of the asks that are for keys which the database does not have: of as many other keys, which are as popular. Default: 0.
    #[schemars(default)]
    pub(super) missing: Option<Share>,
    /// Whether a content delivery network may keep the answer. Default: false.
    #[schemars(default)]
    pub(super) cacheable: bool,
    /// The clients that send it, by name: ["mobile"]. Default: all of them.
    #[schemars(default)]
    pub(super) clients: Option<Vec<String>>,
    /// Which requests go first where they wait for a worker, a connection or a balancer: those of priority 0 before those of
    /// 1, and so on to 3. Default: 0.
    #[schemars(default, range(max = 3))]
    pub(super) priority: Option<u32>,
    /// Number of workers of a server that a call takes at once; it waits until as many are free, and no call of its priority or below
    /// passes it. Default: 1.
    #[schemars(default, range(min = 1))]
    pub(super) units: Option<u32>,
}

impl Default for RequestTable {
    fn default() -> RequestTable {
        RequestTable {
            share: Weight(1.0),
            effect: Effect::Read,
            deadline: None,
            response_size: Bytes(0),
            keys: None,
            zipf: None,
            missing: None,
            cacheable: false,
            clients: None,
            priority: None,
            units: None,
        }
    }
}

/// Whether a request changes data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Effect {
    /// It only reads.
    Read,
    /// It writes.
    Write,
}

/// `[[expect]]` as it is written: a goal of the design, which decides the exit status of a run.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectTable {
    /// A metric, a comparison and a quantity: `p99(response) < 300ms`, or a figure of a kind of box: `retries(lb) < 10`.
    pub(super) that: String,
    /// Only this part of the simulated time counts: `3min..4min`.
    pub(super) during: Option<String>,
    /// This part of the simulated time does not count: `3min..4min`.
    pub(super) except: Option<String>,
}

/// `[[check]]` as it is written: a test of the simulator, silent except with `--checks` and in `outgrow check --run`.
#[derive(Clone, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckTable {
    /// A comparison as in `[[expect]]`; with `near`, a metric alone: `rto`.
    pub(super) that: String,
    /// The value and how far from it the whole interval may reach: `9.6s ± 0.2s`, or with `+-`.
    pub(super) near: Option<String>,
    /// Only this part of the simulated time counts: `3min..4min`.
    pub(super) during: Option<String>,
    /// This part of the simulated time does not count: `3min..4min`.
    pub(super) except: Option<String>,
}

/// A class's weight: any number that is not negative, or a share in per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Weight(pub(super) f64);

impl<'de> Deserialize<'de> for Weight {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Weight, D::Error> {
        deserializer.deserialize_any(WeightVisitor)
    }
}

impl serde::Serialize for Weight {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0)
    }
}

impl JsonSchema for Weight {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Weight".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "number", "minimum": 0 }, { "type": "string", "pattern": "^[0-9.]+ *%$" }] })
    }
}

struct WeightVisitor;

impl Visitor<'_> for WeightVisitor {
    type Value = Weight;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a weight such as 90 or \"90%\"")
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Weight, E> {
        if value.is_finite() && value >= 0.0 {
            Ok(Weight(value))
        } else {
            Err(E::custom(format_args!("expected a weight of 0 or more, found {value}")))
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Weight, E> {
        self.visit_f64(value as f64)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Weight, E> {
        self.visit_f64(value as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Weight, E> {
        text.parse::<Share>().map(|share| Weight(share.0)).map_err(E::custom)
    }
}
