//! A class of a hundred: good students, students who think in proportion, students who copy, and some who cheat.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use outgrow::course::Course;
use outgrow::course::answers::{Answers, What};
use outgrow::course::exercise::{Exercise, Kind};

use super::course;

/// What an exercise expects of one who knows everything: an answer to each question before the run.
fn right(course: &Course, exercise: &Exercise, student: &str) -> Vec<String> {
    let variant = exercise.variant(student);
    let measured = course.keys.as_ref().and_then(|keys| keys.of(exercise, variant)).expect("it has keys");
    let numbers = exercise.numbers(variant, &measured.values);
    let value = |name: &String| numbers.values.get(name.as_str()).expect("it was measured").mean;
    let typed = |unit: outgrow::course::text::Unit, value: f64| {
        use outgrow::course::text::Unit;
        match unit {
            Unit::Time => format!("{}ms", value * 1e3),
            Unit::Share => format!("{}%", value * 100.0),
            Unit::Rate => format!("{value}/s"),
            Unit::Factor => format!("x{value}"),
            Unit::Count | Unit::Usd => format!("{value}"),
        }
    };
    let answer = |ask: &outgrow::course::exercise::Ask| match &ask.kind {
        Kind::Number(number) => typed(number.unit, number.key(&numbers).expect("it has a key")),
        Kind::Choice { answer, .. } => answer.clone(),
        Kind::Order { options, lowest } => {
            let mut sorted = options.clone();
            sorted.sort_by(|a, b| value(a).total_cmp(&value(b)));
            if !lowest {
                sorted.reverse();
            }
            sorted.join(",")
        }
        Kind::Fix(fix) => {
            fix.reference.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
        }
        Kind::Curve { points, unit, .. } => {
            points.iter().map(|point| typed(*unit, value(point))).collect::<Vec<_>>().join(",")
        }
    };
    exercise.predictions().map(answer).collect()
}

/// The answers of a student to a course, each changed by `said`.
fn student(course: &Course, number: &str, said: impl Fn(&Exercise, Vec<String>) -> Vec<String>) -> Answers {
    let mut answers = Answers::new(number, &course.name);
    for exercise in &course.exercises {
        let variant = exercise.variant(number);
        let measured = course.keys.as_ref().and_then(|keys| keys.of(exercise, variant)).expect("it has keys");
        let right = right(course, exercise, number);
        answers.add(&exercise.id, What::Predict, said(exercise, right), "").unwrap();
        answers.add(&exercise.id, What::Run, Vec::new(), &measured.fingerprint).unwrap();
        if let Some(Kind::Choice { answer, .. }) = exercise.cause().map(|ask| &ask.kind) {
            answers.add(&exercise.id, What::Why, vec![answer.clone()], "").unwrap();
        }
    }
    answers
}

fn grade(folder: &Path) -> (i32, String, String, String) {
    let out = folder.join("marks.csv");
    let ran = Command::cargo_bin("outgrow")
        .unwrap()
        .args(["learn", "grade", "--out"])
        .args([&out, &folder.join("class")])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let marks = fs::read_to_string(out).unwrap_or_default();
    (ran.status.code().unwrap(), text(&ran.stdout), text(&ran.stderr), marks)
}

fn total(marks: &str, student: &str) -> f64 {
    let mut reader = csv::Reader::from_reader(marks.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.filter(|row| &row[0] == student).map(|row| row[8].parse::<f64>().unwrap()).sum()
}

/// One in ten says every number a hundredfold, and finds every cause afterwards.
fn far(_: &Exercise, right: Vec<String>) -> Vec<String> {
    let more =
        |said: String| match said.trim_start_matches('x').find(|c: char| !c.is_ascii_digit() && c != '.') {
            _ if said.contains(',') || said.contains('=') => said,
            Some(0) => said,
            at => {
                let bare = said.trim_start_matches('x');
                let (number, unit) = bare.split_at(at.unwrap_or(bare.len()));
                let head = if said.starts_with('x') { "x" } else { "" };
                format!("{head}{}{unit}", number.parse::<f64>().unwrap() * 100.0 + 1000.0)
            }
        };
    right.into_iter().map(more).collect()
}

/// Ten cheat, each in another way: the number of each, and how it is found.
fn cheats(course: &Course, class: &Path) -> Vec<(String, String)> {
    let good = |number: u32| student(course, &format!("2026{number:04}"), |_, right| right);
    let mut cheats: Vec<(String, String)> = Vec::new();
    let mut cheat = |number: u32, text: &[u8], why: &str| {
        fs::write(class.join(format!("2026{number:04}.toml")), text).unwrap();
        cheats.push((format!("2026{number:04}"), why.to_owned()));
    };
    let mut changed = good(90);
    changed.entries[0].values = vec!["1%".into()];
    cheat(90, changed.text().as_bytes(), "entry 1 is not as the program wrote it");
    let mut moved = good(91);
    moved.entries.swap(0, 1);
    cheat(91, moved.text().as_bytes(), "does not follow");
    let mut dropped = good(92);
    dropped.entries.remove(3);
    cheat(92, dropped.text().as_bytes(), "does not follow");
    let mut renamed = good(0);
    renamed.student = "20260093".into();
    cheat(93, renamed.text().as_bytes(), "entry 1 is not as");
    cheat(94, "x".repeat(10 << 20).as_bytes(), "more than 256 KiB");
    let version = good(95).text().replace("0.1.0", "9.9.9");
    cheat(95, version.as_bytes(), "entry 1 is not as");
    let mut other = Answers::new("20260096", "chapter@000000000000");
    other.add("one-box", What::Predict, vec!["50%".into()], "").unwrap();
    cheat(96, other.text().as_bytes(), "of the course chapter@000000000000");
    cheat(97, &[0xff, 0xfe, 0x00], "not UTF-8");
    cheat(98, b"schema = 1", "cannot be read: line 1");
    let misspelt = good(99).text().replace("[[entry]]", "[[entri]]");
    cheat(99, misspelt.as_bytes(), "unknown field `entri`");
    cheats
}

#[test]
fn a_hundred_students_get_what_they_have_earned() {
    let course = course("chapter");
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class");
    fs::create_dir(&class).unwrap();
    let most = course.exercises.len() as f64 * 4.0;
    let write = |number: &str, answers: &Answers| {
        fs::write(class.join(format!("{number}.toml")), answers.text()).unwrap();
    };
    for number in 0..80 {
        let number = format!("2026{number:04}");
        write(&number, &student(&course, &number, |_, right| right));
    }
    for number in 80..90 {
        let number = format!("2026{number:04}");
        write(&number, &student(&course, &number, far));
    }
    let cheats = cheats(&course, &class);
    let (code, said, errors, marks) = grade(folder.path());
    assert_eq!(code, 4, "{errors}");
    for (number, why) in &cheats {
        let line = errors
            .lines()
            .find(|line| line.contains(number.as_str()))
            .unwrap_or_else(|| panic!("{number}: {errors}"));
        assert!(line.contains(why.as_str()), "{why}: {line}");
        assert_eq!(total(&marks, number), 0.0);
    }
    for number in 0..80 {
        let number = format!("2026{number:04}");
        assert!((total(&marks, &number) - most).abs() < 0.01, "{number}: {}", total(&marks, &number));
    }
    for number in 80..90 {
        let number = format!("2026{number:04}");
        let found = total(&marks, &number);
        assert!(found > most / 2.0 && found < 0.9 * most, "{number}: {found}");
    }
    assert!(said.contains("90 students") && said.contains("10 files were not marked"), "{said}");
    // The order of the files does not matter, nor that they lie in folders.
    fs::create_dir(class.join("a")).unwrap();
    fs::rename(class.join("20260000.toml"), class.join("a/z.toml")).unwrap();
    assert_eq!(grade(folder.path()).3, marks);
}

#[test]
fn two_files_of_one_student_and_another_variant_are_found() {
    let course = course("chapter");
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class");
    fs::create_dir(&class).unwrap();
    let one = student(&course, "1", |_, right| right);
    fs::write(class.join("a.toml"), one.text()).unwrap();
    fs::write(class.join("b.toml"), one.text()).unwrap();
    // Runs of another student's numbers.
    let mut two = Answers::new("2", &course.name);
    for entry in &one.entries {
        two.add(&entry.id, entry.what, entry.values.clone(), &entry.fingerprint).unwrap();
    }
    fs::write(class.join("c.toml"), two.text()).unwrap();
    let (code, _, errors, marks) = grade(folder.path());
    assert_eq!(code, 4);
    assert_eq!(errors.matches("more than one file of student 1").count(), 2, "{errors}");
    assert!(marks.contains("the run is not that of this student"), "{marks}");
}

#[test]
fn a_cure_of_a_student_cannot_do_harm() {
    let course = course("chapter");
    let folder = tempfile::tempdir().unwrap();
    let class = folder.path().join("class");
    fs::create_dir(&class).unwrap();
    for (number, cure) in [
        ("1", "users.users=1"),
        ("2", "lb.retries=99999999999999999999"),
        ("3", "lb.retries=1"),
        ("4", "web.count=100000000"),
        ("5", "lb.health.interval=1ns"),
    ] {
        let mut answers = Answers::new(number, &course.name);
        answers.add("one-key", What::Predict, vec![cure.into()], "").unwrap();
        answers.add("one-key", What::Run, Vec::new(), "").unwrap();
        fs::write(class.join(format!("{number}.toml")), answers.text()).unwrap();
    }
    let (code, _, errors, marks) = grade(folder.path());
    assert_eq!(code, 0, "{errors}");
    assert!(marks.contains("`users.users` may not be changed here"), "{marks}");
    assert_eq!(total(&marks, "3"), 4.0, "{marks}");
    for number in ["1", "2", "4"] {
        assert_eq!(total(&marks, number), 1.0, "{marks}");
    }
}
