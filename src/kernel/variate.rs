//! Random times: the distributions that a scenario can name, sampled by formulas on `libm`, so that the bits are the
//! same on every platform and whatever features other crates switch on.
//!
//! Inversion is used wherever it is cheap: a sample that falls as its uniform number grows makes the same customer
//! slow or quick in both of two scenarios, which is what narrows their paired difference.

use std::f64::consts::TAU;
use std::sync::Arc;

use rand::Rng;
use rand_distr::Distribution;

use super::ln::neg_ln;
use super::random::{below, unit_open};
use super::time::SimDuration;

/// Erlang samples of more stages are drawn as gamma samples, which costs the same for any number of stages.
const PRODUCT_STAGES_MAX: u32 = 8;

/// A distribution of times in seconds. Make it with the functions below, which check the parameters.
#[derive(Clone, PartialEq, Debug)]
pub enum Variate {
    /// Always the same.
    Constant(f64),
    /// Anything between two bounds alike.
    Uniform {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// Without memory.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// The sum of exponential stages.
    Erlang {
        /// How many stages.
        stages: u32,
        /// The mean of the sum.
        mean: f64,
    },
    /// Gamma.
    Gamma {
        /// The shape, 1 / cv².
        shape: f64,
        /// The scale: mean / shape.
        scale: f64,
    },
    /// The exponential of a normal number.
    Lognormal {
        /// The mean of the logarithm.
        mu: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// One of two exponentials.
    Hyperexponential {
        /// How likely the short one is.
        p: f64,
        /// The mean of the short one.
        short: f64,
        /// The mean of the long one.
        long: f64,
    },
    /// A power law, whose greatest samples dominate the sum.
    Pareto {
        /// The exponent of the tail.
        shape: f64,
        /// The smallest sample.
        least: f64,
    },
    /// Weibull.
    Weibull {
        /// The shape: below 1 the tail is heavier than exponential.
        shape: f64,
        /// The scale.
        scale: f64,
    },
    /// Straight lines between known quantiles: (probability from 0 to 1, seconds).
    Quantiles(Arc<[(f64, f64)]>),
    /// One of these measured times, all alike.
    Samples(Arc<[f64]>),
}

impl Variate {
    /// Always `secs`.
    ///
    /// # Panics
    /// When `secs` is negative or not finite.
    #[must_use]
    pub fn constant(secs: f64) -> Variate {
        assert!(is_time(secs), "a constant time is not negative");
        Variate::Constant(secs)
    }

    /// Anything between `low` and `high` alike.
    ///
    /// # Panics
    /// Unless 0 <= low <= high.
    #[must_use]
    pub fn uniform(low: f64, high: f64) -> Variate {
        assert!(is_time(low) && is_time(high) && low <= high, "a uniform time needs 0 <= low <= high");
        Variate::Uniform { low, high }
    }

    /// Exponential with this mean.
    ///
    /// # Panics
    /// When the mean is negative or not finite.
    #[must_use]
    pub fn exponential(mean: f64) -> Variate {
        assert!(is_time(mean), "a mean time is not negative");
        Variate::Exponential { mean }
    }

    /// The sum of `stages` exponential times, `mean` altogether.
    ///
    /// # Panics
    /// When there is no stage, or when the mean is negative or not finite.
    #[must_use]
    pub fn erlang(mean: f64, stages: u32) -> Variate {
        assert!(is_time(mean) && stages > 0, "an Erlang time needs a mean and a stage");
        Variate::Erlang { stages, mean }
    }

    /// Gamma with this mean and coefficient of variation.
    ///
    /// # Panics
    /// When the mean is negative or not finite, or when cv is not above zero.
    #[must_use]
    pub fn gamma(mean: f64, cv: f64) -> Variate {
        assert!(is_time(mean) && cv > 0.0 && cv.is_finite(), "a gamma time needs a mean and a cv above 0");
        let shape = 1.0 / (cv * cv);
        Variate::Gamma { shape, scale: mean / shape }
    }

    /// Log-normal with this mean and coefficient of variation: ln has the variance ln(1 + cv²).
    ///
    /// # Panics
    /// When the mean is not above zero or not finite, or when cv is negative or not finite.
    #[must_use]
    pub fn lognormal(mean: f64, cv: f64) -> Variate {
        assert!(
            is_time(mean) && mean > 0.0 && is_time(cv),
            "a log-normal time needs a mean above 0 and a cv"
        );
        let variance = libm::log1p(cv * cv);
        Variate::Lognormal { mu: libm::log(mean) - variance / 2.0, sigma: variance.sqrt() }
    }

    /// One of two exponentials that contribute half of the mean each ("balanced means"; Tijms, "A First Course in
    /// Stochastic Models", 2003, appendix B): p = (1 + sqrt((cv² - 1) / (cv² + 1))) / 2.
    ///
    /// # Panics
    /// When the mean is negative or not finite, or when cv is below 1.
    #[must_use]
    pub fn hyperexponential(mean: f64, cv: f64) -> Variate {
        assert!(
            is_time(mean) && cv >= 1.0 && cv.is_finite(),
            "a hyperexponential time has a cv of at least 1"
        );
        let p = f64::midpoint(1.0, ((cv * cv - 1.0) / (cv * cv + 1.0)).sqrt());
        Variate::Hyperexponential { p, short: mean / (2.0 * p), long: mean / (2.0 * (1.0 - p)) }
    }

    /// Pareto with this mean; the tail falls as t^-shape.
    ///
    /// # Panics
    /// When the mean is negative or not finite, or when the shape is not above 1, where there is no mean.
    #[must_use]
    pub fn pareto(mean: f64, shape: f64) -> Variate {
        assert!(
            is_time(mean) && shape > 1.0 && shape.is_finite(),
            "a Pareto time has a mean if its shape is above 1"
        );
        Variate::Pareto { shape, least: mean * (shape - 1.0) / shape }
    }

    /// Weibull with this mean and shape.
    ///
    /// # Panics
    /// When the mean is negative or not finite, or when the shape is not above zero.
    #[must_use]
    pub fn weibull(mean: f64, shape: f64) -> Variate {
        assert!(
            is_time(mean) && shape > 0.0 && shape.is_finite(),
            "a Weibull time needs a mean and a shape above 0"
        );
        Variate::Weibull { shape, scale: mean / libm::tgamma(1.0 + 1.0 / shape) }
    }

    /// Straight lines between quantiles: (probability, seconds), both rising, the probabilities from 0 to 1.
    ///
    /// # Panics
    /// When they are not so.
    #[must_use]
    pub fn quantiles(points: &[(f64, f64)]) -> Variate {
        let ends = points.first().map(|point| point.0).zip(points.last().map(|point| point.0));
        assert!(ends == Some((0.0, 1.0)), "quantiles go from probability 0 to 1");
        let rising = points.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1);
        assert!(rising && points.iter().all(|point| is_time(point.1)), "quantiles are times that rise");
        Variate::Quantiles(points.into())
    }

    /// One of these times, all alike.
    ///
    /// # Panics
    /// When there is none, or when one is negative or not finite.
    #[must_use]
    pub fn samples(secs: &[f64]) -> Variate {
        assert!(!secs.is_empty() && secs.iter().all(|&s| is_time(s)), "samples are times, and there is one");
        Variate::Samples(secs.into())
    }

    /// A random time, rounded to the nearest nanosecond.
    #[inline]
    pub fn draw(&self, rng: &mut impl Rng) -> SimDuration {
        // The most frequent law by far: drawn here it needs no call.
        if let Variate::Exponential { mean } = *self {
            return SimDuration::from_sample_secs(mean * standard_exponential(rng));
        }
        SimDuration::from_sample_secs(self.sample(rng))
    }

    /// So many samples, in seconds, one after the other. That is quicker than one by one: which law it is, is asked once,
    /// and one sample is begun before the last one is done.
    #[inline]
    pub fn sample_many(&self, count: usize, rng: &mut impl Rng, mut take: impl FnMut(f64)) {
        match *self {
            Variate::Exponential { mean } => (0..count).for_each(|_| take(mean * standard_exponential(rng))),
            _ => (0..count).for_each(|_| take(self.sample(rng))),
        }
    }

    /// Whether all samples are the same, so that no random number is spent on them.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        matches!(self, Variate::Constant(_))
    }

    /// The mean in seconds, in closed form.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Variate::Constant(secs) => secs,
            Variate::Uniform { low, high } => f64::midpoint(low, high),
            Variate::Exponential { mean } | Variate::Erlang { mean, .. } => mean,
            Variate::Gamma { shape, scale } => shape * scale,
            Variate::Lognormal { mu, sigma } => libm::exp(mu + sigma * sigma / 2.0),
            Variate::Hyperexponential { p, short, long } => p * short + (1.0 - p) * long,
            Variate::Pareto { shape, least } => least * shape / (shape - 1.0),
            Variate::Weibull { shape, scale } => scale * libm::tgamma(1.0 + 1.0 / shape),
            Variate::Quantiles(ref points) => over_lines(points, f64::midpoint),
            Variate::Samples(ref secs) => secs.iter().sum::<f64>() / secs.len() as f64,
        }
    }

    /// The squared coefficient of variation, variance / mean², in closed form. It is infinite for a Pareto of a shape up
    /// to 2, and zero if the mean is.
    #[must_use]
    pub fn cv2(&self) -> f64 {
        match *self {
            Variate::Constant(_) => 0.0,
            Variate::Exponential { .. } => 1.0,
            Variate::Erlang { stages, .. } => 1.0 / f64::from(stages),
            Variate::Gamma { shape, .. } => 1.0 / shape,
            Variate::Lognormal { sigma, .. } => libm::expm1(sigma * sigma),
            Variate::Pareto { shape, .. } if shape <= 2.0 => f64::INFINITY,
            Variate::Pareto { shape, .. } => 1.0 / (shape * (shape - 2.0)),
            Variate::Weibull { shape, .. } => {
                let log_ratio = libm::lgamma(1.0 + 2.0 / shape) - 2.0 * libm::lgamma(1.0 + 1.0 / shape);
                libm::expm1(log_ratio)
            }
            Variate::Uniform { low, high } => self.relative((high - low) * (high - low) / 12.0),
            Variate::Hyperexponential { p, short, long } => {
                let second_moment = 2.0 * (p * short * short + (1.0 - p) * long * long);
                self.relative(second_moment - self.mean() * self.mean())
            }
            Variate::Quantiles(ref points) => {
                let mean = self.mean();
                // About the mean, where nothing cancels: the integral of a squared straight line.
                let square = |a: f64, b: f64| (a * a + a * b + b * b) / 3.0;
                self.relative(over_lines(points, |a, b| square(a - mean, b - mean)))
            }
            Variate::Samples(ref secs) => {
                let mean = self.mean();
                let squares: f64 = secs.iter().map(|s| (s - mean) * (s - mean)).sum();
                self.relative(squares / secs.len() as f64)
            }
        }
    }

    /// A variance over the squared mean.
    fn relative(&self, variance: f64) -> f64 {
        let mean = self.mean();
        if mean > 0.0 { variance / (mean * mean) } else { 0.0 }
    }

    /// The distribution of `factor` times a sample. The same random numbers give `factor` times the same samples.
    ///
    /// # Panics
    /// When the factor is not above zero or not finite.
    #[must_use]
    pub fn scaled(&self, factor: f64) -> Variate {
        assert!(factor > 0.0 && factor.is_finite(), "a time is scaled by a factor above 0");
        let by = |secs: f64| secs * factor;
        match *self {
            Variate::Constant(secs) => Variate::Constant(by(secs)),
            Variate::Uniform { low, high } => Variate::Uniform { low: by(low), high: by(high) },
            Variate::Exponential { mean } => Variate::Exponential { mean: by(mean) },
            Variate::Erlang { stages, mean } => Variate::Erlang { stages, mean: by(mean) },
            Variate::Gamma { shape, scale } => Variate::Gamma { shape, scale: by(scale) },
            Variate::Lognormal { mu, sigma } => Variate::Lognormal { mu: mu + libm::log(factor), sigma },
            Variate::Hyperexponential { p, short, long } => {
                Variate::Hyperexponential { p, short: by(short), long: by(long) }
            }
            Variate::Pareto { shape, least } => Variate::Pareto { shape, least: by(least) },
            Variate::Weibull { shape, scale } => Variate::Weibull { shape, scale: by(scale) },
            Variate::Quantiles(ref points) => {
                Variate::Quantiles(points.iter().map(|&(p, secs)| (p, by(secs))).collect())
            }
            Variate::Samples(ref secs) => Variate::Samples(secs.iter().map(|&s| by(s)).collect()),
        }
    }
}

impl Distribution<f64> for Variate {
    /// A random time in seconds.
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, mut rng: &mut R) -> f64 {
        // The functions below ask for a sized generator; a reference to any generator is one.
        let rng = &mut rng;
        match *self {
            Variate::Constant(secs) => secs,
            Variate::Uniform { low, high } => low + (high - low) * unit_open(rng),
            Variate::Exponential { mean } => mean * standard_exponential(rng),
            Variate::Erlang { stages, mean } => mean / f64::from(stages) * standard_erlang(stages, rng),
            Variate::Gamma { shape, scale } => scale * standard_gamma(shape, rng),
            Variate::Lognormal { mu, sigma } => libm::exp(mu + sigma * standard_normal(rng)),
            Variate::Hyperexponential { p, short, long } => {
                let mean = if unit_open(rng) < p { short } else { long };
                mean * standard_exponential(rng)
            }
            Variate::Pareto { shape, least } => least * libm::pow(unit_open(rng), -1.0 / shape),
            Variate::Weibull { shape, scale } => scale * libm::pow(standard_exponential(rng), 1.0 / shape),
            Variate::Quantiles(ref points) => on_line(points, unit_open(rng)),
            Variate::Samples(ref secs) => secs[below(rng, secs.len() as u64) as usize],
        }
    }
}

/// Whether `secs` can be a time: neither negative nor infinite nor NaN.
fn is_time(secs: f64) -> bool {
    secs >= 0.0 && secs.is_finite()
}

/// Exponential with mean 1, by inversion.
#[inline]
fn standard_exponential(rng: &mut impl Rng) -> f64 {
    neg_ln(unit_open(rng))
}

/// Normal with mean 0 and variance 1: the cosine half of Box and Muller's method. The sine half is not kept, because a
/// sampler has no state.
fn standard_normal(rng: &mut impl Rng) -> f64 {
    let radius = (2.0 * standard_exponential(rng)).sqrt();
    radius * libm::cos(TAU * unit_open(rng))
}

/// The sum of `stages` standard exponentials: one logarithm of the product of their uniform numbers.
fn standard_erlang(stages: u32, rng: &mut impl Rng) -> f64 {
    if stages > PRODUCT_STAGES_MAX {
        return standard_gamma(f64::from(stages), rng);
    }
    // Each factor is at least 2^-54, so the product of eight is far from underflow.
    neg_ln((0..stages).map(|_| unit_open(rng)).product())
}

/// Gamma with scale 1 after G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", ACM TOMS
/// 26(3), 2000. A shape below 1 is drawn at shape + 1 and brought down by a power of a uniform number.
fn standard_gamma(shape: f64, rng: &mut impl Rng) -> f64 {
    if shape < 1.0 {
        let factor = libm::pow(unit_open(rng), 1.0 / shape);
        return factor * standard_gamma(shape + 1.0, rng);
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = standard_normal(rng);
        let root = 1.0 + c * x;
        if root <= 0.0 {
            continue;
        }
        let v = root * root * root;
        if libm::log(unit_open(rng)) < x * x / 2.0 + d * (1.0 - v + libm::log(v)) {
            return d * v;
        }
    }
}

/// The value at probability `u` on the lines between quantiles.
fn on_line(points: &[(f64, f64)], u: f64) -> f64 {
    // The first point is at 0 and the last at 1, so that u has a point before it and one at or after it.
    let right = points.partition_point(|point| point.0 < u);
    let ((p, a), (q, b)) = (points[right - 1], points[right]);
    a + (b - a) * (u - p) / (q - p)
}

/// The sum over the lines between quantiles of their probability times `f` of their ends.
fn over_lines(points: &[(f64, f64)], f: impl Fn(f64, f64) -> f64) -> f64 {
    points.windows(2).map(|line| (line[1].0 - line[0].0) * f(line[0].1, line[1].1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::random::{KeyedRng, Seed};

    const DRAWS: usize = 200_000;

    fn every_kind() -> Vec<Variate> {
        vec![
            Variate::uniform(0.5, 2.0),
            Variate::exponential(3.0),
            Variate::erlang(2.0, 1),
            Variate::erlang(2.0, 4),
            Variate::erlang(2.0, 40),
            Variate::gamma(2.0, 0.3),
            Variate::gamma(2.0, 1.7),
            Variate::lognormal(2.0, 0.5),
            Variate::hyperexponential(2.0, 1.0),
            Variate::hyperexponential(2.0, 2.0),
            Variate::pareto(2.0, 9.0),
            Variate::weibull(2.0, 0.8),
            Variate::weibull(2.0, 3.0),
            Variate::quantiles(&[(0.0, 1.0), (0.5, 2.0), (0.9, 2.0), (1.0, 10.0)]),
            Variate::samples(&[1.0, 2.0, 2.0, 7.0]),
        ]
    }

    fn draws(variate: &Variate, seed: u64) -> Vec<f64> {
        let mut rng = KeyedRng::new(seed);
        (0..DRAWS).map(|_| variate.sample(&mut rng)).collect()
    }

    #[test]
    fn samples_have_the_closed_mean_and_variance() {
        for (variate, seed) in every_kind().iter().zip(1..) {
            let (mean, variance) = (variate.mean(), variate.cv2() * variate.mean() * variate.mean());
            let samples = draws(variate, seed);
            let n = DRAWS as f64;
            let found = samples.iter().sum::<f64>() / n;
            assert!(
                (found - mean).abs() < 4.0 * (variance / n).sqrt(),
                "{variate:?}: mean {found}, not {mean}"
            );
            // The standard error of a mean of squares comes from the fourth powers.
            let squares: Vec<f64> = samples.iter().map(|x| (x - mean) * (x - mean)).collect();
            let found = squares.iter().sum::<f64>() / n;
            let spread = squares.iter().map(|s| (s - found) * (s - found)).sum::<f64>() / n;
            let error = (found - variance).abs();
            assert!(error < 4.5 * (spread / n).sqrt(), "{variate:?}: variance {found}, not {variance}");
        }
    }

    #[test]
    fn moments_are_those_that_were_asked_for() {
        let close = |a: f64, b: f64| (a - b).abs() < 1e-12 * b;
        for variate in [Variate::gamma(2.0, 0.3), Variate::lognormal(2.0, 0.3)] {
            assert!(close(variate.mean(), 2.0) && close(variate.cv2(), 0.09), "{variate:?}");
        }
        let hyper = Variate::hyperexponential(2.0, 3.0);
        assert!(close(hyper.mean(), 2.0) && close(hyper.cv2(), 9.0));
        assert!(close(Variate::weibull(2.0, 1.0).cv2(), 1.0));
        assert_eq!(Variate::pareto(1.0, 1.5).cv2(), f64::INFINITY);
        assert_eq!(Variate::constant(0.0).cv2(), 0.0);
        // Straight lines between the two ends are a uniform distribution.
        let line = Variate::quantiles(&[(0.0, 1.0), (0.3, 1.6), (1.0, 3.0)]);
        assert!(close(line.mean(), 2.0) && close(line.cv2(), Variate::uniform(1.0, 3.0).cv2()));
    }

    #[test]
    #[allow(clippy::disallowed_types, reason = "the oracle of the tests")]
    fn samples_follow_the_same_law_as_those_of_rand_distr() {
        let valid = "parameters are in range";
        let sigma2 = libm::log1p(0.25);
        agree(&Variate::exponential(3.0), &rand_distr::Exp::new(1.0 / 3.0).expect(valid));
        agree(&Variate::erlang(2.0, 4), &rand_distr::Gamma::new(4.0, 0.5).expect(valid));
        agree(&Variate::erlang(2.0, 40), &rand_distr::Gamma::new(40.0, 0.05).expect(valid));
        agree(&Variate::gamma(2.0, 0.5), &rand_distr::Gamma::new(4.0, 0.5).expect(valid));
        agree(&Variate::gamma(2.0, 2.0), &rand_distr::Gamma::new(0.25, 8.0).expect(valid));
        let log_normal = rand_distr::LogNormal::new(libm::log(2.0) - sigma2 / 2.0, sigma2.sqrt());
        agree(&Variate::lognormal(2.0, 0.5), &log_normal.expect(valid));
        agree(&Variate::pareto(3.0, 1.5), &rand_distr::Pareto::new(1.0, 1.5).expect(valid));
        let weibull = rand_distr::Weibull::new(2.0 / libm::tgamma(1.0 + 1.0 / 0.7), 0.7);
        agree(&Variate::weibull(2.0, 0.7), &weibull.expect(valid));
        agree(&Variate::uniform(1.0, 3.0), &rand_distr::Uniform::new(1.0, 3.0).expect(valid));
    }

    /// The two-sample test of Kolmogorov and Smirnov at a level of 10^-4.
    fn agree(variate: &Variate, oracle: &impl Distribution<f64>) {
        let mut rng = Seed::new(5).stream("oracle", "samples");
        let mut ours = draws(variate, 11);
        let mut theirs: Vec<f64> = (0..DRAWS).map(|_| oracle.sample(&mut rng)).collect();
        ours.sort_unstable_by(f64::total_cmp);
        theirs.sort_unstable_by(f64::total_cmp);
        let (mut i, mut distance) = (0, 0_usize);
        for (j, x) in theirs.iter().enumerate() {
            while i < DRAWS && ours[i] <= *x {
                i += 1;
            }
            distance = distance.max(i.abs_diff(j + 1));
        }
        let limit = 2.23 * f64::sqrt(2.0 / DRAWS as f64);
        let distance = distance as f64 / DRAWS as f64;
        assert!(distance < limit, "{variate:?}: distance {distance}");
    }

    #[test]
    fn scaling_scales_each_sample() {
        for variate in every_kind() {
            let scaled = draws(&variate.scaled(2.5), 3);
            for (sample, scaled) in draws(&variate, 3).iter().zip(&scaled).take(1000) {
                assert!((scaled - 2.5 * sample).abs() <= 1e-12 * scaled, "{variate:?}");
            }
        }
    }

    #[test]
    fn a_constant_spends_no_random_number() {
        let mut rng = KeyedRng::new(1);
        let constant = Variate::constant(0.25);
        assert!(constant.is_constant());
        assert_eq!(constant.draw(&mut rng), SimDuration::from_millis(250));
        assert_eq!(rng.next_u64(), KeyedRng::new(1).next_u64());
    }

    #[test]
    fn a_variate_is_cheap_to_carry() {
        assert!(size_of::<Variate>() <= 32);
    }

    #[test]
    fn the_bits_never_change() {
        let firsts = every_kind().iter().fold(0_u64, |hash, variate| {
            let nanos = variate.draw(&mut KeyedRng::new(9)).as_nanos();
            hash.rotate_left(7) ^ nanos
        });
        assert_eq!(firsts, 8_837_324_774_699_495_728);
    }
}
