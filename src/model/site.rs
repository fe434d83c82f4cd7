//! Where a component is built: its name, and the ids behind the names it refers to.

use std::collections::BTreeMap;

use super::class::RequestClass;
use super::signal::ComponentId;

/// What the names of a scenario stand for.
#[derive(Debug, Default)]
pub struct Directory {
    members: BTreeMap<String, Vec<ComponentId>>,
}

impl Directory {
    /// Adds a member of a group; a member of a group of several is known by its own name too.
    pub fn add(&mut self, group: &str, name: &str, id: ComponentId) {
        self.members.entry(group.to_owned()).or_default().push(id);
        if group != name {
            self.members.entry(name.to_owned()).or_default().push(id);
        }
    }

    /// All members behind a name, in order; empty for an unknown name.
    #[must_use]
    pub fn members(&self, name: &str) -> &[ComponentId] {
        self.members.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Where a component is built.
#[derive(Debug)]
pub struct Site<'a> {
    /// Name of the member: `web-2`.
    pub name: &'a str,
    /// Number of the member, from 0.
    pub member: u32,
    /// What the names stand for.
    pub directory: &'a Directory,
    /// The request classes of the scenario.
    pub classes: &'a [RequestClass],
    /// Kind of each component, by id.
    pub kinds: &'a [&'static str],
}

impl Site<'_> {
    /// The one component behind a name; of a group, the first.
    ///
    /// # Panics
    /// When the name stands for nothing: the loader has checked every arrow.
    #[must_use]
    pub fn find(&self, name: &str) -> ComponentId {
        *self.directory.members(name).first().expect("the loader has checked every name")
    }
}
