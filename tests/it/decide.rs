//! `compare` and `capacity` as scripts see them: JSON, exit codes, what is refused; and the numbers of docs/decide.md.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use crate::golden::{root, scenarios};

fn outgrow(line: &str) -> Output {
    // Words are separated by blanks; an apostrophe holds those of one word together.
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

/// A bad end: this exit code, nothing on stdout, and these words on stderr.
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
    assert!(differences.len() >= 5);
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
    for words in ["mm4 (2) against mm4", "not the same customers", "higher", "warning: "] {
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
    assert_eq!((&lines[0]["design"], &lines[1]["design"]), (&"mm1".into(), &"mm1 (2)".into()));
    assert_eq!(lines[0]["points"][4]["x"], 90.0);
    // Throughput over response time of M/M/1, rate x (mu - rate), is greatest at half of mu.
    assert_eq!(lines[0]["knee"], 2);
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

/// Every scenario that ships has a highest load, or a sentence that says why none is named; and the search ends.
#[test]
fn the_capacity_of_every_scenario_is_found_or_it_is_said_why_not() {
    for (stem, _) in scenarios() {
        let fewer = if stem == "million-users" { "--set users.users=20000 --set web.count=1" } else { "" };
        // For so long the goodput of these two falls so slowly that the loads on both sides of the fall have others between.
        let is_slow = ["01-single-server", "05-scale-up-wall"].contains(&stem.as_str());
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
    // 1600 requests have no p99, and at twice the load there is no rest.
    let few = notes("capacity mm1 --slo 'p99 < 300ms' --duration 20s --trials 2");
    assert!(few.contains("p99(response) takes 2000 answered requests a trial"), "{few}");
    let never = notes("capacity mm1 --slo 'lag < 1s' --duration 20s --trials 2");
    assert!(never.contains("no replicas"), "{never}");
    // Who is turned away does not wait: times alone never get worse.
    let alone = notes("capacity 10-replica-lag --slo 'p99 < 300ms' --duration 2s --trials 2");
    assert!(alone.contains("requests fail") && alone.contains("errors < 1%"), "{alone}");
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
        ("compare mm1 mm4 --slo 'p99 < 1s'", "--vary"),
        ("compare mm1 mm4 --fail-on 'p98 +5%'", "did you mean \"p99\"?"),
        ("compare mm1 mm4 --precision 0%", "--precision"),
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

/// The rows of docs/decide.md that tell the capacity of a size: `| VALUE | USD/h | LOW to HIGH/s | ... |`.
fn documented(value: &str) -> (f64, f64) {
    let text = fs::read_to_string(root().join("docs/decide.md")).expect("the page");
    let row = text.lines().find(|line| line.starts_with(&format!("| {value} |")));
    let cells: Vec<&str> =
        row.unwrap_or_else(|| panic!("no row of {value}")).split('|').map(str::trim).collect();
    let (low, high) = cells[3].trim_end_matches("/s").split_once(" to ").expect("an interval");
    let number = |text: &str| text.replace(',', "").parse::<f64>().expect("a number");
    (number(low), number(high))
}

#[test]
fn the_page_tells_what_scaling_up_and_out_gives() {
    let found = json(
        "compare scale-up-at-cost scale-out-at-cost --slo 'p95 < 400ms' --trials 3 --duration 20s \
         --vary 'scale-up-at-cost?app.instance=m7i.large,m7i.4xlarge' --vary 'scale-out-at-cost?app.count=1,8'",
    );
    for line in found["curve"]["lines"].as_array().unwrap() {
        for point in line["points"].as_array().unwrap() {
            let (low, high) = documented(point["value"].as_str().unwrap());
            let (ours, at_most) = (&point["capacity"]["low"], &point["capacity"]["high"]);
            let (ours, at_most) = (ours.as_f64().unwrap(), at_most.as_f64().unwrap());
            assert!(
                ours <= high && low <= at_most,
                "{}: {ours} to {at_most}, not {low} to {high}",
                point["value"]
            );
        }
    }
}
