//! The layout of lines in panels: the position of each mark.

use super::plot::{Curve, Lines, Panel, Point, Scale, Shade};
use super::scale::Ruler;
use super::sheet::{Anchor, Ink, Mark, Place, Sheet, Style, WIDTH};
use super::text::{cut, width};

/// Margin at each side, in pixels.
const MARGIN: f64 = 20.0;

/// Height of a line of small text, in pixels.
const ROW: f64 = 17.0;

/// Largest width of the name of a line, in pixels.
const NAME_MAX: f64 = 190.0;

/// Smallest vertical distance between two names of lines, in pixels.
const NAMES_APART: f64 = 15.0;

/// Distance from the end of a line to its name, in pixels.
const NAME_GAP: f64 = 9.0;

/// Factor for viewers that lack the built-in font and use a wider one.
const SLACK: f64 = 1.08;

/// Factor by which a band may extend a logarithmic axis above and below the value.
const BAND_REACH: f64 = 2.0;

/// Opacity of bands and of shades.
const BAND: f64 = 0.15;
const SHADE: f64 = 0.10;

/// The area of one panel, and the scales of its values.
struct Frame<'a> {
    x: &'a Ruler,
    y: Ruler,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl Frame<'_> {
    fn across(&self, x: f64) -> f64 {
        self.left + self.x.place(x) * (self.right - self.left)
    }

    fn down(&self, y: f64) -> f64 {
        self.bottom - self.y.place(y) * (self.bottom - self.top)
    }

    fn at(&self, x: f64, y: f64) -> Place {
        (self.across(x), self.down(y))
    }
}

/// Draws the panels on the sheet, from `top` down.
pub(super) fn layout(lines: &Lines, top: f64, sheet: &mut Sheet) {
    let points = || lines.panels.iter().flat_map(|panel| &panel.curves).flat_map(|curve| &curve.points);
    let x = Ruler::around(&lines.x, points().map(|point| point.x));
    let rulers: Vec<Ruler> = lines.panels.iter().map(ruler).collect();
    let (left, right) = sides(lines, &rulers);
    let mut top = top;
    if !lines.shades.is_empty() {
        top += ROW;
    }
    let first = top;
    let last = lines.panels.len().saturating_sub(1);
    for (at, (panel, y)) in lines.panels.iter().zip(rulers).enumerate() {
        sheet.words(&panel.y.label, (MARGIN, top + ROW / 2.0), Anchor::Start, Style::SMALL);
        top += ROW + 9.0;
        let frame = Frame { x: &x, y, left, right, top, bottom: top + panel.height };
        shades(&lines.shades, &frame, sheet);
        grid(panel, &frame, at == last, sheet);
        curves(panel, &frame, sheet);
        top = frame.bottom + 14.0;
        if at == last {
            x_axis(lines, &frame, sheet);
        }
    }
    let frame = Frame { x: &x, y: ruler(&lines.panels[0]), left, right, top: first, bottom: first };
    shade_names(&lines.shades, &frame, first - ROW / 2.0, sheet);
    sheet.height = top + 2.0 * ROW + 8.0;
}

fn ruler(panel: &Panel) -> Ruler {
    let points = panel.curves.iter().flat_map(|curve| &curve.points);
    // On a logarithmic axis a wide interval becomes huge. The axis fits the lines, and a band may leave it.
    let reach = if panel.y.scale == Scale::Log { BAND_REACH } else { f64::INFINITY };
    let values = points.flat_map(|point| {
        let (least, most) =
            (point.y / reach, if reach.is_finite() { point.y * reach } else { f64::INFINITY });
        [point.y, point.low.max(least.min(point.y)), point.high.min(most)]
    });
    Ruler::around(&panel.y, values).with_room()
}

/// The left and the right end of all panels. Labels of ticks are left of them, names of lines right.
fn sides(lines: &Lines, rulers: &[Ruler]) -> (f64, f64) {
    let panels = || lines.panels.iter().zip(rulers);
    let ticks = panels().flat_map(|(panel, ruler)| ruler.ticks(rows(panel)));
    let widest = ticks.map(|(_, text)| width(&text, Style::SMALL.em, false)).fold(0.0, f64::max);
    let names = lines.panels.iter().flat_map(|panel| &panel.curves);
    let longest = names.map(|curve| width(&curve.label, 12.0, true) * SLACK).fold(0.0, f64::max);
    (MARGIN + widest * SLACK + 8.0, WIDTH - MARGIN - NAME_GAP - longest.clamp(12.0, NAME_MAX))
}

fn rows(panel: &Panel) -> usize {
    ((panel.height / 42.0) as usize).max(2)
}

fn shades(all: &[Shade], frame: &Frame<'_>, sheet: &mut Sheet) {
    for shade in all {
        let from = frame.across(shade.from).clamp(frame.left, frame.right);
        // A fault without duration must be visible too.
        let to = frame.across(shade.to).clamp(from + 1.0, frame.right.max(from + 1.0));
        sheet.rect((from, frame.top), (to, frame.bottom), Ink::Fault, SHADE);
    }
}

/// Writes the names of the shades above the first panel. A name without space is left out; the table has it.
fn shade_names(all: &[Shade], frame: &Frame<'_>, y: f64, sheet: &mut Sheet) {
    let mut free = 0.0;
    for shade in all {
        let most = WIDTH - MARGIN - frame.left;
        let label = cut(&shade.label, Style::SMALL.em, false, most);
        let wide = width(&label, Style::SMALL.em, false) * SLACK;
        let at = frame.across(shade.from).clamp(frame.left, frame.right).min(WIDTH - MARGIN - wide);
        if at < free {
            continue;
        }
        sheet.words(label, (at, y), Anchor::Start, Style { ink: Ink::Name(1), ..Style::SMALL });
        free = at + wide + 10.0;
    }
}

fn grid(panel: &Panel, frame: &Frame<'_>, is_last: bool, sheet: &mut Sheet) {
    for (value, text) in frame.y.ticks(rows(panel)) {
        let y = frame.down(value);
        sheet.path(vec![(frame.left, y), (frame.right, y)], Ink::Grid, 1.0);
        sheet.words(text, (frame.left - 8.0, y), Anchor::End, Style::SMALL);
    }
    if is_last {
        sheet.path(vec![(frame.left, frame.bottom), (frame.right, frame.bottom)], Ink::Ideal, 1.0);
    }
    if let Some(slope) = panel.ideal {
        let x = frame.x.high().min(frame.y.high() / slope);
        sheet.path(vec![frame.at(0.0, 0.0), frame.at(x, slope * x)], Ink::Ideal, 1.5);
    }
}

fn x_axis(lines: &Lines, frame: &Frame<'_>, sheet: &mut Sheet) {
    let most = ((frame.right - frame.left) / 75.0) as usize;
    for (value, text) in frame.x.ticks(most) {
        let x = frame.across(value);
        sheet.path(vec![(x, frame.bottom), (x, frame.bottom + 4.0)], Ink::Ideal, 1.0);
        sheet.words(text, (x, frame.bottom + 15.0), Anchor::Middle, Style::SMALL);
    }
    let middle = (frame.left + frame.right) / 2.0;
    sheet.words(&lines.x.label, (middle, frame.bottom + 15.0 + ROW), Anchor::Middle, Style::SMALL);
}

fn curves(panel: &Panel, frame: &Frame<'_>, sheet: &mut Sheet) {
    for curve in &panel.curves {
        band(curve, frame, sheet);
    }
    for curve in &panel.curves {
        line(curve, frame, sheet);
    }
    names(panel, frame, sheet);
}

fn ink(curve: &Curve) -> Ink {
    curve.colour.map_or(Ink::Ideal, Ink::Series)
}

/// Parts of the curve without a gap.
fn stretches(curve: &Curve) -> impl Iterator<Item = &[Point]> {
    curve.points.split(|point| !point.y.is_finite()).filter(|stretch| !stretch.is_empty())
}

fn band(curve: &Curve, frame: &Frame<'_>, sheet: &mut Sheet) {
    for stretch in stretches(curve).filter(|stretch| stretch.iter().any(|point| point.low < point.high)) {
        let above = stretch.iter().map(|point| frame.at(point.x, point.high));
        let below = stretch.iter().rev().map(|point| frame.at(point.x, point.low));
        let around: Vec<Place> = above.chain(below).collect();
        sheet.marks.push(Mark::Area { around, ink: ink(curve), alpha: BAND });
    }
}

fn line(curve: &Curve, frame: &Frame<'_>, sheet: &mut Sheet) {
    let wide = if curve.colour.is_some() { 2.25 } else { 1.75 };
    for stretch in stretches(curve) {
        let through: Vec<Place> = stretch.iter().map(|point| frame.at(point.x, point.y)).collect();
        if let [lone] = through.as_slice() {
            sheet.marks.push(Mark::Dot { at: *lone, radius: 2.5, ink: ink(curve) });
        }
        sheet.path(through, ink(curve), wide);
    }
    for (index, point) in curve.points.iter().enumerate().filter(|(_, point)| point.y.is_finite()) {
        let at = frame.at(point.x, point.y);
        if curve.knee == Some(index) {
            sheet.marks.push(Mark::Dot { at, radius: 7.5, ink: ink(curve) });
            sheet.marks.push(Mark::Dot { at, radius: 5.5, ink: Ink::Paper });
        }
        if curve.dots {
            sheet.marks.push(Mark::Dot { at, radius: 3.5, ink: ink(curve) });
        }
    }
}

/// Writes the names of the lines at their ends, moved apart where they would overlap.
fn names(panel: &Panel, frame: &Frame<'_>, sheet: &mut Sheet) {
    let end = |curve: &Curve| {
        let last = curve.points.iter().rev().find(|point| point.y.is_finite())?;
        Some(frame.at(last.x, last.y))
    };
    let named = panel.curves.iter().filter(|curve| !curve.label.is_empty());
    let mut ends: Vec<(Place, &Curve)> = named.filter_map(|curve| Some((end(curve)?, curve))).collect();
    ends.sort_by(|a, b| a.0.0.total_cmp(&b.0.0));
    // A name can overlap only with a name on its left that ends to the right of its start.
    let reaches = |curve: &Curve| width(&curve.label, 12.0, true) * SLACK + NAME_GAP;
    for beside in ends.chunk_by_mut(|a, b| b.0.0 - a.0.0 < reaches(a.1)) {
        beside.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
        let wished: Vec<f64> = beside.iter().map(|(at, _)| at.1).collect();
        for ((at, curve), height) in beside.iter().zip(apart(&wished, frame.top, frame.bottom)) {
            name(curve, *at, height, sheet);
        }
    }
}

fn name(curve: &Curve, (x, y): Place, height: f64, sheet: &mut Sheet) {
    let from = x + NAME_GAP;
    let label = cut(&curve.label, 12.0, true, WIDTH - MARGIN / 2.0 - from);
    if (height - y).abs() > 4.0 {
        sheet.path(vec![(x + 2.0, y), (from - 2.0, height)], ink(curve), 0.75);
    }
    let ink = curve.colour.map_or(Ink::Muted, Ink::Name);
    sheet.words(label, (from, height), Anchor::Start, Style::name(ink));
}

/// Sorted heights with a distance of at least [`NAMES_APART`], as close to `wished` as possible, none below `bottom`.
fn apart(wished: &[f64], top: f64, bottom: f64) -> Vec<f64> {
    let mut heights = wished.to_vec();
    // Two neighbours that overlap are each moved by half of the overlap, until none overlap.
    for _ in 0..200 {
        let mut moved = false;
        for at in 1..heights.len() {
            let lacks = NAMES_APART - (heights[at] - heights[at - 1]);
            if lacks > 0.01 {
                heights[at - 1] -= lacks / 2.0;
                heights[at] += lacks / 2.0;
                moved = true;
            }
        }
        if let Some(first) = heights.first_mut() {
            *first = first.max(top - 6.0);
        }
        if let Some(last) = heights.last_mut() {
            *last = last.min(bottom);
        }
        if !moved {
            break;
        }
    }
    heights
}

#[cfg(test)]
mod tests {
    use super::super::plot::{Axis, Unit};
    use super::*;

    /// Vertical distance of the names of two lines at height 20; one line ends at `end`, the other at 2.
    fn names_apart(end: f64) -> f64 {
        let curve = |label: &str, end| Curve {
            label: label.into(),
            colour: Some(0),
            points: vec![Point::bare(0.0, 20.0), Point::bare(end, 20.0)],
            dots: true,
            knee: None,
        };
        let curves = vec![curve("a name of some length", end), curve("another such name", 2.0)];
        let panel = Panel { y: Axis::linear("y", Unit::Count), height: 200.0, curves, ideal: None };
        let lines = Lines { x: Axis::linear("x", Unit::Usd), panels: vec![panel], shades: Vec::new() };
        let mut sheet = Sheet::default();
        layout(&lines, 0.0, &mut sheet);
        let heights: Vec<f64> = sheet
            .marks
            .iter()
            .filter_map(|mark| match mark {
                Mark::Words { text, at, .. } if text.contains("name") => Some(at.1),
                _ => None,
            })
            .collect();
        (heights[0] - heights[1]).abs()
    }

    #[test]
    fn a_name_that_reaches_into_another_is_moved_away() {
        assert!(names_apart(2.0) >= NAMES_APART - 0.1);
        assert!(names_apart(1.7) >= NAMES_APART - 0.1);
        assert!(names_apart(1.0) < 0.1);
    }

    #[test]
    fn names_are_moved_apart_and_stay_inside() {
        let heights = apart(&[100.0, 101.0, 102.0, 180.0, 199.0], 0.0, 200.0);
        assert!(heights.windows(2).all(|pair| pair[1] - pair[0] >= NAMES_APART - 0.1), "{heights:?}");
        assert!(heights[0] >= 80.0 && heights[4] <= 200.0, "{heights:?}");
        assert_eq!(apart(&[10.0, 100.0], 0.0, 200.0), [10.0, 100.0]);
        let crowded = apart(&[200.0, 200.0, 200.0], 0.0, 200.0);
        assert!((crowded[0] - 170.0).abs() < 0.5 && crowded[2] == 200.0, "{crowded:?}");
    }
}
