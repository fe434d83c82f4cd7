//! Dates of the calendar as numbers of days.

/// Days from 1970-01-01 to a date of the Gregorian calendar (Hinnant, chrono-compatible low-level date algorithms).
#[must_use]
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_follow_the_calendar() {
        assert_eq!([days(1970, 1, 1), days(1970, 1, 2), days(1969, 12, 31)], [0, 1, -1]);
        assert_eq!(days(2000, 3, 1) - days(2000, 2, 28), 2, "2000 is a leap year");
        assert_eq!(days(2100, 3, 1) - days(2100, 2, 28), 1, "2100 is none");
        assert_eq!(days(2026, 11, 29), 20_786);
    }
}
