//! Sheets as PNG: their marks drawn by plotters, without any system library.

use std::sync::LazyLock;

use plotters::backend::BitMapBackend;
use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, RGBColor, TextStyle, register_font};

use super::sheet::{Anchor, Ink, Mark, Place, STEPS, Sheet, step};
use super::text::{BOLD, FAMILY, REGULAR, SIZE_OF_EM};

/// How far plotters draws a text too high, in ems: its middle is that of the whole line, while a text is placed by the
/// middle of its small letters.
const LOWER: f64 = 0.16;

/// Number of steps along a side of a pixel of the picture. The picture has twice as many pixels as the page, for fine
/// screens.
const FINE: usize = 2;

/// The sheet as a PNG file with twice its width and height.
pub(super) fn png(sheet: &Sheet) -> Vec<u8> {
    let (wide, high) = step((sheet.width, sheet.height));
    let (wide, high) = (wide as usize, high as usize);
    let mut fine = vec![0; wide * high * 3];
    draw(sheet, BitMapBackend::with_buffer(&mut fine, (wide as u32, high as u32)).into_drawing_area());
    let small = shrunk(&fine, wide, high);
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, (wide / FINE) as u32, (high / FINE) as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let mut writer = encoder.write_header().expect("memory takes all");
    writer.write_image_data(&small).expect("memory takes all");
    writer.finish().expect("memory takes all");
    file
}

/// Averages the pixels of each square, which smooths edges.
fn shrunk(fine: &[u8], wide: usize, high: usize) -> Vec<u8> {
    let mut small = Vec::with_capacity(fine.len() / (FINE * FINE));
    for row in 0..high / FINE {
        for column in 0..wide / FINE {
            for channel in 0..3 {
                let at = |dx: usize, dy: usize| {
                    usize::from(fine[((row * FINE + dy) * wide + column * FINE + dx) * 3 + channel])
                };
                let sum: usize = (0..FINE * FINE).map(|n| at(n % FINE, n / FINE)).sum();
                small.push((sum / (FINE * FINE)) as u8);
            }
        }
    }
    small
}

fn steps(places: &[Place]) -> Vec<(i32, i32)> {
    places.iter().copied().map(step).collect()
}

/// Registers both weights of the font. This happens when the first picture is drawn, so that other commands do not wait
/// for it.
static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
    [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD)]
        .into_iter()
        .all(|(style, bytes)| register_font(FAMILY, style, bytes).is_ok())
});

/// The font whose em has `em` steps.
fn font(em: f64, bold: bool) -> FontDesc<'static> {
    assert!(*REGISTERED, "the font that ships can be read");
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::Name(FAMILY), em * SIZE_OF_EM, style)
}

fn colour(ink: Ink) -> RGBColor {
    let [_, red, green, blue] = ink.rgb().to_be_bytes();
    RGBColor(red, green, blue)
}

/// Draws all marks into memory, which cannot fail.
fn draw(sheet: &Sheet, area: DrawingArea<BitMapBackend<'_>, Shift>) {
    const TAKEN: &str = "memory takes all marks";
    area.fill(&colour(Ink::Paper)).expect(TAKEN);
    for mark in &sheet.marks {
        match mark {
            Mark::Path { through, ink, width } => {
                let stroke = colour(*ink).stroke_width((width * STEPS).round() as u32);
                area.draw(&PathElement::new(steps(through), stroke)).expect(TAKEN);
            }
            Mark::Area { around, ink, alpha } => {
                area.draw(&Polygon::new(steps(around), colour(*ink).mix(*alpha).filled())).expect(TAKEN);
            }
            Mark::Rect { from, to, ink, alpha } => {
                let fill = colour(*ink).mix(*alpha).filled();
                area.draw(&Rectangle::new([step(*from), step(*to)], fill)).expect(TAKEN);
            }
            Mark::Dot { at, radius, ink } => {
                let radius = (radius * STEPS).round() as i32;
                area.draw(&Circle::new(step(*at), radius, colour(*ink).filled())).expect(TAKEN);
            }
            Mark::Words { text, at, anchor, em, bold, ink } => {
                let held = match anchor {
                    Anchor::Start => HPos::Left,
                    Anchor::Middle => HPos::Center,
                    Anchor::End => HPos::Right,
                };
                let ink = colour(*ink);
                let style = TextStyle::from(font(em * STEPS, *bold)).color(&ink);
                let style = style.pos(Pos::new(held, VPos::Center));
                let (x, y) = step(*at);
                let lower = (LOWER * em * STEPS).round() as i32;
                area.draw(&Text::new(text.clone(), (x, y + lower), style)).expect(TAKEN);
            }
        }
    }
    area.present().expect(TAKEN);
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Style, WIDTH};
    use super::super::text::width;
    use super::*;

    fn sheet() -> Sheet {
        let mut sheet = Sheet { height: 100.0, ..Sheet::new(WIDTH) };
        sheet.path(vec![(10.0, 90.0), (700.0, 10.5)], Ink::Series(0), 2.0);
        sheet.words("<b> & \"c\"", (20.0, 20.0), Anchor::Start, Style::SMALL);
        sheet
    }

    #[test]
    fn a_png_is_twice_the_size_and_the_same_each_time() {
        let file = png(&sheet());
        assert_eq!(file[..8], *b"\x89PNG\r\n\x1a\n");
        assert_eq!(
            (file[16..20].to_vec(), file[20..24].to_vec()),
            (1600u32.to_be_bytes().to_vec(), 200u32.to_be_bytes().to_vec())
        );
        assert_eq!(file, png(&sheet()));
    }

    /// The rows of the pixels of a text that is drawn at row 50, from the highest to the lowest, in pixels of the page.
    fn inked(text: &str) -> (f64, f64) {
        let mut sheet = Sheet { height: 100.0, ..Sheet::new(WIDTH) };
        sheet.words(text, (400.0, 50.0), Anchor::Middle, Style { em: 40.0, bold: false, ink: Ink::Title });
        let (wide, high) = (3200, 400);
        let mut fine = vec![0; wide * high * 3];
        draw(&sheet, BitMapBackend::with_buffer(&mut fine, (wide as u32, high as u32)).into_drawing_area());
        let is_dark = |row: &usize| fine[row * wide * 3..(row + 1) * wide * 3].iter().any(|&part| part < 128);
        let dark: Vec<usize> = (0..high).filter(is_dark).collect();
        (dark[0] as f64 / STEPS, (dark[dark.len() - 1] + 1) as f64 / STEPS)
    }

    #[test]
    fn the_middle_of_small_letters_is_where_the_text_is_placed() {
        let (top, bottom) = inked("x");
        assert!(((top + bottom) / 2.0 - 50.0).abs() < 0.5, "{top} {bottom}");
    }

    #[test]
    fn words_are_as_wide_as_the_layout_takes_them_to_be() {
        for (text, bold) in [("Throughput of web-1: 1,234 µs (95 %)", false), ("Steady → no “queue”", true)]
        {
            let (drawn, _) = font(1000.0, bold).box_size(text).expect("the font is registered");
            assert!((f64::from(drawn) - width(text, 1000.0, bold)).abs() < 2.0, "{text}: {drawn}");
        }
    }
}
