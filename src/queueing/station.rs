//! `Station`: jobs on the cores of one machine, by limited processor sharing, with FIFO and LIFO as settings of it.

mod entry;
mod fixed;
#[cfg(test)]
mod plain;
mod shared;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use crate::kernel::time::{SimDuration, SimTime};
use entry::{Serve, Service};
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

/// What became of a job that came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entered {
    /// It has its share of the cores.
    Started,
    /// It waits for one.
    Waits,
    /// It is turned away: the queue is full.
    Full,
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
    /// Sum of the times in the queue of those who have left it, ns.
    queued_ns: u128,
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

    /// A job comes with `demand` of core time at speed 1. Unless it starts, no completion moves.
    #[must_use]
    #[inline(always)]
    pub fn enter(&mut self, now: SimTime, job: J, demand: SimDuration) -> Entered {
        if self.has_slot() {
            // Made in both arms: what only one of them needs in memory would have to go there for both.
            match &mut self.service {
                Mode::Fixed(fixed) => fixed.start(now, Service { job, demand, waited: SimDuration::ZERO }),
                Mode::Shared(shared) => shared.start(now, Service { job, demand, waited: SimDuration::ZERO }),
            }
            self.count_busy(now);
            Entered::Started
        } else if self.queue.len() < self.config.queue_limit {
            self.queue.push_back(Waiter { job, demand, entered: now });
            Entered::Waits
        } else {
            Entered::Full
        }
    }

    /// When the next job is done if nothing else happens; `None` while nobody is in service or the station stands still.
    /// A later [`Station::enter`] may move it later, a completion, a removal or a new speed either way.
    #[inline(always)]
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
    #[inline(always)]
    pub fn complete(&mut self, now: SimTime) -> Option<Done<J>> {
        let Station { config, service, queue, usage } = self;
        match service {
            Mode::Fixed(fixed) => complete(fixed, config, queue, usage, now),
            Mode::Shared(shared) => complete(shared, config, queue, usage, now),
        }
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
        let queued_ns = &mut self.usage.queued_ns;
        self.queue.retain(|waiter| {
            let goes = gone(&waiter.job);
            if goes {
                *queued_ns += u128::from(now.since(waiter.entered).as_nanos());
            }
            !goes
        });
        self.usage.removed_ns += match &mut self.service {
            Mode::Fixed(fixed) => fixed.remove_if(now, gone),
            Mode::Shared(shared) => shared.remove_if(now, gone),
        };
        let left = self.in_service() + self.queue.len();
        while self.has_slot()
            && let Some(service) = next_waiter(&self.config, &mut self.queue, &mut self.usage, now)
        {
            match &mut self.service {
                Mode::Fixed(fixed) => fixed.start(now, service),
                Mode::Shared(shared) => shared.start(now, service),
            }
        }
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

    /// Job-nanoseconds of waiting up to `now`: the integral of [`Station::waiting`], which is the sum of the times that
    /// those who have left the queue were in it, and of those who are in it so far. Linear in the latter.
    pub fn queue_integral(&self, now: SimTime) -> u128 {
        let so_far = |waiter: &Waiter<J>| u128::from(now.since(waiter.entered).as_nanos());
        self.usage.queued_ns + self.queue.iter().map(so_far).sum::<u128>()
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

    #[inline]
    fn count_busy(&mut self, now: SimTime) {
        let busy = self.in_service();
        self.usage.count_busy(now, busy, self.config.cores);
    }
}

/// One job leaves that is done, and another one takes its place.
#[inline(always)]
fn complete<J: Copy>(
    service: &mut impl Serve<J>,
    config: &StationConfig,
    queue: &mut VecDeque<Waiter<J>>,
    usage: &mut Usage,
    now: SimTime,
) -> Option<Done<J>> {
    let Service { job, demand, waited } = service.take_due(now)?;
    usage.completed_ns += u128::from(demand.as_nanos());
    match next_waiter(config, queue, usage, now) {
        // As many cores are taken as before.
        Some(next) => service.start(now, next),
        None => usage.count_busy(now, service.len(), config.cores),
    }
    Some(Done { job, waited })
}

/// Takes the next one out of the queue.
#[inline(always)]
fn next_waiter<J: Copy>(
    config: &StationConfig,
    queue: &mut VecDeque<Waiter<J>>,
    usage: &mut Usage,
    now: SimTime,
) -> Option<Service<J>> {
    let Waiter { job, demand, entered } = if config.lifo { queue.pop_back() } else { queue.pop_front() }?;
    let waited = now.since(entered);
    usage.queued_ns += u128::from(waited.as_nanos());
    Some(Service { job, demand, waited })
}

impl Usage {
    /// Takes down how many cores are taken from `now` on, with so many jobs in service.
    #[inline(always)]
    fn count_busy(&mut self, now: SimTime, in_service: usize, cores: u32) {
        let busy = (in_service as u64).min(u64::from(cores));
        if busy != self.busy {
            self.busy_ns = self.busy_until(now);
            self.since = now;
            self.busy = busy;
        }
    }

    #[inline]
    fn busy_until(&self, now: SimTime) -> u128 {
        self.busy_ns + u128::from(self.busy) * u128::from(now.since(self.since).as_nanos())
    }
}
