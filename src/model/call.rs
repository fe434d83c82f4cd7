//! `Request`, one operation of a user, and `Call`, one hop of it.

use crate::kernel::time::{SimDuration, SimTime};

use super::ask::Ask;
use super::signal::{CallId, ComponentId, RequestId};

/// A user who is not known again: everyone of an open stream.
pub const NOBODY: u32 = u32::MAX;

/// What a user asked for. It ends exactly once.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// The client that issued it.
    pub client: ComponentId,
    /// Index of its class.
    pub class: u16,
    /// Tries so far, 1 for the first.
    pub attempt: u16,
    /// The user, or the slot of one; [`NOBODY`] when the user asks once and never comes back.
    pub user: u32,
    /// Which request of its user it is, from 1, for a user of a closed population.
    pub turn: u32,
    /// Its number at the client, from 0.
    pub number: u64,
    /// Where all its keyed draws start.
    pub key: u64,
    /// Who the user is, for all boxes on the way: the same number in all requests of one who comes back, 0 for one who
    /// does not.
    pub identity: u64,
    /// When the user asked.
    pub issued: SimTime,
    /// The call under way for it, if any.
    pub call: CallId,
    /// The last pause before a retry, which decorrelated jitter needs.
    pub pause: SimDuration,
    /// Issued after the warm-up, so that it counts.
    pub measured: bool,
    /// Between two tries.
    pub pausing: bool,
}

impl Request {
    /// What stands where no request has been.
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
    };
}

/// What a client says of a request that begins.
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

/// To whom the answer of a call goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Parent {
    /// Nobody waits for it: health checks, background work.
    None,
    /// A client's request.
    Request(RequestId),
    /// The call that the caller was working on.
    Call(CallId),
    /// Something of the caller's own, by a number that is private to it.
    Number(u32),
}

/// Where a call is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// On the network to the callee.
    Travelling,
    /// Arrived and not answered.
    Inside,
    /// Answered; the reply is on the network.
    Answered,
    /// Nobody will answer: the message was lost.
    Lost,
}

/// One hop of a request: what one component asked of another.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Where its keyed draws start.
    pub key: u64,
    /// Number of the request at its client.
    pub number: u64,
    /// Who the user is, as a cookie or an address tells: the same in all calls for one user, 0 for one who does not come
    /// back.
    pub identity: u64,
    /// The client whose request this serves.
    pub client: ComponentId,
    /// Who asked.
    pub caller: ComponentId,
    /// Who was asked.
    pub callee: ComponentId,
    /// To whom the answer goes.
    pub parent: Parent,
    /// Index of the request's class.
    pub class: u16,
    /// Where the draws of keys of data start: like `key`, but the same in all tries of a request.
    pub(super) trail: u32,
    /// The client's user whose request this serves; [`NOBODY`] when nobody comes back.
    pub user: u32,
    /// When it arrived at the callee.
    pub arrived: SimTime,
    /// Time spent waiting at the callee for a worker, a connection or a core.
    pub waited: SimDuration,
    /// What it asks for.
    pub(super) ask: Ask,
    /// What the callee keeps about it.
    pub notes: Notes,
    /// What became of the connection that it came on.
    pub connection: Connection,
    /// The router that has handed it on, and that gets it back when the callee refuses it; [`ComponentId::NONE`] without.
    pub(super) via: ComponentId,
    /// What the callee answers besides the outcome: an address, a position.
    pub answer: u64,
    /// The router that has handed it on sees the answer pass, as [`Signal::Passed`](super::signal::Signal::Passed).
    pub watched: bool,
    pub(super) stage: Stage,
    pub(super) abandoned: bool,
}

impl Call {
    /// What stands where no call has been.
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
        abandoned: false,
    };

    /// Returns what it asks for. The caller says it once, and no box on the way changes it.
    #[inline]
    #[must_use]
    pub const fn ask(&self) -> Ask {
        self.ask
    }
}

/// What became of the connection of a call, as its caller sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Connection {
    /// It held: whatever the outcome, the callee itself has answered.
    #[default]
    Held,
    /// It was never made: the callee has seen nothing of the call.
    Refused,
    /// It broke: the callee may have done the work, in part or whole.
    Broken,
}

/// What a callee keeps about a call between two signals; each field's meaning is private to it. Notes are blank when a call
/// comes to another box, and when its caller gets the answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notes {
    /// The step that it is at.
    pub step: u16,
    /// Repetitions of the step that are left.
    pub left: u16,
    /// Child calls that have not been answered.
    pub pending: u16,
    /// Bits.
    pub flags: u8,
    /// A moment or a number.
    pub mark: u64,
}

impl Notes {
    /// Nothing is noted.
    pub(super) const BLANK: Notes = Notes { step: 0, left: 0, pending: 0, flags: 0, mark: 0 };
}

// A user who waits costs a request and about one call a tier; the goal is 128 bytes for each of them.
const _: () = assert!(size_of::<Call>() <= 128 && size_of::<Request>() <= 72);
