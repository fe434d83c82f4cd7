//! `compare` and `capacity` as scripts see them: JSON, exit codes, refusals; and the numbers of docs/decide.md.

use std::fs;
use std::process::{Command, Output};

use outgrow::components::KINDS;
use outgrow::experiment::result::RunResult;
use outgrow::experiment::runner::{self, RunOptions, Unwatched};
use outgrow::model::spec::NoFiles;
use outgrow::report::number::number;
use outgrow::report::validation::within;
use outgrow::scenario::load;
use serde_json::Value;

use crate::expectations::scenarios_apart;
use crate::golden::{compare, root, scenarios};

fn outgrow(line: &str) -> Output {
    // Blanks separate words; apostrophes quote a word with blanks.
    let words = line.split('\'').enumerate().flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![part.to_owned()],
    });
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    command.args(words).current_dir(root()).output().expect("the program starts")
}

fn json(line: &str) -> Value {
    let output = outgrow(&format!("{line} --json -"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{line}: {why}: {said}"))
}

/// Fails unless the command ends with this exit code, nothing on stdout, and these words on stderr.
#[track_caller]
fn fails(line: &str, code: i32, words: &str) {
    let output = outgrow(line);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{line}: {said}");
    assert!(output.stdout.is_empty() && said.contains(words), "{line}: {said}");
}

#[test]
fn a_scenario_against_itself_differs_by_nothing() {
    let found = json("compare mm4 mm4 --duration 5s --trials 3");
    assert_eq!((&found["schema"], &found["paired"]), (&"outgrow.compare/1".into(), &true.into()));
    let differences = found["differences"].as_array().unwrap();
    let metrics: Vec<&str> = differences.iter().map(|one| one["metric"].as_str().unwrap()).collect();
    assert_eq!(metrics, ["mean(response)", "p95(response)", "error_rate", "throughput"]);
    for one in differences {
        assert_eq!((&one["difference"]["mean"], &one["verdict"]), (&0.0.into(), &"same".into()), "{one}");
        assert_eq!(one["design"], "mm4 (2)");
    }
}

#[test]
fn a_limit_on_the_change_decides_the_exit_code() {
    let two = "compare mm4 mm4 --duration 20s --trials 4 --set '2?users.rate=340/s'";
    let code = |limit: &str| outgrow(&format!("{two} --fail-on '{limit}'")).status.code();
    assert_eq!((code("mean(response) +5%"), code("throughput -50%")), (Some(4), Some(0)));
    let text = String::from_utf8(outgrow(two).stdout).unwrap();
    for words in ["mm4 users.rate=340/s against mm4", "not the same customers", "worse", "warning: "] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn a_curve_has_a_line_a_design() {
    let found = json(
        "compare mm1 mm1 --set '2?box.cores=2' --duration 20s --trials 3 --vary users.rate=10/s..90/s:5",
    );
    let lines = found["curve"]["lines"].as_array().unwrap();
    assert_eq!((&lines[0]["design"], &lines[1]["design"]), (&"mm1".into(), &"mm1 box.cores=2".into()));
    assert_eq!(lines[0]["points"][4]["x"], 90.0);
    // For M/M/1, throughput over response time, rate x (mu - rate), is greatest at half of mu.
    assert_eq!(lines[0]["knee"], 2);
    let text = words(
        "compare mm1 mm1 --set '2?box.cores=2' --duration 20s --trials 3 --vary users.rate=10/s..90/s:5",
    );
    assert!(text.contains("mm1 over users.rate, knee between 30/s and 70/s"), "no point of the grid: {text}");
}

/// A helper that waits, with too few workers beyond 20 requests a second.
const HELPER: &str = "run = { duration = '20s', trials = 3 }\nclient.u = { target = 'v', rate = '100/s' }\n\
    server.v = { public = true, cores = 8, steps = [{ call = 'w' }] }\n\
    server.w = { cores = 8, workers = 20, steps = [{ wait = '1s' }] }\n";

#[test]
fn what_the_check_says_of_the_load_found_is_printed() {
    let (_folder, path) = file(HELPER);
    // A queue that grows for 20 s only is told from noise a little late, so that the answer lies beyond 20/s.
    let text = words(&format!("capacity {path} --slo 'errors < 90%' --trials 3"));
    assert!(text.contains("the workers of `w`"), "{text}");
    let found = json(&format!("capacity {path} --slo 'errors < 90%' --trials 3"));
    let warned = found["warnings"].as_array().unwrap();
    assert!(warned.iter().any(|one| one.as_str().unwrap().contains("the workers of `w`")), "{found}");
}

#[test]
fn a_capacity_is_found_with_what_binds_and_where_it_collapses() {
    let found = json("capacity mm1 --slo 'p99 < 300ms, errors < 0.1%' --duration 100s --trials 5");
    assert_eq!((&found["schema"], &found["verdict"]), (&"outgrow.capacity/1".into(), &"found".into()));
    assert_eq!((&found["load"]["key"], &found["load"]["unit"]), (&"users.rate".into(), &"per_s".into()));
    assert_eq!(
        (&found["at"]["bottleneck"]["resource"], &found["binding"]),
        (&"cpu".into(), &"p99(response) < 300ms".into())
    );
    assert_eq!(found["collapse"]["how"], "no steady state");
    let text =
        String::from_utf8(outgrow("capacity closed --slo 'mean < 1ms' --duration 20s --trials 3").stdout)
            .unwrap();
    assert!(text.contains("holds at no load, not even at 1 user"), "{text}");
}

/// For every shipped scenario the search ends, with a highest load or with a sentence that says why there is none: for every fourth of them,
/// and for all with `STUDY=1`.
#[test]
fn the_capacity_of_every_scenario_is_found_or_it_is_said_why_not() {
    for (stem, _) in scenarios().into_iter().step_by(scenarios_apart()) {
        let fewer = if stem == "million-users" { "--set users.users=20000 --set web.count=1" } else { "" };
        // In short trials the goodput of the first two falls too slowly for the search to bracket the fall. The third has a full cache
        // without its fault, and what it does not have is not done before the end.
        let slow = ["01-single-server", "05-scale-up-wall", "42-cold-cache"];
        let is_slow = slow.contains(&stem.as_str());
        let long = if is_slow { "3s" } else { "500ms" };
        let line = format!("--no-faults --duration {long} --trials 2 --slo 'mean < 300ms, errors < 1%'");
        let found = json(&format!("capacity scenarios/{stem}.toml {line} {fewer}"));
        match (found["low"].as_f64(), found["estimate"].as_f64(), found["high"].as_f64()) {
            (Some(low), Some(load), Some(high)) => assert!(low <= load && load <= high, "{stem}: {found}"),
            _ => assert!(!found["notes"].as_array().unwrap().is_empty(), "{stem}: {found}"),
        }
        assert_eq!(found["complete"], true, "{stem}");
    }
}

#[test]
fn a_search_that_cannot_tell_says_why() {
    let notes = |line: &str| json(line)["notes"].to_string();
    // 1600 requests are too few for a p99, and at twice the load there is no steady state.
    let few = notes("capacity mm1 --slo 'p99 < 300ms' --duration 20s --trials 2");
    assert!(few.contains("p99(response) takes 2000 answered requests a trial"), "{few}");
    fails("capacity mm1 --slo 'lag < 1s' --duration 20s --trials 2", 2, "no replicas");
    // Rejected requests do not wait, so that response times alone never get worse.
    let alone = notes(
        "capacity mm1 --slo 'mean < 300ms' --duration 5s --trials 2 --set box.workers=1 --set box.queue=10",
    );
    assert!(alone.contains("requests fail") && alone.contains("errors < 1%"), "{alone}");
}

/// The output without its line breaks.
fn words(line: &str) -> String {
    let text = String::from_utf8(outgrow(line).stdout).expect("all output is text");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One replica that applies 200 writes a second.
const LAGS: &str = "run = { duration = '20s', trials = 3 }\nrequest.post = { effect = 'write' }\n\
    client.u = { target = 'web', rate = '100/s' }\n\
    server.web = { public = true, db_pool = 100, steps = [{ query = 'db' }] }\n\
    database.db = { cores = 4, write = '5ms', replicas = 1 }\n";

/// A file with this text, which lives as long as its folder.
fn file(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.toml");
    fs::write(&path, text).expect("a file");
    let path = path.to_str().expect("a path").to_owned();
    (folder, path)
}

#[test]
fn a_lag_that_grows_ends_the_capacity() {
    let (_folder, path) = file(LAGS);
    for slo in ["p99 < 200ms", "lag < 1s"] {
        let found = json(&format!("capacity {path} --slo '{slo}' --trials 3"));
        let of = |key: &str| found[key].as_f64().unwrap_or_else(|| panic!("{key}: {found}"));
        assert!((of("estimate") - 200.0).abs() < 3.0, "{slo}: {}", of("estimate"));
        assert!(of("low") <= 200.0 && of("high") >= 199.0, "{found}");
        assert_eq!(found["grows"], "the lag of `db` grows without end");
    }
    let text = words(&format!("capacity {path} --slo 'p99 < 200ms'"));
    for words in ["above it the lag of `db`", "lag grows", "beyond:", "p99 < 200ms"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(!text.contains("from the limit"), "{text}");
}

#[test]
fn what_happens_to_the_others_beyond_the_capacity_is_told() {
    let line = "capacity single-server --slo 'p99 < 300ms, errors < 0.1%' --duration 20s --trials 2 --set box.queue=100";
    let text = words(line);
    for words in ["p99 < 300ms", "errors < 0.1%", "✗ ", "of the requests are rejected", "goodput is "] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(!text.contains("collapse"), "{text}");
    let text = String::from_utf8(outgrow(line).stdout).unwrap();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn trials_get_longer_where_a_percentile_needs_it_and_fewer_where_time_is_short() {
    let waits = "run = { duration = '20s', warmup = '5s', trials = 3 }\n\
        client.u = { target = 'lb', rate = '60/s', timeout = '60s' }\n\
        balancer.lb = { public = true, targets = ['web'] }\n\
        server.web = { count = 4, workers = 10, steps = [{ wait = '1s' }] }\n";
    let (_folder, path) = file(waits);
    let found = json(&format!("capacity {path} --slo 'p99 < 2s'"));
    assert!((36.0..40.0).contains(&found["estimate"].as_f64().unwrap()), "{found}");
    assert!(found["duration_s"].as_f64().unwrap() > 50.0, "{}", found["duration_s"]);
    assert!(found["notes"].to_string().contains("more than the scenario says"), "{}", found["notes"]);
    let short = json("capacity mm1 --slo 'mean < 100ms' --duration 20s --time 2s");
    assert!(short["notes"].to_string().contains("the time "), "{}", short["notes"]);
}

#[test]
fn faults_that_make_the_objective_impossible_are_told_after_a_probe() {
    let found = json("capacity web-server-dies --slo 'errors < 0.01%' --set lb.retries=0 --trials 3");
    assert_eq!(found["verdict"], "never met");
    assert!(
        found["notes"].to_string().contains("miss the objective whatever the load"),
        "{}",
        found["notes"]
    );
    assert!(found["points"].as_array().unwrap().len() <= 2, "{}", found["points"]);
}

#[test]
fn semi_sync_shows_what_it_is_for_first() {
    let two = "compare primary-dies primary-dies --set '2?db.replication=semi-sync' --trials 3";
    let text = String::from_utf8(outgrow(two).stdout).unwrap();
    let row = |metric: &str| text.lines().position(|line| line.trim_start().starts_with(metric));
    let (header, lost, rto) = (row("metric").unwrap(), row("lost_writes").unwrap(), row("rto").unwrap());
    assert!(lost <= header + 4 && rto <= header + 4, "{text}");
    assert!(text.contains("primary-dies db.replication=semi-sync against primary-dies"), "{text}");
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(plain.contains("99 % of the requests within"), "{text}");
    for words in ["worse", "goal", "why primary-dies"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    let named = json(&format!("{two} --name old,new --metric rto,lost_writes"));
    let names: Vec<&str> =
        named["designs"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["old", "new"]);
    assert_eq!(named["differences"].as_array().unwrap().len(), 2);
}

#[test]
fn faults_that_a_shorter_duration_cuts_off_are_named() {
    let line = "capacity 07-web-server-dies --slo 'mean < 300ms' --duration 3s --trials 2";
    fails(line, 3, "note: without its faults the scenario can be searched: --no-faults");
    fails(line, 3, "the fault comes at");
}

#[test]
fn what_cannot_be_compared_or_searched_is_refused() {
    for (line, words) in [
        ("compare mm1", "one design cannot be compared"),
        ("compare mm1 mm4 --set '3?box.cores=2'", "there is no design `3`"),
        ("compare mm1 mm4 --set 'mm5?box.cores=2'", "did you mean"),
        ("compare mm1 mm4 --vary users.rate=9/s..1/s:3", "must rise"),
        ("compare mm1 mm4 --vary users.rate=1/s..9/s:3000", "from 2 to 1000"),
        ("compare mm1 mm4 --vary '1?users.rate=1/s,9/s'", "`mm4` has no --vary"),
        ("compare mm1 mm4 --vary users.rate=1/s,2/s --vary box.cores=1,2", "is varied twice"),
        ("compare mm1 mm4 --vary users.rate=1/s,2/s --set client.users.rate=3/s", "contradict each other"),
        ("compare mm1 mm4 --slo 'p99 < 1s'", "--vary"),
        ("compare mm1 mm4 --fail-on 'p98 +5%'", "did you mean \"p99\"?"),
        ("compare mm1 mm4 --precision 0%", "--precision"),
        ("compare mm1 mm4 --metric 'p98'", "did you mean \"p99\"?"),
        ("compare mm1 mm4 --name a", "--name has 1 names"),
        ("compare mm1 mm4 --name a,a", "two designs the name `a`"),
        ("capacity mm1 --slo 'p99 < 1s' --time 0s", "--time"),
        ("capacity mm1", "--slo"),
        ("capacity mm1 --slo 'p98 < 1s'", "did you mean \"p99\"?"),
        ("capacity mm1 --slo 'throughput > 5/s'", "no highest load"),
        ("capacity mm1 --slo 'p99 < 1s' --load users.rats", "did you mean `users.rate`?"),
    ] {
        fails(line, 2, words);
    }
    fails("compare mm1 mm4 --vary bx.cores=1,2", 3, "did you mean `box`?");
    fails("compare mm1 nope", 3, "there is neither a file nor a built-in scenario");
}

/// Fails unless the part of the page between these marks is `part`. `UPDATE=1` rewrites it.
fn on_the_page(name: &str, part: &str) {
    let path = root().join("docs/decide.md");
    let page = fs::read_to_string(&path).expect("the page");
    let made = within(&page, name, part).unwrap_or_else(|| panic!("the page has no marks of {name}"));
    compare(&path, &made).unwrap_or_else(|message| panic!("{message}, here with\n{part}"));
}

#[test]
fn the_capacity_of_mm1_is_that_of_its_percentile() {
    // p99 = ln(100) / (mu - lambda) < 300 ms holds for lambda < 100 - ln(100) / 0.3 = 84.65.
    let exact = 100.0 - libm::log(100.0) / 0.3;
    let (seeds, trials, seconds) = (5, 8, 200);
    let (mut held, mut width, mut widest, mut sum) = (0, 0.0, 0.0_f64, 0.0);
    for seed in 1..=seeds {
        let line = format!(
            "capacity mm1 --slo 'p99 < 300ms' --set run.warmup=20s --seed {seed} \
             --trials {trials} --duration {seconds}s"
        );
        let found = json(&line);
        let of = |key: &str| found[key].as_f64().unwrap_or_else(|| panic!("{key}: {found}"));
        let (low, high, estimate) = (of("low"), of("high"), of("estimate"));
        assert!(low <= estimate && estimate <= high && high - low < 8.0, "{low} {estimate} {high}");
        assert!((estimate - exact).abs() < 3.0, "{estimate}");
        assert_eq!(found["at"]["bottleneck"]["component"], "box");
        let collapse = &found["collapse"];
        let (from, to) = (collapse["low"].as_f64().unwrap(), collapse["high"].as_f64().unwrap());
        assert!(from < 101.0 && to > 97.0, "{collapse}");
        assert!(found["points"].as_array().unwrap().len() <= 30, "{}", found["points"]);
        held += u32::from(low <= exact && exact <= high);
        (width, widest, sum) = (width + high - low, widest.max(high - low), sum + estimate);
    }
    assert!(held >= seeds - 1, "{held} of {seeds} intervals hold {exact}");
    let mean = |sum: f64| number(sum / f64::from(seeds));
    let part = format!(
        "Of {seeds} seeds, with {trials} trials of {seconds} s, {held} intervals hold it; they are {}/s wide on average, {}/s at most, and the mean\n\
         of the estimates is {}/s.\n",
        mean(width),
        number(widest),
        mean(sum)
    );
    on_the_page("capacity", &part);
}

/// The mean response time of each trial at a load, in ms: with sixteen cores on one machine, or four cores on each of
/// four machines behind a balancer.
fn means(policy: Option<&str>, rate: u32) -> Vec<f64> {
    let (target, count, cores) = if policy.is_some() { ("lb", 4, 4) } else { ("web", 1, 16) };
    let balancer = policy.map_or(String::new(), |policy| {
        format!("[balancer.lb]\npublic = true\ntargets = ['web']\npolicy = '{policy}'\n")
    });
    let text = format!(
        "[run]\nduration = '{PAIRED_SECONDS}s'\nwarmup = '2s'\n[network]\nclient = '0ms'\nsame_zone = '0ms'\n\
         [client.users]\nrate = '{rate}/s'\ntarget = '{target}'\n{balancer}\
         [server.web]\npublic = {}\ncount = {count}\ncores = {cores}\nscheduling = 'fifo'\nworkers = 100000\n\
         memory_per_call = '1KiB'\nmemory = '16GiB'\n\
         steps = [{{ cpu = {{ dist = 'exponential', mean = '10ms' }} }}]\n",
        policy.is_none()
    );
    let loaded = load("a.toml", &text, &[], &NoFiles, KINDS);
    let scenario = loaded.unwrap_or_else(|found| panic!("{}", found.render(false))).scenario;
    let options = RunOptions { seed: 1, trials: 0..PAIRED_TRIALS, jobs: 0, length: scenario.length() };
    let result = RunResult::new(&scenario, &options, &runner::run(&scenario, &options, &Unwatched));
    result.metrics.response_ms.mean.trials.iter().copied().flatten().collect()
}

const PAIRED_TRIALS: u32 = 40;
const PAIRED_SECONDS: u32 = 20;

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (values.len() as f64 - 1.0)
}

/// With independent customers the variances of two designs add up. With the same customers their common part cancels.
#[test]
fn the_same_customers_need_at_most_half_the_trials() {
    let mut part =
        "| balancer of the four | load | variance, same against other customers | least possible |\n\
                    |---|---|---|---|\n"
            .to_owned();
    for (rate, policies) in [(1440, &["least-connections", "round-robin", "random"][..]), (800, &["random"])]
    {
        let one = means(None, rate);
        for policy in policies {
            let four = means(Some(policy), rate);
            let differences: Vec<f64> = four.iter().zip(&one).map(|(four, one)| four - one).collect();
            let (a, b) = (variance(&one), variance(&four));
            let ratio = variance(&differences) / (a + b);
            // The ratio is least if the results of one design are the other's times a constant.
            let least = 1.0 - 2.0 * (a * b).sqrt() / (a + b);
            assert_eq!(differences.len(), PAIRED_TRIALS as usize);
            assert!(least <= ratio && ratio < least + 0.2, "{policy} at {rate}/s: {ratio}, at least {least}");
            assert!(ratio <= 0.5 || (*policy, rate) == ("random", 1440), "{policy} at {rate}/s: {ratio}");
            let load = rate / 16;
            part += &format!("| {} | {load} % | {ratio:.3} | {least:.3} |\n", policy.replace('-', " "));
        }
    }
    on_the_page("pairing", &part);
}

const AT_COST: &str = "compare scale-up-at-cost scale-out-at-cost --slo 'p95 < 400ms'";
const SIZES: &str = "m7i.large,m7i.xlarge,m7i.2xlarge,m7i.4xlarge,m7i.8xlarge,m7i.16xlarge,m7i.24xlarge,\
                     m7i.48xlarge,m8i.96xlarge";
const NUMBERS: &str = "1,2,4,8,16,32,64,96";

/// The points of both designs with their capacity under the objective, from `compare` with these sizes and numbers.
fn at_cost(sizes: &str, numbers: &str, more: &str) -> [Vec<Value>; 2] {
    let line = format!(
        "{AT_COST} --vary 'scale-up-at-cost?app.instance={sizes}' --vary 'scale-out-at-cost?app.count={numbers}' {more}"
    );
    let found = json(&line);
    [0, 1].map(|line| found["curve"]["lines"][line]["points"].as_array().expect("points").clone())
}

/// The row of a point: value, price, capacity, cost of a million requests, and busy share.
fn row(point: &Value) -> String {
    let (at, capacity) = (&point["at"], &point["capacity"]);
    let of = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value} of {}", point["value"]));
    let million: f64 = format!("{:.2e}", of(&at["cost_usd_per_million"])).parse().expect("a number");
    let (low, high) = (number(of(&capacity["low"])), number(of(&capacity["high"])));
    format!(
        "| {} | {} | {low} to {high}/s | {} | {:.0} % |\n",
        point["value"].as_str().expect("a word"),
        number(of(&at["cost_usd_per_hour"])),
        number(million),
        100.0 * of(&at["bottleneck"]["utilisation"])
    )
}

/// A row of the page: value, price, both ends of its capacity, USD per million requests, and busy share.
#[derive(Debug)]
struct Documented {
    line: String,
    value: String,
    price: f64,
    low: f64,
    high: f64,
    million: f64,
    busy: f64,
}

/// The rows of a table of the page.
fn documented(name: &str) -> Vec<Documented> {
    let page = fs::read_to_string(root().join("docs/decide.md")).expect("the page");
    let (_, after) = page.split_once(&format!("<!-- begin {name} -->\n")).expect("the page has its marks");
    let (table, _) = after.split_once("<!-- end").expect("the page has its marks");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let number = |text: &str| text.replace(',', "").parse::<f64>().expect("a number");
        let (low, high) = cells[3].trim_end_matches("/s").split_once(" to ").expect("an interval");
        Documented {
            line: format!("{line}\n"),
            value: cells[1].to_owned(),
            price: number(cells[2]),
            low: number(low),
            high: number(high),
            million: number(cells[4]),
            busy: number(cells[5].trim_end_matches(" %")),
        }
    };
    table.lines().skip(2).map(row).collect()
}

/// Rows that are cheap to simulate must come out exactly. Some others are simulated with fewer and shorter trials,
/// and their intervals must overlap. `UPDATE=1` simulates and writes all rows, which takes minutes.
#[test]
fn the_page_tells_what_scaling_up_and_out_gives() {
    if std::env::var_os("UPDATE").is_some() {
        let all = at_cost(SIZES, NUMBERS, "");
        for ((name, first), points) in [("up", "size"), ("out", "number")].into_iter().zip(&all) {
            let head = format!(
                "| {first} | USD/h | load with p95 < 400 ms | USD per million requests | busy |\n|---|---|---|---|---|\n"
            );
            on_the_page(name, &(head + &points.iter().map(row).collect::<String>()));
        }
    }
    let known = [documented("up"), documented("out")];
    let values = |rows: &[Documented]| rows.iter().map(|row| row.value.clone()).collect::<Vec<_>>().join(",");
    assert_eq!((values(&known[0]), values(&known[1])), (SIZES.to_owned(), NUMBERS.to_owned()));
    let find = |known: &[Documented], point: &Value| {
        known.iter().position(|row| point["value"] == row.value.as_str()).expect("it is on the page")
    };
    for (known, points) in
        known.iter().zip(at_cost("m7i.large,m7i.xlarge,m7i.2xlarge,m7i.4xlarge", "1,2,4", ""))
    {
        for point in &points {
            assert_eq!(known[find(known, point)].line, row(point), "UPDATE=1 rewrites it");
        }
    }
    let less = "--trials 3 --duration 20s";
    for (known, points) in known.iter().zip(at_cost("m7i.16xlarge,m7i.48xlarge", "8,16", less)) {
        for point in &points {
            let row = &known[find(known, point)];
            let (low, high) = (&point["capacity"]["low"], &point["capacity"]["high"]);
            let (low, high) = (low.as_f64().unwrap(), high.as_f64().unwrap());
            assert!(low <= row.high && row.low <= high, "{low} to {high}, not {row:?}");
        }
    }
    conclusions(&known[0], &known[1]);
}

/// Checks the conclusions that the page draws from its tables.
fn conclusions(up: &[Documented], out: &[Documented]) {
    // Both ends of the capacity of a design at a price, interpolated between its sizes.
    let bears = |rows: &[Documented], price: f64| {
        let above = rows.iter().position(|row| row.price >= price).expect("a larger size").max(1);
        let (a, b) = (&rows[above - 1], &rows[above]);
        let share = (price - a.price) / (b.price - a.price);
        [a.low + share * (b.low - a.low), a.high + share * (b.high - a.high)]
    };
    for row in out {
        let [low, high] = bears(up, row.price);
        if row.price <= 0.31 {
            assert!(row.high < low, "up to 0.3 USD/h the large machine bears more: {row:?}");
        } else {
            assert!(row.low > high, "from 0.5 USD/h on it bears less: {row:?}");
        }
    }
    let level = up.iter().find(|row| row.price > 0.4).expect("0.4 USD/h");
    let [low, high] = bears(out, level.price);
    assert!(
        low <= level.high && level.low <= high,
        "at 0.4 USD/h both are level: {level:?}, {low} to {high}"
    );
    let last = up.last().expect("a size");
    assert!(last.busy < 11.0, "the last size bears what it does with a tenth of its cores: {last:?}");
    assert!(out.windows(2).all(|pair| pair[0].million > pair[1].million), "the price a request falls");
    assert!(up[2..].windows(2).all(|pair| pair[0].million < 1.05 * pair[1].million), "and here it rises");
}
