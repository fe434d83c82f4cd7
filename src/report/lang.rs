//! `Lang`: a language in which the program speaks.

/// A language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// Every language.
    pub const ALL: [Lang; 2] = [Lang::En, Lang::Ko];

    /// Its code: `en` or `ko`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Lang::En => "en",
            Lang::Ko => "ko",
        }
    }

    /// The language of a locale such as `ko_KR.UTF-8`: English unless it is Korean.
    #[must_use]
    pub fn of_locale(locale: &str) -> Lang {
        if locale.starts_with("ko") { Lang::Ko } else { Lang::En }
    }

    /// The text in this language.
    #[must_use]
    pub const fn of<'t>(self, english: &'t str, korean: &'t str) -> &'t str {
        match self {
            Lang::En => english,
            Lang::Ko => korean,
        }
    }
}
