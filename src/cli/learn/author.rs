//! What an author does: a new course, and the keys of one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::output::{OutputFile, OutputFolder, print, say};
use super::super::progress::Steps;
use super::super::status::{Failure, Status};
use super::super::{Ended, interrupt};
use super::Folder;
use crate::course::Shelf;
use crate::course::exercise::{Exercise, Kind, Variant};
use crate::course::keys::{Key, Keys, SCHEMA};
use crate::course::measure::{Cured, Measured, claims, cure, exercise};
use crate::experiment::runner::Progress as _;

/// What [`new`] writes.
const TEMPLATES: [(&str, &str); 3] = [
    ("course.toml", include_str!("../../../templates/course/course.toml")),
    ("first.toml", include_str!("../../../templates/course/first.toml")),
    ("box.toml", include_str!("../../../templates/course/box.toml")),
];

/// Options of `outgrow learn check`.
#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The folder of the course, or the name of a built-in one
    #[arg(value_name = "DIR")]
    course: String,

    /// Only this exercise
    #[arg(long, value_name = "ID")]
    only: Option<String>,

    /// Only the first variant of each exercise, against the stored keys
    #[arg(long, conflicts_with = "write")]
    quick: bool,

    /// Write keys.json into the folder
    #[arg(long, conflicts_with = "only")]
    write: bool,
}

/// Options of `outgrow learn new`.
#[derive(Debug, clap::Args)]
pub(super) struct NewArgs {
    /// The folder to make
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes a course with one exercise.
pub(super) fn new(args: &NewArgs) -> Ended {
    let path = args.folder.display();
    if args.folder.symlink_metadata().is_ok() {
        return Err(Failure::failed(format!("`{path}` exists, and is not overwritten")));
    }
    OutputFolder::prepare(&args.folder)?.write(&TEMPLATES)?;
    print(&format!("{path}: a course with one exercise; try: outgrow learn check {path}\n"))?;
    Ok(Status::Done)
}

/// Recomputes every key, and says which claims do not hold.
pub(super) fn check(args: &CheckArgs) -> Ended {
    let folder = Folder::find(&args.course)?;
    let course = folder.course()?;
    if let Some(only) = &args.only
        && course.find(only).is_none()
    {
        return Err(Failure::usage(format!("there is no exercise `{only}`")));
    }
    let target = match (&folder, args.write) {
        (Folder::Disk(path), true) => Some(OutputFile::prepare(&path.join("keys.json"))?),
        (Folder::Builtin(_), true) => return Err(Failure::usage("--write needs the folder of a course")),
        _ => None,
    };
    interrupt::watch()?;
    let steps = Steps::new(false);
    let mut keys: BTreeMap<String, Vec<Key>> = BTreeMap::new();
    let mut wrong = 0;
    for one in course.exercises.iter().filter(|one| args.only.as_ref().is_none_or(|only| *only == one.id)) {
        let variants: Vec<Variant> = one.variants().take(if args.quick { 1 } else { usize::MAX }).collect();
        for variant in variants {
            steps.now(format!("{} variant {}", one.id, variant.index()));
            let found = checked(one, variant, folder.shelf(), &steps);
            // A change of the engine that moves a key is told, with both.
            let stored = course.keys.as_ref().filter(|_| !args.write).and_then(|keys| keys.of(one, variant));
            let found = found.and_then(|found| match &stored {
                Some(stored) if stored.fingerprint != found.0.fingerprint => Err(format!(
                    "the stored fingerprint is {}, and now it is {}",
                    stored.fingerprint, found.0.fingerprint
                )),
                _ => Ok(found),
            });
            if steps.interrupted() {
                steps.clear();
                return Ok(Status::Interrupted);
            }
            match found {
                Ok((found, told)) => {
                    keys.entry(one.id.clone()).or_default().push(Key::of(&found));
                    if args.only.is_some() {
                        print(&told)?;
                    }
                }
                Err(why) => {
                    wrong += 1;
                    say(&format!("{} variant {}: {why}", one.id, variant.index()));
                }
            }
        }
    }
    steps.clear();
    if let Some(target) = target.filter(|_| wrong == 0) {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let keys = Keys { schema: SCHEMA.into(), version, course: course.name.clone(), exercises: keys };
        target.write(keys.text())?;
    }
    let count = course.exercises.len();
    print(&format!("{}: {count} exercises, {wrong} wrong\n", course.name))?;
    Ok(if wrong > 0 { Status::NotAsExpected } else { Status::Done })
}

/// The measured values of a variant, and a line for each of its keys.
fn checked(
    of: &Exercise,
    variant: Variant,
    shelf: Shelf<'_>,
    steps: &Steps,
) -> Result<(Measured, String), String> {
    if let Some(fix) = of.fix() {
        let none = cure(of, fix, &[], (variant, 0), shelf, steps)?;
        let best = cure(of, fix, &fix.reference, (variant, 0), shelf, steps)?;
        let all_hold = |cured: &Cured| cured.goals.iter().all(|(_, holds)| *holds);
        if all_hold(&none) {
            return Err("the goals hold without a cure".into());
        }
        if !all_hold(&best) {
            return Err("the goals do not hold with the reference".into());
        }
        let found = Measured { values: BTreeMap::new(), fingerprint: best.fingerprint };
        return Ok((found, format!("{} {}: cured\n", of.id, variant.index())));
    }
    let found = exercise(of, variant, shelf, 0, steps)?;
    claims(of, variant, &found)?;
    let mut told = format!("{} variant {} fingerprint {}\n", of.id, variant.index(), found.fingerprint);
    for (name, value) in &found.values {
        told.push_str(&format!("  {name} = {}\n", value.unit.shown(value.mean, value.half_width)));
    }
    let numbers = of.numbers(variant, &found.values);
    for ask in of.predictions() {
        let Kind::Number(number) = &ask.kind else { continue };
        let key = number.key(&numbers)?;
        told.push_str(&format!("  key of {}: {}\n", ask.name, number.unit.shown(key, None)));
        let Some(formula) = &number.measured else { continue };
        let measured = numbers.formula(formula)?;
        let allowed = number.tolerance.around(key) / 2.0;
        let shown = |value| number.unit.shown(value, None);
        if (measured - key).abs() > allowed && number.because.is_none() {
            return Err(format!(
                "theory says {} and {} is measured: more than half the tolerance apart",
                shown(key),
                shown(measured)
            ));
        }
    }
    Ok((found, told))
}
