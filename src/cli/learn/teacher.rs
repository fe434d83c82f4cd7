//! What a teacher does: the marks of a class.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::output::{OutputFile, claim_output, print, say};
use super::super::source::warn;
use super::super::status::{Failure, Status};
use super::super::{Ended, interrupt};
use super::bench::Bench;
use super::{Folder, folder};
use crate::course::Course;
use crate::course::answers::{Answers, BYTES_MAX};
use crate::course::grade::{self, MARKS, Row};

/// Largest number of files.
const FILES_MAX: usize = 10_000;

/// Greatest depth of folders.
const DEPTH_MAX: u32 = 8;

/// Options of the command.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folders of files of answers (every .toml below them), or the files
    #[arg(value_name = "DIR", required = true)]
    paths: Vec<PathBuf>,

    /// The file for the marks, one line for each student and exercise
    #[arg(long, value_name = "FILE.csv", default_value = "marks.csv")]
    out: PathBuf,

    /// The folder of another course, or the name of a built-in one
    #[arg(long, value_name = "DIR", default_value = "chapter")]
    course: String,

    /// Threads; all cores by default, and the marks are the same with any number
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

/// A file that was read, or why not.
struct HandIn {
    path: PathBuf,
    answers: Result<Answers, String>,
}

/// Marks every file below the paths.
pub(super) fn grade(args: &Args) -> Ended {
    let folder = Folder::find(&args.course)?;
    let course = folder.course()?;
    claim_output(&args.out)?;
    let output = OutputFile::prepare(&args.out)?;
    interrupt::watch()?;
    let mut hand_ins = read_all(&args.paths)?;
    twice(&mut hand_ins);
    let bench = Bench::new(&course, folder.shelf(), args.jobs.map_or(0, usize::from));
    if !bench.has_keys() {
        warn("the keys of this course were measured by another version: they are simulated again");
    }
    let mut rows: Vec<(String, Row)> = Vec::new();
    let mut refused = 0;
    for hand_in in &hand_ins {
        let graded = hand_in.answers.as_ref().map_err(String::clone);
        let graded = graded.and_then(|answers| Ok((answers, grade::grade(&course, answers, &bench)?)));
        match graded {
            Ok((answers, own)) => rows.extend(own.into_iter().map(|row| (answers.student.clone(), row))),
            Err(why) => {
                refused += 1;
                say(&format!("{}: not marked: {why}", hand_in.path.display()));
            }
        }
        if interrupt::interrupted() {
            return Ok(Status::Interrupted);
        }
    }
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    output.write(table(&rows))?;
    print(&summary(&course, &rows, (hand_ins.len(), refused)))?;
    Ok(if refused > 0 { Status::NotAsExpected } else { Status::Done })
}

/// All files of answers, in the order of their paths. Links are not followed.
fn read_all(paths: &[PathBuf]) -> Result<Vec<HandIn>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let found = fs::symlink_metadata(path)
            .map_err(|error| Failure::failed(format!("cannot read `{}`: {error}", path.display())))?;
        if found.is_dir() { below(path, 0, &mut files)? } else { files.push(path.clone()) }
    }
    if files.len() > FILES_MAX {
        return Err(Failure::usage(format!("there are more than {FILES_MAX} files")));
    }
    files.sort();
    files.dedup();
    let read = |path: PathBuf| HandIn { answers: read(&path), path };
    Ok(files.into_iter().map(read).collect())
}

fn read(path: &Path) -> Result<Answers, String> {
    if path.is_symlink() {
        return Err("it is a link".into());
    }
    Answers::read(&folder::text(path, BYTES_MAX)?)
}

fn below(folder: &Path, depth: u32, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let cannot = |error| Failure::failed(format!("cannot read `{}`: {error}", folder.display()));
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let kind = entry.file_type().map_err(cannot)?;
        if kind.is_dir() && depth < DEPTH_MAX {
            below(&entry.path(), depth + 1, files)?;
        } else if entry.path().extension().is_some_and(|extension| extension == "toml")
            && files.len() <= FILES_MAX
        {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Refuses files of one student: a number stands for one person.
fn twice(hand_ins: &mut [HandIn]) {
    let mut count: BTreeMap<String, u32> = BTreeMap::new();
    for answers in hand_ins.iter().filter_map(|one| one.answers.as_ref().ok()) {
        *count.entry(answers.student.clone()).or_default() += 1;
    }
    for one in hand_ins {
        let is_double = one.answers.as_ref().is_ok_and(|answers| count[&answers.student] > 1);
        if is_double {
            let student = one.answers.as_ref().map(|answers| answers.student.clone()).unwrap_or_default();
            one.answers = Err(format!("there is more than one file of student {student}"));
        }
    }
}

/// The marks as CSV.
fn table(rows: &[(String, Row)]) -> Vec<u8> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let head = [
        "student",
        "exercise",
        "predicted",
        "key",
        "ratio",
        "measured",
        "run",
        "cause",
        "marks",
        "misconception",
        "note",
    ];
    let mut write = |line: &[String]| out.write_record(line).expect("memory takes everything");
    write(&head.map(str::to_owned));
    for (student, row) in rows {
        let ratio = row.ratio.map_or(String::new(), |ratio| format!("{ratio:.3}"));
        let cause = row.cause.map_or("", |right| if right { "right" } else { "wrong" });
        let is_run = if row.is_run { "yes" } else { "no" };
        write(&[
            student.clone(),
            row.id.clone(),
            row.predicted.clone(),
            row.key.clone(),
            ratio,
            row.measured.clone(),
            is_run.to_owned(),
            cause.to_owned(),
            format!("{:.2}", row.marks),
            row.misconception.clone().unwrap_or_default(),
            row.note.clone(),
        ]);
    }
    out.into_inner().expect("memory takes everything")
}

/// The class at a glance: for each exercise how many solved it, the median of the ratios, and the most frequent misconception.
fn summary(course: &Course, rows: &[(String, Row)], (files, refused): (usize, usize)) -> String {
    let mut shown =
        format!("{:<18} {:>5} {:>6} {:>6}  {}\n", "exercise", "tried", "marks", "ratio", "misconception");
    for exercise in &course.exercises {
        let tried: Vec<&Row> = rows
            .iter()
            .map(|(_, row)| row)
            .filter(|row| row.id == exercise.id && !row.predicted.is_empty())
            .collect();
        let mean = tried.iter().map(|row| row.marks).sum::<f64>() / tried.len().max(1) as f64;
        let mut ratios: Vec<f64> = tried.iter().filter_map(|row| row.ratio).collect();
        ratios.sort_by(f64::total_cmp);
        let median = ratios.get(ratios.len() / 2).map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let mut thoughts: BTreeMap<&str, usize> = BTreeMap::new();
        for thought in tried.iter().filter_map(|row| row.misconception.as_deref()) {
            *thoughts.entry(thought).or_default() += 1;
        }
        let most = thoughts.iter().max_by_key(|(_, count)| **count);
        let most = most.map_or(String::new(), |(name, count)| format!("{name} ({count})"));
        shown.push_str(&format!("{:<18} {:>5} {mean:>6.2} {median:>6}  {most}\n", exercise.id, tried.len()));
    }
    let all: f64 = rows.iter().map(|(_, row)| row.marks).sum();
    let marked = files - refused;
    let (mean, of) = (all / marked.max(1) as f64, course.exercises.len() as f64 * MARKS);
    shown.push_str(&format!("\n{marked} students, {mean:.1} of {of} marks on average"));
    for (one, other, count) in alike(rows) {
        shown.push_str(&format!(
            "\n{one} and {other} gave the same {count} wrong answers to different numbers"
        ));
    }
    if refused > 0 {
        shown.push_str(&format!("\n{refused} files were not marked"));
    }
    shown.push('\n');
    shown
}

/// Smallest number of equal wrong answers that is worth a word.
const ALIKE_MIN: usize = 3;

/// Pairs of students with the same wrong predictions although their keys differ.
fn alike(rows: &[(String, Row)]) -> Vec<(&str, &str, usize)> {
    let mut by_answer: BTreeMap<(&str, &str), Vec<(&str, &str)>> = BTreeMap::new();
    for (student, row) in rows.iter().filter(|(_, row)| row.ratio.is_some() && row.marks < MARKS) {
        by_answer.entry((&row.id, &row.predicted)).or_default().push((student, &row.key));
    }
    let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for same in by_answer.values() {
        for (at, (one, key)) in same.iter().enumerate() {
            for (other, other_key) in &same[at + 1..] {
                if key != other_key {
                    *pairs.entry((one, other)).or_default() += 1;
                }
            }
        }
    }
    let found = pairs.into_iter().filter(|(_, count)| *count >= ALIKE_MIN);
    found.map(|((one, other), count)| (one, other, count)).collect()
}
