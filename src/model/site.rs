//! Where a component is built: its name, and the ids behind the names it refers to.

use std::collections::BTreeMap;

use super::class::RequestClass;
use super::signal::ComponentId;

/// How a member of a box stands to the box's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The name of the box stands for it, among others.
    Entry,
    /// The name of the box stands for it, and it is a part of whoever calls: messages to it take no time.
    Driver,
    /// It is known by its own name only.
    Inner,
}

/// What the names of a scenario stand for.
#[derive(Debug, Default)]
pub struct Directory {
    members: BTreeMap<String, Vec<ComponentId>>,
    everyone: BTreeMap<String, Vec<ComponentId>>,
}

impl Directory {
    /// Adds a member of a group; a member of a group of several is known by its own name too, and an inner one by its
    /// own name only.
    pub fn add(&mut self, group: &str, name: &str, standing: Standing, id: ComponentId) {
        if standing != Standing::Inner {
            self.members.entry(group.to_owned()).or_default().push(id);
        }
        if group != name {
            self.members.entry(name.to_owned()).or_default().push(id);
            self.everyone.entry(name.to_owned()).or_default().push(id);
        }
        self.everyone.entry(group.to_owned()).or_default().push(id);
    }

    /// All members of a group, those among them that its name does not stand for when it is called; empty for an
    /// unknown name. For what happens to a whole group: a fault, a partition.
    #[must_use]
    pub fn everyone(&self, name: &str) -> &[ComponentId] {
        self.everyone.get(name).map_or(&[], Vec::as_slice)
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
    /// Name of its box: `web`.
    pub group: &'a str,
    /// Number of the member, from 0.
    pub member: u32,
    /// What the names stand for.
    pub directory: &'a Directory,
    /// The request classes of the scenario.
    pub classes: &'a [RequestClass],
    /// Kind of each component, by id.
    pub kinds: &'a [&'static str],
    /// Region of each component, by id.
    pub regions: &'a [Option<&'a str>],
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
