//! Connections, as the components at their two ends see them.

use crate::model::line::{Keep, Opening, TRIPS_MAX};
use crate::model::signal::{CallId, ComponentId};

use super::Cx;

impl Cx<'_> {
    /// Says how long this component keeps connections to it. To be called once, in `start`.
    pub fn keep_connections(&mut self, keep: Keep) {
        self.world.infos[self.me.index()].keep = keep;
    }

    /// How long a component keeps connections to it.
    #[must_use]
    pub fn keep_of(&self, to: ComponentId) -> Keep {
        self.world.infos[to.index()].keep
    }

    /// The component that asks a call: its caller, or, where a driver makes the call on behalf of another one, the caller of that.
    #[inline]
    #[must_use]
    pub fn asker(&self, call: CallId) -> ComponentId {
        self.world.asker_of(self.get(call).caller, call)
    }

    /// Number of times that a component has been taken down, each of which closes all its connections.
    #[must_use]
    pub fn falls(&self, of: ComponentId) -> u32 {
        self.world.infos[of.index()].falls
    }

    /// Number of those times at which it lost its power, so that nobody was told.
    #[must_use]
    pub fn blackouts(&self, of: ComponentId) -> u32 {
        self.world.infos[of.index()].blackouts
    }

    /// A connection is opened for a call that this component has just made, which takes `trips` round trips before the call
    /// itself is sent.
    ///
    /// # Panics
    /// If there is no round trip, or more than [`TRIPS_MAX`].
    pub fn open_for(&mut self, call: CallId, trips: u8) {
        assert!((1..=TRIPS_MAX).contains(&trips), "a connection takes 1 to {TRIPS_MAX} round trips");
        self.world.luggage.set_opening(call, Opening::of(trips));
        self.annotate(call, || match trips {
            1 => "opens a connection for it: one round trip".into(),
            _ => format!("opens a connection for it: {trips} round trips"),
        });
    }

    /// A call that this component has just made goes over a connection of which its callee knows nothing any more when it comes.
    pub fn send_over_closed(&mut self, call: CallId) {
        self.world.keep_to_connection(call, Opening::Closed);
        self.annotate(call, || "sends it over a connection that its callee does not know any more".into());
    }

    /// A call that this component has just made goes over a connection that is open. While nothing comes through, the kernel sends the
    /// call again, and no attempt to connect.
    pub fn send_over_open(&mut self, call: CallId) {
        // Where nothing fails, everything comes through.
        if self.world.has_faults {
            self.world.keep_to_connection(call, Opening::Kept);
        }
    }

    /// Whether a connection was opened for a call that is inside this component.
    #[must_use]
    pub fn is_first(&self, call: CallId) -> bool {
        self.world.luggage.opening(call) == Opening::Made
    }
}
