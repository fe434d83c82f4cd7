//! What a student does, in the order that the course wants: a prediction before the run, the cause after it. The command line and the
//! page do each step with this, so that the order cannot be passed by in either.

use super::answers::{Answers, What};
use super::exercise::{Ask, Exercise, Fix};
use super::grade::Lab;
use super::measure::Measured;
use super::reply::{self, Reply};
use super::text::Lang;
use super::words::{self, Stage};

/// Why a step was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not its turn, or the answer is none: what to do instead.
    NotNow(String),
    /// It could not be done.
    Failed(String),
}

impl Refusal {
    /// What to tell the student.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Refusal::NotNow(text) | Refusal::Failed(text) => text,
        }
    }
}

fn not_now<T>(lang: Lang, english: String, korean: String) -> Result<T, Refusal> {
    Err(Refusal::NotNow(if lang == Lang::Ko { korean } else { english }))
}

/// Locks a prediction. A cure may be tried again and again.
///
/// # Errors
/// If there is a prediction, or an answer is none.
pub fn predict(
    exercise: &Exercise,
    answers: &mut Answers,
    said: &[String],
    lang: Lang,
) -> Result<(), Refusal> {
    let id = &exercise.id;
    if Stage::of(exercise, answers) != Stage::New && exercise.fix().is_none() {
        return not_now(
            lang,
            format!(
                "`{id}` has a prediction: outgrow learn run {id}, or begin again with outgrow learn reset {id}"
            ),
            format!(
                "`{id}`에는 이미 예측이 있습니다: outgrow learn run {id}. 다시 하려면 outgrow learn reset {id}"
            ),
        );
    }
    let asks: Vec<&Ask> = exercise.predictions().collect();
    let (want, got) = (asks.len(), said.len());
    if want != got {
        return not_now(
            lang,
            format!("`{id}` asks for {want} answers, and there are {got}: outgrow learn {id}"),
            format!("`{id}`에는 답이 {want}개 필요한데 {got}개입니다: outgrow learn {id}"),
        );
    }
    for (ask, said) in asks.iter().zip(said) {
        reply::read(ask, said, lang).map_err(|why| Refusal::NotNow(format!("{}: {why}", ask.name)))?;
    }
    answers.add(id, What::Predict, said.to_vec(), "").map_err(Refusal::Failed)
}

/// Simulates what was predicted, and returns what came out beside it.
///
/// # Errors
/// If nothing is predicted, or the simulation fails.
pub fn run(exercise: &Exercise, answers: &mut Answers, lab: &dyn Lab, lang: Lang) -> Result<String, Refusal> {
    let id = &exercise.id;
    if Stage::of(exercise, answers) == Stage::New {
        return not_now(
            lang,
            format!("say first what will come out: outgrow learn {id}"),
            format!("먼저 예측하세요: outgrow learn {id}"),
        );
    }
    if let Some(fix) = exercise.fix() {
        return cure(exercise, fix, answers, lab, lang);
    }
    let found = lab.measured(exercise, exercise.variant(&answers.student)).map_err(Refusal::Failed)?;
    let mut said = words::ran(exercise, answers, &found, lang);
    if exercise.cause().is_none() {
        said.push('\n');
        said.push_str(&words::explained(exercise, answers, &found, lang));
    }
    let values = found.values.values().map(|value| value.unit.shown(value.mean, value.half_width));
    answers.add(id, What::Run, values.collect(), &found.fingerprint).map_err(Refusal::Failed)?;
    Ok(said)
}

/// Simulates the last cure of the student.
fn cure(
    exercise: &Exercise,
    fix: &Fix,
    answers: &mut Answers,
    lab: &dyn Lab,
    lang: Lang,
) -> Result<String, Refusal> {
    let id = &exercise.id;
    let last = answers.of(id).filter(|entry| entry.what == What::Predict).last();
    let said = last.and_then(|entry| entry.values.first()).cloned().unwrap_or_default();
    let ask = exercise.predictions().next().expect("a cure is a question");
    let Ok(Reply::Fix(changes)) = reply::read(ask, &said, lang) else {
        return Err(Refusal::Failed(format!("`{said}` changes no key")));
    };
    let variant = exercise.variant(&answers.student);
    let found = lab.cured(exercise, fix, variant, &changes).map_err(Refusal::Failed)?;
    let values = found.goals.iter().map(|(goal, holds)| format!("{goal}: {holds}")).collect();
    answers.add(id, What::Run, values, &found.fingerprint).map_err(Refusal::Failed)?;
    let mut shown = words::cured(&found, lang);
    shown.push('\n');
    if found.goals.iter().all(|(_, holds)| *holds) {
        let none = Measured { values: Default::default(), fingerprint: found.fingerprint };
        shown.push_str(&words::explained(exercise, answers, &none, lang));
    } else {
        let again = lang.of("Try another one", "다른 방법을 찾아 보세요");
        shown.push_str(&format!("{again}: outgrow learn predict {id} KEY=VALUE\n"));
    }
    Ok(shown)
}

/// Notes the cause, and returns the explanation.
///
/// # Errors
/// If it was not run, or the cause is said, or the answer is none.
pub fn why(
    exercise: &Exercise,
    answers: &mut Answers,
    choice: &str,
    lab: &dyn Lab,
    lang: Lang,
) -> Result<String, Refusal> {
    let id = &exercise.id;
    let Some(ask) = exercise.cause() else {
        return not_now(
            lang,
            format!("`{id}` asks for no cause"),
            format!("`{id}`에는 원인을 묻는 질문이 없습니다"),
        );
    };
    match Stage::of(exercise, answers) {
        Stage::New | Stage::Predicted => {
            return not_now(
                lang,
                format!("run it first: outgrow learn {id}"),
                format!("먼저 실행하세요: outgrow learn {id}"),
            );
        }
        Stage::Done => {
            return not_now(
                lang,
                format!("the cause of `{id}` is said: outgrow learn list"),
                format!("`{id}`의 원인은 이미 답했습니다: outgrow learn list"),
            );
        }
        Stage::Ran => {}
    }
    reply::read(ask, choice, lang).map_err(Refusal::NotNow)?;
    let found = lab.measured(exercise, exercise.variant(&answers.student)).map_err(Refusal::Failed)?;
    answers.add(id, What::Why, vec![choice.to_owned()], "").map_err(Refusal::Failed)?;
    Ok(words::explained(exercise, answers, &found, lang))
}

#[cfg(test)]
mod tests {
    use super::super::exercise::Variant;
    use super::super::measure::Cured;
    use super::super::samples;
    use super::super::text::{Unit, Value};
    use super::*;

    struct Known;

    impl Lab for Known {
        fn measured(&self, _: &Exercise, _: Variant) -> Result<Measured, String> {
            let value = |mean| Value { mean, half_width: None, unit: Unit::Time };
            let values = [("once".into(), value(0.05)), ("twice".into(), value(0.4))].into();
            Ok(Measured { values, fingerprint: "a60c65e06b8bd1f1".into() })
        }

        fn cured(&self, _: &Exercise, _: &Fix, _: Variant, _: &[(String, String)]) -> Result<Cured, String> {
            Err("there is nothing to cure".into())
        }
    }

    #[test]
    fn no_step_comes_before_its_turn_or_twice() {
        let exercise = samples::exercise();
        let mut answers = Answers::new("7", "toy@1");
        let said = ["x2".to_owned()];
        let is_early = |found: Result<String, Refusal>| matches!(found, Err(Refusal::NotNow(_)));
        assert!(is_early(run(&exercise, &mut answers, &Known, Lang::En)));
        assert!(is_early(why(&exercise, &mut answers, "queue", &Known, Lang::En)));
        assert!(predict(&exercise, &mut answers, &[], Lang::En).unwrap_err().text().contains("1 answers"));
        assert!(predict(&exercise, &mut answers, &["much".to_owned()], Lang::Ko).is_err());
        assert!(answers.entries.is_empty(), "nothing that was refused is noted");
        predict(&exercise, &mut answers, &said, Lang::En).unwrap();
        assert!(predict(&exercise, &mut answers, &said, Lang::En).is_err());
        assert!(is_early(why(&exercise, &mut answers, "queue", &Known, Lang::En)));
        assert!(run(&exercise, &mut answers, &Known, Lang::En).unwrap().contains("too little"));
        assert!(is_early(why(&exercise, &mut answers, "luck", &Known, Lang::Ko)));
        assert!(
            why(&exercise, &mut answers, "queue", &Known, Lang::En).unwrap().starts_with("Nothing queues")
        );
        assert!(is_early(why(&exercise, &mut answers, "queue", &Known, Lang::En)));
        let done: Vec<What> = answers.entries.iter().map(|entry| entry.what).collect();
        assert_eq!(done, [What::Predict, What::Run, What::Why]);
    }
}
