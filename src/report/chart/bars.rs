//! The layout of horizontal bars.

use super::plot::{Bar, Bars};
use super::scale::Ruler;
use super::sheet::{Anchor, Ink, Sheet, Style, WIDTH};
use super::text::{cut, width};

const MARGIN: f64 = 20.0;

/// Height of a bar and of a row, in pixels.
const BAR: f64 = 20.0;
const ROW: f64 = 31.0;

/// Largest width of the names before the bars, in pixels.
const NAME_MAX: f64 = 230.0;

/// Factor for viewers that lack the built-in font and use a wider one.
const SLACK: f64 = 1.08;

const LABEL: Style = Style { em: 12.5, bold: false, ink: Ink::Title };

/// Draws the bars on the sheet, from `top` down.
pub(super) fn layout(bars: &Bars, top: f64, sheet: &mut Sheet) {
    let wide = |text: &str, bold| width(text, LABEL.em, bold) * SLACK;
    let names = bars.rows.iter().map(|bar| wide(&bar.label, false)).fold(0.0, f64::max).min(NAME_MAX);
    let notes = bars.rows.iter().map(|bar| wide(&bar.note, true)).fold(0.0, f64::max);
    let (left, right) = (MARGIN + names + 12.0, WIDTH - MARGIN - 10.0 - notes);
    let ruler = Ruler::around(&bars.axis, bars.rows.iter().map(end)).with_room();
    let across = |value: f64| left + ruler.place(value) * (right - left);
    let mut top = legend(bars, top, sheet);
    for bar in &bars.rows {
        let middle = top + ROW / 2.0;
        sheet.words(cut(&bar.label, LABEL.em, false, names), (left - 12.0, middle), Anchor::End, LABEL);
        let mut from = 0.0;
        for &(length, colour) in &bar.parts {
            let (begin, end) = (across(from), across(from + length));
            sheet.rect((begin, middle - BAR / 2.0), (end, middle + BAR / 2.0), Ink::Series(colour), 1.0);
            if from > 0.0 {
                sheet.rect(
                    (begin - 0.5, middle - BAR / 2.0),
                    (begin + 0.5, middle + BAR / 2.0),
                    Ink::Paper,
                    1.0,
                );
            }
            from += length;
        }
        if let Some((low, high)) = bar.interval {
            whisker(across(low.max(0.0)), across(high), middle, sheet);
        }
        sheet.words(
            &bar.note,
            (across(end(bar)) + 8.0, middle),
            Anchor::Start,
            Style { bold: true, ..LABEL },
        );
        top += ROW;
    }
    sheet.path(vec![(left, top), (right, top)], Ink::Ideal, 1.0);
    for (value, text) in ruler.ticks(((right - left) / 80.0) as usize) {
        let x = across(value);
        sheet.path(vec![(x, top), (x, top + 4.0)], Ink::Ideal, 1.0);
        sheet.words(text, (x, top + 15.0), Anchor::Middle, Style::SMALL);
    }
    sheet.words(&bars.axis.label, ((left + right) / 2.0, top + 32.0), Anchor::Middle, Style::SMALL);
    sheet.height = top + 50.0;
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

/// Draws the legend in one or more lines. Returns the y position from which bars may be drawn.
fn legend(bars: &Bars, top: f64, sheet: &mut Sheet) -> f64 {
    if bars.legend.is_empty() {
        return top;
    }
    let (mut x, mut y) = (MARGIN, top + 8.0);
    for (name, colour) in &bars.legend {
        let wide = 18.0 + width(name, 12.0, false) * SLACK;
        if x + wide > WIDTH - MARGIN && x > MARGIN {
            (x, y) = (MARGIN, y + 19.0);
        }
        sheet.rect((x, y - 6.0), (x + 12.0, y + 6.0), Ink::Series(*colour), 1.0);
        sheet.words(name, (x + 18.0, y), Anchor::Start, Style { em: 12.0, bold: false, ink: Ink::Title });
        x += wide + 18.0;
    }
    y + 20.0
}
