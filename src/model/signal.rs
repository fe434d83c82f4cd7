//! `Signal`: everything that a component reacts to, and the small values in it.

use crate::kernel::slab::Key;
use crate::kernel::time::SimDuration;

/// Index of a component in its simulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ComponentId(u32);

impl ComponentId {
    /// The component that joined first.
    pub(super) const FIRST: ComponentId = ComponentId(0);

    /// No component, in as many bytes as a component.
    pub(super) const NONE: ComponentId = ComponentId(u32::MAX);

    /// The component at `index`.
    #[must_use]
    pub fn new(index: usize) -> ComponentId {
        ComponentId(u32::try_from(index).expect("a simulation has fewer than 2^32 components"))
    }

    /// Its index in the simulation.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One hop of a request. A stale id is detected, never misread.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CallId(pub(super) Key);

/// One operation of a user, from click to answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct RequestId(pub(super) Key);

impl CallId {
    /// No call.
    pub const NONE: CallId = CallId(Key::NONE);
}

impl RequestId {
    /// No request.
    pub const NONE: RequestId = RequestId(Key::NONE);
}

/// How a call, or a request, ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Outcome {
    /// Answered.
    Ok,
    /// A queue or a connection limit was full: HTTP 503.
    Rejected,
    /// A time limit was reached: HTTP 504.
    TimedOut,
    /// Refused, no healthy target, or no address: HTTP 502.
    Unavailable,
    /// The machine had no memory left for it.
    OutOfMemory,
    /// Over the rate limit: HTTP 429.
    Throttled,
    /// An error that the application answered: HTTP 500.
    Failed,
    /// What it was to change has been changed meanwhile: HTTP 409.
    Conflict,
}

impl Outcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Outcome; 8] = [
        Outcome::Ok,
        Outcome::Rejected,
        Outcome::TimedOut,
        Outcome::Unavailable,
        Outcome::OutOfMemory,
        Outcome::Throttled,
        Outcome::Failed,
        Outcome::Conflict,
    ];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Ok => "ok",
            Outcome::Rejected => "rejected",
            Outcome::TimedOut => "timed_out",
            Outcome::Unavailable => "unavailable",
            Outcome::OutOfMemory => "out_of_memory",
            Outcome::Throttled => "throttled",
            Outcome::Failed => "failed",
            Outcome::Conflict => "conflict",
        }
    }

    /// The same, as sentences say it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Outcome::TimedOut => "timed out",
            Outcome::OutOfMemory => "out of memory",
            Outcome::Conflict => "in conflict",
            _ => self.name(),
        }
    }
}

/// What a timer is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum About {
    /// The component itself.
    Nothing,
    /// A call; the alarm is not delivered once the call is gone.
    Call(CallId),
    /// A request; the alarm is not delivered once the request has ended.
    Request(RequestId),
    /// A number whose meaning is private to the component.
    Number(u32),
    /// A user of a client, and the number of requests that the user has made. The alarm carries the number, because a
    /// table of a million numbers would not be in the cache.
    Turn {
        /// The user.
        user: u32,
        /// Number of requests made.
        turn: u32,
    },
}

/// A timer of a component; the meaning of `code` is private to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// The timer.
    pub code: u16,
    /// What the timer is about.
    pub about: About,
}

/// An operation on a component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// The process dies, and everything in its memory is lost; the kernel keeps what it had written. Calls to it are refused until
    /// it recovers.
    Crash,
    /// The agent of its machine kills the process, which may hang: as a crash, but faults that made it hang are over for it.
    Kill,
    /// Its machine has no power: the process and everything in memory are lost, and so is what was written and not flushed. It is
    /// silent until it recovers: calls to it have no answer at all.
    PowerOff,
    /// It runs again, with empty state.
    Recover,
    /// It accepts calls and never answers them, until it recovers.
    Hang,
    /// The standby of a pair takes over from the crashed half, with empty state. The next repair is that of the crashed
    /// half.
    TakeOver,
    /// Its machine runs at this speed, in millionths of the normal one.
    Slow(u32),
    /// Work that comes to its machine's cores from now on is more: that of this speed, in millionths of the normal one.
    Burden(u32),
    /// The cores of its machine stand still, because its quota of core time is used up, or they go on.
    Throttle(bool),
    /// It is impaired but runs; only components that know the impairment react.
    Impair(Impairment),
    /// The impairment ends.
    Mend(Impairment),
    /// It answers calls with errors by this rule, besides others.
    Err(Failing),
    /// The rule ends.
    Heal(Failing),
    /// An order between the components of a box, such as a monitor and its nodes; the meaning is private to them.
    Order(Order),
}

/// A rule by which a component answers calls with errors.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failing {
    /// Time until the error is answered, without any work; [`SimDuration::MAX`] after all the work.
    time: SimDuration,
    /// Share of the calls, in parts of a billion.
    billionths: u32,
    /// How they end.
    pub outcome: Outcome,
}

impl Failing {
    /// Parts of a whole in which shares are counted.
    const BILLION: f64 = 1e9;

    /// A `share` of the calls, 0..1, ends with this outcome: after `time` without any work, or after all the work.
    #[must_use]
    pub fn new(share: f64, outcome: Outcome, time: Option<SimDuration>) -> Failing {
        let billionths = (share * Failing::BILLION).round() as u32;
        Failing { time: time.unwrap_or(SimDuration::MAX), billionths, outcome }
    }

    /// Share of the calls, 0..1.
    #[must_use]
    pub fn share(&self) -> f64 {
        f64::from(self.billionths) / Failing::BILLION
    }

    /// Time until the error is answered, without any work; `None` if the work is done first.
    #[must_use]
    pub fn at_once(&self) -> Option<SimDuration> {
        (self.time < SimDuration::MAX).then_some(self.time)
    }
}

/// An impairment of a component that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Impairment {
    /// It has no room to store anything more.
    StorageFull,
    /// A name server has lost its records.
    NoRecords,
    /// A cache has lost its entries. Nothing mends it.
    Emptied,
}

/// An order between the components of a box, or one that every router understands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// The action. Codes from [`Order::DRAIN`] up mean the same everywhere.
    pub code: u16,
    /// The subject of the action: the number of a member, an epoch.
    pub subject: u32,
}

impl Impairment {
    /// The texts for timelines, when it begins and when it ends.
    pub(super) const fn events(self) -> (&'static str, &'static str) {
        match self {
            Impairment::StorageFull => ("disk full", "disk has room"),
            Impairment::NoRecords => ("no records", "records are back"),
            Impairment::Emptied => ("cache emptied", "cache refills"),
        }
    }
}

impl Order {
    /// Give a component no new calls, and let those inside it end.
    pub const DRAIN: u16 = 0xFF00;
    /// Give it calls again.
    pub const READY: u16 = 0xFF01;
    /// A component that was to be drained has none of the sender's calls any more; to that component.
    pub const DRAINED: u16 = 0xFF02;
    /// The component is about to be stopped, as planned.
    pub const STOP: u16 = 0xFF03;
    /// A component that drains takes no calls any more, not even those of users who belong to it.
    pub const GONE: u16 = 0xFF04;

    /// A member of a fleet is up: check it, and give it calls once a check has succeeded, or at once without checks.
    pub const JOIN: u16 = 0xFF05;
    /// The same, with the first check now.
    pub const JOIN_NOW: u16 = 0xFF06;
    /// A member of a fleet is to go: give it no new calls. It is no target any more.
    pub const LEAVE: u16 = 0xFF07;
    /// The machine of a member of a fleet has booted: its process starts; to that member.
    pub const START: u16 = 0xFF08;
    /// The fleet has another number of members; to its keeper.
    pub const SIZE: u16 = 0xFF09;

    /// Begin to decide on a switch to the other site now; to a switch, which hears it unless a decision is under way.
    pub const DECIDE: u16 = 0xFF0A;
    /// What a switch was called for is over: a decision that is under way is called off; to a switch.
    pub const CALL_OFF: u16 = 0xFF0B;
    /// The site of the primary is taken for lost; to a member that would become primary.
    pub const LOST: u16 = 0xFF0C;
    /// The switch is decided; to the same.
    pub const DECIDED: u16 = 0xFF0D;
    /// Keep all others from being primary, and take no more of the log; to the same.
    pub const HAND_OVER: u16 = 0xFF0E;
    /// Become primary as soon as everything is applied; to the same.
    pub const PROMOTE: u16 = 0xFF0F;
    /// A member has become primary; to the switch.
    pub const PROMOTED: u16 = 0xFF10;
    /// Answer with the addresses of the other site; to a name.
    pub const MOVE: u16 = 0xFF11;
    /// Have no entries; to a cache of a site that has stood without power.
    pub const EMPTY: u16 = 0xFF12;

    /// The component that it is about.
    #[must_use]
    pub const fn member(self) -> ComponentId {
        ComponentId(self.subject)
    }

    /// An order about a member, or to it.
    #[must_use]
    pub const fn about(code: u16, member: ComponentId) -> Order {
        Order { code, subject: member.0 }
    }

    /// The order to a balancer to drain this target.
    #[must_use]
    pub const fn drain(target: ComponentId) -> Order {
        Order { code: Order::DRAIN, subject: target.0 }
    }

    /// The order to a balancer to keep nobody at this target, which takes no calls any more.
    #[must_use]
    pub const fn gone(target: ComponentId) -> Order {
        Order { code: Order::GONE, subject: target.0 }
    }

    /// The order to a balancer to use this target again.
    #[must_use]
    pub const fn ready(target: ComponentId) -> Order {
        Order { code: Order::READY, subject: target.0 }
    }
}

impl Control {
    /// The number that stands for it in the fingerprint.
    pub(super) fn number(self) -> u64 {
        match self {
            Control::Crash => 0,
            Control::Recover => 1,
            Control::Hang => 2,
            Control::TakeOver => 3,
            Control::PowerOff => 4,
            Control::Kill => 5,
            Control::Slow(millionths) => 1 << 32 | u64::from(millionths),
            Control::Burden(millionths) => 12 << 32 | u64::from(millionths),
            Control::Impair(impairment) => 8 << 32 | impairment as u64,
            Control::Mend(impairment) => 9 << 32 | impairment as u64,
            Control::Throttle(stands) => 13 << 32 | u64::from(stands),
            Control::Err(rule) => 10 << 32 | u64::from(rule.billionths),
            Control::Heal(rule) => 11 << 32 | u64::from(rule.billionths),
            // A component as the subject does not count: its id depends on the other boxes.
            Control::Order(order) if order.code >= Order::DRAIN => 2 << 32 | u64::from(order.code) << 16,
            Control::Order(order) => 2 << 32 | u64::from(order.code) << 16 | u64::from(order.subject),
        }
    }
}

/// Everything that a component reacts to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// A call has arrived.
    Call(CallId),
    /// A call of the component has been answered. The id is valid until the component returns.
    Reply(CallId, Outcome),
    /// A call that the component forwarded comes back, because the other component refused it.
    Returned(CallId, ComponentId),
    /// The answer of a call that the component forwarded and watches passes on its way to the caller.
    Passed(CallId, Outcome),
    /// The caller of a call that is inside the component waits for it no longer, and says so. The call is to be answered all the
    /// same, and nobody gets the answer.
    Cancelled(CallId),
    /// The work that the component entered at its machine for this call is done.
    Done(CallId),
    /// A timer of the component fires.
    Alarm(Alarm),
    /// An operation on the component.
    Control(Control),
}

impl Signal {
    /// The number that stands for its kind in the fingerprint.
    #[inline(always)]
    pub(super) fn kind(self) -> u64 {
        match self {
            Signal::Call(_) => 1,
            Signal::Reply(_, outcome) => 16 + outcome as u64,
            Signal::Done(_) => 2,
            Signal::Alarm(alarm) => 256 + u64::from(alarm.code),
            Signal::Control(_) => 3,
            Signal::Returned(..) => 4,
            Signal::Passed(..) => 5,
            Signal::Cancelled(_) => 7,
        }
    }
}
