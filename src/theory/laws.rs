//! Laws that hold for any station or system: Little's law, utilisation, bounds of closed systems, universal
//! scalability.

/// Little's law, L = X T: the mean number inside, from throughput (requests a second) and mean time inside (seconds).
/// Holds for any system in steady state (Little 1961).
#[must_use]
pub fn little_inside(throughput: f64, time_inside: f64) -> f64 {
    throughput * time_inside
}

/// The utilisation law, U = X D / c: the busy share of each of `cores`, from throughput (requests a second) and work of
/// each request there (core seconds, over all its visits). Holds for any station, 0 to 1 in steady state.
#[must_use]
pub fn utilisation(throughput: f64, demand: f64, cores: u32) -> f64 {
    throughput * demand / f64::from(cores)
}

/// Asymptotic bounds of a closed system: each user waits for the answer, thinks, and asks again.
///
/// Source: E. Lazowska, J. Zahorjan, G. Graham, K. Sevcik, Quantitative System Performance (1984), chapter 5. They
/// hold for any distribution of work, and for any order of service that does not leave cores idle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClosedBounds {
    /// Throughput is at most this (requests a second): the lesser of N / (Z + D) and the bottleneck's capacity.
    pub throughput_max: f64,
    /// Throughput is at least this (requests a second), N / (Z + N D): at every station all other users come first.
    pub throughput_min: f64,
    /// The mean response time is at least this (seconds).
    pub response_min: f64,
    /// The number of users at which the two upper bounds meet: beyond it users must queue.
    pub saturation_users: f64,
}

/// The bounds for `users` users, who think for `think` seconds on average. A station is (work of each request in core
/// seconds over all visits, number of cores).
///
/// # Panics
/// When there is no work at all or a station has no cores.
#[must_use]
pub fn closed_bounds(users: u32, think: f64, stations: &[(f64, u32)]) -> ClosedBounds {
    assert!(stations.iter().all(|&(_, cores)| cores > 0), "a station has cores");
    let users = f64::from(users);
    let total: f64 = stations.iter().map(|&(demand, _)| demand).sum();
    let bottleneck = stations.iter().map(|&(demand, cores)| demand / f64::from(cores)).fold(0.0, f64::max);
    assert!(bottleneck > 0.0, "a system without work has no bottleneck");
    ClosedBounds {
        throughput_max: (users / (think + total)).min(1.0 / bottleneck),
        throughput_min: users / (think + users * total),
        response_min: total.max(users * bottleneck - think),
        saturation_users: (think + total) / bottleneck,
    }
}

/// The universal scalability law: the throughput of n workers that queue for shared resources and keep their data
/// coherent, X(n) = rate n / (1 + contention (n - 1) + coherency n (n - 1)).
///
/// Source: N. Gunther, Guerrilla Capacity Planning (2007). An empirical law, fitted to measurements. With no coherency
/// it is Amdahl's law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scalability {
    /// Throughput of one worker, requests a second.
    pub rate: f64,
    /// The share of the work that is serial, sigma, 0 to 1.
    pub contention: f64,
    /// The cost of each pair of workers, kappa, 0 or more.
    pub coherency: f64,
}

impl Scalability {
    /// Throughput of `workers`, requests a second.
    #[must_use]
    pub fn throughput(&self, workers: f64) -> f64 {
        let others = workers - 1.0;
        self.rate * workers / (1.0 + self.contention * others + self.coherency * workers * others)
    }

    /// The number of workers, not rounded, at the peak of throughput: sqrt((1 - sigma) / kappa), at least 1. More
    /// workers are slower. `None` without coherency cost, because there is no peak then.
    #[must_use]
    pub fn peak_workers(&self) -> Option<f64> {
        (self.coherency > 0.0).then(|| ((1.0 - self.contention) / self.coherency).max(1.0).sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close::assert_close;

    #[test]
    fn little_and_utilisation_of_mmc_c4_rho80() {
        assert_close(little_inside(320.0, 0.017455405897342558), 5.585729887149618);
        assert_close(utilisation(320.0, 0.01, 4), 0.8);
    }

    #[test]
    fn usl_curve() {
        let law = Scalability { rate: 995.0, contention: 0.02, coherency: 0.0001 };
        assert_close(law.throughput(1.0), 995.0);
        assert_close(law.throughput(2.0), 1950.5979219760832);
        assert_close(law.throughput(32.0), 18520.241973010703);
        assert_close(law.throughput(99.0), 25063.60999440232);
        assert_close(law.throughput(256.0), 20171.04846373139);
        assert_close(law.peak_workers().unwrap(), 98.99494936611666);
        let amdahl = Scalability { coherency: 0.0, ..law };
        assert_eq!(amdahl.peak_workers(), None);
        assert!((amdahl.throughput(1e12) - 49750.0).abs() < 1e-3);
    }

    #[test]
    fn bounds_hold_closed_mva_3station_n50() {
        let bounds = closed_bounds(50, 2.0, &[(0.01, 1), (0.03, 1), (0.045, 1)]);
        assert_close(bounds.throughput_max, 1.0 / 0.045);
        assert_close(bounds.response_min, 0.25);
        assert_close(bounds.saturation_users, 2.085 / 0.045);
        assert!(bounds.throughput_min <= 20.70836408993026 && 20.70836408993026 <= bounds.throughput_max);
        let few = closed_bounds(10, 2.0, &[(0.04, 4), (0.045, 1)]);
        assert_close(few.throughput_max, 10.0 / 2.085);
        assert_close(few.response_min, 0.085);
    }
}
