//! `Document`: the text of a scenario as a tree, in which every key and value has its position in the text.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Diagnostic;

/// Greatest length of a text in bytes. A longer text is refused unread; no scenario written by a person comes near.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// Greatest number of syntax errors that are reported; later ones are mostly consequences.
const SYNTAX_ERRORS_MAX: usize = 50;

/// A parsed text. It may have a byte order mark and CRLF line ends.
#[derive(Clone, Debug)]
pub struct Document<'t> {
    text: &'t str,
    root: Spanned<DeValue<'t>>,
}

impl<'t> Document<'t> {
    /// Parses the text.
    ///
    /// # Errors
    /// All syntax errors, including duplicate keys. A text that is too long, too deeply nested or empty is an error
    /// too.
    pub fn parse(text: &'t str) -> Result<Document<'t>, Vec<Diagnostic>> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(vec![too_long(text.len())]);
        }
        // The parser bounds its own recursion (80 levels), so that no text can exhaust the stack.
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(
                super::foreign::refusal(text).map_or_else(|| syntax_errors(text, &errors), |one| vec![one])
            );
        }
        let span = root.span();
        let root = root.into_inner();
        if root.is_empty() {
            let empty = Diagnostic::error(0..0, "the scenario is empty");
            return Err(vec![empty.help("start with a client: `[client.users]`".to_owned())]);
        }
        Ok(Document { text, root: Spanned::new(span, DeValue::Table(root)) })
    }

    /// The root table.
    pub fn root(&self) -> &DeTable<'t> {
        self.root.get_ref().as_table().expect("the root of a TOML document is a table")
    }

    /// The value at a path such as `client.users.steps[1].query`; `None` if there is none.
    pub fn value(&self, path: &str) -> Option<&Spanned<DeValue<'t>>> {
        steps(path).try_fold(&self.root, |value, step| child(value, &step).map(|(_, value)| value))
    }

    /// The bytes of the value at a path; for a table with a header, those of its name in the header. For a missing
    /// value, those of its nearest parent.
    pub fn span_of(&self, path: &str) -> Range<usize> {
        let mut value = &self.root;
        let mut span = 0..0;
        for step in steps(path) {
            let Some((key, inner)) = child(value, &step) else { break };
            span = self.shown(key, inner);
            value = inner;
        }
        span
    }

    /// The bytes of the key for a table with a header, whose own span is only the header; otherwise the bytes of the
    /// value.
    fn shown(&self, key: Option<Range<usize>>, value: &Spanned<DeValue<'t>>) -> Range<usize> {
        let inline = self.text[value.span()].starts_with('{');
        match key {
            Some(key) if value.get_ref().is_table() && !inline => key,
            _ => value.span(),
        }
    }

    /// The bytes of the text that hold the bytes `at` of a string's content. `None` if the string has escapes.
    pub fn inside_string(&self, path: &str, at: &Range<usize>) -> Option<Range<usize>> {
        let value = self.value(path)?;
        let content = value.get_ref().as_str()?;
        let raw = &self.text[value.span()];
        let start = value.span().start + raw.find(content)?;
        Some(start + at.start..start + at.end)
    }
}

fn too_long(bytes: usize) -> Diagnostic {
    let message = format!("the scenario has {bytes} bytes, at most {TEXT_BYTES_MAX} are read");
    Diagnostic::error(0..0, message)
}

/// The parser's errors in our words. Only the first error of each line is kept, because later ones in the line are
/// mostly its consequences. "Nested too deeply" is kept only once, because one bracket too many repeats it.
fn syntax_errors(text: &str, errors: &[toml::de::Error]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut deep = false;
    let mut line_end = 0;
    for error in errors.iter().take(SYNTAX_ERRORS_MAX) {
        let span = error.span().unwrap_or(0..0);
        if span.start < line_end {
            continue;
        }
        line_end = text[span.start..].find('\n').map_or(text.len(), |end| span.start + end + 1);
        let message = match error.message() {
            nested if nested.contains("recurs") => {
                if std::mem::replace(&mut deep, true) {
                    continue;
                }
                "nested too deeply, at most 80 levels are read".to_owned()
            }
            "duplicate key" => format!("duplicate key `{}`", text.get(span.clone()).unwrap_or_default()),
            other => other.to_owned(),
        };
        let name =
            text[span.start..].chars().next().filter(|letter| letter.is_alphabetic() && !letter.is_ascii());
        let help = name.map(|_| "a name with such letters needs quotes: `[server.\"웹\"]`".to_owned());
        found.push(Diagnostic::error(span, message).help(help));
    }
    found
}

/// One step of a path.
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

/// The steps of a path: `steps[1].query` is a key, an index and a key.
fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split(['.', '[']).filter(|part| !part.is_empty()).map(|part| match part.strip_suffix(']') {
        Some(index) => index.parse().map_or(Step::Key(part), Step::Index),
        None => Step::Key(part),
    })
}

/// A value and, in a table, the position of its key.
type Child<'a, 't> = (Option<Range<usize>>, &'a Spanned<DeValue<'t>>);

fn child<'a, 't>(value: &'a Spanned<DeValue<'t>>, step: &Step<'_>) -> Option<Child<'a, 't>> {
    match step {
        Step::Key(key) => {
            let (key, value) = value.get_ref().as_table()?.get_key_value(*key)?;
            Some((Some(key.span()), value))
        }
        Step::Index(index) => Some((None, value.get_ref().as_array()?.get(*index)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "[server.web]\nsteps = [{ cpu = '1ms' }, { query = \"db\" }]\n[[expect]]\nthat = 'x < 1'\n";

    fn slice<'t>(text: &'t str, path: &str) -> &'t str {
        &text[Document::parse(text).unwrap().span_of(path)]
    }

    #[test]
    fn a_path_finds_its_place_and_else_its_parents() {
        for (path, shown) in [
            ("server.web", "web"),
            ("server.web.steps[1].query", "\"db\""),
            ("server.web.steps[0]", "{ cpu = '1ms' }"),
            ("server.web.steps[0].chance", "{ cpu = '1ms' }"),
            ("server.web.cores", "web"),
            ("expect[0].that", "'x < 1'"),
            ("nothing", ""),
        ] {
            assert_eq!(slice(TEXT, path), shown, "{path}");
        }
    }

    #[test]
    fn a_place_inside_a_string_is_found() {
        let document = Document::parse(TEXT).unwrap();
        assert_eq!(&TEXT[document.inside_string("expect[0].that", &(4..5)).unwrap()], "1");
    }

    #[test]
    fn byte_order_mark_and_crlf_are_fine() {
        assert_eq!(slice("\u{feff}a = 1\r\nb = 'x'\r\n", "b"), "'x'");
    }

    #[test]
    fn all_syntax_errors_come_at_once() {
        let errors = Document::parse("a = \nb = 1\nb = 2\nc = 'x\n").unwrap_err();
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert_eq!(errors[1].message, "duplicate key `b`");
    }

    #[test]
    fn empty_long_and_deep_texts_are_refused() {
        let deep = format!("a = {}", "[".repeat(100_000));
        let dotted = format!("{}a = 1", "a.".repeat(100_000));
        let long = "#".repeat(10_000_000);
        for (text, word) in
            [("", "empty"), ("# x\n", "empty"), (&deep, "deeply"), (&dotted, "deeply"), (&long, "bytes")]
        {
            let errors = Document::parse(text).unwrap_err();
            assert!(errors[0].message.contains(word), "{:?}", errors[0]);
        }
    }
}
