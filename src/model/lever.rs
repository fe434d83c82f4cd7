//! `Lever`: a key of a box that can be turned, its value now, and the next value that is worth trying.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::quantity::Duration;
use crate::kernel::time::SimDuration;

/// Use of a resource that leaves room for chance.
const ROOMY: f64 = 0.8;

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
    /// A length of time.
    Time(SimDuration),
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
            Setting::Time(time) => write!(f, "{}", Duration(*time)),
            Setting::Word(word) => write!(f, "{word}"),
        }
    }
}

/// What goes wrong beside a resource that is too small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ill {
    /// A box, or a member of it, does not answer.
    Dead,
    /// It does not even answer to a connection: nobody is there, or nothing comes through.
    Silent,
    /// It answers late.
    Slow,
    /// It answers with errors.
    Wrong,
    /// Users, or boxes, ask again and again, and keep those that they ask busy for nobody.
    Storm,
    /// It answers late, and those that ask it have nothing left for others meanwhile.
    Held,
    /// Commits wait for replicas that do not confirm them.
    Acks,
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
    /// It hurts less when something goes wrong.
    Cure(&'static [Ill]),
}

/// How the next value of a lever follows from the rest of the scenario, which the box itself does not know.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fit {
    /// A time: this share of the shortest one for which those wait whose calls come to the box.
    Patience(f64),
    /// A number of calls: as many as the box can do in this share of that time.
    Line(f64),
}

/// A key of a box that can be turned.
#[derive(Clone, Debug, PartialEq)]
pub struct Lever {
    /// The key, as a path below the box's table: `count`, `apply.workers`, `steps.1.retry.budget`.
    pub key: Cow<'static, str>,
    /// Its value now, which is the default where the scenario does not say; 0 where the key has no default.
    pub now: Setting,
    /// The next sensible value, which the box's own checks accept; `None` where the lever is at its end, and where it follows
    /// from `fit`.
    pub next: Option<Setting>,
    /// How the next value follows from the rest of the scenario.
    pub fit: Option<Fit>,
    /// What levers of several boxes do together and one of them alone does not: those of the same name are turned at once. Empty
    /// for a lever of its own.
    pub joint: &'static str,
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
    fn new(key: Cow<'static, str>, now: Setting, next: Option<Setting>, effect: Effect) -> Lever {
        Lever { key, now, next, fit: None, joint: "", effect, adds: 0, price: None, why: None }
    }

    /// A lever that gives some members more of some resources.
    #[must_use]
    pub fn relief(
        key: &'static str,
        (now, next): (Setting, Option<Setting>),
        resources: &'static [&'static str],
        of: Range<u32>,
    ) -> Lever {
        Lever::new(key.into(), now, next, Effect::Relief { resources, of })
    }

    /// A lever that gives clients more to ask. Its next value is twice the one now, where that is not above `most`.
    #[must_use]
    pub fn load(key: &'static str, now: Setting, (least, most): (f64, f64)) -> Lever {
        Lever::new(key.into(), now, now.twice(most), Effect::Load(least, most))
    }

    /// A lever that helps when something goes wrong.
    #[must_use]
    pub fn cure(
        key: impl Into<Cow<'static, str>>,
        now: Setting,
        next: Setting,
        against: &'static [Ill],
    ) -> Lever {
        Lever::new(key.into(), now, Some(next), Effect::Cure(against))
    }

    /// A key that is not there yet, with a first value that helps when something goes wrong.
    #[must_use]
    pub fn remedy(key: impl Into<Cow<'static, str>>, first: &'static str, against: &'static [Ill]) -> Lever {
        Lever::cure(key, Setting::Whole(0), Setting::Word(first), against)
    }

    /// A lever that helps when something goes wrong, and whose value follows from the rest of the scenario.
    #[must_use]
    pub fn fitted(key: &'static str, now: Setting, fit: Fit, against: &'static [Ill]) -> Lever {
        Lever { fit: Some(fit), ..Lever::new(key.into(), now, None, Effect::Cure(against)) }
    }

    /// The same, turned together with those of the same name at other boxes.
    #[must_use]
    pub fn together(self, joint: &'static str) -> Lever {
        Lever { joint, ..self }
    }

    /// Whether it helps against something that goes wrong.
    #[must_use]
    pub fn cures(&self, ill: Ill) -> bool {
        matches!(self.effect, Effect::Cure(against) if against.contains(&ill))
    }

    /// Whether turning it relieves a resource at any of some members.
    #[must_use]
    pub fn relieves(&self, resource: &str, members: &Range<u32>) -> bool {
        match &self.effect {
            Effect::Load(..) | Effect::Cure(_) => false,
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
            Setting::Time(time) => Some(time.as_secs_f64()),
            Setting::Word(_) => None,
        }
    }

    /// The same unit with another number; `None` for bytes, times and words.
    #[must_use]
    pub fn with(self, number: f64) -> Option<Setting> {
        match self {
            Setting::Whole(_) => Some(Setting::Whole(number as u32)),
            Setting::PerS(_) => Some(Setting::PerS(number)),
            Setting::Number(_) => Some(Setting::Number(number)),
            Setting::Bytes(_) | Setting::Time(_) | Setting::Word(_) => None,
        }
    }

    /// The least value, of two digits, at which a resource whose capacity grows with this number has room again: 80 % of it are
    /// used where it was `used` before, 1.2 for 120 %. `None` if that is no more than now, and where a number is not what it
    /// is.
    #[must_use]
    pub fn enough(self, used: f64) -> Option<Setting> {
        let factor = used / ROOMY;
        let up = |number: f64| round_up(number * factor);
        match self {
            _ if factor <= 1.0 || !factor.is_finite() => None,
            Setting::Whole(number) if up(f64::from(number)) <= f64::from(u32::MAX) => {
                Some(Setting::Whole(up(f64::from(number)) as u32))
            }
            Setting::PerS(number) => Some(Setting::PerS(up(number))),
            Setting::Number(number) => Some(Setting::Number(up(number))),
            Setting::Bytes(bytes) => {
                let mebibytes = up(bytes as f64 / MEBIBYTE as f64) as u64;
                mebibytes.max(1).checked_mul(MEBIBYTE).map(Setting::Bytes)
            }
            Setting::Whole(_) | Setting::Time(_) | Setting::Word(_) => None,
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
            Setting::Time(time) => Setting::Time(time.mul_f64(2.0)),
            Setting::Word(_) => return None,
        };
        twice.number().filter(|number| *number <= most)?;
        Some(twice)
    }
}

/// A time of one digit that is not above another one.
#[must_use]
pub fn round_time(time_s: f64) -> Setting {
    let unit = libm::pow(10.0, libm::log10(time_s.max(1e-9)).floor());
    Setting::Time(SimDuration::from_sample_secs((time_s / unit + 1e-9).floor() * unit))
}

/// A number rounded up to two digits, and to a whole number.
#[must_use]
pub fn round_up(number: f64) -> f64 {
    let unit = libm::pow(10.0, (libm::log10(number.max(1.0)).floor() - 1.0).max(0.0));
    (number / unit - 1e-9).ceil() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_digit_and_is_not_longer() {
        let round = |time_s: f64| round_time(time_s).to_string();
        assert_eq!([round(1.0), round(0.38), round(29.0)], ["1s", "300ms", "20s"]);
    }

    #[test]
    fn enough_is_the_least_that_leaves_room() {
        let enough = |now: Setting, used: f64| now.enough(used).map(|value| value.to_string());
        assert_eq!(enough(Setting::Whole(5), 3.2).as_deref(), Some("20"));
        assert_eq!(enough(Setting::Whole(1), 0.9).as_deref(), Some("2"));
        assert_eq!(enough(Setting::Whole(50), 1.92).as_deref(), Some("120"));
        assert_eq!(enough(Setting::PerS(10.0), 6.0).as_deref(), Some("75/s"));
        assert_eq!(enough(Setting::Bytes(1 << 30), 1.2).as_deref(), Some("1600MiB"));
        assert_eq!((enough(Setting::Whole(5), 0.8), enough(Setting::Word("m7i.large"), 2.0)), (None, None));
    }
}
