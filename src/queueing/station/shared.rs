//! Service in equal shares by a virtual clock: O(log n) for each arrival and departure, whatever the number inside.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::entry::{Entry, Serve, Service};
use crate::kernel::time::SimTime;

/// A job this close to its tag, in nanoseconds of demand, is done: far above the float error of the clock below
/// [`CLOCK_MAX`], far below a tick.
const DUE_WITHIN_NS: f64 = 1e-3;

/// The virtual clock is set back to zero beyond this value, about 69 s, where a float resolves 1.5e-5 ns.
const CLOCK_MAX: f64 = (1_u64 << 36) as f64;

/// How much work n jobs get done on c cores.
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
}

/// A value of the virtual clock at which a job leaves.
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
}

impl PartialEq for Tag {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Tag {}

/// Jobs in service. The clock V shows what one job that was always there would have been served; a job of demand s
/// that starts at V leaves when the clock shows V + s, and that tag never changes, however the rate does.
#[derive(Debug)]
pub(super) struct Shared<J> {
    tags: BinaryHeap<Entry<Tag, J>>,
    started: u64,
    scaling: Scaling,
    speed: f64,
    /// Virtual nanoseconds in a nanosecond: each job's share times the speed. Unused while nobody is inside.
    rate: f64,
    /// The virtual clock at `updated`, in nanoseconds of demand.
    clock: f64,
    updated: SimTime,
}

impl<J: Copy> Shared<J> {
    pub(super) fn new(scaling: Scaling, speed: f64) -> Shared<J> {
        let (tags, updated) = (BinaryHeap::new(), SimTime::ZERO);
        Shared { tags, started: 0, scaling, speed, rate: speed, clock: 0.0, updated }
    }

    #[inline(never)]
    pub(super) fn next_completion(&self) -> Option<SimTime> {
        if self.speed == 0.0 {
            return None;
        }
        let left = self.tags.peek()?.key.0 - self.clock;
        if left <= DUE_WITHIN_NS {
            return Some(self.updated);
        }
        // Rounded up: the event must not find that it came a fraction of a tick too early.
        let ticks = (left / self.rate).ceil() as u64;
        Some(SimTime::from_nanos(self.updated.as_nanos().saturating_add(ticks)))
    }

    pub(super) fn set_speed(&mut self, now: SimTime, speed: f64) {
        self.advance(now);
        self.speed = speed;
        self.adjust_rate();
    }

    /// Throws out the jobs for which `gone` holds; returns the core-nanoseconds of demand that they had been served.
    pub(super) fn remove_if(&mut self, now: SimTime, mut gone: impl FnMut(&J) -> bool) -> f64 {
        self.advance(now);
        let clock = self.clock;
        let mut served = 0.0;
        self.tags.retain(|entry| {
            let goes = gone(&entry.service.job);
            if goes {
                served += served_of(entry, clock);
            }
            !goes
        });
        self.adjust_rate();
        served
    }

    /// Core-nanoseconds of demand served so far to the jobs inside.
    pub(super) fn served(&self, now: SimTime) -> f64 {
        let clock = self.clock_at(now);
        self.tags.iter().map(|entry| served_of(entry, clock)).sum()
    }

    fn clock_at(&self, now: SimTime) -> f64 {
        self.clock + now.since(self.updated).as_nanos() as f64 * self.rate
    }

    fn advance(&mut self, now: SimTime) {
        if !self.tags.is_empty() {
            self.clock = self.clock_at(now);
        }
        self.updated = now;
        if self.clock > CLOCK_MAX {
            self.rewind();
        }
    }

    /// Sets the clock back to zero and the tags with it. A float of a large clock would swallow small steps.
    fn rewind(&mut self) {
        // Rounding may make two tags equal, so the heap is built again rather than changed in place.
        let mut entries = std::mem::take(&mut self.tags).into_vec();
        for entry in &mut entries {
            entry.key = Tag(entry.key.0 - self.clock);
        }
        self.tags = BinaryHeap::from(entries);
        self.clock = 0.0;
    }

    fn adjust_rate(&mut self) {
        if self.tags.is_empty() {
            // Nobody remembers the old clock: errors end here.
            self.clock = 0.0;
        } else {
            self.rate = self.scaling.share(self.tags.len()) * self.speed;
        }
    }
}

impl<J: Copy> Serve<J> for Shared<J> {
    fn len(&self) -> usize {
        self.tags.len()
    }

    #[inline(never)]
    fn start(&mut self, now: SimTime, service: Service<J>) {
        self.advance(now);
        let tag = Tag(self.clock + service.demand.as_nanos() as f64);
        self.tags.push(Entry { key: tag, started: self.started, service });
        self.started += 1;
        self.adjust_rate();
    }

    #[inline(never)]
    fn take_due(&mut self, now: SimTime) -> Option<Service<J>> {
        if self.speed == 0.0 {
            return None;
        }
        self.advance(now);
        let tag = self.tags.peek()?.key.0;
        if tag > self.clock + DUE_WITHIN_NS {
            return None;
        }
        let entry = self.tags.pop()?;
        // The clock is never behind one who left. Where rounding up has brought it ahead by a part of a tick it
        // stays ahead: the others have really been served that long.
        self.clock = self.clock.max(tag);
        self.adjust_rate();
        Some(entry.service)
    }
}

fn served_of<J>(entry: &Entry<Tag, J>, clock: f64) -> f64 {
    let demand = entry.service.demand.as_nanos() as f64;
    (demand - (entry.key.0 - clock)).clamp(0.0, demand)
}
