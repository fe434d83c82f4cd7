//! The font of a page: that of the charts, inside the page, so that the words of both look alike and have the widths for which
//! charts are laid out.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::chart::fonts;

/// The rules for a style sheet that hold both weights of the font.
pub(super) fn faces() -> &'static str {
    static FACES: LazyLock<String> = LazyLock::new(|| {
        let face = |(bytes, weights): (&[u8], &str)| {
            format!(
                "@font-face {{ font-family: Inter; font-weight: {weights}; src: url(data:font/otf;base64,{}); }}\n",
                STANDARD.encode(bytes)
            )
        };
        fonts().into_iter().zip(["100 500", "501 900"]).map(face).collect()
    });
    &FACES
}
