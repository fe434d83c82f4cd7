//! What a student does: everything that changes the file of answers, in the order that the course wants.

use std::fs;

use super::super::output::{OutputFile, print};
use super::super::progress::Bar;
use super::super::status::{Failure, Status};
use super::super::{Ended, interrupt};
use super::bench::Bench;
use super::{Folder, Of, folder, student_of};
use crate::course::answers::{Answers, BYTES_MAX, What};
use crate::course::exercise::Exercise;
use crate::course::grade::{self, Lab as _};
use crate::course::words::{self, Stage};
use crate::course::{Course, measure, reply};
use crate::scenario::suggest::did_you_mean;

/// A student at the course.
struct Session {
    folder: Folder,
    course: Course,
    answers: Answers,
    of: Of,
}

impl Session {
    fn open(of: &Of) -> Result<Session, Failure> {
        let folder = Folder::find(&of.course)?;
        let course = folder.course()?;
        let answers = read(of, &course)?;
        Ok(Session { folder, course, answers, of: of.clone() })
    }

    fn exercise(&self, id: &str) -> Result<&Exercise, Failure> {
        let ids = self.course.exercises.iter().map(|exercise| exercise.id.as_str());
        self.course.find(id).ok_or_else(|| {
            let help = did_you_mean(id, "exercises", ids).unwrap_or_default();
            Failure::usage(format!("there is no exercise `{id}`: {help}"))
        })
    }

    /// Adds an entry and writes the file.
    fn add(&mut self, id: &str, what: What, values: Vec<String>, fingerprint: &str) -> Result<(), Failure> {
        self.answers.add(id, what, values, fingerprint).map_err(Failure::failed)?;
        OutputFile::prepare(&self.of.answers)?.write(self.answers.text())
    }

    /// The failure of a step that comes too early or too late.
    fn not_now(&self, english: &str, korean: &str) -> Failure {
        Failure::usage(self.of.lang().of(english, korean))
    }
}

/// The file of answers; a new one if there is none.
fn read(of: &Of, course: &Course) -> Result<Answers, Failure> {
    let path = of.answers.display();
    if fs::symlink_metadata(&of.answers).is_err() {
        let student = of.student.as_deref().ok_or_else(|| {
            let example = "outgrow learn --student 20231234";
            Failure::usage(of.lang().of(
                &format!("who are you? Your number is kept in `{path}` after the first time: {example}"),
                &format!("학번을 알려 주세요. 처음 한 번만 쓰면 `{path}`에 남습니다: {example}"),
            ))
        })?;
        let answers = Answers::new(student_of(student)?, &course.name);
        OutputFile::prepare(&of.answers)?.write(answers.text())?;
        return Ok(answers);
    }
    let text = folder::text(&of.answers, BYTES_MAX);
    let answers = text.and_then(|text| Answers::read(&text));
    let answers = answers.map_err(|why| Failure::failed(format!("`{path}` is no file of answers: {why}")))?;
    if answers.course != course.name {
        let message = format!(
            "`{path}` is of the course {}, and this is {}: --answers FILE",
            answers.course, course.name
        );
        return Err(Failure::failed(message));
    }
    match &of.student {
        Some(student) if *student != answers.student => {
            Err(Failure::usage(format!("`{path}` is of student {}: --answers FILE", answers.student)))
        }
        _ => Ok(answers),
    }
}

/// Shows an exercise; without a name the next one, with how far the student is.
pub(super) fn show(of: &Of, id: Option<&str>) -> Ended {
    let session = Session::open(of)?;
    let lang = of.lang();
    let found = match id {
        Some(id) => Some(session.exercise(id)?),
        None => words::next(&session.course, &session.answers),
    };
    let mut shown = match found {
        Some(exercise) => words::exercise(exercise, &session.answers, lang),
        None => lang.of("All exercises are done.\n", "모든 문제를 끝냈습니다.\n").to_owned(),
    };
    if id.is_none() {
        shown.push_str(&format!("\n{}\n", words::progress(&session.course, &session.answers, lang)));
    }
    print(&shown)?;
    Ok(Status::Done)
}

/// The marks so far: of exercises that were run, from their stored keys.
fn rows(session: &Session) -> Vec<grade::Row> {
    let bench = Bench::new(&session.course, session.folder.shelf(), 0);
    let is_run = |exercise: &&Exercise| {
        let ran = session.answers.of(&exercise.id).any(|entry| entry.what == What::Run);
        ran && (bench.has_keys() || exercise.fix().is_some())
    };
    let exercises = session.course.exercises.iter().filter(is_run);
    exercises.map(|exercise| grade::row(exercise, &session.answers, &bench)).collect()
}

/// Locks a prediction.
pub(super) fn predict(of: &Of, id: &str, said: &[String]) -> Ended {
    let mut session = Session::open(of)?;
    let exercise = session.exercise(id)?;
    let lang = of.lang();
    let stage = Stage::of(exercise, &session.answers);
    // A cure may be tried as often as it takes.
    if stage != Stage::New && exercise.fix().is_none() {
        let english = format!(
            "`{id}` has a prediction: outgrow learn run {id}, or begin again with outgrow learn reset {id}"
        );
        let korean = format!(
            "`{id}`에는 이미 예측이 있습니다: outgrow learn run {id}. 다시 하려면 outgrow learn reset {id}"
        );
        return Err(session.not_now(&english, &korean));
    }
    let asks: Vec<_> = exercise.predictions().collect();
    if asks.len() != said.len() {
        let (want, got) = (asks.len(), said.len());
        let english = format!("`{id}` asks for {want} answers, and there are {got}: outgrow learn {id}");
        let korean = format!("`{id}`에는 답이 {want}개 필요한데 {got}개입니다: outgrow learn {id}");
        return Err(session.not_now(&english, &korean));
    }
    for (ask, said) in asks.iter().zip(said) {
        reply::read(ask, said, lang).map_err(|why| Failure::usage(format!("{}: {why}", ask.name)))?;
    }
    session.add(id, What::Predict, said.to_vec(), "")?;
    let locked = lang.of("locked. Now", "예측을 기록했습니다. 다음 명령");
    print(&format!("{id}: {locked}: outgrow learn run {id}\n"))?;
    Ok(Status::Done)
}

/// Simulates, and compares with the prediction.
pub(super) fn run(of: &Of, id: &str) -> Ended {
    let mut session = Session::open(of)?;
    let exercise = session.exercise(id)?.clone();
    let lang = of.lang();
    if Stage::of(&exercise, &session.answers) == Stage::New {
        let english = format!("say first what will come out: outgrow learn {id}");
        let korean = format!("먼저 예측하세요: outgrow learn {id}");
        return Err(session.not_now(&english, &korean));
    }
    interrupt::watch()?;
    let variant = exercise.variant(&session.answers.student);
    if let Some(fix) = exercise.fix() {
        return cure(&mut session, &exercise, fix);
    }
    let trials = exercise.runs.iter().map(|run| run.trials).max().unwrap_or(1);
    let bar = Bar::new(trials, false);
    let found = measure::exercise(&exercise, variant, session.folder.shelf(), 0, &bar);
    bar.clear();
    if interrupt::interrupted() {
        return Ok(Status::Interrupted);
    }
    let found = found.map_err(Failure::failed)?;
    let predictions = words::ran(&exercise, &session.answers, &found, lang);
    let values = found.values.values().map(|value| value.unit.shown(value.mean, value.half_width));
    session.add(id, What::Run, values.collect(), &found.fingerprint)?;
    print(&predictions)?;
    Ok(Status::Done)
}

/// Simulates the student's cure.
fn cure(session: &mut Session, exercise: &Exercise, fix: &crate::course::exercise::Fix) -> Ended {
    let lang = session.of.lang();
    let entries: Vec<_> = session.answers.of(&exercise.id).collect();
    let said = entries.iter().rev().find(|entry| entry.what == What::Predict);
    let said = said.and_then(|entry| entry.values.first()).cloned().unwrap_or_default();
    let ask = exercise.predictions().next().expect("a cure is a question");
    let Ok(reply::Reply::Fix(changes)) = reply::read(ask, &said, lang) else {
        return Err(Failure::failed(format!("`{said}` changes no key")));
    };
    let variant = exercise.variant(&session.answers.student);
    let found = {
        let bench = Bench::new(&session.course, session.folder.shelf(), 0);
        bench.cured(exercise, fix, variant, &changes)
    };
    if interrupt::interrupted() {
        return Ok(Status::Interrupted);
    }
    let found = found.map_err(Failure::failed)?;
    let values = found.goals.iter().map(|(goal, holds)| format!("{goal}: {holds}")).collect();
    session.add(&exercise.id, What::Run, values, &found.fingerprint)?;
    let mut shown = words::cured(&found, lang);
    shown.push('\n');
    if found.goals.iter().all(|(_, holds)| *holds) {
        let none = measure::Measured { values: Default::default(), fingerprint: found.fingerprint.clone() };
        shown.push_str(&words::explained(exercise, &session.answers, &none, lang));
    } else {
        let again = lang.of("Try another one", "다른 방법을 찾아 보세요");
        shown.push_str(&format!("{again}: outgrow learn predict {} KEY=VALUE\n", exercise.id));
    }
    print(&shown)?;
    Ok(Status::Done)
}

/// Notes the cause, and explains.
pub(super) fn why(of: &Of, id: &str, choice: &str) -> Ended {
    let mut session = Session::open(of)?;
    let exercise = session.exercise(id)?.clone();
    let lang = of.lang();
    let Some(ask) = exercise.cause() else {
        return Err(session.not_now(
            &format!("`{id}` asks for no cause"),
            &format!("`{id}`에는 원인을 묻는 질문이 없습니다"),
        ));
    };
    match Stage::of(&exercise, &session.answers) {
        Stage::New | Stage::Predicted => {
            let english = format!("run it first: outgrow learn {id}");
            return Err(session.not_now(&english, &format!("먼저 실행하세요: outgrow learn {id}")));
        }
        Stage::Done => {
            let english = format!("the cause of `{id}` is said: outgrow learn list");
            return Err(
                session.not_now(&english, &format!("`{id}`의 원인은 이미 답했습니다: outgrow learn list"))
            );
        }
        Stage::Ran => {}
    }
    reply::read(ask, choice, lang).map_err(Failure::usage)?;
    let bench = Bench::new(&session.course, session.folder.shelf(), 0);
    let found =
        bench.measured(&exercise, exercise.variant(&session.answers.student)).map_err(Failure::failed)?;
    session.add(id, What::Why, vec![choice.to_owned()], "")?;
    print(&words::explained(&exercise, &session.answers, &found, lang))?;
    Ok(Status::Done)
}

/// Lists the exercises with marks.
pub(super) fn list(of: &Of) -> Ended {
    let session = Session::open(of)?;
    let all = rows(&session);
    print(&words::list(&session.course, &session.answers, &all, of.lang()))?;
    Ok(Status::Done)
}

/// Shows the hint, and notes that it was read.
pub(super) fn hint(of: &Of, id: &str) -> Ended {
    let mut session = Session::open(of)?;
    let shown = words::hint(session.exercise(id)?, &session.answers.student, of.lang());
    session.add(id, What::Hint, Vec::new(), "")?;
    print(&shown)?;
    Ok(Status::Done)
}

/// Begins an exercise again.
pub(super) fn reset(of: &Of, id: &str) -> Ended {
    let mut session = Session::open(of)?;
    session.exercise(id)?;
    session.add(id, What::Reset, Vec::new(), "")?;
    let again = of
        .lang()
        .of("begun again; what was said stays in the file", "다시 시작합니다. 전에 한 답은 파일에 남습니다");
    print(&format!("{id}: {again}\n"))?;
    Ok(Status::Done)
}
