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
    /// How many have found nothing and look again later; nobody does unless there is a pause between looks.
    asleep: u32,
    /// Which life of the machine's process this is: what it had taken before is lost with it.
    life: u32,
    /// Whether the machine is given back, or about to be.
    is_off: bool,
}

impl Place {
    /// What a process had taken is lost with it.
    fn begin_life(&mut self, cx: &Cx<'_>) {
        let life = cx.life_of(self.machine);
        if life != self.life {
            (self.life, self.busy) = (life, 0);
        }
    }

    /// Whether its workers pull now.
    fn pulls(&self, cx: &Cx<'_>) -> bool {
        !self.is_off && cx.takes_work(self.machine)
    }
}

/// A message in the hands of a worker: where, and in which life of its process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// The number of the machine.
    pub(super) place: u32,
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
            asleep: 0,
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
            place.begin_life(cx);
            if place.pulls(cx) {
                (here, busy) = (here + 1, busy + place.busy);
            }
        }
        if busy >= self.part(here) {
            return None;
        }
        let each = self.part(1);
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

    /// The workers of this number of machines.
    fn part(&self, machines: u64) -> u32 {
        (u64::from(self.all) * machines).div_ceil(self.places.len() as u64) as u32
    }

    /// The machine of a worker that neither has a message nor is to look for one, by its number; it is to look from now on.
    pub(super) fn put_to_sleep(&mut self, cx: &Cx<'_>) -> Option<u32> {
        let each = self.part(1);
        let mut idle = None;
        for (number, place) in self.places.iter_mut().enumerate() {
            place.begin_life(cx);
            if idle.is_none() && place.busy + place.asleep < each {
                idle = Some(number as u32);
                place.asleep += 1;
            }
        }
        idle
    }

    /// A worker of the machine with this number is to look for a message now, and not later.
    pub(super) fn wake(&mut self, number: u32) {
        let place = &mut self.places[number as usize];
        place.asleep = place.asleep.saturating_sub(1);
    }

    /// A worker of the machine with this number takes a message, unless all of its workers have one, or it does not work.
    pub(super) fn take_at(&mut self, number: u32, cx: &Cx<'_>) -> Option<(ComponentId, Held)> {
        let each = self.part(1);
        let place = &mut self.places[number as usize];
        place.begin_life(cx);
        if !place.pulls(cx) || place.busy >= each {
            return None;
        }
        place.busy += 1;
        Some((place.machine, Held { place: number, life: place.life }))
    }

    /// A worker of the machine with this number is to look again later. Returns whether its machine works, so that it has looked.
    pub(super) fn sleep(&mut self, number: u32, cx: &Cx<'_>) -> bool {
        let place = &mut self.places[number as usize];
        place.asleep += 1;
        place.pulls(cx)
    }

    /// A worker is free again, unless its process has ended meanwhile. Returns whether it is.
    pub(super) fn free(&mut self, held: Held) -> bool {
        let place = &mut self.places[held.place as usize];
        let lives = place.life == held.life;
        if lives {
            place.busy = place.busy.saturating_sub(1);
        }
        lives
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
            (place.life, place.busy, place.asleep) = (cx.life_of(place.machine), 0, 0);
        }
    }
}
