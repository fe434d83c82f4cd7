//! Grades: the marks of a file of answers. Only data is read; nothing of the student's is run but a cure, whose keys are checked first.

use super::Course;
use super::answers::{Answers, Entry, What};
use super::exercise::{Exercise, Fix, Kind, Variant};
use super::mark::mark;
use super::measure::{Cured, Measured};
use super::reply::{self, Reply};
use super::text::Lang;

/// Marks of an exercise: predicted before the run, near enough, run as it is, cause. Of a cure: chosen before the run, two for goals
/// that hold, and one for the price.
pub const MARKS: f64 = 4.0;

/// How much dearer than the reference a cure may be: rounding of prices.
const PRICE_SLACK: f64 = 1.001;

/// What marking needs to know of simulations.
pub trait Lab {
    /// What a variant gives.
    ///
    /// # Errors
    /// Why it is not known.
    fn measured(&self, exercise: &Exercise, variant: Variant) -> Result<Measured, String>;

    /// How a cure ends; none of its changes is allowed that the exercise does not name.
    ///
    /// # Errors
    /// Why it cannot be marked.
    fn cured(
        &self,
        exercise: &Exercise,
        fix: &Fix,
        variant: Variant,
        changes: &[(String, String)],
    ) -> Result<Cured, String>;
}

/// The marks of an exercise.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// The exercise.
    pub id: String,
    /// The prediction as it was typed.
    pub predicted: String,
    /// The key.
    pub key: String,
    /// Prediction over key, of the first number.
    pub ratio: Option<f64>,
    /// What the student's run gave.
    pub measured: String,
    /// Whether the run was that of the student's variant.
    pub is_run: bool,
    /// Whether the cause is right; `None` if it was not said.
    pub cause: Option<bool>,
    /// From 0 to [`MARKS`].
    pub marks: f64,
    /// The misconception that the prediction or the cause betrays.
    pub misconception: Option<String>,
    /// What the teacher should know.
    pub note: String,
}

/// The marks of all exercises of a course.
///
/// # Errors
/// If the answers are of another course.
pub fn grade(course: &Course, answers: &Answers, lab: &dyn Lab) -> Result<Vec<Row>, String> {
    if answers.course != course.name {
        return Err(format!("it is of the course {}, and this is {}", answers.course, course.name));
    }
    Ok(course.exercises.iter().map(|exercise| row(exercise, answers, lab)).collect())
}

/// The marks of one exercise.
#[must_use]
pub fn row(exercise: &Exercise, answers: &Answers, lab: &dyn Lab) -> Row {
    let mut row = Row { id: exercise.id.clone(), ..Row::default() };
    let entries: Vec<&Entry> = answers.of(&exercise.id).collect();
    let all: Vec<&Entry> = answers.entries.iter().filter(|entry| entry.id == exercise.id).collect();
    let Some(predicted) = entries.iter().find(|entry| entry.what == What::Predict) else { return row };
    row.predicted = predicted.values.join(" ");
    let first = |what: What| all.iter().position(|entry| entry.what == what);
    let is_before = first(What::Run).is_none_or(|run| first(What::Predict).is_some_and(|said| said < run));
    let is_again = all.iter().any(|entry| entry.what == What::Reset) && first(What::Run).is_some();
    // What was seen before a reset is known.
    let is_blind = is_before && !(is_again && entries.len() < all.len());
    row.marks += f64::from(u8::from(is_blind));
    if !is_blind {
        row.note = "predicted after a run".into();
    }
    let variant = exercise.variant(&answers.student);
    let ran = entries.iter().rev().find(|entry| entry.what == What::Run);
    if let Some(fix) = exercise.fix() {
        let tried = entries.iter().rev().find(|entry| entry.what == What::Predict);
        cured(&mut row, exercise, fix, variant, (tried.copied(), ran.is_some()), lab);
        return row;
    }
    let measured = match lab.measured(exercise, variant) {
        Ok(measured) => measured,
        Err(why) => return Row { note: format!("not marked: {why}"), ..row },
    };
    near(&mut row, exercise, predicted, variant, &measured);
    if let Some(ran) = ran {
        row.measured = ran.values.join(" ");
        row.is_run = ran.fingerprint == measured.fingerprint;
        row.marks += f64::from(u8::from(row.is_run));
        if !row.is_run {
            row.note = "the run is not that of this student".into();
        }
    }
    // Only the first cause counts: otherwise all of them could be tried.
    let said = first(What::Why).map(|at| all[at]);
    cause(&mut row, exercise, said, variant, &measured);
    row
}

fn near(row: &mut Row, exercise: &Exercise, predicted: &Entry, variant: Variant, measured: &Measured) {
    let mut shares = Vec::new();
    let mut keys = Vec::new();
    let asks = exercise.asks.iter().enumerate().filter(|(_, ask)| !ask.is_cause());
    for ((at, ask), said) in asks.zip(&predicted.values) {
        let marked =
            reply::read(ask, said, Lang::En).and_then(|reply| mark(exercise, at, &reply, variant, measured));
        match marked {
            Ok(mark) => {
                shares.push(mark.share);
                keys.push(mark.key);
                row.ratio = row.ratio.or(mark.ratio);
                let misconception = row.misconception.take();
                row.misconception = misconception.or(mark.misconception);
            }
            Err(why) => row.note = why,
        }
    }
    row.key = keys.join(" ");
    let asked = exercise.predictions().count().max(1) as f64;
    row.marks += shares.iter().sum::<f64>() / asked;
}

fn cause(row: &mut Row, exercise: &Exercise, said: Option<&Entry>, variant: Variant, measured: &Measured) {
    let Some(at) = exercise.asks.iter().position(super::exercise::Ask::is_cause) else { return };
    let Some(said) = said.and_then(|entry| entry.values.first()) else { return };
    let marked = reply::read(&exercise.asks[at], said, Lang::En)
        .and_then(|reply| mark(exercise, at, &reply, variant, measured));
    if let Ok(mark) = marked {
        row.cause = Some(mark.share == 1.0);
        row.marks += mark.share;
        let misconception = row.misconception.take();
        row.misconception = misconception.or(mark.misconception);
    }
}

fn cured(
    row: &mut Row,
    exercise: &Exercise,
    fix: &Fix,
    variant: Variant,
    (tried, is_run): (Option<&Entry>, bool),
    lab: &dyn Lab,
) {
    let Some(tried) = tried.filter(|_| is_run) else { return };
    row.predicted = tried.values.join(" ");
    let shown = |(key, value): &(String, String)| format!("{key}={value}");
    row.key = fix.reference.iter().map(shown).collect::<Vec<_>>().join(",");
    let ask = exercise.asks.iter().find(|ask| matches!(ask.kind, Kind::Fix(_))).expect("it is a cure");
    let said = tried.values.first().map_or("", String::as_str);
    let changes = match reply::read(ask, said, Lang::En) {
        Ok(Reply::Fix(changes)) => changes,
        Ok(_) => return,
        Err(why) => return row.note = why,
    };
    match lab.cured(exercise, fix, variant, &changes) {
        Ok(found) => {
            let held: Vec<String> =
                found.goals.iter().map(|(goal, holds)| format!("{goal}: {holds}")).collect();
            row.measured = held.join(", ");
            row.is_run = true;
            if found.goals.iter().all(|(_, holds)| *holds) {
                row.marks += 2.0;
                match lab.cured(exercise, fix, variant, &fix.reference) {
                    Ok(best) if found.usd_per_hour <= best.usd_per_hour * PRICE_SLACK => row.marks += 1.0,
                    Ok(_) => row.note = "dearer than it need be".into(),
                    Err(why) => row.note = why,
                }
            }
        }
        // The message may have lines and carets: the first line says enough here.
        Err(why) => row.note = format!("not marked: {}", why.lines().next().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::exercise;
    use super::super::text::{Unit, Value};
    use super::*;

    struct Known;

    impl Lab for Known {
        fn measured(&self, _: &Exercise, variant: Variant) -> Result<Measured, String> {
            let value = |mean| Value { mean, half_width: None, unit: Unit::Time };
            Ok(Measured {
                values: [("once".into(), value(0.05)), ("twice".into(), value(0.4))].into(),
                fingerprint: format!("{}", variant.index()),
            })
        }

        fn cured(
            &self,
            _: &Exercise,
            _: &Fix,
            _: Variant,
            changes: &[(String, String)],
        ) -> Result<Cured, String> {
            let usd_per_hour = changes[0].1.parse().map_err(|_| "no number".to_owned())?;
            let goals = vec![("availability > 99%".to_owned(), usd_per_hour >= 2.0)];
            Ok(Cured { goals, usd_per_hour, fingerprint: String::new() })
        }
    }

    fn with(exercise: &Exercise, entries: &[(What, &str, &str)]) -> Row {
        let mut answers = Answers::new("20231234", "toy@1");
        for (what, value, fingerprint) in entries {
            let values = if value.is_empty() { Vec::new() } else { vec![(*value).to_owned()] };
            answers.add(&exercise.id, *what, values, fingerprint).unwrap();
        }
        row(exercise, &answers, &Known)
    }

    #[test]
    fn each_part_has_its_mark() {
        let exercise = exercise();
        let own = exercise.variant("20231234").index().to_string();
        let said = (What::Predict, "x8", "");
        let marks = |entries: &[(What, &str, &str)]| with(&exercise, entries).marks;
        assert_eq!(marks(&[]), 0.0);
        assert_eq!(marks(&[said]), 2.0);
        assert_eq!(marks(&[said, (What::Run, "", &own)]), 3.0);
        assert_eq!(marks(&[said, (What::Run, "", "another")]), 2.0);
        assert_eq!(marks(&[said, (What::Run, "", &own), (What::Why, "queue", "")]), 4.0);
        let tried = [said, (What::Run, "", &own), (What::Why, "network", ""), (What::Why, "queue", "")];
        assert_eq!(marks(&tried), 3.0, "only the first cause counts");
        let again = [
            (What::Predict, "x2", ""),
            (What::Run, "", &own),
            (What::Reset, "", ""),
            said,
            (What::Run, "", &own),
        ];
        let row = with(&exercise, &again);
        assert_eq!((row.marks, row.note.as_str()), (2.0, "predicted after a run"));
        let wrong = with(&exercise, &[(What::Predict, "x2", "")]);
        assert_eq!((wrong.marks, wrong.misconception.as_deref()), (1.0, Some("linear")));
    }

    #[test]
    fn a_cure_must_work_and_be_cheap() {
        let fix = Fix {
            run: 0,
            keys: vec!["box.cores".into()],
            goals: vec!["availability > 99%".into()],
            reference: vec![("box.cores".into(), "2".into())],
        };
        let ask = super::super::exercise::Ask { name: "cure".into(), kind: Kind::Fix(fix) };
        let exercise = Exercise { asks: vec![ask], ..exercise() };
        let marks = |value: &str| {
            let row = with(&exercise, &[(What::Predict, value, ""), (What::Run, "", "")]);
            (row.marks, row.note)
        };
        assert_eq!(marks("box.cores=2"), (4.0, String::new()));
        assert_eq!(marks("box.cores=8"), (3.0, "dearer than it need be".into()));
        assert_eq!(marks("box.cores=1"), (1.0, String::new()));
        assert_eq!(marks("box.cores=many"), (1.0, "not marked: no number".into()));
    }
}
