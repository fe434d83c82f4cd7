//! `Quantity`: what is read from a trial for an expected value.

use crate::components::database::{DataRecord, Outage};
use crate::model::record::{ClassRecord, ComponentRecord, TrialRecord};
use crate::model::signal::Outcome;
use crate::stats::histogram::Histogram;
use crate::stats::tally::Tally;

const NANOS: f64 = 1e9;

/// A quantity of a trial; times are in seconds. The name is that of a box: a member or a group. Counts of a group are
/// sums over its members, shares and times are averages over them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Quantity {
    /// Busy share of the cores of the machines of the box.
    Utilisation(String),
    /// Time average of the number of calls inside the box.
    Inside(String),
    /// Time average of the number of calls waiting in the box.
    Queue(String),
    /// Time average of the number of calls that wait for a core or use one. Unlike `Inside`, it leaves out calls that
    /// wait for an answer from downstream.
    InStation(String),
    /// Mean time from arrival to answer at the box.
    ResponseAt(String),
    /// Mean wait of the calls that the box answers with ok.
    Wait(String),
    /// Variance of that wait.
    WaitVariance(String),
    /// Quantile of that wait.
    WaitQuantile(String, f64),
    /// Share of the calls answered with ok that had to wait.
    WaitShare(String),
    /// Mean time in the queue over all arrivals, including those that leave it unserved; computed by Little's law.
    WaitOfAll(String),
    /// Share of all arrivals that had to wait.
    WaitShareOfAll(String),
    /// Mean response time of requests, of all classes or of one.
    Response(Option<usize>),
    /// Mean response time of requests of a class, less a time in seconds that their work takes.
    WaitOfClass(usize, f64),
    /// Standard deviation of the response time, all classes together.
    ResponseDeviation,
    /// Quantile of the response time, of all classes or of one.
    ResponseQuantile(Option<usize>, f64),
    /// Mean time from the start to the end of a request, whatever its outcome.
    Ended,
    /// Mean pause between tries: `Ended` less the time spent in tries of this many seconds each.
    Pauses(f64),
    /// Requests answered a second.
    Throughput,
    /// Requests issued a second.
    Offered,
    /// Share of the requests that end without an answer.
    Failed,
    /// Number of requests that end without an answer, in a trial with an outage.
    FailedInOutage,
    /// Share of the requests that end with an answer.
    Succeeded,
    /// Tries per request.
    Attempts,
    /// Share of the tries that fail.
    FailedTries,
    /// Calls a second to all boxes on the machine of this box.
    RateOf(String),
    /// Calls per request to all boxes on the machine of this box.
    VisitsOf(String),
    /// Share of the requests for which the box is not called.
    HitsBefore(String),
    /// Time average of the number of requests of one class in the system; computed by Little's law.
    InsideOfClass(usize),
    /// Number of calls inside the box at this time and again after each period; the mean over periods.
    InsideAt(String, f64, f64),
    /// Highest number of calls inside the box.
    InsideMax(String),
    /// Seconds from this time until the box is almost empty, to the accuracy of one window.
    DrainedAfter(String, f64),
    /// End of the window in which the number of calls inside the box is highest.
    FullestAt(String),
    /// Number of requests that were answered.
    Completed,
    /// Number of requests in a period of this length.
    ArrivalsPer(f64),
    /// Time of the only answer: this time, at which it was asked for, plus its response time.
    AnsweredAt(String, f64),
    /// Share of the time in which at least the first number of machines is up, out of the second.
    UpShare(usize, usize),
    /// Squared deviation of the up share of a single machine from this mean.
    UpSquared(f64),
    /// Share of the reads that are stale.
    StaleReads,
    /// Mean number of writes that the node of a read has not applied yet.
    VersionsBehind,
    /// Number of writes that a failover lost.
    LostWrites,
    /// Squared deviation of the lost writes from this mean.
    LostSquared(f64),
    /// 1 for a failover that lost nothing, else 0.
    NothingLost,
    /// Length of an outage of writes, in seconds.
    Outage,
    /// Lag of the replica furthest behind at the end of the trial, in seconds.
    LagAtEnd,
}

impl Quantity {
    /// The value of the quantity in a trial; not finite where the trial did not measure it.
    pub(super) fn of(&self, record: &TrialRecord) -> f64 {
        use Quantity as Q;
        let seconds = record.measured.as_secs_f64();
        let count = |f: fn(&ClassRecord) -> u64| record.classes.iter().map(f).sum::<u64>() as f64;
        let failed = || count(ended_count) - count(ok_count);
        match self {
            Q::Response(class) => tally(record, *class).mean() / NANOS,
            Q::WaitOfClass(class, work_s) => tally(record, Some(*class)).mean() / NANOS - work_s,
            Q::ResponseDeviation => tally(record, None).sd() / NANOS,
            Q::ResponseQuantile(class, q) => {
                let mut all = Histogram::default();
                classes(record, *class).for_each(|class| all.merge(&class.ok));
                all.quantile(*q) as f64 / NANOS
            }
            Q::Ended => ended(record),
            Q::Pauses(latency) => ended(record) - latency * Q::Attempts.of(record),
            Q::Throughput => count(|class| class.completed) / seconds,
            Q::Completed => count(|class| class.completed),
            Q::Offered => count(|class| class.issued) / seconds,
            Q::ArrivalsPer(period) => count(|class| class.issued) / seconds * period,
            Q::Failed => failed() / count(ended_count),
            Q::FailedInOutage => lost(record, |_| failed()),
            Q::Succeeded => count(ok_count) / count(ended_count),
            Q::Attempts => count(|class| class.attempts) / count(ended_count),
            Q::FailedTries => 1.0 - count(ok_count) / count(|class| class.attempts),
            Q::RateOf(host) => visits(record, host) / seconds,
            Q::VisitsOf(host) => visits(record, host) / count(|class| class.issued),
            Q::HitsBefore(name) => 1.0 - arrived(record, name) / count(|class| class.issued),
            Q::InsideOfClass(class) => record.classes[*class].ok.sum() as f64 / NANOS / seconds,
            Q::UpShare(least, machines) => up_share(record, *least, *machines),
            Q::UpSquared(mean) => squared(up_share(record, 1, 1) - mean),
            Q::StaleReads => data(record, |data| data.stale_read_share().unwrap_or(f64::NAN)),
            Q::VersionsBehind => data(record, |data| data.versions_behind as f64 / data.reads as f64),
            Q::LostWrites => lost(record, |lost| lost),
            Q::LostSquared(mean) => lost(record, |lost| squared(lost - mean)),
            Q::NothingLost => lost(record, |lost| f64::from(lost == 0.0)),
            Q::Outage => data(record, |data| data.longest_outage().map_or(f64::NAN, Outage::length_s)),
            Q::LagAtEnd => data(record, |data| data.lag_series_s.last().copied().unwrap_or(f64::NAN)),
            _ => self.of_box(record),
        }
    }

    /// The value of a quantity that belongs to a box.
    fn of_box(&self, record: &TrialRecord) -> f64 {
        use Quantity as Q;
        match self {
            Q::Utilisation(name) => mean_over(record, name, |at| {
                let machine = at.machine.as_ref();
                machine.map_or(f64::NAN, |machine| machine.busy_cores_mean / f64::from(machine.cores))
            }),
            Q::Inside(name) => sum_over(record, name, |at| at.inside_mean),
            Q::InsideMax(name) => sum_over(record, name, |at| at.inside_max as f64),
            Q::Queue(name) => sum_over(record, name, |at| at.queue_mean),
            Q::InStation(name) => sum_over(record, name, |at| {
                at.queue_mean + at.machine.as_ref().map_or(f64::NAN, |machine| machine.busy_cores_mean)
            }),
            Q::ResponseAt(name) => mean_over(record, name, |at| at.response.mean() / NANOS),
            Q::AnsweredAt(name, asked) => asked + mean_over(record, name, |at| at.response.mean() / NANOS),
            Q::Wait(name) => mean_over(record, name, |at| at.wait.mean() / NANOS),
            Q::WaitVariance(name) => mean_over(record, name, |at| at.wait.variance() / NANOS / NANOS),
            Q::WaitQuantile(name, q) => mean_over(record, name, |at| at.waits.quantile(*q) as f64 / NANOS),
            Q::WaitShare(name) => {
                mean_over(record, name, |at| 1.0 - at.wait.zeros() as f64 / at.wait.count() as f64)
            }
            Q::WaitOfAll(name) => {
                sum_over(record, name, |at| at.queue_mean) * record.measured.as_secs_f64()
                    / arrived(record, name)
            }
            Q::WaitShareOfAll(name) => {
                1.0 - sum_over(record, name, |at| at.wait.zeros() as f64) / arrived(record, name)
            }
            Q::InsideAt(name, at, period) => inside_at(record, name, *at, *period),
            Q::FullestAt(name) => {
                let levels = levels(record, name);
                let fullest = (0..levels.len()).max_by(|a, b| levels[*a].total_cmp(&levels[*b]));
                let window = &record.windows[fullest.expect("a trial has windows")];
                window.start_s + window.length_s
            }
            Q::DrainedAfter(name, after) => {
                let levels = levels(record, name);
                let empty = record
                    .windows
                    .iter()
                    .zip(levels)
                    .find(|(window, level)| window.start_s >= *after && *level <= 1.0);
                empty.map_or(f64::NAN, |(window, _)| window.start_s - after)
            }
            _ => unreachable!("of a trial as a whole"),
        }
    }

    /// Whether it is read from the series of a trial.
    pub(super) fn reads_windows(&self) -> bool {
        use Quantity as Q;
        matches!(self, Q::InsideAt(..) | Q::FullestAt(_) | Q::DrainedAfter(..) | Q::LagAtEnd)
    }

    /// The quantity of this name: `p99(response.read)`, `utilisation(web)`, `throughput`. `classes` are the names of
    /// the request classes in order.
    pub(super) fn named(text: &str, classes: &[&str]) -> Option<Quantity> {
        use Quantity as Q;
        let Some((what, of)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
            return Some(match text {
                "throughput" => Q::Throughput,
                "offered" => Q::Offered,
                "error_rate" => Q::Failed,
                "availability" => Q::Succeeded,
                "attempts" => Q::Attempts,
                "stale_read_share" => Q::StaleReads,
                "lag_at_end" => Q::LagAtEnd,
                _ => return None,
            });
        };
        let class = match of.strip_prefix("response") {
            Some("") => Some(None),
            Some(class) => {
                let name = class.strip_prefix('.')?;
                Some(Some(classes.iter().position(|known| *known == name)?))
            }
            None => None,
        };
        Some(match (what, class) {
            ("mean", Some(class)) => Q::Response(class),
            ("p50", Some(class)) => Q::ResponseQuantile(class, 0.5),
            ("p95", Some(class)) => Q::ResponseQuantile(class, 0.95),
            ("p99", Some(class)) => Q::ResponseQuantile(class, 0.99),
            ("utilisation", None) => Q::Utilisation(of.into()),
            ("inside", None) => Q::Inside(of.into()),
            ("rate", None) => Q::RateOf(of.into()),
            ("queue_len", None) => Q::Queue(of.into()),
            ("mean_at", None) => Q::ResponseAt(of.into()),
            _ => return None,
        })
    }
}

fn squared(value: f64) -> f64 {
    value * value
}

/// The member with this name, or all members of the group with this name.
fn members<'a>(record: &'a TrialRecord, name: &'a str) -> impl Iterator<Item = &'a ComponentRecord> + Clone {
    record.components.iter().filter(move |at| at.name == name || at.group == name)
}

fn sum_over(record: &TrialRecord, name: &str, value: impl Fn(&ComponentRecord) -> f64) -> f64 {
    members(record, name).map(value).sum()
}

fn mean_over(record: &TrialRecord, name: &str, value: impl Fn(&ComponentRecord) -> f64) -> f64 {
    sum_over(record, name, value) / members(record, name).count() as f64
}

fn arrived(record: &TrialRecord, name: &str) -> f64 {
    sum_over(record, name, |at| at.arrived as f64)
}

/// All classes, or the one with this index.
fn classes(record: &TrialRecord, class: Option<usize>) -> impl Iterator<Item = &ClassRecord> {
    let of = move |(index, record)| (class.is_none() || class == Some(index)).then_some(record);
    record.classes.iter().enumerate().filter_map(of)
}

fn tally(record: &TrialRecord, class: Option<usize>) -> Tally {
    let mut all = Tally::default();
    classes(record, class).for_each(|class| all.merge(&class.response));
    all
}

fn ended_count(class: &ClassRecord) -> u64 {
    class.outcomes.iter().sum()
}

fn ok_count(class: &ClassRecord) -> u64 {
    class.outcomes[Outcome::Ok as usize]
}

fn ended(record: &TrialRecord) -> f64 {
    let (sum, count) =
        record.classes.iter().fold((0, 0), |(s, n), class| (s + class.ended.sum(), n + class.ended.count()));
    sum as f64 / count as f64 / NANOS
}

/// Number of calls to all boxes on the machine of `host`.
fn visits(record: &TrialRecord, host: &str) -> f64 {
    let on_it = record
        .components
        .iter()
        .filter(|at| at.group == host || at.machine.as_ref().is_some_and(|machine| machine.host == host));
    on_it.map(|at| at.arrived).sum::<u64>() as f64
}

/// A figure of the replicated data; not finite without replicas.
fn data(record: &TrialRecord, figure: impl Fn(&DataRecord) -> f64) -> f64 {
    DataRecord::of(record).map_or(f64::NAN, |data| figure(&data))
}

/// A figure of the writes lost in an outage; not finite unless the trial saw the end of an outage.
fn lost(record: &TrialRecord, figure: impl Fn(f64) -> f64) -> f64 {
    let of =
        |data: &DataRecord| if data.outages.is_empty() { f64::NAN } else { figure(data.lost_writes as f64) };
    data(record, of)
}

/// Mean number of calls inside the box in each window.
fn levels(record: &TrialRecord, name: &str) -> Vec<f64> {
    let index = record.components.iter().position(|at| at.name == name).expect("the scenario has this box");
    record.windows.iter().map(|window| window.components[index].inside).collect()
}

/// The level at time `at`, extrapolated along the line through the middles of the two windows before it. Later windows
/// are not used, so that a step of the load at `at` does not distort the value.
fn inside_at(record: &TrialRecord, name: &str, at: f64, period: f64) -> f64 {
    let inside = levels(record, name);
    let length = record.windows[0].length_s;
    let end = record.windows.len() as f64 * length;
    let mut levels = Vec::new();
    let mut at = at;
    while at < end + length / 2.0 {
        let after = (at / length).round() as usize;
        let [before, last] = [2, 1].map(|back| inside[after - back]);
        levels.push(last + (last - before) / 2.0);
        at += period;
    }
    levels.iter().sum::<f64>() / levels.len() as f64
}

/// Share of the measured time in which at least `least` of `machines` are up, computed from the timeline.
fn up_share(record: &TrialRecord, least: usize, machines: usize) -> f64 {
    let end = record.windows.last().map_or(0.0, |window| window.start_s + window.length_s);
    let start = end - record.measured.as_secs_f64();
    let (mut up, mut last, mut good) = (machines, start, 0.0);
    for note in &record.timeline {
        let at = note.at.as_secs_f64().max(start);
        good += if up >= least { at - last } else { 0.0 };
        last = at;
        match &*note.event {
            "crash" => up -= 1,
            "recover" => up += 1,
            _ => {}
        }
    }
    good += if up >= least { end - last } else { 0.0 };
    good / (end - start)
}
