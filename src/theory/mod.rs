//! Closed forms of queueing theory, each with its symbols, units, validity and source.

pub mod availability;
pub mod cache;
pub mod laws;
pub mod networks;
pub mod queues;

#[cfg(test)]
mod close {
    //! Comparison of a formula with an exact value.

    /// Fails unless `actual` is `expected` to nine digits.
    #[track_caller]
    pub(crate) fn assert_close(actual: f64, expected: f64) {
        let error = (actual - expected).abs();
        assert!(error <= 1e-9 * expected.abs(), "{actual} is not {expected}");
    }
}
