//! Results as JSON: `outgrow.result/1` and the like.

use serde::Serialize;

use crate::experiment::result::RunResult;

/// One result as an object, several as an array, with a line end.
///
/// # Panics
/// Never: a result has string keys only, and what is not a finite number is `null`.
#[must_use]
pub fn results(results: &[RunResult]) -> String {
    match results {
        [one] => pretty(one),
        several => pretty(several),
    }
}

/// Any result, with a line end.
///
/// # Panics
/// As [`results`].
#[must_use]
pub fn pretty(result: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string_pretty(result)
        .expect("a result is made of numbers, strings, lists and maps with string keys")
        + "\n"
}
