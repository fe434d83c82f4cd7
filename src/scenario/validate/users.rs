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
                Some(Knows::Apart(key) | Knows::Here(key))
                    if client.spec.users().is_some_and(|users| !users.come_back) =>
                {
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
    strangers(assembly, &entries, &mut problems);
    found.extend(diagnostics_at(document, "", problems));
}

/// Warns of machines that know their users, to which the users come back by chance.
fn strangers(assembly: &Assembly, entries: &BTreeMap<&str, &BoxEntry>, problems: &mut Problems) {
    for from in &assembly.boxes {
        let returns = matches!(from.spec.knows(), Some(Knows::User(_)));
        let targets: BTreeSet<String> = from.spec.arrows().into_iter().map(|arrow| arrow.to).collect();
        for to in targets.iter().filter_map(|to| entries.get(to.as_str())).filter(|_| !returns) {
            let (Some(Knows::Here(key)), 2..) = (to.spec.knows(), to.spec.members()) else { continue };
            let message = format!(
                "each of the machines of `{}` knows the users that it has seen, and `{}` sends them to any of them",
                to.name, from.name
            );
            let help =
                "make the balancer before it `sticky`, or keep the sessions in a `store` or a `cookie`";
            problems.warn(format!("{}.{}.{key}", to.kind, to.name), message, help);
        }
    }
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
