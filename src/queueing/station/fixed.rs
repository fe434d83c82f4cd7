//! Service at a fixed rate: each job has a core of its own, so that its end is known, in integers, when it starts.

use std::cmp::Reverse;

use super::entry::{Entry, Serve, Service, insert_sorted};
use crate::kernel::time::{SimDuration, SimTime};

/// Jobs in service, by the time at which each ends.
#[derive(Debug)]
pub(super) struct Fixed<J> {
    /// Sorted by end time, latest first, so that `pop` returns the next to leave; of equal ends the one that started
    /// first leaves first. The list has no more entries than the station has cores, which is most often a handful.
    ends: Vec<Entry<SimTime, J>>,
    started: u64,
    /// The rate by which the ends were computed, above zero; while the station stands still, the rate before that.
    rate: f64,
    /// The time since which the station stands still. The ends are those of a station that goes on from this time.
    frozen: Option<SimTime>,
}

impl<J: Copy> Fixed<J> {
    pub(super) fn new(rate: f64) -> Fixed<J> {
        Fixed { ends: Vec::new(), started: 0, rate, frozen: None }
    }

    #[inline(always)]
    pub(super) fn next_completion(&self) -> Option<SimTime> {
        if self.frozen.is_some() {
            return None;
        }
        self.ends.last().map(|entry| entry.key)
    }

    pub(super) fn set_speed(&mut self, now: SimTime, rate: f64) {
        if rate == 0.0 {
            self.frozen = Some(self.clock(now));
            return;
        }
        let from = self.clock(now);
        let stretch = rate / self.rate;
        for entry in &mut self.ends {
            entry.key = now + stretched(entry.key.since(from), stretch);
        }
        // Rounding may make two different ends equal.
        self.ends.sort_by_key(|entry| Reverse((entry.key, entry.started)));
        self.rate = rate;
        self.frozen = None;
    }

    /// Removes the jobs for which `gone` holds. Returns the core-nanoseconds of demand that they had been served.
    pub(super) fn remove_if(&mut self, now: SimTime, mut gone: impl FnMut(&J) -> bool) -> f64 {
        let (clock, rate) = (self.clock(now), self.rate);
        let mut served = 0.0;
        self.ends.retain(|entry| {
            let goes = gone(&entry.service.job);
            if goes {
                served += served_of(entry, clock, rate);
            }
            !goes
        });
        served
    }

    /// Takes out the job of the highest rank above `own`, of several the one that started last: with what is left of its demand. One
    /// that is done now stays. Takes time linear in the number of jobs.
    pub(super) fn interrupt(
        &mut self,
        now: SimTime,
        own: u8,
        rank: impl Fn(&J) -> u8,
    ) -> Option<(Service<J>, SimDuration)> {
        let clock = self.clock(now);
        let running = self.ends.iter().enumerate().filter(|(_, entry)| entry.key > clock);
        let ranked = running.map(|(at, entry)| (rank(&entry.service.job), entry.started, at));
        let (.., at) = ranked.filter(|(rank, ..)| *rank > own).max()?;
        let entry = self.ends.remove(at);
        let demand = entry.service.demand;
        let left = entry.key.since(clock).as_nanos();
        // The end was rounded up.
        let left = if self.rate == 1.0 { left } else { (left as f64 * self.rate) as u64 };
        Some((entry.service, SimDuration::from_nanos(left.min(demand.as_nanos()))))
    }

    /// Core-nanoseconds of demand of the jobs inside that were served so far.
    pub(super) fn served(&self, now: SimTime) -> f64 {
        let clock = self.clock(now);
        self.ends.iter().map(|entry| served_of(entry, clock, self.rate)).sum()
    }

    fn clock(&self, now: SimTime) -> SimTime {
        self.frozen.unwrap_or(now)
    }
}

impl<J: Copy> Serve<J> for Fixed<J> {
    #[inline]
    fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline(always)]
    fn start(&mut self, now: SimTime, service: Service<J>) {
        let end = self.clock(now) + stretched(service.demand, self.rate);
        insert_sorted(&mut self.ends, Entry { key: end, started: self.started, service });
        self.started += 1;
    }

    #[inline(always)]
    fn take_due(&mut self, now: SimTime) -> Option<Service<J>> {
        let end = self.next_completion()?;
        if end > now {
            return None;
        }
        assert!(end == now, "a completion at {end} was missed until {now}");
        self.ends.pop().map(|entry| entry.service)
    }
}

fn served_of<J>(entry: &Entry<SimTime, J>, clock: SimTime, rate: f64) -> f64 {
    let left = entry.key.since(clock).as_nanos() as f64 * rate;
    // The end is rounded up, so that a job that has just started may seem to have more left than its demand.
    (entry.service.demand.as_nanos() as f64 - left).max(0.0)
}

/// The time that `demand` takes at `rate`, rounded up: no job ends before its work is done.
fn stretched(demand: SimDuration, rate: f64) -> SimDuration {
    // Most stations have speed 1. Then the time is exact, even beyond the 53 bits of a float.
    if rate == 1.0 {
        return demand;
    }
    SimDuration::from_nanos((demand.as_nanos() as f64 / rate).ceil() as u64)
}
