//! `Site`: what a component knows when it is built: its own name, and the ids behind the names that it refers to.

use std::collections::BTreeMap;

use super::ask::Verbs;
use super::class::RequestClass;
use super::signal::ComponentId;
use super::switching::Moves;

/// Whether the name of a box leads to one of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The name of the box leads to this member, perhaps among others.
    Entry,
    /// The name of the box leads to this member, which is a part of the caller: messages to it take no time.
    Driver,
    /// Only the member's own name leads to it.
    Inner,
    /// The same, and it stands on the internet, wherever the box stands.
    Outside,
}

/// The components behind the names of a scenario.
#[derive(Debug, Default)]
pub struct Directory {
    members: BTreeMap<String, Vec<ComponentId>>,
    everyone: BTreeMap<String, Vec<ComponentId>>,
}

impl Directory {
    /// Adds a member of a group. In a group of several, a member is also known by its own name; an inner member only by
    /// that.
    pub fn add(&mut self, group: &str, name: &str, standing: Standing, id: ComponentId) {
        if !matches!(standing, Standing::Inner | Standing::Outside) {
            self.members.entry(group.to_owned()).or_default().push(id);
        }
        if group != name {
            self.members.entry(name.to_owned()).or_default().push(id);
            self.everyone.entry(name.to_owned()).or_default().push(id);
        }
        self.everyone.entry(group.to_owned()).or_default().push(id);
    }

    /// All members of a group, including those that its name does not lead to; empty for an unknown name. For what
    /// happens to the whole group, such as a fault or a partition.
    #[must_use]
    pub fn everyone(&self, name: &str) -> &[ComponentId] {
        self.everyone.get(name).map_or(&[], Vec::as_slice)
    }

    /// All members that a name leads to, in order; empty for an unknown name.
    #[must_use]
    pub fn members(&self, name: &str) -> &[ComponentId] {
        self.members.get(name).map_or(&[], Vec::as_slice)
    }
}

/// Connections that a component keeps open to a box.
#[derive(Clone, Debug)]
pub struct KeptOpen {
    /// The component.
    pub by: ComponentId,
    /// Name of the box.
    pub to: String,
    /// Their number, at least one.
    pub open: u32,
}

/// What a component knows when it is built.
#[derive(Debug)]
pub struct Site<'a> {
    /// Name of the member: `web-2`.
    pub name: &'a str,
    /// Name of its box: `web`.
    pub group: &'a str,
    /// Number of the member, from 0.
    pub member: u32,
    /// The components behind the names.
    pub directory: &'a Directory,
    /// The request classes of the scenario.
    pub classes: &'a [RequestClass],
    /// Kind of each component, by id.
    pub kinds: &'a [&'static str],
    /// What each component answers, by id.
    pub answers: &'a [Verbs],
    /// Region of each component, by id.
    pub regions: &'a [Option<&'a str>],
    /// Whether each component is off when the trial begins, by id; empty if none is.
    pub off: &'a [bool],
    /// The switch that moves this box from one site to another; `None` where none does.
    pub switch: Option<ComponentId>,
    /// Of a switch: what it does.
    pub moves: Option<&'a Moves>,
    /// The connections that stay open, in the order of the ids of those who keep them.
    pub kept: &'a [KeptOpen],
}

impl Site<'_> {
    /// Whether a component is off when the trial begins: a member of a fleet that comes later.
    #[must_use]
    pub fn is_off(&self, component: ComponentId) -> bool {
        self.off.get(component.index()).is_some_and(|off| *off)
    }

    /// The component behind a name; the first one of a group.
    ///
    /// # Panics
    /// If the name leads to nothing. The loader has checked every arrow.
    #[must_use]
    pub fn find(&self, name: &str) -> ComponentId {
        *self.directory.members(name).first().expect("the loader has checked every name")
    }
}
