//! `Commits`: the last commit of each key of the databases, for caches, whose values may be older. For results only.

use super::ask::MISSING;

/// Names the commits of one database.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CommitsId(usize);

impl CommitsId {
    /// Names none: what a component holds until its `start`.
    pub const NONE: CommitsId = CommitsId(usize::MAX);
}

/// The version of the values with which a trial begins.
pub const OLDEST: u32 = 1;

/// A version of a value that shows every commit, those to come too.
pub const NEWEST: u32 = u32::MAX;

/// The version of a value of which nobody knows which commits it shows.
pub const UNKNOWN: u32 = 0;

/// The commits of one database.
#[derive(Debug)]
struct Log {
    /// The name of the box.
    group: String,
    /// The number of the last commit; that of the data with which the trial begins is [`OLDEST`].
    count: u32,
    /// The number of the last commit of each key, 0 without one. It grows with the number of keys that are written.
    last: Vec<u32>,
}

/// The commits of all databases, which are counted where a cache keeps values of one.
#[derive(Debug, Default)]
pub(super) struct Commits {
    logs: Vec<Log>,
    /// The names of boxes that keep values, each with that of a box from which it has them.
    kept: Vec<(String, String)>,
}

impl Commits {
    /// The commits of the database of this name.
    pub(super) fn open(&mut self, group: &str) -> CommitsId {
        let known = self.logs.iter().position(|log| log.group == group);
        CommitsId(known.unwrap_or_else(|| {
            self.logs.push(Log { group: group.to_owned(), count: OLDEST, last: Vec::new() });
            self.logs.len() - 1
        }))
    }

    /// A box keeps values that it has from another one.
    pub(super) fn keep(&mut self, keeper: &str, from: &str) {
        let pair = (keeper.to_owned(), from.to_owned());
        if !self.kept.contains(&pair) {
            self.kept.push(pair);
        }
    }

    /// The commits of the database from which a box has its values, through others that keep them too; `None` if there is none, or
    /// there are several.
    pub(super) fn behind(&self, keeper: &str) -> Option<CommitsId> {
        let mut of = keeper;
        // A circle is no longer than this.
        for _ in 0..=self.kept.len() {
            if let Some(place) = self.logs.iter().position(|log| log.group == of) {
                return Some(CommitsId(place));
            }
            let now = of;
            let mut from = self.kept.iter().filter(|(keeper, _)| keeper == now).map(|(_, from)| from);
            of = from.next()?;
            if from.next().is_some() {
                return None;
            }
        }
        None
    }

    /// A write of a key is acknowledged. What users own, such as sessions, is not counted: its keys lie anywhere.
    #[inline]
    pub(super) fn wrote(&mut self, CommitsId(place): CommitsId, key: u32) {
        if self.kept.is_empty() || key >= MISSING {
            return;
        }
        let Log { count, last, .. } = &mut self.logs[place];
        *count += 1;
        let key = key as usize;
        if last.len() <= key {
            last.resize(key + 1, 0);
        }
        last[key] = *count;
    }

    /// The version of a value that is read now, by whom who `sees` the last commit of its key or does not.
    #[inline]
    pub(super) fn version(&self, CommitsId(place): CommitsId, key: u32, sees: bool) -> u32 {
        if self.kept.is_empty() {
            return UNKNOWN;
        }
        if sees {
            self.logs[place].count
        } else {
            self.last(CommitsId(place), key).saturating_sub(1).max(OLDEST)
        }
    }

    /// The number of the last commit of a key.
    #[inline]
    pub(super) fn last(&self, CommitsId(place): CommitsId, key: u32) -> u32 {
        self.logs[place].last.get(key as usize).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_old_once_its_key_is_written() {
        let mut commits = Commits::default();
        let db = commits.open("db");
        commits.wrote(db, 7);
        assert_eq!(commits.version(db, 7, true), UNKNOWN, "nobody keeps anything");
        commits.keep("memo", "db");
        let before = commits.version(db, 7, true);
        assert!(commits.last(db, 7) <= before);
        commits.wrote(db, 8);
        assert!(commits.last(db, 7) <= before && commits.last(db, 8) > before);
        commits.wrote(db, 7);
        assert!(commits.last(db, 7) > before && commits.last(db, 7) <= commits.version(db, 7, true));
        assert!(commits.version(db, 7, false) < commits.last(db, 7), "a copy that lacks the last commit");
        assert!(commits.last(db, 7) < NEWEST);
        commits.wrote(db, u32::MAX);
        assert_eq!(commits.last(db, u32::MAX), 0);
    }

    #[test]
    fn caches_in_a_row_have_the_values_of_the_last_box() {
        let mut commits = Commits::default();
        let db = commits.open("db");
        assert_eq!(commits.open("db"), db);
        commits.keep("near", "far");
        commits.keep("far", "db");
        assert_eq!(commits.behind("near"), Some(db));
        assert_eq!(commits.behind("other"), None);
        commits.keep("far", "db");
        assert_eq!(commits.behind("far"), Some(db));
        // Values of two boxes are not told apart, and a circle leads nowhere.
        commits.open("second");
        commits.keep("far", "second");
        assert_eq!(commits.behind("near"), None);
        commits.keep("one", "two");
        commits.keep("two", "one");
        assert_eq!(commits.behind("one"), None);
    }
}
