//! `Machine`: the hardware that components run on: cores, memory, disk, and their one completion event each.

use crate::kernel::slab;
use crate::kernel::time::{SimDuration, SimTime};
use crate::queueing::memory::Memory;
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

/// Which of a machine's stations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Device {
    /// The cores.
    Cpu,
    /// The disk.
    Disk,
}

/// Work of a component: for a call, or of its own. In two words, which are moved about in registers: an id or a code, and
/// the component with the kind of the task.
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

    /// Whose work it is.
    #[inline]
    pub(super) fn owner(self) -> ComponentId {
        ComponentId::new((self.rest & !Job::IS_OWN) as usize)
    }

    /// What it is for.
    #[inline]
    pub(super) fn task(self) -> Task {
        if self.rest & Job::IS_OWN == 0 {
            Task::Call(CallId(slab::Key::from_bits(self.id)))
        } else {
            Task::Own(self.id as u16)
        }
    }
}

/// What a job is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Task {
    /// A call.
    Call(CallId),
    /// The component itself; the alarm of this code tells its end.
    Own(u16),
}

/// A station and the one completion event that is armed for it. The event is left where it is when the next departure
/// moves later, and pushed anew only when it moves earlier: the event's number tells the valid one from the others.
#[derive(Debug)]
pub(super) struct Armed {
    pub station: Station<Job>,
    pub at: SimTime,
    pub seq: u64,
    cores: u32,
    measured_from: u128,
    window_from: u128,
    /// Integral of the queue when the measured time began, job-nanoseconds.
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

    /// Core time used since the warm-up ended, core-nanoseconds.
    fn busy(&self, now: SimTime) -> u128 {
        self.station.busy_integral(now) - self.measured_from
    }
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
    /// Calls that wait inside the host, beside the queue for the cores.
    beside: u64,
    /// The most that waited at once, here and there.
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
            memory: Memory::new(spec.memory),
            cores: spec.cores,
            price: spec.price,
            beside: 0,
            queue_max: 0,
        }
    }

    pub(super) fn armed(&mut self, device: Device) -> &mut Armed {
        match device {
            Device::Cpu => &mut self.cpu,
            Device::Disk => self.disk.as_mut().expect("disk work is entered only where the spec has a disk"),
        }
    }

    /// Somebody may have begun to wait for a core.
    #[inline]
    pub(super) fn note_queue(&mut self) {
        self.queue_max = self.queue_max.max(self.beside + self.cpu.station.waiting() as u64);
    }

    /// Sets the number of calls that wait inside the host, besides those in the queue for the cores.
    pub(super) fn set_beside(&mut self, calls: u64) {
        self.beside = calls;
        self.note_queue();
    }

    /// The most that waited at once since the warm-up, for a core or inside the host.
    pub(super) fn queue_max(&self) -> u64 {
        self.queue_max
    }

    /// Call-nanoseconds of waiting for a core since the warm-up.
    pub(super) fn queue_integral(&self, now: SimTime) -> u128 {
        self.cpu.station.queue_integral(now) - self.cpu.queue_from
    }

    /// Ends the warm-up: figures count from now on.
    pub(super) fn end_warmup(&mut self, now: SimTime) {
        self.memory.reset_max();
        self.cpu.queue_from = self.cpu.station.queue_integral(now);
        self.queue_max = 0;
        self.note_queue();
        self.cpu.measured_from = self.cpu.station.busy_integral(now);
        if let Some(disk) = &mut self.disk {
            disk.measured_from = disk.station.busy_integral(now);
        }
    }

    /// Whose machine it is, core time used since this was last asked, ns, and its cores.
    pub(super) fn window_busy(&mut self, now: SimTime) -> (usize, u128, u32) {
        let integral = self.cpu.station.busy_integral(now);
        let used = integral - std::mem::replace(&mut self.cpu.window_from, integral);
        (self.host.index(), used, self.cores)
    }

    /// Mean number of busy cores over `measured` that ends `now`.
    pub(super) fn busy_cores_mean(&self, now: SimTime, measured: SimDuration) -> f64 {
        mean_over(self.cpu.busy(now), measured)
    }

    /// Share of the disk in use over `measured` that ends `now`.
    pub(super) fn disk_utilisation(&self, now: SimTime, measured: SimDuration) -> Option<f64> {
        let disk = self.disk.as_ref()?;
        Some(mean_over(disk.busy(now), measured) / f64::from(disk.cores))
    }
}

/// A time average from its integral, in nanoseconds; 0 when no time has passed.
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
        // Rounding to whole slots must not change the rate: the speed makes up for it.
        speed: disk.iops * disk.latency.as_secs_f64() / slots,
        sigma: 0.0,
        kappa: 0.0,
        queue_limit: usize::MAX,
    }
}
