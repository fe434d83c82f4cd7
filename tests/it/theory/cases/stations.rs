//! Single stations with open arrivals.

use super::*;

pub(super) fn poisson_queues() -> Vec<Case> {
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

pub(super) fn other_queues() -> Vec<Case> {
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

pub(super) fn shared_cores() -> Vec<Case> {
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
