//! The course in a page: a student predicts, runs and says why, as with `outgrow learn`, and has the same file of answers.

use std::collections::BTreeMap;
use std::sync::Mutex;

use outgrow::course::answers::{Answers, What, is_student};
use outgrow::course::exercise::{Ask, Exercise, Fix, Kind, Variant};
use outgrow::course::grade::Lab;
use outgrow::course::measure::{self, Cured, Measured};
use outgrow::course::steps;
use outgrow::course::text::Lang;
use outgrow::course::words::{self, Stage};
use outgrow::course::{Course, Shelf, builtin};
use outgrow::experiment::runner::Progress;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a student does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lesson {
    /// The student's number or name.
    student: String,
    /// The text of `answers.toml`; empty at the beginning.
    #[serde(default)]
    answers: String,
    /// Whether to answer in Korean.
    #[serde(default)]
    korean: bool,
    /// The exercise; without one only the list is wanted.
    #[serde(default)]
    id: String,
    /// What is done with it; nothing to read it.
    #[serde(default)]
    step: Option<Step>,
    /// The built-in scenarios by name: the engine has none.
    #[serde(default)]
    shelf: BTreeMap<String, String>,
}

/// A step.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Step {
    /// Answers to the questions before the run.
    Predict(Vec<String>),
    /// Simulates.
    Run,
    /// Names the cause.
    Why(String),
    /// Reads the hint.
    Hint,
    /// Begins again.
    Reset,
}

/// Scenarios that pages have given. They are leaked, each once, because the course wants them for ever.
static SHELF: Mutex<BTreeMap<String, &str>> = Mutex::new(BTreeMap::new());

/// What was measured last, for the explanation: the exercise, its variant, and the values.
static LAST: Mutex<Option<(String, Variant, Measured)>> = Mutex::new(None);

/// The text of a scenario by its name, with or without the number before it.
fn scenario(name: &str) -> Option<&'static str> {
    let shelf = SHELF.lock().ok()?;
    let plain = |known: &str| known.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-') == name;
    shelf.iter().find(|(known, _)| *known == name || plain(known)).map(|(_, text)| *text)
}

/// The list of exercises, the file of answers, the exercise as far as the student is, and what the step has `said`.
pub(super) fn lesson(lesson: &Lesson, watch: &dyn Progress) -> Result<Value, String> {
    if let Ok(mut shelf) = SHELF.lock() {
        for (name, text) in &lesson.shelf {
            shelf.entry(name.clone()).or_insert_with(|| Box::leak(text.clone().into_boxed_str()));
        }
    }
    let lang = if lesson.korean { Lang::Ko } else { Lang::En };
    let course = Course::read(&builtin::BUILTINS[0])?;
    let mut answers = answers(lesson, &course)?;
    let mut answer = json!({ "title": course.title(lang) });
    if let Some(exercise) = course.find(&lesson.id) {
        let said = match &lesson.step {
            Some(step) => done(step, exercise, &mut answers, lang, watch)?,
            None => String::new(),
        };
        answer["said"] = said.into();
        answer["exercise"] = shown(exercise, &answers, lang);
    }
    let row = |exercise: &Exercise| {
        let title = filled(exercise, &answers.student, &exercise.text(lang).title);
        json!({ "id": exercise.id, "section": exercise.section, "title": title, "stage": stage(exercise, &answers) })
    };
    answer["list"] = course.exercises.iter().map(row).collect();
    answer["answers"] = answers.text().into();
    Ok(answer)
}

fn answers(lesson: &Lesson, course: &Course) -> Result<Answers, String> {
    if lesson.answers.is_empty() {
        let fits = is_student(&lesson.student);
        return fits
            .then(|| Answers::new(&lesson.student, &course.name))
            .ok_or_else(|| "a student is a number or a name".into());
    }
    let answers = Answers::read(&lesson.answers)?;
    if answers.course != course.name {
        return Err(format!("the file is of the course {}, and this is {}", answers.course, course.name));
    }
    Ok(answers)
}

/// Does a step, if it is its turn, and returns what there is to read.
fn done(
    step: &Step,
    exercise: &Exercise,
    answers: &mut Answers,
    lang: Lang,
    watch: &dyn Progress,
) -> Result<String, String> {
    let (id, lab) = (exercise.id.as_str(), Bench { watch });
    let found = match step {
        Step::Predict(said) => steps::predict(exercise, answers, said, lang).map(|()| String::new()),
        Step::Run => steps::run(exercise, answers, &lab, lang),
        Step::Why(choice) => steps::why(exercise, answers, choice, &lab, lang),
        Step::Hint => {
            answers.add(id, What::Hint, Vec::new(), "")?;
            Ok(words::hint(exercise, &answers.student, lang))
        }
        Step::Reset => {
            answers.add(id, What::Reset, Vec::new(), "")?;
            Ok(String::new())
        }
    };
    found.map_err(|refusal| refusal.text().to_owned())
}

/// Simulates for a student; what was measured last is not simulated again.
struct Bench<'a> {
    watch: &'a dyn Progress,
}

impl Bench<'_> {
    fn shelf(&self) -> Shelf<'static> {
        Shelf { files: &builtin::BUILTINS[0], builtin: scenario }
    }
}

impl Lab for Bench<'_> {
    fn measured(&self, exercise: &Exercise, variant: Variant) -> Result<Measured, String> {
        let last = LAST.lock().ok().and_then(|last| last.clone());
        if let Some((_, _, found)) = last.filter(|(id, of, _)| *id == exercise.id && *of == variant) {
            return Ok(found);
        }
        let found = measure::exercise(exercise, variant, self.shelf(), 1, self.watch)?;
        if let Ok(mut last) = LAST.lock() {
            *last = Some((exercise.id.clone(), variant, found.clone()));
        }
        Ok(found)
    }

    fn cured(
        &self,
        exercise: &Exercise,
        fix: &Fix,
        variant: Variant,
        changes: &[(String, String)],
    ) -> Result<Cured, String> {
        measure::cure(exercise, fix, changes, (variant, 1), self.shelf(), self.watch)
    }
}

/// A text with the parameters of the student in it.
fn filled(exercise: &Exercise, student: &str, text: &str) -> String {
    let numbers = exercise.numbers(exercise.variant(student), &BTreeMap::new());
    numbers.fill(text).unwrap_or_else(|_| text.to_owned())
}

fn stage(exercise: &Exercise, answers: &Answers) -> &'static str {
    match Stage::of(exercise, answers) {
        Stage::New => "new",
        Stage::Predicted => "predicted",
        Stage::Ran => "ran",
        Stage::Done => "done",
    }
}

/// The exercise with the questions that are open, and its runs as the bench can open them.
fn shown(exercise: &Exercise, answers: &Answers, lang: Lang) -> Value {
    let student = answers.student.as_str();
    let variant = exercise.variant(student);
    let text = exercise.text(lang);
    let fill = |text: &str| filled(exercise, student, text);
    let at = Stage::of(exercise, answers);
    let is_cure = exercise.fix().is_some();
    let open: Vec<&Ask> = match at {
        Stage::New => exercise.predictions().collect(),
        Stage::Predicted | Stage::Done if is_cure => exercise.predictions().collect(),
        Stage::Ran => exercise.cause().into_iter().collect(),
        Stage::Predicted | Stage::Done => Vec::new(),
    };
    let run = |run: &outgrow::course::exercise::Run| {
        json!({
            "scenario": run.scenario,
            "set": exercise.changes(run, variant),
            "seed": variant.seed,
            "command": words::command(exercise, run, variant),
        })
    };
    json!({
        "id": exercise.id,
        "section": exercise.section,
        "title": fill(&text.title),
        "question": fill(&text.question),
        "stage": stage(exercise, answers),
        "cure": is_cure,
        "asks": open.into_iter().map(|ask| asked(exercise, ask, lang, &fill)).collect::<Vec<_>>(),
        "runs": exercise.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

fn asked(exercise: &Exercise, ask: &Ask, lang: Lang, fill: &dyn Fn(&str) -> String) -> Value {
    let text = exercise.text(lang);
    let words = fill(text.asks.get(&ask.name).map_or(ask.name.as_str(), String::as_str));
    let option = |name: &String| json!([name, fill(text.options.get(name).unwrap_or(name))]);
    let (kind, options, form): (_, Vec<Value>, String) = match &ask.kind {
        Kind::Number(number) => ("number", Vec::new(), number.unit.examples().into()),
        Kind::Choice { options, .. } => ("choice", options.iter().map(option).collect(), String::new()),
        Kind::Order { options, .. } => ("order", options.iter().map(option).collect(), options.join(",")),
        Kind::Fix(fix) => {
            let goals = fix.goals.iter().map(|goal| json!([goal, goal])).collect();
            ("fix", goals, fix.keys.join(", "))
        }
        Kind::Curve { points, unit, .. } => {
            ("curve", points.iter().map(option).collect(), unit.examples().into())
        }
    };
    json!({ "name": ask.name, "words": words, "kind": kind, "options": options, "form": form })
}

#[cfg(test)]
mod tests {
    use outgrow::experiment::runner::Unwatched;

    use super::*;

    fn asked(question: Value) -> Result<Value, String> {
        lesson(&serde_json::from_value(question).unwrap(), &Unwatched)
    }

    #[test]
    fn an_exercise_is_done_step_by_step_and_its_file_is_that_of_the_program() {
        let text = include_str!("../../scenarios/05-one-big-box-dies.toml");
        let shelf = json!({ "05-one-big-box-dies": text });
        let mut file = String::new();
        let mut next = |step: Value| {
            let question =
                json!({ "student": "7", "answers": file, "id": "box-is-down", "step": step, "shelf": shelf });
            let found = asked(question)?;
            file = found["answers"].as_str().unwrap().to_owned();
            Ok::<Value, String>(found)
        };
        let first = next(Value::Null).unwrap();
        assert_eq!(
            (&first["exercise"]["stage"], first["list"].as_array().unwrap().len()),
            (&json!("new"), 21)
        );
        assert!(next(json!("run")).unwrap_err().contains("say first what will come out"));
        assert!(next(json!({ "predict": ["much"] })).unwrap_err().contains("such as"));
        next(json!({ "predict": ["80%"] })).unwrap();
        let ran = next(json!("run")).unwrap();
        assert!(ran["said"].as_str().unwrap().contains('%'), "{ran}");
        assert_eq!(ran["exercise"]["asks"][0]["kind"], "choice");
        let last = next(json!({ "why": "once" })).unwrap();
        assert_eq!(last["exercise"]["stage"], "done");
        let answers = Answers::read(last["answers"].as_str().unwrap()).unwrap();
        assert_eq!(answers.entries.len(), 3);
        assert_eq!(answers.entries[1].fingerprint.len(), 16);
    }

    #[test]
    fn a_student_has_a_name() {
        assert!(asked(json!({ "student": " " })).unwrap_err().contains("number or a name"));
    }
}
