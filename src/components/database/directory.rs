//! `Directory`: where the driver of a database asks for the shard of a key, before it asks the shard.

use crate::model::ask::{Ask, Got, Verb, Verbs};
use crate::model::call::Parent;
use crate::model::commits::UNKNOWN;
use crate::model::component::Cx;
use crate::model::signal::CallId;
use crate::model::site::Site;
use crate::parts::members::Members;

use super::spec::DatabaseSpec;

/// Ordinals of the ask for the shard of a key, and of the note of what was found out.
const LOOK_UP: u64 = 0;
const NOTE: u64 = 1;

/// The box that knows the shard of each key.
#[derive(Debug)]
pub(super) struct Directory {
    members: Members,
    /// What it is asked: a cache for the value of the key, a database for the row.
    verb: Verb,
}

impl Directory {
    /// The directory of a database; `None` if its rule tells the shard.
    pub(super) fn new(spec: &DatabaseSpec, site: &Site<'_>) -> Option<Directory> {
        let members = Members::new(spec.directory()?, site);
        let is_cache = site.answers[members.first().index()].meets(Verbs::GET);
        Some(Directory { members, verb: if is_cache { Verb::Get } else { Verb::Look } })
    }

    /// Asks for the shard of a query's key.
    pub(super) fn look_up(&mut self, query: CallId, key: u32, cx: &mut Cx<'_>) {
        cx.ask(Parent::Call(query), self.members.turn(), LOOK_UP, Ask { verb: self.verb, key });
    }

    /// Whether an answered call was such an ask.
    pub(super) fn is_asked(&self, call: CallId, cx: &Cx<'_>) -> bool {
        cx.get(call).ask().verb == self.verb
    }

    /// Whether an answer tells the shard. If not, the directory is told the shard, for the next who asks.
    pub(super) fn knows(&mut self, answered: CallId, cx: &mut Cx<'_>) -> bool {
        let call = cx.get(answered);
        let (Verb::Get, Got::Miss { token }) = (self.verb, Got::decode(call.answer)) else { return true };
        let (parent, key) = (call.parent, call.ask().key);
        if let Parent::Call(query) = parent {
            cx.annotate(query, || "finds no shard in the directory".into());
        }
        if let Some(token) = token {
            cx.ask(Parent::None, self.members.turn(), NOTE, Ask::put(key, token, UNKNOWN));
        }
        false
    }
}
