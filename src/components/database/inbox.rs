//! `Inbox`: batches that have overtaken an earlier one. The log travels on one connection, which delivers in order, so
//! they wait for the batches before them.

use crate::model::component::Cx;
use crate::model::signal::CallId;

use super::log::Log;
use super::message::Batch;

/// Batches of one log that arrived too early; at most the number that its sender may have in transit.
#[derive(Clone, Debug, Default)]
pub(super) struct Inbox(Vec<CallId>);

impl Inbox {
    /// Keeps a batch that has overtaken another one, and returns whether it did. An empty batch asks how far the log
    /// goes, and is answered at once.
    pub(super) fn keeps(&mut self, call: CallId, log: &Log, cx: &Cx<'_>) -> bool {
        let early = is_early(Batch::of(cx.get(call).ask()), log);
        if early {
            self.0.push(call);
        }
        early
    }

    /// Removes and returns the next batch that need not wait: those before it are here, or its sender has given it up.
    pub(super) fn next(&mut self, log: &Log, cx: &Cx<'_>) -> Option<CallId> {
        let due = |&call: &CallId| !is_early(Batch::of(cx.get(call).ask()), log) || !cx.is_awaited(call);
        let at = self.0.iter().position(due)?;
        Some(self.0.remove(at))
    }

    /// Drops all batches after a crash; the model has forgotten the calls.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn is_early(batch: Batch, log: &Log) -> bool {
    batch.epoch == log.epoch && !batch.adopt && batch.to >= batch.from && batch.from > log.received + 1
}
