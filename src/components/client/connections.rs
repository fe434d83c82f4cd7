//! Connections of users: each keeps the one to the box that it asked last, from request to request.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::SimDuration;
use crate::model::call::NOBODY;
use crate::model::component::Cx;
use crate::model::signal::{CallId, ComponentId, RequestId};
use crate::model::spec::Problems;
use crate::parts::connections::{Counts, Kept, Way};

use super::ClientSpec;
use super::gauges;

/// How a connection is secured, which costs round trips before the first request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Tls {
    /// Not at all: one round trip, for TCP.
    #[serde(rename = "none")]
    None,
    /// TLS 1.2: three round trips, of which one is for TCP.
    #[serde(rename = "1.2")]
    V12,
    /// TLS 1.3: two round trips, of which one is for TCP.
    #[default]
    #[serde(rename = "1.3")]
    V13,
}

impl Tls {
    /// Number of round trips before the first request.
    const fn trips(self) -> u8 {
        match self {
            Tls::None => 1,
            Tls::V13 => 2,
            Tls::V12 => 3,
        }
    }
}

impl ClientSpec {
    /// The connections of its users, if the scenario says anything about them; otherwise they cost nothing.
    pub(super) fn connections(&self) -> Option<Connections> {
        self.opens().then(|| Connections {
            trips: self.tls.unwrap_or_default().trips(),
            keep_alive: self.keep_alive(),
            users: Vec::new(),
        })
    }

    /// Whether its users open connections that cost something.
    pub(super) fn opens(&self) -> bool {
        self.tls.is_some() || self.keep_alive.is_some()
    }

    /// How long a user keeps a connection.
    pub(super) fn keep_alive(&self) -> SimDuration {
        self.keep_alive.map_or(SimDuration::from_secs(60), |time| time.0)
    }

    /// Checks the keys of connections.
    pub(super) fn check_connections(&self, problems: &mut Problems) {
        let comes_back = self.users.is_some() || self.sessions.is_some();
        if self.keep_alive.is_some_and(|time| !time.0.is_zero()) && !comes_back {
            let message = "each request is a new user, who opens a connection: nobody comes back to one";
            problems.warn("keep_alive", message, "it goes with users and sessions, or leave it out");
        }
    }
}

/// The connection of one user.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Who the user is; a place is that of one after the other where users leave.
    identity: u64,
    /// The other end.
    to: ComponentId,
    /// The connection, if it is open and idle.
    kept: Option<Kept>,
    /// Number of calls that went over it before the one that is under way.
    calls: u32,
}

/// The connections of all users of a client.
#[derive(Debug)]
pub(super) struct Connections {
    trips: u8,
    keep_alive: SimDuration,
    /// One for each user who comes back, by number.
    users: Vec<Option<Place>>,
}

impl Connections {
    /// A user's call has just been made: it goes over the connection that the user has, or over a new one.
    pub(super) fn send(&mut self, request: RequestId, call: CallId, to: ComponentId, cx: &mut Cx<'_>) {
        let state = cx.request(request);
        let (user, identity) = (state.user, state.identity);
        let mut way = Way::Opened;
        if user != NOBODY {
            let at = user as usize;
            if self.users.len() <= at {
                self.users.resize(at + 1, None);
            }
            let known = self.users[at].filter(|place| place.identity == identity && place.to == to);
            let kept = known.and_then(|place| place.kept);
            way = kept.map_or(Way::Opened, |kept| kept.way(to, self.keep_alive, cx));
            let calls = if way == Way::Opened { 0 } else { kept.map_or(0, |kept| kept.calls) };
            self.users[at] = Some(Place { identity, to, kept: None, calls });
        }
        way.send(call, self.trips, &COUNTS, cx);
    }

    /// An answer has come to a user over the user's connection.
    pub(super) fn answered(&mut self, user: u32, cx: &Cx<'_>) {
        if let Some(Some(place)) = self.users.get_mut(user as usize) {
            place.kept = Kept::after(place.calls + 1, place.to, cx);
        }
    }
}

/// Where a client counts its connections.
const COUNTS: Counts = Counts {
    connects: gauges::CONNECTS,
    per_request: gauges::CONNECTS_PER_REQUEST,
    resets: gauges::RESET_ON_IDLE,
};
