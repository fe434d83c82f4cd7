//! `Grid` and `sweep`: run every combination of some values over threads, each with its own trials. The results do not
//! depend on the number of threads; the order in which points finish does.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use crate::model::record::{Stop, TrialRecord};
use crate::scenario::Scenario;
use crate::scenario::vary::Vary;

use super::result::RunResult;
use super::runner::{Progress, RunOptions, Trials, run_trial};
use super::threads;

/// All combinations of the values of some keys. Each combination is a point.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    axes: Vec<Vary>,
    points: usize,
}

/// Why a grid is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GridError {
    /// The same key is varied twice.
    SameKey(String),
    /// The grid has more points than allowed; their number, which saturates.
    TooManyPoints(u128),
}

impl Grid {
    /// The full product of the values, with at most `points_max` points.
    ///
    /// # Errors
    /// When a key is varied twice, or when there are too many points.
    pub fn new(axes: Vec<Vary>, points_max: usize) -> Result<Grid, GridError> {
        for (at, axis) in axes.iter().enumerate() {
            if axes[..at].iter().any(|other| other.key == axis.key) {
                return Err(GridError::SameKey(axis.key.clone()));
            }
        }
        let points = axes.iter().fold(1_u128, |all, axis| all.saturating_mul(axis.values.len() as u128));
        match usize::try_from(points) {
            Ok(points) if points <= points_max => Ok(Grid { axes, points }),
            _ => Err(GridError::TooManyPoints(points)),
        }
    }

    /// The keys that are varied, with their values.
    #[must_use]
    pub fn axes(&self) -> &[Vary] {
        &self.axes
    }

    /// Number of points.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// The index of the value on each axis for a point. The last axis changes fastest.
    #[must_use]
    pub fn place(&self, point: usize) -> Vec<usize> {
        let mut rest = point;
        let mut place: Vec<usize> = Vec::with_capacity(self.axes.len());
        for axis in self.axes.iter().rev() {
            place.push(rest % axis.values.len());
            rest /= axis.values.len();
        }
        place.reverse();
        place
    }

    /// The overrides that turn the scenario into that of a point, as key and value.
    #[must_use]
    pub fn overrides(&self, point: usize) -> Vec<(String, String)> {
        let place = self.place(point);
        let one = |(axis, at): (&Vary, usize)| (axis.key.clone(), axis.values[at].clone());
        self.axes.iter().zip(place).map(one).collect()
    }
}

/// Supplies the points of a sweep and follows its progress. Methods are called from several threads at once.
pub trait Watch: Sync {
    /// The scenario of a point and its run options, of which `jobs` is ignored. `None` ends the sweep after the trials
    /// that are running: the scenario cannot be loaded.
    fn begin(&self, point: usize) -> Option<(Scenario, RunOptions)>;

    /// The calling thread starts a trial of this point.
    fn entered(&self, point: usize);

    /// A trial has reached this share of its simulated time, 0 to 1.
    fn advanced(&self, point: usize, trial: u32, share: f64);

    /// All trials of a point have ended.
    fn finished(&self, point: usize, result: &RunResult);

    /// Whether the user has interrupted the sweep. Running trials then stop, and their points do not finish.
    fn interrupted(&self) -> bool;
}

/// Runs points in order over `jobs` threads; 0 means one thread for each core. A thread takes the next trial of the
/// next point, so that no thread waits for a point of another; at any time about as many points are running as there
/// are threads.
///
/// # Panics
/// When a trial panics, or the threads cannot be started.
pub fn sweep(points: &[usize], jobs: usize, watch: &dyn Watch) {
    let work = Work {
        watch,
        next: Mutex::new(Next { points: points.iter(), trial: 0, current: None }),
        panicked: AtomicBool::new(false),
    };
    threads::together(jobs, || work.go_on());
}

/// A point that is running.
struct Point {
    number: usize,
    scenario: Scenario,
    options: RunOptions,
    /// The records of finished trials, by trial number less that of the first.
    records: Mutex<Vec<Option<TrialRecord>>>,
}

/// The next trial to run.
struct Next<'a> {
    points: std::slice::Iter<'a, usize>,
    current: Option<Arc<Point>>,
    trial: u32,
}

struct Work<'a> {
    watch: &'a dyn Watch,
    next: Mutex<Next<'a>>,
    panicked: AtomicBool,
}

/// Records a panic of this thread, so that the other threads stop instead of running to the end of the sweep.
struct Witness<'a>(&'a AtomicBool);

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl Work<'_> {
    fn is_over(&self) -> bool {
        self.panicked.load(Ordering::Relaxed) || self.watch.interrupted()
    }

    fn go_on(&self) {
        let _witness = Witness(&self.panicked);
        while !self.is_over() {
            let Some((point, trial)) = self.take() else { return };
            self.watch.entered(point.number);
            let record = run_trial(&point.scenario, &point.options, trial, &At { work: self, point: &point });
            if record.stop != Stop::Interrupted {
                self.keep(&point, trial, record);
            }
        }
    }

    /// The point and the number of the next trial; `None` when nothing is left to run.
    fn take(&self) -> Option<(Arc<Point>, u32)> {
        // The lock is poisoned if another thread panicked; the sweep is over then.
        let mut next = self.next.lock().ok()?;
        if next.current.as_ref().is_none_or(|point| next.trial == point.options.trials.end) {
            let number = *next.points.next()?;
            let (scenario, options) = self.watch.begin(number)?;
            let records = Mutex::new(vec![None; options.trials.len()]);
            next.trial = options.trials.start;
            next.current = Some(Arc::new(Point { number, scenario, options, records }));
        }
        next.trial += 1;
        next.current.clone().map(|point| (point, next.trial - 1))
    }

    /// Stores the record of a trial. The last record of a point completes its result.
    fn keep(&self, point: &Point, trial: u32, record: TrialRecord) {
        let all: Option<Vec<TrialRecord>> = {
            let mut records = point.records.lock().expect("nothing fails while the lock is held");
            records[(trial - point.options.trials.start) as usize] = Some(record);
            let done = records.iter().all(Option::is_some);
            done.then(|| std::mem::take(&mut *records).into_iter().flatten().collect())
        };
        if let Some(records) = all {
            let complete = records.iter().all(|record| record.stop == Stop::Finished);
            let trials = Trials { records, complete, precision: None };
            self.watch.finished(point.number, &RunResult::new(&point.scenario, &point.options, &trials));
        }
    }
}

/// Reports the progress of one trial to the watch of the sweep.
struct At<'a, 'w> {
    work: &'a Work<'w>,
    point: &'a Point,
}

impl Progress for At<'_, '_> {
    fn advanced(&self, trial: u32, share: f64) {
        self.work.watch.advanced(self.point.number, trial, share);
    }

    fn interrupted(&self) -> bool {
        self.work.is_over()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::AtomicUsize;

    use super::super::samples::{options, scenario};
    use super::*;

    fn axis(key: &str, values: &[&str]) -> Vary {
        Vary { key: key.into(), values: values.iter().map(|value| (*value).to_owned()).collect() }
    }

    #[test]
    fn the_last_key_turns_fastest() {
        let grid = Grid::new(vec![axis("a.x", &["1", "2"]), axis("b.y", &["u", "v", "w"])], 6).unwrap();
        assert_eq!((grid.points(), grid.place(4)), (6, vec![1, 1]));
        assert_eq!(grid.overrides(2), [("a.x".into(), "1".into()), ("b.y".into(), "w".into())]);
    }

    #[test]
    fn grids_that_make_no_sense_are_refused() {
        let same = Grid::new(vec![axis("a.x", &["1"]), axis("a.x", &["2"])], 9);
        assert_eq!(same, Err(GridError::SameKey("a.x".into())));
        let wide = || axis("a.x", &["1"; 1000]);
        assert_eq!(Grid::new(vec![wide()], 999), Err(GridError::TooManyPoints(1000)));
        let axes = (0..20).map(|at| Vary { key: at.to_string(), ..wide() }).collect();
        assert_eq!(Grid::new(axes, 999), Err(GridError::TooManyPoints(u128::MAX)));
    }

    /// Runs points whose number is their rate. Interrupts after this number of windows over all trials.
    struct Rates {
        found: Mutex<BTreeMap<usize, String>>,
        windows: AtomicUsize,
    }

    impl Rates {
        fn patient(windows: usize) -> Rates {
            Rates { found: Mutex::default(), windows: AtomicUsize::new(windows) }
        }
    }

    impl Watch for Rates {
        fn begin(&self, point: usize) -> Option<(Scenario, RunOptions)> {
            Some((scenario(&format!("{point}/s")), options(3)))
        }

        fn entered(&self, point: usize) {
            assert!(point > 0);
        }

        fn advanced(&self, _: usize, _: u32, _: f64) {
            let _ =
                self.windows.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        }

        fn finished(&self, point: usize, result: &RunResult) {
            let before = self.found.lock().unwrap().insert(point, result.fingerprint.clone());
            assert_eq!(before, None);
        }

        fn interrupted(&self) -> bool {
            self.windows.load(Ordering::Relaxed) == 0
        }
    }

    #[test]
    fn threads_leave_no_trace_and_points_are_those_of_single_runs() {
        let run = |jobs: usize| {
            let watch = Rates::patient(usize::MAX);
            sweep(&[10, 20, 30, 40], jobs, &watch);
            watch.found.into_inner().unwrap()
        };
        let found = run(1);
        assert_eq!((found.len(), &run(4)), (4, &found));
        let scenario = scenario("20/s");
        let lone = super::super::runner::run(&scenario, &options(3), &super::super::runner::Unwatched);
        assert_eq!(found[&20], RunResult::new(&scenario, &options(3), &lone).fingerprint);
    }

    #[test]
    fn an_interrupted_sweep_has_only_whole_points() {
        // A trial has 600 windows and a point three trials: 2700 windows are one and a half points.
        let watch = Rates::patient(2700);
        sweep(&[10, 20, 30], 1, &watch);
        assert_eq!(watch.found.into_inner().unwrap().len(), 1);
    }

    #[test]
    #[should_panic(expected = "no such point")]
    fn a_panic_ends_the_sweep() {
        struct Broken;
        impl Watch for Broken {
            fn begin(&self, point: usize) -> Option<(Scenario, RunOptions)> {
                Some((scenario(&format!("{point}/s")), options(1)))
            }
            fn entered(&self, point: usize) {
                assert!(point != 2, "no such point");
            }
            fn advanced(&self, _: usize, _: u32, _: f64) {}
            fn finished(&self, _: usize, _: &RunResult) {}
            fn interrupted(&self) -> bool {
                false
            }
        }
        let many: Vec<usize> = (1..100).collect();
        sweep(&many, 2, &Broken);
    }
}
