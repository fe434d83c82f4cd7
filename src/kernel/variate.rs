//! Random times: the distributions that a scenario can name. They are sampled by formulas on `libm`, so that the bits
//! are the same on every platform and do not depend on the features that other crates switch on.
//!
//! Inversion is used where it is cheap. It makes a sample a monotone function of one uniform number, so that the same
//! customer is slow or quick in both of two scenarios. That narrows their paired difference.

use std::f64::consts::TAU;
use std::sync::Arc;

use rand::Rng;
use rand_distr::Distribution;

use super::ln::neg_ln;
use super::random::{below, unit_open};
use super::time::SimDuration;

/// Greatest number of stages for which an Erlang sample is drawn stage by stage. More are drawn as a gamma sample,
/// whose cost does not grow with the stages.
const PRODUCT_STAGES_MAX: u32 = 8;

/// A distribution of times in seconds. Make it with the functions below, which check the parameters.
#[derive(Clone, PartialEq, Debug)]
pub enum Variate {
    /// Always the same.
    Constant(f64),
    /// Uniform between two bounds.
    Uniform {
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// Exponential.
    Exponential {
        /// The mean.
        mean: f64,
    },
    /// Erlang: the sum of exponential stages.
    Erlang {
        /// Number of stages.
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
    /// Log-normal: the exponential of a normal number.
    Lognormal {
        /// The mean of the logarithm.
        mu: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// Hyperexponential: one of two exponentials.
    Hyperexponential {
        /// Probability of the short one.
        p: f64,
        /// Mean of the short one.
        short: f64,
        /// Mean of the long one.
        long: f64,
    },
    /// Pareto: a power law, whose greatest samples dominate the sum.
    Pareto {
        /// The exponent of the tail.
        shape: f64,
        /// The smallest sample.
        least: f64,
    },
    /// Weibull.
    Weibull {
        /// The shape. Below 1 the tail is heavier than exponential.
        shape: f64,
        /// The scale.
        scale: f64,
    },
    /// Straight lines between known quantiles: (probability from 0 to 1, seconds).
    Quantiles(Arc<[(f64, f64)]>),
    /// One of these measured times in seconds, all equally likely.
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

    /// Uniform between `low` and `high`.
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

    /// Erlang: the sum of `stages` exponential times; the sum has this mean.
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

    /// Log-normal with this mean and coefficient of variation: the logarithm has the variance ln(1 + cv²).
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

    /// Hyperexponential: one of two exponentials that contribute half of the mean each ("balanced means"; Tijms, "A
    /// First Course in Stochastic Models", 2003, appendix B): p = (1 + sqrt((cv² - 1) / (cv² + 1))) / 2.
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
    /// When the points do not rise or the probabilities do not go from 0 to 1.
    #[must_use]
    pub fn quantiles(points: &[(f64, f64)]) -> Variate {
        let ends = points.first().map(|point| point.0).zip(points.last().map(|point| point.0));
        assert!(ends == Some((0.0, 1.0)), "quantiles go from probability 0 to 1");
        let rising = points.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1);
        assert!(rising && points.iter().all(|point| is_time(point.1)), "quantiles are times that rise");
        Variate::Quantiles(points.into())
    }

    /// One of these times in seconds, all equally likely.
    ///
    /// # Panics
    /// When there is no time, or when one is negative or not finite.
    #[must_use]
    pub fn samples(secs: &[f64]) -> Variate {
        assert!(!secs.is_empty() && secs.iter().all(|&s| is_time(s)), "samples are times, and there is one");
        Variate::Samples(secs.into())
    }

    /// A random time, rounded to the nearest nanosecond.
    #[inline]
    pub fn draw(&self, rng: &mut impl Rng) -> SimDuration {
        // By far the most frequent law. Drawn here, it needs no call.
        if let Variate::Exponential { mean } = *self {
            return SimDuration::from_sample_secs(mean * standard_exponential(rng));
        }
        SimDuration::from_sample_secs(self.sample(rng))
    }

    /// Draws `count` samples and passes each to `take`, in seconds. This is quicker than `count` calls of
    /// [`Variate::draw`]: the law is matched once, and the processor overlaps consecutive samples.
    #[inline]
    pub fn sample_many(&self, count: usize, rng: &mut impl Rng, mut take: impl FnMut(f64)) {
        match *self {
            Variate::Exponential { mean } => (0..count).for_each(|_| take(mean * standard_exponential(rng))),
            _ => (0..count).for_each(|_| take(self.sample(rng))),
        }
    }

    /// Whether all samples are equal. Such a law draws no random numbers.
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

    /// The squared coefficient of variation, variance / mean², in closed form. Infinite for a Pareto of shape 2 or
    /// less; zero if the mean is zero.
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
                // The mean square of a straight line from a to b. Taken about the mean, so that nothing cancels.
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

    /// `variance` over the squared mean; zero if the mean is zero.
    fn relative(&self, variance: f64) -> f64 {
        let mean = self.mean();
        if mean > 0.0 { variance / (mean * mean) } else { 0.0 }
    }

    /// The distribution of `factor` times a sample. From the same random numbers it draws `factor` times the same
    /// samples.
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
        // The functions below need a sized generator. A reference to any generator is sized.
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

/// An exponential number with mean 1, by inversion.
#[inline]
fn standard_exponential(rng: &mut impl Rng) -> f64 {
    neg_ln(unit_open(rng))
}

/// A normal number with mean 0 and variance 1: the cosine half of Box and Muller's method. The sine half is dropped,
/// because a sampler has no state to keep it in.
fn standard_normal(rng: &mut impl Rng) -> f64 {
    let radius = (2.0 * standard_exponential(rng)).sqrt();
    radius * libm::cos(TAU * unit_open(rng))
}

/// The sum of `stages` standard exponentials, as one logarithm of the product of their uniform numbers.
fn standard_erlang(stages: u32, rng: &mut impl Rng) -> f64 {
    if stages > PRODUCT_STAGES_MAX {
        return standard_gamma(f64::from(stages), rng);
    }
    // Each factor is at least 2^-54, so the product of eight is far from underflow.
    neg_ln((0..stages).map(|_| unit_open(rng)).product())
}

/// A gamma number with scale 1, after G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables",
/// ACM TOMS 26(3), 2000. A shape below 1 is drawn at shape + 1 and brought down by a power of a uniform number.
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
    // The first point is at 0 and the last at 1, so that one point lies before u and one at or after it.
    let right = points.partition_point(|point| point.0 < u);
    let ((p, a), (q, b)) = (points[right - 1], points[right]);
    a + (b - a) * (u - p) / (q - p)
}

/// The sum over the lines between quantiles: the probability of each line times `f` of the values at its ends.
fn over_lines(points: &[(f64, f64)], f: impl Fn(f64, f64) -> f64) -> f64 {
    points.windows(2).map(|line| (line[1].0 - line[0].0) * f(line[0].1, line[1].1)).sum()
}

#[cfg(test)]
mod tests;
