//! `Columns`: a text of lines and fields, as people keep measurements: with a header or not, and with any separator.

/// Number of lines from which the separator is told.
const LOOK_AT: usize = 100;

/// Number of lines in which notes are looked for.
const NOTES_MAX: usize = 100;

/// A text in columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns<'a> {
    /// The names of the columns, if the first line has names.
    pub header: Option<Vec<&'a str>>,
    /// What comments of the form `# key: value` say.
    notes: Vec<(&'a str, &'a str)>,
    /// The lines with data, with their numbers in the text from 1.
    lines: Vec<(usize, &'a str)>,
    separator: Option<char>,
    /// Number of fields of each line.
    width: usize,
}

/// A column that a user names, by its header or by its number from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick<'a> {
    /// The column with this name.
    Named(&'a str),
    /// The column with this number, from 1.
    Number(usize),
}

impl<'a> Columns<'a> {
    /// Reads a text. A byte order mark, empty lines and lines that begin with `#` are passed over. A first line with
    /// letters and without a digit is a header. Everything else is data.
    ///
    /// # Errors
    /// A message that names the line that has another number of fields, or says that there is no data.
    pub fn read(text: &'a str) -> Result<Columns<'a>, String> {
        let text = text.trim_start_matches('\u{feff}');
        let comments = text.lines().take(NOTES_MAX).filter_map(|line| line.trim().strip_prefix('#'));
        let note = |comment: &'a str| comment.split_once(':').map(|(key, value)| (key.trim(), value.trim()));
        let notes = comments.filter_map(note).collect();
        let lines = text.lines().map(str::trim).enumerate();
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let mut lines: Vec<(usize, &str)> = lines.map(|(index, line)| (index + 1, line)).collect();
        let is_header = |line: &str| {
            line.contains(char::is_alphabetic) && !line.contains(|letter: char| letter.is_ascii_digit())
        };
        let header = lines.first().filter(|(_, line)| is_header(line)).map(|(_, line)| *line);
        if header.is_some() {
            lines.remove(0);
        }
        let separator = separator(&lines);
        let Some((_, first)) = lines.first() else { return Err("no line with numbers".into()) };
        let width = fields(first, separator).count();
        if let Some((number, line)) = lines.iter().find(|(_, line)| fields(line, separator).count() != width)
        {
            let found = fields(line, separator).count();
            return Err(format!(
                "line {number}: {found} fields where the first line has {width}: `{}`",
                cut(line)
            ));
        }
        let header = header.map(|line| fields(line, separator).collect());
        Ok(Columns { header, notes, lines, separator, width })
    }

    /// What a comment `# key: value` near the beginning says.
    #[must_use]
    pub fn note(&self, key: &str) -> Option<&'a str> {
        self.notes.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    /// Number of lines with data.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there is no line with data; there always is one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Number of columns.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The name of a column, in small letters; empty without a header.
    #[must_use]
    pub fn name(&self, column: usize) -> String {
        let name = self.header.as_ref().and_then(|names| names.get(column));
        name.map_or_else(String::new, |name| name.to_lowercase())
    }

    /// The index of the column that a user picked.
    ///
    /// # Errors
    /// A message that says which columns there are.
    pub fn find(&self, pick: Pick<'_>) -> Result<usize, String> {
        let found = match pick {
            Pick::Number(number) => number.checked_sub(1).filter(|index| *index < self.width),
            Pick::Named(name) => (0..self.width).find(|column| self.name(*column) == name.to_lowercase()),
        };
        found.ok_or_else(|| match &self.header {
            Some(names) => format!("there are the columns {}", names.join(", ")),
            None => format!("there are {} columns and no header with their names", self.width),
        })
    }

    /// The fields of a column, each with the number of its line.
    pub fn column(&self, column: usize) -> impl Iterator<Item = (usize, &'a str)> + '_ {
        let field = move |line: &'a str| fields(line, self.separator).nth(column).unwrap_or("");
        self.lines.iter().map(move |(number, line)| (*number, field(line)))
    }

    /// Reads a number as the text writes it: with a decimal comma where the comma is no separator.
    #[must_use]
    pub fn number(&self, field: &str) -> Option<f64> {
        let comma_is_decimal = matches!(self.separator, Some(';' | '\t'));
        let number = if comma_is_decimal { field.replacen(',', ".", 1).parse() } else { field.parse() };
        number.ok().filter(|number: &f64| number.is_finite())
    }

    /// Whether the commas may be decimal ones: two columns of whole numbers, and the second has one digit.
    #[must_use]
    pub fn may_be_decimal(&self) -> bool {
        let digits = |field: &str| field.bytes().all(|byte| byte.is_ascii_digit());
        let doubtful = |line: &str| {
            line.split_once(',')
                .is_some_and(|(left, right)| digits(left) && digits(right) && right.len() == 1)
        };
        self.separator == Some(',')
            && self.header.is_none()
            && self.lines.iter().all(|(_, line)| doubtful(line))
    }
}

/// The fields of a line. A separator at its end makes no field.
fn fields(line: &str, separator: Option<char>) -> impl Iterator<Item = &str> {
    let line = separator.map_or(line, |separator| line.strip_suffix(separator).unwrap_or(line));
    let is_blank = separator == Some(' ');
    let parts = line.split(move |letter| match separator {
        Some(' ') => letter == ' ',
        Some(separator) => letter == separator,
        None => false,
    });
    parts.filter(move |part| !is_blank || !part.is_empty()).map(|part| part.trim().trim_matches('"'))
}

/// The separator: the first that gives the same number of fields, above one, on all of the first lines; else the first
/// that gives several on any of them, so that the line that differs is named.
fn separator(lines: &[(usize, &str)]) -> Option<char> {
    let lines = &lines[..lines.len().min(LOOK_AT)];
    let counts = |separator: char| lines.iter().map(move |(_, line)| fields(line, Some(separator)).count());
    // The blank between a date and its time is no separator.
    let is_date = |line: &str| fields(line, Some(' ')).nth(1).is_some_and(|field| field.contains(':'));
    let has_dates = lines.iter().any(|(_, line)| is_date(line));
    let known = ['\t', ';', ',', ' '].into_iter().filter(|separator| *separator != ' ' || !has_dates);
    let same = |separator: &char| {
        let mut counts = counts(*separator);
        let first = counts.next().unwrap_or(0);
        first > 1 && counts.all(|count| count == first)
    };
    let some = |separator: &char| counts(*separator).any(|count| count > 1);
    known.clone().find(same).or_else(|| known.clone().find(some))
}

/// The beginning of a field or a line, for messages.
#[must_use]
pub fn cut(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(text: &str) -> Vec<Option<f64>> {
        let columns = Columns::read(text).expect(text);
        columns.column(1).map(|(_, field)| columns.number(field)).collect()
    }

    #[test]
    fn every_separator_is_told_by_the_lines() {
        for text in
            ["0,5\n1,6", "0;5\n1;6", "0\t5\n1\t6", "0 5\n1  6", "\"0\",\"5\"\n\"1\",\"6\"", "0,5,\n1,6,"]
        {
            assert_eq!(second(text), [Some(5.0), Some(6.0)], "{text:?}");
        }
        assert_eq!(second("0,5;1,25\n1;2"), [Some(1.25), Some(2.0)]);
        assert_eq!(Columns::read("0.5\n1\n").map(|columns| columns.width()), Ok(1));
    }

    #[test]
    fn a_header_has_letters_and_no_digit() {
        let columns = Columns::read("\u{feff}# from the log\n\nTime;Requests\n0;5\n").unwrap();
        assert_eq!((columns.name(1).as_str(), columns.len()), ("requests", 1));
        let noted = Columns::read("# every: 60s\n#begin: 2026-11-29T10:00:00Z\n0;5\n").unwrap();
        assert_eq!((noted.note("every"), noted.note("from")), (Some("60s"), None));
        assert_eq!(noted.note("begin"), Some("2026-11-29T10:00:00Z"));
        assert_eq!(columns.find(Pick::Named("REQUESTS")), Ok(1));
        assert_eq!(columns.find(Pick::Number(3)), Err("there are the columns Time, Requests".into()));
        for data in ["0.5s\n1\n", "\u{feff}0\n1\n", "1e10\n1\n", "-0.5\n1\n"] {
            assert_eq!(
                Columns::read(data).map(|columns| (columns.header.clone(), columns.len())),
                Ok((None, 2))
            );
        }
    }

    #[test]
    fn what_is_wrong_names_its_line() {
        let message = Columns::read("1,2\n3,4\n5\n").unwrap_err();
        assert_eq!(message, "line 3: 1 fields where the first line has 2: `5`");
        assert!(Columns::read("# nothing\nseconds\n").is_err());
        assert!(Columns::read("0,5\n1,5\n2,5").unwrap().may_be_decimal());
        assert!(!Columns::read("0,600\n60,600").unwrap().may_be_decimal());
    }
}
