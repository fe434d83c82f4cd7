//! Results as JSON, `outgrow.result/1`.

use crate::experiment::result::RunResult;

/// One result as an object, several as an array, with a line end.
///
/// # Panics
/// Never: a result has string keys only, and what is not a finite number is `null`.
#[must_use]
pub fn results(results: &[RunResult]) -> String {
    let text = match results {
        [one] => serde_json::to_string_pretty(one),
        several => serde_json::to_string_pretty(several),
    };
    text.expect("a result is made of numbers, strings, lists and maps with string keys") + "\n"
}
