//! Several stations, closed populations, and designs side by side.

use super::*;

pub(super) fn networks() -> Vec<Case> {
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

/// So many machines of one core behind a balancer.
fn behind(policy: &str, rate: u32, machines: u32) -> String {
    client(&format!("rate = \"{rate}/s\""), "lb")
        + &format!("[balancer.lb]\npublic = true\ntargets = [\"web\"]\npolicy = \"{policy}\"\n")
        + &server("web", &format!("count = {machines}\n{OPEN}\ncores = 1"), &cpu(10.0))
}

pub(super) fn designs() -> Vec<Case> {
    let case = |id, seconds: f64, boxes: &str| {
        let mut quantities = end_to_end();
        quantities.push(("mean_in_system", Inside("lb")));
        Case { id, text: scenario(seconds / 20.0, seconds, boxes), trials: TRIALS, quantities }
    };
    let ladder = |boxes: &str, key| Case {
        id: "ladder-scaleup-scaleout-rho80",
        text: scenario(4.0, 80.0, boxes),
        trials: TRIALS,
        quantities: vec![(key, Response(0, usize::MAX))],
    };
    let one = |cores: u32, mean: f64| {
        client("rate = \"320/s\"", "box") + &public("box", &format!("{OPEN}\ncores = {cores}"), &cpu(mean))
    };
    vec![
        case("lb-random-n4-rho80", 240.0, &behind("random", 320, 4)),
        case("lb-random-n4-rho80", 100.0, &by_name()),
        case("lb-rr-n4-rho80", 240.0, &behind("round-robin", 320, 4)),
        case("lb-jsq-n2-rho90", 700.0, &behind("least-connections", 180, 2)),
        case("lb-jsq-n4-rho80", 120.0, &behind("least-connections", 320, 4)),
        case("lb-p2c-n4-rho80", 120.0, &behind("two-choices", 320, 4)),
        ladder(&one(1, 2.5), "fast_single"),
        ladder(&one(4, 10.0), "central_queue"),
        ladder(&behind("least-connections", 320, 4), "jsq"),
        ladder(&behind("two-choices", 320, 4), "p2c"),
        ladder(&behind("round-robin", 320, 4), "round_robin"),
        ladder(&behind("random", 320, 4), "random"),
    ]
}

/// Four public machines behind a name that is asked anew for each request and answers at random.
fn by_name() -> String {
    client("rate = \"320/s\"\nresolvers = 1", "www")
        + "[dns.www]\nrecords = [\"web\"]\nttl = \"0s\"\npolicy = \"weighted\"\n"
        + &public("web", &format!("count = 4\n{OPEN}\ncores = 1"), &cpu(10.0))
}

pub(super) fn closed_loops() -> Vec<Case> {
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

pub(super) fn parallel() -> Vec<Case> {
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
