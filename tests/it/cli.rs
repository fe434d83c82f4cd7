//! The command line as scripts see it: exit codes, stdout and stderr, files, interrupts.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// Options for a run that is short enough for a test and long enough for percentiles.
const QUICK: [&str; 4] = ["--duration", "20s", "--trials", "3"];

fn outgrow(arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    command.args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    outgrow(arguments).output().expect("the program starts")
}

fn run_in(folder: &Path, arguments: &[&str]) -> Output {
    outgrow(arguments).current_dir(folder).output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("all output is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("all output is text")
}

/// Fails unless the command ends with this exit code, nothing on stdout, and these words on stderr.
#[track_caller]
fn fails(arguments: &[&str], code: i32, words: &str) {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
    assert_eq!(stdout(&output), "", "{arguments:?}");
    assert!(stderr(&output).contains(words), "{arguments:?}: {}", stderr(&output));
}

fn quick<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &QUICK].concat()
}

#[test]
fn an_audit_says_what_it_has_found() {
    let output = run(&quick(&["run", "mm1", "--audit", "--quiet"]));
    let events = run(&["run", "mm1", "--json", "-", "--duration", "20s", "--trials", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stderr(&output);
    assert!(text.contains("run again, has the same ") && text.contains("accounts close for "), "{text}");
    let json: Value = serde_json::from_str(&stdout(&events)).expect("JSON");
    assert!(text.contains(&format!("same {} events", json["events"])), "{text}");
}

#[test]
fn a_summary_goes_to_stdout_and_nothing_else_there() {
    let output = run(&quick(&["run", "mm1", "--set", "users.rate=50/s"]));
    let text = stdout(&output);
    assert!(text.starts_with("M/M/1: one core"), "{text}");
    for words in ["3 trials of 20 s", "requests", "boxes", "p99(response) < 240ms"] {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    // Without a terminal there is no progress bar: stderr has only messages of the loader.
    assert!(!stderr(&output).contains('\r') && !stderr(&output).contains("trials"), "{}", stderr(&output));
}

#[test]
fn expectations_decide_the_exit_code() {
    let file = |rate: &str, bound: &str| {
        fs::read_to_string("scenarios/00-mm1.toml")
            .unwrap()
            .replace("80/s", rate)
            .split("[[expect]]")
            .next()
            .unwrap()
            .to_owned()
            + &format!("[[expect]]\nthat = \"mean(response) < {bound}\"\n")
    };
    let folder = tempfile::tempdir().unwrap();
    for (bound, code) in [("1s", 0), ("1us", 4)] {
        let path = folder.path().join("a.toml");
        fs::write(&path, file("50/s", bound)).unwrap();
        let output = run(&quick(&["run", path.to_str().unwrap()]));
        assert_eq!(output.status.code(), Some(code), "{}", stdout(&output));
    }
}

#[test]
fn a_verdict_shows_the_part_of_the_time_that_it_is_of() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let text = fs::read_to_string("scenarios/00-mm1.toml").unwrap().replace("80/s", "50/s");
    let window = "[[expect]]\nthat = 'mean(response) < 1s'\nduring = '12s..20s'\n";
    fs::write(&path, format!("{text}\n{window}")).unwrap();
    let (path, page) = (path.to_str().unwrap(), folder.path().join("a.html"));
    let output = run(&quick(&["run", path, "--report", page.to_str().unwrap()]));
    assert!(stdout(&output).contains("mean(response) < 1s  during 12s..20s  "), "{}", stdout(&output));
    assert!(fs::read_to_string(&page).unwrap().contains("mean(response) &#60; 1s  during 12s..20s"));
    let json: Value = serde_json::from_slice(&run(&quick(&["run", path, "--json", "-"])).stdout).unwrap();
    assert_eq!(
        (&json["expect"][1]["window"], &json["expect"][0]["window"]),
        (&"during 12s..20s".into(), &Value::Null)
    );
}

#[test]
fn checks_are_silent_until_they_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.toml");
    let text = fs::read_to_string("scenarios/00-mm1.toml").unwrap().replace("80/s", "50/s");
    let text = text.split("[[expect]]").next().unwrap();
    let text = text.replace("duration = \"30min\"", "duration = \"20s\"").replace("1min", "2s");
    let file = |near: &str| {
        let check = format!("[[check]]\nthat = 'throughput'\nnear = '{near}'\n");
        fs::write(&path, format!("{text}\n[[expect]]\nthat = 'errors < 1%'\n{check}")).unwrap();
    };
    let path = path.to_str().unwrap();
    let code = |output: &Output| output.status.code();
    for (near, status, words) in
        [("50/s ± 5/s", 0, "as expected      throughput"), ("20/s ± 5/s", 4, "NOT AS EXPECTED  throughput")]
    {
        file(near);
        let silent = run(&["run", path]);
        assert_eq!((code(&silent), stdout(&silent).contains("throughput")), (Some(0), false));
        let asked = run(&["run", path, "--checks"]);
        assert_eq!(code(&asked), Some(status), "{}", stdout(&asked));
        assert!(stdout(&asked).contains(words), "{}", stdout(&asked));
        let changed = run(&["run", path, "--checks", "--set", "users.rate=20/s"]);
        assert_eq!((code(&changed), stdout(&changed).contains("throughput")), (Some(0), false));
        assert_eq!(stderr(&changed), "checks are for the scenario as it is: left out\n");
        let checked = run(&["check", "--run", path]);
        assert_eq!(code(&checked), Some(status), "{}", stdout(&checked));
        let words =
            if status == 0 { "a.toml: 1 check as expected\n" } else { "0 of 1 check as expected\nNOT AS" };
        assert!(stdout(&checked).contains(words), "{}", stdout(&checked));
    }
}

#[test]
fn a_goal_can_be_added_on_the_command_line() {
    for (goal, code) in [("p50 < 1s, errors < 1%", 0), ("mean < 1us", 4)] {
        let output = run(&quick(&["run", "mm1", "--set", "users.rate=50/s", "--expect", goal]));
        assert_eq!(output.status.code(), Some(code), "{}", stdout(&output));
    }
    fails(&["run", "mm1", "--expect", "p99 < 300"], 2, "a duration needs a unit");
    fails(&["run", "mm1", "--expect", "rto < 3s"], 2, "the scenario has no replicas");
}

#[test]
fn what_cures_a_failure_in_the_chapter_ends_well() {
    let page = fs::read_to_string("docs/chapter.md").unwrap();
    // What is no cure says so in a comment.
    let is_cure =
        |line: &&str| line.starts_with("outgrow run") && line.contains("--set") && !line.contains('#');
    let cures: Vec<&str> = page.lines().filter(is_cure).collect();
    assert!(cures.len() >= 3, "{cures:?}");
    for cure in cures {
        let words = cure.split_whitespace().skip(1).take_while(|word| *word != "#");
        let words: Vec<&str> = words.map(|word| word.trim_matches('\'')).collect();
        let output = run(&[&words[..], &["--trials", "4", "--quiet"]].concat());
        assert_eq!(output.status.code(), Some(0), "{cure}: {}", stderr(&output));
    }
}

#[test]
fn bad_usage_is_two() {
    fails(&["run"], 2, "SCENARIO");
    fails(&["fly"], 2, "fly");
    fails(&["run", "mm1", "--jobs", "0"], 2, "--jobs");
    fails(&["run", "mm1", "--seed", "x"], 2, "--seed");
    fails(&["run", "mm1", "--seed", "-1"], 2, "-1");
    fails(&["run", "mm1", "--trials", "0"], 2, "--trials");
    fails(&["run", "mm1", "--duration", "10"], 2, "--duration");
    fails(&["run", "mm1", "--precision", "0%"], 2, "--precision");
    fails(&["run", "mm1", "--set", "count"], 2, "KEY=VALUE");
    fails(&["run", "mm1", "--until", "3s"], 2, "--trial");
    fails(
        &["trace", "mm1", "--request", "99999999", "--set", "run.duration=2s", "--set", "run.warmup=1s"],
        2,
        "request",
    );
    fails(&["new", "x", "--from", "mm2"], 2, "did you mean `mm1`?");
    fails(&["list", "instances", "--family", "m7x"], 2, "did you mean");
}

#[test]
fn bad_scenarios_are_three_and_say_where() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(path("empty.toml"), "").unwrap();
    fs::write(path("latin.toml"), b"title = 'x'\ntitle = '\xff'\n").unwrap();
    fs::write(path("wrong.toml"), "[server.web]\nwokers = 3\n").unwrap();
    fs::write(path("huge.toml"), vec![b'#'; 5 << 20]).unwrap();
    fails(&["run", "sngle-server"], 3, "did you mean `single-server`?");
    fails(&["run", &path("missing.toml")], 3, "there is no such file");
    fails(&["run", folder.path().to_str().unwrap()], 3, "it is a folder");
    fails(&["check", &path("empty.toml")], 3, "error:");
    fails(&["run", &path("latin.toml")], 3, "not UTF-8 text, see line 2");
    fails(&["check", &path("huge.toml")], 3, "more than 4 MiB");
    fails(&["explain", &path("wrong.toml")], 3, "wrong.toml:2:1");
    fails(&["run", "mm1", "--set", "bx.cores=2"], 3, "did you mean `box`?");
}

#[test]
fn all_scenarios_are_checked_before_the_first_is_run() {
    fails(&["run", "mm1", "sngle-server"], 3, "single-server");
    let output = run(&["check", "mm1", "sngle-server", "ps"]);
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(3), "mm1: ok\nps: ok\n"));
}

#[test]
fn a_warning_is_said_once() {
    let output = run(&["run", "single-server", "--trials", "1", "--duration", "5s", "--quiet"]);
    assert_eq!(stderr(&output).matches("is cut to 500ms").count(), 1, "{}", stderr(&output));
}

#[test]
fn strict_makes_warnings_errors() {
    let overloaded = ["run", "mm1", "--set", "users.rate=150/s", "--duration", "2s", "--trials", "1"];
    assert!(stderr(&run(&overloaded)).contains("% busy: "));
    fails(&[&overloaded[..], &["--strict"]].concat(), 3, "--strict");
}

#[test]
#[cfg(target_os = "linux")]
fn devices_that_are_full_or_without_end_are_told() {
    fails(&["run", "/dev/zero"], 3, "more than 4 MiB");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = outgrow(&["list"]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cannot write to stdout"));
}

#[test]
fn validation_says_what_agrees_and_ends_with_four_when_something_does_not() {
    let output = run(&["validate", "--case", "trace-5jobs"]);
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    assert!(
        stdout(&output).starts_with("theory and simulation agree: 20 values of 1 of 1 case\n"),
        "{output:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let case = r#"[{ "id": "mine", "params": { "arrivals": [0, 1], "sizes": [2, 2] }, "expected": { "completions_c1": [2, LAST] } },
        { "id": "other", "params": { "colour": 1 }, "expected": { "x": 1 } }]"#;
    fs::write(path("right.json"), case.replace("LAST", "4")).unwrap();
    fs::write(path("wrong.json"), case.replace("LAST", "5")).unwrap();
    fs::write(path("broken.json"), "{").unwrap();
    let right = run(&["validate", "--file", &path("right.json")]);
    assert_eq!(right.status.code(), Some(0));
    assert!(stdout(&right).contains("other: no kind of case has such parameters (colour)"));
    let wrong = run(&["validate", "--file", &path("wrong.json"), "--json", "-"]);
    let json: Value = serde_json::from_slice(&wrong.stdout).expect("stdout is one JSON document");
    assert_eq!((wrong.status.code(), &json["schema"]), (Some(4), &"outgrow.validation/1".into()));
    assert_eq!(
        (&json["values"][0]["verdict"], &json["values"][0]["measured"]),
        (&"differs".into(), &4.0.into())
    );
    let quiet = run(&["validate", "--file", &path("wrong.json"), "--quiet"]);
    assert_eq!((quiet.status.code(), stdout(&quiet).as_str()), (Some(4), ""));
    fails(&["validate", "--file", &path("broken.json")], 3, "it is not JSON");
    fails(&["validate", "--file", &path("none.json")], 3, "none.json");
    fails(&["validate", "--case", "mm1-rho81"], 2, "did you mean `mm1-rho80`?");
    fails(&["validate", "--coverage", "--repetitions", "0"], 2, "--repetitions");
    fails(&["validate", "--repetitions", "50"], 2, "--coverage");
    fails(&["validate", "--jobs", "0"], 2, "--jobs");
    fs::write(path("page.md"), "nothing").unwrap();
    fails(&["validate", "--coverage", "--case", "mm1", "--page", &path("page.md")], 2, "--case");
}

#[test]
fn a_validation_does_not_depend_on_the_number_of_jobs() {
    let with = |jobs: &str| {
        stdout(&run(&["validate", "--case", "timeout-retry-noqueue", "--json", "-", "--jobs", jobs]))
    };
    assert_eq!(with("1"), with("3"));
}

#[test]
fn quiet_is_quiet() {
    let output = run(&quick(&["run", "mm1", "--quiet"]));
    assert_eq!((stdout(&output).as_str(), stderr(&output).contains("trials")), ("", false));
}

#[test]
fn json_on_stdout_is_nothing_but_json() {
    let output = run(&quick(&["run", "single-server", "--json", "-"]));
    let result: Value = serde_json::from_slice(&output.stdout).expect("stdout is one JSON document");
    assert_eq!(result["schema"], "outgrow.result/1");
    assert_eq!((&result["trials"], &result["complete"]), (&3.into(), &true.into()));
    assert!(result["metrics"]["response_ms"]["mean"]["mean"].as_f64().is_some_and(|mean| mean > 40.0));
    let two = run(&quick(&["run", "mm1", "ps", "--json", "-"]));
    let results: Value = serde_json::from_slice(&two.stdout).expect("stdout is one JSON document");
    assert_eq!(results.as_array().map(Vec::len), Some(2));
}

#[test]
fn the_number_of_jobs_changes_no_byte() {
    let with = |jobs: &str| stdout(&run(&quick(&["run", "single-server", "--json", "-", "--jobs", jobs])));
    assert_eq!(with("1"), with("3"));
}

#[test]
fn a_result_that_cannot_be_written_is_known_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("none/x.json");
    for path in [nowhere.to_str().unwrap(), folder.path().to_str().unwrap()] {
        // The run would take minutes.
        fails(&["run", "mm1", "--duration", "300h", "--json", path], 1, "cannot write");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_scenario_may_come_from_stdin() {
    let file = fs::File::open("scenarios/00-mm1.toml").unwrap();
    let output = outgrow(&["check", "-"]).stdin(file).output().unwrap();
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "-: ok\n"));
}

#[test]
fn colours_are_for_those_who_want_them() {
    let shown = |variables: &[(&str, &str)]| {
        stdout(&outgrow(&["explain", "mm1"]).envs(variables.iter().copied()).output().unwrap())
    };
    assert!(!shown(&[]).contains('\u{1b}'));
    assert!(shown(&[("CLICOLOR_FORCE", "1")]).contains('\u{1b}'));
    assert!(!shown(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]).contains('\u{1b}'));
}

#[test]
fn a_reader_who_leaves_is_no_failure() {
    let mut child =
        outgrow(&["list", "instances"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), stderr(&output).as_str()), (Some(0), ""));
    let mut child = outgrow(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((line.as_str(), output.status.code(), stderr(&output).as_str()), ("{\n", Some(0), ""));
}

#[test]
#[cfg(unix)]
fn an_interrupted_run_keeps_what_is_done() {
    let folder = tempfile::tempdir().unwrap();
    // The run would take hours, so that the interrupt ends it.
    let arguments = ["run", "mm1", "--duration", "5000h", "--trials", "2", "--json", "x.json"];
    let child =
        outgrow(&arguments).current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    assert!(stdout(&output).contains("interrupted"));
    let result: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("x.json")).unwrap()).unwrap();
    assert_eq!(result["complete"], false);
    assert!(result["metrics"]["response_ms"]["mean"]["mean"].as_f64().is_some_and(|mean| mean > 0.0));
}

/// Waits until a process handles SIGINT, whose bit in the mask of its handled signals is 2.
#[cfg(target_os = "linux")]
fn await_handler(process: u32) {
    let handles = || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 2 > 0)
    };
    for _ in 0..600 {
        if handles() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the program handles no interrupt");
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupt_does_not_wait_for_the_end_of_a_window() {
    let folder = tempfile::tempdir().unwrap();
    // A window, which is the 600th part of a trial, has 600 million requests.
    let text = "[run]\nduration = '1h'\nwarmup = '0s'\ntrials = 1\n[client.u]\nrate = '20000000/s'\ntarget = 's'\n\
                [server.s]\npublic = true\nworkers = 1\nqueue = 1\nsteps = [{ cpu = '1h' }]\n";
    fs::write(folder.path().join("a.toml"), text).unwrap();
    let mut child = outgrow(&["run", "a.toml", "--quiet"]).current_dir(folder.path()).spawn().unwrap();
    await_handler(child.id());
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    // A million events take less than a second; the rest is for a busy machine.
    let ended = (0..20).find_map(|_| {
        std::thread::sleep(std::time::Duration::from_secs(1));
        child.try_wait().unwrap()
    });
    child.kill().unwrap();
    assert_eq!(ended.and_then(|status| status.code()), Some(130));
}

#[test]
#[cfg(target_os = "linux")]
fn help_that_cannot_be_written_is_a_failure() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = outgrow(&["--help"]).stdout(full).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn one_trial_can_be_replayed() {
    let replay = || stdout(&run(&["run", "mm1", "--seed", "7", "--trial", "3", "--until", "12500ms"]));
    let text = replay();
    assert!(text.starts_with("trial 3 of seed 7, 12.5 s simulated: "), "{text}");
    assert_eq!(text, replay());
}

#[test]
fn a_new_scenario_can_be_run_and_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let first = run_in(folder.path(), &["new", "mine", "--from", "mm1"]);
    assert_eq!(first.status.code(), Some(0));
    assert_eq!(run_in(folder.path(), &["check", "mine.toml"]).status.code(), Some(0));
    let second = run_in(folder.path(), &["new", "mine", "--from", "ps"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(stderr(&second).contains("exists"));
}

#[test]
fn what_is_made_from_the_command_line_is_complete() {
    let list = stdout(&run(&["list"]));
    assert!(list.lines().any(|line| line.contains("single-server") && line.contains("1.1")), "{list}");
    assert!(stdout(&run(&["completions", "bash"])).contains("--precision"));
    assert!(stdout(&run(&["man"])).starts_with(".ie"));
    assert!(serde_json::from_slice::<Value>(&run(&["schema"]).stdout).is_ok());
    assert!(stdout(&run(&["explain", "mm1", "--format", "mermaid"])).starts_with("flowchart TD"));
    assert!(stdout(&run(&["explain", "mm1", "--format", "dot"])).starts_with("digraph"));
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(run(&["man", "--out", folder.path().to_str().unwrap()]).status.code(), Some(0));
    assert!(folder.path().join("outgrow-run.1").is_file() && folder.path().join("outgrow.1").is_file());
}

#[test]
fn a_trace_tells_one_requests_life() {
    let text = stdout(&run(&[
        "trace",
        "mm1",
        "--request",
        "3",
        "--set",
        "run.duration=2s",
        "--set",
        "run.warmup=1s",
    ]));
    assert!(text.contains("box") && text.contains("ends ok"), "{text}");
}

#[test]
fn a_trace_tells_of_connections_that_are_opened_and_lost() {
    let trace = |request: &[&str], keys: &[&str]| {
        let short = ["--set", "run.duration=200s", "--set", "run.warmup=1s"];
        stdout(&run(&[&["trace", "keep-alive"][..], request, &short, keys].concat()))
    };
    assert!(trace(&["--request", "1"], &[]).contains("opens a connection for it: one round trip"));
    // A server that closes connections before the next call can come loses it.
    let lost = trace(&["--failed"], &["--set", "web.idle_timeout=4ms", "--set", "users.rate=400/s"]);
    assert!(lost.contains("over a connection that its callee does not know any more"), "{lost}");
}

#[test]
fn a_trace_finds_a_typical_the_slowest_and_a_failed_request() {
    let trace = |more: &[&str]| {
        let short = ["--set", "run.duration=20s", "--set", "run.warmup=1s"];
        run(&[&["trace", "single-server"][..], &short, more].concat())
    };
    let told = |more: &[&str]| {
        let output = trace(more);
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        let took = said.trim().rsplit_once(": ").map(|(_, took)| took.to_owned()).unwrap_or_default();
        (said, took.trim_end_matches(" ms").parse::<f64>().unwrap_or(f64::NAN), stdout(&output))
    };
    let (said, typical, listing) = told(&[]);
    assert!(said.contains("the median of") && listing.contains("ends ok"), "{said}{listing}");
    let (said, slowest, _) = told(&["--slowest", "--class", "view"]);
    assert!(said.contains("the slowest of") && slowest > 1.5 * typical, "{said} {typical}");
    let crash = ["--failed", "--set", "fault={kind=\"crash\",target=\"box\",at=\"5s\",for=\"5s\"}"];
    let (said, _, listing) = told(&crash);
    assert!(said.contains("that fail") && listing.contains("ends unavailable"), "{said}{listing}");
    assert_eq!(trace(&["--failed"]).status.code(), Some(2), "nothing fails");
    let unknown = trace(&["--class", "viwe"]);
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("there are post, view"));
}

#[test]
fn every_built_in_scenario_is_explained_in_every_format() {
    for builtin in outgrow::cli::builtin::BUILTINS {
        let explain = |format: &str| stdout(&run(&["explain", builtin.name, "--format", format]));
        let boxes: toml::Table = builtin.text.parse().unwrap();
        let kinds = ["client", "dns", "balancer", "server", "database"];
        let tables = kinds.iter().filter_map(|kind| boxes.get(*kind)?.as_table());
        let names: Vec<&str> = tables.flat_map(toml::Table::keys).map(String::as_str).collect();
        let (text, mermaid, dot) = (explain("text"), explain("mermaid"), explain("dot"));
        assert!(text.starts_with(boxes["title"].as_str().unwrap()), "{text}");
        assert!(mermaid.starts_with("flowchart TD\n") && mermaid.contains(" --> "), "{mermaid}");
        assert!(dot.starts_with("digraph scenario {\n") && dot.ends_with("}\n"), "{dot}");
        for name in names {
            let is_drawn = |drawing: &String| drawing.contains(&format!("{name} "));
            assert!([&text, &mermaid, &dot].into_iter().all(is_drawn), "{}: {name}", builtin.name);
        }
        assert!(!text.contains("NaN") && text.lines().all(|line| line.chars().count() <= 120), "{text}");
    }
}

#[test]
fn a_write_is_traced_into_every_replica_also_after_the_answer() {
    // The third of these requests is a write. The log is shipped once a second.
    let text = stdout(&run(&[
        "trace",
        "primary-and-replicas",
        "--request",
        "3",
        "--set",
        "request.view.share=0",
        "--set",
        "run.duration=10s",
        "--set",
        "run.warmup=1s",
        "--set",
        "db.ship={ every = \"1s\" }",
    ]));
    let lines: Vec<&str> = text.lines().collect();
    let find = |what: &str| lines.iter().position(|line| line.contains(what)).expect(what);
    let ended = find("ends ok");
    let written = lines.iter().filter(|line| line.contains("of its log on the disk")).count();
    assert!(written >= 2, "{text}");
    for replica in ["db.replica-1", "db.replica-2"] {
        for step in ["has received write", "has applied write"] {
            let told = lines.iter().filter(|line| line.contains(replica) && line.contains(step));
            assert_eq!(told.count(), written, "{text}");
        }
        assert!(lines.iter().rposition(|line| line.contains(replica)).unwrap() > ended, "{text}");
    }
    assert!(text.contains(" at 203.0.113.") && text.contains(" at 10.0."), "{text}");
}

#[test]
fn a_write_is_traced_into_every_node_that_takes_writes_itself() {
    for scenario in ["multi-primary", "ring"] {
        let short = ["--set", "run.duration=10s", "--set", "run.warmup=1s", "--set", "request.view.share=0"];
        let shares = ["--set", "request.post.share=100", "--request", "1"];
        let text = stdout(&run(&[&["trace", scenario][..], &short, &shares].concat()));
        let count = |node: &str, what: &str| {
            text.lines().filter(|line| line.contains(&format!("{node}  ")) && line.ends_with(what)).count()
        };
        // Request 1 of each of the four clients writes to the node of its region.
        let nodes = ["db.node-1", "db.node-2", "db.node-3", "db.node-4"];
        for writer in nodes {
            assert_eq!(count(writer, "of its log on the disk"), 1, "{scenario}: {text}");
            for reader in nodes.into_iter().filter(|&node| node != writer) {
                for has in ["received", "applied"] {
                    let told = text.lines().filter(|line| {
                        line.contains(&format!("{reader}  "))
                            && line.contains(&format!("has {has} write "))
                            && line.ends_with(&format!(" of {writer}"))
                    });
                    assert_eq!(told.count(), 1, "{scenario}: {text}");
                }
            }
        }
    }
}

#[test]
fn every_built_in_scenario_is_a_file_and_every_file_is_built_in() {
    let mut files: Vec<String> = fs::read_dir("scenarios")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let names: Vec<&str> = outgrow::cli::builtin::BUILTINS.iter().map(|builtin| builtin.name).collect();
    assert_eq!(files, names);
}
