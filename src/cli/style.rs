//! Colours of messages on stderr. The stream removes them if it is not a terminal.

use anstyle::{AnsiColor, Style};

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The text in the colour that diagnostics use for this word.
pub(super) fn error(text: &str) -> String {
    paint(AnsiColor::BrightRed.on_default().bold(), text)
}

/// The text in the colour that diagnostics use for this word.
pub(super) fn warning(text: &str) -> String {
    paint(AnsiColor::Yellow.on_default().bold(), text)
}
