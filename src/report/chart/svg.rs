//! Sheets as SVG: one element for each mark.

use super::sheet::{Anchor, Ink, Mark, Place, STEPS, Sheet, step};
use super::text::FAMILY;

/// The SVG document of a sheet; `title` and `description` are for readers who do not see it. Its unit is a quarter of a
/// pixel, so that all positions are integers.
pub(super) fn svg(sheet: &Sheet, title: &str, description: &str) -> String {
    let (title, description) = (escaped(title), escaped(description));
    let (wide, high) = step((sheet.width, sheet.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {wide} {high}\" \
         font-family=\"{FAMILY}\" role=\"img\" aria-label=\"{title}\">\n\
         <title>{title}</title>\n<desc>{description}</desc>\n\
         <rect x=\"0\" y=\"0\" width=\"{wide}\" height=\"{high}\" {}/>\n",
        sheet.width,
        sheet.height,
        fill(Ink::Paper, 1.0),
    );
    for mark in &sheet.marks {
        out.push_str(&element(mark));
        out.push('\n');
    }
    out + "</svg>\n"
}

fn element(mark: &Mark) -> String {
    match mark {
        Mark::Path { through, ink, width } => {
            let (points, colour, width) = (points(through), colour(*ink), (width * STEPS).round());
            format!(
                "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
            )
        }
        Mark::Area { around, ink, alpha } => {
            format!("<polygon points=\"{}\" {}/>", points(around), fill(*ink, *alpha))
        }
        Mark::Rect { from, to, ink, alpha } => {
            let ((x1, y1), (x2, y2)) = (step(*from), step(*to));
            let (x, y, wide, high) = (x1.min(x2), y1.min(y2), (x2 - x1).abs(), (y2 - y1).abs());
            let fill = fill(*ink, *alpha);
            format!("<rect x=\"{x}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\" {fill}/>")
        }
        Mark::Dot { at, radius, ink } => {
            let ((x, y), radius) = (step(*at), (radius * STEPS).round());
            format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {}/>", fill(*ink, 1.0))
        }
        Mark::Words { text, at, anchor, em, bold, ink } => {
            let ((x, y), em, text, fill) = (step(*at), (em * STEPS).round(), escaped(text), fill(*ink, 1.0));
            let anchor = match anchor {
                Anchor::Start => "start",
                Anchor::Middle => "middle",
                Anchor::End => "end",
            };
            let weight = if *bold { " font-weight=\"bold\"" } else { "" };
            // Lowered by half the height of a small letter, so that the middle line of the text is at `y`.
            format!(
                "<text x=\"{x}\" y=\"{y}\" dy=\"0.5ex\" text-anchor=\"{anchor}\" font-size=\"{em}\"{weight} {fill}>\
                 {text}</text>"
            )
        }
    }
}

fn points(places: &[Place]) -> String {
    let places = places.iter().copied().map(step);
    places.map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

fn colour(ink: Ink) -> String {
    format!("#{:06X}", ink.rgb())
}

fn fill(ink: Ink, alpha: f64) -> String {
    let opacity = if alpha < 1.0 { format!(" opacity=\"{alpha}\"") } else { String::new() };
    format!("fill=\"{}\"{opacity}", colour(ink))
}

/// The text, escaped for an element or an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML 1.0 cannot represent other control characters.
            control if control.is_control() && control != '\n' && control != '\t' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::sheet::{Style, WIDTH};
    use super::*;

    #[test]
    fn a_document_is_escaped_and_scaled() {
        let mut sheet = Sheet { height: 100.0, ..Sheet::new(WIDTH) };
        sheet.path(vec![(10.0, 90.0), (700.0, 10.5)], Ink::Series(0), 2.0);
        sheet.words("<b> & \"c\"", (20.0, 20.0), Anchor::Start, Style::SMALL);
        let text = svg(&sheet, "a < b", "'x'");
        assert!(text.starts_with(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"100\" viewBox=\"0 0 3200 400\""
        ));
        assert!(text.contains("<title>a &lt; b</title>\n<desc>&#39;x&#39;</desc>"), "{text}");
        assert!(text.contains(">&lt;b&gt; &amp; &quot;c&quot;</text>") && !text.contains("<b>"), "{text}");
        assert!(text.trim_end().ends_with("</svg>") && text.contains("points=\"40,360 2800,42\""), "{text}");
    }

    #[test]
    fn every_mark_has_its_element() {
        let ink = Ink::Fault;
        for (mark, expected) in [
            (
                Mark::Area { around: vec![(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)], ink, alpha: 0.2 },
                "<polygon points=\"0,0 4,0 0,4\" fill=\"#D55E01\" opacity=\"0.2\"/>",
            ),
            (
                Mark::Rect { from: (5.0, 9.0), to: (3.0, 6.0), ink, alpha: 1.0 },
                "<rect x=\"12\" y=\"24\" width=\"8\" height=\"12\" fill=\"#D55E01\"/>",
            ),
            (
                Mark::Dot { at: (1.0, 2.0), radius: 3.5, ink },
                "<circle cx=\"4\" cy=\"8\" r=\"14\" fill=\"#D55E01\"/>",
            ),
        ] {
            assert_eq!(element(&mark), expected);
        }
    }
}
