//! `DataResult`: figures of replicated data, with intervals over trials.

use crate::components::database::{DataRecord, Outage, Part};
use crate::model::record::TrialRecord;

use super::value::{Figure, Named};

/// Least number of windows of a trial that have a 99th percentile.
const WINDOWS_MIN: u64 = 100;

/// Figures of replicated data. Counts are per trial.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
pub struct DataResult {
    /// Acknowledged writes that a new primary had not received; if all nodes take writes, those that lost a conflict.
    pub lost_writes: Figure,
    /// Reads that did not see an acknowledged write to their key; without `keys` of a class of requests it is unknown, as
    /// are the next two and `conflicting_writes`.
    pub stale_reads: Figure,
    /// Their share of all reads.
    pub stale_read_share: Figure,
    /// Reads that did not see the user's own last acknowledged write.
    pub read_your_writes_violations: Figure,
    /// Outages of writes.
    pub outages: Figure,
    /// Longest outage of writes, in seconds, from one acknowledged write to the next; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rto_s: Option<Figure>,
    /// Longest time span whose acknowledged writes were lost, in seconds; absent if no node was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpo_s: Option<Figure>,
    /// Lost writes that a script brought back.
    pub replayed_writes: Figure,
    /// Lost writes whose key had been written since. If all nodes take writes: those overwritten by a later write whose
    /// node did not know of them.
    pub conflicting_writes: Figure,
    /// Acknowledged writes that were dropped when their node followed the new primary.
    pub discarded_writes: Figure,
    /// Longest lag of any replica, in ms.
    pub lag_ms_max: Figure,
    /// The lag that the replica furthest behind exceeds for 1 % of the time, in ms: of each trial, over its windows.
    pub lag_ms_p99: Figure,
    /// Parts of the longest outage of each trial, in seconds: down, detect, decide, elect, catch up, promote, reroute,
    /// wait for acks; absent if there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage_s: Option<Named<Figure>>,
}

impl DataResult {
    /// The figures over these trials; `None` without replicas. Which reads are stale is known only if requests have `keys`.
    pub(super) fn of(records: &[TrialRecord], has_keys: bool) -> Option<DataResult> {
        let data: Option<Vec<DataRecord>> = records.iter().map(DataRecord::of).collect();
        let data = data.filter(|data| !data.is_empty())?;
        let count = |count: fn(&DataRecord) -> u64| Figure::count(data.iter().map(|data| count(data) as f64));
        let time = |time: fn(&DataRecord) -> Option<f64>| {
            let known = data.iter().any(|data| time(data).is_some());
            known.then(|| Figure::over(data.iter().map(|data| time(data).unwrap_or(f64::NAN))))
        };
        let by_key = |figure: &dyn Fn() -> Figure| if has_keys { figure() } else { Figure::default() };
        Some(DataResult {
            lost_writes: count(|data| data.lost_writes),
            stale_reads: by_key(&|| count(|data| data.stale_reads)),
            stale_read_share: by_key(&|| {
                Figure::share(data.iter().map(|data| (data.stale_reads as f64, data.reads as f64)))
            }),
            read_your_writes_violations: by_key(&|| count(|data| data.read_your_writes_violations)),
            outages: count(|data| data.outages.len() as u64),
            rto_s: time(|data| data.rto_s),
            rpo_s: time(|data| data.rpo_s),
            replayed_writes: count(|data| data.replayed_writes),
            conflicting_writes: by_key(&|| count(|data| data.conflicting_writes)),
            discarded_writes: count(|data| data.discarded_writes),
            lag_ms_max: Figure::over(data.iter().map(|data| data.lag_max_s * 1e3)),
            lag_ms_p99: Figure::over(data.iter().map(|data| match data.lags.count() {
                // A percentile over time, not over requests: it needs some windows, not a tail of requests.
                WINDOWS_MIN.. => data.lags.quantile(0.99) as f64 / 1e6,
                _ => f64::NAN,
            })),
            outage_s: outage(&data),
        })
    }
}

/// The parts of the longest outage of each trial; `None` if there was none.
fn outage(data: &[DataRecord]) -> Option<Named<Figure>> {
    let longest: Vec<Option<&Outage>> = data.iter().map(DataRecord::longest_outage).collect();
    longest.iter().any(Option::is_some).then(|| {
        let part = |part: Part| {
            let length =
                |outage: &Option<&Outage>| outage.map_or(f64::NAN, |outage| outage.parts_s[part as usize]);
            (part.name().to_owned(), Figure::over(longest.iter().map(length)))
        };
        Named(Part::ALL.into_iter().map(part).collect())
    })
}
