//! Names of faults, and numbered events above the panels with their list below.

use super::super::plot::{Event, Lines};
use super::super::sheet::{Anchor, Ink, Mark, Place, SLACK, Sheet, Style};
use super::super::text::{width, wrapped};
use super::{Frame, ROW};

/// Radius of the disc behind the number of an event, in pixels.
const DISC: f64 = 8.0;

/// Smallest distance between two discs, in pixels; events that are nearer share one.
const APART: f64 = 2.0 * DISC + 1.0;

/// The names of the shades, if all of them can be read where they begin, and the events with their numbers.
pub(super) struct Marked<'a> {
    lines: &'a Lines,
    /// Names of the shades with their places.
    names: Vec<(f64, String)>,
}

/// A thin line through a panel where something happened.
pub(super) fn stem(event: &Event, frame: &Frame<'_>, sheet: &mut Sheet) {
    let x = frame.across(event.at).clamp(frame.left, frame.right);
    sheet.path(vec![(x, frame.top), (x, frame.bottom)], Ink::Ideal, 1.0);
}

/// A disc with the number of an event, or with the first and the last number of several.
fn disc(first: usize, last: usize, (x, y): Place, sheet: &mut Sheet) {
    let style = Style { em: 11.0, bold: true, ink: Ink::Paper };
    let text = if first == last { first.to_string() } else { format!("{first}–{last}") };
    let half = (width(&text, style.em, true) * SLACK / 2.0 - 3.0).max(0.0);
    let middle = if first == last { x } else { x + half };
    sheet.rect((middle - half, y - DISC), (middle + half, y + DISC), Ink::Muted, 1.0);
    for end in [middle - half, middle + half] {
        sheet.marks.push(Mark::Dot { at: (end, y), radius: DISC, ink: Ink::Muted });
    }
    sheet.words(text, (middle, y), Anchor::Middle, style);
}

impl<'a> Marked<'a> {
    pub(super) fn of(lines: &'a Lines, frame: &Frame<'_>, sheet: &Sheet) -> Marked<'a> {
        let mut names = Vec::new();
        let mut free = 0.0;
        for shade in lines.shades.iter().filter(|shade| !shade.label.is_empty()) {
            let wide = width(&shade.label, Style::SMALL.em, false) * SLACK;
            let most = sheet.width - sheet.margin() - wide;
            let at = frame.across(shade.from).clamp(frame.left, frame.right).min(most);
            if at >= free && at >= sheet.margin() {
                names.push((at, shade.label.clone()));
                free = at + wide + 10.0;
            }
        }
        Marked { lines, names }
    }

    /// Height of what stands above the panels, in pixels.
    pub(super) fn height(&self) -> f64 {
        let names = if self.names.is_empty() { 0.0 } else { ROW };
        names + if self.lines.events.is_empty() { 0.0 } else { ROW + 4.0 }
    }

    /// Draws the names and, below them, the numbers.
    pub(super) fn draw(&self, frame: &Frame<'_>, sheet: &mut Sheet) {
        for (at, name) in &self.names {
            sheet.words(
                name,
                (*at, frame.top + ROW / 2.0),
                Anchor::Start,
                Style { ink: Ink::Muted, ..Style::SMALL },
            );
        }
        let y = frame.top + self.height() - DISC - 2.0;
        let across = |at: f64| frame.across(at).clamp(frame.left, frame.right);
        let places: Vec<f64> = self.lines.events.iter().map(|event| across(event.at)).collect();
        let mut first = 0;
        while first < places.len() {
            // Events whose discs would overlap share one.
            let near = places[first..].iter().take_while(|x| **x < places[first] + APART).count();
            disc(first + 1, first + near, (places[first], y), sheet);
            first += near;
        }
    }

    /// Writes the numbered events below the panels, from `top` down. Returns the height of the sheet.
    pub(super) fn list(&self, top: f64, sheet: &mut Sheet) -> f64 {
        let numbered = self.lines.events.iter().enumerate();
        // No line break within an event.
        let texts: Vec<String> = numbered
            .map(|(at, event)| format!("{} {}", at + 1, event.label).replace(' ', "\u{a0}"))
            .collect();
        let mut y = top;
        let most = sheet.width - 2.0 * sheet.margin();
        for line in wrapped(&texts.join("   "), Style::SMALL.em, false, most / SLACK) {
            if !line.trim().is_empty() {
                sheet.words(line.trim(), (sheet.margin(), y + ROW / 2.0), Anchor::Start, Style::SMALL);
                y += ROW;
            }
        }
        if y > top { y + 8.0 } else { top }
    }
}
