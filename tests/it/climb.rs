//! `climb`: the ladder of the README with its picture, the gains of steps, and ladders that cannot be climbed.

use std::fs;
use std::process::{Command, Output};

use outgrow::cli::builtin;
use outgrow::report::validation::within;
use serde_json::Value;

use crate::golden::{compare, root};

fn climb(arguments: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("outgrow"));
    command.arg("climb").args(arguments).current_dir(root()).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("all output is text")
}

#[test]
fn the_ladder_of_the_readme_is_what_its_command_prints_and_draws() {
    let folder = tempfile::tempdir().unwrap();
    let output = climb(&["--charts", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let drawn = fs::read_to_string(folder.path().join("climb.svg")).unwrap();
    compare(&root().join("docs/images/climb.svg"), &drawn).unwrap_or_else(|message| panic!("{message}"));
    let page = fs::read_to_string(root().join("README.md")).unwrap();
    let made = within(&page, "climb", &format!("```text\n{}```\n", text(&output.stdout)));
    let made = made.expect("the README has the marks of the ladder");
    compare(&root().join("README.md"), &made).unwrap_or_else(|message| panic!("{message}"));
}

/// Options for a ladder that is short enough for a test.
const QUICK: [&str; 8] = ["--slo", "mean < 100ms", "--duration", "20s", "--trials", "2", "--json", "-"];

#[test]
fn a_gain_is_the_ratio_of_two_capacities() {
    let output = climb(&[&["single-server", "database-split-off"], &QUICK[..]].concat());
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&found["schema"], &found["complete"]), (&"outgrow.climb/1".into(), &true.into()));
    let [low, high] = [&found["steps"][0], &found["steps"][1]];
    let of = |step: &Value, key: &str| step["capacity"][key].as_f64().unwrap();
    let gain = &high["gain"];
    let ratio = of(high, "estimate") / of(low, "estimate");
    assert!((gain["load"].as_f64().unwrap() - ratio).abs() < 1e-12 && (1.2..1.7).contains(&ratio), "{gain}");
    let ends = gain["interval"].as_array().unwrap();
    assert!(ends[0].as_f64().unwrap() < ratio && ratio < ends[1].as_f64().unwrap(), "{gain}");
    assert_eq!(gain["price"], 2.0, "two machines of one size");
    assert_eq!(high["changes"]["added"][0], "server.web");
    let dead = |step: &Value, at: usize| {
        let loss = &step["dead"][at];
        (loss["machine"].clone(), loss["without_service_s"].as_f64().unwrap())
    };
    let [box_, db, web] = [dead(low, 0), dead(high, 0), dead(high, 1)];
    assert_eq!([&box_.0, &db.0, &web.0], ["box", "db", "web"]);
    assert!(
        [box_.1, db.1, web.1].iter().all(|lost| (5.0..8.0).contains(lost)),
        "dead for 6 s: {box_:?} {web:?}"
    );
    assert_eq!((&low["gain"], &low["changes"]), (&Value::Null, &Value::Null));
}

#[test]
fn a_step_that_carries_the_goal_is_not_tried_with_more() {
    let given = [&["single-server", "database-split-off", "scale-up", "--goal", "1400"], &QUICK[..]].concat();
    let found: Value = serde_json::from_slice(&climb(&given).stdout).expect("JSON");
    let [first, second, third] = [0, 1, 2].map(|at| &found["steps"][at]);
    assert_eq!(first["capacity"]["verdict"], "found");
    for step in [second, third] {
        let one = &step["capacity"];
        assert_eq!((&one["verdict"], &one["estimate"]), (&"met at the goal".into(), &Value::Null));
        assert_eq!((&one["low"], &one["tried_to"]), (&1400.0.into(), &1400.0.into()));
        assert!(step["dead"].as_array().is_some_and(|dead| dead.len() == 2), "{}", step["dead"]);
    }
    let gain = &second["gain"];
    let ratio = 1400.0 / first["capacity"]["estimate"].as_f64().unwrap();
    assert!((gain["load"].as_f64().unwrap() - ratio).abs() < 1e-12 && ratio > 1.0, "{gain}");
    assert_eq!((&gain["at_least"], &third["gain"]), (&true.into(), &Value::Null));
    let folder = tempfile::tempdir().unwrap();
    let charts = folder.path().to_str().unwrap();
    let short = [&given[..5], &QUICK[..6], &["--charts", charts]].concat();
    let said = text(&climb(&short).stdout);
    for words in ["to at least 1400 users in 3 steps", " at least 1400 ", "database-split-off: at least 1."] {
        assert!(said.contains(words), "no {words}: {said}");
    }
    assert!(said.contains("04-scale-up: it carries the goal"), "{said}");
    assert!(fs::read_to_string(folder.path().join("climb.svg")).unwrap().contains("at least 1400 users"));
    for (wrong, why) in [("0", "it must be above 0"), ("many", "it is not a number")] {
        let output = climb(&["--goal", wrong]);
        assert!(output.status.code() == Some(2) && text(&output.stderr).contains(why), "{wrong}");
    }
    assert_eq!(climb(&["mm1", "--ladder", "millions"]).status.code(), Some(2));
}

#[test]
fn the_steps_to_a_million_users_serve_the_users_of_the_last_design() {
    let shared = |text: &str| {
        let mut all: toml::Table = text.parse().expect("TOML");
        let users: Vec<i64> = ["seoul", "virginia"]
            .map(|name| {
                let client = all["client"][name].as_table_mut().expect("a table");
                client.remove("users").and_then(|users| users.as_integer()).expect("users")
            })
            .to_vec();
        assert_eq!(users[0] * 3, users[1] * 7, "the shares of the last design");
        ["network", "request", "client"].map(|key| all.remove(key))
    };
    let last = shared(builtin::find("from-zero-to-millions").unwrap().text);
    for (number, step) in builtin::STEPS.iter().enumerate() {
        assert_eq!(shared(step.text), last, "{}", step.name);
        assert!(step.name.starts_with(&format!("millions-{}-", number + 1)));
        assert!(!step.text.contains("[[fault]]"));
    }
    // Each step is short here, so that nothing but the order of the steps and the unit is held.
    let quick = ["--ladder", "millions", "--goal", "20000", "--slo", "mean < 300ms, errors < 1%"];
    let quick =
        [&quick[..], &["--trials", "1", "--duration", "4s", "--warmup", "2s", "--json", "-"]].concat();
    let output = climb(&quick);
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let steps = found["steps"].as_array().unwrap();
    assert_eq!(steps.len(), builtin::STEPS.len() + 1, "{}", text(&output.stderr));
    for step in steps {
        let load = &step["capacity"]["load"];
        assert_eq!((&load["key"], &load["unit"]), (&"all clients".into(), &"users".into()));
        assert_eq!(step["capacity"]["verdict"], "met at the goal", "{}", step["name"]);
    }
    assert_eq!(steps[6]["name"], "00-from-zero-to-millions");
}

#[test]
fn a_step_that_carries_nothing_ends_with_4_and_one_without_a_load_is_refused() {
    let never = ["single-server", "--slo", "mean < 1ms", "--duration", "20s", "--trials", "2"];
    let output = climb(&never);
    assert_eq!(output.status.code(), Some(4));
    let said = text(&output.stdout);
    assert!(said.contains("never") && said.contains("holds at no load, not even at 1 user"), "{said}");
    let output = climb(&["mm1", "closed", "--slo", "mean < 100ms", "--duration", "20s", "--trials", "2"]);
    let said = text(&output.stdout);
    assert!(
        said.contains("/s") && said.contains("users") && said.contains("its gain is not known"),
        "{said}"
    );
    let output = climb(&["single-sever"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stderr).contains("did you mean `single-server`?"), "{}", text(&output.stderr));
}
