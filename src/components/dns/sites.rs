//! What a switch between sites does to a name: its answers have the addresses of one side, and then those of the other.

use crate::model::signal::ComponentId;
use crate::model::site::Site;
use crate::model::spec::{Part, Sides};

use super::{Address, DnsSpec, Record};

/// The side on which an address stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// On none: it is answered before and after a switch.
    None,
    /// On that which has the users.
    Open,
    /// On the other one.
    Closed,
}

impl DnsSpec {
    pub(super) fn part_of_switch(&self, sides: &Sides) -> Part {
        let leads_there = self.records.iter().any(|record| sides.boxes.contains(&record.to));
        if leads_there { Part::Name } else { Part::Nothing }
    }

    /// Whether the answers leave a record out until a switch.
    pub(super) fn is_withheld(&self, record: &Record) -> bool {
        self.sides.as_ref().is_some_and(|sides| sides.to.contains(&record.to))
    }
}

/// Says of each address on which side it stands.
pub(super) fn stand(sides: &Sides, records: &mut [Address], site: &Site<'_>) {
    let on =
        |side: &[String], of: ComponentId| side.iter().any(|name| site.directory.members(name).contains(&of));
    for record in records {
        record.side = match (on(&sides.from, record.to), on(&sides.to, record.to)) {
            (true, _) => Side::Open,
            (false, true) => Side::Closed,
            (false, false) => Side::None,
        };
    }
}

/// The other side has the users from now on.
pub(super) fn change(records: &mut [Address]) {
    for record in records {
        record.side = match record.side {
            Side::None => Side::None,
            Side::Open => Side::Closed,
            Side::Closed => Side::Open,
        };
    }
}
