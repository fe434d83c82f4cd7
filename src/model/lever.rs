//! `Lever`: a key of a box that can be turned, its value now, and the next value that is worth trying.

use std::fmt;
use std::ops::Range;

/// Bytes of a mebibyte.
const MEBIBYTE: u64 = 1 << 20;

/// A value of a key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Setting {
    /// A whole number: users, workers, machines.
    Whole(u32),
    /// A number a second: requests, calls.
    PerS(f64),
    /// A number without a unit.
    Number(f64),
    /// A number of bytes.
    Bytes(u64),
    /// A word, such as the name of a type of machine.
    Word(&'static str),
}

impl fmt::Display for Setting {
    /// As an override writes it: a value that the loader reads back unchanged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Whole(number) => write!(f, "{number}"),
            Setting::PerS(rate) => write!(f, "{rate}/s"),
            Setting::Number(number) => write!(f, "{number}"),
            Setting::Bytes(bytes) if bytes.is_multiple_of(MEBIBYTE) => write!(f, "{}MiB", bytes / MEBIBYTE),
            Setting::Bytes(bytes) => write!(f, "{bytes}B"),
            Setting::Word(word) => write!(f, "{word}"),
        }
    }
}

/// What happens when a lever is turned up.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The clients ask more. The two limits are the least and the greatest number that the key can have.
    Load(f64, f64),
    /// Resources get more capacity, or less to do.
    Relief {
        /// Their names.
        resources: &'static [&'static str],
        /// Numbers of the members whose resources they are.
        of: Range<u32>,
    },
}

/// A key of a box that can be turned.
#[derive(Clone, Debug, PartialEq)]
pub struct Lever {
    /// The key, as a path below the box's table: `count`, `apply.workers`.
    pub key: &'static str,
    /// Its value now, which is the default where the scenario does not say; 0 where the key has no default.
    pub now: Setting,
    /// The next sensible value, which the box's own checks accept; `None` where the lever is at its end.
    pub next: Option<Setting>,
    /// What the next value does.
    pub effect: Effect,
    /// Members that the box has more of at the next value.
    pub adds: u32,
    /// Price of one machine at the next value, USD an hour; `None` where turning the lever changes no price.
    pub price: Option<f64>,
    /// Why this lever is turned and no other, in a few words; `None` where that needs none.
    pub why: Option<String>,
}

impl Lever {
    /// A lever that gives some members more of some resources.
    #[must_use]
    pub fn relief(
        key: &'static str,
        (now, next): (Setting, Option<Setting>),
        resources: &'static [&'static str],
        of: Range<u32>,
    ) -> Lever {
        let effect = Effect::Relief { resources, of };
        Lever { key, now, next, effect, adds: 0, price: None, why: None }
    }

    /// A lever that gives clients more to ask. Its next value is twice the one now, where that is not above `most`.
    #[must_use]
    pub fn load(key: &'static str, now: Setting, (least, most): (f64, f64)) -> Lever {
        let next = now.twice(most);
        Lever { key, now, next, effect: Effect::Load(least, most), adds: 0, price: None, why: None }
    }

    /// Whether turning it relieves a resource at any of some members.
    #[must_use]
    pub fn relieves(&self, resource: &str, members: &Range<u32>) -> bool {
        match &self.effect {
            Effect::Load(..) => false,
            Effect::Relief { resources, of } => {
                resources.contains(&resource) && of.start < members.end && members.start < of.end
            }
        }
    }
}

impl Setting {
    /// The number; `None` for a word.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        match self {
            Setting::Whole(number) => Some(f64::from(number)),
            Setting::PerS(number) | Setting::Number(number) => Some(number),
            Setting::Bytes(bytes) => Some(bytes as f64),
            Setting::Word(_) => None,
        }
    }

    /// Twice the number; `None` where that is above `most`, and for a word.
    #[must_use]
    pub fn twice(self, most: f64) -> Option<Setting> {
        let twice = match self {
            Setting::Whole(number) => Setting::Whole(number.checked_mul(2)?),
            Setting::PerS(number) => Setting::PerS(2.0 * number),
            Setting::Number(number) => Setting::Number(2.0 * number),
            Setting::Bytes(bytes) => Setting::Bytes(bytes.checked_mul(2)?),
            Setting::Word(_) => return None,
        };
        twice.number().filter(|number| *number <= most)?;
        Some(twice)
    }
}
