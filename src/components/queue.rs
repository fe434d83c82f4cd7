//! `Queue`: accepts messages, answers at once, and has workers pull the messages when they are free.
//!
//! Who publishes waits only until the message is durable. A worker that pulls a message hides it from the others for the
//! visibility timeout. If the work is not done by then, the message is seen again and the work is done a second time.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

use std::collections::VecDeque;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::time::{SimDuration, SimTime};
use crate::model::ask::{Ask, Verbs};
use crate::model::call::{Origin, Parent};
use crate::model::component::{Component, Cx};
use crate::model::gauge::{Gauge, GaugeId};
use crate::model::quantity::Duration;
use crate::model::resource::{Full, Hold, Meter, Noun, Resource};
use crate::model::signal::{About, Alarm, CallId, Control, Outcome, Signal};
use crate::model::site::Site;
use crate::model::spec::{Arrow, Demand, Outline, Problems, RequestClass, Spec};
use crate::parts::hand::{Hand, Retries};
use crate::parts::members::Members;

/// What a queue counts and measures.
pub const GAUGES: &[Gauge] = &[
    Gauge::count("published", "Messages that were accepted."),
    Gauge::count("processed", "Messages whose work was done. They have left the queue."),
    Gauge::count("redelivered", "Pulls of a message that had been pulled before."),
    Gauge::count("dead", "Messages that were given up after `max_receives` pulls.").less_is_better(),
    Gauge::level("depth", "Messages that wait for a worker.").less_is_better(),
    Gauge::time("age", "Time from the acceptance of a message to its first pull.").less_is_better(),
    Gauge::time("completion", "Time from the acceptance of a message to the end of its work.")
        .less_is_better(),
];

const PUBLISHED: GaugeId = GaugeId::of("published", GAUGES);
const PROCESSED: GaugeId = GaugeId::of("processed", GAUGES);
const REDELIVERED: GaugeId = GaugeId::of("redelivered", GAUGES);
const DEAD: GaugeId = GaugeId::of("dead", GAUGES);
const DEPTH: GaugeId = GaugeId::of("depth", GAUGES);
const AGE: GaugeId = GaugeId::of("age", GAUGES);
const COMPLETION: GaugeId = GaugeId::of("completion", GAUGES);

/// Name of the workers, each of which has one message.
const WORKERS: &str = "workers";

/// Messages that a queue holds where the scenario does not say [T]; the program keeps 64 bytes for each.
const LIMIT_DEFAULT: u32 = 1_000_000;

/// Most workers of one queue. Each of them may hold a message whose work has failed.
const WORKERS_MAX: u32 = 120_000;

/// Time until a message is durable [T].
const ACK_DEFAULT: SimDuration = SimDuration::from_millis(5);

/// Visibility timeout of Amazon SQS [V].
const VISIBILITY_DEFAULT: SimDuration = SimDuration::from_secs(30);

/// A shorter one would have all workers pull the same message at once.
const VISIBILITY_MIN: SimDuration = SimDuration::from_millis(1);

/// Timers of a queue.
mod timer {
    /// A message is durable.
    pub(super) const DURABLE: u16 = 0;
    /// The visibility timeout of the oldest pull is over.
    pub(super) const LATE: u16 = 1;
    /// The visibility timeout of a pull whose work has failed is over.
    pub(super) const FAILED: u16 = 2;
}

/// `[queue.NAME]`: a queue of messages and the workers that pull them.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct QueueSpec {
    /// The box that does the work of a message; of a group, its machines in turn.
    pub target: String,
    /// Number of workers, each of which has one message at a time. Default: 1.
    pub workers: Option<u32>,
    /// Number of messages that the queue holds; beyond it a message is rejected. Default: 1000000 [T].
    pub limit: Option<u32>,
    /// Time until a message is durable, after which its publisher is answered. Default: "5ms" [T].
    pub ack: Option<Duration>,
    /// Time for which a message that a worker has pulled is hidden from the others. Default: "30s", as Amazon SQS [V].
    pub visibility: Option<Duration>,
    /// Number of pulls after which a message whose work is not done is given up. Default: without end.
    pub max_receives: Option<u32>,
}

impl QueueSpec {
    fn workers(&self) -> u32 {
        self.workers.unwrap_or(1)
    }

    fn visibility(&self) -> SimDuration {
        self.visibility.map_or(VISIBILITY_DEFAULT, |time| time.0)
    }
}

impl Spec for QueueSpec {
    fn arrows(&self) -> Vec<Arrow> {
        vec![Arrow { key: "target".into(), to: self.target.clone(), asks: Verbs::WORK, public: false }]
    }

    fn answers(&self) -> Verbs {
        Verbs::WORK.and(Verbs::PUBLISH)
    }

    fn detail(&self) -> Option<String> {
        Some(format!("{} workers pull", self.workers()))
    }

    /// Each message is one call of the target, once its worker pulls it. Its publisher has been answered by then.
    fn demand(&self, _class: &RequestClass) -> Demand {
        let wait_s = self.ack.map_or(ACK_DEFAULT, |ack| ack.0).as_secs_f64();
        Demand { wait_s, later: vec![(self.target.clone(), 1.0)], ..Demand::default() }
    }

    fn resources(&self, classes: &[RequestClass]) -> Vec<Resource> {
        let work = Hold { amount: 1.0, answers: vec![(self.target.clone(), 1.0)], ..Hold::default() };
        let (noun, has) = (Noun::Many("the workers"), f64::from(self.workers()));
        let workers = Resource::slots(WORKERS, noun, 0..1, has, vec![work; classes.len()]);
        let full = Full::queue(u64::from(self.limit.unwrap_or(LIMIT_DEFAULT)), "limit", "rejects");
        vec![workers.measured(Meter::Law).when_full(full).later(vec![1.0; classes.len()])]
    }

    fn check(&self, _outline: &Outline<'_>, problems: &mut Problems) {
        if !(1..=WORKERS_MAX).contains(&self.workers()) {
            let message = format!("a queue has 1 to {WORKERS_MAX} workers, not {}", self.workers());
            problems.error("workers", message, "without a worker no message leaves");
        }
        for (key, value) in [("limit", self.limit), ("max_receives", self.max_receives)] {
            if value == Some(0) {
                problems.error(key, format!("`{key}` must be at least 1"), "");
            }
        }
        if self.visibility() < VISIBILITY_MIN {
            let message = format!("a message is hidden for at least {}", Duration(VISIBILITY_MIN));
            problems.error("visibility", message, "longer than the work of a message takes");
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        Box::new(Queue {
            target: Members::new(&self.target, site),
            hand: Hand::new(Some(self.visibility()), timer::LATE, Retries::none()),
            limit: self.limit.unwrap_or(LIMIT_DEFAULT) as usize,
            ack: self.ack.map_or(ACK_DEFAULT, |ack| ack.0),
            visibility: self.visibility(),
            max_receives: self.max_receives.unwrap_or(u32::MAX),
            workers: self.workers(),
            ready: VecDeque::new(),
            pulled: Vec::new(),
            free: Vec::new(),
            held: 0,
            at_work: 0,
        })
    }
}

/// A message.
#[derive(Clone, Copy, Debug)]
struct Message {
    /// The request that it comes from, so that the target draws this request's work.
    origin: Origin,
    accepted: SimTime,
    /// When it was pulled last.
    pulled: SimTime,
    /// Number of times that it was pulled.
    receives: u32,
}

/// A queue in a simulation.
#[derive(Debug)]
struct Queue {
    target: Members,
    hand: Hand<CallId>,
    limit: usize,
    ack: SimDuration,
    visibility: SimDuration,
    max_receives: u32,
    workers: u32,
    /// Messages that wait, the next to be pulled first.
    ready: VecDeque<Message>,
    /// Pulls, by a number that is the parent of the call to the target: the message while it is hidden, and `None` once it
    /// has been seen again though its worker is still at work.
    pulled: Vec<Option<Message>>,
    /// Numbers of `pulled` that no pull has.
    free: Vec<u32>,
    /// Messages that the queue holds: those that become durable, wait, or are hidden.
    held: usize,
    /// Workers at work.
    at_work: u32,
}

impl Queue {
    /// A message comes. It counts against the limit from here on.
    fn arrive(&mut self, call: CallId, cx: &mut Cx<'_>) {
        if self.held >= self.limit {
            return cx.reply(call, Outcome::Rejected);
        }
        self.held += 1;
        cx.alarm(self.ack, timer::DURABLE, About::Call(call));
    }

    /// A message is durable: its publisher goes on.
    fn accept(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let (origin, now) = (cx.get(call).origin(), cx.now());
        self.ready.push_back(Message { origin, accepted: now, pulled: now, receives: 0 });
        cx.count(PUBLISHED);
        cx.reply(call, Outcome::Ok);
        self.pull(cx);
    }

    /// Free workers pull the messages that wait.
    fn pull(&mut self, cx: &mut Cx<'_>) {
        while self.at_work < self.workers
            && let Some(mut message) = self.ready.pop_front()
        {
            if message.receives == 0 {
                cx.time(AGE, cx.now().since(message.accepted));
            } else {
                cx.count(REDELIVERED);
            }
            message.receives += 1;
            message.pulled = cx.now();
            self.at_work += 1;
            let number = self.hide(message);
            // Another pull is another draw, as another try of a request is.
            let ordinal = u64::from(message.receives - 1);
            let child = cx.ask_for(message.origin, number, self.target.turn(), ordinal, Ask::WORK);
            self.hand.wait_for(child, cx);
        }
        cx.level(DEPTH, self.ready.len() as u64);
    }

    /// Keeps a message that has been pulled; returns the number of the pull.
    fn hide(&mut self, message: Message) -> u32 {
        if let Some(number) = self.free.pop() {
            self.pulled[number as usize] = Some(message);
            return number;
        }
        self.pulled.push(Some(message));
        self.pulled.len() as u32 - 1
    }

    /// The target has answered, so that its worker is free. Work that is done takes its message away. Other work leaves the
    /// message hidden until its visibility timeout is over. Where that is over already, another worker has the message.
    fn answered(&mut self, child: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let Parent::Number(number) = cx.get(child).parent else { return };
        self.at_work -= 1;
        match self.pulled[number as usize] {
            Some(message) if outcome != Outcome::Ok => {
                cx.alarm_at(message.pulled + self.visibility, timer::FAILED, About::Number(number));
            }
            Some(message) => {
                cx.count(PROCESSED);
                cx.time(COMPLETION, cx.now().since(message.accepted));
                self.held -= 1;
                self.end_pull(number);
            }
            None => self.end_pull(number),
        }
        self.pull(cx);
    }

    fn end_pull(&mut self, number: u32) {
        self.pulled[number as usize] = None;
        self.free.push(number);
    }

    /// The visibility timeout of a pull is over: its message waits again, behind the others, or is given up.
    fn see_again(&mut self, number: u32, cx: &mut Cx<'_>) {
        let Some(message) = self.pulled[number as usize].take() else { return };
        if message.receives >= self.max_receives {
            cx.count(DEAD);
            self.held -= 1;
        } else {
            self.ready.push_back(message);
        }
    }

    /// Workers have taken longer than the visibility timeout. They do not hear of it and work on, so that the work is done
    /// twice.
    fn lose_patience(&mut self, cx: &mut Cx<'_>) {
        while let Some(child) = self.hand.late(cx) {
            if let Parent::Number(number) = cx.get(child).parent {
                self.see_again(number, cx);
            }
        }
        self.pull(cx);
    }

    /// The process is gone. What was durable is kept, and what had been pulled is seen again, the oldest first.
    fn crash(&mut self, cx: &mut Cx<'_>) {
        self.hand.crash();
        let mut hidden: Vec<Message> = std::mem::take(&mut self.pulled).into_iter().flatten().collect();
        hidden.sort_by_key(|message| message.accepted);
        hidden.into_iter().rev().for_each(|message| self.ready.push_front(message));
        self.free.clear();
        (self.held, self.at_work) = (self.ready.len(), 0);
        cx.level(DEPTH, self.ready.len() as u64);
    }
}

impl Component for Queue {
    fn on(&mut self, signal: Signal, cx: &mut Cx<'_>) {
        match signal {
            Signal::Call(call) if cx.get(call).ask().is_check() => cx.reply(call, Outcome::Ok),
            Signal::Call(call) => self.arrive(call, cx),
            Signal::Reply(child, outcome) => self.answered(child, outcome, cx),
            Signal::Alarm(Alarm { code: timer::DURABLE, about: About::Call(call) }) => self.accept(call, cx),
            Signal::Alarm(Alarm { code: timer::LATE, .. }) => self.lose_patience(cx),
            Signal::Alarm(Alarm { code: timer::FAILED, about: About::Number(number) }) => {
                self.see_again(number, cx);
                self.free.push(number);
                self.pull(cx);
            }
            Signal::Control(Control::Crash | Control::PowerOff) => self.crash(cx),
            Signal::Control(Control::Recover) => self.pull(cx),
            Signal::Alarm(_) | Signal::Control(_) => {}
            Signal::Done(_) | Signal::Returned(..) | Signal::Passed(..) | Signal::Cancelled(_) => {}
        }
    }
}
