//! The charts and the report of a sweep. They depend only on rows and plan, so that a resumed or merged sweep has the
//! same.

use std::collections::BTreeMap;

use super::super::journal::Header;
use super::super::output::say;
use super::super::pictures::{Pictures, files};
use super::super::play::page::{Opened, Opening};
use super::super::source::Source;
use super::super::status::Failure;
use super::command::command;
use crate::experiment::sweep::Grid;
use crate::report::chart::sweep::of_sweep;
use crate::report::html::{self, Swept};
use crate::report::sweep::Points;
use crate::report::table::Row;

/// Draws and writes the charts and the report, if asked for. Without the source, which may be missing when parts are
/// merged, the report lacks the scenario's text.
pub(super) fn write(
    pictures: &Pictures,
    header: &Header,
    (grid, rows): (&Grid, &BTreeMap<usize, Row>),
    source: Option<&Source>,
    warnings: Option<String>,
) -> Result<(), Failure> {
    let columns = &header.plan.columns;
    let charts = || match of_sweep(&Points { grid, rows, columns }) {
        Ok(charts) => files("", &charts),
        Err(why) => {
            say(&why);
            Vec::new()
        }
    };
    let page = || {
        html::sweep(&Swept {
            title: &header.plan.title,
            origin: &header.file,
            text: source.map(|source| source.text.as_str()),
            sha256: &header.plan.sha256,
            version: &header.plan.version,
            command: command(header),
            grid,
            rows,
            columns,
            warnings: warnings.map(|text| anstream::adapter::strip_str(&text).to_string()),
        })
    };
    pictures.write(charts, page, || opening(header, source))
}

/// The scenario and its first varied key, for the playground.
fn opening(header: &Header, source: Option<&Source>) -> Result<Opening, Failure> {
    let source = source.ok_or_else(|| Failure::scenario("the scenario is not in its place"))?;
    let plan = &header.plan;
    let run = [("run.seed", plan.seed), ("run.trials", plan.trials.map(u64::from))];
    let run = run.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_string())));
    let opened = Opened::of(source, &plan.set.iter().cloned().chain(run).collect::<Vec<_>>())?;
    let scenarios = vec![Opened { vary: plan.vary.first().cloned(), ..opened }];
    Ok(Opening { scenarios, ..Opening::default() })
}
