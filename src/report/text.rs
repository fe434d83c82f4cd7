//! What all text reports share: width, tables, headings and colours.

use std::cell::Cell;

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width};

/// Most columns of a report; a hundred fit beside an editor, and into a mail.
pub(super) const WIDTH: usize = 100;

/// Least columns of a report. On a narrower terminal its lines are broken by the terminal.
const WIDTH_MIN: usize = 50;

thread_local! {
    /// Columns of the reports that this thread writes.
    static COLUMNS: Cell<usize> = const { Cell::new(WIDTH) };
}

/// Makes the reports that this thread writes from now on fit a terminal with this number of columns. Without it they have a
/// hundred.
pub fn fit(columns: usize) {
    COLUMNS.set(columns.clamp(WIDTH_MIN, WIDTH));
}

/// Columns of a report.
pub(super) fn width() -> usize {
    COLUMNS.get()
}

/// A heading.
pub(super) fn bold(text: &str) -> String {
    paint(Style::new().bold(), text)
}

/// In the colour of success.
pub(super) fn good(text: &str) -> String {
    paint(AnsiColor::Green.on_default().bold(), text)
}

/// In the colour of failure.
pub(super) fn bad(text: &str) -> String {
    paint(AnsiColor::BrightRed.on_default().bold(), text)
}

/// In the colour of warnings and of verdicts that are not shown.
pub(super) fn unsure(text: &str) -> String {
    paint(AnsiColor::Yellow.on_default().bold(), text)
}

/// In a faint colour, for what readers may skip.
pub(super) fn dim(text: &str) -> String {
    paint(Style::new().dimmed(), text)
}

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// A table without lines, indented by one blank. The first `left` columns are text, the others are right-aligned. An
/// empty cell becomes a dash, so that no value looks forgotten. Cells must be without colours, which would spoil the
/// widths.
pub(super) fn table(header: &[&str], left: usize, rows: &[Vec<String>]) -> String {
    fitted(header, left, rows, &[])
}

/// The same without the columns for which there is no room: first those without any value, then, of `first`, which names
/// columns, the first, and at last those on the right. So no name is broken, and no number is parted from its unit.
pub(super) fn fitted(header: &[&str], left: usize, rows: &[Vec<String>], first: &[&str]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| filled(cell)).collect()).collect();
    let kept = kept(header, left, &rows, first);
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width() as u16);
    table.set_header(kept.iter().map(|column| header[*column]));
    for row in &rows {
        table.add_row(kept.iter().map(|column| &row[*column]));
    }
    let is_tight = kept.iter().map(|column| whole(header[*column], &rows, *column)).sum::<usize>() > width();
    for (at, column) in kept.iter().enumerate() {
        let shown = table.column_mut(at).expect("each kept column is in the table");
        if is_tight {
            let least = Width::Fixed(least(header[*column], &rows, *column) as u16);
            shown.set_constraint(ColumnConstraint::LowerBoundary(least));
        }
        if *column >= left {
            shown.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.lines().map(|line| line.trim_end().replace(NO_BREAK, " ") + "\n").collect()
}

/// The text of a cell.
fn filled(cell: &str) -> String {
    if cell.is_empty() { "-".to_owned() } else { unbroken(cell) }
}

/// Columns that a text may be wrapped to, although there is room on its line.
const TEXT_COLUMNS: usize = 24;

/// Columns between two columns of a table, on both sides of a cell together.
const PADDING: usize = 2;

/// The columns of a table for which there is room.
fn kept(header: &[&str], left: usize, rows: &[Vec<String>], first: &[&str]) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..header.len()).collect();
    let natural = |column: &usize| {
        let whole = whole(header[*column], rows, *column);
        if *column < left {
            whole.min(least(header[*column], rows, *column).max(TEXT_COLUMNS))
        } else {
            whole
        }
    };
    let fits = |kept: &[usize]| kept.iter().map(natural).sum::<usize>() <= width();
    if !fits(&kept) {
        kept.retain(|column| *column < left || rows.iter().any(|row| row[*column] != "-"));
    }
    for name in first {
        if fits(&kept) {
            break;
        }
        kept.retain(|column| header[*column] != *name);
    }
    // Texts can be wrapped at blanks, down to their longest words.
    let wrapped = |kept: &[usize]| kept.iter().map(|at| least(header[*at], rows, *at)).sum::<usize>();
    while kept.len() > 1 && wrapped(&kept) > width() {
        kept.pop();
    }
    kept
}

/// The width of a column in which nothing is wrapped.
fn whole(header: &str, rows: &[Vec<String>], column: usize) -> usize {
    let cells = rows.iter().map(|row| row[column].chars().count());
    cells.chain([header.chars().count()]).max().unwrap_or(0) + PADDING
}

/// The width of a column that is as narrow as its longest word.
fn least(header: &str, rows: &[Vec<String>], column: usize) -> usize {
    let words = rows.iter().map(|row| row[column].as_str()).chain([header]).flat_map(|text| text.split(' '));
    words.map(|word| word.chars().count()).max().unwrap_or(0) + PADDING
}

/// A blank at which no line is broken.
pub(super) const NO_BREAK: char = '\u{a0}';

/// The text without line breaks between a number and its unit, or its interval.
pub(super) fn unbroken(text: &str) -> String {
    let units = ["%", "ms", "µs", "s", "min", "/s", "USD"];
    let mut words = text.split(' ');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let is_unit = units.contains(&word.trim_end_matches([',', '.', ';', ':', ')']));
        let is_joined = (is_unit && out.ends_with(|end: char| end.is_ascii_digit()))
            || word == "±"
            || out.ends_with('±')
            || out.ends_with("USD") && word.starts_with(|first: char| first.is_ascii_digit());
        out.push(if is_joined { NO_BREAK } else { ' ' });
        out.push_str(word);
    }
    out
}

/// Text wrapped to the width of a report. `first` stands before the first line, blanks of the same width before the
/// others.
pub(super) fn paragraph(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut used = indent;
    // A number stays with its unit.
    let text = unbroken(text);
    for word in text.split([' ', '\n', '\t']).filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if used > indent && used + 1 + length > width() {
            out.push_str(&line);
            out.push('\n');
            line = " ".repeat(indent);
            used = indent;
        }
        if used > indent {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    (out + line.trim_end() + "\n").replace(NO_BREAK, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_and_stay_plain() {
        let rows = [vec!["web".into(), "12.5".into()], vec!["database".into(), String::new()]];
        assert_eq!(table(&["box", "busy"], 1, &rows), " box       busy\n web       12.5\n database     -\n");
    }

    #[test]
    fn columns_without_room_are_left_out_and_nothing_is_broken() {
        let row = || vec!["web".repeat(15), "1234 ± 1 ms".into(), "9 ± 0.1 /s".repeat(3)];
        let rows = vec![row()];
        assert!(fitted(&["box", "time", "rate"], 1, &rows, &["time"]).contains("time"), "all have room");
        let rows = vec![row().into_iter().map(|cell| cell.replace(' ', "__")).collect()];
        let text = fitted(&["box", "time", "rate"], 1, &rows, &["time"]);
        assert!(!text.contains("time") && text.lines().count() == 2, "{text}");
    }

    #[test]
    fn on_a_narrow_terminal_nothing_is_broken() {
        let header = ["box", "empty", "time", "what binds"];
        let row =
            |name: &str| vec![name.into(), String::new(), "1234 ± 12 ms".into(), "the workers of pay".into()];
        let rows = [row("web-with-a-long-name-1"), row("db")];
        let at = |columns: usize| {
            fit(columns);
            let text = fitted(&header, 1, &rows, &["time"]);
            assert!(text.lines().all(|line| line.chars().count() <= columns), "{columns}\n{text}");
            assert!(text.contains("web-with-a-long-name-1"), "{columns}\n{text}");
            text
        };
        assert!(at(100).contains("empty") && at(100).contains("1234 ± 12 ms"));
        let (narrow, narrowest) = (at(62), at(50));
        assert!(
            !narrow.contains("empty") && narrow.contains("1234 ± 12 ms") && narrow.lines().count() == 3,
            "{narrow}"
        );
        assert!(!narrowest.contains("time") && narrowest.contains("the workers of pay"), "{narrowest}");
        fit(1000);
        assert_eq!(width(), WIDTH);
    }

    #[test]
    fn a_number_stays_with_its_unit() {
        let said = unbroken("99.7 ± 0.1 % of 84 ms, for USD 3 a day");
        assert_eq!(said, "99.7\u{a0}±\u{a0}0.1\u{a0}% of 84\u{a0}ms, for USD\u{a0}3 a day");
        let line = paragraph("", &format!("{} 12 ms", "x".repeat(95)));
        assert_eq!(line.lines().last(), Some("12 ms"));
    }

    #[test]
    fn paragraphs_hang() {
        let text = paragraph("why: ", &"word ".repeat(25));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("why: word") && lines[1].starts_with("     word"));
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }
}
