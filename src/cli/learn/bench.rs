//! Simulates for marks: keys that are stored are not simulated again, and nothing is simulated twice.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
#[allow(clippy::disallowed_types, reason = "it limits how long a cure is simulated, and a note says so")]
use std::time::Instant;

use super::super::interrupt;
use crate::course::exercise::{Exercise, Fix, Variant};
use crate::course::grade::Lab;
use crate::course::measure::{Cured, Measured, cure, exercise};
use crate::course::{Course, Shelf};
use crate::experiment::runner::Progress;

/// Longest time for one cure.
const CURE_TIME: Duration = Duration::from_secs(60);

/// What a cure is known by: exercise, variant, changes.
type Key = (String, usize, Vec<(String, String)>);

/// The simulations behind marks.
pub(super) struct Bench<'a> {
    course: &'a Course,
    shelf: Shelf<'a>,
    jobs: usize,
    measured: RefCell<BTreeMap<(String, usize), Result<Measured, String>>>,
    cures: RefCell<BTreeMap<Key, Result<Cured, String>>>,
}

impl<'a> Bench<'a> {
    pub(super) fn new(course: &'a Course, shelf: Shelf<'a>, jobs: usize) -> Bench<'a> {
        Bench { course, shelf, jobs, measured: RefCell::default(), cures: RefCell::default() }
    }

    /// Whether the keys of the course were measured by this version of the program.
    pub(super) fn has_keys(&self) -> bool {
        self.course.keys.as_ref().is_some_and(|keys| keys.version == env!("CARGO_PKG_VERSION"))
    }
}

impl Lab for Bench<'_> {
    fn measured(&self, of: &Exercise, variant: Variant) -> Result<Measured, String> {
        let stored =
            self.course.keys.as_ref().filter(|_| self.has_keys()).and_then(|keys| keys.of(of, variant));
        if let Some(stored) = stored {
            return Ok(stored);
        }
        let key = (of.id.clone(), variant.index());
        if let Some(known) = self.measured.borrow().get(&key) {
            return known.clone();
        }
        let found = exercise(of, variant, self.shelf, self.jobs, &Watched::new(None));
        self.measured.borrow_mut().insert(key, found.clone());
        found
    }

    fn cured(
        &self,
        of: &Exercise,
        fix: &Fix,
        variant: Variant,
        changes: &[(String, String)],
    ) -> Result<Cured, String> {
        let key = (of.id.clone(), variant.index(), changes.to_vec());
        if let Some(known) = self.cures.borrow().get(&key) {
            return known.clone();
        }
        let watched = Watched::new(Some(CURE_TIME));
        // The panic hook has printed what happened; one student's changes must not end the marks of a class.
        let tried = catch_unwind(AssertUnwindSafe(|| {
            cure(of, fix, changes, (variant, self.jobs), self.shelf, &watched)
        }));
        let found = tried.unwrap_or_else(|_| Err("it is a defect of outgrow".into()));
        self.cures.borrow_mut().insert(key, found.clone());
        found
    }
}

/// Ends a simulation at an interrupt, or when its time is over.
#[allow(clippy::disallowed_types, reason = "it limits how long a cure is simulated, and a note says so")]
struct Watched {
    end: Option<Instant>,
}

#[allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "it limits how long a cure is simulated"
)]
impl Watched {
    fn new(time: Option<Duration>) -> Watched {
        Watched { end: time.map(|time| Instant::now() + time) }
    }
}

#[allow(clippy::disallowed_methods, reason = "it limits how long a cure is simulated")]
impl Progress for Watched {
    fn advanced(&self, _trial: u32, _share: f64) {}

    #[allow(clippy::disallowed_types, reason = "it limits how long a cure is simulated")]
    fn interrupted(&self) -> bool {
        interrupt::interrupted() || self.end.is_some_and(|end| Instant::now() > end)
    }
}
