//! From the tables of a scenario to the fleets of a trial: names become components.

use super::{OperationKind, OperationSpec};
use crate::kernel::time::SimDuration;
use crate::model::ask::Verbs;
use crate::model::fleet::{Fleet, OnCall, Pace, Router, Scale};
use crate::model::signal::ComponentId;
use crate::scenario::seats::Seat;

/// Longest time for which a balancer drains a machine if its `drain` does not say, as the grace of a deployment.
const DRAIN: SimDuration = SimDuration::from_secs(30);

/// The groups whose members come and go. The seats are those of the components, in the order of their ids.
pub(in crate::scenario) fn fleets(operations: &[OperationSpec], seats: &[Seat<'_>]) -> Vec<Fleet> {
    let first = |seat: &&Seat<'_>| seat.member == 0 && seat.entry.starts.is_some();
    seats.iter().filter(first).map(|seat| fleet(&seat.entry.name, operations, seats)).collect()
}

fn fleet(name: &str, operations: &[OperationSpec], seats: &[Seat<'_>]) -> Fleet {
    let ids = |wanted: &dyn Fn(&Seat<'_>) -> bool| -> Vec<ComponentId> {
        let chosen = seats.iter().enumerate().filter(|(_, seat)| wanted(seat));
        chosen.map(|(index, _)| ComponentId::new(index)).collect()
    };
    let members = ids(&|seat| seat.entry.name == name);
    let is_member = |to: &str| seats.iter().any(|seat| seat.entry.name == name && seat.is_called(to));
    let asks = |seat: &Seat<'_>| seat.entry.spec.arrows().iter().any(|arrow| is_member(&arrow.to));
    let routers = ids(&|seat| seat.entry.spec.follows_members() && asks(seat));
    let routers = routers.into_iter().map(|id| router(id, &seats[id.index()])).collect();
    let keeps = |seat: &Seat<'_>| seat.entry.spec.keeps().is_some_and(|keeps| keeps.target == name);
    let booted_by = seats[members[0].index()].entry.booted_by.as_ref();
    let boots = |seat: &Seat<'_>| Some(&seat.entry.name) == booted_by;
    let keeper = ids(&keeps).first().copied().or_else(|| ids(&boots).first().copied());
    let kept = keeper.and_then(|keeper| seats[keeper.index()].entry.spec.keeps());
    let of_it = operations.iter().zip(0..);
    let of_it = of_it.filter(|(one, _)| one.kind == OperationKind::Scale && one.target == name);
    let scale = |one: &OperationSpec, at| Scale { at, to: one.size(), boot: one.boot(), start: one.start() };
    let planned = of_it.clone().filter_map(|(one, _)| Some(scale(one, one.at?.0)));
    let mut orders: Vec<Scale> = planned.collect();
    orders.sort_by_key(|order| order.at);
    let on_call = of_it.filter(|(one, _)| one.at.is_none()).map(|(one, operation)| OnCall {
        operation,
        scale: scale(one, one.after()),
        is_called: false,
    });
    let on_call = on_call.collect();
    let starts = seats[members[0].index()].entry.starts.unwrap_or(1);
    let pace = kept.map_or_else(Pace::default, |kept| kept.pace);
    Fleet { name: name.to_owned(), members, starts, routers, keeper, pace, orders, on_call }
}

fn router(id: ComponentId, seat: &Seat<'_>) -> Router {
    let spec = &seat.entry.spec;
    let drains = spec.hears_of_stops().then(|| spec.drains().unwrap_or(DRAIN));
    Router { id, drains, is_queue: spec.answers().meets(Verbs::PUBLISH) }
}
