//! `Trace`: one request's life, event by event.

use crate::kernel::time::{SimDuration, SimTime};

use super::machine::Device;
use super::signal::{CallId, ComponentId, Outcome};

/// A write of the followed request, by its place in the log of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Write {
    /// Which database's book knows it.
    book: usize,
    /// Which primary's log it is in.
    epoch: u16,
    position: u64,
}

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
    /// What it has written, so far as it is not lost.
    writes: Vec<Write>,
    /// Of each promotion: the book, the new epoch, and the last position that it took over.
    forks: Vec<(usize, u16, u64)>,
}

impl Trace {
    /// Follows request `number` of `client`, or of every client.
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

    /// The followed request has written something; false when there is already a newer primary that does not have it.
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

    /// Positions of its writes beyond `after` and up to `to`.
    pub(super) fn written(&self, book: usize, after: u64, to: u64) -> Vec<u64> {
        let positions = self.writes.iter().filter(|write| write.book == book).map(|write| write.position);
        positions.filter(|&position| after < position && position <= to).collect()
    }

    /// A new primary's log begins after `start`: what the old one wrote beyond it is lost. Positions of those writes.
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
        // The old primary goes on writing: that is lost too. What the new one writes there is not.
        assert!(!trace.wrote(0, 0, 9) && trace.wrote(0, 1, 9));
    }
}
