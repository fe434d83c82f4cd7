//! `Params`: the parameters of a case. It records which ones were read, so that none is ignored silently.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Why a case cannot be expressed: a clause without a full stop.
pub(super) type Reason = String;

/// The parameters of one case.
pub(super) struct Params<'c> {
    map: &'c Map<String, Value>,
    /// Keys that were read.
    read: RefCell<BTreeSet<String>>,
}

impl<'c> Params<'c> {
    pub(super) fn new(map: &'c Map<String, Value>) -> Params<'c> {
        Params { map, read: RefCell::default() }
    }

    /// Whether the key exists; this does not count as reading it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.map.contains_key(key)
    }

    /// The value of the key, which now counts as read.
    pub(super) fn value(&self, key: &str) -> Option<&'c Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.map.get(key)
    }

    /// A number; `None` if the key is missing.
    pub(super) fn maybe(&self, key: &str) -> Result<Option<f64>, Reason> {
        match self.value(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => value.as_f64().map(Some).ok_or_else(|| format!("`{key}` is no number")),
        }
    }

    /// A positive number.
    pub(super) fn number(&self, key: &str) -> Result<f64, Reason> {
        match self.maybe(key)? {
            Some(number) if number > 0.0 => Ok(number),
            Some(_) => Err(format!("`{key}` is not positive")),
            None => Err(format!("it has no `{key}`")),
        }
    }

    /// A whole number from 1 to 100 000.
    pub(super) fn count(&self, key: &str) -> Result<u32, Reason> {
        whole(key, self.number(key)?)
    }

    /// The same; `default` if the key is missing.
    pub(super) fn count_or(&self, key: &str, default: u32) -> Result<u32, Reason> {
        if self.has(key) { self.count(key) } else { Ok(default) }
    }

    /// A word; `default` if the key is missing.
    pub(super) fn word(&self, key: &str, default: &'c str) -> Result<&'c str, Reason> {
        match self.value(key) {
            None => Ok(default),
            Some(value) => value.as_str().ok_or_else(|| format!("`{key}` is no text")),
        }
    }

    /// A list of positive numbers.
    pub(super) fn list(&self, key: &str) -> Result<Vec<f64>, Reason> {
        let list =
            self.value(key).and_then(Value::as_array).ok_or_else(|| format!("it has no list `{key}`"))?;
        list.iter()
            .map(|value| value.as_f64().ok_or_else(|| format!("`{key}` holds more than numbers")))
            .collect()
    }

    /// Reads a key and fails unless it is missing or has one of the values that the model knows.
    pub(super) fn only(&self, key: &str, known: &[&str]) -> Result<(), Reason> {
        let value = self.word(key, known[0])?;
        if known.iter().any(|known| value.starts_with(known)) {
            return Ok(());
        }
        Err(format!("{key} \"{value}\" is not modelled"))
    }

    /// The parameters in an object under this key.
    pub(super) fn part(&self, key: &str) -> Result<Params<'c>, Reason> {
        let map = self.value(key).and_then(Value::as_object);
        map.map(Params::new).ok_or_else(|| format!("it has no object `{key}`"))
    }

    /// Fails if a key was never read: the scenario then does not describe the case.
    pub(super) fn all_read(&self) -> Result<(), Reason> {
        let read = self.read.borrow();
        match self.map.keys().find(|key| !read.contains(*key)) {
            None => Ok(()),
            Some(key) => Err(format!("no kind of case takes these parameters together with `{key}`")),
        }
    }
}

/// `number` as a whole number from 1 to 100 000; `key` is for the message.
pub(super) fn whole(key: &str, number: f64) -> Result<u32, Reason> {
    if number.fract() == 0.0 && (1.0..=100_000.0).contains(&number) {
        return Ok(number as u32);
    }
    Err(format!("`{key}` is no whole number from 1 to 100000"))
}
