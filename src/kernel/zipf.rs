//! Zipf's law over a finite number of ranks: rank k is drawn in proportion to k to the power of minus the exponent.
//!
//! Rejection-inversion after W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates from monotone
//! discrete distributions", ACM TOMACS 6(3), 1996: no table, and fewer than two tries a draw.

use rand::Rng;

use super::random::unit_open;

/// Popularity of keys, objects or users: rank 1 is the most popular.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Zipf {
    ranks: f64,
    exponent: f64,
    /// The hat's integral at both ends, between which a uniform number is drawn.
    lowest: f64,
    highest: f64,
    /// A rank that exceeds the inverted number by at most this is accepted without computing the exact test.
    sure: f64,
}

impl Zipf {
    /// The law for the ranks 1 to `n`. An exponent of zero makes all ranks equally likely.
    ///
    /// # Panics
    /// When `n` is zero or above 2^53, or when the exponent is negative or not finite.
    #[must_use]
    pub fn new(n: u64, exponent: f64) -> Zipf {
        assert!((1..=1 << 53).contains(&n), "Zipf's law needs 1 to 2^53 ranks");
        assert!(exponent >= 0.0 && exponent.is_finite(), "the exponent of Zipf's law is not negative");
        let ranks = n as f64;
        let law = Zipf { ranks, exponent, lowest: 0.0, highest: 0.0, sure: 0.0 };
        Zipf {
            lowest: law.integral(1.5) - 1.0,
            highest: law.integral(ranks + 0.5),
            sure: 2.0 - law.inverse(law.integral(2.5) - law.weight(2.0)),
            ..law
        }
    }

    /// A random rank, 1 to n.
    #[inline]
    pub fn draw(&self, rng: &mut impl Rng) -> u64 {
        loop {
            let u = self.highest + unit_open(rng) * (self.lowest - self.highest);
            let x = self.inverse(u);
            let rank = (x + 0.5).floor().clamp(1.0, self.ranks);
            if rank - x <= self.sure || u >= self.integral(rank + 0.5) - self.weight(rank) {
                return rank as u64;
            }
        }
    }

    /// The hat, x^-s.
    fn weight(&self, x: f64) -> f64 {
        libm::exp(-self.exponent * libm::log(x))
    }

    /// The integral of the hat from 1 to x: (x^(1-s) - 1) / (1-s), and ln x for s = 1.
    fn integral(&self, x: f64) -> f64 {
        let log = libm::log(x);
        log * ratio((1.0 - self.exponent) * log, libm::expm1)
    }

    /// The x at which [`Zipf::integral`] has this value.
    fn inverse(&self, integral: f64) -> f64 {
        // Rounding must not carry the argument of the logarithm below zero.
        let t = (integral * (1.0 - self.exponent)).max(-1.0);
        libm::exp(integral * ratio(t, libm::log1p))
    }
}

/// f(x) / x for an f with f(0) = 0 and f'(0) = 1, continued at zero. `expm1` and `log1p` are accurate close to zero,
/// so that only zero itself is a special case.
fn ratio(x: f64, f: fn(f64) -> f64) -> f64 {
    if x == 0.0 { 1.0 } else { f(x) / x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::random::KeyedRng;

    const DRAWS: usize = 200_000;

    /// Pearson's statistic of the draws against the exact probabilities, and the number of its cells. Ranks with few
    /// expected draws share a cell.
    fn chi_square_per_cell(n: u64, exponent: f64) -> (f64, f64) {
        let law = Zipf::new(n, exponent);
        let mut rng = KeyedRng::new(n ^ exponent.to_bits());
        let mut counts = vec![0.0_f64; n as usize];
        (0..DRAWS).for_each(|_| counts[law.draw(&mut rng) as usize - 1] += 1.0);
        let weights: Vec<f64> = (1..=n).map(|k| libm::pow(k as f64, -exponent)).collect();
        let total: f64 = weights.iter().sum();
        let (mut statistic, mut cells) = (0.0, 0.0);
        let (mut seen, mut expected) = (0.0, 0.0);
        for (count, weight) in counts.iter().zip(&weights) {
            seen += count;
            expected += DRAWS as f64 * weight / total;
            if expected >= 10.0 {
                statistic += (seen - expected) * (seen - expected) / expected;
                cells += 1.0;
                (seen, expected) = (0.0, 0.0);
            }
        }
        (statistic, cells)
    }

    #[test]
    fn ranks_come_with_their_exact_probabilities() {
        for (n, exponent) in [
            (2, 1.0),
            (10, 0.0),
            (10, 0.5),
            (100, 0.99),
            (100, 1.0),
            (1000, 1.0 + 1e-9),
            (1000, 1.2),
            (50, 3.0),
        ] {
            let (statistic, cells) = chi_square_per_cell(n, exponent);
            // The statistic has about cells - 1 as its mean and twice that as its variance.
            let limit = cells - 1.0 + 4.0 * f64::sqrt(2.0 * cells);
            assert!(statistic < limit, "n {n}, exponent {exponent}: {statistic} over {cells} cells");
        }
    }

    #[test]
    fn a_single_rank_and_a_great_many() {
        let mut rng = KeyedRng::new(1);
        assert_eq!(Zipf::new(1, 1.0).draw(&mut rng), 1);
        let many = Zipf::new(1 << 53, 0.8);
        assert!((0..1000).all(|_| (1..=1 << 53).contains(&many.draw(&mut rng))));
    }
}
