//! Checks of how often a request is tried, and of how long users wait.

use std::collections::BTreeMap;

use super::{Check, path};
use crate::kernel::time::SimDuration;
use crate::model::quantity::Duration;
use crate::scenario::BoxEntry;
use crate::scenario::load::StaticLoad;

/// Most calls that the tries of one request can become: beyond it no run would ever end.
const CALLS_MAX: u64 = 1_000_000;

impl<'a> Check<'a, '_> {
    /// Reports tries within tries that can make a request more than [`CALLS_MAX`] calls.
    pub(super) fn tries(&mut self) {
        let mut most: BTreeMap<&'a str, u64> = BTreeMap::new();
        for entry in &self.assembly.boxes {
            if entry.spec.offered().is_some() {
                self.tries_from(entry, 1, &mut most);
            }
        }
    }

    /// `calls` can come to a box for one request.
    fn tries_from(&mut self, entry: &'a BoxEntry, calls: u64, most: &mut BTreeMap<&'a str, u64>) {
        let known = most.entry(&entry.name).or_default();
        if calls <= *known {
            return;
        }
        *known = calls;
        for arrow in entry.spec.arrows() {
            let Some(to) = self.entries.get(arrow.to.as_str()).copied() else { continue };
            let calls = calls.saturating_mul(u64::from(entry.spec.attempts_of(&arrow.key)));
            if calls > CALLS_MAX {
                let message = format!(
                    "one request can become {calls} calls to `{}`: tries within tries multiply",
                    to.name
                );
                let help = format!("at most {CALLS_MAX}: let one layer try again, and not each");
                self.error(&path(entry, &arrow.key), message, help);
                return;
            }
            self.tries_from(to, calls, most);
        }
    }

    /// Warns of users who wait for less than what an answer takes where nobody else asks.
    pub(super) fn patience(&mut self, load: &StaticLoad) {
        for client in &load.clients {
            let Some((key, patience_s)) = client.patience else { continue };
            let idle_s = client.demand_s + self.assembly.network.client.as_secs_f64();
            if idle_s > patience_s {
                let duration = |s: f64| Duration(SimDuration::from_sample_secs(s));
                let message = format!(
                    "an answer takes {} on average where nobody else asks, and users wait for {}",
                    duration((idle_s * 1e6).round() / 1e6),
                    duration(patience_s)
                );
                let entry = self.entries[client.name.as_str()];
                self.warn(&path(entry, key), message, "most requests will time out: a longer `timeout`");
            }
        }
    }
}
