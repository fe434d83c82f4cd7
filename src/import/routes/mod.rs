//! `Routes`: which class of requests a method and a path belong to. Numbers, UUIDs and hashes in a path are `:id`, and so are
//! the names of a place that has many of them.

mod fold;
mod path;

use std::collections::BTreeMap;

pub use path::Override;

/// Number of patterns that are kept while a log is read. Beyond it they are folded early.
const PATTERNS_MAX: usize = 20_000;

/// Largest number of classes, with the one of all others.
pub const CLASSES_MAX: usize = 12;

/// Names of the classes of all other requests.
const RESERVED: [&str; 2] = ["other", "other-writes"];

/// Number of places of the memory of recent requests.
const RECENT: usize = 4096;

/// Collects patterns of requests.
#[derive(Debug)]
pub struct Routes {
    overrides: Vec<Override>,
    ids: BTreeMap<String, u32>,
    /// For each id that was given, the id whose pattern it has now.
    alias: Vec<u32>,
    /// Requests of each id, as it was given.
    counts: Vec<u64>,
    recent: Vec<Option<(Box<str>, u32)>>,
    scratch: String,
    /// Whether even folded patterns are too many: then new ones are one pattern.
    full: bool,
}

/// A class of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// Its name in a scenario: `get-posts-id`.
    pub name: String,
    /// What it is: `GET /posts/:id`.
    pub pattern: String,
    /// Whether it writes.
    pub writes: bool,
}

/// The classes of a log, and the class of each id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes {
    /// From the most frequent on; others at the end.
    pub classes: Vec<Class>,
    /// The index of the class of each id.
    pub of_id: Vec<u8>,
}

impl Routes {
    /// No patterns yet. Overrides come first.
    pub fn new(overrides: Vec<Override>) -> Routes {
        let recent = (0..RECENT).map(|_| None).collect();
        let (ids, alias, counts) = (BTreeMap::new(), Vec::new(), Vec::new());
        Routes { overrides, ids, alias, counts, recent, scratch: String::new(), full: false }
    }

    /// The id of the pattern of a request.
    pub fn id(&mut self, method: &str, target: &str) -> u32 {
        let target = path::without_query(target);
        let place = path::mix(method, target) as usize % RECENT;
        if let Some((text, id)) = &self.recent[place]
            && let Some(rest) = text.strip_prefix(method)
            && rest.strip_prefix(' ') == Some(target)
        {
            let id = *id;
            self.counts[id as usize] += 1;
            return id;
        }
        let mut pattern = std::mem::take(&mut self.scratch);
        path::pattern(method, target, &self.overrides, &mut pattern);
        let id = self.of_pattern(&pattern);
        self.scratch = pattern;
        self.counts[id as usize] += 1;
        self.recent[place] = Some((format!("{method} {target}").into_boxed_str(), id));
        id
    }

    fn of_pattern(&mut self, pattern: &str) -> u32 {
        if let Some(id) = self.ids.get(pattern) {
            return *id;
        }
        if self.ids.len() >= PATTERNS_MAX && !self.full {
            self.fold();
            self.full = self.ids.len() > PATTERNS_MAX / 2;
        }
        if self.full {
            let writes = path::writes(pattern.split(' ').next().unwrap_or_default());
            let rest = if writes { "POST :more" } else { "GET :more" };
            if pattern != rest {
                return self.of_pattern(rest);
            }
        }
        let id = self.alias.len() as u32;
        self.alias.push(id);
        self.counts.push(0);
        self.ids.insert(pattern.to_owned(), id);
        id
    }

    /// Folds the patterns of places with many names.
    fn fold(&mut self) {
        let mut counts = vec![0; self.alias.len()];
        for (id, count) in self.counts.iter().enumerate() {
            counts[self.alias[id] as usize] += count;
        }
        let of = |(pattern, id): (&String, &u32)| (pattern.clone(), *id, counts[*id as usize]);
        let folded = fold::folded(self.ids.iter().map(of).collect());
        let mut becomes: Vec<u32> = (0..self.alias.len() as u32).collect();
        self.ids.clear();
        for (pattern, ids) in folded {
            ids.iter().for_each(|id| becomes[*id as usize] = ids[0]);
            self.ids.insert(pattern, ids[0]);
        }
        self.alias.iter_mut().for_each(|id| *id = becomes[*id as usize]);
    }

    /// The classes of all requests.
    pub fn classes(mut self) -> Classes {
        self.fold();
        let mut counts = vec![0; self.alias.len()];
        for (id, count) in self.counts.iter().enumerate() {
            counts[self.alias[id] as usize] += count;
        }
        let mut patterns: Vec<(&String, u32)> = self.ids.iter().map(|(pattern, id)| (pattern, *id)).collect();
        let is_rest = |pattern: &str| pattern.ends_with(" :more");
        patterns.sort_by_key(|(pattern, id)| (is_rest(pattern), std::cmp::Reverse(counts[*id as usize])));
        let fits = patterns.len() <= CLASSES_MAX && !patterns.iter().any(|(pattern, _)| is_rest(pattern));
        let kept = if fits { patterns.len() } else { patterns.len().min(CLASSES_MAX - 2) };
        let mut classes = Vec::new();
        let mut of_pattern = vec![0_u8; self.alias.len()];
        for (pattern, id) in &patterns[..kept] {
            of_pattern[*id as usize] = classes.len() as u8;
            classes.push(class(pattern, &classes));
        }
        for writes in [false, true] {
            let of_kind = |(pattern, _): &&(&String, u32)| path::writes(method(pattern)) == writes;
            let rest: Vec<u32> = patterns[kept..].iter().filter(of_kind).map(|(_, id)| *id).collect();
            if rest.is_empty() {
                continue;
            }
            rest.iter().for_each(|id| of_pattern[*id as usize] = classes.len() as u8);
            let number = rest.len();
            let (name, what) = if writes { (RESERVED[1], "write") } else { (RESERVED[0], "read") };
            let pattern = format!("{number} other kinds of requests that {what}");
            classes.push(Class { name: name.to_owned(), pattern, writes });
        }
        let of_id = self.alias.iter().map(|id| of_pattern[*id as usize]).collect();
        Classes { classes, of_id }
    }
}

/// The method of a pattern; that of an override is in brackets behind its name.
fn method(pattern: &str) -> &str {
    pattern.split(' ').next().unwrap_or_default()
}

/// The class of a pattern, with a name that no other class has.
fn class(pattern: &str, others: &[Class]) -> Class {
    let writes = path::writes(method(pattern));
    let (base, pattern) = match pattern.split_once(" =") {
        Some((method, name)) => (path::name(name), format!("{method} requests named by --route")),
        None => (path::name(pattern), pattern.to_owned()),
    };
    let is_free = |name: &str| others.iter().all(|other| other.name != name) && !RESERVED.contains(&name);
    let mut numbered = (2..).map(|number| format!("{base}-{number}"));
    let name =
        if is_free(&base) { base.clone() } else { numbered.find(|name| is_free(name)).unwrap_or_default() };
    let name = if name.is_empty() { format!("{base}-{}", others.len()) } else { name };
    Class { name, pattern, writes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(requests: &[(&str, &str)], overrides: &[&str]) -> Vec<String> {
        let overrides = overrides.iter().map(|text| Override::new(text).unwrap()).collect();
        let mut routes = Routes::new(overrides);
        requests.iter().for_each(|(method, target)| {
            routes.id(method, target);
        });
        routes
            .classes()
            .classes
            .into_iter()
            .map(|class| format!("{}: {}", class.name, class.pattern))
            .collect()
    }

    #[test]
    fn what_varies_in_a_path_is_an_id() {
        let all = names(
            &[
                ("GET", "/posts/17?page=2"),
                ("GET", "/posts/18"),
                ("GET", "http://shop.example/posts/19#top"),
                ("POST", "/posts/18/comments"),
                ("GET", "/u/6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
                ("GET", "/"),
                ("GET", "/js/app.1f3a.js"),
            ],
            &[],
        );
        assert_eq!(
            all,
            [
                "get-posts-id: GET /posts/:id",
                "get-root: GET /",
                "get-u-id: GET /u/:id",
                "get-static: GET :static",
                "post-posts-id-comments: POST /posts/:id/comments"
            ]
        );
    }

    #[test]
    fn a_place_with_many_names_is_folded_and_frequent_names_stay() {
        let slugs: Vec<String> = (0..200)
            .map(|n| format!("/blog/title-of-{}", "x".repeat(n % 20 + 1) + &"y".repeat(n / 20)))
            .collect();
        let mut requests: Vec<(&str, &str)> = slugs.iter().map(|slug| ("GET", slug.as_str())).collect();
        requests.extend((0..50).map(|_| ("GET", "/blog/about")));
        assert_eq!(names(&requests, &[]), ["get-blog-id: GET /blog/:id", "get-blog-about: GET /blog/about"]);
    }

    #[test]
    fn the_order_of_the_requests_does_not_matter() {
        let paths: Vec<String> = (0..5000).map(|n| format!("/a{}/b{}/c", n % 71, n % 13)).collect();
        let requests: Vec<(&str, &str)> = paths.iter().map(|path| ("GET", path.as_str())).collect();
        let reversed: Vec<(&str, &str)> = requests.iter().rev().copied().collect();
        assert_eq!(names(&requests, &[]), names(&reversed, &[]));
    }

    #[test]
    fn at_most_twelve_classes_and_the_rest_is_said() {
        let paths: Vec<String> = (0..30)
            .map(|n| format!("/{}", char::from(b'a' + n % 26).to_string().repeat(n as usize / 26 + 1)))
            .collect();
        let mut requests: Vec<(&str, &str)> = paths.iter().map(|path| ("GET", path.as_str())).collect();
        requests.extend(paths.iter().take(3).map(|path| ("POST", path.as_str())));
        let all = names(&requests, &[]);
        assert_eq!(all.len(), CLASSES_MAX);
        assert_eq!(
            all[10..],
            [
                "other: 20 other kinds of requests that read",
                "other-writes: 3 other kinds of requests that write"
            ]
        );
    }

    #[test]
    fn a_user_may_name_routes() {
        let all = names(
            &[("GET", "/api/v1/a"), ("GET", "/api/v1/b"), ("POST", "/api/v1/b"), ("GET", "/x")],
            &["GET /api/*=api"],
        );
        assert_eq!(all[0], "api: GET requests named by --route");
        assert_eq!(names(&[("GET", "/a")], &["GET /*=other"]), ["other-2: GET requests named by --route"]);
        assert_eq!(all.len(), 3);
        assert!(Override::new("GET /api/*").is_err() && Override::new("/api=x").is_err());
    }

    #[test]
    fn memory_is_bounded_whatever_the_paths_are() {
        let mut routes = Routes::new(Vec::new());
        let letters = |mut n: usize| {
            let mut text = String::new();
            for _ in 0..4 {
                text.push(char::from(b'a' + (n % 26) as u8));
                n /= 26;
            }
            text
        };
        for n in 0..60_000 {
            routes.id("GET", &format!("/{}/{}", letters(n % 211), letters(n)));
        }
        assert!(routes.ids.len() <= PATTERNS_MAX + 2, "{}", routes.ids.len());
        assert!(routes.classes().classes.len() <= CLASSES_MAX);
    }
}
