//! `Connecting`: the time limit of a box for connections to others, as its table says it.

use crate::kernel::time::SimDuration;
use crate::model::component::Cx;
use crate::model::lever::{Ill, Lever, Setting};
use crate::model::quantity::Duration;
use crate::model::spec::Problems;

/// The key `connect_timeout` of a table. Without it the box has the limit of its kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Connecting(pub Option<Duration>);

/// How long Linux waits for a connection.
const LINUX: SimDuration = SimDuration::from_secs(131);

/// A limit that is longer than what a connection across the world takes.
const SHORT: SimDuration = SimDuration::from_secs(1);

impl Connecting {
    /// Checks the key; `answer` is the time limit for an answer, within which the connection is made.
    pub fn check(self, answer: SimDuration, problems: &mut Problems) {
        let Some(limit) = self.0 else { return };
        if limit.0.is_zero() {
            problems.error("connect_timeout", "a connection takes some time", "leave the key out for 131s");
        } else if limit.0 > answer {
            let message = format!("`timeout` ends the wait for a connection before {limit}");
            problems.warn("connect_timeout", message, "it counts within `timeout`");
        }
    }

    /// The key, where it is longer than what a connection takes that comes to be; it takes the place of Linux's 131 s.
    #[must_use]
    pub fn lever(self) -> Option<Lever> {
        let now = self.0.map_or(LINUX, |limit| limit.0);
        let cure =
            || Lever::cure("connect_timeout", Setting::Time(now), Setting::Time(SHORT), &[Ill::Silent]);
        (now > SHORT).then(cure)
    }

    /// The trial begins: tells the model.
    pub fn start(self, cx: &mut Cx<'_>) {
        if let Some(limit) = self.0 {
            cx.limit_connecting(limit.0);
        }
    }
}
