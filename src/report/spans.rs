//! Spans of a traced request: when a call was inside which component, what it did there, and the messages in between.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::machine::Device;
use crate::model::signal::{CallId, Outcome};
use crate::model::trace::{Step, What};

/// The process that holds all messages.
const NETWORK: &str = "network";

/// An interval of time on a lane.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) process: usize,
    pub(super) lane: usize,
    pub(super) name: String,
    pub(super) category: &'static str,
    pub(super) start: SimTime,
    pub(super) end: SimTime,
    pub(super) args: Map<String, Value>,
}

/// A point in time on a lane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) process: usize,
    pub(super) lane: usize,
    pub(super) at: SimTime,
}

/// Everything that a trace shows.
#[derive(Debug, Default)]
pub(super) struct Spans {
    /// Names of the processes, each with its number of lanes.
    pub(super) processes: Vec<(String, usize)>,
    pub(super) all: Vec<Span>,
    pub(super) notes: Vec<(Point, String)>,
    pub(super) arrows: Vec<Vec<Point>>,
}

/// The state of a call that has not ended.
#[derive(Default)]
struct Hop {
    /// The current stay of the call in a component, or its last one; an index of `Spans::all`.
    stay: Option<usize>,
    inside: bool,
    /// The stay that sent the call; `None` if the request itself did.
    parent: Option<usize>,
    /// A message that has not arrived: when it was sent, by which component, and in which stay.
    sent: Option<(SimTime, String, Option<usize>)>,
    /// Work in a station: when it was entered, how long the call had waited before, the device, and the demand.
    work: Option<(SimTime, SimDuration, Device, SimDuration)>,
    waited: SimDuration,
    /// End of the last part of the stay.
    shown_until: SimTime,
}

struct Builder {
    spans: Spans,
    /// For each process, which of its lanes a span is using.
    busy: Vec<Vec<bool>>,
    hops: BTreeMap<CallId, Hop>,
    /// The span of the request at each client.
    requests: BTreeMap<String, usize>,
    /// Paths of messages: the spans that each touches, with the time.
    paths: Vec<Vec<(usize, SimTime)>>,
    now: SimTime,
}

/// The spans of a trace; `steps` are in order of time. What has not ended at the last step ends there.
pub(super) fn spans(steps: &[Step]) -> Spans {
    let mut builder = Builder {
        spans: Spans::default(),
        busy: Vec::new(),
        hops: BTreeMap::new(),
        requests: BTreeMap::new(),
        paths: Vec::new(),
        now: SimTime::ZERO,
    };
    for step in steps {
        builder.now = step.at;
        match step.call {
            None => builder.request_step(step),
            Some(call) => builder.call_step(call, step),
        }
    }
    builder.finish()
}

impl Builder {
    fn process(&mut self, name: &str) -> usize {
        let known = self.spans.processes.iter().position(|(known, _)| known == name);
        known.unwrap_or_else(|| {
            self.spans.processes.push((name.to_owned(), 0));
            self.busy.push(Vec::new());
            self.busy.len() - 1
        })
    }

    /// Opens a span on a free lane and returns its index. Its end is `start` until [`Builder::close`] sets it.
    fn open(&mut self, process: &str, name: String, category: &'static str, start: SimTime) -> usize {
        let process = self.process(process);
        let lanes = &mut self.busy[process];
        let lane = lanes.iter().position(|busy| !busy).unwrap_or_else(|| {
            lanes.push(false);
            lanes.len() - 1
        });
        lanes[lane] = true;
        self.spans.processes[process].1 = lanes.len();
        let args = Map::new();
        self.spans.all.push(Span { process, lane, name, category, start, end: start, args });
        self.spans.all.len() - 1
    }

    fn close(&mut self, span: usize) {
        let span = &mut self.spans.all[span];
        span.end = self.now;
        self.busy[span.process][span.lane] = false;
    }

    fn request_step(&mut self, step: &Step) {
        match &step.what {
            What::Begin => {
                let span = self.open(&step.component, "request".into(), "request", step.at);
                self.requests.insert(step.component.clone(), span);
            }
            What::End(outcome) => {
                if let Some(&span) = self.requests.get(&step.component) {
                    self.note_outcome(span, *outcome);
                    self.close(span);
                }
            }
            What::Note(text) => {
                if let Some(&span) = self.requests.get(&step.component) {
                    self.note(span, text);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, span: usize, text: &str) {
        let Span { process, lane, .. } = self.spans.all[span];
        self.spans.notes.push((Point { process, lane, at: self.now }, text.to_owned()));
    }

    fn note_outcome(&mut self, span: usize, outcome: Outcome) {
        self.spans.all[span].args.insert("outcome".into(), outcome.name().into());
    }

    fn call_step(&mut self, id: CallId, step: &Step) {
        let mut hop = self.hops.remove(&id).unwrap_or_default();
        self.show_wait(&mut hop, step);
        match &step.what {
            What::Send { parent } => {
                hop.parent = match parent {
                    Some(parent) => self.hops.get(parent).and_then(|parent| parent.stay),
                    None => self.requests.get(&step.component).copied(),
                };
                hop.sent = Some((step.at, step.component.clone(), hop.parent));
            }
            What::Arrive => self.arrive(&mut hop, step),
            What::Leave(outcome) => self.leave(&mut hop, *outcome, step),
            What::Receive(_) => {
                let target = hop.parent;
                self.deliver(&mut hop, &step.component, target);
            }
            What::Forgotten => self.deliver(&mut hop, &step.component, None),
            What::Work { device, demand } => hop.work = Some((step.at, step.waited, *device, *demand)),
            What::Done => self.work(&mut hop, step),
            What::Note(text) => {
                if let Some(stay) = hop.stay {
                    self.note(stay, text);
                }
            }
            What::Begin | What::End(_) => {}
        }
        hop.waited = step.waited;
        self.hops.insert(id, hop);
    }

    fn arrive(&mut self, hop: &mut Hop, step: &Step) {
        let from = hop.sent.as_ref().map(|(_, from, _)| from.clone());
        let name = format!("call from {}", from.as_deref().unwrap_or("nobody"));
        let stay = self.open(&step.component, name, "hop", step.at);
        self.deliver(hop, &step.component, Some(stay));
        (hop.stay, hop.inside, hop.shown_until) = (Some(stay), true, step.at);
    }

    fn leave(&mut self, hop: &mut Hop, outcome: Option<Outcome>, step: &Step) {
        let Some(stay) = hop.stay.filter(|_| hop.inside) else { return };
        let said = outcome.map_or("handed on", Outcome::name);
        self.spans.all[stay].args.insert("outcome".into(), said.into());
        if let Some((start, ..)) = hop.work.take() {
            // A crash ended the work.
            let start = start.max(hop.shown_until);
            self.part(hop, "work lost", "work", (start, step.at), Map::new());
        }
        hop.inside = false;
        self.close(stay);
        hop.sent = Some((step.at, step.component.clone(), Some(stay)));
    }

    /// Shows a message that has arrived: its time on the network, and the arrow along it.
    fn deliver(&mut self, hop: &mut Hop, to: &str, target: Option<usize>) {
        let Some((sent, from, source)) = hop.sent.take() else { return };
        let mut path: Vec<(usize, SimTime)> = source.map(|source| (source, sent)).into_iter().collect();
        if self.now > sent {
            let message = self.message(format!("{from} to {to}"), sent);
            path.push((message, sent));
        }
        path.extend(target.map(|target| (target, self.now)));
        self.paths.push(path);
    }

    /// Adds a span to the network process, on the first lane that was free all the time, and returns its index. It is
    /// added when the message arrives, because its end is not known before.
    fn message(&mut self, name: String, sent: SimTime) -> usize {
        let process = self.process(NETWORK);
        let mut free = vec![true; self.busy[process].len()];
        for span in self.spans.all.iter().filter(|span| span.process == process) {
            free[span.lane] &= span.end <= sent || self.now <= span.start;
        }
        let lane = free.iter().position(|free| *free).unwrap_or(free.len());
        if lane == free.len() {
            self.busy[process].push(false);
            self.spans.processes[process].1 = lane + 1;
        }
        let (category, args) = ("network", Map::new());
        self.spans.all.push(Span { process, lane, name, category, start: sent, end: self.now, args });
        self.spans.all.len() - 1
    }

    /// Shows the wait that ended with this step, unless it was in a station.
    fn show_wait(&mut self, hop: &mut Hop, step: &Step) {
        let waited = step.waited.as_nanos().saturating_sub(hop.waited.as_nanos());
        if waited > 0 && hop.work.is_none() && hop.inside {
            let start = SimTime::from_nanos(step.at.as_nanos() - waited).max(hop.shown_until);
            self.part(hop, "wait in queue", "wait", (start, step.at), Map::new());
        }
    }

    /// Shows work that is done: the wait for the station, then the work.
    fn work(&mut self, hop: &mut Hop, step: &Step) {
        let Some((start, before, device, demand)) = hop.work.take() else { return };
        let waited = step.waited.as_nanos().saturating_sub(before.as_nanos());
        let served = (start + SimDuration::from_nanos(waited)).min(step.at);
        let (wait, name, category) = match device {
            Device::Cpu => ("wait for a core", "cpu", "cpu"),
            Device::Disk => ("wait for the disk", "disk", "disk"),
        };
        self.part(hop, wait, "wait", (start.max(hop.shown_until), served), Map::new());
        let args = Map::from_iter([("demand_ms".to_owned(), json!(demand.as_millis_f64()))]);
        self.part(hop, name, category, (served.max(hop.shown_until), step.at), args);
    }

    /// Adds a part of a stay, on its lane. The parts of a stay follow each other.
    fn part(
        &mut self,
        hop: &mut Hop,
        name: &str,
        category: &'static str,
        (start, end): (SimTime, SimTime),
        args: Map<String, Value>,
    ) {
        let Some(stay) = hop.stay else { return };
        if end <= start {
            return;
        }
        let Span { process, lane, .. } = self.spans.all[stay];
        self.spans.all.push(Span { process, lane, name: name.into(), category, start, end, args });
        hop.shown_until = end;
    }

    fn finish(mut self) -> Spans {
        let inside: Vec<usize> =
            self.hops.values().filter(|hop| hop.inside).filter_map(|hop| hop.stay).collect();
        for span in self.requests.clone().into_values().chain(inside) {
            if !self.spans.all[span].args.contains_key("outcome") {
                self.spans.all[span].args.insert("outcome".into(), "not ended".into());
                self.close(span);
            }
        }
        self.spans.arrows =
            self.paths.iter().map(|path| self.arrow(path)).filter(|it| it.len() > 1).collect();
        self.spans
    }

    /// The points of an arrow. A point is left out unless its span lasts longer, because an arrow needs a span to hold
    /// on to.
    fn arrow(&self, path: &[(usize, SimTime)]) -> Vec<Point> {
        let point = |&(span, at): &(usize, SimTime)| {
            let Span { process, lane, start, end, .. } = self.spans.all[span];
            (start <= at && at < end).then_some(Point { process, lane, at })
        };
        path.iter().filter_map(point).collect()
    }
}
