//! `Trace`: one request's life, event by event.

use crate::kernel::time::{SimDuration, SimTime};

use super::machine::Device;
use super::signal::{CallId, ComponentId, Outcome};

/// Lines, and steps, that a trace keeps; a request that retries for ever ends here.
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

/// One step of the traced request, for programs: its lines say the same, and less, in words.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When.
    pub at: SimTime,
    /// Where.
    pub component: String,
    /// Of which call; `None` for the request itself.
    pub call: Option<CallId>,
    /// How long the call has waited inside components by now, for a worker, a connection or a core.
    pub waited: SimDuration,
    /// What.
    pub what: What,
}

/// What a step is.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The user asks.
    Begin,
    /// The user has an answer, or none.
    End(Outcome),
    /// The call is put on its way by a component that works on `parent`, or on the request itself.
    Send {
        /// The call that the new one serves.
        parent: Option<CallId>,
    },
    /// It is inside the component.
    Arrive,
    /// It is inside no longer: answered, or lost in a crash, or with `None` handed on to another component.
    Leave(Option<Outcome>),
    /// The caller has the answer.
    Receive(Outcome),
    /// The answer finds nobody who waits for it.
    Forgotten,
    /// Work enters a station.
    Work {
        /// Whose station.
        device: Device,
        /// How long it takes alone and at normal speed.
        demand: SimDuration,
    },
    /// The work is done.
    Done,
    /// What a component says of it.
    Note(String),
}

/// Follows one request of one client.
#[derive(Debug)]
pub struct Trace {
    client: Option<ComponentId>,
    number: u64,
    /// What has happened, in order.
    pub lines: Vec<TraceLine>,
    /// The same for programs.
    pub steps: Vec<Step>,
}

impl Trace {
    /// Follows request `number` of `client`, or of every client.
    #[must_use]
    pub fn new(client: Option<ComponentId>, number: u64) -> Trace {
        Trace { client, number, lines: Vec::new(), steps: Vec::new() }
    }

    pub(super) fn follows(&self, client: ComponentId, number: u64) -> bool {
        number == self.number && self.client.is_none_or(|followed| followed == client)
    }

    pub(super) fn push(&mut self, at: SimTime, component: &str, text: String) {
        if self.lines.len() < TRACE_LINES_MAX {
            self.lines.push(TraceLine { at, component: component.to_owned(), text });
        }
    }

    pub(super) fn push_step(&mut self, step: Step) {
        if self.steps.len() < TRACE_LINES_MAX {
            self.steps.push(step);
        }
    }
}
