//! Steps of a server that ask a cache first, and what the cache does not have elsewhere (cache-aside).

use std::collections::BTreeMap;

use crate::model::ask::{Ask, Found, Got};
use crate::model::commits::UNKNOWN;
use crate::model::component::Cx;
use crate::model::signal::{CallId, Outcome};

use super::keys::{Data, key_ordinal, user_key};
use super::{Action, Server, gauges};

/// What a call brings a cache.
#[derive(Clone, Copy, Debug)]
struct Fill {
    /// What the cache has given it.
    token: u32,
    /// The version of the value that it has got elsewhere.
    version: u32,
}

/// The calls that may fill an entry of a cache.
#[derive(Debug, Default)]
pub(super) struct Tokens(BTreeMap<CallId, Fill>);

impl Tokens {
    /// A call has ended: it fills nothing any more.
    pub(super) fn forget(&mut self, call: CallId) {
        self.0.remove(&call);
    }
}

impl Server {
    /// Asks a cache for the value. Returns false for a call that writes: it goes on to the write.
    pub(super) fn get(&mut self, call: CallId, at: usize, cache: usize, cx: &mut Cx<'_>) -> bool {
        let is_session = self.stages[at].data == Data::User;
        if !is_session && self.writes[usize::from(cx.get(call).class)] {
            return false;
        }
        let ordinal = key_ordinal(at as u16);
        let key = if is_session { user_key(call, cx) } else { cx.data_key(call, ordinal) };
        self.ask_cache(call, at, cache, ordinal, Ask::get(key), cx);
        true
    }

    /// Brings a cache the value that it did not have, or tells it that the value was written. Returns false if there is nothing to
    /// do: the cache has not answered.
    pub(super) fn put(&mut self, call: CallId, at: usize, cache: usize, get: u16, cx: &mut Cx<'_>) -> bool {
        let is_session = self.stages[at].data == Data::User;
        let key = if is_session { user_key(call, cx) } else { cx.data_key(call, key_ordinal(get)) };
        if is_session {
            cx.count(gauges::LOGINS);
        }
        let ask = if !is_session && self.writes[usize::from(cx.get(call).class)] {
            Ask::wrote(key)
        } else {
            match self.tokens.as_mut().and_then(|tokens| tokens.0.remove(&call)) {
                Some(Fill { token, version }) => Ask::put(key, token, version),
                None => return false,
            }
        };
        self.ask_cache(call, at, cache, key_ordinal(at as u16), ask, cx);
        true
    }

    fn ask_cache(&mut self, call: CallId, at: usize, cache: usize, ordinal: u64, ask: Ask, cx: &mut Cx<'_>) {
        cx.get_mut(call).notes.step = at as u16;
        let to = self.others[cache].turn();
        self.send(call, to, ordinal, ask, cx);
    }

    /// A cache has answered a get, or has failed to: that is as if it did not have the value, but nobody fills it then.
    pub(super) fn got(&mut self, call: CallId, end: u16, outcome: Outcome, word: u64, cx: &mut Cx<'_>) {
        if outcome != Outcome::Ok {
            cx.annotate(call, || "goes on without the cache".into());
            return self.go_on(call, cx);
        }
        match Got::decode(word) {
            Got::Hit => {
                let step = cx.get(call).notes.step;
                self.proceed(call, end - step + 1, cx);
            }
            Got::Miss { token } => {
                if let Some(token) = token {
                    let fill = Fill { token, version: UNKNOWN };
                    self.tokens.get_or_insert_default().0.insert(call, fill);
                }
                self.go_on(call, cx);
            }
        }
    }

    /// Says which caches keep values of which databases.
    pub(super) fn start_aside(&self, cx: &mut Cx<'_>) {
        for stage in &self.stages {
            let (Data::OfStep(get), Action::Query(database, ..)) = (stage.data, &stage.action) else {
                continue;
            };
            if let Action::Get(cache, _) = self.stages[usize::from(get)].action {
                let from = self.databases[*database].targets.first();
                cx.keeps_values(self.others[cache].first(), from);
            }
        }
    }

    /// Whether an answer is that of a cache, which is handled here.
    pub(super) fn is_of_cache(&mut self, call: CallId, outcome: Outcome, word: u64, cx: &mut Cx<'_>) -> bool {
        match self.stages[usize::from(cx.get(call).notes.step)].action {
            Action::Get(_, end) => self.got(call, end, outcome, word, cx),
            Action::Put(..) => self.go_on(call, cx),
            _ => {
                // What the cache does not have has an answer, or a part of it.
                let fill = self.tokens.as_mut().and_then(|tokens| tokens.0.get_mut(&call));
                if let Some(fill) = fill {
                    fill.version = Found::decode(word).position as u32;
                }
                return false;
            }
        }
        true
    }
}
