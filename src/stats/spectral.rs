//! The interval of a mean from one long trial, by the spectral method of Heidelberger and Welch.
//!
//! Source: P. Heidelberger and P. D. Welch, A spectral method for confidence interval generation and run length
//! control in simulations, Communications of the ACM 24 (1981). The variance of a mean of correlated values is the
//! spectrum at frequency 0, divided by their number. A quadratic is fitted to the log-periodogram at low frequencies
//! and extrapolated to frequency 0.

use crate::stats::interval::{Estimate, t_quantile_975};
use crate::stats::series::mean;

/// Least number of batch means. Fewer leave no room for low frequencies.
pub const BATCHES_MIN: usize = 256;
/// Points of the fit, the paper's K; each averages two neighbouring frequencies of the periodogram.
const POINTS: usize = 25;
/// The mean of the logarithm of such an average is below the logarithm of its mean by this much.
const LOG_BIAS: f64 = 0.270;
/// The paper's C1 for 25 points and a quadratic: corrects the bias of the exponential of the fit.
const FIT_BIAS: f64 = 0.882;
/// The paper's C2 for 25 points and a quadratic: degrees of freedom of the estimated variance.
const DEGREES_OF_FREEDOM: f64 = 7.0;

/// The mean of a stationary series and its 95 % interval, from its consecutive batch means. `None` for fewer than
/// [`BATCHES_MIN`]. The interval is exactly 0 wide when all means are equal.
#[must_use]
pub fn spectral_interval(batch_means: &[f64]) -> Option<Estimate> {
    if batch_means.len() < BATCHES_MIN {
        return None;
    }
    if batch_means.iter().all(|&batch| batch == batch_means[0]) {
        return Some(Estimate { mean: batch_means[0], half_width: Some(0.0), trials: 1 });
    }
    let spectrum = FIT_BIAS * libm::exp(intercept(&log_spectrum(batch_means)));
    let half_width = t_quantile_975(DEGREES_OF_FREEDOM) * (spectrum / batch_means.len() as f64).sqrt();
    Some(Estimate { mean: mean(batch_means.iter().copied()), half_width: Some(half_width), trials: 1 })
}

/// Points of the fit: frequency in cycles a batch, and log-periodogram, averaged over two neighbouring frequencies
/// and corrected for bias.
fn log_spectrum(batch_means: &[f64]) -> Vec<(f64, f64)> {
    let power = periodogram(batch_means, 2 * POINTS);
    let count = batch_means.len() as f64;
    power
        .chunks_exact(2)
        .enumerate()
        .map(|(index, pair)| {
            let frequency = (4 * index + 3) as f64 / (2.0 * count);
            // A series may lack a frequency altogether; the logarithm must stay finite.
            let power = f64::midpoint(pair[0], pair[1]).max(f64::MIN_POSITIVE);
            (frequency, libm::log(power) + LOG_BIAS)
        })
        .collect()
}

/// |Fourier sum|² / n at the frequencies 1/n, 2/n, ... `frequencies`/n.
fn periodogram(values: &[f64], frequencies: usize) -> Vec<f64> {
    let count = values.len();
    let centre = mean(values.iter().copied());
    let circle: Vec<(f64, f64)> =
        (0..count).map(|step| libm::sincos(std::f64::consts::TAU * step as f64 / count as f64)).collect();
    (1..=frequencies)
        .map(|frequency| {
            let (mut sine, mut cosine) = (0.0, 0.0);
            for (step, value) in values.iter().enumerate() {
                let (sin, cos) = circle[step * frequency % count];
                sine += (value - centre) * sin;
                cosine += (value - centre) * cos;
            }
            (sine * sine + cosine * cosine) / count as f64
        })
        .collect()
}

/// The value at frequency 0 of the quadratic that fits the points best, by Cramer's rule on the normal equations.
fn intercept(points: &[(f64, f64)]) -> f64 {
    // Abscissas of about 1 keep the equations well conditioned. The value at 0 does not depend on their scale.
    let scale = points[points.len() - 1].0;
    let mut power_sums = [0.0; 5];
    let mut moments = [0.0; 3];
    for &(frequency, value) in points {
        let mut power = 1.0;
        for (degree, sum) in power_sums.iter_mut().enumerate() {
            *sum += power;
            if degree < 3 {
                moments[degree] += power * value;
            }
            power *= frequency / scale;
        }
    }
    let [s0, s1, s2, s3, s4] = power_sums;
    let columns = [[s0, s1, s2], [s1, s2, s3], [s2, s3, s4]];
    determinant([moments, columns[1], columns[2]]) / determinant(columns)
}

/// The determinant of three columns.
fn determinant([a, b, c]: [[f64; 3]; 3]) -> f64 {
    a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0])
        + a[2] * (b[0] * c[1] - b[1] * c[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::batch::BatchMeans;
    use crate::stats::oracle::Lindley;

    #[test]
    fn the_variance_of_the_mean_is_that_of_an_autoregressive_series() {
        // x' = 0.3 x + noise of variance 10^6, whose spectrum at frequency 0 is 10^6 / 0.7².
        let mut source = crate::stats::oracle::Lindley::new(0.5, 3);
        let rounds = 1000;
        let mut sum = 0.0;
        for _ in 0..rounds {
            let mut x = 0.0;
            let series: Vec<f64> = (0..256)
                .map(|_| {
                    x = 0.3 * x + 1000.0 * (source.exponential() - 1.0);
                    x
                })
                .collect();
            let half_width = spectral_interval(&series).unwrap().half_width.unwrap();
            sum += (half_width / t_quantile_975(DEGREES_OF_FREEDOM)).powi(2) * 256.0;
        }
        let ratio = sum / f64::from(rounds) / (1e6 / 0.49);
        assert!((ratio - 1.0).abs() < 0.08, "{ratio}");
    }

    #[test]
    fn the_fit_finds_a_quadratic() {
        let points: Vec<(f64, f64)> =
            (1..=25).map(|i| f64::from(i) / 100.0).map(|x| (x, 3.0 - 7.0 * x + 40.0 * x * x)).collect();
        assert!((intercept(&points) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn a_pure_wave_stands_at_its_frequency() {
        let wave: Vec<f64> = (0..256)
            .map(|i| 5.0 + 2.0 * libm::cos(std::f64::consts::TAU * 3.0 * f64::from(i) / 256.0))
            .collect();
        let power = periodogram(&wave, 5);
        assert!((power[2] - 256.0).abs() < 1e-9, "amplitude² n / 4: {}", power[2]);
        assert!(power.iter().enumerate().all(|(i, &power)| i == 2 || power < 1e-20));
    }

    #[test]
    fn constants_have_width_zero_and_short_series_none() {
        let estimate = spectral_interval(&[0.1; 300]).unwrap();
        assert_eq!((estimate.mean, estimate.half_width), (0.1, Some(0.0)));
        assert!(spectral_interval(&[1.0; 255]).is_none());
        assert!(spectral_interval(&[1.0; 0]).is_none());
    }

    #[test]
    fn intervals_of_one_long_mm1_cover() {
        let rho = 0.8;
        let truth = rho / (1.0 - rho);
        let covered = (0..250).filter(|&seed| {
            let mut batches = BatchMeans::default();
            Lindley::warmed(rho, seed, 2000).take(30_000).for_each(|wait| batches.record(wait));
            let estimate = spectral_interval(&batches.means()).unwrap();
            (estimate.mean - truth).abs() <= estimate.half_width.unwrap()
        });
        let share = covered.count() as f64 / 250.0;
        assert!((0.90..=0.99).contains(&share), "coverage {share}");
    }
}
