//! `Connecting`: the time limit of a box for connections to others, as its table says it.

use crate::kernel::time::SimDuration;
use crate::model::component::Cx;
use crate::model::quantity::Duration;
use crate::model::spec::Problems;

/// The key `connect_timeout` of a table. Without it the box has the limit of its kernel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Connecting(pub Option<Duration>);

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

    /// The trial begins: tells the model.
    pub fn start(self, cx: &mut Cx<'_>) {
        if let Some(limit) = self.0 {
            cx.limit_connecting(limit.0);
        }
    }
}
