//! Warnings about connections that one side keeps for longer than the other, and about keys of connections that cost nothing.

use super::{Check, path};
use crate::model::ask::Verbs;
use crate::model::quantity::Duration;
use crate::scenario::BoxEntry;

impl<'a> Check<'a, '_> {
    /// Compares how long callers keep connections with how long their callees do.
    pub(super) fn connections(&mut self) {
        for callee in &self.assembly.boxes {
            let Some(closes) = callee.spec.closes() else { continue };
            let mut any = false;
            for caller in self.callers(callee) {
                let Some((key, keeps)) = caller.spec.keeps_open() else { continue };
                any = true;
                if keeps < closes.idle {
                    continue;
                }
                let (at, name) = (path(caller, key), &callee.name);
                let (idle, keeps) = (Duration(closes.idle), Duration(keeps));
                let message = format!(
                    "connections to `{name}` are kept for {keeps}, and `{name}` closes them after {idle}: a call that is sent in the \
                     last round trip before that meets a reset"
                );
                let help =
                    format!("let `{name}` keep them for longer (`{}`), or keep them for less", closes.key);
                self.warn(&at, message, help);
            }
            if let Some(key) = closes.given.filter(|_| !any) {
                let message = "it does nothing: no box that calls this one says what a connection costs";
                self.warn(&path(callee, key), message, "clients do by `keep_alive` or `tls`");
            }
        }
    }

    /// The boxes that call a box, also those that find it by a name.
    fn callers(&self, callee: &BoxEntry) -> Vec<&'a BoxEntry> {
        let calls = |entry: &&BoxEntry, name: &str| entry.spec.arrows().iter().any(|arrow| arrow.to == name);
        let boxes = &self.assembly.boxes;
        let mut found = Vec::new();
        for entry in boxes.iter().filter(|entry| calls(entry, &callee.name)) {
            if entry.spec.answers().meets(Verbs::RESOLVE) {
                found.extend(boxes.iter().filter(|other| calls(other, &entry.name)));
            } else {
                found.push(entry);
            }
        }
        found
    }
}
