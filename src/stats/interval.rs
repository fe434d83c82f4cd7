//! Confidence intervals over independent trials: Student's t, paired differences, and Holm's correction for many
//! comparisons at once.

use crate::stats::tally::Moments;

/// The two-sided risk of every interval in this project: 5 %.
const RISK: f64 = 0.05;

/// A mean with its 95 % interval, `mean` ± `half_width`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate itself, in the unit of the values.
    pub mean: f64,
    /// Half of the interval's width; `None` when there is no basis for an interval, as with one trial.
    pub half_width: Option<f64>,
    /// Number of independent values behind the estimate.
    pub trials: usize,
}

impl Estimate {
    /// The mean of one value a trial, with Student's t-interval. The interval is exactly 0 wide when all values are
    /// equal.
    ///
    /// # Panics
    /// When there are no values.
    #[must_use]
    pub fn over_trials(values: &[f64]) -> Estimate {
        assert!(!values.is_empty(), "an estimate needs a trial");
        let moments: Moments = values.iter().copied().collect();
        let half_width = (values.len() > 1).then(|| {
            let trials = values.len() as f64;
            t_quantile_975(trials - 1.0) * moments.sd() / trials.sqrt()
        });
        Estimate { mean: moments.mean(), half_width, trials: values.len() }
    }

    /// The mean of `a[i] - b[i]`, for two scenarios whose trials share their random numbers.
    ///
    /// # Panics
    /// When there are no values, or when `a` and `b` differ in length.
    #[must_use]
    pub fn paired_difference(a: &[f64], b: &[f64]) -> Estimate {
        assert_eq!(a.len(), b.len(), "paired trials come in pairs");
        let differences: Vec<f64> = a.iter().zip(b).map(|(a, b)| a - b).collect();
        Estimate::over_trials(&differences)
    }

    /// The two-sided p-value of "the true mean is 0", for an estimate over trials; `None` for a single trial.
    #[must_use]
    pub fn p_value(&self) -> Option<f64> {
        if self.trials < 2 {
            return None;
        }
        let df = (self.trials - 1) as f64;
        self.half_width.map(|half_width| match (self.mean == 0.0, half_width == 0.0) {
            (true, _) => 1.0,
            (false, true) => 0.0,
            (false, false) => two_sided_p(self.mean / half_width * t_quantile_975(df), df),
        })
    }
}

/// The probability that |T| exceeds |`t`|, with `df` > 0 degrees of freedom: the regularised incomplete beta function
/// I_x(df/2, 1/2) at x = df / (df + t²) (Abramowitz & Stegun 26.7.1).
#[must_use]
pub fn two_sided_p(t: f64, df: f64) -> f64 {
    incomplete_beta(df / 2.0, 0.5, df / (df + t * t), t * t / (df + t * t))
}

/// The 97.5 % quantile of Student's t with `df` degrees of freedom, by bisection to the last bits.
///
/// # Panics
/// When `df` is less than 1.
#[must_use]
pub fn t_quantile_975(df: f64) -> f64 {
    assert!(df >= 1.0, "an interval needs a degree of freedom");
    // Every answer lies above the normal quantile, and at or below the one of one degree of freedom, 12.706.
    let (mut low, mut high) = (1.95, 12.75);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if two_sided_p(middle, df) > RISK { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The regularised incomplete beta function I_x(a, b); `y` = 1 - x is a parameter of its own, so that it loses no
/// digits.
fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> f64 {
    if x <= 0.0 || y <= 0.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let log_front =
        libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * libm::log(x) + b * libm::log(y);
    let front = libm::exp(log_front);
    // The fraction converges fast below the mean of the distribution; above the mean its mirror image does.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * beta_fraction(a, b, x) / a
    } else {
        1.0 - front * beta_fraction(b, a, y) / b
    }
}

/// The continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8) by Lentz's method.
fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS_MAX: usize = 10_000;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut c = 1.0;
    let mut fraction = d;
    for step in 1..STEPS_MAX {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            fraction *= c * d;
        }
        if (fraction / before - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    fraction
}

/// Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979): returns corrected p-values, in the order
/// given, that may all be compared with one level. The probability of any false alarm among them stays below that
/// level.
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut floor = 0.0f64;
    for (rank, &index) in order.iter().enumerate() {
        floor = floor.max((p_values[index] * (p_values.len() - rank) as f64).min(1.0));
        corrected[index] = floor;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::oracle::Lindley;

    #[test]
    fn the_t_quantile_agrees_with_the_printed_table() {
        let table = [
            (1.0, 12.706_205),
            (2.0, 4.302_653),
            (3.0, 3.182_446),
            (5.0, 2.570_582),
            (7.0, 2.364_624),
            (9.0, 2.262_157),
            (10.0, 2.228_139),
            (20.0, 2.085_963),
            (30.0, 2.042_272),
            (60.0, 2.000_298),
            (120.0, 1.979_930),
            (1e6, 1.959_966),
        ];
        for (df, expected) in table {
            assert!((t_quantile_975(df) - expected).abs() < 1e-6, "df {df}: {}", t_quantile_975(df));
        }
    }

    #[test]
    fn p_values_in_closed_form() {
        // One degree of freedom is Cauchy, p(1) = 1/2; two have p = 1 - t / sqrt(2 + t²).
        assert!((two_sided_p(1.0, 1.0) - 0.5).abs() < 1e-14);
        for t in [0.1, 1.0, 3.0, 50.0] {
            assert!((two_sided_p(-t, 2.0) - (1.0 - t / (2.0 + t * t).sqrt())).abs() < 1e-13, "{t}");
        }
        assert_eq!(two_sided_p(0.0, 5.0), 1.0);
    }

    #[test]
    fn three_trials_by_hand() {
        let estimate = Estimate::over_trials(&[1.0, 2.0, 3.0]);
        assert_eq!((estimate.mean, estimate.trials), (2.0, 3));
        assert!((estimate.half_width.unwrap() - 4.302_653 / 3f64.sqrt()).abs() < 1e-6);
        let t = 2.0 * 3f64.sqrt();
        assert!((estimate.p_value().unwrap() - two_sided_p(t, 2.0)).abs() < 1e-12);
    }

    #[test]
    fn no_variance_and_no_second_trial() {
        assert_eq!(Estimate::over_trials(&[0.1; 10]).half_width, Some(0.0));
        assert_eq!(Estimate::over_trials(&[0.1; 10]).p_value(), Some(0.0));
        let lone = Estimate::over_trials(&[4.0]);
        assert_eq!((lone.half_width, lone.p_value()), (None, None));
        let same = Estimate::paired_difference(&[0.3, 0.1, 7.0], &[0.3, 0.1, 7.0]);
        assert_eq!((same.mean, same.half_width, same.p_value()), (0.0, Some(0.0), Some(1.0)));
    }

    #[test]
    fn intervals_over_trials_cover() {
        let mut source = Lindley::new(0.5, 1);
        let covered = (0..2000).filter(|_| {
            let trials: Vec<f64> =
                (0..10).map(|_| (0..50).map(|_| source.exponential()).sum::<f64>() / 50.0).collect();
            let estimate = Estimate::over_trials(&trials);
            (estimate.mean - 1.0).abs() <= estimate.half_width.unwrap()
        });
        let share = covered.count() as f64 / 2000.0;
        assert!((0.93..=0.965).contains(&share), "coverage {share}");
    }

    #[test]
    fn holm_by_hand() {
        let corrected = holm(&[0.04, 0.01, 0.03, 0.005]);
        let expected = [0.06, 0.03, 0.06, 0.02];
        for (corrected, expected) in corrected.iter().zip(expected) {
            assert!((corrected - expected).abs() < 1e-12);
        }
        assert_eq!(holm(&[0.7, 0.9]), [1.0, 1.0]);
    }
}
