//! The pages of what a student sees, in both languages: all exercises, with predictions that are often wrong.

use std::fmt::Write as _;

use outgrow::course::answers::{Answers, What};
use outgrow::course::exercise::{Ask, Exercise, Kind};
use outgrow::course::measure::{self, Measured};
use outgrow::course::text::{Lang, Numbers, Unit};
use outgrow::course::words;
use outgrow::experiment::runner::Unwatched;

use super::{course, shelf};
use crate::docs::check_generated;

const STUDENT: &str = "20231234";

/// Three times the key in one exercise, the key itself in the next.
fn said(ask: &Ask, numbers: &Numbers, is_right: bool) -> String {
    match &ask.kind {
        Kind::Number(number) => {
            let key = number.key(numbers).expect("it has a key");
            let said = if is_right { key } else { 3.0 * key };
            let rounded: f64 = format!("{said:.1e}").parse().expect("a number");
            match number.unit {
                Unit::Time => format!("{}ms", (rounded * 1e3).round()),
                Unit::Share => format!("{}%", (rounded * 1e3).round() / 10.0),
                Unit::Rate => format!("{rounded}/s"),
                Unit::Factor => format!("x{rounded}"),
                Unit::Count | Unit::Usd => format!("{rounded}"),
            }
        }
        Kind::Choice { answer, options, .. } => {
            let wrong = options.iter().find(|option| *option != answer).expect("a choice has two");
            if is_right { answer.clone() } else { wrong.clone() }
        }
        Kind::Order { options, .. } => options.join(","),
        Kind::Fix(fix) => fix.reference.iter().map(|(key, value)| format!("{key}={value}")).collect(),
        Kind::Curve { points, .. } => points.iter().map(|_| "2000").collect::<Vec<_>>().join(","),
    }
}

fn measured(exercise: &Exercise) -> Measured {
    let keys = course("chapter").keys.expect("it has keys");
    keys.of(exercise, exercise.variant(STUDENT)).expect("it has keys")
}

fn transcript(lang: Lang) -> String {
    let course = course("chapter");
    let mut page = match lang {
        Lang::En => "# A student at the course\n\nWhat `outgrow learn` shows to student 20231234, who is often wrong. \
                     한국어: [transcript.ko.md](transcript.ko.md).\n"
            .to_owned(),
        Lang::Ko => "# 학생의 화면\n\n학번 20231234인 학생에게 `outgrow learn`이 보여 주는 것입니다. 이 학생은 자주 틀립니다. \
                     English: [transcript.md](transcript.md).\n"
            .to_owned(),
    };
    let mut answers = Answers::new(STUDENT, &course.name);
    for (number, exercise) in course.exercises.iter().enumerate() {
        let variant = exercise.variant(STUDENT);
        let found = measured(exercise);
        let numbers = exercise.numbers(variant, &found.values);
        let is_right = number % 2 == 1;
        let mut shown =
            format!("$ outgrow learn {}\n{}", exercise.id, words::exercise(exercise, &answers, lang));
        let predictions: Vec<String> =
            exercise.predictions().map(|ask| said(ask, &numbers, is_right)).collect();
        write!(shown, "\n$ outgrow learn predict {} {}\n", exercise.id, predictions.join(" ")).unwrap();
        answers.add(&exercise.id, What::Predict, predictions, "").unwrap();
        write!(shown, "\n$ outgrow learn run {}\n", exercise.id).unwrap();
        if let Some(fix) = exercise.fix() {
            let cured =
                measure::cure(exercise, fix, &fix.reference, (variant, 0), shelf("chapter"), &Unwatched);
            shown.push_str(&words::cured(&cured.expect("it can be run"), lang));
            shown.push('\n');
            shown.push_str(&words::explained(exercise, &answers, &found, lang));
        } else {
            shown.push_str(&words::ran(exercise, &answers, &found, lang));
            shown.push('\n');
            shown.push_str(&words::cause(exercise, variant, lang));
        }
        answers.add(&exercise.id, What::Run, Vec::new(), &found.fingerprint).unwrap();
        if let Some(cause) = exercise.cause() {
            let choice = said(cause, &numbers, is_right);
            write!(shown, "\n$ outgrow learn why {} {choice}\n", exercise.id).unwrap();
            answers.add(&exercise.id, What::Why, vec![choice], "").unwrap();
            shown.push_str(&words::explained(exercise, &answers, &found, lang));
        }
        write!(page, "\n## {}\n\n```text\n{}\n```\n", exercise.id, shown.trim_end()).unwrap();
    }
    page
}

#[test]
fn the_pages_show_what_a_student_sees() {
    check_generated("docs/teaching/transcript.md", &transcript(Lang::En));
    check_generated("docs/teaching/transcript.ko.md", &transcript(Lang::Ko));
}
