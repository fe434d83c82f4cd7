//! Loads mutated scenarios, or runs them for two simulated seconds, and stops at the first panic with the text that caused it:
//!
//! ```sh
//! export CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true        # a sum that overflows is a panic, too
//! cargo run --release --example fuzz -- texts 10000000     # loaded only
//! cargo run --release --example fuzz -- runs 1000000 7     # simulated, from case 7 on: in pieces, if need be
//! ```
//!
//! The corpus are the built-in scenarios. A mutation replaces a value by an odd one, or moves, doubles, drops or exchanges lines,
//! among them lines of another scenario. Each case depends on its number and the seed only.

use std::panic::{AssertUnwindSafe, catch_unwind};

use outgrow::cli::builtin::BUILTINS;
use outgrow::components::KINDS;
use outgrow::kernel::random::Seed;
use outgrow::model::spec::NoFiles;
use outgrow::scenario::build::build;
use outgrow::scenario::{Without, load_without};

/// Values that may stand where others stood. Loading must read or refuse each of them.
const ODD: &[&str] = &[
    "0",
    "-1",
    "1",
    "2",
    "1e308",
    "nan",
    "inf",
    "-0.0",
    "18446744073709551615",
    "true",
    "\"\"",
    "\"0s\"",
    "\"1ns\"",
    "\"-1s\"",
    "\"600y\"",
    "\"1e30s\"",
    "\"0%\"",
    "\"100%\"",
    "\"101%\"",
    "\"0/s\"",
    "\"1e12/s\"",
    "\"4GiB\"",
    "[]",
    "[[]]",
    "{}",
    "{ dist = \"pareto\", mean = \"1s\", shape = 1.5 }",
    "{ dist = \"empirical\", file = \"x.csv\" }",
    "\"web\"",
    "\"db\"",
    "\"lb\"",
    "\"nobody\"",
    "'''\n'''",
    "\"\\u001b[2J\"",
    "\"round-robin\"",
    "1979-05-27",
];

/// Values of one kind, which may stand for each other in a scenario that is run: it mostly stays valid, and its load small.
const ALIKE: [&[&str]; 4] = [
    &["\"0s\"", "\"1ms\"", "\"20ms\"", "\"1s\""],
    &["\"5/s\"", "\"200/s\"", "\"30/min\""],
    &["\"10%\"", "\"50%\"", "\"100%\""],
    &["0", "1", "2", "3", "7"],
];

/// The overrides of a run: short, and at once.
const SHORT: [(&str, &str); 3] = [("run.duration", "2s"), ("run.warmup", "0s"), ("run.trials", "1")];

/// A small generator of random numbers (Marsaglia's xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)) * end as u128) >> 64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }
}

/// A value like this one; none for a kind that has no others.
fn alike<'a>(dice: &mut Dice, old: &str) -> Option<&'a str> {
    let kind = match old {
        _ if old.ends_with("%\"") => 2,
        _ if old.contains("/s") || old.contains("/min") => 1,
        _ if old.starts_with('"')
            && old.ends_with("s\"")
            && old[1..].starts_with(|c: char| c.is_ascii_digit()) =>
        {
            0
        }
        _ if old.parse::<u32>().is_ok() => 3,
        _ => return None,
    };
    Some(dice.pick(ALIKE[kind]))
}

/// A scenario of the corpus, changed at one to four places: by anything, or so that it probably stays `valid`.
fn mutated(dice: &mut Dice, valid: bool) -> String {
    let text = |dice: &mut Dice| BUILTINS[dice.below(BUILTINS.len())].text;
    let mut lines: Vec<String> = text(dice).lines().map(str::to_owned).collect();
    for _ in 0..=dice.below(4) {
        let at = dice.below(lines.len());
        match dice.below(8) {
            1.. if valid => replace(dice, &mut lines, valid),
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[dice.below(lines.len())].clone()),
            2 => {
                let other: Vec<&str> = text(dice).lines().collect();
                lines.insert(at, other[dice.below(other.len())].to_owned());
            }
            3 => {
                let other = dice.below(lines.len());
                lines.swap(at, other);
            }
            4 => scratch(dice, &mut lines[at]),
            _ => replace(dice, &mut lines, valid),
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.join("\n")
}

/// Replaces the value of a key by another one.
fn replace(dice: &mut Dice, lines: &mut [String], valid: bool) {
    let keys: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].contains(" = ")).collect();
    if keys.is_empty() {
        return;
    }
    let line = &mut lines[keys[dice.below(keys.len())]];
    let places: Vec<usize> = line.match_indices(" = ").map(|(at, _)| at + 3).collect();
    let from = places[dice.below(places.len())];
    let to = line[from..].find([',', '}', ']']).map_or(line.len(), |length| from + length);
    let new = if valid { alike(dice, line[from..to].trim()) } else { Some(dice.pick(ODD)) };
    if let Some(new) = new {
        line.replace_range(from..to, new);
    }
}

/// Cuts a line, or puts a character into it.
fn scratch(dice: &mut Dice, line: &mut String) {
    let at = (0..=line.len()).filter(|at| line.is_char_boundary(*at)).collect::<Vec<_>>();
    let at = at[dice.below(at.len())];
    match dice.below(2) {
        0 => line.truncate(at),
        _ => line.insert(at, ['[', ']', '{', '"', '.', '\u{0}', '\u{202e}', '=', '9', '\n'][dice.below(10)]),
    }
}

/// The scenario with the times of its faults within a short run.
fn hurried(text: &str) -> String {
    let line = |line: &str| match line.split_once('=').map(|(key, _)| key.trim()) {
        Some("at") => "at = \"500ms\"".to_owned(),
        Some("for") => "for = \"700ms\"".to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Loads a mutated scenario. Returns whether it is valid.
fn load_one(dice: &mut Dice) -> (String, bool) {
    let text = mutated(dice, false);
    let found = load_without(Without::default(), "fuzz.toml", &text, &[], &NoFiles, KINDS);
    let valid = found.is_ok();
    // What is shown to users must not panic either.
    if let Err(found) = found {
        let _ = found.render(false);
    }
    (text, valid)
}

/// Runs a mutated scenario, if it is valid. Returns whether it is.
fn run_one(dice: &mut Dice, seed: u64) -> (String, bool) {
    let text = hurried(&mutated(dice, true));
    let set = SHORT.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let without = Without { faults: false, expects: true };
    let Ok(loaded) = load_without(without, "fuzz.toml", &text, &set, &NoFiles, KINDS) else {
        return (text, false);
    };
    let mut windows = 0;
    build(&loaded.scenario, Seed::new(seed)).run(loaded.scenario.length(), &mut |_| {
        windows += 1;
        windows > 600
    });
    (text, true)
}

/// Loads or runs `count` cases from `seed` on. Returns how many were valid.
///
/// # Errors
/// The number of the first case that panicked. Its text can be had again with the same seed.
pub(crate) fn fuzz(what: &str, count: u64, seed: u64) -> Result<u64, String> {
    let mut valid = 0;
    for case in seed..seed + count {
        let case_seed = case.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let one = |dice: &mut Dice| if what == "runs" { run_one(dice, case) } else { load_one(dice) };
        let found = catch_unwind(AssertUnwindSafe(|| one(&mut Dice(case_seed))));
        match found {
            Ok((_, is_valid)) => valid += u64::from(is_valid),
            Err(_) => {
                let text = mutated(&mut Dice(case_seed), what == "runs");
                return Err(format!("case {case} of {what} panicked:\n{text}"));
            }
        }
        if case > seed && (case - seed).is_multiple_of(100_000) {
            println!("{} {what}, {valid} of them valid", case - seed);
        }
    }
    Ok(valid)
}

fn main() -> Result<(), String> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, otherwise: u64| words.get(at).map_or(Ok(otherwise), |word| word.parse());
    let what = words.first().map_or("texts", String::as_str);
    let (Ok(count), Ok(seed)) = (number(1, 10_000), number(2, 1)) else {
        return Err("expected: fuzz texts|runs COUNT SEED".into());
    };
    let valid = fuzz(what, count, seed)?;
    println!("{count} {what} from seed {seed}, {valid} of them valid, no panic");
    Ok(())
}
