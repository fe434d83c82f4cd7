//! `Member`: what a database node does as one of several: its copies of the logs, and its part in writing them.

use std::fmt::Debug;

use crate::model::component::Cx;
use crate::model::signal::{Alarm, CallId, Outcome};

/// What happens to a write that is durable at its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Commit {
    /// It is safe, and can be acknowledged.
    Safe,
    /// It waits for replicas.
    Waits,
    /// It is void: the node was fenced meanwhile.
    Void,
}

/// The part of a node in a database of several.
pub(super) trait Member: Debug + Send {
    fn start(&mut self, cx: &mut Cx<'_>);

    // Queries -------------------------------------------------------------------------------------------------------

    /// Whether this node refuses a query.
    fn declines(&self, _is_write: bool) -> bool {
        false
    }

    /// Whether a lost write may be written again.
    fn admits(&self, _call: CallId, _cx: &mut Cx<'_>) -> bool {
        true
    }

    /// Makes a read wait until `position` is applied. Returns false if it is applied already.
    fn waits(&mut self, _call: CallId, _position: u64) -> bool {
        false
    }

    /// The next waiting read whose position is applied.
    fn ready(&mut self) -> Option<CallId> {
        None
    }

    /// Notes that a read is answered. Returns whether it sees the last acknowledged write of its key.
    fn has_read(&self, call: CallId, cx: &mut Cx<'_>) -> bool;

    /// Notes that a write is durable here. Returns what happens to it.
    fn commit(&mut self, call: CallId, cx: &mut Cx<'_>) -> Commit;

    /// Notes that a flush has ended, and its writes have their positions.
    fn flushed(&mut self, cx: &mut Cx<'_>);

    /// Notes that the client is about to be told that its write is safe. Writes into the answer how far a read must see
    /// to see the write.
    fn acknowledge(&mut self, call: CallId, cx: &mut Cx<'_>);

    /// The next waiting write that is safe now.
    fn safe(&mut self) -> Option<CallId> {
        None
    }

    /// The next waiting write, safe or not, because this node is no longer a primary.
    fn stranded(&mut self) -> Option<CallId> {
        None
    }

    // The other nodes -----------------------------------------------------------------------------------------------

    /// Handles a message from another member of the database.
    fn message(&mut self, call: CallId, cx: &mut Cx<'_>);

    /// Handles an answer of another member.
    fn answered(&mut self, call: CallId, outcome: Outcome, cx: &mut Cx<'_>);

    /// Handles a timer that is not that of a flush.
    fn alarm(&mut self, alarm: Alarm, cx: &mut Cx<'_>);

    /// Ends the node's role as primary of any epoch below `epoch`. Returns false if it had no such role.
    fn fence(&mut self, _epoch: u32, _cx: &mut Cx<'_>) -> bool {
        false
    }

    // Operations ----------------------------------------------------------------------------------------------------

    /// Handles an order of a switch between sites.
    fn order(&mut self, _code: u16, _cx: &mut Cx<'_>) {}

    /// Handles a crash. What has been applied is durable, and so is the log, unless the machine `has_no_power`: then what
    /// was not flushed is lost. Waiting reads and writes are lost.
    fn crash(&mut self, has_no_power: bool, cx: &mut Cx<'_>);

    /// Handles the restart of the process.
    fn recover(&mut self, cx: &mut Cx<'_>);
}
