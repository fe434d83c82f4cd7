//! An episode, simulated: steady state, the failures as they were drawn, and the calm behind them.

use crate::components::database::DataRecord;
use crate::kernel::random::Seed;
use crate::kernel::time::SimDuration;
use crate::model::quantity::Duration;
use crate::model::record::{Stop, TrialRecord, Window};
use crate::model::signal::Outcome;
use crate::model::simulation::Length;
use crate::scenario::Scenario;
use crate::scenario::build::build_with;
use crate::scenario::faults::{FaultKind, FaultSpec, Source};

use super::super::runner::Progress;
use super::group::Sample;
use super::timeline::Failure;

/// The times of an episode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Times {
    /// Before the first failure.
    pub lead_in: SimDuration,
    /// After the last one is over.
    pub calm: SimDuration,
    /// Longest time that is simulated between two changes, such as a failure and its repair. What goes on for longer costs for the
    /// rest of its time what it costs at the end of this time.
    pub hold: SimDuration,
}

/// Requests that fail without any fault.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Steady {
    /// Requests issued, a second.
    pub rate: f64,
    /// Share of them that fails.
    pub share: f64,
    /// Mean number of requests in progress.
    pub inside: f64,
}

/// What became of an episode.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Lived {
    pub sample: Sample,
    pub events: u64,
    /// Whether all was as before at the end of the calm.
    pub is_settled: bool,
    /// Whether the trial stopped because requests piled up without end.
    pub is_flooded: bool,
}

/// A stretch of an outage that was cut out: when it ended in the trial, and how long it was, in seconds.
struct Cut {
    at: f64,
    time: f64,
}

/// Simulates an episode; `None` if it was interrupted.
pub(super) fn live(
    scenario: &Scenario,
    sources: &[Source],
    failures: &[Failure],
    (times, steady): (&Times, &Steady),
    seed: Seed,
    progress: &dyn Progress,
) -> Option<Lived> {
    let (faults, end, cuts) = shortened(sources, failures, times);
    let measured = SimDuration::from_sample_secs(end) + times.calm;
    let length = Length { warmup: times.lead_in, measured };
    let mut simulation = build_with(scenario, &faults, seed);
    let record = simulation.run(length, &mut |_| progress.interrupted());
    if record.stop == Stop::Interrupted {
        return None;
    }
    let lead_in = times.lead_in.as_secs_f64();
    let third = times.hold.as_secs_f64() / 3.0;
    let (issued, failed) = counts(&record);
    let whole = Stretch::of(&record.windows, lead_in, f64::INFINITY);
    let mut sample = Sample { issued, failed, lost: whole.lost, otherwise: whole.lost, ..Sample::default() };
    for cut in cuts {
        let end = lead_in + cut.at;
        let late = Stretch::of(&record.windows, end - third, end);
        let early = Stretch::of(&record.windows, end - third, end - third / 2.0);
        let again = |amount: f64, of: &Stretch| if of.time > 0.0 { amount * cut.time / of.time } else { 0.0 };
        sample.lost += again(late.lost, &late);
        sample.otherwise += again(early.lost, &early);
        sample.issued += again(late.issued, &late);
        sample.failed += again(late.failed, &late);
    }
    sample.lost_writes = lost_writes(&record);
    Some(Lived {
        sample,
        events: record.events,
        is_settled: is_settled(&record, lead_in + end, times, steady),
        is_flooded: matches!(record.stop, Stop::TooManyCalls | Stop::Standstill),
    })
}

/// Number of acknowledged writes that were lost.
pub(super) fn lost_writes(record: &TrialRecord) -> f64 {
    DataRecord::of(record).map_or(0.0, |data| data.lost_writes as f64)
}

/// Number of requests issued in the measured time, and of those that failed.
pub(super) fn counts(record: &TrialRecord) -> (f64, f64) {
    let issued: u64 = record.classes.iter().map(|class| class.issued).sum();
    let all = |class: &[u64]| class.iter().sum::<u64>() - class[Outcome::Ok as usize];
    let failed: u64 = record.classes.iter().map(|class| all(&class.outcomes)).sum();
    (issued as f64, failed as f64)
}

/// A part of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Stretch {
    /// Its length, and its time without service, in seconds.
    time: f64,
    lost: f64,
    /// Number of requests issued in it, and of those that failed in it.
    issued: f64,
    failed: f64,
}

impl Stretch {
    /// The windows between two times. Of each moment the share of the requests that fail counts, as in the service levels of cloud
    /// providers, and not their number: users who wait for a dead server ask less often than others. While none ends, those that end
    /// next tell the share.
    fn of(windows: &[Window], from: f64, to: f64) -> Stretch {
        let (mut all, mut open, mut share) = (Stretch::default(), 0.0, 0.0);
        for one in windows.iter().filter(|one| from <= one.start_s && one.start_s + one.length_s <= to) {
            all.time += one.length_s;
            all.issued += one.issued as f64;
            all.failed += one.failed as f64;
            open += one.length_s;
            let ended = one.ok + one.failed;
            if ended > 0 {
                share = one.failed as f64 / ended as f64;
                all.lost += open * share;
                open = 0.0;
            }
        }
        all.lost += open * share;
        all
    }
}

/// Whether no more requests fail in the second half of the calm than without any fault, and none have piled up.
fn is_settled(record: &TrialRecord, end: f64, times: &Times, steady: &Steady) -> bool {
    let half = times.calm.as_secs_f64() / 2.0;
    let late = Stretch::of(&record.windows, end + half, end + 2.0 * half);
    let expected = steady.share * steady.rate * half;
    // Three standard deviations of a Poisson count, and a few more.
    let is_quiet = late.failed <= expected + 3.0 * expected.sqrt() + 5.0;
    let open: u64 = record.classes.iter().map(|class| class.in_flight()).sum();
    is_quiet && open as f64 <= 3.0 * steady.inside + 20.0
}

/// The faults of an episode as a trial has them, when the last is over after the lead-in, and the stretches that were cut out
/// because nothing changes in them for longer than is simulated.
fn shortened(sources: &[Source], failures: &[Failure], times: &Times) -> (Vec<FaultSpec>, f64, Vec<Cut>) {
    let hold = times.hold.as_secs_f64();
    let begin = failures[0].at;
    let mut moments: Vec<f64> = failures.iter().flat_map(|failure| [failure.at, failure.end()]).collect();
    moments.sort_by(f64::total_cmp);
    let (mut at, mut cuts) = (0.0, Vec::new());
    let mut new = vec![(begin, 0.0)];
    for pair in moments.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        let under_way = |failure: &&Failure| failure.at <= from && to <= failure.end();
        let kinds: Vec<FaultKind> =
            failures.iter().filter(under_way).map(|failure| sources[failure.source].kind()).collect();
        let is_still = !kinds.is_empty() && !kinds.contains(&FaultKind::Deploy);
        let time = if is_still { (to - from).min(hold) } else { to - from };
        at += time;
        if time < to - from {
            cuts.push(Cut { at, time: to - from - time });
        }
        new.push((to, at));
    }
    let moved = |time: f64| new.iter().find(|(old, _)| *old == time).map_or(0.0, |(_, new)| *new);
    let faults = failures.iter().map(|failure| {
        let source = &sources[failure.source];
        let begin = moved(failure.at);
        let lasts =
            if source.kind() == FaultKind::Deploy { failure.lasts } else { moved(failure.end()) - begin };
        let time = |seconds: f64| SimDuration::from_sample_secs(seconds);
        // A fault that lasts no time does nothing.
        let lasts = time(lasts).max(SimDuration::from_nanos(1));
        source.fault(Duration(times.lead_in + time(begin)), Duration(lasts))
    });
    (faults.collect(), at, cuts)
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::from_text;
    use super::*;
    use crate::scenario::faults::sources;

    const TEXT: &str = "[client.u]\nrate = '10/s'\ntarget = 'web'\n[server.web]\npublic = true\ncount = 2\n\
        steps = [{ wait = '1ms' }]\n[[fault]]\nkind = 'crash'\ntarget = 'web'\nmtbf = '30d'\nmttr = '1h'\n";

    fn times() -> Times {
        let seconds = SimDuration::from_secs;
        Times { lead_in: seconds(10), calm: seconds(60), hold: seconds(100) }
    }

    fn failure(source: usize, at: f64, lasts: f64) -> Failure {
        Failure { source, at, lasts, over: lasts }
    }

    #[test]
    fn what_lasts_for_longer_than_it_is_simulated_is_cut() {
        let scenario = from_text(TEXT);
        let sources = sources(&scenario, &scenario.faults);
        let told = |failures: &[Failure]| {
            let (faults, end, cuts) = shortened(&sources, failures, &times());
            let seconds = |fault: &FaultSpec| {
                let [at, lasts] = [fault.at, fault.lasts].map(|time| time.unwrap().0.as_secs_f64());
                (at, lasts)
            };
            let cuts: Vec<(f64, f64)> = cuts.iter().map(|cut| (cut.at, cut.time)).collect();
            (faults.iter().map(seconds).collect::<Vec<_>>(), end, cuts)
        };
        assert_eq!(told(&[failure(0, 500.0, 40.0)]), (vec![(10.0, 40.0)], 40.0, vec![]));
        assert_eq!(told(&[failure(0, 500.0, 400.0)]), (vec![(10.0, 100.0)], 100.0, vec![(100.0, 300.0)]));
        // The other fails 50 s before the first is repaired, and takes 150 s.
        let two = [failure(0, 500.0, 400.0), failure(1, 850.0, 150.0)];
        let expected = (vec![(10.0, 150.0), (110.0, 150.0)], 250.0, vec![(100.0, 250.0)]);
        assert_eq!(told(&two), expected);
        // A calm between two failures is no outage.
        let apart = [failure(0, 0.0, 10.0), failure(1, 130.0, 10.0)];
        assert_eq!(told(&apart), (vec![(10.0, 10.0), (140.0, 10.0)], 140.0, vec![]));
    }
}
