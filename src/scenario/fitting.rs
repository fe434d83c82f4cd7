//! Measured costs as changes of a scenario's keys.

use super::Scenario;
use crate::model::fitting::WorkCost;

impl Scenario {
    /// The keys, with their values, that give the sorts of work of a box their measured costs.
    ///
    /// # Errors
    /// A message that says why the box cannot be given costs.
    pub fn fitted(&self, name: &str, costs: &[WorkCost]) -> Result<Vec<(String, String)>, String> {
        let entry = self.entry(name).ok_or_else(|| format!("there is no box `{name}`"))?;
        let all: toml::Table = toml::from_str(&self.text).unwrap_or_default();
        let table = all.get(entry.kind).and_then(|kind| kind.get(name)).and_then(toml::Value::as_table);
        let found = entry.spec.fitted(&table.cloned().unwrap_or_default(), costs)?;
        Ok(found.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)).collect())
    }

    /// The keys, with their values, that play a part of the recorded loads, in seconds after their beginning, `factor` times,
    /// in a run of just that length, as a log at the servers would see it: without the way to the users.
    #[must_use]
    pub fn replayed(&self, from_s: f64, to_s: f64, factor: f64) -> Vec<(String, String)> {
        let recorded = self.boxes.iter().filter(|entry| entry.spec.recording().is_some());
        let keys = recorded.flat_map(|entry| {
            let keys = entry.spec.replayed(from_s, to_s, factor).into_iter();
            keys.map(|(key, value)| (format!("{}.{key}", entry.name), value))
        });
        let own = [
            ("run.duration", format!("{:.3}s", to_s - from_s)),
            ("run.warmup", "0s".to_owned()),
            ("network.client", "0ms".to_owned()),
        ];
        keys.chain(own.map(|(key, value)| (key.to_owned(), value))).collect()
    }
}
