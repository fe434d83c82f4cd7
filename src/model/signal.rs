//! `Signal`: everything that can reach a component, and the small values that it carries.

use crate::kernel::slab::Key;

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

    /// Its place in the simulation's list.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One hop of a request. A stale id is detected, never misread.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct CallId(pub(super) Key);

/// One operation of a user, from click to answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
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
    /// The caller waited no longer: HTTP 504.
    TimedOut,
    /// Refused, nobody healthy, or no address: HTTP 502.
    Unavailable,
    /// The machine had no memory left for it.
    OutOfMemory,
    /// Over the rate limit: HTTP 429.
    Throttled,
}

impl Outcome {
    /// All outcomes, in the order of their numbers.
    pub const ALL: [Outcome; 6] = [
        Outcome::Ok,
        Outcome::Rejected,
        Outcome::TimedOut,
        Outcome::Unavailable,
        Outcome::OutOfMemory,
        Outcome::Throttled,
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
        }
    }
}

/// What a timer of a component is about.
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
    /// A user of a client, and how many requests the user has made. The alarm brings the count with it, because a table of
    /// a million counts is not in the cache.
    Turn {
        /// The user.
        user: u32,
        /// Requests made.
        turn: u32,
    },
}

/// A component's own timer; the meaning of `code` is private to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// Which of its timers.
    pub code: u16,
    /// What the timer is about.
    pub about: About,
}

/// The operations plane: what happens to a box rather than in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// The process is gone with everything in its memory. Calls to it are refused until it recovers.
    Crash,
    /// It runs again, empty.
    Recover,
    /// It accepts calls and never answers them, until it recovers.
    Hang,
    /// The other half of a pair takes over from the one that has crashed: it runs again, empty. The next repair is that
    /// of the crashed half.
    TakeOver,
    /// Its machine works at this number of millionths of its speed: a million is normal, at zero it stands still.
    Slow(u32),
    /// Something is wrong with it, though it runs; only the components that know the trouble heed it.
    Impair(Impairment),
    /// That is over.
    Mend(Impairment),
    /// An order between the components of one box, such as a monitor and its nodes; the meaning is private to them.
    Order(Order),
}

/// What can be wrong with a component that runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Impairment {
    /// Nothing more can be written to the disk of a database.
    DiskFull,
    /// A name server has lost its records.
    NoRecords,
}

/// An order between the components of one box, or one that every router understands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Order {
    /// What is to be done. Codes from [`Order::DRAIN`] on mean the same everywhere.
    pub code: u16,
    /// With what: a member's number, an epoch.
    pub subject: u32,
}

impl Impairment {
    /// What timelines say when it begins, and when it is over.
    pub(super) const fn events(self) -> (&'static str, &'static str) {
        match self {
            Impairment::DiskFull => ("disk full", "disk has room"),
            Impairment::NoRecords => ("no records", "records are back"),
        }
    }
}

impl Order {
    /// Give a component no new calls, and let those inside end.
    pub const DRAIN: u16 = 0xFF00;
    /// Give it calls again.
    pub const READY: u16 = 0xFF01;

    /// To a balancer: drain this target.
    #[must_use]
    pub const fn drain(target: ComponentId) -> Order {
        Order { code: Order::DRAIN, subject: target.0 }
    }

    /// To a balancer: this target is ready again.
    #[must_use]
    pub const fn ready(target: ComponentId) -> Order {
        Order { code: Order::READY, subject: target.0 }
    }
}

impl Control {
    /// The number by which the fingerprint knows it.
    pub(super) fn number(self) -> u64 {
        match self {
            Control::Crash => 0,
            Control::Recover => 1,
            Control::Hang => 2,
            Control::TakeOver => 3,
            Control::Slow(millionths) => 1 << 32 | u64::from(millionths),
            Control::Impair(impairment) => 8 << 32 | impairment as u64,
            Control::Mend(impairment) => 9 << 32 | impairment as u64,
            Control::Order(order) => 2 << 32 | u64::from(order.code) << 16 | u64::from(order.subject),
        }
    }
}

/// Everything that can reach a component.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// Data plane, inward: a call has arrived.
    Call(CallId),
    /// Data plane, back to the caller. The call's id is valid until the component returns.
    Reply(CallId, Outcome),
    /// A call that the component has handed on comes back: the other one refused it.
    Returned(CallId, ComponentId),
    /// The answer of a call that the component has handed on, and watches, passes on its way to the caller.
    Passed(CallId, Outcome),
    /// Work that the component entered at its machine for this call is done.
    Done(CallId),
    /// The component's own timer.
    Alarm(Alarm),
    /// Operations plane.
    Control(Control),
}
