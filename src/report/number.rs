//! Numbers for readers: at most four significant digits, a unit, and ± the half-width.

/// Significant digits of a number without an interval.
const DIGITS: i32 = 4;

/// Significant digits of a half-width. More would pretend to know the error of the error.
const HALF_WIDTH_DIGITS: i32 = 2;

/// Number of decimals that show `value` with `digits` significant digits; at least 0, so that integers keep all their
/// digits.
fn decimals(value: f64, digits: i32) -> usize {
    if value == 0.0 || !value.is_finite() {
        return 0;
    }
    // The small term is for 1 - 0.9999, which is slightly less than 0.0001.
    let magnitude = libm::floor(libm::log10(value.abs()) + 1e-9) as i32;
    (digits - 1 - magnitude).clamp(0, 9) as usize
}

/// A number to four significant digits, without zeros at its end: 0.01234, 50.2, 1,234,567.
#[must_use]
pub fn number(value: f64) -> String {
    let text = format!("{value:.*}", decimals(value, DIGITS));
    grouped(without_zeros(&text))
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// `mean ± half_width`, both with the same number of decimals: two digits of the half-width, but at most four digits of
/// the mean. Without a half-width, the mean alone.
#[must_use]
pub fn estimate(mean: f64, half_width: Option<f64>) -> String {
    let Some(half_width) = half_width.filter(|half_width| *half_width > 0.0) else {
        return number(mean);
    };
    let most = decimals(mean.abs().max(half_width), DIGITS);
    let decimals = decimals(half_width, HALF_WIDTH_DIGITS).min(most);
    let shown = format!("{half_width:.decimals$}");
    // The half-width would show as zero: leave it out.
    if shown.bytes().all(|digit| matches!(digit, b'0' | b'.')) {
        return number(mean);
    }
    format!("{} ± {}", grouped(&format!("{mean:.decimals$}")), grouped(&shown))
}

/// A time given in milliseconds, as text in a suitable unit: "50.2 ± 0.4 ms", "1.234 s".
#[must_use]
pub fn time_ms(mean: f64, half_width: Option<f64>) -> String {
    let (factor, unit) = match mean.abs() {
        0.0 => (1.0, "ms"),
        small if small < 0.1 => (1e3, "µs"),
        middle if middle < 10_000.0 => (1.0, "ms"),
        _ => (1e-3, "s"),
    };
    format!("{} {unit}", estimate(mean * factor, half_width.map(|half_width| half_width * factor)))
}

/// A time given in seconds, in the unit of the bound that it is compared with: 9.62 s beside "9.4s". Where it would be less
/// than a tenth of that unit, or the unit is not one of times, as [`time_ms`].
#[must_use]
pub fn time_beside(unit: &str, mean: f64, half_width: Option<f64>) -> String {
    let units = [
        ("ns", 1e-9),
        ("us", 1e-6),
        ("µs", 1e-6),
        ("ms", 1e-3),
        ("s", 1.0),
        ("min", 60.0),
        ("h", 3600.0),
        ("d", 86_400.0),
    ];
    let known = units.into_iter().find(|(name, size)| *name == unit && mean.abs() >= size / 10.0);
    let Some((name, size)) = known else {
        return time_ms(mean * 1e3, half_width.map(|half_width| half_width * 1e3));
    };
    let name = if name == "us" { "µs" } else { name };
    format!("{} {name}", estimate(mean / size, half_width.map(|half_width| half_width / size)))
}

/// Moments of one list, in seconds, as texts of one kind: where one of them lies beyond two minutes, all as "5:03.5",
/// minutes and seconds; otherwise each in its natural unit.
#[must_use]
pub fn moments(seconds: &[f64]) -> Vec<String> {
    let tenths = |at: &f64| (at * 10.0).round();
    if seconds.iter().all(|at| *at <= 120.0) {
        return seconds.iter().map(|at| self::seconds(tenths(at) / 10.0)).collect();
    }
    let is_whole = seconds.iter().all(|at| tenths(at) % 10.0 == 0.0);
    let clock = |at: &f64| {
        let (minutes, rest) = (tenths(at).div_euclid(600.0), tenths(at).rem_euclid(600.0) / 10.0);
        if is_whole { format!("{minutes}:{rest:02.0}") } else { format!("{minutes}:{rest:04.1}") }
    };
    seconds.iter().map(clock).collect()
}

/// A share of 0..1 in per cent. A share below 1 is never rounded to 100 %: it shows as 99.9997 %.
#[must_use]
pub fn percent(share: f64) -> String {
    let rest = (1.0 - share).abs();
    let decimals = match share {
        _ if share == 0.0 || rest == 0.0 => 0,
        _ if share < 0.5 => decimals(share * 100.0, 3),
        _ => decimals(rest * 100.0, 2).max(1),
    };
    format!("{} %", without_zeros(&format!("{:.*}", decimals.min(7), share * 100.0)))
}

/// A relative change in per cent with its sign; without a sign if it rounds to zero: "+1.7", "0.0".
#[must_use]
pub fn signed(change: f64) -> String {
    let text = format!("{:+.1}", 100.0 * change);
    if matches!(text.as_str(), "+0.0" | "-0.0") { "0.0".into() } else { text }
}

/// A share of 0..1 in per cent with its half-width: "78.31 ± 0.22 %". A share below 1 is never rounded to 100 %.
#[must_use]
pub fn share(mean: f64, half_width: Option<f64>) -> String {
    let Some(half_width) = half_width.filter(|half_width| *half_width > 0.0) else {
        return percent(mean);
    };
    // What none or all did has an interval on one side only.
    if mean == 0.0 || mean == 1.0 {
        return percent(mean);
    }
    let decimals = decimals(half_width * 100.0, HALF_WIDTH_DIGITS).min(7);
    let shown = format!("{:.decimals$}", mean * 100.0);
    if mean < 1.0 && shown.starts_with("100") {
        return percent(mean);
    }
    format!("{shown} ± {:.decimals$} %", half_width * 100.0)
}

/// A value in the base unit of a metric, `s`, `share`, `per_s`, `usd` or a plain count, with its half-width.
#[must_use]
pub fn in_unit(mean: f64, half_width: Option<f64>, unit: &str) -> String {
    match unit {
        "s" => time_ms(mean * 1e3, half_width.map(|half| half * 1e3)),
        "share" => share(mean, half_width),
        "per_s" => estimate(mean, half_width) + "/s",
        "usd" => format!("USD {}", estimate(mean, half_width)),
        _ => estimate(mean, half_width),
    }
}

/// A number of bytes in the largest binary unit in which it is at least one: "4 GiB", "1.5 MiB".
#[must_use]
pub fn bytes(bytes: f64) -> String {
    let units = [(1_u64 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let fitting = units.iter().find(|(size, _)| bytes >= *size as f64);
    fitting.map_or_else(
        || format!("{} B", number(bytes)),
        |(size, unit)| format!("{} {unit}", number(bytes / *size as f64)),
    )
}

/// A time given in seconds, in its natural unit: "10 min", "1.5 s", "2 h".
#[must_use]
pub fn seconds(seconds: f64) -> String {
    let whole = |unit: f64| seconds >= unit && seconds % unit == 0.0;
    match seconds {
        _ if whole(86_400.0) => format!("{} d", number(seconds / 86_400.0)),
        _ if whole(3_600.0) => format!("{} h", number(seconds / 3_600.0)),
        _ if whole(60.0) => format!("{} min", number(seconds / 60.0)),
        _ if seconds >= 1.0 || seconds == 0.0 => format!("{} s", number(seconds)),
        _ => time_ms(seconds * 1e3, None),
    }
}

/// Puts a comma between thousands, for numbers of five digits and more.
fn grouped(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (whole, fraction) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    if whole.len() < 5 || !whole.bytes().all(|digit| digit.is_ascii_digit()) {
        return text.to_owned();
    }
    let mut out = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_four_digits_that_mean_something() {
        for (value, text) in [
            (0.0, "0"),
            (-0.000_000_001, "-0.000000001"),
            (0.012_346, "0.01235"),
            (50.25, "50.25"),
            (50.0, "50"),
            (1234.5, "1234"),
            (1_234_567.8, "1,234,568"),
            (-12_345.0, "-12,345"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn mean_and_half_width_share_their_precision() {
        for (mean, half_width, text) in [
            (50.2341, Some(0.4123), "50.23 ± 0.41"),
            (50.0, Some(12.0), "50 ± 12"),
            (123_456.0, Some(1234.0), "123,456 ± 1234"),
            (50.0, Some(0.0), "50"),
            (50.0, None, "50"),
            (50.0, Some(1e-9), "50"),
            (54.686, Some(0.081), "54.69 ± 0.08"),
            (0.0, Some(0.5), "0.00 ± 0.50"),
        ] {
            assert_eq!(estimate(mean, half_width), text);
        }
    }

    #[test]
    fn a_time_beside_a_bound_has_its_unit() {
        for (unit, mean, text) in [
            ("s", 9.623, "9.62 ± 0.13 s"),
            ("ms", 9.623, "9623 ± 130 ms"),
            ("s", 0.0521, "52 ± 130 ms"),
            ("min", 9.623, "0.1604 ± 0.0022 min"),
            ("min", 2.0, "2000 ± 130 ms"),
            ("", 12.0, "12.00 ± 0.13 s"),
        ] {
            assert_eq!(time_beside(unit, mean, Some(0.13)), text, "{unit}");
        }
    }

    #[test]
    fn moments_of_a_list_are_of_one_kind() {
        assert_eq!(moments(&[30.0, 60.0, 90.25]), ["30 s", "1 min", "90.3 s"]);
        assert_eq!(moments(&[30.0, 303.5, 1820.0, 3001.0]), ["0:30.0", "5:03.5", "30:20.0", "50:01.0"]);
        assert_eq!(moments(&[30.0, 303.0]), ["0:30", "5:03"]);
    }

    #[test]
    fn units_suit_the_size() {
        assert_eq!(time_ms(0.012, Some(0.001)), "12.0 ± 1.0 µs");
        assert_eq!(time_ms(1500.0, None), "1500 ms");
        assert_eq!(time_ms(30_000.0, None), "30 s");
        assert_eq!(bytes(1_610_612_736.0), "1.5 GiB");
        assert_eq!(
            (seconds(600.0), seconds(90.0), seconds(0.25)),
            ("10 min".into(), "90 s".into(), "250 ms".into())
        );
    }

    #[test]
    fn shares_have_their_half_width_in_per_cent() {
        assert_eq!(share(0.783_14, Some(0.002_2)), "78.31 ± 0.22 %");
        assert_eq!(share(0.999_9, Some(0.01)), "99.99 %");
        assert_eq!((share(1.0, Some(0.0)), share(0.5, None)), ("100 %".into(), "50 %".into()));
    }

    #[test]
    fn a_change_that_rounds_to_nothing_has_no_sign() {
        assert_eq!([0.0171, -0.167, -0.0004, 0.0].map(signed), ["+1.7", "-16.7", "0.0", "0.0"]);
    }

    #[test]
    fn nearly_all_is_not_all() {
        for (share, text) in [
            (1.0, "100 %"),
            (0.0, "0 %"),
            (0.999_997, "99.9997 %"),
            (0.78, "78 %"),
            (0.123_4, "12.3 %"),
            (0.000_12, "0.012 %"),
            (1.6, "160 %"),
        ] {
            assert_eq!(percent(share), text);
        }
    }
}
