//! Reports as one HTML page that contains everything and loads nothing.

mod designs;
mod diagram;
mod font;
mod run;
mod sweep;
mod theme;

use askama::Template;

use super::chart::plot::{Chart, Table};
use super::text::unbroken;

pub use self::designs::{capacity, climb, compare, year};
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
    /// The diagram for a wide page, and for a phone.
    Diagram(String, String),
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
        style: format!(
            "{}{}{}",
            font::faces(),
            include_str!("../../../templates/report.css"),
            theme::dark_charts()
        ),
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render().expect("a string takes all")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_of_words_is_told_from_one_of_numbers() {
        let rows = vec![vec!["web".into(), "84 ms".into(), "holds".into(), "USD 3".into()]];
        let table = Table::new(["box", "p99", "verdict", "price"], rows);
        assert_eq!([0, 1, 2, 3].map(|column| table.is_text(&column)), [true, false, true, false]);
    }
}
