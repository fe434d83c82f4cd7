//! The course: its exercises are right in both languages, its keys are what comes out, and a class is marked fairly.

mod class;
mod student;
mod transcript;

use std::collections::BTreeSet;

use outgrow::course::builtin::{self, BUILTINS};
use outgrow::course::exercise::{Exercise, Kind, Variant};
use outgrow::course::keys::Key;
use outgrow::course::text::Lang;
use outgrow::course::{Course, Shelf, measure};
use outgrow::experiment::runner::Unwatched;

/// A course of the program, whose keys must be of its files.
fn course(name: &str) -> Course {
    let course = Course::read(builtin::find(name).expect("there is one")).expect("it is right");
    let update = "outgrow learn check course/NAME --write measures them anew";
    assert!(course.keys.is_some(), "keys.json of {name} is of another version of its files: {update}");
    course
}

fn shelf(name: &str) -> Shelf<'static> {
    let files = builtin::find(name).expect("there is one");
    Shelf { files, builtin: |name| outgrow::cli::builtin::find(name).map(|found| found.text) }
}

fn exercises() -> Vec<(&'static str, Exercise)> {
    let of = |builtin: &builtin::Builtin| {
        course(builtin.name).exercises.into_iter().map(|one| (builtin.name, one)).collect::<Vec<_>>()
    };
    BUILTINS.iter().flat_map(of).collect()
}

#[test]
fn every_exercise_is_whole_in_both_languages() {
    for (_, one) in exercises() {
        let korean = one.korean.as_ref().unwrap_or_else(|| panic!("{} has no Korean", one.id));
        let both = [&one.english, korean];
        let names = |of: fn(&outgrow::course::exercise::Text) -> Vec<&String>| both.map(of);
        for [english, korean] in [
            names(|text| text.asks.keys().collect()),
            names(|text| text.options.keys().collect()),
            names(|text| text.wrong.keys().collect()),
        ] {
            assert_eq!(english, korean, "{}", one.id);
        }
        // The numbers of an explanation are the same in both.
        let places = |text: &str| -> BTreeSet<String> {
            text.split('{')
                .skip(1)
                .filter_map(|rest| Some(rest.split_once('}')?.0.trim().to_owned()))
                .collect()
        };
        let [english, korean] = both.map(|text| places(&text.explain));
        assert_eq!(english, korean, "{}", one.id);
        // Formulas and code are the same in both languages.
        let prose = |text: &str| -> String {
            let parts = text.split(['{', '}', '`']);
            parts.enumerate().filter(|(at, _)| at % 2 == 0).map(|(_, part)| part).collect()
        };
        let words = one.text(Lang::Ko);
        for text in [&words.question, &words.explain].map(|text| prose(text)) {
            let letters = text.chars().filter(|c| c.is_alphabetic()).count();
            let hangul = text.chars().filter(|c| ('가'..='힣').contains(c)).count();
            assert!(hangul * 5 > letters * 3, "{}: too little Korean in {text}", one.id);
        }
    }
}

/// What Korean texts do not say, and what they say instead.
const KOREAN: [(&str, &str); 12] = [
    ("일꾼", "워커(작업 스레드)"),
    ("이름 서버", "네임 서버(DNS)"),
    ("고리", "링"),
    ("프라이머리", "주 서버"),
    ("균형기", "로드밸런서"),
    ("건강 검사", "상태 검사"),
    ("활용도", "사용률"),
    ("반응 시간", "응답 시간"),
    ("페일 오버", "장애 조치(failover)"),
    ("상한 읽기", "오래된 값을 읽음(stale read)"),
    ("예언", "예측"),
    ("걸음마다", "단계마다"),
];

#[test]
fn korean_uses_one_term_for_one_thing() {
    for (_, one) in exercises() {
        let text = one.text(Lang::Ko);
        let all = [&text.title, &text.question, &text.hint, &text.explain];
        let more = text.asks.values().chain(text.options.values()).chain(text.wrong.values());
        for said in all.into_iter().chain(more) {
            for (wrong, right) in KOREAN {
                assert!(!said.contains(wrong), "{}: {wrong}, better {right}: {said}", one.id);
            }
        }
    }
}

/// What a number outside of its tolerance would be marked by: the keys that are far from each wrong answer.
#[test]
fn each_key_is_right_and_betrays_no_misconception() {
    use outgrow::course::mark::mark;
    use outgrow::course::reply::Reply;
    for (name, one) in exercises() {
        let keys = course(name).keys.expect("it has keys");
        for variant in one.variants() {
            let measured = keys.of(&one, variant).unwrap_or_else(|| panic!("{} has no keys", one.id));
            let numbers = one.numbers(variant, &measured.values);
            for (at, ask) in one.asks.iter().enumerate() {
                let reply = match &ask.kind {
                    Kind::Number(number) => Reply::Number(number.key(&numbers).expect("it has a key")),
                    Kind::Choice { answer, .. } => Reply::Choice(answer.clone()),
                    _ => continue,
                };
                let found = mark(&one, at, &reply, variant, &measured).expect("it can be marked");
                assert_eq!((found.share, found.misconception), (1.0, None), "{} {}", one.id, ask.name);
            }
            measure::claims(&one, variant, &measured).unwrap_or_else(|why| panic!("{}: {why}", one.id));
        }
    }
}

/// The first variant of every exercise comes out as `keys.json` says; `outgrow learn check` recomputes all.
#[test]
fn keys_are_what_comes_out() {
    for (name, one) in exercises() {
        let variant = Variant { set: 0, seed: 1 };
        let stored = course(name).keys.expect("it has keys");
        let stored = stored.of(&one, variant).unwrap_or_else(|| panic!("{} has no keys", one.id));
        let found = match one.fix() {
            None => measure::exercise(&one, variant, shelf(name), 0, &Unwatched).expect("it can be run"),
            Some(fix) => {
                let cured = measure::cure(&one, fix, &fix.reference, (variant, 0), shelf(name), &Unwatched);
                let cured = cured.expect("it can be run");
                assert!(cured.goals.iter().all(|(_, holds)| *holds), "{}", one.id);
                measure::Measured { values: Default::default(), fingerprint: cured.fingerprint }
            }
        };
        assert_eq!(
            Key::of(&found),
            Key::of(&stored),
            "{}: outgrow learn check course/{name} --write",
            one.id
        );
    }
}

#[test]
fn scenarios_give_no_answer_away() {
    for (name, one) in exercises() {
        let keys = course(name).keys.expect("it has keys");
        for variant in one.variants() {
            let measured = keys.of(&one, variant).expect("it has keys");
            let numbers = one.numbers(variant, &measured.values);
            for ask in &one.asks {
                let Kind::Number(number) = &ask.kind else { continue };
                let key = number.unit.shown(number.key(&numbers).expect("it has a key"), None);
                if key.chars().filter(char::is_ascii_digit).count() < 3 {
                    continue;
                }
                for run in &one.runs {
                    let text = shelf(name).text(&run.scenario).expect("a scenario");
                    let comments: String =
                        text.lines().filter_map(|line| Some(line.split_once('#')?.1)).collect();
                    assert!(!comments.contains(&key), "{}: {} says {key}", one.id, run.scenario);
                }
            }
        }
    }
}

#[test]
fn the_page_of_the_courses_says_how_many_exercises_they_have() {
    let page = std::fs::read_to_string(crate::golden::root().join("docs/course.md")).expect("a page");
    for (name, count, word) in [("overload", 10, "ten"), ("millions", 12, "twelve")] {
        assert_eq!(course(name).exercises.len(), count);
        assert!(page.contains(&format!("`{name}` has {word} ")), "{name} has {word}");
    }
}

/// The pages about the course say how many exercises there are, and name none that does not exist.
#[test]
fn pages_about_the_course_are_right_about_it() {
    let count = course("chapter").exercises.len();
    let ids: BTreeSet<String> = course("chapter").exercises.into_iter().map(|one| one.id).collect();
    for (page, said) in [
        ("README.md", format!("{count} exercises")),
        ("docs/course.md", format!("{count} exercises")),
        ("docs/course.ko.md", format!("문제 {count}개")),
        ("docs/teaching/README.md", format!("{count} exercises")),
        ("docs/teaching/README.ko.md", format!("문제 {count}개")),
    ] {
        let text = std::fs::read_to_string(crate::golden::root().join(page)).expect("a page");
        let words: Vec<&str> = text.split_whitespace().collect();
        assert!(words.join(" ").contains(&said), "{page} does not say {said}");
        if !page.contains("teaching") {
            continue;
        }
        let rows = text.lines().filter(|line| line.starts_with('|'));
        let named = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).filter(|name| !name.contains(' '));
        let named: BTreeSet<String> = named.map(str::to_owned).collect();
        let unknown: Vec<&String> =
            named.difference(&ids).filter(|name| !name.starts_with("--") && !name.contains('.')).collect();
        assert!(unknown.is_empty(), "{page} names {unknown:?}");
        let missing: Vec<&String> = ids.difference(&named).collect();
        assert!(missing.is_empty(), "{page} leaves out {missing:?}");
    }
}
