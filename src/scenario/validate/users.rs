//! Balancers that know their users again, and users who never come back.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostics_at;
use crate::model::spec::Problems;
use crate::scenario::BoxEntry;
use crate::scenario::assemble::Assembly;
use crate::scenario::document::Document;
use crate::scenario::error::Diagnostic;

/// Warns of a balancer that gives cookies to requests of users who ask once only.
pub(super) fn check(document: &Document<'_>, assembly: &Assembly, found: &mut Vec<Diagnostic>) {
    let entries: BTreeMap<&str, &BoxEntry> =
        assembly.boxes.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    let mut problems = Problems::default();
    for client in assembly.boxes.iter().filter(|entry| entry.spec.is_anonymous()) {
        for name in reached(client, &entries) {
            let entry = entries[name];
            let Some(key) = entry.spec.knows_users_by() else { continue };
            let message = format!(
                "`{name}` sends its users to where they were, but those of `{}` never come back",
                client.name
            );
            let help = "at a `rate` every request is another user's: give the client `users` or `sessions`";
            problems.warn(format!("{}.{name}.{key}", entry.kind), message, help);
        }
    }
    found.extend(diagnostics_at(document, "", problems));
}

/// The boxes to which the requests of a client lead.
fn reached<'a>(client: &BoxEntry, entries: &BTreeMap<&'a str, &'a BoxEntry>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut left: Vec<String> = client.spec.arrows().into_iter().map(|arrow| arrow.to).collect();
    while let Some(name) = left.pop() {
        if let Some((name, entry)) = entries.get_key_value(name.as_str())
            && reached.insert(*name)
        {
            left.extend(entry.spec.arrows().into_iter().map(|arrow| arrow.to));
        }
    }
    reached
}
