//! `Wires`: the connections of a pool that are open, where they take a round trip to open.

use std::collections::VecDeque;

use crate::kernel::time::SimTime;
use crate::model::component::Cx;

use super::spec::Lasting;

/// An open connection that nobody uses.
#[derive(Clone, Copy, Debug)]
struct Wire {
    /// When it was opened.
    born: SimTime,
    /// Since when nobody uses it.
    since: SimTime,
}

/// The open connections of one pool: the one that was used last is used first.
#[derive(Debug)]
pub(super) struct Wires {
    lasting: Lasting,
    free: VecDeque<Wire>,
    /// When those were opened that are in use. Which of them is given back first makes no difference.
    used: VecDeque<SimTime>,
    /// Number of times that the database had been taken down when they were opened.
    falls: u32,
}

impl Wires {
    /// The connections that are open when the process starts.
    pub(super) fn new(lasting: Lasting, now: SimTime) -> Wires {
        let wire = Wire { born: now, since: now };
        let free = std::iter::repeat_n(wire, lasting.min).collect();
        Wires { lasting, free, used: VecDeque::new(), falls: 0 }
    }

    /// A call takes a connection. Returns whether it has to be opened; `falls` is the number of times that the database has been taken
    /// down, each of which closes all of them.
    pub(super) fn take(&mut self, falls: u32, now: SimTime) -> bool {
        if std::mem::replace(&mut self.falls, falls) != falls {
            self.free.clear();
        }
        let Wires { lasting, free, used, .. } = self;
        // The one that has been unused for longest is closed first.
        while free.len() + used.len() > lasting.min
            && free.front().is_some_and(|wire| now.since(wire.since) >= lasting.idle)
        {
            free.pop_front();
        }
        while free.back().is_some_and(|wire| now.since(wire.born) >= lasting.life) {
            free.pop_back();
        }
        let born = free.pop_back().map(|wire| wire.born);
        used.push_back(born.unwrap_or(now));
        born.is_none()
    }

    /// A connection is given back, or is broken.
    pub(super) fn give_back(&mut self, is_open: bool, now: SimTime) {
        if let Some(born) = self.used.pop_front()
            && is_open
        {
            self.free.push_back(Wire { born, since: now });
        }
    }

    /// The process starts again.
    pub(super) fn restart(&mut self, cx: &Cx<'_>) {
        *self = Wires { falls: self.falls, ..Wires::new(self.lasting, cx.now()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::time::SimDuration;

    fn at(secs: u64) -> SimTime {
        SimTime::ZERO + SimDuration::from_secs(secs)
    }

    fn wires(idle: u64, life: u64, min: usize) -> Wires {
        let [idle, life] = [idle, life].map(SimDuration::from_secs);
        Wires::new(Lasting { idle, life, min }, at(0))
    }

    #[test]
    fn a_connection_is_opened_where_none_is_free() {
        let mut wires = wires(10, 100, 1);
        assert_eq!([wires.take(0, at(1)), wires.take(0, at(1)), wires.take(0, at(1))], [false, true, true]);
        wires.give_back(true, at(2));
        wires.give_back(false, at(2));
        assert_eq!([wires.take(0, at(3)), wires.take(0, at(3))], [false, true]);
        // The database was down meanwhile.
        wires.give_back(true, at(4));
        assert!(wires.take(1, at(5)));
    }

    #[test]
    fn one_that_is_idle_or_old_is_closed() {
        let mut two = wires(10, 1000, 1);
        assert_eq!([two.take(0, at(1)), two.take(0, at(1))], [false, true]);
        (0..2).for_each(|_| two.give_back(true, at(2)));
        // One of the two stays open, however long nobody uses it.
        assert_eq!([two.take(0, at(12)), two.take(0, at(12))], [false, true]);
        let mut old = wires(1000, 20, 0);
        assert!(old.take(0, at(1)));
        old.give_back(true, at(2));
        assert!(!old.take(0, at(20)));
        old.give_back(true, at(20));
        assert!(old.take(0, at(21)));
    }
}
