//! `Names`: the request classes and components that an expression may name, and the gauges of each component.

use crate::model::gauge::Gauge;

/// The names that an expression may use.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Request classes.
    pub classes: Vec<String>,
    /// Components: groups and their members.
    pub components: Vec<ComponentName>,
    /// Whether these are all names of a scenario, with all gauges: a metric of data that no box has is then an error.
    pub is_whole: bool,
}

/// A component that an expression may name.
#[derive(Clone, Debug)]
pub struct ComponentName {
    /// Its name: `web`, or `web-2` of the group `web`.
    pub name: String,
    /// The name of its table.
    pub group: String,
    /// Its kind: `server`.
    pub kind: &'static str,
    /// What it counts and measures beside the figures that all boxes have.
    pub gauges: Vec<&'static Gauge>,
}

impl ComponentName {
    /// A box, by the name of its table.
    #[must_use]
    pub fn group(name: &str, kind: &'static str, gauges: &'static [Gauge]) -> ComponentName {
        let gauges = gauges.iter().collect();
        ComponentName { name: name.to_owned(), group: name.to_owned(), kind, gauges }
    }

    /// A member of this box, which has none of the figures that only the whole box has.
    #[must_use]
    pub fn member(&self, name: String) -> ComponentName {
        let own = self.gauges.iter().copied().filter(|gauge| !gauge.is_of_box);
        ComponentName { name, gauges: own.collect(), ..self.clone() }
    }

    /// Its gauge of this name.
    #[must_use]
    pub fn gauge(&self, name: &str) -> Option<Gauge> {
        self.gauges.iter().find(|gauge| gauge.name == name).map(|gauge| **gauge)
    }
}

impl Names {
    /// These classes and components, which have no gauges.
    #[must_use]
    pub fn plain(classes: &[&str], components: &[&str]) -> Names {
        Names {
            classes: classes.iter().map(|&name| name.to_owned()).collect(),
            components: components.iter().map(|name| ComponentName::group(name, "server", &[])).collect(),
            is_whole: false,
        }
    }

    /// The component of this name.
    pub(in crate::scenario) fn component(&self, name: &str) -> Option<&ComponentName> {
        self.components.iter().find(|component| component.name == name)
    }

    /// The boxes that have a gauge of this name.
    pub(super) fn boxes_with(&self, gauge: &str) -> Vec<&ComponentName> {
        let is_box = |one: &&ComponentName| one.name == one.group && one.gauge(gauge).is_some();
        self.components.iter().filter(is_box).collect()
    }

    /// Whether a box has figures of its data.
    pub(super) fn has_data(&self) -> bool {
        !self.boxes_with("lost_writes").is_empty()
    }

    /// The names of all gauges, each once.
    pub(super) fn gauges(&self) -> Vec<&'static str> {
        let mut names: Vec<&'static str> = Vec::new();
        for gauge in self.components.iter().flat_map(|component| &component.gauges) {
            if !names.contains(&gauge.name) {
                names.push(gauge.name);
            }
        }
        names
    }
}
