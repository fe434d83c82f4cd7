//! `Exercise`: what is asked, what is simulated, and which answers are right.

use std::collections::BTreeMap;

use super::text::{Lang, Numbers, Unit, Value};

/// Number of different seeds that students get.
pub const SEEDS: u32 = 4;

/// An exercise that was read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Exercise {
    /// Its name, which answers use; it never changes.
    pub id: String,
    /// The section of the chapter: "1.4".
    pub section: String,
    /// Sets of parameters, of which a student gets one; one empty set if nothing varies.
    pub vary: Vec<BTreeMap<String, String>>,
    /// What is simulated.
    pub runs: Vec<Run>,
    /// What is measured: name, and where it comes from.
    pub values: Vec<(String, Source)>,
    /// Comparisons of measured values that are true, so that what the texts say is true.
    pub holds: Vec<String>,
    /// The questions before the run, and the one about the cause after it.
    pub asks: Vec<Ask>,
    /// English.
    pub english: Text,
    /// Korean.
    pub korean: Option<Text>,
}

/// A simulation of an exercise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its name in `values`.
    pub name: String,
    /// A built-in scenario, or a file beside the exercise.
    pub scenario: String,
    /// Changes of its keys; `{users}` in a value is a parameter.
    pub set: Vec<(String, String)>,
    /// Number of trials.
    pub trials: u32,
    /// An objective, whose highest load is searched for instead; its only value is `capacity`.
    pub slo: Option<String>,
}

/// Where a measured value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The position of the run.
    pub run: usize,
    /// The metric, or `capacity`.
    pub metric: String,
}

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// Its name.
    pub name: String,
    /// How it is answered.
    pub kind: Kind,
}

/// How a question is answered, and what is right.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// By a number with its unit.
    Number(Number),
    /// By a name.
    Choice {
        /// The right one.
        answer: String,
        /// All of them, in the order in which they are shown.
        options: Vec<String>,
        /// Whether it is asked after the run: what the cause was.
        is_cause: bool,
    },
    /// By names, the best first. Each is a measured value.
    Order {
        /// The names, in the order in which they are shown.
        options: Vec<String>,
        /// Whether the lowest value is the best.
        lowest: bool,
    },
    /// By changes of keys that make goals hold.
    Fix(Fix),
    /// By one number for each of some measured values, which are right on a logarithmic scale.
    Curve {
        /// The measured values.
        points: Vec<String>,
        /// Unit of the numbers.
        unit: Unit,
        /// Mean error of the natural logarithm that still has the full mark.
        tolerance: f64,
    },
}

/// A question for a number.
#[derive(Clone, Debug, PartialEq)]
pub struct Number {
    /// Its unit.
    pub unit: Unit,
    /// What is measured: a formula of values.
    pub measured: Option<String>,
    /// What theory says: a formula of parameters. It is the key if there is one.
    pub formula: Option<String>,
    /// How far off an answer with the full mark may be; with half a mark twice as far.
    pub tolerance: Tolerance,
    /// Wrong answers that betray a misconception: a condition such as `> 4 * key` or `= 75%`, and its name in the texts.
    pub wrong: Vec<(String, String)>,
    /// Why the formula may lie beside what is measured.
    pub because: Option<String>,
}

/// How far off an answer may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// A share of the key.
    Relative(f64),
    /// A difference from the key, in its unit.
    Absolute(f64),
}

impl Tolerance {
    /// The same as a difference from this key.
    #[must_use]
    pub fn around(self, key: f64) -> f64 {
        match self {
            Tolerance::Relative(share) => share * key.abs(),
            Tolerance::Absolute(difference) => difference,
        }
    }
}

/// A question for a cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The position of the run that is cured.
    pub run: usize,
    /// The keys that may be changed; `lb.health.*` means all that begin so.
    pub keys: Vec<String>,
    /// What must hold: `availability > 99.99%`.
    pub goals: Vec<String>,
    /// Changes that do it, whose price is the greatest with a full mark.
    pub reference: Vec<(String, String)>,
}

/// The words of an exercise in one language.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// A few words.
    pub title: String,
    /// What is asked.
    pub question: String,
    /// A thought that helps.
    pub hint: String,
    /// What is to be learnt, after the answer.
    pub explain: String,
    /// The name of each question beside its numbers, and the question about the cause.
    pub asks: BTreeMap<String, String>,
    /// What each option of a choice says.
    pub options: BTreeMap<String, String>,
    /// What to say to each misconception, and to each wrong option.
    pub wrong: BTreeMap<String, String>,
}

/// The parameters and the seed of one student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Position of the set of parameters.
    pub set: usize,
    /// The seed of all runs.
    pub seed: u64,
}

impl Variant {
    /// Its number among those of an exercise.
    #[must_use]
    pub fn index(self) -> usize {
        self.set * SEEDS as usize + self.seed as usize - 1
    }
}

impl Exercise {
    /// Every variant, in the order of their numbers.
    pub fn variants(&self) -> impl Iterator<Item = Variant> + use<> {
        (0..self.vary.len()).flat_map(|set| (1..=u64::from(SEEDS)).map(move |seed| Variant { set, seed }))
    }

    /// The variant of a student, drawn from number and exercise, so that neighbours have different ones.
    #[must_use]
    pub fn variant(&self, student: &str) -> Variant {
        let digits = crate::scenario::sha256(&format!("{student}/{}", self.id));
        let drawn = u64::from_str_radix(&digits[..12], 16).expect("hexadecimal digits");
        let sets = self.vary.len() as u64;
        Variant { set: (drawn % sets) as usize, seed: drawn / sets % u64::from(SEEDS) + 1 }
    }

    /// The words in this language, or in English where there are none.
    #[must_use]
    pub fn text(&self, lang: Lang) -> &Text {
        match (&self.korean, lang) {
            (Some(korean), Lang::Ko) => korean,
            _ => &self.english,
        }
    }

    /// The numbers of a variant, with what was measured; nothing before the run.
    #[must_use]
    pub fn numbers(&self, variant: Variant, measured: &BTreeMap<String, Value>) -> Numbers<'_> {
        let parameters = self.vary[variant.set].iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let known = |(name, _): &(String, Source)| measured.contains_key(name);
        let values = self.values.iter().filter(|value| known(value));
        Numbers {
            parameters: parameters.collect(),
            values: values.map(|(name, _)| (name.as_str(), measured[name])).collect(),
        }
    }

    /// The changes of a run in a variant, with the parameters in their places.
    #[must_use]
    pub fn changes(&self, run: &Run, variant: Variant) -> Vec<(String, String)> {
        let numbers = self.numbers(variant, &BTreeMap::new());
        let filled = |text: &String| numbers.fill(text).unwrap_or_else(|_| text.clone());
        run.set.iter().map(|(key, value)| (filled(key), filled(value))).collect()
    }

    /// The questions that are answered before the run.
    pub fn predictions(&self) -> impl Iterator<Item = &Ask> {
        self.asks.iter().filter(|ask| !ask.is_cause())
    }

    /// The question about the cause.
    #[must_use]
    pub fn cause(&self) -> Option<&Ask> {
        self.asks.iter().find(|ask| ask.is_cause())
    }

    /// The question for a cure, if it is one.
    #[must_use]
    pub fn fix(&self) -> Option<&Fix> {
        self.asks.iter().find_map(|ask| match &ask.kind {
            Kind::Fix(fix) => Some(fix),
            _ => None,
        })
    }
}

impl Ask {
    /// Whether it is asked after the run.
    #[must_use]
    pub fn is_cause(&self) -> bool {
        matches!(self.kind, Kind::Choice { is_cause: true, .. })
    }
}

impl Number {
    /// The right answer.
    ///
    /// # Errors
    /// Why there is none.
    pub fn key(&self, numbers: &Numbers) -> Result<f64, String> {
        let text = self.formula.as_ref().or(self.measured.as_ref());
        numbers.formula(text.ok_or("neither `measured` nor `formula`")?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::exercise;

    #[test]
    fn neighbours_have_different_variants_and_all_are_drawn() {
        let exercise = exercise();
        let drawn: Vec<usize> =
            (0..600).map(|student| exercise.variant(&format!("2026{student:04}")).index()).collect();
        let count = |index| drawn.iter().filter(|drawn| **drawn == index).count();
        let all = exercise.variants().count();
        assert_eq!(all, 12);
        assert!((0..all).all(|index| (25..=80).contains(&count(index))), "about 50 each");
        let same = drawn.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert!(same < 90, "a twelfth of the neighbours: {same}");
        let indices: Vec<usize> = exercise.variants().map(super::Variant::index).collect();
        assert_eq!(indices, (0..12).collect::<Vec<_>>());
    }
}
