//! Service in equal shares by a virtual clock. An arrival or a departure costs O(log n) with `n` jobs inside.
//!
//! This is the default of every box, and most boxes usually have few jobs inside. So the jobs that leave next are in
//! a short sorted list, as in [`super::fixed`], and only the others in a heap. While no core is shared, the clock
//! runs at the speed of the station, and the rate needs no division.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::entry::{Entry, Serve, Service, insert_sorted};
use crate::kernel::time::SimTime;

/// A job this close to its tag, in nanoseconds of demand, is done: far above the float error of the clock below
/// [`CLOCK_MAX`], far below a tick.
const DUE_WITHIN_NS: f64 = 1e-3;

/// The virtual clock is set back to zero beyond this value, about 69 s, where a float resolves 1.5e-5 ns.
const CLOCK_MAX: f64 = (1_u64 << 36) as f64;

/// Greatest number of jobs in the sorted list. Up to this number, moving the entries of a list costs less than a
/// heap.
const NEXT_MAX: usize = 16;

/// The speed at which n jobs are served on c cores.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scaling {
    pub(super) cores: u32,
    pub(super) sigma: f64,
    pub(super) kappa: f64,
}

impl Scaling {
    /// Core-seconds a second that each of `jobs` jobs gets at speed 1. Universal scalability law: Gunther,
    /// "Guerrilla Capacity Planning", 2007, chapter 4.
    fn share(&self, jobs: usize) -> f64 {
        let n = jobs as f64;
        let m = n.min(f64::from(self.cores));
        m / (n * (1.0 + self.sigma * (m - 1.0) + self.kappa * m * (m - 1.0)))
    }

    /// Number of jobs up to which each of them has a core of its own at full speed; 0 under contention.
    fn uncrowded(&self) -> usize {
        if self.sigma == 0.0 && self.kappa == 0.0 { self.cores as usize } else { 0 }
    }
}

/// The value of the virtual clock at which a job leaves.
#[derive(Clone, Copy, Debug)]
struct Tag(f64);

impl Ord for Tag {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Tag {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }

    /// Compares in one instruction. It is a total order, because no tag is NaN or negative zero.
    #[inline(always)]
    fn le(&self, other: &Self) -> bool {
        self.0 <= other.0
    }
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Tag {}

/// Jobs in service. The virtual clock V is the demand that a job would have been served if it had always been inside.
/// A job of demand s that starts at V leaves when the clock is V + s. This tag never changes, even if the rate does.
#[derive(Debug)]
pub(super) struct Shared<J> {
    /// The jobs that leave next, the first of them last; empty only while no job is inside.
    next: Vec<Entry<Tag, J>>,
    /// The jobs that leave after all of `next`.
    later: BinaryHeap<Entry<Tag, J>>,
    started: u64,
    scaling: Scaling,
    /// Greatest number of jobs at which the rate is the speed.
    uncrowded: usize,
    speed: f64,
    /// Virtual nanoseconds in a nanosecond: each job's share times the speed. Unused while no job is inside.
    rate: f64,
    /// The virtual clock at `updated`, in nanoseconds of demand.
    clock: f64,
    updated: SimTime,
}

impl<J: Copy> Shared<J> {
    pub(super) fn new(scaling: Scaling, speed: f64) -> Shared<J> {
        let (next, later, updated) = (Vec::new(), BinaryHeap::new(), SimTime::ZERO);
        let uncrowded = scaling.uncrowded();
        Shared { next, later, started: 0, scaling, uncrowded, speed, rate: speed, clock: 0.0, updated }
    }

    #[inline(always)]
    pub(super) fn next_completion(&self) -> Option<SimTime> {
        if self.speed == 0.0 {
            return None;
        }
        let left = self.next.last()?.key.0 - self.clock;
        if left <= DUE_WITHIN_NS {
            return Some(self.updated);
        }
        // Rounded up, so that the event does not come a fraction of a tick too early.
        let ticks = ceil(left / self.rate);
        Some(SimTime::from_nanos(self.updated.as_nanos().saturating_add(ticks)))
    }

    pub(super) fn set_speed(&mut self, now: SimTime, speed: f64) {
        self.advance(now);
        self.speed = speed;
        self.adjust_rate();
    }

    /// Removes the jobs for which `gone` holds. Returns the core-nanoseconds of demand that they had been served.
    pub(super) fn remove_if(&mut self, now: SimTime, mut gone: impl FnMut(&J) -> bool) -> f64 {
        self.advance(now);
        let clock = self.clock;
        let mut served = 0.0;
        let mut stays = |entry: &Entry<Tag, J>| {
            let goes = gone(&entry.service.job);
            if goes {
                served += served_of(entry, clock);
            }
            !goes
        };
        self.next.retain(&mut stays);
        self.later.retain(&mut stays);
        self.refill();
        self.adjust_rate();
        served
    }

    /// Core-nanoseconds of demand of the jobs inside that were served so far.
    pub(super) fn served(&self, now: SimTime) -> f64 {
        let clock = self.clock_at(now);
        self.next.iter().chain(&self.later).map(|entry| served_of(entry, clock)).sum()
    }

    #[inline(always)]
    fn clock_at(&self, now: SimTime) -> f64 {
        self.clock + float(now.since(self.updated).as_nanos()) * self.rate
    }

    #[inline(always)]
    fn advance(&mut self, now: SimTime) {
        if !self.next.is_empty() {
            self.clock = self.clock_at(now);
        }
        self.updated = now;
        if self.clock > CLOCK_MAX {
            self.rewind();
        }
    }

    /// Sets the clock back to zero, and the tags with it, because small steps would be lost in the rounding of a
    /// large float.
    #[cold]
    #[inline(never)]
    fn rewind(&mut self) {
        // Rounding may make two tags equal, so sort all entries again instead of changing them in place.
        let mut entries = std::mem::take(&mut self.later).into_vec();
        entries.append(&mut self.next);
        for entry in &mut entries {
            entry.key = Tag(entry.key.0 - self.clock);
        }
        self.later = BinaryHeap::from(entries);
        self.refill();
        self.clock = 0.0;
    }

    /// Moves the first of the other jobs into the empty list of jobs that leave next.
    fn refill(&mut self) {
        if self.next.is_empty() {
            self.next.extend(std::iter::from_fn(|| self.later.pop()).take(NEXT_MAX / 2));
            self.next.reverse();
        }
    }

    #[inline(always)]
    fn adjust_rate(&mut self) {
        if self.next.is_empty() {
            // No job refers to the old clock, so rounding errors end here.
            self.clock = 0.0;
        } else {
            let jobs = self.len();
            self.rate =
                if jobs <= self.uncrowded { self.speed } else { self.scaling.share(jobs) * self.speed };
        }
    }

    /// Inserts a job while there are more jobs than fit into the sorted list.
    #[inline(never)]
    fn push_among_many(&mut self, entry: Entry<Tag, J>) {
        if self.next[0].key <= entry.key {
            return self.later.push(entry);
        }
        if self.next.len() == NEXT_MAX {
            self.later.push(self.next.remove(0));
        }
        insert_sorted(&mut self.next, entry);
    }
}

impl<J: Copy> Serve<J> for Shared<J> {
    #[inline]
    fn len(&self) -> usize {
        self.next.len() + self.later.len()
    }

    #[inline(always)]
    fn start(&mut self, now: SimTime, service: Service<J>) {
        self.advance(now);
        let tag = Tag(self.clock + float(service.demand.as_nanos()));
        let entry = Entry { key: tag, started: self.started, service };
        self.started += 1;
        if self.next.len() < NEXT_MAX && self.later.is_empty() {
            insert_sorted(&mut self.next, entry);
        } else {
            self.push_among_many(entry);
        }
        self.adjust_rate();
    }

    #[inline(always)]
    fn take_due(&mut self, now: SimTime) -> Option<Service<J>> {
        if self.speed == 0.0 {
            return None;
        }
        self.advance(now);
        let tag = self.next.last()?.key.0;
        if tag > self.clock + DUE_WITHIN_NS {
            return None;
        }
        let entry = self.next.pop()?;
        if !self.later.is_empty() {
            self.refill();
        }
        // The clock is never behind the tag of a job that left. If rounding up has brought it ahead by a part of a
        // tick, it stays ahead, because the other jobs have really been served for that time.
        if self.clock < tag {
            self.clock = tag;
        }
        self.adjust_rate();
        Some(entry.service)
    }
}

fn served_of<J>(entry: &Entry<Tag, J>, clock: f64) -> f64 {
    let demand = float(entry.service.demand.as_nanos());
    (demand - (entry.key.0 - clock)).clamp(0.0, demand)
}

/// Nanoseconds, or another count below 2^63, as a float. A signed number is converted in one instruction.
#[inline(always)]
fn float(count: u64) -> f64 {
    count as i64 as f64
}

/// The least whole number that is not below `x`, zero or more, without a call of the platform's library.
#[inline(always)]
fn ceil(x: f64) -> u64 {
    let whole = x as i64;
    whole as u64 + u64::from((whole as f64) < x)
}
