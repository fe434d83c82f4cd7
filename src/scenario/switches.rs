//! `[switch.NAME]`: the names of two sites become what a switch does to each box, and to each component of a trial.

mod check;

pub(super) use check::take_sides;

use super::BoxEntry;
use super::seats::Seat;
use crate::model::signal::ComponentId;
use crate::model::spec::{Part, Sides};
use crate::model::switching::Moves;

/// The sides with the names of all members, and of the boxes all of whose members stand on a side.
fn expanded(sides: &Sides, boxes: &[BoxEntry]) -> Sides {
    let mut all = Sides { from: Vec::new(), to: Vec::new(), boxes: Vec::new(), ..sides.clone() };
    for entry in boxes {
        let machines = machines(entry);
        for (given, side) in [(&sides.from, &mut all.from), (&sides.to, &mut all.to)] {
            let is_given = |name: &String| given.contains(&entry.name) || given.contains(name);
            let chosen: Vec<&String> = machines.iter().filter(|name| is_given(name)).collect();
            if chosen.is_empty() {
                continue;
            }
            if chosen.len() == machines.len() && machines[0] != entry.name {
                side.push(entry.name.clone());
            }
            side.extend(chosen.into_iter().cloned());
            all.boxes.push(entry.name.clone());
        }
    }
    all
}

/// The names of the members of a box that have a machine; of a box on another's machine, of all.
fn machines(entry: &BoxEntry) -> Vec<String> {
    let members = || (0..entry.spec.members()).map(|member| entry.spec.member(&entry.name, member));
    let machines: Vec<String> =
        members().filter(|plan| plan.machine.is_some()).map(|plan| plan.name).collect();
    if machines.is_empty() { members().map(|plan| plan.name).collect() } else { machines }
}

/// What the switches of a trial do.
pub(super) struct Switching<'a> {
    /// The name of each switch, its id, and what it does.
    switches: Vec<(&'a str, ComponentId, Moves)>,
    /// The boxes that switches move, and these switches.
    moved: Vec<(&'a str, ComponentId)>,
}

impl<'a> Switching<'a> {
    /// The seats are those of the components, in the order of their ids.
    pub(super) fn new(boxes: &'a [BoxEntry], seats: &[Seat<'a>]) -> Switching<'a> {
        let mut all = Switching { switches: Vec::new(), moved: Vec::new() };
        for (index, seat) in seats.iter().enumerate() {
            let Some(sides) = seat.entry.spec.sides() else { continue };
            let switch = ComponentId::new(index);
            let moves = moves(&seat.entry.name, &expanded(&sides, boxes), seats, |of| {
                all.moved.push((of, switch));
            });
            let is_called = |entry: &BoxEntry| entry.spec.calls_switches().contains(&seat.entry.name);
            let moves = Moves { is_called: boxes.iter().any(is_called), ..moves };
            all.switches.push((&seat.entry.name, switch, moves));
        }
        all
    }

    /// The switch that moves a box.
    pub(super) fn of(&self, name: &str) -> Option<ComponentId> {
        self.moved.iter().find(|(moved, _)| *moved == name).map(|(_, switch)| *switch)
    }

    /// What a switch does; `None` for another box.
    pub(super) fn moves(&self, name: &str) -> Option<&Moves> {
        self.switches.iter().find(|(switch, ..)| *switch == name).map(|(.., moves)| moves)
    }
}

/// What a switch does to the components of a trial; `moved` hears the boxes that it moves.
fn moves<'a>(switch: &str, sides: &Sides, seats: &[Seat<'a>], mut moved: impl FnMut(&'a str)) -> Moves {
    let mut moves = Moves::default();
    let ids = |wanted: &dyn Fn(&Seat<'_>) -> bool| -> Vec<ComponentId> {
        let chosen = seats.iter().enumerate().filter(|(_, seat)| wanted(seat));
        chosen.map(|(index, _)| ComponentId::new(index)).collect()
    };
    let first = seats.iter().enumerate().filter(|(_, seat)| seat.member == 0);
    for (index, seat) in first {
        let (entry, name) = (seat.entry, &seat.entry.name);
        let on = |side: &[String]| ids(&|seat| seat.entry.name == *name && side.contains(&seat.plan.name));
        let from = on(&sides.from);
        if !from.is_empty() {
            moves.from.push(from);
        }
        moves.to.extend(on(&sides.to));
        if sides.needs.contains(name) {
            moves.needs.push(ids(&|seat| seat.entry.name == *name));
        }
        if entry.booted_by.as_deref() == Some(switch) {
            moves.fleets.push((ComponentId::new(index), entry.spec.members()));
        }
        match entry.spec.part(name, sides) {
            Part::Name => moves.names.push(ComponentId::new(index)),
            Part::Data(heirs) => {
                moves.heirs.extend(ids(&|seat| seat.entry.name == *name && heirs.contains(&seat.plan.name)));
                moved(name);
            }
            Part::Memory => moves.caches.extend(ids(&|seat| seat.entry.name == *name)),
            Part::Nothing | Part::Wrong { .. } => {}
        }
    }
    moves
}
