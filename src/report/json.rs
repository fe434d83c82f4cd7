//! Results as JSON.

/// One result as a JSON object, with a line end.
///
/// # Panics
/// Never: a result has string keys only, and numbers that are not finite become `null`.
#[must_use]
pub fn one(result: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(result)
        .expect("a result is made of numbers, strings, lists and maps with string keys")
        + "\n"
}

/// One result as a JSON object, or several as an array, with a line end.
///
/// # Panics
/// Never: see [`one`].
#[must_use]
pub fn results(results: &[impl serde::Serialize]) -> String {
    match results {
        [single] => one(single),
        several => one(&several),
    }
}
