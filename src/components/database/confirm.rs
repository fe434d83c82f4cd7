//! `Confirm`: what a replica does with the log that it has received before it tells the primary that a commit is safe:
//! nothing, a flush, or a flush and its application.

use crate::kernel::random::Stream;
use crate::kernel::variate::Variate;
use crate::model::component::Cx;
use crate::model::signal::About;

use super::spec::{DatabaseSpec, Replication, Sync};
use super::timer;

/// How far a replica is with confirming its log.
#[derive(Debug)]
pub(super) struct Confirm {
    /// What a commit waits for; `None` if it waits for no replica.
    sync: Option<Sync>,
    /// Time of a durable flush.
    commit: Variate,
    stream: Option<Stream>,
    /// Position up to which the flush in progress goes.
    flushing: Option<u64>,
    /// Position up to which the log is flushed.
    flushed: u64,
    /// Position up to which the primary knows.
    told: Option<u64>,
}

impl Confirm {
    pub(super) fn new(spec: &DatabaseSpec) -> Confirm {
        let waits = spec.replication.unwrap_or_default() != Replication::Async;
        Confirm {
            sync: waits.then(|| spec.sync()),
            commit: spec.apply_commit().variate(),
            stream: None,
            flushing: None,
            flushed: 0,
            told: None,
        }
    }

    /// Whether the answer to a batch says that its writes are safe.
    pub(super) fn is_immediate(&self) -> bool {
        self.sync.is_none_or(|sync| sync == Sync::RemoteWrite)
    }

    /// Starts a flush if something is not flushed and none is in progress.
    pub(super) fn flush(&mut self, received: u64, cx: &mut Cx<'_>) {
        if self.is_immediate() || self.flushing.is_some() || received <= self.flushed {
            return;
        }
        self.flushing = Some(received);
        let stream = self.stream.get_or_insert_with(|| cx.stream("confirm"));
        let time = self.commit.draw(stream);
        cx.alarm(time, timer::CONFIRMED, About::Nothing);
    }

    /// Position up to which the log is flushed.
    pub(super) fn durable(&self) -> u64 {
        self.flushed
    }

    /// Notes that the flush has ended.
    pub(super) fn flushed(&mut self) {
        self.flushed = self.flushing.take().unwrap_or(self.flushed);
    }

    /// The position to tell the primary, if it does not know it; `applied` is the position that readers see.
    pub(super) fn news(&mut self, applied: u64) -> Option<u64> {
        let safe = match self.sync? {
            Sync::RemoteWrite => return None,
            Sync::Flush => self.flushed,
            Sync::Apply => self.flushed.min(applied),
        };
        (self.told != Some(safe)).then(|| {
            self.told = Some(safe);
            safe
        })
    }

    /// The primary asks how far the log goes: it is to be told again.
    pub(super) fn asked(&mut self) {
        self.told = None;
    }

    /// The log is durable up to `position` and has nothing after it.
    pub(super) fn restart(&mut self, position: u64) {
        self.flushing = None;
        self.flushed = position;
        self.told = None;
    }

    /// Handles a crash: a flush that was in progress has not ended.
    pub(super) fn crash(&mut self) {
        self.flushing = None;
        self.told = None;
    }
}
