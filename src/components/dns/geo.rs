//! The policy `geo`: which record a name server prefers for clients of a region.

use crate::model::geography::{self, distance_km};
use crate::model::signal::ComponentId;
use crate::model::site::Site;
use crate::model::spec::{Outline, Problems};

use super::{Address, DnsPolicy, DnsSpec};

impl DnsSpec {
    pub(super) fn check_geo(&self, outline: &Outline<'_>, problems: &mut Problems) {
        if self.policy != DnsPolicy::Geo {
            if !self.geo.is_empty() {
                problems.error(
                    "geo",
                    "`geo` does nothing without policy = \"geo\"",
                    "drop it, or set the policy",
                );
            }
            return;
        }
        let regions_of = |name: &str| outline.regions.get(name).copied().unwrap_or_default();
        let clients = || outline.kinds.iter().filter(|(_, kind)| **kind == "client").map(|(name, _)| *name);
        for (region, to) in &self.geo {
            let key = format!("geo.{region}");
            if !self.records.iter().any(|record| record.to == *to) {
                let names =
                    self.records.iter().map(|record| record.to.as_str()).collect::<Vec<_>>().join(", ");
                problems.error(
                    key.as_str(),
                    format!("`{to}` is no record of this name"),
                    format!("there are {names}"),
                );
            }
            if !clients().any(|client| regions_of(client).contains(region)) {
                problems.warn(key, format!("no client stands in region `{region}`"), "");
            }
        }
        let places = clients().chain(self.records.iter().map(|record| record.to.as_str()));
        let unknown = places.flat_map(regions_of).find(|region| !geography::knows(region));
        let all_named = clients().flat_map(regions_of).all(|region| self.geo.contains_key(region));
        if let Some(region) = unknown.filter(|_| !all_named) {
            let help = "name a record for every region of a client: geo = { \"REGION\" = \"RECORD\" }";
            problems.error("policy", format!("nobody knows where on the globe region `{region}` is"), help);
        }
    }
}

/// For each client by id, the rank of each record; the lowest rank is preferred. Empty for clients without a region.
#[derive(Debug)]
pub(super) struct Preferences(Vec<Vec<u32>>);

impl Preferences {
    pub(super) fn new(spec: &DnsSpec, records: &[Address], site: &Site<'_>) -> Preferences {
        let of = |(region, kind): (&Option<&str>, &&str)| match region {
            Some(region) if *kind == "client" => ranks(spec, region, records, site),
            _ => Vec::new(),
        };
        Preferences(site.regions.iter().zip(site.kinds).map(of).collect())
    }

    /// The rank of a record for a caller; 0 for a caller without a region.
    pub(super) fn rank(&self, caller: ComponentId, record: usize) -> u32 {
        self.0.get(caller.index()).and_then(|ranks| ranks.get(record)).copied().unwrap_or(0)
    }
}

/// The ranks for a region: first the record that the table `geo` names, then the others by distance, and last those
/// whose place is unknown.
fn ranks(spec: &DnsSpec, region: &str, records: &[Address], site: &Site<'_>) -> Vec<u32> {
    let named = spec.geo.get(region);
    let km = |record: &Address| {
        if named.is_some_and(|name| *name == spec.records[record.rank].to) {
            return -1.0;
        }
        let there = site.regions[record.to.index()];
        match there {
            Some(there) if there == region => 0.0,
            Some(there) => distance_km(region, there).unwrap_or(f64::INFINITY),
            None => f64::INFINITY,
        }
    };
    let distances: Vec<f64> = records.iter().map(km).collect();
    let nearer = |than: f64| distances.iter().filter(|km| **km < than).count() as u32;
    distances.iter().map(|km| nearer(*km)).collect()
}
