//! Checks of which clients send the request classes: all are known, each client sends some, and each class is sent.

use crate::model::class::shares;
use crate::model::spec::Problems;
use crate::scenario::assemble::Assembly;
use crate::scenario::document::Document;
use crate::scenario::error::Diagnostic;
use crate::scenario::suggest::did_you_mean;

use super::diagnostics_at;

/// Checks the key `clients` of all classes.
pub(super) fn check(document: &Document<'_>, assembly: &Assembly, found: &mut Vec<Diagnostic>) {
    let mut problems = Problems::default();
    let is_client = |name: &str| {
        let entry = assembly.boxes.iter().find(|entry| entry.name == name);
        entry.map_or(assembly.declared.contains_key(name), |entry| entry.spec.offered().is_some())
    };
    let clients = || assembly.declared.keys().map(String::as_str).filter(|name| is_client(name));
    let mut all_known = true;
    for class in &assembly.classes {
        let key = format!("request.{}.clients", class.name);
        let names = class.clients.as_deref().unwrap_or_default();
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !is_client(name)) {
            all_known = false;
            let message = match assembly.declared.get(name) {
                Some(kind) => format!("`{name}` is a {kind}, not a client"),
                None => format!("unknown client `{name}`"),
            };
            let help = did_you_mean(name, "the clients are", clients()).unwrap_or_default();
            problems.error(format!("{key}[{index}]"), message, help);
        }
        if class.clients.as_ref().is_some_and(Vec::is_empty) {
            let message = format!("no client sends requests of class `{}`", class.name);
            problems.error(key, message, "leave the key out, so that all clients send them");
        }
    }
    for entry in assembly.boxes.iter().filter(|entry| all_known && entry.spec.offered().is_some()) {
        let mix = entry.spec.mix(&assembly.classes);
        let mix = mix.unwrap_or_else(|| shares(&assembly.classes, &entry.name));
        if mix.iter().all(|share| *share <= 0.0) {
            let message = format!("`{}` sends requests of no class", entry.name);
            let help = "each class names other `clients`, or has share = 0";
            problems.error(format!("{}.{}", entry.kind, entry.name), message, help);
        }
    }
    found.extend(diagnostics_at(document, "", problems));
}
