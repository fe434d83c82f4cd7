//! The cases as scenarios: for each its text, the number of trials, and what is measured for each expected value.

use super::measure::Quantity::{self, *};

/// One scenario for a case. A case that compares designs, or points of a curve, has several.
pub(crate) struct Case {
    /// As in `tests/data/cases.json`.
    pub(crate) id: &'static str,
    /// The scenario.
    pub(crate) text: String,
    /// Independent trials.
    pub(crate) trials: u64,
    /// Key of each expected value, and how it is measured.
    pub(crate) quantities: Vec<(&'static str, Quantity)>,
}

/// Trials of a case where nothing asks for more.
const TRIALS: u64 = 30;

/// Cases that one simulation each shows exactly: see `exact.rs`.
pub(crate) const EXACT: &[&str] = &["fluid-dd1-overload", "trace-5jobs"];

/// Cases of which only the closed forms of `outgrow::theory` are held against the expected values: see
/// `closed_forms.rs`.
pub(crate) const CLOSED_FORMS_ONLY: &[&str] =
    &["availability-2of3", "availability-single-onoff", "cache-lru-zipf-small"];

/// Cases that no scenario can express yet, and why.
pub(crate) const NOT_EXPRESSIBLE: &[(&str, &str)] = &[
    ("lb-jsq-n2-rho90", "needs the balancer: least-connections"),
    ("lb-jsq-n4-rho80", "needs the balancer: least-connections"),
    ("lb-p2c-n4-rho80", "needs the balancer: two-choices"),
    ("lb-p2c-n100", "needs the balancer: two-choices"),
    ("lb-pod-supermarket-limit", "needs the balancer: two-choices"),
    ("priority-nonpreemptive-mm1", "queues with priorities are not modelled"),
    (
        "erlang-a-c10-rho110",
        "calls that wait are not withdrawn when their user gives up, and limits are constant",
    ),
    ("timeout-deterministic-c1", "calls that wait are not withdrawn when their user gives up"),
    ("breakdown-mm1-resume", "a crash loses the calls inside; a pause that keeps them is not modelled"),
    ("failover-outage", "needs replicas and their failover"),
    ("retrial-mm1", "pauses between tries are not exponential"),
    ("hedge-lognormal", "hedged requests are not modelled"),
    ("replication-async-exp-lag", "needs replicas"),
    ("replication-log-shipping", "needs replicas; log shipping in batches is not modelled"),
];

/// Expected values of the cases above that no quantity of a trial stands for, and why.
pub(crate) const NOT_MEASURED: &[(&str, &str, &str)] = &[
    ("*", "asympt_var_timeavg_number", "sizes runs; it is no mean of a trial"),
    ("*", "sigma", "a parameter of the formula"),
    ("*", "var_in_system", "a trial keeps the average and the greatest number inside, not its square"),
    ("*", "prob_empty", "a trial keeps the average and the greatest number inside, not its distribution"),
    ("*", "p99_in_system", "a trial keeps the average and the greatest number inside, not its distribution"),
    ("*", "approx_kingman_vut_wait", "an approximation, not the truth"),
    ("*", "approx_klb_wait", "an approximation, not the truth"),
    ("*", "mean_slowdown", "a trial does not keep sizes beside response times"),
    ("*", "mean_slowdown_small", "a trial does not keep sizes beside response times"),
    ("*", "mean_slowdown_large", "a trial does not keep sizes beside response times"),
    ("ladder-scaleup-scaleout-rho80", "jsq", "needs the balancer: least-connections"),
    ("ladder-scaleup-scaleout-rho80", "p2c", "needs the balancer: two-choices"),
    ("fanout-max20", "prob_any_slow", "a trial does not tell which of the calls was slow"),
    ("backoff-geometric", "prob_exactly_3_attempts", "a trial keeps the mean number of tries only"),
    ("cache-ttl-dns", "hit_ratio_ttl_reset_single", "a hit does not renew the time to live, as in DNS"),
    ("cache-ttl-dns", "hit_ratio_ttl_fixed_zipf", "a client asks for one name"),
    ("cache-ttl-dns", "origin_rate_zipf", "a client asks for one name"),
    ("mt-m-inf-sinusoid", "time_lag_of_peak", "the levels beside the peak differ by less than their error"),
    ("mt-m-inf-sinusoid", "var_at_t5", "a window keeps the average over its time, not the level at a moment"),
    (
        "batch-arrivals-mx-m-1",
        "mean_batch",
        "a parameter; the mean number in the system shows the second moment",
    ),
    ("usl-curve", "n_star", "where the curve of the other values has its peak"),
    ("usl-curve", "amdahl_limit_without_kappa", "the limit of an infinite number of cores"),
    ("mm1-transient-from-empty", "steady_state", "measured in mm1-rho80"),
];

/// All cases that are simulated, by family.
pub(crate) fn families() -> Vec<(&'static str, Vec<Case>)> {
    vec![
        ("poisson queues", poisson_queues()),
        ("other queues", other_queues()),
        ("shared cores", shared_cores()),
        ("networks", networks()),
        ("designs", designs()),
        ("closed loops", closed_loops()),
        ("parallel", parallel()),
        ("tries", tries()),
        ("time-varying", time_varying()),
    ]
}

/// Nothing is rejected, and memory is no limit.
const OPEN: &str =
    "workers = 100000\nmemory_per_call = \"1KiB\"\nbase_memory = \"1MiB\"\nscheduling = \"fifo\"";

/// The same, with the cores shared by all.
const SHARED: &str = "workers = 100000\nmemory_per_call = \"1KiB\"\nbase_memory = \"1MiB\"";

/// A run of so many seconds after a warm-up, without any network in between.
fn scenario(warmup: f64, seconds: f64, boxes: &str) -> String {
    format!(
        "[run]\nwarmup = \"{warmup}s\"\nduration = \"{seconds}s\"\n\
         [network]\nclient = \"0ms\"\nsame_zone = \"0ms\"\njitter = 0\n{boxes}"
    )
}

/// Users of one box.
fn client(load: &str, target: &str) -> String {
    format!("[client.users]\ntarget = \"{target}\"\ntimeout = \"10h\"\n{load}\n")
}

/// A box of such keys that does one step.
fn server(name: &str, keys: &str, steps: &str) -> String {
    format!("[server.{name}]\n{keys}\nsteps = [{steps}]\n")
}

fn public(name: &str, keys: &str, steps: &str) -> String {
    server(name, &format!("public = true\n{keys}"), steps)
}

fn cpu(milliseconds: f64) -> String {
    format!("{{ cpu = {{ dist = \"exponential\", mean = \"{milliseconds}ms\" }} }}")
}

/// One box, open arrivals.
fn single(id: &'static str, seconds: f64, load: &str, keys: &str, step: &str) -> Case {
    let boxes = client(load, "box") + &public("box", keys, step);
    Case { id, text: scenario(seconds / 20.0, seconds, &boxes), trials: TRIALS, quantities: at_the_box() }
}

/// What a case with one box called `box` may ask for, under the keys of the data file.
fn at_the_box() -> Vec<(&'static str, Quantity)> {
    let mut quantities = vec![
        ("utilization", Utilisation("box")),
        ("mean_in_system", Inside("box")),
        ("mean_in_queue", Queue("box")),
        ("mean_wait", Wait("box")),
        ("var_wait", WaitVariance("box")),
        ("prob_wait", WaitShare("box")),
        ("prob_wait_accepted", WaitShare("box")),
        ("p50_wait", WaitQuantile("box", 0.5)),
        ("p95_wait", WaitQuantile("box", 0.95)),
        ("p99_wait", WaitQuantile("box", 0.99)),
        ("prob_block", Failed),
    ];
    quantities.extend(end_to_end());
    quantities
}

/// What any case may ask for.
fn end_to_end() -> Vec<(&'static str, Quantity)> {
    let every = usize::MAX;
    vec![
        ("throughput", Throughput),
        ("mean_sojourn", Response(0, every)),
        ("sd_sojourn", ResponseDeviation),
        ("p50_sojourn", ResponseQuantile(0, every, 0.5)),
        ("p95_sojourn", ResponseQuantile(0, every, 0.95)),
        ("p99_sojourn", ResponseQuantile(0, every, 0.99)),
        ("mean_response", Response(0, every)),
        ("sd_response", ResponseDeviation),
        ("p50_response", ResponseQuantile(0, every, 0.5)),
        ("p95_response", ResponseQuantile(0, every, 0.95)),
        ("p99_response", ResponseQuantile(0, every, 0.99)),
    ]
}

fn poisson_queues() -> Vec<Case> {
    let fifo = |cores: u32| format!("{OPEN}\ncores = {cores}");
    let bounded = |cores: u32, queue: u32| {
        format!("scheduling = \"fifo\"\ncores = {cores}\nworkers = {cores}\nqueue = {queue}")
    };
    vec![
        single("mm1-rho50", 1500.0, "rate = \"50/s\"", &fifo(1), &cpu(10.0)),
        single("mm1-rho80", 1800.0, "rate = \"80/s\"", &fifo(1), &cpu(10.0)),
        single("mmc-c2-rho50", 250.0, "rate = \"100/s\"", &fifo(2), &cpu(10.0)),
        single("mmc-c4-rho80", 240.0, "rate = \"320/s\"", &fifo(4), &cpu(10.0)),
        single("mmck-c1-K10-lam90", 400.0, "rate = \"90/s\"", &bounded(1, 9), &cpu(10.0)),
        single("mmck-c4-K12-lam500", 90.0, "rate = \"500/s\"", &bounded(4, 8), &cpu(10.0)),
        single("erlangb-c10-a8", 600.0, "rate = \"80/s\"", &bounded(10, 0), &cpu(100.0)),
        single("md1-rho80", 1100.0, "rate = \"80/s\"", &fifo(1), "{ cpu = \"10ms\" }"),
    ]
}

fn other_queues() -> Vec<Case> {
    let fifo = |cores: u32| format!("{OPEN}\ncores = {cores}");
    let lognormal = "{ cpu = { dist = \"lognormal\", mean = \"10ms\", cv = 1 } }";
    let mixed = "{ cpu = { dist = \"hyperexponential\", mean = \"10ms\", cv = 2 } }";
    let staged = "{ cpu = { dist = \"erlang\", mean = \"10ms\", k = 2 } }";
    let erlang =
        |rate: u32, k: u32| format!("rate = \"{rate}/s\"\narrivals = {{ dist = \"erlang\", k = {k} }}");
    let batches = "rate = \"50/s\"\narrivals = { dist = \"exponential\", batch = 5 }";
    vec![
        single("mg1-lognormal-scv1-rho70", 800.0, "rate = \"70/s\"", &fifo(1), lognormal),
        single("mg1-h2-scv4-rho80", 1000.0, "rate = \"80/s\"", &fifo(1), mixed),
        single("mg1-erlang2-rho80", 800.0, "rate = \"80/s\"", &fifo(1), staged),
        single("gim1-e2-rho80", 500.0, &erlang(80, 2), &fifo(1), &cpu(10.0)),
        single("gim1-e4-rho80", 500.0, &erlang(80, 4), &fifo(1), &cpu(10.0)),
        single("gg1-e2-h2-rho70", 500.0, &erlang(70, 2), &fifo(1), mixed),
        single("gimc-e2-c4-rho85", 120.0, &erlang(340, 2), &fifo(4), &cpu(10.0)),
        single("batch-arrivals-mx-m-1", 1000.0, batches, &fifo(1), &cpu(10.0)),
    ]
}

fn shared_cores() -> Vec<Case> {
    let shared = |cores: u32| format!("{SHARED}\ncores = {cores}");
    let lognormal = |key: &str, mean: &str| {
        format!("{{ {key} = {{ dist = \"lognormal\", mean = \"{mean}\", cv = 2 }} }}")
    };
    let classes = "[request.get]\nshare = 30\n[request.post]\nshare = 10\n";
    let steps = "{ cpu = { dist = \"exponential\", mean = \"10ms\" }, class = \"get\" }, { cpu = \"50ms\", class = \"post\" }";
    let boxes = classes.to_owned() + &client("rate = \"40/s\"", "box") + &public("box", &shared(1), steps);
    let bcmp = Case {
        id: "bcmp-open-ps-2class",
        text: scenario(100.0, 2000.0, &boxes),
        trials: TRIALS,
        quantities: vec![
            ("utilization", Utilisation("box")),
            ("mean_sojourn_class1", Response(0, 1)),
            ("mean_sojourn_class2", Response(1, 2)),
            ("mean_in_class1", InsideOfClass(0)),
            ("mean_in_class2", InsideOfClass(1)),
        ],
    };
    vec![
        single("mginf-lognormal", 600.0, "rate = \"20/s\"", &shared(1), &lognormal("wait", "500ms")),
        single("mmc-ps-c1-rho70", 600.0, "rate = \"70/s\"", &shared(1), &cpu(10.0)),
        single("mmc-ps-c4-rho80", 120.0, "rate = \"320/s\"", &shared(4), &cpu(10.0)),
        single("mg1-ps-lognormal-rho80", 800.0, "rate = \"80/s\"", &shared(1), &lognormal("cpu", "10ms")),
        bcmp,
    ]
}

fn networks() -> Vec<Case> {
    let fifo = |cores: u32| format!("{OPEN}\ncores = {cores}");
    let tandem = client("rate = \"60/s\"", "web")
        + &public("web", &fifo(1), &(cpu(10.0) + ", { call = \"db\" }"))
        + &server("db", &fifo(1), "{ cpu = { dist = \"exponential\", mean = \"8.333333ms\" } }");
    let mut at_tandem = end_to_end();
    at_tandem.extend([("mean_in_station1", InStation("web")), ("mean_in_station2", Inside("db"))]);
    vec![
        Case {
            id: "jackson-tandem2",
            text: scenario(20.0, 600.0, &tandem),
            trials: TRIALS,
            quantities: at_tandem,
        },
        feedback(),
        chapter1(),
    ]
}

/// Rounds through the database: one in 2.5 goes on after each, so that fewer than one in ten million needs more.
const ROUNDS: usize = 18;

/// A balancer before an application that asks the database and goes on, again and again. Calls never go in a circle, so
/// each round is a box of its own, on the application's machine.
fn feedback() -> Case {
    let fifo = |cores: u32| format!("{OPEN}\ncores = {cores}");
    let app = "{ cpu = { dist = \"exponential\", mean = \"16.666667ms\" } }";
    let mut boxes = client("rate = \"70/s\"", "lb");
    boxes += &public("lb", &fifo(1), &(cpu(1.0) + ", { call = \"app\" }"));
    boxes += &server("app", &fifo(3), &format!("{app}, {{ call = \"round1\", chance = \"40%\" }}"));
    for round in 1..=ROUNDS {
        let next = match round {
            ROUNDS => String::new(),
            _ => format!(", {{ call = \"round{}\", chance = \"40%\" }}", round + 1),
        };
        let steps = format!("{{ call = \"db\" }}, {app}{next}");
        boxes += &server(&format!("round{round}"), &format!("{SHARED}\non = \"app\""), &steps);
    }
    boxes += &server("db", &fifo(1), "{ cpu = { dist = \"exponential\", mean = \"8.333333ms\" } }");
    let mut quantities = end_to_end();
    quantities.extend([
        ("throughput_lb", RateOf("lb")),
        ("throughput_app", RateOf("app")),
        ("throughput_db", RateOf("db")),
        ("utilization_lb", Utilisation("lb")),
        ("utilization_app", Utilisation("app")),
        ("utilization_db", Utilisation("db")),
        ("mean_in_lb", InStation("lb")),
        ("mean_in_app", InStation("app")),
        ("mean_in_db", InStation("db")),
        ("mean_visits_app", VisitsOf("app")),
        ("mean_visits_db", VisitsOf("db")),
    ]);
    Case { id: "jackson-3tier-feedback", text: scenario(20.0, 400.0, &boxes), trials: TRIALS, quantities }
}

/// Two web servers at random, then one of three replicas at random or the primary. A server asks its targets in turn, so
/// chance is in the client: names that cost nothing to resolve for the web server, a class a replica for the reads.
fn chapter1() -> Case {
    let fifo = |cores: u32| format!("{OPEN}\ncores = {cores}");
    let mut boxes = String::from(
        "[request.a]\nshare = 4\n[request.b]\nshare = 4\n[request.c]\nshare = 4\n[request.write]\nshare = 3\n",
    );
    boxes += &client("rate = \"300/s\"\nresolvers = 1", "www");
    boxes += "[dns.www]\nrecords = [\"web\"]\nttl = \"0s\"\npolicy = \"weighted\"\n";
    let mut steps = cpu(20.0);
    for class in ["a", "b", "c", "write"] {
        steps += &format!(", {{ call = \"db-{class}\", class = \"{class}\" }}");
        let mean = if class == "write" { 12.5 } else { 10.0 };
        boxes += &server(&format!("db-{class}"), &fifo(1), &cpu(mean));
    }
    boxes += &public("web", &format!("count = 2\n{}", fifo(4)), &steps);
    let quantities = vec![
        ("utilization_web", Utilisation("web-1")),
        ("utilization_slave", Utilisation("db-a")),
        ("utilization_master", Utilisation("db-write")),
        ("mean_sojourn_read", Response(0, 3)),
        ("mean_sojourn_write", Response(3, 4)),
        ("mean_sojourn", Response(0, 4)),
        ("p50_sojourn_read", ResponseQuantile(0, 3, 0.5)),
        ("p95_sojourn_read", ResponseQuantile(0, 3, 0.95)),
        ("p99_sojourn_read", ResponseQuantile(0, 3, 0.99)),
    ];
    Case {
        id: "chapter1-web2-db-master-slaves",
        text: scenario(10.0, 110.0, &boxes),
        trials: TRIALS,
        quantities,
    }
}

fn designs() -> Vec<Case> {
    let fifo = |cores: u32| format!("{OPEN}\ncores = {cores}");
    let four = public("web", &format!("count = 4\n{}", fifo(1)), &cpu(10.0));
    let by_chance = client("rate = \"320/s\"\nresolvers = 1", "www")
        + "[dns.www]\nrecords = [\"web\"]\nttl = \"0s\"\npolicy = \"weighted\"\n"
        + &four;
    let in_turn = client("rate = \"320/s\"", "web") + &four;
    let one =
        |cores: u32, mean: f64| client("rate = \"320/s\"", "box") + &public("box", &fifo(cores), &cpu(mean));
    let case = |id, seconds: f64, boxes: &str, quantities| Case {
        id,
        text: scenario(seconds / 20.0, seconds, boxes),
        trials: TRIALS,
        quantities,
    };
    let ladder = |seconds, boxes: &str, key| {
        case("ladder-scaleup-scaleout-rho80", seconds, boxes, vec![(key, Response(0, usize::MAX))])
    };
    vec![
        case("lb-random-n4-rho80", 240.0, &by_chance, end_to_end()),
        case("lb-rr-n4-rho80", 240.0, &in_turn, end_to_end()),
        ladder(80.0, &one(1, 2.5), "fast_single"),
        ladder(80.0, &one(4, 10.0), "central_queue"),
        ladder(80.0, &in_turn, "round_robin"),
        ladder(80.0, &by_chance, "random"),
    ]
}

fn closed_loops() -> Vec<Case> {
    let fifo = |cores: u32| format!("{OPEN}\ncores = {cores}");
    let thinking = |users: u32, seconds: u32| {
        format!("users = {users}\nthink_time = {{ dist = \"exponential\", mean = \"{seconds}s\" }}")
    };
    let repairman = client(&thinking(20, 1), "box") + &public("box", &fifo(1), &cpu(50.0));
    let mut chain = client(&thinking(50, 2), "front");
    chain += &public("front", SHARED, "{ call = \"web\" }, { call = \"app\" }, { call = \"db\" }");
    for (name, mean) in [("web", 10.0), ("app", 30.0), ("db", 45.0)] {
        chain += &server(name, &fifo(1), &cpu(mean));
    }
    let mut at_chain = end_to_end();
    at_chain.extend([
        ("mean_response_web", ResponseAt("web")),
        ("mean_response_app", ResponseAt("app")),
        ("mean_response_db", ResponseAt("db")),
        ("utilization_web", Utilisation("web")),
        ("utilization_app", Utilisation("app")),
        ("utilization_db", Utilisation("db")),
        ("mean_in_db", Inside("db")),
    ]);
    let mut cases = vec![
        Case {
            id: "closed-repairman-n20-c1",
            text: scenario(60.0, 1200.0, &repairman),
            trials: TRIALS,
            quantities: at_the_box(),
        },
        Case {
            id: "closed-mva-3station-n50",
            text: scenario(60.0, 1000.0, &chain),
            trials: TRIALS,
            quantities: at_chain,
        },
    ];
    cases.extend(scalability());
    cases
}

/// As many users as cores, none of whom thinks: the work of a second is what the universal scalability law says.
fn scalability() -> Vec<Case> {
    let point = |users: u32, keys: &[&'static str]| {
        let contention = format!("{SHARED}\ncores = {users}\nsigma = 0.02\nkappa = 0.0001");
        let step = "{ cpu = { dist = \"exponential\", mean = \"1005025ns\" } }";
        let boxes = client(&format!("users = {users}\nthink_time = \"0ms\""), "box")
            + &public("box", &contention, step);
        Case {
            id: "usl-curve",
            text: scenario(0.1, if users < 8 { 5.0 } else { 1.0 }, &boxes),
            trials: TRIALS,
            quantities: keys.iter().map(|key| (*key, Throughput)).collect(),
        }
    };
    vec![
        point(1, &["throughput_n1"]),
        point(2, &["throughput_n2"]),
        point(8, &["throughput_n8"]),
        point(32, &["throughput_n32"]),
        point(64, &["throughput_n64"]),
        point(99, &["throughput_n99", "peak_throughput"]),
        point(128, &["throughput_n128"]),
        point(256, &["throughput_n256"]),
    ]
}

fn parallel() -> Vec<Case> {
    let one = format!("{OPEN}\ncores = 1");
    let two = client("rate = \"70/s\"", "front")
        + &public("front", SHARED, "{ call = \"shard\", parallel = 2 }")
        + &server("shard", &format!("count = 2\n{one}"), &cpu(10.0));
    let twenty = client("rate = \"20/s\"", "front")
        + &public("front", SHARED, "{ call = \"leaf\", parallel = 20 }")
        + &server("leaf", SHARED, "{ wait = { dist = \"exponential\", mean = \"10ms\" } }");
    let mut at_two = end_to_end();
    at_two.push(("utilization", Utilisation("shard-1")));
    vec![
        Case {
            id: "forkjoin-2-rho70",
            text: scenario(20.0, 500.0, &two),
            trials: TRIALS,
            quantities: at_two,
        },
        Case {
            id: "fanout-max20",
            text: scenario(1.0, 100.0, &twenty),
            trials: TRIALS,
            quantities: end_to_end(),
        },
    ]
}

fn tries() -> Vec<Case> {
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

fn time_varying() -> Vec<Case> {
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
