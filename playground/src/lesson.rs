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
use outgrow::model::spec::Files;
use serde::Deserialize;
use serde_json::{Value, json};

/// What a student does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Lesson {
    /// The student's number or name.
    student: String,
    /// The name of the course; empty for that of the file of answers, else the first.
    #[serde(default)]
    course: String,
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

/// What was measured last, for the explanation: the course, the exercise, its variant, and the values.
static LAST: Mutex<Option<(&str, String, Variant, Measured)>> = Mutex::new(None);

/// The text of a scenario by its name, with or without the number before it.
fn scenario(name: &str) -> Option<&'static str> {
    let shelf = SHELF.lock().ok()?;
    let plain = |known: &str| known.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-') == name;
    shelf.iter().find(|(known, _)| *known == name || plain(known)).map(|(_, text)| *text)
}

/// The courses, the list of exercises of one, the file of answers, the exercise as far as the student is, and what the step
/// has `said`.
pub(super) fn lesson(lesson: &Lesson, watch: &dyn Progress) -> Result<Value, String> {
    if let Ok(mut shelf) = SHELF.lock() {
        for (name, text) in &lesson.shelf {
            shelf.entry(name.clone()).or_insert_with(|| Box::leak(text.clone().into_boxed_str()));
        }
    }
    let lang = if lesson.korean { Lang::Ko } else { Lang::En };
    let files = files(lesson)?;
    let course = Course::read(files)?;
    let mut answers = answers(lesson, &course)?;
    let titles =
        builtin::BUILTINS.iter().map(|files| Ok(json!([files.name, Course::read(files)?.title(lang)])));
    let mut answer =
        json!({ "course": files.name, "courses": titles.collect::<Result<Vec<Value>, String>>()? });
    if let Some(exercise) = course.find(&lesson.id) {
        let lab = Bench { files, watch };
        let said = match &lesson.step {
            Some(step) => done(step, exercise, &mut answers, lang, &lab)?,
            None => String::new(),
        };
        answer["said"] = said.into();
        answer["exercise"] = shown(exercise, &answers, files, lang);
    }
    let row = |exercise: &Exercise| {
        let title = filled(exercise, &answers.student, &exercise.text(lang).title);
        json!({ "id": exercise.id, "section": exercise.section, "title": title, "stage": stage(exercise, &answers) })
    };
    answer["list"] = course.exercises.iter().map(row).collect();
    answer["answers"] = answers.text().into();
    answer["student"] = answers.student.as_str().into();
    Ok(answer)
}

/// The files of the course that is named, else of the one that the file of answers belongs to, else of the first.
fn files(lesson: &Lesson) -> Result<&'static builtin::Builtin, String> {
    let begun = || {
        let answers = Answers::read(&lesson.answers).ok()?;
        builtin::find(answers.course.split('@').next()?)
    };
    match lesson.course.as_str() {
        "" => Ok(begun().unwrap_or(&builtin::BUILTINS[0])),
        name => builtin::find(name).ok_or_else(|| format!("there is no course `{name}`")),
    }
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
    lab: &Bench,
) -> Result<String, String> {
    let id = exercise.id.as_str();
    let found = match step {
        Step::Predict(said) => steps::predict(exercise, answers, said, lang).map(|()| String::new()),
        Step::Run => steps::run(exercise, answers, lab, lang),
        Step::Why(choice) => steps::why(exercise, answers, choice, lab, lang),
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
    /// The files of the course.
    files: &'static builtin::Builtin,
    watch: &'a dyn Progress,
}

impl Bench<'_> {
    fn shelf(&self) -> Shelf<'static> {
        Shelf { files: self.files, builtin: scenario }
    }
}

impl Lab for Bench<'_> {
    fn measured(&self, exercise: &Exercise, variant: Variant) -> Result<Measured, String> {
        let last = LAST.lock().ok().and_then(|last| last.clone());
        let is_it = |course: &str, id: &str| course == self.files.name && id == exercise.id;
        if let Some((.., found)) = last.filter(|(course, id, of, _)| is_it(course, id) && *of == variant) {
            return Ok(found);
        }
        let found = measure::exercise(exercise, variant, self.shelf(), 1, self.watch)?;
        if let Ok(mut last) = LAST.lock() {
            *last = Some((self.files.name, exercise.id.clone(), variant, found.clone()));
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

/// The exercise with the questions that are open, and its runs as the bench can open them: with the text of a scenario that
/// only the course has.
fn shown(exercise: &Exercise, answers: &Answers, files: &dyn Files, lang: Lang) -> Value {
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
            "toml": files.read(&run.scenario).ok(),
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
    fn a_course_is_chosen_by_its_name_or_by_the_file_of_answers() {
        let list = |question: Value| {
            let found = asked(question)?;
            let many = found["list"].as_array().unwrap().len();
            Ok::<_, String>((found["course"].as_str().unwrap().to_owned(), many, found))
        };
        let (name, many, second) = list(json!({ "student": "7", "course": "overload" })).unwrap();
        assert_eq!((name.as_str(), many), ("overload", 10));
        assert_eq!(second["courses"].as_array().unwrap().len(), builtin::BUILTINS.len());
        let (name, ..) = list(json!({ "student": "", "answers": second["answers"] })).unwrap();
        assert_eq!(name, "overload", "the file tells it");
        let (name, ..) = list(json!({ "student": "7" })).unwrap();
        assert_eq!(name, "chapter");
        let wrong = json!({ "student": "7", "course": "chapter", "answers": second["answers"] });
        assert!(list(wrong).unwrap_err().contains("is of the course overload"));
        assert!(list(json!({ "student": "7", "course": "x" })).unwrap_err().contains("no course `x`"));
    }

    #[test]
    fn a_scenario_that_only_the_course_has_comes_with_its_exercise() {
        let shown = |id: &str| {
            asked(json!({ "student": "7", "course": "overload", "id": id })).unwrap()["exercise"].clone()
        };
        let own = shown("idle-and-down");
        assert!(own["runs"][0]["toml"].as_str().unwrap().contains("[server.web]"), "{own}");
        assert_eq!(shown("coin-toss")["runs"][0]["toml"], Value::Null);
    }

    #[test]
    fn a_student_has_a_name() {
        assert!(asked(json!({ "student": " " })).unwrap_err().contains("number or a name"));
    }
}
