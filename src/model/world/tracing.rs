//! What a trace tells of writes: how they get from the primary into the logs of its replicas, also after the answer.

use super::World;
use crate::model::signal::{CallId, ComponentId};

impl World {
    #[cold]
    pub(in super::super) fn tell_write(
        &mut self,
        me: ComponentId,
        id: CallId,
        book: usize,
        epoch: u16,
        position: u64,
    ) {
        let Some(call) = self.calls.get(id.0).copied() else { return };
        let Some(trace) = self.trace.as_mut().filter(|trace| trace.follows(call.client, call.number)) else {
            return;
        };
        let text = match trace.wrote(book, epoch, position) {
            true => format!("has write {position} of its log on the disk"),
            false => format!("has write {position} of an old log on the disk: it is lost"),
        };
        self.tell(me, call.client, call.number, |_| text);
    }

    #[cold]
    pub(in super::super) fn tell_log(
        &mut self,
        me: ComponentId,
        book: usize,
        after: u64,
        to: u64,
        text: impl Fn(u64) -> String,
    ) {
        let positions = self.trace.as_ref().map_or(Vec::new(), |trace| trace.written(book, after, to));
        self.tell_positions(me, &positions, text);
    }

    #[cold]
    pub(in super::super) fn tell_fork(&mut self, me: ComponentId, book: usize, epoch: u16, start: u64) {
        let lost = self.trace.as_mut().map_or(Vec::new(), |trace| trace.forked(book, epoch, start));
        self.tell_positions(me, &lost, |position| {
            format!("is the primary without write {position}: it is lost")
        });
    }

    fn tell_positions(&mut self, me: ComponentId, positions: &[u64], text: impl Fn(u64) -> String) {
        let (now, name) = (self.now(), &self.infos[me.index()].name);
        if let Some(trace) = &mut self.trace {
            positions.iter().for_each(|&position| trace.push(now, name, text(position)));
        }
    }
}
