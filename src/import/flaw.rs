//! `Flaw`: what is wrong with a line of a file, where in it, and which option decides.

use std::ops::Range;

/// A fault of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Number of the line, from 1.
    pub line: u64,
    /// The line without its end.
    pub text: String,
    /// The bytes of the line that it is about.
    pub span: Range<usize>,
    /// What is wrong: one line, without a full stop.
    pub message: String,
    /// What would be right, or the option that decides; empty for nothing.
    pub help: String,
}

impl Flaw {
    /// A fault of a part of a line.
    pub fn new(line: u64, text: &str, span: Range<usize>, message: impl Into<String>) -> Flaw {
        Flaw { line, text: text.to_owned(), span, message: message.into(), help: String::new() }
    }

    /// A fault of a whole line.
    pub fn whole(line: u64, text: &str, message: impl Into<String>) -> Flaw {
        Flaw::new(line, text, 0..text.len(), message)
    }

    /// The same with a line that says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Flaw {
        self.help = help.into();
        self
    }

    /// A fault of a field of a line: `field` is a part of `text`, found by its place in memory.
    pub fn field(line: u64, text: &str, field: &str, message: impl Into<String>) -> Flaw {
        let start = (field.as_ptr() as usize).wrapping_sub(text.as_ptr() as usize);
        let inside = start <= text.len() && start + field.len() <= text.len();
        let span = if inside { start..start + field.len() } else { 0..text.len() };
        Flaw::new(line, text, span, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_in_its_line() {
        let text = "a,bc,d";
        assert_eq!(Flaw::field(1, text, &text[2..4], "m").span, 2..4);
        assert_eq!(Flaw::field(1, text, "elsewhere", "m").span, 0..6);
    }
}
