//! Tests of the samplers against their closed moments and against `rand_distr`.

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
        assert!((found - mean).abs() < 4.0 * (variance / n).sqrt(), "{variate:?}: mean {found}, not {mean}");
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
    // At a mean of 2 the sum of both squares is also their product.
    assert!(close(Variate::hyperexponential(3.0, 3.0).cv2(), 9.0));
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
