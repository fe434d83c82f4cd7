//! Cleans text of scenarios, which come from others: no control character, and nothing that turns the direction of text,
//! reaches a terminal or a page.

/// The text with blanks for control characters, line ends among them, and for characters that turn the direction of text.
#[must_use]
pub(super) fn cleaned(text: &str) -> String {
    text.chars().map(|character| if is_harmful(character) { ' ' } else { character }).collect()
}

/// Whether a character acts on a terminal, or on the order in which others are shown (Unicode TR 36, 3.2 and CVE-2021-42574).
fn is_harmful(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_forges_nothing() {
        let title = "a\u{1b}]0;pwned\u{7}\nholds  x\u{202e}y \u{2066}z\u{9b}";
        assert_eq!(cleaned(title), "a ]0;pwned  holds  x y  z ");
        assert_eq!(cleaned("\u{d6}l, \u{c11c}\u{bc84} 1"), "\u{d6}l, \u{c11c}\u{bc84} 1");
    }
}
