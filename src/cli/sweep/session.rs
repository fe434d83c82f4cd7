//! `Session`: gives a sweep its scenarios, and writes every finished point to the journal.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::super::journal::Journal;
use super::super::progress::PointsBar;
use super::super::source::{Override, Source};
use super::super::status::Failure;
use super::super::{interrupt, panic, run};
use super::Args;
use super::asked::Prepared;
use crate::experiment::result::RunResult;
use crate::experiment::runner::RunOptions;
use crate::experiment::sweep::{Grid, Watch};
use crate::report::sweep::Rows;
use crate::report::table::Row;
use crate::scenario::Scenario;

/// The journal, and the rows of all finished points.
type Kept = (Option<Journal>, BTreeMap<usize, Row>);

/// One sweep while it runs.
pub(super) struct Session<'a> {
    args: &'a Args,
    source: &'a Source,
    grid: &'a Grid,
    base: &'a [Override],
    rows: Rows,
    kept: Mutex<Kept>,
    /// The failure because of which the sweep must end.
    failure: Mutex<Option<Failure>>,
    has_failed: AtomicBool,
    bar: PointsBar,
}

impl<'a> Session<'a> {
    /// A session for the points of `prepared`, of which those in `kept` are done.
    pub(super) fn new(args: &'a Args, prepared: &'a Prepared, kept: Kept) -> Session<'a> {
        Session {
            args,
            source: &prepared.source,
            grid: &prepared.grid,
            base: &prepared.base,
            rows: Rows::new(&prepared.grid, &prepared.metrics),
            bar: PointsBar::new(prepared.points.len(), kept.1.len(), args.quiet),
            kept: Mutex::new(kept),
            failure: Mutex::new(None),
            has_failed: AtomicBool::new(false),
        }
    }

    /// Ends the sweep. Returns the rows and the journal, or the failure that ended the sweep.
    pub(super) fn end(self) -> Result<(BTreeMap<usize, Row>, Option<Journal>), Failure> {
        self.bar.clear();
        if let Some(failure) = self.failure.into_inner().expect("nothing fails while the lock is held") {
            return Err(failure);
        }
        let (journal, rows) = self.kept.into_inner().expect("nothing fails while the lock is held");
        Ok((rows, journal))
    }

    fn fail(&self, failure: Failure) {
        self.failure.lock().expect("nothing fails while the lock is held").get_or_insert(failure);
        self.has_failed.store(true, Ordering::Relaxed);
    }

    fn overrides(&self, point: usize) -> Vec<Override> {
        [self.base, &self.grid.overrides(point)].concat()
    }
}

impl Watch for Session<'_> {
    fn begin(&self, point: usize) -> Option<(Scenario, RunOptions)> {
        // The scenario was checked before, but a file that it names may have been removed since.
        let loaded = self.source.check(&self.overrides(point));
        let scenario = loaded.map_err(|failure| self.fail(failure)).ok()?.scenario;
        let trials = self.args.asked.trials.unwrap_or(scenario.run.trials);
        self.bar.begin(point, trials as usize);
        let options = RunOptions {
            seed: self.args.asked.seed.unwrap_or(scenario.run.seed),
            trials: 0..trials,
            jobs: 1,
            length: scenario.length(),
        };
        Some((scenario, options))
    }

    fn entered(&self, point: usize) {
        let argument = self.args.asked.argument();
        panic::running_here(run::command(argument, &self.overrides(point), None));
    }

    fn advanced(&self, point: usize, trial: u32, share: f64) {
        self.bar.advanced(point, trial, share);
    }

    fn finished(&self, point: usize, result: &RunResult) {
        let row = self.rows.row(point, result);
        let mut kept = self.kept.lock().expect("nothing fails while the lock is held");
        if let Some(Err(failure)) = kept.0.as_mut().map(|journal| journal.append(point, &row)) {
            self.fail(failure);
        }
        kept.1.insert(point, row);
        self.bar.finished(point);
    }

    fn interrupted(&self) -> bool {
        interrupt::interrupted() || self.has_failed.load(Ordering::Relaxed)
    }
}
