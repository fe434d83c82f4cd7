//! The font of a page: that of the charts, inside the page, so that the words of both look alike and have the widths for which
//! charts are laid out.

use std::sync::LazyLock;

use super::super::chart::fonts;

/// The rules for a style sheet that hold both weights of the font.
pub(super) fn faces() -> &'static str {
    static FACES: LazyLock<String> = LazyLock::new(|| {
        let face = |(bytes, weights): (&[u8], &str)| {
            format!(
                "@font-face {{ font-family: Inter; font-weight: {weights}; src: url(data:font/otf;base64,{}); }}\n",
                base64(bytes)
            )
        };
        fonts().into_iter().zip(["100 500", "501 900"]).map(face).collect()
    });
    &FACES
}

/// The bytes in base 64 (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for letter in 0..4 {
            let at = bits >> (18 - 6 * letter) & 63;
            out.push(if letter <= three.len() { char::from(LETTERS[at as usize]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_64_is_that_of_its_standard() {
        let known = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        for (plain, coded) in known {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
