//! The layout of lines in panels: the position of each mark.

mod marks;

use super::plot::{Curve, Goal, Lines, Panel, Point, Scale, Shade};
use super::scale::Ruler;
use super::sheet::{Anchor, Ink, Mark, Place, SLACK, Sheet, Style};
use super::text::{cut, width};

/// Height of a line of small text, in pixels.
const ROW: f64 = 17.0;

/// Largest width of the name of a line, in pixels.
const NAME_MAX: f64 = 190.0;

/// Smallest vertical distance between two names of lines, in pixels.
const NAMES_APART: f64 = 15.0;

/// Distance from the end of a line to its name, in pixels.
const NAME_GAP: f64 = 9.0;

/// Factor by which a band may extend a logarithmic axis above and below the value.
const BAND_REACH: f64 = 2.0;

/// A goal that is higher than the highest value by more than this factor is not on the picture.
const GOAL_REACH: f64 = 4.0;

/// Opacity of bands and of shades.
const BAND: f64 = 0.15;
const SHADE: f64 = 0.10;
const UNMEASURED: f64 = 0.30;

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
    let (left, right) = sides(lines, &rulers, sheet);
    let above = Frame { x: &x, y: rulers[0].clone(), left, right, top, bottom: top };
    let marked = marks::Marked::of(lines, &above, sheet);
    let mut top = top + marked.height();
    marked.draw(&above, sheet);
    let last = lines.panels.len().saturating_sub(1);
    for (at, (panel, y)) in lines.panels.iter().zip(rulers).enumerate() {
        sheet.words(&panel.y.label, (sheet.margin(), top + ROW / 2.0), Anchor::Start, Style::SMALL);
        top += ROW + 9.0;
        if sheet.is_narrow() {
            top = legend(panel, top, sheet);
        }
        let frame = Frame { x: &x, y, left, right, top, bottom: top + panel.height };
        shades(&lines.shades, &frame, sheet);
        grid(panel, &frame, at == last, sheet);
        lines.events.iter().for_each(|event| marks::stem(event, &frame, sheet));
        curves(panel, &frame, sheet);
        panel.goals.iter().for_each(|goal| level(goal, &frame, sheet));
        top = frame.bottom + 14.0;
        if at == last {
            x_axis(lines, &frame, sheet);
        }
    }
    sheet.height = marked.list(top + 2.0 * ROW + 8.0, sheet);
}

/// The names of a panel's curves above it, where there is no room beside it.
fn legend(panel: &Panel, top: f64, sheet: &mut Sheet) -> f64 {
    let named = panel.curves.iter().filter(|curve| !curve.label.is_empty());
    let names: Vec<(&str, Ink)> = named.map(|curve| (curve.label.as_str(), ink(curve))).collect();
    if names.is_empty() { top } else { sheet.legend(&names, top - 9.0) }
}

/// A dashed line at a value that was to be kept, with its text.
fn level(goal: &Goal, frame: &Frame<'_>, sheet: &mut Sheet) {
    const DASH: f64 = 6.0;
    let ink = if goal.missed { Ink::Fault } else { Ink::Muted };
    let y = frame.down(goal.value);
    let (from, to) = goal.part.map_or((frame.left, frame.right), |(from, to)| {
        let across = |x| frame.across(x).clamp(frame.left, frame.right);
        (across(from), across(to).max(across(from) + DASH))
    });
    let mut x = from;
    while x < to {
        sheet.path(vec![(x, y), ((x + DASH).min(to), y)], ink, 1.25);
        x += 2.0 * DASH;
    }
    let label = cut(&goal.label, Style::SMALL.em, false, frame.right - frame.left);
    let wide = width(&label, Style::SMALL.em, false) * SLACK;
    let at = from.min(frame.right - wide);
    let ink = if goal.missed { Ink::Name(1) } else { Ink::Muted };
    sheet.words(label, (at, y - 8.0), Anchor::Start, Style { ink, ..Style::SMALL });
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
    // A goal belongs on the picture, unless it is so far away that nothing else could be seen.
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    let most = values.iter().copied().fold(0.0, f64::max);
    let goals = panel.goals.iter().map(|goal| goal.value).filter(|value| *value <= GOAL_REACH * most);
    Ruler::around(&panel.y, values.iter().copied().chain(goals)).with_room()
}

/// The left and the right end of all panels. Labels of ticks are left of them, names of lines right.
fn sides(lines: &Lines, rulers: &[Ruler], sheet: &Sheet) -> (f64, f64) {
    let panels = || lines.panels.iter().zip(rulers);
    let ticks = panels().flat_map(|(panel, ruler)| ruler.ticks(rows(panel)));
    let widest = ticks.map(|(_, text)| width(&text, Style::SMALL.em, false)).fold(0.0, f64::max);
    let names = lines.panels.iter().flat_map(|panel| &panel.curves);
    let longest = names.map(|curve| width(&curve.label, 12.0, true) * SLACK).fold(0.0, f64::max);
    let beside = if sheet.is_narrow() { 4.0 } else { NAME_GAP + longest.clamp(12.0, NAME_MAX) };
    (sheet.margin() + widest * SLACK + 8.0, sheet.width - sheet.margin() - beside)
}

fn rows(panel: &Panel) -> usize {
    ((panel.height / 42.0) as usize).max(2)
}

fn shades(all: &[Shade], frame: &Frame<'_>, sheet: &mut Sheet) {
    for shade in all {
        let from = frame.across(shade.from).clamp(frame.left, frame.right);
        // A fault without duration must be visible too.
        let to = frame.across(shade.to).clamp(from + 1.0, frame.right.max(from + 1.0));
        let (ink, alpha) = if shade.is_fault { (Ink::Fault, SHADE) } else { (Ink::Ideal, UNMEASURED) };
        sheet.rect((from, frame.top), (to, frame.bottom), ink, alpha);
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
        let from = frame.x.low().max(frame.y.low() / slope);
        let to = frame.x.high().min(frame.y.high() / slope);
        sheet.path(vec![frame.at(from, slope * from), frame.at(to, slope * to)], Ink::Ideal, 1.5);
    }
}

fn x_axis(lines: &Lines, frame: &Frame<'_>, sheet: &mut Sheet) {
    let apart = if sheet.is_narrow() { 55.0 } else { 75.0 };
    let most = ((frame.right - frame.left) / apart) as usize;
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
    for (at, curve) in panel.curves.iter().enumerate() {
        line(curve, &panel.curves[..at], frame, sheet);
    }
    let dots = panel.curves.iter().flat_map(|curve| &curve.points).filter(|point| point.y.is_finite());
    let around = |(x, y): Place| ((x - 4.0, y - 4.0), (x + 4.0, y + 4.0));
    let mut taken: Vec<(Place, Place)> = dots.map(|point| around(frame.at(point.x, point.y))).collect();
    panel.curves.iter().for_each(|curve| texts(curve, frame, &mut taken, sheet));
    if !sheet.is_narrow() {
        names(panel, frame, sheet);
    }
}

fn ink(curve: &Curve) -> Ink {
    curve.colour.map_or(Ink::Ideal, Ink::Series)
}

/// Parts of the curve without a gap.
fn stretches(curve: &Curve) -> impl Iterator<Item = &[Point]> {
    curve.points.split(|point| !point.y.is_finite()).filter(|stretch| !stretch.is_empty())
}

fn band(curve: &Curve, frame: &Frame<'_>, sheet: &mut Sheet) {
    if curve.bars {
        return bars(curve, frame, sheet);
    }
    for stretch in stretches(curve).filter(|stretch| stretch.iter().any(|point| point.low < point.high)) {
        let above = stretch.iter().map(|point| frame.at(point.x, point.high));
        let below = stretch.iter().rev().map(|point| frame.at(point.x, point.low));
        let around: Vec<Place> = above.chain(below).collect();
        sheet.marks.push(Mark::Area { around, ink: ink(curve), alpha: BAND });
    }
}

/// The intervals as bars at the points.
fn bars(curve: &Curve, frame: &Frame<'_>, sheet: &mut Sheet) {
    for point in curve.points.iter().filter(|point| point.low < point.high) {
        sheet.path(vec![frame.at(point.x, point.low), frame.at(point.x, point.high)], ink(curve), 1.5);
    }
}

/// Writes the texts of a curve's points below them, those that do not touch an earlier text of any curve.
fn texts(curve: &Curve, frame: &Frame<'_>, taken: &mut Vec<(Place, Place)>, sheet: &mut Sheet) {
    let style = Style { em: 11.0, ..Style::SMALL };
    for (point, text) in curve.points.iter().zip(&curve.texts).filter(|(point, _)| point.y.is_finite()) {
        let (x, y) = frame.at(point.x, point.y);
        let wide = width(text, style.em, false) * SLACK / 2.0 + 2.0;
        let fits = |y: f64| {
            let (low, high) = ((x - wide, y - 7.0), (x + wide, y + 7.0));
            let is_apart = |(from, to): &(Place, Place)| {
                high.0 <= from.0 || to.0 <= low.0 || high.1 <= from.1 || to.1 <= low.1
            };
            let is_inside = low.0 >= frame.left && high.0 <= frame.right && high.1 <= frame.bottom;
            (is_inside && low.1 >= frame.top && taken.iter().all(is_apart)).then_some((low, high))
        };
        if let Some((at, area)) = [y + 13.0, y - 13.0].into_iter().find_map(|at| Some((at, fits(at)?))) {
            sheet.words(text, (x, at), Anchor::Middle, style);
            taken.push(area);
        }
    }
}

/// Draws a line over those of `under`. Where it lies on one of them it is dashed, and its dots are small, so that both can be
/// seen.
fn line(curve: &Curve, under: &[Curve], frame: &Frame<'_>, sheet: &mut Sheet) {
    const DASH: f64 = 7.0;
    let wide = if curve.colour.is_some() { 2.25 } else { 1.75 };
    let hides = |point: &Point| {
        let same =
            |other: &Point| other.x == point.x && (frame.down(other.y) - frame.down(point.y)).abs() < wide;
        under.iter().any(|curve| curve.points.iter().any(same))
    };
    for stretch in stretches(curve) {
        if let [lone] = stretch {
            sheet.marks.push(Mark::Dot { at: frame.at(lone.x, lone.y), radius: 2.5, ink: ink(curve) });
        }
        // Windows of a timeline are drawn in one go: only lines with dots are compared.
        let hidden: Vec<bool> = stretch.iter().map(|point| curve.dots && hides(point)).collect();
        let mut from = 0;
        while from + 1 < stretch.len() {
            let is_hidden = |at: usize| hidden[at] && hidden[at + 1];
            let alike = (from..stretch.len() - 1).take_while(|at| is_hidden(*at) == is_hidden(from)).count();
            let through: Vec<Place> =
                stretch[from..=from + alike].iter().map(|point| frame.at(point.x, point.y)).collect();
            if is_hidden(from) {
                for ends in through.windows(2) {
                    dashes(ends[0], ends[1], DASH, (ink(curve), wide), sheet);
                }
            } else {
                sheet.path(through, ink(curve), wide);
            }
            from += alike;
        }
    }
    for (index, point) in curve.points.iter().enumerate().filter(|(_, point)| point.y.is_finite()) {
        let at = frame.at(point.x, point.y);
        if curve.knee == Some(index) {
            sheet.marks.push(Mark::Dot { at, radius: 7.5, ink: ink(curve) });
            sheet.marks.push(Mark::Dot { at, radius: 5.5, ink: Ink::Paper });
        }
        if curve.dots {
            let radius = if hides(point) { 2.0 } else { 3.5 };
            sheet.marks.push(Mark::Dot { at, radius, ink: ink(curve) });
        }
    }
}

/// A dashed line between two places.
fn dashes(from: Place, to: Place, dash: f64, (ink, wide): (Ink, f64), sheet: &mut Sheet) {
    let long = libm::hypot(to.0 - from.0, to.1 - from.1);
    let at = |part: f64| (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
    let mut begin = 0.0;
    while begin < long {
        sheet.path(vec![at(begin / long), at(((begin + dash) / long).min(1.0))], ink, wide);
        begin += 2.0 * dash;
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
        let wished: Vec<f64> =
            beside.iter().map(|(at, curve)| free_height(*at, curve, panel, frame)).collect();
        for ((at, curve), height) in beside.iter().zip(apart(&wished, frame.top, frame.bottom)) {
            name(curve, *at, height, sheet);
        }
    }
}

/// The height nearest to the end of a line at which its name lies on no other line.
fn free_height((x, y): Place, curve: &Curve, panel: &Panel, frame: &Frame<'_>) -> f64 {
    const HALF: f64 = 9.0;
    let (from, to) = (x, x + NAME_GAP + width(&curve.label, 12.0, true) * SLACK);
    let others = panel.curves.iter().filter(|other| other.label != curve.label);
    let points = others.flat_map(|other| &other.points).filter(|point| point.y.is_finite());
    let near: Vec<Place> = points.map(|point| frame.at(point.x, point.y)).collect();
    // A name at the right end of all lines is beside them.
    let taken: Vec<f64> = near.iter().filter(|at| at.0 > from + 2.0 && at.0 < to).map(|at| at.1).collect();
    let is_free = |height: &f64| taken.iter().all(|other| (other - height).abs() > HALF);
    let steps = (0..6).flat_map(|step| [y + 6.0 * f64::from(step), y - 6.0 * f64::from(step)]);
    steps.into_iter().find(is_free).unwrap_or(y)
}

fn name(curve: &Curve, (x, y): Place, height: f64, sheet: &mut Sheet) {
    let from = x + NAME_GAP;
    let label = cut(&curve.label, 12.0, true, sheet.width - sheet.margin() / 2.0 - from);
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
    use super::super::sheet::WIDTH;
    use super::*;

    /// Vertical distance of the names of two lines at height 20; one line ends at `end`, the other at 2.
    fn names_apart(end: f64) -> f64 {
        let curve = |label: &str, end| Curve {
            label: label.into(),
            colour: Some(0),
            points: vec![Point::bare(0.0, 20.0), Point::bare(end, 20.0)],
            dots: true,
            ..Curve::default()
        };
        let curves = vec![curve("a name of some length", end), curve("another such name", 2.0)];
        let panel = Panel::new(Axis::linear("y", Unit::Count), 200.0, curves);
        let lines = Lines::new(Axis::linear("x", Unit::Usd), vec![panel]);
        let mut sheet = Sheet::new(WIDTH);
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
