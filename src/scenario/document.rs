//! `Document`: the text of a scenario as a tree whose every key and value knows its place.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Diagnostic;

/// A longer text is refused unread: no scenario that a person wrote comes near.
pub const TEXT_BYTES_MAX: usize = 4 << 20;

/// After so many syntax errors the rest is more likely noise.
const SYNTAX_ERRORS_MAX: usize = 50;

/// A parsed text. Byte order marks and CRLF line ends are fine.
#[derive(Clone, Debug)]
pub struct Document<'t> {
    text: &'t str,
    root: Spanned<DeValue<'t>>,
}

impl<'t> Document<'t> {
    /// Parses the text.
    ///
    /// # Errors
    /// All syntax errors, duplicate keys among them; a text that is too long, too deeply nested or empty.
    pub fn parse(text: &'t str) -> Result<Document<'t>, Vec<Diagnostic>> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(vec![too_long(text.len())]);
        }
        // The parser bounds its own recursion (80 levels), so that no text can exhaust the stack.
        let (root, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            return Err(syntax_errors(text, &errors));
        }
        let span = root.span();
        let root = root.into_inner();
        if root.is_empty() {
            let empty = Diagnostic::error(0..0, "the scenario is empty");
            return Err(vec![empty.help("start with a client: `[client.users]`".to_owned())]);
        }
        Ok(Document { text, root: Spanned::new(span, DeValue::Table(root)) })
    }

    /// The table that everything stands in.
    pub fn root(&self) -> &DeTable<'t> {
        self.root.get_ref().as_table().expect("the root of a TOML document is a table")
    }

    /// The value at a path such as `client.users.steps[1].query`.
    pub fn value(&self, path: &str) -> Option<&Spanned<DeValue<'t>>> {
        steps(path).try_fold(&self.root, |value, step| child(value, &step).map(|(_, value)| value))
    }

    /// Where the value at a path stands; of a table with a header, its name in the header. What is not there is
    /// shown at its nearest parent.
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

    /// The key's own place for tables with a header, whose span would be the header alone; else the value's.
    fn shown(&self, key: Option<Range<usize>>, value: &Spanned<DeValue<'t>>) -> Range<usize> {
        let inline = self.text[value.span()].starts_with('{');
        match key {
            Some(key) if value.get_ref().is_table() && !inline => key,
            _ => value.span(),
        }
    }

    /// The place inside a string's quotes: byte `at` of its content. `None` where escapes move the bytes.
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

/// The parser's errors in our words, the first of each line: what follows in a line is mostly its echo. Of "nested too
/// deeply" only the first at all, since one bracket too many repeats it.
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
        found.push(Diagnostic::error(span, message));
    }
    found
}

/// One step of a path.
enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

/// `steps[1].query` is a key, an index and a key.
fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split(['.', '[']).filter(|part| !part.is_empty()).map(|part| match part.strip_suffix(']') {
        Some(index) => index.parse().map_or(Step::Key(part), Step::Index),
        None => Step::Key(part),
    })
}

/// A value and, in a table, the place of its key.
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
