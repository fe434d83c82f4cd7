//! The share of time that machines are up, and the downtime in a year.
//!
//! Source: K. Trivedi, Probability and Statistics with Reliability, Queuing, and Computer Science Applications.

/// Seconds of a year of 365 days, as service levels count it.
const SECONDS_PER_YEAR: f64 = 365.0 * 86_400.0;

/// MTBF / (MTBF + MTTR): the share of time that a machine is up. It runs for `mtbf` on average until it fails, and is
/// down for `mttr` on average, in the same unit. Valid for any distribution of both.
#[must_use]
pub fn availability(mtbf: f64, mttr: f64) -> f64 {
    mtbf / (mtbf + mttr)
}

/// The probability that at least `needed` of `machines` are up. Each is up with probability `single`, independently,
/// because each has its own repair crew. 1 if none is needed, 0 if more are needed than there are.
#[must_use]
pub fn k_of_n(needed: u32, machines: u32, single: f64) -> f64 {
    // Build the distribution of the number up, one machine after another. It sums positive terms only, so nothing
    // cancels.
    let mut up = vec![0.0; machines as usize + 1];
    up[0] = 1.0;
    for _ in 0..machines {
        for count in (0..up.len()).rev() {
            let one_fewer = if count > 0 { up[count - 1] } else { 0.0 };
            up[count] = up[count] * (1.0 - single) + one_fewer * single;
        }
    }
    up.iter().skip(needed as usize).sum()
}

/// The number of nines, -log10(1 - availability): 0.999 has three. Infinite for 1.
#[must_use]
pub fn nines(availability: f64) -> f64 {
    -libm::log10(1.0 - availability)
}

/// Seconds down in a year of 365 days.
#[must_use]
pub fn downtime_per_year(availability: f64) -> f64 {
    (1.0 - availability) * SECONDS_PER_YEAR
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close::assert_close;

    #[test]
    fn availability_single_onoff_and_2of3() {
        assert_close(availability(95.0, 5.0), 0.95);
        let single = availability(1000.0, 8.0);
        assert_close(single, 0.9920634920634921);
        assert_close(k_of_n(2, 3, single), 0.9998120353373565);
    }

    #[test]
    fn the_edges_of_k_of_n() {
        assert_close(k_of_n(0, 5, 0.3), 1.0);
        assert_eq!(k_of_n(6, 5, 0.3), 0.0);
        assert_close(k_of_n(5, 5, 0.3), 0.00243);
        assert_close(k_of_n(1, 2, 0.9), 0.99);
    }

    #[test]
    fn nines_and_the_year() {
        assert_close(nines(0.999), 3.0);
        assert_eq!(nines(1.0), f64::INFINITY);
        // availability-2of3, the system with one crew.
        assert_close(downtime_per_year(0.9996221428300104) / 60.0, 198.6017285465416);
    }
}
