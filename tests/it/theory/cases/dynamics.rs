//! Tries, caches of names, and loads that change over time.

use super::*;

pub(super) fn tries() -> Vec<Case> {
    // A box without memory for any call turns away all that it gets.
    let no_memory = "memory = \"2MiB\"\nbase_memory = \"1MiB\"\nmemory_per_call = \"2MiB\"";
    let flaky = |jitter: &str| {
        let retry = format!(
            "retry = {{ attempts = 5, backoff = \"100ms\", factor = 2, max = \"1s\", jitter = \"{jitter}\" }}"
        );
        client(&format!("rate = \"100/s\"\n{retry}"), "box")
            + &public("box", SHARED, "{ wait = \"20ms\" }, { call = \"broken\", chance = \"30%\" }")
            + &server("broken", no_memory, "{ cpu = \"1ms\" }")
    };
    let impatient = "[client.users]\nrate = \"100/s\"\ntarget = \"box\"\ntimeout = \"100ms\"\n\
                     retry = { attempts = 3, backoff = \"0ms\" }\n"
        .to_owned()
        + &public("box", SHARED, "{ wait = { dist = \"exponential\", mean = \"50ms\" } }");
    let names = client("rate = \"0.5/s\"\nresolvers = 1", "www")
        + "[dns.www]\nrecords = [\"box\"]\nttl = \"30s\"\n"
        + &public("box", SHARED, "{ cpu = \"1ms\" }");
    let case = |id, text, quantities| Case { id, text, trials: TRIALS, quantities };
    vec![
        case(
            "backoff-geometric",
            scenario(10.0, 110.0, &flaky("none")),
            vec![
                ("prob_success", Succeeded),
                ("mean_attempts", Attempts),
                ("retry_amplification", Attempts),
                ("mean_total_backoff_no_jitter", Pauses(0.02)),
                ("mean_total_time_no_jitter", Ended),
            ],
        ),
        case(
            "backoff-geometric",
            scenario(10.0, 110.0, &flaky("full")),
            vec![("prob_success", Succeeded), ("mean_total_backoff_full_jitter", Pauses(0.02))],
        ),
        case(
            "timeout-retry-noqueue",
            scenario(1.0, 50.0, &impatient),
            vec![
                ("prob_success", Succeeded),
                ("mean_time_given_success", Response(0, usize::MAX)),
                ("mean_attempts", Attempts),
                ("prob_timeout_per_attempt", FailedTries),
                ("p99_time_given_success", ResponseQuantile(0, usize::MAX, 0.99)),
            ],
        ),
        case(
            "cache-ttl-dns",
            scenario(100.0, 20_000.0, &names),
            vec![("hit_ratio_ttl_fixed_single", HitsBefore("www"))],
        ),
    ]
}

pub(super) fn time_varying() -> Vec<Case> {
    let shared = format!("{SHARED}\ncores = 1");
    let wait = |mean: &str| format!("{{ wait = {{ dist = \"exponential\", mean = \"{mean}\" }} }}");
    let sine =
        client("rate = \"100/s\"\nprofile = { diurnal = { period = \"20s\", amplitude = 0.6 } }", "box")
            + &public("box", &shared, &wait("500ms"));
    let steps =
        client("rate = \"10/s\"\nprofile = { steps = [[\"0s\", 0], [\"5s\", 1]], period = \"10s\" }", "box")
            + &public("box", &shared, &wait("1s"));
    let queue = client("rate = \"80/s\"", "box") + &public("box", &format!("{OPEN}\ncores = 1"), &cpu(10.0));
    // Without a warm-up the windows are sixtieths and six-hundredths of the run, and all moments lie on their ends.
    let once = f64::INFINITY;
    vec![
        Case {
            id: "mt-m-inf-sinusoid",
            text: scenario(0.0, 60.0, &sine),
            trials: 200,
            quantities: vec![
                ("mean_at_t5", InsideAt("box", 25.0, 20.0)),
                ("mean_at_t10", InsideAt("box", 30.0, 20.0)),
                ("mean_in_system_peak", InsideAt("box", 25.5, 20.0)),
                ("mean_in_system_trough", InsideAt("box", 35.5, 20.0)),
            ],
        },
        Case {
            id: "mt-m-inf-zero-window",
            text: scenario(0.0, 60.0, &steps),
            trials: 1000,
            quantities: vec![
                ("mean_in_system_t0", InsideAt("box", 20.0, 10.0)),
                ("mean_in_system_t5", InsideAt("box", 15.0, 10.0)),
                ("mean_in_system_t6", InsideAt("box", 16.0, 10.0)),
                ("arrivals_per_period", ArrivalsPer(10.0)),
                ("mean_rate", Offered),
            ],
        },
        Case {
            id: "mm1-transient-from-empty",
            text: scenario(0.0, 0.6, &queue),
            trials: 4000,
            quantities: vec![
                ("mean_in_system_t0.05", InsideAt("box", 0.05, once)),
                ("mean_in_system_t0.1", InsideAt("box", 0.1, once)),
                ("mean_in_system_t0.2", InsideAt("box", 0.2, once)),
                ("mean_in_system_t0.5", InsideAt("box", 0.5, once)),
            ],
        },
        Case {
            id: "mm1-transient-from-empty",
            text: scenario(0.0, 6.0, &queue),
            trials: 4000,
            quantities: vec![
                ("mean_in_system_t1", InsideAt("box", 1.0, once)),
                ("mean_in_system_t2", InsideAt("box", 2.0, once)),
                ("mean_in_system_t5", InsideAt("box", 5.0, once)),
            ],
        },
    ]
}
