//! A student at the command line.

use std::path::Path;

use assert_cmd::Command;

fn learn(folder: &Path, args: &[&str]) -> (i32, String) {
    let ran = Command::cargo_bin("outgrow")
        .unwrap()
        .current_dir(folder)
        .env_remove("LANG")
        .env_remove("LC_ALL")
        .arg("learn")
        .args(args)
        .output()
        .unwrap();
    let text = [ran.stdout, ran.stderr].concat();
    (ran.status.code().unwrap(), String::from_utf8(text).unwrap())
}

#[test]
fn the_order_is_kept_and_every_step_says_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let said = |args: &[&str]| learn(folder.path(), args);
    let (code, text) = said(&[]);
    assert!(code == 2 && text.contains("outgrow learn --student 20231234"), "{text}");
    let (code, text) = said(&["--student", "20231234"]);
    assert!(code == 0 && text.contains("outgrow learn predict one-box NUMBER"), "{text}");
    let (code, text) = said(&["run", "one-box"]);
    assert!(code == 2 && text.contains("say first what will come out"), "{text}");
    let (code, text) = said(&["predict", "one-box", "much"]);
    assert!(code == 2 && text.contains("expected a number with its unit, such as 66%"), "{text}");
    let (code, text) = said(&["predict", "one-bx", "5%"]);
    assert!(code == 2 && text.contains("did you mean `one-box`?"), "{text}");
    let (code, text) = said(&["why", "one-box", "think"]);
    assert!(code == 2 && text.contains("run it first"), "{text}");
    assert_eq!(said(&["predict", "one-box", "700%"]).0, 0);
    let (code, text) = said(&["predict", "one-box", "50%"]);
    assert!(code == 2 && text.contains("has a prediction"), "{text}");
    let (code, text) = said(&["run", "one-box"]);
    assert!(
        code == 0 && text.contains("times too much") && text.contains("outgrow learn why one-box"),
        "{text}"
    );
    let (code, text) = said(&["why", "one-box", "think", "--lang", "ko"]);
    assert!(code == 0 && text.contains("맞습니다.") && text.contains("동시에 요청한다고"), "{text}");
    let (code, text) = said(&["list"]);
    assert!(code == 0 && text.contains("1 of 21 done, 3.0 of 84 marks"), "{text}");
    let (code, text) = said(&["list", "--student", "7"]);
    assert!(code == 2 && text.contains("is of student 20231234"), "{text}");
}

#[test]
fn a_course_of_another_teacher_works_from_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let said = |args: &[&str]| learn(folder.path(), args);
    assert_eq!(said(&["new", "mine"]).0, 0);
    let (code, text) = said(&["check", "mine", "--write"]);
    assert!(code == 0 && text.contains("1 exercises, 0 wrong"), "{text}");
    assert!(folder.path().join("mine/keys.json").is_file());
    let own = ["--course", "mine", "--student", "x"];
    let (code, text) = said(&[&["predict", "first", "20ms"], &own[..]].concat());
    assert_eq!(code, 0, "{text}");
    let (code, text) = said(&[&["run", "first"], &own[..]].concat());
    assert!(code == 0 && text.contains("theory"), "{text}");
    let (code, text) = said(&[&["export", "answers", "-o", "a.html"], &own[..]].concat());
    assert_eq!(code, 0, "{text}");
    let page = std::fs::read_to_string(folder.path().join("a.html")).unwrap();
    assert!(page.contains("You left out the wait behind others."), "{page}");
}

#[test]
fn a_slide_shows_the_run_whose_command_stands_below_it() {
    let folder = tempfile::tempdir().unwrap();
    let (code, text) = learn(folder.path(), &["export", "slides", "-o", "s.html", "--section", "1.5"]);
    assert_eq!(code, 0, "{text}");
    let page = std::fs::read_to_string(folder.path().join("s.html")).unwrap();
    let feet = page.split("<p class=\"foot\">").skip(1).filter_map(|rest| rest.split_once("</p>"));
    let feet: Vec<&str> = feet.map(|(foot, _)| foot).collect();
    assert_eq!(feet.len(), 5, "a picture for each exercise of the section");
    let (command, fingerprint) = feet[2].rsplit_once(' ').unwrap();
    let ran =
        Command::cargo_bin("outgrow").unwrap().args(command.split_whitespace().skip(1)).output().unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(said.contains(&format!("fingerprint {fingerprint}")), "{command}: {said}");
}
