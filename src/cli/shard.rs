//! `Shard`: the points of a sweep that one process runs.

use std::fmt;
use std::str::FromStr;

/// Greatest number of parts of a grid.
pub(super) const SHARDS_MAX: usize = 10_000;

/// Least number of digits in the name of a part's file.
const DIGITS_MIN: usize = 3;

/// Every `of`-th point, beginning with the `part`-th, which counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Shard {
    part: usize,
    of: usize,
}

impl Shard {
    /// The shard `part` of `of`, unless there is none.
    ///
    /// # Errors
    /// In words, when `part` is not from 1 to `of`, or when there are too many parts.
    pub(super) fn new(part: usize, of: usize) -> Result<Shard, String> {
        match (part, of) {
            (0, 1..=SHARDS_MAX) => Err(format!(
                "I counts from 1: the first part is 1/{of}. --shard env knows the engines that count from 0"
            )),
            (part, of) if (1..=of).contains(&part) && of <= SHARDS_MAX => Ok(Shard { part, of }),
            _ => Err(expected()),
        }
    }

    /// All shards of a sweep in `of` parts.
    pub(super) fn all(of: usize) -> impl Iterator<Item = Shard> {
        (1..=of).map(move |part| Shard { part, of })
    }

    /// Number of parts.
    pub(super) fn of(self) -> usize {
        self.of
    }

    /// The points of this shard, of a grid with `points` of them.
    pub(super) fn points(self, points: usize) -> Vec<usize> {
        (self.part - 1..points).step_by(self.of).collect()
    }

    /// The name of the file for the part: `part-003-of-008.csv`.
    pub(super) fn file(self) -> String {
        let digits = self.of.to_string().len().max(DIGITS_MIN);
        format!("part-{:0digits$}-of-{:0digits$}.csv", self.part, self.of)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.part, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    /// Reads `I/N`.
    fn from_str(text: &str) -> Result<Shard, String> {
        let parts = text.split_once('/').and_then(|(part, of)| Some((part.parse().ok()?, of.parse().ok()?)));
        let (part, of) = parts.ok_or_else(expected)?;
        Shard::new(part, of)
    }
}

impl TryFrom<String> for Shard {
    type Error = String;

    fn try_from(text: String) -> Result<Shard, String> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> String {
        shard.to_string()
    }
}

fn expected() -> String {
    format!("expected I/N with I from 1 to N and N up to {SHARDS_MAX}, as in 1/4, or env")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_has_every_nth_point_and_all_shards_have_each_point_once() {
        let shard: Shard = "2/3".parse().unwrap();
        assert_eq!((shard.points(8), shard.to_string()), (vec![1, 4, 7], "2/3".to_owned()));
        let mut all: Vec<usize> = Shard::all(7).flat_map(|shard| shard.points(20)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn files_of_parts_sort_as_their_numbers() {
        assert_eq!("003/8".parse::<Shard>().unwrap().file(), "part-003-of-008.csv");
        assert_eq!("12/1000".parse::<Shard>().unwrap().file(), "part-0012-of-1000.csv");
    }

    #[test]
    fn the_zeroth_part_is_told_apart_from_nonsense() {
        let said = |text: &str| text.parse::<Shard>().unwrap_err();
        assert!(said("0/20").contains("counts from 1: the first part is 1/20"));
        for text in ["0/0", "21/20", "1", "a/b", "-1/4", "1/10001", "0/10001", "1/4/2"] {
            assert!(said(text).contains("expected I/N"), "{text}");
        }
    }
}
