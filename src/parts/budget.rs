//! `BudgetSpec`: what a table says about the bound on all retries together.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::kernel::time::SimDuration;
use crate::model::quantity::{Duration, Rate, Share};
use crate::model::spec::Problems;
use crate::queueing::retry_budget::{ConcurrencyBudget, RetryBudget, ShareBudget, TokenBudget};

/// The share of the requests that may be retried, as in Finagle and Envoy [V].
const SHARE: f64 = 0.2;

/// How retries are bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BudgetKind {
    /// Retries are a share of the requests, as in Finagle.
    #[default]
    Share,
    /// A failure costs a token, a success brings a part of one, and retries stop while no more than half are left, as in gRPC.
    Tokens,
    /// Retries under way are a share of the requests under way, as in Envoy.
    Concurrency,
}

/// `budget = { kind = "tokens", max = 10 }`: a bound on all retries of one machine together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BudgetTable {
    /// How retries are bounded. Default: "share".
    pub kind: BudgetKind,
    /// Retries as a share of the requests, of kind "share", or of the requests under way, of kind "concurrency". Default: "20%"
    /// [V].
    pub share: Option<Share>,
    /// Retries that are allowed in any case, of kind "share". Default: "10/s", as Finagle [V].
    pub reserve: Option<Rate>,
    /// Time after which what a request has brought is gone, of kind "share". Default: "10s", as Finagle [V].
    pub window: Option<Duration>,
    /// Number of tokens, of kind "tokens". Default: 10, as gRPC's example [V].
    pub max: Option<u32>,
    /// Part of a token that a success brings, of kind "tokens". Default: 0.1, as gRPC's example [V].
    pub ratio: Option<f64>,
    /// Retries that may be under way in any case, of kind "concurrency". Default: 3, as Envoy [V].
    pub min: Option<u32>,
}

/// A bound on all retries of one machine together: a share of the requests, on top of ten a second, or a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BudgetSpec(pub BudgetTable);

impl BudgetSpec {
    /// The budget of one caller.
    #[must_use]
    pub fn budget(&self) -> RetryBudget {
        let BudgetTable { kind, share, reserve, window, max, ratio, min } = self.0;
        let share = share.map_or(SHARE, |share| share.0);
        match kind {
            BudgetKind::Share => RetryBudget::Share(ShareBudget::new(
                share,
                reserve.map_or(10.0, |rate| rate.0),
                window.map_or(SimDuration::from_secs(10), |window| window.0),
            )),
            BudgetKind::Tokens => {
                RetryBudget::Tokens(TokenBudget::new(max.unwrap_or(10), ratio.unwrap_or(0.1)))
            }
            BudgetKind::Concurrency => {
                RetryBudget::Concurrency(ConcurrencyBudget::new(share, min.unwrap_or(3)))
            }
        }
    }

    /// Checks the budget at `at`.
    pub fn check(&self, at: &str, problems: &mut Problems) {
        use BudgetKind::{Concurrency, Share, Tokens};
        let BudgetTable { kind, share, reserve, window, max, ratio, min } = self.0;
        let keys = [
            ("share", share.is_some(), [Share, Concurrency]),
            ("reserve", reserve.is_some(), [Share, Share]),
            ("window", window.is_some(), [Share, Share]),
            ("max", max.is_some(), [Tokens, Tokens]),
            ("ratio", ratio.is_some(), [Tokens, Tokens]),
            ("min", min.is_some(), [Concurrency, Concurrency]),
        ];
        for (key, _, kinds) in keys.into_iter().filter(|(_, given, kinds)| *given && !kinds.contains(&kind)) {
            let message = format!("`{key}` goes with kind = \"{}\" only", kinds[0].name());
            problems.error(format!("{at}.{key}"), message, "leave the key out, or change the kind");
        }
        if window.is_some_and(|window| window.0.as_nanos() < 1000) {
            let help = "Finagle's is \"10s\"";
            problems.error(format!("{at}.window"), "a budget needs some time to count requests", help);
        }
        if max == Some(0) {
            let help = "leave `retry` out, or give it tokens: max = 10";
            problems.error(format!("{at}.max"), "a budget without tokens allows no retry at all", help);
        }
        if ratio.is_some_and(|ratio| !(0.0..=1.0).contains(&ratio)) {
            problems.error(format!("{at}.ratio"), "a success brings 0 to 1 token", "gRPC's example is 0.1");
        }
    }
}

impl BudgetKind {
    const fn name(self) -> &'static str {
        match self {
            BudgetKind::Share => "share",
            BudgetKind::Tokens => "tokens",
            BudgetKind::Concurrency => "concurrency",
        }
    }
}

impl<'de> Deserialize<'de> for BudgetSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<BudgetSpec, D::Error> {
        deserializer.deserialize_any(BudgetVisitor)
    }
}

/// Reads a budget from a share or from a table: an untagged enum would lose the position of an error.
struct BudgetVisitor;

impl BudgetVisitor {
    fn share<'de, E: Error>(value: impl IntoDeserializer<'de, E>) -> Result<BudgetSpec, E> {
        let share = Share::deserialize(value.into_deserializer())?;
        Ok(BudgetSpec(BudgetTable { share: Some(share), ..BudgetTable::default() }))
    }
}

impl<'de> Visitor<'de> for BudgetVisitor {
    type Value = BudgetSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a share, such as \"20%\", or { kind = \"tokens\" }")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<BudgetSpec, E> {
        BudgetVisitor::share(text)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<BudgetSpec, E> {
        BudgetVisitor::share(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<BudgetSpec, E> {
        BudgetVisitor::share(value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BudgetSpec, A::Error> {
        BudgetTable::deserialize(MapAccessDeserializer::new(map)).map(BudgetSpec)
    }
}

impl JsonSchema for BudgetSpec {
    fn schema_name() -> Cow<'static, str> {
        "Budget".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (share, table) = (generator.subschema_for::<Share>(), generator.subschema_for::<BudgetTable>());
        json_schema!({
            "description": "A share of the requests, on top of ten a second, as Finagle's budget, or a table.",
            "anyOf": [share, table]
        })
    }
}
