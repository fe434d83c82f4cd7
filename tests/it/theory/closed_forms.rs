//! The closed forms of `outgrow::theory` against the same cases.

use outgrow::theory::availability::{availability, k_of_n};
use outgrow::theory::cache::{lru_hit_ratio, zipf};
use outgrow::theory::laws::Scalability;
use outgrow::theory::networks::{ClosedStation, OpenStation, closed, open};
use outgrow::theory::queues::{
    Steady, approximate_wait, erlang_b, erlang_m1, exponential_quantile, md1, mg1, mg1_ps_response, mm1,
    mm1_response_quantile, mmc, mmc_wait_quantile, mmck,
};

use super::expected::expected;

/// Relative precision of the expected values.
const TOLERANCE: f64 = 1e-4;

fn check(id: &str, values: &[(&str, f64)]) {
    let expected = expected(id);
    for (key, value) in values {
        let exact = expected.get(*key).unwrap_or_else(|| panic!("{id} has no {key}"));
        assert!((value - exact).abs() <= TOLERANCE * exact.abs(), "{id}: {key} is {exact}, not {value}");
    }
}

fn check_steady(id: &str, steady: Option<Steady>) {
    let steady = steady.expect("the case is stable");
    check(
        id,
        &[
            ("utilization", steady.utilisation),
            ("mean_sojourn", steady.response),
            ("mean_in_queue", steady.waiting),
            ("mean_in_system", steady.inside),
            ("mean_wait", steady.wait),
            ("prob_wait", steady.prob_wait),
        ],
    );
}

#[test]
fn single_stations() {
    check_steady("mm1-rho50", mm1(50.0, 0.01));
    check_steady("mm1-rho80", mm1(80.0, 0.01));
    let quantile = |q| mm1_response_quantile(80.0, 0.01, q).expect("stable");
    let wait = |q| mmc_wait_quantile(320.0, 0.01, 4, q).expect("stable");
    check("mm1-rho80", &[("p95_sojourn", quantile(0.95)), ("p99_sojourn", quantile(0.99))]);
    check_steady("mmc-c2-rho50", mmc(100.0, 0.01, 2));
    check_steady("mmc-c4-rho80", mmc(320.0, 0.01, 4));
    check("mmc-c4-rho80", &[("p95_wait", wait(0.95)), ("p99_wait", wait(0.99))]);
    check_steady("md1-rho80", md1(80.0, 0.01));
    check_steady("mg1-lognormal-scv1-rho70", mg1(70.0, 0.01, 1.0));
    check_steady("mg1-h2-scv4-rho80", mg1(80.0, 0.01, 4.0));
    check_steady("mg1-erlang2-rho80", mg1(80.0, 0.01, 0.5));
    check_steady("gim1-e2-rho80", erlang_m1(80.0, 0.01, 2));
    check_steady("gim1-e4-rho80", erlang_m1(80.0, 0.01, 4));
    let p99 = exponential_quantile(erlang_m1(80.0, 0.01, 4).expect("stable").response, 0.99);
    check("lb-rr-n4-rho80", &[("p99_sojourn", p99)]);
    let kingman = approximate_wait(70.0, 0.01, 1, 0.5, 4.0).expect("stable");
    check("gg1-e2-h2-rho70", &[("approx_kingman_vut_wait", kingman)]);
    let shared = mg1_ps_response(80.0, 0.01).expect("stable");
    check("mg1-ps-lognormal-rho80", &[("mean_sojourn", shared)]);
}

#[test]
fn stations_that_reject() {
    check("erlangb-c10-a8", &[("prob_block", erlang_b(8.0, 10))]);
    for (id, bounded) in
        [("mmck-c1-K10-lam90", mmck(90.0, 0.01, 1, 10)), ("mmck-c4-K12-lam500", mmck(500.0, 0.01, 4, 12))]
    {
        let values = [
            ("prob_block", bounded.prob_block),
            ("throughput", bounded.throughput),
            ("utilization", bounded.accepted.utilisation),
            ("mean_sojourn", bounded.accepted.response),
            ("mean_wait", bounded.accepted.wait),
            ("mean_in_system", bounded.accepted.inside),
            ("mean_in_queue", bounded.accepted.waiting),
        ];
        check(id, &values);
    }
}

#[test]
fn networks_closed_and_open() {
    let repairman = closed(20, 1.0, &[ClosedStation { demand: 0.05, cores: 1 }]);
    check(
        "closed-repairman-n20-c1",
        &[
            ("throughput", repairman.throughput),
            ("mean_response", repairman.response),
            ("utilization", repairman.utilisation[0]),
            ("mean_in_system", repairman.inside[0]),
        ],
    );
    let chain = closed(50, 2.0, &[0.01, 0.03, 0.045].map(|demand| ClosedStation { demand, cores: 1 }));
    check(
        "closed-mva-3station-n50",
        &[
            ("throughput", chain.throughput),
            ("mean_response", chain.response),
            ("mean_response_db", chain.time_at[2]),
            ("utilization_db", chain.utilisation[2]),
            ("mean_in_db", chain.inside[2]),
        ],
    );
    let station = |arrivals, rate: f64, cores| OpenStation { arrivals, service: 1.0 / rate, cores };
    let stations = [station(70.0, 1000.0, 1), station(0.0, 60.0, 3), station(0.0, 120.0, 1)];
    let routing = [vec![0.0, 1.0, 0.0], vec![0.0, 0.0, 0.4], vec![0.0, 1.0, 0.0]];
    let jackson = open(&stations, &routing).expect("the case is stable");
    let inside = |index: usize| jackson.stations[index].expect("it is visited").inside;
    check(
        "jackson-3tier-feedback",
        &[
            ("throughput_app", jackson.visit_rates[1]),
            ("throughput_db", jackson.visit_rates[2]),
            ("mean_in_lb", inside(0)),
            ("mean_in_app", inside(1)),
            ("mean_in_db", inside(2)),
            ("mean_sojourn", jackson.response),
        ],
    );
    let tandem = [station(60.0, 100.0, 1), station(0.0, 120.0, 1)];
    let tandem = open(&tandem, &[vec![0.0, 1.0], vec![0.0, 0.0]]).expect("the case is stable");
    check("jackson-tandem2", &[("mean_sojourn", tandem.response)]);
}

#[test]
fn scalability_caches_and_availability() {
    let law = Scalability { rate: 995.0, contention: 0.02, coherency: 0.0001 };
    let values = [
        ("throughput_n8", law.throughput(8.0)),
        ("throughput_n99", law.throughput(99.0)),
        ("throughput_n256", law.throughput(256.0)),
        ("n_star", law.peak_workers().expect("coherency costs")),
    ];
    check("usl-curve", &values);
    check("cache-lru-zipf-small", &[("hit_ratio_lru_che", lru_hit_ratio(&zipf(40, 0.9), 8))]);
    let exact = expected("cache-lru-zipf-small")["hit_ratio_lru"];
    assert!((lru_hit_ratio(&zipf(40, 0.9), 8) - exact).abs() < 0.001, "the approximation is near the truth");
    check("availability-single-onoff", &[("availability", availability(95.0, 5.0))]);
    let single = availability(1000.0, 8.0);
    let values = [("availability_single", single), ("availability_indep_crews", k_of_n(2, 3, single))];
    check("availability-2of3", &values);
}
