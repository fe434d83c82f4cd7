//! `Trace`: one request's life, event by event.

use crate::kernel::time::SimTime;

use super::signal::ComponentId;

/// Lines that a trace keeps; a request that retries for ever ends here.
pub const TRACE_LINES_MAX: usize = 10_000;

/// One thing that happened to the traced request.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceLine {
    /// When.
    pub at: SimTime,
    /// Where.
    pub component: String,
    /// What.
    pub text: String,
}

/// Follows one request of one client.
#[derive(Debug)]
pub struct Trace {
    client: Option<ComponentId>,
    number: u64,
    /// What has happened, in order.
    pub lines: Vec<TraceLine>,
}

impl Trace {
    /// Follows request `number` of `client`, or of every client.
    #[must_use]
    pub fn new(client: Option<ComponentId>, number: u64) -> Trace {
        Trace { client, number, lines: Vec::new() }
    }

    pub(super) fn follows(&self, client: ComponentId, number: u64) -> bool {
        number == self.number && self.client.is_none_or(|followed| followed == client)
    }

    pub(super) fn push(&mut self, at: SimTime, component: &str, text: String) {
        if self.lines.len() < TRACE_LINES_MAX {
            self.lines.push(TraceLine { at, component: component.to_owned(), text });
        }
    }
}
