//! `Inbox`: batches that have overtaken an earlier one. The log comes on one connection, which delivers in order: they wait
//! for what is before them.

use crate::model::component::Cx;
use crate::model::signal::CallId;

use super::log::Log;
use super::message::Batch;

/// Batches of one log that have come too early; no more than its sender has on the way.
#[derive(Clone, Debug, Default)]
pub(super) struct Inbox(Vec<CallId>);

impl Inbox {
    /// Whether a batch has overtaken another one; then it is kept. An empty one asks how far the log goes, and is answered.
    pub(super) fn keeps(&mut self, call: CallId, log: &Log, cx: &Cx<'_>) -> bool {
        let early = is_early(Batch::of(cx.get(call).ask()), log);
        if early {
            self.0.push(call);
        }
        early
    }

    /// The next one that must wait no longer: what was before it is there, or its sender does not count on it any more.
    pub(super) fn next(&mut self, log: &Log, cx: &Cx<'_>) -> Option<CallId> {
        let due = |&call: &CallId| !is_early(Batch::of(cx.get(call).ask()), log) || !cx.is_awaited(call);
        let at = self.0.iter().position(due)?;
        Some(self.0.remove(at))
    }

    /// After a crash: the model has forgotten the calls.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

fn is_early(batch: Batch, log: &Log) -> bool {
    batch.epoch == log.epoch && !batch.adopt && batch.to >= batch.from && batch.from > log.received + 1
}
