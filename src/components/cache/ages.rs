//! `Ages`: which commits of their database the values of a cache show.

use crate::model::ask::{Found, MISSING, SPARSE};
use crate::model::commits::{CommitsId, NEWEST, UNKNOWN};
use crate::model::component::Cx;
use crate::model::signal::CallId;

use super::{Cache, gauges};

/// The versions of the values that a cache keeps.
#[derive(Debug, Default)]
pub(super) struct Ages {
    /// The commits of the database behind the cache, once somebody has looked for it.
    commits: Option<Option<CommitsId>>,
    /// The version of the value of each key that was kept last. It grows with the number of keys that were.
    versions: Vec<u32>,
}

impl Ages {
    /// The commits of the database whose values the cache keeps, if there is one.
    fn commits(&mut self, cx: &Cx<'_>) -> Option<CommitsId> {
        *self.commits.get_or_insert_with(|| cx.commits_behind())
    }

    fn set(&mut self, key: u32, version: u32) {
        let key = key as usize;
        if self.versions.len() <= key {
            self.versions.resize(key + 1, UNKNOWN);
        }
        self.versions[key] = version;
    }

    fn of(&self, key: u32) -> u32 {
        self.versions.get(key as usize).copied().unwrap_or(UNKNOWN)
    }
}

/// The version of a value, from the answer of the box that has it.
pub(super) const fn version_in(answer: u64) -> u32 {
    Found::decode(answer).position as u32
}

/// An answer with a version of a value.
pub(super) fn answer_with(version: u32) -> u64 {
    Found { position: u64::from(version), ..Found::default() }.encode()
}

impl Cache {
    /// Notes the version of a value that is kept.
    pub(super) fn set_version(&mut self, key: u32, version: u32) {
        if let Some(ages) = &mut self.ages
            && key < MISSING
        {
            ages.set(key, version);
        }
    }

    /// The version of the value that is kept of a key.
    pub(super) fn version_of(&self, key: u32) -> u32 {
        self.ages.as_ref().filter(|_| key < MISSING).map_or(UNKNOWN, |ages| ages.of(key))
    }

    /// The version of the value of a key that was written last.
    pub(super) fn version_now(&mut self, key: u32, cx: &Cx<'_>) -> u32 {
        let commits = self.ages.as_mut().and_then(|ages| ages.commits(cx));
        commits.map_or(UNKNOWN, |commits| cx.version(commits, key, true))
    }

    /// Whether a version of a value is older than the last acknowledged write of its key. One that is not known may be.
    pub(super) fn is_outdated(&mut self, key: u32, version: u32, cx: &Cx<'_>) -> bool {
        let commits = self.ages.as_mut().and_then(|ages| ages.commits(cx));
        commits.is_none_or(|commits| version < cx.last_version(commits, key))
    }

    /// Counts a read that got what is kept of a key, or, if not `is_kept`, what the database has.
    pub(super) fn count_age(&mut self, call: CallId, key: u32, is_kept: bool, cx: &mut Cx<'_>) {
        let Some(ages) = self.ages.as_mut().filter(|_| key < SPARSE) else { return };
        let Some(commits) = ages.commits(cx) else { return };
        let version = if is_kept && key < MISSING { ages.of(key) } else { NEWEST };
        let is_old = version != UNKNOWN && version < cx.last_version(commits, key);
        cx.share(gauges::STALE_READ_SHARE, is_old);
        if is_old {
            cx.count(gauges::STALE_READS);
            cx.annotate(call, || "gets a value that is older than the last write".into());
        }
    }
}
