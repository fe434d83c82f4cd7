//! `Queue`: accepts messages, answers at once, and has workers pull the messages when they are free.
//!
//! Who publishes waits only until the message is durable. A worker that pulls a message hides it from the others for the
//! visibility timeout. If the work is not done by then, the message is seen again and the work is done a second time. A message that
//! waits for longer than its retention is gone; one that was pulled too often is given up, or goes to another queue.

#![allow(rustdoc::broken_intra_doc_links, reason = "[V] and its like are marks of sources, not links")]

mod dead;
mod looks;
mod pullers;
mod ready;

use pullers::{Held, Pullers};
use ready::{Message, Ready};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::kernel::random::Stream;
use crate::kernel::time::SimDuration;
use crate::model::ask::{Ask, Verbs};
use crate::model::call::Parent;
use crate::model::class::priorities;
use crate::model::component::{Component, Cx};
use crate::model::fleet::Backlog;
use crate::model::gauge::{Gauge, GaugeId};
use crate::model::quantity::Duration;
use crate::model::resource::{Full, Hold, Meter, Noun, Resource};
use crate::model::signal::{self, About, Alarm, CallId, ComponentId, Control, Outcome, Signal};
use crate::model::site::Site;
use crate::model::spec::{Arrow, Demand, Outline, Problems, RequestClass, Spec};
use crate::parts::hand::{Hand, Retries};
use crate::parts::members::Members;

/// What a queue counts and measures.
pub const GAUGES: &[Gauge] = &[
    Gauge::count("published", "Messages that were accepted."),
    Gauge::count("processed", "Messages whose work was done. They have left the queue."),
    Gauge::count("redelivered", "Pulls of a message that had been pulled before."),
    Gauge::count("duplicates", "Messages whose work was done although they had been seen again meanwhile.")
        .less_is_better(),
    Gauge::count("expired", "Messages that waited for longer than their `retention`.").less_is_better(),
    Gauge::count(
        "dead",
        "Messages that were given up after `max_receives` pulls; with a queue for them, once that has them.",
    )
    .less_is_better(),
    Gauge::count("empty_looks", "Looks of workers for a message that found none.").less_is_better(),
    Gauge::level("depth", "Messages that wait for a worker.").less_is_better(),
    Gauge::time("age", "Time from the acceptance of a message to its first pull.").less_is_better(),
    Gauge::time("completion", "Time from the acceptance of a message to the end of its work.")
        .less_is_better(),
];

const PUBLISHED: GaugeId = GaugeId::of("published", GAUGES);
const PROCESSED: GaugeId = GaugeId::of("processed", GAUGES);
const REDELIVERED: GaugeId = GaugeId::of("redelivered", GAUGES);
const DUPLICATES: GaugeId = GaugeId::of("duplicates", GAUGES);
const EXPIRED: GaugeId = GaugeId::of("expired", GAUGES);
const DEAD: GaugeId = GaugeId::of("dead", GAUGES);
const EMPTY_LOOKS: GaugeId = GaugeId::of("empty_looks", GAUGES);
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

/// Time for which Amazon SQS keeps a message [V].
const RETENTION_DEFAULT: SimDuration = SimDuration::from_secs(4 * 86_400);

/// Largest number of messages of one queue that are hidden at a time, as of Amazon SQS [V].
const IN_FLIGHT_DEFAULT: u32 = 120_000;

/// A shorter one would have all workers pull the same message at once.
const VISIBILITY_MIN: SimDuration = SimDuration::from_millis(1);

/// A shorter pause between the looks of a worker would make more events than work does.
const POLL_MIN: SimDuration = SimDuration::from_millis(1);

/// How often workers that were gone look for messages once they are back [T].
const POLL: SimDuration = SimDuration::from_secs(1);

/// Timers of a queue.
mod timer {
    /// A message is durable.
    pub(super) const DURABLE: u16 = 0;
    /// The visibility timeout of the oldest pull is over.
    pub(super) const LATE: u16 = 1;
    /// The visibility timeout of a pull whose work has failed is over.
    pub(super) const FAILED: u16 = 2;
    /// Workers whose machine did not work look for messages.
    pub(super) const POLL: u16 = 3;
    /// A worker that has found nothing looks again.
    pub(super) const LOOK: u16 = 4;
}

/// Which message is pulled first, of those of the same priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The one that has waited longest.
    #[default]
    Fifo,
    /// The one that came last.
    Lifo,
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
    /// The queue that gets the messages which are given up. Default: none; they are gone. Only with `max_receives`.
    pub dead: Option<String>,
    /// Time for which a message is kept that nobody has pulled. Default: "4d", as Amazon SQS [V].
    pub retention: Option<Duration>,
    /// Number of messages that may be hidden at a time: while as many are, nothing is pulled. Default: 120000, as Amazon SQS [V].
    pub in_flight: Option<u32>,
    /// Time after which a worker that has found no message looks again (short polling). Default: none; a message wakes a worker that
    /// waits for it (long polling).
    pub poll: Option<Duration>,
    /// Which message is pulled first, of those of the same `priority`. Default: "fifo".
    #[serde(default)]
    pub order: Order,
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
        let target =
            Arrow { key: "target".into(), to: self.target.clone(), asks: Verbs::WORK, public: false };
        let dead = self.dead.iter().map(|dead| Arrow {
            key: "dead".into(),
            to: dead.clone(),
            asks: Verbs::PUBLISH,
            public: false,
        });
        std::iter::once(target).chain(dead).collect()
    }

    fn answers(&self) -> Verbs {
        Verbs::WORK.and(Verbs::PUBLISH)
    }

    fn detail(&self) -> Option<String> {
        Some(format!("{} workers pull", self.workers()))
    }

    fn follows_members(&self) -> bool {
        true
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
        let counts =
            [("limit", self.limit), ("max_receives", self.max_receives), ("in_flight", self.in_flight)];
        for (key, value) in counts {
            if value == Some(0) {
                problems.error(key, format!("`{key}` must be at least 1"), "");
            }
        }
        if self.dead.is_some() && self.max_receives.is_none() {
            let help = "say when, such as max_receives = 5";
            problems.error("dead", "no message is ever given up", help);
        }
        if self.retention.is_some_and(|time| time.0.is_zero()) {
            let help = "leave the key out";
            problems.error("retention", "a message that is kept for no time is never pulled", help);
        }
        if let Some(poll) = self.poll.filter(|poll| poll.0 < POLL_MIN) {
            let message = format!("a worker looks again after at least {}, not {poll}", Duration(POLL_MIN));
            problems.error("poll", message, "leave the key out for workers that wait for a message");
        }
        if self.visibility() < VISIBILITY_MIN {
            let message = format!("a message is hidden for at least {}", Duration(VISIBILITY_MIN));
            problems.error("visibility", message, "longer than the work of a message takes");
        }
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Component> {
        Box::new(Queue {
            pullers: Pullers::new(&self.target, self.workers(), site),
            polls: false,
            pause: self.poll.map(|poll| poll.0),
            phases: None,
            hand: Hand::new(Some(self.visibility()), timer::LATE, Retries::none()),
            limit: self.limit.unwrap_or(LIMIT_DEFAULT) as usize,
            ack: self.ack.map_or(ACK_DEFAULT, |ack| ack.0),
            visibility: self.visibility(),
            max_receives: self.max_receives.unwrap_or(u32::MAX),
            dead: self.dead.as_ref().map(|dead| Members::new(dead, site)),
            retention: self.retention.map_or(RETENTION_DEFAULT, |time| time.0),
            in_flight: self.in_flight.unwrap_or(IN_FLIGHT_DEFAULT) as usize,
            order: self.order,
            ranks: priorities(site.classes),
            ready: Ready::new(&priorities(site.classes)),
            pulled: Vec::new(),
            free: Vec::new(),
            held: 0,
        })
    }
}

/// A message that a worker has pulled, or that is on its way to the queue of the dead.
#[derive(Clone, Copy, Debug)]
struct Pull {
    /// While it is hidden; `None` once it has been seen again though its worker is still at work.
    message: Option<Message>,
    /// The worker; `None` on the way to the queue of the dead.
    by: Option<Held>,
}

/// A queue in a simulation.
#[derive(Debug)]
struct Queue {
    pullers: Pullers,
    /// Whether a look for messages is due, because a machine does not work.
    polls: bool,
    /// Time after which a worker that has found nothing looks again; `None` if a message wakes one.
    pause: Option<SimDuration>,
    /// Where the first look of each worker comes from, once one is drawn.
    phases: Option<Stream>,
    hand: Hand<CallId>,
    limit: usize,
    ack: SimDuration,
    visibility: SimDuration,
    max_receives: u32,
    /// The queue of the messages that are given up.
    dead: Option<Members>,
    retention: SimDuration,
    in_flight: usize,
    order: Order,
    /// The rank of each class; empty where all are alike.
    ranks: Vec<u8>,
    ready: Ready,
    /// Pulls, by a number that is the parent of the call to the target.
    pulled: Vec<Pull>,
    /// Numbers of `pulled` that no pull has.
    free: Vec<u32>,
    /// Messages that the queue holds: those that become durable, wait, or are hidden.
    held: usize,
}

impl Queue {
    /// A message comes. It counts against the limit from here on.
    fn arrive(&mut self, call: CallId, cx: &mut Cx<'_>) {
        self.expire(cx);
        if self.held >= self.limit {
            return cx.reply(call, Outcome::Rejected);
        }
        self.held += 1;
        cx.alarm(self.ack, timer::DURABLE, About::Call(call));
    }

    /// A message is durable: its publisher goes on.
    fn accept(&mut self, call: CallId, cx: &mut Cx<'_>) {
        let (origin, now) = (cx.get(call).origin(), cx.now());
        let rank = self.ranks.get(usize::from(cx.get(call).class)).copied().unwrap_or(0);
        self.ready.push(Message { origin, accepted: now, rank, pulled: now, receives: 0 });
        cx.count(PUBLISHED);
        cx.reply(call, Outcome::Ok);
        self.pull(cx);
    }

    /// Free workers pull the messages that wait.
    fn pull(&mut self, cx: &mut Cx<'_>) {
        self.expire(cx);
        if let Some(pause) = self.pause {
            self.begin_looking(pause, cx);
        } else {
            while self.has_some()
                && let Some((machine, by)) = self.pullers.take(cx)
            {
                self.hand_out(machine, by, cx);
            }
        }
        cx.level(DEPTH, self.ready.len() as u64);
        cx.set_backlog(Backlog { waiting: self.ready.len() as u64, oldest: self.ready.oldest() });
        if self.ready.len() > 0 && !self.polls && self.pullers.misses_some(cx) {
            self.polls = true;
            cx.alarm(POLL, timer::POLL, About::Nothing);
        }
    }

    /// Whether a message may be pulled.
    fn has_some(&self) -> bool {
        self.ready.len() > 0 && self.pulled.len() - self.free.len() < self.in_flight
    }

    /// A worker has the next message.
    fn hand_out(&mut self, machine: ComponentId, by: Held, cx: &mut Cx<'_>) {
        let Some(mut message) = self.ready.next(self.order) else { return };
        if message.receives == 0 {
            cx.time(AGE, cx.now().since(message.accepted));
        } else {
            cx.count(REDELIVERED);
        }
        message.receives += 1;
        message.pulled = cx.now();
        let number = self.hide(Pull { message: Some(message), by: Some(by) });
        // Another pull is another draw, as another try of a request is.
        let ordinal = u64::from(message.receives - 1);
        let child = cx.ask_for(message.origin, number, machine, ordinal, Ask::WORK);
        self.hand.wait_for(child, cx);
    }

    /// Drops messages that have waited for too long. The first of each line came first, but for those that were seen again.
    fn expire(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        while self.ready.oldest().is_some_and(|oldest| now.since(oldest) >= self.retention) {
            self.ready.drop_oldest();
            self.held -= 1;
            cx.count(EXPIRED);
        }
    }

    /// Keeps a message that has been pulled; returns the number of the pull.
    fn hide(&mut self, pull: Pull) -> u32 {
        if let Some(number) = self.free.pop() {
            self.pulled[number as usize] = pull;
            return number;
        }
        self.pulled.push(pull);
        self.pulled.len() as u32 - 1
    }

    /// The target has answered, so that its worker is free. Work that is done takes its message away. Other work leaves the
    /// message hidden until its visibility timeout is over. Where that is over already, another worker has the message.
    fn answered(&mut self, child: CallId, outcome: Outcome, cx: &mut Cx<'_>) {
        let Parent::Number(number) = cx.get(child).parent else { return };
        let pull = self.pulled[number as usize];
        let Some(by) = pull.by else { return self.given_up(number, outcome, cx) };
        let is_free = self.pullers.free(by);
        match pull.message {
            Some(message) if outcome != Outcome::Ok => {
                cx.alarm_at(message.pulled + self.visibility, timer::FAILED, About::Number(number));
            }
            Some(message) => {
                cx.count(PROCESSED);
                cx.time(COMPLETION, cx.now().since(message.accepted));
                self.held -= 1;
                self.end_pull(number);
            }
            None => {
                if outcome == Outcome::Ok {
                    cx.count(DUPLICATES);
                }
                self.end_pull(number);
            }
        }
        if is_free && self.pause.is_some() {
            self.look(by.place, cx);
        }
        self.pull(cx);
    }

    fn end_pull(&mut self, number: u32) {
        self.pulled[number as usize].message = None;
        self.free.push(number);
    }

    /// The visibility timeout of a pull is over: its message waits again, behind the others, or is given up.
    fn see_again(&mut self, number: u32, cx: &mut Cx<'_>) {
        let Some(message) = self.pulled[number as usize].message.take() else { return };
        if message.receives < self.max_receives {
            self.ready.push(message);
        } else {
            self.give_up(message, cx);
        }
    }

    /// Workers have taken longer than the visibility timeout. They do not hear of it and work on, so that the work is done
    /// twice.
    fn lose_patience(&mut self, cx: &mut Cx<'_>) {
        while let Some(child) = self.hand.late(cx) {
            let Parent::Number(number) = cx.get(child).parent else { continue };
            self.see_again(number, cx);
            // The machine has lost its power: its worker never answers, and is gone. Nothing is known of the queue of the dead.
            if self.pulled[number as usize].by.is_none_or(|by| self.pullers.has_lost(by, cx)) {
                cx.abandon(child);
                self.free.push(number);
            }
        }
        self.pull(cx);
    }

    /// A machine that does the work comes or goes. The workers of one that goes end what they have pulled.
    fn follow(&mut self, order: signal::Order, cx: &mut Cx<'_>) {
        let is_up = match order.code {
            signal::Order::JOIN | signal::Order::JOIN_NOW => true,
            signal::Order::LEAVE => false,
            _ => return,
        };
        self.pullers.set_up(order.member(), is_up);
        if cx.works() {
            self.pull(cx);
        }
    }

    /// The process is gone. What was durable is kept, and what had been pulled is seen again, the oldest first.
    fn crash(&mut self, cx: &mut Cx<'_>) {
        self.hand.crash();
        let pulled = std::mem::take(&mut self.pulled);
        let mut hidden: Vec<Message> = pulled.into_iter().filter_map(|pull| pull.message).collect();
        hidden.sort_by_key(|message| message.accepted);
        hidden.into_iter().rev().for_each(|message| self.ready.push_front(message));
        self.free.clear();
        self.held = self.ready.len();
        self.polls = false;
        self.pullers.forget(cx);
        cx.level(DEPTH, self.ready.len() as u64);
    }
}

impl Component for Queue {
    fn start(&mut self, cx: &mut Cx<'_>) {
        if self.pause.is_some() {
            self.pull(cx);
        }
    }

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
            Signal::Alarm(Alarm { code: timer::LOOK, about: About::Number(machine) }) => {
                self.pullers.wake(machine);
                self.look(machine, cx);
                self.pull(cx);
            }
            Signal::Alarm(Alarm { code: timer::POLL, .. }) => {
                self.polls = false;
                self.pull(cx);
            }
            Signal::Control(Control::Crash | Control::PowerOff) => self.crash(cx),
            Signal::Control(Control::Recover) => self.pull(cx),
            Signal::Control(Control::Order(order)) => self.follow(order, cx),
            Signal::Alarm(_) | Signal::Control(_) => {}
            Signal::Done(_) | Signal::Returned(..) | Signal::Passed(..) | Signal::Cancelled(_) => {}
        }
    }
}
