//! `outgrow import`: files of every format, with the number of requests and the first and last moment, exact.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::golden::{compare, root};

/// A file of `tests/data/import`: its name, options, and its requests, first and last moment as the report tells them.
type Case = (&'static str, &'static [&'static str], &'static str);

const CASES: [Case; 29] = [
    // Written by nginx 1.22.1.
    ("nginx-combined.log", &[], "49, from 2026-11-29T13:40:22Z to 2026-11-29T13:40:33Z"),
    ("nginx-request-time.log", &[], "49, from 2026-11-29T13:40:20.999Z to 2026-11-29T13:40:33Z"),
    ("nginx-json.log", &[], "49, from 2026-11-29T13:40:21.765Z to 2026-11-29T13:40:33.787Z"),
    (
        "nginx-millis.log",
        &["--log-format", "$msec $request_method $request_uri $status $bytes_sent $request_time"],
        "49, from 2026-11-29T13:40:21.765Z to 2026-11-29T13:40:33.787Z",
    ),
    // Written by Apache 2.4.71.
    ("apache-common.log", &[], "19, from 2026-11-29T13:41:11Z to 2026-11-29T13:41:14Z"),
    ("apache-micros.log", &[], "19, from 2026-11-29T13:41:11Z to 2026-11-29T13:41:14Z"),
    ("apache-vhost.log", &[], "19, from 2026-11-29T13:41:11Z to 2026-11-29T13:41:14Z"),
    // Written by hey 0.1.4.
    ("hey.csv", &[], "40, from 0.050 s to 0.501 s"),
    // Written from the documentation of each product.
    ("alb.log", &[], "4, from 2018-07-02T22:23:00.185Z to 2018-07-02T22:23:03.186Z"),
    ("elb.log", &[], "2, from 2015-05-13T23:39:43.945Z to 2015-05-13T23:39:44.945Z"),
    ("cloudfront.log", &[], "3, from 2019-12-04T21:02:30.999Z to 2019-12-04T21:02:32.900Z"),
    ("iis.log", &[], "2, from 2026-11-23T10:00:00.750Z to 2026-11-23T10:00:02.985Z"),
    ("caddy.log", &[], "3, from 2022-03-09T21:30:01.523Z to 2022-03-09T21:30:01.974Z"),
    ("traefik.log", &[], "2, from 2024-01-02T03:04:04.900Z to 2024-01-02T03:04:05.100Z"),
    ("k6.csv", &[], "2, from 2020-07-21T09:59:19.778Z to 2020-07-21T09:59:20.904Z"),
    ("k6.json", &[], "2, from 2017-05-09T12:34:44.779Z to 2017-05-09T12:34:45.619Z"),
    ("vegeta.json", &[], "3, from 2019-03-01T12:00:00Z to 2019-03-01T12:00:00.040Z"),
    ("vegeta.csv", &[], "2, from 2019-03-01T12:00:00Z to 2019-03-01T12:00:00.020Z"),
    ("cloudwatch.json", &[], "2430, from 2026-11-23T10:00:00Z to 2026-11-23T10:05:00Z"),
    ("cloudwatch-data.json", &[], "1890, from 2026-11-23T10:00:00Z to 2026-11-23T10:03:00Z"),
    ("cloudwatch.csv", &[], "1890, from 2026-11-23T10:00:00Z to 2026-11-23T10:03:00Z"),
    ("prometheus-total.json", &[], "370, from 2026-11-23T10:00:15.001Z to 2026-11-23T10:01:00.001Z"),
    ("prometheus-rate.json", &["--as", "rates"], "502.5, from 2026-11-23T10:00:00Z to 2026-11-23T10:00:45Z"),
    ("grafana.csv", &[], "67350, from 2026-11-23T10:00:00Z to 2026-11-23T10:03:00Z"),
    (
        "grafana-semicolon.csv",
        &["--zone", "Asia/Seoul"],
        "1890.5, from 2026-11-23T01:00:00Z to 2026-11-23T01:03:00Z",
    ),
    ("azure-functions.csv", &[], "2904, from 0 s to 86400 s"),
    ("limbo.csv", &[], "1205.32, from 0.5 s to 60.5 s"),
    ("moments.csv", &[], "3, from 0.25 s to 3 s"),
    ("durations.csv", &["--unit", "ms"], ""),
];

fn data(file: &str) -> PathBuf {
    root().join("tests/data/import").join(file)
}

fn outgrow(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    command.args(arguments).current_dir(folder).output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("all output is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("all output is text")
}

/// What the report says behind a word.
fn said<'t>(report: &'t str, word: &str) -> &'t str {
    report.lines().find_map(|line| line.strip_prefix(word)).unwrap_or_default().trim()
}

/// The scenario and the trace that come of a text.
fn written(text: &[u8], options: &[&str]) -> (Output, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("x.log"), text).expect("a file");
    let output = outgrow(folder.path(), &[&["import", "x.log"], options].concat());
    let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap_or_default();
    (output, read("x.toml"), read("x.trace.csv"))
}

#[test]
fn files_of_every_format_have_their_requests() {
    let mut all = String::new();
    for (file, options, expected) in CASES {
        let folder = tempfile::tempdir().expect("a folder");
        let path = data(file);
        let arguments = [&["import", path.to_str().expect("ASCII"), "--out", "x"], options].concat();
        let output = outgrow(folder.path(), &arguments);
        let report = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{file}: {report}{}", stderr(&output));
        assert!(said(&report, "requests:").starts_with(expected), "{file}: {report}");
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        let (scenario, trace) = (read("x.toml"), read("x.trace.csv"));
        unmarked(&scenario, file);
        let rows: Vec<&str> = trace.lines().filter(|line| !line.starts_with('#')).collect();
        let sum: f64 = rows.iter().skip(1).filter_map(|row| row.split(',').nth(1)?.parse::<f64>().ok()).sum();
        let counts = rows.first().is_some_and(|header| header.starts_with("t_s,count"));
        let count = expected.split(',').next().unwrap_or_default();
        assert!(
            !counts || (sum - count.parse::<f64>().expect(file)).abs() < 1e-6,
            "{file}: {sum} in the trace"
        );
        let checked = outgrow(folder.path(), &["check", "x.toml"]);
        assert_eq!(stdout(&checked), "x.toml: ok\n", "{file}: {}\n{scenario}", stderr(&checked));
        all += &format!("# {file} {}\n\n{report}\n{scenario}\n", options.join(" "));
    }
    compare(&root().join("tests/golden/import.out"), &all).unwrap_or_else(|message| panic!("{message}"));
}

/// Fails where a value has no mark that says whether it was measured or assumed.
#[track_caller]
fn unmarked(scenario: &str, file: &str) {
    let is_value = |line: &&str| line.contains(" = ") && !line.starts_with('#') && !line.starts_with("title");
    let known = ["public = true", "steps = [", "that = "];
    for line in scenario.lines().filter(is_value) {
        let marked = line.contains("# measured") || line.contains("# assumed");
        assert!(marked || known.iter().any(|known| line.starts_with(known)), "{file}: {line}");
    }
}

#[test]
fn a_scenario_runs_as_it_is_written() {
    // Moments, and counts of a second with a line for each request.
    for file in ["nginx-json.log", "nginx-request-time.log"] {
        let folder = tempfile::tempdir().expect("a folder");
        let path = data(file);
        let output = outgrow(folder.path(), &["import", path.to_str().expect("ASCII"), "--out", "x"]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let run = outgrow(folder.path(), &["run", "x.toml", "--trials", "1", "--json", "-"]);
        assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
        let result: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
        let requests = |class: &str| {
            result["classes"][class]["offered_rps"]["mean"].as_f64().expect("a number")
                * result["duration_s"].as_f64().expect("a number")
        };
        assert_eq!(requests("get-api-items").round(), 16.0, "{file}");
        assert_eq!(requests("post-login").round(), 8.0, "{file}");
    }
}

#[test]
fn nothing_personal_is_written() {
    let line = "203.0.113.77 - anna [10/Oct/2000:13:55:36 -0700] \"GET /u/anna@example.org?token=secret HTTP/1.1\" 200 5 \"http://referrer/\" \"agent\"\n";
    let (output, scenario, trace) = written(line.repeat(30).as_bytes(), &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for word in ["203.0.113.77", "anna", "secret", "referrer", "agent"] {
        assert!(
            !scenario.contains(word) && !trace.contains(word) && !stdout(&output).contains(word),
            "{word}"
        );
    }
}

#[test]
fn a_file_is_the_same_in_any_encoding_compression_and_order() {
    let text = fs::read_to_string(data("nginx-json.log")).expect("a log");
    let (_, scenario, trace) = written(text.as_bytes(), &[]);
    let rows = |trace: &str| {
        trace.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut reversed: Vec<&str> = text.lines().collect();
    reversed.reverse();
    let gz = |text: &str| {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    let (first, second) = text.split_at(text[..text.len() / 2].rfind('\n').expect("lines") + 1);
    for (what, bytes) in [
        ("byte order mark", format!("\u{feff}{text}").into_bytes()),
        ("CRLF", text.replace('\n', "\r\n").into_bytes()),
        ("UTF-16", utf16),
        ("unsorted", reversed.join("\n").into_bytes()),
        ("gz", gz(&text)),
        ("joined members", [gz(first), gz(second)].concat()),
    ] {
        let (output, again, rows_again) = written(&bytes, &[]);
        assert_eq!(output.status.code(), Some(0), "{what}: {}", stderr(&output));
        assert_eq!((again, rows(&rows_again)), (scenario.clone(), rows(&trace)), "{what}");
    }
    let cut = gz(&text);
    let (output, _, rows_cut) = written(&cut[..cut.len() * 9 / 10], &[]);
    assert!(stdout(&output).contains("the compressed file is cut"), "{}{}", stdout(&output), stderr(&output));
    assert!(rows(&rows_cut).len() > 10 && rows(&rows_cut).len() < rows(&trace).len());
}

#[test]
fn files_of_a_rotation_are_one_load_in_any_order() {
    let text = fs::read_to_string(data("nginx-combined.log")).expect("a log");
    let lines: Vec<&str> = text.lines().collect();
    let folder = tempfile::tempdir().expect("a folder");
    // Ten lines stand in both.
    fs::write(folder.path().join("a.log"), lines[..30].join("\n") + "\n").expect("a file");
    fs::write(folder.path().join("b.log"), lines[20..].join("\n") + "\n").expect("a file");
    let run = |files: [&str; 2], out: &str, options: &[&str]| {
        let arguments = [&["import", files[0], files[1], "--out", out], options].concat();
        let output = outgrow(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let trace = fs::read_to_string(folder.path().join(format!("{out}.trace.csv"))).expect("a trace");
        (stdout(&output), trace)
    };
    let (report, trace) = run(["a.log", "b.log"], "one", &[]);
    assert!(report.contains("requests: 49, ") && report.contains("10 lines stand in two files"), "{report}");
    assert_eq!(run(["b.log", "a.log"], "two", &[]).1, trace);
    let (report, _) = run(["a.log", "b.log"], "all", &["--keep-repeated"]);
    assert!(report.contains("requests: 59, "), "{report}");
}

#[test]
fn what_may_be_read_in_two_ways_is_asked() {
    let line =
        |last: &str| format!("1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 5 {last}\n");
    let unit = line("120") + &line("90");
    for (text, options, words) in [
        ("0,5\n1,5\n2,5\n", &[][..], "--as counts or --as moments"),
        ("time,value\n0,5\n60,6\n", &[], "--as counts, --as rates"),
        ("5\n1\n4\n2\n9\n", &[], "--as gaps"),
        ("time,count\n0,5\n60,6\n180,7\n240,8\n", &[], "--gaps zero"),
        ("time,a,b\n0,5,1\n60,6,1\n", &[], "--column NAME"),
        ("latency\n5\n6\n", &[], "--unit ms"),
        (&unit, &[], "--log-format"),
        ("{\"time\":\"2023-11-14T22:13:21Z\",\"path\":\"/a\",\"latency\":12}\n", &[], "--duration-field"),
        ("time,count\n0,5\n60,6\n", &["--zone", "Mars"], "there is no time zone"),
    ] {
        let (output, scenario, _) = written(text.as_bytes(), options);
        let message = stderr(&output);
        assert!(
            output.status.code() != Some(0) && message.contains(words),
            "{text}: {message}{}",
            stdout(&output)
        );
        assert!(scenario.is_empty(), "{text}");
    }
}

#[test]
fn a_file_that_is_no_log_is_said_in_a_sentence() {
    for (text, words) in [
        (
            "http {\n  server {\n    listen 80;\n  }\n}\n",
            "looks like a configuration of nginx; `outgrow new NAME`",
        ),
        (
            "global\n  maxconn 100\nfrontend web\n  bind :80\n",
            "looks like a configuration of HAProxy; `outgrow new",
        ),
        ("services:\n  web:\n    image: x\n", "YAML of Docker Compose; `outgrow new"),
        ("apiVersion: v1\nkind: Pod\n", "YAML of Kubernetes; `outgrow new"),
        ("[client.users]\nrate = \"5/s\"\n", "it is a scenario; try: outgrow run"),
        ("# outgrow import\nt_s\n1\n", "is a trace already"),
        ("", "`x.log` is empty"),
        ("\n\n", "`x.log` is empty"),
        ("Dear outgrow,\nhow many users?\n", "of no format that is known"),
    ] {
        let (output, _, _) = written(text.as_bytes(), &[]);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{text}: {message}");
        assert!(message.contains(words), "{text}: {message}");
    }
}

#[test]
fn bad_lines_are_counted_and_left_out_only_when_asked() {
    let good = "1.1.1.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 5\n";
    let text = format!("{}half a line\n{}", good.repeat(20), good.repeat(20));
    let (output, _, _) = written(text.as_bytes(), &[]);
    let message = stderr(&output);
    assert!(
        message.contains("x.log:21:") && message.contains("1 line of 41 cannot be read; --skip-bad"),
        "{message}"
    );
    let (output, _, trace) = written(text.as_bytes(), &["--skip-bad"]);
    assert!(
        stdout(&output).contains("1 line of 41 could not be read, and were left out; the first is line 21"),
        "{}",
        stdout(&output)
    );
    assert!(trace.contains("41 lines, 1 of them left out") && trace.ends_with("0,40,get-root\n"), "{trace}");
    let cut = format!("{}1.1.1.1 - - [10/Oct/20", good.repeat(20));
    let (output, _, trace) = written(cut.as_bytes(), &[]);
    assert!(
        stdout(&output).contains("its last line is cut, and was left out")
            && trace.ends_with("0,20,get-root\n")
    );
}

#[test]
fn nothing_is_overwritten_unasked() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("x.log"), fs::read(data("nginx-combined.log")).expect("a log"))
        .expect("a file");
    fs::write(folder.path().join("x.toml"), "mine").expect("a file");
    let output = outgrow(folder.path(), &["import", "x.log"]);
    assert!(
        output.status.code() == Some(1) && stderr(&output).contains("`x.toml` exists"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fs::read_to_string(folder.path().join("x.toml")).expect("a file"), "mine");
    assert_eq!(outgrow(folder.path(), &["import", "x.log", "--force"]).status.code(), Some(0));
}

/// The page with what its commands print: the text behind each block of commands.
#[cfg(unix)]
#[test]
fn the_page_from_a_log_to_a_decision_is_what_a_stranger_sees() {
    let page = fs::read_to_string(root().join("docs/from-your-log.md")).expect("the page");
    let folder = tempfile::tempdir().expect("a folder");
    let program = PathBuf::from(assert_cmd::cargo::cargo_bin!("outgrow"));
    let programs = program.parent().expect("a folder");
    let mut parts = page.split("```sh\n");
    let mut shown = parts.next().expect("a beginning").to_owned();
    for part in parts {
        let (commands, rest) = part.split_once("```").expect("a block ends");
        let script = format!("PATH=\"$0:$PATH\"\n{commands}");
        let output =
            Command::new("sh").args(["-ec", &script]).arg(programs).current_dir(folder.path()).output();
        let output = output.expect("a shell");
        assert_eq!(output.status.code(), Some(0), "{commands}: {}", stderr(&output));
        shown += &format!("```sh\n{commands}```");
        match rest.strip_prefix("\n\n```text\n").and_then(|rest| rest.split_once("```")) {
            Some((_, rest)) => shown += &format!("\n\n```text\n{}\n```{rest}", stdout(&output).trim_end()),
            None => shown += rest,
        }
    }
    compare(&root().join("docs/from-your-log.md"), &shown).unwrap_or_else(|message| panic!("{message}"));
}

/// A small generator of numbers (Knuth's MMIX), so that the damages are the same on every run.
struct Draws(u64);

impl Draws {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// A damaged copy of a file, and what was done to it.
fn damaged(text: &[u8], draws: &mut Draws) -> (String, Vec<u8>) {
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let mut bytes = text.to_vec();
    let at = draws.below(bytes.len());
    let line = draws.below(lines.len());
    let what = match draws.below(10) {
        0 => {
            bytes[at] = draws.below(256) as u8;
            "a byte"
        }
        1 => {
            bytes.insert(at, draws.below(256) as u8);
            "a byte more"
        }
        2 => {
            bytes.remove(at);
            "a byte less"
        }
        3 => {
            bytes.truncate(at);
            "cut"
        }
        4 => {
            bytes = lines.iter().rev().copied().flatten().copied().collect();
            "in reverse"
        }
        5 => {
            bytes.splice(0..0, [0xef, 0xbb, 0xbf]);
            "byte order mark"
        }
        6 => {
            bytes = String::from_utf8_lossy(text).replace('\n', "\r\n").into_bytes();
            "CRLF"
        }
        7 => {
            bytes = String::from_utf8_lossy(text).replace('.', ",").into_bytes();
            "decimal comma"
        }
        8 => {
            let lost = lines
                .iter()
                .enumerate()
                .filter(|(index, _)| *index != line)
                .flat_map(|(_, line)| line.to_vec());
            bytes = lost.collect();
            "a line less"
        }
        _ => {
            let end = (at + 5).min(bytes.len());
            bytes.drain(at..end);
            "five bytes less"
        }
    };
    (what.to_owned(), bytes)
}

#[test]
fn a_damaged_file_has_the_same_requests_or_an_error_with_its_line() {
    let mut draws = Draws(7);
    let files: Vec<&Case> = CASES.iter().filter(|(file, ..)| *file != "azure-functions.csv").collect();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged");
    let mut outcomes = [0; 3];
    for case in 0..500 {
        let (file, options, expected) = files[case % files.len()];
        let text = fs::read(data(file)).expect("a file");
        let (what, bytes) = damaged(&text, &mut draws);
        fs::write(&path, &bytes).expect("a file");
        let output =
            outgrow(folder.path(), &[&["import", "damaged", "--out", "x", "--force"], *options].concat());
        let (report, message) = (stdout(&output), stderr(&output));
        let context = format!("case {case}, {file}, {what}: {report}{message}");
        assert!(!message.contains("panicked") && !message.contains("defect"), "{context}");
        let requests = |text: &str| text.split(',').next().and_then(|count| count.trim().parse::<f64>().ok());
        match output.status.code() {
            Some(0) => {
                let same = requests(said(&report, "requests:")) == requests(expected);
                // What is lost or changed is data: a line less is another load, and so are other digits.
                let told = report.contains("note: ")
                    || ["a byte", "a line less", "cut", "five bytes less", "a byte less", "a byte more"]
                        .contains(&what.as_str());
                assert!(same || told, "{context}");
                outcomes[usize::from(!same)] += 1;
            }
            Some(1 | 3) => {
                let has_line =
                    message.contains(" --> ") || message.contains("line ") || message.contains('`');
                assert!(message.contains("error") && has_line, "{context}");
                outcomes[2] += 1;
            }
            _ => panic!("{context}"),
        }
    }
    // The test tests something: most files are read, and some are refused.
    assert!(outcomes[0] > 100 && outcomes[2] > 20, "{outcomes:?}");
}
