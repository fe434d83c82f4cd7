//! `Request`, one operation of a user, and `Call`, one hop of it.

use crate::kernel::time::{SimDuration, SimTime};

use super::ask::Ask;
use super::signal::{CallId, ComponentId, RequestId};

/// A user who is never recognised again, as all users of an open load.
pub const NOBODY: u32 = u32::MAX;

/// The bits of an ordinal that tell what is asked for. Those above them tell the copies of one ask apart.
const ASK_BITS: u32 = 48;

/// Returns the ordinal of a copy of what `ordinal` asks for, such as another try of it. Its demands are drawn anew, but it is about
/// the same data. Copy 0 is the first.
#[must_use]
pub const fn copy_of(ordinal: u64, copy: u64) -> u64 {
    ordinal | copy << ASK_BITS
}

/// Returns what all copies of one ask have in common.
#[inline]
pub(super) const fn asked_by(ordinal: u64) -> u64 {
    ordinal & ((1 << ASK_BITS) - 1)
}

/// One operation of a user. It ends exactly once.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The client that issued it.
    pub client: ComponentId,
    /// Index of its class.
    pub class: u16,
    /// Number of the current try, from 1.
    pub attempt: u16,
    /// The user, or the slot of one; [`NOBODY`] if the user makes one request only.
    pub user: u32,
    /// Number of the request at its user, from 1, for a user of a closed population.
    pub turn: u32,
    /// Its number at the client, from 0.
    pub number: u64,
    /// The key from which all its keyed draws start.
    pub key: u64,
    /// The identity of the user, for all boxes on the way: the same number in all requests of a user; 0 for a user who
    /// makes one request only.
    pub identity: u64,
    /// When the request was issued.
    pub issued: SimTime,
    /// Its current call, if any.
    pub call: CallId,
    /// The last pause before a retry; decorrelated jitter needs it.
    pub pause: SimDuration,
    /// Whether it was issued after the warm-up, so that it counts.
    pub measured: bool,
    /// Whether it is between two tries.
    pub pausing: bool,
    /// Number of addresses of its list that the current try has asked.
    pub asked: u16,
    /// The number of that list, which a name server gave.
    pub list: u32,
}

impl Request {
    /// The content of an unused slot.
    pub(super) const BLANK: Request = Request {
        client: ComponentId::FIRST,
        class: 0,
        attempt: 0,
        user: NOBODY,
        turn: 0,
        number: 0,
        key: 0,
        identity: 0,
        issued: SimTime::ZERO,
        call: CallId::NONE,
        pause: SimDuration::ZERO,
        measured: false,
        pausing: false,
        asked: 0,
        list: u32::MAX,
    };
}

/// What a client gives when a request begins.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// As [`Request::number`].
    pub number: u64,
    /// As [`Request::key`].
    pub key: u64,
    /// As [`Request::class`].
    pub class: u16,
    /// As [`Request::user`].
    pub user: u32,
    /// As [`Request::turn`].
    pub turn: u32,
    /// As [`Request::identity`].
    pub identity: u64,
}

/// The receiver of the answer of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parent {
    /// Nobody waits for it: health checks, background work.
    None,
    /// A client's request.
    Request(RequestId),
    /// The call that the caller was working on.
    Call(CallId),
    /// Something of the caller's own, identified by a number that is private to it.
    Number(u32),
}

/// The stage of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// On the network to the callee.
    Travelling,
    /// Not accepted by the callee's machine: the kernel of the caller tries again.
    Outside,
    /// Arrived and not answered.
    Inside,
    /// Answered; the reply is on the network.
    Answered,
    /// Sent over an open connection on which nothing comes through: the kernel of the caller sends it again.
    Unacknowledged,
    /// Answered, but nothing comes through: the kernel of the callee sends the answer again.
    AnswerUnacknowledged,
    /// The answer was lost for good.
    Lost,
}

/// Whether the caller of a call waits for its answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Awaited {
    /// It does.
    Yes,
    /// It has given up, or is gone.
    No,
    /// It has taken the call back, so that the work for it ends at once.
    Revoked,
}

/// One hop of a request: a call from one component to another.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The key from which its keyed draws start.
    pub key: u64,
    /// Number of the request at its client.
    pub number: u64,
    /// The identity of the user, as from a cookie or an address: the same in all calls for a user, 0 for a user who
    /// makes one request only.
    pub identity: u64,
    /// The client whose request this serves.
    pub client: ComponentId,
    /// The caller.
    pub caller: ComponentId,
    /// The callee.
    pub callee: ComponentId,
    /// The receiver of the answer.
    pub parent: Parent,
    /// Index of the request's class.
    pub class: u16,
    /// Where the draws of keys of data start: like `key`, but the same in all tries of a request.
    pub(super) trail: u32,
    /// The client's user whose request this serves; [`NOBODY`] if users make one request only.
    pub user: u32,
    /// When it arrived at the callee.
    pub arrived: SimTime,
    /// Time spent waiting at the callee for a worker, a connection or a core.
    pub waited: SimDuration,
    /// What it asks for.
    pub(super) ask: Ask,
    /// Private notes of the callee.
    pub notes: Notes,
    /// What happened to the connection of the call.
    pub connection: Connection,
    /// The router that has handed it on, and that gets it back when the callee refuses it; [`ComponentId::NONE`] without.
    pub(super) via: ComponentId,
    /// What the callee answers besides the outcome: an address, a position.
    pub answer: u64,
    /// Whether the router that forwarded it sees the answer pass, as [`Signal::Passed`](super::signal::Signal::Passed).
    pub watched: bool,
    pub(super) stage: Stage,
    pub(super) awaited: Awaited,
    /// Whether another component has failed it, so that a failure of it is passed on.
    pub(super) failed_below: bool,
    /// Number of times that a kernel has sent again what was not acknowledged: an attempt to connect, the call or its answer.
    pub(super) knocks: u8,
}

impl Call {
    /// The content of an unused slot.
    pub(super) const BLANK: Call = Call {
        key: 0,
        number: 0,
        identity: 0,
        client: ComponentId::FIRST,
        caller: ComponentId::FIRST,
        callee: ComponentId::FIRST,
        parent: Parent::None,
        class: 0,
        trail: 0,
        user: NOBODY,
        arrived: SimTime::ZERO,
        waited: SimDuration::ZERO,
        ask: Ask::WORK,
        notes: Notes::BLANK,
        connection: Connection::Held,
        via: ComponentId::NONE,
        answer: 0,
        watched: false,
        stage: Stage::Travelling,
        awaited: Awaited::Yes,
        failed_below: false,
        knocks: 0,
    };

    /// Returns what it asks for. The caller says it once, and no box on the way changes it.
    #[inline]
    #[must_use]
    pub const fn ask(&self) -> Ask {
        self.ask
    }

    /// Returns on whose behalf it is made. It is still true after the call has ended.
    #[inline(always)]
    #[must_use]
    pub const fn origin(&self) -> Origin {
        let &Call { key, number, identity, client, class, user, trail, .. } = self;
        Origin { key, number, identity, client, class, user, trail }
    }
}

/// On whose behalf a call is made: which request of which user. A box that answers first and works later, such as a queue,
/// keeps it, so that the work is the one that this request draws.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub(super) key: u64,
    pub(super) number: u64,
    pub(super) identity: u64,
    pub(super) client: ComponentId,
    pub(super) class: u16,
    pub(super) user: u32,
    pub(super) trail: u32,
}

/// What happened to the connection of a call, as its caller sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Connection {
    /// It held: the callee itself has answered, whatever the outcome.
    #[default]
    Held,
    /// It was not made: the callee does not know of the call.
    Refused,
    /// It broke: the callee may have done a part of the work, or all of it.
    Broken,
}

/// What a callee keeps about a call between two signals; each field's meaning is private to it. Notes are blank when a call
/// comes to another box, and when its caller gets the answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notes {
    /// Index of the current step.
    pub step: u16,
    /// Number of repetitions of the step that are left.
    pub left: u16,
    /// Number of child calls that have not been answered.
    pub pending: u16,
    /// Flags.
    pub flags: u8,
    /// A time or a number.
    pub mark: u64,
}

impl Notes {
    /// Nothing is noted.
    pub(super) const BLANK: Notes = Notes { step: 0, left: 0, pending: 0, flags: 0, mark: 0 };
}

// A waiting user needs a request and about one call for each tier; each should take at most 128 bytes.
const _: () = assert!(size_of::<Call>() <= 128 && size_of::<Request>() <= 72);
