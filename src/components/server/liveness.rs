//! `Liveness`: the machine's agent asks the process whether it lives, and restarts it after some answers that do not come.
//!
//! The agent is not a part of the process: its times go on while the process hangs. So they are orders that the server has planned
//! for itself, which reach it in any state, and not its timers.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::random::{Stream, below};
use crate::kernel::time::SimDuration;
use crate::model::call::Parent;
use crate::model::component::Cx;
use crate::model::problems::Problems;
use crate::model::quantity::Duration;
use crate::model::signal::{CallId, Control, Order, Outcome};
use crate::parts::checks::CheckKind;

use super::{Server, gauges};

/// The next check is due.
const CHECK: u16 = 0;

/// The time limit of a check is reached.
const LATE: u16 = 1;

/// `liveness = { interval = "10s" }`: checks that restart the process, as those of Kubernetes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LivenessSpec {
    /// Time from the end of one check, which is its answer or its timeout, to the start of the next. Default: "10s", as Kubernetes [S].
    pub interval: Option<Duration>,
    /// Longest time that an answer may take. Default: "1s", as Kubernetes [S].
    pub timeout: Option<Duration>,
    /// Number of failures in a row after which the process is killed and started again. Default: 3, as Kubernetes [S].
    pub fall: Option<u16>,
    /// The kind of check. Default: "page", for which the process needs a worker [T].
    pub kind: Option<CheckKind>,
    /// Time from the start of the process, within which it is not checked. Default: "0s", as Kubernetes [S].
    pub initial: Option<Duration>,
}

impl LivenessSpec {
    fn interval(&self) -> SimDuration {
        self.interval.map_or(SimDuration::from_secs(10), |interval| interval.0)
    }

    fn timeout(&self) -> SimDuration {
        self.timeout.map_or(SimDuration::from_secs(1), |timeout| timeout.0)
    }

    fn fall(&self) -> u16 {
        self.fall.unwrap_or(3)
    }

    /// Reports values that mean nothing.
    pub(super) fn check(&self, problems: &mut Problems) {
        let times = [("interval", self.interval), ("timeout", self.timeout)];
        for (key, time) in times {
            if time.is_some_and(|time| time.0.is_zero()) {
                let message = format!("`{key}` of no time at all");
                problems.error(format!("liveness.{key}"), message, "Kubernetes: 10s and 1s");
            }
        }
        if self.fall == Some(0) {
            let message = "no failure at all would kill the process";
            problems.error("liveness.fall", message, "at least 1; Kubernetes: 3");
        }
    }
}

/// What becomes of the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It runs on.
    Lives,
    /// It is to be killed.
    Dies,
}

/// The checks of one process.
#[derive(Debug)]
pub(super) struct Liveness {
    spec: LivenessSpec,
    /// When the first check comes.
    stream: Option<Stream>,
    /// Number of the check that is due or under way; orders for others are out of date.
    number: u32,
    /// The check under way.
    probe: CallId,
    failures: u16,
}

impl Liveness {
    pub(super) fn new(spec: LivenessSpec) -> Liveness {
        Liveness { spec, stream: None, number: 0, probe: CallId::NONE, failures: 0 }
    }

    /// The process starts: its first check comes at a random moment within an interval.
    pub(super) fn start(&mut self, cx: &mut Cx<'_>) {
        let interval = self.spec.interval();
        let stream = self.stream.get_or_insert_with(|| cx.stream("liveness"));
        let phase = SimDuration::from_nanos(below(stream, interval.as_nanos()));
        self.failures = 0;
        self.plan(self.spec.initial.map_or(SimDuration::ZERO, |initial| initial.0) + phase, cx);
    }

    /// The process is gone, and is not checked until it starts.
    pub(super) fn stop(&mut self) {
        self.number += 1;
    }

    fn plan(&mut self, after: SimDuration, cx: &mut Cx<'_>) {
        self.number += 1;
        self.tell(CHECK, after, cx);
    }

    fn tell(&self, code: u16, after: SimDuration, cx: &mut Cx<'_>) {
        let me = cx.me();
        cx.control(me, after, Control::Order(Order { code, subject: self.number }));
    }

    /// An order of the agent to itself.
    pub(super) fn order(&mut self, order: Order, cx: &mut Cx<'_>) -> Fate {
        match order.code {
            _ if order.subject != self.number => Fate::Lives,
            CHECK => {
                let ask = self.spec.kind.unwrap_or(CheckKind::Page).ask();
                self.probe = cx.ask(Parent::Number(self.number), cx.me(), 0, ask);
                self.tell(LATE, self.spec.timeout(), cx);
                Fate::Lives
            }
            LATE => {
                // The kernel of a process that hangs has answered, and only the process has not heard of it.
                let is_answered = cx.find(self.probe).is_none();
                if !is_answered {
                    cx.abandon(self.probe);
                }
                self.ended(is_answered, cx)
            }
            _ => Fate::Lives,
        }
    }

    /// A check has been answered.
    pub(super) fn answered(&mut self, number: u32, is_good: bool, cx: &mut Cx<'_>) -> Fate {
        if number == self.number { self.ended(is_good, cx) } else { Fate::Lives }
    }

    fn ended(&mut self, is_good: bool, cx: &mut Cx<'_>) -> Fate {
        self.failures = if is_good { 0 } else { self.failures + 1 };
        if self.failures >= self.spec.fall() {
            self.stop();
            return Fate::Dies;
        }
        self.plan(self.spec.interval(), cx);
        Fate::Lives
    }
}

impl Server {
    /// A check of its life has been answered.
    #[cold]
    pub(super) fn live(&mut self, check: Parent, outcome: Outcome, cx: &mut Cx<'_>) {
        let (Some(liveness), Parent::Number(number)) = (&mut self.liveness, check) else { return };
        let fate = liveness.answered(number, outcome == Outcome::Ok, cx);
        self.meet(fate, cx);
    }

    /// Carries out what the agent of the machine has decided about the process.
    pub(super) fn meet(&mut self, fate: Fate, cx: &mut Cx<'_>) {
        if fate == Fate::Dies {
            let me = cx.me();
            cx.count(gauges::KILLED);
            cx.note(me, "killed");
            cx.control(me, SimDuration::ZERO, Control::Kill);
            cx.control(me, self.restart, Control::Recover);
        }
    }
}
