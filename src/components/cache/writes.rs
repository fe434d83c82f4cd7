//! Writes that come to a cache, or of which it is told.

use crate::model::ask::{Ask, Scope};
use crate::model::commits::NEWEST;
use crate::model::component::Cx;
use crate::model::signal::{CallId, Outcome};

use super::spec::Writes;
use super::{Cache, gauges};

impl Cache {
    /// A write comes to a cache in front of its target.
    pub(super) fn write(&mut self, call: CallId, key: u32, cx: &mut Cx<'_>) {
        if self.writes == Writes::Behind && self.behind.takes(key) {
            self.written(key, cx);
            let origin = cx.get(call).origin();
            self.behind.add(key, origin);
            cx.level(gauges::BEHIND, self.behind.len());
            cx.annotate(call, || "is answered before the database has it".into());
            cx.reply(call, Outcome::Ok);
            return self.write_behind(cx);
        }
        self.pass_on(call, key, cx);
    }

    /// Sends writes to the target that were answered before.
    fn write_behind(&mut self, cx: &mut Cx<'_>) {
        while let Some((number, key, origin)) = self.behind.next() {
            let Some(target) = &mut self.target else { return };
            let child = cx.ask_for(origin, number, target.turn(), 0, Ask::query(key, Scope::default()));
            self.hand.wait_for(child, cx);
        }
    }

    /// A write that was answered before is done, or has failed.
    pub(super) fn written_behind(&mut self, number: u32, outcome: Outcome, cx: &mut Cx<'_>) {
        if !self.behind.done(number) {
            return;
        }
        if outcome != Outcome::Ok {
            cx.count(gauges::LOST_WRITES);
        }
        cx.level(gauges::BEHIND, self.behind.len());
        self.write_behind(cx);
    }

    /// The data of a key were written.
    pub(super) fn written(&mut self, key: u32, cx: &mut Cx<'_>) {
        self.fills.wrote(key);
        match self.writes {
            Writes::Delete => self.shelf.remove(key),
            Writes::Through => {
                let version = self.version_now(key, cx);
                self.keep(key, version, cx);
            }
            // It is newer than what the database has.
            Writes::Behind => self.keep(key, NEWEST, cx),
            Writes::None => {}
        }
        cx.level(gauges::ENTRIES, self.shelf.len() as u64);
    }
}
