//! Output for other programs: tables of `run --csv`, and the trace events of `trace --format chrome`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn outgrow(arguments: &[&str]) -> String {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    let output = command.args(arguments).output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 4)), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("all output is text")
}

/// The rows of a table, each as cells by column.
fn read(folder: &Path, name: &str) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(folder.join(name)).expect(name);
    assert!(text.ends_with('\n') && !text.contains('\r'), "{name}");
    // By default the reader refuses rows of another length.
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(|row| row.unwrap_or_else(|error| panic!("{name}: {error}"))).collect()
}

#[test]
fn tables_are_read_without_options() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tables");
    let quick = ["--duration", "20s", "--set", "run.warmup=2s", "--trials", "3"];
    let several = ["run", "mm1", "single-server", "mm1", "--json", "-", "--csv", path.to_str().unwrap()];
    let json: Value = serde_json::from_str(&outgrow(&[&several[..], &quick].concat())).unwrap();
    let number = |cell: &str| cell.parse::<f64>().unwrap_or_else(|_| panic!("`{cell}` is no number"));

    let metrics = read(&path, "metrics.csv");
    let names: Vec<&str> = metrics.iter().map(|row| row["scenario"].as_str()).collect();
    assert_eq!(names, ["00-mm1", "01-single-server", "00-mm1#2"]);
    for (row, result) in metrics.iter().zip(json.as_array().unwrap()) {
        let p99 = &result["metrics"]["response_ms"]["p99"];
        let rate = &result["metrics"]["throughput_rps"];
        assert_eq!(Some(number(&row["throughput_rps"])), rate["mean"].as_f64());
        let low = rate["mean"].as_f64().unwrap() - rate["half_width"].as_f64().unwrap();
        assert_eq!(number(&row["throughput_rps_low"]), low);
        if p99["mean"].is_null() {
            assert_eq!(row["response_ms_p99"], "", "what is not measured is an empty field");
        } else {
            assert_eq!(Some(number(&row["response_ms_p99_high"])), p99["high"].as_f64());
        }
        assert_eq!(
            (row["fingerprint"].as_str(), row["complete"].as_str()),
            (result["fingerprint"].as_str().unwrap(), "TRUE")
        );
    }
    let components = read(&path, "components.csv");
    let of_box =
        components.iter().find(|row| row["scenario"] == "00-mm1" && row["component"] == "box").unwrap();
    assert!((number(&of_box["utilisation"]) - 0.8).abs() < 0.1);
    assert_eq!((of_box["kind"].as_str(), of_box["machine_host"].as_str()), ("server", "box"));
    assert!(components.iter().any(|row| row["utilisation"].is_empty()), "a client has no cores");
    assert_eq!(read(&path, "classes.csv").len(), 4);

    let windows = json[0]["series"]["rows"].as_array().unwrap();
    let series: Vec<_> =
        read(&path, "series.csv").into_iter().filter(|row| row["scenario"] == "00-mm1").collect();
    assert_eq!(series.len(), windows.len());
    assert_eq!(Some(number(&series[7]["offered_rps"])), windows[7][1].as_f64());
    let inside = read(&path, "component_series.csv");
    assert!(inside.iter().all(|row| number(&row["inside"]) >= 0.0 && !row["component"].is_empty()));
    check_lists(&path, &json[0]);
}

/// Checks the tables whose rows are neither metrics nor windows.
fn check_lists(path: &Path, mm1: &Value) {
    let number = |cell: &str| cell.parse::<f64>().unwrap_or_else(|_| panic!("`{cell}` is no number"));
    let expect = read(path, "expect.csv");
    assert!(expect.iter().all(|row| ["holds", "fails", "not shown"].contains(&row["verdict"].as_str())));
    assert!(read(path, "timeline.csv").is_empty());
    let percentiles = read(path, "percentiles.csv");
    let system: Vec<_> =
        percentiles.iter().filter(|row| row["scenario"] == "00-mm1" && row["scope"] == "system").collect();
    let column = |name: &str| system.iter().map(|row| number(&row[name])).collect::<Vec<f64>>();
    assert!(column("percentile").is_sorted() && column("response_ms").is_sorted());
    assert!(column("percentile").contains(&97.5) && column("percentile").ends_with(&[100.0]));
    let p50 = mm1["metrics"]["response_ms"]["p50"]["mean"].as_f64().unwrap();
    assert!(system.iter().any(|row| row["percentile"] == "50.0" && number(&row["response_ms"]) == p50));
}

/// Start and end of a span on its thread, in nanoseconds.
type Span = (u64, u64);

fn nanos(value: &Value) -> u64 {
    let micros = value.as_f64().expect("a number");
    let nanos = (micros * 1e3).round();
    assert!(nanos >= 0.0 && (micros * 1e3 - nanos).abs() < 0.01, "{micros}: more than nanoseconds");
    nanos as u64
}

/// Checks a trace by the rules of the format. Returns the names of its processes and of its spans.
fn check_trace(text: &str) -> (Vec<String>, Vec<String>) {
    let trace: Value = serde_json::from_str(text).expect("one JSON document");
    let mut threads: BTreeMap<(u64, u64), Vec<Span>> = BTreeMap::new();
    let (mut processes, mut names) = (Vec::new(), Vec::new());
    let (mut named, mut flows) = (Vec::new(), BTreeMap::<u64, Vec<(String, u64, (u64, u64))>>::new());
    for event in trace["traceEvents"].as_array().expect("a list") {
        let thread = (event["pid"].as_u64().expect("a process"), event["tid"].as_u64().expect("a thread"));
        assert!(event["name"].is_string(), "{event}");
        match event["ph"].as_str().expect("a phase") {
            "M" if event["name"] == "process_name" => {
                processes.push(event["args"]["name"].as_str().unwrap().to_owned());
            }
            "M" if event["name"] == "thread_name" => named.push(thread),
            "M" => assert_eq!(event["name"], "process_sort_index"),
            "X" => {
                let start = nanos(&event["ts"]);
                threads.entry(thread).or_default().push((start, start + nanos(&event["dur"])));
                names.push(event["name"].as_str().unwrap().to_owned());
            }
            "i" => assert_eq!(event["s"], "t"),
            phase @ ("s" | "t" | "f") => {
                assert!(phase != "f" || event["bp"] == "e");
                let number = event["id"].as_u64().expect("an arrow has a number");
                flows.entry(number).or_default().push((phase.into(), nanos(&event["ts"]), thread));
            }
            other => panic!("phase {other}"),
        }
    }
    for (thread, spans) in &mut threads {
        assert!(named.contains(thread), "{thread:?} has no name");
        spans.sort_unstable_by_key(|(start, end)| (*start, std::cmp::Reverse(*end)));
        let mut open: Vec<Span> = Vec::new();
        for &(start, end) in spans.iter() {
            open.retain(|around| around.1 > start);
            assert!(open.iter().all(|around| end <= around.1), "{thread:?}: spans overlap at {start}");
            open.push((start, end));
        }
    }
    for (number, path) in &flows {
        let phases: Vec<&str> = path.iter().map(|(phase, ..)| phase.as_str()).collect();
        assert!(
            phases[0] == "s" && phases[phases.len() - 1] == "f" && phases.len() > 1,
            "{number}: {phases:?}"
        );
        assert!(phases[1..phases.len() - 1].iter().all(|phase| *phase == "t"));
        assert!(path.is_sorted_by_key(|(_, at, _)| *at));
        for (_, at, thread) in path {
            let holds = |span: &Span| span.0 <= *at && *at < span.1;
            assert!(threads[thread].iter().any(holds), "arrow {number} holds on to nothing at {at}");
        }
    }
    assert!(!flows.is_empty());
    (processes, names)
}

#[test]
fn traces_follow_the_format_and_show_waits_and_work() {
    let trace = |scenario: &str, request: &str, more: &[&str]| {
        let quick = ["--set", "run.duration=4s", "--set", "run.warmup=1s", "--format", "chrome"];
        check_trace(&outgrow(&[&["trace", scenario, "--request", request][..], &quick, more].concat()))
    };
    let (processes, names) = trace("scale-out", "41", &[]);
    for process in ["users", "lb", "network", "db"] {
        assert!(processes.iter().any(|name| name == process), "{process} is not in {processes:?}");
    }
    for span in ["request", "call from users", "call from lb", "cpu", "users to lb"] {
        assert!(names.iter().any(|name| name == span), "{span} is not in {names:?}");
    }
    let (_, names) = trace("mm1", "150", &["--set", "users.rate=150/s"]);
    assert!(names.iter().any(|name| name == "wait for a core"), "{names:?}");
    let (_, names) = trace("single-server", "300", &["--set", "users.users=3000", "--set", "box.workers=3"]);
    assert!(names.iter().any(|name| name == "wait in queue"), "{names:?}");
}

#[test]
fn traces_survive_crashes_retries_and_requests_that_never_end() {
    let crash = "title = 'Crash'\n[run]\nduration = '6s'\nwarmup = '1s'\n\
        [client.users]\nrate = '20/s'\ntarget = 'lb'\ntimeout = '1s'\n\
        retry = { attempts = 3, backoff = '50ms', jitter = 'none' }\n\
        [balancer.lb]\npublic = true\ntargets = ['web']\n\
        [server.web]\ncount = 2\ncores = 1\nsteps = [{ cpu = '300ms' }, { query = 'db', times = 2 }]\n\
        [database.db]\ncores = 1\nread = '30ms'\n\
        [[fault]]\nat = '2s'\ntarget = 'web-1'\nkind = 'crash'\nfor = '1s'\n\
        [[fault]]\nat = '4s'\ntarget = 'db'\nkind = 'hang'\nfor = '1s'\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crash.toml");
    fs::write(&path, crash).unwrap();
    for request in ["0", "35", "39", "41", "60", "75", "79", "90", "119"] {
        let arguments = ["trace", path.to_str().unwrap(), "--request", request, "--format", "chrome"];
        let (processes, _) = check_trace(&outgrow(&arguments));
        assert!(processes.contains(&"users".to_owned()), "{request}: {processes:?}");
    }
}
