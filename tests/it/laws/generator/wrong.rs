//! Scenarios with a mistake in them.

use super::dice::Dice;
use super::{Draft, Generated, Mood, generate};

/// What is wrong with a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It has an error that a reader of the documentation can name.
    Surely,
    /// Its text was damaged at random, which may leave it valid.
    Perhaps,
}

/// Mistakes: a piece of text that many scenarios have, and what stands there instead.
const MISTAKES: [(&str, &str); 14] = [
    ("target = \"", "target = \"no-such-box"),
    ("workers = ", "workers = -"),
    ("workers = ", "wokers = "),
    ("queue = ", "queue = 0.5 # "),
    ("duration = \"", "duration = \"-"),
    ("us\"", " parsecs\""),
    ("warmup = ", "warmup = 3 # "),
    ("steps = [", "steps = [{ cpu = \"1ms\", wait = \"1ms\" }, "),
    ("steps = [", "steps = [{ call = \"nobody\" }, "),
    ("[server.", "[sever."),
    ("[client.c0]", "[client.c0]\nusers = 1\nrate = \"1/s\""),
    ("[run]", "[run]\nseed = 1\nseed = 2"),
    ("base_memory = ", "base_memory = 5 # "),
    ("trials = ", "trials = 0 # "),
];

/// The scenario of a seed with a mistake, and how sure it is that it is one.
pub(crate) fn wrong(seed: u64) -> (Generated, Wrong) {
    let mut dice = Dice::new(seed, "mistake");
    let mut generated = generate(seed, dice.pick(&Mood::ALL), Draft::ALL);
    if dice.one_in(3) {
        generated.text = damaged(&generated.text, &mut dice);
        return (generated, Wrong::Perhaps);
    }
    let fitting: Vec<_> = MISTAKES.iter().filter(|(piece, _)| generated.text.contains(piece)).collect();
    let (piece, instead) = dice.pick(&fitting);
    // The last place rather than the first: what stands before it must be read without harm.
    let at = generated.text.rfind(piece).expect("it is there");
    generated.text.replace_range(at..at + piece.len(), instead);
    (generated, Wrong::Surely)
}

/// The text with a piece cut out, doubled, or replaced by another character.
fn damaged(text: &str, dice: &mut Dice) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len() as u64) as usize;
        let end = (at + 1 + dice.below(20) as usize).min(bytes.len());
        match dice.below(4) {
            0 => drop(bytes.drain(at..end)),
            1 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            2 => bytes[at] = dice.pick(b"\"[]{}=#-.0129eE\n\t\0 "),
            _ => bytes.truncate(bytes.len() - (end - at).min(bytes.len() - 1)),
        }
    }
    String::from_utf8(bytes).expect("the generator writes ASCII only")
}
