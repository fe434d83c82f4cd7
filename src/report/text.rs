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
        table.add_row(row.iter().map(|cell| if cell.is_empty() { "-" } else { cell }));
    }
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

/// Text wrapped to the width of a report. `first` stands before the first line, blanks of the same width before the
/// others.
pub(super) fn paragraph(first: &str, text: &str) -> String {
    let indent = first.chars().count();
    let mut out = String::new();
    let mut line = first.to_owned();
    let mut used = indent;
    for word in text.split_whitespace() {
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
    out + line.trim_end() + "\n"
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
    fn paragraphs_hang() {
        let text = paragraph("why: ", &"word ".repeat(25));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].starts_with("why: word") && lines[1].starts_with("     word"));
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }
}
