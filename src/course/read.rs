//! Reads an exercise from TOML, with the errors of a compiler: line, caret, reason, suggestion.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::exercise::{Ask, Exercise, Fix, Kind, Number, Run, Source, Text, Tolerance};
use super::formula;
use super::text::{Numbers, Unit, Value, stray_number};
use crate::scenario::error::{Diagnostic, Diagnostics};
use crate::scenario::suggest::did_you_mean;

/// Name and version of the format.
pub const SCHEMA: &str = "outgrow.exercise/1";

/// Largest number of sets of parameters.
const SETS_MAX: usize = 12;

/// Largest number of trials of a run.
const TRIALS_MAX: u32 = 200;

type Words = BTreeMap<String, Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    schema: Spanned<String>,
    id: Spanned<String>,
    section: String,
    vary: Option<Spanned<Vec<BTreeMap<String, String>>>>,
    run: Vec<FileRun>,
    #[serde(default)]
    values: Words,
    #[serde(default)]
    holds: Vec<Spanned<String>>,
    ask: Vec<FileAsk>,
    en: Spanned<FileWords>,
    ko: Option<Spanned<FileWords>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRun {
    #[serde(default)]
    name: String,
    scenario: String,
    #[serde(default)]
    set: BTreeMap<String, String>,
    trials: Spanned<u32>,
    slo: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileAsk {
    name: String,
    kind: Spanned<String>,
    unit: Option<Spanned<Unit>>,
    measured: Option<Spanned<String>>,
    formula: Option<Spanned<String>>,
    tolerance: Option<Spanned<String>>,
    #[serde(default)]
    wrong: Vec<Spanned<(String, String)>>,
    because: Option<String>,
    answer: Option<Spanned<String>>,
    #[serde(default)]
    options: Vec<Spanned<String>>,
    best: Option<Spanned<String>>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    goals: Vec<String>,
    #[serde(default)]
    reference: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileWords {
    title: Spanned<String>,
    question: Spanned<String>,
    hint: Spanned<String>,
    explain: Spanned<String>,
    ask: Words,
    #[serde(default)]
    option: Words,
    #[serde(default)]
    wrong: Words,
}

/// Reads an exercise. `origin` is its name in messages.
///
/// # Errors
/// All mistakes in the text.
pub fn exercise(origin: &str, text: &str) -> Result<Exercise, Diagnostics> {
    let file: FileText = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        Diagnostics::new(origin, text, vec![Diagnostic::error(span, error.message())])
    })?;
    let mut reader = Reader { problems: Vec::new() };
    let exercise = reader.exercise(&file);
    if reader.problems.is_empty() {
        return Ok(exercise);
    }
    Err(Diagnostics::new(origin, text, reader.problems))
}

struct Reader {
    problems: Vec<Diagnostic>,
}

impl Reader {
    fn wrong(&mut self, span: Range<usize>, message: impl Into<String>) -> &mut Diagnostic {
        self.problems.push(Diagnostic::error(span, message));
        self.problems.last_mut().expect("it was just added")
    }

    fn exercise(&mut self, file: &FileText) -> Exercise {
        if file.schema.get_ref() != SCHEMA {
            self.wrong(file.schema.span(), format!("this program reads `{SCHEMA}`"));
        }
        let id = file.id.get_ref();
        if id.is_empty()
            || !id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        {
            self.wrong(file.id.span(), "an id has small letters, digits and `-` only");
        }
        let vary = self.vary(file.vary.as_ref());
        let runs: Vec<Run> = file.run.iter().enumerate().map(|(at, run)| self.run(at, run)).collect();
        let values = file.values.iter().map(|(name, source)| (name.clone(), self.source(source, &runs)));
        let values: Vec<(String, Source)> = values.collect();
        let names = Names::new(&vary, &values);
        for claim in &file.holds {
            if let Err(why) = formula::holds(claim.get_ref(), &|name| names.after.value(name)) {
                self.wrong(claim.span(), why);
            }
        }
        let asks: Vec<Ask> = file.ask.iter().map(|ask| self.ask(ask, &runs, &names)).collect();
        if asks.iter().filter(|ask| ask.is_cause()).count() > 1 {
            self.wrong(
                file.id.span(),
                "more than one question has no answer before the run: `best = \"after\"`",
            );
        }
        let english = self.text(&file.en, &asks, &names);
        let korean = file.ko.as_ref().map(|words| self.text(words, &asks, &names));
        let holds = file.holds.iter().map(|claim| claim.get_ref().clone()).collect();
        let (id, section) = (id.clone(), file.section.clone());
        Exercise { id, section, vary, runs, values, holds, asks, english, korean }
    }

    fn vary(
        &mut self,
        given: Option<&Spanned<Vec<BTreeMap<String, String>>>>,
    ) -> Vec<BTreeMap<String, String>> {
        let Some(given) = given else { return vec![BTreeMap::new()] };
        let sets = given.get_ref();
        if !(1..=SETS_MAX).contains(&sets.len()) || sets.iter().any(|set| set.keys().ne(sets[0].keys())) {
            self.wrong(given.span(), format!("expected from 1 to {SETS_MAX} sets of the same parameters"));
            return vec![BTreeMap::new()];
        }
        sets.clone()
    }

    fn run(&mut self, at: usize, run: &FileRun) -> Run {
        let trials = *run.trials.get_ref();
        if !(1..=TRIALS_MAX).contains(&trials) {
            self.wrong(run.trials.span(), format!("trials must be from 1 to {TRIALS_MAX}"));
        }
        Run {
            name: if run.name.is_empty() { format!("run{at}") } else { run.name.clone() },
            scenario: run.scenario.clone(),
            set: run.set.clone().into_iter().collect(),
            trials,
            slo: run.slo.clone(),
        }
    }

    /// `twice: mean(response)`, or without a name for the first run.
    fn source(&mut self, source: &Spanned<String>, runs: &[Run]) -> Source {
        let text = source.get_ref();
        let Some((name, metric)) = text.split_once(':') else {
            return Source { run: 0, metric: text.trim().to_owned() };
        };
        let run = runs.iter().position(|run| run.name == name.trim());
        if run.is_none() {
            let names = runs.iter().map(|run| run.name.as_str());
            let help = did_you_mean(name.trim(), "runs", names);
            self.wrong(source.span(), format!("there is no run `{}`", name.trim())).help = help;
        }
        Source { run: run.unwrap_or(0), metric: metric.trim().to_owned() }
    }

    fn ask(&mut self, ask: &FileAsk, runs: &[Run], names: &Names) -> Ask {
        let kind = match ask.kind.get_ref().as_str() {
            "number" => self.number(ask, names),
            "choice" => self.choice(ask),
            "order" => self.order(ask, names),
            "fix" => Kind::Fix(Fix {
                run: 0,
                keys: ask.keys.clone(),
                goals: ask.goals.clone(),
                reference: ask.reference.clone().into_iter().collect(),
            }),
            "curve" => self.curve(ask, names),
            other => {
                let help = did_you_mean(other, "kinds", ["number", "choice", "order", "fix", "curve"]);
                self.wrong(ask.kind.span(), format!("unknown kind of question `{other}`")).help = help;
                Kind::Order { options: Vec::new(), lowest: true }
            }
        };
        if runs.is_empty() {
            self.wrong(ask.kind.span(), "nothing is simulated: write a [[run]]");
        }
        Ask { name: ask.name.clone(), kind }
    }

    fn number(&mut self, ask: &FileAsk, names: &Names) -> Kind {
        let number = Number {
            unit: self.unit(ask),
            measured: self.formula(ask.measured.as_ref(), &names.after),
            formula: self.formula(ask.formula.as_ref(), &names.before),
            tolerance: self.tolerance(ask),
            wrong: ask.wrong.iter().map(|wrong| wrong.get_ref().clone()).collect(),
            because: ask.because.clone(),
        };
        if number.measured.is_none() && number.because.is_none() {
            self.wrong(
                ask.kind.span(),
                "a number needs `measured`, or a `because` that says why it has none",
            );
        }
        for wrong in &ask.wrong {
            let condition = wrong.get_ref().0.trim();
            let of = |name: &str| if name == "key" { Some(1.0) } else { names.after.value(name) };
            let rest = condition.strip_prefix(['<', '>', '=']);
            let read = rest.ok_or_else(|| "expected <, > or = and a value".to_owned());
            if let Err(why) = read.and_then(|rest| formula::value(rest, &of)) {
                self.wrong(wrong.span(), why);
            }
        }
        Kind::Number(number)
    }

    fn unit(&mut self, ask: &FileAsk) -> Unit {
        if ask.unit.is_none() {
            self.wrong(ask.kind.span(), "`unit` is missing: time, share, rate, count, usd or factor");
        }
        ask.unit.as_ref().map_or(Unit::Count, |unit| *unit.get_ref())
    }

    fn formula(&mut self, text: Option<&Spanned<String>>, numbers: &Numbers) -> Option<String> {
        let text = text?;
        if let Err(why) = numbers.formula(text.get_ref()) {
            self.wrong(text.span(), why);
        }
        Some(text.get_ref().clone())
    }

    fn tolerance(&mut self, ask: &FileAsk) -> Tolerance {
        let Some(tolerance) = &ask.tolerance else {
            self.wrong(ask.kind.span(), "`tolerance` is missing, such as \"30%\" or \"1pp\"");
            return Tolerance::Relative(0.0);
        };
        let text = tolerance.get_ref();
        let points = text.strip_suffix("pp").and_then(|points| points.trim().parse::<f64>().ok());
        let found = match points {
            Some(points) => Some(Tolerance::Absolute(points / 100.0)),
            None => formula::quantity(text).map(match text.ends_with('%') {
                true => Tolerance::Relative,
                false => Tolerance::Absolute,
            }),
        };
        if found.is_none() {
            self.wrong(
                tolerance.span(),
                "expected a share of the key such as \"30%\", or a difference such as \"1pp\"",
            );
        }
        found.unwrap_or(Tolerance::Relative(0.0))
    }

    fn choice(&mut self, ask: &FileAsk) -> Kind {
        let options: Vec<String> = ask.options.iter().map(|option| option.get_ref().clone()).collect();
        let answer = ask.answer.as_ref().map(|answer| answer.get_ref().clone()).unwrap_or_default();
        if !options.contains(&answer) {
            let span = ask.answer.as_ref().unwrap_or(&ask.kind).span();
            self.wrong(span, format!("the answer must be one of the options: {}", options.join(", ")));
        }
        Kind::Choice { answer, options, is_cause: ask.name == "why" }
    }

    fn order(&mut self, ask: &FileAsk, names: &Names) -> Kind {
        for option in &ask.options {
            if !names.after.values.contains_key(option.get_ref().as_str()) {
                self.wrong(option.span(), "each option of an order is one of `values`");
            }
        }
        let best = ask.best.as_ref().map(|best| best.get_ref().as_str());
        if !matches!(best, Some("lowest" | "highest")) {
            let span = ask.best.as_ref().unwrap_or(&ask.kind).span();
            self.wrong(span, "`best` must be \"lowest\" or \"highest\"");
        }
        let options = ask.options.iter().map(|option| option.get_ref().clone()).collect();
        Kind::Order { options, lowest: best == Some("lowest") }
    }

    fn curve(&mut self, ask: &FileAsk, names: &Names) -> Kind {
        for point in &ask.options {
            if !names.after.values.contains_key(point.get_ref().as_str()) {
                self.wrong(point.span(), "each point of a curve is one of `values`");
            }
        }
        let tolerance = match self.tolerance(ask) {
            Tolerance::Relative(tolerance) | Tolerance::Absolute(tolerance) => tolerance,
        };
        let points = ask.options.iter().map(|point| point.get_ref().clone()).collect();
        Kind::Curve { points, unit: self.unit(ask), tolerance }
    }

    fn text(&mut self, words: &Spanned<FileWords>, asks: &[Ask], names: &Names) -> Text {
        let (span, words) = (words.span(), words.get_ref());
        for (text, numbers) in [
            (&words.title, &names.before),
            (&words.question, &names.before),
            (&words.hint, &names.before),
            (&words.explain, &names.after),
        ] {
            self.prose(text, numbers);
        }
        for text in words.ask.values().chain(words.option.values()) {
            self.prose(text, &names.before);
        }
        for text in words.wrong.values() {
            self.prose(text, &names.after);
        }
        for ask in asks {
            if !words.ask.contains_key(&ask.name) {
                self.wrong(
                    span.clone(),
                    format!("`ask.{}` is missing: what the question is called", ask.name),
                );
            }
            let (options, wrong): (&[String], Vec<&String>) = match &ask.kind {
                Kind::Choice { options, answer, .. } => {
                    (options, options.iter().filter(|option| *option != answer).collect())
                }
                Kind::Order { options, .. } => (options, Vec::new()),
                Kind::Curve { points, .. } => (points, Vec::new()),
                Kind::Number(number) => (&[], number.wrong.iter().map(|(_, name)| name).collect()),
                Kind::Fix(_) => (&[], Vec::new()),
            };
            for option in options.iter().filter(|option| !words.option.contains_key(*option)) {
                self.wrong(span.clone(), format!("`option.{option}` is missing"));
            }
            for wrong in wrong.into_iter().filter(|wrong| !words.wrong.contains_key(*wrong)) {
                self.wrong(
                    span.clone(),
                    format!("`wrong.{wrong}` is missing: what to say to who answers so"),
                );
            }
        }
        let all = |words: &Words| {
            words.iter().map(|(name, text)| (name.clone(), text.get_ref().trim().to_owned())).collect()
        };
        Text {
            title: words.title.get_ref().trim().to_owned(),
            question: words.question.get_ref().trim().to_owned(),
            hint: words.hint.get_ref().trim().to_owned(),
            explain: words.explain.get_ref().trim().to_owned(),
            asks: all(&words.ask),
            options: all(&words.option),
            wrong: all(&words.wrong),
        }
    }

    fn prose(&mut self, text: &Spanned<String>, numbers: &Numbers) {
        if let Err(why) = numbers.fill(text.get_ref()) {
            self.wrong(text.span(), why);
        }
        if let Some(stray) = stray_number(text.get_ref()) {
            let found = self.wrong(text.span(), format!("nobody recomputes the number in \"{stray}\""));
            found.help = Some("write it as a place: {lost}, {= 2 * users | count}".into());
        }
    }
}

/// The names that texts and formulas may use, each with a value to try them with.
struct Names<'a> {
    /// Before the run: parameters.
    before: Numbers<'a>,
    /// After it: measured values too.
    after: Numbers<'a>,
}

impl<'a> Names<'a> {
    fn new(vary: &'a [BTreeMap<String, String>], values: &'a [(String, Source)]) -> Names<'a> {
        let parameters = vary[0].iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let before = Numbers { parameters: parameters.collect(), values: BTreeMap::new() };
        let tried = Value { mean: 0.5, half_width: None, unit: Unit::Count };
        let values = values.iter().map(|(name, _)| (name.as_str(), tried)).collect();
        Names { after: Numbers { values, ..before.clone() }, before }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::TEXT;
    use super::*;

    #[test]
    fn an_exercise_is_read_whole() {
        let read = exercise("a.toml", TEXT).unwrap();
        assert_eq!((read.id.as_str(), read.vary.len(), read.asks.len()), ("twice", 3, 2));
        assert_eq!(read.values[1].1, Source { run: 1, metric: "mean(response)".into() });
        assert!(read.korean.is_some() && read.cause().is_some());
    }

    #[test]
    fn every_mistake_has_its_place() {
        for (from, to, expected) in [
            ("kind = \"number\"", "kind = \"numbr\"", "unknown kind of question `numbr`"),
            ("twice / once", "twice / onse", "unknown name `onse`"),
            ("\"double: mean", "\"duble: mean", "there is no run `duble`"),
            ("tolerance = \"30%\"", "tolerance = \"some\"", "expected a share of the key"),
            ("answer = \"queue\"", "answer = \"luck\"", "the answer must be one of the options"),
            ("{users} users", "700 users", "nobody recomputes the number in \"700 users in\""),
            ("outgrow.exercise/1", "outgrow.exercise/9", "this program reads `outgrow.exercise/1`"),
            ("section = ", "sektion = ", "unknown field `sektion`"),
            ("> 4 * key", "4 * key", "expected <, > or = and a value"),
        ] {
            assert!(TEXT.contains(from), "{from}");
            let found = exercise("a.toml", &TEXT.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(found.contains(expected) && found.contains("a.toml:"), "{to}: {found}");
        }
    }
}
