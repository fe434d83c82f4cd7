//! What few calls carry, and callers that wait no longer and say so.

use crate::kernel::time::SimTime;
use crate::model::call::Awaited;
use crate::model::signal::CallId;

use super::Cx;

impl Cx<'_> {
    /// As [`Cx::abandon`], and tells the callee by a message. It gets
    /// [`Signal::Cancelled`](crate::model::signal::Signal::Cancelled), if it has not answered before.
    pub fn cancel(&mut self, call: CallId) {
        self.world.cancel(call);
    }

    /// As [`Cx::cancel`], of a call that was made to be taken back, such as one of two for the same answer: its callee ends the work
    /// for it at once, and not at the next step.
    pub fn revoke(&mut self, call: CallId) {
        self.cancel(call);
        if let Some(call) = self.world.calls.get_mut(call.0) {
            call.awaited = Awaited::Revoked;
        }
    }

    /// Cancels a call for `call`, or revokes it if `call` itself was revoked.
    pub fn pass_on(&mut self, call: CallId, child: CallId) {
        if self.is_revoked(call) {
            self.revoke(child);
        } else {
            self.cancel(child);
        }
    }

    /// Whether a call was revoked.
    #[must_use]
    pub fn is_revoked(&self, call: CallId) -> bool {
        self.find(call).is_some_and(|call| call.awaited == Awaited::Revoked)
    }

    /// Ends the work for a call on the cores, if there is some. No [`Signal::Done`](crate::model::signal::Signal::Done) follows. Takes
    /// time linear in the work there.
    pub fn stop_work(&mut self, call: CallId) {
        self.world.stop_task(self.me, call);
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
        self.get(call).awaited == Awaited::Yes
    }
}
