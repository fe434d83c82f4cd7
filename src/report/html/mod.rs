//! Reports as one HTML page that contains everything and loads nothing.

mod designs;
mod diagram;
mod run;
mod sweep;
mod theme;

use askama::Template;

use super::chart::plot::{Chart, Table};

pub use self::designs::{capacity, climb, compare};
pub use self::run::{Run, runs};
pub use self::sweep::{Swept, sweep};

/// The page.
#[derive(Debug, Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    about: Vec<String>,
    groups: Vec<Group>,
    /// Whether there are several groups, so that each has a heading.
    many: bool,
    /// The HTML element for headings of sections.
    heading: &'static str,
    style: String,
    version: &'static str,
}

/// The results of one scenario.
#[derive(Debug)]
struct Group {
    id: String,
    title: String,
    sections: Vec<Section>,
}

/// A part of the page with a heading.
#[derive(Debug)]
struct Section {
    id: String,
    title: &'static str,
    blocks: Vec<Block>,
}

/// A part of a section. The template escapes all text; SVG comes escaped.
#[derive(Debug)]
enum Block {
    Verdicts(Vec<Line>),
    Sentences(Vec<String>),
    /// The figures that matter most: name and value.
    Cards(Vec<(&'static str, String)>),
    /// The purpose of a command, and the command.
    Command(String, String),
    /// The name of a table, and the table.
    Numbers(String, Table),
    Picture(Box<Chart>),
    Diagram(String),
    Facts(Vec<(&'static str, String)>),
}

/// One line of the verdict.
#[derive(Debug)]
struct Line {
    class: &'static str,
    word: &'static str,
    what: String,
    measured: String,
}

/// The text without line breaks between a number and its unit.
fn unbroken(text: &str) -> String {
    let units = ["%", "ms", "µs", "s", "min", "/s", "USD"];
    let mut words = text.split(' ');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let is_unit = units.contains(&word.trim_end_matches([',', '.', ';', ':', ')']));
        let is_joined =
            (is_unit && out.ends_with(|end: char| end.is_ascii_digit())) || word == "±" || out.ends_with('±');
        out.push(if is_joined { '\u{a0}' } else { ' ' });
        out.push_str(word);
    }
    out
}

/// The text in parts, each with whether it was between backticks.
fn spans(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(at, part)| (at % 2 == 1, part)).filter(|(_, part)| !part.is_empty())
}

fn page(title: String, about: Vec<String>, groups: Vec<Group>) -> String {
    let many = groups.len() > 1;
    let page = Page {
        title,
        about,
        groups,
        many,
        heading: if many { "h3" } else { "h2" },
        style: format!("{}{}", include_str!("../../../templates/report.css"), theme::dark_charts()),
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render().expect("a string takes all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_with_its_unit() {
        let said = unbroken("99.7 ± 0.1 % of 84 ms, for USD 3 a day");
        assert_eq!(said, "99.7\u{a0}±\u{a0}0.1\u{a0}% of 84\u{a0}ms, for USD 3 a day");
    }

    #[test]
    fn a_column_of_words_is_told_from_one_of_numbers() {
        let rows = vec![vec!["web".into(), "84 ms".into(), "holds".into(), "USD 3".into()]];
        let table = Table::new(["box", "p99", "verdict", "price"], rows);
        assert_eq!([0, 1, 2, 3].map(|column| table.is_text(&column)), [true, false, true, false]);
    }
}
