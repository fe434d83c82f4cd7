//! Checks of what boxes need to know about users: whether they come back, and where they are.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostics_at;
use crate::model::spec::{Knows, Problems};
use crate::scenario::BoxEntry;
use crate::scenario::assemble::Assembly;
use crate::scenario::document::Document;
use crate::scenario::error::Diagnostic;

/// Warns of a balancer that gives cookies to users who send only one request, and of a DNS name that answers by the
/// region of users without a region.
pub(super) fn check(document: &Document<'_>, assembly: &Assembly, found: &mut Vec<Diagnostic>) {
    let entries: BTreeMap<&str, &BoxEntry> =
        assembly.boxes.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    let mut problems = Problems::default();
    for client in assembly.boxes.iter().filter(|entry| entry.spec.offered().is_some()) {
        for name in reached(client, &entries) {
            let entry = entries[name];
            let at = |key: &str| format!("{}.{name}.{key}", entry.kind);
            let users = &client.name;
            match entry.spec.knows() {
                Some(Knows::User(key)) if client.spec.users().is_some_and(|users| !users.come_back) => {
                    let message = format!(
                        "`{name}` sends its users to where they were, but those of `{users}` never come back"
                    );
                    let help = "without `users` or `sessions` every request of a client is another user's";
                    problems.warn(at(key), message, help);
                }
                Some(Knows::Apart(key)) if client.spec.users().is_some_and(|users| !users.come_back) => {
                    let message = format!(
                        "`{name}` tells its users apart, but those of `{users}` never come back: each request is a user"
                    );
                    problems.warn(at(key), message, "give the client `users` or `sessions`");
                }
                Some(Knows::Region(key)) if client.regions.is_empty() => {
                    let message =
                        format!("`{users}` has no region, so that its users get all records in turn");
                    problems.warn(at(key), message, "give the client a `region`");
                }
                _ => {}
            }
        }
    }
    found.extend(diagnostics_at(document, "", problems));
}

/// The boxes that the requests of a client reach.
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
