//! What one trial leaves behind: plain numbers that can be merged, compared and printed.

use crate::kernel::time::{SimDuration, SimTime};
use crate::stats::batch::BatchMeans;
use crate::stats::histogram::Histogram;
use crate::stats::tally::Tally;

use super::gauge::{Gauge, Reading};
use super::ledger::LedgerRecord;
use super::part::PartRecord;
use super::signal::Outcome;

/// Requests of one class that were issued in the measured time.
#[derive(Clone, Debug, Default)]
pub struct ClassRecord {
    /// Issued.
    pub issued: u64,
    /// Ended, by outcome in the order of [`Outcome::ALL`].
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Ended ok within the class's deadline.
    pub good: u64,
    /// Tries of the ended requests.
    pub attempts: u64,
    /// Response times of those that ended ok, ns.
    pub ok: Histogram,
    /// Response times of all that ended, ns: dropping the failed ones is survivor bias.
    pub ended: Histogram,
    /// Moments of the response times of those that ended ok, ns.
    pub response: Tally,
    /// Ended ok inside the measured time, whenever they were issued: throughput.
    pub completed: u64,
    /// The same within the deadline: goodput.
    pub completed_good: u64,
}

impl ClassRecord {
    /// Issued and not ended when the trial stopped.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.issued - self.outcomes.iter().sum::<u64>()
    }
}

/// Calls of one component in the measured time.
#[derive(Clone, Debug)]
pub struct ComponentRecord {
    /// The member's name: `web-2`.
    pub name: String,
    /// The name of its table: `web`.
    pub group: String,
    /// Its kind.
    pub kind: &'static str,
    /// Calls that arrived.
    pub arrived: u64,
    /// Calls that it answered, by outcome.
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Calls that it lost in a crash.
    pub dropped: u64,
    /// Calls that it handed on to another component.
    pub passed_on: u64,
    /// What the component itself counted and measured, in the order in which its kind declares it.
    pub gauges: Vec<(&'static Gauge, Reading)>,
    /// From arrival to answer of the calls answered ok, ns.
    pub response: Tally,
    /// Time that those calls waited for a worker, a connection or a core, ns.
    pub wait: Tally,
    /// The same as a histogram, ns.
    pub waits: Histogram,
    /// Time that the calls it made spent inside other components until they were answered ok, ns.
    pub asked: u128,
    /// Calls inside: time average and highest.
    pub inside_mean: f64,
    /// Highest number of calls inside at once.
    pub inside_max: u64,
    /// Calls that waited: time average.
    pub queue_mean: f64,
    /// Highest number of calls that waited at once.
    pub queue_max: u64,
    /// Share of its slots (workers, connections) that calls hold: time average, 0..1; absent without a limit.
    pub slots_held: Option<f64>,
    /// Hardware, where the component runs on a machine.
    pub machine: Option<MachineRecord>,
}

/// The machine that a component runs on; components that share it report the same figures.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineRecord {
    /// Name of the component whose machine it is.
    pub host: String,
    /// Cores.
    pub cores: u32,
    /// Time average of busy cores.
    pub busy_cores_mean: f64,
    /// Highest use of memory, bytes.
    pub memory_max: u64,
    /// Its memory, bytes.
    pub memory_total: u64,
    /// Share of time in which its disk was busy, 0..1; absent without a disk.
    pub disk_utilisation: Option<f64>,
    /// USD an hour.
    pub price: f64,
}

/// One window of the series for charts.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Its start, seconds after the start of the trial.
    pub start_s: f64,
    /// Its length in seconds.
    pub length_s: f64,
    /// Requests issued in it.
    pub issued: u64,
    /// Requests that ended ok in it.
    pub ok: u64,
    /// Requests that ended otherwise in it.
    pub failed: u64,
    /// 99th percentile of the response times that ended ok in it, ns; `None` with none.
    pub p99: Option<u64>,
    /// Sum of the response times that ended ok in it, ns.
    pub response_sum: u128,
    /// Time average of calls inside, a component.
    pub inside: Vec<f64>,
    /// Busy share of the cores of a component's own machine, 0..1; 0 without one.
    pub busy: Vec<f64>,
}

/// Something that happened to a component.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// When.
    pub at: SimTime,
    /// To which component.
    pub component: String,
    /// What: `crash`, `recover`.
    pub event: &'static str,
}

/// Why a trial stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It reached the end of its time.
    Finished,
    /// More calls were alive than the limit allows: a queue grows without end.
    TooManyCalls,
    /// The user interrupted it.
    Interrupted,
}

/// Everything that one trial measured.
#[derive(Clone, Debug)]
pub struct TrialRecord {
    /// Why it stopped.
    pub stop: Stop,
    /// Measured time, without the warm-up.
    pub measured: SimDuration,
    /// Events handled.
    pub events: u64,
    /// Fingerprint of the trajectory.
    pub fingerprint: u64,
    /// By class, in the scenario's order.
    pub classes: Vec<ClassRecord>,
    /// By component, in the order of their ids.
    pub components: Vec<ComponentRecord>,
    /// Time average of requests that were under way.
    pub in_flight_mean: f64,
    /// Requests issued in the warm-up and not ended when it was over.
    pub carried_in: u64,
    /// Batch means of the response times of requests that ended ok, ns.
    pub batches: BatchMeans,
    /// The series for charts, warm-up included.
    pub windows: Vec<Window>,
    /// Parts of the time that were asked for.
    pub parts: Vec<PartRecord>,
    /// What happened, bounded.
    pub timeline: Vec<Note>,
    /// What boxes have found out about themselves as a whole, in the order of their first members' start.
    pub ledgers: Vec<LedgerRecord>,
}
