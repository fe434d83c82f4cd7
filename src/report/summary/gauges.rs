//! The summary's table of what each kind of box counts and measures for itself.

use super::super::number::{estimate, share, time_ms};
use super::super::text::{bold, fitted};
use super::{bare, figure};
use crate::experiment::expect::gauge_of;
use crate::experiment::result::{ComponentResult, RunResult};
use crate::model::gauge::Gauge;
use crate::model::unit::Unit;
use crate::scenario::expression::Stat;

pub(super) const HEADER: [&str; 4] = ["figures", "of", "measured", "highest"];

/// The table, without what the section about data tells of the only database.
pub(super) fn section(result: &RunResult) -> String {
    let with_data = result.components.iter().filter(|(_, one)| has_box_figures(one)).count();
    let rows = rows_of(result, |gauge| with_data > 1 || !gauge.is_of_box || gauge.is_in_table);
    if rows.is_empty() {
        return String::new();
    }
    fitted(&HEADER, 2, &rows, &["highest"]).replacen("figures", &bold("figures"), 1)
}

fn has_box_figures(one: &ComponentResult) -> bool {
    one.gauges.iter().any(|(_, own)| own.gauge.is_of_box && !own.gauge.is_in_table)
}

/// The cells below [`HEADER`]: a row for each gauge of each group, except those that stand at zero.
pub(super) fn rows(result: &RunResult) -> Vec<Vec<String>> {
    rows_of(result, |_| true)
}

fn rows_of(result: &RunResult, is_shown: impl Fn(&Gauge) -> bool) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut told: Vec<&str> = Vec::new();
    for (_, one) in result.components.iter() {
        if told.contains(&one.group.as_str()) {
            continue;
        }
        told.push(&one.group);
        let shown = one.gauges.iter().filter(|(_, own)| is_shown(&own.gauge));
        rows.extend(shown.filter_map(|(_, own)| row(result, own.gauge.name, &one.group)));
    }
    rows
}

fn row(result: &RunResult, name: &str, group: &str) -> Option<Vec<String>> {
    let whole = gauge_of(result, name, group)?;
    let (mean, max) = (whole.figure(Stat::Mean), whole.figure(Stat::Max));
    mean.mean.filter(|mean| *mean > 0.0)?;
    let (measured, highest) = match whole.gauge.unit {
        Unit::Seconds => (figure(&mean.scaled(1e3), time_ms), bare(&max.scaled(1e3), time_ms)),
        Unit::Share => (figure(&mean, share), String::new()),
        _ => (figure(&mean, estimate), bare(&max, estimate)),
    };
    Some(vec![name.replace('_', " "), group.to_owned(), measured, highest])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::KINDS;
    use crate::experiment::runner::{RunOptions, Unwatched, run};
    use crate::model::spec::NoFiles;
    use crate::scenario::load;

    #[test]
    fn what_a_group_has_counted_is_a_row_and_what_stands_at_zero_is_none() {
        let text = "[run]\nduration = '20s'\nwarmup = '1s'\n[client.users]\nrate = '50/s'\ntarget = 'web'\n\
                    [server.web]\npublic = true\ncount = 2\ncores = 8\ndb_pool = 1\nsteps = [{ query = 'db' }]\n\
                    [database.db]\nread = '20ms'\n";
        let scenario = load("a.toml", text, &[], &NoFiles, KINDS).unwrap().scenario;
        let options = RunOptions { seed: 1, trials: 0..2, jobs: 1, length: scenario.length() };
        let result = RunResult::new(&scenario, &options, &run(&scenario, &options, &Unwatched));
        let rows = rows(&result);
        let names: Vec<(&str, &str)> = rows.iter().map(|row| (row[0].as_str(), row[1].as_str())).collect();
        assert_eq!(names, [("pool wait", "web"), ("pool held", "web")]);
        assert!(rows[0][2].contains('±') && rows[0][3].ends_with(" ms"), "{rows:?}");
    }
}
