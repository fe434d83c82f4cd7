//! Lists: the built-in scenarios, and the instance types that can be rented.

use super::number::{bytes, number};
use super::text::table;
use crate::model::catalogue::Instance;

/// A scenario in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The step of the ladder that the scenario belongs to.
    pub number: String,
    /// Its name on the command line.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// The chapter of the book, if it belongs to one.
    pub chapter: Option<String>,
}

/// The scenarios as text, one a line.
#[must_use]
pub fn scenarios(entries: &[Entry]) -> String {
    let row = |entry: &Entry| {
        let chapter = entry.chapter.clone().unwrap_or_default();
        vec![entry.number.clone(), entry.name.clone(), chapter, entry.title.clone()]
    };
    table(&["no", "name", "chapter", "title"], 4, &entries.iter().map(row).collect::<Vec<_>>())
}

/// The instance types as text, one a line.
#[must_use]
pub fn instances<'a>(instances: impl IntoIterator<Item = &'a Instance>) -> String {
    let row = |instance: &Instance| {
        vec![
            instance.name.to_owned(),
            instance.cores.to_string(),
            bytes(instance.memory_bytes as f64),
            format!("{:.2}", instance.speed),
            number(instance.network_mbps),
            format!("{:.4}", instance.usd_per_hour),
        ]
    };
    let header = ["instance", "cores", "memory", "speed", "Mbit/s", "USD/h"];
    table(&header, 1, &instances.into_iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalogue;

    #[test]
    fn an_instance_has_its_figures() {
        let text = instances(catalogue::find("m7i.large"));
        assert_eq!(text.lines().count(), 2);
        let cells: Vec<&str> = text.lines().nth(1).unwrap().split_whitespace().collect();
        assert_eq!(cells[..5], ["m7i.large", "2", "8", "GiB", "1.00"]);
        assert_eq!(cells.last(), Some(&"0.1008"));
    }
}
