//! Colours of messages on stderr; the stream takes them out where they do not belong.

use anstyle::{AnsiColor, Style};

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// As the diagnostics print the word.
pub(super) fn error(text: &str) -> String {
    paint(AnsiColor::BrightRed.on_default().bold(), text)
}

/// As the diagnostics print the word.
pub(super) fn warning(text: &str) -> String {
    paint(AnsiColor::Yellow.on_default().bold(), text)
}
