//! `Script`: what a node that was ahead of the new primary does with the writes that only it has.

use std::collections::VecDeque;

use crate::kernel::random::{Stream, unit_open};
use crate::kernel::time::SimDuration;
use crate::model::ask::Ask;
use crate::model::call::Parent;
use crate::model::component::Cx;
use crate::model::signal::{About, CallId, ComponentId, Outcome};

use super::book::BookId;
use super::message::kind;
use super::spec::{Failover, Recovery};
use super::timer;

/// Number of the calls of a script; larger than all numbers of replicas.
const SCRIPT: u32 = u32::MAX;

/// Writes lost writes again, or drops them.
#[derive(Debug)]
pub(super) struct Script {
    recovery: Recovery,
    /// Time between two writes of the script.
    every: SimDuration,
    rebuild: SimDuration,
    /// Keys of the writes that are left.
    keys: VecDeque<u32>,
    /// The primary that gets them.
    primary: Option<ComponentId>,
    running: bool,
    /// Draws when the first write of a run is made.
    stream: Option<Stream>,
    /// Whether the node is being copied anew.
    pub(super) is_rebuilding: bool,
}

impl Script {
    pub(super) fn new(failover: Option<&Failover>) -> Script {
        let rate = failover.and_then(|failover| failover.replay_rate).map_or(100.0, |rate| rate.0);
        let rebuild = failover.and_then(|failover| failover.rebuild);
        Script {
            recovery: failover.and_then(|failover| failover.recovery).unwrap_or_default(),
            every: SimDuration::from_sample_secs(1.0 / rate),
            rebuild: rebuild.map_or(SimDuration::from_secs(30 * 60), |time| time.0),
            keys: VecDeque::new(),
            primary: None,
            running: false,
            stream: None,
            is_rebuilding: false,
        }
    }

    /// Starts the recovery: the node has dropped what only it had, and follows `primary`.
    pub(super) fn begin(&mut self, book: BookId, primary: ComponentId, cx: &mut Cx<'_>) {
        self.primary = Some(primary);
        if self.recovery != Recovery::Script {
            book.of(cx).discard();
            if self.recovery == Recovery::Rebuild {
                self.is_rebuilding = true;
                cx.note(cx.me(), "is copied anew");
                cx.alarm(self.rebuild, timer::REBUILT, About::Nothing);
            }
            return;
        }
        self.keys.extend(book.of(cx).take_lost().iter().map(|write| write.key));
        self.resume(cx);
    }

    /// Goes on, at a random time within the time between two writes.
    pub(super) fn resume(&mut self, cx: &mut Cx<'_>) {
        let phase = unit_open(self.stream.get_or_insert_with(|| cx.stream("replay")));
        self.schedule(self.every.mul_f64(phase), cx);
    }

    fn schedule(&mut self, after: SimDuration, cx: &mut Cx<'_>) {
        if !self.running && !self.keys.is_empty() {
            self.running = true;
            cx.alarm(after, timer::REPLAY, About::Nothing);
        }
    }

    /// Makes the next write.
    pub(super) fn replay(&mut self, cx: &mut Cx<'_>) {
        self.running = false;
        let Some(primary) = self.primary else { return };
        if let Some(key) = self.keys.pop_front() {
            let ask = Ask { key, ..Ask::own(kind::REPLAY, 0, 0) };
            cx.ask(Parent::Number(SCRIPT), primary, u64::from(key) + 1, ask);
        }
        self.schedule(self.every, cx);
    }

    /// Handles an answer of the primary.
    pub(super) fn answered(&mut self, book: BookId, call: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let key = cx.get(call).ask().key;
        match outcome {
            Outcome::Ok => book.of(cx).recovered(1, 0),
            Outcome::Rejected => book.of(cx).recovered(0, 1),
            _ => self.keys.push_back(key),
        }
        self.schedule(self.every, cx);
    }

    /// Handles a crash of the node. The list of the script is a file, which remains.
    pub(super) fn crash(&mut self) {
        self.running = false;
        self.is_rebuilding = false;
    }
}
