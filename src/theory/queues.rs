//! One station in steady state: waits, response times and losses.
//!
//! Symbols: `rate` is the arrival rate lambda (requests a second), `service` the mean service time S (seconds on one
//! core), `cores` their number c, `scv` a squared coefficient of variation (variance over squared mean). Utilisation
//! is rate · service / cores. A formula that needs a steady state returns `None` if the utilisation is 1 or more.
//!
//! Sources, unless a formula names its own: L. Kleinrock, Queueing Systems 1 (1975) and 2 (1976); D. Gross, J. Shortle,
//! J. Thompson, C. Harris, Fundamentals of Queueing Theory.

/// Means of a station in steady state. The two lengths follow from the two times by Little's law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steady {
    /// Busy share of each core, 0 to 1.
    pub utilisation: f64,
    /// Share of the requests that wait.
    pub prob_wait: f64,
    /// Mean wait of all requests, including those that do not wait, in seconds.
    pub wait: f64,
    /// Mean wait and service together, in seconds.
    pub response: f64,
    /// Mean number that wait.
    pub waiting: f64,
    /// Mean number that wait or are in service.
    pub inside: f64,
}

impl Steady {
    fn new(rate: f64, service: f64, cores: u32, prob_wait: f64, wait: f64) -> Steady {
        let response = wait + service;
        Steady {
            utilisation: utilisation(rate, service, cores),
            prob_wait,
            wait,
            response,
            waiting: rate * wait,
            inside: rate * response,
        }
    }
}

/// Means of a station that rejects requests when it is full. The times are those of accepted requests.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded {
    /// Share of the requests that are rejected.
    pub prob_block: f64,
    /// Accepted requests a second.
    pub throughput: f64,
    /// The station as the accepted requests see it.
    pub accepted: Steady,
}

fn utilisation(rate: f64, service: f64, cores: u32) -> f64 {
    assert!(rate > 0.0 && service > 0.0 && cores > 0, "a station has arrivals, work and cores");
    rate * service / f64::from(cores)
}

fn is_stable(rate: f64, service: f64, cores: u32) -> bool {
    utilisation(rate, service, cores) < 1.0
}

fn assert_quantile(q: f64) {
    assert!((0.0..1.0).contains(&q), "a quantile of a time without bound lies in 0 to below 1");
}

/// The quantile `q` of an exponential time of that mean: -mean ln(1 - q). Response times of M/M/1 and GI/M/1, first come
/// first served, are exponential.
///
/// # Panics
/// When `q` lies outside 0 to below 1.
#[must_use]
pub fn exponential_quantile(mean: f64, q: f64) -> f64 {
    assert_quantile(q);
    -mean * libm::log1p(-q)
}

/// M/M/1: Poisson arrivals, exponential service, one core. The means hold for first come first served, processor
/// sharing and every other order that does not depend on sizes.
///
/// # Panics
/// When an argument is not positive, here and below.
#[must_use]
pub fn mm1(rate: f64, service: f64) -> Option<Steady> {
    mmc(rate, service, 1)
}

/// The quantile `q` of the response time of M/M/1, first come first served, in seconds.
#[must_use]
pub fn mm1_response_quantile(rate: f64, service: f64, q: f64) -> Option<f64> {
    mm1(rate, service).map(|station| exponential_quantile(station.response, q))
}

/// Erlang B: the share of Poisson arrivals that find all `slots` taken, when no arrival waits. `offered` is rate ·
/// service; the service may have any distribution with that mean. B(0) = 1, B(c) = a B(c-1) / (c + a B(c-1)). Holds
/// in overload too.
#[must_use]
pub fn erlang_b(offered: f64, slots: u32) -> f64 {
    (1..=slots).fold(1.0, |blocked, slot| offered * blocked / (f64::from(slot) + offered * blocked))
}

/// Erlang C: the share of Poisson arrivals that wait at `cores` exponential cores without bound on the queue;
/// C = B / (1 - u (1 - B)) with utilisation u.
#[must_use]
pub fn erlang_c(offered: f64, cores: u32) -> Option<f64> {
    is_stable(offered, 1.0, cores).then(|| {
        let blocked = erlang_b(offered, cores);
        blocked / (1.0 - offered / f64::from(cores) * (1.0 - blocked))
    })
}

/// M/M/c: one queue before c cores; wait = C / (c/S - rate). The means also hold for processor sharing in which each
/// of n requests gets min(1, c/n) of a core, because the number inside is the same Markov chain.
#[must_use]
pub fn mmc(rate: f64, service: f64, cores: u32) -> Option<Steady> {
    let prob_wait = erlang_c(rate * service, cores)?;
    let wait = prob_wait / (f64::from(cores) / service - rate);
    Some(Steady::new(rate, service, cores, prob_wait, wait))
}

/// The quantile `q` of the wait in M/M/c, first come first served, in seconds: P(W > t) = C exp(-(c/S - rate) t). So
/// it is 0 for `q` up to 1 - C, the share that does not wait.
///
/// # Panics
/// When `q` lies outside 0 to below 1.
#[must_use]
pub fn mmc_wait_quantile(rate: f64, service: f64, cores: u32, q: f64) -> Option<f64> {
    assert_quantile(q);
    let prob_wait = erlang_c(rate * service, cores)?;
    let spare_rate = f64::from(cores) / service - rate;
    Some((libm::log(prob_wait / (1.0 - q)) / spare_rate).max(0.0))
}

/// M/M/c/K: at most `capacity` requests are inside, waiting or in service; the others are rejected. Holds in overload
/// too. With `capacity` = `cores` this is Erlang B.
///
/// # Panics
/// When `capacity` is less than `cores`.
#[must_use]
pub fn mmck(rate: f64, service: f64, cores: u32, capacity: u32) -> Bounded {
    assert!(capacity >= cores && cores > 0, "a station has room for what its cores serve");
    let states = birth_death(rate, service, cores, capacity);
    let prob_block = states[capacity as usize];
    let throughput = rate * (1.0 - prob_block);
    let waiting = (cores..=capacity).map(|n| f64::from(n - cores) * states[n as usize]).sum::<f64>();
    // A Poisson arrival finds each state with its probability over time. Accepted arrivals do not find the full
    // state.
    let all_busy: f64 = states[cores as usize..capacity as usize].iter().sum();
    let prob_wait = all_busy / (1.0 - prob_block);
    let accepted = Steady::new(throughput, service, cores, prob_wait, waiting / throughput);
    Bounded { prob_block, throughput, accepted }
}

/// Probabilities of 0 to `capacity` requests inside an M/M/c/K. The weights are taken relative to the greatest, so
/// that none overflows.
fn birth_death(rate: f64, service: f64, cores: u32, capacity: u32) -> Vec<f64> {
    let offered = rate * service;
    let mut logs = vec![0.0];
    for n in 1..=capacity {
        logs.push(logs[n as usize - 1] + libm::log(offered / f64::from(n.min(cores))));
    }
    let peak = logs.iter().copied().fold(f64::MIN, f64::max);
    let weights: Vec<f64> = logs.iter().map(|log| libm::exp(log - peak)).collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// M/G/1 by Pollaczek and Khinchine: Poisson arrivals, any service of squared coefficient of variation `scv`, one core,
/// first come first served; wait = u S (1 + scv) / (2 (1 - u)).
#[must_use]
pub fn mg1(rate: f64, service: f64, scv: f64) -> Option<Steady> {
    let busy = utilisation(rate, service, 1);
    let wait = busy * service * (1.0 + scv) / (2.0 * (1.0 - busy));
    is_stable(rate, service, 1).then(|| Steady::new(rate, service, 1, busy, wait))
}

/// M/D/1: constant service, half the wait of M/M/1.
#[must_use]
pub fn md1(rate: f64, service: f64) -> Option<Steady> {
    mg1(rate, service, 0.0)
}

/// GI/M/1 with Erlang-`stages` gaps between arrivals: what each of `stages` backends sees behind a round robin of
/// Poisson arrivals. `rate` is the station's own. An arrival finds the core busy with probability sigma, the root in
/// 0 to 1 of sigma = (k r / (k r + (1 - sigma) / S))^k; wait = sigma S / (1 - sigma), and the response time is
/// exponential.
#[must_use]
pub fn erlang_m1(rate: f64, service: f64, stages: u32) -> Option<Steady> {
    assert!(stages > 0, "an Erlang law has a stage");
    if !is_stable(rate, service, 1) {
        return None;
    }
    let stages = f64::from(stages);
    let transform = |sigma: f64| {
        let stage_rate = stages * rate;
        libm::pow(stage_rate / (stage_rate + (1.0 - sigma) / service), stages)
    };
    // The transform is convex and meets the diagonal at the root and at 1, so it lies below the diagonal in between.
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if transform(middle) > middle { low = middle } else { high = middle }
    }
    let sigma = f64::midpoint(low, high);
    Some(Steady::new(rate, service, 1, sigma, sigma * service / (1.0 - sigma)))
}

/// M/G/1 under processor sharing: mean response time S / (1 - u), for any distribution of service; a request of size
/// x takes x / (1 - u) on average (Sakata, Noguchi and Oizumi 1971).
#[must_use]
pub fn mg1_ps_response(rate: f64, service: f64) -> Option<f64> {
    is_stable(rate, service, 1).then(|| service / (1.0 - utilisation(rate, service, 1)))
}

/// **An approximation** of the mean wait of G/G/c, by Allen and Cunneen: that of M/M/c times the mean of the two squared
/// coefficients of variation, of the gaps between arrivals and of service. For one core it is Kingman's. Exact for
/// M/M/c and M/G/1; 3 % high for E2/H2/1 at utilisation 0.7 and 8 % for E2/M/4 at 0.85; worse at low utilisation, and
/// meaningless for gaps that are correlated.
#[must_use]
pub fn approximate_wait(rate: f64, service: f64, cores: u32, gap_scv: f64, service_scv: f64) -> Option<f64> {
    mmc(rate, service, cores).map(|station| station.wait * (gap_scv + service_scv) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close::assert_close;

    fn assert_steady(station: Steady, [utilisation, prob_wait, wait, response, waiting, inside]: [f64; 6]) {
        assert_close(station.utilisation, utilisation);
        assert_close(station.prob_wait, prob_wait);
        assert_close(station.wait, wait);
        assert_close(station.response, response);
        assert_close(station.waiting, waiting);
        assert_close(station.inside, inside);
    }

    #[test]
    fn mm1_rho50_and_mm1_rho80() {
        assert_steady(mm1(50.0, 0.01).unwrap(), [0.5, 0.5, 0.01, 0.02, 0.5, 1.0]);
        assert_steady(mm1(80.0, 0.01).unwrap(), [0.8, 0.8, 0.04, 0.05, 3.2, 4.0]);
        assert_close(mm1_response_quantile(50.0, 0.01, 0.5).unwrap(), 0.013862943611198907);
        assert_close(mm1_response_quantile(80.0, 0.01, 0.95).unwrap(), 0.1497866136776995);
        assert_close(mm1_response_quantile(80.0, 0.01, 0.99).unwrap(), 0.23025850929940456);
        assert_close(mmc_wait_quantile(80.0, 0.01, 1, 0.99).unwrap(), 0.219101331733694);
    }

    #[test]
    fn mmc_c2_rho50_and_mmc_c4_rho80() {
        let third = 1.0 / 3.0;
        assert_steady(
            mmc(100.0, 0.01, 2).unwrap(),
            [0.5, third, 0.0033333333333333335, 0.013333333333333334, third, 4.0 * third],
        );
        assert_steady(
            mmc(320.0, 0.01, 4).unwrap(),
            [
                0.8,
                0.5964324717874046,
                0.007455405897342557,
                0.017455405897342558,
                2.385729887149618,
                5.585729887149618,
            ],
        );
        assert_close(mmc_wait_quantile(320.0, 0.01, 4, 0.95).unwrap(), 0.030986787778798812);
        assert_close(mmc_wait_quantile(100.0, 0.01, 2, 0.99).unwrap(), 0.03506557897319981);
        assert_eq!(mmc_wait_quantile(320.0, 0.01, 4, 0.4), Some(0.0));
    }

    #[test]
    fn mmck_c1_k10_and_mmck_c4_k12() {
        let one = mmck(90.0, 0.01, 1, 10);
        assert_close(one.prob_block, 0.050813731327412244);
        assert_close(one.throughput, 85.4267641805329);
        assert_steady(
            one.accepted,
            [
                0.854267641805329,
                0.8464660067212368,
                0.036466006721236996,
                0.046466006721237,
                3.1151729567808406,
                3.9694405985861696,
            ],
        );
        let four = mmck(500.0, 0.01, 4, 12);
        assert_close(four.prob_block, 0.2182303321116134);
        assert_close(four.throughput, 390.88483394419325);
        assert_steady(
            four.accepted,
            [
                0.9772120848604832,
                0.929262750274219,
                0.013039303865336487,
                0.023039303865336484,
                5.09686612614993,
                9.005714465591861,
            ],
        );
    }

    #[test]
    fn erlangb_c10_a8() {
        assert_close(erlang_b(8.0, 10), 0.1216610642529515);
        let slots = mmck(80.0, 0.1, 10, 10);
        assert_close(slots.prob_block, 0.1216610642529515);
        assert_close(slots.throughput, 70.26711485976388);
        assert_eq!((slots.accepted.prob_wait, slots.accepted.wait), (0.0, 0.0));
        // Thousands of slots neither overflow nor lose digits.
        assert_close(mmck(5000.0, 1.0, 5000, 5000).prob_block, erlang_b(5000.0, 5000));
    }

    #[test]
    fn md1_and_mg1() {
        assert_steady(md1(80.0, 0.01).unwrap(), [0.8, 0.8, 0.02, 0.03, 1.6, 2.4]);
        // mg1-lognormal-scv1-rho70, mg1-h2-scv4-rho80, mg1-erlang2-rho80.
        assert_close(mg1(70.0, 0.01, 1.0).unwrap().wait, 0.02333333333333338);
        assert_steady(mg1(80.0, 0.01, 4.0).unwrap(), [0.8, 0.8, 0.1, 0.11, 8.0, 8.8]);
        assert_steady(mg1(80.0, 0.01, 0.5).unwrap(), [0.8, 0.8, 0.03, 0.04, 2.4, 3.2]);
    }

    #[test]
    fn gim1_e2_and_gim1_e4() {
        let sigma = 0.7398529491264549;
        assert_steady(
            erlang_m1(80.0, 0.01, 2).unwrap(),
            [0.8, sigma, 0.02843979766989902, 0.03843979766989902, 2.2751838135919216, 3.075183813591922],
        );
        let four = erlang_m1(80.0, 0.01, 4).unwrap();
        assert_close(four.prob_wait, 0.6939447217517702);
        assert_close(four.response, 0.032673836103193694);
        // lb-rr-n4-rho80: round robin over four backends.
        assert_close(exponential_quantile(four.response, 0.99), 0.15046857588428889);
        assert_close(erlang_m1(80.0, 0.01, 1).unwrap().wait, mm1(80.0, 0.01).unwrap().wait);
    }

    #[test]
    fn processor_sharing() {
        // mmc-ps-c1-rho70 and mg1-ps-lognormal-rho80; mmc-ps-c4-rho80 has the means of mmc-c4-rho80.
        assert_close(mg1_ps_response(70.0, 0.01).unwrap(), 0.03333333333333333);
        assert_close(mg1_ps_response(80.0, 0.01).unwrap(), 0.05);
    }

    #[test]
    fn gg1_e2_h2_rho70_by_the_approximation() {
        let approximation = approximate_wait(70.0, 0.01, 1, 0.5, 4.0).unwrap();
        assert_close(approximation, 0.0525);
        assert!((approximation / 0.05080802891993274 - 1.0).abs() < 0.04, "the exact value is near");
        // gimc-e2-c4-rho85.
        let four = approximate_wait(340.0, 0.01, 4, 0.5, 1.0).unwrap();
        assert!((four / 0.007983344812707795 - 1.0).abs() < 0.09);
    }

    #[test]
    fn overload_has_no_steady_state() {
        assert!(mm1(100.0, 0.01).is_none() && mmc(401.0, 0.01, 4).is_none());
        assert!(mg1(100.0, 0.01, 0.0).is_none() && erlang_m1(100.0, 0.01, 2).is_none());
        assert!(mg1_ps_response(100.0, 0.01).is_none() && mmc_wait_quantile(100.0, 0.01, 1, 0.5).is_none());
        assert!(approximate_wait(100.0, 0.01, 1, 1.0, 1.0).is_none());
        assert_eq!(mmck(1e9, 1.0, 2, 5).prob_block.round(), 1.0);
    }
}
