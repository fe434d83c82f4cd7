//! Times as logs and measurements write them: the common log format, ISO 8601, an epoch of any unit, with a zone or
//! without. All become nanoseconds since 1970, or since the start for plain seconds.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::kernel::date;

/// Nanoseconds of a second.
pub const SECOND: i64 = 1_000_000_000;

/// Least epoch in seconds: numbers below it count seconds from the start of a measurement. It is March 1973.
const EPOCH_FROM: i128 = 100_000_000;

/// Names of the months in the common log format.
const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// A moment that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Nanoseconds since 1970, or since the start of the measurement.
    pub ns: i64,
    /// Whether the text has no more than whole seconds.
    pub whole: bool,
    /// Whether it counts from 1970, not from a start.
    pub dated: bool,
}

/// Reads times. It knows the zone of times without one, and remembers the last of them, because an hour occurs twice at the
/// end of summer time.
#[derive(Clone, Debug)]
pub struct Clock {
    zone: TimeZone,
    last: i64,
    /// Whether a date without a zone was read.
    pub zone_was_missing: bool,
    /// Seconds by which the zone of the date that was read last is ahead of UTC.
    pub ahead_s: i64,
    /// Whether no two times are the same.
    distinct: bool,
    /// The last time in the common log format, with its answer: neighbouring lines have the same second.
    cached: ([u8; 26], i64),
}

impl Clock {
    /// A clock for times without a zone that are in this one, such as `Asia/Seoul`; `None` is UTC. The zone's rules are part
    /// of the program, so that a result does not depend on the machine.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn new(zone: Option<&str>) -> Result<Clock, String> {
        let zone = match zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| {
                format!("there is no time zone `{name}`: zones are called Asia/Seoul, Europe/Berlin or UTC")
            })?,
        };
        Ok(Clock {
            zone,
            last: i64::MIN,
            zone_was_missing: false,
            ahead_s: 0,
            distinct: false,
            cached: ([0; 26], 0),
        })
    }

    /// The same for times of which no two are the same: one that occurs again is that of the hour that occurs twice.
    #[must_use]
    pub fn distinct(mut self) -> Clock {
        self.distinct = true;
        self
    }

    /// `10/Oct/2000:13:55:36 -0700`, as nginx and Apache write it.
    pub fn common(&mut self, text: &[u8]) -> Option<Moment> {
        if let Ok(text) = <&[u8; 26]>::try_from(text)
            && *text == self.cached.0
        {
            return Some(Moment { ns: self.cached.1, whole: true, dated: true });
        }
        let two = |at: usize| digits(text.get(at..at + 2)?);
        let month = MONTHS.iter().position(|name| text.get(3..6) == Some(&name[..]))? as i64 + 1;
        let marks = [(2, b'/'), (6, b'/'), (11, b':'), (14, b':'), (17, b':')];
        if !marks.iter().all(|(at, mark)| text.get(*at) == Some(mark)) {
            return None;
        }
        let year = digits(text.get(7..11)?)?;
        let date = (year, month, two(0)?);
        let of_day = seconds_of_day(two(12)?, two(15)?, two(18)?)?;
        let ns = match text.get(20..)? {
            [] => self.in_zone(date, of_day, 0)?,
            [b' ', sign @ (b'+' | b'-'), zone @ ..] if zone.len() == 4 => {
                let zone = digits(zone)?;
                let ahead = (zone / 100 * 3600 + zone % 100 * 60) * if *sign == b'-' { -1 } else { 1 };
                self.ahead_s = ahead;
                (days(date)? * 86_400 + of_day - ahead).checked_mul(SECOND)?
            }
            _ => return None,
        };
        if let Ok(text) = <[u8; 26]>::try_from(text) {
            self.cached = (text, ns);
        }
        Some(Moment { ns, whole: true, dated: true })
    }

    /// A date by ISO 8601 with a `T` or a blank, with a zone or without, with `-` or `/` between its parts.
    pub fn iso(&mut self, text: &str) -> Option<Moment> {
        let bytes = text.trim().as_bytes();
        let mark = *bytes.get(4)?;
        if !matches!(mark, b'-' | b'/') || *bytes.get(7)? != mark {
            return None;
        }
        let date = (digits(&bytes[..4])?, digits(&bytes[5..7])?, digits(bytes.get(8..10)?)?);
        days(date)?;
        let Some((separator, rest)) = bytes[10..].split_first() else {
            return self.in_zone(date, 0, 0).map(|ns| Moment { ns, whole: true, dated: true });
        };
        if !matches!(separator, b'T' | b't' | b' ') || rest.get(2) != Some(&b':') {
            return None;
        }
        let (hour, minute) = (digits(&rest[..2])?, digits(rest.get(3..5)?)?);
        let mut at = 5;
        let mut second = 0;
        if rest.get(at) == Some(&b':') {
            second = digits(rest.get(6..8)?)?;
            at = 8;
        }
        let mut fraction = 0;
        let mut whole = true;
        if at == 8 && matches!(rest.get(at), Some(b'.' | b',')) {
            let length = rest[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            for index in 0..9 {
                let digit = rest[at + 1..at + 1 + length].get(index).map_or(0, |byte| byte - b'0');
                fraction = fraction * 10 + i64::from(digit);
            }
            whole = false;
            at += 1 + length;
        }
        let of_day = seconds_of_day(hour, minute, second)?;
        let zone = std::str::from_utf8(&rest[at..]).ok()?.trim();
        let ns = match zone {
            "" => self.in_zone(date, of_day, fraction)?,
            zone => {
                let ahead = if matches!(zone, "Z" | "z" | "UTC" | "GMT") { 0 } else { ahead_s(zone)? };
                self.ahead_s = ahead;
                instant(date, of_day - ahead, fraction)?
            }
        };
        Some(Moment { ns, whole, dated: true })
    }

    /// A number: an epoch in seconds, ms, µs or ns by its size, or seconds from a start.
    pub fn number(text: &str) -> Option<Moment> {
        let (mantissa, places) = decimal(text.trim())?;
        let scale = |exponent: u32| 10_i128.checked_pow(exponent);
        let whole_part = mantissa / scale(places)?;
        let unit = match whole_part {
            value if value < EPOCH_FROM * 1_000 / 10 => 9,
            value if value < EPOCH_FROM * 1_000_000 / 10 => 6,
            value if value < EPOCH_FROM * 1_000_000_000 / 10 => 3,
            _ => 0,
        };
        let ns = mantissa.checked_mul(scale(unit)?)? / scale(places)?;
        let whole = places == 0 && unit == 9;
        Some(Moment { ns: i64::try_from(ns).ok()?, whole, dated: whole_part >= EPOCH_FROM })
    }

    /// A time in any of the forms.
    pub fn any(&mut self, text: &str) -> Option<Moment> {
        let text = text.trim();
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        Clock::number(text).or_else(|| self.iso(text)).or_else(|| self.common(bare.as_bytes()))
    }

    /// The instant of a date and time in the clock's zone.
    fn in_zone(&mut self, date: (i64, i64, i64), of_day: i64, fraction: i64) -> Option<i64> {
        self.zone_was_missing = true;
        let local = instant(date, of_day, fraction)?;
        if self.zone == TimeZone::UTC {
            return Some(local);
        }
        let (year, month, day) = date;
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let time = DateTime::new(
            year as i16,
            month as i8,
            day as i8,
            hour as i8,
            minute as i8,
            second.min(59) as i8,
            fraction as i32,
        )
        .ok()?;
        let at = |offset: Offset| local - i64::from(offset.seconds()) * SECOND;
        let ns = match self.zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Unambiguous { offset } => at(offset),
            AmbiguousOffset::Gap { before, .. } => at(before),
            AmbiguousOffset::Fold { before, after } => {
                if at(before) < self.last || (self.distinct && at(before) == self.last) {
                    at(after)
                } else {
                    at(before)
                }
            }
        };
        self.last = ns;
        self.ahead_s = (local - ns) / SECOND;
        Some(ns)
    }
}

/// A moment as text, in UTC: `2026-11-29T13:23:08.500Z`; with milliseconds only where there are some. Seconds from a start stay
/// seconds.
#[must_use]
pub fn shown(ns: i64) -> String {
    shown_in(ns, 0)
}

/// The same in a zone that is this number of seconds ahead of UTC: `2026-11-29T22:23:08+09:00`.
#[must_use]
pub fn shown_in(ns: i64, ahead_s: i64) -> String {
    let ms = ns.rem_euclid(SECOND) / 1_000_000;
    let seconds = ns.div_euclid(SECOND);
    if i128::from(seconds) < EPOCH_FROM {
        // It counts from the start of a measurement.
        return if ms == 0 { format!("{seconds} s") } else { format!("{seconds}.{ms:03} s") };
    }
    let local = seconds + ahead_s;
    let (day, of_day) = (local.div_euclid(86_400), local.rem_euclid(86_400));
    let (year, month, day) = date_of(day);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let fraction = if ms == 0 { String::new() } else { format!(".{ms:03}") };
    let zone = match ahead_s {
        0 => "Z".to_owned(),
        _ => {
            let sign = if ahead_s < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", ahead_s.abs() / 3600, ahead_s.abs() / 60 % 60)
        }
    };
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}")
}

/// A decimal number that is not negative, as whole number and number of decimal places: `1.25` is 125 and 2. More than nine
/// places are cut.
fn decimal(text: &str) -> Option<(i128, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if let Some((mantissa, exponent)) = text.split_once(['e', 'E']) {
        // Spreadsheets write epochs as 1.7E+12.
        let exponent: i32 = exponent.parse().ok()?;
        let (digits, places) = decimal(mantissa)?;
        let shift = exponent - places as i32;
        return match u32::try_from(shift) {
            Ok(shift) => Some((digits.checked_mul(10_i128.checked_pow(shift)?)?, 0)),
            Err(_) => Some((digits, u32::try_from(-shift).ok().filter(|places| *places <= 18)?)),
        };
    }
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 20 || !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let fraction = &fraction[..fraction.len().min(9)];
    let mut value: i128 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        value = value * 10 + i128::from(byte - b'0');
    }
    Some((value, fraction.len() as u32))
}

/// The number that these digits write, at most 18 of them; none of anything else.
fn digits(text: &[u8]) -> Option<i64> {
    if text.len() > 18 {
        return None;
    }
    let mut value = 0;
    for byte in text {
        value = value * 10 + i64::from(byte.is_ascii_digit().then(|| byte - b'0')?);
    }
    Some(value)
}

fn seconds_of_day(hour: i64, minute: i64, second: i64) -> Option<i64> {
    // A leap second is 60.
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

/// Seconds by which a zone such as `+09:00`, `-0700` or `+02` is ahead of UTC.
fn ahead_s(zone: &str) -> Option<i64> {
    let (sign, rest) = zone.split_at_checked(1)?;
    let sign = match sign {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let rest: Vec<u8> = rest.bytes().filter(|byte| *byte != b':').collect();
    let number = digits(&rest)?;
    match rest.len() {
        2 => Some(sign * number * 3600),
        4 => Some(sign * (number / 100 * 3600 + number % 100 * 60)),
        _ => None,
    }
}

fn instant(date: (i64, i64, i64), of_day: i64, fraction: i64) -> Option<i64> {
    (days(date)? * 86_400 + of_day).checked_mul(SECOND)?.checked_add(fraction)
}

/// Days from 1970-01-01 to a date that a log can have.
fn days((year, month, day): (i64, i64, i64)) -> Option<i64> {
    let is_date = (1970..=2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    is_date.then(|| date::days(year, month, day))
}

/// The date of a number of days since 1970-01-01, by Hinnant's algorithms, as [`date::days`].
fn date_of(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utc() -> Clock {
        Clock::new(None).unwrap()
    }

    #[test]
    fn every_form_of_a_time_is_the_same_moment() {
        let mut clock = utc();
        let expected = 971_211_336 * SECOND;
        assert_eq!(clock.common(b"10/Oct/2000:13:55:36 -0700").unwrap().ns, expected);
        assert_eq!(clock.common(b"10/Oct/2000:13:55:36 -0700").unwrap().ns, expected);
        for text in [
            "2000-10-10T20:55:36Z",
            "2000-10-10T13:55:36-07:00",
            "2000-10-10 20:55:36",
            "2000/10/10 20:55:36",
            "2000-10-11T05:55:36+0900",
            "971211336",
            "971211336000",
            "971211336000000",
            "971211336000000000",
            "9.71211336E+8",
            "[10/Oct/2000:13:55:36 -0700]",
        ] {
            assert_eq!(clock.any(text).map(|moment| moment.ns), Some(expected), "{text}");
        }
        assert_eq!(clock.any("971211336.25").unwrap().ns, expected + SECOND / 4);
        assert_eq!(clock.any("2000-10-10T20:55:36.250Z").unwrap().ns, expected + SECOND / 4);
        assert_eq!(shown(expected + SECOND / 4), "2000-10-10T20:55:36.250Z");
        assert_eq!(shown(951_825_600 * SECOND), "2000-02-29T12:00:00Z");
        assert_eq!(shown_in(951_825_600 * SECOND, 9 * 3600), "2000-02-29T21:00:00+09:00");
        assert_eq!(shown_in(951_825_600 * SECOND, -12_600), "2000-02-29T08:30:00-03:30");
    }

    #[test]
    fn small_numbers_count_from_a_start() {
        let moment = Clock::number("12.5").unwrap();
        assert_eq!((moment.ns, moment.dated, moment.whole), (12_500_000_000, false, false));
        assert!(
            Clock::number("-1").is_none() && Clock::number("nan").is_none() && Clock::number("").is_none()
        );
    }

    #[test]
    fn an_hour_that_occurs_twice_is_told_by_order() {
        let mut clock = Clock::new(Some("Europe/Berlin")).unwrap();
        let hours = ["2025-10-26 01:30", "2025-10-26 02:30", "2025-10-26 02:30", "2025-10-26 03:30"];
        let read: Vec<i64> = hours.iter().map(|text| clock.iso(text).unwrap().ns / SECOND).collect();
        // The second 02:30 stands behind a line of 02:45.
        let mut clock = Clock::new(Some("Europe/Berlin")).unwrap();
        let first = clock.iso("2025-10-26 02:45").unwrap().ns;
        let second = clock.iso("2025-10-26 02:15").unwrap().ns;
        assert_eq!((second - first) / SECOND, 1800);
        assert_eq!(read[1] - read[0], 3600);
        assert_eq!(read[3] - read[1], 7200);
        let mut clock = Clock::new(Some("Europe/Berlin")).unwrap().distinct();
        let twice = [0, 0].map(|_| clock.iso("2025-10-26 02:00").unwrap().ns / SECOND);
        assert_eq!(twice[1] - twice[0], 3600);
        assert!(Clock::new(Some("Mars/Olympus")).is_err());
        assert!(clock.zone_was_missing);
    }

    #[test]
    fn what_is_no_time_is_none() {
        let mut clock = utc();
        for text in [
            "",
            "x",
            "10/Oct/2000",
            "2000-13-10T20:55:36Z",
            "2000-10-10T25:55:36Z",
            "2000-10-10T20",
            "[]",
            "2000-10-10T20:55:36.Z",
        ] {
            assert_eq!(clock.any(text), None, "{text}");
        }
    }
}
