//! What a student does: everything that changes the file of answers, in the order that the course wants.

use std::fs;

use super::super::output::{OutputFile, print};
use super::super::progress::Bar;
use super::super::status::{Failure, Status};
use super::super::{Ended, interrupt};
use super::bench::Bench;
use super::{Folder, Of, folder, student_of};
use crate::course::answers::{Answers, BYTES_MAX, What};
use crate::course::exercise::{Exercise, Fix, Variant};
use crate::course::grade::{self, Lab};
use crate::course::measure::{self, Cured, Measured};
use crate::course::steps::{self, Refusal};
use crate::course::words;
use crate::course::{Course, Shelf};
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
        let folder = Folder::find(&of.course())?;
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
    fn add(&mut self, id: &str, what: What) -> Result<(), Failure> {
        self.answers.add(id, what, Vec::new(), "").map_err(Failure::failed)?;
        self.write()
    }

    fn write(&self) -> Result<(), Failure> {
        OutputFile::prepare(&self.of.answers)?.write(self.answers.text())
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
    let exercise = session.exercise(id)?.clone();
    let lang = of.lang();
    steps::predict(&exercise, &mut session.answers, said, lang)?;
    session.write()?;
    let locked = lang.of("locked. Now", "예측을 기록했습니다. 다음 명령");
    print(&format!("{id}: {locked}: outgrow learn run {id}\n"))?;
    Ok(Status::Done)
}

/// Simulates, and compares with the prediction.
pub(super) fn run(of: &Of, id: &str) -> Ended {
    let mut session = Session::open(of)?;
    let exercise = session.exercise(id)?.clone();
    let lang = of.lang();
    interrupt::watch()?;
    let trials = exercise.runs.iter().map(|run| run.trials).max().unwrap_or(1);
    let bar = Bar::new(trials, false);
    let said = {
        let lab = Fresh { shelf: session.folder.shelf(), bar: &bar };
        steps::run(&exercise, &mut session.answers, &lab, lang)
    };
    bar.clear();
    if interrupt::interrupted() {
        return Ok(Status::Interrupted);
    }
    let mut said = said?;
    session.write()?;
    let cause = words::cause(&exercise, exercise.variant(&session.answers.student), lang);
    if !cause.is_empty() {
        said.push('\n');
        said.push_str(&cause);
    }
    print(&said)?;
    Ok(Status::Done)
}

/// Simulates all anew, with a bar.
struct Fresh<'a> {
    shelf: Shelf<'a>,
    bar: &'a Bar,
}

impl Lab for Fresh<'_> {
    fn measured(&self, exercise: &Exercise, variant: Variant) -> Result<Measured, String> {
        measure::exercise(exercise, variant, self.shelf, 0, self.bar)
    }

    fn cured(
        &self,
        exercise: &Exercise,
        fix: &Fix,
        variant: Variant,
        changes: &[(String, String)],
    ) -> Result<Cured, String> {
        measure::cure(exercise, fix, changes, (variant, 0), self.shelf, self.bar)
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        match refusal {
            Refusal::NotNow(text) => Failure::usage(text),
            Refusal::Failed(text) => Failure::failed(text),
        }
    }
}

/// Notes the cause, and explains.
pub(super) fn why(of: &Of, id: &str, choice: &str) -> Ended {
    let mut session = Session::open(of)?;
    let exercise = session.exercise(id)?.clone();
    let said = {
        let bench = Bench::new(&session.course, session.folder.shelf(), 0);
        steps::why(&exercise, &mut session.answers, choice, &bench, of.lang())?
    };
    session.write()?;
    print(&said)?;
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
    session.add(id, What::Hint)?;
    print(&shown)?;
    Ok(Status::Done)
}

/// Begins an exercise again.
pub(super) fn reset(of: &Of, id: &str) -> Ended {
    let mut session = Session::open(of)?;
    session.exercise(id)?;
    session.add(id, What::Reset)?;
    let again = of
        .lang()
        .of("begun again; what was said stays in the file", "다시 시작합니다. 전에 한 답은 파일에 남습니다");
    print(&format!("{id}: {again}\n"))?;
    Ok(Status::Done)
}
