//! The layout of horizontal bars.

use super::plot::{Bar, Bars};
use super::scale::Ruler;
use super::sheet::{Anchor, Ink, SLACK, Sheet, Style};
use super::text::{cut, width};

/// Height of a bar and of a row, in pixels.
const BAR: f64 = 20.0;
const ROW: f64 = 31.0;

/// Largest width of the names before the bars, in pixels.
const NAME_MAX: f64 = 230.0;

const LABEL: Style = Style { em: 12.5, bold: false, ink: Ink::Title };

/// Draws the bars on the sheet, from `top` down. On a narrow one the name and the note of a bar stand above it.
pub(super) fn layout(bars: &Bars, top: f64, sheet: &mut Sheet) {
    let wide = |text: &str, bold| width(text, LABEL.em, bold) * SLACK;
    let names = bars.rows.iter().map(|bar| wide(&bar.label, false)).fold(0.0, f64::max).min(NAME_MAX);
    let notes = bars.rows.iter().map(|bar| wide(&bar.note, true)).fold(0.0, f64::max);
    let margin = sheet.margin();
    let (left, right) = match sheet.is_narrow() {
        true => (margin, sheet.width - margin - 12.0),
        false => (margin + names + 12.0, sheet.width - margin - 10.0 - notes),
    };
    let ruler = Ruler::around(&bars.axis, bars.rows.iter().map(end)).with_room();
    let frame = Frame { ruler: &ruler, left, right, names };
    let legend: Vec<(&str, Ink)> =
        bars.legend.iter().map(|(name, colour)| (name.as_str(), Ink::Series(*colour))).collect();
    let mut top = if legend.is_empty() { top } else { sheet.legend(&legend, top) };
    for bar in &bars.rows {
        top = frame.row(bar, top, sheet);
    }
    sheet.path(vec![(left, top), (right, top)], Ink::Ideal, 1.0);
    for (value, text) in ruler.ticks(((right - left) / 80.0) as usize) {
        let x = frame.across(value);
        sheet.path(vec![(x, top), (x, top + 4.0)], Ink::Ideal, 1.0);
        let anchor = if x > right - 12.0 && sheet.is_narrow() { Anchor::End } else { Anchor::Middle };
        let anchor = if x < left + 12.0 && sheet.is_narrow() { Anchor::Start } else { anchor };
        sheet.words(text, (x, top + 15.0), anchor, Style::SMALL);
    }
    sheet.words(&bars.axis.label, ((left + right) / 2.0, top + 32.0), Anchor::Middle, Style::SMALL);
    sheet.height = top + 50.0;
}

/// The area of the bars, and the widest name before them.
struct Frame<'a> {
    ruler: &'a Ruler,
    left: f64,
    right: f64,
    names: f64,
}

impl Frame<'_> {
    fn across(&self, value: f64) -> f64 {
        self.left + self.ruler.place(value) * (self.right - self.left)
    }

    /// Draws one bar with its texts. Returns the y position below it.
    fn row(&self, bar: &Bar, top: f64, sheet: &mut Sheet) -> f64 {
        let note = Style { bold: true, ..LABEL };
        let is_narrow = sheet.is_narrow();
        let middle = top + ROW / 2.0 + if is_narrow { 17.0 } else { 0.0 };
        if is_narrow {
            let room = self.right - self.left - width(&bar.note, LABEL.em, true) * SLACK - 10.0;
            let label = cut(&bar.label, LABEL.em, false, room);
            sheet.words(label, (self.left, middle - 18.0), Anchor::Start, LABEL);
            sheet.words(&bar.note, (self.right, middle - 18.0), Anchor::End, note);
        } else {
            let label = cut(&bar.label, LABEL.em, false, self.names);
            sheet.words(label, (self.left - 12.0, middle), Anchor::End, LABEL);
            sheet.words(&bar.note, (self.across(end(bar)) + 8.0, middle), Anchor::Start, note);
        }
        let mut from = 0.0;
        for &(length, colour) in &bar.parts {
            let (begin, end) = (self.across(from), self.across(from + length));
            let (upper, lower) = (middle - BAR / 2.0, middle + BAR / 2.0);
            sheet.rect((begin, upper), (end, lower), Ink::Series(colour), 1.0);
            if from > 0.0 {
                sheet.rect((begin - 0.5, upper), (begin + 0.5, lower), Ink::Paper, 1.0);
            }
            from += length;
        }
        if let Some((low, high)) = bar.interval {
            whisker(self.across(low.max(0.0)), self.across(high), middle, sheet);
        }
        middle + ROW / 2.0
    }
}

/// The end of a bar or of its interval, whichever is further right.
fn end(bar: &Bar) -> f64 {
    let length: f64 = bar.parts.iter().map(|part| part.0).sum();
    bar.interval.map_or(length, |(_, high)| high.max(length))
}

fn whisker(low: f64, high: f64, y: f64, sheet: &mut Sheet) {
    if high - low < 1.0 {
        return;
    }
    sheet.path(vec![(low, y), (high, y)], Ink::Title, 1.25);
    for x in [low, high] {
        sheet.path(vec![(x, y - 4.0), (x, y + 4.0)], Ink::Title, 1.25);
    }
}
