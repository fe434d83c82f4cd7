//! `Keep`: how long a component keeps connections that others have opened to it, and for how many calls.

use crate::kernel::time::SimDuration;

/// The greatest number of round trips before the first call over a connection: one for TCP and two for TLS 1.2.
pub const TRIPS_MAX: u8 = 3;

/// What a component does with connections to it that are not in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// It closes one that has been idle for this time since its last answer.
    pub idle: SimDuration,
    /// It closes one after this number of calls.
    pub calls: u32,
}

impl Keep {
    /// It closes none.
    pub const ALL: Keep = Keep { idle: SimDuration::MAX, calls: u32::MAX };
}

/// How a call comes to its callee.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Opening {
    /// Nobody says whether there was a connection: it costs nothing.
    None,
    /// Over a connection that its caller has kept open.
    Kept,
    /// Over a connection that was opened for it.
    Made,
    /// The connection is being opened: its first message has been taken.
    Shaking,
    /// The first message of a connection is on its way, which takes one round trip.
    One,
    /// The same, of two.
    Two,
    /// The same, of three.
    Three,
    /// Over a connection that the callee has closed meanwhile, which its caller does not know yet.
    Closed,
}

impl Opening {
    /// Whether what comes to the callee first is not a call that its process sees.
    #[inline(always)]
    pub(super) const fn is_first_message(self) -> bool {
        !matches!(self, Opening::None | Opening::Kept | Opening::Made | Opening::Shaking)
    }

    /// A connection of `trips` round trips, 1 to [`TRIPS_MAX`].
    pub(super) const fn of(trips: u8) -> Opening {
        match trips {
            1 => Opening::One,
            2 => Opening::Two,
            _ => Opening::Three,
        }
    }

    /// Number of round trips of the connection that is opened; 0 of one that is there.
    pub(super) const fn trips(self) -> u8 {
        match self {
            Opening::One => 1,
            Opening::Two => 2,
            Opening::Three => 3,
            _ => 0,
        }
    }
}
