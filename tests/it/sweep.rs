//! `outgrow sweep`: grids, a journal that survives a kill, shards that merge to the same bytes, and refusals.

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A grid of six points; each takes a few milliseconds.
const GRID: [&str; 12] = [
    "sweep",
    "mm1",
    "--vary",
    "users.rate=20/s..80/s:3",
    "--vary",
    "box.cores=1,2",
    "--trials",
    "3",
    "--duration",
    "30s",
    "--set",
    "run.warmup=3s",
];

fn outgrow(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    outgrow(folder, arguments).output().expect("the program starts")
}

#[track_caller]
fn succeeds(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("all output is text")
}

#[track_caller]
fn fails(folder: &Path, arguments: &[&str], code: i32, words: &str) {
    let output = run(folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(said.contains(words), "{arguments:?}: {said}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&GRID[..], more].concat()
}

fn rows(csv: &str) -> Vec<std::collections::BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    reader.deserialize().map(|row| row.expect("every row has all columns")).collect()
}

#[test]
fn a_row_has_what_was_varied_and_what_a_run_of_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let text = succeeds(folder.path(), &with(&["--out", "-"]));
    assert!(text.starts_with("point,users.rate,users.rate_per_s,box.cores,seed,trials,"), "{text}");
    let rows = rows(&text);
    assert_eq!(rows.len(), 6);
    let row = &rows[3];
    let keys = ["point", "users.rate", "users.rate_per_s", "box.cores", "seed", "trials", "steady_state"];
    assert_eq!(keys.map(|key| row[key].as_str()), ["3", "50/s", "50.0", "2", "1", "3", "TRUE"]);
    assert_eq!((row["bottleneck"].as_str(), row["bottleneck_resource"].as_str()), ("box", "cpu"));
    let same = ["run", "mm1", "--set", "users.rate=50/s", "--set", "box.cores=2", "--trials", "3"];
    let same = [&same[..], &["--duration", "30s", "--set", "run.warmup=3s", "--json", "-"]].concat();
    let result: Value = serde_json::from_slice(&run(folder.path(), &same).stdout).unwrap();
    assert_eq!(row["fingerprint"], result["fingerprint"].as_str().unwrap());
    let number = |key: &str| row[key].parse::<f64>().ok();
    assert_eq!(number("throughput_rps"), result["metrics"]["throughput_rps"]["mean"].as_f64());
    assert_eq!(number("response_ms_p50_high"), result["metrics"]["response_ms"]["p50"]["high"].as_f64());
    assert_eq!(number("cost_usd_per_hour"), result["metrics"]["cost_usd_per_hour"]["mean"].as_f64());
    assert_eq!(row["expect_1"], result["expect"][0]["that"].as_str().unwrap());
    assert_eq!(row["expect_1_verdict"], result["expect"][0]["verdict"].as_str().unwrap());
    assert_eq!(number("expect_1_value"), result["expect"][0]["value"].as_f64());
}

#[test]
fn the_answer_of_a_sweep_is_on_stdout() {
    let folder = tempfile::tempdir().unwrap();
    let more = ["--metric", "p99, utilisation(box), goodput", "--out", "t.csv", "--charts", "c"];
    let text = succeeds(folder.path(), &with(&more));
    let lines: Vec<&str> = text.lines().collect();
    let header: Vec<&str> = lines[2].split_whitespace().collect();
    let names = ["rate", "cores", "verdict", "p99", "utilisation(box)", "goodput", "binds"];
    assert_eq!(header, names, "{text}");
    assert!(lines[3..9].iter().all(|line| line.contains("box cpu")), "{text}");
    assert!(text.contains("utilisation(box) goes with rate and cores"), "{text}");
    assert!(text.contains("goodput goes with rate"), "{text}");
    let row = &rows(&fs::read_to_string(folder.path().join("t.csv")).unwrap())[0];
    let number = |key: &str| row[key].parse::<f64>().unwrap();
    assert!((number("utilisation(box)") - 0.2).abs() < 0.05);
    assert!(number("goodput_low") < number("goodput") && number("goodput") < number("goodput_high"));
    for name in ["p99-response.svg", "utilisation-box.svg", "goodput.svg"] {
        assert!(folder.path().join("c").join(name).exists(), "{name}");
    }
    let short = with(&["--warmup", "1s", "--out", "-"]);
    assert!(rows(&succeeds(folder.path(), &short))[0]["warmup_s"].starts_with('1'));
}

#[test]
fn a_long_sweep_tells_its_progress_where_there_is_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let grid = ["sweep", "mm1", "--vary", "users.rate=10/s..60/s:21", "--trials", "2", "--duration", "10s"];
    let grid = [&grid[..], &["--set", "run.warmup=1s", "--out", "-"]].concat();
    let said = |more: &[&str]| {
        let output = run(folder.path(), &[&grid[..], more].concat());
        String::from_utf8(output.stderr).expect("all output is text")
    };
    let told = said(&[]);
    let lines: Vec<&str> = told.lines().filter(|line| line.contains("of 21 points")).collect();
    assert_eq!(lines.len(), 2, "a line every ten points: {told}");
    assert!(!said(&["--quiet"]).contains("of 21 points"));
}

#[test]
fn shards_merge_and_jobs_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = succeeds(folder, &with(&["--out", "-", "--jobs", "1"]));
    assert_eq!(whole, succeeds(folder, &with(&["--out", "-", "--jobs", "4"])));
    succeeds(folder, &with(&["--out", "whole.csv"]));
    succeeds(folder, &with(&["--out", "whole.json"]));
    for (shard, part) in [("1/3", "a.csv"), ("2/3", "b.json"), ("3/3", "c.csv")] {
        succeeds(folder, &with(&["--shard", shard, "--out", part]));
    }
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(rows(&read("a.csv")).len(), 2);
    succeeds(folder, &["sweep", "merge", "merged.csv", "c.csv", "a.csv", "b.json.journal"]);
    succeeds(folder, &["sweep", "merge", "merged.json", "a.csv", "b.json", "c.csv"]);
    assert_eq!((read("merged.csv"), read("whole.csv")), (whole.clone(), whole));
    assert_eq!(read("merged.json"), read("whole.json"));
    let json: Value = serde_json::from_str(&read("whole.json")).unwrap();
    assert_eq!((&json["schema"], &json["vary"][1]["values"][1]), (&"outgrow.sweep/1".into(), &"2".into()));
    assert_eq!(json["rows"].as_array().map(Vec::len), Some(6));
    assert!(!folder.join("whole.csv.journal").exists(), "its work is done");

    fails(folder, &["sweep", "merge", "x.csv", "a.csv", "c.csv"], 1, "2 of 6 points are missing (1, 4)");
    fails(folder, &["sweep", "merge", "x.csv", "whole.csv"], 1, "not a journal of a sweep");
    fails(folder, &["sweep", "merge", "x.csv", "none.csv"], 1, "none.csv");
    fails(folder, &["sweep", "merge", "x.txt", "a.csv"], 2, ".parquet");
    succeeds(folder, &with(&["--shard", "1/3", "--seed", "9", "--out", "other.csv"]));
    fails(
        folder,
        &["sweep", "merge", "x.csv", "a.csv", "other.csv"],
        1,
        "different sweeps: seed is 9 in the second",
    );
    assert!(!folder.join("x.csv").exists());
}

#[test]
#[cfg(unix)]
fn a_sweep_that_is_killed_again_and_again_comes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let grid = ["sweep", "mm1", "--vary", "users.rate=10/s..90/s:40", "--trials", "2", "--duration", "60s"];
    let arguments = [&grid[..], &["--set", "run.warmup=5s", "--resume", "--out"]].concat();
    succeeds(folder, &[&arguments[..], &["whole.csv"]].concat());
    let arguments = [&arguments[..], &["killed.csv"]].concat();
    let journal = folder.join("killed.csv.journal");
    let lines = || fs::read(&journal).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count());
    let (mut kills, mut random) = (0, 12345_u64);
    while kills < 10 {
        let before = lines();
        let mut child = outgrow(folder, &arguments).spawn().unwrap();
        // Kill every second run at any time, and the others after at least one of their points.
        while kills % 2 == 1 && lines() <= before && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_millis((random >> 33) % 60));
        child.kill().unwrap();
        if child.wait().unwrap().success() {
            // The sweep finished before the kill, so there is nothing to resume. Start it again.
            fs::remove_file(folder.join("killed.csv")).unwrap();
            continue;
        }
        kills += 1;
        assert!(lines() >= before, "a finished point was lost");
    }
    succeeds(folder, &arguments);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("killed.csv"), read("whole.csv"));
    let mut left: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with(".outgrow-"))
        .collect();
    left.sort();
    assert_eq!(left, ["killed.csv", "whole.csv"]);
}

#[test]
#[cfg(unix)]
fn an_interrupted_sweep_keeps_its_points_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // The first point is done at once, the second one never.
    let arguments = [
        "sweep",
        "mm1",
        "--vary",
        "run.duration=10s,5000h",
        "--trials",
        "1",
        "--set",
        "run.warmup=1s",
        "--out",
        "a.csv",
    ];
    let child = outgrow(folder, &arguments).spawn().unwrap();
    let journal = folder.join("a.csv.journal");
    while !fs::read_to_string(&journal).is_ok_and(|text| text.lines().count() == 2) {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("1 of 2 points are done") && said.contains("--resume"), "{said}");
    assert!(!folder.join("a.csv").exists());
    fails(folder, &arguments, 1, "1 of 2 points of this very sweep: --resume goes on with it");
    let other = |more: &[&'static str]| [&arguments[..], &["--resume"], more].concat();
    fails(folder, &other(&["--seed", "2"]), 1, "another sweep: seed is null there and 2 here");
    fails(folder, &other(&["--shard", "1/2"]), 1, "it has all points there and shard 1/2 here");
    fails(folder, &other(&["--set", "box.cores=2"]), 1, "another sweep: set is ");
}

#[test]
fn what_cannot_be_swept_is_told_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let sweep = |more: &[&'static str]| [&["sweep", "mm1"], more].concat();
    for (more, code, words) in [
        (&[][..], 2, "--vary"),
        (&["--vary", "box.cores"], 2, "KEY=A,B,C"),
        (&["--vary", "users.rate=1/s..9/s"], 2, "1/s..9/s:10"),
        (&["--vary", "box.cores=1,,2"], 2, "missing"),
        (&["--vary", "box.cores=1", "--vary", "box.cores=2"], 2, "varied twice"),
        (&["--vary", "box.cores=1..1000:1000", "--vary", "run.seed=1..1000:1000"], 2, "1000000 points"),
        (&["--vary", "box.cores=1,2,3", "--max-points", "2"], 2, "--max-points"),
        (&["--vary", "box.cores=1", "--shard", "1/2"], 2, "--out"),
        (&["--vary", "box.cores=1", "--shard", "3/2", "--out", "a.csv"], 2, "as in 1/4"),
        (&["--vary", "box.cores=1", "--resume"], 2, "--out"),
        (&["--vary", "box.cores=1", "--shard", "1/2", "--out", "-"], 2, "need a file"),
        (&["--vary", "box.cores=1", "--metric", "rtx"], 2, "did you mean \"rto\"?"),
        (&["--vary", "box.cores=1", "--metric", "p99 < 3s"], 2, "a metric alone"),
        (&["--vary", "run.warmup=1s,2s", "--warmup", "3s"], 2, "--warmup and --vary run.warmup contradict"),
        (&["--vary", "box.cores=1", "--out", "a.xlsx"], 2, ".csv, .json or .parquet"),
        (&["--vary", "box.cores=1", "--out", "none/a.csv"], 1, "the folder `none` does not exist"),
        (&["--vary", "run.seed=1..3", "--seed", "4"], 2, "--seed and --vary run.seed contradict"),
        (&["--vary", "box.cores=1", "--vary", "server.box.cores=2"], 2, "varied twice"),
        (
            &["--vary", "box.cores=1,2", "--set", "server.box.cores=3"],
            2,
            "--set and --vary box.cores contradict",
        ),
        (&["--vary", "box.cores=1,2", "--set", "box.cores=3"], 2, "--set and --vary box.cores contradict"),
        (&["--vary", "bx.cores=1,2"], 3, "did you mean `box`?"),
        (
            &["--vary", "box.cores=1,2,0,-1", "--duration", "5000h"],
            3,
            "this is point 2: box.cores=0; 1 other point",
        ),
        (&["--vary", "users.rate=50/s,150/s", "--strict", "--duration", "5000h"], 3, "--strict"),
    ] {
        fails(folder, &sweep(more), code, words);
    }
    if cfg!(not(feature = "parquet")) {
        fails(folder, &sweep(&["--vary", "box.cores=1", "--out", "a.parquet"]), 2, "--features parquet");
    }
    assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn strict_ends_with_four_where_an_expectation_does_not_hold() {
    let folder = tempfile::tempdir().unwrap();
    let quick = ["--trials", "3", "--duration", "20s", "--set", "run.warmup=2s"];
    let strict = ["sweep", "mm1", "--vary", "users.rate=20/s,80/s", "--strict"];
    assert_eq!(run(folder.path(), &[&strict[..], &quick].concat()).status.code(), Some(4));
}
