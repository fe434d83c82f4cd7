//! The font that ships with the program, and how wide its words are.

use std::sync::LazyLock;

use plotters::style::{FontDesc, FontFamily, FontStyle, register_font};

/// The family under which the font is registered. It stands in SVG files as it is, so that a viewer without the font
/// takes the next one.
const FAMILY: &str = "Inter, Helvetica, Arial, sans-serif";

static REGULAR: &[u8] = include_bytes!("../../../data/fonts/Inter-Regular.otf");
static BOLD: &[u8] = include_bytes!("../../../data/fonts/Inter-SemiBold.otf");

/// Registers both weights once, when the first chart is drawn: other commands must not wait for it.
static REGISTERED: LazyLock<bool> = LazyLock::new(|| {
    [(FontStyle::Normal, REGULAR), (FontStyle::Bold, BOLD)]
        .into_iter()
        .all(|(style, bytes)| register_font(FAMILY, style, bytes).is_ok())
});

/// The size of the em that plotters takes for one of these, so that pictures and SVG files agree.
const SIZE_OF_EM: f64 = 1.24;

/// The font at an em of so many pixels.
pub(super) fn font(em: f64, bold: bool) -> FontDesc<'static> {
    assert!(*REGISTERED, "the font that ships can be read");
    let style = if bold { FontStyle::Bold } else { FontStyle::Normal };
    FontDesc::new(FontFamily::Name(FAMILY), em * SIZE_OF_EM, style)
}

/// Width of a text at an em of so many pixels.
pub(super) fn width(text: &str, em: f64, bold: bool) -> f64 {
    // Widths are whole numbers: measured large, they are exact enough.
    let (wide, _) = font(1000.0, bold).box_size(text).expect("the font is registered");
    f64::from(wide) * em / 1000.0
}

/// The text in lines that are no wider; a single word may be.
pub(super) fn wrapped(text: &str, em: f64, bold: bool, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), em, bold) <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The text, cut so that it is no wider.
pub(super) fn cut(text: &str, em: f64, bold: bool, most: f64) -> String {
    if width(text, em, bold) <= most {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let shorter: String = kept.iter().chain(&['…']).collect();
        if width(&shorter, em, bold) <= most {
            return shorter;
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_are_those_of_the_font() {
        // Advances of Inter, of 2816 units an em: the figures of `hmtx`.
        assert!((width("nn", 2816.0, false) - 2.0 * width("n", 2816.0, false)).abs() < 6.0);
        assert!(width("mm", 12.0, true) > width("ii", 12.0, true));
        assert_eq!(width("", 12.0, false), 0.0);
    }

    #[test]
    fn lines_break_between_words_and_labels_end_in_dots() {
        let lines = wrapped("one two three four", 12.0, false, 60.0);
        assert!(lines.len() > 1 && lines.join(" ") == "one two three four");
        assert!(lines.iter().all(|line| width(line, 12.0, false) <= 60.0));
        let short = cut("a very long label of a box", 12.0, false, 80.0);
        assert!(short.ends_with('…') && width(&short, 12.0, false) <= 80.0, "{short}");
        assert_eq!(cut("web", 12.0, false, 80.0), "web");
    }
}
