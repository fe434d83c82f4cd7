//! Quotas of core time, as of containers.

use super::*;

/// Calls of 30 ms, one after the other, in all phases of the periods.
fn alone(keys: &str) -> String {
    one_box(
        "rate = '0.987/s'\narrivals = { dist = 'constant' }\ntimeout = '1h'",
        &format!("{keys}\nsteps = [{{ cpu = '30ms' }}]"),
    )
    .replace("'100s'", "'3000s'")
}

#[test]
fn thirty_milliseconds_of_a_quota_of_thirteen_take_up_to_two_hundred_and_four() {
    // At the beginning of a period 13, 87 of pause, 13, 87, 4 = 204 ms. Begun with p ms left of a period: 204 where p < 4, 117 where
    // p < 13, else p + 104; 158.3 ms on average.
    let quota = "cpu_quota = { quota = '13ms' }";
    check(
        &alone(quota),
        &[("max_ms", 203.5..=204.001), ("mean_ms", 156.5..=160.0), ("box.busy", about(0.0296, 0.01))],
    );
    // Thirteen hundredths of a core are another thing: 231 ms.
    check(&alone("speed = 0.13"), &[("mean_ms", 230.5..=231.0), ("max_ms", 230.5..=231.0)]);
    // What earlier periods have not used.
    check(&alone("cpu_quota = { quota = '15ms', burst = '15ms' }"), &[("max_ms", 29.99..=30.01)]);
}

#[test]
fn a_quota_is_the_most_that_a_machine_does_however_many_cores_it_has() {
    let text = |cores: u32| {
        let server = format!(
            "cores = {cores}\nqueue = 50\ncpu_quota = {{ quota = '60ms', period = '50ms' }}\nsteps = [{{ cpu = '10ms' }}]"
        );
        one_box("rate = '200/s'", &server)
    };
    // 1.2 cores: 120 calls a second.
    for cores in [2, 4] {
        check(&text(cores), &[("throughput", about(120.0, 0.015)), ("box.busy", about(1.2, 0.015))]);
    }
    check(&text(1), &[("throughput", about(100.0, 0.01)), ("box.busy", about(1.0, 0.01))]);
}

#[test]
fn a_crash_a_slow_machine_and_a_pause_do_not_confuse_it() {
    let fault = |kind: &str, at: u32| {
        format!("[[fault]]\nkind = '{kind}'\ntarget = 'box'\nat = '{at}s'\nfor = '10s'\n")
    };
    let server = "workers = 1\nqueue = 20\ncpu_quota = { quota = '50ms' }\nsteps = [{ cpu = '10ms' }]";
    let text = one_box("rate = '100/s'\ntimeout = '1s'", server).replace(NEAR, FROM_START)
        + &fault("crash", 20)
        + &fault("slow", 40)
        + "factor = 2\n"
        + &fault("pause", 60);
    // Half a core does 50/s, and at half the speed 25/s.
    check(
        &text,
        &[
            ("throughput@1..20", about(50.0, 0.06)),
            ("throughput@31..40", about(50.0, 0.06)),
            ("throughput@42..50", about(25.0, 0.15)),
            ("throughput@72..100", about(50.0, 0.06)),
        ],
    );
}
