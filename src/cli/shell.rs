//! Commands in the syntax of a shell.

/// The word, quoted if a shell needs that.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./=:,+@".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The command line of this program.
pub(super) fn typed() -> String {
    let words: Vec<String> = std::env::args().skip(1).map(|word| quoted(&word)).collect();
    format!("outgrow {}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_quoted_only_where_it_must_be() {
        assert_eq!(quoted("web.count=8"), "web.count=8");
        assert_eq!(quoted("users.rate=5 /s"), "'users.rate=5 /s'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
