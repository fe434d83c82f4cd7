//! Paths as patterns, and the names of classes.

/// Segments of a path that count; what stands below is cut.
const DEPTH: usize = 8;

/// Longest segment that may be a word.
const WORD: usize = 40;

/// Endings of files that a server hands out as they are.
const STATIC: [&str; 22] = [
    "js", "mjs", "css", "map", "png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "avif", "woff", "woff2",
    "ttf", "otf", "eot", "mp4", "webm", "mp3", "pdf", "txt",
];

/// `--route 'GET /api/*=api'`: requests that a user puts into one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    method: String,
    path: String,
    name: String,
}

impl Override {
    /// Reads one.
    ///
    /// # Errors
    /// When it is not a method, a path and a name.
    pub fn new(text: &str) -> Result<Override, String> {
        let parts = text.rsplit_once('=').and_then(|(route, class)| Some((route.split_once(' ')?, class)));
        match parts {
            Some(((method, path), class)) if !name(class).is_empty() && path.starts_with(['/', '*']) => {
                Ok(Override { method: method.to_owned(), path: path.to_owned(), name: class.to_owned() })
            }
            _ => {
                Err("expected a method, a path and a name, as in 'GET /api/*=api'; * stands for anything"
                    .into())
            }
        }
    }

    fn takes(&self, method: &str, path: &str) -> bool {
        (self.method == "*" || self.method == method) && glob(&self.path, path)
    }
}

/// Whether a path fits a pattern in which `*` stands for anything.
fn glob(pattern: &str, path: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == path };
    let Some(path) = path.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    let mut left = path;
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

/// The path of a target: without scheme, host, query and fragment.
pub(super) fn without_query(target: &str) -> &str {
    let end = target.find(['?', '#']).unwrap_or(target.len());
    let target = &target[..end];
    match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    }
}

/// A hash of a method and a path (FNV-1a), for a memory in which an entry is compared anyway.
pub(super) fn mix(method: &str, path: &str) -> u64 {
    let bytes = method.bytes().chain(path.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash ^ (hash >> 29)
}

/// Writes the pattern of a request into `out`: `GET /posts/:id`, `GET :static`, or `GET =name` for an override.
pub(super) fn pattern(method: &str, path: &str, overrides: &[Override], out: &mut String) {
    out.clear();
    out.push_str(method);
    out.push(' ');
    if let Some(found) = overrides.iter().find(|one| one.takes(method, path)) {
        out.push('=');
        out.push_str(&found.name);
        return;
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    let ending = last.rsplit_once('.').map(|(_, ending)| ending);
    if method == "GET" && ending.is_some_and(|ending| STATIC.contains(&ending)) {
        out.push_str(":static");
        return;
    }
    let segments = path.split('/').filter(|segment| !segment.is_empty());
    let start = out.len();
    for segment in segments.take(DEPTH) {
        out.push('/');
        out.push_str(if varies(segment) { ":id" } else { segment });
    }
    if out.len() == start {
        out.push('/');
    }
}

/// Whether a segment is a number, a hash, a UUID or something personal.
fn varies(segment: &str) -> bool {
    let letters = segment.bytes();
    let numbers = letters.clone().filter(u8::is_ascii_digit).count();
    let is_hex = letters.clone().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    numbers == segment.len()
        || (is_hex && segment.len() >= 8 && numbers > 0)
        || (segment.len() >= 20 && numbers >= 4 && !segment.contains('-'))
        || segment.len() > WORD
        || segment.contains(['@', '%', ':', '\\', '"', '=', ';', ',', '|'])
        || !segment.is_ascii()
}

/// Whether requests of a method change data.
pub(super) fn writes(method: &str) -> bool {
    matches!(method, "POST" | "PUT" | "PATCH" | "DELETE" | "MKCOL" | "COPY" | "MOVE" | "PROPPATCH")
}

/// A pattern as the name of a class; empty without a letter: small letters, digits and single hyphens.
pub(super) fn name(pattern: &str) -> String {
    const LONGEST: usize = 40;
    let pattern = if pattern.ends_with(" /") { format!("{pattern}root") } else { pattern.to_owned() };
    let mut name = String::new();
    // A name begins with a letter.
    for letter in pattern.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic()).chars() {
        if letter.is_ascii_alphanumeric() {
            name.push(letter.to_ascii_lowercase());
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    name.truncate(LONGEST);
    name.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_personal_or_random_is_an_id() {
        for (segment, expected) in [
            ("17", true),
            ("posts", false),
            ("v2", false),
            ("deadbeef", false),
            ("deadbeef1", true),
            ("anna@example.org", true),
            ("a%20b", true),
            ("ohJ9x2kQ8mZ1pL4vT7wY", true),
            ("how-to-size-a-database-in-2026", false),
        ] {
            assert_eq!(varies(segment), expected, "{segment}");
        }
    }

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, path, expected) in [
            ("/a/*", "/a/b/c", true),
            ("/a/*/c", "/a/b/c", true),
            ("/a", "/ab", false),
            ("*.php", "/x/y.php", true),
            ("/a/*/c", "/a/b", false),
        ] {
            assert_eq!(glob(pattern, path), expected, "{pattern} {path}");
        }
    }
}
