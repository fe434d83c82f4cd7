//! `Fills`: the keys whose values somebody is getting, who waits for them, and which were written since.

use std::collections::BTreeMap;

use crate::kernel::time::SimTime;
use crate::model::signal::CallId;

/// A key that somebody is filling.
#[derive(Debug)]
struct Fill {
    since: SimTime,
    waiting: Vec<CallId>,
}

/// What is known of keys besides their entries.
#[derive(Debug, Default)]
pub(super) struct Fills {
    under_way: BTreeMap<u32, Fill>,
    /// Number of writes that were told, of all keys, and at the last one of each key.
    writes: u32,
    written: BTreeMap<u32, u32>,
}

impl Fills {
    /// Whether somebody has begun to fill a key after `since`.
    pub(super) fn is_filling(&self, key: u32, since: SimTime) -> bool {
        self.under_way.get(&key).is_some_and(|fill| fill.since >= since)
    }

    /// Somebody begins to fill a key, now or anew. Who waits, waits on.
    pub(super) fn begin(&mut self, key: u32, now: SimTime) {
        self.under_way.entry(key).or_insert_with(|| Fill { since: now, waiting: Vec::new() }).since = now;
    }

    /// A call waits until the key is filled. Returns whether it is the first that does.
    pub(super) fn wait(&mut self, key: u32, call: CallId) -> bool {
        let Some(fill) = self.under_way.get_mut(&key) else { return false };
        fill.waiting.push(call);
        fill.waiting.len() == 1
    }

    /// The fill of a key is over, whatever came of it. Returns those who have waited.
    pub(super) fn end(&mut self, key: u32) -> Vec<CallId> {
        self.under_way.remove(&key).map_or_else(Vec::new, |fill| fill.waiting)
    }

    /// The call that waits first takes the fill over, if nothing has come of one that began before `until`.
    pub(super) fn take_over(&mut self, key: u32, until: SimTime) -> Option<CallId> {
        let fill =
            self.under_way.get_mut(&key).filter(|fill| fill.since <= until && !fill.waiting.is_empty())?;
        Some(fill.waiting.remove(0))
    }

    /// Whether somebody waits for a key.
    pub(super) fn has_waiting(&self, key: u32) -> bool {
        self.under_way.get(&key).is_some_and(|fill| !fill.waiting.is_empty())
    }

    /// A token for a caller that gets the value elsewhere: whether it is still the same when the caller comes back.
    pub(super) const fn token(&self) -> u32 {
        self.writes
    }

    /// A key was written.
    pub(super) fn wrote(&mut self, key: u32) {
        self.writes += 1;
        self.written.insert(key, self.writes);
    }

    /// Whether a key was written since a token was given.
    pub(super) fn is_written_since(&self, key: u32, token: u32) -> bool {
        self.written.get(&key).is_some_and(|at| *at > token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;

    #[test]
    fn one_fills_and_the_others_wait() {
        let at = |seconds| SimTime::ZERO + SimDuration::from_secs(seconds);
        let mut fills = Fills::default();
        assert!(!fills.is_filling(7, at(0)));
        fills.begin(7, at(1));
        assert!(fills.is_filling(7, at(0)) && !fills.is_filling(7, at(2)));
        assert_eq!([fills.wait(7, CallId::NONE), fills.wait(7, CallId::NONE)], [true, false]);
        assert_eq!(fills.take_over(7, at(0)), None);
        assert_eq!(fills.take_over(7, at(1)), Some(CallId::NONE));
        assert_eq!((fills.end(7).len(), fills.end(7).len()), (1, 0));
    }

    #[test]
    fn a_token_tells_whether_a_key_was_written_since() {
        let mut fills = Fills::default();
        let token = fills.token();
        assert!(!fills.is_written_since(7, token));
        fills.wrote(7);
        assert!(fills.is_written_since(7, token) && !fills.is_written_since(8, token));
        assert!(!fills.is_written_since(7, fills.token()));
    }
}
