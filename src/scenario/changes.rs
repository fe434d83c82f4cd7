//! What one scenario has that another has not, by key.

use toml::{Table, Value};

use super::Scenario;

/// Tables that say how to run a scenario and what to expect of it, and not what the system is.
const NOT_THE_SYSTEM: [&str; 6] = ["title", "chapter", "run", "expect", "fault", "operation"];

/// The boxes and keys in which two scenarios differ, apart from how they are run.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Changes {
    /// Boxes that only the second scenario has: `server.web`.
    pub added: Vec<String>,
    /// Boxes that only the first scenario has.
    pub removed: Vec<String>,
    /// Keys of boxes that both have, with the values of the second: `server.web.count = 4`; `no database.db.on` for a key
    /// that is gone.
    pub changed: Vec<String>,
}

impl Changes {
    /// What the scenario `after` changes in the scenario `before`.
    #[must_use]
    pub fn between(before: &Scenario, after: &Scenario) -> Changes {
        let mut changes = Changes::default();
        let (before, after) = (boxes(&before.text), boxes(&after.text));
        let find = |all: &[(String, Table)], name: &str| all.iter().find(|(known, _)| known == name).cloned();
        for (name, table) in &after {
            match find(&before, name) {
                Some((_, old)) => changes.changed.extend(keys(name, &old, table)),
                None => changes.added.push(name.clone()),
            }
        }
        let gone = before.iter().filter(|(name, _)| find(&after, name).is_none());
        changes.removed = gone.map(|(name, _)| name.clone()).collect();
        changes
    }
}

/// The tables of a text with two names, sorted: `server.web`.
fn boxes(text: &str) -> Vec<(String, Table)> {
    let all: Table = toml::from_str(text).unwrap_or_default();
    let mut found = Vec::new();
    for (kind, tables) in all.iter().filter(|(kind, _)| !NOT_THE_SYSTEM.contains(&kind.as_str())) {
        let Value::Table(tables) = tables else { continue };
        for (name, table) in tables {
            if let Value::Table(table) = table {
                found.push((format!("{kind}.{name}"), table.clone()));
            }
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

fn keys(name: &str, old: &Table, new: &Table) -> Vec<String> {
    let other = new.iter().filter(|(key, value)| old.get(*key) != Some(value));
    let mut found: Vec<String> = other.map(|(key, value)| format!("{name}.{key} = {value}")).collect();
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    found.extend(gone.map(|key| format!("no {name}.{key}")));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_and_keys_are_told_apart() {
        let old = boxes("[run]\ntrials = 3\n[server.web]\ncount = 2\ncores = 4\n[server.old]\n");
        let new = boxes("[server.web]\ncount = 3\n[balancer.lb]\n");
        let names: Vec<&str> = new.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["balancer.lb", "server.web"]);
        assert_eq!(keys("server.web", &old[1].1, &new[1].1), ["server.web.count = 3", "no server.web.cores"]);
    }
}
