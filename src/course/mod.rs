//! The course: a student predicts, runs, compares and explains. Nothing here reads a file or prints.
//!
//! A [`Course`] has exercises in an order. Each student gets parameters of their own. What a student says and measures goes into
//! an [`answers::Answers`], a chain of entries; [`grade`] turns it into marks without running anything of the student's.

pub mod answers;
pub mod builtin;
pub mod exercise;
pub mod formula;
pub mod grade;
pub mod keys;
pub mod mark;
pub mod measure;
pub mod read;
pub mod reply;
pub mod steps;
pub mod text;
pub mod words;

#[cfg(test)]
mod samples;

use self::exercise::Exercise;
use self::keys::Keys;
use self::text::Lang;
use crate::model::spec::Files;
use crate::scenario::error::Diagnostics;
use crate::scenario::sha256;

/// Name and version of the format of `course.toml`.
pub const SCHEMA: &str = "outgrow.course/1";

/// Largest number of exercises of a course.
pub const EXERCISES_MAX: usize = 200;

/// A course.
#[derive(Clone, Debug)]
pub struct Course {
    /// Its name and the hash of everything that marks depend on: `chapter@3f9a01c2d4e5`. A better sentence changes nothing.
    pub name: String,
    /// Its title in English and in Korean.
    titles: [String; 2],
    /// The exercises in their order.
    pub exercises: Vec<Exercise>,
    /// What was measured for every variant; `None` where it is not there or of another version of the course.
    pub keys: Option<Keys>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CourseFile {
    schema: String,
    id: String,
    title: String,
    #[serde(default)]
    title_ko: String,
    exercises: Vec<String>,
}

impl Course {
    /// Reads a course: `course.toml`, the exercises that it names, and `keys.json` where it is there.
    ///
    /// # Errors
    /// The mistakes of the first file that has some, ready to print.
    pub fn read(files: &dyn Files) -> Result<Course, String> {
        let text = files.read("course.toml").map_err(|why| format!("cannot read `course.toml`: {why}"))?;
        let file: CourseFile = toml::from_str(&text).map_err(|error| {
            let span = error.span().unwrap_or(0..0);
            let item = crate::scenario::error::Diagnostic::error(span, error.message());
            Diagnostics::new("course.toml", &text, vec![item]).to_string()
        })?;
        if file.schema != SCHEMA {
            return Err(format!(
                "course.toml has the schema `{}`, and this program reads `{SCHEMA}`",
                file.schema
            ));
        }
        if file.exercises.is_empty() || file.exercises.len() > EXERCISES_MAX {
            return Err(format!("a course has from 1 to {EXERCISES_MAX} exercises"));
        }
        let mut all = String::new();
        let mut exercises: Vec<Exercise> = Vec::new();
        for name in &file.exercises {
            let path = format!("{name}.toml");
            let text = files.read(&path).map_err(|why| format!("cannot read `{path}`: {why}"))?;
            let exercise = read::exercise(&path, &text).map_err(|found| found.to_string())?;
            if exercise.id != *name {
                return Err(format!("{path} has the id `{}`: it must be that of its file", exercise.id));
            }
            all.push_str(&figures(&exercise, files));
            exercises.push(exercise);
        }
        let name = format!("{}@{}", file.id, &sha256(&all)[..12]);
        let keys = files.read("keys.json").ok().and_then(|text| Keys::read(&text));
        let keys = keys.filter(|keys| keys.course == name);
        Ok(Course { name, titles: [file.title.clone(), file.title_ko], exercises, keys })
    }

    /// Its title.
    #[must_use]
    pub fn title(&self, lang: Lang) -> &str {
        match lang {
            Lang::Ko if !self.titles[1].is_empty() => &self.titles[1],
            _ => &self.titles[0],
        }
    }

    /// The exercise with this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Exercise> {
        self.exercises.iter().find(|exercise| exercise.id == id)
    }
}

/// Everything of an exercise that its marks depend on: all but the words.
fn figures(exercise: &Exercise, files: &dyn Files) -> String {
    let scenarios = exercise.runs.iter().filter(|run| run.scenario.ends_with(".toml"));
    let scenarios: Vec<Result<String, String>> = scenarios.map(|run| files.read(&run.scenario)).collect();
    format!(
        "{:?}\n",
        (&exercise.id, &exercise.vary, &exercise.runs, &exercise.values, &exercise.asks, scenarios)
    )
}

/// Where the scenarios of exercises come from: files beside them, and those that the program has.
#[derive(Clone, Copy)]
pub struct Shelf<'a> {
    /// The folder of the course.
    pub files: &'a dyn Files,
    /// The text of a built-in scenario.
    pub builtin: fn(&str) -> Option<&'static str>,
}

impl Shelf<'_> {
    /// The text of a scenario.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn text(&self, name: &str) -> Result<String, String> {
        if name.ends_with(".toml") {
            return self.files.read(name).map_err(|why| format!("cannot read `{name}`: {why}"));
        }
        let text = (self.builtin)(name).ok_or_else(|| format!("there is no built-in scenario `{name}`"))?;
        Ok(text.to_owned())
    }
}
