//! What a comparison reads from a trial: `p99(response)`, `first(b-1, out of balancer, 18)`.

use crate::components::database::DataRecord;
use crate::experiment::validate::quantity::Quantity;
use crate::model::record::{TrialRecord, Window};
use crate::model::signal::Outcome;
use crate::stats::histogram::Histogram;

/// Nanoseconds of a second.
const NANOS: f64 = 1e9;

/// Lag below which a replica counts as up to date, in seconds: what the harness could tell from none.
const NO_LAG_S: f64 = 0.05;

/// A quantity of a trial. Times are in seconds, and moments count from the start of the trial.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Measure {
    /// One that `[[expect]]` and the cases know as well.
    Known(Quantity),
    /// Number of requests that ended without an answer.
    Failed,
    /// Number of requests that were answered.
    Answered,
    /// Number of requests that ended with this outcome.
    Ended(Outcome),
    /// Longest response time.
    Longest,
    /// Mean time until a request failed.
    FailedAfter,
    /// Number of answers later than a time.
    Later(f64),
    /// Share of the answers later than a time.
    LaterShare(f64),
    /// Median of the answers later than a time.
    LaterMedian(f64),
    /// Time from a moment to the first event of a component after it.
    First(String, String, f64),
    /// Number of events of a component.
    Times(String, String),
    /// Mean time between two events of a component.
    Between(String, String),
    /// Number of calls that arrived at a member.
    Calls(String),
    /// Share of the calls inside a group that are inside a member, between two moments.
    ShareInside(String, f64, f64),
    /// Share of the requests that ended without an answer, between two moments.
    FailedBetween(f64, f64),
    /// Requests answered a second, between two moments.
    AnsweredBetween(f64, f64),
    /// Time from a moment to the end of the first time without any answer after it.
    Silence(f64),
    /// Number of acknowledged writes that were lost.
    LostWrites,
    /// Longest lag of a replica.
    LagMax,
    /// Lag at a moment.
    LagAt(f64),
    /// Time from one moment to the first one, after another, with no lag.
    LagGone(f64, f64),
    /// Share of the requests of a name that a resolver's cache answers.
    Hits(String),
    /// Calls of a group for each request.
    Visits(String),
}

impl Measure {
    /// The measure of this text; `None` if there is none.
    pub(super) fn parse(text: &str) -> Option<Measure> {
        if let Some(known) = Quantity::named(text, &[]) {
            return Some(Measure::Known(known));
        }
        let Some((what, of)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else {
            return Some(match text {
                "failed" => Measure::Failed,
                "answered" => Measure::Answered,
                "timed_out" => Measure::Ended(Outcome::TimedOut),
                "rejected" => Measure::Ended(Outcome::Rejected),
                "unavailable" => Measure::Ended(Outcome::Unavailable),
                "failed_after" => Measure::FailedAfter,
                "lost_writes" => Measure::LostWrites,
                "lag_max" => Measure::LagMax,
                _ => return None,
            });
        };
        let parts: Vec<&str> = of.split(", ").collect();
        let number = |at: usize| parts.get(at)?.parse::<f64>().ok();
        let word = |at: usize| parts.get(at).map(|part| (*part).to_owned());
        Some(match what {
            "max" if of == "response" => Measure::Longest,
            "later" => Measure::Later(number(0)?),
            "later_share" => Measure::LaterShare(number(0)?),
            "later_median" => Measure::LaterMedian(number(0)?),
            "first" => Measure::First(word(0)?, word(1)?, number(2)?),
            "times" => Measure::Times(word(0)?, word(1)?),
            "between" => Measure::Between(word(0)?, word(1)?),
            "calls" => Measure::Calls(word(0)?),
            "share_inside" => Measure::ShareInside(word(0)?, number(1)?, number(2)?),
            "failed_between" => Measure::FailedBetween(number(0)?, number(1)?),
            "answered_between" => Measure::AnsweredBetween(number(0)?, number(1)?),
            "silence" => Measure::Silence(number(0)?),
            "lag_at" => Measure::LagAt(number(0)?),
            "lag_gone" => Measure::LagGone(number(0)?, number(1)?),
            "hits" => Measure::Hits(word(0)?),
            "visits" => Measure::Visits(word(0)?),
            _ => return None,
        })
    }

    /// Its value in a trial; not a number where the trial has none.
    pub(super) fn of(&self, record: &TrialRecord) -> f64 {
        use Measure as M;
        match self {
            M::Known(quantity) => quantity.of(record),
            M::Failed => ended(record, |outcome| outcome != Outcome::Ok),
            M::Answered => ended(record, |outcome| outcome == Outcome::Ok),
            M::Ended(wanted) => ended(record, |outcome| outcome == *wanted),
            M::Longest => answers(record).max().map_or(f64::NAN, |nanos| nanos as f64 / NANOS),
            M::FailedAfter => failed_after(record),
            M::Later(limit) => later_share(record, *limit) * answers(record).count() as f64,
            M::LaterShare(limit) => later_share(record, *limit),
            M::LaterMedian(limit) => later_median(record, *limit),
            M::First(member, event, after) => {
                let found = moments(record, member, event).find(|at| at >= after);
                found.map_or(f64::NAN, |at| at - after)
            }
            M::Times(member, event) => moments(record, member, event).count() as f64,
            M::Between(member, event) => {
                let all: Vec<f64> = moments(record, member, event).collect();
                (all.last().unwrap_or(&f64::NAN) - all.first().unwrap_or(&f64::NAN))
                    / (all.len() as f64 - 1.0)
            }
            M::Calls(member) => {
                let of_it = record.components.iter().filter(|at| at.name == *member);
                of_it.map(|at| at.arrived as f64).sum()
            }
            M::ShareInside(member, from, to) => share_inside(record, member, *from, *to),
            M::FailedBetween(from, to) => {
                let (ok, failed) = between(record, *from, *to)
                    .fold((0, 0), |(ok, failed), window| (ok + window.ok, failed + window.failed));
                failed as f64 / (ok + failed) as f64
            }
            M::AnsweredBetween(from, to) => {
                let windows = between(record, *from, *to);
                let (ok, length_s) = windows
                    .fold((0, 0.0), |(ok, length_s), window| (ok + window.ok, length_s + window.length_s));
                ok as f64 / length_s
            }
            M::Silence(after) => silence(record, *after),
            M::LostWrites => data(record, |data| data.lost_writes as f64),
            M::LagMax => data(record, |data| data.lag_max_s),
            M::LagAt(moment) => data(record, |data| {
                lags(record, data).find(|(end, _)| end >= moment).map_or(f64::NAN, |(_, lag)| lag)
            }),
            M::LagGone(from, after) => data(record, |data| {
                let gone = lags(record, data).find(|(end, lag)| end > after && *lag < NO_LAG_S);
                gone.map_or(f64::NAN, |(end, _)| end - from)
            }),
            M::Hits(name) => Quantity::HitsBefore(name.clone()).of(record),
            M::Visits(group) => Quantity::VisitsOf(group.clone()).of(record),
        }
    }
}

/// Number of requests that ended with an outcome that fulfils a condition.
fn ended(record: &TrialRecord, wanted: impl Fn(Outcome) -> bool) -> f64 {
    let of = |counts: [u64; Outcome::ALL.len()]| -> u64 {
        Outcome::ALL.iter().zip(counts).filter(|(outcome, _)| wanted(**outcome)).map(|(_, count)| count).sum()
    };
    record.classes.iter().map(|class| of(class.outcomes)).sum::<u64>() as f64
}

/// The response times of all answers, in nanoseconds.
fn answers(record: &TrialRecord) -> Histogram {
    let mut all = Histogram::default();
    record.classes.iter().for_each(|class| all.merge(&class.ok));
    all
}

fn failed_after(record: &TrialRecord) -> f64 {
    let (sum, count) = record.classes.iter().fold((0.0, 0.0), |(sum, count), class| {
        let failed = class.ended.count() - class.ok.count();
        (sum + class.ended.sum() as f64 - class.ok.sum() as f64, count + failed as f64)
    });
    sum / count / NANOS
}

fn later_share(record: &TrialRecord, limit: f64) -> f64 {
    let all = answers(record);
    if all.is_empty() { f64::NAN } else { 1.0 - all.share_at_most((limit * NANOS) as u64) }
}

fn later_median(record: &TrialRecord, limit: f64) -> f64 {
    let late = later_share(record, limit);
    if late > 0.0 { answers(record).quantile(1.0 - late / 2.0) as f64 / NANOS } else { f64::NAN }
}

/// The moments of an event of a component.
fn moments<'r>(record: &'r TrialRecord, member: &'r str, event: &'r str) -> impl Iterator<Item = f64> + 'r {
    let of_it = record.timeline.iter().filter(move |note| note.component == member && note.event == event);
    of_it.map(|note| note.at.as_secs_f64())
}

/// The windows between two moments.
fn between(record: &TrialRecord, from: f64, to: f64) -> impl Iterator<Item = &Window> {
    record.windows.iter().filter(move |window| window.start_s >= from && window.start_s < to)
}

fn share_inside(record: &TrialRecord, member: &str, from: f64, to: f64) -> f64 {
    let Some(it) = record.components.iter().position(|at| at.name == member) else { return f64::NAN };
    let group = &record.components[it].group;
    let of_group: Vec<usize> =
        (0..record.components.len()).filter(|at| record.components[*at].group == *group).collect();
    let (mine, all) = between(record, from, to).fold((0.0, 0.0), |(mine, all), window| {
        (
            mine + window.components[it].inside,
            all + of_group.iter().map(|at| window.components[*at].inside).sum::<f64>(),
        )
    });
    mine / all
}

fn silence(record: &TrialRecord, after: f64) -> f64 {
    let mut later = record.windows.iter().filter(|window| window.start_s >= after);
    let quiet = later.find(|window| window.ok == 0 && window.issued + window.failed > 0);
    let over = later.find(|window| window.ok > 0);
    quiet.and(over).map_or(f64::NAN, |window| window.start_s - after)
}

/// A figure of replicated data; not a number without replicas.
fn data(record: &TrialRecord, figure: impl Fn(&DataRecord) -> f64) -> f64 {
    DataRecord::of(record).map_or(f64::NAN, |data| figure(&data))
}

/// The end of each window and the lag of the replica furthest behind at it.
fn lags<'r>(record: &'r TrialRecord, data: &'r DataRecord) -> impl Iterator<Item = (f64, f64)> + 'r {
    let ends = record.windows.iter().map(|window| window.start_s + window.length_s);
    ends.zip(data.lag_series_s.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_is_read_from_its_text() {
        for (text, measure) in [
            ("failed", Measure::Failed),
            ("later(1.5)", Measure::Later(1.5)),
            ("first(b-1, out of balancer, 18)", Measure::First("b-1".into(), "out of balancer".into(), 18.0)),
            ("lag_gone(2, 30)", Measure::LagGone(2.0, 30.0)),
        ] {
            assert_eq!(Measure::parse(text), Some(measure));
        }
        for text in ["", "faild", "later()", "first(b-1)", "lag_at(soon)"] {
            assert_eq!(Measure::parse(text), None, "{text}");
        }
    }
}
