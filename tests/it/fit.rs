//! `fit`: systems of known costs are measured, and the costs are found again.

mod costs;

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use outgrow::components::KINDS;
use outgrow::experiment::fit::{BUSY_MAX, CONDITION_MAX, FACTOR_MAX, FULL, LAG_MAX};
use outgrow::kernel::random::Seed;
use outgrow::kernel::time::SimTime;
use outgrow::model::spec::NoFiles;
use outgrow::model::trace::Trace;
use outgrow::scenario::build::build;
use outgrow::scenario::load;
use serde_json::Value;

/// What a measurement of a system leaves: its log and its busy times, in a folder.
struct Measured(tempfile::TempDir);

impl Measured {
    /// Simulates one trial of a system, and writes `log.csv` and for each named box `BOX.csv`.
    fn of(system: &str, boxes: &[&str]) -> Measured {
        let loaded =
            load("system.toml", system, &[], &NoFiles, KINDS).unwrap_or_else(|found| panic!("{found}"));
        let scenario = loaded.scenario;
        let mut simulation = build(&scenario, Seed::new(7));
        simulation.follow(Trace::ends(SimTime::ZERO));
        let record = simulation.run(scenario.length(), &mut |_| false);
        let mut log = String::from("# begin: 2026-11-29T00:00:00Z\nt_s,class,duration_s\n");
        for end in simulation.ends() {
            let class = &scenario.classes[usize::from(end.class)].name;
            let (at, lasted) = (end.issued.as_secs_f64(), end.lasted.as_secs_f64());
            log.push_str(&format!("{at:.3},{class},{lasted:.6}\n"));
        }
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("log.csv"), log).expect("a log");
        for name in boxes {
            let members: Vec<usize> =
                (0..record.components.len()).filter(|at| record.components[*at].group == **name).collect();
            let mut text = String::from("t_s,busy %\n");
            for window in &record.windows {
                let busy: f64 = members.iter().map(|at| window.components[*at].busy).sum();
                text.push_str(&format!("{:.3},{:.2}\n", window.start_s, 100.0 * busy / members.len() as f64));
            }
            fs::write(folder.path().join(format!("{name}.csv")), text).expect("busy times");
        }
        Measured(folder)
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_str().expect("a path").to_owned()
    }

    /// Fits a model to it. Returns the JSON and whether the rest is predicted.
    fn fit(&self, model: &str, more: &[&str]) -> (Value, bool) {
        fs::write(self.0.path().join("model.toml"), model).expect("a model");
        let output = Command::cargo_bin("outgrow")
            .expect("the program")
            .args(["fit", &self.path("model.toml"), "--json", "-", "--trials", "1"])
            .args(more.iter().map(|part| part.replace("DIR", self.0.path().to_str().expect("a path"))))
            .output()
            .expect("it runs");
        let status = output.status.code();
        assert!(matches!(status, Some(0 | 4)), "{status:?}: {}", String::from_utf8_lossy(&output.stderr));
        (serde_json::from_slice(&output.stdout).expect("JSON"), status == Some(0))
    }
}

/// The cost of a sort of work of a box: the value and its interval, in ms.
fn cost(found: &Value, name: &str, sort: &str) -> (f64, f64, f64) {
    let boxes = found["boxes"].as_array().expect("boxes");
    let costs = boxes.iter().find(|one| one["name"] == name).expect(name)["costs"].as_array().expect("costs");
    let cost = &costs.iter().find(|cost| cost["work"] == sort).expect(sort)["cpu_s"];
    let ms = |key: &str| 1e3 * cost[key].as_f64().expect(key);
    (ms("value"), ms("low"), ms("high"))
}

/// The cost is found within 5 %, and the interval is about the truth.
fn recovered(found: &Value, name: &str, sort: &str, truth_ms: f64) {
    let (value, low, high) = cost(found, name, sort);
    assert!((value / truth_ms - 1.0).abs() < 0.05, "{name} {sort}: {value} ms, not {truth_ms}");
    assert!(low < value && value < high && high - low < 0.2 * truth_ms, "{name} {sort}: {low} to {high}");
    assert!(
        low < 1.03 * truth_ms && high > 0.97 * truth_ms,
        "{name} {sort}: {low} to {high}, not {truth_ms}"
    );
}

/// Three clients of a class each, whose loads swing at different times.
const USERS: &str = "
[run]
duration = '1h'
warmup = '0s'
trials = 1
[network]
client = '0ms'
[client.viewers]
rate = '50/s'
target = 'web'
profile = { diurnal = { period = '48min', amplitude = 0.6 } }
[client.searchers]
rate = '20/s'
target = 'web'
profile = { diurnal = { period = '35min', amplitude = 0.6 } }
[client.buyers]
rate = '4/s'
target = 'web'
profile = { diurnal = { period = '20min', amplitude = 0.6 } }
[request.view]
clients = ['viewers']
[request.search]
clients = ['searchers']
[request.buy]
clients = ['buyers']
effect = 'write'
";

/// What an engineer knows before: the boxes, and the log.
const KNOWN: &str = "
[run]
trials = 1
[network]
client = '0ms'
[client.users]
target = 'web'
trace = { file = 'log.csv', class = 'file' }
[request.view]
[request.search]
[request.buy]
effect = 'write'
";

fn exponential(ms: f64) -> String {
    format!("{{ dist = 'exponential', mean = '{ms}ms' }}")
}

#[test]
fn costs_of_classes_at_one_server_are_recovered_and_predict_the_rest() {
    let step = |ms: f64, class: &str| format!("{{ cpu = {}, class = '{class}' }}", exponential(ms));
    let steps = format!("[{}, {}, {}]", step(5.0, "view"), step(12.0, "search"), step(40.0, "buy"));
    let system = format!("{USERS}[server.web]\npublic = true\ncores = 2\nworkers = 500\nsteps = {steps}\n");
    let measured = Measured::of(&system, &["web"]);
    let model = format!(
        "{KNOWN}[server.web]\npublic = true\ncores = 2\nworkers = 500\nsteps = [{{ cpu = '10ms' }}]\n"
    );
    let (found, holds) = measured.fit(&model, &["--cpu", "web=DIR/web.csv", "--write", "DIR/fitted.toml"]);
    for (class, truth) in [("view", 5.0), ("search", 12.0), ("buy", 40.0)] {
        recovered(&found, "web", class, truth);
    }
    assert!(found["boxes"][0]["condition"].as_f64().expect("a number") < 30.0, "{found:#}");
    assert!(holds, "{}", found);
    let text = fs::read_to_string(measured.path("fitted.toml")).expect("the model with its costs");
    assert!(
        text.contains("class = \"buy\"") && text.contains("# fitted: ") && text.contains("web.csv "),
        "{text}"
    );
    assert!(!text.contains("10ms"), "{text}");
    let check = Command::cargo_bin("outgrow")
        .unwrap()
        .args(["check", &measured.path("fitted.toml")])
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
}

#[test]
fn costs_of_a_tier_and_its_database_are_recovered() {
    let system = format!(
        "{USERS}[server.web]\npublic = true\ncores = 2\ncount = 2\nworkers = 500\n\
         steps = [{{ cpu = {}, class = 'view' }}, {{ cpu = {}, class = 'search' }}, {{ cpu = {}, class = 'buy' }}, {{ query = 'db' }}]\n\
         [database.db]\ncores = 2\nread = {}\nwrite = {}\n",
        exponential(8.0),
        exponential(15.0),
        exponential(30.0),
        exponential(3.0),
        exponential(9.0),
    );
    let system = system.replace("target = 'web'", "target = 'lb'");
    let system = format!("{system}[balancer.lb]\npublic = true\ntargets = ['web']\n")
        .replace("[server.web]\npublic = true\n", "[server.web]\n");
    let measured = Measured::of(&system, &["web", "db"]);
    let model = format!(
        "{KNOWN}[balancer.lb]\npublic = true\ntargets = ['web']\n[server.web]\ncores = 2\ncount = 2\nworkers = 500\n\
         steps = [{{ cpu = '10ms' }}, {{ query = 'db' }}]\n[database.db]\ncores = 2\n"
    );
    let model = model.replace("target = 'web'", "target = 'lb'");
    let (found, holds) = measured
        .fit(&model, &["--cpu", "web=DIR/web.csv", "--cpu", "db=DIR/db.csv", "--write", "DIR/fitted.toml"]);
    for (name, sort, truth) in [
        ("web", "view", 8.0),
        ("web", "search", 15.0),
        ("web", "buy", 30.0),
        ("db", "read", 3.0),
        ("db", "write", 9.0),
    ] {
        recovered(&found, name, sort, truth);
    }
    assert!(holds, "{}", found);
    // What the model says of twice the load is what the system does at twice the load.
    let twice = system.replace("'50/s'", "'100/s'").replace("'20/s'", "'40/s'").replace("'4/s'", "'8/s'");
    fs::write(measured.path("twice.toml"), twice).expect("a system");
    let as_the_log = ["run.duration=1h", "run.warmup=0s", "run.trials=1", "network.client=0ms"];
    let truth = figures(&measured.path("twice.toml"), &[]);
    let predicted =
        figures(&measured.path("fitted.toml"), &[&as_the_log[..], &["users.trace.factor=2"]].concat());
    for (name, truth, predicted) in
        [("p50", truth.0, predicted.0), ("p95", truth.1, predicted.1), ("web", truth.2, predicted.2)]
    {
        assert!((predicted / truth - 1.0).abs() < 0.15, "{name}: predicted {predicted}, simulated {truth}");
    }
}

/// The p50 and p95 of a run in ms, and the busy share of `web-1`.
fn figures(scenario: &str, set: &[&str]) -> (f64, f64, f64) {
    let set = set.iter().flat_map(|set| ["--set", set]);
    let output = Command::cargo_bin("outgrow")
        .unwrap()
        .args(["run", scenario, "--no-try", "--json", "-"])
        .args(set)
        .output();
    let output = output.expect("it runs");
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mean =
        |at: &str| found.pointer(at).and_then(|one| one["mean"].as_f64()).unwrap_or_else(|| panic!("{at}"));
    (
        mean("/metrics/response_ms/p50"),
        mean("/metrics/response_ms/p95"),
        mean("/components/web-1/utilisation"),
    )
}

#[test]
fn without_busy_times_durations_at_low_load_are_the_most_that_work_costs() {
    let step = |ms: f64, class: &str| format!("{{ cpu = {}, class = '{class}' }}", exponential(ms));
    let steps = format!("[{}, {}, {}]", step(5.0, "view"), step(12.0, "search"), step(40.0, "buy"));
    let server = "[server.web]\npublic = true\ncores = 4\nworkers = 500\n";
    let measured = Measured::of(&format!("{USERS}{server}steps = {steps}\n"), &["web"]);
    let (found, _) =
        measured.fit(&format!("{KNOWN}{server}steps = [{{ cpu = '10ms' }}]\n"), &["--hold", "0%"]);
    for (class, truth) in [("view", 5.0), ("search", 12.0), ("buy", 40.0)] {
        let (value, ..) = cost(&found, "web", class);
        assert!((truth * 0.95..truth * 1.2).contains(&value), "{class}: {value} ms, not {truth}");
    }
    assert!(found["boxes"][0]["base"].is_null() && found["check"].is_null(), "{found}");
    assert!(found["settings"][0]["value"].as_str().expect("steps").contains("# at most: "), "{found}");
}

#[test]
fn a_mechanism_that_the_model_lacks_shows() {
    // The system has five connections to the database, which the model does not know of.
    let steps = format!("[{{ cpu = {} }}, {{ query = 'db' }}]", exponential(5.0));
    let database =
        format!("[database.db]\ncores = 16\nread = {}\nwrite = {}\n", exponential(45.0), exponential(45.0));
    let server = |pool: &str| {
        format!("[server.web]\npublic = true\ncores = 2\nworkers = 500\n{pool}steps = {steps}\n{database}")
    };
    let measured = Measured::of(&format!("{USERS}{}", server("db_pool = 5\n")), &["web", "db"]);
    let cpu = ["--cpu", "web=DIR/web.csv", "--cpu", "db=DIR/db.csv"];
    let (found, holds) = measured.fit(&format!("{KNOWN}{}", server("")), &cpu);
    assert!(!holds, "{}", found["check"]);
    let (found, holds) = measured.fit(&format!("{KNOWN}{}", server("db_pool = 5\n")), &cpu);
    assert!(holds, "{}", found);
}

#[test]
fn what_cannot_be_fitted_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write("log.csv", "t_s,class\n1,view\n2,view\n");
    write("cpu.csv", "t_s,cpu %\n0,10\n60,20\n");
    write("wide.csv", "t_s,user,sys\n0,10,1\n60,20,1\n");
    write("model.toml", &format!("{KNOWN}[server.web]\npublic = true\nsteps = [{{ cpu = '10ms' }}]\n"));
    write(
        "open.toml",
        "[client.u]\nrate = '1/s'\ntarget = 'web'\n[server.web]\npublic = true\nsteps = [{ cpu = '10ms' }]\n",
    );
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let fit = |model: &str, cpu: &[&str]| {
        let cpu: Vec<String> = cpu.iter().map(|part| part.replace("DIR", &path(""))).collect();
        let output =
            Command::cargo_bin("outgrow").unwrap().args(["fit", &path(model)]).args(cpu).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stdout));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(
        fit("model.toml", &["--cpu", "web=DIR/cpu.csv"]).contains("windows have both a load and a busy time")
    );
    assert!(
        fit("model.toml", &["--cpu", "wen=DIR/cpu.csv"])
            .contains("there is no box `wen`: there are users, web")
    );
    assert!(fit("model.toml", &["--cpu", "web=DIR/wide.csv"]).contains("#COLUMN"));
    let twice = ["--cpu", "web=DIR/cpu.csv", "--cpu", "web=DIR/cpu.csv"];
    assert!(fit("model.toml", &twice).contains("`web` has two files"));
    let cores = ["--cpu", "web=DIR/cpu.csv", "--cpu-unit", "cores"];
    assert!(fit("model.toml", &cores).contains("`web` has 1 cores, and 20 were busy"));
    assert!(fit("model.toml", &["--hold", "95%"]).contains("at most 90 %"));
    assert!(fit("model.toml", &["--cpu", "web=DIR/none.csv"]).contains("cannot read"));
    assert!(fit("model.toml", &[]).contains("neither busy times were given nor has the log durations"));
    assert!(
        fit("open.toml", &["--cpu", "web=DIR/cpu.csv"]).contains("no client of the scenario has a `trace`")
    );
    assert!(Path::new(&path("model.toml")).exists());
}

/// The page of `fit` tells the limits that the program has.
#[test]
fn the_page_tells_the_limits_of_the_program() {
    let page = fs::read_to_string(crate::golden::root().join("docs/fit.md")).expect("the page");
    let page = page.split_whitespace().collect::<Vec<&str>>().join(" ");
    for limit in [
        format!("by more than a factor of {FACTOR_MAX}"),
        format!("off by more than {} points", 100.0 * BUSY_MAX),
        format!("a box is more than {:.0} % busy", 100.0 * FULL),
        format!("Clocks may differ by up to {LAG_MAX} windows"),
        format!("above {CONDITION_MAX} (Belsley"),
        "The last 30 % of the log, or `--hold`".to_owned(),
    ] {
        assert!(page.contains(&limit), "docs/fit.md does not say: {limit}");
    }
    let help = Command::cargo_bin("outgrow").unwrap().args(["fit", "--help"]).output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("[default: 30%]"));
}
