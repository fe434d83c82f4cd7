//! Sheets as SVG and PNG: the same marks, drawn by plotters without any system library.

use plotters::backend::{BitMapBackend, DrawingBackend, SVGBackend};
use plotters::coord::Shift;
use plotters::element::{Circle, PathElement, Polygon, Rectangle, Text};
use plotters::prelude::{DrawingArea, IntoDrawingArea};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, TextStyle};

use super::sheet::{Anchor, Ink, Mark, Place, Sheet, WIDTH};
use super::text::font;

/// Steps of a pixel: plotters knows whole numbers only.
const STEPS: f64 = 4.0;

/// Steps of a pixel of the picture, a side: it has twice as many pixels as the page, for screens that are fine.
const FINE: usize = 2;

/// The SVG document of a sheet; `title` and `description` are for readers who do not see it.
pub(super) fn svg(sheet: &Sheet, title: &str, description: &str) -> String {
    let size = size(sheet);
    let mut drawn = String::new();
    draw(sheet, SVGBackend::with_string(&mut drawn, size).into_drawing_area());
    let (_, body) = drawn.split_once(">\n").expect("plotters opens with the svg element");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" \
         aria-label=\"{}\">\n<title>{}</title>\n<desc>{}</desc>\n{}\n",
        sheet.height,
        size.0,
        size.1,
        escaped(title),
        escaped(title),
        escaped(description),
        body.trim_end().replace(" \"", "\"").replace(" opacity=\"1\"", "").replace("\n<text", "<text")
    )
}

/// The text as it may stand in an element or an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 has no way to write the others.
            control if control.is_control() && control != '\n' && control != '\t' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// The sheet as a PNG file of twice its size.
pub(super) fn png(sheet: &Sheet) -> Vec<u8> {
    let (wide, high) = size(sheet);
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

/// Averages of squares of pixels, which smooths all edges.
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

fn size(sheet: &Sheet) -> (u32, u32) {
    ((WIDTH * STEPS) as u32, (sheet.height * STEPS) as u32)
}

fn step((x, y): Place) -> (i32, i32) {
    ((x * STEPS).round() as i32, (y * STEPS).round() as i32)
}

fn steps(places: &[Place]) -> Vec<(i32, i32)> {
    places.iter().copied().map(step).collect()
}

fn colour(ink: Ink) -> RGBColor {
    let [_, red, green, blue] = ink.rgb().to_be_bytes();
    RGBColor(red, green, blue)
}

/// Draws everything; memory cannot fail to take it.
fn draw<B: DrawingBackend>(sheet: &Sheet, area: DrawingArea<B, Shift>) {
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
                area.draw(&Text::new(text.clone(), step(*at), style)).expect(TAKEN);
            }
        }
    }
    area.present().expect(TAKEN);
}

#[cfg(test)]
mod tests {
    use super::super::sheet::Style;
    use super::*;

    fn sheet() -> Sheet {
        let mut sheet = Sheet { height: 100.0, ..Sheet::default() };
        sheet.path(vec![(10.0, 90.0), (700.0, 10.5)], Ink::Series(0), 2.0);
        sheet.words("<b> & \"c\"", (20.0, 20.0), Anchor::Start, Style::SMALL);
        sheet
    }

    #[test]
    fn an_svg_is_escaped_and_scaled() {
        let text = svg(&sheet(), "a < b", "'x'");
        assert!(text.starts_with(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"100\" viewBox=\"0 0 3200 400\""
        ));
        assert!(text.contains("<title>a &lt; b</title>\n<desc>&#39;x&#39;</desc>"), "{text}");
        assert!(text.contains("&lt;b&gt; &amp; &quot;c&quot;") && !text.contains("<b>"), "{text}");
        assert!(text.trim_end().ends_with("</svg>") && text.contains("points=\"40,360 2800,42\""), "{text}");
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
}
