//! What a scenario says about the connections of a server to its databases.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::kernel::time::SimDuration;
use crate::model::quantity::Duration;
use crate::model::spec::Problems;

use super::ServerSpec;

/// `db_pool = { size = 10, idle = "10min" }`: connections to each database. With `idle`, `life` or `min` one takes a round trip to open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PoolTable {
    /// Their greatest number. Default: 10, as HikariCP [V].
    pub size: Option<u32>,
    /// Longest wait for one; after it the call fails. Default: "30s", as HikariCP (`connectionTimeout`) [V].
    pub wait: Option<Duration>,
    /// Time for which one beyond `min` stays open though nobody uses it. Default: "10min", as HikariCP (`idleTimeout`) [V].
    pub idle: Option<Duration>,
    /// Time after which one is closed when it is given back. Default: "30min", as HikariCP (`maxLifetime`) [V].
    pub life: Option<Duration>,
    /// Number of them that are open from the start, and stay open though nobody uses them; they count at the `connections` of each node
    /// of the database. Default: 0 [T]; HikariCP keeps all of its pool open (`minimumIdle`) [V].
    pub min: Option<u32>,
}

/// Connections to each database: their number, or a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PoolSpec {
    /// Their number; they cost nothing.
    Size(u32),
    /// A table.
    Table(PoolTable),
}

/// How long connections of a pool that cost something stay open.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Lasting {
    /// Time without use after which one is closed.
    pub idle: SimDuration,
    /// Time since it was opened after which it is closed when it is given back.
    pub life: SimDuration,
    /// Number of them that stay open without use.
    pub min: usize,
}

impl ServerSpec {
    fn pool(&self) -> PoolTable {
        match self.db_pool {
            None => PoolTable::default(),
            Some(PoolSpec::Size(size)) => PoolTable { size: Some(size), ..PoolTable::default() },
            Some(PoolSpec::Table(table)) => table,
        }
    }

    /// Number of connections to each database, and the key that says it.
    pub(in super::super) fn db_pool(&self) -> u32 {
        self.pool().size.unwrap_or(10)
    }

    pub(in super::super) fn db_pool_key(&self) -> &'static str {
        if matches!(self.db_pool, Some(PoolSpec::Table(_))) { "db_pool.size" } else { "db_pool" }
    }

    /// Longest wait for a connection of the pool.
    pub(in super::super) fn pool_timeout(&self) -> SimDuration {
        self.pool_timeout.or(self.pool().wait).map_or(SimDuration::from_secs(30), |limit| limit.0)
    }

    /// Number of connections that stay open, and the key that says it.
    pub(in super::super) fn pool_min(&self) -> (u32, &'static str) {
        let key = if self.pool().min.is_some() { "db_pool.min" } else { "pool_min" };
        (self.pool_min.or(self.pool().min).unwrap_or(0), key)
    }

    /// How long connections stay open, if they cost something.
    pub(in super::super) fn lasting(&self) -> Option<Lasting> {
        let PoolTable { idle, life, min, .. } = self.pool();
        let costs = idle.is_some() || life.is_some() || min.is_some();
        costs.then(|| Lasting {
            idle: idle.map_or(SimDuration::from_secs(600), |time| time.0),
            life: life.map_or(SimDuration::from_secs(1800), |time| time.0),
            min: self.pool_min().0 as usize,
        })
    }

    /// Checks the keys of the pool.
    pub(super) fn check_pool(&self, problems: &mut Problems) {
        let table = self.pool();
        let key = self.db_pool_key();
        if self.db_pool() == 0 {
            problems.error(key, format!("`{key}` must be at least 1"), "");
        }
        for (short, given, long) in [
            ("pool_timeout", self.pool_timeout.is_some() && table.wait.is_some(), "db_pool.wait"),
            ("pool_min", self.pool_min.is_some() && table.min.is_some(), "db_pool.min"),
        ] {
            if given {
                problems.error(
                    short,
                    format!("`{short}` and `{long}` say the same"),
                    "leave one of them out",
                );
            }
        }
        let wait = if table.wait.is_some() { "db_pool.wait" } else { "pool_timeout" };
        if self.pool_timeout().is_zero() {
            problems.error(wait, "who waits no time at all gets no connection", "leave the key out");
        }
        if table.life.is_some_and(|life| life.0.is_zero()) {
            problems.error(
                "db_pool.life",
                "a connection lives for some time",
                "idle = \"0s\" opens one for each",
            );
        }
        let (least, key) = self.pool_min();
        if self.pool_min.is_none() && table.min.is_none() {
            return;
        }
        if !self.asks_databases() {
            let message = "no step asks a database, so that there is no pool";
            problems.error(key, message, "leave the key out");
        } else if least > self.db_pool() {
            let message = format!("a pool of {} connections cannot keep {least} open", self.db_pool());
            problems.error(key, message, format!("it is at most `{}`", self.db_pool_key()));
        }
    }
}

impl<'de> Deserialize<'de> for PoolSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PoolSpec, D::Error> {
        deserializer.deserialize_any(PoolVisitor)
    }
}

/// Reads a pool from a number or from a table: an untagged enum would lose the position of an error.
struct PoolVisitor;

impl<'de> Visitor<'de> for PoolVisitor {
    type Value = PoolSpec;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of connections, or { size = 10, idle = \"10min\" }")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<PoolSpec, E> {
        let size = u32::try_from(value).map_err(|_| E::invalid_value(Unexpected::Signed(value), &self))?;
        Ok(PoolSpec::Size(size))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PoolSpec, A::Error> {
        PoolTable::deserialize(MapAccessDeserializer::new(map)).map(PoolSpec::Table)
    }
}

impl JsonSchema for PoolSpec {
    fn schema_name() -> Cow<'static, str> {
        "Pool".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let (size, table) = (generator.subschema_for::<u32>(), generator.subschema_for::<PoolTable>());
        json_schema!({
            "description": "The number of connections to each database, or a table.",
            "anyOf": [size, table]
        })
    }
}
