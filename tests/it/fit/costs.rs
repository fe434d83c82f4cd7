//! The costs of days whose truth is known: how near the regression comes, and how often its intervals hold the truth.

use outgrow::experiment::fit::Windows;
use outgrow::kernel::random::{Seed, Stream, unit_open};

/// Standard normal numbers by Box and Muller.
struct Noise(Stream);

impl Noise {
    fn next(&mut self) -> f64 {
        let (u, v) = (unit_open(&mut self.0), unit_open(&mut self.0));
        (-2.0 * libm::log(u)).sqrt() * libm::cos(std::f64::consts::TAU * v)
    }

    /// A Poisson number, by the normal law: its mean is large here.
    fn count(&mut self, mean: f64) -> f64 {
        (mean + mean.sqrt() * self.next()).round().max(0.0)
    }
}

/// A day of minutes: classes of 5, 12 and 40 ms, exponential, at 100, 40 and 8/s with a daily swing of 60 %, on 8 cores with a
/// base load of 0.4 cores, the busy share measured with noise of half a point and rounded to a tenth.
fn day(seed: u64, mix_moves: bool, late: usize) -> Windows {
    let mut noise = Noise(Seed::new(seed).stream("test", "day"));
    // Swings of one period would span two dimensions and the constant, whatever their phases.
    let swing =
        |minute: f64, times: f64| 1.0 + 0.6 * libm::sin(std::f64::consts::TAU * minute * times / 1440.0);
    let mut windows = Windows::default();
    for minute in 0..1440 {
        let mut busy = 0.4;
        let mut work = Vec::new();
        for (class, (rate, cost)) in [(100.0, 0.005), (40.0, 0.012), (8.0, 0.04)].into_iter().enumerate() {
            let times = if mix_moves { 1.0 + class as f64 } else { 1.0 };
            let count = noise.count(60.0 * rate * swing(f64::from(minute), times));
            busy += (count * cost + cost * count.sqrt() * noise.next()) / 60.0;
            work.push(count / 60.0);
        }
        let share = (100.0 * busy / 8.0 + 0.5 * noise.next()).max(0.0);
        windows.work.push(work);
        windows.busy.push(Some((share * 10.0).round() / 10.0 * 8.0 / 100.0));
    }
    for _ in 0..late {
        windows.busy.insert(0, None);
    }
    windows
}

const TRUE: [f64; 3] = [0.005, 0.012, 0.04];

#[test]
fn costs_are_recovered_where_the_mix_moves() {
    let found = day(1, true, 0).regress(1).unwrap();
    for (cost, truth) in found.costs.iter().zip(TRUE) {
        assert!((cost.value / truth - 1.0).abs() < 0.05, "{cost:?}, not {truth}");
        assert!((cost.high - cost.low) / truth < 0.1, "{cost:?}");
    }
    assert!(found.base.is_some_and(|base| (base.value - 0.4).abs() < 0.02), "{:?}", found.base);
    assert!(found.condition < 15.0 && found.explained > 0.95, "{found:?}");
    assert_eq!((found.lag, found.windows), (0, 1440));
}

#[test]
fn a_mix_that_never_moves_is_told_by_its_condition_and_width() {
    let found = day(1, false, 0).regress(1).unwrap();
    assert!(found.condition > 50.0, "{}", found.condition);
    for cost in &found.costs {
        assert!((cost.high - cost.low) / cost.value > 0.2, "{cost:?}");
    }
}

#[test]
fn clocks_that_differ_are_found() {
    let found = day(1, true, 3).regress(1).unwrap();
    assert_eq!(found.lag, 3);
    assert!((found.costs[2].value / 0.04 - 1.0).abs() < 0.05, "{found:?}");
}

/// Of 20 days, and with `STUDY=1` of 200, as many intervals hold the truth as 95 % intervals do: of 20 at least 16, which is
/// three standard deviations less than 19; of 200 between 184 and 196, which is 92 to 98 %.
#[test]
fn intervals_hold_the_truth_as_often_as_they_promise() {
    let (days, promised) = if std::env::var_os("STUDY").is_some() { (200, 184..=196) } else { (20, 16..=20) };
    for mix_moves in [true, false] {
        let mut held = [0_u32; 4];
        for seed in 1..=days {
            let found = day(seed, mix_moves, 0).regress(seed).unwrap();
            let all = found.costs.iter().chain(&found.base).zip(TRUE.into_iter().chain([0.4]));
            for (held, (cost, truth)) in held.iter_mut().zip(all) {
                *held += u32::from(cost.low <= truth && truth <= cost.high);
            }
        }
        println!("mix moves: {mix_moves}: {held:?} of {days}");
        assert!(held.iter().all(|held| promised.contains(held)), "{held:?} of {days}");
    }
}
