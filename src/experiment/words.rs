//! Numbers and times as sentences say them.

/// Seconds from which a moment is told in minutes.
const IN_MINUTES: f64 = 120.0;

/// Three significant digits, or all those before the point.
pub(super) fn number(value: f64) -> String {
    format!("{value:.*}", decimals(value))
}

/// A value and its half-width with as many decimals as give the half-width two significant digits.
pub(super) fn with_half_width(value: f64, half_width: f64) -> String {
    let decimals = decimals(10.0 * half_width).max(decimals(value));
    format!("{value:.decimals$} ± {half_width:.decimals$}")
}

/// Decimals of three significant digits.
fn decimals(value: f64) -> usize {
    let digits = if value == 0.0 { 0.0 } else { libm::log10(value.abs()).floor() };
    (2.0 - digits).clamp(0.0, 6.0) as usize
}

/// A moment after the start of a trial: `7 s`, `5 min`, `5:12 min`.
pub(super) fn moment(seconds: f64) -> String {
    // A zero has no sign.
    let whole = seconds.round() + 0.0;
    if whole < IN_MINUTES {
        return format!("{whole:.0} s");
    }
    let (minutes, rest) = ((whole / 60.0).floor(), whole % 60.0);
    if rest == 0.0 { format!("{minutes:.0} min") } else { format!("{minutes:.0}:{rest:02.0} min") }
}

/// A stretch of a trial: `from 3 min to 5 min`, `from 7 s on`.
pub(super) fn span(from_s: f64, until_s: Option<f64>) -> String {
    match until_s {
        Some(until_s) => format!("from {} to {}", moment(from_s), moment(until_s)),
        None if from_s < 0.5 => "from the start".to_owned(),
        None => format!("from {} on", moment(from_s)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_and_no_more_decimals_than_their_doubt() {
        assert_eq!(
            [number(0.0), number(0.01234), number(9.999), number(12345.6)],
            ["0.00", "0.0123", "10.00", "12346"]
        );
        assert_eq!(with_half_width(50.04, 0.4), "50.04 ± 0.40");
        assert_eq!(with_half_width(191.13, 15.46), "191 ± 15");
    }

    #[test]
    fn moments_are_told_in_seconds_and_then_in_minutes() {
        assert_eq!(
            [moment(6.6), moment(119.0), moment(300.0), moment(312.0)],
            ["7 s", "119 s", "5 min", "5:12 min"]
        );
        let spans = [span(7.0, None), span(0.0, None), span(180.0, Some(300.0))];
        assert_eq!(spans, ["from 7 s on", "from the start", "from 3 min to 5 min"]);
    }
}
