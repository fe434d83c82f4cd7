//! From the tables of a scenario to the purges of a trial: names become components.

use super::{OperationKind, OperationSpec};
use crate::model::purge::{Due, Purge};
use crate::model::signal::ComponentId;
use crate::scenario::faults::FaultKind;
use crate::scenario::seats::Seat;

/// Whether boxes of a kind keep entries that a purge drops: those that the fault `flush` empties.
pub(in crate::scenario) fn keeps_entries(kind: &str) -> bool {
    FaultKind::Flush.happens_to(kind)
}

/// The purges of a trial. The seats are those of the components, in the order of their ids.
pub(in crate::scenario) fn purges(operations: &[OperationSpec], seats: &[Seat<'_>]) -> Vec<Purge> {
    let purge = |(one, operation): (&OperationSpec, u32)| {
        let is_meant = |seat: &Seat<'_>| {
            let is_named = seat.entry.name == one.target || seat.plan.name == one.target;
            is_named && keeps_entries(seat.entry.kind) && !seat.is_driver()
        };
        let of = (0..seats.len()).filter(|&at| is_meant(&seats[at])).map(ComponentId::new).collect();
        let on_call = Due::OnCall { after: one.after(), is_called: false };
        Purge { operation, of, due: one.at.map_or(on_call, |at| Due::Planned(at.0)) }
    };
    let all = operations.iter().zip(0..).filter(|(one, _)| one.kind == OperationKind::Purge);
    all.map(purge).collect()
}
