//! `Sheet`: a chart as marks on a page, in pixels. SVG and PNG are drawn from it.

use super::text::{cut, width};

/// Width of a chart in pixels.
pub(super) const WIDTH: f64 = 800.0;

/// Width of its drawing for a phone, in pixels.
pub(super) const NARROW: f64 = 360.0;

/// Factor for viewers that lack the built-in font and use a wider one.
pub(super) const SLACK: f64 = 1.08;

/// Number of steps in a pixel. Files contain positions as whole steps, which is fine enough for any screen.
pub(super) const STEPS: f64 = 4.0;

/// The marks, from the lowest layer to the highest.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sheet {
    pub width: f64,
    pub height: f64,
    pub marks: Vec<Mark>,
}

/// A position in pixels, from the upper left corner to the right and down.
pub(super) type Place = (f64, f64);

/// The position in whole steps.
pub(super) fn step((x, y): Place) -> (i32, i32) {
    ((x * STEPS).round() as i32, (y * STEPS).round() as i32)
}

/// A mark.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Mark {
    /// A line through these positions.
    Path { through: Vec<Place>, ink: Ink, width: f64 },
    /// A filled polygon.
    Area { around: Vec<Place>, ink: Ink, alpha: f64 },
    /// A filled rectangle between two corners.
    Rect { from: Place, to: Place, ink: Ink, alpha: f64 },
    /// A filled circle.
    Dot { at: Place, radius: f64, ink: Ink },
    /// A text whose middle line is at the height of `at`.
    Words { text: String, at: Place, anchor: Anchor, em: f64, bold: bool, ink: Ink },
}

/// The part of a text that is at its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// The purposes of colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Paper,
    Title,
    Muted,
    Grid,
    /// A line that is only for comparison.
    Ideal,
    /// The time of a fault.
    Fault,
    /// A line, an area or a bar.
    Series(usize),
    /// The name of such a line, area or bar, dark enough to be read.
    Name(usize),
}

/// The colours of Okabe and Ito (2008), which people with any kind of colour vision can tell apart; without yellow,
/// which is invisible on white.
const SERIES: [u32; 7] = [0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x4D4D4D];

/// Darker versions for text on white, with a contrast of 4.5 (WCAG AA).
const NAMES: [u32; 7] = [0x0070AF, 0xB34F00, 0x007857, 0xA0527D, 0x8A6000, 0x1F729F, 0x4B4B4B];

/// The colours of series and of names on a dark background.
const DARK_SERIES: [u32; 7] = [0x4DA6E0, 0xF0803C, 0x2DBE93, 0xD994B8, 0xE69F00, 0x8CCBF0, 0xB0B5BD];

/// Each colour of a chart on white, with the colour that replaces it on a dark background. The background itself comes
/// first.
#[must_use]
pub fn colours() -> Vec<(u32, u32)> {
    let plain = [
        (Ink::Paper, 0x14171C),
        (Ink::Title, 0xE6E9EE),
        (Ink::Muted, 0xA4ADBA),
        (Ink::Grid, 0x2A303A),
        (Ink::Ideal, 0x5D6573),
        (Ink::Fault, 0xFF9A5C),
    ];
    let series = DARK_SERIES.into_iter().enumerate();
    let series = series.flat_map(|(index, dark)| [(Ink::Series(index), dark), (Ink::Name(index), dark)]);
    plain.into_iter().chain(series).map(|(ink, dark)| (ink.rgb(), dark)).collect()
}

impl Ink {
    /// Red, green and blue, one byte each.
    pub(super) const fn rgb(self) -> u32 {
        match self {
            Ink::Paper => 0xFFFFFF,
            Ink::Title => 0x1F2937,
            Ink::Muted => 0x5B6472,
            Ink::Grid => 0xE5E7EB,
            Ink::Ideal => 0xBFC4CC,
            Ink::Fault => 0xD55E01,
            Ink::Series(index) => SERIES[index % SERIES.len()],
            Ink::Name(index) => NAMES[index % NAMES.len()],
        }
    }
}

impl Sheet {
    /// An empty page of this width.
    pub(super) const fn new(width: f64) -> Sheet {
        Sheet { width, height: 0.0, marks: Vec::new() }
    }

    /// Whether it is for a phone: there is no room beside the picture for names.
    pub(super) fn is_narrow(&self) -> bool {
        self.width < WIDTH
    }

    /// Free space at each side, in pixels.
    pub(super) fn margin(&self) -> f64 {
        if self.is_narrow() { 8.0 } else { 20.0 }
    }

    /// Writes coloured names one after the other, in one or more lines. Returns the y position below them.
    pub(super) fn legend(&mut self, names: &[(&str, Ink)], top: f64) -> f64 {
        let (mut x, mut y) = (self.margin(), top + 8.0);
        let style = Style { em: 12.0, bold: false, ink: Ink::Title };
        for (name, ink) in names {
            let name = cut(name, style.em, false, self.width - 2.0 * self.margin() - 18.0);
            let wide = 18.0 + width(&name, style.em, false) * SLACK;
            if x + wide > self.width - self.margin() && x > self.margin() {
                (x, y) = (self.margin(), y + 19.0);
            }
            self.rect((x, y - 6.0), (x + 12.0, y + 6.0), *ink, 1.0);
            self.words(name, (x + 18.0, y), Anchor::Start, style);
            x += wide + 18.0;
        }
        y + 20.0
    }

    pub(super) fn path(&mut self, through: Vec<Place>, ink: Ink, width: f64) {
        self.marks.push(Mark::Path { through, ink, width });
    }

    pub(super) fn rect(&mut self, from: Place, to: Place, ink: Ink, alpha: f64) {
        self.marks.push(Mark::Rect { from, to, ink, alpha });
    }

    pub(super) fn words(&mut self, text: impl Into<String>, at: Place, anchor: Anchor, style: Style) {
        let Style { em, bold, ink } = style;
        self.marks.push(Mark::Words { text: text.into(), at, anchor, em, bold, ink });
    }
}

/// The style of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub em: f64,
    pub bold: bool,
    pub ink: Ink,
}

impl Style {
    /// Numbers and labels at axes.
    pub(super) const SMALL: Style = Style { em: 12.0, bold: false, ink: Ink::Muted };

    /// The name of a line.
    pub(super) const fn name(ink: Ink) -> Style {
        Style { em: 12.0, bold: true, ink }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance (WCAG 2).
    fn luminance(rgb: u32) -> f64 {
        let channel = |shift: u32| {
            let part = f64::from(rgb >> shift & 0xFF) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { libm::pow((part + 0.055) / 1.055, 2.4) }
        };
        0.2126 * channel(16) + 0.7152 * channel(8) + 0.0722 * channel(0)
    }

    #[test]
    fn words_can_be_read_on_paper() {
        let inks = (0..NAMES.len()).map(Ink::Name).chain([Ink::Title, Ink::Muted]);
        for ink in inks {
            let contrast = 1.05 / (luminance(ink.rgb()) + 0.05);
            assert!(contrast >= 4.5, "{ink:?} {contrast}");
        }
    }
}
