//! Diagnostics: what is wrong with a scenario, at which position, and what would be right; printed like those of a
//! compiler.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::clean::cleaned;
use crate::model::spec::Severity;

/// Greatest number of diagnostics that are shown. Later ones are mostly consequences of the first.
pub(super) const ITEMS_MAX: usize = 100;

/// Greatest number of bytes of a line that are shown behind the caret.
const BYTES_AFTER_MAX: usize = 1000;

/// An error or warning about one position of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Warning or error.
    pub severity: Severity,
    /// The bytes of the text that it is about; `0..0` for the text as a whole.
    pub span: Range<usize>,
    /// What is wrong: one line, without a full stop.
    pub message: String,
    /// A word beside the caret.
    pub label: Option<String>,
    /// What would be right.
    pub help: Option<String>,
    /// Further information, one line each.
    pub notes: Vec<String>,
}

impl Diagnostic {
    /// An error: it keeps the scenario from running.
    pub fn error(span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            span,
            message: cleaned(&message.into()),
            label: None,
            help: None,
            notes: Vec::new(),
        }
    }

    /// A warning: to be read before the result is trusted.
    pub fn warning(span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(span, message) }
    }

    /// Adds a help line, which says what would be right. `None` and the empty string add nothing.
    #[must_use]
    pub fn help(mut self, help: impl Into<Option<String>>) -> Diagnostic {
        self.help = help.into().filter(|help| !help.is_empty()).map(|help| cleaned(&help));
        self
    }

    /// Adds a word beside the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = Some(label.into());
        self
    }
}

/// All errors and warnings of one text, in the order of the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// The file's name as the user gave it.
    pub origin: String,
    /// The text that the spans point into.
    pub text: String,
    /// Sorted by position, errors before warnings at the same place.
    pub items: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Sorts the items, and merges items with equal message and position. Keeps the first `ITEMS_MAX`, and counts
    /// the others in a note.
    pub fn new(origin: &str, text: &str, mut items: Vec<Diagnostic>) -> Diagnostics {
        items.sort_by(|a, b| {
            let place = |d: &Diagnostic| (d.span.start, d.span.end);
            place(a).cmp(&place(b)).then(b.severity.cmp(&a.severity)).then_with(|| a.message.cmp(&b.message))
        });
        items.dedup_by(|a, b| a.span == b.span && a.message == b.message);
        if items.len() > ITEMS_MAX {
            let left_out = items.len() - ITEMS_MAX;
            // Keep errors before warnings, so that a text with errors never looks as if it had none.
            items.sort_by_key(|item| std::cmp::Reverse(item.severity));
            items.truncate(ITEMS_MAX);
            let last = items.last_mut().expect("there are many");
            last.notes.push(format!("{left_out} more problems are not shown"));
        }
        Diagnostics { origin: origin.to_owned(), text: text.to_owned(), items }
    }

    /// Whether there are no errors and no warnings.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether there are errors, which keep the scenario from running.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|item| item.severity == Severity::Error)
    }

    /// The text for a terminal: one block for each item, with an empty line between them; with colours if `coloured`.
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let blocks: Vec<String> = self.items.iter().map(|item| self.render_one(&renderer, item)).collect();
        blocks.join("\n\n")
    }

    fn render_one(&self, renderer: &Renderer, item: &Diagnostic) -> String {
        let level = match item.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let span = on_characters(&self.text, &item.span);
        let (window, first_line) = window(&self.text, &span);
        let caret = span.start - window.start..span.end - window.start;
        let annotation = AnnotationKind::Primary.span(caret).label(item.label.clone());
        let snippet = Snippet::source(&self.text[window])
            .line_start(first_line)
            .path(self.origin.as_str())
            .annotation(annotation);
        let title = level.primary_title(item.message.as_str());
        let notes = item.notes.iter().map(|note| Level::NOTE.message(note.as_str()));
        let help = item.help.iter().map(|help| Level::HELP.message(help.as_str()));
        let report: [Group<'_>; 1] = [title.element(snippet).elements(notes.chain(help))];
        renderer.render(&report)
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

/// The same text: it is what a program prints whose `main` returns the error.
impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\n{self}")
    }
}

impl std::error::Error for Diagnostics {}

/// The span, widened to whole characters and cut to the text.
fn on_characters(text: &str, span: &Range<usize>) -> Range<usize> {
    let mut start = span.start.min(text.len());
    let mut end = span.end.clamp(start, text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}

/// The bytes of the lines that hold the span, and the number of the first line. The renderer gets only these, because
/// it would walk over the whole text, which may have megabytes, even in one line.
fn window(text: &str, span: &Range<usize>) -> (Range<usize>, usize) {
    let start = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
    let far = on_characters(text, &(span.end..span.end.saturating_add(BYTES_AFTER_MAX))).end;
    let end = text[span.end..far].find('\n').map_or(far, |at| span.end + at);
    // Do not show a byte order mark or a carriage return, unless the span begins at it.
    let mark = '\u{feff}';
    let start = if text[start..span.start].starts_with(mark) { start + mark.len_utf8() } else { start };
    let end = if text[span.end..end].ends_with('\r') { end - 1 } else { end };
    (start..end, text[..start].matches('\n').count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_looks_like_a_compilers() {
        let text = "[client.users]\ntarget = \"wbe\"\n";
        let item = Diagnostic::error(24..29, "unknown name `wbe`").help("did you mean `web`?".to_owned());
        let shown = Diagnostics::new("a.toml", text, vec![item]).render(false);
        assert_eq!(
            shown,
            "error: unknown name `wbe`\n --> a.toml:2:10\n  |\n2 | target = \"wbe\"\n  |          ^^^^^\n  |\n  = help: did you mean `web`?"
        );
    }

    #[test]
    fn items_stand_in_the_order_of_the_text_and_once() {
        let items = vec![
            Diagnostic::warning(5..6, "later"),
            Diagnostic::error(1..2, "first"),
            Diagnostic::error(1..2, "first"),
        ];
        let sorted = Diagnostics::new("a", "0123456789", items);
        let messages: Vec<&str> = sorted.items.iter().map(|item| item.message.as_str()).collect();
        assert_eq!(messages, ["first", "later"]);
        assert!(sorted.has_errors());
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_are_not_shown() {
        let item = Diagnostic::error(3..4, "m");
        let shown = Diagnostics::new("a", "\u{feff}x = 1\r\n", vec![item]).render(false);
        assert_eq!(shown, "error: m\n --> a:1:1\n  |\n1 | x = 1\n  | ^");
    }

    #[test]
    fn of_very_many_the_first_errors_are_kept() {
        let many =
            (0..1000).map(|at| Diagnostic::warning(at..at, "w")).chain([Diagnostic::error(2000..2000, "e")]);
        let kept = Diagnostics::new("a", "", many.collect());
        assert_eq!((kept.items.len(), kept.has_errors()), (ITEMS_MAX, true));
        assert_eq!(kept.items[ITEMS_MAX - 1].notes, ["901 more problems are not shown"]);
    }

    #[test]
    fn any_span_of_any_text_can_be_shown() {
        for text in ["", "\n", "é", "a\r\nü = 1\r\n", "\t\u{7}x"] {
            for (start, end) in (0..9).flat_map(|start| (0..9).map(move |end| (start, end))) {
                let item = Diagnostic::error(Range { start, end }, "m").label("l");
                assert!(Diagnostics::new("o", text, vec![item]).render(true).contains('m'));
            }
        }
    }
}
