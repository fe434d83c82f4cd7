//! The expected values of the cases that ship with the program.

use std::collections::BTreeMap;

use outgrow::experiment::validate::built_in;

/// The expected values of a case, by key.
pub(crate) fn expected(id: &str) -> BTreeMap<String, f64> {
    let case = built_in().into_iter().find(|case| case.id == id);
    case.unwrap_or_else(|| panic!("no case is called {id}")).expected.into_iter().collect()
}
