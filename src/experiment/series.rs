//! The series of a result: averages over trials in windows of time, as a table for charts.

use crate::components::database::DataRecord;
use crate::model::record::{ComponentWindow, Stop, TrialRecord, Window};
use crate::stats::series::mean;

use super::figure::NANOS_PER_MS;
use super::result::Series;

/// Number of components above which the table has one column for each group instead, so that the file stays small.
const COMPONENTS_MAX: usize = 32;

/// The columns of every scenario. After them come `lag_ms`, if there are replicas, and for each component the calls
/// inside, the busy cores and the slots that are held.
const COLUMNS: [&str; 7] =
    ["t_s", "offered_rps", "throughput_rps", "errors_rps", "response_ms", "p99_ms", "in_system"];

/// A figure of a component in a window.
type Of = fn(&ComponentWindow) -> f64;

/// The table, computed from the trials that ran to their end, or from all trials if none did.
pub(super) fn series(records: &[TrialRecord]) -> Series {
    let trials = whole(records);
    let windows = trials.iter().map(|trial| trial.windows.len()).min().unwrap_or(0);
    let insides = columns(trials[0], |one| one.inside);
    let busy = columns(trials[0], |one| one.busy);
    let held = columns(trials[0], |one| one.held);
    let data: Option<Vec<DataRecord>> = trials.iter().map(|trial| DataRecord::of(trial)).collect();
    let under_way: Vec<Vec<f64>> = trials.iter().map(|trial| in_system(trial)).collect();
    let row = |at: usize| {
        let same: Vec<&Window> = trials.iter().map(|trial| &trial.windows[at]).collect();
        let in_system = mean(under_way.iter().map(|trial| trial[at]));
        let mut row = basics(&same);
        row.push(Some(in_system));
        row.extend(data.as_ref().map(|data| lag_ms(data, at)));
        let inside = |(_, members): &(String, Vec<usize>)| {
            let sum = |window: &&Window| members.iter().map(|&member| window.components[member].inside).sum();
            Some(mean(same.iter().map(sum)))
        };
        row.extend(insides.iter().map(inside));
        let share = |members: &[usize], of: Of| {
            let mean_of =
                |window: &&Window| mean(members.iter().map(|&member| of(&window.components[member])));
            Some(mean(same.iter().map(mean_of)))
        };
        row.extend(busy.iter().map(|(_, members)| share(members, |one| one.busy)));
        row.extend(held.iter().map(|(_, members)| share(members, |one| one.held)));
        row.into_iter().map(|value| value.filter(|value| value.is_finite()).map(short)).collect()
    };
    let lag = data.as_ref().map(|_| "lag_ms".to_owned());
    let insides = insides.iter().map(|(name, _)| format!("inside:{name}"));
    let names = lag.into_iter().chain(insides).chain(busy.iter().map(|(name, _)| format!("busy:{name}")));
    let names = names.chain(held.iter().map(|(name, _)| format!("held:{name}")));
    Series {
        window_s: window_length(trials[0]),
        columns: COLUMNS.iter().map(ToString::to_string).chain(names).collect(),
        rows: (0..windows).map(row).collect(),
        bands: bands(&trials, windows),
    }
}

/// What a trial had in a window; NaN if nothing was measured.
type InWindow = fn(&Window) -> f64;

/// The columns with a band.
const BANDS: [(&str, InWindow); 3] = [
    ("throughput_rps", |window| window.ok as f64 / window.length_s),
    ("errors_rps", |window| window.failed as f64 / window.length_s),
    ("p99_ms", |window| window.p99.map_or(f64::NAN, |nanos| nanos as f64 / NANOS_PER_MS)),
];

/// The lowest and the highest trial in each window; none of a single trial.
fn bands(trials: &[&TrialRecord], windows: usize) -> Vec<(&'static str, Vec<(f64, f64)>)> {
    if trials.len() < 2 {
        return Vec::new();
    }
    let ends = |of: InWindow, at: usize| {
        let all = trials.iter().map(|trial| of(&trial.windows[at]));
        // `min` and `max` leave what is not measured out.
        all.fold((f64::NAN, f64::NAN), |(low, high), value| (value.min(low), value.max(high)))
    };
    BANDS.iter().map(|(name, of)| (*name, (0..windows).map(|at| ends(*of, at)).collect())).collect()
}

/// The trials that ran to their end, or all if none did.
pub(super) fn whole(records: &[TrialRecord]) -> Vec<&TrialRecord> {
    let finished: Vec<&TrialRecord> = records.iter().filter(|record| record.stop == Stop::Finished).collect();
    if finished.is_empty() { records.iter().collect() } else { finished }
}

/// Number of requests in progress at the end of each window.
pub(super) fn in_system(record: &TrialRecord) -> Vec<f64> {
    let mut under_way = 0.0;
    let step = |window: &Window| {
        under_way += window.issued as f64 - (window.ok + window.failed) as f64;
        under_way
    };
    record.windows.iter().map(step).collect()
}

/// Length of a regular window, in seconds.
pub(super) fn window_length(record: &TrialRecord) -> f64 {
    record.windows.iter().map(|window| window.length_s).fold(0.0, f64::max)
}

/// The values of [`COLUMNS`] except the last one, for one window over all trials.
fn basics(same: &[&Window]) -> Vec<Option<f64>> {
    let rate = |count: fn(&Window) -> u64| {
        Some(mean(same.iter().map(|window| count(window) as f64 / window.length_s)))
    };
    let ok: u64 = same.iter().map(|window| window.ok).sum();
    let nanos: u128 = same.iter().map(|window| window.response_sum).sum();
    let mut p99: Vec<u64> = same.iter().filter_map(|window| window.p99).collect();
    p99.sort_unstable();
    vec![
        Some(same[0].start_s),
        rate(|window| window.issued),
        rate(|window| window.ok),
        rate(|window| window.failed),
        Some(nanos as f64 / ok as f64 / NANOS_PER_MS),
        // Percentiles are not averaged; the median trial is used.
        p99.get(p99.len() / 2).map(|&nanos| nanos as f64 / NANOS_PER_MS),
    ]
}

/// Lag in ms of the replica that is furthest behind at the end of a window; the mean over the trials that reached it.
fn lag_ms(trials: &[DataRecord], window: usize) -> Option<f64> {
    let lags = trials.iter().filter_map(|data| data.lag_series_s.get(window));
    let lags: Vec<f64> = lags.copied().collect();
    Some(1000.0 * mean(lags.into_iter()))
}

/// The columns of a figure that each component has: their names, each with the indices of its components. Columns that
/// are always zero are left out.
fn columns(record: &TrialRecord, of: Of) -> Vec<(String, Vec<usize>)> {
    let by_group = record.components.len() > COMPONENTS_MAX;
    let mut columns: Vec<(String, Vec<usize>)> = Vec::new();
    for (index, component) in record.components.iter().enumerate() {
        if record.windows.iter().all(|window| of(&window.components[index]) == 0.0) {
            continue;
        }
        let name = if by_group { &component.group } else { &component.name };
        match columns.iter_mut().find(|(known, _)| known == name) {
            Some((_, members)) => members.push(index),
            None => columns.push((name.clone(), vec![index])),
        }
    }
    columns
}

/// Rounds to six significant digits; the average of a window is less exact than that.
fn short(value: f64) -> f64 {
    format!("{value:.5e}").parse().expect("a number that was printed can be read")
}

#[cfg(test)]
mod tests {
    use super::super::samples::trial;
    use super::*;

    #[test]
    fn windows_are_averaged_and_idle_components_left_out() {
        let mut trials = [trial(&[]), trial(&[]), trial(&[])];
        trials[1].windows[3].components[0].inside = 4.0;
        trials[1].windows[3].p99 = Some(900_000_000);
        trials[2].windows[4].ok = 0;
        trials[2].windows[4].response_sum = 0;
        let series = series(&trials);
        assert_eq!(series.columns[6..], ["in_system", "inside:box"]);
        assert_eq!((series.rows.len(), series.window_s), (120, 0.1));
        let at = |row: usize, name: &str| series.column(name).unwrap().nth(row).unwrap().unwrap();
        assert_eq!([at(3, "t_s"), at(3, "offered_rps"), at(3, "errors_rps")], [0.3, 100.0, 10.0]);
        assert_eq!([at(3, "inside:box"), at(3, "p99_ms"), at(3, "response_ms")], [2.0, 50.0, 20.0]);
        assert_eq!(series.band("p99_ms")[3], (50.0, 900.0), "the lowest and the highest trial");
        assert_eq!([at(4, "throughput_rps"), at(4, "response_ms"), at(4, "in_system")], [60.0, 20.0, 3.0]);
    }

    #[test]
    fn trials_that_stopped_early_do_not_shorten_the_table() {
        let mut short = trial(&[]);
        short.windows.truncate(7);
        short.stop = Stop::Interrupted;
        assert_eq!(series(&[trial(&[]), short.clone()]).rows.len(), 120);
        assert_eq!(series(&[short]).rows.len(), 7);
    }
}
