//! `Case`: a system whose answer is known without this simulator. Cases are read from a file.

use serde_json::{Map, Value};

use super::NotMeasured;

/// The cases from textbooks that are built into the program.
const TEXTBOOK: &str = include_str!("../../../data/validation/textbook.json");

/// Published measurements, and answers of other simulators and solvers; built into the program.
const PUBLISHED: &str = include_str!("../../../data/validation/published.json");

/// A system, as parameters, and the values that a simulation of it must give.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name, unique within its file.
    pub id: String,
    /// The kind of system, for readers; what is simulated follows from `params` alone.
    pub family: String,
    /// A title of one line.
    pub title: String,
    /// Where the answer comes from.
    pub source: String,
    /// What is fitted, what is predicted, and anything else a reader should know; may be empty.
    pub notes: String,
    /// The parameters of the system.
    pub params: Map<String, Value>,
    /// The values that a simulation must give. Each entry of a list has its own key: `completions[0]`.
    pub expected: Vec<(String, f64)>,
    /// Values that a simulation must not exceed.
    pub at_most: Vec<(String, f64)>,
    /// Approximate number of requests that a 95 % interval of ±1 % needs, by key; only where it is known.
    pub samples: Vec<(String, f64)>,
    /// The largest relative difference that is allowed. Set where the expected values have errors of their own; z is
    /// then not used.
    pub tolerance: Option<f64>,
}

impl Case {
    /// Approximate number of requests that a 95 % interval of ±1 % of this value needs; `None` if it is not known.
    #[must_use]
    pub fn samples_for(&self, key: &str) -> Option<f64> {
        self.samples.iter().find(|(known, _)| known == key).map(|(_, samples)| *samples)
    }

    /// The expected value of this key.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<f64> {
        self.expected.iter().find(|(known, _)| known == key).map(|(_, value)| *value)
    }
}

/// The built-in cases: first those of textbooks, then those of publications.
///
/// # Panics
/// Never: a test parses both files.
#[must_use]
pub fn built_in() -> Vec<Case> {
    let files = [TEXTBOOK, PUBLISHED].map(|text| parse(text).expect("the files that ship are well formed"));
    files.into_iter().flat_map(|(cases, _)| cases).collect()
}

/// Parses a file of cases: `{ "cases": [ { "id", "params", "expected", ... } ] }`, or only the list. Returns also the cases that it
/// cannot read, such as those whose expected values are words.
///
/// # Errors
/// The first problem and its place, as a clause without a full stop, if there is no case that can be read.
pub fn parse(text: &str) -> Result<(Vec<Case>, Vec<NotMeasured>), String> {
    let file: Value = serde_json::from_str(text).map_err(|error| format!("it is not JSON: {error}"))?;
    let list = file.get("cases").unwrap_or(&file);
    let list = list.as_array().ok_or("it holds no list `cases`")?;
    if list.is_empty() {
        return Err("its list of cases is empty".into());
    }
    let mut cases: Vec<Case> = Vec::new();
    let mut unread: Vec<NotMeasured> = Vec::new();
    for (index, value) in list.iter().enumerate() {
        match read(value, index) {
            Ok(case) if cases.iter().any(|known| known.id == case.id) => {
                return Err(format!("two cases are called `{}`", case.id));
            }
            Ok(case) => cases.push(case),
            Err(reason) => {
                let id = value.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
                let case = id.map_or_else(|| format!("case {}", index + 1), str::to_owned);
                unread.push(NotMeasured { case, value: None, reason });
            }
        }
    }
    match unread.first() {
        Some(first) if cases.is_empty() => Err(first.reason.clone()),
        _ => Ok((cases, unread)),
    }
}

fn read(value: &Value, index: usize) -> Result<Case, String> {
    let number = index + 1;
    let table = value.as_object().ok_or_else(|| format!("case {number} is no object"))?;
    let text = |key: &str| table.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = text("id");
    if id.is_empty() {
        return Err(format!("case {number} has no `id`"));
    }
    let params = table.get("params").and_then(Value::as_object);
    let params = params.ok_or_else(|| format!("case `{id}` has no object `params`"))?.clone();
    let (expected, at_most) = (numbers(table, "expected", &id)?, numbers(table, "at_most", &id)?);
    if expected.is_empty() && at_most.is_empty() {
        return Err(format!("case `{id}` expects nothing: `expected` must hold numbers"));
    }
    let tolerance = match table.get("tolerance") {
        None => None,
        Some(value) => match value.as_f64() {
            Some(share) if share > 0.0 => Some(share),
            _ => return Err(format!("`tolerance` of case `{id}` is no positive number")),
        },
    };
    Ok(Case {
        family: text("family"),
        title: text("title"),
        source: text("source"),
        notes: text("notes"),
        params,
        expected,
        at_most,
        samples: numbers(table, "samples_for_1pct_ci95", &id)?,
        tolerance,
        id,
    })
}

fn numbers(table: &Map<String, Value>, key: &str, id: &str) -> Result<Vec<(String, f64)>, String> {
    let Some(value) = table.get(key) else { return Ok(Vec::new()) };
    let object = value.as_object().ok_or_else(|| format!("`{key}` of case `{id}` is no object"))?;
    let mut numbers = Vec::new();
    let number = |name: &str, value: &Value| {
        value
            .as_f64()
            .ok_or_else(|| format!("`{key}.{name}` of case `{id}` is neither a number nor a list of them"))
    };
    for (name, value) in object {
        match value.as_array() {
            None => numbers.push((name.clone(), number(name, value)?)),
            Some(list) => {
                for (index, value) in list.iter().enumerate() {
                    let name = format!("{name}[{index}]");
                    let value = number(&name, value)?;
                    numbers.push((name, value));
                }
            }
        }
    }
    Ok(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cases_that_ship_can_be_read() {
        assert!(built_in().len() > 60);
    }

    #[test]
    fn a_list_of_values_has_a_key_an_entry() {
        let text = r#"[{ "id": "a", "params": {}, "expected": { "x": [1, 2.5], "y": 3 } }]"#;
        let expected = parse(text).unwrap().0.remove(0).expected;
        assert_eq!(expected, [("x[0]".into(), 1.0), ("x[1]".into(), 2.5), ("y".into(), 3.0)]);
    }

    #[test]
    fn a_case_that_cannot_be_read_is_skipped_and_told() {
        let good = r#"{ "id": "a", "params": {}, "expected": { "x": 1 } }"#;
        let words = r#"{ "id": "b", "params": {}, "expected": { "x": "grows" } }"#;
        let (cases, unread) = parse(&format!("[{words}, {good}, 3]")).unwrap();
        assert_eq!(cases.len(), 1);
        let told: Vec<(&str, &str)> =
            unread.iter().map(|one| (one.case.as_str(), one.reason.as_str())).collect();
        let why = "`expected.x` of case `b` is neither a number nor a list of them";
        assert_eq!(told, [("b", why), ("case 3", "case 3 is no object")]);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        for (text, reason) in [
            ("{", "not JSON"),
            ("{}", "no list `cases`"),
            ("[]", "empty"),
            ("[3]", "case 1 is no object"),
            ("[{}]", "case 1 has no `id`"),
            (r#"[{ "id": "a" }]"#, "no object `params`"),
            (r#"[{ "id": "a", "params": {} }]"#, "expects nothing"),
            (r#"[{ "id": "a", "params": {}, "expected": { "x": "y" } }]"#, "`expected.x` of case `a`"),
            (r#"[{ "id": "a", "params": {}, "expected": { "x": 1 }, "tolerance": 0 }]"#, "`tolerance`"),
        ] {
            let found = parse(text).unwrap_err();
            assert!(found.contains(reason), "{text}: {found}");
        }
        let twice = r#"[{ "id": "a", "params": {}, "expected": { "x": 1 } }, { "id": "a", "params": {}, "expected": { "x": 1 } }]"#;
        assert!(parse(twice).unwrap_err().contains("two cases are called `a`"));
    }
}
