//! The command line as it was typed.

use crate::scenario::command::quoted;

/// The command line of this program, in the syntax of a shell.
pub(super) fn typed() -> String {
    let words: Vec<String> = std::env::args().skip(1).map(|word| quoted(&word)).collect();
    format!("outgrow {}", words.join(" "))
}
