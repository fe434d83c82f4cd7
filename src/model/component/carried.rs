//! What few calls carry, and callers that wait no longer and say so.

use crate::kernel::time::SimTime;
use crate::model::signal::CallId;

use super::Cx;

impl Cx<'_> {
    /// As [`Cx::abandon`], and tells the callee by a message. It gets
    /// [`Signal::Cancelled`](crate::model::signal::Signal::Cancelled), if it has not answered before.
    pub fn cancel(&mut self, call: CallId) {
        self.world.cancel(call);
    }

    /// Sets the moment after which nobody can use the answer to a call that this component has made.
    pub fn set_deadline(&mut self, call: CallId, at: SimTime) {
        self.world.luggage.set_deadline(call, at);
    }

    /// The moment after which nobody can use the answer to a call; [`SimTime::MAX`] where none was set.
    #[inline(always)]
    #[must_use]
    pub fn deadline(&self, call: CallId) -> SimTime {
        self.world.luggage.deadline(call)
    }

    /// Whether nobody can use the answer to a call any more.
    #[inline(always)]
    #[must_use]
    pub fn is_late(&self, call: CallId) -> bool {
        self.deadline(call) <= self.now()
    }

    /// Notes a number of the caller's own about a call that it has made.
    pub fn set_tag(&mut self, call: CallId, tag: u32) {
        self.world.luggage.set_tag(call, tag);
    }

    /// The number that the caller has noted about a call, if any.
    #[inline]
    #[must_use]
    pub fn tag(&self, call: CallId) -> Option<u32> {
        self.world.luggage.tag(call)
    }

    /// Whether the caller of a call that is inside this component still waits: it has neither given up nor crashed. For
    /// work that needs its caller all the time, such as a transfer.
    pub fn is_awaited(&self, call: CallId) -> bool {
        !self.get(call).abandoned
    }
}
