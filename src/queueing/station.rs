//! `Station`: jobs on the cores of one machine, by limited processor sharing. FIFO and LIFO are settings of it.

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

/// The order of service: names for the usual settings of a [`StationConfig`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Discipline {
    /// One job on each core; the others wait, and start in order of arrival.
    Fifo,
    /// One job on each core; of the others the last to arrive starts first. No job is interrupted.
    Lifo,
    /// All jobs share all cores equally; no job waits.
    Ps,
}

/// The parameters of a station.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct StationConfig {
    /// Number of cores, at least one.
    pub cores: u32,
    /// Greatest number of jobs that share the cores at once, at least one; `None` for no limit.
    pub limit: Option<u32>,
    /// Whether the last of the waiting jobs to arrive starts first.
    pub lifo: bool,
    /// Core-seconds of demand that one core serves in a second, above zero.
    pub speed: f64,
    /// Contention of the universal scalability law, zero or more: the serial share of the work.
    pub sigma: f64,
    /// Coherency of the universal scalability law, zero or more: the price of each pair of busy cores.
    pub kappa: f64,
    /// Greatest number of waiting jobs; further jobs are turned away.
    pub queue_limit: usize,
}

impl StationConfig {
    /// Parameters for `cores` cores of speed 1 without contention, and a queue without limit.
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

/// The result of entering a job.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Entered {
    /// The job has its share of the cores.
    Started,
    /// The job waits.
    Waits,
    /// The job is turned away, because the queue is full.
    Full,
}

/// A job that has had all its demand served.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Done<J> {
    /// The job.
    pub job: J,
    /// Its time in the station's queue, before it got a share of the cores.
    pub waited: SimDuration,
}

/// Limited processor sharing: at most `limit` jobs share the cores, and the others wait.
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

/// The two ways to find the job that leaves next: end times fixed at the start of service, or a virtual clock.
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

/// Totals of use so far. They are integers, so that they stay exact in trials of any length.
#[derive(Debug, Default)]
struct Usage {
    /// Number of busy cores since `since`; `busy_ns` is the integral up to then, in core-nanoseconds.
    busy: u64,
    since: SimTime,
    busy_ns: u128,
    completed_ns: u128,
    removed_ns: f64,
    /// Sum of the times in the queue of all jobs that have left it, in nanoseconds.
    queued_ns: u128,
}

impl<J: Copy> Station<J> {
    /// An idle station.
    ///
    /// # Panics
    /// When a parameter is out of its range.
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

    /// Enters a job with `demand` of core time at speed 1. The next completion can move only if the job starts.
    #[must_use]
    #[inline(always)]
    pub fn enter(&mut self, now: SimTime, job: J, demand: SimDuration) -> Entered {
        if self.has_slot() {
            // Build the value in both arms: one of them needs it in memory, and otherwise it would go there for both.
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

    /// The time at which the next job is done if nothing else happens; `None` while no job is in service or the
    /// station stands still. A later [`Station::enter`] may move it later; a completion, a removal or a new speed may
    /// move it either way.
    #[inline(always)]
    pub fn next_completion(&self) -> Option<SimTime> {
        match &self.service {
            Mode::Fixed(fixed) => fixed.next_completion(),
            Mode::Shared(shared) => shared.next_completion(),
        }
    }

    /// Takes out one job that is done at `now`, and starts the next waiter. To be called until it returns `None`.
    /// That may be at once, because a job that came since the event was armed may have moved the completion later.
    ///
    /// # Panics
    /// When a job with a core of its own was done before `now`: the owner missed the completion.
    #[inline(always)]
    pub fn complete(&mut self, now: SimTime) -> Option<Done<J>> {
        let Station { config, service, queue, usage } = self;
        match service {
            Mode::Fixed(fixed) => complete(fixed, config, queue, usage, now),
            Mode::Shared(shared) => complete(shared, config, queue, usage, now),
        }
    }

    /// Sets the speed from `now` on to `factor` times the configured speed; at zero the station stands still.
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

    /// Removes the jobs for which `gone` holds, first waiting ones, then those in service, and starts waiters in
    /// their places. Returns the number of removed jobs. Takes time linear in the number of jobs inside.
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

    /// The job that has just begun to wait goes before all of a higher rank: it takes the core of one of the highest above its own, which
    /// goes on later where it was, or else its place in the line. Returns the job that has given way, if it has started. Only for a station whose jobs have
    /// cores of their own and wait in order of arrival. Takes time linear in the number of jobs inside.
    ///
    /// # Panics
    /// When cores are shared.
    pub fn prefer(&mut self, now: SimTime, rank: impl Fn(&J) -> u8) -> Option<J> {
        let Mode::Fixed(fixed) = &mut self.service else { unreachable!("shared cores have no order") };
        let newest = self.queue.pop_back()?;
        let own = rank(&newest.job);
        let place = |queue: &VecDeque<Waiter<J>>, least: u8| {
            queue.iter().position(|waiter| rank(&waiter.job) >= least).unwrap_or(queue.len())
        };
        let Some((out, left)) = fixed.interrupt(now, own, &rank) else {
            let at = place(&self.queue, own.saturating_add(1));
            self.queue.insert(at, newest);
            return None;
        };
        self.usage.completed_ns += u128::from(out.demand.as_nanos() - left.as_nanos());
        // What it has waited so far is counted again when it leaves the queue.
        self.usage.queued_ns -= u128::from(out.waited.as_nanos());
        let entered = SimTime::from_nanos(now.as_nanos() - out.waited.as_nanos());
        let at = place(&self.queue, rank(&out.job));
        self.queue.insert(at, Waiter { job: out.job, demand: left, entered });
        let Waiter { job, demand, entered } = newest;
        let waited = now.since(entered);
        self.usage.queued_ns += u128::from(waited.as_nanos());
        fixed.start(now, Service { job, demand, waited });
        Some(out.job)
    }

    /// Number of jobs that have a share of the cores.
    #[inline]
    pub fn in_service(&self) -> usize {
        match &self.service {
            Mode::Fixed(fixed) => fixed.len(),
            Mode::Shared(shared) => shared.len(),
        }
    }

    /// Number of jobs that wait for a share.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Job-nanoseconds of waiting up to `now`: the integral of [`Station::waiting`]. It is the sum of the times in
    /// the queue of all jobs that have left it, and of the times so far of the jobs in it. Takes time linear in the
    /// number of waiting jobs.
    pub fn queue_integral(&self, now: SimTime) -> u128 {
        let so_far = |waiter: &Waiter<J>| u128::from(now.since(waiter.entered).as_nanos());
        self.usage.queued_ns + self.queue.iter().map(so_far).sum::<u128>()
    }

    /// Number of busy cores. A station that stands still keeps its cores busy.
    pub fn busy_cores(&self) -> f64 {
        self.usage.busy as f64
    }

    /// Busy core-nanoseconds up to `now`: the integral of [`Station::busy_cores`].
    pub fn busy_integral(&self, now: SimTime) -> u128 {
        self.usage.busy_until(now)
    }

    /// Core-nanoseconds of demand served up to `now`, for jobs that are done, removed or inside. Without contention
    /// and at speed 1 it equals [`Station::busy_integral`], except that completions are rounded up to whole
    /// nanoseconds. Takes time linear in the number of jobs in service.
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

/// Takes out one job that is done, and starts the next waiter in its place.
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
        // The number of busy cores stays the same.
        Some(next) => service.start(now, next),
        None => usage.count_busy(now, service.len(), config.cores),
    }
    Some(Done { job, waited })
}

/// Takes the job to be served next out of the queue.
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
    /// Notes the number of busy cores from `now` on, for this number of jobs in service.
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
