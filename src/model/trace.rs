//! `Trace`: all events of one request, or of a sample of requests.

use std::collections::BTreeSet;

use crate::kernel::random::mix;
use crate::kernel::time::{SimDuration, SimTime};

use super::machine::Device;
use super::signal::{CallId, ComponentId, Outcome};

/// Largest number of lines, and of steps for each request, in a trace; bounds a request that retries for ever.
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

/// Which requests to trace: those that begin in a stretch of time and whose number hashes into one of `every` classes, up
/// to `most`. The choice draws nothing, so that a trial with it has the events of one without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// They begin at this time or later.
    pub from: SimTime,
    /// They begin before this time.
    pub until: SimTime,
    /// One of this number of requests on average; 0 and 1 mean each of them.
    pub every: u64,
    /// The greatest number of requests.
    pub most: usize,
}

/// Largest number of requests whose ends a trace keeps, 48 MB of them; later ones are dropped.
pub const ENDS_MAX: usize = 1_000_000;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Who sent it.
    pub client: ComponentId,
    /// Its number, counted from 0 by its client.
    pub number: u64,
    /// Index of its class.
    pub class: u16,
    /// When it was issued.
    pub issued: SimTime,
    /// The time from then to its end.
    pub lasted: SimDuration,
    /// How it ended.
    pub outcome: Outcome,
}

/// The requests that a trace follows.
#[derive(Debug)]
enum Whom {
    /// None: only how requests end is kept.
    Nobody(SimTime),
    /// One request; of any client without a client.
    One(Option<ComponentId>, u64),
    /// A sample, with those of it that have begun.
    Some(Sample, BTreeSet<(ComponentId, u64)>),
}

/// Traces one request, or a sample of requests.
#[derive(Debug)]
pub struct Trace {
    whom: Whom,
    /// The events as text, in order; empty for a sample.
    pub lines: Vec<TraceLine>,
    /// The events for programs, in order.
    pub steps: Vec<Step>,
    /// How the first [`ENDS_MAX`] requests ended, in the order of the ends; empty unless the trace was asked for that.
    pub ends: Vec<Ended>,
}

impl Trace {
    /// Keeps how requests end that were issued from a time on, and follows none.
    #[must_use]
    pub fn ends(from: SimTime) -> Trace {
        Trace::of(Whom::Nobody(from))
    }

    fn of(whom: Whom) -> Trace {
        Trace { whom, lines: Vec::new(), steps: Vec::new(), ends: Vec::new() }
    }

    /// A request has ended.
    pub(super) fn end(&mut self, ended: Ended) {
        let Whom::Nobody(from) = self.whom else { return };
        if ended.issued >= from && self.ends.len() < ENDS_MAX {
            self.ends.push(ended);
        }
    }

    /// Traces request `number` of `client`; `None` is any client.
    #[must_use]
    pub fn new(client: Option<ComponentId>, number: u64) -> Trace {
        Trace::of(Whom::One(client, number))
    }

    /// Traces a sample, without text.
    #[must_use]
    pub fn sample(sample: Sample) -> Trace {
        Trace::of(Whom::Some(sample, BTreeSet::new()))
    }

    /// A request begins: takes it into the sample if it belongs there.
    pub(super) fn begin(&mut self, client: ComponentId, number: u64, now: SimTime) {
        if let Whom::Some(sample, taken) = &mut self.whom
            && (sample.from..sample.until).contains(&now)
            && taken.len() < sample.most
            && mix(client.index() as u64, number).is_multiple_of(sample.every.max(1))
        {
            taken.insert((client, number));
        }
    }

    pub(super) fn follows(&self, client: ComponentId, number: u64) -> bool {
        match &self.whom {
            Whom::Nobody(_) => false,
            Whom::One(whose, which) => *which == number && whose.is_none_or(|followed| followed == client),
            Whom::Some(_, taken) => taken.contains(&(client, number)),
        }
    }

    /// Whether the events of this request are wanted as text.
    pub(super) fn tells(&self, client: ComponentId, number: u64) -> bool {
        matches!(self.whom, Whom::One(..)) && self.follows(client, number)
    }

    pub(super) fn push(&mut self, at: SimTime, component: &str, text: String) {
        if self.lines.len() < TRACE_LINES_MAX && matches!(self.whom, Whom::One(..)) {
            self.lines.push(TraceLine { at, component: component.to_owned(), text });
        }
    }

    pub(super) fn push_step(&mut self, step: Step) {
        let requests = if let Whom::Some(_, taken) = &self.whom { taken.len() } else { 1 };
        if self.steps.len() < TRACE_LINES_MAX.saturating_mul(requests) {
            self.steps.push(step);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_the_measured_time_are_kept_up_to_a_limit() {
        let mut trace = Trace::ends(SimTime::from_nanos(10));
        let end = |number: u64| Ended {
            client: ComponentId::new(0),
            number,
            class: 0,
            issued: SimTime::from_nanos(number),
            lasted: SimDuration::ZERO,
            outcome: Outcome::Ok,
        };
        (0..ENDS_MAX as u64 + 20).for_each(|number| trace.end(end(number)));
        assert_eq!((trace.ends.len(), trace.ends[0].number), (ENDS_MAX, 10));
    }
}
