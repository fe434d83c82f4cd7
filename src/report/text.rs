//! What all text reports share: width, tables, headings and colours.

use anstyle::{AnsiColor, Style};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table};

/// Columns of a report; a hundred fit beside an editor, and into a mail.
pub(super) const WIDTH: usize = 100;

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
    let mut table = Table::new();
    table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(WIDTH as u16);
    table.set_header(header.to_vec());
    for row in rows {
        let cell = |cell: &String| if cell.is_empty() { "-".to_owned() } else { unbroken(cell) };
        table.add_row(row.iter().map(cell));
    }
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| line.trim_end().replace(NO_BREAK, " ") + "\n").collect()
}

/// The same without the columns for which there is no room: of `first`, which names columns, the first goes first. So no name
/// and no number is broken.
pub(super) fn fitted(header: &[&str], left: usize, rows: &[Vec<String>], first: &[&str]) -> String {
    let mut kept: Vec<usize> = (0..header.len()).collect();
    let wide = |column: &usize| {
        let cells = rows.iter().map(|row| row[*column].chars().count());
        cells.chain([header[*column].chars().count()]).max().unwrap_or(0) + 2
    };
    for name in first {
        if kept.iter().map(wide).sum::<usize>() <= WIDTH {
            break;
        }
        kept.retain(|column| header[*column] != *name);
    }
    let header: Vec<&str> = kept.iter().map(|column| header[*column]).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| kept.iter().map(|column| row[*column].clone()).collect()).collect();
    table(&header, left, &rows)
}

/// A blank at which no line is broken.
const NO_BREAK: char = '\u{a0}';

/// The text without line breaks between a number and its unit, or its interval.
pub(super) fn unbroken(text: &str) -> String {
    let units = ["%", "ms", "µs", "s", "min", "/s", "USD"];
    let mut words = text.split(' ');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let is_unit = units.contains(&word.trim_end_matches([',', '.', ';', ':', ')']));
        let is_joined =
            (is_unit && out.ends_with(|end: char| end.is_ascii_digit())) || word == "±" || out.ends_with('±');
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
        if used > indent && used + 1 + length > WIDTH {
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
    fn a_number_stays_with_its_unit() {
        let said = unbroken("99.7 ± 0.1 % of 84 ms, for USD 3 a day");
        assert_eq!(said, "99.7\u{a0}±\u{a0}0.1\u{a0}% of 84\u{a0}ms, for USD 3 a day");
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
