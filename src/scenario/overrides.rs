//! Overrides: values such as `web.count = 8`, written into a scenario's text before it is read. Comments and layout
//! stay.

use toml_edit::{ArrayOfTables, DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::assemble::SECTIONS;
use super::document::Document;
use super::error::{Diagnostic, Diagnostics};
use super::suggest::{did_you_mean, nearest, with_article};

/// Writes each value to its key, in order. Returns the new text. A key is `BOX.key`, `KIND.BOX.key`, or one of a
/// section: `run.seed`, `request.read.share`; elements of arrays are `steps[1].times` or `steps.1.times`. A value
/// that is not TOML is a string, so that `50ms` needs no quotes. A table for the key `fault` is one more fault.
///
/// # Errors
/// The syntax errors of `text`. If there are none: every override whose key does not exist, in a text that lists the
/// overrides.
pub fn apply(origin: &str, text: &str, overrides: &[(String, String)]) -> Result<String, Diagnostics> {
    Document::parse(text).map_err(|found| Diagnostics::new(origin, text, found))?;
    let mut document: DocumentMut = match text.parse() {
        Ok(document) => document,
        // Both parsers share their grammar. Should they ever differ, the user still gets the message.
        Err(error) => {
            let found = Diagnostic::error(error.span().unwrap_or(0..0), error.message());
            return Err(Diagnostics::new(origin, text, vec![found]));
        }
    };
    let mut list = String::new();
    let mut found = Vec::new();
    for (key, value) in overrides {
        let start = list.len() + OPTION.len();
        list.push_str(&format!("{OPTION}{key}={value}\n"));
        if let Err(fault) = set(&mut document, key, value) {
            found.push(Diagnostic::error(start..start + key.len(), fault.message).help(fault.help));
        }
    }
    if found.is_empty() { Ok(document.to_string()) } else { Err(Diagnostics::new(ORIGIN, &list, found)) }
}

/// The path from the root of what a key stands for, its steps joined by points: `client.users.rate` for `users.rate`. Two
/// keys with equal paths set the same value. `None` where the key leads nowhere.
#[must_use]
pub fn path(text: &str, key: &str) -> Option<String> {
    let mut document: DocumentMut = text.parse().ok()?;
    full_path(&mut document, &steps(key).ok()?).ok().map(|path| path.join("."))
}

/// Name of the text that lists the overrides.
const ORIGIN: &str = "command line";

/// What stands before each override there.
const OPTION: &str = "--set ";

/// Greatest number of steps of a key; no scenario nests its values so deeply.
const STEPS_MAX: usize = 80;

struct Fault {
    message: String,
    help: Option<String>,
}

impl Fault {
    fn new(message: String) -> Fault {
        Fault { message, help: None }
    }
}

fn set(document: &mut DocumentMut, key: &str, value: &str) -> Result<(), Fault> {
    let steps = steps(key)?;
    let value = value.trim();
    let value: Value = value.parse().unwrap_or_else(|_| Value::from(value));
    if let (["fault"], Value::InlineTable(fault)) = (steps.as_slice(), &value) {
        return add_fault(document, fault.clone());
    }
    let path = full_path(document, &steps)?;
    set_in_table(document.as_table_mut(), &path, value)
}

/// Adds one more `[[fault]]` to those of the text.
fn add_fault(document: &mut DocumentMut, fault: InlineTable) -> Result<(), Fault> {
    match document.entry("fault").or_insert(Item::ArrayOfTables(ArrayOfTables::new())) {
        Item::ArrayOfTables(tables) => tables.push(fault.into_table()),
        Item::Value(Value::Array(array)) => array.push(fault),
        _ => return Err(Fault::new("`fault` is no array of tables: write [[fault]]".to_owned())),
    }
    Ok(())
}

/// The steps of a key as it is written.
fn steps(key: &str) -> Result<Vec<&str>, Fault> {
    let steps: Vec<&str> = key.split(['.', '[']).map(|step| step.trim_end_matches(']').trim()).collect();
    if steps.iter().any(|step| step.is_empty()) {
        return Err(Fault::new(format!("expected a key such as `web.count`, found `{key}`")));
    }
    if steps.len() > STEPS_MAX {
        return Err(Fault::new(format!("a key has at most {STEPS_MAX} steps, this one has {}", steps.len())));
    }
    Ok(steps)
}

/// The path from the root, with the box's kind in front of its name. Boxes, kinds and request classes must exist: a
/// typing error must not make a new one.
fn full_path(document: &mut DocumentMut, steps: &[&str]) -> Result<Vec<String>, Fault> {
    let first = steps[0];
    let own = |steps: &[&str]| steps.iter().map(|step| (*step).to_owned()).collect::<Vec<String>>();
    let is_named = |section: &str, name: &str| {
        document.get(section).and_then(Item::as_table_like).is_some_and(|table| table.contains_key(name))
    };
    let kinds: Vec<&str> =
        document.iter().map(|(key, _)| key).filter(|key| !SECTIONS.contains(key)).collect();
    let named_pair = steps.len() > 2 && is_named(first, steps[1]);
    if let Some(kind) = kinds.iter().find(|kind| !named_pair && is_named(kind, first)) {
        if steps.len() < 2 {
            return Err(Fault::new(format!("`{first}` is a {kind}: name one of its keys, `{first}.KEY`")));
        }
        return Ok(own(&[&[*kind], steps].concat()));
    }
    let names_a_table = first == "request" || kinds.contains(&first);
    if let [section, name] = steps
        && names_a_table
        && is_named(section, name)
    {
        return Err(Fault::new(format!("`{section}.{name}` is a table: name one of its keys")));
    }
    if names_a_table && steps.len() > 1 && !named_pair {
        let known = table_keys(document, first);
        return Err(unknown(steps[1], &known, &[]));
    }
    if !names_a_table && !SECTIONS.contains(&first) {
        let boxes: Vec<String> = kinds.iter().flat_map(|kind| table_keys(document, kind)).collect();
        return Err(unknown(first, &boxes, &SECTIONS));
    }
    if SECTIONS.contains(&first) && !matches!(first, "title" | "chapter") && !document.contains_key(first) {
        document.insert(first, Item::Table(Table::new()));
    }
    Ok(own(steps))
}

/// The error for a name that is none of `listed`. A name near one of `others` may have been meant to be that.
fn unknown(name: &str, listed: &[String], others: &[&str]) -> Fault {
    let near = nearest(name, listed.iter().map(String::as_str).chain(others.iter().copied()));
    let help = match near {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => did_you_mean(name, "there are", listed.iter().map(String::as_str)),
    };
    Fault { message: format!("unknown name `{name}`"), help }
}

fn table_keys(document: &DocumentMut, section: &str) -> Vec<String> {
    let table = document.get(section).and_then(Item::as_table_like);
    table.map_or(Vec::new(), |table| table.iter().map(|(key, _)| key.to_owned()).collect())
}

fn set_in_table(table: &mut dyn TableLike, path: &[String], value: Value) -> Result<(), Fault> {
    let (key, rest) = path.split_first().expect("a path has a step for each table");
    match table.get_mut(key) {
        Some(Item::Value(old)) => set_in_value(old, key, rest, value),
        Some(Item::Table(_) | Item::ArrayOfTables(_)) if rest.is_empty() => {
            Err(Fault::new(format!("`{key}` is a table: name one of its keys")))
        }
        Some(Item::Table(inner)) => set_in_table(inner, rest, value),
        Some(Item::ArrayOfTables(tables)) => {
            let length = tables.len();
            let at = index(key, &rest[0], length)?;
            let inner = tables.get_mut(at).expect("the index was just checked");
            match rest[1..].is_empty() {
                true => Err(Fault::new(format!("`{key}[{at}]` is a table: name one of its keys"))),
                false => set_in_table(inner, &rest[1..], value),
            }
        }
        Some(Item::None) | None if rest.is_empty() => {
            table.insert(key, Item::Value(value));
            Ok(())
        }
        Some(Item::None) | None => {
            let mut inner = InlineTable::new();
            set_in_table(&mut inner, rest, value)?;
            table.insert(key, Item::Value(Value::InlineTable(inner)));
            Ok(())
        }
    }
}

fn set_in_value(old: &mut Value, name: &str, path: &[String], mut value: Value) -> Result<(), Fault> {
    let Some((step, rest)) = path.split_first() else {
        *value.decor_mut() = old.decor().clone();
        *old = value;
        return Ok(());
    };
    match old {
        Value::InlineTable(table) => set_in_table(table, path, value),
        Value::Array(array) => {
            let at = index(name, step, array.len())?;
            let element = array.get_mut(at).expect("the index was just checked");
            set_in_value(element, step, rest, value)
        }
        // A trace may be the name of its file, which is short for a table with that key.
        Value::String(file) if name == "trace" => {
            let mut table = InlineTable::new();
            table.insert("file", Value::String(file.clone()));
            set_in_table(&mut table, path, value)?;
            *table.decor_mut() = old.decor().clone();
            *old = Value::InlineTable(table);
            Ok(())
        }
        other => Err(Fault::new(format!("`{name}` is {}, there is no `{step}` in it", described(other)))),
    }
}

fn described(value: &Value) -> String {
    format!("{} ({})", with_article(value.type_name()), value.to_string().trim())
}

fn index(name: &str, step: &str, length: usize) -> Result<usize, Fault> {
    let fault =
        || Fault::new(format!("`{name}` has {length} elements, counted from 0: there is no `{step}`"));
    step.parse().ok().filter(|at| *at < length).ok_or_else(fault)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::toys::LADDER;
    use super::*;

    fn set(key: &str, value: &str) -> Result<String, Diagnostics> {
        apply("a.toml", LADDER, &[(key.to_owned(), value.to_owned())])
    }

    #[test]
    fn a_value_is_replaced_and_all_else_stays() {
        for (key, value, from, to) in [
            ("web.count", "8", "count = 2", "count = 8"),
            ("server.web.count", "8", "count = 2", "count = 8"),
            ("users.rate", "2k/s", "rate = \"100/s\"", "rate = \"2k/s\""),
            ("users.rate", "\"7/s\"", "rate = \"100/s\"", "rate = \"7/s\""),
            ("request.read.share", "50", "share = 90", "share = 50"),
            ("web.steps[1].times", "5", "times = 2", "times = 5"),
            ("web.steps.1.times", "5", "times = 2", "times = 5"),
            ("web.steps[0].cpu", "9ms", "cpu = \"8ms\"", "cpu = \"9ms\""),
            ("www.records[0]", "lb", "[\"web\"]", "[\"lb\"]"),
            ("title", "Other", "title = \"Ladder\"", "title = \"Other\""),
        ] {
            assert!(LADDER.contains(from));
            assert_eq!(set(key, value).unwrap(), LADDER.replace(from, to), "{key}");
        }
    }

    #[test]
    fn what_is_not_there_is_added_where_it_belongs() {
        assert!(set("run.duration", "1min").unwrap().contains("[run]\nduration = \"1min\"\n"));
        assert!(
            set("users.retry.attempts", "3")
                .unwrap()
                .contains("target = \"www\"\nretry = { attempts = 3 }\n")
        );
    }

    #[test]
    fn a_table_for_the_key_fault_is_one_more_fault() {
        let fault = "{ kind = 'crash', target = 'web-1', at = '1s' }";
        let added = "[[fault]]\nkind = 'crash'\ntarget = 'web-1'\nat = '1s'\n";
        assert!(set("fault", fault).unwrap().ends_with(added));
        let one = ("fault".to_owned(), fault.to_owned());
        let two = apply("a", "title = 'x'\n", &[one.clone(), one.clone()]).unwrap();
        assert_eq!(two.matches("[[fault]]").count(), 2);
        let inline = apply("a", "fault = [{ kind = 'hang' }]\n", std::slice::from_ref(&one)).unwrap();
        assert!(inline.contains("kind = 'hang'") && inline.contains("kind = 'crash'"), "{inline}");
        assert!(apply("a", "fault = 3\n", &[one]).is_err());
    }

    #[test]
    fn a_key_that_leads_nowhere_is_an_error_with_a_hint() {
        for (key, message, help) in [
            ("wbe.count", "unknown name `wbe`", "did you mean `web`?"),
            ("server.wbe.count", "unknown name `wbe`", "did you mean `web`?"),
            ("request.raed.share", "unknown name `raed`", "did you mean `read`?"),
            ("web", "`web` is a server: name one of its keys, `web.KEY`", ""),
            ("web..count", "expected a key such as `web.count`, found `web..count`", ""),
            ("web.steps[2].cpu", "`steps` has 2 elements, counted from 0: there is no `2`", ""),
            ("web.count.x", "`count` is an integer (2), there is no `x` in it", ""),
        ] {
            let found = set(key, "1").unwrap_err();
            assert_eq!(found.items[0].message, message);
            assert_eq!(found.items[0].help.as_deref().unwrap_or(""), help);
        }
    }

    #[test]
    fn two_ways_to_write_a_key_have_one_path() {
        for key in ["web.steps[1].times", "server.web.steps.1.times"] {
            assert_eq!(path(LADDER, key).as_deref(), Some("server.web.steps.1.times"));
        }
        assert_eq!(path(LADDER, "wbe.count"), None);
    }

    #[test]
    fn a_box_may_be_called_like_its_kind() {
        let text = "[dns.dns]\nttl = 1\n";
        for key in ["dns.ttl", "dns.dns.ttl"] {
            let set = apply("a", text, &[(key.to_owned(), "2".to_owned())]).unwrap();
            assert_eq!(set, "[dns.dns]\nttl = 2\n");
        }
    }

    #[test]
    fn a_key_of_too_many_steps_is_refused() {
        let found = set(&format!("run.{}b", "a.".repeat(16_000)), "1").unwrap_err();
        assert!(found.items[0].message.contains("at most 80 steps"), "{}", found.items[0].message);
    }

    proptest! {
        #[test]
        fn no_override_makes_it_panic(key in "(web|run|request|steps|x|[0-3]|\\[|\\]|\\.|\\PC){0,8}", value in "\\PC{0,10}") {
            let _ = set(&key, &value);
        }
    }
}
