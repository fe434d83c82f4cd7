//! Commands in the syntax of a shell.

use super::Scenario;
use super::overrides::path;

/// The word, quoted if a shell needs that.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./=:,+@".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The command that runs a scenario file with these overrides.
#[must_use]
pub fn run(file: &str, overrides: &[(String, String)]) -> String {
    let set = |(key, value): &(String, String)| format!(" --set {}", quoted(&format!("{key}={value}")));
    format!("outgrow run {}{}", quoted(file), overrides.iter().map(set).collect::<String>())
}

impl Scenario {
    /// The command that runs this scenario with some changes more: after the overrides that it was loaded with, without those
    /// that the changes replace, and without those of `run`, as it is up to the user how long and how often to simulate.
    #[must_use]
    pub fn command(&self, changes: &[(String, String)]) -> String {
        let full = |key: &str| path(&self.text, key);
        let is_kept = |(key, _): &&(String, String)| {
            let own = full(key);
            !key.starts_with("run.") && changes.iter().all(|(other, _)| other != key && full(other) != own)
        };
        let kept = self.set.iter().filter(is_kept);
        run(&self.origin, &kept.chain(changes).cloned().collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use super::super::toys::LADDER;
    use super::super::{Scenario, load};
    use super::*;
    use crate::components::KINDS;
    use crate::model::spec::NoFiles;

    fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
        all.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_word_is_quoted_only_where_it_must_be() {
        assert_eq!(quoted("web.count=8"), "web.count=8");
        assert_eq!(quoted("users.rate=5 /s"), "'users.rate=5 /s'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_command_keeps_what_was_set_unless_it_is_changed() {
        let set = pairs(&[("users.rate", "50/s"), ("web.count", "3"), ("run.trials", "2")]);
        let scenario: Scenario = load("a b.toml", LADDER, &set, &NoFiles, KINDS).unwrap().scenario;
        let command = scenario.command(&pairs(&[("server.web.count", "4")]));
        assert_eq!(command, "outgrow run 'a b.toml' --set users.rate=50/s --set server.web.count=4");
    }
}
