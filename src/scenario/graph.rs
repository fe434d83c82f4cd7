//! The diagram of a scenario: as a tree of text, as Mermaid and as DOT, clients at the top.

use std::collections::BTreeSet;

use super::BoxEntry;

/// One tree in ASCII for each client. A box that was shown before is only named.
///
/// ```text
/// users (client)
/// `- web x3 (server)
///    `- db (database) on web
/// ```
pub fn text(boxes: &[BoxEntry]) -> String {
    let mut tree = Tree { boxes, shown: BTreeSet::new(), out: String::new() };
    for entry in roots(boxes) {
        if !tree.shown.contains(entry.name.as_str()) {
            tree.entry(entry, "", "");
        }
    }
    tree.out
}

/// A Mermaid flowchart.
pub fn mermaid(boxes: &[BoxEntry]) -> String {
    let mut out = String::from("flowchart TD\n");
    for entry in roots(boxes) {
        // Mermaid gives a meaning to the name `end` and to a leading `o` or `x`, so every name gets a prefix.
        out.push_str(&format!("  n_{}[\"{}\"]\n", entry.name, label(entry)));
    }
    for (from, to) in edges(boxes) {
        out.push_str(&format!("  n_{from} --> n_{to}\n"));
    }
    for (guest, host) in hosts(boxes) {
        out.push_str(&format!("  n_{guest} -. on .- n_{host}\n"));
    }
    out
}

/// A Graphviz digraph.
pub fn dot(boxes: &[BoxEntry]) -> String {
    let mut out = String::from("digraph scenario {\n  rankdir = TB;\n  node [shape = box];\n");
    for entry in roots(boxes) {
        out.push_str(&format!("  \"{}\" [label = \"{}\"];\n", entry.name, label(entry)));
    }
    for (from, to) in edges(boxes) {
        out.push_str(&format!("  \"{from}\" -> \"{to}\";\n"));
    }
    for (guest, host) in hosts(boxes) {
        out.push_str(&format!("  \"{guest}\" -> \"{host}\" [style = dashed, dir = none, label = \"on\"];\n"));
    }
    out.push_str("}\n");
    out
}

fn label(entry: &BoxEntry) -> String {
    let members = entry.machines();
    let times = if members == 1 { String::new() } else { format!(" x{members}") };
    let place = match &entry.regions[..] {
        [] => None,
        [one] => Some(format!("in {one}")),
        [one, other] => Some(format!("in {one} and {other}")),
        regions => Some(format!("in {} regions", regions.len())),
    };
    let words = [Some(entry.kind.to_owned()), entry.spec.detail(), place];
    format!("{}{times} ({})", entry.name, words.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

/// All boxes: clients first, then boxes without callers, then the others. Trees from these show every box.
fn roots(boxes: &[BoxEntry]) -> Vec<&BoxEntry> {
    let targets: BTreeSet<String> = edges(boxes).into_iter().map(|(_, to)| to).collect();
    let mut roots: Vec<&BoxEntry> = boxes.iter().collect();
    roots.sort_by_key(|entry| (entry.spec.offered().is_none(), targets.contains(&entry.name)));
    roots
}

/// Pairs of caller and callee, in the order of the boxes and of their keys, each pair once.
pub fn edges(boxes: &[BoxEntry]) -> Vec<(String, String)> {
    let mut edges: Vec<(String, String)> = Vec::new();
    for entry in boxes {
        for to in callees(entry, boxes) {
            edges.push((entry.name.clone(), to.name.clone()));
        }
    }
    edges
}

fn callees<'a>(entry: &BoxEntry, boxes: &'a [BoxEntry]) -> Vec<&'a BoxEntry> {
    let mut seen = BTreeSet::new();
    let arrows = entry.spec.arrows().into_iter().filter(|arrow| seen.insert(arrow.to.clone()));
    arrows.filter_map(|arrow| boxes.iter().find(|other| other.name == arrow.to)).collect()
}

/// Pairs of guest and host: boxes that run on the machine of another, and that box.
pub fn hosts(boxes: &[BoxEntry]) -> impl Iterator<Item = (&str, &str)> {
    boxes.iter().filter_map(|entry| Some((entry.name.as_str(), entry.spec.host()?)))
}

struct Tree<'a> {
    boxes: &'a [BoxEntry],
    shown: BTreeSet<&'a str>,
    out: String,
}

impl<'a> Tree<'a> {
    /// Writes one box and what it calls. `branch` stands before its name, `indent` before the lines below it.
    fn entry(&mut self, entry: &'a BoxEntry, branch: &str, indent: &str) {
        let host = entry.spec.host().map_or(String::new(), |host| format!(" on {host}"));
        let first_time = self.shown.insert(&entry.name);
        let callees = callees(entry, self.boxes);
        let above = if first_time || callees.is_empty() { "" } else { " (above)" };
        self.out.push_str(&format!("{branch}{}{host}{above}\n", label(entry)));
        if !first_time {
            return;
        }
        let last = callees.len().saturating_sub(1);
        for (at, callee) in callees.into_iter().enumerate() {
            let (branch, deeper) = if at == last { ("`- ", "   ") } else { ("|- ", "|  ") };
            self.entry(callee, &format!("{indent}{branch}"), &format!("{indent}{deeper}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::toys::{LADDER, toy};
    use super::*;

    fn branched() -> Vec<BoxEntry> {
        let text = LADDER.replace("records = [\"web\"]", "records = [\"web\", \"api\"]");
        let api = "[server.api]\npublic = true\ncores = 1\non = \"web\"\nsteps = [{ call = \"web\" }, { query = \"db\" }]\n";
        toy(&(text + api)).boxes
    }

    #[test]
    fn the_tree_has_clients_at_the_top() {
        assert_eq!(
            text(&branched()),
            "users (client)\n`- www (dns)\n   |- web x2 (server)\n   |  `- db (database)\n   `- api (server) on web\n      \
             |- web x2 (server) (above)\n      `- db (database)\n"
        );
    }

    #[test]
    fn mermaid_and_dot_have_every_box_and_arrow() {
        assert_eq!(
            mermaid(&branched()),
            "flowchart TD\n  n_users[\"users (client)\"]\n  n_db[\"db (database)\"]\n  n_www[\"www (dns)\"]\n  \
             n_api[\"api (server)\"]\n  n_web[\"web x2 (server)\"]\n  n_users --> n_www\n  n_www --> n_web\n  \
             n_www --> n_api\n  n_api --> n_web\n  n_api --> n_db\n  n_web --> n_db\n  n_api -. on .- n_web\n"
        );
        let dot = dot(&branched());
        assert!(
            dot.contains("\"web\" [label = \"web x2 (server)\"];") && dot.contains("\"www\" -> \"api\";")
        );
        assert_eq!(dot.matches(" -> ").count(), 7);
    }
}
