//! Sweeps in parts: killed, cut, doubled and full parts come to the same bytes, and what is missing is told with its cure.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A grid of twelve points; each takes a few milliseconds.
const GRID: [&str; 10] = [
    "sweep",
    "mm1",
    "--vary",
    "users.rate=20/s..80/s:12",
    "--trials",
    "2",
    "--duration",
    "20s",
    "--warmup",
    "2s",
];

/// Variables that an engine may have set for this test itself.
const ENGINES: [&str; 7] = [
    "SLURM_ARRAY_TASK_ID",
    "AWS_BATCH_JOB_ARRAY_INDEX",
    "JOB_COMPLETION_INDEX",
    "SGE_TASK_ID",
    "HQ_TASK_ID",
    "CI_NODE_INDEX",
    "OUTGROW_SHARDS",
];

fn outgrow(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    command.args(arguments).current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    for name in ENGINES {
        command.env_remove(name);
    }
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the program, which must end with this code. Returns what it said on stderr.
#[track_caller]
fn ends(folder: &Path, arguments: &[&str], code: i32) -> String {
    let output = outgrow(folder, arguments).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
    said(&output)
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&GRID[..], more].concat()
}

fn shard<'a>(part: &'a str, out: &'a str) -> Vec<&'a str> {
    with(&["--shard", part, "--out", out, "--jobs", "1"])
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The table of the whole sweep.
fn whole(folder: &Path) -> String {
    ends(folder, &with(&["--out", "whole.csv"]), 0);
    read(folder, "whole.csv")
}

fn lines(path: &Path) -> usize {
    fs::read(path).map_or(0, |text| text.iter().filter(|byte| **byte == b'\n').count())
}

/// Numbers that look random and are the same every time.
struct Draws(u64);

impl Draws {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % below as u64) as usize
    }
}

/// Kills a shard as soon as this number of its points is done.
fn killed(mut child: Child, journal: &Path, points: usize) {
    while lines(journal) < points + 1 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(200));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_shard_that_is_killed_at_any_point_goes_on_and_the_merge_is_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = whole(folder);
    let mut draws = Draws(20);
    for round in 0..10 {
        let parts = format!("parts-{round}/");
        let victim = 1 + draws.next(3);
        let points = draws.next(4);
        let name = format!("{victim}/3");
        let journal = folder.join(&parts).join(format!("part-00{victim}-of-003.csv.journal"));
        killed(outgrow(folder, &shard(&name, &parts)).spawn().unwrap(), &journal, points);
        for part in ["1/3", "2/3", "3/3"] {
            ends(folder, &shard(part, &parts), 0);
        }
        ends(folder, &["sweep", "merge", "all.csv", &parts], 0);
        assert!(
            read(folder, "all.csv") == whole,
            "round {round}: shard {name}, killed after {points} points"
        );
    }
}

#[test]
fn a_journal_that_is_cut_anywhere_resumes_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ends(folder, &shard("2/3", "parts/"), 0);
    let table = read(folder, "parts/part-002-of-003.csv");
    let journal = folder.join("parts/part-002-of-003.csv.journal");
    let bytes = fs::read(&journal).unwrap();
    let ends_of_lines: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|it| it.0).collect();
    let from = ends_of_lines[ends_of_lines.len() - 3] + 1;
    let mut draws = Draws(5);
    for _ in 0..12 {
        let cut = from + draws.next(bytes.len() - from);
        fs::write(&journal, &bytes[..cut]).unwrap();
        fs::remove_file(folder.join("parts/part-002-of-003.csv")).unwrap();
        ends(folder, &shard("2/3", "parts/"), 0);
        assert!(fs::read(&journal).unwrap() == bytes, "cut at byte {cut} of {}", bytes.len());
        assert!(read(folder, "parts/part-002-of-003.csv") == table, "cut at byte {cut}");
    }
}

#[test]
fn the_same_shard_twice_at_once_is_one_part() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = whole(folder);
    for round in 0..5 {
        let parts = format!("twice-{round}/");
        let both = [(); 2].map(|()| outgrow(folder, &shard("1/2", &parts)).spawn().unwrap());
        let both = both.map(|child| child.wait_with_output().unwrap());
        let codes: Vec<Option<i32>> = both.iter().map(|output| output.status.code()).collect();
        assert!(codes.contains(&Some(0)), "{}{}", said(&both[0]), said(&both[1]));
        for output in both.iter().filter(|output| output.status.code() != Some(0)) {
            assert!(said(output).contains("belongs to a sweep that is running"), "{}", said(output));
        }
        ends(folder, &shard("2/2", &parts), 0);
        ends(folder, &["sweep", "merge", "all.csv", &parts], 0);
        assert!(read(folder, "all.csv") == whole, "round {round}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_sweep_that_runs_is_named_by_its_process() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let long = [
        "sweep",
        "mm1",
        "--vary",
        "users.rate=20/s,30/s",
        "--duration",
        "5000h",
        "--out",
        "a.csv",
        "--resume",
    ];
    let mut child = outgrow(folder, &long).spawn().unwrap();
    while lines(&folder.join("a.csv.journal")) == 0 && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    // The lock is taken after the header is written.
    std::thread::sleep(Duration::from_millis(200));
    let refused = ends(folder, &long, 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let named = format!("`a.csv.journal` belongs to a sweep that is running, process {}: ", child.id());
    assert!(refused.contains(&named), "{refused}");
}

#[test]
#[cfg(unix)]
fn where_there_is_no_space_it_is_said_and_the_shard_goes_on_later() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = whole(folder);
    ends(folder, &shard("2/2", "parts/"), 0);
    let program = assert_cmd::cargo::cargo_bin!("outgrow").display().to_string();
    let words: Vec<String> = shard("1/2", "parts/").iter().map(|word| format!("'{word}'")).collect();
    // No file may be larger than 12 KiB, which is that of a few points; the signal would end the program.
    let script = format!("trap '' XFSZ; ulimit -f 24; exec '{program}' {}", words.join(" "));
    let output = Command::new("bash").args(["-c", &script]).current_dir(folder).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("part-001-of-002.csv.journal`: "), "{}", said(&output));
    ends(folder, &shard("1/2", "parts/"), 0);
    ends(folder, &["sweep", "merge", "all.csv", "parts"], 0);
    assert!(read(folder, "all.csv") == whole);
}

#[test]
fn the_environment_says_the_shard_and_stderr_says_from_what() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let run = |variables: &[(&str, &str)]| {
        let mut command = outgrow(folder, &shard("env", "parts/"));
        command.envs(variables.iter().copied()).output().unwrap()
    };
    let kubernetes = [("JOB_COMPLETION_INDEX", "2"), ("OUTGROW_SHARDS", "4")];
    let output = run(&kubernetes);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("this is shard 3/4, by JOB_COMPLETION_INDEX=2"), "{}", said(&output));
    assert!(said(&output).contains("shard 3/4 is done: 3 points in `parts/part-003-of-004.csv`"));
    assert!(output.stdout.is_empty());
    for (variables, why) in [
        (&[][..], "--shard env: none of these is set: SLURM_ARRAY_TASK_ID"),
        (&kubernetes[..1], "OUTGROW_SHARDS is not set"),
        (&[kubernetes[0], ("HQ_TASK_ID", "1")], "JOB_COMPLETION_INDEX, HQ_TASK_ID are set"),
    ] {
        let output = run(variables);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
    }
}

#[test]
fn a_part_that_is_there_already_is_told_apart_from_that_of_another_sweep() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    ends(folder, &shard("1/4", "p.csv"), 0);
    let same = ends(folder, &shard("1/4", "p.csv"), 1);
    assert!(same.contains("has 3 of 3 points of this very sweep: --resume goes on with it"), "{same}");
    let other = ends(folder, &[&shard("1/4", "p.csv")[..], &["--seed", "9"]].concat(), 1);
    assert!(other.contains("left from another sweep: seed is null there and 9 here"), "{other}");
    let other = ends(folder, &shard("2/4", "p.csv"), 1);
    assert!(other.contains("it has shard 1/4 there and shard 2/4 here"), "{other}");
    let again = ends(folder, &[&shard("1/4", "p.csv")[..], &["--resume"]].concat(), 0);
    assert!(again.contains("3 of 3 points are done already"), "{again}");
    let zero = ends(folder, &shard("0/4", "p.csv"), 2);
    assert!(zero.contains("I counts from 1: the first part is 1/4"), "{zero}");
    let alone = ends(folder, &with(&["--out", "parts/"]), 2);
    assert!(alone.contains("`parts/` is a folder: name a file, or --shard I/N"), "{alone}");
    assert!(!folder.join("parts").exists());
    let slash = ends(folder, &shard("1/4", "parts"), 2);
    assert!(slash.contains("`parts` does not say its format") && slash.contains("`parts/`"), "{slash}");
}

#[test]
fn what_is_missing_is_listed_with_the_commands_that_run_it() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let whole = whole(folder);
    ends(folder, &shard("1/3", "parts/"), 0);
    killed(
        outgrow(folder, &shard("3/3", "parts/")).spawn().unwrap(),
        &folder.join("parts/part-003-of-003.csv.journal"),
        2,
    );
    let refused = ends(folder, &["sweep", "merge", "all.csv", "parts/"], 1);
    assert!(
        refused.contains("of 12 points are missing (1, 4, ") && refused.contains("--partial"),
        "{refused}"
    );
    assert!(!folder.join("all.csv").exists());
    let partial = ends(folder, &["sweep", "merge", "--partial", "all.csv", "parts/"], 5);
    let rows = lines(&folder.join("all.csv")) - 1;
    assert!((5..=8).contains(&rows), "{rows} rows");
    let commands: Vec<&str> =
        partial.lines().filter_map(|line| Some(line.split_once(": outgrow ")?.1)).collect();
    assert!(partial.contains("shard 2/3 has no part, and lacks 4 of 4 points (1, 4, 7, 10)"), "{partial}");
    for command in &commands {
        ends(folder, &command.split(' ').collect::<Vec<_>>(), 0);
    }
    ends(folder, &["sweep", "merge", "--partial", "all.csv", "parts/"], 0);
    assert!(read(folder, "all.csv") == whole, "{partial}");
    let csv = outgrow(folder, &["sweep", "merge", "-", "parts/"]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&csv.stdout), whole);
    let order = ends(folder, &["sweep", "merge", "parts/"], 2);
    assert!(order.contains("outgrow sweep merge all.csv parts/"), "{order}");
}

#[test]
fn a_sweep_in_one_piece_and_foreign_parts_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    killed(
        outgrow(folder, &with(&["--out", "one.csv", "--jobs", "1"])).spawn().unwrap(),
        &folder.join("one.csv.journal"),
        2,
    );
    let one = ends(folder, &["sweep", "merge", "all.csv", "one.csv"], 1);
    assert!(
        one.contains("`one.csv.journal` is a sweep in one piece and has ") && one.contains(" of 12"),
        "{one}"
    );
    assert!(
        one.contains("--vary users.rate=20/s..80/s:12") && one.contains("--out one.csv --resume"),
        "{one}"
    );
    ends(folder, &shard("1/2", "parts/"), 0);
    ends(folder, &[&shard("2/2", "parts/deeper/")[..], &["--seed", "9"]].concat(), 0);
    fs::write(folder.join("parts/x.journal"), "notes").unwrap();
    let foreign = ends(folder, &["sweep", "merge", "all.csv", "parts"], 1);
    assert!(foreign.contains("are parts of different sweeps: seed is "), "{foreign}");
    let foreign = ends(folder, &["sweep", "merge", "all.csv", "parts", "--partial"], 5);
    assert!(
        foreign.contains("x.journal`: it is not a journal") && foreign.contains("it is left out"),
        "{foreign}"
    );
    assert!(foreign.contains("6 of 12 points are missing"), "{foreign}");
    fs::create_dir(folder.join("empty")).unwrap();
    let empty = ends(folder, &["sweep", "merge", "all.csv", "empty"], 1);
    assert!(empty.contains("`empty` has no parts"), "{empty}");
}
