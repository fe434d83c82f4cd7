//! `Machine`: the hardware that components run on: cores, memory, disk. Cores and disk have one pending completion
//! event each.

use crate::kernel::slab;
use crate::kernel::time::{SimDuration, SimTime};
use crate::queueing::memory::Memory;
use crate::queueing::quota::{Budget, Look};
use crate::queueing::station::{Station, StationConfig};

use super::hardware::{DiskSpec, MachineSpec};
use super::signal::{CallId, ComponentId};

/// Index of a machine in its simulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct MachineId(u32);

impl MachineId {
    pub(super) fn new(index: usize) -> MachineId {
        MachineId(u32::try_from(index).expect("a simulation has fewer than 2^32 machines"))
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A station of a machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// The cores.
    Cpu,
    /// The disk.
    Disk,
}

/// Work of a component, for a call or of its own. It has two words, so that it is passed in registers: an id or a code,
/// and the component with the kind of the task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Job {
    id: u64,
    rest: u64,
}

impl Job {
    const IS_OWN: u64 = 1 << 63;

    #[inline]
    pub(super) fn new(owner: ComponentId, task: Task) -> Job {
        let owner = owner.index() as u64;
        match task {
            Task::Call(id) => Job { id: id.0.bits(), rest: owner },
            Task::Own(code) => Job { id: u64::from(code), rest: owner | Job::IS_OWN },
        }
    }

    /// The component whose work it is.
    #[inline]
    pub(super) fn owner(self) -> ComponentId {
        ComponentId::new((self.rest & !Job::IS_OWN) as usize)
    }

    /// What the work is for.
    #[inline]
    pub(super) fn task(self) -> Task {
        if self.rest & Job::IS_OWN == 0 {
            Task::Call(CallId(slab::Key::from_bits(self.id)))
        } else {
            Task::Own(self.id as u16)
        }
    }
}

/// What the work of a job is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Task {
    /// A call.
    Call(CallId),
    /// The component itself; an alarm with this code reports its end.
    Own(u16),
}

/// A station and its pending completion event. If the next departure moves later, the event stays; it is scheduled
/// again only if the departure moves earlier. The number of the event identifies the valid one.
#[derive(Debug)]
pub(super) struct Armed {
    pub station: Station<Job>,
    pub at: SimTime,
    pub seq: u64,
    cores: u32,
    measured_from: u128,
    window_from: u128,
    /// Integral of the queue length when the measured time began, in job-nanoseconds.
    queue_from: u128,
}

impl Armed {
    fn new(config: StationConfig) -> Armed {
        Armed {
            station: Station::new(config),
            at: SimTime::MAX,
            seq: u64::MAX,
            cores: config.cores,
            measured_from: 0,
            window_from: 0,
            queue_from: 0,
        }
    }

    /// Core time used since the end of the warm-up, in core-nanoseconds.
    fn busy(&self, now: SimTime) -> u128 {
        self.station.busy_integral(now) - self.measured_from
    }
}

/// The quota of a machine, and what becomes of it.
#[derive(Debug)]
pub(super) struct Throttle {
    budget: Budget,
    /// The pending look, by the number of its event.
    pub at: SimTime,
    pub seq: u64,
}

impl Throttle {
    pub(super) fn new(budget: Budget) -> Throttle {
        Throttle { budget, at: SimTime::MAX, seq: u64::MAX }
    }
}

/// Why the cores of a machine that works stand still: a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Halt {
    /// Its quota of core time is used up.
    Quota = 1,
    /// Its host has stopped them.
    Host = 2,
}

/// The hardware that components run on.
#[derive(Debug)]
pub struct Machine {
    /// The component whose machine it is.
    pub(super) host: ComponentId,
    pub(super) cpu: Armed,
    pub(super) disk: Option<Armed>,
    pub(super) memory: Memory,
    pub(super) cores: u32,
    pub(super) price: f64,
    /// USD for what went through it in the measured time, where that has a price.
    pub(super) spent: f64,
    /// Since when it is off, and how long it was off before, in the measured time.
    off: (Option<SimTime>, SimDuration),
    /// Share of its speed that it has when it does not stand still.
    factor: f64,
    stands_still: bool,
    /// What memory on a disk costs: the penalty of its swap.
    pub(super) swaps: Option<f64>,
    /// The quota of core time, behind a pointer, because few machines have one.
    pub(super) throttle: Option<Box<Throttle>>,
    /// Why the cores stand still while the machine works: bits of [`Halt`].
    halts: u8,
    /// What the station counted as busy while they did, in core-nanoseconds, and its count when they began to, while they do.
    halted: (u128, Option<u128>),
    /// How many times as long work for the cores takes that comes now.
    pub(super) burden: f64,
    /// The rank of the calls of each class that take cores from others; empty where nobody does.
    pub(super) ranks: Box<[u8]>,
    /// Number of calls that wait inside the host, apart from the queue for the cores.
    beside: u64,
    /// Largest number of calls that waited at the same time, in both places together.
    queue_max: u64,
}

impl Machine {
    pub(super) fn new(host: ComponentId, spec: &MachineSpec) -> Machine {
        let cpu = StationConfig {
            cores: spec.cores,
            limit: spec.limit,
            lifo: spec.lifo,
            speed: spec.speed,
            sigma: spec.sigma,
            kappa: spec.kappa,
            queue_limit: usize::MAX,
        };
        Machine {
            host,
            cpu: Armed::new(cpu),
            disk: spec.disk.map(|disk| Armed::new(disk_station(disk))),
            memory: Memory::new(spec.memory).with_swap(spec.swap.map_or(0, |swap| swap.size)),
            cores: spec.cores,
            price: spec.price,
            spent: 0.0,
            off: (None, SimDuration::ZERO),
            factor: 1.0,
            stands_still: false,
            swaps: spec.swap.map(|swap| swap.penalty),
            throttle: None,
            halts: 0,
            halted: (0, None),
            burden: 1.0,
            ranks: Box::default(),
            beside: 0,
            queue_max: 0,
        }
    }

    /// Sets the share of their speed at which the cores work.
    pub(super) fn set_speed(&mut self, now: SimTime, factor: f64) {
        self.factor = factor;
        self.turn_cores(now);
    }

    /// Gives the cores the speed that they have now.
    pub(super) fn turn_cores(&mut self, now: SimTime) {
        let stands = self.stands_still || self.halts != 0;
        let slower = 1.0 + self.swaps.unwrap_or(0.0) * self.memory.swapped();
        self.cpu.station.set_speed(now, if stands { 0.0 } else { self.factor / slower });
    }

    /// Whether its cores stand still though it works.
    pub(super) fn is_halted(&self) -> bool {
        self.halts != 0
    }

    /// Stops the cores for a reason, or ends that reason.
    pub(super) fn halt(&mut self, now: SimTime, why: Halt, stops: bool) {
        let before = self.halts;
        self.halts = if stops { before | why as u8 } else { before & !(why as u8) };
        if (before == 0) != (self.halts == 0) {
            let integral = self.cpu.station.busy_integral(now);
            match self.halted.1.take() {
                Some(since) => self.halted.0 += integral - since,
                None => self.halted.1 = Some(integral),
            }
            self.turn_cores(now);
        }
    }

    /// It is ordered, or given back.
    pub(super) fn rent(&mut self, now: SimTime, rents: bool) {
        match (self.off.0, rents) {
            (Some(since), true) => self.off = (None, self.off.1 + now.since(since)),
            (None, false) => self.off.0 = Some(now),
            _ => {}
        }
    }

    /// The share of the time `measured`, which ends `now`, in which it was not off, 0..1.
    pub(super) fn rented(&self, now: SimTime, measured: SimDuration) -> f64 {
        let (since, before) = self.off;
        let off = before + since.map_or(SimDuration::ZERO, |since| now.since(since));
        if measured.is_zero() { 1.0 } else { 1.0 - off.as_secs_f64() / measured.as_secs_f64() }
    }

    /// USD an hour: of the machine while it was not off, and of what went through it.
    pub(super) fn cost(&self, now: SimTime, measured: SimDuration) -> f64 {
        let hours = measured.as_secs_f64() / 3600.0;
        let spent = if hours > 0.0 { self.spent / hours } else { 0.0 };
        self.price * self.rented(now, measured) + spent
    }

    /// Core time used since the start of the trial, in core-nanoseconds. Cores that are halted use none.
    pub(super) fn used(&self, now: SimTime) -> u128 {
        let integral = self.cpu.station.busy_integral(now);
        let (halted, since) = self.halted;
        integral - halted - since.map_or(0, |since| integral - since)
    }

    /// Looks at the quota. Returns the time of the next look, and whether the cores have begun to stand still or to go on.
    pub(super) fn look_at_quota(&mut self, now: SimTime) -> (Option<SimTime>, Option<bool>) {
        let used = self.used(now);
        let busy = self.cpu.station.busy_cores() as u32;
        let Some(throttle) = &mut self.throttle else { return (None, None) };
        let Look { is_used_up, next } = throttle.budget.look(now, used, busy);
        let changes = is_used_up != (self.halts & Halt::Quota as u8 != 0);
        if changes {
            self.halt(now, Halt::Quota, is_used_up);
        }
        (next, changes.then_some(is_used_up))
    }

    /// Lets cores and disk stand still, or go on.
    pub(super) fn stand_still(&mut self, now: SimTime, stands: bool) {
        self.stands_still = stands;
        let share = if stands { 0.0 } else { 1.0 };
        self.turn_cores(now);
        if let Some(disk) = &mut self.disk {
            disk.station.set_speed(now, share);
        }
    }

    pub(super) fn armed(&mut self, device: Device) -> &mut Armed {
        match device {
            Device::Cpu => &mut self.cpu,
            Device::Disk => self.disk.as_mut().expect("disk work is entered only where the spec has a disk"),
        }
    }

    /// Updates the largest queue; called when work may have begun to wait for a core.
    #[inline]
    pub(super) fn note_queue(&mut self) {
        self.queue_max = self.queue_max.max(self.beside + self.cpu.station.waiting() as u64);
    }

    /// Number of calls that wait for a core now.
    pub(super) fn waiting(&self) -> u64 {
        self.cpu.station.waiting() as u64
    }

    /// Sets the number of calls that wait inside the host, besides those in the queue for the cores.
    pub(super) fn set_beside(&mut self, calls: u64) {
        self.beside = calls;
        self.note_queue();
    }

    /// Largest number of calls that waited at the same time since the warm-up, for a core or inside the host.
    pub(super) fn queue_max(&self) -> u64 {
        self.queue_max
    }

    /// Integral of the queue for the cores since the warm-up, in call-nanoseconds.
    pub(super) fn queue_integral(&self, now: SimTime) -> u128 {
        self.cpu.station.queue_integral(now) - self.cpu.queue_from
    }

    /// Ends the warm-up: figures count from now on.
    pub(super) fn end_warmup(&mut self, now: SimTime) {
        self.memory.reset_max();
        self.spent = 0.0;
        self.off = (self.off.0.map(|_| now), SimDuration::ZERO);
        self.cpu.queue_from = self.cpu.station.queue_integral(now);
        self.queue_max = 0;
        self.note_queue();
        self.cpu.measured_from = self.used(now);
        if let Some(disk) = &mut self.disk {
            disk.measured_from = disk.station.busy_integral(now);
        }
    }

    /// Index of the host, core time used since the last call of this function in nanoseconds, and the number of cores.
    pub(super) fn window_busy(&mut self, now: SimTime) -> (usize, u128, u32) {
        let integral = self.used(now);
        let used = integral - std::mem::replace(&mut self.cpu.window_from, integral);
        (self.host.index(), used, self.cores)
    }

    /// Mean number of busy cores over the time `measured`, which ends `now`.
    pub(super) fn busy_cores_mean(&self, now: SimTime, measured: SimDuration) -> f64 {
        mean_over(self.used(now) - self.cpu.measured_from, measured)
    }

    /// Mean share of the disk in use over the time `measured`, which ends `now`; `None` without a disk.
    pub(super) fn disk_utilisation(&self, now: SimTime, measured: SimDuration) -> Option<f64> {
        let disk = self.disk.as_ref()?;
        Some(mean_over(disk.busy(now), measured) / f64::from(disk.cores))
    }
}

/// The time average of a quantity from its integral over nanoseconds; 0 if no time has passed.
pub(super) fn mean_over(integral: u128, over: SimDuration) -> f64 {
    if over.is_zero() { 0.0 } else { integral as f64 / over.as_nanos() as f64 }
}

/// The station of a disk, which serves `iops * latency` operations at once (Little's law).
fn disk_station(disk: DiskSpec) -> StationConfig {
    let slots = (disk.iops * disk.latency.as_secs_f64()).round().max(1.0);
    StationConfig {
        cores: slots as u32,
        limit: Some(slots as u32),
        lifo: false,
        // The number of slots is rounded, and the speed compensates for that, so that the rate is exact.
        speed: disk.iops * disk.latency.as_secs_f64() / slots,
        sigma: 0.0,
        kappa: 0.0,
        queue_limit: usize::MAX,
    }
}
