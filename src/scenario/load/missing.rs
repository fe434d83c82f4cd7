//! `Missing`: members of boxes that are down, to see what the rest can do.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{StaticLoad, static_load};
use crate::scenario::seats::{Seat, seats};
use crate::scenario::{BoxEntry, Scenario};

/// Members of boxes that are down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing(BTreeMap<String, BTreeSet<u32>>);

impl Missing {
    /// The members that some names stand for: of a member, a box, a zone or a region. A zone may be written `zone:a`, a
    /// region `region:tokyo`.
    ///
    /// # Errors
    /// The first name that stands for nothing that can be down.
    pub fn of(boxes: &[BoxEntry], names: &[String]) -> Result<Missing, String> {
        let all = seats(boxes);
        let mut missing = Missing::default();
        for name in names {
            let hit = |seat: &&Seat<'_>| match name.split_once(':') {
                Some(("zone", zone)) => seat.is_in_zone(zone) && seat.is_hit_by(zone),
                Some(("region", region)) => seat.is_in_region(region) && seat.is_hit_by(region),
                _ => seat.is_hit_by(name),
            };
            let before = missing.count();
            for seat in all.iter().filter(|seat| !seat.is_outside()).filter(hit) {
                missing.0.entry(seat.entry.name.clone()).or_default().insert(seat.member);
            }
            if missing.count() == before {
                return Err(format!("`{name}` is no member, box, zone or region that could be down"));
            }
        }
        Ok(missing)
    }

    fn count(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// Number of some members of a box that are down.
    pub(super) fn among(&self, name: &str, of: &Range<u32>) -> u32 {
        self.0.get(name).map_or(0, |down| down.range(of.clone()).count() as u32)
    }
}

impl Scenario {
    /// Its load while some members are down, before anybody takes over from them.
    #[must_use]
    pub fn load_without(&self, missing: &Missing) -> StaticLoad {
        static_load(&self.boxes, &self.classes, &self.ways, missing)
    }
}
