//! Several stations in steady state: closed systems with thinking users, and open ones with routing.

use crate::theory::queues::{Steady, mmc};

/// A station of a closed system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClosedStation {
    /// Work of each request at the station, over all its visits, in core seconds.
    pub demand: f64,
    /// Number of cores. Each serves one request at a time; under processor sharing the requests share them equally.
    pub cores: u32,
}

/// A closed system in steady state.
#[derive(Clone, Debug, PartialEq)]
pub struct Closed {
    /// Answers a second.
    pub throughput: f64,
    /// Mean time from asking to the answer, in seconds.
    pub response: f64,
    /// Mean number at each station, waiting or in service.
    pub inside: Vec<f64>,
    /// Mean time at each station over all visits of a request, in seconds.
    pub time_at: Vec<f64>,
    /// Busy share of each core of each station.
    pub utilisation: Vec<f64>,
}

/// The exact means of a closed system of `users` users, who think for `think` seconds on average, ask, and wait for
/// the answer.
///
/// Valid for product-form systems (Baskett, Chandy, Muntz and Palacios 1975): any distribution of thinking, and
/// exponential service first come first served or any service under processor sharing. The results are those of exact
/// mean value analysis (Reiser and Lavenberg 1980), but computed by convolution (Buzen 1973): all terms are positive,
/// so that nothing cancels with many cores near saturation, as it does in mean value analysis. Takes users² ·
/// stations steps.
///
/// # Panics
/// When there are no users or stations, a demand is not positive, or a station has no cores.
#[must_use]
pub fn closed(users: u32, think: f64, stations: &[ClosedStation]) -> Closed {
    assert!(users > 0 && !stations.is_empty(), "a closed system has users and stations");
    assert!(stations.iter().all(|s| s.demand > 0.0 && s.cores > 0), "a station has work and cores");
    // In units of the bottleneck's time the constants never fall with the population, so that they cannot underflow.
    let unit = stations.iter().map(|s| s.demand / f64::from(s.cores)).fold(0.0, f64::max);
    let factors: Vec<Vec<f64>> =
        stations.iter().map(|station| station_factor(users, station.demand / unit, station.cores)).collect();
    let thinkers = station_factor(users, think / unit, users);
    // `without_rest[k]` has the constants of the thinkers and the stations before k, `rest` those of the later
    // stations alone.
    let mut without_rest = vec![thinkers];
    for factor in &factors {
        without_rest.push(convolve(&without_rest[without_rest.len() - 1], factor));
    }
    let mut rest = station_factor(users, 0.0, 1);
    let mut inside = vec![0.0; stations.len()];
    for (index, factor) in factors.iter().enumerate().rev() {
        inside[index] = mean_inside(factor, &convolve(&without_rest[index], &rest));
        rest = convolve(&rest, factor);
    }
    let throughput = throughput(&without_rest[stations.len()], users) / unit;
    Closed {
        throughput,
        response: f64::from(users) / throughput - think,
        time_at: inside.iter().map(|inside| inside / throughput).collect(),
        inside,
        utilisation: stations.iter().map(|s| throughput * s.demand / f64::from(s.cores)).collect(),
    }
}

/// Weights of n = 0 to `users` requests at a station, demand^n / (1 · 2 · ... min(n, cores)), divided by the greatest
/// of them.
fn station_factor(users: u32, demand: f64, cores: u32) -> Vec<f64> {
    let mut logs = vec![0.0];
    for n in 1..=users {
        logs.push(logs[n as usize - 1] + libm::log(demand / f64::from(n.min(cores))));
    }
    let peak = logs.iter().copied().fold(f64::MIN, f64::max);
    logs.iter().map(|log| libm::exp(log - peak)).collect()
}

/// The weights of two stations together, divided by the greatest of them.
fn convolve(a: &[f64], b: &[f64]) -> Vec<f64> {
    let sums: Vec<f64> =
        (0..a.len()).map(|n| (0..=n).map(|inside| a[inside] * b[n - inside]).sum()).collect();
    let peak = sums.iter().copied().fold(0.0, f64::max);
    sums.iter().map(|sum| sum / peak).collect()
}

/// X(N) = G(N - 1) / G(N), in requests a unit of time.
fn throughput(constants: &[f64], users: u32) -> f64 {
    constants[users as usize - 1] / constants[users as usize]
}

/// The mean number at a station with the weights `factor`, when the rest of the system has the weights `others`.
fn mean_inside(factor: &[f64], others: &[f64]) -> f64 {
    let (mut total, mut weighted) = (0.0, 0.0);
    for (inside, (here, there)) in factor.iter().zip(others.iter().rev()).enumerate() {
        total += here * there;
        weighted += inside as f64 * here * there;
    }
    weighted / total
}

/// A station of an open system.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OpenStation {
    /// Poisson arrivals from outside, a second.
    pub arrivals: f64,
    /// Mean service time of a visit, in seconds on one core.
    pub service: f64,
    /// Number of cores, behind one queue.
    pub cores: u32,
}

/// An open system in steady state.
#[derive(Clone, Debug, PartialEq)]
pub struct Open {
    /// Visits a second at each station.
    pub visit_rates: Vec<f64>,
    /// Means of each station; its times are those of one visit. `None` for a station without visits.
    pub stations: Vec<Option<Steady>>,
    /// Mean time in the whole system, over all visits of a request, in seconds.
    pub response: f64,
}

/// Jackson's open network (1957): after a visit to i a request goes to j with probability `routing[i][j]`, or else
/// leaves. Each station then behaves like an M/M/c of its own. `None` when a station is overloaded or requests never
/// leave.
///
/// Valid for Poisson arrivals and exponential service, first come first served (or any law under processor sharing on
/// one core). Tandems and splits are special cases.
///
/// # Panics
/// When `routing` is not square or nothing arrives.
#[must_use]
pub fn open(stations: &[OpenStation], routing: &[Vec<f64>]) -> Option<Open> {
    let arrivals: Vec<f64> = stations.iter().map(|station| station.arrivals).collect();
    let total: f64 = arrivals.iter().sum();
    assert!(total > 0.0, "an open system has arrivals");
    let visit_rates = traffic(&arrivals, routing)?;
    let mut steady = Vec::with_capacity(stations.len());
    for (station, &rate) in stations.iter().zip(&visit_rates) {
        let visited = rate > 0.0;
        steady.push(if visited { Some(mmc(rate, station.service, station.cores)?) } else { None });
    }
    let inside: f64 = steady.iter().flatten().map(|station| station.inside).sum();
    Some(Open { visit_rates, stations: steady, response: inside / total })
}

/// Solves the traffic equations, rate_j = arrivals_j + sum over i of rate_i routing_ij, by elimination. Returns
/// `None` if requests go round for ever.
fn traffic(arrivals: &[f64], routing: &[Vec<f64>]) -> Option<Vec<f64>> {
    /// Least pivot. A smaller one is a rounding error: a loop that a request leaves less than once in 10^12 visits.
    const PIVOT_MIN: f64 = 1e-12;
    let count = arrivals.len();
    assert!(routing.len() == count && routing.iter().all(|row| row.len() == count), "routing is square");
    let mut rows: Vec<Vec<f64>> = (0..count)
        .map(|j| {
            let mut row: Vec<f64> = (0..count).map(|i| f64::from(u8::from(i == j)) - routing[i][j]).collect();
            row.push(arrivals[j]);
            row
        })
        .collect();
    // The matrix is an M-matrix: its pivots are positive in any order unless it is singular.
    for pivot in 0..count {
        if rows[pivot][pivot] < PIVOT_MIN {
            return None;
        }
        let pivot_row = rows[pivot].clone();
        for (index, row) in rows.iter_mut().enumerate() {
            let factor = row[pivot] / pivot_row[pivot];
            if index != pivot && factor != 0.0 {
                row.iter_mut().zip(&pivot_row).for_each(|(value, above)| *value -= factor * above);
            }
        }
    }
    Some(rows.iter().enumerate().map(|(index, row)| row[count] / row[index]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theory::close::assert_close;

    fn one_core(demand: f64) -> ClosedStation {
        ClosedStation { demand, cores: 1 }
    }

    #[test]
    fn closed_mva_3station_n50() {
        let system = closed(50, 2.0, &[one_core(0.01), one_core(0.03), one_core(0.045)]);
        assert_close(system.throughput, 20.70836408993026);
        assert_close(system.response, 0.4144833354708699);
        assert_close(system.time_at[0], 0.012566531040498832);
        assert_close(system.time_at[1], 0.07560777595460068);
        assert_close(system.time_at[2], 0.3263090284757704);
        assert_close(system.inside[2], 6.757326167507675);
        assert_close(system.utilisation[2], 0.9318763840468617);
    }

    #[test]
    fn closed_repairman_n20_c1() {
        let system = closed(20, 1.0, &[one_core(0.05)]);
        assert_close(system.throughput, 16.822160769160572);
        assert_close(system.response, 0.18890790989616768);
        assert_close(system.inside[0], 3.177839230839432);
        assert_close(system.utilisation[0], 0.8411080384580286);
    }

    #[test]
    fn several_cores_agree_with_the_finite_source_chain() {
        let (users, think, demand, cores) = (30, 1.0, 0.2, 4);
        let system = closed(users, think, &[ClosedStation { demand, cores }]);
        // The Markov chain of n waiting or in service: up at rate (N - n) / Z, down at rate min(n, c) / D.
        let mut states = vec![1.0];
        for n in 1..=users {
            let ratio = f64::from(users - n + 1) / think * demand / f64::from(n.min(cores));
            states.push(states[n as usize - 1] * ratio);
        }
        let total: f64 = states.iter().sum();
        let inside: f64 = states.iter().enumerate().map(|(n, p)| n as f64 * p / total).sum();
        assert_close(system.inside[0], inside);
        assert_close(system.throughput, (f64::from(users) - inside) / think);
    }

    #[test]
    fn many_users_and_cores_near_saturation_stay_finite() {
        let stations = [ClosedStation { demand: 0.2, cores: 64 }, one_core(0.003)];
        let system = closed(800, 2.0, &stations);
        let thinking = system.throughput * 2.0;
        assert_close(system.inside.iter().sum::<f64>() + thinking, 800.0);
        assert!(system.throughput < 320.0 && system.throughput > 315.0);
        assert_close(closed(1, 1e6, &[one_core(0.5)]).response, 0.5);
        assert_close(closed(5, 0.0, &[one_core(0.5)]).throughput, 2.0);
    }

    fn station(arrivals: f64, service_rate: f64, cores: u32) -> OpenStation {
        OpenStation { arrivals, service: 1.0 / service_rate, cores }
    }

    #[test]
    fn jackson_tandem2() {
        let system =
            open(&[station(60.0, 100.0, 1), station(0.0, 120.0, 1)], &[vec![0.0, 1.0], vec![0.0, 0.0]])
                .unwrap();
        assert_close(system.response, 0.04166666666666667);
        assert_close(system.stations[0].unwrap().inside, 1.5);
        assert_close(system.stations[1].unwrap().inside, 1.0);
    }

    #[test]
    fn jackson_3tier_feedback() {
        let stations = [station(70.0, 1000.0, 1), station(0.0, 60.0, 3), station(0.0, 120.0, 1)];
        let routing = [vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 0.4], vec![0.0, 1.0, 0.0]];
        let system = open(&stations, &routing).unwrap();
        assert_close(system.visit_rates[1], 116.66666666666667);
        assert_close(system.visit_rates[2], 46.66666666666667);
        assert_close(system.stations[0].unwrap().inside, 0.07526881720430108);
        assert_close(system.stations[1].unwrap().inside, 2.7157210128502833);
        assert_close(system.stations[2].unwrap().utilisation, 0.38888888888888895);
        assert_close(system.response, 0.04896219237740315);
    }

    #[test]
    fn chapter1_web2_db_master_slaves() {
        // Two web servers of four cores, three slaves for 80 % of the requests, one master.
        let mut stations = vec![station(150.0, 50.0, 4); 2];
        stations.extend([station(0.0, 100.0, 1); 3]);
        stations.push(station(0.0, 80.0, 1));
        let mut routing = vec![vec![0.0; 6]; 6];
        for web in &mut routing[..2] {
            *web = vec![0.0, 0.0, 0.8 / 3.0, 0.8 / 3.0, 0.8 / 3.0, 0.2];
        }
        let system = open(&stations, &routing).unwrap();
        assert_close(system.stations[4].unwrap().utilisation, 0.8);
        assert_close(system.response, 0.08018867924528303);
    }

    #[test]
    fn overload_endless_loops_and_unvisited_stations() {
        assert!(open(&[station(100.0, 100.0, 1)], &[vec![0.0]]).is_none());
        assert!(open(&[station(1.0, 100.0, 1)], &[vec![1.0]]).is_none());
        let idle = open(&[station(50.0, 100.0, 1), station(0.0, 1.0, 1)], &vec![vec![0.0; 2]; 2]).unwrap();
        assert!(idle.stations[1].is_none());
        assert_close(idle.response, 0.02);
    }
}
