//! Charts: one file a kind, each a pure function from results to an abstract figure; drawn as SVG and as PNG.

mod bars;
pub mod cost;
pub mod hops;
mod lines;
pub mod load;
pub mod outage;
pub mod percentiles;
pub mod plot;
mod render;
mod scale;
mod sheet;
mod text;
pub mod timeline;
pub mod utilisation;

use self::plot::{Body, Chart};
use self::sheet::{Anchor, Ink, Sheet, Style, WIDTH};
use super::number::{number, seconds, time_ms};
use crate::experiment::result::RunResult;

pub use self::render::escaped;
pub use self::sheet::colours;

/// The charts that fit what a run has shown, the most telling first.
#[must_use]
pub fn of_run(result: &RunResult) -> Vec<Chart> {
    [
        timeline::chart(result),
        outage::chart(result),
        percentiles::chart(result),
        utilisation::chart(result),
        hops::chart(result),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What stands below the title of every chart of a run.
fn about(result: &RunResult, rest: &str) -> String {
    let plural = if result.trials == 1 { "trial" } else { "trials" };
    format!("{} {plural} of {}; {rest}", result.trials, seconds(result.duration_s))
}

/// A number to three digits, which is what a title or a glance at a chart can tell.
fn three(value: f64) -> String {
    number(rounded(value))
}

/// A time to three digits in the unit that suits it.
fn brief(ms: f64) -> String {
    let ms = rounded(ms);
    if ms.abs() >= 1000.0 { format!("{} s", number(rounded(ms / 1000.0))) } else { time_ms(ms, None) }
}

fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().expect("a number that was printed can be read")
}

impl Chart {
    /// The chart as an SVG document, the same bytes every time.
    #[must_use]
    pub fn svg(&self) -> String {
        render::svg(&self.sheet(), &self.title, &self.alt)
    }

    /// The chart as a PNG file, the same bytes every time.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        render::png(&self.sheet())
    }

    fn sheet(&self) -> Sheet {
        const MARGIN: f64 = 20.0;
        let mut sheet = Sheet::default();
        let mut y = 27.0;
        for line in text::wrapped(&self.title, 18.0, true, (WIDTH - 2.0 * MARGIN) * 0.96) {
            let style = Style { em: 18.0, bold: true, ink: Ink::Title };
            sheet.words(line, (MARGIN, y), Anchor::Start, style);
            y += 23.0;
        }
        for line in text::wrapped(&self.subtitle, 12.5, false, (WIDTH - 2.0 * MARGIN) * 0.96) {
            let style = Style { em: 12.5, bold: false, ink: Ink::Muted };
            sheet.words(line, (MARGIN, y), Anchor::Start, style);
            y += 17.0;
        }
        match &self.body {
            Body::Lines(lines) => lines::layout(lines, y + 6.0, &mut sheet),
            Body::Bars(bars) => bars::layout(bars, y + 6.0, &mut sheet),
        }
        sheet
    }
}
