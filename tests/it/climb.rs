//! `climb`: the ladder of the README with its picture, the gains of steps, and ladders that cannot be climbed.

use std::fs;
use std::process::{Command, Output};

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
