//! `Station`: jobs on the cores of one machine, by limited processor sharing, with FIFO and LIFO as settings of it.

mod entry;
mod fixed;
mod shared;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};
use entry::Service;
use fixed::Fixed;
use shared::{Scaling, Shared};

/// Who gets a core: a name for the usual settings of a [`StationConfig`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Discipline {
    /// One job a core, the rest waits in order of arrival.
    Fifo,
    /// One job a core, the last to come is the first to start; nothing is interrupted.
    Lifo,
    /// All jobs share all cores equally, nobody waits.
    Ps,
}

/// What a station is made of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StationConfig {
    /// Cores, at least one.
    pub cores: u32,
    /// Jobs that may share the cores at once, at least one; `None`: all that come.
    pub limit: Option<u32>,
    /// Whether the last to come is the first to start among those who wait.
    pub lifo: bool,
    /// Core-seconds of demand that a core serves in a second, above zero.
    pub speed: f64,
    /// Contention of the universal scalability law, zero or more: the serial share of the work.
    pub sigma: f64,
    /// Coherency of the universal scalability law, zero or more: the price of each pair of busy cores.
    pub kappa: f64,
    /// Jobs that may wait; one more is turned away.
    pub queue_limit: usize,
}

impl StationConfig {
    /// `cores` cores of speed 1 without contention, and a queue without end.
    pub fn new(discipline: Discipline, cores: u32) -> StationConfig {
        let limit = (discipline != Discipline::Ps).then_some(cores);
        let lifo = discipline == Discipline::Lifo;
        StationConfig { cores, limit, lifo, speed: 1.0, sigma: 0.0, kappa: 0.0, queue_limit: usize::MAX }
    }

    /// Whether every job in service has a core of its own at full speed, so that its end is known at its start.
    fn is_fixed_rate(&self) -> bool {
        self.limit.is_some_and(|limit| limit <= self.cores) && self.sigma == 0.0 && self.kappa == 0.0
    }
}

/// A job that has had all its demand served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done<J> {
    /// The job, as it was entered.
    pub job: J,
    /// How long it stood in the station's own queue before it got its share of the cores.
    pub waited: SimDuration,
}

/// Limited processor sharing: at most `limit` jobs share the cores, the rest waits.
///
/// With n jobs in service on c cores and m = min(n, c), the station works at `m / (1 + sigma (m-1) + kappa m (m-1))`
/// core-seconds a second (Gunther's universal scalability law), times its speed, shared equally among the n.
/// The owner keeps one event armed for [`Station::next_completion`] and calls [`Station::complete`] when it fires.
#[derive(Debug)]
pub struct Station<J> {
    config: StationConfig,
    service: Mode<J>,
    queue: VecDeque<Waiter<J>>,
    usage: Usage,
}

/// The two ways to know who leaves next: times fixed at the start, or a virtual clock.
#[derive(Debug)]
enum Mode<J> {
    Fixed(Fixed<J>),
    Shared(Shared<J>),
}

#[derive(Clone, Copy, Debug)]
struct Waiter<J> {
    job: J,
    demand: SimDuration,
    entered: SimTime,
}

/// What has been used so far. Integers, so that no length of trial wears it down.
#[derive(Debug, Default)]
struct Usage {
    /// Cores that are taken, since when, and the integral up to then, core-nanoseconds.
    busy: u64,
    since: SimTime,
    busy_ns: u128,
    completed_ns: u128,
    removed_ns: f64,
}

impl<J: Copy> Station<J> {
    /// An idle station.
    ///
    /// # Panics
    /// When a figure of `config` is out of its range.
    pub fn new(config: StationConfig) -> Station<J> {
        assert!(config.cores > 0, "a station has at least one core");
        assert!(config.limit != Some(0), "a station serves at least one job at a time");
        assert!(config.speed > 0.0 && config.speed.is_finite(), "a station's speed is above zero");
        assert!(config.sigma >= 0.0 && config.kappa >= 0.0, "contention and coherency are never negative");
        let service = if config.is_fixed_rate() {
            Mode::Fixed(Fixed::new(config.speed))
        } else {
            let StationConfig { cores, sigma, kappa, .. } = config;
            Mode::Shared(Shared::new(Scaling { cores, sigma, kappa }, config.speed))
        };
        Station { config, service, queue: VecDeque::new(), usage: Usage::default() }
    }

    /// A job comes with `demand` of core time at speed 1. It starts at once or waits.
    /// False, and nothing has changed, when it would have to wait and the queue is full.
    #[must_use]
    #[inline]
    pub fn enter(&mut self, now: SimTime, job: J, demand: SimDuration) -> bool {
        if self.has_slot() {
            self.start(now, Service { job, demand, waited: SimDuration::ZERO });
            self.count_busy(now);
            return true;
        }
        let has_room = self.queue.len() < self.config.queue_limit;
        if has_room {
            self.queue.push_back(Waiter { job, demand, entered: now });
        }
        has_room
    }

    /// When the next job is done if nothing else happens; `None` while nobody is in service or the station stands still.
    /// A later [`Station::enter`] may move it later, a completion, a removal or a new speed either way.
    #[inline]
    pub fn next_completion(&self) -> Option<SimTime> {
        match &self.service {
            Mode::Fixed(fixed) => fixed.next_completion(),
            Mode::Shared(shared) => shared.next_completion(),
        }
    }

    /// Takes out one job that is done at `now` and starts the next waiter. To be called until it gives `None`,
    /// which may be at once: a job that came since the event was armed has moved the completion later.
    ///
    /// # Panics
    /// When a job with a core of its own was done before `now`: its owner missed the completion.
    #[inline]
    pub fn complete(&mut self, now: SimTime) -> Option<Done<J>> {
        let service = match &mut self.service {
            Mode::Fixed(fixed) => fixed.take_due(now),
            Mode::Shared(shared) => shared.take_due(now),
        }?;
        self.usage.completed_ns += u128::from(service.demand.as_nanos());
        self.start_waiters(now);
        self.count_busy(now);
        Some(Done { job: service.job, waited: service.waited })
    }

    /// From now on the station works at `factor` times its configured speed; at zero it stands still.
    ///
    /// # Panics
    /// When `factor` is negative or not finite.
    pub fn set_speed(&mut self, now: SimTime, factor: f64) {
        assert!(factor >= 0.0 && factor.is_finite(), "a speed is a finite number, zero or more");
        let speed = self.config.speed * factor;
        match &mut self.service {
            Mode::Fixed(fixed) => fixed.set_speed(now, speed),
            Mode::Shared(shared) => shared.set_speed(now, speed),
        }
    }

    /// Throws out the jobs for which `gone` holds, waiting ones first, then those in service; starts waiters in the
    /// places that came free. Returns how many went. Linear in the jobs inside.
    pub fn remove_if(&mut self, now: SimTime, mut gone: impl FnMut(&J) -> bool) -> usize {
        let inside = self.in_service() + self.queue.len();
        self.queue.retain(|waiter| !gone(&waiter.job));
        self.usage.removed_ns += match &mut self.service {
            Mode::Fixed(fixed) => fixed.remove_if(now, gone),
            Mode::Shared(shared) => shared.remove_if(now, gone),
        };
        let left = self.in_service() + self.queue.len();
        self.start_waiters(now);
        self.count_busy(now);
        inside - left
    }

    /// Jobs that have a share of the cores.
    #[inline]
    pub fn in_service(&self) -> usize {
        match &self.service {
            Mode::Fixed(fixed) => fixed.len(),
            Mode::Shared(shared) => shared.len(),
        }
    }

    /// Jobs that wait for a share.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Cores that are taken at this moment. A station that stands still keeps its cores taken.
    pub fn busy_cores(&self) -> f64 {
        self.usage.busy as f64
    }

    /// Core-nanoseconds taken up to `now`: the integral of [`Station::busy_cores`].
    pub fn busy_integral(&self, now: SimTime) -> u128 {
        self.usage.busy_until(now)
    }

    /// Core-nanoseconds of demand served up to `now`, of jobs done, removed and inside. Without contention and at
    /// speed 1 it equals [`Station::busy_integral`], but for the rounding of completions up to whole nanoseconds.
    /// Linear in the jobs in service.
    pub fn work_done(&self, now: SimTime) -> f64 {
        let inside = match &self.service {
            Mode::Fixed(fixed) => fixed.served(now),
            Mode::Shared(shared) => shared.served(now),
        };
        self.usage.completed_ns as f64 + self.usage.removed_ns + inside
    }

    #[inline]
    fn has_slot(&self) -> bool {
        self.config.limit.is_none_or(|limit| self.in_service() < limit as usize)
    }

    /// Takes down how many cores are taken from `now` on. Mostly nothing has changed: where somebody waits, the core of
    /// one who leaves is taken at once.
    #[inline]
    fn count_busy(&mut self, now: SimTime) {
        let busy = (self.in_service() as u64).min(u64::from(self.config.cores));
        if busy != self.usage.busy {
            self.usage.busy_ns = self.usage.busy_until(now);
            self.usage.since = now;
            self.usage.busy = busy;
        }
    }

    #[inline]
    fn start_waiters(&mut self, now: SimTime) {
        while !self.queue.is_empty() && self.has_slot() {
            let next = if self.config.lifo { self.queue.pop_back() } else { self.queue.pop_front() };
            let Waiter { job, demand, entered } = next.expect("the queue is not empty");
            self.start(now, Service { job, demand, waited: now.since(entered) });
        }
    }

    #[inline]
    fn start(&mut self, now: SimTime, service: Service<J>) {
        match &mut self.service {
            Mode::Fixed(fixed) => fixed.start(now, service),
            Mode::Shared(shared) => shared.start(now, service),
        }
    }
}

impl Usage {
    #[inline]
    fn busy_until(&self, now: SimTime) -> u128 {
        self.busy_ns + u128::from(self.busy) * u128::from(now.since(self.since).as_nanos())
    }
}
