//! The logarithm of a uniform draw, from a table and a short polynomial. Half of all samples are made of it.
//!
//! `libm::log` is exact to the last bit and takes about three times as long. A sample is rounded to a nanosecond, so
//! its error need only be far below that. It must have the same bits on every platform, and additions and
//! multiplications in a fixed order give them.

/// Bits of the mantissa that choose the table's entry.
const TABLE_BITS: u32 = 7;
/// Entries of the table.
const ENTRIES: usize = 1 << TABLE_BITS;
/// Bits of the mantissa of an f64.
const MANTISSA_BITS: u32 = 52;
/// Exponent bias of an f64.
const BIAS: i64 = 1023;

/// 1 / c and ln c for the middle c of each of 128 equal parts of the interval from 1 to 2.
static TABLE: [(f64, f64); ENTRIES] = table();

const fn table() -> [(f64, f64); ENTRIES] {
    let mut entries = [(0.0, 0.0); ENTRIES];
    let mut index = 0;
    while index < ENTRIES {
        let middle = 1.0 + (index as f64 + 0.5) / ENTRIES as f64;
        entries[index] = (1.0 / middle, series(middle));
        index += 1;
    }
    entries
}

/// ln c = 2 artanh((c - 1) / (c + 1)) by its series. For c below 2 each term is less than a ninth of the term before
/// it.
const fn series(c: f64) -> f64 {
    const TERMS: usize = 20;
    let ratio = (c - 1.0) / (c + 1.0);
    let square = ratio * ratio;
    let mut sum = 0.0;
    let mut term = TERMS;
    // From the smallest term to the largest, so that rounding does not add up.
    while term > 0 {
        term -= 1;
        sum = sum * square + 1.0 / (2 * term + 1) as f64;
    }
    2.0 * ratio * sum
}

/// -ln `u` for `u` in (0, 1), with an absolute error below 1e-15; never negative.
///
/// `u` must be a normal floating-point number, as every uniform draw of 53 bits is. Outside (0, 1) the result is
/// meaningless.
#[must_use]
#[inline]
pub fn neg_ln(u: f64) -> f64 {
    let bits = u.to_bits();
    let exponent = (bits >> MANTISSA_BITS) as i64 - BIAS;
    let mantissa = f64::from_bits(bits & ((1 << MANTISSA_BITS) - 1) | (BIAS as u64) << MANTISSA_BITS);
    let (inverse, ln_middle) = TABLE[(bits >> (MANTISSA_BITS - TABLE_BITS)) as usize % ENTRIES];
    // |r| <= 1/257, so that the next term of the series, r^7/7, is below 2e-18.
    let r = mantissa * inverse - 1.0;
    let tail = r * r * (-1.0 / 2.0 + r * (1.0 / 3.0 + r * (-1.0 / 4.0 + r * (1.0 / 5.0 - r * (1.0 / 6.0)))));
    let ln = exponent as f64 * std::f64::consts::LN_2 + ln_middle + (r + tail);
    (-ln).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::random::{KeyedRng, unit_open};

    #[test]
    fn agrees_with_the_exact_logarithm() {
        let mut rng = KeyedRng::new(7);
        let mut worst: f64 = 0.0;
        for _ in 0..1_000_000 {
            let u = unit_open(&mut rng);
            let exact = -libm::log(u);
            worst = worst.max((neg_ln(u) - exact).abs() / exact.max(1.0));
        }
        assert!(worst < 1e-15, "{worst}");
    }

    #[test]
    fn the_ends_of_the_range() {
        let smallest = f64::EPSILON / 4.0;
        assert!((neg_ln(smallest) - 54.0 * std::f64::consts::LN_2).abs() < 1e-13);
        for u in [1.0 - f64::EPSILON / 2.0, 0.5, 0.999_999] {
            let exact = -libm::log(u);
            assert!((neg_ln(u) - exact).abs() < 1e-15, "{u}");
            assert!(neg_ln(u) >= 0.0);
        }
    }
}
