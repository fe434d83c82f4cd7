//! Nothing that users or files say breaks the terminal, a page, or a file that is only to be read.

use std::fs;
use std::process::{Command, Output};

const SCENARIO: &str = "title = \"a\\u001b]0;pwned\\u0007\\nholds  availability > 99.9%  x\\u202Ey\"\n\
    run = { duration = '2s', warmup = '0s', trials = 2 }\nclient.u = { rate = '50/s', target = 's' }\n\
    server.s = { public = true, steps = [{ wait = '1ms' }] }\n";

fn outgrow(folder: &std::path::Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outgrow"));
    command.current_dir(folder).args(words).output().expect("the program starts")
}

fn is_clean(text: &str) -> bool {
    !text.chars().any(|c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c))
        && !text.lines().any(|line| line.starts_with("holds"))
}

#[test]
fn a_title_reaches_terminal_and_page_without_what_acts_on_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("m.toml"), SCENARIO).unwrap();
    for words in [&["run", "m.toml", "--report", "r.html", "--csv", "t"][..], &["explain", "m.toml"]] {
        let output = outgrow(folder.path(), words);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("pwned") && is_clean(&text), "{text:?}");
    }
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    assert!(page.contains("pwned") && is_clean(&page));
    assert!(is_clean(&fs::read_to_string(folder.path().join("t/metrics.csv")).unwrap()));
}

#[test]
fn an_output_never_overwrites_what_is_read_or_another_output() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = folder.path().join("m.toml");
    fs::write(&scenario, SCENARIO).unwrap();
    let long = format!("{}.json", "x".repeat(300));
    for (words, why) in [
        (&["run", "m.toml", "--json", "m.toml"][..], "would overwrite it"),
        (&["run", "m.toml", "--json", "./m.toml"], "would overwrite it"),
        (&["run", "m.toml", "--json", "x", "--report", "x"], "two outputs"),
        (&["run", "m.toml", "--json", "d", "--csv", "d"], "two outputs"),
        (&["run", "m.toml", "--json", &long], "more than 255 bytes"),
    ] {
        let output = outgrow(folder.path(), words);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{words:?}: {said}");
    }
    assert_eq!(fs::read_to_string(&scenario).unwrap(), SCENARIO);
}

#[test]
fn a_key_of_thousands_of_steps_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("m.toml"), SCENARIO).unwrap();
    let set = format!("run.{}b=1", "a.".repeat(16_000));
    let output = outgrow(folder.path(), &["check", "m.toml", "--set", &set]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(3) && said.contains("at most 80 steps"), "{said:.300}");
}
