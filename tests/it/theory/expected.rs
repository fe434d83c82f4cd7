//! The expected values, read from `tests/data/cases.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::Value;

static DATA: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../data/cases.json")).expect("the data file is JSON")
});

/// What must come out of a case.
pub(crate) struct Expected {
    /// Numbers by key; lists have keys of their own for each entry: `completions_c1[0]`.
    pub(crate) values: BTreeMap<String, f64>,
    /// About how many requests a 95 % interval of ±1 % needs, where that is known.
    pub(crate) samples_for_1pct: BTreeMap<String, f64>,
}

fn cases() -> &'static [Value] {
    DATA["cases"].as_array().expect("the data file holds cases")
}

/// The ids of all cases.
pub(crate) fn ids() -> Vec<String> {
    cases().iter().map(|case| case["id"].as_str().expect("a case has an id").to_owned()).collect()
}

/// What must come out of this case.
pub(crate) fn expected(id: &str) -> Expected {
    let case =
        cases().iter().find(|case| case["id"] == id).unwrap_or_else(|| panic!("no case is called {id}"));
    Expected { values: numbers(&case["expected"]), samples_for_1pct: numbers(&case["samples_for_1pct_ci95"]) }
}

fn numbers(table: &Value) -> BTreeMap<String, f64> {
    let mut numbers = BTreeMap::new();
    for (key, value) in table.as_object().into_iter().flatten() {
        match value.as_array() {
            None => {
                numbers.extend(value.as_f64().map(|number| (key.clone(), number)));
            }
            Some(list) => {
                let entry =
                    |(index, value): (usize, &Value)| Some((format!("{key}[{index}]"), value.as_f64()?));
                numbers.extend(list.iter().enumerate().filter_map(entry));
            }
        }
    }
    numbers
}
