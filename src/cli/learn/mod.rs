//! `outgrow learn`: a course, exercise by exercise: predict, run, say why.

mod author;
mod bench;
mod folder;
mod sheets;
mod student;
mod teacher;

use std::path::PathBuf;

use clap::Subcommand;

use self::folder::Folder;
use super::status::Failure;
use super::{Ended, language};
use crate::course::answers::{Answers, BYTES_MAX, is_student};
use crate::course::builtin;
use crate::report::lang::Lang;

/// Learn the chapter by exercises: predict, run, compare, and say why
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    /// The exercise to show; by default the first one that is not done
    #[arg(value_name = "ID")]
    id: Option<String>,

    #[command(flatten)]
    of: Of,
}

/// What to do; nothing shows the next exercise.
#[derive(Debug, Subcommand)]
enum Action {
    /// Say what will come out, before anything is simulated
    Predict {
        /// The exercise
        id: String,
        /// An answer to each of its questions
        #[arg(value_name = "ANSWER", required = true)]
        said: Vec<String>,
        #[command(flatten)]
        of: Of,
    },
    /// Simulate it, and compare with the prediction
    Run {
        /// The exercise
        id: String,
        #[command(flatten)]
        of: Of,
    },
    /// Say what the cause was, and read the explanation
    Why {
        /// The exercise
        id: String,
        /// One of the causes
        choice: String,
        #[command(flatten)]
        of: Of,
    },
    /// List the exercises, with marks
    List {
        #[command(flatten)]
        of: Of,
    },
    /// Show the hint of an exercise
    Hint {
        /// The exercise
        id: String,
        #[command(flatten)]
        of: Of,
    },
    /// Begin an exercise again; what was said stays in the file
    Reset {
        /// The exercise
        id: String,
        #[command(flatten)]
        of: Of,
    },
    /// Write a worksheet, an answer sheet or slides as HTML (for teachers)
    Export(sheets::Args),
    /// Mark the answers of a class (for teachers)
    Grade(teacher::Args),
    /// Recompute every key of a course (for authors)
    Check(author::CheckArgs),
    /// Write a course with one exercise to start from (for authors)
    New(author::NewArgs),
}

/// Whose answers, to which course, in which language.
#[derive(Clone, Debug, clap::Args)]
struct Of {
    /// Number or name of the student; kept after the first time
    #[arg(long)]
    student: Option<String>,

    /// Language; by default that of the environment
    #[arg(long, value_name = "LANGUAGE", value_parser = language())]
    lang: Option<Lang>,

    /// The folder of another course, or the name of a built-in one: `chapter`, `overload` or `millions`; by default that of the file of
    /// answers, else `chapter`
    #[arg(long, value_name = "DIR")]
    course: Option<String>,

    /// The file of the answers
    #[arg(long, value_name = "FILE", default_value = "answers.toml")]
    answers: PathBuf,
}

impl Of {
    fn lang(&self) -> Lang {
        self.lang.unwrap_or_else(lang)
    }

    /// The course: the one that is named, else the built-in one that the file of answers belongs to, else the first.
    fn course(&self) -> String {
        let begun = || {
            let answers = Answers::read(&folder::text(&self.answers, BYTES_MAX).ok()?).ok()?;
            let name = answers.course.split('@').next()?;
            builtin::find(name).map(|course| course.name.to_owned())
        };
        self.course.clone().or_else(begun).unwrap_or_else(|| "chapter".to_owned())
    }
}

/// The language of the environment: of the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set.
#[allow(clippy::disallowed_methods, reason = "the language of a terminal is a matter of its environment")]
fn lang() -> Lang {
    let own = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    Lang::of_locale(&["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(own).unwrap_or_default())
}

/// Does what is asked.
pub(super) fn run(args: &Args) -> Ended {
    match &args.action {
        None => student::show(&args.of, args.id.as_deref()),
        Some(Action::Predict { id, said, of }) => student::predict(of, id, said),
        Some(Action::Run { id, of }) => student::run(of, id),
        Some(Action::Why { id, choice, of }) => student::why(of, id, choice),
        Some(Action::List { of }) => student::list(of),
        Some(Action::Hint { id, of }) => student::hint(of, id),
        Some(Action::Reset { id, of }) => student::reset(of, id),
        Some(Action::Export(args)) => sheets::export(args),
        Some(Action::Grade(args)) => teacher::grade(args),
        Some(Action::Check(args)) => author::check(args),
        Some(Action::New(args)) => author::new(args),
    }
}

/// The number of a student as it was typed.
fn student_of(text: &str) -> Result<&str, Failure> {
    if is_student(text) {
        return Ok(text);
    }
    Err(Failure::usage(
        "--student: a number or a name of at most 64 letters, digits, `-`, `_`, `.` and blanks inside",
    ))
}
