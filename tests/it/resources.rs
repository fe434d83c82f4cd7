//! The static model of all resources: what `explain` names, what `check` warns of, and that no run exceeds the bounds.

mod bounds;
mod sorts;

use outgrow::components::KINDS;
use outgrow::experiment::result::RunResult;
use outgrow::experiment::runner::{RunOptions, Unwatched, run};
use outgrow::kernel::time::SimDuration;
use outgrow::model::simulation::Length;
use outgrow::model::spec::Files;
use outgrow::scenario::load::Missing;
use outgrow::scenario::{Scenario, load};

/// The only file that a scenario here names: ten requests, one a second.
struct Seconds;

impl Files for Seconds {
    fn read(&self, _name: &str) -> Result<String, String> {
        Ok((0..10).map(|second| format!("{second}\n")).collect())
    }
}

/// A scenario, and its warnings: the key at the caret, the message and the help.
fn read(text: &str) -> (Scenario, Vec<String>) {
    let loaded =
        load("a.toml", text, &[], &Seconds, KINDS).unwrap_or_else(|found| panic!("{}", found.render(false)));
    let warnings = loaded.warnings.items.iter().map(|item| {
        let (key, help) = (&loaded.scenario.text[item.span.clone()], item.help.as_deref().unwrap_or(""));
        format!("{} at {key} ({help})", item.message)
    });
    let warnings = warnings.collect();
    (loaded.scenario, warnings)
}

/// What `explain` says, with single blanks.
fn explained(scenario: &Scenario) -> String {
    let text = outgrow::report::explain::text(scenario, &Missing::default());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A few trials of a scenario.
fn result(scenario: &Scenario, trials: u32, warmup_s: u64, measured_s: u64) -> RunResult {
    let length =
        Length { warmup: SimDuration::from_secs(warmup_s), measured: SimDuration::from_secs(measured_s) };
    let options = RunOptions { seed: 1, trials: 0..trials, jobs: 1, length };
    RunResult::new(scenario, &options, &run(scenario, &options, &Unwatched))
}

/// A scenario, what `explain` says of it, and a warning of `check`; without one it warns of nothing.
struct Case {
    name: &'static str,
    text: &'static str,
    explain: &'static [&'static str],
    check: Option<&'static str>,
}

/// Users of one slow helper, which takes the front down with it.
const DRAG: &str = r#"
request.browse = { share = 90 }
request.buy = { share = 10, effect = "write" }
client.fans = { target = "web", rate = "200/s", timeout = "10s" }
server.web = { public = true, count = 1, cores = 8, workers = 100, steps = [{ cpu = "8ms" }, { call = "pay", class = "buy" }] }
server.pay = { workers = 5, cores = 8, steps = [{ wait = "800ms" }] }
"#;

/// A primary and a replica, one fifth writes.
const REPLICAS: &str = r#"
request.read = { share = 80, keys = 100000 }
request.write = { share = 20, effect = "write", keys = 100000 }
client.users = { target = "web", rate = "1500/s" }
server.web = { public = true, count = 4, cores = 8, db_pool = 50, steps = [{ cpu = "2ms" }, { query = "db", times = 2 }] }
database.db = { cores = 4, replicas = 1, connections = 400 }
"#;

/// A sale: three limits fall at once.
const SALE: &str = r#"
[request]
browse = { share = 90, response_size = "200KB" }
buy = { share = 10, effect = "write", deadline = "5s" }
[balancer.lb]
public = true
targets = ["web"]
[server.payment]
workers = 50
cores = 64
steps = [{ wait = { dist = "lognormal", mean = "800ms", cv = 0.5 } }]
[database.pg]
cores = 4
connections = 100
read = "2ms"
write = "4ms"
[client.fans]
target = "lb"
rate = "100/s"
profile = { spike = { at = "3min", for = "2min", factor = 12 } }
timeout = "10s"
retry = { attempts = 3, backoff = "1s", jitter = "full" }
[server.web]
count = 4
cores = 2
workers = 100
steps = [{ cpu = "8ms" }, { query = "pg", times = 2 }, { call = "payment", class = "buy" }]
"#;

const CASES: &[Case] = &[
    Case {
        name: "workers",
        text: r#"
client.u = { target = "lb", rate = "60/s", timeout = "60s" }
balancer.lb = { public = true, targets = ["web"] }
server.web = { count = 4, workers = 10, steps = [{ wait = "1s" }] }
"#,
        explain: &[
            "workers web 4 x 10 >= 60 (150 %) the same <= 40/s",
            "at most 40 requests/s come through",
            "bottleneck: the workers of `web`, asked for at least 150 %: 20 calls/s cannot be served",
        ],
        check: Some(
            "the workers of `web` must be at least 150 % busy: calls hold 60 at a time and there are 40 at 10",
        ),
    },
    Case {
        name: "workers of a helper",
        text: DRAG,
        explain: &[
            "workers pay 5 >= 16 (320 %) the same <= 6.25 buy/s",
            "cores web 8 1.6 (20 %) the same 1000/s",
            "workers web 100 >= 17.6 (17.6 %) the same <= 1136/s",
            "at most 62.5 requests/s come through whole (6.25 of 20 buy/s)",
            "bottleneck: the workers of `pay`, asked for at least 320 %",
            "then: each buy holds one of the workers of `web` while it waits for `pay`",
            "so that `web` is full too and browse fails",
        ],
        check: Some(
            "the workers of `pay` must be at least 320 % busy: calls hold 16 at a time and there are 5 at 5",
        ),
    },
    Case {
        name: "a pool of connections",
        text: r#"
client.u = { rate = "10/s", target = "app" }
server.app = { public = true, cores = 8, db_pool = 5, steps = [{ query = "db" }] }
database.db = { cores = 100, read = "1s" }
"#,
        explain: &[
            "db_pool app 5 >= 10 (200 %) the same <= 5/s waits for 30 s, then fails",
            "bottleneck: the connections to databases of `app`, asked for at least 200 %",
        ],
        check: Some(
            "the connections to databases of `app` must be at least 200 % busy: calls hold 10 at a time and there are 5 at 5",
        ),
    },
    Case {
        name: "pools of all machines",
        text: r#"
client.u = { rate = "60/s", target = "web" }
server.web = { public = true, count = 50, db_pool = 10, steps = [{ query = "db" }] }
database.db = { connections = 100, read = "1ms" }
"#,
        explain: &["cores db 1 0.06 (6 %)"],
        check: Some("the pools of all machines may open 500 connections to `db`, which accepts 100"),
    },
    Case {
        name: "connections of a balancer",
        text: r#"
client.u = { target = "lb", rate = "60/s", timeout = "60s" }
balancer.lb = { public = true, targets = ["web"], connections = 10 }
server.web = { workers = 200, steps = [{ wait = "1s" }] }
"#,
        explain: &["connections lb 10 >= 60 (600 %) the same <= 10/s rejects"],
        check: Some(
            "the connections of `lb` must be at least 600 % busy: calls hold 60 at a time and there are 10 at 10",
        ),
    },
    Case {
        name: "memory",
        text: r#"
client.u = { target = "s", rate = "60/s" }
server.s = { public = true, memory = "1GiB", memory_per_call = "20MiB", steps = [{ wait = "2s" }] }
"#,
        // 512 MiB are left for calls, which hold 2400 MiB.
        explain: &["memory s 512 MiB >= 2.344 GiB (469 %) the same <= 12.8/s rejects"],
        check: Some(
            "the memory of `s` must be at least 469 % used: calls hold 2400 MiB at a time and there are 512 MiB at \"1GiB\"",
        ),
    },
    Case {
        name: "a link",
        text: r#"
request.photo = { response_size = "500KB" }
client.v = { target = "web", rate = "892/s" }
server.web = { public = true, cores = 8, steps = [{ cpu = "1ms" }] }
network.link = [{ between = ["web", "v"], bandwidth = "125MB" }]
"#,
        explain: &["link web to v 125 MB/s 446 MB/s (357 %) the same 250/s waits"],
        check: Some(
            "the link of `web to v` must be 357 % used: 446 MB come a second and 125 can be done at \"125MB\"",
        ),
    },
    Case {
        name: "a rate limit",
        text: r#"
client.u = { target = "s", rate = "60/s" }
server.s = { public = true, cores = 8, rate_limit = { rate = "10/s" }, steps = [{ cpu = "5ms" }] }
"#,
        explain: &["rate_limit s 10/s 60/s (600 %) the same 10/s throttles"],
        check: Some(
            "the rate limit of `s` must be 600 % used: 60 calls come a second and 10 pass at \"10/s\"",
        ),
    },
    Case {
        name: "a limit on writes",
        text: r#"
request.w = { effect = "write" }
client.u = { target = "s", rate = "300/s" }
server.s = { public = true, cores = 8, db_pool = 100, steps = [{ query = "db" }] }
database.db = { cores = 64, connections = 4000, write_limit = "100/s" }
"#,
        explain: &["write_limit db 100/s 300/s (300 %) the same 100/s throttles"],
        check: Some(
            "the limit on writes of `db` must be 300 % used: 300 calls come a second and 100 pass at \"100/s\"",
        ),
    },
    Case {
        name: "a disk",
        text: r#"
client.u = { target = "s", rate = "3000/s" }
server.s = { public = true, cores = 8, db_pool = 1000, workers = 4000, memory = "64GiB", steps = [{ query = "db" }] }
database.db = { cores = 64, connections = 4000, working_set = "100GiB", buffer = "1GiB", read = "0.1ms" }
"#,
        // 39 % were measured.
        explain: &["bottleneck: the disk of `db`, 38.7 % used: it saturates at about 2.582 times this load"],
        check: None,
    },
    Case {
        name: "apply workers",
        text: r#"
request.post = { effect = "write" }
client.u = { target = "web", rate = "100/s" }
server.web = { public = true, db_pool = 90, steps = [{ query = "db" }] }
database.db = { cores = 4, write = "5ms", replicas = 1 }
"#,
        explain: &["apply workers db.replica-1 1 0.5 (50 %) the same <= 200/s lags behind"],
        check: None,
    },
    Case {
        name: "a primary and its replica",
        text: REPLICAS,
        explain: &[
            "cores db.replica-1 4 3.6 (90 %)",
            "apply workers db.replica-1 1 0.72 (72 %)",
            "cores db.primary 4 0.72 (18 %)",
            "the cores of `db.replica-1`, 90 % busy: they saturate at 1.111 times this load",
        ],
        check: None,
    },
    Case {
        name: "a spike",
        text: r#"
client.u = { target = "s", rate = "50/s", profile = { spike = { at = "20s", for = "20s", factor = 100 } } }
server.s = { public = true, cores = 8, steps = [{ cpu = "5ms" }] }
"#,
        explain: &[
            "cores s 8 0.25 (3.12 %) 25 (312 %) 1600/s",
            "the cores of `s`, asked for 312.5 % for the 20s of the spike",
        ],
        check: Some(
            "the cores of `s` are 312 % busy for the 20s of the spike: 25 core seconds of work come a second and 8 can be done at 8",
        ),
    },
    Case {
        name: "a spike of users",
        text: r#"
client.u = { target = "s", users = 50, profile = { spike = { at = "20s", for = "20s", factor = 5 } } }
server.s = { public = true, cores = 8, steps = [{ cpu = "5ms" }] }
"#,
        explain: &[
            "50 users (250 for the 20s of the spike) who think for 7 s",
            "cores s 8 0.0357 (0.446 %) 0.178 (2.23 %)",
        ],
        check: None,
    },
    Case {
        name: "a sale",
        text: SALE,
        explain: &[
            "workers payment 50 >= 8 (16 %) >= 96 (192 %) <= 62.5 buy/s",
            "cores pg 4 0.44 (11 %) 5.28 (132 %) 909.1/s",
            "cores web 4 x 2 0.8 (10 %) 9.6 (120 %) 1000/s",
            "each is tried 3 times",
        ],
        check: Some("the cores of `pg` are 132 % busy for the 2min of the spike"),
    },
    Case {
        name: "a trace",
        text: r#"
client.u = { target = "s", trace = { file = "ten.csv", repeat = "forever" } }
server.s = { public = true, workers = 1, steps = [{ cpu = "1.5s" }] }
"#,
        explain: &["1 requests/s on average, at the highest 1 over 1 s", "workers s 1 >= 1.5 (150 %)"],
        check: Some("the workers of `s` must be at least 150 % busy"),
    },
    Case {
        name: "closed users who wait for too long",
        text: r#"
client.u = { target = "s", users = 500, think_time = "30.5s" }
server.s = { public = true, steps = [{ cpu = { dist = "exponential", mean = "1s" } }] }
"#,
        explain: &["beyond N* = (Z + D) / D_max = 31.5 users they wait for each other"],
        check: Some(
            "500 users wait for 470 s each, longer than their `timeout` of 30 s at 500 (the cores of `s` let at most 1 requests through a second)",
        ),
    },
    Case {
        name: "closed users for whom there is no place",
        text: r#"
client.u = { target = "s", users = 500, think_time = "30.5s" }
server.s = { public = true, queue = 100, steps = [{ cpu = { dist = "exponential", mean = "1s" } }] }
"#,
        explain: &[],
        check: Some(
            "470 of 500 users wait at a time, and `s` has 300 places (`workers`, `queue`): it rejects the rest",
        ),
    },
    Case {
        name: "flushes",
        text: r#"
request.w = { effect = "write" }
client.u = { target = "s", rate = "300/s" }
server.s = { public = true, cores = 8, db_pool = 50, steps = [{ query = "db" }] }
database.db = { cores = 64, commit = "10ms" }
"#,
        explain: &["commit db 1 3 the same never calls share it"],
        check: None,
    },
];

#[test]
fn every_resource_is_named_before_any_run() {
    for Case { name, text, explain, check } in CASES {
        let (scenario, warnings) = read(text);
        let said = explained(&scenario);
        for needle in *explain {
            assert!(said.contains(needle), "{name}: `{needle}` is not in\n{said}");
        }
        match check {
            Some(needle) => {
                assert!(warnings.iter().any(|one| one.contains(needle)), "{name}: {needle}\n{warnings:#?}");
            }
            None => assert_eq!(warnings, Vec::<String>::new(), "{name}"),
        }
    }
}

/// One machine of reads and writes serves C; the law of a primary with R replicas is C / (w + (1 - w) / R).
#[test]
fn replicas_follow_their_law() {
    for replicas in [1.0, 2.0, 3.0, 5.0] {
        let text = REPLICAS.replace("replicas = 1", &format!("replicas = {replicas}"));
        let load = read(&text).0.load();
        let row = load
            .resources
            .iter()
            .find(|row| row.member.starts_with("db.replica") && row.resource.name == "cpu");
        let full_at = 1500.0 / row.expect("replicas have cores").utilisation();
        let alone = 4.0 / (2.0 * 1.2e-3);
        let law = alone / (0.2 + 0.8 / replicas);
        assert!((full_at / law - 1.0).abs() < 1e-9, "{replicas}: {full_at} is not {law}");
    }
}

/// What nobody waits for does not limit the answers: the law of the cores in front holds although a replica falls behind.
#[test]
fn the_laws_hold_where_replicas_fall_behind() {
    let text = REPLICAS.replace("replicas = 1", "replicas = 3").replace("1500/s", "5889/s");
    let (scenario, warnings) = read(&text);
    assert!(
        warnings.iter().any(|one| one.contains("the apply workers of `db.replica-1..3` must be 283 % busy")),
        "{warnings:?}"
    );
    let load = scenario.load();
    let web =
        load.resources.iter().find(|row| row.name == "web" && row.resource.name == "cpu").expect("cores");
    assert!((web.utilisation() - 5889.0 * 0.002 / 32.0).abs() < 1e-9);
    assert!((load.clients[0].throughput_max - 5889.0).abs() < 1e-9, "{}", load.clients[0].throughput_max);
}

/// What is left does all the work, and nobody calls those that are down.
#[test]
fn members_that_are_down_lower_what_there_is() {
    let text = REPLICAS.replace("replicas = 1", "replicas = 2");
    let (scenario, _) = read(&text);
    let of = |names: &[&str], member: &str| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let load = scenario.load_without(&Missing::of(&scenario.boxes, &names).expect("they are there"));
        let row = load.resources.into_iter().find(|row| row.member == member && row.resource.name == "cpu");
        row.expect("it has cores").utilisation()
    };
    let near = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one} is not {other}");
    near(of(&[], "web"), 1500.0 * 0.002 / 32.0);
    near(of(&["web-1"], "web"), 1500.0 * 0.002 / 24.0);
    near(of(&["web-1", "web-2"], "web"), 1500.0 * 0.002 / 16.0);
    // Each replica has half of the reads and all writes; the one that is left has all reads.
    let (reads, writes) = (2400.0 * 0.0012, 600.0 * 0.0012);
    near(of(&[], "db.replica-1, 2"), (reads / 2.0 + writes) / 4.0);
    near(of(&["db.replica-2"], "db.replica-1, 2"), (reads + writes) / 4.0);
    assert_eq!(of(&["db.primary"], "db.primary"), f64::INFINITY);
    assert!(Missing::of(&scenario.boxes, &["web-9".to_owned()]).is_err());
}
