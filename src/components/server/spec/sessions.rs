//! What a scenario says about who is logged in.

#![allow(rustdoc::broken_intra_doc_links, reason = "[T] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::quantity::{Bytes, Duration};
use crate::model::spec::{Outline, Problems};

use super::super::step::Step;

/// `sessions = { memory = "8KiB", ttl = "30min" }`: who is logged in.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionsSpec {
    /// Memory that each takes on its machine. Default: "8KiB" [T]. Not with a `store`.
    pub memory: Option<Bytes>,
    /// Time after its last use when a session is over. Default: "30min" [T]. Not with a `store`, whose own `ttl` counts.
    pub ttl: Option<Duration>,
    /// The cache that keeps them; it forgets them when it is full, when their time is over, and when it crashes. Default: the machine
    /// that made each, which loses it when its process ends.
    pub store: Option<String>,
    /// Whether each user's browser keeps the session and sends it with every request, so that any machine knows it and none can lose it.
    /// Default: false. Not with a `store`, nor with `memory`.
    pub cookie: Option<bool>,
    /// The query or call that makes one, as a step. Default: none; a session costs nothing to make.
    pub login: Option<Box<Step>>,
}

impl SessionsSpec {
    /// Memory of one, bytes.
    pub(in super::super) fn memory(&self) -> u64 {
        self.memory.map_or(8 << 10, |bytes| bytes.0)
    }

    /// Time after its last use when one is over.
    pub(in super::super) fn ttl(&self) -> SimDuration {
        self.ttl.map_or(SimDuration::from_secs(1800), |ttl| ttl.0)
    }

    /// Whether the users themselves keep them.
    pub(in super::super) fn is_cookie(&self) -> bool {
        self.cookie.unwrap_or(false)
    }

    /// Whether only the machine that made a session knows it.
    pub(in super::super) fn is_on_machine(&self) -> bool {
        self.store.is_none() && !self.is_cookie()
    }

    /// Reports values that mean nothing.
    pub(in super::super) fn check(&self, outline: &Outline<'_>, problems: &mut Problems) {
        if self.ttl().is_zero() {
            let help = "such as \"30min\"";
            problems.error("sessions.ttl", "a session that is over at once logs nobody in", help);
        }
        let on_machine = [("memory", self.memory.is_some()), ("ttl", self.ttl.is_some())];
        if self.store.is_some() {
            for (key, _) in on_machine.iter().filter(|(_, given)| *given) {
                let message = format!("with a `store` the machine keeps no session: `{key}` does nothing");
                problems.error(
                    format!("sessions.{key}"),
                    message,
                    "write it at the store, if it has the key",
                );
            }
        }
        if self.is_cookie() && self.store.is_some() {
            let message = "the users themselves keep the sessions: the store is asked nothing";
            problems.error("sessions.cookie", message, "drop `cookie`, or `store`");
        } else if self.is_cookie() && self.memory.is_some() {
            let message = "the users themselves keep the sessions, which take no memory here";
            problems.error("sessions.memory", message, "drop the key, or `cookie`");
        }
        if let Some(login) = &self.login {
            login.check("sessions.login", outline, problems);
            login.check_once("sessions.login", "a login is a `query` or a `call`", problems);
        }
    }
}
