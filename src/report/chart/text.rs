//! The built-in font, and the widths of its texts.

use std::sync::LazyLock;

use ttf_parser::Face;

/// The family of the font. SVG files contain the whole list, so that a viewer without the font uses the next one.
pub(super) const FAMILY: &str = "Inter, Helvetica, Arial, sans-serif";

pub(super) static REGULAR: &[u8] = include_bytes!("../../../data/fonts/Inter-Regular.otf");
pub(super) static BOLD: &[u8] = include_bytes!("../../../data/fonts/Inter-SemiBold.otf");

/// Both weights. They are read when the first chart is laid out, so that other commands do not wait for it.
static FACES: LazyLock<[Face<'static>; 2]> = LazyLock::new(|| {
    [REGULAR, BOLD].map(|bytes| Face::parse(bytes, 0).expect("the font that ships can be read"))
});

/// Height of a line, from the highest ascender to the lowest descender, in ems, with which plotters draws an em of 1.
/// The font's own height is 1.21, so the text of a picture is 2.5 % larger than that of an SVG file; the layout leaves
/// space for it.
pub(super) const SIZE_OF_EM: f64 = 1.24;

/// Width of a text in a picture, in pixels; an em has `em` pixels.
pub(super) fn width(text: &str, em: f64, bold: bool) -> f64 {
    let face = &FACES[usize::from(bold)];
    let advance = |character: char| {
        let glyph = face.glyph_index(character).unwrap_or_default();
        f64::from(face.glyph_hor_advance(glyph).unwrap_or_default())
    };
    text.chars().map(advance).sum::<f64>() * em * SIZE_OF_EM / f64::from(face.height())
}

/// The text in lines of at most the width `most`; a single word may be wider.
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

/// The text, cut to at most the width `most`.
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
