//! Texts that are not TOML at all: one error says what they look like, instead of one for each line.

use super::error::Diagnostic;

/// How a scenario looks, and how to get one.
const HELP: &str = "a scenario has tables such as `[client.users]` and `[server.web]`; `outgrow new NAME` writes one to start from";

/// What a log is called.
pub const LOG: &str = "the access log of a server";

/// How a log becomes a scenario.
const IMPORT: &str = "`outgrow import FILE` makes a scenario from a log";

/// The one error for a text that is not TOML; `None` if it may be TOML with mistakes.
pub(super) fn refusal(text: &str) -> Option<Diagnostic> {
    let lines = || text.lines().map(str::trim_end).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_header =
        |line: &str| line.strip_prefix('[').is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    let is_pair = |line: &str| line.split_once('=').is_some_and(|(key, _)| is_key(key.trim()));
    let what = looks_like(text);
    if lines().any(is_header) || (what.is_none() && lines().any(is_pair)) {
        return None;
    }
    let start = text.len() - text.trim_start().len();
    let end = text[start..].find('\n').map_or(text.len(), |length| start + length);
    let message = match what {
        Some(what) => format!("this is not TOML: it looks like {what}"),
        None => "this is not TOML".to_owned(),
    };
    let help = if what == Some(LOG) { IMPORT } else { HELP };
    Some(Diagnostic::error(start..end, message).help(help.to_owned()))
}

/// Whether a text may be the key of a pair.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || "_-.\"' ".contains(letter))
}

/// Whether a text has the tables of a scenario.
pub fn is_scenario(text: &str) -> bool {
    let opens = |line: &str| ["[client.", "[server.", "[run]"].iter().any(|table| line.starts_with(table));
    text.lines().any(|line| opens(line.trim_start()))
}

/// The kind of file that the text looks like.
pub fn looks_like(text: &str) -> Option<&'static str> {
    let begins = |words: &[&str]| text.lines().any(|line| words.iter().any(|word| line.starts_with(word)));
    let opens = |line: &str| line.ends_with('{') && !line.contains('=');
    Some(match text.trim_start() {
        start if start.starts_with(['{', '[']) && text.contains("\":") => "JSON",
        _ if begins(&["import ", "export "]) => "JavaScript, such as a test of k6",
        _ if begins(&["apiVersion:", "kind:"]) => "YAML of Kubernetes",
        _ if begins(&["services:"]) => "YAML of Docker Compose",
        start if start.starts_with("---") => "YAML",
        start
            if start.lines().next().is_some_and(|line| line.contains("] \"") && line.contains(" HTTP/")) =>
        {
            LOG
        }
        _ if text.lines().map(str::trim).any(|line| opens(line) && line.len() > 1) => {
            "a configuration of nginx"
        }
        _ if begins(&["frontend ", "backend ", "listen ", "defaults", "global"]) => {
            "a configuration of HAProxy"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_other_programs_are_known() {
        for (text, what) in [
            ("{ \"client\": {} }", Some("JSON")),
            ("global\n  maxconn 100\nfrontend web\n  bind :80\n", Some("a configuration of HAProxy")),
            ("http {\n  upstream web {\n    server a:80;\n  }\n}\n", Some("a configuration of nginx")),
            ("version: '3'\nservices:\n  web:\n    image: x\n", Some("YAML of Docker Compose")),
            ("apiVersion: v1\nkind: Pod\n", Some("YAML of Kubernetes")),
            (
                "import http from 'k6/http';\nexport let options = { vus: 10 };\n",
                Some("JavaScript, such as a test of k6"),
            ),
            (
                "10.0.0.1 - - [10/Oct/2000:13:55:36 -0700] \"GET / HTTP/1.1\" 200 5\n",
                Some("the access log of a server"),
            ),
            ("Dear outgrow,\nhow many users?\n", None),
        ] {
            let found = refusal(text).map(|one| one.message);
            let expected = what.map_or("this is not TOML".to_owned(), |what| {
                format!("this is not TOML: it looks like {what}")
            });
            assert_eq!(found, Some(expected), "{text}");
        }
        for text in ["[client.users]\nrate\n", "title = 'x\n", "[server.web\ncores = 2\n"] {
            assert!(refusal(text).is_none(), "{text}");
        }
    }
}
