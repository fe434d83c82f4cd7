//! `Trace`: all events of one request.

use crate::kernel::time::{SimDuration, SimTime};

use super::machine::Device;
use super::signal::{CallId, ComponentId, Outcome};

/// A write of the traced request, by its position in the log of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Write {
    /// Index of the database's book.
    book: usize,
    /// Epoch of the primary whose log contains it.
    epoch: u16,
    position: u64,
}

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
    /// Its writes, except lost ones.
    writes: Vec<Write>,
    /// For each promotion: the book, the new epoch, and the last position that the new primary took over.
    forks: Vec<(usize, u16, u64)>,
}

impl Trace {
    /// Traces request `number` of `client`; `None` is any client.
    #[must_use]
    pub fn new(client: Option<ComponentId>, number: u64) -> Trace {
        Trace { client, number, lines: Vec::new(), steps: Vec::new(), writes: Vec::new(), forks: Vec::new() }
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

    /// Notes a write of the traced request. Returns false if there is already a newer primary that does not have it.
    pub(super) fn wrote(&mut self, book: usize, epoch: u16, position: u64) -> bool {
        let is_lost = self
            .forks
            .iter()
            .any(|&(other, newer, start)| other == book && newer > epoch && start < position);
        if !is_lost && self.writes.len() < TRACE_LINES_MAX {
            self.writes.push(Write { book, epoch, position });
        }
        !is_lost
    }

    /// Positions of its writes after `after` and up to `to`.
    pub(super) fn written(&self, book: usize, after: u64, to: u64) -> Vec<u64> {
        let positions = self.writes.iter().filter(|write| write.book == book).map(|write| write.position);
        positions.filter(|&position| after < position && position <= to).collect()
    }

    /// Notes a promotion. The log of the new primary begins after `start`; writes of the old one beyond that are lost.
    /// Returns the positions of the traced request's writes among them.
    pub(super) fn forked(&mut self, book: usize, epoch: u16, start: u64) -> Vec<u64> {
        self.forks.push((book, epoch, start));
        let (lost, kept): (Vec<Write>, Vec<Write>) =
            self.writes.iter().partition(|write| write.book == book && write.position > start);
        self.writes = kept;
        lost.into_iter().map(|write| write.position).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_followed_until_a_primary_without_it_takes_over() {
        let mut trace = Trace::new(None, 0);
        assert!(trace.wrote(0, 0, 5) && trace.wrote(0, 0, 8) && trace.wrote(1, 0, 8));
        assert_eq!(trace.written(0, 4, 7), [5]);
        assert_eq!(trace.written(0, 5, 8), [8]);
        assert_eq!(trace.forked(0, 1, 6), [8]);
        assert_eq!((trace.written(0, 0, 9), trace.written(1, 0, 9)), (vec![5], vec![8]));
        // What the old primary writes later is lost too. What the new one writes at the same position is not.
        assert!(!trace.wrote(0, 0, 9) && trace.wrote(0, 1, 9));
    }
}
