//! Which commits the values show that a cache keeps.

use crate::model::commits::CommitsId;
use crate::model::signal::ComponentId;

use super::Cx;

impl Cx<'_> {
    /// The commits of this component's box, which tells of them. To be opened in `start`.
    pub fn open_commits(&mut self) -> CommitsId {
        self.world.commits.open(&self.world.infos[self.me.index()].group)
    }

    /// Says that the box of one component keeps values that it has from the box of another one. To be said in `start`.
    pub fn keeps_values(&mut self, keeper: ComponentId, from: ComponentId) {
        let [keeper, from] = [keeper, from].map(|id| &self.world.infos[id.index()].group);
        self.world.commits.keep(keeper, from);
    }

    /// The commits of the box whose values this one keeps, once all components have started; `None` if there is none, or there are
    /// several.
    #[must_use]
    pub fn commits_behind(&self) -> Option<CommitsId> {
        self.world.commits.behind(&self.world.infos[self.me.index()].group)
    }

    /// A write of a key is acknowledged.
    #[inline]
    pub fn committed(&mut self, commits: CommitsId, key: u32) {
        self.world.commits.wrote(commits, key);
    }

    /// The version of the value that a query of a key reads now, which shows the last acknowledged write of the key or does not.
    #[inline]
    #[must_use]
    pub fn version(&self, commits: CommitsId, key: u32, sees_last: bool) -> u32 {
        self.world.commits.version(commits, key, sees_last)
    }

    /// The least version that shows the last acknowledged write of a key.
    #[inline]
    #[must_use]
    pub fn last_version(&self, commits: CommitsId, key: u32) -> u32 {
        self.world.commits.last(commits, key)
    }
}
