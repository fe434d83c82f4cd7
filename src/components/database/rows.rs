//! `Rows`: the versions of rows, for writes that are done only if nobody else has written meanwhile.

use std::collections::BTreeMap;

use crate::model::component::Cx;
use crate::model::signal::CallId;

/// The versions of one row: the number of writes to it.
#[derive(Clone, Copy, Debug, Default)]
struct Versions {
    /// Those that were let through, of which some may not be committed yet.
    taken: u32,
    /// Those that are committed, which readers see.
    committed: u32,
}

/// The versions of the rows that were read to be written, and of no others. A row is named by the class of the request, which has
/// keys of its own, and by the key: there are as many at most as classes have keys.
#[derive(Debug, Default)]
pub(super) struct Rows(BTreeMap<(u16, u32), Versions>);

impl Rows {
    /// The version of the row of a call, as a reader sees it. From now on its writes are counted.
    pub(super) fn look(&mut self, call: CallId, cx: &Cx<'_>) -> u32 {
        self.0.entry(row_of(call, cx)).or_default().committed
    }

    /// A call is about to write the row of which it has seen this version. Returns false if somebody has written it since, or is about
    /// to.
    pub(super) fn swap(&mut self, call: CallId, seen: u32, cx: &Cx<'_>) -> bool {
        let versions = self.0.entry(row_of(call, cx)).or_default();
        let is_free = versions.taken == seen;
        versions.taken += u32::from(is_free);
        is_free
    }

    /// A write is committed; `was_taken` tells whether [`Rows::swap`] has let it through.
    pub(super) fn committed(&mut self, call: CallId, was_taken: bool, cx: &Cx<'_>) {
        let Some(versions) = self.0.get_mut(&row_of(call, cx)) else { return };
        versions.taken += u32::from(!was_taken);
        versions.committed += 1;
    }

    /// The process is gone, and what it had not committed.
    pub(super) fn crash(&mut self) {
        self.0.values_mut().for_each(|versions| versions.taken = versions.committed);
    }
}

fn row_of(call: CallId, cx: &Cx<'_>) -> (u16, u32) {
    let call = cx.get(call);
    (call.class, call.ask().key)
}
