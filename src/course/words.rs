//! What a student reads, in both languages: questions, results, explanations.

use std::fmt::Write as _;

use super::Course;
use super::answers::{Answers, What};
use super::exercise::{Ask, Exercise, Kind, Variant};
use super::grade::{MARKS, Row};
use super::mark::{Mark, mark};
use super::measure::{Cured, Measured};
use super::reply;
use super::text::{Lang, Value};
use crate::scenario::command::quoted;

/// Columns of prose.
const COLUMNS: usize = 96;

/// How far a student is with an exercise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is said yet.
    New,
    /// Predicted, not run.
    Predicted,
    /// Run; the cause is still asked.
    Ran,
    /// All is said.
    Done,
}

impl Stage {
    /// How far these answers are.
    #[must_use]
    pub fn of(exercise: &Exercise, answers: &Answers) -> Stage {
        let has = |what: What| answers.of(&exercise.id).any(|entry| entry.what == what);
        match (has(What::Predict), has(What::Run), has(What::Why)) {
            (false, ..) => Stage::New,
            (true, false, _) => Stage::Predicted,
            (true, true, false) if exercise.cause().is_some() => Stage::Ran,
            _ => Stage::Done,
        }
    }
}

/// The first exercise that is not done; `None` if all are.
#[must_use]
pub fn next<'c>(course: &'c Course, answers: &Answers) -> Option<&'c Exercise> {
    course.exercises.iter().find(|exercise| Stage::of(exercise, answers) != Stage::Done)
}

/// The exercise with its questions, as far as the student is, and the command that comes next.
#[must_use]
pub fn exercise(exercise: &Exercise, answers: &Answers, lang: Lang) -> String {
    let variant = exercise.variant(&answers.student);
    let text = exercise.text(lang);
    let numbers = exercise.numbers(variant, &Default::default());
    let filled = |text: &str| numbers.fill(text).unwrap_or_else(|_| text.to_owned());
    let mut said = format!("{}  {}  ({})\n\n", exercise.id, filled(&text.title), exercise.section);
    said.push_str(&wrapped(&filled(&text.question)));
    said.push('\n');
    for run in &exercise.runs {
        let _ = writeln!(said, "  {}", command(exercise, run, variant));
    }
    match Stage::of(exercise, answers) {
        Stage::New => {
            said.push('\n');
            for ask in exercise.predictions() {
                said.push_str(&question(exercise, ask, variant, lang));
            }
            let words: Vec<String> = exercise.predictions().map(|ask| placeholder(ask).to_owned()).collect();
            let _ = write!(said, "\noutgrow learn predict {} {}\n", exercise.id, words.join(" "));
            let _ = writeln!(said, "{}: outgrow learn hint {}", lang.of("hint", "힌트"), exercise.id);
        }
        Stage::Predicted => {
            let _ = write!(said, "\noutgrow learn run {}\n", exercise.id);
        }
        Stage::Ran => {
            said.push('\n');
            said.push_str(&cause(exercise, variant, lang));
        }
        Stage::Done => said.push_str(lang.of("\nThis one is done.\n", "\n이 문제는 끝났습니다.\n")),
    }
    said
}

/// The command that runs the same outside of the course.
#[must_use]
pub fn command(exercise: &Exercise, run: &super::exercise::Run, variant: Variant) -> String {
    let set = exercise.changes(run, variant);
    let set = set.iter().map(|(key, value)| format!(" --set {}", quoted(&format!("{key}={value}"))));
    let set: String = set.collect();
    let (scenario, trials, seed) = (quoted(&run.scenario), run.trials, variant.seed);
    match &run.slo {
        None => format!("outgrow run {scenario}{set} --trials {trials} --seed {seed}"),
        Some(slo) => {
            format!("outgrow capacity {scenario}{set} --slo {} --trials {trials} --seed {seed}", quoted(slo))
        }
    }
}

/// The question about the cause, with the command that answers it; empty where nothing is asked.
#[must_use]
pub fn cause(exercise: &Exercise, variant: Variant, lang: Lang) -> String {
    let Some(ask) = exercise.cause() else { return String::new() };
    let asked = question(exercise, ask, variant, lang);
    format!("{asked}\noutgrow learn why {} {}\n", exercise.id, lang.of("CHOICE", "답"))
}

/// A question with the form of its answer.
#[must_use]
pub fn question(exercise: &Exercise, ask: &Ask, variant: Variant, lang: Lang) -> String {
    let numbers = exercise.numbers(variant, &Default::default());
    let text = exercise.text(lang);
    let filled = |text: &str| numbers.fill(text).unwrap_or_else(|_| text.to_owned());
    let name = text.asks.get(&ask.name).map_or(ask.name.as_str(), String::as_str);
    let mut said = format!("  {}\n", filled(name));
    let option = |name: &String| text.options.get(name).map_or(name.clone(), |text| filled(text));
    match &ask.kind {
        Kind::Number(number) => {
            let _ = writeln!(said, "    {}: {}", lang.of("such as", "예"), number.unit.examples());
        }
        Kind::Choice { options, .. } => {
            for name in options {
                let _ = writeln!(said, "    {name:<12} {}", option(name));
            }
        }
        Kind::Order { options, .. } => {
            for name in options {
                let _ = writeln!(said, "    {name:<12} {}", option(name));
            }
            let _ = writeln!(
                said,
                "    {}: {}",
                lang.of("all of them, the best first", "가장 좋은 것부터 모두"),
                options.join(",")
            );
        }
        Kind::Fix(fix) => {
            let _ = writeln!(said, "    {}: {}", lang.of("keys", "바꿀 수 있는 키"), fix.keys.join(", "));
            let _ = writeln!(said, "    {}: {}", lang.of("goals", "목표"), fix.goals.join(", "));
        }
        Kind::Curve { points, unit, .. } => {
            for name in points {
                let _ = writeln!(said, "    {}", option(name));
            }
            let _ = writeln!(
                said,
                "    {}: {}",
                lang.of(
                    "a number for each, with commas between them, such as",
                    "각각에 대해 쉼표로 나누어 쓴 수. 예"
                ),
                unit.examples()
            );
        }
    }
    said
}

const fn placeholder(ask: &Ask) -> &'static str {
    match ask.kind {
        Kind::Number(_) => "NUMBER",
        Kind::Choice { .. } => "CHOICE",
        Kind::Order { .. } => "A,B,C",
        Kind::Fix(_) => "KEY=VALUE",
        Kind::Curve { .. } => "A,B,C",
    }
}

/// What a run gave beside what the student said.
#[must_use]
pub fn ran(exercise: &Exercise, answers: &Answers, measured: &Measured, lang: Lang) -> String {
    let variant = exercise.variant(&answers.student);
    let numbers = exercise.numbers(variant, &measured.values);
    let text = exercise.text(lang);
    let predicted = answers.of(&exercise.id).find(|entry| entry.what == What::Predict);
    let said = predicted.map_or(&[][..], |entry| entry.values.as_slice());
    let mut shown = String::new();
    for (ask, said) in exercise.predictions().zip(said) {
        let name = text.asks.get(&ask.name).map_or(ask.name.as_str(), String::as_str);
        let at = exercise.asks.iter().position(|other| other.name == ask.name).expect("one of them");
        let mark =
            reply::read(ask, said, lang).and_then(|reply| mark(exercise, at, &reply, variant, measured));
        let _ = writeln!(shown, "  {}", numbers.fill(name).unwrap_or_else(|_| name.to_owned()));
        if let Kind::Number(number) = &ask.kind {
            if let Some(formula) = &number.measured
                && let Ok(mean) = numbers.formula(formula)
            {
                let value = number.unit.shown(mean, numbers.half_width(formula));
                let _ = writeln!(shown, "    {:<10} {value}", lang.of("measured", "측정"));
            }
            if number.formula.is_some()
                && let Ok(key) = number.key(&numbers)
            {
                let _ =
                    writeln!(shown, "    {:<10} {}", lang.of("theory", "이론"), number.unit.shown(key, None));
            }
        } else if let Ok(mark) = &mark {
            let _ = writeln!(shown, "    {:<10} {}", lang.of("right", "정답"), mark.key);
        }
        let _ = writeln!(
            shown,
            "    {:<10} {said}  {}",
            lang.of("you", "예측"),
            verdict(mark.as_ref().ok(), lang)
        );
    }
    for ask in exercise.predictions() {
        let (Kind::Order { options, .. } | Kind::Curve { points: options, .. }) = &ask.kind else { continue };
        for name in options {
            let Some(value) = measured.values.get(name) else { continue };
            let option = text.options.get(name).unwrap_or(name);
            let _ = writeln!(shown, "    {option}: {}", value.unit.shown(value.mean, value.half_width));
        }
    }
    let _ = writeln!(shown, "  {} {}", lang.of("fingerprint", "지문"), measured.fingerprint);
    shown
}

/// How far off a prediction was.
fn verdict(mark: Option<&Mark>, lang: Lang) -> String {
    let Some(mark) = mark else { return String::new() };
    if mark.share == 1.0 {
        return lang.of("right", "맞았습니다").to_owned();
    }
    match mark.ratio {
        Some(ratio) if ratio >= 1.1 => match lang {
            Lang::En => format!("{} times too much", two_digits(ratio)),
            Lang::Ko => format!("{}배로 너무 큽니다", two_digits(ratio)),
        },
        Some(ratio) if ratio <= 0.91 => match lang {
            Lang::En => format!("{} times too little", two_digits(1.0 / ratio)),
            Lang::Ko => format!("{}분의 일로 너무 작습니다", two_digits(1.0 / ratio)),
        },
        _ if mark.share > 0.0 => lang.of("nearly", "거의 맞았습니다").to_owned(),
        _ => lang.of("not so", "아닙니다").to_owned(),
    }
}

/// A ratio to two digits.
fn two_digits(ratio: f64) -> String {
    if ratio < 10.0 { format!("{ratio:.1}") } else { format!("{ratio:.0}") }
}

/// What the cause was, which misconception the prediction betrays, and what is to be learnt.
#[must_use]
pub fn explained(exercise: &Exercise, answers: &Answers, measured: &Measured, lang: Lang) -> String {
    let variant = exercise.variant(&answers.student);
    let numbers = exercise.numbers(variant, &measured.values);
    let text = exercise.text(lang);
    let mut shown = String::new();
    let mut told: Vec<&str> = Vec::new();
    let entry = |what: What| answers.of(&exercise.id).find(|entry| entry.what == what);
    for (at, ask) in exercise.asks.iter().enumerate() {
        let number = exercise.predictions().position(|other| other.name == ask.name);
        let said = match number {
            Some(number) => entry(What::Predict).and_then(|entry| entry.values.get(number)),
            None => entry(What::Why).and_then(|entry| entry.values.first()),
        };
        let Some(reply) = said.and_then(|said| reply::read(ask, said, lang).ok()) else { continue };
        let Ok(mark) = mark(exercise, at, &reply, variant, measured) else { continue };
        if ask.is_cause() {
            let right = mark.share == 1.0;
            let key = text.options.get(&mark.key).map_or(mark.key.as_str(), String::as_str);
            let (yes, no) = (lang.of("Right.", "맞습니다."), lang.of("No: ", "아닙니다. 정답: "));
            shown.push_str(&if right { format!("{yes}\n\n") } else { format!("{no}{key}\n\n") });
        }
        if let Some(wrong) = mark
            .misconception
            .and_then(|name| text.wrong.get(&name))
            .filter(|wrong| !told.contains(&wrong.as_str()))
        {
            told.push(wrong);
            shown.push_str(&wrapped(&numbers.fill(wrong).unwrap_or_else(|_| wrong.clone())));
            shown.push('\n');
        }
    }
    shown.push_str(&wrapped(&numbers.fill(&text.explain).unwrap_or_else(|_| text.explain.clone())));
    shown
}

/// How a cure ended.
#[must_use]
pub fn cured(found: &Cured, lang: Lang) -> String {
    let mut shown = String::new();
    for (goal, holds) in &found.goals {
        let word = if *holds { lang.of("holds", "충족") } else { lang.of("does not hold", "미달") };
        let _ = writeln!(shown, "  {goal}: {word}");
    }
    let usd = Value { mean: found.usd_per_hour, half_width: None, unit: super::text::Unit::Usd };
    if found.usd_per_hour > 0.0 {
        let price = usd.unit.shown(usd.mean, None);
        let _ = writeln!(shown, "  {} {price}", lang.of("price an hour", "시간당 비용"));
    }
    shown
}

/// Every exercise with how far it is, and the marks.
#[must_use]
pub fn list(course: &Course, answers: &Answers, rows: &[Row], lang: Lang) -> String {
    let mut shown = String::new();
    for exercise in &course.exercises {
        let stage = match Stage::of(exercise, answers) {
            Stage::New => " ",
            Stage::Predicted | Stage::Ran => lang.of("begun", "진행"),
            Stage::Done => lang.of("done", "완료"),
        };
        let title = exercise.numbers(exercise.variant(&answers.student), &Default::default());
        let title = title.fill(&exercise.text(lang).title).unwrap_or_default();
        let _ = writeln!(shown, "{:<5} {:<18} {stage:<6} {title}", exercise.section, exercise.id);
    }
    let marks = rows.iter().fold(0.0, |sum, row| sum + row.marks);
    let most = course.exercises.len() as f64 * MARKS;
    let _ = match lang {
        Lang::En => writeln!(shown, "\n{}, {marks:.1} of {most} marks", progress(course, answers, lang)),
        Lang::Ko => writeln!(shown, "\n{}, {most}점 중 {marks:.1}점", progress(course, answers, lang)),
    };
    shown
}

/// How many exercises are done.
#[must_use]
pub fn progress(course: &Course, answers: &Answers, lang: Lang) -> String {
    let done = course.exercises.iter().filter(|one| Stage::of(one, answers) == Stage::Done).count();
    let all = course.exercises.len();
    match lang {
        Lang::En => format!("{done} of {all} done"),
        Lang::Ko => format!("{all}문제 중 {done}문제 완료"),
    }
}

/// The hint of an exercise.
#[must_use]
pub fn hint(exercise: &Exercise, student: &str, lang: Lang) -> String {
    let numbers = exercise.numbers(exercise.variant(student), &Default::default());
    let hint = &exercise.text(lang).hint;
    wrapped(&numbers.fill(hint).unwrap_or_else(|_| hint.clone()))
}

/// The text in lines of at most [`COLUMNS`] columns, each ended. A letter of Korean has two columns.
fn wrapped(text: &str) -> String {
    let width = |word: &str| word.chars().map(|c| if c as u32 >= 0x1100 { 2 } else { 1 }).sum::<usize>();
    let mut lines = String::new();
    for paragraph in text.split("\n\n") {
        let mut column = 0;
        if !lines.is_empty() {
            lines.push('\n');
        }
        for word in paragraph.split_whitespace() {
            let own = width(word);
            if column > 0 && column + 1 + own > COLUMNS {
                lines.push('\n');
                column = 0;
            } else if column > 0 {
                lines.push(' ');
                column += 1;
            }
            lines.push_str(word);
            column += own;
        }
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::super::text::Unit;
    use super::*;

    fn measured() -> Measured {
        let value = |mean| Value { mean, half_width: Some(mean / 20.0), unit: Unit::Time };
        Measured {
            values: [("once".into(), value(0.05)), ("twice".into(), value(0.4))].into(),
            fingerprint: "a60c65e06b8bd1f1".into(),
        }
    }

    #[test]
    fn a_student_is_led_from_step_to_step() {
        let exercise = samples::exercise();
        let mut answers = Answers::new("20231234", "toy@1");
        let shown = |answers: &Answers| super::exercise(&exercise, answers, Lang::En);
        assert!(shown(&answers).contains("outgrow learn predict twice NUMBER"), "{}", shown(&answers));
        answers.add("twice", What::Predict, vec!["x2".into()], "").unwrap();
        assert!(shown(&answers).contains("outgrow learn run twice"));
        answers.add("twice", What::Run, Vec::new(), "a60c65e06b8bd1f1").unwrap();
        assert!(shown(&answers).contains("they wait for each other"));
        let ran = ran(&exercise, &answers, &measured(), Lang::En);
        assert!(ran.contains("measured   x8.00 ± 0.55"), "{ran}");
        assert!(ran.contains("you        x2  4.0 times too little"), "{ran}");
        answers.add("twice", What::Why, vec!["network".into()], "").unwrap();
        let told = explained(&exercise, &answers, &measured(), Lang::Ko);
        for part in ["아닙니다. 정답: 서로를 기다립니다", "대기열을 잊었습니다.", "8배입니다."]
        {
            assert!(told.contains(part), "{told}");
        }
        assert_eq!(Stage::of(&exercise, &answers), Stage::Done);
        assert!(shown(&answers).contains("This one is done."));
    }

    #[test]
    fn the_command_runs_the_same() {
        let exercise = samples::exercise();
        let line = command(&exercise, &exercise.runs[1], Variant { set: 2, seed: 3 });
        assert_eq!(line, "outgrow run box.toml --set users.users=14 --trials 5 --seed 3");
    }

    #[test]
    fn lines_are_short_and_keep_their_words() {
        let text = wrapped(&"사용자가 word ".repeat(40));
        assert!(text.lines().count() > 5);
        assert_eq!(text.split_whitespace().count(), 80);
    }
}
