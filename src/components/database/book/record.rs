//! `DataRecord`: figures of replicated data in one trial, as plain numbers.

use crate::components::database::gauges;
use crate::kernel::time::SimDuration;
use crate::model::gauge::{GaugeId, Reading};
use crate::model::ledger::{Finding, LedgerRecord};
use crate::model::record::TrialRecord;
use crate::stats::histogram::Histogram;
use crate::stats::tally::Tally;

/// The parts of an outage of writes, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Part {
    /// Until the primary works again by itself, or the way to it does.
    Down,
    /// Until the primary is declared dead.
    Detect,
    /// Until a person has decided to fail over; of a switch between sites, until its step for the database begins.
    Decide,
    /// Until a replica is chosen.
    Elect,
    /// Until it has applied all that it has received.
    CatchUp,
    /// Until it takes writes.
    Promote,
    /// Until a write is acknowledged again, or waits for replicas.
    Reroute,
    /// Until replicas have confirmed a write, or the primary stops waiting for them.
    Acks,
}

impl Part {
    /// All parts, in order.
    pub const ALL: [Part; 8] = [
        Part::Down,
        Part::Detect,
        Part::Decide,
        Part::Elect,
        Part::CatchUp,
        Part::Promote,
        Part::Reroute,
        Part::Acks,
    ];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Part::Down => "down",
            Part::Detect => "detect",
            Part::Decide => "decide",
            Part::Elect => "elect",
            Part::CatchUp => "catch_up",
            Part::Promote => "promote",
            Part::Reroute => "reroute",
            Part::Acks => "wait_for_acks",
        }
    }
}

/// A time in which writes were asked for and none was acknowledged: from one acknowledged write to the next.
#[derive(Clone, Copy, Default, PartialEq, Debug)]
pub struct Outage {
    /// When the last write before it was acknowledged, in seconds after the start of the trial.
    pub start_s: f64,
    /// Length of each part in seconds, in the order of [`Part::ALL`].
    pub parts_s: [f64; Part::ALL.len()],
}

impl Outage {
    /// Its whole length in seconds.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        self.parts_s.iter().sum()
    }
}

/// Figures of replicated data in one trial. Counts are of the measured time, except for failovers, which always count.
#[derive(Clone, Debug, Default)]
pub struct DataRecord {
    /// Number of writes that were acknowledged.
    pub writes: u64,
    /// Number of reads that were answered.
    pub reads: u64,
    /// Number of reads that did not see an acknowledged write to their key.
    pub stale_reads: u64,
    /// Number of acknowledged writes, of any key, that the node of a read had not applied, summed over the reads.
    pub versions_behind: u64,
    /// Number of reads that did not see the user's own last acknowledged write to the same key.
    pub read_your_writes_violations: u64,
    /// Number of acknowledged writes that a new primary had not received; if all nodes write, those that lost a
    /// conflict.
    pub lost_writes: u64,
    /// Number of lost writes that a script wrote again.
    pub replayed_writes: u64,
    /// Number of lost writes whose key had been written since; if all nodes write, those overwritten by a later write
    /// whose node did not know of them.
    pub conflicting_writes: u64,
    /// Number of acknowledged writes that were dropped when their node followed the new primary.
    pub discarded_writes: u64,
    /// Longest outage of writes, in seconds: from one acknowledged write to the next.
    pub rto_s: Option<f64>,
    /// Longest time span whose acknowledged writes were lost, in seconds: from the last one that was kept to the last
    /// one that was acknowledged.
    pub rpo_s: Option<f64>,
    /// Time average, over the replicas, of their lag in seconds: the age of the oldest acknowledged write that is not
    /// applied.
    pub lag_mean_s: f64,
    /// Longest lag of any replica, in seconds.
    pub lag_max_s: f64,
    /// Lag of the replica that was furthest behind, at the end of each window of the series, in nanoseconds.
    pub lags: Histogram,
    /// The same in the order of the windows, in seconds, warm-up included.
    pub lag_series_s: Vec<f64>,
    /// The outages of writes.
    pub outages: Vec<Outage>,
}

impl Finding for DataRecord {}

impl DataRecord {
    /// What became of the data of all databases of a trial; `None` where no database could lose anything.
    #[must_use]
    pub fn of(trial: &TrialRecord) -> Option<DataRecord> {
        let mut records = trial.ledgers.iter().filter_map(LedgerRecord::find::<DataRecord>);
        let mut all = records.next()?.clone();
        records.for_each(|record| all.merge(record));
        Some(all)
    }

    /// Adds the record of another database of the same trial: counts are added, and the longest times are kept.
    pub fn merge(&mut self, other: &DataRecord) {
        self.writes += other.writes;
        self.reads += other.reads;
        self.stale_reads += other.stale_reads;
        self.versions_behind += other.versions_behind;
        self.read_your_writes_violations += other.read_your_writes_violations;
        self.lost_writes += other.lost_writes;
        self.replayed_writes += other.replayed_writes;
        self.conflicting_writes += other.conflicting_writes;
        self.discarded_writes += other.discarded_writes;
        self.rto_s = longest(self.rto_s, other.rto_s);
        self.rpo_s = longest(self.rpo_s, other.rpo_s);
        self.lag_mean_s = self.lag_mean_s.max(other.lag_mean_s);
        self.lag_max_s = self.lag_max_s.max(other.lag_max_s);
        self.lags.merge(&other.lags);
        for (mine, theirs) in self.lag_series_s.iter_mut().zip(&other.lag_series_s) {
            *mine = mine.max(*theirs);
        }
        self.outages.extend_from_slice(&other.outages);
    }

    /// Adds an outage of writes.
    pub(super) fn add(&mut self, outage: Outage) {
        self.rto_s = longest(self.rto_s, Some(outage.length_s()));
        self.outages.push(outage);
    }

    /// Notes that the writes of the last `span_s` seconds are lost.
    pub(super) fn reach_back(&mut self, span_s: f64) {
        self.rpo_s = longest(self.rpo_s, Some(span_s));
    }

    /// The longest outage.
    #[must_use]
    pub fn longest_outage(&self) -> Option<&Outage> {
        self.outages.iter().max_by(|one, other| one.length_s().total_cmp(&other.length_s()))
    }

    /// What the gauges of the database show.
    pub(super) fn readings(&self) -> Vec<(GaugeId, Reading)> {
        let seconds = |seconds: f64| SimDuration::from_sample_secs(seconds).as_nanos();
        let mut outages = Tally::default();
        self.outages.iter().for_each(|outage| outages.record(seconds(outage.length_s())));
        let mut spans = Tally::default();
        self.rpo_s.iter().for_each(|span| spans.record(seconds(*span)));
        vec![
            (gauges::LAG, Reading::Level(self.lag_mean_s, self.lag_max_s)),
            (gauges::STALE_READS, Reading::Count(self.stale_reads)),
            (gauges::STALE_READ_SHARE, Reading::Share(self.stale_reads, self.reads)),
            (gauges::OWN_WRITES_MISSED, Reading::Count(self.read_your_writes_violations)),
            (gauges::LOST_WRITES, Reading::Count(self.lost_writes)),
            (gauges::REPLAYED_WRITES, Reading::Count(self.replayed_writes)),
            (gauges::CONFLICTING_WRITES, Reading::Count(self.conflicting_writes)),
            (gauges::DISCARDED_WRITES, Reading::Count(self.discarded_writes)),
            (gauges::RTO, Reading::Time(outages)),
            (gauges::RPO, Reading::Time(spans)),
        ]
    }

    /// Share of the reads that were stale, 0..1; `None` without reads.
    #[must_use]
    pub fn stale_read_share(&self) -> Option<f64> {
        (self.reads > 0).then(|| self.stale_reads as f64 / self.reads as f64)
    }
}

fn longest(left: Option<f64>, right: Option<f64>) -> Option<f64> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.max(right)),
        (one, other) => one.or(other),
    }
}
