//! `Member`: what makes a database node one of several: its copies of the logs, and its part in writing them.

use std::fmt::Debug;

use crate::model::component::Cx;
use crate::model::signal::{Alarm, CallId, Outcome};

/// What becomes of a write that is durable at its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Commit {
    /// That is enough.
    Safe,
    /// It waits for replicas.
    Waits,
    /// The node has been fenced meanwhile.
    Void,
}

/// A node's part in a database of several.
pub(super) trait Member: Debug + Send {
    fn start(&mut self, cx: &mut Cx<'_>);

    // Queries -------------------------------------------------------------------------------------------------------

    /// Whether this node sends a query away.
    fn declines(&self, _is_write: bool) -> bool {
        false
    }

    /// Whether a lost write may be written again.
    fn admits(&self, _call: CallId, _cx: &mut Cx<'_>) -> bool {
        true
    }

    /// A read waits until a position is applied; false when it is.
    fn waits(&mut self, _call: CallId, _position: u64) -> bool {
        false
    }

    /// The next read whose position is applied.
    fn ready(&mut self) -> Option<CallId> {
        None
    }

    /// A read is answered.
    fn has_read(&self, call: CallId, cx: &mut Cx<'_>);

    /// A write is durable here.
    fn commit(&mut self, call: CallId, cx: &mut Cx<'_>) -> Commit;

    /// A flush is over and its writes have their positions.
    fn flushed(&mut self, cx: &mut Cx<'_>);

    /// A client is about to be told that its write is safe. The answer says how far it must read to see it.
    fn acknowledge(&mut self, call: CallId, cx: &mut Cx<'_>);

    /// The next write that is safe now.
    fn safe(&mut self) -> Option<CallId> {
        None
    }

    /// The next write that waits, whatever has become of it: this node is no primary any more.
    fn stranded(&mut self) -> Option<CallId> {
        None
    }

    // The other nodes -----------------------------------------------------------------------------------------------

    /// Another member of the database says something.
    fn message(&mut self, call: CallId, cx: &mut Cx<'_>);

    /// Another member has answered.
    fn answered(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>);

    /// A timer that is not a flush's.
    fn alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>);

    /// This node is no primary of an epoch below `epoch` any more; false when it is none.
    fn fence(&mut self, _epoch: u32, _cx: &mut Cx<'_>) -> bool {
        false
    }

    // Operations ----------------------------------------------------------------------------------------------------

    /// The process is gone. The log is durable and what has been applied too; what waited is lost.
    fn crash(&mut self, cx: &mut Cx<'_>);

    /// The process starts again.
    fn recover(&mut self, cx: &mut Cx<'_>);
}
