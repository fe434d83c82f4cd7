//! Rounded times for the options that advice names.

use crate::kernel::time::SimDuration;
use crate::model::quantity::Duration;

/// The time `seconds`, rounded up to two significant digits.
pub(super) fn round_up(seconds: f64) -> Duration {
    let step = libm::pow(10.0, (libm::log10(seconds.max(1e-6))).floor() - 1.0);
    // The factor keeps 12.000000001 from becoming 13.
    let rounded = ((seconds / step) * (1.0 - 1e-9)).ceil() * step;
    Duration(SimDuration::from_sample_secs((rounded * 1e9).round() / 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions_are_round_and_long_enough() {
        let cases = [(12.0, "12s"), (12.3, "13s"), (0.0123, "13ms"), (600.0, "10min"), (3599.0, "1h")];
        for (seconds, expected) in cases {
            assert_eq!(round_up(seconds).to_string(), expected, "{seconds}");
        }
    }
}
