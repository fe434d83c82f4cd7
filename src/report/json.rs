//! Results as JSON: `outgrow.result/1`, `outgrow.compare/1`, `outgrow.capacity/1`.

use crate::experiment::result::RunResult;

/// One result as an object, with a line end.
///
/// # Panics
/// Never: a result has string keys only, and what is not a finite number is `null`.
#[must_use]
pub fn one(result: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(result)
        .expect("a result is made of numbers, strings, lists and maps with string keys")
        + "\n"
}

/// One result as an object, several as an array, with a line end.
///
/// # Panics
/// Never: see [`one`].
#[must_use]
pub fn results(results: &[RunResult]) -> String {
    match results {
        [single] => one(single),
        several => one(&several),
    }
}
