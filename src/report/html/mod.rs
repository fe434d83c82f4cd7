//! The report: one HTML page that holds everything and asks nothing of any network.

mod designs;
mod diagram;
mod run;
mod sweep;
mod theme;

use askama::Template;

use super::chart::plot::{Chart, Table};

pub use self::designs::{capacity, compare};
pub use self::run::{Run, runs};
pub use self::sweep::{Swept, sweep};

/// The page.
#[derive(Debug, Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    about: Vec<String>,
    groups: Vec<Group>,
    /// Whether the groups have headings of their own.
    many: bool,
    /// The element of a section's heading.
    heading: &'static str,
    style: String,
    version: &'static str,
}

/// What belongs together: one scenario's results.
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

/// What a section is made of. The template escapes all text; the SVGs have done so themselves.
#[derive(Debug)]
enum Block {
    Verdicts(Vec<Line>),
    Sentences(Vec<String>),
    /// What it is for, and the text.
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

/// The text in parts, each with whether it stood between backticks.
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
