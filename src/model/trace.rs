//! `Trace`: all events of one request.

use crate::kernel::time::{SimDuration, SimTime};

use super::machine::Device;
use super::signal::{CallId, ComponentId, Outcome};

/// Largest number of lines, and of steps, in a trace; bounds a request that retries for ever.
pub const TRACE_LINES_MAX: usize = 10_000;

/// One event of the traced request, as text.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceLine {
    /// The time.
    pub at: SimTime,
    /// The component.
    pub component: String,
    /// The event.
    pub text: String,
}

/// One event of the traced request, for programs. The lines contain the same events in words, and fewer details.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The time.
    pub at: SimTime,
    /// The component.
    pub component: String,
    /// The call; `None` for the request itself.
    pub call: Option<CallId>,
    /// Total time that the call has waited inside components so far, for a worker, a connection or a core.
    pub waited: SimDuration,
    /// The event.
    pub what: What,
}

/// The event of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// The request begins.
    Begin,
    /// The request ends.
    End(Outcome),
    /// A component sends the call, while it works on `parent` or on the request itself.
    Send {
        /// The call that the component works on.
        parent: Option<CallId>,
    },
    /// The call arrives inside the component.
    Arrive,
    /// The call leaves the component: answered, or lost in a crash; with `None`, forwarded to another component.
    Leave(Option<Outcome>),
    /// The answer reaches the caller.
    Receive(Outcome),
    /// The answer arrives, but the caller no longer waits for it.
    Forgotten,
    /// Work enters a station.
    Work {
        /// The station.
        device: Device,
        /// Time that the work takes alone and at normal speed.
        demand: SimDuration,
    },
    /// The work ends.
    Done,
    /// A remark by a component.
    Note(String),
}

/// Traces one request of one client.
#[derive(Debug)]
pub struct Trace {
    client: Option<ComponentId>,
    number: u64,
    /// The events as text, in order.
    pub lines: Vec<TraceLine>,
    /// The events for programs, in order.
    pub steps: Vec<Step>,
}

impl Trace {
    /// Traces request `number` of `client`; `None` is any client.
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
