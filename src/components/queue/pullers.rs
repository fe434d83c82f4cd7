//! The workers of a queue: each stands at a machine of the target, and pulls while the machine works.

use crate::model::component::Cx;
use crate::model::signal::ComponentId;
use crate::model::site::Site;

/// The workers of one machine.
#[derive(Clone, Copy, Debug)]
struct Place {
    machine: ComponentId,
    /// How many of them have a message.
    busy: u32,
    /// Which life of the machine's process this is: what it had taken before is lost with it.
    life: u32,
    /// Whether the machine is given back, or about to be.
    is_off: bool,
}

impl Place {
    /// Whether its workers pull now.
    fn pulls(&self, cx: &Cx<'_>) -> bool {
        !self.is_off && cx.takes_work(self.machine)
    }
}

/// A message in the hands of a worker: where, and in which life of its process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    place: u32,
    life: u32,
}

/// The workers of all machines.
#[derive(Debug)]
pub(super) struct Pullers {
    places: Vec<Place>,
    /// The place after the one that took the last message.
    next: usize,
    all: u32,
}

impl Pullers {
    /// This number of workers, divided among the machines that `target` stands for.
    pub(super) fn new(target: &str, all: u32, site: &Site<'_>) -> Pullers {
        let place = |machine: &ComponentId| Place {
            machine: *machine,
            busy: 0,
            life: 0,
            is_off: site.is_off(*machine),
        };
        Pullers { places: site.directory.members(target).iter().map(place).collect(), next: 0, all }
    }

    /// A free worker takes a message: its machine, and what it holds then. `None` when none is free at a machine that works.
    /// The machines have their turns.
    pub(super) fn take(&mut self, cx: &Cx<'_>) -> Option<(ComponentId, Held)> {
        let members = self.places.len();
        // Those who are off or do not work take their workers with them.
        let (mut here, mut busy) = (0, 0);
        for place in &mut self.places {
            let life = cx.life_of(place.machine);
            if life != place.life {
                (place.life, place.busy) = (life, 0);
            }
            if place.pulls(cx) {
                (here, busy) = (here + 1, busy + place.busy);
            }
        }
        let part = |of: u64| (u64::from(self.all) * of).div_ceil(members as u64) as u32;
        if busy >= part(here) {
            return None;
        }
        let each = part(1);
        for turn in 0..members {
            let at = (self.next + turn) % members;
            let place = &mut self.places[at];
            if place.busy < each && place.pulls(cx) {
                place.busy += 1;
                self.next = (at + 1) % members;
                return Some((place.machine, Held { place: at as u32, life: place.life }));
            }
        }
        None
    }

    /// A worker is free again, unless its process has ended meanwhile.
    pub(super) fn free(&mut self, held: Held) {
        let place = &mut self.places[held.place as usize];
        if place.life == held.life {
            place.busy = place.busy.saturating_sub(1);
        }
    }

    /// Whether what a worker held is lost, because its process has ended since.
    pub(super) fn has_lost(&self, held: Held, cx: &Cx<'_>) -> bool {
        cx.life_of(self.places[held.place as usize].machine) != held.life
    }

    /// Whether some machine does not work now, so that it has to be looked at again.
    pub(super) fn misses_some(&self, cx: &Cx<'_>) -> bool {
        self.places.iter().any(|place| !place.is_off && !cx.takes_work(place.machine))
    }

    /// A machine of the target comes or goes.
    pub(super) fn set_up(&mut self, machine: ComponentId, is_up: bool) {
        self.places
            .iter_mut()
            .filter(|place| place.machine == machine)
            .for_each(|place| place.is_off = !is_up);
    }

    /// The queue's own process is gone: it knows of no worker any more.
    pub(super) fn forget(&mut self, cx: &Cx<'_>) {
        for place in &mut self.places {
            (place.life, place.busy) = (cx.life_of(place.machine), 0);
        }
    }
}
