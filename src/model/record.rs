//! The record of one trial: plain numbers that can be merged, compared and printed.

use std::borrow::Cow;

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
    /// Number of requests issued.
    pub issued: u64,
    /// Number of requests that ended, by outcome in the order of [`Outcome::ALL`].
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Number of requests that ended ok within the deadline of the class.
    pub good: u64,
    /// Number of tries of the requests that ended.
    pub attempts: u64,
    /// Response times of requests that ended ok, in nanoseconds.
    pub ok: Histogram,
    /// Response times of all requests that ended, in nanoseconds. Without the failed ones, response times have survivor
    /// bias.
    pub ended: Histogram,
    /// Moments of the response times of requests that ended ok, in nanoseconds.
    pub response: Tally,
    /// Number of requests that ended ok in the measured time, including those issued before it: for throughput.
    pub completed: u64,
    /// The same, but only requests within the deadline: for goodput.
    pub completed_good: u64,
}

impl ClassRecord {
    /// Number of requests that were issued and had not ended when the trial stopped.
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
    /// Number of calls that arrived.
    pub arrived: u64,
    /// Number of calls that it answered, by outcome.
    pub outcomes: [u64; Outcome::ALL.len()],
    /// Failures that began there, by outcome: it gave the outcome itself, or nothing answered in its place. The rest of its
    /// failures came from other components.
    pub own: [u64; Outcome::ALL.len()],
    /// Number of failures that came from another component.
    pub passed: u64,
    /// Number of calls that it answered ok when nobody waited for them any more.
    pub in_vain: u64,
    /// Number of calls that it lost in a crash.
    pub dropped: u64,
    /// Number of calls that it forwarded to another component.
    pub passed_on: u64,
    /// What the component itself counted and measured, in the order in which its kind declares it.
    pub gauges: Vec<(&'static Gauge, Reading)>,
    /// Time from arrival to answer of calls answered ok, in nanoseconds.
    pub response: Tally,
    /// Time that these calls waited for a worker, a connection or a core, in nanoseconds.
    pub wait: Tally,
    /// The waiting times as a histogram, in nanoseconds.
    pub waits: Histogram,
    /// Total time that the calls it made spent inside other components until they were answered ok, in nanoseconds.
    pub asked: u128,
    /// Time average of the number of calls inside.
    pub inside_mean: f64,
    /// Largest number of calls inside at the same time.
    pub inside_max: u64,
    /// Time average of the number of waiting calls.
    pub queue_mean: f64,
    /// Largest number of calls waiting at the same time.
    pub queue_max: u64,
    /// Time average of the share of its slots (workers, connections) that calls hold, 0..1; absent without a limit.
    pub slots_held: Option<f64>,
    /// The machine that the component runs on, if any.
    pub machine: Option<MachineRecord>,
}

/// The machine that a component runs on; components that share it report the same figures.
#[derive(Clone, Debug, PartialEq)]
pub struct MachineRecord {
    /// Name of the component whose machine it is.
    pub host: String,
    /// Number of cores.
    pub cores: u32,
    /// Time average of the number of busy cores.
    pub busy_cores_mean: f64,
    /// Largest amount of memory in use, in bytes.
    pub memory_max: u64,
    /// Its memory in bytes.
    pub memory_total: u64,
    /// Utilisation of its disk, 0..1; absent without a disk.
    pub disk_utilisation: Option<f64>,
    /// USD an hour, on average over the time: a machine that is off costs nothing, and traffic may have a price.
    pub price: f64,
    /// Share of the time in which it was not off, 0..1.
    pub rented: f64,
}

/// One window of the series for charts.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Its start, in seconds after the start of the trial.
    pub start_s: f64,
    /// Its length in seconds.
    pub length_s: f64,
    /// Number of requests issued in it.
    pub issued: u64,
    /// Number of requests that ended ok in it.
    pub ok: u64,
    /// Number of requests that ended in it with another outcome.
    pub failed: u64,
    /// 99th percentile of the response times of requests that ended ok in it, in nanoseconds; `None` if there are none.
    pub p99: Option<u64>,
    /// Sum of the response times of requests that ended ok in it, in nanoseconds.
    pub response_sum: u128,
    /// What each component did in it.
    pub components: Vec<ComponentWindow>,
    /// The requests of each class, in the scenario's order.
    pub classes: Vec<ClassWindow>,
}

/// What one component did in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ComponentWindow {
    /// Time average of the number of calls inside.
    pub inside: f64,
    /// Messages that wait in it at the end of the window, and whose senders have been answered; 0 if it is no queue.
    pub backlog: f64,
    /// Utilisation of the cores of its own machine, 0..1; 0 without one.
    pub busy: f64,
    /// Mean share of its slots (workers, connections) that calls held, 0..1; 0 without a limit.
    pub held: f64,
    /// Share of the window in which a call that held a slot waited for something else of the component, such as a connection
    /// of its pool, 0..1.
    pub lacking: f64,
}

/// Requests of one class in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassWindow {
    /// Number of requests issued in it.
    pub issued: u64,
    /// Number of requests that ended ok in it.
    pub ok: u64,
    /// Number of requests that ended in it with another outcome.
    pub failed: u64,
    /// Number of tries of those that ended in it.
    pub attempts: u64,
}

/// Something that happened to a component.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// The time.
    pub at: SimTime,
    /// The component.
    pub component: String,
    /// The event: `crash`, `recover`.
    pub event: Cow<'static, str>,
}

/// The events that begin a fault, each with the one that ends it.
pub const FAULTS: [(&str, &str); 11] = [
    ("crash", "recover"),
    ("power off", "recover"),
    ("hang", "recover"),
    ("slow", "normal speed"),
    ("pause", "goes on"),
    ("disk full", "disk has room"),
    ("errors", "no errors"),
    ("no records", "records are back"),
    ("partition", "partition heals"),
    ("packet loss", "no packet loss"),
    ("latency", "normal latency"),
];

/// How the events of alerts begin: one that fires, and one that does so no longer.
pub const ALERTS: [&str; 2] = ["fires: ", "resolves: "];

/// Whether an event is that of an alert, which tells what a monitor has found. Nothing has happened to a box then.
#[must_use]
pub fn is_alert(event: &str) -> bool {
    ALERTS.iter().any(|begin| event.starts_with(begin))
}

impl TrialRecord {
    /// Whether anything has happened to a box.
    #[must_use]
    pub fn is_disturbed(&self) -> bool {
        self.timeline.iter().any(|note| !is_alert(&note.event))
    }
}

/// Why a trial stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It reached its end.
    Finished,
    /// More calls were alive than allowed, because a queue grows without end.
    TooManyCalls,
    /// More events happened at one instant than allowed, because something goes round without any delay.
    Standstill,
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
    /// Number of events.
    pub events: u64,
    /// Fingerprint of all events.
    pub fingerprint: u64,
    /// By class, in the scenario's order.
    pub classes: Vec<ClassRecord>,
    /// The record of each component, in the order of ids.
    pub components: Vec<ComponentRecord>,
    /// Time average of the number of requests in progress.
    pub in_flight_mean: f64,
    /// Number of requests that were issued in the warm-up and had not ended at its end.
    pub carried_in: u64,
    /// Batch means of the response times of requests that ended ok, in nanoseconds.
    pub batches: BatchMeans,
    /// The series for charts, warm-up included.
    pub windows: Vec<Window>,
    /// The parts of the time that were measured separately.
    pub parts: Vec<PartRecord>,
    /// Events such as crashes; their number is limited.
    pub timeline: Vec<Note>,
    /// The random faults: the place of each in the scenario's list of faults, and how often it began in the measured time or
    /// lasted at its start.
    pub random_faults: Vec<(usize, u64)>,
    /// What boxes have found out about themselves as a whole, in the order of their first members' start.
    pub ledgers: Vec<LedgerRecord>,
}
