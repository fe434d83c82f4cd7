//! The check of all points of a sweep, before the first one runs.

use std::collections::BTreeMap;

use super::super::output::say;
use super::super::source::{Override, Source};
use super::super::status::{Failure, Status};
use crate::experiment::sweep::Grid;

/// Checks the scenarios of all points, so that hours are not lost when a late one has errors. Prints the warnings.
/// Returns the SHA-256 of every file that the scenarios name, and the warnings.
pub(super) fn check(
    source: &Source,
    grid: &Grid,
    base: &[Override],
    points: &[usize],
    strict: bool,
) -> Result<(BTreeMap<String, String>, Option<String>), Failure> {
    let mut files = BTreeMap::new();
    let warnings = found(source, grid, base, points, &mut files)?;
    if let Some(text) = &warnings {
        say(text);
        if strict {
            return Err(Failure::scenario("there are warnings, which --strict does not allow"));
        }
    }
    Ok((files, warnings))
}

/// The warnings at these points. Adds the SHA-256 of every file that their scenarios name to `files`.
pub(super) fn found(
    source: &Source,
    grid: &Grid,
    base: &[Override],
    points: &[usize],
    files: &mut BTreeMap<String, String>,
) -> Result<Option<String>, Failure> {
    let (mut wrong, mut warned) = (Finds::default(), Finds::default());
    for &point in points {
        match source.check_noting(&[base, &grid.overrides(point)].concat(), files) {
            Err(failure) => wrong.add(point, || failure.text),
            Ok(loaded) if !loaded.warnings.is_empty() => warned.add(point, || loaded.warnings.render(true)),
            Ok(_) => {}
        }
    }
    match wrong.text(grid, "wrong") {
        Some(text) => Err(Failure { status: Status::BadScenario, text }),
        None => Ok(warned.text(grid, "warned of")),
    }
}

/// Points with an error or a warning: the first of them with its text, and their number.
#[derive(Default)]
struct Finds {
    first: Option<(usize, String)>,
    count: usize,
}

impl Finds {
    fn add(&mut self, point: usize, text: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(|| (point, text()));
    }

    fn text(self, grid: &Grid, what: &str) -> Option<String> {
        let (point, text) = self.first?;
        let at: Vec<String> =
            grid.overrides(point).iter().map(|(key, value)| format!("{key}={value}")).collect();
        let others = match self.count - 1 {
            0 => String::new(),
            1 => format!("; 1 other point is {what}"),
            more => format!("; {more} other points are {what}"),
        };
        Some(format!("{}\nthis is point {point}: {}{others}", text.trim_end(), at.join(" ")))
    }
}
