//! Reads one table as a type, and reports all errors in it, not only the first that serde meets.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeArray, DeValue, ValueDeserializer};

use super::error::Diagnostic;
use super::suggest::{did_you_mean, nearest};

/// Greatest number of errors that are reported for one table.
const ERRORS_PER_TABLE_MAX: usize = 20;

/// Reads `value`. Returns `None` if anything is wrong with it.
///
/// After an error, the key or array element with the error is removed and the rest is read again, until no error
/// remains. An error that the removal may have caused is not reported. Errors about the table as a whole are shown at
/// `shown`. `required` gives the keys that the table must have, because serde reports only the first one that is
/// missing; it is asked only then, as the schema that knows them takes longer to make than the table to read.
pub(super) fn read<'t, T>(
    value: &Spanned<DeValue<'t>>,
    shown: &Range<usize>,
    required: &dyn Fn() -> Vec<String>,
    load: impl Fn(ValueDeserializer<'t>) -> Result<T, toml::de::Error>,
    found: &mut Vec<Diagnostic>,
) -> Option<T> {
    let mut rest = value.clone();
    let mut removed: Vec<Removed> = Vec::new();
    for _ in 0..ERRORS_PER_TABLE_MAX {
        let error = match load(ValueDeserializer::from(rest.clone())) {
            Ok(read) => return removed.is_empty().then_some(read),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_else(|| rest.span());
        let place = locate(&rest, &span).unwrap_or_default();
        let fault = Fault::of(error.message());
        if !fault.is_consequence(&place, &removed) {
            let at = if place.is_empty() { shown.clone() } else { span };
            found.push(Diagnostic::error(at, fault.message.as_str()).help(fault.help.clone()));
        }
        if place.is_empty() {
            if let Some(reported) = &fault.missing {
                let others = missing(value, required(), &removed);
                let others = others.into_iter().filter(|key| key != reported);
                found.extend(
                    others.map(|key| Diagnostic::error(shown.clone(), format!("missing key `{key}`"))),
                );
            }
            return None;
        }
        let scalar = remove(&mut rest, &place);
        removed.push(Removed { place, meant: fault.meant, scalar });
    }
    None
}

/// The required keys that are missing from the table as written, not even misspelt.
fn missing(value: &Spanned<DeValue<'_>>, mut required: Vec<String>, removed: &[Removed]) -> Vec<String> {
    let is_there = |key: &str| value.get_ref().get(key).is_some();
    let is_meant = |key: &str| removed.iter().any(|removed| removed.meant.as_deref() == Some(key));
    required.retain(|key| !is_there(key) && !is_meant(key));
    required
}

/// One step of a path into tables and arrays. An array element is identified by the position of its first byte, which
/// stays the same when others are removed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Key(String),
    Element(usize),
}

/// A key or element that was removed, and the known key that it may have been meant to be.
struct Removed {
    place: Vec<Step>,
    meant: Option<String>,
    /// Whether it was neither a table nor an array.
    scalar: bool,
}

/// The path to the key or value with exactly this span, the deepest if there are several; empty for the root.
fn locate(value: &Spanned<DeValue<'_>>, span: &Range<usize>) -> Option<Vec<Step>> {
    match value.get_ref() {
        DeValue::Table(table) => {
            for (key, inner) in table {
                if let Some(place) = locate(inner, span).or_else(|| (key.span() == *span).then(Vec::new)) {
                    return Some(below(Step::Key(key.get_ref().to_string()), place));
                }
            }
        }
        DeValue::Array(array) => {
            for inner in array.iter() {
                if let Some(place) = locate(inner, span) {
                    return Some(below(Step::Element(inner.span().start), place));
                }
            }
        }
        _ => {}
    }
    (value.span() == *span).then(Vec::new)
}

fn below(step: Step, mut place: Vec<Step>) -> Vec<Step> {
    place.insert(0, step);
    place
}

/// Removes the value at a path. Returns whether it was neither a table nor an array.
fn remove(value: &mut Spanned<DeValue<'_>>, place: &[Step]) -> bool {
    let is_scalar = |value: &Spanned<DeValue<'_>>| {
        let value = value.get_ref();
        !value.is_table() && !value.is_array()
    };
    let (step, rest) = place.split_first().expect("the root is never taken out");
    match (value.get_mut(), step) {
        (DeValue::Table(table), Step::Key(key)) if rest.is_empty() => {
            table.remove(key.as_str()).is_some_and(|value| is_scalar(&value))
        }
        (DeValue::Table(table), Step::Key(key)) => {
            remove(table.get_mut(key.as_str()).expect("the key was just found"), rest)
        }
        (DeValue::Array(array), Step::Element(start)) if rest.is_empty() => {
            let all = std::mem::replace(array, DeArray::new());
            let mut scalar = false;
            for value in all {
                if value.span().start == *start {
                    scalar = is_scalar(&value);
                } else {
                    array.push(value);
                }
            }
            scalar
        }
        (DeValue::Array(array), Step::Element(start)) => {
            let inner = array.iter_mut().find(|value| value.span().start == *start);
            remove(inner.expect("the element was just found"), rest)
        }
        _ => unreachable!("a place was found in the very tree"),
    }
}

/// An error of serde, in our words.
struct Fault {
    message: String,
    help: Option<String>,
    /// The key that is missing, if that is the error.
    missing: Option<String>,
    /// Whether the error is an unknown key, not its value.
    unknown_key: bool,
    /// The known key that the unknown one may have been meant to be.
    meant: Option<String>,
}

impl Fault {
    fn of(message: &str) -> Fault {
        let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
        let (name, known) = quoted.split_first().map_or(("", &[][..]), |(name, known)| (*name, known));
        let known = || known.iter().copied();
        let plain =
            |message: String| Fault { message, help: None, missing: None, unknown_key: false, meant: None };
        if message.starts_with("unknown field") {
            return Fault {
                help: did_you_mean(name, "known keys", known()),
                unknown_key: true,
                meant: nearest(name, known()).map(str::to_owned),
                ..plain(format!("unknown key `{name}`"))
            };
        }
        if message.starts_with("unknown variant") {
            let help = did_you_mean(name, "known values", known());
            return Fault { help, ..plain(format!("unknown value `{name}`")) };
        }
        if message.starts_with("missing field") {
            return Fault { missing: Some(name.to_owned()), ..plain(format!("missing key `{name}`")) };
        }
        // Readers of quantities can only put a hint into their message.
        if let Some((message, hint)) = message.split_once("; did you mean ") {
            return Fault {
                help: Some(format!("did you mean {}", hint.trim_end())),
                ..plain(message.to_owned())
            };
        }
        plain(expected(message).unwrap_or_else(|| message.trim_end().to_owned()))
    }

    /// Whether a removal may have caused this error: the missing key was removed, the table is wrong as a whole
    /// because a part of it was removed, or an element of a pair has moved up.
    fn is_consequence(&self, place: &[Step], removed: &[Removed]) -> bool {
        if self.unknown_key {
            return false;
        }
        removed.iter().any(|removed| {
            if removed.scalar
                && let ([above @ .., Step::Element(_)], [beside @ .., Step::Element(_)]) =
                    (place, removed.place.as_slice())
                && above == beside
            {
                return true;
            }
            let Some(inside) = removed.place.strip_prefix(place) else { return false };
            match (&self.missing, inside) {
                (Some(missing), [Step::Key(key)]) => {
                    missing == key || removed.meant.as_ref() == Some(missing)
                }
                (Some(_), _) => false,
                (None, _) => true,
            }
        })
    }
}

/// Turns "invalid type: integer `5`, expected a string" into "expected a string, found integer `5`".
fn expected(message: &str) -> Option<String> {
    let (kind, rest) = message.split_once(": ")?;
    if !["invalid type", "invalid value", "invalid length"].contains(&kind) {
        return None;
    }
    let (found, wanted) = rest.split_once(", expected ")?;
    if let Some(most) = too_large(found, wanted) {
        return Some(format!("at most {most} is allowed here"));
    }
    let wanted = match wanted {
        "a map" => "a table",
        "a sequence" => "an array",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a tuple of size 2" => "an array of two",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    let found = match found {
        "map" => "a table",
        "sequence" => "an array",
        other => other,
    };
    Some(format!("expected {wanted}, found {}", found.replace("floating point", "number")))
}

/// The largest number of the wanted type, if a larger one was found.
fn too_large(found: &str, wanted: &str) -> Option<u64> {
    let digits = found.strip_prefix("integer `")?.split('`').next()?;
    let most = match wanted {
        "u8" => u64::from(u8::MAX),
        "u16" => u64::from(u16::MAX),
        "u32" => u64::from(u32::MAX),
        "u64" | "usize" => u64::MAX,
        _ => return None,
    };
    digits.parse::<u128>().is_ok_and(|number| number > u128::from(most)).then_some(most)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::super::document::Document;
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Box {
        #[allow(dead_code)]
        cores: u32,
        #[allow(dead_code)]
        zone: u32,
        #[allow(dead_code)]
        mode: Option<Mode>,
        #[allow(dead_code)]
        steps: Option<Vec<Step>>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Mode {
        Async,
        SemiSync,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Step {
        #[allow(dead_code)]
        cpu: f64,
    }

    fn check(text: &str, expected: &[(&str, &str, &str)]) {
        let document = Document::parse(text).unwrap();
        let mut found = Vec::new();
        let value = document.value("box").unwrap();
        let required = || vec!["cores".to_owned(), "zone".to_owned()];
        let read = read(value, &document.span_of("box"), &required, Box::deserialize, &mut found);
        assert_eq!(read.is_some(), expected.is_empty());
        found.sort_by_key(|item| item.span.start);
        let found: Vec<(&str, &str, &str)> = found
            .iter()
            .map(|item| (&text[item.span.clone()], &*item.message, item.help.as_deref().unwrap_or("")))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_good_table_is_read() {
        check("[box]\nzone = 1\ncores = 2\nmode = 'semi-sync'\nsteps = [{ cpu = 1 }]\n", &[]);
    }

    #[test]
    fn every_error_is_found_and_no_consequence() {
        check(
            "[box]\nzone = 1\ncores = 'two'\nmode = 'semisync'\nsteps = [{ cpu = 1 }, { gpu = 1 }, { cpu = 1, x = 3 }, 5]\n",
            &[
                ("'two'", "expected a whole number, not negative, found string \"two\"", ""),
                ("'semisync'", "unknown value `semisync`", "did you mean `semi-sync`?"),
                ("gpu", "unknown key `gpu`", "did you mean `cpu`?"),
                ("x", "unknown key `x`", "known keys: `cpu`"),
                ("5", "expected a table, found integer `5`", ""),
            ],
        );
    }

    #[test]
    fn a_hint_in_a_message_becomes_the_help_line() {
        let fault = Fault::of("unknown parameter \"men\"; did you mean \"mean\"?");
        assert_eq!(fault.message, "unknown parameter \"men\"");
        assert_eq!(fault.help.as_deref(), Some("did you mean \"mean\"?"));
    }

    #[test]
    fn missing_keys_are_reported_at_the_tables_name() {
        check(
            "[box]\nsteps = [{}]\n",
            &[
                ("box", "missing key `cores`", ""),
                ("box", "missing key `zone`", ""),
                ("{}", "missing key `cpu`", ""),
            ],
        );
        let coers = ("coers", "unknown key `coers`", "did you mean `cores`?");
        check("[box]\ncoers = 2\nzone = 1\n", &[coers]);
        check("[box]\ncoers = 2\n", &[("box", "missing key `zone`", ""), coers]);
    }
}
